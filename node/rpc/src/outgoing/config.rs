//! How others are reached, ready for use.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use reqwest::Url;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::ANSWER;
use crate::limits::CLIENT_CONNECT_S_MAX;

/// A secret. It is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Hidden(pub(super) String);

impl Hidden {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

/// Through whom others are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// As the environment says.
    Environment,
    /// Directly.
    Nobody,
    /// Through a proxy, but for these hosts.
    Proxy {
        url: Url,
        login: Option<(String, Hidden)>,
        direct: Vec<String>,
    },
}

/// A client certificate, those between it and its root, and its key.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// What is shown to one host.
#[derive(Clone, Debug)]
pub(super) struct Login {
    /// Scheme, host and port.
    pub(super) origin: String,
    /// Marked as sensitive, so that it is not shown.
    pub(super) header: Option<HeaderValue>,
    pub(super) identity: Option<Arc<Identity>>,
}

/// How others are reached.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) via: Via,
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) system_roots: bool,
    /// If there are any: only who has one of these certificates is trusted, whatever its name.
    pub(super) pinned: Vec<CertificateDer<'static>>,
    pub(super) connect: Duration,
    pub(super) answer: Duration,
    pub(super) logins: Vec<Login>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            via: Via::Environment,
            roots: Vec::new(),
            system_roots: true,
            pinned: Vec::new(),
            connect: Duration::from_secs(CLIENT_CONNECT_S_MAX),
            answer: ANSWER,
            logins: Vec::new(),
        }
    }
}

impl Settings {
    /// What this host is shown.
    pub(super) fn login(&self, url: &Url) -> Option<&Login> {
        let origin = url.origin().ascii_serialization();
        self.logins.iter().find(|login| login.origin == origin)
    }

    /// Whether a proxy may have a certificate.
    pub(super) fn has_tls_proxy(&self) -> bool {
        match &self.via {
            Via::Proxy { url, .. } => url.scheme() == "https",
            Via::Environment => ["HTTP_PROXY", "ALL_PROXY"]
                .into_iter()
                .filter_map(super::variable)
                .any(|text| text.starts_with("https:")),
            Via::Nobody => false,
        }
    }
}

/// A proxy's address.
pub(super) fn proxy_url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let with_scheme = match text.contains("://") {
        true => text.to_owned(),
        // As other programs take it.
        false => format!("http://{text}"),
    };
    match with_scheme.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Ok(url) => Err(format!(
            "is a proxy of kind {}; http:// and https:// are possible",
            url.scheme()
        )),
        Err(error) => Err(format!(
            "is no address such as http://proxy.example:3128: {error}"
        )),
    }
}
