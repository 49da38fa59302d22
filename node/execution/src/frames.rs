//! How the frames of a transaction run: plainly, or before the eyes of a tracer. What they do is
//! the same.

use revm::context_interface::context::ContextError;
use revm::handler::{EthFrame, EvmTr, FrameInitOrResult, FrameResult, ItemOrResult};
use revm::inspector::InspectorEvmTr;
use revm::inspector::handler::{frame_end, frame_start};
use revm::interpreter::InterpreterResult;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_action::{FrameInit, FrameInput};
use tbsi_types::StateView;

use crate::environment::Evm;
use crate::overlay::ReadError;
use crate::watch::Watch;

type FrameError = ContextError<ReadError>;

/// A machine that runs frames.
pub(crate) trait Frames {
    /// Begins a frame; its result if it ends at once.
    fn enter(&mut self, init: FrameInit) -> Result<Option<FrameResult>, FrameError>;

    /// Runs the innermost frame until it ends or begins another one.
    fn go_on(&mut self) -> Result<FrameInitOrResult<EthFrame<EthInterpreter>>, FrameError>;

    /// A frame does not take place.
    fn refused(&mut self, input: &mut FrameInput, result: &mut FrameResult);

    /// The outermost frame counts as having ended with `result`, whatever it did.
    fn judged(&mut self, result: &InterpreterResult);
}

impl<V: StateView + ?Sized> Frames for Evm<'_, V> {
    fn enter(&mut self, init: FrameInit) -> Result<Option<FrameResult>, FrameError> {
        Ok(match self.frame_init(init)? {
            ItemOrResult::Item(_) => None,
            ItemOrResult::Result(result) => Some(result),
        })
    }

    fn go_on(&mut self) -> Result<FrameInitOrResult<EthFrame<EthInterpreter>>, FrameError> {
        self.frame_run()
    }

    fn refused(&mut self, _: &mut FrameInput, _: &mut FrameResult) {}

    fn judged(&mut self, _: &InterpreterResult) {}
}

impl<V: StateView + ?Sized> Frames for Evm<'_, V, Watch<'_>> {
    fn enter(&mut self, init: FrameInit) -> Result<Option<FrameResult>, FrameError> {
        Ok(match self.inspect_frame_init(init)? {
            ItemOrResult::Item(_) => None,
            ItemOrResult::Result(result) => Some(result),
        })
    }

    fn go_on(&mut self) -> Result<FrameInitOrResult<EthFrame<EthInterpreter>>, FrameError> {
        self.inspect_frame_run()
    }

    fn refused(&mut self, input: &mut FrameInput, result: &mut FrameResult) {
        let (context, watch) = self.ctx_inspector();
        // A tracer does not decide how a frame ends.
        let _none = frame_start(context, watch, input);
        frame_end(context, watch, input, result);
    }

    fn judged(&mut self, result: &InterpreterResult) {
        self.inspector.judged(result);
    }
}
