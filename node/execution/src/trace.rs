//! Looking again at what transactions did, and at calls that are none: the tracers of geth and
//! of Parity, over the road that blocks are executed on.
//!
//! The library `revm-inspectors` records and shapes; here is what is particular to this chain:
//! its gate, its waived fees, its system calls, and that a trace is bounded.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256};
use alloy_rpc_types_trace::geth::mux::{MuxConfig, MuxFrame};
use alloy_rpc_types_trace::geth::{
    CallConfig, GethDebugBuiltInTracerType as BuiltIn, GethDebugTracerType as TracerType,
    GethDebugTracingOptions, GethTrace,
};
use alloy_rpc_types_trace::parity::{TraceResults, TraceType};
use revm::context::{BlockEnv, TxEnv};
use revm::context_interface::ContextTr;
use revm::context_interface::result::{EVMError, ResultAndState};
use revm::{DatabaseRef, ExecuteEvm};
use revm_inspectors::tracing::{
    DebugInspector, DebugInspectorError, TracingInspector, TracingInspectorConfig,
    TransactionContext,
};
use tbsi_types::{CallOverrides, CallRequest, StateView, Transaction};

use crate::call::{CallSite, call_env};
use crate::calls::call_tree;
use crate::error::{ExecutionError, fatal, unreadable};
use crate::gate::bounds_of_call;
use crate::handler::{Checks, Transfers, run_unsigned};
use crate::overlay::{Overlay, ReadError};
use crate::overrides;
use crate::protocol::Protocol;
use crate::run::{BlockRun, supported};
use crate::watch::{Eye, Shown, Stop, Watch};
use crate::words::{self, Refusal};

pub use crate::watch::TraceBounds;

/// What is asked of a transaction or a call.
#[derive(Clone, Debug)]
pub enum TraceKind {
    /// As `debug_trace…` takes it.
    Geth(Box<GethDebugTracingOptions>),
    /// As `trace_…` takes it.
    Parity(Vec<TraceType>),
}

/// What it did.
#[derive(Clone, Debug)]
pub enum Trace {
    /// Of the tracer that was named, or instructions.
    Geth(Box<GethTrace>),
    /// The parts that were asked for.
    Parity(Box<TraceResults>),
}

/// Why there is no trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// There is no such tracer, or it is not set up like this.
    #[error("{0}")]
    Tracer(String),
    /// What a tracer would keep is above the bounds.
    #[error("the trace is larger than {0} bytes, or holds too much for it")]
    TooLarge(usize),
    /// The asker does not want to wait any longer.
    #[error("the trace took too long")]
    TooLong,
    /// A call cannot run, in go-ethereum's words.
    #[error("{0}")]
    Refused(String),
    /// The transactions did not execute.
    #[error(transparent)]
    Execution(#[from] ExecutionError),
}

/// A block to execute again.
#[derive(Clone, Copy, Debug)]
pub struct TracedBlock<'a> {
    /// The chain's rules.
    pub protocol: &'a Protocol,
    /// What its transactions can see of it.
    pub header: &'a Header,
    /// Hash of the header.
    pub hash: B256,
    /// All of them.
    pub transactions: &'a [Arc<Transaction>],
}

impl TracedBlock<'_> {
    pub(crate) fn begin<'v, V: StateView + ?Sized>(
        &self,
        view: &'v V,
    ) -> Result<BlockRun<'v, V>, ExecutionError> {
        let environment = self.protocol.environment(view, self.header)?;
        BlockRun::begin(view, supported(environment)?)
    }
}

/// Executes a block on the state of its parent and says what its transactions did: all of them,
/// or `only` the one at this position.
pub fn trace_block(
    view: &(impl StateView + ?Sized),
    block: &TracedBlock<'_>,
    only: Option<usize>,
    kind: &TraceKind,
    bounds: TraceBounds<'_>,
) -> Result<Vec<Trace>, TraceError> {
    let (first, count) = only.map_or((0, block.transactions.len()), |index| (index, 1));
    let (before, from) = split(block.transactions, first);
    let mut run = block.begin(view)?;
    run.apply_all(before)?;
    let mut run = run.watched(Watch::new(eyes(kind)?, bounds));
    let mut traces = Vec::new();
    for (index, transaction) in from.iter().take(count).enumerate() {
        let ended = run.run_next(transaction)?;
        let evm = run.evm();
        let place = TransactionContext {
            block_hash: Some(block.hash),
            tx_index: Some(first + index),
            tx_hash: Some(transaction.hash()),
        };
        let (tx, env) = (&evm.ctx.tx, &evm.ctx.block);
        let overlay = &evm.ctx.journaled_state.database;
        let seen = Seen { place, tx, env };
        traces.push(seen.tell(kind, &mut evm.inspector, &ended.ran, overlay, bounds)?);
        evm.inspector.renew(eyes(kind)?);
        run.keep(ended)?;
    }
    Ok(traces)
}

/// Executes calls at a site, each on what those before it left, and says what they did. They are
/// bound as in [`crate::call`].
pub fn trace_calls<V: StateView + ?Sized>(
    site: &CallSite<'_, V>,
    calls: &[(CallRequest, TraceKind)],
    overridden: &CallOverrides,
    bounds: TraceBounds<'_>,
) -> Result<Vec<Trace>, TraceError> {
    let environment = site.environment(overridden)?;
    let watch = Watch::new(Vec::new(), bounds);
    let mut evm = environment.evm(site.view).with_inspector(watch);
    evm.ctx.cfg.tx_gas_limit_cap = Some(u64::MAX);
    let changed = overrides::change_state(&mut evm, &overridden.state, &overridden.block);
    changed.map_err(unreadable)?.map_err(TraceError::Refused)?;
    let mut traces = Vec::new();
    for (request, kind) in calls {
        let permitted = bounds_of_call(
            evm.ctx.db_mut(),
            environment.block.timestamp.saturating_to(),
            request.from,
            request.to,
            &request.input,
        );
        let permitted = permitted.map_err(unreadable)?;
        let mut tx = call_env(environment.chain_id, environment.rules, request);
        if !tx.authorization_list.is_empty() && tx.kind.is_create() {
            return Err(TraceError::Refused(words::SET_CODE_CREATE.into()));
        }
        tx.gas_limit = request.gas.unwrap_or(site.gas_cap).min(site.gas_cap);
        tx.gas_limit = tx.gas_limit.min(environment.block.gas_limit);
        evm.inspector.renew(eyes(kind)?);
        let ran = run_unsigned(
            &mut evm,
            tx,
            permitted.as_ref(),
            Checks::default(),
            Transfers::Silent,
        );
        let state = evm.finalize();
        let ran = ran.map_err(|error| refused(error, &evm.ctx.tx))?;
        let ran = ResultAndState::new(ran.result, state);
        let (tx, env) = (&evm.ctx.tx, &evm.ctx.block);
        let overlay = &evm.ctx.journaled_state.database;
        let place = TransactionContext::default();
        let seen = Seen { place, tx, env };
        traces.push(seen.tell(kind, &mut evm.inspector, &ran, overlay, bounds)?);
        evm.ctx.db_mut().commit(ran.state).map_err(unreadable)?;
    }
    Ok(traces)
}

/// The slots of an account that a block reads or writes before its transaction at `index`, as
/// they are then, and whether other slots of its parent's state no longer count.
pub fn slots_within(
    view: &(impl StateView + ?Sized),
    block: &TracedBlock<'_>,
    index: usize,
    account: Address,
) -> Result<(bool, BTreeMap<U256, U256>), ExecutionError> {
    let mut run = block.begin(view)?;
    run.apply_all(split(block.transactions, index).0)?;
    Ok(run.evm().ctx.db_mut().slots_of(account))
}

fn split(
    transactions: &[Arc<Transaction>],
    index: usize,
) -> (&[Arc<Transaction>], &[Arc<Transaction>]) {
    transactions.split_at(index.min(transactions.len()))
}

fn refused(error: EVMError<ReadError>, tx: &TxEnv) -> TraceError {
    match error {
        EVMError::Transaction(error) => TraceError::Refused(Refusal::new(&error, tx).reason),
        error @ (EVMError::Header(_)
        | EVMError::Database(_)
        | EVMError::Custom(_)
        | EVMError::CustomAny(_)) => TraceError::Execution(fatal(error)),
    }
}

/// A transaction that ended, where it stands.
struct Seen<'a> {
    place: TransactionContext,
    tx: &'a TxEnv,
    env: &'a BlockEnv,
}

impl Seen<'_> {
    fn tell<V: StateView + ?Sized>(
        &self,
        kind: &TraceKind,
        watch: &mut Watch<'_>,
        ran: &ResultAndState,
        overlay: &Overlay<'_, V>,
        bounds: TraceBounds<'_>,
    ) -> Result<Trace, TraceError> {
        count_accounts(watch, ran, overlay)?;
        match watch.stopped() {
            Some(Stop::TooLarge) => return Err(TraceError::TooLarge(bounds.bytes_max)),
            Some(Stop::TooLong) => return Err(TraceError::TooLong),
            None => {}
        }
        match kind {
            TraceKind::Geth(options) => {
                let is_mux = options.tracer == Some(TracerType::BuiltInTracer(BuiltIn::MuxTracer));
                let mut told = Vec::new();
                for eye in &mut watch.eyes {
                    told.push(self.geth(&mut eye.tracer, ran, overlay)?);
                }
                let trace = if is_mux {
                    let names = mux(options)?.into_iter().map(|(name, _)| name);
                    GethTrace::MuxTracer(MuxFrame(names.zip(told).collect()))
                } else {
                    told.pop().unwrap_or_default()
                };
                Ok(Trace::Geth(Box::new(trace)))
            }
            TraceKind::Parity(types) => {
                let tracing = watch.eyes.iter_mut().find_map(Eye::tracing);
                let builder = std::mem::take(tracing.expect("a tracer of calls is there"));
                let types = types.iter().copied().collect();
                let told = builder
                    .into_parity_builder()
                    .into_trace_results_with_state(ran, &types, overlay);
                let told = told.map_err(unreadable)?;
                Ok(Trace::Parity(Box::new(told)))
            }
        }
    }

    fn geth<V: StateView + ?Sized>(
        &self,
        tracer: &mut DebugInspector,
        ran: &ResultAndState,
        mut overlay: &Overlay<'_, V>,
    ) -> Result<GethTrace, TraceError> {
        if let DebugInspector::CallTracer(tracing, config) = tracer {
            tracing.set_transaction_gas_limit(self.tx.gas_limit);
            let nodes = tracing.traces().nodes();
            return Ok(call_tree(nodes, *config, ran.result.tx_gas_used()).into());
        }
        let told = tracer.get_result(Some(self.place), self.tx, self.env, ran, &mut overlay);
        told.map_err(|error| match error {
            DebugInspectorError::Database(error) => TraceError::Execution(unreadable(error)),
            error @ (DebugInspectorError::InvalidTracerConfig
            | DebugInspectorError::UnsupportedTracer
            | DebugInspectorError::JsTracerNotEnabled
            | DebugInspectorError::MuxInspector(_)) => TraceError::Tracer(error.to_string()),
        })
    }
}

/// Counts what tracers will tell of each account.
fn count_accounts<V: StateView + ?Sized>(
    watch: &mut Watch<'_>,
    ran: &ResultAndState,
    overlay: &Overlay<'_, V>,
) -> Result<(), TraceError> {
    for eye in &watch.eyes {
        let DebugInspector::PreStateTracer(_, config) = &eye.tracer else {
            continue;
        };
        for (address, account) in &ran.state {
            let mut bytes = 200;
            if config.storage_enabled() {
                bytes += 280 * account.storage.len();
            }
            // A difference shows code only of those that came or went.
            if config.code_enabled() && !config.is_diff_mode() {
                let before = overlay.basic_ref(*address).map_err(unreadable)?;
                let hash = before.filter(|it| !it.is_empty_code_hash());
                let code = hash.map(|it| overlay.code_by_hash_ref(it.code_hash));
                let code = code.transpose().map_err(unreadable)?;
                bytes += 2 * code.map_or(0, |code| code.original_byte_slice().len());
            }
            watch.meter.add(bytes, bytes);
            if watch.stopped().is_some() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The tracers of a request.
fn eyes(kind: &TraceKind) -> Result<Vec<Eye>, TraceError> {
    match kind {
        TraceKind::Parity(types) => {
            let set = types.iter().copied().collect();
            let tracing = TracingInspector::new(TracingInspectorConfig::from_parity_config(&set));
            let shown = if types.iter().all(|it| *it == TraceType::StateDiff) {
                Shown::Outermost
            } else {
                Shown::All
            };
            let tracer = DebugInspector::CallTracer(tracing, CallConfig::default());
            Ok(vec![Eye::new(tracer, shown, u64::MAX)])
        }
        TraceKind::Geth(options) => match &options.tracer {
            Some(TracerType::BuiltInTracer(BuiltIn::MuxTracer)) => mux(options)?
                .into_iter()
                .map(|(_, options)| eye(options))
                .collect(),
            Some(_) | None => Ok(vec![eye(GethDebugTracingOptions::clone(options))?]),
        },
    }
}

/// The tracers that `muxTracer` is told to have, by name.
fn mux(
    options: &GethDebugTracingOptions,
) -> Result<Vec<(TracerType, GethDebugTracingOptions)>, TraceError> {
    let config = options.tracer_config.clone().into_mux_config();
    let MuxConfig(tracers) = config.map_err(|error| {
        TraceError::Tracer(format!(
            "muxTracer: `tracerConfig` must name tracers with their configuration: {error}"
        ))
    })?;
    let mut tracers: Vec<_> = tracers
        .into_iter()
        .map(|(name, config)| {
            let options = GethDebugTracingOptions {
                config: options.config,
                tracer: Some(name.clone()),
                tracer_config: config.unwrap_or_default(),
                timeout: None,
            };
            (name, options)
        })
        .collect();
    tracers.sort_by(|one, other| one.0.as_str().cmp(other.0.as_str()));
    Ok(tracers)
}

/// Whether this can be a tracer's name; otherwise it is a program.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= TRACER_NAME_BYTES_MAX && text.bytes().all(plain)
}

fn eye(options: GethDebugTracingOptions) -> Result<Eye, TraceError> {
    let name = match &options.tracer {
        None => "struct logger",
        Some(TracerType::JsTracer(name)) if is_name(name) => {
            return Err(TraceError::Tracer(format!(
                "{name} is not there, or not here; `tracer` can be one of {TRACERS}"
            )));
        }
        Some(TracerType::JsTracer(_)) => {
            return Err(TraceError::Tracer(format!(
                "tracers in JavaScript are not run here; `tracer` can be one of {TRACERS}, or \
                 absent for instructions"
            )));
        }
        Some(tracer) => tracer.as_str(),
    }
    .to_owned();
    let limit = options.config.limit.filter(|limit| *limit > 0);
    let config = options.tracer_config.clone();
    let shown = match options.tracer {
        None
        | Some(TracerType::BuiltInTracer(BuiltIn::FourByteTracer | BuiltIn::FlatCallTracer)) => {
            Shown::All
        }
        Some(TracerType::BuiltInTracer(BuiltIn::CallTracer)) => match config.into_call_config() {
            Ok(config) if config.only_top_call == Some(true) => Shown::Outermost,
            Ok(_) | Err(_) => Shown::All,
        },
        Some(TracerType::BuiltInTracer(BuiltIn::PreStateTracer | BuiltIn::NoopTracer)) => {
            Shown::Nothing
        }
        Some(_) => {
            return Err(TraceError::Tracer(format!(
                "{name} is not there, or not here; `tracer` can be one of {TRACERS}"
            )));
        }
    };
    let tracer = DebugInspector::new(options)
        .map_err(|error| TraceError::Tracer(format!("{name}: {error}; look at `tracerConfig`")))?;
    Ok(Eye::new(tracer, shown, limit.unwrap_or(u64::MAX)))
}

/// Bytes of what is taken for a name.
const TRACER_NAME_BYTES_MAX: usize = 64;

const TRACERS: &str =
    "callTracer, flatCallTracer, prestateTracer, 4byteTracer, muxTracer, noopTracer";
