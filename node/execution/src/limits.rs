//! Named maxima of tracing. Those of blocks are in `tbsi_types::limits`.

/// Frames (calls and creations) of one transaction or call that a tracer keeps.
pub const TRACE_FRAMES_MAX: usize = 65_536;

/// Bytes that the tracers of one request may hold at a time, estimated. What is answered is
/// bound by the asker, [`crate::TraceBounds::bytes_max`].
pub const TRACE_MEMORY_BYTES_MAX: usize = 192 * 1024 * 1024;

/// Instructions between two looks at whether a trace may go on.
pub(crate) const TRACE_STEPS_UNWATCHED: u32 = 1_024;
