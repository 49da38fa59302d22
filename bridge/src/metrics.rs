//! The relayer's metrics, in the Prometheus text format, names prefixed `tbsi_relay_`.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type Number = Gauge<u64, AtomicU64>;

/// Label of failures.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    reason: &'static str,
}

/// Every metric of the relayer.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Items that are neither settled nor in quarantine.
    pub backlog: Number,
    /// Age of the oldest of them, seconds.
    pub oldest_s: Number,
    /// Items in quarantine.
    pub quarantined: Number,
    /// Messages that are not settled.
    pub messages: Number,
    /// Messages whose timeout passed before they were delivered, by the journal.
    pub expired: Number,
    /// Transactions that are not final.
    pub in_flight: Number,
    /// When something was last settled, seconds since 1970.
    pub progress_s: Number,
    /// Balance of the account in gwei, at most 2^64 - 1.
    pub balance_gwei: Number,
    /// Height of the source.
    pub source_height: Number,
    /// Height of the light client's newest checkpoint.
    pub client_height: Number,
    /// Seconds for which that checkpoint is still trusted.
    pub trust_s: Number,
    /// Reasons for which nothing is sent.
    pub holds: Number,
    /// Items settled since start.
    pub settled: Counter,
    /// Transactions sent again with higher fees.
    pub replaced: Counter,
    /// Blocks with our transactions that went away.
    pub reorganised: Counter,
    /// Contradictions between endpoints.
    pub alarms: Counter,
    failures: Family<Failure, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("tbsi_relay"),
            backlog: Number::default(),
            oldest_s: Number::default(),
            quarantined: Number::default(),
            messages: Number::default(),
            expired: Number::default(),
            in_flight: Number::default(),
            progress_s: Number::default(),
            balance_gwei: Number::default(),
            source_height: Number::default(),
            client_height: Number::default(),
            trust_s: Number::default(),
            holds: Number::default(),
            settled: Counter::default(),
            replaced: Counter::default(),
            reorganised: Counter::default(),
            alarms: Counter::default(),
            failures: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        for (name, help, gauge) in [
            (
                "backlog",
                "Items neither settled nor in quarantine",
                &self.backlog,
            ),
            (
                "oldest_seconds",
                "Age of the oldest of the backlog",
                &self.oldest_s,
            ),
            ("quarantined", "Items in quarantine", &self.quarantined),
            ("messages", "Messages that are not settled", &self.messages),
            (
                "expired",
                "Messages whose timeout passed before they were delivered",
                &self.expired,
            ),
            (
                "in_flight",
                "Transactions that are not final",
                &self.in_flight,
            ),
            (
                "progress_seconds",
                "When something was last settled",
                &self.progress_s,
            ),
            ("balance_gwei", "Balance of the account", &self.balance_gwei),
            ("source_height", "Height of the source", &self.source_height),
            (
                "client_height",
                "Height of the light client",
                &self.client_height,
            ),
            ("trust_seconds", "Rest of the trust period", &self.trust_s),
            ("holds", "Reasons for which nothing is sent", &self.holds),
        ] {
            registry.register(name, help, gauge.clone());
        }
        for (name, help, counter) in [
            ("settled", "Items settled since start", &self.settled),
            (
                "replaced",
                "Transactions sent again with higher fees",
                &self.replaced,
            ),
            (
                "reorganised",
                "Blocks with our transactions that went away",
                &self.reorganised,
            ),
            ("alarms", "Contradictions between endpoints", &self.alarms),
        ] {
            registry.register(name, help, counter.clone());
        }
        let help = "Steps that failed, by reason";
        registry.register("failures", help, self.failures.clone());
    }

    /// Counts a failure; `reason` is from a fixed list.
    pub fn failed(&self, reason: &'static str) {
        self.failures.get_or_create(&Failure { reason }).inc();
    }

    /// All metrics.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail; an empty page would say so.
        if encode(&mut text, &self.registry).is_err() {
            text.clear();
        }
        text
    }
}
