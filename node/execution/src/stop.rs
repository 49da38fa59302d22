//! Stopping a transaction that runs for longer than whoever builds the block gives it.
//!
//! It is asked for where a transaction leaves plain computing: at calls, precompiles among them,
//! and at reads of state. What is left between two of these is bounded by gas, whose price for
//! plain instructions is about what they cost in time.

use tbsi_types::ViewError;

/// Ends execution as a failed read does; nobody sees it outside of this crate.
#[derive(Debug, thiserror::Error)]
#[error("the transaction was stopped")]
struct Stopped;

/// Whether the transaction that runs is to be stopped.
#[derive(Default)]
pub(crate) struct Stop<'v> {
    is_over: Option<&'v dyn Fn() -> bool>,
    /// A transaction runs; what the block itself does is not stopped.
    armed: bool,
    came: bool,
}

impl<'v> Stop<'v> {
    /// Asks `is_over` from now on.
    pub(crate) fn set(&mut self, is_over: &'v dyn Fn() -> bool) {
        self.is_over = Some(is_over);
    }

    /// A transaction begins.
    pub(crate) fn arm(&mut self) {
        self.armed = true;
    }

    /// It ended; returns whether it was stopped.
    pub(crate) fn disarm(&mut self) -> bool {
        self.armed = false;
        std::mem::take(&mut self.came)
    }

    /// An error if the transaction that runs is to be stopped.
    pub(crate) fn check(&mut self) -> Result<(), ViewError> {
        let Some(is_over) = self.is_over.filter(|_| self.armed) else {
            return Ok(());
        };
        self.came |= is_over();
        if !self.came {
            return Ok(());
        }
        Err(ViewError {
            what: "state for a transaction".into(),
            source: Box::new(Stopped),
        })
    }
}
