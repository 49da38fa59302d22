//! Nouns and canonical bytes of TBSI.
//!
//! This crate is what every other room agrees on: heights and rounds, validator sets,
//! the [`Checkpoint`] that validators sign, commit certificates, blocks, the genesis file,
//! and the shape of state and its changes. It is pure: no clock, no disk, no network, no
//! randomness, no hash-ordered map. It verifies nothing beyond what its types promise;
//! quorums and proofs are `tbsi-light`'s work.
//!
//! Every encoding here is specified in SPEC.md and pinned by `tests/vectors`.

pub mod authorisation;
pub mod block;
pub mod bundle;
pub mod call;
pub mod certificate;
pub mod checkpoint;
pub mod contracts;
pub mod cursor;
pub mod endpoint;
pub mod erasure;
pub mod evidence;
pub mod genesis;
pub mod identity;
pub mod json;
pub mod keys;
pub mod limits;
pub mod log;
pub mod map;
pub mod number;
pub mod registry;
pub mod roster;
pub mod simulation;
pub mod state;
pub mod transaction;
pub mod validator;
pub mod vote;

pub use authorisation::{
    AuthorisationAct, AuthorisationEvent, AuthorisedTerms, TermsAct, TermsInForce,
};
pub use block::{Block, BlockError, ProposedBlock};
pub use bundle::{BundleError, Decision, Handover, NamedValidator, NamedValidators, ProofBundle};
pub use call::{
    Accessed, AccountOverride, BlockOverrides, CallBid, CallOutcome, CallOverrides, CallRequest,
    StateOverrides, StorageOverride,
};
pub use certificate::{CommitCertificate, CommitSignature};
pub use checkpoint::{Checkpoint, CheckpointDigest};
pub use endpoint::{EndpointError, EndpointHost, NodeEndpoint};
pub use erasure::{Erasure, ErasureError, SignedErasure};
pub use evidence::Evidence;
pub use genesis::{Genesis, GenesisError};
pub use identity::ChainIdentity;
pub use json::canonical_json;
pub use keys::{KeyError, PublicKey, SecretKey, Signature};
pub use number::{Height, LeafIndex, Round, TimestampMs, TreeSize, VotingPower};
pub use registry::{InForce, LegalRecord, Membership, first_number, node_slot, validator_key_slot};
pub use roster::{Member, Members, MembersError, PeerEntry, Roster};
pub use simulation::{
    BlockCalls, SimulatedBlock, SimulatedCall, SimulatedOutcome, Simulation, SimulationFault,
    SimulationRefused,
};
pub use state::{Account, AccountChange, AccountProof, SlotProof, StateDiff, StateView, ViewError};
pub use transaction::{
    Receipt, SignedTransaction, Transaction, TransactionError, TxEnvelope, UnsignedTransaction,
};
pub use validator::{Validator, ValidatorSet, ValidatorSetError};
pub use vote::{ProposalStatement, VoteKind, VoteStatement};

pub use alloy_primitives::{Address, B256, Bytes, U256};

/// SHA-256 of several byte strings, one after the other.
pub fn sha256(parts: &[&[u8]]) -> B256 {
    use sha2::Digest;
    let mut hasher = sha2::Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    B256::from_slice(&hasher.finalize())
}
