//! Named maxima of building and tracing. Those of blocks are in `tbsi_types::limits`.

use tbsi_types::limits::TRANSACTION_GAS_MAX;

/// Gas up to which a transaction is light: whoever builds a block takes such ones first, and does
/// not measure how long each takes.
pub const LIGHT_GAS_MAX: u64 = TRANSACTION_GAS_MAX / 16;

/// Frames (calls and creations) of one transaction or call that a tracer keeps.
pub const TRACE_FRAMES_MAX: usize = 65_536;

/// Bytes that the tracers of one request may hold at a time, estimated. What is answered is
/// bound by the asker, [`crate::TraceBounds::bytes_max`].
pub const TRACE_MEMORY_BYTES_MAX: usize = 192 * 1024 * 1024;

/// Instructions between two looks at whether a trace may go on.
pub(crate) const TRACE_STEPS_UNWATCHED: u32 = 1_024;
