//! A refusal that reaches its client. Whoever still sends a body when the connection is closed
//! loses the answer that was sent before (RFC 9112 §9.6), so what comes is read for a moment, and
//! forgotten.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::EXPECT;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use jsonrpsee::server::HttpRequest;
use tokio::time::timeout;
use tower::Service;

use crate::limits::{LINGER_BYTES_MAX, LINGER_MS_MAX, LINGER_PAUSE_MS_MAX};

/// Where a body is put that nobody reads to its end.
type Slot<B> = Arc<Mutex<Option<Pin<Box<B>>>>>;

/// A body that is put back when it is dropped.
pub(crate) struct KeptBody<B> {
    body: Option<Pin<Box<B>>>,
    slot: Slot<B>,
}

impl<B: Body> Body for KeptBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.body.as_mut() {
            Some(body) => body.as_mut().poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.body.as_ref();
        body.map_or_else(SizeHint::default, |body| body.size_hint())
    }
}

impl<B> Drop for KeptBody<B> {
    fn drop(&mut self) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = self.body.take();
    }
}

/// Reads on before a refusal is answered.
#[derive(Clone)]
pub(crate) struct Lingering<S>(pub(crate) S);

impl<S, B, R> Service<HttpRequest<B>> for Lingering<S>
where
    S: Service<HttpRequest<KeptBody<B>>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send,
    R: Send,
    B: Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        // Who asks first has sent nothing yet, and need not.
        let asks_first = request.headers().contains_key(EXPECT);
        let slot = Slot::default();
        let kept = Arc::clone(&slot);
        let request = request.map(|body| KeptBody {
            body: Some(Box::pin(body)),
            slot: kept,
        });
        let answer = self.0.call(request);
        Box::pin(async move {
            let response = answer.await?;
            if response.status().is_client_error() && !asks_first {
                let rest = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(rest) = rest.filter(|rest| !rest.is_end_stream()) {
                    let limit = Duration::from_millis(LINGER_MS_MAX);
                    // What is not read by then is not read.
                    timeout(limit, forget(rest)).await.ok();
                }
            }
            Ok(response)
        })
    }
}

/// Reads what comes without a pause, up to a limit.
async fn forget<B: Body<Data = Bytes>>(mut body: Pin<Box<B>>) {
    let pause = Duration::from_millis(LINGER_PAUSE_MS_MAX);
    let mut bytes = 0;
    while bytes < LINGER_BYTES_MAX
        && let Ok(Some(Ok(frame))) = timeout(pause, body.frame()).await
    {
        bytes += frame.data_ref().map_or(0, Bytes::len);
    }
}
