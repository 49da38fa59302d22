//! Facts of other EVM chains: headers that their validators sealed, and storage proofs under
//! the state roots of these (SPEC §16).
//!
//! [`verify_header`] is the port: for each [`Assurance`] it takes bytes that say whom to trust
//! and bytes of a header, and gives the [`ForeignHeader`] that follows. [`prove_storage`] then
//! shows a word of an account. The node's precompiles and the relayer run this same code.
//!
//! What it is not: it knows no client, no time and no other chain's rules of execution. Whoever
//! calls keeps what is trusted, and for how long.

mod ancestry;
mod bft;
mod error;
mod extra;
mod header;
mod proof;
mod rlp;
pub(crate) mod shared;
mod trie;

use alloy_primitives::{Address, B256, keccak256};
pub use tbsi_types::log::Assurance;

pub use ancestry::{
    Ancestor, Ancestry, HISTORY_ADDRESS, HISTORY_BLOCKS, HISTORY_CODE, KEEPER_CODE,
    KEEPER_CREATION_CODE, history_slot, keeper_slot, verify_ancestor,
};
pub use error::{AncestryError, HeaderError, ProofError};
pub use header::mix_hash;
pub use proof::{ProvenWord, StorageProof, prove_storage};

/// Named maxima of what comes from another chain.
pub mod limits {
    /// Validators of a chain; as many as a set of this chain may have.
    pub const FOREIGN_VALIDATORS_MAX: usize = tbsi_types::limits::VALIDATORS_MAX;

    /// Bytes of a header: 128 validators with 128 seals take less than 12,500.
    pub const HEADER_BYTES_MAX: usize = 16 * 1024;

    /// Nodes of one proof: a key has 64 nibbles, each of which one node consumes at least,
    /// before the leaf.
    pub const PROOF_NODES_MAX: usize = 65;

    /// Bytes of one node: a branch with 16 hashes takes 532.
    pub const NODE_BYTES_MAX: usize = 1024;

    /// Bytes of an encoded [`StorageProof`](super::StorageProof).
    pub const PROOF_BYTES_MAX: usize = 2 + 2 * PROOF_NODES_MAX * (2 + NODE_BYTES_MAX);

    /// Headers between a block and its ancestor: they take some 50,000 bytes of a transaction.
    pub const ANCESTRY_HEADERS_MAX: usize = 64;

    /// Bytes of an encoded [`Ancestry`](super::Ancestry).
    pub const ANCESTRY_BYTES_MAX: usize = 21 + PROOF_BYTES_MAX;
}

/// A header that follows from what was trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignHeader {
    /// Number of the block.
    pub height: u64,
    /// Time of the block, seconds since the Unix epoch.
    pub time: u64,
    /// Hash by which that chain knows the block.
    pub block_hash: B256,
    /// Commitment to accounts and storage after the block.
    pub state_root: B256,
    /// [`trusted_hash`] of what later headers are verified against.
    pub trusted_hash: B256,
    /// Validators of the block.
    pub validators: u64,
    /// How many of them sealed it.
    pub signers: u64,
}

/// Verifies an encoded header of a chain of this kind against what is `trusted`.
///
/// For `qbft` and `ibft2`, `trusted` are the addresses of validators, 20 bytes each, ascending
/// ([`encode_validators`]): those of a header that is trusted. Empty, nobody is asked but the
/// header's own validators, which is how a client begins: whoever gives the header vouches for
/// it.
///
/// # Errors
/// Why the header does not follow. Each is final: the same bytes fail again.
pub fn verify_header(
    assurance: Assurance,
    trusted: &[u8],
    header: &[u8],
) -> Result<ForeignHeader, HeaderError> {
    match assurance {
        Assurance::Qbft | Assurance::Ibft2 => bft::verify(assurance, trusted, header),
    }
}

/// What a header says without proof: height, hash and validators as [`encode_validators`]
/// gives them. For those who collect headers before they verify any.
pub fn read_header(assurance: Assurance, header: &[u8]) -> Result<ReadHeader, HeaderError> {
    match assurance {
        Assurance::Qbft | Assurance::Ibft2 => bft::read(assurance, header),
    }
}

/// A header as its block's hash is over it: without seals and round.
///
/// # Errors
/// If it is no header of this kind.
pub fn hashed_header(assurance: Assurance, header: &[u8]) -> Result<Vec<u8>, HeaderError> {
    match assurance {
        Assurance::Qbft | Assurance::Ibft2 => bft::hashed(assurance, header),
    }
}

/// A header that nobody has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadHeader {
    /// Number of the block.
    pub height: u64,
    /// Hash by which that chain knows the block.
    pub block_hash: B256,
    /// Of the block before.
    pub parent_hash: B256,
    /// What later headers are verified against.
    pub trusted: Vec<u8>,
}

/// Addresses as [`verify_header`] takes them.
pub fn encode_validators(validators: &[Address]) -> Vec<u8> {
    validators.concat()
}

/// What a client keeps of those it trusts: the Keccak-256 of the bytes.
pub fn trusted_hash(trusted: &[u8]) -> B256 {
    keccak256(trusted)
}

/// Seals without which a block of `validators` does not count: two thirds, rounded up, as
/// Besu's `calculateRequiredValidatorQuorum` and GoQuorum with `ceil2Nby3Block` have it.
///
/// SPEC §3.3 asks for *more than* two thirds. The two differ if three divides the number of
/// validators, and only then does a chain decide with exactly two thirds: its own rule binds
/// here, or its valid blocks would be refused. It is safe for the same number of faults, less
/// than a third: two quorums of `2n/3` share `n/3`, one more than may be faulty.
pub fn quorum(validators: usize) -> usize {
    (2 * validators).div_ceil(3)
}

/// How many of `validators` may be faulty: less than a third.
pub fn faults(validators: usize) -> usize {
    validators.saturating_sub(1) / 3
}
