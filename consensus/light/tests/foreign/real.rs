//! What a real QBFT network answered: `tests/vectors/goquorum.json`.

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, U256};
use serde::Deserialize;
use tbsi_light::foreign::{Assurance, StorageProof, prove_storage, read_header, verify_header};

#[derive(Deserialize)]
struct Recorded {
    blocks: Vec<Block>,
    proofs: Vec<Proof>,
}

#[derive(Deserialize)]
struct Block {
    hash: B256,
    #[serde(flatten)]
    header: Header,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    address: Address,
    account_proof: Vec<Bytes>,
    storage_proof: [Slot; 1],
}

#[derive(Deserialize)]
struct Slot {
    key: U256,
    value: U256,
    proof: Vec<Bytes>,
}

fn recorded() -> Recorded {
    let text = std::fs::read_to_string("../../tests/vectors/goquorum.json").unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn headers_of_goquorum_follow_from_each_other() {
    let [first, second] = recorded().blocks.try_into().ok().unwrap();
    let (first_rlp, second_rlp) = (
        alloy_rlp::encode(&first.header),
        alloy_rlp::encode(&second.header),
    );
    let began = verify_header(Assurance::Qbft, &[], &first_rlp).unwrap();
    assert_eq!((began.height, began.block_hash), (5, first.hash));
    assert_eq!((began.validators, began.signers), (4, 3));
    let trusted = read_header(Assurance::Qbft, &first_rlp).unwrap().trusted;
    let next = verify_header(Assurance::Qbft, &trusted, &second_rlp).unwrap();
    assert_eq!((next.height, next.block_hash), (6, second.hash));
    assert_eq!(second.header.parent_hash, began.block_hash);
    // Its bytes are not IBFT 2.0, and with a bit less its own.
    assert!(verify_header(Assurance::Ibft2, &trusted, &second_rlp).is_err());
    for bit in 0..second_rlp.len() * 8 {
        let mut bad = second_rlp.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(
            verify_header(Assurance::Qbft, &trusted, &bad).is_err(),
            "bit {bit}"
        );
    }
}

#[test]
fn proofs_of_goquorum_show_what_it_says() {
    let recorded = recorded();
    let root = recorded.blocks[0].header.state_root;
    let mut values = Vec::new();
    for proof in recorded.proofs {
        let [slot] = proof.storage_proof;
        let encoded = StorageProof::new(proof.account_proof, slot.proof)
            .encode()
            .unwrap();
        let shown = prove_storage(root, proof.address, slot.key.into(), &encoded).unwrap();
        assert_eq!(shown.value, B256::from(slot.value));
        values.push((slot.value.to::<u64>(), shown.account_exists));
    }
    assert_eq!(values, [(42, true), (0, true), (0, false)]);
}
