//! go-ethereum as a chain of one node on this machine, from the program that Go builds of the
//! module in `tests/geth`.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use alloy_primitives::U64;
use anyhow::{Context, bail, ensure};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::http::Connection;

/// How long it may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);
const START_POLL: Duration = Duration::from_millis(50);

/// Builds the program into `dir`; `package` is the folder of this crate. Go keeps what it has
/// built before.
pub fn build(package: &Path, dir: &Path) -> anyhow::Result<PathBuf> {
    let program = dir.join("geth");
    let output = Command::new("go")
        .args(["build", "-trimpath", "-ldflags", "-s -w", "-o"])
        .arg(&program)
        .arg("github.com/ethereum/go-ethereum/cmd/geth")
        .current_dir(package.join("geth"))
        .output();
    let output = output.context("run go (install Go 1.26, or leave geth out with --skip-geth)")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "go build in tests/geth failed; run `go mod download` there, name a program with --geth, \
         or leave it out with --skip-geth: {}",
        said.trim()
    );
    Ok(program)
}

/// A running node; killed when dropped.
pub struct Geth {
    child: Child,
    /// Its JSON-RPC.
    pub endpoint: SocketAddr,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// What it says it is.
    pub version: String,
}

impl Drop for Geth {
    fn drop(&mut self) {
        // One that ended already cannot be killed, which is as well.
        self.child.kill().and_then(|()| self.child.wait()).ok();
    }
}

impl Geth {
    /// Starts `geth --dev` with its files in `dir`: a block for each transaction as it comes, and
    /// the block gas limit of the other chains.
    pub async fn start(program: &Path, dir: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
        let log = fs::File::create(dir.join("log")).context("a log for geth")?;
        let [http, engine] = free_ports()?;
        let child = Command::new(program)
            .args(flags(http, engine))
            .arg("--datadir")
            .arg(dir.join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let mut geth = Self {
            child,
            endpoint: (Ipv4Addr::LOCALHOST, http).into(),
            chain_id: 0,
            version: String::new(),
        };
        let mut connection = Connection::new(geth.endpoint);
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            match connection.call("web3_clientVersion", json!([])).await {
                Ok(version) => break geth.version = version,
                Err(error) => geth.goes_on(error, deadline, dir)?,
            }
            sleep(START_POLL).await;
        }
        let id: U64 = connection.call("eth_chainId", json!([])).await?;
        geth.chain_id = id.to();
        Ok(geth)
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn goes_on(
        &mut self,
        error: anyhow::Error,
        deadline: Instant,
        dir: &Path,
    ) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait().context("whether geth runs")? {
            let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
            bail!("geth ended with {status}: {}", log.trim());
        }
        match Instant::now() < deadline {
            true => Ok(()),
            false => Err(error.context("wait for geth")),
        }
    }
}

fn flags(http: u16, engine: u16) -> Vec<String> {
    let flags = format!(
        "--dev --dev.gaslimit 300000000 --http --http.addr 127.0.0.1 --http.port {http} --http.api \
         eth,net,web3,debug --authrpc.addr 127.0.0.1 --authrpc.port {engine} --ipcdisable \
         --nodiscover --maxpeers 0 --port 0 --verbosity 2"
    );
    flags.split(' ').map(String::from).collect()
}

/// Ports that nobody uses at the moment.
fn free_ports() -> anyhow::Result<[u16; 2]> {
    let held = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let [one, two] = held;
    let port = |held: TcpListener| held.local_addr().map(|address| address.port());
    let (one, two) = (one.context("a free port")?, two.context("a free port")?);
    Ok([port(one)?, port(two)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listens_on_this_machine_only() {
        let flags = flags(1, 2);
        let after = |name: &str| {
            let at = flags.iter().position(|flag| flag == name).unwrap();
            flags[at + 1].as_str()
        };
        assert_eq!(
            (after("--http.addr"), after("--http.port")),
            ("127.0.0.1", "1")
        );
        assert_eq!(
            (after("--authrpc.addr"), after("--authrpc.port")),
            ("127.0.0.1", "2")
        );
        assert_eq!(after("--maxpeers"), "0");
    }

    #[test]
    fn ports_differ_and_a_missing_program_is_named() {
        let [one, two] = free_ports().unwrap();
        assert_ne!(one, two);
        let error = build(Path::new("nowhere"), Path::new("nowhere")).unwrap_err();
        assert!(error.to_string().contains("--skip-geth"), "{error}");
    }
}
