//! A limit for the time that the body of a JSON-RPC request takes, however steadily it drips: each
//! holds a connection, and the memory of what has come.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use jsonrpsee::server::{HttpRequest, HttpResponse};
use tokio::time::{Sleep, sleep};
use tower::Service;

use crate::limits::RPC_BODY_S_MAX;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that must end in time.
pub(crate) struct TimedBody<B> {
    body: Pin<Box<B>>,
    end: Pin<Box<Sleep>>,
}

impl<B> TimedBody<B> {
    fn new(body: B) -> Self {
        Self {
            body: Box::pin(body),
            end: Box::pin(sleep(Duration::from_secs(RPC_BODY_S_MAX))),
        }
    }
}

impl<B> Body for TimedBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = self.body.as_mut().poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        match self.end.as_mut().poll(context) {
            Poll::Ready(()) => {
                let late = format!("the body was not complete after {RPC_BODY_S_MAX} s");
                Poll::Ready(Some(Err(late.into())))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Gives a service bodies that end in time.
#[derive(Clone)]
pub(crate) struct InTime<S>(pub(crate) S);

impl<S, B> Service<HttpRequest<B>> for InTime<S>
where
    S: Service<HttpRequest<TimedBody<B>>, Response = HttpResponse>,
{
    type Response = HttpResponse;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        self.0.call(request.map(TimedBody::new))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::BodyExt;
    use tokio::time::{Instant, Interval, interval};

    use super::*;

    /// A byte a second, so many times.
    struct Drip(Interval, u64);

    impl Body for Drip {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.1 == 0 {
                return Poll::Ready(None);
            }
            self.0.poll_tick(context).map(|_| {
                self.1 -= 1;
                Some(Ok(Frame::data(Bytes::from_static(b"x"))))
            })
        }
    }

    async fn read(bytes: u64) -> Result<usize, String> {
        let drip = Drip(interval(Duration::from_secs(1)), bytes);
        let body = TimedBody::new(drip).collect().await;
        let body = body.map_err(|error| error.to_string())?;
        Ok(body.to_bytes().len())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_cut_off() {
        assert_eq!(read(RPC_BODY_S_MAX / 2).await, Ok(15));
        let started = Instant::now();
        let error = read(10 * RPC_BODY_S_MAX).await.unwrap_err();
        assert!(error.contains("30 s"), "{error}");
        assert!(started.elapsed() <= Duration::from_secs(RPC_BODY_S_MAX + 1));
    }
}
