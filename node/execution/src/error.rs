//! Why a block has no outcome.

use alloy_primitives::B256;
use revm::context_interface::result::EVMError;
use tbsi_types::ViewError;

use crate::overlay::ReadError;

/// Why a block has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// The state could not be read: this machine's fault, the node halts.
    #[error("execute on a state that cannot be read")]
    View(#[from] ViewError),
    /// revm failed in a way that no block can cause: the node halts.
    #[error("EVM failed: {0}")]
    Evm(String),
    /// The chain has a protocol version that this program does not know: the node halts.
    #[error("the chain has protocol version {asked}, and this program knows {known}")]
    Protocol {
        /// In force for the block.
        asked: u32,
        /// The newest that is known.
        known: u32,
    },
    /// The block is invalid: a transaction may not be in it.
    #[error("transaction {index} ({hash}) is invalid here: {reason}")]
    InvalidTransaction {
        /// Position in the block.
        index: usize,
        /// Transaction hash.
        hash: B256,
        /// In go-ethereum's words.
        reason: String,
    },
    /// The block is invalid: a transaction asks for more gas than is left.
    #[error("gas limit reached: transaction {index} ({hash}) asks for {gas}, {left} is left")]
    BlockGas {
        /// Position in the block.
        index: usize,
        /// Transaction hash.
        hash: B256,
        /// Its gas limit.
        gas: u64,
        /// Of the block's gas limit.
        left: u64,
    },
}

pub(crate) fn unreadable(error: ReadError) -> ExecutionError {
    ExecutionError::View(error.0)
}

/// For errors that are not the transaction's.
pub(crate) fn fatal(error: EVMError<ReadError>) -> ExecutionError {
    match error {
        EVMError::Database(error) => unreadable(error),
        EVMError::Transaction(error) => ExecutionError::Evm(error.to_string()),
        EVMError::Header(error) => ExecutionError::Evm(error.to_string()),
        EVMError::Custom(problem) => ExecutionError::Evm(problem),
        EVMError::CustomAny(error) => ExecutionError::Evm(error.to_string()),
    }
}
