//! A validator's key in a process of its own (SPEC §6.8): [`serve`] is that process, and
//! [`RemoteSigner`] what a node asks it through.
//!
//! The signer holds the sign-state and does not trust the node: it computes digests itself, for
//! its own chain, and signs each position once. The node does not trust the signer more than to
//! be there: a signature that does not verify is an abstention.

mod account;
mod address;
mod client;
mod curve;
mod decided;
#[doc(hidden)]
pub mod fuzz;
mod link;
mod message;
mod metrics;
mod server;

use std::io;

use tbsi_types::{Address, ChainIdentity, Height};

use crate::limits::SIGNER_HEIGHTS_AHEAD_MAX;

pub use account::RemoteAccount;
pub use address::SignerAddress;
pub use client::{Decisions, RemoteSigner};
pub use curve::link_public_key;
pub use decided::{Decided, DecidedError, ShownDecision};
pub use server::{Holder, ServeError, ServedKeys, serve};

/// Why there is no connection between a node and its signer.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The network or the socket.
    #[error("{operation} {address}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// Where.
        address: SignerAddress,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The connection broke off, or nothing came in time.
    #[error("the signer at {0} did not answer in time, or the connection with it broke off")]
    Broken(SignerAddress),
    /// The other end does not have the key that it should, or does not know this one.
    #[error(
        "the signer at {0} did not prove `signer.public_key`, or does not have this node's key \
         in its --allow list (`tbsi keys show` prints it), or is of another network"
    )]
    Handshake(SignerAddress),
    /// Another validator's signer.
    #[error("the signer at {address} signs for another validator than {expected}")]
    OtherValidator {
        /// Where.
        address: SignerAddress,
        /// Of this node's validator key, as the chain names it.
        expected: Address,
    },
    /// Another account's signer.
    #[error("the signer at {address} does not sign transactions of {expected}")]
    OtherAccount {
        /// Where.
        address: SignerAddress,
        /// The account that was asked for.
        expected: Address,
    },
    /// The signer's sign-state is an old copy.
    #[error(
        "the signer at {0} has a sign-state that is older than signatures of its key: restore \
         the newest copy, or run `tbsi keys reset-sign-state --home DIR --height HEIGHT` there"
    )]
    Older(SignerAddress),
    /// The signer does not believe what the node shows, or the node has nothing to show.
    #[error(
        "the signer at {address} knows height {known} to be decided and signs at most \
         {SIGNER_HEIGHTS_AHEAD_MAX} heights above it; {problem}"
    )]
    NotDecided {
        /// Where.
        address: SignerAddress,
        /// The height that it knows to be decided.
        known: Height,
        /// Why it does not learn more.
        problem: String,
    },
    /// Bytes that are no message.
    #[error("the signer at {0} speaks another protocol")]
    Protocol(SignerAddress),
}

/// Binds a connection to one network.
fn prologue(chain: &ChainIdentity) -> Vec<u8> {
    let mut bytes = b"TBSI-SIGNER-2".to_vec();
    bytes.extend_from_slice(&chain.chain_id.to_be_bytes());
    bytes.extend_from_slice(chain.genesis_hash.as_slice());
    bytes
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
