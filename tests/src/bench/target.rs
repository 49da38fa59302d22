//! What is measured: a network of TBSI nodes, or one anvil.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use alloy_primitives::{Bytes, hex};
use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tbsi_home::Home;
use tbsi_home::config::{Config, HISTORY_ALL};
use tbsi_testnet::{DEVELOPMENT_CHAIN_ID, Network, NetworkSpec, START_TIMEOUT};
use tbsi_types::{Address, Height};
use tokio::time::{Instant, sleep};

use super::http::Connection;
use super::workload::{RUNTIME_CODE, deployment};

/// How long a single transaction may take during set-up.
const SETUP_TIMEOUT: Duration = Duration::from_secs(30);
const SETUP_POLL: Duration = Duration::from_millis(20);

/// A running chain, as the load generator sees it.
#[derive(Clone, Debug)]
pub struct Target {
    /// For people and for the report.
    pub name: String,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// JSON-RPC of every node.
    pub endpoints: Vec<SocketAddr>,
    /// Processes of the nodes.
    pub pids: Vec<u32>,
    /// The contract that storage writes call.
    pub contract: Address,
    /// What the first node says it is.
    pub version: String,
}

async fn version(endpoint: SocketAddr) -> anyhow::Result<String> {
    let mut connection = Connection::new(endpoint);
    connection.call("web3_clientVersion", json!([])).await
}

/// Which states the nodes of a network keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Those of the last blocks, as nodes do unless they are told otherwise.
    Window,
    /// All, as anvil and `geth --dev` do.
    All,
}

/// Makes a network of validators in `dir`, starts it, and deploys the storage contract.
pub async fn start_tbsi(
    validators: usize,
    binary: &Path,
    dir: &Path,
    keeps: Keeps,
) -> anyhow::Result<(Network, Target)> {
    let spec = NetworkSpec::new(dir, validators, 0);
    let mut network = Network::create(&spec, binary).context("make the network")?;
    if keeps == Keeps::All {
        for node in 0..validators {
            let file = Home::new(network.home(node)).config_file();
            let mut config = Config::load(&file).context("read a node's configuration")?;
            config.store.history_blocks = HISTORY_ALL;
            fs::write(file, config.to_toml()).context("write a node's configuration")?;
        }
    }
    network.start_all().context("start the network")?;
    network
        .wait_all(Height(1), START_TIMEOUT, &mut |_| ())
        .await
        .context("wait for the first block")?;
    let endpoints: Vec<SocketAddr> = network.nodes().iter().map(|node| node.rpc).collect();
    let mut target = Target {
        name: format!("tbsi ({validators} validators)"),
        chain_id: network.chain_id(),
        version: version(endpoints[0]).await?,
        endpoints,
        pids: pids(&mut network)?,
        contract: Address::ZERO,
    };
    target.contract = deploy(&target).await?;
    Ok((network, target))
}

/// Process ids of all nodes, which must run.
pub fn pids(network: &mut Network) -> anyhow::Result<Vec<u32>> {
    (0..network.nodes().len())
        .map(|node| {
            let pid = network.pid(node);
            let pid = pid.with_context(|| {
                format!(
                    "node {node} does not run; its log ends\n{}",
                    network.log_tail(node)
                )
            })?;
            u32::try_from(pid).context("process id")
        })
        .collect()
}

/// A running anvil; killed when dropped.
pub struct Anvil {
    child: Child,
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // One that ended already cannot be killed, which is as well.
        self.child.kill().and_then(|()| self.child.wait()).ok();
    }
}

/// Where npm puts anvil's native program below `node_modules`. The script in `.bin` would be
/// another process.
pub fn anvil_binary(node_modules: &Path) -> PathBuf {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let package = format!("anvil-{}-{architecture}", std::env::consts::OS);
    node_modules
        .join("@foundry-rs")
        .join(package)
        .join("bin/anvil")
}

/// When anvil makes blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mining<'a> {
    /// As soon as there is a transaction: its default, and its best latency.
    AtOnce,
    /// Every so many seconds. Under load, mining at once makes about one transaction a block,
    /// however many wait, and caps anvil near 100 per second; with an interval it does thousands.
    Every(&'a str),
}

impl<'a> Mining<'a> {
    /// The mode for so many seconds between blocks; 0 is at once.
    pub fn from_block_time(seconds: &'a str) -> Self {
        match seconds {
            "0" => Self::AtOnce,
            _ => Self::Every(seconds),
        }
    }
}

/// Flags of anvil: no fees, as on TBSI, and TBSI's chain id and block gas limit.
fn anvil_flags(port: u16, dir: &Path, mining: Mining<'_>) -> Vec<String> {
    let mut flags: Vec<String> = format!(
        "--port {port} --chain-id {DEVELOPMENT_CHAIN_ID} --hardfork osaka --accounts 0 \
         --gas-limit 300000000 --gas-price 0 --block-base-fee-per-gas 0 --quiet --cache-path"
    )
    .split(' ')
    .map(String::from)
    .collect();
    flags.push(dir.display().to_string());
    match mining {
        Mining::AtOnce => {}
        Mining::Every(seconds) => flags.extend(["--block-time".into(), seconds.into()]),
    }
    flags
}

/// Starts anvil and deploys the storage contract.
pub async fn start_anvil(
    binary: &Path,
    dir: &Path,
    mining: Mining<'_>,
) -> anyhow::Result<(Anvil, Target)> {
    fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
    let address = listener.local_addr().context("find a free port")?;
    drop(listener);
    let child = Command::new(binary)
        .args(anvil_flags(address.port(), dir, mining))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("start {}", binary.display()))?;
    let anvil = Anvil { child };
    let mut target = Target {
        name: match mining {
            Mining::AtOnce => "anvil (at once)".into(),
            Mining::Every(seconds) => format!("anvil ({seconds} s blocks)"),
        },
        chain_id: DEVELOPMENT_CHAIN_ID,
        endpoints: vec![address],
        pids: vec![anvil.child.id()],
        contract: Address::ZERO,
        version: String::new(),
    };
    let deadline = Instant::now() + SETUP_TIMEOUT;
    target.version = loop {
        match version(address).await {
            Ok(version) => break version,
            Err(error) if Instant::now() >= deadline => {
                return Err(error.context("wait for anvil"));
            }
            Err(_) => sleep(SETUP_POLL).await,
        }
    };
    target.contract = deploy(&target).await?;
    Ok((anvil, target))
}

/// Deploys the storage contract and makes sure that its code is there.
async fn deploy(target: &Target) -> anyhow::Result<Address> {
    let (encoded, contract) = deployment(target.chain_id);
    let mut connection = Connection::new(target.endpoints[0]);
    let encoded = hex::encode_prefixed(encoded);
    let hash: Value = connection
        .call("eth_sendRawTransaction", json!([encoded]))
        .await
        .context("deploy the storage contract")?;
    let deadline = Instant::now() + SETUP_TIMEOUT;
    loop {
        let code: Bytes = connection
            .call("eth_getCode", json!([contract, "latest"]))
            .await?;
        if !code.is_empty() {
            ensure!(
                code[..] == RUNTIME_CODE,
                "contract {contract} has code {code}"
            );
            return Ok(contract);
        }
        if Instant::now() >= deadline {
            let seconds = SETUP_TIMEOUT.as_secs();
            bail!("deployment {hash} was not executed within {seconds} s");
        }
        sleep(SETUP_POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_interval_adds_a_block_time() {
        let flags = |seconds| anvil_flags(1, Path::new("a b"), Mining::from_block_time(seconds));
        assert_eq!(flags("0").last().map(String::as_str), Some("a b"));
        assert_eq!(flags("0.1")[flags("0").len()..], ["--block-time", "0.1"]);
    }
}
