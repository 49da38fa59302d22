//! Blocks that are executed on top of the chain and forgotten (`eth_simulateV1`).
//!
//! A simulated block has what its calls do and what Ethereum's rules add to a block. What a TBSI
//! chain itself does at a block's end (quotas charged, handovers, upgrades) is left out: its calls
//! are nobody's transactions. Permissions bind each call as they bind `eth_call`.

mod header;
mod logs;
mod plan;
mod transaction;

use alloy_consensus::proofs::{
    calculate_receipt_root, calculate_transaction_root, calculate_withdrawals_root,
};
use alloy_consensus::{Eip658Value, Header};
use alloy_primitives::{Address, B256, Bloom};
use revm::context_interface::ContextTr;
use revm::context_interface::result::{EVMError, ExecutionResult};
use revm::primitives::hardfork::SpecId;
use revm::{Database as _, ExecuteEvm};
use tbsi_types::{
    CallOutcome, Receipt, SimulatedBlock, SimulatedCall, SimulatedOutcome, Simulation,
    SimulationFault, SimulationRefused, StateDiff, StateView, TxEnvelope, ViewError,
};

use self::plan::Planned;
use crate::boundary;
use crate::call::{CallSite, Ended, call_env, outcome};
use crate::emitted::Emitted;
use crate::environment::Evm;
use crate::error::{ExecutionError, fatal, unreadable};
use crate::gate::bounds_of_call;
use crate::handler::{Checks, Ran, Transfers, run_unsigned};
use crate::overlay::Overlay;
use crate::overrides;
use crate::rules::{Fees, Rules};
use crate::transfers;
use crate::words::Refusal;

/// Blocks in a simulation, empty ones between two counted (go-ethereum's bound).
pub const SIMULATED_BLOCKS_MAX: u64 = 256;

/// Bytes that all calls of a simulation return or log.
pub const SIMULATED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a simulation asks its surroundings.
pub struct SimulationHost<'a> {
    /// The state root after changes to the site's state.
    pub state_root: &'a dyn Fn(&StateDiff) -> Result<B256, ViewError>,
    /// Whether there is still time; asked before each call and block.
    pub keep_going: &'a dyn Fn() -> bool,
}

type Simulated<T> = Result<T, Stopped>;

/// Why a simulation goes no further.
enum Stopped {
    /// The request's fault, or a limit.
    Refused(SimulationRefused),
    /// The node's.
    Failed(ExecutionError),
}

impl From<ExecutionError> for Stopped {
    fn from(error: ExecutionError) -> Self {
        Self::Failed(error)
    }
}

fn refuse<T>(fault: SimulationFault, reason: impl Into<String>) -> Simulated<T> {
    Err(Stopped::Refused(SimulationRefused {
        fault,
        reason: reason.into(),
    }))
}

impl<'v, V: StateView + ?Sized> CallSite<'v, V> {
    /// Executes blocks on top of the site's and forgets them.
    ///
    /// All calls together have the site's gas cap. Without `validation` the base fee is 0 unless
    /// overridden, and nonces are not looked at.
    pub fn simulate(
        &self,
        simulation: &Simulation,
        host: &SimulationHost<'_>,
    ) -> Result<Result<Vec<SimulatedBlock>, SimulationRefused>, ExecutionError> {
        let run = Run {
            site: self,
            simulation,
            host,
            gas_left: self.gas_cap,
            bytes_left: SIMULATED_BYTES_MAX,
        };
        match run.all() {
            Ok(blocks) => Ok(Ok(blocks)),
            Err(Stopped::Refused(refused)) => Ok(Err(refused)),
            Err(Stopped::Failed(error)) => Err(error),
        }
    }
}

/// A simulation under way.
struct Run<'a, 'v, V: ?Sized> {
    site: &'a CallSite<'v, V>,
    simulation: &'a Simulation,
    host: &'a SimulationHost<'a>,
    gas_left: u64,
    bytes_left: usize,
}

impl<'v, V: StateView + ?Sized> Run<'_, 'v, V> {
    fn all(mut self) -> Simulated<Vec<SimulatedBlock>> {
        let planned = plan::blocks(self.site.header, &self.simulation.blocks);
        let planned = planned.map_err(Stopped::Refused)?;
        let mut overlay = Overlay::new(self.site.view, None);
        let mut parent = self.site.header.clone();
        let mut blocks = Vec::with_capacity(planned.len());
        for block in planned {
            self.check_time()?;
            let (done, after) = self.block(&block, &parent, overlay)?;
            overlay = after;
            parent = done.header.clone();
            blocks.push(done);
        }
        Ok(blocks)
    }

    fn check_time(&self) -> Simulated<()> {
        if (self.host.keep_going)() {
            return Ok(());
        }
        let reason = "the simulation takes too long; ask for fewer blocks, calls or overrides";
        refuse(SimulationFault::Limit, reason)
    }

    /// Executes one block; returns it with the state after it.
    fn block(
        &mut self,
        planned: &Planned<'_>,
        parent: &Header,
        mut overlay: Overlay<'v, V>,
    ) -> Simulated<(SimulatedBlock, Overlay<'v, V>)> {
        let protocol = self.site.protocol;
        let rules = protocol
            .rules(self.site.view, planned.number, planned.time)
            .map_err(ExecutionError::View)?;
        let validation = self.simulation.validation;
        let mut header = header::before(planned, parent, &rules, validation);
        overlay.set_block_hash(parent.number, header.parent_hash);
        let mut environment = protocol.environment_by(rules, &header);
        overrides::change_block(&mut environment.block, planned.overrides);
        let mut evm = environment.evm_on(overlay);
        evm.ctx.cfg.tx_gas_limit_cap = Some(u64::MAX);
        logs::count_logs(&mut evm);
        if self.simulation.trace_transfers {
            transfers::watch_selfdestruct(&mut evm);
        }
        let changed = overrides::change_state(&mut evm, planned.state, planned.overrides);
        if let Err(reason) = changed.map_err(unreadable)? {
            return refuse(SimulationFault::Overrides, reason);
        }
        begin(&mut evm, &rules, &header, planned)?;
        evm.ctx.db_mut().emitted = Emitted::default();
        let mut run = Contents::default();
        for call in planned.calls {
            self.check_time()?;
            self.call(&mut evm, &rules, &header, call, &mut run)?;
        }
        finish(&mut evm, &rules, &mut header, planned)?;
        let diff = evm.ctx.db_mut().diff();
        let state_root = (self.host.state_root)(&diff).map_err(ExecutionError::View)?;
        let block = run.into_block(header, state_root, planned);
        Ok((block, evm.ctx.journaled_state.database))
    }

    /// Executes one call; its changes go into the machine's state.
    fn call(
        &mut self,
        evm: &mut Evm<'v, V>,
        rules: &Rules,
        header: &Header,
        call: &SimulatedCall,
        run: &mut Contents,
    ) -> Simulated<()> {
        let (chain_id, from) = (self.site.protocol.chain_id, call.request.from);
        let block_left = header.gas_limit.saturating_sub(run.gas_used);
        let gas = call.request.gas.unwrap_or(block_left);
        if gas > block_left {
            let (used, limit) = (run.gas_used, header.gas_limit);
            let reason = format!("block gas limit reached: {used} + {gas} > {limit}");
            return refuse(SimulationFault::BlockGas, reason);
        }
        let gas = gas.min(self.gas_left);
        let nonce = match call.nonce {
            Some(nonce) => nonce,
            None => {
                let account = evm.ctx.db_mut().basic(from).map_err(unreadable)?;
                account.map(|account| account.nonce).unwrap_or_default()
            }
        };
        if self.simulation.validation && nonce == u64::MAX {
            let reason = format!("nonce has max value: address {from}, nonce: {nonce}");
            return Err(invalid(SimulationFault::Invalid, reason, gas));
        }
        let envelope = transaction::unsigned(&call.request, rules, chain_id, nonce, gas)
            .map_err(|reason| invalid(SimulationFault::Invalid, reason, gas))?;
        let ran = self.run(evm, rules, call, nonce, gas)?;
        let (needed, used) = match &ran.result {
            ExecutionResult::Success { gas, .. }
            | ExecutionResult::Revert { gas, .. }
            | ExecutionResult::Halt { gas, .. } => {
                let needed = gas.total_gas_spent().max(gas.floor_gas());
                (needed, gas.tx_gas_used())
            }
        };
        let done = done(ran.result, needed, &mut evm.ctx.db_mut().emitted);
        self.count(&done)?;
        self.gas_left = self.gas_left.saturating_sub(used);
        run.add(envelope, from, done, used);
        Ok(())
    }

    fn run(
        &self,
        evm: &mut Evm<'v, V>,
        rules: &Rules,
        call: &SimulatedCall,
        nonce: u64,
        gas: u64,
    ) -> Simulated<Ran> {
        let request = &call.request;
        let seconds = evm.ctx.block.timestamp.saturating_to();
        let bounds = bounds_of_call(
            evm.ctx.db_mut(),
            seconds,
            request.from,
            request.to,
            &request.input,
        );
        let bounds = bounds.map_err(unreadable)?;
        let validation = self.simulation.validation;
        let checks = Checks {
            nonce: validation,
            base_fee: validation && rules.fees == Fees::Charged,
        };
        let transfers = if self.simulation.trace_transfers {
            Transfers::Logged
        } else {
            Transfers::Silent
        };
        let mut tx = call_env(self.site.protocol.chain_id, *rules, request);
        tx.gas_limit = gas;
        // Where it is not looked at it may be anything, the last one too.
        tx.nonce = if validation { nonce } else { 0 };
        let ran = run_unsigned(evm, tx, bounds.as_ref(), checks, transfers);
        let state = evm.finalize();
        match ran {
            Ok(ran) => {
                evm.ctx.db_mut().commit(state).map_err(unreadable)?;
                Ok(ran)
            }
            Err(EVMError::Transaction(error)) => {
                let refusal = Refusal::new(&error, &evm.ctx.tx);
                Err(invalid(transaction::fault(&error), refusal.reason, gas))
            }
            Err(
                error @ (EVMError::Header(_)
                | EVMError::Database(_)
                | EVMError::Custom(_)
                | EVMError::CustomAny(_)),
            ) => Err(fatal(error).into()),
        }
    }

    /// Counts what a call returns and logs.
    fn count(&mut self, done: &SimulatedOutcome) -> Simulated<()> {
        let output = match &done.outcome {
            CallOutcome::Returned { output, .. } | CallOutcome::Reverted { output, .. } => {
                output.len()
            }
            CallOutcome::Halted { .. } | CallOutcome::Refused { .. } => 0,
        };
        let logs: usize = done.logs.iter().map(|log| log.data.data.len()).sum();
        match self.bytes_left.checked_sub(output + logs) {
            Some(left) => {
                self.bytes_left = left;
                Ok(())
            }
            None => {
                let reason = format!(
                    "the calls return and log more than {SIMULATED_BYTES_MAX} bytes; ask for fewer"
                );
                refuse(SimulationFault::Limit, reason)
            }
        }
    }
}

/// go-ethereum's words for a call that no block can contain.
fn invalid(fault: SimulationFault, reason: String, gas: u64) -> Stopped {
    let reason = format!("err: {reason} (supplied gas {gas})");
    Stopped::Refused(SimulationRefused { fault, reason })
}

fn done(mut result: ExecutionResult, gas_needed: u64, emitted: &mut Emitted) -> SimulatedOutcome {
    let logs = match &mut result {
        ExecutionResult::Success { logs, .. } => std::mem::take(logs),
        // revm also returns the logs of what was reverted.
        ExecutionResult::Revert { .. } | ExecutionResult::Halt { .. } => Vec::new(),
    };
    SimulatedOutcome {
        outcome: outcome(Ended::Ran(result)),
        gas_needed,
        log_numbers: emitted.take(logs.len()),
        logs,
    }
}

/// What precedes a block's first call.
fn begin<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
    rules: &Rules,
    header: &Header,
    planned: &Planned<'_>,
) -> Simulated<()> {
    if rules.spec.is_enabled_in(SpecId::PRAGUE) {
        boundary::record_parent(evm, header.parent_hash)?;
    }
    // A TBSI block has no beacon block beside it, unless one is asked for.
    let wanted = !rules.tbsi || planned.overrides.beacon_root.is_some();
    if let Some(root) = header.parent_beacon_block_root
        && wanted
    {
        boundary::record_beacon_root(evm, root)?;
    }
    Ok(())
}

/// What follows a block's last call.
fn finish<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
    rules: &Rules,
    header: &mut Header,
    planned: &Planned<'_>,
) -> Simulated<()> {
    if rules.spec.is_enabled_in(SpecId::PRAGUE) && !rules.tbsi {
        header.requests_hash = Some(boundary::collect_requests(evm)?);
    }
    let overlay = evm.ctx.db_mut();
    boundary::withdraw(overlay, planned.withdrawals()).map_err(unreadable)?;
    boundary::mint(overlay, header.beneficiary, rules.block_reward).map_err(unreadable)?;
    Ok(())
}

/// What a block has so far.
#[derive(Default)]
struct Contents {
    gas_used: u64,
    transactions: Vec<(TxEnvelope, Address)>,
    receipts: Vec<Receipt>,
    calls: Vec<SimulatedOutcome>,
}

impl Contents {
    fn add(&mut self, envelope: TxEnvelope, from: Address, done: SimulatedOutcome, used: u64) {
        self.gas_used += used;
        let success = matches!(done.outcome, CallOutcome::Returned { .. });
        // No transaction logs its transfers, so a receipt does not have them.
        let own = done
            .logs
            .iter()
            .filter(|log| log.address != transfers::VALUE_LOGGER);
        let receipt = alloy_consensus::Receipt {
            status: Eip658Value::Eip658(success),
            cumulative_gas_used: self.gas_used,
            logs: own.cloned().collect(),
        };
        let receipt = Receipt::from_typed(envelope.tx_type(), receipt);
        self.receipts.push(receipt);
        self.transactions.push((envelope, from));
        self.calls.push(done);
    }

    fn into_block(
        self,
        mut header: Header,
        state_root: B256,
        planned: &Planned<'_>,
    ) -> SimulatedBlock {
        let withdrawals = planned.withdrawals();
        let envelopes: Vec<_> = self.transactions.iter().map(|(it, _)| it).collect();
        let blooms = self.receipts.iter().map(|receipt| *receipt.logs_bloom());
        header.gas_used = self.gas_used;
        header.state_root = state_root;
        header.transactions_root = calculate_transaction_root(&envelopes);
        header.receipts_root = calculate_receipt_root(&self.receipts);
        header.logs_bloom = blooms.fold(Bloom::ZERO, |all, bloom| all | bloom);
        if header.withdrawals_root.is_some() {
            header.withdrawals_root = Some(calculate_withdrawals_root(withdrawals));
        }
        SimulatedBlock {
            header,
            transactions: self.transactions,
            calls: self.calls,
            withdrawals: withdrawals.to_vec(),
        }
    }
}
