//! How long nodes take to come back after SIGKILL.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use alloy_primitives::U64;
use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::json;
use tbsi_testnet::Network;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep};

use super::http::Connection;
use super::schedule::micros;
use super::statistics::Spread;
use super::target::Target;
use super::workload::{Signing, Workload};

/// Time between two transactions of the load that keeps blocks coming: below the least time
/// between blocks.
const FEED_INTERVAL: Duration = Duration::from_millis(10);
/// Time between two looks at a sign-state file or a height.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);
/// How long the network may take to come back.
const RESTART_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a validator stays away.
const AWAY: Duration = Duration::from_secs(2);
/// Without load for this long, every node has every block.
const SETTLE: Duration = Duration::from_secs(1);
/// Longest time without a block while the chain grows.
const GROW_QUIET: Duration = Duration::from_secs(60);

/// Figures; times count from the start of the (first) process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restart {
    /// Height when the first node was killed.
    pub height: u64,
    /// All nodes killed and started together: until the last validator signed again. The
    /// sign-state file, which is synced before a signature leaves, tells when.
    pub all_last_vote_us: Spread,
    /// All nodes killed and started together: until there was a new block.
    pub all_first_block_us: Spread,
    /// One node after the other killed for two seconds, the others under light load: until it
    /// signed again.
    pub one_first_vote_us: Spread,
    /// Blocks that the killed node missed.
    pub one_blocks_missed: Spread,
}

/// A light load from as many senders as transactions; ends when dropped.
struct Feed(JoinHandle<()>);

impl Feed {
    /// Sends to `endpoints` in turn, whether or not they answer.
    fn start(target: &Target, label: String, endpoints: Vec<SocketAddr>) -> Self {
        let target = target.clone();
        Self(tokio::spawn(async move {
            let mut connections: Vec<_> = endpoints.into_iter().map(Connection::new).collect();
            let mut ticks = interval(FEED_INTERVAL);
            let count = connections.len();
            for number in 0usize.. {
                ticks.tick().await;
                let signing = Signing {
                    chain_id: target.chain_id,
                    label: &format!("{label}/{number}"),
                    senders_per_connection: 1,
                    connections: 1,
                    batch: 1,
                    contract: target.contract,
                };
                let prepared = signing.prepare(Workload::Transfer, &[0]);
                // A node that is down takes nothing; there will be another transaction.
                let post = connections[number % count].post(prepared[0].body.clone());
                post.await.ok();
            }
        }))
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Kills and restarts nodes of a network that has made at least `height` blocks, after making
/// the blocks that it lacks.
pub async fn measure(
    network: &mut Network,
    target: &Target,
    height: u64,
    repeats: usize,
) -> anyhow::Result<Restart> {
    let height = grow(target, height).await?;
    let mut all = Vec::new();
    for repeat in 0..repeats.max(1) {
        all.push(kill_all(network, target, &format!("all {repeat}")).await?);
    }
    let mut one = Vec::new();
    for node in 0..target.endpoints.len() {
        one.push(kill_one(network, target, node).await?);
    }
    let some = "at least one run";
    Ok(Restart {
        height,
        all_last_vote_us: Spread::of(all.iter().map(|it| it.0)).expect(some),
        all_first_block_us: Spread::of(all.iter().map(|it| it.1)).expect(some),
        one_first_vote_us: Spread::of(one.iter().map(|it| it.0)).expect(some),
        one_blocks_missed: Spread::of(one.iter().map(|it| it.1)).expect(some),
    })
}

async fn block_number(connection: &mut Connection) -> anyhow::Result<u64> {
    let number: U64 = connection.call("eth_blockNumber", json!([])).await?;
    Ok(number.to())
}

/// Feeds the chain until it has `height` blocks; returns its height.
async fn grow(target: &Target, height: u64) -> anyhow::Result<u64> {
    let mut connection = Connection::new(target.endpoints[0]);
    let mut at = block_number(&mut connection).await?;
    if at >= height {
        return Ok(at);
    }
    let _feed = Feed::start(target, "grow".into(), target.endpoints.clone());
    let mut moved = Instant::now();
    while at < height {
        sleep(Duration::from_millis(200)).await;
        let now = block_number(&mut connection).await?;
        if now > at {
            (at, moved) = (now, Instant::now());
        }
        if moved.elapsed() > GROW_QUIET {
            let seconds = GROW_QUIET.as_secs();
            bail!("no block after {at} for {seconds} s; {height} are needed before the restart");
        }
    }
    Ok(at)
}

/// Until the last vote and until the first block, microseconds.
async fn kill_all(
    network: &mut Network,
    target: &Target,
    label: &str,
) -> anyhow::Result<(u64, u64)> {
    sleep(SETTLE).await;
    let mut connection = Connection::new(target.endpoints[0]);
    let before = block_number(&mut connection).await?;
    let nodes = target.endpoints.len();
    for node in 0..nodes {
        network.kill9(node).await.context("kill")?;
    }
    let mut waiting = Vec::new();
    for node in 0..nodes {
        waiting.push(SignState::note(network, node)?);
    }
    let start = Instant::now();
    network.start_all().context("start all nodes")?;
    let _feed = Feed::start(target, label.into(), target.endpoints.clone());
    let (mut last_vote, mut first_block) = (None, None);
    while last_vote.is_none() || first_block.is_none() {
        waiting.retain(|state| !state.changed());
        if waiting.is_empty() && last_vote.is_none() {
            last_vote = Some(micros(start.elapsed()));
        }
        // Until it listens, the connection is refused at once.
        let height = block_number(&mut connection).await.unwrap_or(0);
        if height > before && first_block.is_none() {
            first_block = Some(micros(start.elapsed()));
        }
        if start.elapsed() > RESTART_TIMEOUT {
            bail!(
                "{} nodes without a vote, height {height} after {before}, {} s after all were \
                 restarted; the log of the first one ends\n{}",
                waiting.len(),
                RESTART_TIMEOUT.as_secs(),
                network.log_tail(0)
            );
        }
        sleep(LOOK_INTERVAL).await;
    }
    let both = last_vote.zip(first_block);
    both.context("the loop ends with both")
}

/// Until the first vote, microseconds, and blocks missed.
async fn kill_one(
    network: &mut Network,
    target: &Target,
    node: usize,
) -> anyhow::Result<(u64, u64)> {
    let own = target.endpoints[node];
    let mut others = target.endpoints.clone();
    others.retain(|endpoint| *endpoint != own);
    let witness = *others.first().unwrap_or(&own);
    let mut witness = Connection::new(witness);
    let before = block_number(&mut witness).await?;
    network.kill9(node).await.context("kill")?;
    let state = SignState::note(network, node)?;
    let feeding = if others.is_empty() { vec![own] } else { others };
    let _feed = Feed::start(target, format!("one {node}"), feeding);
    sleep(AWAY).await;
    let missed = block_number(&mut witness).await.unwrap_or(before) - before;
    let start = Instant::now();
    network.start(node).context("start a node")?;
    while !state.changed() {
        if start.elapsed() > RESTART_TIMEOUT {
            bail!(
                "node {node} has not voted {} s after its restart; its log ends\n{}",
                RESTART_TIMEOUT.as_secs(),
                network.log_tail(node)
            );
        }
        sleep(LOOK_INTERVAL).await;
    }
    Ok((micros(start.elapsed()), missed))
}

/// The sign-state file of a validator as it was at one time.
struct SignState {
    file: PathBuf,
    bytes: Vec<u8>,
}

impl SignState {
    fn note(network: &Network, node: usize) -> anyhow::Result<Self> {
        let file = tbsi_home::Home::new(network.home(node)).sign_state_file();
        let bytes = std::fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        Ok(Self { file, bytes })
    }

    fn changed(&self) -> bool {
        std::fs::read(&self.file).is_ok_and(|bytes| bytes != self.bytes)
    }
}
