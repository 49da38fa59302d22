//! A network whose links, processes and clocks can be hurt.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy_eips::BlockNumberOrTag;
use anyhow::{Context, ensure};
use nix::sys::signal::Signal;
use tbsi_rpc::Client;
use tbsi_testnet::START_TIMEOUT;
use tbsi_types::Height;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::faults::link::Links;
use crate::faults::load::{Load, percentile};
use crate::harness::{TestNetwork, tbsi_binary};

/// How long something takes at most that takes well under a second on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How finely recoveries are measured.
const POLL: Duration = Duration::from_millis(5);
/// Of the reads that watch the chain.
const WATCH_INTERVAL: Duration = Duration::from_millis(50);
/// Nodes of a stage; one may fail.
pub const NODES: usize = 4;

/// Four validators, perhaps with observers.
pub struct Stage {
    /// The processes.
    pub net: TestNetwork,
    /// The links, if they are proxies.
    pub links: Links,
    /// What starts each node.
    starters: TempDir,
}

impl Stage {
    /// Makes a network's files; nothing runs.
    ///
    /// # Errors
    /// Files cannot be written.
    pub fn create(observers: usize) -> anyhow::Result<Self> {
        let starters = tempfile::tempdir().context("a temporary directory")?;
        let starter = starters.path().join("start");
        // Arguments are `node run --home HOME`; a file named after the home may say otherwise.
        let script = format!(
            "#!/bin/sh\nTBSI={}\nfile={}/$(basename \"$4\")\nif [ -f \"$file\" ]; then . \"$file\"; fi\n\
             exec \"$TBSI\" \"$@\"\n",
            tbsi_binary().display(),
            starters.path().display()
        );
        write_script(&starter, &script)?;
        let net = TestNetwork::create_by(&starter, NODES, observers, |_| ());
        Ok(Self {
            net,
            links: Links::new(NODES + observers),
            starters,
        })
    }

    /// The same, running.
    ///
    /// # Errors
    /// A node has no block in time.
    pub async fn start(observers: usize) -> anyhow::Result<Self> {
        let mut stage = Self::create(observers)?;
        stage.start_all().await?;
        Ok(stage)
    }

    /// The same with a proxy in each link.
    ///
    /// # Errors
    /// A node has no block in time.
    pub async fn start_linked() -> anyhow::Result<Self> {
        let mut stage = Self::create(0)?;
        let nodes = stage.net.network.nodes().to_vec();
        for from in 0..nodes.len() {
            let mut doors = Vec::new();
            for (to, node) in nodes.iter().enumerate().filter(|(to, _)| *to != from) {
                let consensus = stage.links.open(from, to, node.consensus).await?;
                let gossip = stage.links.open(from, to, node.gossip).await?;
                doors.push((node.peer_id.clone(), consensus, gossip));
            }
            stage.net.configure(from, |config| {
                // The doors are the only way.
                config.p2p.registry_addresses = false;
                for (id, consensus, gossip) in doors {
                    let mut peers = config.p2p.peers.iter_mut();
                    if let Some(peer) = peers.find(|peer| peer.peer_id == id) {
                        (peer.consensus, peer.gossip) = (consensus, gossip);
                    }
                }
            });
        }
        stage.start_all().await?;
        Ok(stage)
    }

    /// Starts all nodes and waits until each has a block.
    ///
    /// # Errors
    /// One has none in time.
    pub async fn start_all(&mut self) -> anyhow::Result<()> {
        self.net.network.start_all()?;
        for node in 0..self.net.network.nodes().len() {
            let first = self.net.network.wait_height(node, Height(1), START_TIMEOUT);
            first.await?;
        }
        Ok(())
    }

    /// A load through these nodes.
    ///
    /// # Errors
    /// Nothing is acknowledged in time.
    pub async fn load(&self, nodes: &[usize], name: &str) -> anyhow::Result<Load> {
        let load = Load::start(&self.net, nodes, name)?;
        load.more(nodes.len(), PATIENCE).await?;
        Ok(load)
    }

    /// Speaks to every node.
    pub fn clients(&self) -> Vec<Client> {
        let nodes = 0..self.net.network.nodes().len();
        nodes.map(|node| self.net.client(node)).collect()
    }

    /// From now on the node is started by this piece of shell, in which `$TBSI` is the program
    /// and `$@` its arguments; `None`: as usual.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn start_by(&self, node: usize, shell: Option<&str>) -> anyhow::Result<()> {
        let name = &self.net.network.nodes()[node].name;
        let file = self.starters.path().join(name);
        match shell {
            Some(shell) => fs::write(&file, shell.to_owned() + "\n"),
            None => fs::remove_file(&file),
        }
        .with_context(|| format!("how {name} is started"))
    }

    /// A place for files of a fault.
    pub fn scratch(&self) -> &Path {
        self.starters.path()
    }

    /// What a node last signed, as bytes that change with every signature.
    pub fn signed(&self, node: usize) -> Vec<u8> {
        let file = self.net.network.home(node).join("data/sign-state");
        fs::read(file).unwrap_or_default()
    }

    /// Waits until a node signs anything; returns how long that took.
    ///
    /// # Errors
    /// It does not in time, or its process ends.
    pub async fn votes(&mut self, node: usize) -> anyhow::Result<Duration> {
        let (before, since) = (self.signed(node), Instant::now());
        self.votes_after(node, &before, since).await
    }

    /// The same, measured from an earlier moment.
    ///
    /// # Errors
    /// The same.
    pub async fn votes_after(
        &mut self,
        node: usize,
        before: &[u8],
        since: Instant,
    ) -> anyhow::Result<Duration> {
        while self.signed(node) == before {
            let log = || self.net.network.log_tail(node);
            ensure!(
                since.elapsed() < PATIENCE,
                "node {node} signs nothing:\n{}",
                log()
            );
            if self.net.network.pid(node).is_none() {
                anyhow::bail!(
                    "node {node} has ended:\n{}",
                    self.net.network.log_tail(node)
                );
            }
            sleep(POLL).await;
        }
        Ok(since.elapsed())
    }

    /// Starts a node that does not run and waits until it signs; returns how long that took.
    ///
    /// # Errors
    /// It does not in time, or its process ends.
    pub async fn revive(&mut self, node: usize) -> anyhow::Result<Duration> {
        let (before, since) = (self.signed(node), Instant::now());
        self.net.network.start(node)?;
        self.votes_after(node, &before, since).await
    }

    /// Waits until a node's process has ended.
    ///
    /// # Errors
    /// It has not in time.
    pub async fn ends(&mut self, node: usize, within: Duration) -> anyhow::Result<Duration> {
        let since = Instant::now();
        while self.net.network.pid(node).is_some() {
            ensure!(
                since.elapsed() < within,
                "node {node} still runs after {within:?}"
            );
            sleep(POLL).await;
        }
        Ok(since.elapsed())
    }

    /// Sends a signal to a node.
    ///
    /// # Errors
    /// It cannot be sent.
    pub async fn signal(&mut self, node: usize, signal: Signal) -> anyhow::Result<()> {
        Ok(self.net.network.kill(node, signal).await?)
    }

    /// A node's last block.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn tip(&self, node: usize) -> anyhow::Result<Height> {
        let tip = self.net.client(node).block_number().await;
        tip.with_context(|| format!("tip of node {node}"))
    }

    /// Waits until a node has a block above this one; returns how long that took.
    ///
    /// # Errors
    /// It has none in time.
    pub async fn block_above(&self, node: usize, tip: Height) -> anyhow::Result<Duration> {
        let since = Instant::now();
        while self.tip(node).await? <= tip {
            ensure!(
                since.elapsed() < PATIENCE,
                "node {node} has no block above {tip}"
            );
            sleep(POLL).await;
        }
        Ok(since.elapsed())
    }

    /// Blocks that a node gets within this time.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn blocks_in(&self, node: usize, time: Duration) -> anyhow::Result<u64> {
        let before = self.tip(node).await?;
        sleep(time).await;
        Ok(self.tip(node).await?.0 - before.0)
    }

    /// The times between the blocks of a span, by their checkpoints, sorted, milliseconds.
    ///
    /// # Errors
    /// The node does not answer or lacks a block.
    pub async fn intervals(
        &self,
        node: usize,
        from: Height,
        to: Height,
    ) -> anyhow::Result<Vec<u64>> {
        let client = self.net.client(node);
        let mut times = Vec::new();
        for height in from.0..=to.0 {
            let checkpoint = client.checkpoint(BlockNumberOrTag::Number(height)).await?;
            times.push(checkpoint.context("a block of the span")?.time_ms.0);
        }
        let mut intervals: Vec<u64> = times
            .windows(2)
            .map(|pair| pair[1].saturating_sub(pair[0]))
            .collect();
        intervals.sort_unstable();
        Ok(intervals)
    }

    /// Median and 99th percentile of the block intervals within this time, milliseconds.
    ///
    /// # Errors
    /// The node does not answer.
    pub async fn pace(&self, node: usize, time: Duration) -> anyhow::Result<(u64, u64)> {
        let from = self.tip(node).await?;
        sleep(time).await;
        let to = self.tip(node).await?;
        let intervals = self.intervals(node, from, to).await?;
        ensure!(!intervals.is_empty(), "no two blocks within {time:?}");
        Ok((percentile(&intervals, 50), percentile(&intervals, 99)))
    }

    /// Of the blocks of a span, how many were not decided in round 0.
    ///
    /// # Errors
    /// The node does not answer.
    pub async fn late(&self, node: usize, from: Height, to: Height) -> anyhow::Result<usize> {
        let client = self.net.client(node);
        let mut late = 0;
        for height in from.0.max(1)..=to.0 {
            let certificate = client.certificate(BlockNumberOrTag::Number(height)).await?;
            late += usize::from(certificate.context("a certificate of the span")?.round.0 > 0);
        }
        Ok(late)
    }

    /// All nodes have the same blocks, nobody has signed twice, nothing that was acknowledged is
    /// lost, nobody has panicked. Returns how many batches were acknowledged.
    ///
    /// # Errors
    /// What is not so.
    pub async fn judge(&mut self, load: &mut Load) -> anyhow::Result<usize> {
        self.judge_except(load, None).await
    }

    /// The same, but somebody may have signed twice at one height.
    ///
    /// # Errors
    /// What is not so.
    pub async fn judge_except(
        &mut self,
        load: &mut Load,
        except: Option<Height>,
    ) -> anyhow::Result<usize> {
        let clients = self.clients();
        let mut tip = self.tip(0).await?.max(load.highest());
        for node in 0..clients.len() {
            self.net.network.wait_height(node, tip, PATIENCE).await?;
            tip = tip.max(self.tip(node).await?);
        }
        self.same_blocks(&clients).await?;
        for client in &clients {
            let mut evidence = client.evidence().await?.evidence;
            evidence.retain(|evidence| Some(evidence.height) != except);
            ensure!(evidence.is_empty(), "somebody signed twice: {evidence:?}");
        }
        let acknowledged = load.audit(&clients).await?;
        for (node, info) in self.net.network.nodes().iter().enumerate() {
            let log = self.net.log(node);
            ensure!(!log.contains("panicked"), "{} panicked: {log}", info.name);
        }
        Ok(acknowledged)
    }

    /// Compares what every node has of the heights that all have.
    ///
    /// # Errors
    /// Two differ.
    pub async fn same_blocks(&self, clients: &[Client]) -> anyhow::Result<()> {
        let mut common = u64::MAX;
        for client in clients {
            common = common.min(client.block_number().await?.0);
        }
        // The latest stand for those below, which their parents' hashes bind.
        for height in common.saturating_sub(2)..=common {
            let mut seen = Vec::new();
            for client in clients {
                let checkpoint = client.checkpoint(BlockNumberOrTag::Number(height)).await?;
                let checkpoint = checkpoint.context("a common block")?;
                seen.push((checkpoint.block_hash, checkpoint.digest));
            }
            seen.dedup();
            ensure!(seen.len() == 1, "DISAGREEMENT at height {height}: {seen:?}");
        }
        Ok(())
    }

    /// Watches a node's height for so long; returns the longest time without a new block.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn longest_gap(&self, node: usize, time: Duration) -> anyhow::Result<Duration> {
        let client = self.net.client(node);
        let (since, mut at) = (Instant::now(), Instant::now());
        let (mut tip, mut longest) = (client.block_number().await?, Duration::ZERO);
        while since.elapsed() < time {
            sleep(WATCH_INTERVAL).await;
            let now = client.block_number().await?;
            longest = longest.max(at.elapsed());
            if now > tip {
                (tip, at) = (now, Instant::now());
            }
        }
        Ok(longest)
    }
}

/// A file that can be run.
fn write_script(path: &PathBuf, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let write = || {
        fs::write(path, text)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
    };
    write().with_context(|| format!("write {}", path.display()))
}
