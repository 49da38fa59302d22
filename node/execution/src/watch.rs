//! What tracers see of a transaction, and how much of it they may keep: a transaction that costs
//! nothing may do millions of things, and each of them would be kept.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, Log, U256};
use revm::Inspector;
use revm::bytecode::opcode;
use revm::context_interface::ContextTr;
use revm::inspector::JournalExt;
use revm::interpreter::interpreter_types::Jumps;
use revm::interpreter::{
    CallInputs, CallOutcome, CreateInputs, CreateOutcome, InstructionResult, Interpreter,
    InterpreterResult,
};
use revm_inspectors::tracing::{DebugInspector, TracingInspector};

use crate::limits::{TRACE_FRAMES_MAX, TRACE_MEMORY_BYTES_MAX, TRACE_STEPS_UNWATCHED};

/// How much one request may be told, and for how long.
#[derive(Clone, Copy)]
pub struct TraceBounds<'a> {
    /// Bytes of JSON of all traces together, estimated.
    pub bytes_max: usize,
    /// Asked now and then; a trace ends when it says no.
    pub keep_going: &'a dyn Fn() -> bool,
}

/// Why a trace ended before its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    TooLarge,
    TooLong,
}

/// Counts what is kept over all transactions of a request.
pub(crate) struct Meter<'b> {
    bounds: TraceBounds<'b>,
    /// Of the answer.
    bytes: usize,
    /// Of memory.
    held: usize,
    steps_unwatched: u32,
    stopped: Option<Stop>,
}

impl<'b> Meter<'b> {
    pub(crate) fn new(bounds: TraceBounds<'b>) -> Self {
        Self {
            bounds,
            bytes: 0,
            held: 0,
            steps_unwatched: 0,
            stopped: None,
        }
    }

    /// Counts bytes that will be answered, and that are held for it.
    pub(crate) fn add(&mut self, bytes: usize, held: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.held = self.held.saturating_add(held);
        if self.bytes > self.bounds.bytes_max || self.held > TRACE_MEMORY_BYTES_MAX {
            self.stopped.get_or_insert(Stop::TooLarge);
        }
    }

    fn look(&mut self) {
        if !(self.bounds.keep_going)() {
            self.stopped.get_or_insert(Stop::TooLong);
        }
    }

    fn step(&mut self) {
        self.steps_unwatched += 1;
        if self.steps_unwatched >= TRACE_STEPS_UNWATCHED {
            self.steps_unwatched = 0;
            self.look();
        }
    }
}

/// Which frames (calls and creations) a tracer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Nothing,
    /// The outermost.
    Outermost,
    All,
}

/// A tracer.
pub(crate) struct Eye {
    pub(crate) tracer: DebugInspector,
    shown: Shown,
    /// Instructions that it records at most.
    steps_max: u64,
    /// Instructions that it has recorded.
    steps: u64,
    frames: usize,
    /// Whether it is shown the frames that have begun and not ended.
    open: Vec<bool>,
}

impl Eye {
    pub(crate) fn new(tracer: DebugInspector, shown: Shown, steps_max: u64) -> Self {
        Self {
            tracer,
            shown,
            steps_max,
            steps: 0,
            frames: 0,
            open: Vec::new(),
        }
    }

    /// What records calls and instructions; `None` for tracers that do not.
    pub(crate) fn tracing(&mut self) -> Option<&mut TracingInspector> {
        match &mut self.tracer {
            DebugInspector::CallTracer(tracing, _)
            | DebugInspector::PreStateTracer(tracing, _)
            | DebugInspector::FlatCallTracer(tracing)
            | DebugInspector::Erc7562Tracer(tracing, _)
            | DebugInspector::Default(tracing, _) => Some(tracing),
            DebugInspector::FourByte(_)
            | DebugInspector::Noop(_)
            | DebugInspector::StateGasTracer(_)
            | DebugInspector::Mux(..) => None,
        }
    }

    /// Whether its answer tells of each frame.
    fn tells_frames(&self) -> bool {
        match &self.tracer {
            DebugInspector::CallTracer(..) | DebugInspector::FlatCallTracer(_) => true,
            DebugInspector::FourByte(_)
            | DebugInspector::PreStateTracer(..)
            | DebugInspector::Noop(_)
            | DebugInspector::StateGasTracer(_)
            | DebugInspector::Mux(..)
            | DebugInspector::Erc7562Tracer(..)
            | DebugInspector::Default(..) => false,
        }
    }

    /// Whether it is shown what the innermost frame does.
    fn looks(&self) -> bool {
        self.open.last().is_some_and(|shown| *shown)
    }

    /// A frame with so many bytes of input begins; whether it is shown.
    fn opens(&mut self, input: usize, meter: &mut Meter<'_>) -> bool {
        let is_shown = match self.shown {
            Shown::Nothing => false,
            Shown::Outermost => self.open.is_empty(),
            // What comes after the last step that is recorded is of no use.
            Shown::All => self.open.is_empty() || self.steps < self.steps_max,
        };
        // Other tracers keep next to nothing of a frame.
        if is_shown && self.tracing().is_some() {
            self.frames += 1;
            // A flat trace says where in the tree each frame is.
            let place = 4 * self.open.len();
            let told = if self.tells_frames() {
                520 + 2 * input + place
            } else {
                0
            };
            meter.add(told, 1_024 + input + 2 * place);
            if self.frames > TRACE_FRAMES_MAX {
                meter.stopped.get_or_insert(Stop::TooLarge);
            }
        }
        self.open.push(is_shown);
        is_shown
    }

    /// The innermost frame ends with so many bytes of output; whether it was shown.
    fn closes(&mut self, output: usize, meter: &mut Meter<'_>) -> bool {
        let was_shown = self.open.pop().is_some_and(|shown| shown);
        if was_shown {
            let told = if self.tells_frames() { 2 * output } else { 0 };
            meter.add(told, output);
        }
        was_shown
    }

    /// Counts an instruction before it runs; `slots` are those of its contract that it would
    /// show.
    fn count_step(&mut self, interpreter: &Interpreter, slots: usize, meter: &mut Meter<'_>) {
        let full = self.steps >= self.steps_max;
        let Some(tracing) = self.tracing() else {
            return;
        };
        let config = *tracing.config();
        if !config.record_steps {
            return;
        }
        if full {
            tracing.config_mut().record_steps = false;
            return;
        }
        self.steps += 1;
        let (mut bytes, mut held) = (96, 640);
        let stack = config.record_stack_snapshots;
        if stack.is_all() || stack.is_full() {
            for word in interpreter.stack.data() {
                bytes += word.bit_len().div_ceil(4) + 5;
                held += 64;
            }
        }
        if stack.is_pushes() {
            bytes += 80;
        }
        if config.record_memory_snapshots {
            let length = interpreter.memory.len();
            bytes += 70 * length.div_ceil(32);
            held += 5 * length;
        }
        if config.record_state_diff {
            bytes += 138 * slots;
            held += 96 * slots;
        }
        if config.record_returndata_snapshots {
            bytes += 2 * interpreter.return_data.0.len();
        }
        meter.add(bytes, held);
    }
}

/// Tracers side by side, and what they have kept so far.
pub(crate) struct Watch<'b> {
    pub(crate) eyes: Vec<Eye>,
    pub(crate) meter: Meter<'b>,
    /// Slots that were read or written, of each contract.
    slots: BTreeMap<Address, BTreeSet<U256>>,
}

impl<'b> Watch<'b> {
    pub(crate) fn new(eyes: Vec<Eye>, bounds: TraceBounds<'b>) -> Self {
        Self {
            eyes,
            meter: Meter::new(bounds),
            slots: BTreeMap::new(),
        }
    }

    /// Lets other tracers see the next transaction.
    pub(crate) fn renew(&mut self, eyes: Vec<Eye>) {
        self.eyes = eyes;
        self.slots.clear();
    }

    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.meter.stopped
    }

    /// The outermost frame counts as having ended with `result`, whatever it did.
    pub(crate) fn judged(&mut self, result: &InterpreterResult) {
        for tracing in self.eyes.iter_mut().filter_map(Eye::tracing) {
            if let Some(root) = tracing.traces_mut().nodes_mut().first_mut() {
                root.trace.status = Some(result.result);
                root.trace.success = result.result.is_ok();
                root.trace.output = result.output.clone();
            }
        }
    }

    /// How many slots an instruction shows: one that reads or writes a slot shows all of its
    /// contract's that were read or written so far.
    fn slots_shown(&mut self, interpreter: &Interpreter) -> usize {
        if !matches!(
            interpreter.bytecode.opcode(),
            opcode::SLOAD | opcode::SSTORE
        ) {
            return 0;
        }
        let slots = self.slots.entry(interpreter.input.target_address);
        let slots = slots.or_default();
        if let Some(slot) = interpreter.stack.data().last() {
            slots.insert(*slot);
        }
        slots.len()
    }

    fn opens(&mut self, input: usize) -> impl Iterator<Item = &mut DebugInspector> {
        self.meter.look();
        let meter = &mut self.meter;
        let eyes = self.eyes.iter_mut();
        eyes.filter_map(move |eye| eye.opens(input, meter).then_some(&mut eye.tracer))
    }

    fn closes(&mut self, output: usize) -> impl Iterator<Item = &mut DebugInspector> {
        let meter = &mut self.meter;
        let eyes = self.eyes.iter_mut();
        eyes.filter_map(move |eye| eye.closes(output, meter).then_some(&mut eye.tracer))
    }

    fn looking(&mut self) -> impl Iterator<Item = &mut DebugInspector> {
        let looking = self.eyes.iter_mut().filter(|eye| eye.looks());
        looking.map(|eye| &mut eye.tracer)
    }
}

impl<CTX> Inspector<CTX> for Watch<'_>
where
    CTX: ContextTr<Journal: JournalExt>,
{
    fn initialize_interp(&mut self, interpreter: &mut Interpreter, context: &mut CTX) {
        for tracer in self.looking() {
            tracer.initialize_interp(interpreter, context);
        }
    }

    fn step(&mut self, interpreter: &mut Interpreter, context: &mut CTX) {
        let slots = self.slots_shown(interpreter);
        self.meter.step();
        for eye in self.eyes.iter_mut().filter(|eye| eye.looks()) {
            eye.count_step(interpreter, slots, &mut self.meter);
        }
        if self.stopped().is_some() {
            // All frames end like this; whoever asked looks why before using anything.
            interpreter.halt(InstructionResult::OutOfGas);
            return;
        }
        for tracer in self.looking() {
            tracer.step(interpreter, context);
        }
    }

    fn step_end(&mut self, interpreter: &mut Interpreter, context: &mut CTX) {
        for tracer in self.looking() {
            tracer.step_end(interpreter, context);
        }
    }

    fn log(&mut self, context: &mut CTX, log: Log) {
        let (bytes, topics) = (log.data.data.len(), log.data.topics().len());
        for eye in self.eyes.iter_mut().filter(|eye| eye.looks()) {
            let Some(tracing) = eye.tracing() else {
                continue;
            };
            if tracing.config().record_logs {
                self.meter
                    .add(200 + 70 * topics + 2 * bytes, 256 + 32 * topics + bytes);
            }
            eye.tracer.log(context, log.clone());
        }
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        for tracer in self.opens(inputs.input.len()) {
            let _none = tracer.call(context, inputs);
        }
        None
    }

    fn call_end(&mut self, context: &mut CTX, inputs: &CallInputs, outcome: &mut CallOutcome) {
        for tracer in self.closes(outcome.result.output.len()) {
            tracer.call_end(context, inputs, outcome);
        }
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        for tracer in self.opens(inputs.init_code().len()) {
            let _none = tracer.create(context, inputs);
        }
        None
    }

    fn create_end(
        &mut self,
        context: &mut CTX,
        inputs: &CreateInputs,
        outcome: &mut CreateOutcome,
    ) {
        for tracer in self.closes(outcome.result.output.len()) {
            tracer.create_end(context, inputs, outcome);
        }
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        for tracer in self.looking() {
            Inspector::<CTX>::selfdestruct(tracer, contract, target, value);
        }
    }
}
