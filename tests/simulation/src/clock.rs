//! Virtual time. The world's is in microseconds since the run began; each node's wall clock may
//! be wrong.

use std::time::Duration;

use tbsi_engine::host::Now;
use tbsi_types::TimestampMs;

/// When runs begin: after any real clock, so that no real clock can show.
pub const BEGINNING: TimestampMs = TimestampMs(4_102_444_800_000);

/// Microseconds since the run began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    /// Later by so much.
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }

    /// Later by so many milliseconds.
    pub fn after_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1_000)))
    }

    /// The true time of day.
    pub fn wall(self) -> TimestampMs {
        TimestampMs(BEGINNING.0 + self.0 / 1_000)
    }

    /// What the clocks of a node show that is wrong by `offset_ms`.
    pub fn of_node(self, offset_ms: i64) -> Now {
        Now {
            monotonic: Duration::from_micros(self.0),
            wall: TimestampMs(self.wall().0.saturating_add_signed(offset_ms)),
        }
    }

    /// Milliseconds since another moment; 0 if that is later.
    pub fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0) / 1_000
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
