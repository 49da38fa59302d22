//! Networks of real processes for tests, and someone who sends transactions to them.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use alloy_consensus::{SignableTransaction, Signed, TxEip1559};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Signature, TxKind, U256};
use tbsi_home::config::Config;
use tbsi_home::{Home, load_genesis};
use tbsi_rpc::{Client, ClientError};
use tbsi_testnet::{DEVELOPMENT_CHAIN_ID, Network, NetworkSpec, START_TIMEOUT};
use tbsi_types::transaction::sign;
use tbsi_types::{Genesis, Height, SecretKey, TxEnvelope};
use tempfile::{NamedTempFile, TempDir};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

/// How long a test waits for something that takes well under a second on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The program under test: `TBSI_BINARY`, or the one that was built beside this test.
pub fn tbsi_binary() -> PathBuf {
    if let Some(binary) = std::env::var_os("TBSI_BINARY") {
        return binary.into();
    }
    let this = std::env::current_exe().expect("a test knows its own path");
    // Tests are built into `deps/`, the benchmark is not.
    let beside = this.ancestors().skip(1).take(2).map(|dir| dir.join("tbsi"));
    let mut beside = beside.filter(|binary| binary.is_file());
    beside
        .next()
        .unwrap_or_else(|| panic!("tbsi is not beside {}; run `cargo build`", this.display()))
}

/// What a command said until it ended by itself.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its stdout.
    pub stdout: String,
    /// Its stderr.
    pub stderr: String,
}

/// Asserts the exit code of a command, and that it said all these words and did not panic.
#[track_caller]
pub fn said(ended: &Ended, code: i32, words: &[&str]) {
    let all = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(code), "{all}");
    for word in words {
        assert!(all.contains(word), "`{word}` is not in: {all}");
    }
    assert!(!all.contains("panicked"), "{all}");
}

/// The one JSON object that a command printed, which succeeded.
#[track_caller]
pub fn json_of(ended: &Ended) -> serde_json::Value {
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    serde_json::from_str(&ended.stdout).expect("one JSON object")
}

/// Runs `tbsi` with these arguments to its end.
pub async fn tbsi<A: AsRef<std::ffi::OsStr>>(args: &[A]) -> Ended {
    run_to_end(&tbsi_binary(), args).await
}

/// Runs a program with these arguments to its end.
pub async fn run_to_end<A: AsRef<std::ffi::OsStr>>(binary: &Path, args: &[A]) -> Ended {
    // Files, not pipes: what a process that does not end has said can be shown.
    let [out, err] = [(); 2].map(|()| NamedTempFile::new().expect("a temporary file"));
    let file = |file: &NamedTempFile| file.reopen().expect("it was just made");
    let said = |file: &NamedTempFile| {
        let bytes = std::fs::read(file.path()).expect("tbsi's output");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let mut running = Command::new(binary)
        .args(args)
        // Commands name their nodes, whatever the caller's environment says.
        .env_remove("TBSI_RPC_URL")
        .env_remove("ETH_RPC_URL")
        .stdin(Stdio::null())
        .stdout(file(&out))
        .stderr(file(&err))
        .kill_on_drop(true)
        .spawn()
        .expect("tbsi starts");
    let status = timeout(PATIENCE, running.wait())
        .await
        .unwrap_or_else(|_| panic!("tbsi has not ended after {PATIENCE:?}:\n{}", said(&err)))
        .expect("tbsi's status can be read");
    Ended {
        code: status.code(),
        stdout: said(&out),
        stderr: said(&err),
    }
}

/// Runs the node of a home that it must refuse: it ends by itself with code 1, does not
/// panic, and its last line has all these words.
pub async fn assert_refuses_to_run(home: &Path, words: &[&str]) {
    let args = [
        "node".as_ref(),
        "run".as_ref(),
        "--home".as_ref(),
        home.as_os_str(),
    ];
    let Ended { code, stderr, .. } = tbsi(&args).await;
    assert_eq!(code, Some(1), "{words:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    let line = stderr.lines().last().unwrap_or_default();
    for word in words {
        assert!(line.contains(word), "`{word}` is not in: {line}");
    }
}

/// A network in a temporary directory. Its nodes end with it.
pub struct TestNetwork {
    /// The processes.
    pub network: Network,
    dir: TempDir,
}

/// The longest period of the map.
const MAP_PERIOD_MAX_MS: u64 = 86_400_000;

impl TestNetwork {
    /// Makes the files of a network and starts nothing.
    pub fn create(validators: usize, observers: usize) -> Self {
        Self::create_with_id(DEVELOPMENT_CHAIN_ID, validators, observers)
    }

    /// The same with another chain id.
    pub fn create_with_id(chain_id: u64, validators: usize, observers: usize) -> Self {
        Self::create_with(validators, observers, |spec| spec.chain_id = chain_id)
    }

    /// The same with anything else in its description.
    pub fn create_with(
        validators: usize,
        observers: usize,
        change: impl FnOnce(&mut NetworkSpec),
    ) -> Self {
        Self::create_by(&tbsi_binary(), validators, observers, change)
    }

    /// The same with another program that starts the nodes.
    pub fn create_by(
        binary: &Path,
        validators: usize,
        observers: usize,
        change: impl FnOnce(&mut NetworkSpec),
    ) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut spec = NetworkSpec::new(dir.path().join("network"), validators, observers);
        // Roots of the map (SPEC §9.11) come when a test asks for them: others count leaves.
        spec.consensus.map_period_ms = Some(MAP_PERIOD_MAX_MS);
        change(&mut spec);
        let network = Network::create(&spec, binary).expect("a network's files");
        Self { network, dir }
    }

    /// Starts all nodes and waits until each has a block.
    pub async fn start(validators: usize, observers: usize) -> Self {
        Self::create(validators, observers).started().await
    }

    /// Starts all nodes and waits until each has a block.
    pub async fn started(mut self) -> Self {
        let this = &mut self;
        this.network.start_all().expect("all nodes start");
        let ready = this
            .network
            .wait_all(Height(1), START_TIMEOUT, &mut |_| ())
            .await;
        ready.unwrap_or_else(|error| panic!("{error}"));
        self
    }

    /// A scratch directory that lives as long as the network.
    pub fn scratch(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// A node's home directory.
    pub fn home(&self, node: usize) -> Home {
        Home::new(self.network.home(node))
    }

    /// The genesis that all nodes share.
    pub fn genesis(&self) -> Genesis {
        load_genesis(&self.network.genesis_file()).expect("the network's genesis")
    }

    /// Changes the configuration of a node that does not run.
    pub fn configure(&self, node: usize, change: impl FnOnce(&mut Config)) {
        let file = self.home(node).config_file();
        let mut config = Config::load(&file).expect("the node's configuration");
        change(&mut config);
        fs::write(file, config.to_toml()).expect("write the node's configuration");
    }

    /// The address of a validator's key.
    pub fn validator_address(&self, node: usize) -> Address {
        let home = self.home(node).load().expect("the node's home");
        let key = home.validator_key.expect("the node validates");
        key.public_key().address()
    }

    /// All that a node has logged.
    pub fn log(&self, node: usize) -> String {
        let log = fs::read(self.network.home(node).join("node.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Fails if any node has panicked.
    pub fn assert_no_panic(&self) {
        for (index, node) in self.network.nodes().iter().enumerate() {
            let log = self.log(index);
            assert!(!log.contains("panicked"), "{}: {log}", node.name);
        }
    }

    /// Speaks to a node.
    pub fn client(&self, node: usize) -> Client {
        Client::new(&self.network.rpc_url(node)).expect("a node's URL is one")
    }

    /// Waits until `node` is at `height` or above.
    pub async fn wait_height(&mut self, node: usize, height: Height) {
        let reached = self.network.wait_height(node, height, PATIENCE).await;
        reached.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Hash of a block as a node tells it; `None` if it has no such block.
    pub async fn block_hash(&self, node: usize, height: Height) -> Option<B256> {
        let checkpoint = self
            .client(node)
            .checkpoint(BlockNumberOrTag::Number(height.0))
            .await;
        checkpoint
            .expect("the node answers")
            .map(|checkpoint| checkpoint.block_hash)
    }
}

/// A key without funds that sends transfers of nothing.
pub struct Sender {
    key: SecretKey,
    chain_id: u64,
    nonce: u64,
}

impl Sender {
    /// A sender whose account nobody has used.
    pub fn new(name: &str, chain_id: u64) -> Self {
        Self::of(SecretKey::from_seed(name.as_bytes()), chain_id)
    }

    /// A sender with this key, which has sent nothing yet.
    pub fn of(key: SecretKey, chain_id: u64) -> Self {
        Self {
            key,
            chain_id,
            nonce: 0,
        }
    }

    /// Of the chain that it sends to.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.key.public_key().address()
    }

    /// The next transfer, signed, with a bid that nobody collects.
    pub fn next_transfer(&mut self) -> Vec<u8> {
        let nonce = self.nonce;
        self.nonce += 1;
        self.sign(TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            gas_limit: 21_000,
            max_fee_per_gas: 1_000_000_000,
            max_priority_fee_per_gas: 1_000_000_000,
            to: TxKind::Call(Address::repeat_byte(0x42)),
            value: U256::ZERO,
            ..TxEip1559::default()
        })
    }

    /// Uses the nonce of the last transfer again, which nobody took.
    pub fn take_back(&mut self) {
        self.nonce = self.nonce.saturating_sub(1);
    }

    /// Signs a transaction of any type.
    pub fn sign<T>(&self, transaction: T) -> Vec<u8>
    where
        T: SignableTransaction<Signature>,
        TxEnvelope: From<Signed<T>>,
    {
        sign(transaction, &self.key).encoded.into()
    }

    /// Sends the next transfer and waits until a block has it; whether one came to have it.
    pub async fn transfer_once(&mut self, client: &Client) -> bool {
        let Ok(hash) = client.send_raw_transaction(&self.next_transfer()).await else {
            return false;
        };
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match client.transaction_receipt(hash).await {
                Ok(Some(_)) => return true,
                Ok(None) => sleep(POLL_INTERVAL).await,
                Err(_) => return false,
            }
        }
        false
    }

    /// Sends the next transfer and waits until it is final; returns its height.
    pub async fn transfer(&mut self, client: &Client) -> Result<Height, ClientError> {
        let hash = client.send_raw_transaction(&self.next_transfer()).await?;
        Ok(wait_receipt(client, hash).await)
    }
}

/// Waits for the receipt of a transaction; returns its height.
pub async fn wait_receipt(client: &Client, hash: B256) -> Height {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Ok(Some(receipt)) = client.transaction_receipt(hash).await {
            return Height(
                receipt
                    .block_number
                    .expect("an included transaction has a block"),
            );
        }
        assert!(
            Instant::now() < deadline,
            "transaction {hash} is not final after {PATIENCE:?}"
        );
        sleep(POLL_INTERVAL).await;
    }
}

/// Says on stderr, and in the file that `TBSI_SKIP_LOG` names, that a test cannot run here and
/// what would let it. Under `CI=true` it fails instead.
pub fn skip(what: &str, missing: &str, remedy: &str) {
    let line = format!("SKIPPED: {what} ({missing}; {remedy})");
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{line}");
    eprintln!("{line}");
    if let Some(log) = std::env::var_os("TBSI_SKIP_LOG") {
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .expect("open the file that TBSI_SKIP_LOG names");
        writeln!(log, "{line}").expect("write to the file that TBSI_SKIP_LOG names");
    }
}

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    /// Such as 200.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// The rest.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body, which must be text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }
}

/// One request, byte for byte, on a connection of its own.
pub async fn http(
    address: SocketAddr,
    verb: &str,
    path: &str,
    headers: &[&str],
    body: &[u8],
) -> Answer {
    let mut request = format!("{verb} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n");
    for header in headers {
        request += &format!("{header}\r\n");
    }
    request += &format!("content-length: {}\r\n\r\n", body.len());
    let mut response = Vec::new();
    let exchange = async {
        let mut socket = TcpStream::connect(address).await?;
        socket
            .write_all(&[request.as_bytes(), body].concat())
            .await?;
        socket.read_to_end(&mut response).await
    };
    let read = timeout(PATIENCE, exchange)
        .await
        .expect("an answer in time");
    read.expect("the node answers");
    let end = response.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.expect("an answer has a head");
    let head = String::from_utf8_lossy(&response[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Answer {
        status: status.expect("an answer has a status"),
        head,
        body: response[end + 4..].to_vec(),
    }
}

/// Asks again and again until the answer is yes.
pub async fn eventually(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !ask().await {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        sleep(POLL_INTERVAL).await;
    }
}
