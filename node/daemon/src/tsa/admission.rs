//! Who may ask for a time stamp. Each is a leaf of the log for ever and is paid from the
//! authority's quota.

use tbsi_home::config::TsaConfig;
use tbsi_rpc::rates::{Rates, RatesConfig, TooOften};
use tbsi_rpc::{TimestampAdmission, TimestampClient};

use crate::metrics::Metrics;

/// The rates that the operator configured.
pub(super) fn rates(config: &TsaConfig) -> Rates {
    let keys = config.keys.iter();
    Rates::new(&RatesConfig {
        what: "time stamps",
        per_minute: Some(config.per_minute),
        address_per_minute: Some(config.address_per_minute),
        keys: keys.map(|key| (key.sha256, key.per_minute)).collect(),
    })
}

/// Counts a client, and tells the metrics.
pub(super) fn admit(
    rates: &Rates,
    client: &TimestampClient,
    metrics: &Metrics,
) -> TimestampAdmission {
    let TooOften {
        reason,
        sentence,
        retry_after_s,
    } = match rates.admit(client.address, client.key, 1) {
        Ok(()) => {
            metrics.timestamps_admitted.inc();
            return TimestampAdmission::Admitted;
        }
        Err(refusal) => refusal,
    };
    metrics.timestamp_refused(reason);
    match retry_after_s {
        None => TimestampAdmission::UnknownKey,
        Some(retry_after_s) => TimestampAdmission::TooMany {
            retry_after_s,
            sentence,
        },
    }
}
