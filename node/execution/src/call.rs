//! Calls that execute without becoming a transaction, and the search for the least gas.

use alloy_primitives::TxKind;
use revm::ExecuteEvm;
use revm::context::TxEnv;
use revm::context_interface::ContextTr;
use revm::context_interface::either::Either;
use revm::context_interface::result::{EVMError, ExecutionResult, HaltReason, InvalidTransaction};
use tbsi_types::limits::TRANSACTION_GAS_MAX;
use tbsi_types::{CallOutcome, CallRequest, StateView};

use crate::block::TRANSACTION_GAS_MIN;
use crate::environment::{BlockContext, Environment, Evm};
use crate::error::{ExecutionError, fatal};
use crate::gate::{Bounds, bounds_of_call};
use crate::handler::run_unsigned;
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
    let gas = request.gas.unwrap_or(gas_cap).min(gas_cap);
    let ended = Caller::new(view, context, request)?.run(gas.min(context.gas_limit))?;
    Ok(outcome(ended))
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
    let allowed = gas_cap.min(context.gas_limit).min(TRANSACTION_GAS_MAX);
    // Less than any transaction needs means "not known", as go-ethereum reads it.
    let asked = request.gas.filter(|gas| *gas >= TRANSACTION_GAS_MIN);
    let allowance = asked.unwrap_or(allowed).min(allowed);

    let mut caller = Caller::new(view, context, request)?;
    let gas = match caller.run(allowance)? {
        Ended::Ran(ExecutionResult::Success { gas, .. }) => gas,
        failed @ (Ended::Ran(_) | Ended::Refused(..)) => {
            return Ok(Err(failure(failed, allowance)));
        }
    };
    // Before refunds: they come only after the gas was there to be spent.
    let spent = gas.total_gas_spent().max(gas.floor_gas());
    if caller.succeeds(spent)? {
        return Ok(Ok(spent));
    }
    // Some gas must be there without being spent (63/64 rule, stipend, EIP-2200's sentry).
    caller.search(spent, allowance).map(Ok)
}

/// How a call ended.
enum Ended {
    Ran(ExecutionResult),
    /// Too little gas for the transaction itself, or another reason.
    Refused(Refusal, bool),
}

fn outcome(ended: Ended) -> CallOutcome {
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
struct Caller<'v, V: StateView + ?Sized> {
    evm: Evm<'v, V>,
    tx: TxEnv,
    bounds: Option<Bounds>,
}

impl<'v, V: StateView + ?Sized> Caller<'v, V> {
    fn new(
        view: &'v V,
        context: &BlockContext,
        request: &CallRequest,
    ) -> Result<Self, ExecutionError> {
        let mut evm = Environment::new(context, view)?.evm(view);
        // The cap binds transactions; `estimate_gas` stays below it by itself.
        evm.ctx.cfg.tx_gas_limit_cap = Some(u64::MAX);
        let bounds = bounds_of_call(
            evm.ctx.db_mut(),
            context.time.seconds(),
            request.from,
            request.to,
            &request.input,
        );
        Ok(Self {
            bounds: bounds.map_err(|error| ExecutionError::View(error.0))?,
            evm,
            tx: call_env(context, request),
        })
    }

    fn run(&mut self, gas: u64) -> Result<Ended, ExecutionError> {
        if !self.tx.authorization_list.is_empty() && self.tx.kind.is_create() {
            let refusal = Refusal::permanent(words::SET_CODE_CREATE);
            return Ok(Ended::Refused(refusal, false));
        }
        self.tx.gas_limit = gas;
        let ended = run_unsigned(&mut self.evm, self.tx.clone(), self.bounds.as_ref());
        let _forgotten = self.evm.finalize();
        match ended {
            Ok(ran) => Ok(Ended::Ran(ran.result)),
            Err(EVMError::Transaction(error)) => {
                let lacks_gas = matches!(
                    error,
                    InvalidTransaction::CallGasCostMoreThanGasLimit { .. }
                        | InvalidTransaction::GasFloorMoreThanGasLimit { .. }
                );
                Ok(Ended::Refused(Refusal::new(&error, &self.tx), lacks_gas))
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

pub(crate) fn call_env(context: &BlockContext, request: &CallRequest) -> TxEnv {
    let tx_type = if !request.authorizations.is_empty() {
        alloy_consensus::TxType::Eip7702
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
        gas_price: 0,
        kind: request.to.map_or(TxKind::Create, TxKind::Call),
        value: request.value,
        data: request.input.clone(),
        nonce: 0,
        chain_id: Some(context.chain_id),
        access_list: request.access_list.clone(),
        gas_priority_fee: None,
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: authorizations.map(Either::Left).collect(),
    }
}
