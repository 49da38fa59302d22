//! `leaf.json`: bytes of leaves, and the leaves of receipts.

use alloy_consensus::{Eip658Value, ReceiptWithBloom};
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, U256, keccak256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tbsi_types::bundle::describe;
use tbsi_types::log::leaf::parties_hash;
use tbsi_types::log::{
    ATTESTATIONS, Attestation, DigestWords, FACTS, ForeignFact, Leaf, LeafHead, MapRoot, Statement,
    leaf_hash, leaves,
};
use tbsi_types::transaction::Receipt;
use tbsi_types::{Height, TimestampMs};

use crate::{read, words};

const CHAIN_ID: u64 = 8_862_026;
const ISSUER: Address = Address::repeat_byte(0xaa);
const SCHEMA: B256 = B256::repeat_byte(0x5c);
const ID: B256 = B256::repeat_byte(0x1d);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LeafVectors {
    description: String,
    leaves: Vec<LeafCase>,
    refused: Vec<BadLeaf>,
    derivations: Vec<Derivation>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LeafCase {
    name: String,
    leaf: Bytes,
    leaf_hash: B256,
    statement: Value,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BadLeaf {
    name: String,
    leaf: Bytes,
    reason: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Derivation {
    name: String,
    height: Height,
    time_ms: TimestampMs,
    /// The logs of each transaction.
    transactions: Vec<Vec<LogCase>>,
    leaves: Vec<Bytes>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LogCase {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
}

fn leaf(statement: Statement) -> Leaf {
    let head = LeafHead {
        chain_id: CHAIN_ID,
        height: Height(42),
        time: TimestampMs(1_700_000_012_345),
        transaction_index: 3,
        ordinal: 7,
        issuer: ISSUER,
    };
    Leaf { head, statement }
}

fn attestation(algorithm: u32, digest: &[u8]) -> Statement {
    Statement::Attestation(Attestation {
        schema: SCHEMA,
        algorithm,
        digest: DigestWords::of(algorithm, digest).unwrap(),
    })
}

fn statements() -> Vec<(&'static str, Statement)> {
    let parties = [Address::repeat_byte(1), Address::repeat_byte(2)];
    let opened = Statement::CountersigningOpened {
        id: ID,
        threshold: 2,
        deadline: 1_800_000_000,
        party_count: 2,
        parties_hash: parties_hash(&parties),
    };
    let registered = Statement::SchemaRegistered {
        schema: SCHEMA,
        text_hash: ID,
        commits_to: 1,
        revocable: true,
    };
    let set = Statement::AlgorithmSet {
        algorithm: 0x534d,
        bits: 256,
        status: 2,
    };
    let (id, successor) = (ID, B256::repeat_byte(0x5e));
    let (have, need) = (1, 2);
    vec![
        ("attestation, sha2-256", attestation(0x12, &[0xd1; 32])),
        ("attestation, sha2-512", attestation(0x13, &[0xd2; 64])),
        ("attestation, sha2-384", attestation(0x20, &[0xd3; 48])),
        ("revocation", Statement::Revocation { id, reason: 4 }),
        ("supersession", Statement::Supersession { id, successor }),
        ("countersigning opened", opened),
        (
            "countersignature",
            Statement::Countersignature { id, have, need },
        ),
        ("schema registered", registered),
        ("algorithm set", set),
        ("map root", Statement::MapRoot(map_root())),
        ("foreign fact", Statement::ForeignFact(fact())),
    ]
}

fn map_root() -> MapRoot {
    MapRoot {
        root: B256::repeat_byte(0xa0),
        entries: 9,
        height: Height(41),
        digest_height: Height(40),
        revoked_algorithms: B256::repeat_byte(0xa1),
    }
}

fn fact() -> ForeignFact {
    ForeignFact {
        client: 2,
        assurance: 1,
        foreign_chain_id: 1_981,
        foreign_height: 5,
        foreign_time: 1_700_000_005,
        block_hash: ID,
        account: Address::repeat_byte(0xac),
        slot: SCHEMA,
        value: B256::repeat_byte(0xfa),
    }
}

pub(crate) fn make() -> LeafVectors {
    let case = |(name, statement): (&str, Statement)| {
        let bytes = leaf(statement).encode().unwrap();
        LeafCase {
            name: name.into(),
            leaf_hash: leaf_hash(&bytes),
            leaf: bytes.into(),
            statement: describe(&leaf(statement)),
        }
    };
    LeafVectors {
        description: "Leaves of the attestation log: their bytes and what they say; bytes that \
                      are no leaf; and the leaves of blocks, whose transactions emitted these \
                      logs on chain id 8862026."
            .into(),
        leaves: statements().into_iter().map(case).collect(),
        refused: refused(),
        derivations: derivations(),
    }
}

fn refused() -> Vec<BadLeaf> {
    let good = leaf(attestation(0x12, &[0xd1; 32])).encode().unwrap();
    let schema = leaf(statements()[7].1).encode().unwrap();
    let patched = |bytes: &[u8], position: usize, value: u8| {
        let mut bytes = bytes.to_vec();
        bytes[position] = value;
        bytes
    };
    let flag = schema.len() - 1;
    let cases = [
        ("empty", vec![], "bytes needed"),
        ("truncated", good[..116].to_vec(), "bytes needed"),
        (
            "one byte too many",
            [&good[..], &[0]].concat(),
            "1 bytes after",
        ),
        ("too long", vec![1; 513], "at most 512"),
        ("version 0", patched(&good, 0, 0), "version 0"),
        ("version 2", patched(&good, 0, 2), "version 2"),
        ("kind 0", patched(&good, 1, 0), "kind 0"),
        ("kind 9", patched(&good, 1, 9), "kind 9"),
        ("kind 17", patched(&good, 1, 17), "kind 17"),
        ("kind 34", patched(&good, 1, 34), "kind 34"),
        ("kind of map roots", patched(&good, 1, 8), "bytes needed"),
        (
            "kind of governance",
            patched(&good, 1, 16),
            "after the last field",
        ),
        ("kind of messages", patched(&good, 1, 32), "bytes needed"),
        (
            "kind of foreign facts",
            patched(&good, 1, 33),
            "bytes needed",
        ),
        (
            "kind of another length",
            patched(&good, 1, 2),
            "bytes after",
        ),
        (
            "digest of no word",
            patched(&good, 84, 0),
            "digest of 0 bytes",
        ),
        (
            "digest of 31 bytes",
            patched(&good, 84, 31),
            "digest of 31 bytes",
        ),
        (
            "two words for one",
            patched(&good, 84, 64),
            "digest of 64 bytes",
        ),
        ("one word for two", patched(&good, 83, 0x13), "takes 64"),
        ("flag is 2", patched(&schema, flag, 2), "`revocable` is 2"),
    ];
    let bad = |(name, leaf, reason): (&str, Vec<u8>, &str)| BadLeaf {
        name: name.into(),
        leaf: leaf.into(),
        reason: reason.into(),
    };
    cases.into_iter().map(bad).collect()
}

fn word(value: u64) -> B256 {
    B256::from(U256::from(value))
}

fn log(signature: &str, topics: &[B256], data: &[B256]) -> LogCase {
    LogCase {
        address: ATTESTATIONS,
        topics: [&[keccak256(signature)], topics].concat(),
        data: data.concat().into(),
    }
}

fn attested(algorithm: u64, digests: &[B256]) -> LogCase {
    let head = [word(algorithm), word(64), word(digests.len() as u64)];
    log(
        "Attested(bytes32,address,uint32,bytes32[])",
        &[SCHEMA, ISSUER.into_word()],
        &[&head, digests].concat(),
    )
}

/// One log of each event, and some that make no leaf.
fn all_events() -> Vec<LogCase> {
    let issuer = ISSUER.into_word();
    let party = |byte| Address::repeat_byte(byte).into_word();
    let opened = [
        word(2),
        word(1_800_000_000),
        word(96),
        word(2),
        party(1),
        party(2),
    ];
    vec![
        attested(0x12, &[ID]),
        log("Revoked(bytes32,address,uint16)", &[ID, issuer], &[word(4)]),
        log(
            "Superseded(bytes32,address,bytes32)",
            &[ID, issuer, SCHEMA],
            &[],
        ),
        log(
            "CountersigningOpened(bytes32,address,uint16,uint64,address[])",
            &[ID, issuer],
            &opened,
        ),
        log(
            "Countersigned(bytes32,address,uint16,uint16)",
            &[ID, party(1)],
            &[word(1), word(2)],
        ),
        log(
            "SchemaRegistered(bytes32,address,bytes32,uint8,bool)",
            &[SCHEMA, issuer],
            &[ID, word(1), word(1)],
        ),
        log(
            "AlgorithmSet(uint32,uint16,uint8)",
            &[word(0x534d)],
            &[word(256), word(2)],
        ),
    ]
}

/// An imported fact, and another event of its contract, which is an act of governance.
fn foreign_facts() -> Vec<LogCase> {
    let fact = fact();
    let mut imported = log(
        "FactImported(uint32,address,bytes32,address,uint8,uint64,uint64,uint64,bytes32,bytes32)",
        &[
            word(fact.client.into()),
            fact.account.into_word(),
            fact.slot,
        ],
        &[
            ISSUER.into_word(),
            word(fact.assurance.into()),
            word(fact.foreign_chain_id),
            word(fact.foreign_height),
            word(fact.foreign_time),
            fact.block_hash,
            fact.value,
        ],
    );
    imported.address = FACTS;
    let mut frozen = log(
        "ClientFrozen(uint32,uint64,bytes32,bytes32,address)",
        &[word(2), word(5)],
        &[ID, SCHEMA, ISSUER.into_word()],
    );
    frozen.address = FACTS;
    let mut cut = imported.clone();
    cut.data = cut.data[..7 * 32 - 1].to_vec().into();
    vec![cut, imported, frozen]
}

fn no_leaves() -> Vec<LogCase> {
    let mut foreign = attested(0x12, &[ID]);
    foreign.address = ISSUER;
    let mut cut = attested(0x12, &[ID]);
    cut.data = cut.data[..127].to_vec().into();
    let mut dirty = attested(0x12, &[ID]);
    dirty.topics[2] = B256::repeat_byte(0xaa);
    vec![
        foreign,
        cut,
        dirty,
        attested(0x12, &[]),
        attested(0x13, &[ID, ID, ID]),
        attested(1 << 32, &[ID]),
        log(
            "Attested(bytes32,address,uint32,bytes32)",
            &[SCHEMA, ISSUER.into_word()],
            &[ID],
        ),
        log(
            "Revoked(bytes32,address,uint16)",
            &[ID, ISSUER.into_word()],
            &[word(1 << 16)],
        ),
    ]
}

fn derivations() -> Vec<Derivation> {
    let words: Vec<B256> = (1..5).map(B256::repeat_byte).collect();
    let batch = vec![attested(0x12, &words), attested(0x13, &words)];
    let mixed = [no_leaves(), vec![attested(0x16, &words[..1])]].concat();
    let cases = [
        ("no transaction", vec![]),
        ("batches of one and two words", vec![vec![], batch]),
        ("every event", vec![all_events()]),
        ("facts of other chains", vec![foreign_facts()]),
        (
            "logs that make no leaf take no number",
            vec![no_leaves(), mixed],
        ),
    ];
    let derive = |(name, transactions): (&str, Vec<Vec<LogCase>>)| {
        let (height, time_ms) = (Height(42), TimestampMs(1_700_000_012_345));
        let receipts = receipts(&transactions);
        let batch = leaves(CHAIN_ID, height, time_ms, &receipts).unwrap();
        Derivation {
            name: name.into(),
            height,
            time_ms,
            transactions,
            leaves: batch.iter().map(Bytes::copy_from_slice).collect(),
        }
    };
    cases.into_iter().map(derive).collect()
}

fn receipts(transactions: &[Vec<LogCase>]) -> Vec<Receipt> {
    let receipt = |logs: &Vec<LogCase>| {
        let log = |case: &LogCase| {
            Log::new(case.address, case.topics.clone(), case.data.clone()).unwrap()
        };
        Receipt::Eip1559(ReceiptWithBloom::new(
            alloy_consensus::Receipt {
                status: Eip658Value::success(),
                cumulative_gas_used: 0,
                logs: logs.iter().map(log).collect(),
            },
            Bloom::ZERO,
        ))
    };
    transactions.iter().map(receipt).collect()
}

#[test]
fn leaves_are_what_the_file_says() {
    let vectors: LeafVectors = serde_json::from_str(&read("leaf.json")).unwrap();
    assert_eq!(vectors.leaves.len(), 11);
    for case in &vectors.leaves {
        let leaf = Leaf::decode(&case.leaf).unwrap();
        assert_eq!(leaf_hash(&case.leaf), case.leaf_hash, "{}", case.name);
        assert_eq!(describe(&leaf), case.statement, "{}", case.name);
    }
    for case in &vectors.refused {
        let error = words(&Leaf::decode(&case.leaf).unwrap_err());
        assert!(error.contains(&case.reason), "{}: {error}", case.name);
    }
    for case in &vectors.derivations {
        let receipts = receipts(&case.transactions);
        let batch = leaves(CHAIN_ID, case.height, case.time_ms, &receipts).unwrap();
        assert!(
            batch
                .iter()
                .eq(case.leaves.iter().map(|leaf| leaf.as_ref())),
            "{}",
            case.name
        );
    }
    let counts: Vec<_> = vectors
        .derivations
        .iter()
        .map(|case| case.leaves.len())
        .collect();
    assert_eq!(counts, [0, 6, 7, 2, 1]);
}
