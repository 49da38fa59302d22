//! The tree of calls that `callTracer` answers.
//!
//! From the frames that the tracer recorded; put together in time that grows with their number,
//! and without what a frame that failed had logged.

use alloy_primitives::U256;
use alloy_rpc_types_trace::geth::{CallConfig, CallFrame};
use revm_inspectors::tracing::types::CallTraceNode;

/// The outermost call with all that it called. Frames are recorded in the order in which they
/// began: a parent stands before its children.
pub(crate) fn call_tree(nodes: &[CallTraceNode], config: CallConfig, gas_used: u64) -> CallFrame {
    let with_logs = config.with_log.unwrap_or_default();
    let only_top = config.only_top_call.unwrap_or_default();
    let failed = failed(nodes);
    let mut frames: Vec<Option<CallFrame>> = nodes.iter().map(|_| None).collect();
    let shown = if only_top { 1 } else { nodes.len() };
    for (index, node) in nodes.iter().enumerate().take(shown).rev() {
        let mut frame = node.geth_empty_call_frame(with_logs && !failed[index]);
        // A contract that destroys itself does so as if by a call of its own.
        frame.calls.extend(node.geth_selfdestruct_call_trace());
        for child in &node.children {
            frame
                .calls
                .extend(frames.get_mut(*child).and_then(Option::take));
        }
        frames[index] = Some(frame);
    }
    let root = frames.into_iter().next().flatten();
    let mut root = root.unwrap_or_default();
    // The outermost call stands for the transaction, with what that costs beforehand.
    root.gas_used = U256::from(gas_used);
    root
}

/// Whether each frame, or one around it, failed: what it did is undone.
pub(crate) fn failed(nodes: &[CallTraceNode]) -> Vec<bool> {
    let mut failed = Vec::with_capacity(nodes.len());
    for node in nodes {
        let around = node.parent.and_then(|parent| failed.get(parent));
        failed.push(node.trace.is_error() || around.is_some_and(|failed| *failed));
    }
    failed
}
