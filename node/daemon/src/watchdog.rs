//! Says what the node waits for when blocks stop: silence is the worst error message.

use std::sync::Arc;

use tbsi_types::Height;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::limits::{REGOSSIP_BYTES_MAX, STALL_REPORT_INTERVAL, WATCH_INTERVAL};
use crate::node::Node;

/// What was last seen to move, and when.
struct Watch {
    /// Height, and whether it runs: an idle chain that waits for work has not stalled.
    position: (Height, bool),
    since: Instant,
    reported: Instant,
}

/// Watches consensus until `shutdown` turns true. `moved` tells when it last moved.
pub(crate) async fn watch(
    node: Arc<Node>,
    moved: watch::Sender<Instant>,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut ticks = interval(WATCH_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let now = Instant::now();
    let mut watch = Watch {
        position: Default::default(),
        since: now,
        reported: now,
    };
    loop {
        tokio::select! {
            _ = shutdown.wait_for(|stop| *stop) => return,
            now = ticks.tick() => watch.tick(&node, &moved, now),
        }
    }
}

impl Watch {
    fn tick(&mut self, node: &Node, moved: &watch::Sender<Instant>, now: Instant) {
        let Some(progress) = node.progress.get() else {
            return;
        };
        let progress = progress.borrow().clone();
        let position = (progress.height, progress.running);
        if position != self.position || !progress.running {
            *self = Self {
                position,
                since: now,
                reported: now,
            };
            moved.send_replace(now);
            node.metrics.missing_validators.set(0);
            return;
        }
        if now.duration_since(self.reported) < STALL_REPORT_INTERVAL {
            return;
        }
        self.reported = now;
        self.report(node, &progress, now);
        // Whoever should propose may have missed the transactions that wait here.
        let waiting = node.mempool().all(REGOSSIP_BYTES_MAX);
        if !waiting.is_empty() {
            node.gossip.publish_transactions(waiting);
        }
    }

    fn report(&self, node: &Node, progress: &tbsi_engine::Progress, now: Instant) {
        let seconds = now.duration_since(self.since).as_secs();
        let behind = node.peers_tip().above(node.tip().height);
        if behind > 1 {
            info!(height = %progress.height, seconds, behind, "catching up: no block yet");
            return;
        }
        let missing = node.missing_validators();
        node.metrics.missing_validators.set(missing.len() as u64);
        let names: Vec<_> = missing
            .iter()
            .map(|address| node.legal_name(*address))
            .collect();
        let total = node.roster().members.set().count();
        warn!(
            height = %progress.height, round = %progress.round, seconds,
            votes = total - missing.len(), validators = total, missing = names.join("; "),
            "no block: waiting for votes"
        );
    }
}
