//! Everybody attests, without end, and keeps what was acknowledged: the client's side of what
//! must not be lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use tbsi_light::{TrustAnchor, verify_bundle};
use tbsi_rpc::Client;
use tbsi_rpc::wire::{Acknowledgement, LeafRange};
use tbsi_types::bundle::ProofBundle;
use tbsi_types::{B256, Height};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::harness::TestNetwork;
use crate::issuer::{Issuer, acknowledge};

/// Digests of a batch.
const BATCH: u64 = 5;
/// A submission that a stopped node swallows.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two submissions of one issuer, and after one that failed.
const PAUSE: Duration = Duration::from_millis(20);

/// A batch that was acknowledged.
#[derive(Clone, Copy, Debug)]
struct Promise {
    transaction: B256,
    leaves: LeafRange,
    height: Height,
}

#[derive(Debug, Default)]
struct Journal {
    promises: Vec<Promise>,
    /// Time from submission to acknowledgement, milliseconds.
    latencies_ms: Vec<u64>,
    /// Why an acknowledgement proved nothing.
    broken: Vec<String>,
    highest: Height,
}

/// The load and its journal. Ends when dropped.
pub struct Load {
    journal: Arc<Mutex<Journal>>,
    /// Promises that every node was asked about.
    audited: usize,
    _issuers: JoinSet<()>,
}

impl Load {
    /// One issuer for each of these nodes.
    ///
    /// # Errors
    /// The genesis is none.
    pub fn start(net: &TestNetwork, nodes: &[usize], name: &str) -> anyhow::Result<Self> {
        let anchor = TrustAnchor::genesis(&net.genesis()).context("the genesis as an anchor")?;
        let journal = Arc::new(Mutex::new(Journal::default()));
        let mut issuers = JoinSet::new();
        for node in nodes {
            let client = net.client(*node);
            let journal = Arc::clone(&journal);
            let chain_id = net.network.chain_id();
            let name = format!("{name}/{node}");
            issuers.spawn(async move {
                // Nobody knows what became of the nonce of a submission without an answer, so a
                // new issuer follows.
                for life in 0u64.. {
                    let mut issuer = Issuer::on(&format!("{name}/{life}"), chain_id);
                    let first = life << 32;
                    for batch in 0.. {
                        let from = first + batch * BATCH;
                        let signed = issuer.batch(from..from + BATCH);
                        let sent = Instant::now();
                        let answer = timeout(ANSWER_TIMEOUT, acknowledge(&client, &signed)).await;
                        sleep(PAUSE).await;
                        let Ok(Ok(acknowledged)) = answer else {
                            break;
                        };
                        lock(&journal).note(&acknowledged, &anchor, sent);
                    }
                }
            });
        }
        Ok(Self {
            journal,
            audited: 0,
            _issuers: issuers,
        })
    }

    /// Batches acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        lock(&self.journal).promises.len()
    }

    /// Highest block of an acknowledgement.
    pub fn highest(&self) -> Height {
        lock(&self.journal).highest
    }

    /// Waits until so many more batches are acknowledged.
    ///
    /// # Errors
    /// They are not within the time.
    pub async fn more(&self, batches: usize, within: Duration) -> anyhow::Result<()> {
        let target = self.acknowledged() + batches;
        let deadline = Instant::now() + within;
        while self.acknowledged() < target {
            ensure!(
                Instant::now() < deadline,
                "{batches} batches are not acknowledged within {within:?}"
            );
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Median and 99th percentile of the time to an acknowledgement since this was last asked,
    /// milliseconds.
    pub fn latency_ms(&self) -> (u64, u64) {
        let mut latencies = std::mem::take(&mut lock(&self.journal).latencies_ms);
        latencies.sort_unstable();
        (percentile(&latencies, 50), percentile(&latencies, 99))
    }

    /// Asks these nodes for every promise since the last audit; returns how many promises there
    /// were so far.
    ///
    /// # Errors
    /// One is lost, or an acknowledgement proved nothing.
    pub async fn audit(&mut self, clients: &[Client]) -> anyhow::Result<usize> {
        self.audited = self.ask(clients, self.audited).await?;
        Ok(self.audited)
    }

    /// The same for all promises so far.
    ///
    /// # Errors
    /// The same.
    pub async fn audit_again(&self, clients: &[Client]) -> anyhow::Result<usize> {
        self.ask(clients, 0).await
    }

    async fn ask(&self, clients: &[Client], from: usize) -> anyhow::Result<usize> {
        let (promises, broken) = {
            let journal = lock(&self.journal);
            (journal.promises.clone(), journal.broken.clone())
        };
        ensure!(
            broken.is_empty(),
            "acknowledgements that prove nothing: {broken:?}"
        );
        for client in clients {
            let highest = promises[from..].iter().map(|promise| promise.height).max();
            catches_up(client, highest.unwrap_or_default()).await?;
            for promise in &promises[from..] {
                let found = client.leaves_of(promise.transaction).await;
                let found = found.with_context(|| format!("ask {}", client.url()))?;
                ensure!(
                    found == Some(promise.leaves),
                    "LOST: {} acknowledged {promise:?}, has {found:?}",
                    client.url()
                );
            }
        }
        Ok(promises.len())
    }
}

impl Journal {
    fn note(&mut self, acknowledged: &Acknowledgement, anchor: &TrustAnchor, sent: Instant) {
        if let Err(problem) = check(acknowledged, anchor) {
            self.broken.push(format!("{problem:#}"));
        }
        let latency = u64::try_from(sent.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.latencies_ms.push(latency);
        self.highest = self.highest.max(acknowledged.height);
        self.promises.push(Promise {
            transaction: acknowledged.transaction_hash,
            leaves: acknowledged.leaves,
            height: acknowledged.height,
        });
    }
}

/// An acknowledgement is one only with a proof that holds.
fn check(acknowledged: &Acknowledgement, anchor: &TrustAnchor) -> anyhow::Result<()> {
    let first = acknowledged.proofs.first().context("no proof")?;
    let bundle = ProofBundle::parse_json(first.get().as_bytes()).context("a bundle")?;
    verify_bundle(&bundle, anchor).context("the bundle proves it")?;
    ensure!(
        bundle.leaf_index == acknowledged.leaves.first,
        "of another leaf"
    );
    ensure!(
        acknowledged.leaves.count == BATCH,
        "of another number of leaves"
    );
    Ok(())
}

/// A node that is behind has lost nothing.
async fn catches_up(client: &Client, height: Height) -> anyhow::Result<()> {
    let deadline = Instant::now() + ANSWER_TIMEOUT;
    while client.block_number().await? < height {
        ensure!(
            Instant::now() < deadline,
            "{} stays below {height}",
            client.url()
        );
        sleep(PAUSE).await;
    }
    Ok(())
}

fn lock(journal: &Mutex<Journal>) -> MutexGuard<'_, Journal> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The value below which so many percent of a sorted list are; 0 of an empty one.
pub fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let last = sorted.len().saturating_sub(1);
    sorted
        .get(last * percent / 100)
        .copied()
        .unwrap_or_default()
}

/// What a process holds in memory, KiB.
///
/// # Errors
/// The process is gone.
pub fn resident_kib(pid: i32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .and_then(|number| number.parse().ok())
        .with_context(|| format!("{path} has no VmRSS"))
}
