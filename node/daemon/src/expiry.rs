//! Says in time that the certificates of this node's time-stamping authority end (SPEC §11.5).
//!
//! The node keeps no time stamps, so it renews none: who has them renews them with `tbsi renew`. It
//! is the operator who has to get a new certificate, while the old one still signs.

use tbsi_types::TimestampMs;

use crate::limits::TSA_CERTIFICATE_WARN_DAYS;

const DAY_S: u64 = 86_400;

/// What to say when certificates end at `until`, in seconds since the Unix epoch; `None` while
/// there is time.
pub(crate) fn warning(until: u64, now: TimestampMs) -> Option<String> {
    let now = now.seconds();
    if now > until {
        return Some(
            "the certificate of the time-stamping authority has ended, and queries are refused: \
             configure a new one under `tsa.certificate` and start the node again"
                .into(),
        );
    }
    let days = (until - now) / DAY_S;
    (days < TSA_CERTIFICATE_WARN_DAYS).then(|| {
        format!(
            "the certificate of the time-stamping authority ends in {days} days: get a new one, \
             configure it under `tsa.certificate` and start the node again; those who have its \
             time stamps have to renew them before (`tbsi renew`)"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warns_in_the_last_days_and_says_when_it_is_too_late() {
        let until = 1_000 * DAY_S;
        let at = |days: u64| warning(until, TimestampMs(days * DAY_S * 1_000));
        assert_eq!(at(0), None);
        assert_eq!(at(1_000 - TSA_CERTIFICATE_WARN_DAYS), None);
        let last = at(1_001 - TSA_CERTIFICATE_WARN_DAYS).unwrap();
        assert!(last.contains("ends in 89 days"), "{last}");
        assert!(at(1_000).unwrap().contains("ends in 0 days"));
        assert!(at(1_001).unwrap().contains("has ended"));
    }
}
