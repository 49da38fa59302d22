//! Somebody who attests digests in tests.

use alloy_consensus::TxEip1559;
use alloy_primitives::{B256, Bytes, TxKind, keccak256};
use alloy_sol_types::SolCall;
use serde_json::json;
use tbsi_rpc::wire::Acknowledgement;
use tbsi_rpc::{Client, ClientError};
use tbsi_types::log::ATTESTATIONS;

use crate::harness::{Sender, TestNetwork};

pub use tbsi_bindings::genesis::Attestations::{attestBatchCall, revokeCall};

const SHA2_256: u32 = 0x12;

/// The digest of a number's eight bytes.
pub fn digest(number: u64) -> B256 {
    tbsi_types::sha256(&[&number.to_be_bytes()])
}

/// A key without funds that sends what it is told to the attestation contract.
pub struct Issuer {
    /// The key.
    pub sender: Sender,
    /// Of the next transaction.
    pub nonce: u64,
    chain_id: u64,
}

impl Issuer {
    /// An issuer whose account nobody has used.
    pub fn new(name: &str, net: &TestNetwork) -> Self {
        Self::on(name, net.network.chain_id())
    }

    /// The same, on the chain with this id.
    pub fn on(name: &str, chain_id: u64) -> Self {
        Self {
            sender: Sender::new(name, chain_id),
            nonce: 0,
            chain_id,
        }
    }

    /// The next transaction.
    pub fn sign(&mut self, call: &impl SolCall) -> Bytes {
        let encoded = self.sender.sign(TxEip1559 {
            chain_id: self.chain_id,
            nonce: self.nonce,
            gas_limit: 1 << 24,
            to: TxKind::Call(ATTESTATIONS),
            input: call.abi_encode().into(),
            ..TxEip1559::default()
        });
        self.nonce += 1;
        encoded.into()
    }

    /// The next transaction, which attests the digests of these numbers as files'.
    pub fn batch(&mut self, numbers: impl Iterator<Item = u64>) -> Bytes {
        self.sign(&attestBatchCall {
            schema: keccak256("tbsi:file:v1"),
            algorithm: SHA2_256,
            words: numbers.map(digest).collect(),
        })
    }

    /// Attests the digests of these numbers and waits until they are final.
    pub async fn attest(&mut self, client: &Client, numbers: std::ops::Range<u64>) {
        let count = numbers.end - numbers.start;
        let batch = self.batch(numbers);
        let acknowledged = acknowledge(client, &batch).await;
        let acknowledged = acknowledged.unwrap_or_else(|error| panic!("attest: {error}"));
        assert_eq!(acknowledged.leaves.count, count);
    }
}

/// `tbsi_sendAttestation`: the answer comes when the transaction is final.
pub async fn acknowledge(client: &Client, encoded: &Bytes) -> Result<Acknowledgement, ClientError> {
    let params = [json!(encoded)];
    client.request("tbsi_sendAttestation", &params).await
}
