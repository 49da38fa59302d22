//! A word of an account's storage, proven under a state root (SPEC §16.4, EIP-1186).

use alloy_primitives::{Address, B256, Bytes, keccak256};

use super::error::ProofError;
use super::limits::{NODE_BYTES_MAX, PROOF_BYTES_MAX, PROOF_NODES_MAX};
use super::rlp;
use super::trie;

/// The nodes from the state root to an account, and from its storage root to a word: what
/// `eth_getProof` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageProof {
    /// Nodes to the account, from the state root downwards.
    pub account: Vec<Bytes>,
    /// Nodes to the word, from the storage root downwards; none if the account is absent or
    /// has no storage.
    pub storage: Vec<Bytes>,
}

/// What a proof shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenWord {
    /// The word; zero if the account or the slot does not exist.
    pub value: B256,
    /// Whether the account exists.
    pub account_exists: bool,
    /// Keccak-256 of the account's code; zero if it does not exist.
    pub code_hash: B256,
}

impl StorageProof {
    /// From an answer of `eth_getProof`. Nodes that stand for an empty trie are left out: some
    /// clients give them, others do not.
    pub fn new(account: Vec<Bytes>, storage: Vec<Bytes>) -> Self {
        let real = |nodes: Vec<Bytes>| match nodes.as_slice() {
            [only] if only.as_ref() == [0x80] => Vec::new(),
            _ => nodes,
        };
        Self {
            account: real(account),
            storage: real(storage),
        }
    }

    /// `count u8 || { length u16 || node } ...`, for the account and for the storage.
    ///
    /// # Errors
    /// More or longer nodes than [`limits`](super::limits) allow.
    pub fn encode(&self) -> Result<Vec<u8>, ProofError> {
        let mut bytes = Vec::new();
        for nodes in [&self.account, &self.storage] {
            let count = nodes.len();
            let small = u8::try_from(count)
                .ok()
                .filter(|_| count <= PROOF_NODES_MAX);
            bytes.push(small.ok_or(ProofError::TooManyNodes(count as u64))?);
            for (position, node) in nodes.iter().enumerate() {
                let length = u16::try_from(node.len()).ok();
                let length = length.filter(|length| usize::from(*length) <= NODE_BYTES_MAX);
                let length = length.ok_or(ProofError::NodeTooLong(position as u64))?;
                bytes.extend_from_slice(&length.to_be_bytes());
                bytes.extend_from_slice(node);
            }
        }
        Ok(bytes)
    }
}

/// The word in `slot` of `account` under `state_root`, by an encoded [`StorageProof`].
///
/// # Errors
/// Why the proof shows nothing. Each is final: the same bytes fail again.
pub fn prove_storage(
    state_root: B256,
    account: Address,
    slot: B256,
    proof: &[u8],
) -> Result<ProvenWord, ProofError> {
    if proof.len() > PROOF_BYTES_MAX {
        return Err(ProofError::Layout);
    }
    let (account_nodes, rest) = take_nodes(proof, 0)?;
    let (storage_nodes, rest) = take_nodes(rest, account_nodes.len())?;
    if !rest.is_empty() {
        return Err(ProofError::Layout);
    }
    let found = trie::prove(state_root, keccak256(account), &account_nodes, 0)?;
    let first = account_nodes.len();
    let Some(found) = found else {
        return match storage_nodes.as_slice() {
            [] => Ok(ProvenWord {
                value: B256::ZERO,
                account_exists: false,
                code_hash: B256::ZERO,
            }),
            [..] => Err(ProofError::Surplus(first as u64)),
        };
    };
    let (root, code_hash) = account_hashes(found).ok_or(ProofError::Account)?;
    let word = trie::prove(root, keccak256(slot), &storage_nodes, first)?;
    let value = match word {
        Some(encoded) => word_of(encoded).ok_or(ProofError::Value)?,
        None => B256::ZERO,
    };
    Ok(ProvenWord {
        value,
        account_exists: true,
        code_hash,
    })
}

/// Nodes of one trie, and what comes after them. `first` is the position of the first.
fn take_nodes(bytes: &[u8], first: usize) -> Result<(Vec<&[u8]>, &[u8]), ProofError> {
    let (count, mut rest) = bytes.split_first().ok_or(ProofError::Layout)?;
    let count = usize::from(*count);
    if count > PROOF_NODES_MAX {
        return Err(ProofError::TooManyNodes(count as u64));
    }
    let mut nodes = Vec::with_capacity(count);
    for position in first..first + count {
        let (length, after) = rest.split_first_chunk().ok_or(ProofError::Layout)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length > NODE_BYTES_MAX {
            return Err(ProofError::NodeTooLong(position as u64));
        }
        let (node, after) = after.split_at_checked(length).ok_or(ProofError::Layout)?;
        nodes.push(node);
        rest = after;
    }
    Ok((nodes, rest))
}

/// Of an account: nonce, balance, storage root, code hash.
pub(super) fn storage_root(account: &[u8]) -> Option<B256> {
    account_hashes(account).map(|(root, _)| root)
}

/// Storage root and code hash of an account.
fn account_hashes(account: &[u8]) -> Option<(B256, B256)> {
    let fields = rlp::whole(account)?.items(4)?;
    let [nonce, balance, root, code] = fields.as_slice() else {
        return None;
    };
    nonce.integer()?;
    let balance = balance.bytes()?;
    let fits = balance.len() <= 32 && balance.first() != Some(&0);
    let code = code.array::<32>().filter(|_| fits)?;
    Some((root.array::<32>()?.into(), code.into()))
}

/// Zero is in no trie.
pub(super) fn word_of(encoded: &[u8]) -> Option<B256> {
    let bytes = rlp::whole(encoded)?.bytes()?;
    let fits = (1..=32).contains(&bytes.len()) && bytes[0] != 0;
    fits.then(|| B256::left_padding_from(bytes))
}
