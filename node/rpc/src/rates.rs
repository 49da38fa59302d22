//! How often who may ask for something that costs the node: calls of JSON-RPC, or time stamps,
//! each of which is a leaf of the log for ever. Strangers get a bounded number: each address, the
//! networks around it, and where wanted all together. Whoever needs more has an API key, and a
//! number of its own.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use alloy_primitives::B256;

use crate::limits::RATE_NETWORKS_MAX;

/// What may be asked for, and how often; each number is at least 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatesConfig {
    /// What is counted, in words such as `time stamps`.
    pub what: &'static str,
    /// Of all who have no key, a minute; `None` counts them by their addresses only.
    pub per_minute: Option<u32>,
    /// Of one address (IPv6: of one /64) without a key, a minute; `None` does not count it.
    pub address_per_minute: Option<u32>,
    /// SHA-256 of each API key, and how many it is good for a minute.
    pub keys: Vec<(B256, u32)>,
}

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

    /// How many a full bucket holds.
    fn held(self) -> u32 {
        (self.per_minute / 6).max(1)
    }

    /// How long until a bucket that will be full at `full` has so many. Of more than it can hold,
    /// as many as that are enough: they are owed.
    fn wait(self, full: Duration, now: Duration, count: u32) -> Duration {
        let spare = self.held() - count.clamp(1, self.held());
        let missing = full.saturating_sub(now);
        missing.saturating_sub(self.every() * spare)
    }

    /// When it will be full after so many were taken.
    fn taken(self, full: Duration, now: Duration, count: u32) -> Duration {
        full.max(now) + self.every() * count
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
        if self.networks.len() < RATE_NETWORKS_MAX {
            return;
        }
        self.networks.retain(|_, full| *full > now);
        if self.networks.len() > RATE_NETWORKS_MAX / 2 {
            let mut times: Vec<_> = self.networks.values().copied().collect();
            let middle = times.len() / 2;
            let (_, median, _) = times.select_nth_unstable(middle);
            self.networks.retain(|_, full| *full > *median);
        }
    }
}

/// Counts who asks.
#[derive(Debug)]
pub struct Rates {
    what: &'static str,
    all: Option<Rate>,
    address: Option<Rate>,
    keys: BTreeMap<B256, Rate>,
    started: Instant,
    buckets: Mutex<Buckets>,
}

impl Rates {
    /// All buckets are full.
    pub fn new(config: &RatesConfig) -> Self {
        let rate = |per_minute| Rate { per_minute };
        let keys = config.keys.iter();
        Self {
            what: config.what,
            all: config.per_minute.map(rate),
            address: config.address_per_minute.map(rate),
            keys: keys
                .map(|(key, per_minute)| (*key, rate(*per_minute)))
                .collect(),
            started: Instant::now(),
            buckets: Mutex::default(),
        }
    }

    /// Whether any key was given out.
    pub fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Whether a key with this SHA-256 was given out.
    pub fn knows(&self, key: &B256) -> bool {
        self.keys.contains_key(key)
    }

    /// Takes so many from the buckets of an address, or of the key with this SHA-256, or says when
    /// there is something in them again.
    pub fn admit(&self, address: IpAddr, key: Option<B256>, count: u32) -> Result<(), TooOften> {
        let now = self.started.elapsed();
        self.admit_at(address, key, count, now)
            .map_err(|refusal| self.explain(refusal))
    }

    fn admit_at(
        &self,
        address: IpAddr,
        key: Option<B256>,
        count: u32,
        now: Duration,
    ) -> Result<(), Refusal> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = key {
            let rate = *self.keys.get(&key).ok_or(Refusal::UnknownKey)?;
            let full = buckets.keys.get(&key).copied().unwrap_or_default();
            check(rate.wait(full, now, count), |wait| Refusal::Key(rate, wait))?;
            buckets.keys.insert(key, rate.taken(full, now, count));
            return Ok(());
        }
        // Only who is admitted takes from any bucket: a flood that is refused costs others nothing
        // and leaves no trace here.
        let around = self.address.map(|rate| networks(address, rate));
        let around = around
            .as_ref()
            .map_or(&[] as &[_], |around| around.as_slice());
        for (network, rate) in around {
            let wait = rate.wait(buckets.network(*network), now, count);
            check(wait, |wait| Refusal::Network(*network, *rate, wait))?;
        }
        if let Some(all) = self.all {
            let wait = all.wait(buckets.all, now, count);
            check(wait, |wait| Refusal::All(all, wait))?;
            buckets.all = all.taken(buckets.all, now, count);
        }
        buckets.make_room(now);
        for (network, rate) in around {
            let full = rate.taken(buckets.network(*network), now, count);
            buckets.networks.insert(*network, full);
        }
        Ok(())
    }

    fn explain(&self, refusal: Refusal) -> TooOften {
        let (what, help) = (self.what, "wait, or ask the operator for an API key");
        let (sentence, wait) = match refusal {
            Refusal::UnknownKey => (
                "this API key is not known here; leave it out, or ask the operator for one".into(),
                None,
            ),
            Refusal::Key(Rate { per_minute }, wait) => (
                format!("this API key is good for {per_minute} {what} a minute"),
                Some(wait),
            ),
            Refusal::Network((first, bits), Rate { per_minute }, wait) => (
                format!("{first}/{bits} may ask for {per_minute} {what} a minute; {help}"),
                Some(wait),
            ),
            Refusal::All(Rate { per_minute }, wait) => (
                format!("all who have no API key may ask for {per_minute} {what} a minute; {help}"),
                Some(wait),
            ),
        };
        let seconds = |wait: Duration| wait.as_millis().div_ceil(1_000);
        TooOften {
            reason: refusal.reason(),
            sentence,
            retry_after_s: wait.map(|wait| seconds(wait).try_into().unwrap_or(u64::MAX)),
        }
    }
}

/// Why somebody is not admitted now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct TooOften {
    /// A stable word for metrics: `unknown_key`, `key`, `address`, `network` or `all`.
    pub reason: &'static str,
    /// Names the limit and the remedy.
    pub sentence: String,
    /// When to ask again; `None` if the API key is not known.
    pub retry_after_s: Option<u64>,
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
    All(Rate, Duration),
}

impl Refusal {
    fn reason(self) -> &'static str {
        match self {
            Self::UnknownKey => "unknown_key",
            Self::Key(..) => "key",
            Self::Network((first, bits), ..) if bits == own_bits(first) => "address",
            Self::Network(..) => "network",
            Self::All(..) => "all",
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
