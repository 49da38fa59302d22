//! Why a validator must not sign, in words.

use std::io;
use std::path::PathBuf;

use tbsi_types::{Address, B256};

use super::Position;

/// Why a validator must not sign.
#[derive(Debug, thiserror::Error)]
pub enum SignStateError {
    /// No file where one must be.
    #[error(
        "sign-state {path} is missing. Restore the newest copy; or keep this key silent until the \
         height that it last signed is decided, and then run `tbsi keys reset-sign-state --height \
         HEIGHT` (0 for a key that has never signed on this chain)",
        path = path.display()
    )]
    Missing {
        /// Expected path.
        path: PathBuf,
    },
    /// A file that would be overwritten.
    #[error("sign-state {path} exists already; it is never overwritten", path = path.display())]
    Exists {
        /// Its path.
        path: PathBuf,
    },
    /// Neither slot is readable.
    #[error(
        "sign-state {path} is damaged ({problem}); restore the newest copy, or run \
         `tbsi keys reset-sign-state --height HEIGHT` with a height above all this key signed",
        path = path.display()
    )]
    Damaged {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file of another chain.
    #[error(
        "sign-state {path} belongs to the network with genesis {genesis_hash}; is this the right \
         home directory?",
        path = path.display()
    )]
    OtherNetwork {
        /// Its path.
        path: PathBuf,
        /// The network's genesis hash.
        genesis_hash: B256,
    },
    /// A file of another key.
    #[error(
        "sign-state {path} belongs to validator {validator}; is this the right home directory?",
        path = path.display()
    )]
    OtherValidator {
        /// Its path.
        path: PathBuf,
        /// Whose it is.
        validator: Address,
    },
    /// A restored copy: the chain holds later signatures of this key.
    #[error(
        "sign-state {path} is older than the chain: it ends at {have}, but block {height} carries \
         this validator's signature. Restore the newest copy, or run `tbsi keys reset-sign-state \
         --height {height}`",
        path = path.display(),
        height = need.height
    )]
    Older {
        /// Its path.
        path: PathBuf,
        /// The file's mark.
        have: Position,
        /// Of a signature found in the chain.
        need: Position,
    },
    /// Another process signs with it.
    #[error(
        "sign-state {path} is in use: another process of this validator runs. Two of them would \
         sign contradictory votes; stop one",
        path = path.display()
    )]
    InUse {
        /// Its path.
        path: PathBuf,
    },
    /// The disk failed.
    #[error("{operation} sign-state {path}", path = path.display())]
    Io {
        /// What was being done.
        operation: &'static str,
        /// Its path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}
