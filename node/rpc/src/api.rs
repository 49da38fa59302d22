//! What a method's function works with, and how a call runs.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use jsonrpsee::types::Params;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use crate::arguments::Arguments;
use crate::backend::Backend;
use crate::caller::{Caller, PerAddress};
use crate::error::{Failure, internal, response_too_large};
use crate::filters::Filters;
use crate::guarded::guarded;
use crate::limits::{
    ACKNOWLEDGEMENTS_MAX, BRIEF_MS_MAX, HEAVY_MIN, HEAVY_PER_PROCESSOR, HELD_MAX, RpcLimits,
    SUBSCRIPTIONS_ALL_MAX, THREADS_FREE_MIN, TRACES_MAX,
};

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

/// How long a method takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// It reads little: so little that handing it to another thread would cost as much again.
    Brief,
    /// It does what its caller says: most often little, and sometimes as much as it may.
    Middling,
    Long,
}

/// A call as it came, and what its method takes.
pub(crate) struct Asked {
    /// Arguments that must be there, which are the first ones.
    pub(crate) required: usize,
    /// Arguments that there may be.
    pub(crate) count: usize,
    pub(crate) params: Params<'static>,
    pub(crate) pace: Pace,
    /// Who calls, if that is known.
    pub(crate) caller: Option<Caller>,
}

/// Does the work of a call, whose panic is an error of this call.
fn alone<T>(api: &Api, work: impl FnOnce(&Api) -> Result<T, Failure>) -> Result<T, Failure> {
    guarded(|| work(api)).unwrap_or_else(|panic| Err(internal(&panic)))
}

/// A call that runs on the thread of its connection; no more when dropped.
struct Here<'a>(&'a AtomicUsize);

impl Drop for Here<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs methods, a bounded number at a time: on blocking threads, or where they are asked for.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(crate) api: Arc<Api>,
    running: Arc<Semaphore>,
    /// Those that run on the thread of their connection.
    here: Arc<AtomicUsize>,
    /// Places of calls that may keep a processor busy. More of them at a time would do no more, and
    /// take from consensus what it needs: the system divides its time by threads.
    heavy: Arc<Semaphore>,
    /// Those of one address.
    heavy_of: Arc<PerAddress>,
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
        let processors = available_parallelism().map_or(1, NonZero::get);
        let heavy = HEAVY_MIN.max(HEAVY_PER_PROCESSOR * processors);
        let api = Arc::new(Api {
            backend,
            limits,
            filters: Filters::default(),
            large: Mutex::default(),
        });
        Self {
            api,
            running,
            here: Arc::default(),
            heavy: Arc::new(Semaphore::new(heavy)),
            heavy_of: Arc::new(PerAddress::new(heavy / 2)),
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
            alone(&api, work)
        });
        task.await.unwrap_or_else(|error| Err(internal(&error)))
    }

    /// The same for a call: on this thread if it is likely to be short and the thread can be
    /// spared, otherwise after waiting for its turn among those that may be long.
    async fn run_paced<T: Send + 'static>(
        &self,
        (pace, caller): (Pace, Option<Caller>),
        work: impl FnOnce(&Api) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        if let Some(here) = self.here(pace)
            && let Ok(permit) = self.running.try_acquire()
        {
            let began = Instant::now();
            let outcome = alone(&self.api, work);
            drop((here, permit));
            // Whom this thread has woken meanwhile waits for it alone.
            if began.elapsed() > Duration::from_millis(BRIEF_MS_MAX) {
                tokio::task::yield_now().await;
            }
            return outcome;
        }
        if pace == Pace::Brief {
            return self.run(work).await;
        }
        let of_address = match caller {
            Some(Caller(address)) => self.heavy_of.turn(address).await,
            None => None,
        };
        let turn = Arc::clone(&self.heavy).acquire_owned().await;
        let turn = turn.map_err(|error| internal(&error))?;
        self.run(move |api| {
            let _turns = (of_address, turn);
            work(api)
        })
        .await
    }

    /// A place on this thread, if enough others are left for connections, whatever a call does:
    /// a short one can be made to last.
    fn here(&self, pace: Pace) -> Option<Here<'_>> {
        let threads = Handle::try_current().ok()?.metrics().num_workers();
        let all = threads.checked_sub(THREADS_FREE_MIN)?;
        let places = match pace {
            Pace::Brief => all,
            // Brief ones are not to wait for these.
            Pace::Middling => all / 2,
            Pace::Long => 0,
        };
        let running = self.here.fetch_add(1, Ordering::Relaxed);
        let here = Here(&self.here);
        (running < places).then_some(here)
    }

    /// Runs a method that takes so many arguments, of which the first ones must be there.
    pub(crate) async fn call(
        &self,
        handler: impl FnOnce(&Api, &Arguments<'_>) -> Reply + Send + 'static,
        asked: Asked,
    ) -> Reply {
        let reply = self.call_whole(handler, asked).await?;
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
        asked: Asked,
    ) -> Reply {
        self.run_paced((asked.pace, asked.caller), move |api| {
            let arguments = Arguments::split(&asked.params, asked.count)?;
            arguments.have(asked.required)?;
            handler(api, &arguments)
        })
        .await
    }

    /// The same for what executes again: few at a time, and nothing else waits for them.
    pub(crate) async fn call_in_turn(&self, handler: Handler, asked: Asked) -> Reply {
        let turn = Arc::clone(&self.traces).acquire_owned().await;
        let turn = turn.map_err(|error| internal(&error))?;
        let handler = move |api: &Api, arguments: &Arguments<'_>| {
            // Held by the work itself, as its place is.
            let _turn = turn;
            handler(api, arguments)
        };
        self.call(handler, asked).await
    }
}
