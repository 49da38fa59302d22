//! Answers about the past: blocks executed again, and whose transactions are where.

use std::collections::BTreeMap;
use std::time::Instant;

use alloy_primitives::keccak256;
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace};
use alloy_rpc_types_trace::parity::{TraceResults, TraceType};
use tbsi_execution::{Protocol, Trace, TraceBounds, TraceError, TraceKind, TracedBlock};
use tbsi_rpc::limits::ACCOUNT_RANGE_SLOTS_MAX;
use tbsi_rpc::{
    AccountParts, Allowance, BackendError, ExecutionWitness, HashedAccount, HashedAccounts,
    HashedSlot, HashedSlots, Hindsight, HindsightError, TransactionPlaces,
};
use tbsi_store::limits::SEARCH_BLOCKS_MAX;
use tbsi_store::{StateAt, StatePage};
use tbsi_types::{Address, B256, Bytes, CallOverrides, CallRequest, Height, StateView as _, U256};

use super::NodeApi;
use crate::answers::{internal, store_error};

impl Hindsight for NodeApi {
    fn debug_block(
        &self,
        height: Height,
        only: Option<u32>,
        options: &GethDebugTracingOptions,
        allowance: Allowance,
    ) -> Result<Vec<GethTrace>, HindsightError> {
        let kind = TraceKind::Geth(Box::new(options.clone()));
        let traces = self.trace_block(height, only, &kind, allowance)?;
        Ok(traces.into_iter().filter_map(geth).collect())
    }

    fn parity_block(
        &self,
        height: Height,
        only: Option<u32>,
        types: &[TraceType],
        allowance: Allowance,
    ) -> Result<Vec<TraceResults>, HindsightError> {
        let kind = TraceKind::Parity(types.to_vec());
        let traces = self.trace_block(height, only, &kind, allowance)?;
        Ok(traces.into_iter().filter_map(parity).collect())
    }

    fn debug_call(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
        options: &GethDebugTracingOptions,
        allowance: Allowance,
    ) -> Result<GethTrace, HindsightError> {
        let kind = TraceKind::Geth(Box::new(options.clone()));
        let traces = self.trace_calls(&[(request.clone(), kind)], overrides, height, allowance)?;
        let trace = traces.into_iter().find_map(geth);
        Ok(trace.expect("each call has a trace of its kind"))
    }

    fn parity_calls(
        &self,
        calls: &[(CallRequest, Vec<TraceType>)],
        height: Height,
        allowance: Allowance,
    ) -> Result<Vec<TraceResults>, HindsightError> {
        let calls: Vec<_> = calls
            .iter()
            .map(|(request, types)| (request.clone(), TraceKind::Parity(types.clone())))
            .collect();
        let traces = self.trace_calls(&calls, &CallOverrides::default(), height, allowance)?;
        Ok(traces.into_iter().filter_map(parity).collect())
    }

    fn slots_before(
        &self,
        height: Height,
        index: u32,
        account: Address,
        (from, limit): (B256, usize),
    ) -> Result<HashedSlots, BackendError> {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let (page, written) = self.again(height, |state, block| {
            let (is_new, written) =
                tbsi_execution::slots_within(state, block, index, account).map_err(internal)?;
            let page = match is_new {
                true => StatePage::default(),
                false => state.slots(account, from, limit).map_err(store_error)?,
            };
            Ok::<_, BackendError>((page, written))
        })?;
        Ok(merge(page, &written, from, limit))
    }

    fn accounts(
        &self,
        height: Height,
        (from, limit): (B256, usize),
        parts: AccountParts,
    ) -> Result<HashedAccounts, BackendError> {
        let state = self.0.store.state_at(height).map_err(store_error)?;
        let page = state.accounts(from, limit).map_err(store_error)?;
        let mut slots_left = ACCOUNT_RANGE_SLOTS_MAX;
        let mut accounts = Vec::new();
        for (hash, account) in page.entries {
            let (mut code, mut storage) = (None, None);
            if parts.code {
                code = Some(state.code(account.code_hash).map_err(internal)?);
            }
            if parts.storage {
                let slots = all_slots(&state, hash, slots_left)?;
                slots_left -= slots.len();
                storage = Some(slots);
            }
            accounts.push(HashedAccount {
                hash,
                nonce: account.nonce,
                balance: account.balance,
                storage_root: account.storage_root,
                code_hash: account.code_hash,
                code,
                storage,
            });
        }
        let next = page.next;
        Ok(HashedAccounts { accounts, next })
    }

    fn execution_witness(
        &self,
        height: Height,
        allowance: Allowance,
    ) -> Result<ExecutionWitness, HindsightError> {
        self.again(height, |state, block| {
            let (reads, diff) = tbsi_execution::block_reads(state, block).map_err(internal)?;
            let needed = state
                .needed_nodes(&reads.accounts, &diff, allowance.bytes_max)
                .map_err(store_error)?;
            let needed = needed.ok_or(HindsightError::TooLarge)?;
            if needed.root_after != block.header.state_root {
                let wrong = format!("block {height} comes to another state root");
                return Err(BackendError::Internal(wrong).into());
            }
            let mut keys = Vec::new();
            for (address, slots) in &reads.accounts {
                keys.push(Bytes::copy_from_slice(address.as_slice()));
                keys.extend(slots.iter().map(|slot| B256::from(*slot).into()));
            }
            let parent = state.height();
            let lowest = reads.lowest_block_hash.map_or(parent, Height);
            Ok(ExecutionWitness {
                state: needed.nodes,
                codes: reads.codes.into_values().collect(),
                keys,
                lowest_header: lowest.min(parent),
            })
        })
    }

    fn transactions_of(
        &self,
        account: Address,
        bound: Height,
        forward: bool,
        count: usize,
    ) -> Result<TransactionPlaces, BackendError> {
        let found = self.0.store.appearances(account, bound, forward, count);
        let found = found.map_err(store_error)?;
        Ok(TransactionPlaces {
            places: found.places,
            next: found.next,
            exhausted: found.exhausted.then_some(SEARCH_BLOCKS_MAX),
        })
    }
}

impl NodeApi {
    /// Lets `work` execute the block of `height` again.
    fn again<T, E: From<BackendError>>(
        &self,
        height: Height,
        work: impl FnOnce(&StateAt<'_>, &TracedBlock<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let missing = |what| BackendError::Internal(format!("block {height} {what}"));
        let parent = height.previous().ok_or_else(|| missing("has no parent"))?;
        let stored = self.0.store.block(height).map_err(store_error)?;
        let block = stored.ok_or_else(|| missing("is not stored"))?.block;
        // The oldest block that can be executed again is the one after the oldest state.
        let state = self
            .0
            .store
            .state_at(parent)
            .map_err(|error| match store_error(error) {
                BackendError::StateUnavailable { oldest, .. } => {
                    let oldest = oldest.next();
                    BackendError::StateUnavailable { height, oldest }
                }
                other @ (BackendError::Limit(_)
                | BackendError::BlockUnavailable { .. }
                | BackendError::Refused(_)
                | BackendError::Internal(_)) => other,
            })?;
        let traced = TracedBlock {
            protocol: &Protocol::of(&self.0.identity),
            header: &block.header,
            hash: block.hash(),
            transactions: &block.transactions,
        };
        work(&state, &traced)
    }

    fn trace_block(
        &self,
        height: Height,
        only: Option<u32>,
        kind: &TraceKind,
        allowance: Allowance,
    ) -> Result<Vec<Trace>, HindsightError> {
        let only = only.map(|index| usize::try_from(index).unwrap_or(usize::MAX));
        self.again(height, |state, block| {
            let keep_going = || Instant::now() < allowance.until;
            let bounds = TraceBounds {
                bytes_max: allowance.bytes_max,
                keep_going: &keep_going,
            };
            tbsi_execution::trace_block(state, block, only, kind, bounds).map_err(failure)
        })
    }

    fn trace_calls(
        &self,
        calls: &[(CallRequest, TraceKind)],
        overrides: &CallOverrides,
        height: Height,
        allowance: Allowance,
    ) -> Result<Vec<Trace>, HindsightError> {
        let keep_going = || Instant::now() < allowance.until;
        let bounds = TraceBounds {
            bytes_max: allowance.bytes_max,
            keep_going: &keep_going,
        };
        self.at(height, |site| {
            tbsi_execution::trace_calls(site, calls, overrides, bounds).map_err(failure)
        })
    }
}

/// All slots of an account, if they are no more than `most`.
fn all_slots(
    state: &StateAt<'_>,
    owner: B256,
    most: usize,
) -> Result<Vec<(B256, U256)>, BackendError> {
    let (mut slots, mut from) = (Vec::new(), Some(B256::ZERO));
    while let Some(start) = from {
        let page = state.slots_of(owner, start, most).map_err(store_error)?;
        slots.extend(page.entries);
        if slots.len() > most || (most == 0 && page.next.is_some()) {
            return Err(BackendError::Limit(format!(
                "the accounts have more than {ACCOUNT_RANGE_SLOTS_MAX} slots; ask for fewer \
                 accounts, or with `nostorage` and by debug_storageRangeAt"
            )));
        }
        from = page.next;
    }
    Ok(slots)
}

/// A page of the state before a block, with what the block's first transactions have read and
/// written: their slots are known by number.
fn merge(
    page: StatePage<U256>,
    written: &BTreeMap<U256, U256>,
    from: B256,
    limit: usize,
) -> HashedSlots {
    let StatePage { entries, mut next } = page;
    let mut slots: BTreeMap<B256, (Option<B256>, U256)> = entries
        .into_iter()
        .map(|(hash, value)| (hash, (None, value)))
        .collect();
    for (key, value) in written {
        let key = B256::from(*key);
        let hash = keccak256(key);
        if hash >= from && next.is_none_or(|next| hash < next) {
            slots.insert(hash, (Some(key), *value));
        }
    }
    slots.retain(|_, (_, value)| !value.is_zero());
    if let Some(hash) = slots.keys().nth(limit) {
        next = Some(*hash);
    }
    let slots = slots.into_iter().take(limit);
    HashedSlots {
        slots: slots
            .map(|(hash, (key, value))| HashedSlot { hash, key, value })
            .collect(),
        next,
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

fn geth(trace: Trace) -> Option<GethTrace> {
    match trace {
        Trace::Geth(trace) => Some(*trace),
        Trace::Parity(_) => None,
    }
}

fn parity(trace: Trace) -> Option<TraceResults> {
    match trace {
        Trace::Parity(results) => Some(*results),
        Trace::Geth(_) => None,
    }
}
