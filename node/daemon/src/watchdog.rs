//! Says what the node waits for when blocks stop: silence is the worst error message.

use std::sync::Arc;

use tbsi_engine::Progress;
use tbsi_types::{Height, TimestampMs};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::clock::wall_clock;
use crate::limits::{PEERS_REFRESH_INTERVAL, STALL_REPORT_INTERVAL, WATCH_INTERVAL};
use crate::node::{Node, causes};
use crate::upgrade::Reminder;

/// What was last seen to move, and when.
struct Watch {
    /// Height, and whether it runs: an idle chain that waits for work has not stalled.
    position: (Height, bool),
    since: Instant,
    reported: Instant,
    refreshed: Instant,
    /// When it was last said that the node waits for a time of day.
    waited: Option<Instant>,
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
        refreshed: now,
        waited: None,
    };
    let mut reminder = Reminder::default();
    loop {
        tokio::select! {
            _ = shutdown.wait_for(|stop| *stop) => return,
            now = ticks.tick() => {
                watch.tick(&node, &moved, now);
                reminder.tick(&node, now);
            }
        }
    }
}

impl Watch {
    fn tick(&mut self, node: &Node, moved: &watch::Sender<Instant>, now: Instant) {
        if now.duration_since(self.refreshed) >= PEERS_REFRESH_INTERVAL {
            self.refreshed = now;
            if let Err(error) = node.refresh_peers() {
                warn!("look at the peers that may connect: {}", causes(&error));
            }
        }
        let Some(progress) = node.progress.get() else {
            return;
        };
        let progress = progress.borrow().clone();
        if let Some(until) = progress.waits_until {
            self.report_wait(&progress, until, now);
        }
        let position = (progress.height, progress.running);
        if position != self.position || !progress.running {
            *self = Self {
                position,
                since: now,
                reported: now,
                refreshed: self.refreshed,
                waited: self.waited,
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
        node.tell_all_soon();
    }

    fn report_wait(&mut self, progress: &Progress, until: TimestampMs, now: Instant) {
        let due = |last: Instant| now.duration_since(last) >= STALL_REPORT_INTERVAL;
        if !self.waited.is_none_or(due) {
            return;
        }
        self.waited = Some(now);
        info!(
            height = %progress.height,
            "{}", waiting_for(progress.height, until, wall_clock())
        );
    }

    fn report(&self, node: &Node, progress: &Progress, now: Instant) {
        let seconds = now.duration_since(self.since).as_secs();
        let behind = node.peers_tip().above(node.tip().height);
        if behind > 1 {
            info!(height = %progress.height, seconds, behind, "catching up: no block yet");
            return;
        }
        let missing = node.missing_validators().len();
        node.metrics.missing_validators.set(missing as u64);
        let total = node.roster().members.set().count();
        warn!(
            height = %progress.height, round = %progress.round, seconds,
            votes = total - missing, validators = total,
            "no block: {}", node.standstill(progress)
        );
    }
}

/// For which time of day a height waits, and for how long.
pub(crate) fn waiting_for(height: Height, until: TimestampMs, now: TimestampMs) -> String {
    let seconds = until.0.saturating_sub(now.0).div_ceil(1000);
    if height == Height::GENESIS.next() {
        format!("waiting {seconds} s for the genesis time: the network begins then")
    } else {
        format!(
            "waiting {seconds} s: the last block's time is ahead of this node's clock; see that \
             the clock is right"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_for_how_long_it_waits() {
        let wait = |height, until| waiting_for(Height(height), TimestampMs(until), TimestampMs(7));
        assert_eq!(
            wait(1, 180_007),
            "waiting 180 s for the genesis time: the network begins then"
        );
        assert!(wait(1, 8).starts_with("waiting 1 s for"));
        assert!(wait(2, 1_008).starts_with("waiting 2 s: the last block's time is ahead"));
    }
}
