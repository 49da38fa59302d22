//! A network's processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use nix::sys::signal::Signal;
use tbsi_rpc::Client;
use tbsi_types::{B256, Height};
use tokio::time::{Instant, sleep};

use crate::error::NetworkError;
use crate::files;
use crate::manifest::{Manifest, NodeInfo};
use crate::process::{self, Process};
use crate::spec::NetworkSpec;

/// How long a network may take until every node has a block. Generous: a slow machine starts
/// all nodes at once.
pub const START_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a node may take to end after SIGTERM before it is killed.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a killed process may take to disappear.
const DEATH_TIMEOUT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A network on this machine. Nodes are numbered from 0, validators first.
///
/// Dropping it kills the nodes that it started, unless [`Network::detach`] was called.
#[derive(Debug)]
pub struct Network {
    dir: PathBuf,
    binary: PathBuf,
    manifest: Manifest,
    /// Processes started by this value, to be reaped.
    children: BTreeMap<usize, Child>,
}

impl Network {
    /// Makes the files of a new network in a directory that is absent or empty. `binary` is
    /// the `tbsi` that its nodes run.
    pub fn create(spec: &NetworkSpec, binary: &Path) -> Result<Self, NetworkError> {
        let manifest = files::create(spec)?;
        Ok(Self::new(&spec.dir, binary, manifest))
    }

    /// Opens the network in `dir`, running or not.
    pub fn open(dir: &Path, binary: &Path) -> Result<Self, NetworkError> {
        Ok(Self::new(dir, binary, Manifest::load(dir)?))
    }

    /// Whether `dir` holds a complete network.
    pub fn exists(dir: &Path) -> bool {
        dir.join(crate::manifest::MANIFEST).exists()
    }

    fn new(dir: &Path, binary: &Path, manifest: Manifest) -> Self {
        Self {
            dir: dir.into(),
            binary: binary.into(),
            manifest,
            children: BTreeMap::new(),
        }
    }

    /// Nodes that start from now on run another program.
    pub fn run_by(&mut self, binary: &Path) {
        self.binary = binary.into();
    }

    /// Where its files are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The genesis file.
    pub fn genesis_file(&self) -> PathBuf {
        self.dir.join(files::GENESIS)
    }

    /// The key of a development account, numbered from 1, as `tbsi attest --key` takes it.
    pub fn development_key_file(&self, number: usize) -> PathBuf {
        files::development_key_file(&self.dir, number)
    }

    /// EIP-155 chain id.
    pub fn chain_id(&self) -> u64 {
        self.manifest.chain_id
    }

    /// Hash of the genesis file.
    pub fn genesis_hash(&self) -> B256 {
        self.manifest.genesis_hash
    }

    /// Every node, validators first.
    pub fn nodes(&self) -> &[NodeInfo] {
        &self.manifest.nodes
    }

    /// The home directory of a node.
    pub fn home(&self, node: usize) -> PathBuf {
        self.dir.join(&self.manifest.nodes[node].name)
    }

    /// Where a node serves JSON-RPC over HTTP.
    pub fn rpc_url(&self, node: usize) -> String {
        format!("http://{}", self.manifest.nodes[node].rpc)
    }

    /// Where a node serves JSON-RPC over WebSocket.
    pub fn ws_url(&self, node: usize) -> String {
        format!("ws://{}", self.manifest.nodes[node].rpc)
    }

    /// Where a node serves health and metrics.
    pub fn metrics_url(&self, node: usize) -> String {
        format!("http://{}", self.manifest.nodes[node].metrics)
    }

    /// The last lines of a node's log.
    pub fn log_tail(&self, node: usize) -> String {
        process::log_tail(&self.home(node))
    }

    /// Process id of a node, if it runs; whoever started it.
    pub fn pid(&mut self, node: usize) -> Option<i32> {
        self.process(node).map(|process| process.pid)
    }

    fn process(&mut self, node: usize) -> Option<Process> {
        if let Some(child) = self.children.get_mut(&node)
            && !matches!(child.try_wait(), Ok(None))
        {
            self.children.remove(&node);
        }
        process::running(&self.home(node))
    }

    /// Starts a node that does not run.
    pub fn start(&mut self, node: usize) -> Result<(), NetworkError> {
        if self.process(node).is_some() {
            let node = self.manifest.nodes[node].name.clone();
            return Err(NetworkError::Running { node });
        }
        let child = process::spawn(&self.binary, &self.home(node))?;
        self.children.insert(node, child);
        Ok(())
    }

    /// Starts all nodes that do not run; returns how many it started.
    pub fn start_all(&mut self) -> Result<usize, NetworkError> {
        let mut started = 0;
        for node in 0..self.manifest.nodes.len() {
            if self.process(node).is_none() {
                self.start(node)?;
                started += 1;
            }
        }
        Ok(started)
    }

    /// Sends a signal to a node; with SIGKILL, returns when it is gone. A node that does not
    /// run is left alone.
    pub async fn kill(&mut self, node: usize, signal: Signal) -> Result<(), NetworkError> {
        let Some(process) = self.process(node) else {
            return Ok(());
        };
        process.signal(signal);
        if signal == Signal::SIGKILL && !self.ended(node, DEATH_TIMEOUT).await {
            return Err(NetworkError::Immortal {
                node: self.manifest.nodes[node].name.clone(),
                pid: process.pid,
            });
        }
        Ok(())
    }

    /// Kills a node as a power cut would (SIGKILL), and waits until it is gone.
    pub async fn kill9(&mut self, node: usize) -> Result<(), NetworkError> {
        self.kill(node, Signal::SIGKILL).await
    }

    /// Asks a node to end (SIGTERM), and kills it if it has not within [`STOP_TIMEOUT`].
    pub async fn stop(&mut self, node: usize) -> Result<(), NetworkError> {
        self.kill(node, Signal::SIGTERM).await?;
        self.bury(node, STOP_TIMEOUT).await
    }

    /// Stops all nodes at once; see [`Network::stop`]. Returns how many ran.
    pub async fn stop_all(&mut self) -> Result<usize, NetworkError> {
        let mut ran = 0;
        for node in 0..self.manifest.nodes.len() {
            ran += usize::from(self.process(node).is_some());
            self.kill(node, Signal::SIGTERM).await?;
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        for node in 0..self.manifest.nodes.len() {
            let left = deadline.saturating_duration_since(Instant::now());
            self.bury(node, left).await?;
        }
        Ok(ran)
    }

    async fn bury(&mut self, node: usize, within: Duration) -> Result<(), NetworkError> {
        if self.ended(node, within).await {
            return Ok(());
        }
        self.kill9(node).await
    }

    async fn ended(&mut self, node: usize, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        while self.process(node).is_some() {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(POLL_INTERVAL).await;
        }
        true
    }

    /// Waits until a node reports `height` or more; returns what it reports. Fails at once if
    /// its process ends.
    pub async fn wait_height(
        &mut self,
        node: usize,
        height: Height,
        within: Duration,
    ) -> Result<Height, NetworkError> {
        let deadline = Instant::now() + within;
        let url = self.rpc_url(node);
        loop {
            let name = || self.manifest.nodes[node].name.clone();
            let seen = match reported(&url).await {
                Ok(reported) if reported >= height => return Ok(reported),
                Ok(reported) => format!("it is at height {reported}"),
                Err(error) => error,
            };
            if Instant::now() >= deadline {
                return Err(NetworkError::TooSlow {
                    node: name(),
                    height,
                    within,
                    seen,
                    log: self.log_tail(node),
                });
            }
            let node_name = name();
            if self.process(node).is_none() {
                return Err(NetworkError::Exited {
                    node: node_name,
                    log: self.log_tail(node),
                });
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits until every node reports `height` or more, within one deadline for all; tells
    /// `progress` of each that does.
    pub async fn wait_all(
        &mut self,
        height: Height,
        within: Duration,
        progress: &mut dyn FnMut(&NodeInfo),
    ) -> Result<(), NetworkError> {
        let deadline = Instant::now() + within;
        for node in 0..self.manifest.nodes.len() {
            let left = deadline.saturating_duration_since(Instant::now());
            self.wait_height(node, height, left).await?;
            progress(&self.manifest.nodes[node]);
        }
        Ok(())
    }

    /// Lets the nodes outlive this value.
    pub fn detach(&mut self) {
        self.children.clear();
    }

    /// Removes the files of a network none of whose nodes runs.
    pub fn remove(mut self) -> Result<(), NetworkError> {
        for node in 0..self.manifest.nodes.len() {
            if self.process(node).is_some() {
                let node = self.manifest.nodes[node].name.clone();
                return Err(NetworkError::Running { node });
            }
        }
        files::remove(&self.dir, &self.manifest)
    }
}

/// The tip of the node at `url`, or why it does not say.
async fn reported(url: &str) -> Result<Height, String> {
    let client = Client::new(url).map_err(|error| error.to_string())?;
    client
        .block_number()
        .await
        .map_err(|error| error.to_string())
}

impl Drop for Network {
    fn drop(&mut self) {
        for child in self.children.values_mut() {
            // One that ended already cannot be killed, which is as well.
            child.kill().and_then(|()| child.wait()).ok();
        }
    }
}

#[cfg(test)]
mod tests;
