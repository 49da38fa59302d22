//! How many time stamps who may ask for. Each is a leaf of the log for ever and is paid from the
//! authority's quota, so strangers get a bounded number: each address, the networks around it,
//! and all together. Whoever needs more has a key, and a number of its own.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tbsi_home::config::TsaConfig;
use tbsi_rpc::{TimestampAdmission, TimestampClient};
use tbsi_types::B256;

use crate::limits::TSA_NETWORKS_MAX;
use crate::metrics::Metrics;

/// Bits that the addresses of a network share, IPv4 and IPv6, and how many times the rate of one
/// address it has. One host can have all of an IPv6 /64, one customer a /48, one provider a /32.
const NETWORKS: [(u32, u32, u32); 3] = [(32, 64, 1), (24, 48, 2), (16, 32, 4)];

/// A bucket that holds what ten seconds bring, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rate {
    per_minute: u32,
}

impl Rate {
    fn every(self) -> Duration {
        Duration::from_secs(60) / self.per_minute
    }

    fn times(self, factor: u32) -> Self {
        Self {
            per_minute: self.per_minute.saturating_mul(factor),
        }
    }

    /// How long until a bucket that will be full at `full` has something.
    fn wait(self, full: Duration, now: Duration) -> Duration {
        let held = (self.per_minute / 6).max(1);
        let missing = full.saturating_sub(now);
        missing.saturating_sub(self.every() * (held - 1))
    }

    /// When it will be full after one was taken.
    fn taken(self, full: Duration, now: Duration) -> Duration {
        full.max(now) + self.every()
    }
}

/// A network, by its first address and how many bits that counts.
type Network = (IpAddr, u32);

/// When each bucket will be full, since the node started. One that is full need not be here.
#[derive(Debug, Default)]
struct Buckets {
    all: Duration,
    keys: BTreeMap<B256, Duration>,
    networks: HashMap<Network, Duration>,
}

impl Buckets {
    fn network(&self, network: Network) -> Duration {
        self.networks.get(&network).copied().unwrap_or_default()
    }

    /// Forgets full buckets when there are many, and if that is not enough those that are nearly.
    fn make_room(&mut self, now: Duration) {
        if self.networks.len() < TSA_NETWORKS_MAX {
            return;
        }
        self.networks.retain(|_, full| *full > now);
        if self.networks.len() > TSA_NETWORKS_MAX / 2 {
            let mut times: Vec<_> = self.networks.values().copied().collect();
            let middle = times.len() / 2;
            let (_, median, _) = times.select_nth_unstable(middle);
            self.networks.retain(|_, full| *full > *median);
        }
    }
}

/// Counts who asks.
#[derive(Debug)]
pub(super) struct Admission {
    all: Rate,
    address: Rate,
    keys: BTreeMap<B256, Rate>,
    started: Instant,
    buckets: Mutex<Buckets>,
}

impl Admission {
    pub(super) fn new(config: &TsaConfig) -> Self {
        let rate = |per_minute| Rate { per_minute };
        let keys = config.keys.iter();
        Self {
            all: rate(config.per_minute),
            address: rate(config.address_per_minute),
            keys: keys.map(|key| (key.sha256, rate(key.per_minute))).collect(),
            started: Instant::now(),
            buckets: Mutex::default(),
        }
    }

    /// Takes from the client's buckets, or says when there is something in them again.
    pub(super) fn admit(&self, client: &TimestampClient, metrics: &Metrics) -> TimestampAdmission {
        match self.admit_at(client, self.started.elapsed()) {
            Ok(()) => {
                metrics.timestamps_admitted.inc();
                TimestampAdmission::Admitted
            }
            Err(refusal) => {
                metrics.timestamp_refused(refusal.reason());
                self.explain(refusal)
            }
        }
    }

    fn admit_at(&self, client: &TimestampClient, now: Duration) -> Result<(), Refusal> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = client.key {
            let rate = *self.keys.get(&key).ok_or(Refusal::UnknownKey)?;
            let full = buckets.keys.get(&key).copied().unwrap_or_default();
            check(rate.wait(full, now), |wait| Refusal::Key(rate, wait))?;
            buckets.keys.insert(key, rate.taken(full, now));
            return Ok(());
        }
        // Only who is admitted takes from any bucket: a flood that is refused costs others nothing
        // and leaves no trace here.
        let around = networks(client.address, self.address);
        for (network, rate) in around {
            let wait = rate.wait(buckets.network(network), now);
            check(wait, |wait| Refusal::Network(network, rate, wait))?;
        }
        check(self.all.wait(buckets.all, now), Refusal::All)?;
        buckets.all = self.all.taken(buckets.all, now);
        buckets.make_room(now);
        for (network, rate) in around {
            let full = rate.taken(buckets.network(network), now);
            buckets.networks.insert(network, full);
        }
        Ok(())
    }

    fn explain(&self, refusal: Refusal) -> TimestampAdmission {
        let help = "wait, or ask the operator for an API key";
        let (sentence, wait) = match refusal {
            Refusal::UnknownKey => return TimestampAdmission::UnknownKey,
            Refusal::Key(rate, wait) => (
                format!(
                    "this API key is good for {} time stamps a minute",
                    rate.per_minute
                ),
                wait,
            ),
            Refusal::Network((first, bits), rate, wait) => (
                format!(
                    "{first}/{bits} may ask for {} time stamps a minute; {help}",
                    rate.per_minute
                ),
                wait,
            ),
            Refusal::All(wait) => (
                format!(
                    "all who have no API key may ask for {} time stamps a minute; {help}",
                    self.all.per_minute
                ),
                wait,
            ),
        };
        TimestampAdmission::TooMany {
            retry_after_s: wait
                .as_millis()
                .div_ceil(1_000)
                .try_into()
                .unwrap_or(u64::MAX),
            sentence,
        }
    }
}

fn check(wait: Duration, refusal: impl FnOnce(Duration) -> Refusal) -> Result<(), Refusal> {
    if wait.is_zero() {
        return Ok(());
    }
    Err(refusal(wait))
}

/// Why not, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    UnknownKey,
    Key(Rate, Duration),
    Network(Network, Rate, Duration),
    All(Duration),
}

impl Refusal {
    /// For the metrics.
    fn reason(self) -> &'static str {
        match self {
            Self::UnknownKey => "unknown_key",
            Self::Key(..) => "key",
            Self::Network((first, bits), ..) if bits == own_bits(first) => "address",
            Self::Network(..) => "network",
            Self::All(_) => "all",
        }
    }
}

/// Bits of the least network.
fn own_bits(address: IpAddr) -> u32 {
    let (v4_bits, v6_bits, _) = NETWORKS[0];
    if address.is_ipv4() { v4_bits } else { v6_bits }
}

/// An address and the networks around it, with the rate of each.
fn networks(address: IpAddr, rate: Rate) -> [(Network, Rate); NETWORKS.len()] {
    NETWORKS.map(|(v4_bits, v6_bits, factor)| {
        let network = match address.to_canonical() {
            IpAddr::V4(v4) => {
                let first = Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << (32 - v4_bits)));
                (first.into(), v4_bits)
            }
            IpAddr::V6(v6) => {
                let first = Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << (128 - v6_bits)));
                (first.into(), v6_bits)
            }
        };
        (network, rate.times(factor))
    })
}

#[cfg(test)]
mod tests;
