//! Who signs for a validator, and what guards it.
//!
//! Key files ([`keyfile`]), encrypted or not ([`keystore`], [`password`]); the sign-state
//! ([`SignState`], SPEC §6.4), which is written before a signature leaves; a validator's signer
//! in this process ([`LocalSigner`]) or in one of its own ([`signer`], SPEC §6.8).
//!
//! It is not a place for what is signed: no EVM, no database, no consensus engine, no peers. The
//! process that holds a validator's key needs this crate alone.

pub mod disk;
pub mod keyfile;
pub mod keystore;
pub mod limits;
pub mod password;
mod position;
mod sign_state;
pub mod signer;
mod statement;
mod votes;

pub use position::{Mark, Position, Step};
pub use sign_state::{Lock, LockUnknown, SignState, SignStateError};
pub use statement::{ConsensusStatement, SignedStatement};
pub use votes::{LocalSigner, VoteSigner};
