//! The file that says how others are reached. It names files and variables with secrets, and has
//! none itself.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use reqwest::Url;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;

use super::config::{Hidden, Identity, Login, Settings, Via, proxy_url};
use crate::limits::{
    CLIENT_ANSWER_S_MAX, CLIENT_CONNECT_S_MAX, HTTP_FILE_BYTES_MAX, HTTP_SECONDS_MAX, LOGINS_MAX,
    SECRET_BYTES_MAX,
};

/// Why a file about how others are reached is refused. No secret stands in it.
#[derive(Debug, thiserror::Error)]
pub enum HttpConfigError {
    /// It cannot be read.
    #[error("read {}", file.display())]
    Read {
        /// Its path.
        file: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It is not TOML of this shape.
    #[error("{}, line {line}: {problem}", file.display())]
    Syntax {
        /// Its path.
        file: PathBuf,
        /// Where, from 1 on.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A value that cannot be.
    #[error("{}: `{key}` {problem}", file.display())]
    Value {
        /// Its path.
        file: PathBuf,
        /// Which.
        key: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HttpFile {
    /// The proxy of everybody but this machine and `no_proxy`; `""` for none. Without this key it
    /// is what the environment says.
    proxy: Option<String>,
    /// Hosts, domains, addresses and networks that are reached directly.
    no_proxy: Vec<String>,
    /// What the proxy is shown.
    proxy_login: Option<ProxyLogin>,
    /// PEM files with roots that are trusted beside those of the system.
    roots: Vec<PathBuf>,
    /// Whether those of the system are.
    system_roots: bool,
    /// Seconds that a connection is waited for, TLS included.
    connect_s: u64,
    /// Seconds that an answer is waited for.
    answer_s: u64,
    /// What single hosts are shown.
    login: Vec<HostLogin>,
}

impl Default for HttpFile {
    fn default() -> Self {
        Self {
            proxy: None,
            no_proxy: Vec::new(),
            proxy_login: None,
            roots: Vec::new(),
            system_roots: true,
            connect_s: CLIENT_CONNECT_S_MAX,
            answer_s: CLIENT_ANSWER_S_MAX,
            login: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProxyLogin {
    user: String,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HostLogin {
    /// Scheme, host and port.
    url: String,
    bearer_file: Option<PathBuf>,
    bearer_env: Option<String>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    /// PEM files of a client certificate.
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// A key of the file and what is wrong with its value.
type Wrong = (String, String);

fn wrong<T>(key: impl Into<String>, problem: impl Into<String>) -> Result<T, Wrong> {
    Err((key.into(), problem.into()))
}

/// Reads the file and all that it names.
pub(super) fn open(file: &Path) -> Result<Settings, HttpConfigError> {
    let text = read(file, HTTP_FILE_BYTES_MAX).map_err(|source| HttpConfigError::Read {
        file: file.into(),
        source,
    })?;
    let syntax = |line, problem| HttpConfigError::Syntax {
        file: file.into(),
        line,
        problem,
    };
    let text = String::from_utf8(text).map_err(|_| syntax(1, "it is no UTF-8".into()))?;
    let parsed: HttpFile = toml::from_str(&text).map_err(|error| {
        // Its own text repeats the line, which may have a secret in it that should not be there.
        let start = error.span().map_or(0, |span| span.start);
        let line = text
            .bytes()
            .take(start)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1;
        syntax(line, error.message().to_owned())
    })?;
    let directory = file.parent().unwrap_or(Path::new(""));
    parsed
        .settings(directory)
        .map_err(|(key, problem)| HttpConfigError::Value {
            file: file.into(),
            key,
            problem,
        })
}

fn read(file: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?
        .take(bytes_max + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::other(format!(
            "it has more than the {bytes_max} bytes that are allowed"
        )));
    }
    Ok(bytes)
}

impl HttpFile {
    fn settings(&self, directory: &Path) -> Result<Settings, Wrong> {
        for (key, seconds) in [("connect_s", self.connect_s), ("answer_s", self.answer_s)] {
            if !(1..=HTTP_SECONDS_MAX).contains(&seconds) {
                let problem = format!("is {seconds}; 1 to {HTTP_SECONDS_MAX} is allowed");
                return wrong(key, problem);
            }
        }
        if self.login.len() > LOGINS_MAX {
            let problem = format!("has {} entries; {LOGINS_MAX} are allowed", self.login.len());
            return wrong("login", problem);
        }
        let mut logins: Vec<Login> = Vec::new();
        for (index, entry) in self.login.iter().enumerate() {
            let login = entry.login(index, directory)?;
            if logins.iter().any(|other| other.origin == login.origin) {
                let problem = format!("has {} twice; put both into one", login.origin);
                return wrong(format!("login[{index}].url"), problem);
            }
            logins.push(login);
        }
        let roots = self.roots(directory)?;
        Ok(Settings {
            via: self.via(directory)?,
            roots,
            system_roots: self.system_roots,
            pinned: Vec::new(),
            connect: Duration::from_secs(self.connect_s),
            answer: Duration::from_secs(self.answer_s),
            logins,
        })
    }

    fn via(&self, directory: &Path) -> Result<Via, Wrong> {
        let url = match self.proxy.as_deref() {
            Some("") => None,
            Some(text) => Some(proxy_url(text).or_else(|problem| wrong("proxy", problem))?),
            None if self.proxy_login.is_some() => {
                return wrong("proxy_login", "stands without `proxy`; add that");
            }
            None if !self.no_proxy.is_empty() => {
                return wrong(
                    "no_proxy",
                    "stands without `proxy`; add that, or set NO_PROXY",
                );
            }
            None => return Ok(Via::Environment),
        };
        let Some(url) = url else {
            return Ok(Via::Nobody);
        };
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("proxy", "has a name or a password in it; use `proxy_login`");
        }
        if let Some(host) = self.no_proxy.iter().find(|host| host.contains(',')) {
            let problem = format!("has `{host}`; write each host on its own");
            return wrong("no_proxy", problem);
        }
        let login = self.proxy_login.as_ref().map(|login| {
            let place = (
                login.password_file.as_deref(),
                login.password_env.as_deref(),
            );
            let password = secret("proxy_login.password", place, directory)?;
            let Some(password) = password else {
                let problem = "is absent; name the file with it, or `password_env`";
                return wrong("proxy_login.password_file", problem);
            };
            check_user("proxy_login.user", &login.user)?;
            Ok((login.user.clone(), password))
        });
        Ok(Via::Proxy {
            url,
            login: login.transpose()?,
            direct: self.no_proxy.clone(),
        })
    }

    fn roots(&self, directory: &Path) -> Result<Vec<CertificateDer<'static>>, Wrong> {
        let mut roots = Vec::new();
        for (index, file) in self.roots.iter().enumerate() {
            let key = format!("roots[{index}]");
            roots.extend(certificates(&key, &directory.join(file))?);
        }
        for root in &roots {
            let mut store = RootCertStore::empty();
            if let Err(error) = store.add(root.clone()) {
                let problem = format!("have a certificate that is no root: {error}");
                return wrong("roots", problem);
            }
        }
        if roots.is_empty() && !self.system_roots {
            return wrong(
                "system_roots",
                "is false without `roots`; nobody would be trusted",
            );
        }
        Ok(roots)
    }
}

impl HostLogin {
    fn login(&self, index: usize, directory: &Path) -> Result<Login, Wrong> {
        let at = |key: &str| format!("login[{index}].{key}");
        let origin = self.origin(&at("url"))?;
        let bearer = (self.bearer_file.as_deref(), self.bearer_env.as_deref());
        let bearer = secret(&at("bearer"), bearer, directory)?;
        let password = (self.password_file.as_deref(), self.password_env.as_deref());
        let password = secret(&at("password"), password, directory)?;
        let header = match (bearer, &self.user, password) {
            (None, None, None) => None,
            (Some(token), None, None) => Some(format!("Bearer {}", token.reveal())),
            (None, Some(user), Some(password)) => {
                check_user(&at("user"), user)?;
                let both = STANDARD.encode(format!("{user}:{}", password.reveal()));
                Some(format!("Basic {both}"))
            }
            (Some(_), _, _) => {
                return wrong(at("user"), "stands beside a bearer token; use one of them");
            }
            (None, Some(_), None) => {
                return wrong(
                    at("password_file"),
                    "is absent; name the file of the password",
                );
            }
            (None, None, Some(_)) => return wrong(at("user"), "is absent; give the name"),
        };
        let identity = match (&self.certificate, &self.key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                let certificate = directory.join(certificate);
                let certificates = certificates(&at("certificate"), &certificate)?;
                let key = private_key(&at("key"), &directory.join(key))?;
                Some(Arc::new(Identity { certificates, key }))
            }
            (Some(_), None) => return wrong(at("key"), "is absent; name the certificate's key"),
            (None, Some(_)) => return wrong(at("certificate"), "is absent beside `key`"),
        };
        if header.is_none() && identity.is_none() {
            return wrong(
                at("url"),
                "is shown nothing; give a token, a password or a certificate",
            );
        }
        let header = header.map(|header| {
            let mut header = HeaderValue::try_from(header).expect("visible ASCII was checked");
            header.set_sensitive(true);
            header
        });
        Ok(Login {
            origin,
            header,
            identity,
        })
    }

    /// Secrets go to one host, and not in the clear.
    fn origin(&self, key: &str) -> Result<String, Wrong> {
        let url: Option<Url> = self.url.parse().ok();
        let url = url.filter(|url| {
            let web = matches!(url.scheme(), "http" | "https");
            let only_host = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            web && only_host && url.username().is_empty() && url.password().is_none()
        });
        let Some(url) = url else {
            let problem = "is not like https://rpc.example or https://rpc.example:8545: scheme, \
                           host and port";
            return wrong(key, problem);
        };
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let own = host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if url.scheme() == "http" && !own {
            let problem = "is http:// on another machine: whoever is between would read what is \
                           shown; use https://";
            return wrong(key, problem);
        }
        Ok(url.origin().ascii_serialization())
    }
}

fn check_user(key: &str, user: &str) -> Result<(), Wrong> {
    let plain = |byte: u8| byte != b':' && (byte.is_ascii_graphic() || byte == b' ');
    if !user.is_empty() && user.len() <= 256 && user.bytes().all(plain) {
        return Ok(());
    }
    wrong(
        key,
        "is no name of 1 to 256 visible characters without a colon",
    )
}

/// The secret in a file, or in a variable of the environment; `key` without `_file` and `_env`.
fn secret(
    key: &str,
    (file, variable): (Option<&Path>, Option<&str>),
    directory: &Path,
) -> Result<Option<Hidden>, Wrong> {
    let (key, text) = match (file, variable) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            let problem = format!("stands beside `{key}_env`; use one of them");
            return wrong(format!("{key}_file"), problem);
        }
        (Some(file), None) => {
            let key = format!("{key}_file");
            let text = secret_of(&directory.join(file));
            let text = text.or_else(|problem| wrong(key.as_str(), problem))?;
            (key, text)
        }
        (None, Some(name)) => {
            let key = format!("{key}_env");
            match std::env::var(name) {
                Ok(text) => (key, text),
                Err(_) => {
                    let problem = format!("names {name}, which the environment does not have");
                    return wrong(key, problem);
                }
            }
        }
    };
    let text = text.trim_end_matches(['\r', '\n']);
    let plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if text.is_empty() || text.len() > SECRET_BYTES_MAX || !text.bytes().all(plain) {
        let problem = format!(
            "leads to no secret: one line of 1 to {SECRET_BYTES_MAX} visible characters is expected"
        );
        return wrong(key, problem);
    }
    Ok(Some(Hidden(text.into())))
}

/// The text of a file that only its owner may read.
fn secret_of(file: &Path) -> Result<String, String> {
    let shown = file.display();
    let failed = |error: io::Error| format!("cannot be read: {shown}: {error}");
    let mode = std::fs::metadata(file)
        .map_err(failed)?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(format!(
            "is {shown}, which others may read (mode {:04o}); `chmod 600` it",
            mode & 0o7777
        ));
    }
    let bytes = read(file, SECRET_BYTES_MAX as u64 + 2).map_err(failed)?;
    String::from_utf8(bytes).map_err(|_| format!("is {shown}, which is no text"))
}

/// The first certificate of a PEM file.
pub(super) fn first_certificate(file: &Path) -> Result<CertificateDer<'static>, HttpConfigError> {
    let found = certificates("certificate", file).map_err(|(key, problem)| {
        let file = file.into();
        HttpConfigError::Value { file, key, problem }
    })?;
    Ok(found.into_iter().next().expect("there is at least one"))
}

fn certificates(key: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, Wrong> {
    let shown = file.display();
    let bytes = read(file, HTTP_FILE_BYTES_MAX)
        .or_else(|error| wrong(key, format!("cannot be read: {shown}: {error}")))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => wrong(key, format!("is {shown}, which has no certificate in PEM")),
        Err(error) => wrong(key, format!("is {shown}, which is no PEM: {error}")),
    }
}

fn private_key(key: &str, file: &Path) -> Result<PrivateKeyDer<'static>, Wrong> {
    let shown = file.display();
    let bytes = read(file, HTTP_FILE_BYTES_MAX)
        .or_else(|error| wrong(key, format!("cannot be read: {shown}: {error}")))?;
    // What is wrong with it is not repeated: it could be a key.
    PrivateKeyDer::from_pem_slice(&bytes)
        .or_else(|_| wrong(key, format!("is {shown}, which has no private key in PEM")))
}
