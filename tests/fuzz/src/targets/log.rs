//! Proofs and the log, as clients and witnesses read them (SPEC §9, §10).

use std::collections::BTreeSet;
use std::str;
use std::sync::LazyLock;

use tbsi_light::{TrustAnchor, verify_bundle, verify_cose_receipt};
use tbsi_types::bundle::ProofBundle;
use tbsi_types::log::ots::{OtsError, OtsWriter, read_ots, read_ots_file};
use tbsi_types::log::tile::entries;
use tbsi_types::log::{
    AddCheckpoint, CoseReceipt, EntryBundle, Frontier, LogCheckpoint, NoteVerifier, OtsCommitment,
    PostQuantumVerifier, SignedNote, Tile, TlogProof,
};
use tbsi_types::{Genesis, TreeSize};

use super::{Target, canonical};
use crate::corpus::{hex_of, text_of, vectors};

pub(super) const BUNDLE: Target = Target::binary("bundle", bundle, || {
    hex_of(&vectors("bundle.json"), "cases", "compact")
})
.slow(30_000);

pub(super) const BUNDLE_JSON: Target =
    Target::text("bundle-json", bundle_json, bundles_json, JSON_WORDS).slow(15_000);

const JSON_WORDS: &[&str] = &[
    "null",
    "true",
    "-1",
    "1e400",
    "18446744073709551616",
    "\"0x\"",
    "\"0X0\"",
    "{}",
    "[]",
    "[[[[[[[[",
    "\\ud800",
    "\"leaf\":",
];

const NOTE_WORDS: &[&str] = &[
    "\n", "\n\n", "— ", "+", "=", "==", " ", "old 0\n", "\u{2028}", "\r\n",
];

pub(super) const NOTE: Target = Target::text(
    "note",
    |bytes| {
        let Some(note) = text(bytes).and_then(|text| SignedNote::parse(text).ok()) else {
            return;
        };
        canonical(bytes, Some(note.encode().into_bytes()));
        if let Ok(checkpoint) = LogCheckpoint::parse(note.text()) {
            let again = checkpoint.encode().expect("what was read is written");
            canonical(note.text().as_bytes(), Some(again.into_bytes()));
        }
        for signature in note.signatures() {
            assert!(
                KEYS.iter()
                    .all(|key| !key.claims(signature) || key.name() == signature.name)
            );
        }
    },
    || text_of(&vectors("log.json"), "notes", "text"),
    NOTE_WORDS,
);

pub(super) const NOTE_KEY: Target = Target::text(
    "note-key",
    |bytes| {
        let key = text(bytes).and_then(|text| NoteVerifier::parse(text).ok());
        canonical(bytes, key.map(|key| key.encode().into_bytes()));
    },
    || keys().into_iter().map(String::into_bytes).collect(),
    NOTE_WORDS,
);

pub(super) const POST_QUANTUM_KEY: Target = Target::text(
    "post-quantum-key",
    |bytes| {
        let key = text(bytes).and_then(|text| PostQuantumVerifier::parse(text).ok());
        canonical(bytes, key.map(|key| key.encode().into_bytes()));
    },
    || text_of(&vectors("post_quantum.json"), "validators", "key"),
    NOTE_WORDS,
)
.slow(10_000);

pub(super) const ADD_CHECKPOINT: Target = Target::text(
    "add-checkpoint",
    |bytes| {
        let request = text(bytes).and_then(|text| AddCheckpoint::parse(text).ok());
        canonical(bytes, request.map(|request| request.encode().into_bytes()));
    },
    || {
        let notes = text_of(&vectors("log.json"), "notes", "text");
        let hash = "tD6Dp0Go6qDpU0QR21PoTuvHJ9sfhmpTLoglN0SZIm8=\n";
        let heads = ["old 0\n\n".to_owned(), format!("old 137\n{hash}{hash}\n")];
        let request = |note: &Vec<u8>, head: &String| [head.as_bytes(), note].concat();
        let requests = notes
            .iter()
            .flat_map(|note| heads.iter().map(|head| request(note, head)));
        requests.collect()
    },
    NOTE_WORDS,
);

pub(super) const TLOG_PROOF: Target = Target::text(
    "tlog-proof",
    |bytes| {
        let proof = text(bytes).and_then(|text| TlogProof::parse(text).ok());
        canonical(bytes, proof.map(|proof| proof.encode().into_bytes()));
    },
    || text_of(&vectors("log.json"), "tlogProofs", "text"),
    NOTE_WORDS,
);

/// What a COSE receipt is of.
const LEAF_OF_RECEIPT: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 137];

/// The values of CBOR take more room than their bytes.
pub(super) const COSE_RECEIPT: Target = Target::binary(
    "cose-receipt",
    |bytes| {
        let Ok(receipt) = CoseReceipt::decode(bytes) else {
            return;
        };
        canonical(bytes, Some(receipt.encode()));
        let verified = verify_cose_receipt(&LEAF_OF_RECEIPT, &receipt, &COSE_KEY);
        assert!(verified.is_err() || COSE_GOOD.contains(bytes));
    },
    || hex_of(&vectors("cose.json"), "cases", "receipt"),
)
.heap(512)
.slow(60_000);

static COSE_KEY: LazyLock<NoteVerifier> = LazyLock::new(|| {
    let vectors = vectors("cose.json");
    let key = vectors["key"].as_str().expect("a key");
    NoteVerifier::parse(key).expect("a key")
});

/// The receipts that verify.
static COSE_GOOD: LazyLock<BTreeSet<Vec<u8>>> = LazyLock::new(|| {
    let vectors = vectors("cose.json");
    let cases = vectors["cases"].as_array().expect("cases");
    let good = cases.iter().filter(|case| case.get("refused").is_none());
    let bytes = |case: &serde_json::Value| {
        let text = case["receipt"].as_str().expect("hex");
        alloy_primitives::hex::decode(text).expect("hex")
    };
    good.map(bytes).collect()
});

/// What a message is in the timestamps that are read.
const MESSAGE: [u8; 32] = [7; 32];

pub(super) const OTS: Target = Target::binary(
    "ots",
    |bytes| {
        if let Ok((digest, found)) = read_ots_file(bytes) {
            assert!(!found.is_empty(), "every branch ends in an attestation");
            let start = bytes.len() - OtsWriter::file(digest).finish().len();
            assert!(
                found
                    .iter()
                    .all(|it| it.place.0 < it.place.1 && it.place.1 <= start)
            );
        }
        let Ok(found) = read_ots(bytes, &MESSAGE) else {
            return;
        };
        // What is last can be replaced by another timestamp of the same message.
        let last = found.iter().filter(|it| it.is_last);
        for attestation in last {
            let (start, end) = attestation.place;
            let mut longer = OtsWriter::default();
            longer.sha256();
            longer.pending("http://a", true);
            let spliced = [&bytes[..start], &longer.finish(), &bytes[end..]].concat();
            let again = read_ots(&spliced, &MESSAGE);
            let too_large = matches!(again, Err(OtsError::TooLong(_) | OtsError::Depth));
            assert!(too_large || again.is_ok_and(|again| again.len() == found.len()));
        }
    },
    || {
        let mut writer = OtsWriter::default();
        writer.prepend(&[0; 86]);
        writer.pending("http://127.0.0.1:8545", false);
        writer.sha256();
        writer.append(&[1; 32]);
        writer.prepend(&[1]);
        writer.sha256();
        let mut pending = writer.clone();
        pending.pending("http://127.0.0.1:8545", true);
        let bitcoin = b"\x00\x05\x88\x96\x0d\x73\xd7\x19\x01\x03\xe0\xa8\x2b";
        let pending = pending.finish();
        let file = OtsWriter::file(MESSAGE.into()).finish_with(&pending);
        vec![pending, writer.finish_with(bitcoin), file]
    },
)
.heap(64);

pub(super) const CALENDAR_REQUEST: Target = Target::text(
    "calendar-request",
    |bytes| {
        let Some(asked) = text(bytes).and_then(|text| OtsCommitment::parse(text).ok()) else {
            return;
        };
        let again = match asked {
            OtsCommitment::Root(root) => root.to_vec(),
            OtsCommitment::Leaf(leaf) => {
                let leaf = leaf.encode().expect("what was read is written");
                [&[0], leaf.as_slice()].concat()
            }
        };
        let small = bytes.to_ascii_lowercase();
        canonical(
            &small,
            Some(alloy_primitives::hex::encode(again).into_bytes()),
        );
    },
    || {
        let leaves = hex_of(&vectors("leaf.json"), "leaves", "leaf").into_iter();
        let asked = |leaf: Vec<u8>| {
            let asked = [&[0], leaf.as_slice()].concat();
            alloy_primitives::hex::encode(asked).into_bytes()
        };
        leaves.map(asked).chain([vec![b'a'; 64]]).collect()
    },
    &["0x", "00", "0001", "FF", " ", "\0"],
);

pub(super) const TILE_PATH: Target = Target::text(
    "tile-path",
    |bytes| {
        let Some(text) = text(bytes) else {
            return;
        };
        if let Ok(tile) = Tile::parse_path(text) {
            canonical(bytes, Some(tile.path().into_bytes()));
        }
        if let Ok(bundle) = EntryBundle::parse_path(text) {
            canonical(bytes, Some(bundle.path().into_bytes()));
        }
    },
    || {
        let vectors = vectors("log.json");
        let mut seeds = text_of(&vectors, "paths", "path");
        seeds.extend(text_of(&vectors, "entryBundles", "path"));
        let bad = vectors["badPaths"].as_array().expect("a list");
        seeds.extend(
            bad.iter()
                .filter_map(|path| Some(path.as_str()?.as_bytes().to_vec())),
        );
        seeds
    },
    &[
        "x001/",
        "000",
        ".p/",
        "256",
        "/",
        "entries/",
        "x18446744073709551",
    ],
);

/// The number of entries that is asked for, less one, then the bytes of the bundle.
pub(super) const ENTRY_BUNDLE: Target = Target::binary(
    "entry-bundle",
    |bytes| {
        let Some((width, bundle)) = bytes.split_first() else {
            return;
        };
        let width = u16::from(*width) + 1;
        if let Ok(leaves) = entries(bundle, width) {
            assert_eq!(leaves.len(), usize::from(width));
            let length: usize = leaves.iter().map(|leaf| 2 + leaf.len()).sum();
            assert_eq!(length, bundle.len());
        }
    },
    || {
        let bundles = hex_of(&vectors("log.json"), "entryBundles", "bytes");
        let whole = bundles.into_iter().zip([255, 43]);
        let mut seeds: Vec<_> = whole
            .map(|(bundle, width)| [&[width], &bundle[..]].concat())
            .collect();
        seeds.push(vec![0, 0, 2, 1, 2]);
        seeds
    },
);

pub(super) const FRONTIER: Target = Target::binary(
    "frontier",
    |bytes| {
        let Ok(frontier) = Frontier::decode(bytes) else {
            return;
        };
        canonical(bytes, Some(frontier.encode()));
        frontier.root();
    },
    || hex_of(&vectors("log.json"), "trees", "frontier"),
);

fn text(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok()
}

fn keys() -> Vec<String> {
    let vectors = vectors("log.json");
    let keys = &vectors["keys"];
    let cosigners = keys["cosigners"].as_array().expect("a list");
    let all = cosigners.iter().chain([&keys["log"]]);
    all.map(|key| key.as_str().expect("text").to_owned())
        .collect()
}

static KEYS: LazyLock<Vec<NoteVerifier>> = LazyLock::new(|| {
    let keys = keys();
    let keys = keys
        .iter()
        .map(|key| NoteVerifier::parse(key).expect("a key"));
    keys.collect()
});

/// The vectors' network, and the leaves that its validators signed.
static SIGNED: LazyLock<(TrustAnchor, BTreeSet<Vec<u8>>)> = LazyLock::new(|| {
    let genesis = vectors("bundle.json")["genesis"].to_string();
    let genesis = Genesis::parse(genesis.as_bytes()).expect("the vectors' genesis");
    let anchor = TrustAnchor::genesis(&genesis).expect("it has validators");
    let seeds = (BUNDLE.made)();
    let bundles = seeds
        .iter()
        .filter_map(|seed| ProofBundle::decode(seed).ok());
    let proven = bundles.filter(|bundle| verify_bundle(bundle, &anchor).is_ok());
    let leaves: BTreeSet<_> = proven.map(|bundle| bundle.leaf).collect();
    assert!(!leaves.is_empty(), "the vectors prove something");
    (anchor, leaves)
});

/// No mutant proves what nobody signed.
fn proves_only_what_was_signed(bundle: &ProofBundle) {
    let (anchor, leaves) = &*SIGNED;
    if verify_bundle(bundle, anchor).is_ok() {
        assert!(leaves.contains(&bundle.leaf), "a leaf that was not signed");
    }
}

fn bundle(bytes: &[u8]) {
    let Ok(bundle) = ProofBundle::decode(bytes) else {
        return;
    };
    let again = bundle.encode().expect("what was read is written");
    canonical(bytes, Some(again));
    let json = bundle.to_json().expect("every bundle has a JSON form");
    let parsed = ProofBundle::parse_json(json.as_bytes()).expect("it is read");
    assert_eq!(parsed, bundle);
    assert!(bundle.decision.checkpoint.log_size > TreeSize(bundle.leaf_index.0));
    proves_only_what_was_signed(&bundle);
    proves_only_what_was_signed(&bundle.minimal());
}

fn bundle_json(bytes: &[u8]) {
    let Ok(bundle) = ProofBundle::parse_json(bytes) else {
        return;
    };
    let json = bundle.to_json().expect("what was read is written");
    let again = ProofBundle::parse_json(json.as_bytes()).expect("it is read again");
    assert_eq!(again, bundle);
    // One that contradicts itself has no compact form.
    if let Ok(compact) = bundle.encode() {
        assert_eq!(ProofBundle::decode(&compact).expect("it is read"), bundle);
    }
    proves_only_what_was_signed(&bundle);
}

fn bundles_json() -> Vec<Vec<u8>> {
    let vectors = vectors("bundle.json");
    let cases = vectors["cases"].as_array().expect("a list");
    let json = cases.iter().filter(|case| case["json"].is_object());
    json.map(|case| case["json"].to_string().into_bytes())
        .collect()
}
