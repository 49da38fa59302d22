//! A chain of real blocks: signed transactions, receipts, checkpoints, certificates.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_consensus::{
    Eip658Value, Receipt as EthReceipt, ReceiptWithBloom, SignableTransaction, TxEip1559, TxLegacy,
};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{
    Address, B256, Bloom, Log, Signature as EthSignature, TxKind, U256, keccak256,
};
use alloy_trie::EMPTY_ROOT_HASH;
use tbsi_types::block::{HeaderFields, transactions_root};
use tbsi_types::log::LeafBatch;
use tbsi_types::{
    Account, AccountChange, Block, ChainIdentity, Checkpoint, CommitCertificate, CommitSignature,
    Height, Members, ProposedBlock, Receipt, Round, SecretKey, Signature, StateDiff, TimestampMs,
    Transaction, TxEnvelope,
};

use crate::{CommitBlock, LogPlace, LogUpdate, StateUpdate, Store, StoreError, StoreOptions};

pub(super) const CHAIN_ID: u64 = 20_010;

pub(super) const OPTIONS: StoreOptions = StoreOptions {
    history_blocks: 128,
    keep_blocks: u64::MAX,
    address_index: false,
    cache_bytes: 1024 * 1024,
    preallocates: false,
};

pub(super) fn identity() -> ChainIdentity {
    ChainIdentity {
        chain_id: CHAIN_ID,
        genesis_hash: B256::repeat_byte(0x9e),
    }
}

/// Length of a period of the map that no test sees the end of.
pub(super) const LONG: u64 = 1 << 50;

/// The block after the tip, in a map whose periods are so long.
pub(super) fn place(store: &Store, map_period_ms: u64) -> LogPlace {
    let tip = store.tip();
    LogPlace {
        height: tip.map_or(Height::GENESIS, |tip| tip.height.next()),
        time: tip.map_or(TimestampMs(1_700_000_000_000), |tip| {
            TimestampMs(tip.time.0 + 250)
        }),
        map_period_ms,
    }
}

/// A decided block with everything that a commit takes.
#[derive(Clone)]
pub(super) struct Decided {
    pub(super) proposed: ProposedBlock,
    pub(super) receipts: Vec<Receipt>,
    pub(super) checkpoint: Checkpoint,
    pub(super) certificate: Option<CommitCertificate>,
    pub(super) update: StateUpdate,
    pub(super) log: LogUpdate,
    pub(super) next_members: Option<Members>,
}

impl Decided {
    /// The block after the store's tip that changes `diff` and holds `transactions`.
    pub(super) fn next(store: &Store, diff: &StateDiff, transactions: Vec<Transaction>) -> Self {
        Self::with_leaves(store, diff, transactions, LeafBatch::default())
    }

    /// The same, with leaves that no receipt is asked for.
    pub(super) fn with_leaves(
        store: &Store,
        diff: &StateDiff,
        transactions: Vec<Transaction>,
        leaves: LeafBatch,
    ) -> Self {
        Self::of_log(store, diff, transactions, (leaves, LONG))
    }

    /// The same, with periods of the map of this length.
    pub(super) fn of_log(
        store: &Store,
        diff: &StateDiff,
        transactions: Vec<Transaction>,
        (leaves, map_period_ms): (LeafBatch, u64),
    ) -> Self {
        let tip = store.tip();
        let place = place(store, map_period_ms);
        let LogPlace { height, time, .. } = place;
        let log = store.log_update(&place, leaves).unwrap();
        let update = store.state_root(diff).unwrap();
        let fields = HeaderFields {
            parent_hash: tip.map_or(B256::ZERO, |tip| tip.block_hash),
            height,
            time,
            beneficiary: Address::repeat_byte(0xbe),
            gas_limit: 300_000_000,
            gas_used: 21_000 * transactions.len() as u64,
            state_root: update.root(),
            transactions_root: B256::ZERO,
            receipts_root: EMPTY_ROOT_HASH,
            logs_bloom: Bloom::ZERO,
        };
        let receipts = (1..=transactions.len()).map(receipt).collect();
        let transactions: Vec<_> = transactions.into_iter().map(Arc::new).collect();
        let header = HeaderFields {
            transactions_root: transactions_root(&transactions),
            ..fields
        };
        let block = Block {
            header: header.header(),
            transactions,
        };
        let checkpoint = Checkpoint {
            chain_id: CHAIN_ID,
            height: fields.height,
            time: fields.time,
            block_hash: block.hash(),
            state_root: update.root(),
            log_size: log.size(),
            log_root: log.root(),
            validator_set_hash: B256::repeat_byte(0xa),
            next_validator_set_hash: B256::repeat_byte(0xa),
        };
        Self {
            proposed: ProposedBlock {
                time: fields.time,
                block,
            },
            receipts,
            checkpoint,
            certificate: tip.map(|_| certificate(&checkpoint, 3)),
            update,
            log,
            next_members: None,
        }
    }

    /// Makes the block the last one of its validator set.
    pub(super) fn hand_over_to(&mut self, next: Members) {
        self.checkpoint.next_validator_set_hash = next.set().hash();
        self.certificate = Some(certificate(&self.checkpoint, 3));
        self.next_members = Some(next);
    }

    pub(super) fn commit(&self, store: &Store) -> Result<(), StoreError> {
        store.commit(CommitBlock {
            proposed: &self.proposed,
            receipts: &self.receipts,
            checkpoint: &self.checkpoint,
            certificate: self.certificate.as_ref(),
            update: &self.update,
            log: &self.log,
            next_members: self.next_members.as_ref(),
        })
    }
}

/// Commits a block with these changes and no transactions.
pub(super) fn advance(store: &Store, diff: &StateDiff) -> Height {
    let decided = Decided::next(store, diff, Vec::new());
    decided.commit(store).unwrap();
    decided.proposed.block.height()
}

/// A certificate with as many signatures; who signed is not the store's question.
pub(super) fn certificate(checkpoint: &Checkpoint, signatures: u8) -> CommitCertificate {
    let digest = checkpoint.digest(&identity());
    let signatures = (1..=signatures).map(|byte| CommitSignature {
        validator: Address::repeat_byte(byte),
        signature: Signature([byte; 65]),
    });
    let signatures = signatures.collect();
    CommitCertificate::new(checkpoint.height, Round(0), digest, signatures).unwrap()
}

/// A signed transfer; even nonces are EIP-1559, odd ones legacy.
pub(super) fn transfer(seed: &str, nonce: u64) -> Transaction {
    let to = TxKind::Call(Address::repeat_byte(0x70));
    let value = U256::from(5);
    let envelope: TxEnvelope = if nonce.is_multiple_of(2) {
        let tx = TxEip1559 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit: 21_000,
            to,
            value,
            ..TxEip1559::default()
        };
        let signature = sign(seed, tx.signature_hash());
        tx.into_signed(signature).into()
    } else {
        let tx = TxLegacy {
            chain_id: Some(CHAIN_ID),
            nonce,
            gas_limit: 21_000,
            to,
            value,
            ..TxLegacy::default()
        };
        let signature = sign(seed, tx.signature_hash());
        tx.into_signed(signature).into()
    };
    Transaction::parse_and_verify(&envelope.encoded_2718(), CHAIN_ID).unwrap()
}

fn sign(seed: &str, digest: B256) -> EthSignature {
    let signature = SecretKey::from_seed(seed.as_bytes()).sign(digest).0;
    EthSignature::new(
        U256::from_be_slice(&signature[..32]),
        U256::from_be_slice(&signature[32..64]),
        signature[64] == 28,
    )
}

fn receipt(position: usize) -> Receipt {
    let receipt = EthReceipt {
        status: Eip658Value::Eip658(position != 2),
        cumulative_gas_used: 21_000 * position as u64,
        logs: Vec::new(),
    };
    Receipt::Eip1559(ReceiptWithBloom::new(receipt, Bloom::ZERO))
}

/// The same receipt with so many logs, each longer than the last.
pub(super) fn logging(receipt: &Receipt, count: usize) -> Receipt {
    let inner = receipt.as_receipt().unwrap();
    let log = |length: usize| {
        let topics = vec![B256::repeat_byte(1); length % 5];
        Log::new_unchecked(address(1), topics, vec![7; 40 * length].into())
    };
    let receipt = EthReceipt {
        logs: (1..=count).map(log).collect(),
        ..inner.clone()
    };
    Receipt::Eip1559(receipt.into())
}

/// Address number `n`.
pub(super) fn address(n: u8) -> Address {
    Address::from_word(keccak256([n]))
}

pub(super) fn account(nonce: u64, balance: u64) -> Account {
    Account {
        nonce,
        balance: U256::from(balance),
        ..Account::default()
    }
}

/// An account that exists afterwards, with these slots written.
pub(super) fn change(account: Account, slots: &[(u64, u64)]) -> AccountChange {
    let slots = slots.iter();
    AccountChange {
        account: Some(account),
        storage_wiped: false,
        storage: slots
            .map(|(slot, value)| (U256::from(*slot), U256::from(*value)))
            .collect(),
    }
}

pub(super) fn diff(changes: impl IntoIterator<Item = (Address, AccountChange)>) -> StateDiff {
    StateDiff {
        accounts: changes.into_iter().collect(),
        codes: BTreeMap::new(),
    }
}

/// Sets the nonce of address 0 to `n`, and nothing else.
pub(super) fn tick(n: u64) -> StateDiff {
    diff([(address(0), change(account(n, 1), &[(1, n + 1)]))])
}

/// A store in a fresh directory, with genesis and then `heights` ticks.
pub(super) fn ticked(heights: u64) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    for n in 0..=heights {
        advance(&store, &tick(n));
    }
    (dir, store)
}
