//! Ethereum's test chain, looked at again.

use std::time::Instant;

use alloy_primitives::{Address, B256};
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace};
use alloy_rpc_types_trace::parity::{TraceResults, TraceType};
use tbsi_execution::{Trace, TraceBounds, TraceError, TraceKind, TracedBlock, trace_block};
use tbsi_rpc::backend::{Backend, BackendError};
use tbsi_rpc::{
    AccountParts, Allowance, ExecutionWitness, HashedAccounts, HashedSlots, Hindsight,
    HindsightError, TransactionPlaces,
};
use tbsi_types::{CallOverrides, CallRequest, Height};

use crate::served::{EthereumNode, absent, internal};

impl Hindsight for EthereumNode {
    fn debug_block(
        &self,
        height: Height,
        only: Option<u32>,
        options: &GethDebugTracingOptions,
        allowance: Allowance,
    ) -> Result<Vec<GethTrace>, HindsightError> {
        let missing = || internal("no such block");
        let parent = height.previous().ok_or_else(missing)?;
        let block = self.block(height)?.ok_or_else(missing)?;
        let state = self.state(parent)?;
        let traced = TracedBlock {
            protocol: &self.chain.protocol,
            header: &block.header,
            hash: block.hash(),
            transactions: &block.transactions,
        };
        let keep_going = || Instant::now() < allowance.until;
        let bounds = TraceBounds {
            bytes_max: allowance.bytes_max,
            keep_going: &keep_going,
        };
        let kind = TraceKind::Geth(Box::new(options.clone()));
        let only = only.map(|index| usize::try_from(index).unwrap_or(usize::MAX));
        let traces = trace_block(&state, &traced, only, &kind, bounds).map_err(failure)?;
        Ok(traces.into_iter().filter_map(geth).collect())
    }

    fn parity_block(
        &self,
        _: Height,
        _: Option<u32>,
        _: &[TraceType],
        _: Allowance,
    ) -> Result<Vec<TraceResults>, HindsightError> {
        Ok(absent()?)
    }

    fn debug_call(
        &self,
        _: &CallRequest,
        _: &CallOverrides,
        _: Height,
        _: &GethDebugTracingOptions,
        _: Allowance,
    ) -> Result<GethTrace, HindsightError> {
        Ok(absent()?)
    }

    fn parity_calls(
        &self,
        _: &[(CallRequest, Vec<TraceType>)],
        _: Height,
        _: Allowance,
    ) -> Result<Vec<TraceResults>, HindsightError> {
        Ok(absent()?)
    }

    fn slots_before(
        &self,
        _: Height,
        _: u32,
        _: Address,
        _: (B256, usize),
    ) -> Result<HashedSlots, BackendError> {
        absent()
    }

    fn accounts(
        &self,
        _: Height,
        _: (B256, usize),
        _: AccountParts,
    ) -> Result<HashedAccounts, BackendError> {
        absent()
    }

    fn execution_witness(
        &self,
        _: Height,
        _: Allowance,
    ) -> Result<ExecutionWitness, HindsightError> {
        Ok(absent()?)
    }

    fn transactions_of(
        &self,
        _: Address,
        _: Height,
        _: bool,
        _: usize,
    ) -> Result<TransactionPlaces, BackendError> {
        absent()
    }
}

fn geth(trace: Trace) -> Option<GethTrace> {
    match trace {
        Trace::Geth(trace) => Some(*trace),
        Trace::Parity(_) => None,
    }
}

fn failure(error: TraceError) -> HindsightError {
    match error {
        TraceError::Tracer(sentence) | TraceError::Refused(sentence) => {
            HindsightError::Refused(sentence)
        }
        TraceError::TooLarge(_) => HindsightError::TooLarge,
        TraceError::TooLong => HindsightError::TooLong,
        TraceError::Execution(error) => HindsightError::Backend(internal(error)),
    }
}
