//! What is checked before a call reaches its method: where it comes from, how much is waiting
//! already, whether the method exists.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};

use jsonrpsee::core::middleware::{Batch, BatchEntry, Notification, RpcServiceT};
use jsonrpsee::server::http::response;
use jsonrpsee::server::{
    BatchResponseBuilder, HttpBody, HttpRequest, HttpResponse, MethodResponse, Methods,
};
use jsonrpsee::types::Request;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

use crate::caller::{Caller, Turns};
use crate::error::{Failure, limit_exceeded, method_not_found, notifications_not_supported};
use crate::limits::{RpcLimits, WAITING_KIB_MAX};
use crate::methods::{self, Method};

/// State that all connections share.
pub(crate) struct Shared {
    pub(crate) methods: Methods,
    pub(crate) response_bytes_max: u32,
    turns: Turns,
    waiting_kib: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn new(methods: Methods, limits: &RpcLimits) -> Self {
        Self {
            methods,
            response_bytes_max: limits.response_bytes_max,
            turns: Turns::new(limits.calls_max),
            waiting_kib: Arc::new(Semaphore::new(WAITING_KIB_MAX as usize)),
        }
    }

    /// Takes a place for `requests` with `bytes` of parameters, or refuses at once: whoever
    /// waits here would hold memory that nothing else bounds.
    fn admit(&self, requests: usize, bytes: usize) -> Result<OwnedSemaphorePermit, Failure> {
        let kib = u32::try_from(requests + bytes / 1024).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.waiting_kib).try_acquire_many_owned(kib);
        permit.map_err(|_| {
            limit_exceeded(
                format!(
                    "too many requests in flight: {WAITING_KIB_MAX} KiB of requests are \
                     waiting or running; retry later"
                ),
                serde_json::json!({ "limitKib": WAITING_KIB_MAX }),
            )
        })
    }
}

/// The JSON-RPC service with admission and go-ethereum's words.
#[derive(Clone)]
pub(crate) struct Gate<S> {
    pub(crate) inner: S,
    pub(crate) shared: Arc<Shared>,
}

impl<S> Gate<S>
where
    S: RpcServiceT<MethodResponse = MethodResponse> + Send + Sync,
{
    /// Waiting for finality takes no place among the calls that run, so it needs no turn.
    async fn turn(&self, request: &Request<'_>) -> Option<OwnedSemaphorePermit> {
        if methods::find(request.method_name()).is_some_and(Method::waits) {
            return None;
        }
        self.shared.turns.wait(request.extensions().get()).await
    }

    async fn answer(&self, request: Request<'_>) -> MethodResponse {
        let method = request.method_name();
        if self.shared.methods.method(method).is_none() {
            let failure = method_not_found(method);
            return MethodResponse::error(request.id, failure);
        }
        let subscribes = methods::find(method).is_some_and(Method::is_subscription);
        if !subscribes {
            return self.inner.call(request).await;
        }
        // The inner service has no subscriptions over HTTP and calls that an internal error.
        let id = request.id.clone().into_owned();
        let response = self.inner.call(request).await;
        match response.as_error_code() {
            Some(jsonrpsee::types::error::INTERNAL_ERROR_CODE) => {
                MethodResponse::error(id, notifications_not_supported())
            }
            Some(_) | None => response,
        }
    }

    async fn answer_all(&self, batch: Batch<'_>) -> MethodResponse {
        let limit = usize::try_from(self.shared.response_bytes_max).unwrap_or(usize::MAX);
        let mut responses = BatchResponseBuilder::new_with_limit(limit);
        let mut only_notifications = !batch.is_empty();
        for entry in batch {
            let response = match entry {
                Ok(BatchEntry::Notification(_)) => continue,
                Ok(BatchEntry::Call(request)) => self.answer(request).await,
                Err(entry) => {
                    let (error, id) = entry.into_parts();
                    MethodResponse::error(id, error)
                }
            };
            only_notifications = false;
            if let Err(too_large) = responses.append(response) {
                return too_large;
            }
        }
        if only_notifications {
            return MethodResponse::notification();
        }
        MethodResponse::from_batch(responses.finish())
    }
}

impl<S> RpcServiceT for Gate<S>
where
    S: RpcServiceT<MethodResponse = MethodResponse> + Clone + Send + Sync + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let bytes = request.params.as_ref().map_or(0, |it| it.get().len());
            match this.shared.admit(1, bytes) {
                Ok(_permit) => {
                    let _turn = this.turn(&request).await;
                    this.answer(request).await
                }
                Err(failure) => MethodResponse::error(request.id, failure),
            }
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let params = batch.iter().flatten().filter_map(BatchEntry::params);
            let bytes = params.map(|params| params.get().len()).sum();
            match this.shared.admit(batch.len(), bytes) {
                Ok(_permit) => {
                    let first = batch.iter().flatten().find_map(|entry| match entry {
                        BatchEntry::Call(request) => Some(request.extensions().get().copied()),
                        BatchEntry::Notification(_) => None,
                    });
                    let caller: Option<Caller> = first.flatten();
                    let _turn = this.shared.turns.wait(caller.as_ref()).await;
                    this.answer_all(batch).await
                }
                Err(failure) => MethodResponse::error(jsonrpsee::types::Id::Null, failure),
            }
        }
    }

    fn notification<'a>(
        &self,
        _: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        // No method here has an effect without an answer.
        std::future::ready(MethodResponse::notification())
    }
}

/// Refuses pages of origins that are not listed. CORS alone would not: browsers do not apply
/// it to WebSockets, so any page could read a node on its visitor's own machine.
#[derive(Clone)]
pub(crate) struct OriginGate<S> {
    pub(crate) inner: S,
    pub(crate) origins: Arc<[String]>,
}

impl<S> OriginGate<S> {
    fn allows<B>(&self, request: &HttpRequest<B>) -> bool {
        let Some(origin) = request.headers().get("origin") else {
            return true; // not a browser
        };
        let listed = |allowed: &String| allowed == "*" || allowed.as_bytes() == origin.as_bytes();
        self.origins.iter().any(listed)
    }
}

impl<S, B> Service<HttpRequest<B>> for OriginGate<S>
where
    S: Service<HttpRequest<B>, Response = HttpResponse>,
{
    type Response = HttpResponse;
    type Error = S::Error;
    type Future =
        futures::future::Either<S::Future, std::future::Ready<Result<HttpResponse, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        use futures::future::Either;
        if self.allows(&request) {
            return Either::Left(self.inner.call(request));
        }
        let mut refusal = response::denied();
        *refusal.body_mut() = HttpBody::from("origin not allowed; see `rpc.cors_origins`\n");
        Either::Right(std::future::ready(Ok(refusal)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_would_wait_beyond_the_limit() {
        let shared = Shared::new(Methods::new(), &RpcLimits::default());
        let half = 1024 * WAITING_KIB_MAX as usize / 2;
        let first = shared.admit(1, half).unwrap();
        let failure = shared.admit(1, half).unwrap_err();
        assert_eq!(failure.code(), -32005);
        assert!(failure.message().contains("65536 KiB"), "{failure:?}");
        let small = shared.admit(1_000, 1).unwrap();
        drop(first);
        assert!(shared.admit(1, half).is_ok());
        drop(small);
        assert!(shared.admit(usize::MAX / 2, usize::MAX).is_err());
    }
}
