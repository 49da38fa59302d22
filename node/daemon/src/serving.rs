//! Threads for those who ask. Who decides blocks comes first: however many ask at a time, their
//! threads get what processor time consensus and execution leave (SPEC §6.5).

use std::io;
use std::num::NonZero;
use std::thread::available_parallelism;

use rustix::process::setpriority_process;
use tokio::runtime::{Builder, Handle, Runtime};
use tracing::warn;

use crate::limits::{SERVING_BRIEF, SERVING_NICE};

/// A runtime whose threads, those that block too, have a lower priority than the others of the
/// process.
#[derive(Debug)]
pub(crate) struct Serving(Option<Runtime>);

impl Serving {
    pub(crate) fn start() -> io::Result<Self> {
        let processors = available_parallelism().map_or(1, NonZero::get);
        let runtime = Builder::new_multi_thread()
            .worker_threads(processors + SERVING_BRIEF)
            .thread_name("serving")
            .on_thread_start(give_way)
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Spawns there.
    pub(crate) fn handle(&self) -> &Handle {
        let runtime = self.0.as_ref();
        runtime.expect("it is there until this is dropped").handle()
    }
}

impl Drop for Serving {
    /// Waits for nobody, so that it may be dropped where other tasks run.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// On Linux a thread has a priority of its own. Without one the node serves as fast as it can.
fn give_way() {
    if let Err(error) = setpriority_process(None, SERVING_NICE) {
        warn!("threads that serve keep the priority of consensus: {error}");
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn threads_that_serve_give_way_and_others_do_not() {
        let before = getpriority_process(None).unwrap();
        let serving = Serving::start().unwrap();
        let priority = || getpriority_process(None).unwrap();
        let worker = serving.handle().spawn(async move { priority() });
        let blocking = serving.handle().spawn_blocking(priority);
        let lowered = before.max(SERVING_NICE);
        assert_eq!(
            (worker.await.unwrap(), blocking.await.unwrap()),
            (lowered, lowered)
        );
        assert_eq!(tokio::task::spawn_blocking(priority).await.unwrap(), before);
    }
}
