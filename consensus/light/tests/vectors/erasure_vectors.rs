//! `erasure.json`: statements that a salt was destroyed, and the leaf that each is held against.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use serde::{Deserialize, Serialize};
use tbsi_light::verify_erasure;
use tbsi_types::erasure::{ERASURE_FORMAT, Erasure, SignedErasure};
use tbsi_types::log::lookup::BUILT_IN_SCHEMAS;
use tbsi_types::log::{Attestation, DigestWords, Leaf, LeafHead, Statement, leaf_hash};
use tbsi_types::{ChainIdentity, Height, LeafIndex, SecretKey, TimestampMs};

use crate::read;

const SEED: &str = "issuer of erasure.json";
const CHAIN_ID: u64 = 8_862_026;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ErasureVectors {
    description: String,
    /// UTF-8 text whose Keccak-256 is the issuer's secret key.
    seed: String,
    chain_id: u64,
    genesis_hash: B256,
    cases: Vec<ErasureCase>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ErasureCase {
    name: String,
    /// The file, to the byte.
    statement: String,
    leaf: Bytes,
    leaf_index: LeafIndex,
    /// Words of the reason; absent if the statement is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

fn chain() -> ChainIdentity {
    ChainIdentity {
        chain_id: CHAIN_ID,
        genesis_hash: keccak256("genesis of erasure.json"),
    }
}

fn key() -> SecretKey {
    SecretKey::from_seed(SEED.as_bytes())
}

fn leaf(schema: B256, issuer: Address) -> Leaf {
    Leaf {
        head: LeafHead {
            chain_id: CHAIN_ID,
            height: Height(9),
            time: TimestampMs(1_700_000_009_000),
            transaction_index: 1,
            ordinal: 0,
            issuer,
        },
        statement: Statement::Attestation(Attestation {
            schema,
            algorithm: 0x12,
            digest: DigestWords::One([keccak256("salt and file")]),
        }),
    }
}

fn salted() -> Leaf {
    leaf(BUILT_IN_SCHEMAS[1], key().public_key().address())
}

fn of(leaf: &Leaf, index: u64) -> Erasure {
    Erasure {
        format: ERASURE_FORMAT.into(),
        chain_id: CHAIN_ID,
        genesis_hash: chain().genesis_hash,
        issuer: leaf.head.issuer,
        attestation: leaf.attestation_id().unwrap_or_default(),
        leaf_index: LeafIndex(index),
        leaf_hash: leaf_hash(&leaf.encode().unwrap()),
    }
}

fn case(name: &str, statement: String, leaf: &Leaf, refused: &str) -> ErasureCase {
    ErasureCase {
        name: name.into(),
        statement,
        leaf: leaf.encode().unwrap().into(),
        leaf_index: LeafIndex(7),
        refused: (!refused.is_empty()).then(|| refused.into()),
    }
}

pub(crate) fn make() -> ErasureVectors {
    let good = salted();
    let text = of(&good, 7).sign(&key()).encode();
    let mut cases = vec![case("good", text.clone(), &good, "")];
    let other_schema = leaf(keccak256("a schema with salts"), good.head.issuer);
    let statement = of(&other_schema, 7).sign(&key()).encode();
    cases.push(case("of another schema", statement, &other_schema, ""));
    cases.extend(other_statements(&good));
    cases.extend(other_leaves(&good, &text));
    cases.extend(other_bytes(&good, &text));
    ErasureVectors {
        description: "Statements that a salt was destroyed (SPEC §12.10), and the leaf that a \
                      verified proof shows at leafIndex of a log of this network."
            .into(),
        seed: SEED.into(),
        chain_id: CHAIN_ID,
        genesis_hash: chain().genesis_hash,
        cases,
    }
}

/// Signed, and of something else.
fn other_statements(good: &Leaf) -> Vec<ErasureCase> {
    let changed = |name: &str, change: &dyn Fn(&mut Erasure), refused: &str| {
        let mut erasure = of(good, 7);
        change(&mut erasure);
        case(name, erasure.sign(&key()).encode(), good, refused)
    };
    let stranger = SecretKey::from_seed(b"a stranger");
    let by_stranger = of(good, 7).sign(&stranger).encode();
    let mut as_stranger = of(good, 7);
    as_stranger.issuer = stranger.public_key().address();
    let as_stranger = as_stranger.sign(&stranger).encode();
    vec![
        changed("another chain", &|it| it.chain_id += 1, "the leaf is of"),
        changed(
            "another network of the same chain id",
            &|it| it.genesis_hash = B256::ZERO,
            "the leaf is of",
        ),
        changed(
            "another attestation",
            &|it| it.attestation = B256::ZERO,
            "is about attestation",
        ),
        changed(
            "another place",
            &|it| it.leaf_index = LeafIndex(8),
            "is about leaf 8",
        ),
        changed(
            "another leaf hash",
            &|it| it.leaf_hash = B256::ZERO,
            "has leaf hash",
        ),
        changed(
            "another format",
            &|it| it.format = "tbsi-erasure-2".into(),
            "newer software",
        ),
        case("signed by a stranger", by_stranger, good, "signature is by"),
        case("by a stranger", as_stranger, good, "statement is by"),
    ]
}

/// A good statement, held against what it is not about.
fn other_leaves(good: &Leaf, text: &str) -> Vec<ErasureCase> {
    let unsalted = leaf(BUILT_IN_SCHEMAS[0], good.head.issuer);
    let mut later = *good;
    later.head.height = Height(10);
    let revocation = Leaf {
        head: good.head,
        statement: Statement::Revocation {
            id: B256::ZERO,
            reason: 1,
        },
    };
    let statement = of(&unsalted, 7).sign(&key()).encode();
    let mut elsewhere = case(
        "the leaf at another place",
        text.into(),
        good,
        "is about leaf 7",
    );
    elsewhere.leaf_index = LeafIndex(8);
    vec![
        case(
            "a file without a salt",
            statement,
            &unsalted,
            "without a salt",
        ),
        case(
            "a later leaf of the same id",
            text.into(),
            &later,
            "has leaf hash",
        ),
        case(
            "no attestation",
            text.into(),
            &revocation,
            "is no attestation",
        ),
        elsewhere,
    ]
}

/// Bytes that are no statement.
fn other_bytes(good: &Leaf, text: &str) -> Vec<ErasureCase> {
    let line = text.trim_end();
    let case = |name: &str, text: String, refused: &str| case(name, text, good, refused);
    let digit = line.rfind('"').unwrap() - 3;
    let mut signature = line.to_owned();
    let other = if signature.as_bytes()[digit] == b'0' {
        "1"
    } else {
        "0"
    };
    signature.replace_range(digit..=digit, other);
    let object: serde_json::Value = serde_json::from_str(line).unwrap();
    let order = "format chainId genesisHash issuer attestation leafIndex leafHash signature";
    let values = order.split(' ').map(|key| object[key].clone());
    let list = serde_json::Value::from_iter(values).to_string();
    let hex = object["attestation"].as_str().unwrap();
    let hex = hex.trim_start_matches("0x");
    vec![
        case("empty", String::new(), "expected form"),
        case("without a line feed", line.into(), "canonical form"),
        case(
            "with a space",
            text.replacen(':', ": ", 1),
            "canonical form",
        ),
        case(
            "capital digits",
            text.replace(hex, &hex.to_uppercase()),
            "canonical form",
        ),
        case(
            "a key too many",
            text.replacen('{', "{\"a\":1,", 1),
            "expected form",
        ),
        case(
            "a key twice",
            text.replacen('{', "{\"chainId\":8862026,", 1),
            "expected form",
        ),
        case("a list of its values", list, "expected form"),
        case(
            "a signature of 66 bytes",
            line.replacen("\"signature\":\"0x", "\"signature\":\"0x00", 1) + "\n",
            "signature",
        ),
        case("another signature", signature + "\n", "signature"),
        case(
            "too long",
            format!("{text}{}", " ".repeat(2_048)),
            "at most 2048",
        ),
    ]
}

#[test]
fn erasures_verify_as_the_file_says() {
    let vectors: ErasureVectors = serde_json::from_str(&read("erasure.json")).unwrap();
    let chain = ChainIdentity {
        chain_id: vectors.chain_id,
        genesis_hash: vectors.genesis_hash,
    };
    for case in &vectors.cases {
        let leaf = Leaf::decode(&case.leaf).unwrap();
        let verify = || -> Result<(), Box<dyn std::error::Error>> {
            let signed = SignedErasure::parse(case.statement.as_bytes())?;
            Ok(verify_erasure(&signed, &chain, case.leaf_index, &leaf)?)
        };
        match (verify(), &case.refused) {
            (Ok(()), None) => {}
            (Err(error), Some(words)) => {
                let mut said = error.to_string();
                if let Some(cause) = error.source() {
                    said = format!("{said}: {cause}");
                }
                assert!(said.contains(words), "{}: {said}", case.name);
            }
            (got, _) => panic!("{}: {got:?}", case.name),
        }
    }
    let refused = vectors.cases.iter().filter(|case| case.refused.is_some());
    assert!(refused.count() >= 20);
}
