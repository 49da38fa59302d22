//! An anvil with Osaka rules and the gas cap on, and a light client on it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use alloy_consensus::{TxEip1559, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, TxKind, U64, U256};
use alloy_sol_types::SolEvent;
use serde_json::{Value, json};
use tbsi_bridge::evm::abi::{Inbox, LightClient};
use tbsi_bridge::evm::{Beginning, Bodies, InboxBeginning, creation_code, inbox_creation_code};
use tbsi_rpc::Client;
use tbsi_types::SecretKey;
use tbsi_types::transaction::sign;
use tokio::time::sleep;

use super::chain::Chain;
use crate::bench::target::anvil_binary;
use crate::harness::{PATIENCE, eventually};

/// Chain id of the anvils of these tests.
pub const TARGET_CHAIN_ID: u64 = 31_337;

/// Seconds for which a checkpoint is trusted.
pub const TRUST_PERIOD_S: u64 = 14 * 86_400;

/// A running anvil; ends when dropped.
pub struct Anvil {
    child: Child,
    address: SocketAddr,
    /// Speaks to it.
    pub rpc: Client,
    /// Its rules are before London: it takes transactions of type 0.
    legacy: bool,
}

impl Drop for Anvil {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).ok();
    }
}

/// Where npm put anvil, if it did.
pub fn installed() -> Option<PathBuf> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/node_modules");
    Some(anvil_binary(&modules)).filter(|binary| binary.is_file())
}

/// An account that may pause, and that deploys: rich, and nobody's relayer.
pub fn guardian() -> SecretKey {
    SecretKey::from_seed(b"guardian")
}

impl Anvil {
    /// Starts one that makes a block every `block_s` seconds, the second last of which is
    /// final; with `None` only when it is told to, and 64 blocks behind.
    pub async fn start(binary: &Path, block_s: Option<&str>) -> Self {
        Self::with_rules(binary, "osaka", block_s).await
    }

    /// The same, under other rules.
    pub async fn with_rules(binary: &Path, rules: &str, block_s: Option<&str>) -> Self {
        let id = TARGET_CHAIN_ID.to_string();
        let mut arguments = vec!["--chain-id", &id, "--hardfork", rules];
        match block_s {
            Some(seconds) => {
                arguments.extend(["--block-time", seconds, "--slots-in-an-epoch", "1"]);
            }
            None => arguments.push("--no-mining"),
        }
        let mut anvil = Self::start_with(binary, &arguments).await;
        anvil.legacy = matches!(rules, "istanbul" | "berlin");
        anvil
    }

    /// Starts one that makes a block for each transaction, asks for no fees, and remembers
    /// instructions.
    pub async fn free_of_charge(binary: &Path, chain_id: u64) -> Self {
        let id = chain_id.to_string();
        let fees = ["--gas-price", "0", "--block-base-fee-per-gas", "0"];
        let arguments = [
            &["--steps-tracing", "--chain-id", &*id, "--hardfork", "osaka"][..],
            &fees,
        ]
        .concat();
        Self::start_with(binary, &arguments).await
    }

    async fn start_with(binary: &Path, arguments: &[&str]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        drop(listener);
        let mut command = Command::new(binary);
        command
            .args(["--port", &address.port().to_string()])
            .args(["--enable-tx-gas-limit", "--accounts", "0", "--quiet"])
            .args(arguments);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("anvil starts");
        let rpc = Client::new(&format!("http://{address}")).expect("an address");
        let anvil = Self {
            child,
            address,
            rpc,
            legacy: false,
        };
        eventually("anvil answers", async || anvil.rpc.chain_id().await.is_ok()).await;
        anvil
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Calls any method.
    pub async fn call(&self, method: &str, params: &[Value]) -> Value {
        let answer = self.rpc.request(method, params).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Makes blocks.
    pub async fn mine(&self, blocks: u64) {
        self.call("anvil_mine", &[json!(U64::from(blocks))]).await;
    }

    /// Gives an account ether.
    pub async fn fund(&self, account: Address, ether: u64) {
        let wei = U256::from(ether) * U256::from(10u64).pow(U256::from(18));
        self.call("anvil_setBalance", &[json!(account), json!(wei)])
            .await;
    }

    /// Nonce of an account after the latest block.
    pub async fn nonce(&self, account: Address) -> u64 {
        let params = [json!(account), json!("latest")];
        let nonce: U64 = self
            .rpc
            .request("eth_getTransactionCount", &params)
            .await
            .expect("anvil");
        nonce.to()
    }

    /// Sends a transaction of any key and does not wait.
    pub async fn send(&self, key: &SecretKey, nonce: u64, to: TxKind, input: Bytes) -> B256 {
        let (gas_limit, price) = (12_000_000, 100_000_000_000);
        let signed = if self.legacy {
            let transaction = TxLegacy {
                chain_id: Some(TARGET_CHAIN_ID),
                nonce,
                gas_price: price,
                gas_limit,
                to,
                input,
                ..TxLegacy::default()
            };
            sign(transaction, key)
        } else {
            let transaction = TxEip1559 {
                chain_id: TARGET_CHAIN_ID,
                nonce,
                gas_limit,
                max_fee_per_gas: price,
                max_priority_fee_per_gas: 2_000_000_000,
                to,
                input,
                ..TxEip1559::default()
            };
            sign(transaction, key)
        };
        self.rpc
            .send_raw_transaction(&signed.encoded)
            .await
            .expect("anvil takes it")
    }

    /// Waits for a transaction and returns its receipt, which is one of success.
    pub async fn receipt(&self, hash: B256) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let receipt = self.call("eth_getTransactionReceipt", &[json!(hash)]).await;
            if !receipt.is_null() {
                assert_eq!(receipt["status"], "0x1", "{receipt}");
                return receipt;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{hash} is not included"
            );
            sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Deploys a light client that trusts the chain's first checkpoint.
    pub async fn deploy(&self, chain: &Chain) -> Address {
        let deployer = guardian();
        let account = deployer.public_key().address();
        self.fund(account, 1_000).await;
        let nonce = self.nonce(account).await;
        let code = creation(chain);
        let hash = self.send(&deployer, nonce, TxKind::Create, code).await;
        self.call("evm_mine", &[]).await;
        let receipt = self.receipt(hash).await;
        serde_json::from_value(receipt["contractAddress"].clone()).expect("an address")
    }

    /// Deploys an inbox that believes a light client.
    pub async fn deploy_inbox(&self, light_client: Address) -> Address {
        let deployer = guardian();
        let nonce = self.nonce(deployer.public_key().address()).await;
        let code = inbox_creation_code(&InboxBeginning {
            light_client,
            ..InboxBeginning::default()
        });
        let hash = self.send(&deployer, nonce, TxKind::Create, code).await;
        self.call("evm_mine", &[]).await;
        let receipt = self.receipt(hash).await;
        serde_json::from_value(receipt["contractAddress"].clone()).expect("an address")
    }

    /// Gives an account code.
    pub async fn place(&self, account: Address, code: &[u8]) {
        let code = Bytes::copy_from_slice(code);
        self.call("anvil_setCode", &[json!(account), json!(code)])
            .await;
    }

    /// Numbers of the messages that an inbox delivered, in the order of its events.
    pub async fn delivered(&self, inbox: Address) -> Vec<u64> {
        let topic = Inbox::MessageDelivered::SIGNATURE_HASH;
        let filter = json!({
            "address": inbox, "fromBlock": "0x0", "toBlock": "latest", "topics": [topic],
        });
        let logs = self.call("eth_getLogs", &[filter]).await;
        let sequence = |log: &Value| {
            let word: U256 = serde_json::from_value(log["topics"][1].clone()).expect("a word");
            u64::try_from(word).expect("a sequence number")
        };
        logs.as_array()
            .expect("a list")
            .iter()
            .map(sequence)
            .collect()
    }

    /// Leaves that the light client recorded, in the order of its events, repeats included.
    pub async fn recorded(&self, contract: Address) -> Vec<u64> {
        let topic = LightClient::AttestationRecorded::SIGNATURE_HASH;
        let filter = json!({
            "address": contract, "fromBlock": "0x0", "toBlock": "latest", "topics": [topic],
        });
        let logs = self.call("eth_getLogs", &[filter]).await;
        let index = |log: &Value| {
            let data: Bytes = serde_json::from_value(log["data"].clone()).expect("bytes");
            u64::try_from(U256::from_be_slice(&data[..32])).expect("an index")
        };
        logs.as_array().expect("a list").iter().map(index).collect()
    }
}

/// Creation code of a light client that begins with the chain's first checkpoint.
pub fn creation(chain: &Chain) -> Bytes {
    let held = chain.held();
    creation_code(&Beginning {
        chain: held.genesis.identity(),
        checkpoint: &held.decisions[0].checkpoint,
        validators: &held.set_at(2).named,
        trust_period_s: TRUST_PERIOD_S,
        guardian: guardian().public_key().address(),
        bodies: &Bodies::default(),
        recovery_delay_s: 7 * 86_400,
    })
}
