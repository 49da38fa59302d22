//! What blocks are made of, and the genesis file (SPEC §2 to §5, §9, §13).

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bloom, Signature, TxKind, U256};
use tbsi_governance::motions::Act;
use tbsi_types::block::HeaderFields;
use tbsi_types::log::leaf::Leaf;
use tbsi_types::transaction::sign;
use tbsi_types::{
    Block, Checkpoint, CommitCertificate, Evidence, Genesis, Height, ProposedBlock, SecretKey,
    TimestampMs, Transaction, TxEnvelope,
};

use super::{Target, canonical};
use crate::corpus::{hex_of, vectors};

/// The chain of the seeds.
const CHAIN_ID: u64 = 8_862_026;

/// Decoding verifies signatures: fewer mutants, and more memory, since a transaction is kept as
/// it came and as it was read.
pub(super) const BLOCK: Target = Target::binary("block", block, blocks).slow(30_000);

pub(super) const TRANSACTION: Target =
    Target::binary("transaction", transaction, || transactions().to_vec()).slow(60_000);

pub(super) const CERTIFICATE: Target = Target::binary(
    "certificate",
    |bytes| {
        let decoded = CommitCertificate::decode(bytes).ok();
        canonical(bytes, decoded.map(|certificate| certificate.encode()));
    },
    || {
        let mut seeds = hex_of(&vectors("certificate.json"), "cases", "certificate");
        seeds.extend(hex_of(&vectors("checkpoint.json"), "cases", "certificate"));
        seeds
    },
);

pub(super) const CHECKPOINT: Target = Target::binary(
    "checkpoint",
    |bytes| {
        let decoded = Checkpoint::decode(bytes).ok();
        canonical(
            bytes,
            decoded.map(|checkpoint| checkpoint.encode().to_vec()),
        );
    },
    || hex_of(&vectors("checkpoint.json"), "cases", "checkpoint"),
);

pub(super) const EVIDENCE: Target = Target::binary(
    "evidence",
    |bytes| {
        let decoded = Evidence::decode(bytes).ok();
        canonical(bytes, decoded.map(|evidence| evidence.encode()));
    },
    || hex_of(&vectors("governance.json"), "evidence", "evidence"),
);

pub(super) const LEAF: Target = Target::binary(
    "leaf",
    |bytes| {
        let Ok(leaf) = Leaf::decode(bytes) else {
            return;
        };
        canonical(bytes, Some(leaf.encode().expect("what was read is a leaf")));
        let described = tbsi_types::bundle::describe(&leaf);
        assert!(described["kind"].is_string(), "every kind has a name");
    },
    || {
        let vectors = vectors("leaf.json");
        let mut seeds = hex_of(&vectors, "leaves", "leaf");
        seeds.extend(hex_of(&vectors, "refused", "leaf"));
        seeds
    },
);

/// The kind, then the arguments as the contract stores them. Their encoding is the ABI's, which
/// is not canonical: what counts is that they mean the same.
pub(super) const MOTION: Target = Target::binary("motion", motion, motions);

pub(super) const GENESIS: Target = Target::text(
    "genesis",
    |bytes| {
        let Ok(genesis) = Genesis::parse(bytes) else {
            return;
        };
        let text = serde_json::to_vec(&genesis).expect("a genesis is plain data");
        let again = Genesis::parse(&text).expect("it is one still");
        assert_eq!(again, genesis);
        assert_eq!(again.hash(), genesis.hash());
    },
    || {
        let genesis = vectors("bundle.json")["genesis"].take();
        let complete = vectors("checkpoint.json")["genesis"].take();
        [genesis, complete]
            .map(|json| json.to_string().into_bytes())
            .into()
    },
    &[
        "\"governance\":",
        "\"accounts\":{",
        "null",
        "1e400",
        "-0",
        "\"time_ms\":",
        "\\u0000",
    ],
)
.slow(24_000);

fn block(bytes: &[u8]) {
    // The time and the header of a block that decodes are those of its bytes.
    if let Ok(block) = ProposedBlock::decode(bytes, CHAIN_ID, &|_| None) {
        canonical(bytes, Some(block.encode()));
        assert_eq!(block.block.header.timestamp, block.time.seconds());
        let hashes = block.block.transactions.iter().map(|tx| tx.hash());
        assert!(hashes.count() <= bytes.len(), "a transaction has bytes");
    }
}

fn transaction(bytes: &[u8]) {
    if let Ok(transaction) = Transaction::parse_and_verify(bytes, CHAIN_ID) {
        canonical(bytes, Some(transaction.envelope().encoded_2718()));
        let stored = Transaction::from_stored(transaction.encoded().clone(), transaction.sender());
        assert_eq!(stored.expect("it was verified"), transaction);
    }
}

fn key() -> SecretKey {
    SecretKey::from_seed(b"fuzz")
}

fn signed<T: SignableTransaction<Signature>>(transaction: T) -> Vec<u8>
where
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    sign(transaction, &key()).encoded.into()
}

fn transactions() -> [Vec<u8>; 3] {
    let to = TxKind::Call(Address::repeat_byte(0x42));
    [
        signed(TxEip1559 {
            chain_id: CHAIN_ID,
            nonce: 1,
            gas_limit: 100_000,
            max_fee_per_gas: 7,
            to,
            value: U256::from(1),
            input: vec![1; 40].into(),
            ..TxEip1559::default()
        }),
        signed(TxEip1559 {
            chain_id: CHAIN_ID,
            to: TxKind::Create,
            ..TxEip1559::default()
        }),
        signed(TxLegacy {
            chain_id: Some(CHAIN_ID),
            gas_limit: 21_000,
            to,
            ..TxLegacy::default()
        }),
    ]
}

fn blocks() -> Vec<Vec<u8>> {
    let fields = HeaderFields {
        parent_hash: B256::repeat_byte(1),
        height: Height(7),
        time: TimestampMs(1_700_000_000_123),
        beneficiary: Address::repeat_byte(2),
        gas_limit: 300_000_000,
        gas_used: 0,
        state_root: B256::repeat_byte(3),
        transactions_root: B256::repeat_byte(4),
        receipts_root: B256::repeat_byte(5),
        logs_bloom: Bloom::default(),
    };
    let verified = transactions().map(|encoded| {
        let transaction = Transaction::parse_and_verify(&encoded, CHAIN_ID);
        Arc::new(transaction.expect("a good transaction"))
    });
    let block = |transactions: &[Arc<Transaction>]| {
        let block = Block {
            header: fields.header(),
            transactions: transactions.to_vec(),
        };
        let time = fields.time;
        ProposedBlock { time, block }.encode()
    };
    vec![block(&[]), block(&verified[..1]), block(&verified)]
}

fn motion(bytes: &[u8]) {
    let Some((kind, arguments)) = bytes.split_first() else {
        return;
    };
    if let Ok(motion) = Act::decode(*kind, arguments) {
        assert_eq!(motion.kind(), *kind);
        let encoded = motion.arguments();
        let again = Act::decode(*kind, &encoded).expect("it is one still");
        assert_eq!(again.arguments(), encoded);
    }
}

/// Words of 0, 1 and offsets, for each kind: the shortest arguments of all of them.
fn motions() -> Vec<Vec<u8>> {
    let word = |number: u8| {
        let mut word = [0; 32];
        word[31] = number;
        word
    };
    let static_words = [1, 2, 3, 4, 5, 6, 7, 8].map(word).concat();
    // Offsets of dynamic values in one argument of ten words, all empty there.
    let dynamic = [0x20, 0xa0, 0xc0, 0xe0, 1, 2, 0, 0, 0, 0, 0, 0]
        .map(word)
        .concat();
    (1..=18)
        .flat_map(|kind| [&static_words, &dynamic].map(|words| [&[kind], &words[..]].concat()))
        .collect()
}
