//! Transactions, signed and encoded before the clock starts.

use alloy_consensus::TxEip1559;
use alloy_primitives::{TxKind, hex, keccak256};
use alloy_sol_types::SolCall;
use hyper::body::Bytes as Body;
use serde::Serialize;
use tbsi_bindings::genesis::Attestations::attestBatchCall;
use tbsi_types::log::ATTESTATIONS;
use tbsi_types::transaction::sign;
use tbsi_types::{Address, B256, Bytes, SecretKey};

/// Init code of the contract that a storage write calls. It returns six bytes:
///
/// ```text
/// 60 01  PUSH1 1
/// 5f     PUSH0
/// 35     CALLDATALOAD   the slot: the call's first 32 bytes
/// 55     SSTORE         slot := 1
/// 00     STOP
/// ```
///
/// by `PUSH6 code, PUSH0, MSTORE, PUSH1 6, PUSH1 26, RETURN`.
pub const INIT_CODE: [u8; 14] = hex!("6560015f3555005f526006601af3");
/// What [`INIT_CODE`] returns.
pub const RUNTIME_CODE: [u8; 6] = hex!("60015f355500");

/// Gas of a plain call to an account without code.
const TRANSFER_GAS: u64 = 21_000;
/// More than a storage write uses (about 43,700).
const STORAGE_WRITE_GAS: u64 = 60_000;
/// More than a batch of [`DIGESTS`] uses (about 1,300,000: EIP-7623's floor binds).
const ATTEST_GAS: u64 = 1_400_000;
/// More than a batch of [`DIGESTS_LARGE`] uses (about 12,824,000).
const ATTEST_LARGE_GAS: u64 = 12_900_000;
/// More than the deployment uses (about 55,000).
const DEPLOY_GAS: u64 = 100_000;

/// What a transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// Value 0 to the next sender: senders hold nothing. A signature, a nonce, an account.
    Transfer,
    /// The contract of [`INIT_CODE`] writes a slot that was empty.
    StorageWrite,
    /// [`DIGESTS`] digests for the attestation contract, each a leaf of the log.
    Attest,
    /// [`DIGESTS_LARGE`] of them.
    AttestLarge,
}

/// Digests of one [`Workload::Attest`].
pub const DIGESTS: u64 = 1_000;
/// Digests of one [`Workload::AttestLarge`].
pub const DIGESTS_LARGE: u64 = 10_000;

/// Multihash code of SHA-256.
const SHA2_256: u32 = 0x12;

/// A transaction, ready to be sent.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Position in its run; also the id of its JSON-RPC request.
    pub index: u64,
    /// Which of the run's senders signed it.
    pub sender: usize,
    /// Which connection sends it: always the same one for a sender, so that its nonces arrive
    /// in order.
    pub connection: usize,
    /// When it is to be sent, microseconds after the start of the run.
    pub due_us: u64,
    /// Keccak-256 of its encoding.
    pub hash: B256,
    /// The whole JSON-RPC request.
    pub body: Body,
}

/// Whose transactions, and what they call.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Distinguishes runs on one chain: keys and slots derive from it, so that every run
    /// starts with unused accounts, whatever became of earlier ones.
    pub label: &'a str,
    /// Senders of each connection, at least 1; they take turns, each with nonces from 0.
    pub senders_per_connection: usize,
    /// Connections, at least 1; they take turns, batch by batch.
    pub connections: usize,
    /// Transactions of a batch, at least 1.
    pub batch: usize,
    /// The storage contract.
    pub contract: Address,
}

impl Signing<'_> {
    /// One transaction for each arrival.
    pub fn prepare(&self, workload: Workload, arrivals_us: &[u64]) -> Vec<Prepared> {
        let senders = self.connections * self.senders_per_connection;
        let keys: Vec<SecretKey> = (0..senders)
            .map(|sender| SecretKey::from_seed(format!("{}/{sender}", self.label).as_bytes()))
            .collect();
        let addresses: Vec<Address> = keys.iter().map(|key| key.public_key().address()).collect();
        let mut nonces = vec![0; senders];
        let prepared = arrivals_us.iter().enumerate().map(|(position, &due_us)| {
            let (connection, sender) = self.deal(position);
            let nonce = nonces[sender];
            nonces[sender] += 1;
            let index = position as u64;
            let next = addresses[(sender + 1) % senders];
            let encoded = self.encoded(workload, index, nonce, next, &keys[sender]);
            Prepared {
                index,
                sender,
                connection,
                due_us,
                hash: keccak256(&encoded),
                body: request(index, &encoded),
            }
        });
        prepared.collect()
    }

    /// One transaction, signed.
    pub fn encoded(
        &self,
        workload: Workload,
        index: u64,
        nonce: u64,
        recipient: Address,
        key: &SecretKey,
    ) -> Bytes {
        sign(self.transaction(workload, index, nonce, recipient), key).encoded
    }

    /// Connection and sender of the transaction at a position: the batches go to connections
    /// in turn, and the transactions of a connection to its senders in turn.
    fn deal(&self, position: usize) -> (usize, usize) {
        let (batch, inside) = (position / self.batch, position % self.batch);
        let (round, connection) = (batch / self.connections, batch % self.connections);
        let turn = (round * self.batch + inside) % self.senders_per_connection;
        (connection, turn * self.connections + connection)
    }

    fn transaction(
        &self,
        workload: Workload,
        index: u64,
        nonce: u64,
        recipient: Address,
    ) -> TxEip1559 {
        let (to, gas_limit, input) = match workload {
            Workload::Transfer => (recipient, TRANSFER_GAS, Bytes::new()),
            Workload::StorageWrite => {
                let slot = keccak256(format!("{}/slot/{index}", self.label));
                (self.contract, STORAGE_WRITE_GAS, slot.into())
            }
            Workload::Attest | Workload::AttestLarge => {
                let (count, gas) = if workload == Workload::AttestLarge {
                    (DIGESTS_LARGE, ATTEST_LARGE_GAS)
                } else {
                    (DIGESTS, ATTEST_GAS)
                };
                let digest = |number| {
                    let text = format!("{}/digest/{index}/{number}", self.label);
                    keccak256(text)
                };
                let call = attestBatchCall {
                    schema: keccak256("tbsi:file:v1"),
                    algorithm: SHA2_256,
                    words: (0..count).map(digest).collect(),
                };
                (ATTESTATIONS, gas, call.abi_encode().into())
            }
        };
        TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            gas_limit,
            to: TxKind::Call(to),
            input,
            ..TxEip1559::default()
        }
    }
}

/// The deployment of the storage contract by a well-known key: its encoding, and the address
/// that the contract gets.
pub fn deployment(chain_id: u64) -> (Bytes, Address) {
    let key = SecretKey::from_seed(b"TBSI benchmark deployer");
    let tx = TxEip1559 {
        chain_id,
        gas_limit: DEPLOY_GAS,
        to: TxKind::Create,
        input: INIT_CODE.into(),
        ..TxEip1559::default()
    };
    (sign(tx, &key).encoded, key.public_key().address().create(0))
}

/// The `eth_sendRawTransaction` of one transaction.
/// The JSON-RPC request with this id that submits a transaction.
pub fn request(index: u64, encoded: &[u8]) -> Body {
    let encoded = hex::encode(encoded);
    format!(
        r#"{{"jsonrpc":"2.0","id":{index},"method":"eth_sendRawTransaction","params":["0x{encoded}"]}}"#
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::Transaction as _;
    use serde_json::Value;
    use std::collections::BTreeSet;
    use tbsi_types::Transaction;

    const CHAIN_ID: u64 = 8_862_026;

    fn signing(label: &str) -> Signing<'_> {
        Signing {
            chain_id: CHAIN_ID,
            label,
            senders_per_connection: 1,
            connections: 3,
            batch: 1,
            contract: Address::repeat_byte(7),
        }
    }

    /// The transaction that a request carries, as a node verifies it.
    fn verified(prepared: &Prepared) -> Transaction {
        let request: Value = serde_json::from_slice(&prepared.body).unwrap();
        assert_eq!(request["method"], "eth_sendRawTransaction");
        assert_eq!(request["id"], prepared.index);
        let encoded = hex::decode(request["params"][0].as_str().unwrap()).unwrap();
        let tx = Transaction::parse_and_verify(&encoded, CHAIN_ID).unwrap();
        assert_eq!(tx.hash(), prepared.hash);
        tx
    }

    #[test]
    fn senders_take_turns_with_nonces_from_zero() {
        let prepared = signing("run").prepare(Workload::Transfer, &[0, 10, 20, 30, 40]);
        let txs: Vec<_> = prepared.iter().map(verified).collect();
        let nonces: Vec<_> = txs.iter().map(Transaction::nonce).collect();
        assert_eq!(nonces, [0, 0, 0, 1, 1]);
        assert_eq!(txs[0].sender(), txs[3].sender());
        let senders: BTreeSet<_> = txs.iter().map(Transaction::sender).collect();
        assert_eq!(senders.len(), 3);
        assert_eq!(txs[0].envelope().to(), Some(txs[1].sender()));
        assert_eq!(prepared[4].due_us, 40);
        assert_eq!(prepared[4].sender, 1);
    }

    #[test]
    fn a_batch_goes_through_one_connection_and_a_sender_keeps_to_his() {
        for (connections, senders_per_connection, batch) in [(3, 2, 4), (1, 1, 5), (8, 25, 100)] {
            let signing = Signing {
                connections,
                senders_per_connection,
                batch,
                ..signing("run")
            };
            let dealt: Vec<_> = (0..2_000).map(|at| signing.deal(at)).collect();
            for whole in dealt.chunks(batch) {
                assert!(
                    whole
                        .iter()
                        .all(|(connection, _)| *connection == whole[0].0)
                );
            }
            assert!(
                dealt
                    .iter()
                    .all(|(connection, sender)| sender % connections == *connection)
            );
            let used: BTreeSet<_> = dealt.iter().map(|(_, sender)| *sender).collect();
            assert_eq!(used.len(), connections * senders_per_connection);
        }
    }

    #[test]
    fn storage_writes_never_repeat_a_slot() {
        let arrivals = [0; 20];
        let one = signing("one").prepare(Workload::StorageWrite, &arrivals);
        let two = signing("two").prepare(Workload::StorageWrite, &arrivals);
        let slots: BTreeSet<_> = one
            .iter()
            .chain(&two)
            .map(|tx| verified(tx).envelope().input().clone())
            .collect();
        assert_eq!(slots.len(), 40);
        assert!(slots.iter().all(|slot| slot.len() == 32));
        assert_eq!(
            verified(&one[0]).envelope().to(),
            Some(Address::repeat_byte(7))
        );
    }

    #[test]
    fn init_code_returns_the_runtime_code() {
        assert_eq!(INIT_CODE[1..7], RUNTIME_CODE);
        let (encoded, contract) = deployment(CHAIN_ID);
        let tx = Transaction::parse_and_verify(&encoded, CHAIN_ID).unwrap();
        assert!(tx.envelope().is_create());
        assert_eq!(contract, tx.sender().create(0));
    }
}
