//! What other software reads over plain HTTP, on the port of JSON-RPC: the attestation log as
//! C2SP tlog-tiles (SPEC §9.5, §9.6), checkpoints of other logs to cosign (SPEC §9.7), time
//! stamps of RFC 3161 (SPEC §11), and a calendar of OpenTimestamps (SPEC §10.9).

mod calendar;
mod log;
mod timestamp;
mod witness;

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use alloy_primitives::Bytes;
use futures::future::Either;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use http::{Extensions, HeaderMap, Method, StatusCode, Version};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower::Service;

use crate::api::Runner;
use crate::error::Failure;
use crate::limits::{
    BODY_S_MAX, BUSY_RETRY_S, ECHO_CHARS_MAX, PARTIAL_TILE_AGE_S, TIMESTAMPS_MAX,
    TIMESTAMPS_WITH_KEY_MAX, WITNESS_REQUESTS_MAX,
};

/// How long an answer may be reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caching {
    /// It may be another one next time.
    Never,
    /// It is right, but will stop to be served when the tile has grown.
    Short,
    /// It can never change.
    Forever,
}

/// What a refusal adds to its sentence: the remedy, for programs.
#[derive(Clone, Copy, Debug)]
enum Hint {
    /// Verbs that the path takes.
    Allow(&'static str),
    /// When there is room again.
    RetryAfterS(u64),
    /// That another API key or token is wanted.
    Authenticate,
}

impl Hint {
    fn header(self) -> (HeaderName, HeaderValue) {
        match self {
            Self::Allow(verbs) => (ALLOW, HeaderValue::from_static(verbs)),
            Self::RetryAfterS(seconds) => (RETRY_AFTER, seconds.into()),
            Self::Authenticate => (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Page {
    status: StatusCode,
    content_type: &'static str,
    caching: Caching,
    compressible: bool,
    hint: Option<Hint>,
    body: Bytes,
}

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

impl Page {
    fn new(content_type: &'static str, caching: Caching, body: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            content_type,
            caching,
            compressible: true,
            hint: None,
            body: body.into(),
        }
    }

    /// Text for people.
    pub(crate) fn text(text: &'static str) -> Self {
        Self::new(TEXT, Caching::Never, text.as_bytes().to_vec())
    }

    /// A sentence instead of an answer.
    pub(crate) fn refusal(status: StatusCode, sentence: impl Into<String>) -> Self {
        let sentence = sentence.into() + "\n";
        Self {
            status,
            ..Self::new(TEXT, Caching::Never, sentence.into_bytes())
        }
    }

    pub(crate) fn wrong_method(allow: &'static str) -> Self {
        let sentence = format!("this path takes {allow} only");
        Self {
            hint: Some(Hint::Allow(allow)),
            ..Self::refusal(StatusCode::METHOD_NOT_ALLOWED, sentence)
        }
    }

    /// There is no place now, and will be one soon.
    fn busy(sentence: String) -> Self {
        Self {
            hint: Some(Hint::RetryAfterS(BUSY_RETRY_S)),
            ..Self::refusal(StatusCode::SERVICE_UNAVAILABLE, sentence)
        }
    }

    /// Who asks is not known, or may not.
    pub(crate) fn unauthorized(reason: impl Into<String>) -> Self {
        Self {
            hint: Some(Hint::Authenticate),
            ..Self::refusal(StatusCode::UNAUTHORIZED, reason)
        }
    }

    /// The node's own fault. The cause is in its log already.
    fn failure(failure: &Failure) -> Self {
        Self::refusal(StatusCode::INTERNAL_SERVER_ERROR, failure.message())
    }

    pub(crate) fn response(self, head_only: bool) -> HttpResponse {
        let length = self.body.len();
        let body = if head_only { Bytes::new() } else { self.body };
        let mut response = HttpResponse::new(HttpBody::from(body.to_vec()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(CACHE_CONTROL, self.caching.value());
        if head_only {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        if let Some(hint) = self.hint {
            let (name, value) = hint.header();
            headers.insert(name, value);
        }
        if !self.compressible {
            response.extensions_mut().insert(Incompressible);
        }
        response
    }
}

impl Caching {
    fn value(self) -> HeaderValue {
        match self {
            Self::Never => HeaderValue::from_static("no-cache"),
            Self::Short => HeaderValue::try_from(format!("public, max-age={PARTIAL_TILE_AGE_S}"))
                .expect("digits and letters"),
            Self::Forever => HeaderValue::from_static("public, max-age=31536000, immutable"),
        }
    }
}

/// The body of a request of at most `bytes_max`.
async fn read<B>(body: B, bytes_max: usize) -> Result<Bytes, Page>
where
    B: http_body::Body<Data = bytes::Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let refusal = |status, sentence: String| Err(Page::refusal(status, sentence));
    let limit = Duration::from_secs(BODY_S_MAX);
    let collected = timeout(limit, Limited::new(body, bytes_max).collect()).await;
    let Ok(collected) = collected else {
        let sentence = format!("the body was not complete after {BODY_S_MAX} s");
        return refusal(StatusCode::REQUEST_TIMEOUT, sentence);
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("a request to this path has at most {bytes_max} bytes"),
        ),
        Err(_) => refusal(StatusCode::BAD_REQUEST, "the body is cut short".into()),
    }
}

/// Marks an answer that is hashes and gets no smaller.
#[derive(Clone, Copy, Debug)]
struct Incompressible;

/// Whether an answer may get smaller by compression.
pub(crate) fn is_compressible(
    _: StatusCode,
    _: Version,
    _: &HeaderMap,
    extensions: &Extensions,
) -> bool {
    extensions.get::<Incompressible>().is_none()
}

/// Answers paths of its own, and hands everything else on.
#[derive(Clone)]
pub(crate) struct Pages {
    runner: Runner,
    timestamps: Arc<Semaphore>,
    timestamps_with_key: Arc<Semaphore>,
    witness: Arc<Semaphore>,
}

impl Pages {
    pub(crate) fn new(runner: Runner) -> Self {
        Self {
            runner,
            timestamps: Arc::new(Semaphore::new(TIMESTAMPS_MAX)),
            timestamps_with_key: Arc::new(Semaphore::new(TIMESTAMPS_WITH_KEY_MAX)),
            witness: Arc::new(Semaphore::new(WITNESS_REQUESTS_MAX)),
        }
    }

    async fn answer<B>(self, request: HttpRequest<B>) -> HttpResponse
    where
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let is_head = request.method() == Method::HEAD;
        let path = request.uri().path();
        let page = match path.strip_suffix('/').unwrap_or(path) {
            TSA => timestamp::answer(&self, request).await,
            ADD_CHECKPOINT => witness::answer(&self, request).await,
            DIGEST => calendar::digest(&self, request).await,
            _ => {
                let path = path.to_owned();
                if let Some(commitment) = path.strip_prefix(TIMESTAMP) {
                    let page = calendar::later(&self.runner, request.method(), commitment).await;
                    return page.response(is_head);
                }
                if path != LOG && !path.starts_with("/log/") {
                    return no_page(&path, PAGES).response(is_head);
                }
                log::answer(&self.runner, request.method(), &path).await
            }
        };
        page.response(is_head)
    }
}

/// Says what there is instead of JSON-RPC's words for a body that was not for it.
fn no_page(path: &str, instead: &str) -> Page {
    let path: String = path.chars().take(ECHO_CHARS_MAX).collect();
    let sentence = format!("nothing is at {}; {instead}", path.escape_debug());
    Page::refusal(StatusCode::NOT_FOUND, sentence)
}

const TSA: &str = "/tsa";
const ADD_CHECKPOINT: &str = "/add-checkpoint";
const DIGEST: &str = "/digest";
const TIMESTAMP: &str = "/timestamp/";
const LOG: &str = "/log";

/// For whoever asks for a page that there is not.
const PAGES: &str = "JSON-RPC and WebSocket are at /, time stamps at /tsa, the log below /log/ (as \
                     /log/checkpoint), its calendar at /digest and /timestamp/, its witness at \
                     /add-checkpoint";

/// JSON-RPC has the root, and nothing else.
fn is_ours(path: &str) -> bool {
    !matches!(path, "" | "/")
}

/// [`Pages`] before a service; a listener for operators has none.
#[derive(Clone)]
pub(crate) struct PagesThen<S> {
    pub(crate) pages: Option<Pages>,
    pub(crate) inner: S,
}

impl<S, B> Service<HttpRequest<B>> for PagesThen<S>
where
    S: Service<HttpRequest<B>, Response = HttpResponse>,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = HttpResponse;
    type Error = S::Error;
    type Future =
        Either<S::Future, Pin<Box<dyn Future<Output = Result<HttpResponse, S::Error>> + Send>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        if !is_ours(request.uri().path()) {
            return Either::Left(self.inner.call(request));
        }
        let Some(pages) = self.pages.clone() else {
            let page = no_page(request.uri().path(), "JSON-RPC and WebSocket are at /");
            let response = page.response(request.method() == Method::HEAD);
            return Either::Right(Box::pin(async move { Ok(response) }));
        };
        Either::Right(Box::pin(async move { Ok(pages.answer(request).await) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_its_own_paths_and_no_others() {
        for path in [
            "/tsa",
            "/add-checkpoint",
            "/log",
            "/log/",
            "/log/checkpoint",
            "/log/../x",
            "/digest",
            "/timestamp/",
            "/timestamp/00",
        ] {
            assert!(is_ours(path), "{path}");
        }
        for path in ["/", ""] {
            assert!(!is_ours(path), "{path}");
        }
        let page = no_page(&format!("/r\u{1b}{}", "x".repeat(1_000)), PAGES);
        let text = String::from_utf8(page.body.to_vec()).unwrap();
        assert!(text.starts_with("nothing is at /r\\u{1b}xxx"), "{text}");
        assert!(
            text.len() < 500 && text.contains("JSON-RPC and WebSocket are at /,"),
            "{text}"
        );
    }
}
