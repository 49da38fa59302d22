use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tbsi_types::log::{Frontier, NoteSigner};

use super::*;

/// A case of transparency-dev/merkle.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InclusionCase {
    leaf_idx: u64,
    tree_size: u64,
    root: String,
    leaf_hash: String,
    proof: Option<Vec<String>>,
    desc: String,
    want_err: bool,
}

#[derive(Deserialize)]
struct ConsistencyCase {
    size1: u64,
    size2: u64,
    root1: String,
    root2: String,
    proof: Option<Vec<String>>,
    desc: String,
    #[serde(rename = "wantErr")]
    want_err: bool,
}

/// All JSON files below a folder of the third-party vectors.
fn cases<T: serde::de::DeserializeOwned>(folder: &str) -> Vec<T> {
    let root = std::env::var_os("TBSI_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let mut found = Vec::new();
    for path in files(&root.join("rfc6962-merkle").join(folder)) {
        let text = std::fs::read_to_string(&path).unwrap();
        let case = serde_json::from_str(&text);
        found.push(case.unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}; set TBSI_VECTORS", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    };
    paths.flat_map(below).collect()
}

/// A root; for bytes that cannot be one ("don't care") a hash that is the same for the same.
fn root(base64: &str) -> B256 {
    hash(base64).unwrap_or_else(|| tbsi_types::sha256(&[base64.as_bytes()]))
}

/// `None` for what is not a hash at all, which is refused before anything is verified.
fn hash(base64: &str) -> Option<B256> {
    B256::try_from(STANDARD.decode(base64).ok()?.as_slice()).ok()
}

fn hashes(proof: Option<&Vec<String>>) -> Option<Vec<B256>> {
    let none = Vec::new();
    proof.unwrap_or(&none).iter().map(|it| hash(it)).collect()
}

#[test]
fn passes_the_vectors_of_inclusion() {
    let cases: Vec<InclusionCase> = cases("inclusion");
    let (mut good, mut bad) = (0, 0);
    for case in &cases {
        let verify = || {
            let (leaf, expected) = (hash(&case.leaf_hash)?, root(&case.root));
            let proof = InclusionProof(hashes(case.proof.as_ref())?);
            let (index, size) = (LeafIndex(case.leaf_idx), TreeSize(case.tree_size));
            verify_inclusion(leaf, index, size, &proof, expected).ok()
        };
        assert_eq!(verify().is_none(), case.want_err, "{}", case.desc);
        *if case.want_err { &mut bad } else { &mut good } += 1;
    }
    assert!(good >= 4 && bad >= 69, "{good} good and {bad} bad cases");
}

#[test]
fn passes_the_vectors_of_consistency() {
    let cases: Vec<ConsistencyCase> = cases("consistency");
    let (mut good, mut bad) = (0, 0);
    for case in &cases {
        let verify = || {
            let first = (TreeSize(case.size1), root(&case.root1));
            let second = (TreeSize(case.size2), root(&case.root2));
            let proof = ConsistencyProof(hashes(case.proof.as_ref())?);
            verify_consistency(first, second, &proof).ok()
        };
        assert_eq!(verify().is_none(), case.want_err, "{}", case.desc);
        *if case.want_err { &mut bad } else { &mut good } += 1;
    }
    assert!(good >= 4 && bad >= 67, "{good} good and {bad} bad cases");
}

fn signer(name: &str, seed: u8) -> NoteSigner {
    NoteSigner::new(name, &[seed; 32]).unwrap()
}

const LOG: &str = "log.example/tbsi";

fn checkpoint(origin: &str) -> String {
    let root = frontier().root();
    let size = TreeSize(3);
    let origin = origin.into();
    LogCheckpoint { origin, size, root }.encode().unwrap()
}

fn frontier() -> Frontier {
    let mut frontier = Frontier::default();
    for leaf in [b"a", b"b", b"c"] {
        frontier.append(leaf_hash(leaf), |_, _| {});
    }
    frontier
}

/// A checkpoint signed by its log and by two witnesses.
fn note() -> SignedNote {
    let text = checkpoint(LOG);
    let signatures = vec![
        signer(LOG, 1).sign(&text),
        signer("witness.example/a", 2)
            .cosign(&text, 1_700_000_000)
            .unwrap(),
        signer("witness.example/b", 3)
            .cosign(&text, 1_700_000_001)
            .unwrap(),
    ];
    SignedNote::new(text, signatures).unwrap()
}

fn log_key() -> NoteVerifier {
    signer(LOG, 1).verifier(SignatureType::Note)
}

fn witness(name: &str, seed: u8) -> NoteVerifier {
    signer(name, seed).verifier(SignatureType::Cosignature)
}

fn witnesses() -> [NoteVerifier; 2] {
    [
        witness("witness.example/a", 2),
        witness("witness.example/b", 3),
    ]
}

#[test]
fn a_note_names_its_cosigners_and_their_times() {
    let verified = verify_note(&note(), &log_key(), &witnesses(), 2).unwrap();
    assert_eq!(verified.checkpoint.size, TreeSize(3));
    assert_eq!(verified.checkpoint.root, frontier().root());
    let names = ["a", "b"].map(|name| format!("witness.example/{name}"));
    let [a, b] = names;
    assert_eq!(verified.cosigners, [(a, 1_700_000_000), (b, 1_700_000_001)]);
    let alone = verify_note(&note(), &log_key(), &[], 0).unwrap();
    assert_eq!(alone.cosigners, []);
}

#[track_caller]
fn refused(note: &SignedNote, log: &NoteVerifier, known: &[NoteVerifier], words: &str) {
    let error = verify_note(note, log, known, 2).unwrap_err();
    let error = match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    assert!(error.contains(words), "{error}");
}

#[test]
fn refuses_notes_that_lack_somebody() {
    let [a, b] = witnesses();
    let stranger = signer("log.example/other", 1).verifier(SignatureType::Note);
    refused(&note(), &stranger, &[], "did not sign this note");
    let other_key = signer(LOG, 9).verifier(SignatureType::Note);
    refused(&note(), &other_key, &[], "did not sign this note");
    refused(
        &note(),
        &log_key(),
        &[],
        "0 of the cosigners given signed, 2 are needed",
    );
    refused(
        &note(),
        &log_key(),
        &[a.clone(), a.clone()],
        "1 of the cosigners",
    );
    let renamed = witness("witness.example/b", 2);
    refused(
        &note(),
        &log_key(),
        &[a.clone(), renamed],
        "1 of the cosigners",
    );
    refused(&note(), &log_key(), &[a, log_key()], "1 of the cosigners");
    // A cosignature is not a signature of the log.
    let cosigner = signer("witness.example/b", 3).verifier(SignatureType::Note);
    refused(&note(), &cosigner, &[b], "did not sign this note");
    let text = checkpoint("log.example/another");
    let signatures = vec![signer(LOG, 1).sign(&text)];
    let misnamed = SignedNote::new(text, signatures).unwrap();
    refused(
        &misnamed,
        &log_key(),
        &[],
        "checkpoint is of log `log.example/another`",
    );
    let text = "Hello\n".to_owned();
    let signatures = vec![signer(LOG, 1).sign(&text)];
    let prose = SignedNote::new(text, signatures).unwrap();
    refused(&prose, &log_key(), &[], "note text: checkpoint line 2");
    let mut signatures = note().signatures().to_vec();
    signatures.push(signatures[1].clone());
    let twice = SignedNote::new(note().text().into(), signatures).unwrap();
    refused(&twice, &log_key(), &witnesses(), "has two signatures");
}

#[test]
fn every_flipped_bit_of_a_known_signature_condemns_the_note() {
    for line in 0..3 {
        let signatures = note().signatures().to_vec();
        for bit in 0..signatures[line].bytes.len() * 8 {
            let mut flipped = signatures.clone();
            flipped[line].bytes[bit / 8] ^= 1 << (bit % 8);
            let note = SignedNote::new(note().text().into(), flipped).unwrap();
            let verified = verify_note(&note, &log_key(), &witnesses(), 0);
            assert!(
                matches!(verified, Err(LogError::Key(_))),
                "{line}, bit {bit}"
            );
        }
    }
}

#[test]
fn a_tlog_proof_leads_from_the_entry_to_the_note() {
    let [a, b, c] = [b"a", b"b", b"c"].map(|leaf| leaf_hash(leaf));
    let proof = TlogProof {
        extra: None,
        index: LeafIndex(1),
        inclusion: InclusionProof(vec![a, c]),
        note: note(),
    };
    assert_ne!(b, c);
    let proof = TlogProof::parse(&proof.encode()).unwrap();
    let verify = |leaf: &[u8], proof: &TlogProof| {
        verify_tlog_proof(leaf, proof, &log_key(), &witnesses(), 2)
    };
    assert_eq!(verify(b"b", &proof).unwrap().checkpoint.size, TreeSize(3));
    assert!(matches!(
        verify(b"c", &proof),
        Err(LogError::Inclusion { .. })
    ));
    let mut moved = proof.clone();
    moved.index = LeafIndex(0);
    assert!(matches!(
        verify(b"b", &moved),
        Err(LogError::Inclusion { .. })
    ));
    moved.index = LeafIndex(3);
    assert!(matches!(verify(b"b", &moved), Err(LogError::Shape(_))));
}

#[test]
fn a_quorum_of_the_voting_power_cosigns_a_log() {
    let keys = [("witness.example/a", 2), ("witness.example/b", 3)];
    let cosigner = |(position, (name, secret)): (u8, (&str, u8)), power| Cosigner {
        validator: Address::repeat_byte(position),
        power: VotingPower(power),
        key: signer(name, secret).verifier(SignatureType::Cosignature),
    };
    let text = checkpoint(LOG);
    let signatures = keys.map(|(name, secret)| signer(name, secret).cosign(&text, 9).unwrap());
    let note = SignedNote::new(text, signatures.into()).unwrap();
    let [a, b] = [(1, keys[0]), (2, keys[1])];
    let both = [cosigner(a, 2), cosigner(b, 1)];
    let verified = verify_cosigned(&note, LOG, &both, VotingPower(4)).unwrap();
    assert_eq!(verified.power, VotingPower(3));
    let who = verified.signers;
    assert_eq!(
        who,
        [(Address::repeat_byte(1), 9), (Address::repeat_byte(2), 9)]
    );
    // Two thirds are no quorum, whoever else signs; and nobody counts twice, by key or by name.
    let short = |given: &[Cosigner], total| {
        let refused = verify_cosigned(&note, LOG, given, VotingPower(total)).unwrap_err();
        assert!(
            matches!(refused, LogError::CosignedPower { .. }),
            "{refused}"
        );
    };
    short(&both[..1], 3);
    short(&both, 5);
    short(&[cosigner(a, 2), cosigner(a, 2)], 4);
    short(&[cosigner(a, 2), cosigner((1, keys[1]), 2)], 4);
    let mut plain = cosigner(a, 2);
    plain.key = signer(keys[0].0, keys[0].1).verifier(SignatureType::Note);
    short(&[plain, cosigner(b, 1)], 4);
    let other = verify_cosigned(&note, "log.example/another", &both, VotingPower(4));
    assert!(matches!(other, Err(LogError::Origin { .. })));
    // A wrong signature of a known key condemns the note.
    let mut signatures = note.signatures().to_vec();
    signatures[1].bytes[20] ^= 1;
    let forged = SignedNote::new(note.text().into(), signatures).unwrap();
    let refused = verify_cosigned(&forged, LOG, &both, VotingPower(2));
    assert!(matches!(refused, Err(LogError::Key(_))));
}
