//! What a client is told of this node's own faults.

use tbsi_rpc::BackendError;
use tbsi_store::StoreError;

use crate::node::causes;

/// A store error for a client, or for the log.
pub(crate) fn store_error(error: StoreError) -> BackendError {
    if let StoreError::StateNotAvailable { height, oldest, .. } = error {
        return BackendError::StateUnavailable { height, oldest };
    }
    if let StoreError::BlockPruned { height, oldest } = error {
        return BackendError::BlockUnavailable { height, oldest };
    }
    BackendError::Internal(causes(&error))
}

/// Any other of them.
pub(crate) fn internal(error: impl std::error::Error) -> BackendError {
    BackendError::Internal(causes(&error))
}
