use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::log::tree::{Frontier, leaf_hash};

/// A tree in memory, with the root at every size.
struct Tree {
    nodes: BTreeMap<TreeNode, B256>,
    roots: Vec<B256>,
}

impl NodeReader for Tree {
    type Error = Infallible;

    fn read(&self, node: TreeNode) -> Result<B256, Infallible> {
        Ok(self.nodes[&node])
    }
}

fn leaf(index: u64) -> B256 {
    leaf_hash(&index.to_be_bytes())
}

fn tree(size: u64) -> Tree {
    let mut tree = Tree {
        nodes: BTreeMap::new(),
        roots: vec![EMPTY_LOG_ROOT],
    };
    let mut frontier = Frontier::default();
    for index in 0..size {
        frontier.append(leaf(index), |node, hash| {
            tree.nodes.insert(node, hash);
        });
        tree.roots.push(frontier.root());
    }
    tree
}

fn root(tree: &Tree, size: u64) -> B256 {
    tree.roots[usize::try_from(size).unwrap()]
}

fn check_inclusion(tree: &Tree, index: u64, size: u64) {
    let (at, of) = (LeafIndex(index), TreeSize(size));
    let proof = InclusionProof::make(tree, at, of).unwrap();
    let expected = root(tree, size);
    assert_eq!(
        proof.root(leaf(index), at, of),
        Ok(expected),
        "{index} of {size}"
    );
    assert_ne!(proof.root(leaf(index + 1), at, of), Ok(expected));
    let neighbour = LeafIndex(index ^ 1);
    assert_ne!(proof.root(leaf(index), neighbour, of), Ok(expected));
}

fn check_consistency(tree: &Tree, first: u64, second: u64) {
    let (old, new) = (TreeSize(first), TreeSize(second));
    let proof = ConsistencyProof::make(tree, old, new).unwrap();
    let roots = (root(tree, first), root(tree, second));
    assert_eq!(
        proof.roots(old, new, roots.0),
        Ok(roots),
        "{first} to {second}"
    );
}

#[test]
fn every_proof_of_small_trees_leads_to_the_root() {
    let tree = tree(66);
    for size in 1..=66 {
        assert_eq!(root_at(&tree, TreeSize(size)).unwrap(), root(&tree, size));
        for index in 0..size {
            check_inclusion(&tree, index, size);
        }
        for first in 1..=size {
            check_consistency(&tree, first, size);
        }
    }
    assert_eq!(root_at(&tree, TreeSize(0)).unwrap(), EMPTY_LOG_ROOT);
}

#[test]
fn proofs_hold_around_powers_of_two_and_at_every_size_to_2000() {
    let tree = tree(4097);
    let around = (1..=12).flat_map(|k| [(1 << k) - 1, 1 << k, (1 << k) + 1]);
    let sizes: Vec<u64> = around.collect();
    for size in &sizes {
        for index in sizes.iter().copied().chain([0, size / 2, size - 1]) {
            if index < *size {
                check_inclusion(&tree, index, *size);
                check_consistency(&tree, index + 1, *size);
            }
        }
    }
    for size in 1..=2000 {
        for index in [0, size / 3, size - 1] {
            check_inclusion(&tree, index, size);
            check_consistency(&tree, index + 1, size);
        }
    }
}

#[test]
fn there_are_no_proofs_outside_the_tree() {
    let tree = tree(8);
    let inclusion = |index, size| {
        let made = InclusionProof::make(&tree, LeafIndex(index), TreeSize(size));
        made.unwrap_err().to_string()
    };
    assert_eq!(inclusion(8, 8), "leaf index 8 is outside a log of 8 leaves");
    assert_eq!(inclusion(0, 0), "leaf index 0 is outside a log of 0 leaves");
    let consistency = |first, second| {
        let made = ConsistencyProof::make(&tree, TreeSize(first), TreeSize(second));
        made.unwrap_err().to_string()
    };
    assert!(consistency(0, 8).contains("from 0 to 8"));
    assert!(consistency(8, 7).contains("from 8 to 7"));
    let empty = InclusionProof::default();
    let outside = empty.root(B256::ZERO, LeafIndex(1), TreeSize(1));
    assert_eq!(outside, Err(ProofShapeError::Index { index: 1, size: 1 }));
}

#[test]
fn refuses_missing_and_surplus_hashes() {
    let tree = tree(13);
    let (index, size) = (LeafIndex(12), TreeSize(13));
    let good = InclusionProof::make(&tree, index, size).unwrap();
    let (first, second) = (TreeSize(6), TreeSize(13));
    let consistency = ConsistencyProof::make(&tree, first, second).unwrap();
    for length in 0..70 {
        let resized = |hashes: &[B256]| {
            let mut hashes = hashes.to_vec();
            hashes.resize(length, B256::ZERO);
            hashes
        };
        if length != good.0.len() {
            let proof = InclusionProof(resized(&good.0));
            let expected = good.0.len();
            let wrong = ProofShapeError::Length {
                got: length,
                expected,
            };
            assert_eq!(proof.root(leaf(12), index, size), Err(wrong));
        }
        if length != consistency.0.len() {
            let proof = ConsistencyProof(resized(&consistency.0));
            assert!(proof.roots(first, second, root(&tree, 6)).is_err());
        }
    }
}

#[test]
fn the_largest_trees_do_not_overflow() {
    let hashes = |count| vec![B256::ZERO; count];
    let last = (LeafIndex(u64::MAX - 1), TreeSize(u64::MAX));
    let full = InclusionProof(hashes(INCLUSION_HASHES_MAX - 1));
    assert!(full.root(B256::ZERO, LeafIndex(0), last.1).is_err());
    let first = InclusionProof(hashes(INCLUSION_HASHES_MAX));
    assert!(first.root(B256::ZERO, LeafIndex(0), last.1).is_ok());
    let length = |proof: &InclusionProof| proof.root(B256::ZERO, last.0, last.1);
    assert!((0..=64).any(|count| length(&InclusionProof(hashes(count))).is_ok()));
    let grown = |count| ConsistencyProof(hashes(count)).roots(TreeSize(1), last.1, B256::ZERO);
    assert!(grown(INCLUSION_HASHES_MAX).is_ok());
    assert!(grown(CONSISTENCY_HASHES_MAX).is_err());
}

proptest! {
    #[test]
    fn random_proofs_hold(size in 1u64..2000, a in 0u64..2000, b in 0u64..2000) {
        let tree = tree(size);
        check_inclusion(&tree, a % size, size);
        let (first, second) = (a % size + 1, b % size + 1);
        check_consistency(&tree, first.min(second), first.max(second));
    }
}
