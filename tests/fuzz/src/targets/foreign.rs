//! What comes from other chains: sealed headers and storage proofs (SPEC §16).

use alloy_primitives::{Address, B256, hex, keccak256};
use tbsi_light::foreign::{Ancestor, prove_storage, read_header, verify_ancestor, verify_header};
use tbsi_types::log::Assurance;

use super::Target;
use crate::corpus::vectors;

/// The kind of chain, how many are trusted and their addresses, then the header.
pub(super) const HEADER: Target = Target::binary("foreign-header", header, headers).slow(45_000);

/// Account, slot, then the proof, under the root that its first node has.
pub(super) const PROOF: Target = Target::binary("foreign-proof", proof, proofs);

/// Length of a header, header, height and hash of the known block, then the ancestry.
pub(super) const ANCESTRY: Target = Target::binary("foreign-ancestry", ancestry, ancestries);

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

fn ancestry(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk() else {
        return;
    };
    let length = usize::from(u16::from_be_bytes(*length));
    let Some((header, rest)) = rest.split_at_checked(length) else {
        return;
    };
    let Some((height, rest)) = rest.split_first_chunk() else {
        return;
    };
    let Some((hash, ancestry)) = rest.split_first_chunk::<32>() else {
        return;
    };
    let height = u64::from_be_bytes(*height);
    let block_hash = B256::from(*hash);
    if verify_ancestor(header, &Ancestor { height, block_hash }, ancestry).is_ok() {
        // The same bytes show no other block.
        for (height, block_hash) in [(height, !block_hash), (height ^ 1, block_hash)] {
            let other = Ancestor { height, block_hash };
            assert!(verify_ancestor(header, &other, ancestry).is_err());
        }
    }
}

fn ancestries() -> Vec<Vec<u8>> {
    let vectors = vectors("foreign.json");
    let cases = vectors["headers"].as_array().expect("a list");
    let follows = cases.windows(2).filter(|pair| {
        let name = pair[1]["name"].as_str().unwrap_or_default();
        name.ends_with("follows") || name.ends_with("adds a validator")
    });
    let seed = |pair: &[serde_json::Value]| {
        let bytes = |text: &serde_json::Value| hex::decode(text.as_str().expect("text"));
        let header = bytes(&pair[1]["header"]).expect("hex");
        let number = |at: usize| {
            let text = pair[0]["answer"][at].as_str().expect("text");
            text.parse::<alloy_primitives::U256>().expect("a number")
        };
        let length = u16::try_from(header.len()).expect("short").to_be_bytes();
        let height: u64 = number(0).to();
        let hash = number(2).to_be_bytes::<32>();
        [&length[..], &header, &height.to_be_bytes(), &hash, &[0, 0]].concat()
    };
    follows.map(seed).collect()
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
