//! The node's metrics, in the Prometheus text format.

mod network;
mod process;
mod upgrade;

use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tbsi_engine::NetworkMonitor;
use tbsi_types::Address;

use crate::gossip::GossipHandle;
use network::NetworkMetrics;
use process::ProcessMetrics;
use upgrade::UpgradeMetrics;

use crate::mempool::DropCounter;

/// Label of refused transactions and time stamps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    reason: &'static str,
}

/// Label of cosignatures that were dropped.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Drop {
    reason: &'static str,
}

/// Label of certificates that end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Certificate {
    of: &'static str,
}

/// Label of proposals that were not voted for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Dropped {
    reason: &'static str,
}

/// Label of write-ahead logs that were damaged when the node started.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Mended {
    what: &'static str,
}

/// Label of what is measured of each validator.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfValidator {
    validator: String,
}

/// Every metric of the node; names are prefixed `tbsi_`.
pub struct Metrics {
    registry: Registry,
    networks: NetworkMetrics,
    pub(crate) upgrade: UpgradeMetrics,
    pub(crate) process: ProcessMetrics,
    /// Height of the last committed block.
    pub height: Gauge<u64, AtomicU64>,
    /// Leaves whose digests are not in the map.
    pub map_waiting: Gauge<u64, AtomicU64>,
    /// Round that consensus is in.
    pub round: Gauge<u64, AtomicU64>,
    /// Validators without a vote at a height that takes long.
    pub missing_validators: Gauge<u64, AtomicU64>,
    /// 1 while this validator's signer does not sign.
    pub abstains: Gauge<u64, AtomicU64>,
    /// 1 once another process was heard to sign with this validator's key.
    pub twin_seen: Gauge<u64, AtomicU64>,
    proposals_dropped: Family<Dropped, Counter>,
    logs_mended: Family<Mended, Counter>,
    clocks_ahead: Family<OfValidator, Gauge<i64, AtomicI64>>,
    /// Connected peers.
    pub peers: Gauge<u64, AtomicU64>,
    /// Blocks to the highest tip of peers that is believed or proven.
    pub behind: Gauge<u64, AtomicU64>,
    /// Transactions that a block could include.
    pub mempool_pending: Gauge<u64, AtomicU64>,
    /// Transactions that wait for an earlier nonce.
    pub mempool_queued: Gauge<u64, AtomicU64>,
    /// Bytes of both.
    pub mempool_bytes: Gauge<u64, AtomicU64>,
    /// Blocks committed since start.
    pub blocks: Counter,
    /// Transactions in them.
    pub transactions: Counter,
    /// Gas used by them.
    pub gas: Counter,
    transactions_denied: Family<Refusal, Counter>,
    /// Transactions that entered the pool.
    pub transactions_accepted: Counter,
    transactions_refused: Family<Refusal, Counter>,
    /// Transactions that the pool had taken and that left it without being in a block.
    pub transactions_dropped: DropCounter,
    /// Transactions that a restart of the node would lose, since its file could not be written.
    pub transactions_unkept: Counter,
    /// Transactions that were told to peers again.
    pub transactions_told: Counter,
    /// Pieces of evidence of equivocation recorded.
    pub evidence: Counter,
    /// Logs that this node cosigned as a validator.
    pub cosigned: Counter,
    /// Cosignatures of others that were new and right.
    pub cosignatures_taken: Counter,
    cosignatures_dropped: Family<Drop, Counter>,
    /// Logs that this node cosigned with its post-quantum key.
    pub post_quantum_cosigned: Counter,
    /// Post-quantum cosignatures of others that were new and right.
    pub post_quantum_taken: Counter,
    post_quantum_dropped: Family<Drop, Counter>,
    /// Cosignatures that outside witnesses gave.
    pub witnessed: Counter,
    /// Time stamps that somebody might ask for.
    pub timestamps_admitted: Counter,
    timestamps_refused: Family<Refusal, Counter>,
    certificates_left: Family<Certificate, Gauge<u64, AtomicU64>>,
    /// Bytes of the database that were read again.
    pub(crate) scrubbed_bytes: Counter,
    /// Times that all of it was.
    pub(crate) scrubs: Counter,
    /// Time to execute a block.
    pub execute_seconds: Histogram,
    /// Time to compute a state root.
    pub root_seconds: Histogram,
    /// Time to commit a block to disk.
    pub commit_seconds: Histogram,
}

fn latency() -> Histogram {
    // 100 microseconds to 6.5 seconds.
    Histogram::new(exponential_buckets(0.0001, 2.0, 17))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("tbsi"),
            networks: NetworkMetrics::default(),
            upgrade: UpgradeMetrics::default(),
            process: ProcessMetrics::default(),
            height: Gauge::default(),
            map_waiting: Gauge::default(),
            round: Gauge::default(),
            missing_validators: Gauge::default(),
            abstains: Gauge::default(),
            twin_seen: Gauge::default(),
            proposals_dropped: Family::default(),
            logs_mended: Family::default(),
            clocks_ahead: Family::default(),
            peers: Gauge::default(),
            behind: Gauge::default(),
            mempool_pending: Gauge::default(),
            mempool_queued: Gauge::default(),
            mempool_bytes: Gauge::default(),
            blocks: Counter::default(),
            transactions: Counter::default(),
            gas: Counter::default(),
            transactions_denied: Family::default(),
            transactions_accepted: Counter::default(),
            transactions_refused: Family::default(),
            transactions_dropped: DropCounter::default(),
            transactions_unkept: Counter::default(),
            transactions_told: Counter::default(),
            evidence: Counter::default(),
            cosigned: Counter::default(),
            cosignatures_taken: Counter::default(),
            cosignatures_dropped: Family::default(),
            post_quantum_cosigned: Counter::default(),
            post_quantum_taken: Counter::default(),
            post_quantum_dropped: Family::default(),
            witnessed: Counter::default(),
            timestamps_admitted: Counter::default(),
            timestamps_refused: Family::default(),
            certificates_left: Family::default(),
            scrubbed_bytes: Counter::default(),
            scrubs: Counter::default(),
            execute_seconds: latency(),
            root_seconds: latency(),
            commit_seconds: latency(),
        };
        metrics.register();
        metrics.register_consensus();
        metrics.register_pool();
        metrics.register_cosignatures();
        metrics.register_timestamps();
        metrics.register_upkeep();
        metrics.networks.register(&mut metrics.registry);
        metrics.upgrade.register(&mut metrics.registry);
        metrics.process.register(&mut metrics.registry);
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let mut gauge = |name: &str, help: &str, gauge: &Gauge<u64, AtomicU64>| {
            registry.register(name, help, gauge.clone());
        };
        gauge(
            "consensus_height",
            "Height of the last committed block",
            &self.height,
        );
        let help = "Leaves whose digests are not in the map";
        gauge("map_waiting", help, &self.map_waiting);
        gauge("consensus_round", "Round that consensus is in", &self.round);
        let help = "Validators without a vote at a height that takes long";
        gauge(
            "consensus_missing_validators",
            help,
            &self.missing_validators,
        );
        gauge("p2p_peers", "Connected peers", &self.peers);
        gauge(
            "sync_behind",
            "Blocks to the highest tip of peers that is believed or proven",
            &self.behind,
        );
        gauge(
            "mempool_pending",
            "Transactions that a block could include",
            &self.mempool_pending,
        );
        let help = "Transactions that wait for an earlier nonce";
        gauge("mempool_queued", help, &self.mempool_queued);
        gauge(
            "mempool_bytes",
            "Bytes of pooled transactions",
            &self.mempool_bytes,
        );
        let mut counter = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        counter("blocks", "Blocks committed since start", &self.blocks);
        counter(
            "transactions",
            "Transactions in committed blocks",
            &self.transactions,
        );
        counter("gas", "Gas used by committed blocks", &self.gas);
        counter(
            "evidence",
            "Evidence of equivocation recorded",
            &self.evidence,
        );
        let mut histogram = |name: &str, help: &str, histogram: &Histogram| {
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        };
        histogram("execute", "Time to execute a block", &self.execute_seconds);
        histogram(
            "state_root",
            "Time to compute a state root",
            &self.root_seconds,
        );
        histogram(
            "commit",
            "Time to commit a block to disk",
            &self.commit_seconds,
        );
    }

    fn register_consensus(&mut self) {
        let registry = &mut self.registry;
        let help = "1 while this validator's signer does not sign";
        registry.register("consensus_abstains", help, self.abstains.clone());
        let help = "1 once another process was heard to sign with this validator's key";
        registry.register("consensus_twin_seen", help, self.twin_seen.clone());
        let help = "Proposals that were not voted for when they came";
        let dropped = self.proposals_dropped.clone();
        registry.register("consensus_proposals_dropped", help, dropped);
        let help = "Write-ahead logs of consensus that were damaged when the node started";
        registry.register("consensus_log_mended", help, self.logs_mended.clone());
        let help = "By how much a validator's last new block was ahead of this node's clock";
        let ahead = self.clocks_ahead.clone();
        registry.register("consensus_clock_ahead_ms", help, ahead);
    }

    fn register_upkeep(&mut self) {
        let registry = &mut self.registry;
        let help = "Bytes of the database that were read again, to compare their checksums";
        registry.register("scrub_bytes", help, self.scrubbed_bytes.clone());
        let help = "Times that the whole database was read again";
        registry.register("scrubs", help, self.scrubs.clone());
    }

    fn register_pool(&mut self) {
        let registry = &mut self.registry;
        let help = "Transactions in committed blocks that failed because their senders lack a \
                    permission or quota";
        registry.register(
            "transactions_denied",
            help,
            self.transactions_denied.clone(),
        );
        let mut counter = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        let help = "Transactions that entered the mempool";
        counter("mempool_accepted", help, &self.transactions_accepted);
        let help = "Transactions that were told to peers again";
        counter("mempool_told_again", help, &self.transactions_told);
        let help = "Transactions sent to this node that its restart would lose";
        counter("mempool_unkept", help, &self.transactions_unkept);
        let help = "Transactions that did not enter the mempool";
        registry.register("mempool_refused", help, self.transactions_refused.clone());
        let help = "Transactions that left the mempool without being in a block";
        registry.register("mempool_dropped", help, self.transactions_dropped.clone());
    }

    fn register_cosignatures(&mut self) {
        let registry = &mut self.registry;
        let mut counter = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        let help = "Logs that this node cosigned as a validator";
        counter("log_cosigned", help, &self.cosigned);
        let help = "Cosignatures of other validators that were new and right";
        counter("log_cosignatures_taken", help, &self.cosignatures_taken);
        let help = "Logs that this node cosigned as a validator with its post-quantum key";
        counter(
            "log_post_quantum_cosigned",
            help,
            &self.post_quantum_cosigned,
        );
        let help = "Post-quantum cosignatures of other validators that were new and right";
        counter("log_post_quantum_taken", help, &self.post_quantum_taken);
        let help = "Cosignatures that outside witnesses gave";
        counter("log_witnessed", help, &self.witnessed);
        let help = "Cosignatures of other validators that were dropped";
        let dropped = self.cosignatures_dropped.clone();
        registry.register("log_cosignatures_dropped", help, dropped);
        let help = "Post-quantum cosignatures of other validators that were dropped";
        let dropped = self.post_quantum_dropped.clone();
        registry.register("log_post_quantum_dropped", help, dropped);
    }

    /// Takes over what the networks count themselves; that of consensus, once it runs.
    pub fn look_at_networks(&self, gossip: &GossipHandle, consensus: Option<&NetworkMonitor>) {
        let networks = &self.networks;
        networks.look(&gossip.queues());
        networks.happened("gossip", &gossip.monitor().counts());
        networks.peers("gossip", &gossip.peers());
        networks.refused("gossip", &[("rate", gossip.counts().rate_dropped)]);
        if let Some(consensus) = consensus {
            networks.look(&consensus.queues());
            networks.happened("consensus", &consensus.swarm().counts());
            networks.peers("consensus", &consensus.swarm().peers());
            networks.refused("consensus", &consensus.refused());
        }
    }

    fn register_timestamps(&mut self) {
        let registry = &mut self.registry;
        let help = "Time stamps that somebody might ask for";
        let admitted = self.timestamps_admitted.clone();
        registry.register("tsa_admitted", help, admitted);
        let help = "Time stamps that were asked for and not made, by reason";
        registry.register("tsa_refused", help, self.timestamps_refused.clone());
        let help =
            "Seconds until a certificate of this node ends: of its time stamps (tsa) or of TLS";
        let left = self.certificates_left.clone();
        registry.register("certificate_left_seconds", help, left);
    }

    /// Notes for how many seconds certificates of this node are still valid; `of` is from a fixed
    /// list.
    pub fn certificate_left(&self, of: &'static str, seconds: u64) {
        let left = &self.certificates_left;
        left.get_or_create(&Certificate { of }).set(seconds);
    }

    /// Counts a time stamp that was refused; `reason` is from a fixed list.
    pub fn timestamp_refused(&self, reason: &'static str) {
        self.timestamps_refused
            .get_or_create(&Refusal { reason })
            .inc();
    }

    /// Counts a transaction that failed in its block since its sender may not do what it tried;
    /// `reason` is from a fixed list.
    pub(crate) fn transaction_denied(&self, reason: &'static str) {
        self.transactions_denied
            .get_or_create(&Refusal { reason })
            .inc();
    }

    /// Counts a transaction that did not enter the pool; `reason` is from a fixed list.
    pub fn transaction_refused(&self, reason: &'static str) {
        self.transactions_refused
            .get_or_create(&Refusal { reason })
            .inc();
    }

    /// Counts a proposal that was not voted for when it came; `reason` is from a fixed list.
    pub fn proposal_dropped(&self, reason: &'static str) {
        self.proposals_dropped
            .get_or_create(&Dropped { reason })
            .inc();
    }

    /// Counts a write-ahead log that was damaged; `what` was done is from a fixed list.
    pub fn log_mended(&self, what: &'static str) {
        self.logs_mended.get_or_create(&Mended { what }).inc();
    }

    /// Notes how far the time of a validator's block was ahead of this node's clock.
    pub fn clock_ahead(&self, validator: Address, ms: i64) {
        let validator = validator.to_string();
        self.clocks_ahead
            .get_or_create(&OfValidator { validator })
            .set(ms);
    }

    /// Forgets what was measured of validators: some left.
    pub fn forget_validators(&self) {
        self.clocks_ahead.clear();
    }

    /// Counts a post-quantum cosignature that was dropped; `reason` is from a fixed list.
    pub fn post_quantum_dropped(&self, reason: &'static str) {
        self.post_quantum_dropped
            .get_or_create(&Drop { reason })
            .inc();
    }

    /// Counts a cosignature that was dropped; `reason` is from a fixed list.
    pub fn cosignature_dropped(&self, reason: &'static str) {
        self.cosignatures_dropped
            .get_or_create(&Drop { reason })
            .inc();
    }

    /// Notes how long something took.
    pub fn observe(histogram: &Histogram, elapsed: Duration) {
        histogram.observe(elapsed.as_secs_f64());
    }

    /// All metrics, the consensus engine's included.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail; an empty page would say so.
        if encode(&mut text, &self.registry).is_err() {
            text.clear();
        }
        // One document ends once (OpenMetrics).
        let own = text.trim_end().trim_end_matches("# EOF");
        format!("{own}{}", tbsi_engine::metrics_text())
    }
}
