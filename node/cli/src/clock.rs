//! The time of day, read in one place.

use std::time::{SystemTime, UNIX_EPOCH};

use tbsi_types::TimestampMs;

/// What this machine's clock says.
pub(crate) fn now() -> anyhow::Result<TimestampMs> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(TimestampMs(u64::try_from(now.as_millis())?))
}
