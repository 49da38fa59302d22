//! A Merkle-Patricia trie whose nodes are stored by their path: batch updates and proofs.
//!
//! A node is stored if its parent names it by hash (32 bytes of RLP or more), and the root
//! always; smaller nodes live inside their parent. A node keeps its path until the trie
//! around it changes shape, so an update overwrites nodes in place and old versions do not
//! pile up. Keys are hashes: none is the beginning of another.

use std::collections::BTreeMap;
use std::fmt::Display;

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::{Decodable, Encodable};
use alloy_trie::nodes::{BranchNode, ExtensionNode, LeafNode, RlpNode, TrieNode};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieMask};

use crate::error::{StoreError, corrupt};

/// Reads the stored node at a path.
pub(crate) type ReadNode<'a> = &'a dyn Fn(&Nibbles) -> Result<Option<Vec<u8>>, StoreError>;

/// What a key becomes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyChange<'a> {
    /// Hash of the address or slot.
    pub(crate) key: Nibbles,
    /// Value in the trie so far, if the caller knows it. It spares a read of the leaf; a
    /// wrong one does no harm.
    pub(crate) before: Option<&'a [u8]>,
    /// New value; `None` deletes.
    pub(crate) value: Option<&'a [u8]>,
}

/// A stored node before and after an update; `None` where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NodeChange {
    pub(crate) before: Option<Vec<u8>>,
    pub(crate) after: Option<Vec<u8>>,
}

/// Root and nodes, by path, after an update; nodes may be among them that did not change.
#[derive(Debug)]
pub(crate) struct Updated {
    pub(crate) root: B256,
    pub(crate) nodes: BTreeMap<Nibbles, NodeChange>,
}

/// Applies changes, sorted by key, each key once. `cleared` are all stored nodes of a trie
/// that starts over from empty; none for a trie that goes on.
pub(crate) fn update(
    read: ReadNode<'_>,
    cleared: Vec<(Nibbles, Vec<u8>)>,
    changes: &[KeyChange<'_>],
) -> Result<Updated, StoreError> {
    let before = |bytes| NodeChange {
        before: Some(bytes),
        after: None,
    };
    let nodes = cleared
        .into_iter()
        .map(|(path, bytes)| (path, before(bytes)))
        .collect();
    let mut trie = Trie { read, nodes };
    let path = Nibbles::new();
    let root = trie.take(&path)?;
    let root = match trie.apply(path, root, changes)? {
        None => EMPTY_ROOT_HASH,
        Some(node) => {
            let bytes = node.encode();
            let root = keccak256(&bytes);
            trie.put(path, bytes);
            root
        }
    };
    Ok(Updated {
        root,
        nodes: trie.nodes,
    })
}

/// The stored nodes from the root to `key`, or to where the trie shows that it has no such
/// key; empty for an empty trie.
pub(crate) fn prove(read: ReadNode<'_>, key: Nibbles) -> Result<Vec<Bytes>, StoreError> {
    let mut path = Nibbles::new();
    let Some(root) = read(&path)? else {
        return Ok(Vec::new());
    };
    let mut node = Node::decode(&path, &root)?;
    let mut nodes = vec![Bytes::from(root)];
    loop {
        let child = match &node {
            Node::Leaf(_) => break,
            Node::Extension(extension) => {
                path.extend(&extension.key);
                key.starts_with(&path).then(|| extension.child.clone())
            }
            Node::Branch(branch) => key.get(path.len()).and_then(|nibble| {
                path.push(nibble);
                children(branch)[usize::from(nibble)].clone()
            }),
        };
        let Some(child) = child else {
            break;
        };
        node = if child.is_hash() {
            let bytes = read(&path)?.ok_or_else(|| missing(&path))?;
            let node = Node::decode(&path, &bytes)?;
            nodes.push(bytes.into());
            node
        } else {
            Node::decode(&path, &child)?
        };
    }
    Ok(nodes)
}

/// Is given the key and the value of a leaf.
pub(crate) type VisitLeaf<'a> = dyn FnMut(&Nibbles, &[u8]) -> Result<(), StoreError> + 'a;

/// Visits all leaves of a trie in the order of their keys, whose lengths are `key_nibbles`. Each
/// node is the one whose hash its parent names. Returns how many nodes are stored.
pub(crate) fn walk(
    read: ReadNode<'_>,
    root: B256,
    key_nibbles: usize,
    leaf: &mut VisitLeaf<'_>,
) -> Result<u64, StoreError> {
    let top = Nibbles::new();
    let stored = read(&top)?;
    let Some(bytes) = stored else {
        if root == EMPTY_ROOT_HASH {
            return Ok(0);
        }
        return Err(missing(&top));
    };
    let found = keccak256(&bytes);
    if found != root {
        let problem = format!("its hash is {found}, expected {root}");
        return Err(corrupt("root of a trie")(&problem));
    }
    let mut nodes = 1;
    let mut open = vec![(top, Node::decode(&top, &bytes)?)];
    while let Some((path, node)) = open.pop() {
        let mut below = |path: Nibbles, reference: &RlpNode| {
            if !reference.is_hash() {
                return Node::decode(&path, reference).map(|node| open.push((path, node)));
            }
            let bytes = read(&path)?.ok_or_else(|| missing(&path))?;
            if RlpNode::from_rlp(&bytes) != *reference {
                let what = format!("trie node at {path:?}");
                return Err(corrupt(what)(
                    &"its hash is not the one that its parent names",
                ));
            }
            nodes += 1;
            Node::decode(&path, &bytes).map(|node| open.push((path, node)))
        };
        match node {
            Node::Leaf(found) => {
                let key = path.join(&found.key);
                if key.len() != key_nibbles {
                    let what = format!("trie leaf at {path:?}");
                    return Err(corrupt(what)(&"its key has another length"));
                }
                leaf(&key, &found.value)?;
            }
            Node::Extension(extension) => {
                if extension.key.is_empty() || path.len() + extension.key.len() >= key_nibbles {
                    let what = format!("trie extension at {path:?}");
                    return Err(corrupt(what)(&"its key has another length"));
                }
                below(path.join(&extension.key), &extension.child)?;
            }
            Node::Branch(branch) => {
                if path.len() >= key_nibbles {
                    let what = format!("trie branch at {path:?}");
                    return Err(corrupt(what)(&"it is deeper than keys are long"));
                }
                // The last is visited first.
                let all = children(&branch);
                for (nibble, child) in (0u8..16).zip(&all).rev() {
                    if let Some(child) = child {
                        let mut path = path;
                        path.push(nibble);
                        below(path, child)?;
                    }
                }
            }
        }
    }
    Ok(nodes)
}

fn missing(path: &Nibbles) -> StoreError {
    corrupt(format!("trie node at {path:?}"))(&"its parent names it, but it is not there")
}

/// A node that exists; alloy's enum has an empty one too.
#[derive(Debug)]
enum Node {
    Branch(BranchNode),
    Extension(ExtensionNode),
    Leaf(LeafNode),
}

type Children = [Option<RlpNode>; 16];

impl Node {
    fn decode(path: &Nibbles, mut bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = |problem: &dyn Display| corrupt(format!("trie node at {path:?}"))(problem);
        match TrieNode::decode(&mut bytes).map_err(|error| damaged(&error))? {
            TrieNode::EmptyRoot => Err(damaged(&"it is empty")),
            TrieNode::Branch(node) => Ok(Self::Branch(node)),
            TrieNode::Extension(node) => Ok(Self::Extension(node)),
            TrieNode::Leaf(node) => Ok(Self::Leaf(node)),
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Branch(node) => node.encode(&mut bytes),
            Self::Extension(node) => node.encode(&mut bytes),
            Self::Leaf(node) => node.encode(&mut bytes),
        }
        bytes
    }
}

/// Children by nibble.
fn children(branch: &BranchNode) -> Children {
    let mut children = Children::default();
    for (nibble, child) in branch.state_mask.iter().zip(&branch.stack) {
        children[usize::from(nibble)] = Some(child.clone());
    }
    children
}

/// A trie while it changes. Each node that an update meets is taken out, and put back at the
/// path where it belongs afterwards.
struct Trie<'a> {
    read: ReadNode<'a>,
    nodes: BTreeMap<Nibbles, NodeChange>,
}

impl Trie<'_> {
    /// Takes the stored node at `path` out.
    fn take(&mut self, path: &Nibbles) -> Result<Option<Node>, StoreError> {
        if let Some(change) = self.nodes.get_mut(path) {
            let bytes = change.after.take();
            return bytes.map(|bytes| Node::decode(path, &bytes)).transpose();
        }
        let Some(bytes) = (self.read)(path)? else {
            return Ok(None);
        };
        let node = Node::decode(path, &bytes)?;
        let change = NodeChange {
            before: Some(bytes),
            after: None,
        };
        self.nodes.insert(*path, change);
        Ok(Some(node))
    }

    /// Takes out the node that its parent refers to.
    fn take_child(&mut self, path: &Nibbles, reference: &RlpNode) -> Result<Node, StoreError> {
        if reference.is_hash() {
            self.take(path)?.ok_or_else(|| missing(path))
        } else {
            Node::decode(path, reference)
        }
    }

    /// Takes out the leaf that a single change is about, without reading it: a leaf with the
    /// key and the value so far whose hash is the one that the parent names is the one.
    fn take_known_leaf(
        &mut self,
        path: &Nibbles,
        reference: &RlpNode,
        changes: &[KeyChange<'_>],
    ) -> Option<Node> {
        let [change] = changes else {
            return None;
        };
        let value = change.before?.to_vec();
        let leaf = Node::Leaf(LeafNode::new(change.key.slice(path.len()..), value));
        let bytes = leaf.encode();
        if !reference.is_hash() || RlpNode::from_rlp(&bytes) != *reference {
            return None;
        }
        let node = self.nodes.entry(*path).or_insert_with(|| NodeChange {
            before: Some(bytes),
            after: None,
        });
        node.after = None;
        Some(leaf)
    }

    fn put(&mut self, path: Nibbles, bytes: Vec<u8>) {
        self.nodes.entry(path).or_default().after = Some(bytes);
    }

    /// Puts a node where its parent will look for it; returns what the parent refers to it by.
    fn put_child(&mut self, path: Nibbles, node: &Node) -> RlpNode {
        let bytes = node.encode();
        let reference = RlpNode::from_rlp(&bytes);
        if reference.is_hash() {
            self.put(path, bytes);
        }
        reference
    }

    /// The node at `path` after changes to keys that all begin with `path`.
    fn apply(
        &mut self,
        path: Nibbles,
        node: Option<Node>,
        changes: &[KeyChange<'_>],
    ) -> Result<Option<Node>, StoreError> {
        match node {
            None => Ok(self.build(path, &inserts(changes))),
            Some(Node::Leaf(leaf)) => Ok(self.apply_to_leaf(path, &leaf, changes)),
            Some(Node::Extension(extension)) => self.apply_to_extension(path, extension, changes),
            Some(Node::Branch(branch)) => self.apply_to_children(path, children(&branch), changes),
        }
    }

    /// The subtree that holds exactly `items`, sorted by key.
    fn build(&mut self, path: Nibbles, items: &[(Nibbles, &[u8])]) -> Option<Node> {
        let [(first, value), rest @ ..] = items else {
            return None;
        };
        let Some((last, _)) = rest.last() else {
            let leaf = LeafNode::new(first.slice(path.len()..), value.to_vec());
            return Some(Node::Leaf(leaf));
        };
        let fork = first.common_prefix_length(last);
        let mut children = Children::default();
        for group in items.chunk_by(|(one, _), (other, _)| one.get(fork) == other.get(fork)) {
            let (nibble, child_path) = step(&group[0].0, fork);
            children[nibble] = self
                .build(child_path, group)
                .map(|child| self.put_child(child_path, &child));
        }
        let branch = Node::Branch(branch(children));
        Some(self.lengthen(path, first.slice(path.len()..fork), branch))
    }

    /// A leaf is one more item, unless a change replaces it.
    fn apply_to_leaf(
        &mut self,
        path: Nibbles,
        leaf: &LeafNode,
        changes: &[KeyChange<'_>],
    ) -> Option<Node> {
        let key = path.join(&leaf.key);
        let mut items = inserts(changes);
        if changes
            .binary_search_by(|change| change.key.cmp(&key))
            .is_err()
        {
            let position = items.partition_point(|(other, _)| *other < key);
            items.insert(position, (key, &leaf.value));
        }
        self.build(path, &items)
    }

    fn apply_to_extension(
        &mut self,
        path: Nibbles,
        extension: ExtensionNode,
        changes: &[KeyChange<'_>],
    ) -> Result<Option<Node>, StoreError> {
        let end = path.join(&extension.key);
        // Deleting a key that is not below the extension deletes nothing.
        let changes: Vec<_> = changes
            .iter()
            .filter(|change| change.value.is_some() || change.key.starts_with(&end))
            .copied()
            .collect();
        let fork = changes
            .iter()
            .map(|change| change.key.common_prefix_length(&end))
            .min();
        let Some(fork) = fork else {
            return Ok(Some(Node::Extension(extension)));
        };
        if fork == end.len() {
            let child = self.take_child(&end, &extension.child)?;
            let child = self.apply(end, Some(child), &changes)?;
            return Ok(child.map(|child| self.lengthen(path, extension.key, child)));
        }
        // A key leaves the extension midway: a branch grows there.
        let (nibble, below) = step(&end, fork);
        let rest = end.slice(fork + 1..);
        let mut children = Children::default();
        children[nibble] = Some(if rest.is_empty() {
            extension.child
        } else {
            let shorter = Node::Extension(ExtensionNode::new(rest, extension.child));
            self.put_child(below, &shorter)
        });
        let node = self.apply_to_children(end.slice(..fork), children, &changes)?;
        Ok(node.map(|node| self.lengthen(path, end.slice(path.len()..fork), node)))
    }

    fn apply_to_children(
        &mut self,
        path: Nibbles,
        mut children: Children,
        changes: &[KeyChange<'_>],
    ) -> Result<Option<Node>, StoreError> {
        let depth = path.len();
        for group in changes.chunk_by(|one, other| one.key.get(depth) == other.key.get(depth)) {
            let (nibble, child_path) = step(&group[0].key, depth);
            let child = match children[nibble].take() {
                None => None,
                Some(reference) => match self.take_known_leaf(&child_path, &reference, group) {
                    Some(leaf) => Some(leaf),
                    None => Some(self.take_child(&child_path, &reference)?),
                },
            };
            let child = self.apply(child_path, child, group)?;
            children[nibble] = child.map(|child| self.put_child(child_path, &child));
        }
        self.collapse(path, children)
    }

    /// A branch, or what is left where a branch would have fewer than two children.
    fn collapse(&mut self, path: Nibbles, children: Children) -> Result<Option<Node>, StoreError> {
        let mut present = (0u8..).zip(&children).filter_map(|(nibble, child)| {
            let reference = child.as_ref()?;
            Some((nibble, reference))
        });
        match (present.next(), present.next()) {
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Ok(Some(Node::Branch(branch(children)))),
            (Some((nibble, reference)), None) => {
                let key = Nibbles::from_nibbles([nibble]);
                let child = self.take_child(&path.join(&key), reference)?;
                Ok(Some(self.lengthen(path, key, child)))
            }
        }
    }

    /// The node at `path` from which `key` leads to `node`.
    fn lengthen(&mut self, path: Nibbles, key: Nibbles, node: Node) -> Node {
        if key.is_empty() {
            return node;
        }
        match node {
            Node::Leaf(leaf) => Node::Leaf(LeafNode::new(key.join(&leaf.key), leaf.value)),
            Node::Extension(extension) => {
                let key = key.join(&extension.key);
                Node::Extension(ExtensionNode::new(key, extension.child))
            }
            Node::Branch(_) => {
                let child = self.put_child(path.join(&key), &node);
                Node::Extension(ExtensionNode::new(key, child))
            }
        }
    }
}

/// The insertions among changes.
fn inserts<'a>(changes: &[KeyChange<'a>]) -> Vec<(Nibbles, &'a [u8])> {
    changes
        .iter()
        .filter_map(|change| Some((change.key, change.value?)))
        .collect()
}

/// The nibble of `key` at `depth`, and the path that ends with it.
fn step(key: &Nibbles, depth: usize) -> (usize, Nibbles) {
    let nibble = key
        .get(depth)
        .expect("keys are hashes, so none ends inside another");
    (usize::from(nibble), key.slice(..=depth))
}

fn branch(children: Children) -> BranchNode {
    let mut mask = TrieMask::default();
    let mut stack = Vec::with_capacity(16);
    for (nibble, child) in (0u8..).zip(children) {
        if let Some(child) = child {
            mask.set_bit(nibble);
            stack.push(child);
        }
    }
    BranchNode::new(stack, mask)
}
