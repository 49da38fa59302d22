//! Calls that execute without becoming a transaction, and the search for the least gas.

use alloy_consensus::Header;
use alloy_eips::eip2930::AccessList;
use alloy_primitives::TxKind;
use revm::ExecuteEvm;
use revm::context::TxEnv;
use revm::context_interface::ContextTr;
use revm::context_interface::either::Either;
use revm::context_interface::result::{EVMError, ExecutionResult, HaltReason, InvalidTransaction};
use revm::primitives::hardfork::SpecId;
use revm::state::EvmState;
use tbsi_types::limits::TRANSACTION_GAS_MAX;
use tbsi_types::{Accessed, CallOutcome, CallOverrides, CallRequest, StateView};

use crate::access_list;
use crate::block::TRANSACTION_GAS_MIN;
use crate::environment::{BlockContext, Environment, Evm};
use crate::error::{ExecutionError, fatal, unreadable};
use crate::gate::{Bounds, bounds_of_call};
use crate::handler::{Checks, Transfers, run_unsigned};
use crate::overrides;
use crate::protocol::Protocol;
use crate::rules::{Fees, Rules};
use crate::words::{self, Refusal};

/// An estimate may exceed the least gas that works by this much (go-ethereum's default): each
/// halving of the error costs one more execution.
const ESTIMATE_ERROR_PER_MILLE: u64 = 15;

/// Gas that CALL gives for free with value: a callee may need it without using it.
const CALL_STIPEND: u64 = 2_300;

/// Executes `request` on `view` and forgets the changes (`eth_call`).
///
/// No fee, no nonce check, and a sender may have code; `value` must be covered. What a
/// transaction of the sender may not do reverts with the same words (SPEC §13.4), except that a
/// call from the zero address, which nobody can sign for, may do everything. Gas is the least of
/// what the request asks for, `gas_cap` and the block's gas limit; EIP-7825 does not apply.
pub fn call(
    view: &(impl StateView + ?Sized),
    context: &BlockContext,
    request: &CallRequest,
    gas_cap: u64,
) -> Result<CallOutcome, ExecutionError> {
    let environment = Environment::new(context, view)?;
    match Caller::new(view, environment, request, &CallOverrides::default())? {
        Ok(mut caller) => caller.call(request.gas, gas_cap),
        Err(refused) => Ok(refused),
    }
}

/// The gas with which `request` succeeds as a transaction (`eth_estimateGas`), at most 1.5 %
/// above the least such gas, or how the request fails with all the gas it may have.
///
/// The bound is the least of the request's gas, `gas_cap`, the block's gas limit and EIP-7825.
pub fn estimate_gas(
    view: &(impl StateView + ?Sized),
    context: &BlockContext,
    request: &CallRequest,
    gas_cap: u64,
) -> Result<Result<u64, CallOutcome>, ExecutionError> {
    let environment = Environment::new(context, view)?;
    match Caller::new(view, environment, request, &CallOverrides::default())? {
        Ok(mut caller) => caller.estimate(request.gas, gas_cap),
        Err(refused) => Ok(Err(refused)),
    }
}

/// Where calls are executed: on the state after a block, as if they were in that block.
pub struct CallSite<'a, V: ?Sized> {
    /// The state.
    pub view: &'a V,
    /// The chain's rules.
    pub protocol: &'a Protocol,
    /// Of the block.
    pub header: &'a Header,
    /// Gas that a call, or a simulation with all its calls, may have.
    pub gas_cap: u64,
}

impl<'v, V: StateView + ?Sized> CallSite<'v, V> {
    /// As [`call`], with overrides; those that contradict each other refuse the call.
    pub fn call(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
    ) -> Result<CallOutcome, ExecutionError> {
        match self.caller(request, overrides)? {
            Ok(mut caller) => caller.call(request.gas, self.gas_cap),
            Err(refused) => Ok(refused),
        }
    }

    /// As [`estimate_gas`], with overrides.
    pub fn estimate_gas(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
    ) -> Result<Result<u64, CallOutcome>, ExecutionError> {
        match self.caller(request, overrides)? {
            Ok(mut caller) => caller.estimate(request.gas, self.gas_cap),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// What a call reads and writes, and its gas when it says so beforehand
    /// (`eth_createAccessList`).
    pub fn access_list(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
    ) -> Result<Accessed, ExecutionError> {
        match self.caller(request, overrides)? {
            Ok(caller) => access_list::find(caller, request, self.gas_cap),
            Err(outcome) => Ok(Accessed {
                list: request.access_list.clone(),
                outcome,
            }),
        }
    }

    fn caller(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
    ) -> Result<Result<Caller<'v, V>, CallOutcome>, ExecutionError> {
        let mut environment = self.environment(overrides)?;
        let free = environment.rules.fees == Fees::Charged && request.bid.max_fee_per_gas == 0;
        if free && overrides.block.base_fee_per_gas.is_none() {
            // go-ethereum's: who offers nothing sees no base fee.
            environment.block.basefee = 0;
        }
        Caller::new(self.view, environment, request, overrides)
    }

    /// With the block changed as the overrides say.
    pub(crate) fn environment(
        &self,
        overridden: &CallOverrides,
    ) -> Result<Environment, ExecutionError> {
        let mut environment = self.protocol.environment(self.view, self.header)?;
        overrides::change_block(&mut environment.block, &overridden.block);
        Ok(environment)
    }
}

/// How a call ended.
pub(crate) enum Ended {
    Ran(ExecutionResult),
    /// Too little gas for the transaction itself, or another reason.
    Refused(Refusal, bool),
}

pub(crate) fn outcome(ended: Ended) -> CallOutcome {
    match ended {
        Ended::Ran(ExecutionResult::Success { gas, output, .. }) => CallOutcome::Returned {
            output: output.into_data(),
            gas_used: gas.tx_gas_used(),
        },
        Ended::Ran(ExecutionResult::Revert { gas, output, .. }) => CallOutcome::Reverted {
            output,
            gas_used: gas.tx_gas_used(),
        },
        Ended::Ran(ExecutionResult::Halt { gas, reason, .. }) => CallOutcome::Halted {
            reason: words::halted(&reason),
            gas_used: gas.tx_gas_used(),
        },
        Ended::Refused(refusal, _) => CallOutcome::Refused {
            reason: refusal.reason,
        },
    }
}

/// A call that fails with all its gas: lack of gas is told as such.
fn failure(ended: Ended, allowance: u64) -> CallOutcome {
    let lacks_gas = match &ended {
        Ended::Refused(_, lacks_gas) => *lacks_gas,
        Ended::Ran(ExecutionResult::Halt { reason, .. }) => {
            matches!(reason, HaltReason::OutOfGas(_))
        }
        Ended::Ran(ExecutionResult::Success { .. } | ExecutionResult::Revert { .. }) => false,
    };
    if lacks_gas {
        return CallOutcome::Refused {
            reason: format!("gas required exceeds allowance ({allowance})"),
        };
    }
    outcome(ended)
}

/// Runs one request with different amounts of gas; what is read from the view is read once.
pub(crate) struct Caller<'v, V: StateView + ?Sized> {
    pub(crate) evm: Evm<'v, V>,
    pub(crate) tx: TxEnv,
    bounds: Option<Bounds>,
}

impl<'v, V: StateView + ?Sized> Caller<'v, V> {
    /// Refuses overrides of accounts that contradict each other.
    fn new(
        view: &'v V,
        environment: Environment,
        request: &CallRequest,
        overridden: &CallOverrides,
    ) -> Result<Result<Self, CallOutcome>, ExecutionError> {
        let mut evm = environment.evm(view);
        // The cap binds transactions; `estimate_gas` stays below it by itself.
        evm.ctx.cfg.tx_gas_limit_cap = Some(u64::MAX);
        let changed = overrides::change_state(&mut evm, &overridden.state, &overridden.block);
        if let Err(reason) = changed.map_err(unreadable)? {
            return Ok(Err(CallOutcome::Refused { reason }));
        }
        let bounds = bounds_of_call(
            evm.ctx.db_mut(),
            environment.block.timestamp.saturating_to(),
            request.from,
            request.to,
            &request.input,
        );
        Ok(Ok(Self {
            bounds: bounds.map_err(unreadable)?,
            evm,
            tx: call_env(environment.chain_id, environment.rules, request),
        }))
    }

    fn call(&mut self, asked: Option<u64>, gas_cap: u64) -> Result<CallOutcome, ExecutionError> {
        let gas = asked.unwrap_or(gas_cap).min(gas_cap);
        let gas = gas.min(self.evm.ctx.block.gas_limit);
        Ok(outcome(self.run(gas)?))
    }

    fn estimate(
        &mut self,
        asked: Option<u64>,
        gas_cap: u64,
    ) -> Result<Result<u64, CallOutcome>, ExecutionError> {
        let block_gas = self.evm.ctx.block.gas_limit;
        let allowed = gas_cap.min(block_gas).min(TRANSACTION_GAS_MAX);
        // Less than any transaction needs means "not known", as go-ethereum reads it.
        let asked = asked.filter(|gas| *gas >= TRANSACTION_GAS_MIN);
        let allowance = asked.unwrap_or(allowed).min(allowed);

        let gas = match self.run(allowance)? {
            Ended::Ran(ExecutionResult::Success { gas, .. }) => gas,
            failed @ (Ended::Ran(_) | Ended::Refused(..)) => {
                return Ok(Err(failure(failed, allowance)));
            }
        };
        // Before refunds: they come only after the gas was there to be spent.
        let spent = gas.total_gas_spent().max(gas.floor_gas());
        if self.succeeds(spent)? {
            return Ok(Ok(spent));
        }
        // Some gas must be there without being spent (63/64 rule, stipend, EIP-2200's sentry).
        self.search(spent, allowance).map(Ok)
    }

    fn run(&mut self, gas: u64) -> Result<Ended, ExecutionError> {
        self.run_and_see(gas).map(|(ended, _)| ended)
    }

    pub(crate) fn set_access_list(&mut self, list: &AccessList) {
        let legacy: u8 = alloy_consensus::TxType::Legacy.into();
        if self.tx.tx_type == legacy && !list.is_empty() {
            self.tx.tx_type = alloy_consensus::TxType::Eip2930.into();
        }
        self.tx.access_list = list.clone();
    }

    /// Also what was read and written, which is forgotten nonetheless.
    pub(crate) fn run_and_see(&mut self, gas: u64) -> Result<(Ended, EvmState), ExecutionError> {
        if !self.tx.authorization_list.is_empty() && self.tx.kind.is_create() {
            let refusal = Refusal::permanent(words::SET_CODE_CREATE);
            return Ok((Ended::Refused(refusal, false), EvmState::default()));
        }
        self.tx.gas_limit = gas;
        let ended = run_unsigned(
            &mut self.evm,
            self.tx.clone(),
            self.bounds.as_ref(),
            Checks::default(),
            Transfers::Silent,
        );
        let seen = self.evm.finalize();
        match ended {
            Ok(ran) => Ok((Ended::Ran(ran.result), seen)),
            Err(EVMError::Transaction(error)) => {
                let lacks_gas = matches!(
                    error,
                    InvalidTransaction::CallGasCostMoreThanGasLimit { .. }
                        | InvalidTransaction::GasFloorMoreThanGasLimit { .. }
                );
                let refusal = Refusal::new(&error, &self.tx);
                Ok((Ended::Refused(refusal, lacks_gas), seen))
            }
            Err(
                error @ (EVMError::Header(_)
                | EVMError::Database(_)
                | EVMError::Custom(_)
                | EVMError::CustomAny(_)),
            ) => Err(fatal(error)),
        }
    }

    fn succeeds(&mut self, gas: u64) -> Result<bool, ExecutionError> {
        let ended = self.run(gas)?;
        Ok(matches!(ended, Ended::Ran(ExecutionResult::Success { .. })))
    }

    /// Bisects between gas that fails and gas that succeeds; the result has succeeded.
    fn search(&mut self, mut fails: u64, mut works: u64) -> Result<u64, ExecutionError> {
        // What a chain of calls passes on is 63/64 of what it has (EIP-150).
        let mut next = (fails + CALL_STIPEND) / 63 * 64;
        while (works - fails) * 1000 > works * ESTIMATE_ERROR_PER_MILLE {
            // Most calls need little more than they spend: stay near the lower end.
            let middle = fails + (works - fails) / 2;
            let gas = next.min(middle);
            if self.succeeds(gas)? {
                works = gas;
            } else {
                fails = gas;
            }
            next = fails.saturating_mul(2);
        }
        Ok(works)
    }
}

/// A call as a transaction without gas and nonce.
pub(crate) fn call_env(chain_id: u64, rules: Rules, request: &CallRequest) -> TxEnv {
    let bid = match rules.fees {
        Fees::Waived => tbsi_types::CallBid::default(),
        Fees::Charged => request.bid,
    };
    let dynamic = rules.spec.is_enabled_in(SpecId::LONDON);
    let gas_priority_fee = bid.max_priority_fee_per_gas.filter(|_| dynamic);
    let tx_type = if !request.authorizations.is_empty() {
        alloy_consensus::TxType::Eip7702
    } else if gas_priority_fee.is_some() {
        alloy_consensus::TxType::Eip1559
    } else if !request.access_list.is_empty() {
        alloy_consensus::TxType::Eip2930
    } else {
        alloy_consensus::TxType::Legacy
    };
    let authorizations = request.authorizations.iter().cloned();
    TxEnv {
        tx_type: tx_type.into(),
        caller: request.from,
        gas_limit: 0,
        gas_price: bid.max_fee_per_gas,
        kind: request.to.map_or(TxKind::Create, TxKind::Call),
        value: request.value,
        data: request.input.clone(),
        nonce: 0,
        chain_id: Some(chain_id),
        access_list: request.access_list.clone(),
        gas_priority_fee,
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: authorizations.map(Either::Left).collect(),
    }
}
