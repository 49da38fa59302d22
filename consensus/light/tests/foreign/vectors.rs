//! `tests/vectors/foreign.json`: headers and proofs, good and bad, with what the precompiles
//! answer. `UPDATE_VECTORS=1` writes the file again, which approves a change of format.

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};
use tbsi_light::foreign::{Assurance, prove_storage, verify_header};

use crate::factory::{Draft, Keys, forks, slot, string, words};
use crate::state::State;

const FILE: &str = "../../tests/vectors/foreign.json";
const ACCOUNT: Address = Address::repeat_byte(0xac);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Vectors {
    description: String,
    headers: Vec<HeaderCase>,
    proofs: Vec<ProofCase>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HeaderCase {
    name: String,
    assurance: u8,
    trusted: Bytes,
    header: Bytes,
    /// 0 if it follows.
    reason: u64,
    /// What follows (height, time, block hash, state root, trusted hash, validators, signers),
    /// or the figures of the reason.
    answer: Vec<U256>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProofCase {
    name: String,
    state_root: B256,
    account: Address,
    slot: B256,
    proof: Bytes,
    reason: u64,
    /// The word, or the figure of the reason.
    answer: U256,
}

fn header(name: &str, kind: Assurance, trusted: &Keys, header: Vec<u8>) -> HeaderCase {
    let trusted = trusted.trusted();
    let (reason, answer) = match verify_header(kind, &trusted, &header) {
        Ok(found) => {
            let number = |value: u64| U256::from(value);
            let hashes = [found.block_hash, found.state_root, found.trusted_hash];
            let [block, state, next] = hashes.map(|hash| U256::from_be_bytes(hash.0));
            let counts = [number(found.validators), number(found.signers)];
            let place = [number(found.height), number(found.time)];
            (0, [&place[..], &[block, state, next], &counts].concat())
        }
        Err(error) => {
            let (reason, first, second) = error.code();
            (reason, [first, second].map(U256::from).to_vec())
        }
    };
    HeaderCase {
        name: format!("{}: {name}", kind.label()),
        assurance: kind.code(),
        trusted: trusted.into(),
        header: header.into(),
        reason,
        answer,
    }
}

fn proof(name: &str, root: B256, at: B256, bytes: Vec<u8>) -> ProofCase {
    let (reason, answer) = match prove_storage(root, ACCOUNT, at, &bytes) {
        Ok(shown) => (0, shown.value.into()),
        Err(error) => {
            let (reason, figure) = error.code();
            (reason, U256::from(figure))
        }
    };
    ProofCase {
        name: name.into(),
        state_root: root,
        account: ACCOUNT,
        slot: at,
        proof: bytes.into(),
        reason,
        answer,
    }
}

fn state() -> State {
    let others = (0..20).map(|byte| (Address::repeat_byte(byte), words(1)));
    State::new(others.chain([(ACCOUNT, words(20))]).collect())
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn headers(kind: Assurance) -> Vec<HeaderCase> {
    let (old, new) = (Keys::new(0..4), Keys::new(0..5));
    let strangers = Keys::new([0, 100, 101, 102]);
    let (root, _) = state().prove(ACCOUNT, slot(3));
    let draft = |height: u64| {
        let mut draft = Draft::new(kind, height);
        draft.state_root = root;
        draft.fork = forks()[4].clone();
        draft
    };
    let after = |parent: B256, height: u64| {
        let mut draft = draft(height);
        draft.replaced.push((0, string(parent.as_slice())));
        draft
    };
    let (first, _) = draft(10).hashes(&old);
    let (second, _) = after(first, 11).hashes(&old);
    let mut conflict = after(first, 11);
    conflict.state_root = B256::repeat_byte(0xbb);
    let mut contract = draft(11);
    contract.validators = Some(Vec::new());
    let (block_hash, _) = draft(11).hashes(&old);
    let mut round = draft(11);
    round.round = 1;
    let over_hash = round.seals(&old, block_hash, 4);
    vec![
        header("begins", kind, &Keys::new([]), draft(10).sealed(&old, 3)),
        header("follows", kind, &old, after(first, 11).sealed(&old, 4)),
        header(
            "adds a validator",
            kind,
            &old,
            after(second, 12).sealed(&new, 4),
        ),
        header("conflicts", kind, &old, conflict.sealed(&old, 3)),
        header("below the quorum", kind, &old, draft(11).sealed(&old, 2)),
        header(
            "vouched for by too few",
            kind,
            &old,
            draft(11).sealed(&strangers, 4),
        ),
        header("sealed by strangers", kind, &old, {
            let (_, sealed) = draft(11).hashes(&old);
            let seals = draft(11).seals(&Keys::new(100..104), sealed, 4);
            draft(11).with_seals(&old, seals)
        }),
        header(
            "seals over the block hash",
            kind,
            &old,
            round.with_seals(&old, over_hash),
        ),
        header(
            "validators by contract",
            kind,
            &old,
            contract.sealed(&old, 4),
        ),
        header(
            "cut short",
            kind,
            &old,
            draft(11).sealed(&old, 3)[..500].to_vec(),
        ),
        header(
            "three validators",
            kind,
            &Keys::new([]),
            draft(10).sealed(&Keys::new(0..3), 3),
        ),
        // Whose blocks the same keys seal; the parent is another.
        header("of another chain", kind, &old, draft(11).sealed(&old, 4)),
    ]
}

fn proofs() -> Vec<ProofCase> {
    let (root, good) = state().prove(ACCOUNT, slot(3));
    let (_, absent) = state().prove(ACCOUNT, slot(20));
    let good_bytes = good.encode().unwrap();
    let mut short = good.clone();
    short.storage.pop();
    let mut surplus = good.clone();
    surplus.storage.push(Bytes::from_static(&[0xc0]));
    let mut flipped = good_bytes.clone();
    flipped[40] ^= 1;
    let trailing = [good_bytes.as_slice(), &[0]].concat();
    vec![
        proof("a word", root, slot(3), good_bytes.clone()),
        proof("nothing there", root, slot(20), absent.encode().unwrap()),
        proof("of another slot", root, slot(4), good_bytes.clone()),
        proof("of another root", B256::repeat_byte(1), slot(3), good_bytes),
        proof("a node missing", root, slot(3), short.encode().unwrap()),
        proof("a node too many", root, slot(3), surplus.encode().unwrap()),
        proof("a bit flipped", root, slot(3), flipped),
        proof("a byte too many", root, slot(3), trailing),
        proof("empty", root, slot(3), Vec::new()),
    ]
}

fn make() -> Vectors {
    Vectors {
        description: "Headers of QBFT and IBFT 2.0 with test keys, and proofs of storage, as \
                      the precompiles of SPEC §16.3 and §16.4 take them, and what they answer."
            .into(),
        headers: Assurance::ALL.into_iter().flat_map(headers).collect(),
        proofs: proofs(),
    }
}

#[test]
fn vectors_are_what_this_code_makes() {
    let text = serde_json::to_string_pretty(&make()).unwrap() + "\n";
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let stored = std::fs::read_to_string(FILE).unwrap();
    assert!(
        stored == text,
        "if a change is meant, run with UPDATE_VECTORS=1"
    );
    let vectors: Vectors = serde_json::from_str(&stored).unwrap();
    let reasons: Vec<_> = vectors.headers.iter().map(|case| case.reason).collect();
    assert_eq!(reasons[..12], [0, 0, 0, 0, 16, 17, 15, 15, 10, 4, 0, 0]);
    assert_eq!(reasons[..12], reasons[12..]);
    let reasons: Vec<_> = vectors.proofs.iter().map(|case| case.reason).collect();
    assert_eq!(reasons, [0, 0, 4, 4, 6, 7, 4, 1, 1]);
}
