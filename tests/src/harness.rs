//! Networks of real processes for tests, and someone who sends transactions to them.

use std::path::PathBuf;
use std::time::Duration;

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::BlockNumberOrTag;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Signature, TxKind, U256};
use tbsi_rpc::{Client, ClientError};
use tbsi_testnet::{Network, NetworkSpec, START_TIMEOUT};
use tbsi_types::{Height, SecretKey, TxEnvelope};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long a test waits for something that takes well under a second on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The program under test: `TBSI_BINARY`, or the one that was built beside this test.
pub fn tbsi_binary() -> PathBuf {
    if let Some(binary) = std::env::var_os("TBSI_BINARY") {
        return binary.into();
    }
    let this = std::env::current_exe().expect("a test knows its own path");
    let binary = this
        .ancestors()
        .nth(2)
        .expect("tests are built into deps/")
        .join("tbsi");
    assert!(
        binary.is_file(),
        "{} is missing; run `cargo build`",
        binary.display()
    );
    binary
}

/// A network in a temporary directory. Its nodes end with it.
pub struct TestNetwork {
    /// The processes.
    pub network: Network,
    dir: TempDir,
}

impl TestNetwork {
    /// Makes the files of a network and starts nothing.
    pub fn create(validators: usize, observers: usize) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let spec = NetworkSpec::new(dir.path().join("network"), validators, observers);
        let network = Network::create(&spec, &tbsi_binary()).expect("a network's files");
        Self { network, dir }
    }

    /// Starts all nodes and waits until each has a block.
    pub async fn start(validators: usize, observers: usize) -> Self {
        let mut this = Self::create(validators, observers);
        this.network.start_all().expect("all nodes start");
        let ready = this
            .network
            .wait_all(Height(1), START_TIMEOUT, &mut |_| ())
            .await;
        ready.unwrap_or_else(|error| panic!("{error}"));
        this
    }

    /// A scratch directory that lives as long as the network.
    pub fn scratch(&self) -> &std::path::Path {
        self.dir.path()
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
        Self {
            key: SecretKey::from_seed(name.as_bytes()),
            chain_id,
            nonce: 0,
        }
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

    /// Signs any EIP-1559 transaction.
    pub fn sign(&self, transaction: TxEip1559) -> Vec<u8> {
        let signature = self.key.sign(transaction.signature_hash());
        let signature = Signature::from_raw_array(&signature.0).expect("v is 27 or 28");
        TxEnvelope::Eip1559(transaction.into_signed(signature)).encoded_2718()
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

/// Asks again and again until the answer is yes.
pub async fn eventually(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !ask().await {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        sleep(POLL_INTERVAL).await;
    }
}
