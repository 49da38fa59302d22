//! The one look at this machine's time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use tbsi_types::TimestampMs;

/// The time of day. Block times come from the header; this only dates new blocks.
pub fn wall_clock() -> TimestampMs {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    TimestampMs(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}
