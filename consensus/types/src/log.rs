//! The attestation log: an RFC 9162 Merkle tree whose leaves the node derives from what the
//! system contracts emit (SPEC §9).
//!
//! [`leaf`] is what one entry says, [`derive`] how a block's receipts become entries,
//! [`tree`] how entries become a root, [`proof`] how a root proves an entry, [`tile`] how the
//! tree is stored and served, [`note`], [`tlog_proof`], [`add_checkpoint`], [`cose`] and [`ots`]
//! what other log software reads, [`cosigner`] who signs them and [`post_quantum`] with which
//! other keys, [`lookup`] what leaves are found by, [`status`] what they come to.
//! Nothing here verifies signatures of validators; `tbsi-light` does.

pub mod add_checkpoint;
pub mod algorithm;
pub mod assurance;
pub mod cose;
pub mod cosigner;
pub mod derive;
pub mod leaf;
pub mod lookup;
pub mod multi;
pub mod note;
pub mod note_key;
pub mod ots;
pub mod post_quantum;
pub mod proof;
pub mod status;
pub mod tile;
pub mod tlog_proof;
pub mod tree;

pub use add_checkpoint::AddCheckpoint;
pub use assurance::Assurance;
pub use cose::CoseReceipt;
pub use cosigner::{Cosigner, PostQuantumCosigner, cosigner_name};
pub use derive::{
    ATTESTATIONS, FACTS, GOVERNANCE, GOVERNOR, LeafBatch, LeafCount, OUTBOX, count_all_leaves,
    count_leaves, derive_leaves, leaves,
};
pub use leaf::{
    Attestation, AttestationIds, DigestWords, ForeignFact, Leaf, LeafError, LeafHead, MapRoot,
    Statement,
};
pub use lookup::{Found, Lookup};
pub use multi::MultiProof;
pub use note::{LogCheckpoint, NoteError, NoteSignature, SignedNote};
pub use note_key::{NoteSigner, NoteVerifier, SignatureType};
pub use ots::{OtsAttestation, OtsCommitment, OtsNotary, OtsWriter};
pub use post_quantum::{PostQuantumSigner, PostQuantumVerifier};
pub use proof::{ConsistencyProof, InclusionProof, NodeReader, ProofShapeError};
pub use status::{AttestationStatus, Bearing};
pub use tile::{EntryBundle, Tile, TileReader, TileSource};
pub use tlog_proof::TlogProof;
pub use tree::{EMPTY_LOG_ROOT, Frontier, TreeNode, leaf_hash, node_hash};
