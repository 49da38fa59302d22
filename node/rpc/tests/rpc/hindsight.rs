//! The past of the chain in memory: nothing is executed, each transaction is one call.

use alloy_consensus::Transaction as _;
use alloy_rpc_types_trace::geth::{CallFrame, DefaultFrame, GethDebugTracingOptions, GethTrace};
use alloy_rpc_types_trace::parity::{
    Action, CallAction, CallOutput, CallType, CreateAction, CreateOutput, CreationMethod,
    TraceOutput, TraceResults, TraceType, TransactionTrace,
};
use tbsi_rpc::{
    AccountParts, Allowance, Backend, BackendError, ExecutionWitness, HashedAccount,
    HashedAccounts, HashedSlot, HashedSlots, Hindsight, HindsightError, TransactionPlaces,
};
use tbsi_types::{
    Address, B256, Block, Bytes, CallOverrides, CallRequest, Height, Transaction, U256,
};

use crate::chain::{Chain, SLOT, SLOT_VALUE, WAITS};
use crate::transactions::CONTRACT;

/// `limit`s for which a trace is too large, or too late.
pub(crate) const TOO_LARGE: u64 = 1_001;
pub(crate) const TOO_LONG: u64 = 1_002;
/// A tracer that there is not.
pub(crate) const NO_TRACER: &str = "{}";
/// Whom a search does not find in as many blocks as it looks through.
pub(crate) const FAR: Address = Address::repeat_byte(0xfa);

impl Chain {
    fn again(&self, height: Height) -> Result<Block, HindsightError> {
        assert!(height > Height::GENESIS && height <= self.tip());
        let parent = Height(height.0 - 1);
        if parent < self.oldest_state {
            let oldest = self.oldest_state.next();
            return Err(BackendError::StateUnavailable { height, oldest }.into());
        }
        Ok(self.block_at(height.0))
    }
}

/// Those of a block, or one of them.
fn chosen(block: &Block, only: Option<u32>) -> impl Iterator<Item = &Transaction> {
    let all = block.transactions.iter().enumerate();
    all.filter(move |(index, _)| only.is_none_or(|only| *index == only as usize))
        .map(|(_, transaction)| &**transaction)
}

fn geth(
    transaction: &Transaction,
    options: &GethDebugTracingOptions,
) -> Result<GethTrace, HindsightError> {
    match options.config.limit {
        Some(TOO_LARGE) => return Err(HindsightError::TooLarge),
        Some(TOO_LONG) => return Err(HindsightError::TooLong),
        Some(_) | None => {}
    }
    Ok(match &options.tracer {
        None => GethTrace::Default(DefaultFrame {
            gas: 21_000,
            ..DefaultFrame::default()
        }),
        Some(tracer) if tracer.as_str() == NO_TRACER => {
            return Err(HindsightError::Refused("no such tracer".into()));
        }
        Some(_) => GethTrace::CallTracer(CallFrame {
            typ: "CALL".into(),
            from: transaction.sender(),
            to: transaction.envelope().to(),
            gas_used: U256::from(21_000),
            ..CallFrame::default()
        }),
    })
}

fn parity(transaction: &Transaction, types: &[TraceType]) -> TraceResults {
    let envelope = transaction.envelope();
    let (from, value) = (transaction.sender(), envelope.value());
    let (action, result) = match envelope.to() {
        Some(to) => (
            Action::Call(CallAction {
                from,
                to,
                value,
                call_type: CallType::Call,
                input: envelope.input().clone(),
                gas: envelope.gas_limit(),
            }),
            TraceOutput::Call(CallOutput {
                gas_used: 0,
                output: vec![1].into(),
            }),
        ),
        None => (
            Action::Create(CreateAction {
                from,
                value,
                init: envelope.input().clone(),
                gas: envelope.gas_limit(),
                creation_method: CreationMethod::Create,
            }),
            TraceOutput::Create(CreateOutput {
                gas_used: 0,
                address: CONTRACT,
                code: vec![0x60, 0].into(),
            }),
        ),
    };
    let trace = TransactionTrace {
        action,
        error: None,
        result: Some(result),
        subtraces: 0,
        trace_address: Vec::new(),
    };
    TraceResults {
        output: vec![1].into(),
        trace: types
            .contains(&TraceType::Trace)
            .then_some(trace)
            .into_iter()
            .collect(),
        state_diff: types.contains(&TraceType::StateDiff).then(Default::default),
        vm_trace: None,
    }
}

fn empty(types: &[TraceType]) -> TraceResults {
    TraceResults {
        output: Default::default(),
        trace: Vec::new(),
        state_diff: types.contains(&TraceType::StateDiff).then(Default::default),
        vm_trace: None,
    }
}

impl Hindsight for Chain {
    fn debug_block(
        &self,
        height: Height,
        only: Option<u32>,
        options: &GethDebugTracingOptions,
        _: Allowance,
    ) -> Result<Vec<GethTrace>, HindsightError> {
        let block = self.again(height)?;
        let traces = chosen(&block, only).map(|it| geth(it, options));
        traces.collect()
    }

    fn parity_block(
        &self,
        height: Height,
        only: Option<u32>,
        types: &[TraceType],
        _: Allowance,
    ) -> Result<Vec<TraceResults>, HindsightError> {
        let block = self.again(height)?;
        Ok(chosen(&block, only).map(|it| parity(it, types)).collect())
    }

    fn debug_call(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
        options: &GethDebugTracingOptions,
        _: Allowance,
    ) -> Result<GethTrace, HindsightError> {
        self.code(CONTRACT, height)?;
        if request.to == Some(WAITS) {
            self.gate.pass();
        }
        if let Some(number) = overrides.block.number {
            return Err(HindsightError::Refused(format!("block {number}")));
        }
        geth(&self.pending(), options)
    }

    fn parity_calls(
        &self,
        calls: &[(CallRequest, Vec<TraceType>)],
        height: Height,
        _: Allowance,
    ) -> Result<Vec<TraceResults>, HindsightError> {
        self.code(CONTRACT, height)?;
        Ok(calls.iter().map(|(_, types)| empty(types)).collect())
    }

    fn slots_before(
        &self,
        height: Height,
        index: u32,
        account: Address,
        (from, limit): (B256, usize),
    ) -> Result<HashedSlots, BackendError> {
        assert!(height > Height::GENESIS && limit <= 1_024);
        let slot = HashedSlot {
            hash: B256::repeat_byte(0x51),
            key: (index > 0).then(|| U256::from(SLOT).into()),
            value: U256::from(SLOT_VALUE),
        };
        let is_there = account == CONTRACT && slot.hash >= from && limit > 0;
        Ok(HashedSlots {
            next: (is_there && limit == 1).then_some(B256::repeat_byte(0x52)),
            slots: is_there.then_some(slot).into_iter().collect(),
        })
    }

    fn accounts(
        &self,
        height: Height,
        (from, limit): (B256, usize),
        parts: AccountParts,
    ) -> Result<HashedAccounts, BackendError> {
        assert!(limit <= 256);
        self.code(CONTRACT, height)?;
        let account = HashedAccount {
            hash: B256::repeat_byte(0x51),
            nonce: 1,
            balance: U256::from(10),
            storage_root: B256::repeat_byte(1),
            code_hash: B256::repeat_byte(2),
            code: parts.code.then(|| vec![0x60, 0].into()),
            storage: parts
                .storage
                .then(|| vec![(B256::repeat_byte(0x53), U256::from(0x0102))]),
        };
        let is_there = account.hash >= from;
        Ok(HashedAccounts {
            next: (is_there && limit == 1).then_some(B256::repeat_byte(0x52)),
            accounts: is_there.then_some(account).into_iter().collect(),
        })
    }

    fn execution_witness(
        &self,
        height: Height,
        _: Allowance,
    ) -> Result<ExecutionWitness, HindsightError> {
        self.again(height)?;
        Ok(ExecutionWitness {
            state: vec![vec![0xc0].into()],
            codes: vec![vec![0x60, 0].into()],
            keys: vec![Bytes::copy_from_slice(CONTRACT.as_slice())],
            lowest_header: Height(0),
        })
    }

    fn transactions_of(
        &self,
        account: Address,
        bound: Height,
        forward: bool,
        count: usize,
    ) -> Result<TransactionPlaces, BackendError> {
        if account == FAR {
            return Ok(TransactionPlaces {
                places: Vec::new(),
                next: Some(Height(7)),
                exhausted: Some(10_000),
            });
        }
        let tip = self.tip();
        let heights = (0..=tip.0).map(Height);
        let mut heights: Vec<_> = heights
            .filter(|it| if forward { *it > bound } else { *it < bound })
            .collect();
        if !forward {
            heights.reverse();
        }
        let mut found = TransactionPlaces::default();
        for height in heights {
            if found.places.len() >= count {
                found.next = Some(height);
                break;
            }
            let block = self.block_at(height.0);
            let mut places: Vec<_> = (0u32..)
                .zip(&block.transactions)
                .filter(|(_, it)| it.sender() == account)
                .map(|(index, _)| (height, index))
                .collect();
            if !forward {
                places.reverse();
            }
            found.places.extend(places);
        }
        Ok(found)
    }
}
