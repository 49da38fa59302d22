//! Times as people read them.

use jiff::Timestamp;
use jiff::tz::offset;
use serde::Serialize;
use tbsi_types::TimestampMs;

/// A block's time in UTC and in Taipei, RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Times {
    pub(crate) utc: String,
    pub(crate) taipei: String,
}

impl Times {
    pub(crate) fn of(time: TimestampMs) -> Self {
        let known = i64::try_from(time.0).ok();
        let known = known.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        match known {
            Some(timestamp) => Self {
                utc: timestamp.to_string(),
                // Taiwan has had no summer time since 1979.
                taipei: timestamp.display_with_offset(offset(8)).to_string(),
            },
            // Beyond the year 9999, which a leaf can say.
            None => Self {
                utc: format!("{} ms", time.0),
                taipei: format!("{} ms", time.0),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_utc_and_taipei() {
        let times = Times::of(TimestampMs(1_700_000_001_007));
        assert_eq!(times.utc, "2023-11-14T22:13:21.007Z");
        assert_eq!(times.taipei, "2023-11-15T06:13:21.007+08:00");
        assert_eq!(Times::of(TimestampMs(0)).utc, "1970-01-01T00:00:00Z");
        for ms in [(1 << 48) - 1, u64::MAX] {
            let times = Times::of(TimestampMs(ms));
            let said = format!("{ms} ms");
            assert_eq!((times.utc, times.taipei), (said.clone(), said));
        }
    }
}
