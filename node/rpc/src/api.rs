//! What a method's function works with, and how a call runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jsonrpsee::types::Params;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::{Semaphore, watch};

use crate::arguments::Arguments;
use crate::backend::Backend;
use crate::error::{Failure, internal, response_too_large};
use crate::filters::Filters;
use crate::guarded::guarded;
use crate::limits::{ACKNOWLEDGEMENTS_MAX, HELD_MAX, RpcLimits, SUBSCRIPTIONS_ALL_MAX, TRACES_MAX};

/// A result as JSON, as it is sent: it is written once and read by the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Json(String);

impl Json {
    /// Text that is JSON.
    pub(crate) fn of(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn get(&self) -> &str {
        &self.0
    }

    /// As part of a larger answer.
    pub(crate) fn into_raw(self) -> Result<Box<RawValue>, Failure> {
        RawValue::from_string(self.0).map_err(|error| internal(&error))
    }
}

/// What a method's function answers.
pub(crate) type Reply = Result<Json, Failure>;

/// A method: reads its arguments, asks the node, answers.
pub(crate) type Handler = fn(&Api, &Arguments<'_>) -> Reply;

/// What every method's function may use.
pub(crate) struct Api {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) limits: RpcLimits,
    pub(crate) filters: Filters,
    large: Mutex<()>,
}

impl Api {
    /// The turn of a call that needs much memory; others wait until it is dropped.
    pub(crate) fn large_turn(&self) -> MutexGuard<'_, ()> {
        self.large.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A result as JSON.
pub(crate) fn reply(result: impl Serialize) -> Reply {
    let text = serde_json::to_string(&result);
    text.map(Json).map_err(|error| internal(&error))
}

/// The same, as part of a larger answer or as a notification.
pub(crate) fn part(result: impl Serialize) -> Result<Box<RawValue>, Failure> {
    to_raw_value(&result).map_err(|error| internal(&error))
}

/// Runs methods on blocking threads, a bounded number at a time.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(crate) api: Arc<Api>,
    running: Arc<Semaphore>,
    /// Places of what executes again.
    traces: Arc<Semaphore>,
    /// Places of those who wait for finality.
    pub(crate) acknowledgements: Arc<Semaphore>,
    /// Places of subscriptions, over all connections.
    pub(crate) subscriptions: Arc<Semaphore>,
    /// Places of transactions that wait for those before them.
    pub(crate) held: Arc<Semaphore>,
    /// How many transactions were taken.
    pub(crate) taken: watch::Sender<u64>,
}

impl Runner {
    /// Runs at most `limits.calls_max` calls at a time.
    pub(crate) fn new(backend: Arc<dyn Backend>, limits: RpcLimits) -> Self {
        let places = limits.calls_max.min(Semaphore::MAX_PERMITS);
        let running = Arc::new(Semaphore::new(places));
        let api = Arc::new(Api {
            backend,
            limits,
            filters: Filters::default(),
            large: Mutex::default(),
        });
        Self {
            api,
            running,
            traces: Arc::new(Semaphore::new(TRACES_MAX)),
            acknowledgements: Arc::new(Semaphore::new(ACKNOWLEDGEMENTS_MAX)),
            subscriptions: Arc::new(Semaphore::new(SUBSCRIPTIONS_ALL_MAX)),
            held: Arc::new(Semaphore::new(HELD_MAX)),
            taken: watch::Sender::new(0),
        }
    }

    /// Waits for a free place, then for `work`. A panic is an internal error of this call.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Api) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let permit = Arc::clone(&self.running).acquire_owned().await;
        let permit = permit.map_err(|error| internal(&error))?;
        let api = Arc::clone(&self.api);
        let task = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a client that goes away does not free its place early.
            let _permit = permit;
            guarded(|| work(&api)).unwrap_or_else(|panic| Err(internal(&panic)))
        });
        task.await.unwrap_or_else(|error| Err(internal(&error)))
    }

    /// Runs a method that takes so many arguments, of which the first ones must be there.
    pub(crate) async fn call(
        &self,
        handler: impl FnOnce(&Api, &Arguments<'_>) -> Reply + Send + 'static,
        required: usize,
        count: usize,
        params: Params<'static>,
    ) -> Reply {
        let reply = self.call_whole(handler, required, count, params).await?;
        let limit = self.api.limits.response_bytes_max;
        match usize::try_from(limit) {
            Ok(most) if reply.get().len() > most => Err(response_too_large(limit)),
            Ok(_) | Err(_) => Ok(reply),
        }
    }

    /// The same, with an answer of any size.
    pub(crate) async fn call_whole(
        &self,
        handler: impl FnOnce(&Api, &Arguments<'_>) -> Reply + Send + 'static,
        required: usize,
        count: usize,
        params: Params<'static>,
    ) -> Reply {
        self.run(move |api| {
            let arguments = Arguments::split(&params, count)?;
            arguments.have(required)?;
            handler(api, &arguments)
        })
        .await
    }

    /// The same for what executes again: few at a time, and nothing else waits for them.
    pub(crate) async fn call_in_turn(
        &self,
        handler: Handler,
        required: usize,
        count: usize,
        params: Params<'static>,
    ) -> Reply {
        let turn = Arc::clone(&self.traces).acquire_owned().await;
        let turn = turn.map_err(|error| internal(&error))?;
        let handler = move |api: &Api, arguments: &Arguments<'_>| {
            // Held by the work itself, as its place is.
            let _turn = turn;
            handler(api, arguments)
        };
        self.call(handler, required, count, params).await
    }
}
