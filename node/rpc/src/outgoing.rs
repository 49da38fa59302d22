//! The one HTTP client: whatever a program of this project asks of others goes through here.
//!
//! http and https, through proxies, with logins and client certificates, as a file says
//! ([`Http::open`]). Redirects are not followed: whoever answers one could send a secret, or a
//! transaction, elsewhere. Bodies and times are bounded. What may be a secret stands in no error
//! and no log: addresses are shown as [`Remote::shown`] has them.

mod config;
mod file;
mod problem;
mod shown;
mod tls;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use reqwest::{NoProxy, Proxy, Request, Response, Url, redirect, retry};
use tokio::time::timeout;

use crate::limits::{CLIENT_ANSWER_S_MAX, REFUSAL_BYTES_MAX};
use config::{Settings, Via};
pub use file::HttpConfigError;
pub use problem::{AddressError, HttpProblem};
use shown::{redacted, shown};

/// Hosts that are this machine: no proxy is between.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// Name of the file in a home directory.
pub const HTTP_FILE: &str = "http.toml";

/// How others are reached. By default: with the roots of the system, without logins, through the
/// proxies that the environment names (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`).
#[derive(Clone, Debug, Default)]
pub struct Http(Arc<Settings>);

impl Http {
    /// As a file says; paths in it are relative to its directory. Everything that it names is
    /// read now.
    pub fn open(file: &Path) -> Result<Self, HttpConfigError> {
        Ok(Self(Arc::new(file::open(file)?)))
    }

    /// As [`HTTP_FILE`] in a home directory says, if there is one.
    pub fn of_home(home: &Path) -> Result<Option<Self>, HttpConfigError> {
        let file = home.join(HTTP_FILE);
        match file.try_exists() {
            Ok(false) => Ok(None),
            Ok(true) | Err(_) => Self::open(&file).map(Some),
        }
    }

    /// The same, but whoever is reached must have the certificate in this PEM file, the first in
    /// it; roots and names do not count. For a node whose home is at hand.
    pub fn pinned(&self, file: &Path) -> Result<Self, HttpConfigError> {
        let settings = Settings {
            pinned: vec![file::first_certificate(file)?],
            ..(*self.0).clone()
        };
        Ok(Self(Arc::new(settings)))
    }

    /// Fails unless `url` is an address that can be asked.
    pub fn check(url: &str) -> Result<(), AddressError> {
        let checked = parse(url).map_err(|problem| AddressError {
            url: redacted(url),
            problem,
        });
        checked.map(|_| ())
    }

    /// What answers below `url`. Connects with the first request.
    pub fn remote(&self, url: &str) -> Result<Remote, AddressError> {
        self.build(url).map_err(|problem| AddressError {
            url: redacted(url),
            problem,
        })
    }

    fn build(&self, text: &str) -> Result<Remote, String> {
        let url = parse(text)?;
        let settings = &self.0;
        let login = settings.login(&url);
        let mut headers = HeaderMap::new();
        if let Some(header) = login.and_then(|login| login.header.clone()) {
            headers.insert(AUTHORIZATION, header);
        }
        // Without https nobody's certificate is looked at, and no root is read from the disk.
        let with_roots = url.scheme() == "https" || settings.has_tls_proxy();
        let identity = login.and_then(|login| login.identity.as_deref());
        let tls = tls::client(settings, identity, with_roots)?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            .default_headers(headers)
            .connect_timeout(settings.connect);
        for proxy in proxies(&settings.via)? {
            builder = builder.proxy(proxy);
        }
        let http = builder
            .build()
            .map_err(|error| problem::causes(&error.without_url()))?;
        Ok(Remote {
            shown: shown(text, &url),
            url,
            http,
            connect: settings.connect,
            answer: settings.answer,
        })
    }
}

/// An address that can be asked.
fn parse(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("http:// or https:// is expected".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "it has a name or a password in it, which would be shown; put them into a `login` of \
             {HTTP_FILE}"
        ));
    }
    Ok(url)
}

fn proxies(via: &Via) -> Result<Vec<Proxy>, String> {
    let wrong = |error: reqwest::Error| problem::causes(&error.without_url());
    let direct = |list: &str| NoProxy::from_string(&format!("{LOOPBACK},{list}"));
    match via {
        Via::Proxy {
            url,
            login,
            direct: list,
        } => {
            let mut proxy = Proxy::all(url.clone()).map_err(wrong)?;
            if let Some((user, password)) = login {
                proxy = proxy.basic_auth(user, password.reveal());
            }
            Ok(vec![proxy.no_proxy(direct(&list.join(",")))])
        }
        Via::Environment => {
            let list = variable("NO_PROXY").unwrap_or_default();
            let mut proxies = Vec::new();
            for (name, make) in [
                (
                    "HTTP_PROXY",
                    Proxy::http::<Url> as fn(Url) -> reqwest::Result<Proxy>,
                ),
                ("HTTPS_PROXY", Proxy::https::<Url>),
                ("ALL_PROXY", Proxy::all::<Url>),
            ] {
                let Some(text) = variable(name) else { continue };
                let url = config::proxy_url(&text);
                let url =
                    url.map_err(|problem| format!("environment variable {name}: {problem}"))?;
                proxies.push(make(url).map_err(wrong)?.no_proxy(direct(&list)));
            }
            Ok(proxies)
        }
        Via::Nobody => Ok(Vec::new()),
    }
}

/// A variable of the environment, under its name or the same in small letters.
fn variable(name: &str) -> Option<String> {
    let small = name.to_ascii_lowercase();
    let set = |name: &str| {
        std::env::var(name)
            .ok()
            .filter(|text| !text.trim().is_empty())
    };
    set(&small).or_else(|| set(name))
}

/// Somebody who answers HTTP below an address. Connections are used again.
#[derive(Clone)]
pub struct Remote {
    /// As it may be shown.
    shown: String,
    url: Url,
    http: reqwest::Client,
    connect: Duration,
    answer: Duration,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.shown).finish()
    }
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteAnswer {
    /// HTTP status.
    pub status: StatusCode,
    /// All of it.
    pub body: Bytes,
    /// Whether it says of itself that it is a web page.
    pub is_html: bool,
}

impl Remote {
    /// The address as it may be shown: without a query and without what could be a key in it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether the address has a query.
    pub(crate) fn has_query(&self) -> bool {
        self.url.query().is_some()
    }

    /// The address of something below, as it may be shown.
    pub fn below(&self, path: &str) -> String {
        match path {
            "" => self.shown.clone(),
            path => format!("{}/{path}", self.shown.trim_end_matches('/')),
        }
    }

    /// The same host, below this path.
    pub fn under(&self, path: &str) -> Self {
        Self {
            shown: self.below(path),
            url: self.url(path),
            ..self.clone()
        }
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let (path, query) = match path.split_once('?') {
            None => (path, None),
            Some((path, query)) => (path, Some(query)),
        };
        if !path.is_empty() {
            url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        }
        if query.is_some() {
            url.set_query(query);
        }
        url
    }

    /// What is at `path`, perhaps with a query, below the address, if it has at most `bytes_max` bytes.
    pub async fn get(&self, path: &str, bytes_max: usize) -> Result<RemoteAnswer, HttpProblem> {
        let nothing = ("", Vec::new());
        self.exchange(Method::GET, path, nothing, bytes_max).await
    }

    /// Sends `body`, after its content type, to `path` below the address, and reads an answer of
    /// at most `bytes_max` bytes.
    pub async fn post(
        &self,
        path: &str,
        body: (&'static str, Vec<u8>),
        bytes_max: usize,
    ) -> Result<RemoteAnswer, HttpProblem> {
        self.exchange(Method::POST, path, body, bytes_max).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        (content_type, body): (&'static str, Vec<u8>),
        bytes_max: usize,
    ) -> Result<RemoteAnswer, HttpProblem> {
        let request = self.http.request(method, self.url(path));
        let request = match body.is_empty() {
            true => request,
            false => request.header(CONTENT_TYPE, content_type).body(body),
        };
        let request = request.build().map_err(|error| self.explain(error))?;
        let exchange = async {
            let response = self.send(request).await?;
            let status = response.status();
            let kind = response.headers().get(CONTENT_TYPE);
            let is_html = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
            // Of a refusal only the beginning is of use: it is cut, whatever its length.
            let body = match status.is_success() {
                true => self.whole(response, bytes_max).await?,
                false => self.beginning(response, bytes_max).await?,
            };
            Ok(RemoteAnswer {
                status,
                body,
                is_html,
            })
        };
        self.in_time(exchange).await
    }

    /// A connection that is a WebSocket from now on.
    pub(crate) async fn upgrade(&self, headers: HeaderMap) -> Result<Response, HttpProblem> {
        let request = self.http.get(self.url("")).headers(headers).build();
        let request = request.map_err(|error| self.explain(error))?;
        self.in_time(self.send(request)).await
    }

    async fn send(&self, request: Request) -> Result<Response, HttpProblem> {
        let response = self.http.execute(request).await;
        let response = response.map_err(|error| self.explain(error))?;
        let status = response.status();
        if status.is_redirection() {
            let place = response.headers().get(LOCATION);
            let place = place.and_then(|place| place.to_str().ok());
            return Err(HttpProblem::Redirect {
                status: status.as_u16(),
                place: place.map_or_else(|| "elsewhere".into(), redacted),
            });
        }
        Ok(response)
    }

    async fn whole(&self, mut response: Response, bytes_max: usize) -> Result<Bytes, HttpProblem> {
        let too_much = HttpProblem::TooMuch { bytes_max };
        if response
            .content_length()
            .is_some_and(|bytes| bytes > bytes_max as u64)
        {
            return Err(too_much);
        }
        let mut body = Vec::new();
        while let Some(part) = response
            .chunk()
            .await
            .map_err(|error| self.explain(error))?
        {
            if body.len() + part.len() > bytes_max {
                return Err(too_much);
            }
            body.extend_from_slice(&part);
        }
        Ok(body.into())
    }

    async fn beginning(&self, mut response: Response, max: usize) -> Result<Bytes, HttpProblem> {
        let max = max.min(REFUSAL_BYTES_MAX);
        let mut body = Vec::new();
        while body.len() < max {
            let part = response
                .chunk()
                .await
                .map_err(|error| self.explain(error))?;
            let Some(part) = part else { break };
            body.extend_from_slice(&part[..part.len().min(max - body.len())]);
        }
        Ok(body.into())
    }

    async fn in_time<T>(
        &self,
        exchange: impl Future<Output = Result<T, HttpProblem>>,
    ) -> Result<T, HttpProblem> {
        let answer = timeout(self.answer, exchange).await;
        answer.unwrap_or_else(|_| {
            Err(HttpProblem::Silent {
                seconds: self.answer.as_secs(),
            })
        })
    }

    fn explain(&self, error: reqwest::Error) -> HttpProblem {
        problem::of(&error.without_url(), self.connect.as_secs())
    }
}

/// How long an answer is waited for if nothing else is said; a caller that waits for less need
/// not be told.
pub(crate) const ANSWER: Duration = Duration::from_secs(CLIENT_ANSWER_S_MAX);

#[cfg(test)]
mod tests;
