//! What comes from other chains: sealed headers and storage proofs (SPEC §16).

use alloy_primitives::{Address, B256, hex, keccak256};
use tbsi_light::foreign::{prove_storage, read_header, verify_header};
use tbsi_types::log::Assurance;

use super::Target;
use crate::corpus::vectors;

/// The kind of chain, how many are trusted and their addresses, then the header.
pub(super) const HEADER: Target = Target::binary("foreign-header", header, headers).slow(45_000);

/// Account, slot, then the proof, under the root that its first node has.
pub(super) const PROOF: Target = Target::binary("foreign-proof", proof, proofs);

fn header(bytes: &[u8]) {
    let [kind, trusted, rest @ ..] = bytes else {
        return;
    };
    let assurance = match kind & 1 {
        0 => Assurance::Qbft,
        _ => Assurance::Ibft2,
    };
    let length = (20 * usize::from(*trusted)).min(rest.len());
    let (trusted, header) = rest.split_at(length);
    let read = read_header(assurance, header);
    let Ok(verified) = verify_header(assurance, trusted, header) else {
        return;
    };
    let read = read.expect("what was verified is read");
    assert_eq!(read.height, verified.height);
    assert_eq!(read.block_hash, verified.block_hash);
    assert_eq!(keccak256(&read.trusted), verified.trusted_hash);
    assert!(verified.signers <= verified.validators);
}

fn headers() -> Vec<Vec<u8>> {
    let vectors = vectors("foreign.json");
    let cases = vectors["headers"].as_array().expect("a list");
    let seed = |case: &serde_json::Value| {
        let bytes = |field: &str| hex::decode(case[field].as_str().expect("text")).expect("hex");
        let kind = u8::from(case["assurance"] != cases[0]["assurance"]);
        let trusted = bytes("trusted");
        let count = u8::try_from(trusted.len() / 20).expect("few");
        [vec![kind, count], trusted, bytes("header")].concat()
    };
    cases.iter().map(seed).collect()
}

fn proof(bytes: &[u8]) {
    let Some((account, rest)) = bytes.split_first_chunk::<20>() else {
        return;
    };
    let Some((slot, proof)) = rest.split_first_chunk::<32>() else {
        return;
    };
    let (account, slot) = (Address::from(*account), B256::from(*slot));
    let root = first_node(proof).map(keccak256).unwrap_or_default();
    if let Ok(word) = prove_storage(root, account, slot, proof) {
        assert!(word.account_exists || word.value.is_zero());
        // The same bytes under another root show nothing.
        assert!(prove_storage(!root, account, slot, proof).is_err());
    }
}

/// After a count comes the length of the first node.
fn first_node(proof: &[u8]) -> Option<&[u8]> {
    let [_, high, low, rest @ ..] = proof else {
        return None;
    };
    rest.get(..usize::from(u16::from_be_bytes([*high, *low])))
}

fn proofs() -> Vec<Vec<u8>> {
    let vectors = vectors("foreign.json");
    let cases = vectors["proofs"].as_array().expect("a list");
    let seed = |case: &serde_json::Value| {
        let fields = ["account", "slot", "proof"].map(|field| {
            let text = case[field].as_str().expect("text");
            hex::decode(text).expect("hex digits")
        });
        fields.concat()
    };
    cases.iter().map(seed).collect()
}
