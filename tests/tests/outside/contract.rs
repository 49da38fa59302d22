//! The light client in Solidity, which an EVM runs: here that of the network itself.

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, TxKind};
use alloy_sol_types::SolCall;
use serde_json::{Value, json};
use tbsi_bindings::bridge::LightClient::{updateCall, verifyAttestationCall};
use tbsi_bridge::evm::{Beginning, Bodies, creation_code, decision};
use tbsi_rpc::Client;
use tbsi_rpc::wire::LeafSelector;
use tbsi_tests::harness::{Sender, TestNetwork, tbsi_binary, wait_receipt};
use tbsi_tests::outside::{Offline, refuses};
use tbsi_types::{Height, LeafIndex, ProofBundle};

use crate::table::Row;

const TRUST_PERIOD_S: u64 = 86_400;

/// Deploys a light client that trusts the block of leaf 0, shows it the block of `index`, and has
/// it verify that leaf, as it is and with a bit of each byte flipped.
pub(crate) async fn row(net: &TestNetwork, offline: &Offline, index: u64) -> Row {
    let client = net.client(0);
    let (first, proof) = (bundle(&client, 0).await, bundle(&client, index).await);
    let mut deployer = Deployer {
        sender: Sender::new("deployer", net.network.chain_id()),
        nonce: 0,
    };
    let code = creation_code(&Beginning {
        chain: net.genesis().identity(),
        checkpoint: &first.decision.checkpoint,
        validators: &first.validators,
        trust_period_s: TRUST_PERIOD_S,
        guardian: Address::ZERO,
        bodies: &Bodies::default(),
        recovery_delay_s: 86_400,
    });
    let receipt = deployer.send(&client, TxKind::Create, code).await;
    let contract: Address = serde_json::from_value(receipt["contractAddress"].clone()).unwrap();
    let update = updateCall {
        decision: decision(&proof.decision, &proof.validators),
    };
    let update = update.abi_encode().into();
    deployer.send(&client, TxKind::Call(contract), update).await;

    let checkpoint = proof.decision.checkpoint.encode().to_vec();
    let good = verifyAttestationCall {
        leaf: proof.leaf.clone().into(),
        index,
        checkpoint: checkpoint.into(),
        path: proof.inclusion.0.clone(),
    };
    let accepts = verifies(&client, contract, &good).await;
    let mut refused = 0;
    for changed in changed(&good) {
        let accepted = verifies(&client, contract, &changed).await;
        assert!(!accepted, "changed copy {refused} is accepted");
        refused += 1;
    }
    // Whoever has no network has no chain that runs the contract.
    let mut status = offline.command(tbsi_binary());
    let status = status.args(["status", "--rpc", &net.network.rpc_url(0)]);
    refuses(status, "is the node running?");
    Row {
        verifier: "LightClient.sol",
        of: "call of a contract",
        accepts,
        refused,
        unnoticed: 0,
        offline: false,
    }
}

async fn bundle(client: &Client, index: u64) -> ProofBundle {
    let selector = LeafSelector::Index(LeafIndex(index));
    let json = client.proof(&selector).await.unwrap().expect("a leaf");
    ProofBundle::parse_json(json.get().as_bytes()).unwrap()
}

struct Deployer {
    sender: Sender,
    nonce: u64,
}

impl Deployer {
    /// Sends a transaction, and returns its receipt, which is one of success.
    async fn send(&mut self, client: &Client, to: TxKind, input: Bytes) -> Value {
        let encoded = self.sender.sign(TxEip1559 {
            chain_id: self.sender.chain_id(),
            nonce: self.nonce,
            gas_limit: 1 << 24,
            to,
            input,
            ..TxEip1559::default()
        });
        self.nonce += 1;
        let hash = client.send_raw_transaction(&encoded).await.unwrap();
        let height = wait_receipt(client, hash).await;
        assert!(height > Height::GENESIS);
        let receipt: Value = client
            .request("eth_getTransactionReceipt", &[json!(hash)])
            .await
            .unwrap();
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        receipt
    }
}

async fn verifies(client: &Client, contract: Address, call: &verifyAttestationCall) -> bool {
    let data = Bytes::from(call.abi_encode());
    let call = json!({ "to": contract, "data": data, "gas": "0xffffff" });
    let answer: Result<Bytes, _> = client.request("eth_call", &[call, json!("latest")]).await;
    answer.is_ok_and(|answer| !answer.is_empty())
}

/// A bit of each byte of the leaf, of the checkpoint and of each hash, and another index.
fn changed(good: &verifyAttestationCall) -> Vec<verifyAttestationCall> {
    let flip = |bytes: &Bytes, place: usize| {
        let mut bytes = bytes.to_vec();
        bytes[place] ^= 1 << (place % 8);
        Bytes::from(bytes)
    };
    let mut all = Vec::new();
    for place in 0..good.leaf.len() {
        let leaf = flip(&good.leaf, place);
        all.push(verifyAttestationCall {
            leaf,
            ..good.clone()
        });
    }
    for place in 0..good.checkpoint.len() {
        let checkpoint = flip(&good.checkpoint, place);
        all.push(verifyAttestationCall {
            checkpoint,
            ..good.clone()
        });
    }
    for place in 0..good.path.len() {
        let mut path = good.path.clone();
        path[place] = B256::from(path[place].0.map(|byte| byte ^ 1));
        all.push(verifyAttestationCall {
            path,
            ..good.clone()
        });
    }
    let index = good.index + 1;
    all.push(verifyAttestationCall {
        index,
        ..good.clone()
    });
    all
}
