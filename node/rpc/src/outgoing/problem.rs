//! Why there is no answer.

use std::error::Error;
use std::io;

use rustls::CertificateError;

/// Not an address that can be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url} is not an address such as http://127.0.0.1:8545: {problem}")]
pub struct AddressError {
    /// What was given, as it may be shown.
    pub url: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Why there is no answer, and what helps. Whose it is, the caller says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpProblem {
    /// Nobody is there, or the name is not known.
    #[error("{0}; is the node running?")]
    NoConnection(String),
    /// The proxy does not let through.
    #[error("{0}; see `proxy`, `no_proxy` and `proxy_login` of http.toml, or HTTPS_PROXY")]
    Proxy(String),
    /// Its certificate is of an authority that is not trusted.
    #[error(
        "its certificate is not trusted ({0}); name the file with its authority's root as `roots` \
         in http.toml"
    )]
    Untrusted(String),
    /// Its certificate is not valid at this time.
    #[error(
        "its certificate has expired or is not valid yet ({0}); its operator must renew it, or \
         this machine's clock is wrong"
    )]
    Dated(String),
    /// Its certificate is of somebody else.
    #[error("its certificate is of another host ({0}); give the address by the name that it has")]
    OtherName(String),
    /// It refused what this side showed in the handshake of TLS.
    #[error(
        "it refuses TLS with this side ({0}); it may want a client certificate: `login` of \
         http.toml"
    )]
    Refused(String),
    /// It has no TLS.
    #[error("it speaks no TLS; http:// may be meant")]
    NoTls,
    /// Another failure of TLS.
    #[error("TLS fails: {0}")]
    Tls(String),
    /// Something else than HTTP.
    #[error("it answers something that is no HTTP ({0}); https:// may be meant")]
    NotHttp(String),
    /// A web page where JSON is expected.
    #[error("it answers a web page; is this the address of a node, or of a page before it?")]
    Html,
    /// It ended the connection.
    #[error(
        "it closed the connection before its answer was complete; it may be stopping, try again"
    )]
    Broken,
    /// It answers too much.
    #[error("its answer has more than the {bytes_max} bytes that are allowed")]
    TooMuch {
        /// Allowed.
        bytes_max: usize,
    },
    /// More would be sent than is allowed.
    #[error("the request has {bytes} bytes, {bytes_max} are allowed; ask for less at a time")]
    Asked {
        /// Of the request.
        bytes: usize,
        /// Allowed.
        bytes_max: usize,
    },
    /// No answer in time.
    #[error("no answer within {seconds} s")]
    Silent {
        /// That were waited.
        seconds: u64,
    },
    /// It sends elsewhere.
    #[error(
        "it redirects to {place} (status {status}), which is not followed; if that is right, give \
         that address"
    )]
    Redirect {
        /// HTTP status.
        status: u16,
        /// Where to, as it may be shown.
        place: String,
    },
    /// A WebSocket was asked for.
    #[error("it opens no WebSocket (status {status}); is this the address of a node?")]
    NoWebSocket {
        /// HTTP status.
        status: u16,
    },
}

/// An error and its causes in one line.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

/// What an error comes down to. It has no address in it any more.
pub(super) fn of(error: &reqwest::Error, connect_s: u64) -> HttpProblem {
    let text = causes(error);
    // A type of its own that nobody else can name.
    if text.contains("tunnel error") {
        return HttpProblem::Proxy(text);
    }
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(found) = recognise(cause, error.is_connect()) {
            return found;
        }
        next = cause.source();
    }
    if error.is_timeout() {
        return HttpProblem::Silent { seconds: connect_s };
    }
    // What reqwest and hyper say first is the same of every failure.
    let mut last: &(dyn Error + 'static) = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    HttpProblem::NoConnection(last.to_string())
}

fn recognise(cause: &(dyn Error + 'static), connecting: bool) -> Option<HttpProblem> {
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(of_tls(error));
    }
    if let Some(error) = cause.downcast_ref::<hyper::Error>() {
        if error.is_incomplete_message() {
            return Some(HttpProblem::Broken);
        }
        return error
            .is_parse()
            .then(|| HttpProblem::NotHttp(causes(error)));
    }
    let error = cause.downcast_ref::<io::Error>()?;
    // What an I/O error wraps is not its source; its source is.
    let wrapped = error.get_ref().map(|it| it as &(dyn Error + 'static));
    if let Some(found) = wrapped.and_then(|wrapped| recognise(wrapped, connecting)) {
        return Some(found);
    }
    let ended = matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    );
    match (ended, connecting) {
        (false, _) => None,
        // A connection was there, and ended in the handshake of TLS.
        (true, true) => Some(HttpProblem::NoTls),
        (true, false) => Some(HttpProblem::Broken),
    }
}

fn of_tls(error: &rustls::Error) -> HttpProblem {
    if let rustls::Error::InvalidCertificate(problem) = error {
        return of_certificate(problem);
    }
    if let rustls::Error::AlertReceived(alert) = error {
        return HttpProblem::Refused(format!("{alert:?}"));
    }
    if matches!(error, rustls::Error::InvalidMessage(_)) {
        return HttpProblem::NoTls;
    }
    HttpProblem::Tls(error.to_string())
}

fn of_certificate(problem: &CertificateError) -> HttpProblem {
    let text = problem.to_string();
    if matches!(
        problem,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
    ) {
        return HttpProblem::Dated(text);
    }
    if matches!(
        problem,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
    ) {
        return HttpProblem::OtherName(text);
    }
    HttpProblem::Untrusted(text)
}
