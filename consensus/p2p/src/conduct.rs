//! How a peer behaves, over all its connections.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{BAR, BAR_MAX, BAR_REMEMBERED, FAULTS_MAX, FAULTS_PER_SECOND_MAX};
use crate::rate::Rate;

/// What a peer did wrong.
#[derive(Debug)]
pub(crate) struct Conduct {
    faults: Rate,
    /// The last bar, and when it was set.
    bar: Option<(Duration, Instant)>,
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            faults: Rate::new(FAULTS_PER_SECOND_MAX, FAULTS_MAX),
            bar: None,
        }
    }
}

impl Conduct {
    /// Notes a fault; returns whether there are too many now.
    pub(crate) fn fault(&mut self, now: Instant) -> bool {
        !self.faults.take(1, now)
    }

    /// How long the peer stays out this time.
    pub(crate) fn next_bar(&mut self, now: Instant) -> Duration {
        let recent = self
            .bar
            .filter(|(_, since)| now.duration_since(*since) < BAR_REMEMBERED);
        let bar = recent.map_or(BAR, |(bar, _)| (bar * 2).min(BAR_MAX));
        self.bar = Some((bar, now));
        bar
    }
}
