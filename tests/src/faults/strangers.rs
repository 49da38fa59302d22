//! Threads for clients that would be on other machines: what they compute takes no time from the
//! nodes, as far as the system lets nodes go first.

use anyhow::Context;
use rustix::process::setpriority_process;
use tokio::runtime::{Builder, Handle, Runtime};

/// Niceness of these threads: that of the threads of a node that serve.
const NICE: i32 = tbsi_node::limits::SERVING_NICE;
const THREADS: usize = 2;

/// A runtime of such threads.
pub(super) struct Strangers(Option<Runtime>);

impl Strangers {
    pub(super) fn start() -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("strangers")
            .on_thread_start(|| {
                if let Err(error) = setpriority_process(None, NICE) {
                    eprintln!("clients keep the priority of nodes: {error}");
                }
            })
            .enable_all()
            .build();
        runtime.map(Some).map(Self).context("threads for clients")
    }

    pub(super) fn handle(&self) -> &Handle {
        let runtime = self.0.as_ref();
        runtime.expect("it is there until this is dropped").handle()
    }
}

impl Drop for Strangers {
    /// Waits for nobody: it is dropped where other tasks run.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
