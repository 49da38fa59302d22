//! One path of a Merkle Patricia trie (Yellow Paper, appendix D), from its root downwards.
//!
//! Written for bytes from strangers: anybody may give the precompile any root and any nodes.
//! `alloy-trie`, which makes the node's own state roots, is the oracle in the tests; its
//! verifier counts on paths of at most 64 nibbles and panics on longer ones.

use alloy_primitives::{B256, b256, keccak256};

use super::error::ProofError;
use super::rlp::{self, Item};

/// Keccak-256 of an empty string's RLP: the root of a trie without entries.
const EMPTY_ROOT: B256 = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
const KEY_NIBBLES: usize = 64;

/// Where a node leads.
enum Step<'a> {
    /// The value of the key.
    Value(&'a [u8]),
    /// No entry has this key.
    Absent,
    /// On to the node with this hash.
    Hash(B256),
    /// On to a node that is part of this one.
    Inline(Item<'a>),
}

/// The value at a hashed key of the trie with this root, `None` if there is none. `first` is
/// the position of the first node in messages. Every node must be used.
pub(super) fn prove<'a>(
    root: B256,
    key: B256,
    nodes: &[&'a [u8]],
    first: usize,
) -> Result<Option<&'a [u8]>, ProofError> {
    let mut used = 0;
    let value = walk(root, key, |expected| {
        let position = (first + used) as u64;
        let node = nodes.get(used).ok_or(ProofError::Missing(position))?;
        if keccak256(node) != expected {
            return Err(ProofError::Hash(position));
        }
        used += 1;
        Ok((position, *node))
    })?;
    match nodes.get(used) {
        Some(_) => Err(ProofError::Surplus((first + used) as u64)),
        None => Ok(value),
    }
}

/// The same with nodes that `node` finds by their hashes, each with its position in messages. It
/// is asked for at most one more than a key has nibbles, since each node consumes one.
pub(super) fn walk<'a>(
    root: B256,
    key: B256,
    mut node: impl FnMut(B256) -> Result<(u64, &'a [u8]), ProofError>,
) -> Result<Option<&'a [u8]>, ProofError> {
    if root == EMPTY_ROOT {
        return Ok(None);
    }
    let (mut expected, mut depth) = (root, 0);
    loop {
        let (position, bytes) = node(expected)?;
        let malformed = ProofError::Node(position);
        let mut item = rlp::whole(bytes).ok_or(malformed)?;
        expected = loop {
            match step(&item, key, &mut depth).ok_or(malformed)? {
                Step::Value(value) => return Ok(Some(value)),
                Step::Absent => return Ok(None),
                Step::Hash(hash) => break hash,
                Step::Inline(inner) => item = inner,
            }
        };
    }
}

/// One node; `depth` is how many nibbles of the key are behind. `None` if it is no node.
fn step<'a>(node: &Item<'a>, key: B256, depth: &mut usize) -> Option<Step<'a>> {
    let items = node.items(17)?;
    if let [path, rest] = items.as_slice() {
        return short(path, rest, key, depth);
    }
    if items.len() != 17 || *depth == KEY_NIBBLES {
        return None;
    }
    let child = items[nibble(key, *depth)];
    *depth += 1;
    child_of(&child)
}

/// A leaf or an extension.
fn short<'a>(path: &Item<'a>, rest: &Item<'a>, key: B256, depth: &mut usize) -> Option<Step<'a>> {
    let (head, tail) = path.bytes()?.split_first()?;
    let (is_leaf, is_odd) = match head >> 4 {
        0 if head & 15 == 0 => (false, false),
        1 => (false, true),
        2 if head & 15 == 0 => (true, false),
        3 => (true, true),
        _ => return None,
    };
    let odd = is_odd.then_some(usize::from(head & 15));
    let pairs = tail.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let path: Vec<usize> = odd.into_iter().chain(pairs.map(usize::from)).collect();
    let left = KEY_NIBBLES - *depth;
    // Longer paths are in no trie of 32-byte keys; an extension has a path.
    if path.len() > left || (is_leaf && path.len() != left) || (!is_leaf && path.is_empty()) {
        return None;
    }
    if (*depth..)
        .zip(&path)
        .any(|(at, step)| nibble(key, at) != *step)
    {
        return Some(Step::Absent);
    }
    *depth += path.len();
    if is_leaf {
        return rest.bytes().map(Step::Value);
    }
    // An extension leads somewhere.
    child_of(rest).filter(|step| !matches!(step, Step::Absent))
}

/// A reference: a hash, a node of less than 32 bytes in place, or nothing.
fn child_of<'a>(item: &Item<'a>) -> Option<Step<'a>> {
    if item.is_list {
        return (item.raw.len() < 32).then_some(Step::Inline(*item));
    }
    match item.payload {
        [] => Some(Step::Absent),
        hash => hash.try_into().ok().map(Step::Hash),
    }
}

fn nibble(key: B256, at: usize) -> usize {
    let byte = key[at / 2];
    usize::from(if at.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 15
    })
}
