//! Tries of a state, and their proofs, by `alloy-trie`.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::proof::ProofRetainer;
use alloy_trie::{HashBuilder, Nibbles, TrieAccount};
use tbsi_light::foreign::{HISTORY_ADDRESS, HISTORY_CODE, KEEPER_CODE, StorageProof};

/// A state of accounts whose storage has words.
pub(crate) struct State {
    accounts: Vec<(Address, Vec<(B256, U256)>)>,
}

impl State {
    pub(crate) fn new(accounts: Vec<(Address, Vec<(B256, U256)>)>) -> Self {
        Self { accounts }
    }

    /// Root, and the proof of a slot.
    pub(crate) fn prove(&self, account: Address, slot: B256) -> (B256, StorageProof) {
        let mut leaves = Vec::new();
        let mut storage = Vec::new();
        for (address, words) in &self.accounts {
            let words: Vec<_> = words
                .iter()
                .map(|(slot, value)| (keccak256(slot), alloy_rlp::encode(value)))
                .collect();
            let (storage_root, nodes) = trie(words, keccak256(slot));
            if *address == account {
                storage = nodes;
            }
            let entry = TrieAccount {
                nonce: 1,
                balance: U256::from(1_000_000),
                storage_root,
                code_hash: keccak256(code(address)),
            };
            leaves.push((keccak256(address), alloy_rlp::encode(entry)));
        }
        let (root, nodes) = trie(leaves, keccak256(account));
        (root, StorageProof::new(nodes, storage))
    }
}

/// A keeper of hashes for ancestries.
pub(crate) const KEEPER: Address = Address::repeat_byte(0x4b);

/// Contracts that keep hashes of blocks have their code, others one of their own.
fn code(address: &Address) -> &[u8] {
    match *address {
        HISTORY_ADDRESS => HISTORY_CODE,
        KEEPER => &KEEPER_CODE,
        _ => address.as_slice(),
    }
}

/// Root of a trie, and the nodes on the way to a key.
fn trie(mut leaves: Vec<(B256, Vec<u8>)>, key: B256) -> (B256, Vec<Bytes>) {
    leaves.sort();
    let target = Nibbles::unpack(key);
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(vec![target]));
    for (key, value) in leaves {
        builder.add_leaf(Nibbles::unpack(key), &value);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes().into_nodes_sorted();
    (root, nodes.into_iter().map(|(_, node)| node).collect())
}
