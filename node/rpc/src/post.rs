//! JSON-RPC over HTTP: a request or a batch in the body of a POST to `/`.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use jsonrpsee::core::server::BoundedSubscriptions;
use jsonrpsee::server::{ConnectionId, HttpBody, HttpRequest, HttpResponse, StopHandle};
use tower::Service;

use crate::caller::{Caller, api_key};
use crate::envelope::{CallId, failed};
use crate::error::{Failure, request_too_large};
use crate::order::Order;
use crate::pages::Page;
use crate::rates::TooOften;
use crate::session::{Answer, AnswerRoom, Credentials, Session, Shared};
use crate::socket;

/// A WebSocket that the connection becomes when its last answer is sent.
pub(crate) type Upgraded = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a connection finds what it becomes.
pub(crate) type UpgradeSlot = Arc<Mutex<Option<Upgraded>>>;

/// What one connection is served.
#[derive(Clone)]
pub(crate) struct JsonRpc {
    pub(crate) shared: Arc<Shared>,
    /// Whether the pages of the log are at the same place.
    pub(crate) has_log: bool,
    pub(crate) connection: ConnectionId,
    pub(crate) upgraded: UpgradeSlot,
    pub(crate) stop: StopHandle,
}

impl<B> Service<HttpRequest<B>> for JsonRpc
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = HttpResponse;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.respond(request).await) })
    }
}

impl JsonRpc {
    async fn respond<B>(self, request: HttpRequest<B>) -> HttpResponse
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let is_upgrade = socket::is_upgrade(&request);
        if !is_upgrade && request.method() != Method::POST {
            return not_posted(request.method(), self.has_log);
        }
        let credentials = match self.credentials(&request) {
            Ok(credentials) => credentials,
            Err(reason) => return Page::unauthorized(reason).response(false),
        };
        let mut session = Session {
            shared: self.shared,
            connection: self.connection,
            credentials,
            subscriptions: None,
        };
        if is_upgrade {
            let places = session.shared.limits.subscriptions_max;
            session.subscriptions = Some(BoundedSubscriptions::new(places));
            return match socket::accept(request, session, self.stop) {
                Ok((response, socket)) => {
                    let mut slot = self.upgraded.lock().unwrap_or_else(PoisonError::into_inner);
                    *slot = Some(Box::pin(socket));
                    response
                }
                Err(refusal) => *refusal,
            };
        }
        if !is_json(request.headers()) {
            let sentence = "invalid content type, only application/json is supported";
            return Page::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence).response(false);
        }
        let limit = session.shared.limits.request_bytes_max;
        match read(request, limit).await {
            Ok(body) => posted(&session, &body).await,
            Err(refusal) => *refusal,
        }
    }
}

impl JsonRpc {
    /// Who calls; or why that must not be.
    fn credentials<B>(&self, request: &HttpRequest<B>) -> Result<Credentials, String> {
        let caller = request.extensions().get::<Caller>();
        // The server adds the caller to every request.
        let address = caller.map_or(Ipv4Addr::UNSPECIFIED.into(), |caller| caller.0);
        let key = api_key(request.headers()).map(|key| tbsi_types::sha256(&[key]));
        // If nobody has one, it is meant for somebody before this node.
        let key = key.filter(|_| self.shared.has_keys());
        if key.is_some_and(|key| !self.shared.knows(&key)) {
            return Err(
                "this API key is not known here; leave it out, or ask the operator for one".into(),
            );
        }
        Ok(Credentials { address, key })
    }
}

/// One line that says what this is, for people and for health checks.
fn not_posted(method: &Method, has_log: bool) -> HttpResponse {
    const WITH_LOG: &str = "This is a TBSI node: POST JSON-RPC to this address, or open a \
                            WebSocket; the log is at /log/checkpoint.\n";
    const ALONE: &str = "This is a TBSI node's operator's listener: POST JSON-RPC to this address, \
                         or open a WebSocket.\n";
    if matches!(*method, Method::GET | Method::HEAD) {
        let text = if has_log { WITH_LOG } else { ALONE };
        return Page::text(text).response(*method == Method::HEAD);
    }
    Page::wrong_method("POST, GET, HEAD").response(false)
}

fn error_text(status: StatusCode, sentence: &str) -> HttpResponse {
    Page::refusal(status, sentence).response(false)
}

/// As go-ethereum, which wants one of these; what stands after a semicolon is a parameter.
fn is_json(headers: &HeaderMap) -> bool {
    const ACCEPTED: [&str; 3] = [
        "application/json",
        "application/json-rpc",
        "application/jsonrequest",
    ];
    let value = headers.get(CONTENT_TYPE);
    let essence = value.and_then(|value| value.to_str().ok()?.split(';').next());
    let essence = essence.map(str::trim).unwrap_or_default();
    ACCEPTED
        .iter()
        .any(|accepted| essence.eq_ignore_ascii_case(accepted))
}

/// The body, inflated if it is gzip: at most `limit` bytes before and after.
async fn read<B>(request: HttpRequest<B>, limit: u32) -> Result<Bytes, Box<HttpResponse>>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let bytes_max = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_gzip = match request.headers().get(CONTENT_ENCODING) {
        None => false,
        Some(coding) if coding.as_bytes().eq_ignore_ascii_case(b"identity") => false,
        Some(coding) if coding.as_bytes().eq_ignore_ascii_case(b"gzip") => true,
        Some(_) => {
            let sentence = "the content encoding of a request is gzip, or none";
            return Err(Box::new(error_text(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                sentence,
            )));
        }
    };
    let too_large = || error(StatusCode::PAYLOAD_TOO_LARGE, &request_too_large(limit));
    // Before a byte of it is read.
    if request.body().size_hint().lower() > u64::from(limit) {
        return Err(Box::new(too_large()));
    }
    let body = match Limited::new(request.into_body(), bytes_max).collect().await {
        Ok(body) => body.to_bytes(),
        Err(failure) if failure.is::<LengthLimitError>() => return Err(Box::new(too_large())),
        Err(failure) => {
            let sentence = format!("the body is cut short: {failure}");
            return Err(Box::new(error_text(StatusCode::BAD_REQUEST, &sentence)));
        }
    };
    if !is_gzip {
        return Ok(body);
    }
    let mut inflated = Vec::new();
    let mut decoder = MultiGzDecoder::new(body.as_ref()).take(u64::from(limit) + 1);
    match decoder.read_to_end(&mut inflated) {
        Ok(_) if inflated.len() <= bytes_max => Ok(inflated.into()),
        Ok(_) => Err(Box::new(too_large())),
        Err(failure) => {
            let sentence = format!("the body is not gzip: {failure}");
            Err(Box::new(error_text(StatusCode::BAD_REQUEST, &sentence)))
        }
    }
}

async fn posted(session: &Session, body: &[u8]) -> HttpResponse {
    // Requests of one HTTP connection come one after the other: nothing can overtake.
    let (message, place) = session.read(body, &mut Order::default());
    if let Err(refusal) = session.count(&message) {
        let refused = session.refuse(&message, &refusal);
        return too_many(refused, &refusal);
    }
    match session.answer(message, place).await {
        Some(answer) => json(StatusCode::OK, answer.text, answer.room),
        // Nobody waits for an answer to a notification.
        None => {
            let mut response = HttpResponse::new(HttpBody::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
    }
}

fn too_many(refused: Option<Answer>, refusal: &TooOften) -> HttpResponse {
    let text = refused.map(|answer| answer.text).unwrap_or_default();
    let mut response = json(StatusCode::TOO_MANY_REQUESTS, text, None);
    if let Some(seconds) = refusal.retry_after_s {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

fn error(status: StatusCode, failure: &Failure) -> HttpResponse {
    json(status, failed(&CallId::null(), failure), None)
}

fn json(status: StatusCode, text: String, room: Option<AnswerRoom>) -> HttpResponse {
    let body = AnswerBody {
        text: Some(text.into()),
        _room: room,
    };
    let mut response = HttpResponse::new(HttpBody::new(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// An answer, with its room until it is sent.
struct AnswerBody {
    text: Option<Bytes>,
    _room: Option<AnswerRoom>,
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.text.take().map(|text| Ok(Frame::data(text))))
    }

    fn is_end_stream(&self) -> bool {
        self.text.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.text.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(left as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_the_content_type_are_ignored() {
        let check = |value: Option<&str>, expected: bool| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(CONTENT_TYPE, value.parse().unwrap());
            }
            assert_eq!(is_json(&headers), expected, "{value:?}");
        };
        for accepted in [
            "application/json",
            "Application/JSON; charset=UTF8",
            "application/json;charset=utf-8; q=1",
            " application/json-rpc ; a=\"b;c\"",
            "application/jsonrequest",
            "application/json;",
        ] {
            check(Some(accepted), true);
        }
        for refused in [
            "text/plain",
            "application/jsonx",
            "",
            ";application/json",
            "json",
        ] {
            check(Some(refused), false);
        }
        check(None, false);
    }
}
