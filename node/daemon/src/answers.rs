//! What a client is told of this node's own faults.

use std::error::Error;

use tbsi_rpc::BackendError;
use tbsi_store::StoreError;
use tbsi_types::Height;

use crate::node::causes;

/// A store error for a client, or for the log.
pub(crate) fn store_error(error: StoreError) -> BackendError {
    unavailable(&error).unwrap_or_else(|| BackendError::Internal(causes(&error)))
}

/// Any other of them. A state can leave the window while somebody reads it: whatever was being
/// done with it fails then, and its client is told why, and not of a fault that is none.
pub(crate) fn internal(error: impl Error + 'static) -> BackendError {
    unavailable(&error).unwrap_or_else(|| BackendError::Internal(causes(&error)))
}

/// The same for what executes the block of `height` again, on the state before it.
pub(crate) fn before_block(height: Height, error: BackendError) -> BackendError {
    match error {
        BackendError::StateUnavailable { oldest, .. } => BackendError::StateUnavailable {
            height,
            // The oldest block that can be executed again is the one after the oldest state.
            oldest: oldest.next(),
        },
        other @ (BackendError::Limit(_)
        | BackendError::BlockUnavailable { .. }
        | BackendError::Refused(_)
        | BackendError::Internal(_)) => other,
    }
}

/// That a state or a block is not, or no longer, there, if that is why something failed.
fn unavailable(error: &(dyn Error + 'static)) -> Option<BackendError> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(StoreError::StateNotAvailable { height, oldest, .. }) = error.downcast_ref() {
            return Some(BackendError::StateUnavailable {
                height: *height,
                oldest: *oldest,
            });
        }
        if let Some(StoreError::BlockPruned { height, oldest }) = error.downcast_ref() {
            return Some(BackendError::BlockUnavailable {
                height: *height,
                oldest: *oldest,
            });
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use tbsi_execution::{BlockContext, ExecutionError, call};
    use tbsi_types::{
        Account, Address, B256, Bytes, CallRequest, StateView, TimestampMs, U256, ViewError,
    };

    use super::*;

    /// The state after block 7, which leaves the window before anything of it is read.
    struct Gone;

    fn gone<T>() -> Result<T, ViewError> {
        Err(ViewError {
            what: "slot 0".into(),
            source: Box::new(StoreError::StateNotAvailable {
                height: Height(7),
                oldest: Height(8),
                tip: Height(264),
            }),
        })
    }

    impl StateView for Gone {
        fn account(&self, _: Address) -> Result<Option<Account>, ViewError> {
            gone()
        }

        fn code(&self, _: B256) -> Result<Bytes, ViewError> {
            gone()
        }

        fn storage(&self, _: Address, _: U256) -> Result<U256, ViewError> {
            gone()
        }

        fn block_hash(&self, _: u64) -> Result<B256, ViewError> {
            gone()
        }
    }

    fn failed() -> ExecutionError {
        let context = BlockContext {
            chain_id: 1,
            genesis_hash: B256::ZERO,
            height: Height(8),
            time: TimestampMs(0),
            beneficiary: Address::ZERO,
            gas_limit: 30_000_000,
            parent_hash: B256::ZERO,
        };
        let request = CallRequest::default();
        call(&Gone, &context, &request, 100_000).expect_err("nothing can be read")
    }

    #[test]
    fn a_state_that_goes_while_it_is_read_is_told_as_pruned() {
        for error in [
            internal(failed()),
            internal(gone::<()>().expect_err("it is")),
        ] {
            let BackendError::StateUnavailable { height, oldest } = error else {
                panic!("{error}");
            };
            assert_eq!((height, oldest), (Height(7), Height(8)));
        }
        let told = before_block(Height(8), internal(failed()));
        let BackendError::StateUnavailable { height, oldest } = told else {
            panic!("{told}");
        };
        assert_eq!((height, oldest), (Height(8), Height(9)));
    }

    #[test]
    fn other_faults_are_this_nodes_own_with_every_cause() {
        let error = internal(ViewError {
            what: "slot 0".into(),
            source: Box::new(StoreError::Empty),
        });
        let BackendError::Internal(words) = &error else {
            panic!("{error}");
        };
        assert!(
            words.contains("slot 0") && words.contains("empty"),
            "{words}"
        );
        let same = before_block(Height(8), error);
        assert!(matches!(same, BackendError::Internal(_)));
    }
}
