//! `cose.json`: COSE receipts of leaf 137 of 300, good and bad (SPEC §10.8). The leaves are those
//! of `log.json`.

use alloy_primitives::{B256, Bytes};
use serde::{Deserialize, Serialize};
use tbsi_light::verify_cose_receipt;
use tbsi_types::log::{
    CoseReceipt, InclusionProof, LogCheckpoint, NoteSigner, NoteVerifier, SignatureType,
};
use tbsi_types::{LeafIndex, TreeSize};

use crate::fixture::Log;
use crate::{read, words};

const ORIGIN: &str = "tbsi/8862026/0123456789abcdef";
const SIZE: u64 = 300;
const INDEX: LeafIndex = LeafIndex(137);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CoseVectors {
    description: String,
    /// Of the key that signs; its secret repeats the byte 1.
    key: String,
    leaf: Bytes,
    root: B256,
    cases: Vec<CoseCase>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CoseCase {
    name: String,
    receipt: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

fn leaf(index: u64) -> Vec<u8> {
    index.to_be_bytes().into()
}

fn signer(operator: &str, secret: u8) -> NoteSigner {
    NoteSigner::new(&format!("{ORIGIN}/{operator}"), &[secret; 32]).unwrap()
}

pub(crate) fn make() -> CoseVectors {
    let log = Log::of((0..SIZE).map(leaf));
    let own = signer("ab", 1);
    CoseVectors {
        description: "COSE receipts (RFC 9942, RFC9162_SHA256) of `leaf`, which is number 137 of \
                      300, signed with `key` over `root`. One with `refused` must be refused."
            .into(),
        key: own.verifier(SignatureType::Cosignature).encode(),
        leaf: leaf(INDEX.0).into(),
        root: log.root(),
        cases: cases(&log, &own),
    }
}

/// What is done to a good receipt after it was signed, and why it is refused then.
type Edit = (&'static str, fn(&mut CoseReceipt), &'static str);

const UNSIGNED: &str = "does not verify";

const EDITS: [Edit; 6] = [
    (
        "one bit of the signature",
        |it| it.signature[9] ^= 1,
        UNSIGNED,
    ),
    (
        "one bit of a hash",
        |it| it.inclusion.0[3].0[0] ^= 1,
        UNSIGNED,
    ),
    ("another index", |it| it.index = LeafIndex(136), UNSIGNED),
    ("another size", |it| it.size = TreeSize(299), UNSIGNED),
    (
        "a hash too few",
        |it| it.inclusion.0.truncate(8),
        "9 are needed",
    ),
    (
        "a hash too many",
        |it| it.inclusion.0.push(B256::ZERO),
        "9 are needed",
    ),
];

/// Bytes of a good receipt, what takes their place, and why it is refused then.
type Replaced = (&'static str, &'static [u8], &'static [u8], &'static str);

const REPLACED: [Replaced; 6] = [
    // The path fits a log of 301 leaves too, and leads to the same root in it.
    (
        "another size in the path",
        b"\x83\x19\x01\x2c\x18\x89",
        b"\x83\x19\x01\x2d\x18\x89",
        "a log of 301 leaves, signed is one of 300",
    ),
    (
        "another algorithm",
        b"\xa4\x01\x27",
        b"\xa4\x01\x26",
        "alg must be",
    ),
    (
        "another tree",
        b"\x19\x01\x8b\x01",
        b"\x19\x01\x8b\x02",
        "vds (395) must be",
    ),
    ("no tag", b"\xd2\x84", b"\x84", "no tagged COSE_Sign1"),
    (
        "an attached payload",
        b"\xf6\x58\x40",
        b"\x41\x00\x58\x40",
        "payload must be detached",
    ),
    // The tag in two bytes.
    (
        "another encoding",
        b"\xd2\x84",
        b"\xd8\x12\x84",
        "not in the one form",
    ),
];

fn cases(log: &Log, own: &NoteSigner) -> Vec<CoseCase> {
    let path = InclusionProof::make(log, INDEX, log.size()).unwrap();
    let by = |signer: &NoteSigner, root| {
        let log = LogCheckpoint {
            origin: ORIGIN.into(),
            size: log.size(),
            root,
        };
        CoseReceipt::sign(signer, log, INDEX, path.clone())
    };
    let good = by(own, log.root());
    let bytes = good.encode();
    let case = |name: &str, receipt: Vec<u8>, refused: Option<&str>| CoseCase {
        name: name.into(),
        receipt: receipt.into(),
        refused: refused.map(Into::into),
    };
    let bad = |name: &str, receipt, words| case(name, receipt, Some(words));
    let mut cases = vec![
        case("leaf 137 of 300", bytes.clone(), None),
        bad("another root", by(own, B256::ZERO).encode(), UNSIGNED),
    ];
    for (name, operator, secret) in [("another key", "ab", 2), ("another name", "ac", 1)] {
        let other = by(&signer(operator, secret), log.root());
        cases.push(bad(name, other.encode(), UNSIGNED));
    }
    for (name, edit, words) in EDITS {
        let mut receipt = good.clone();
        edit(&mut receipt);
        cases.push(bad(name, receipt.encode(), words));
    }
    for (name, from, to, words) in REPLACED {
        let at = bytes.windows(from.len()).position(|it| it == from);
        let at = at.expect("it is there");
        let changed = [&bytes[..at], to, &bytes[at + from.len()..]].concat();
        cases.push(bad(name, changed, words));
    }
    let cut = bytes[..bytes.len() - 1].to_vec();
    cases.push(bad("cut short", cut, "no tagged COSE_Sign1"));
    let surplus = [bytes.as_slice(), &[0]].concat();
    cases.push(bad("surplus byte", surplus, "no tagged COSE_Sign1"));
    cases
}

#[test]
fn cose_receipts_verify_as_the_file_says() {
    let vectors: CoseVectors = serde_json::from_str(&read("cose.json")).unwrap();
    let key = NoteVerifier::parse(&vectors.key).unwrap();
    for case in &vectors.cases {
        let verify = || -> Result<LogCheckpoint, Box<dyn std::error::Error>> {
            let receipt = CoseReceipt::decode(&case.receipt)?;
            Ok(verify_cose_receipt(&vectors.leaf, &receipt, &key)?)
        };
        let got = verify().map_err(|error| words(error.as_ref()));
        match (got, &case.refused) {
            (Ok(log), None) => {
                assert_eq!((log.size, log.root), (TreeSize(SIZE), vectors.root));
                assert_eq!(log.origin, ORIGIN);
            }
            (Err(got), Some(words)) => assert!(got.contains(words), "{}: {got}", case.name),
            (got, _) => panic!("{}: {got:?}", case.name),
        }
        let receipt = CoseReceipt::decode(&case.receipt);
        let other = receipt.is_ok_and(|it| verify_cose_receipt(b"other", &it, &key).is_ok());
        assert!(!other, "{}: another leaf", case.name);
    }
}
