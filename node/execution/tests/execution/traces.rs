//! A transaction that is looked at again did what its receipt says, whoever looks, and no look
//! costs more than it may.

use std::cell::Cell;
use std::sync::Arc;

use alloy_consensus::{TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_primitives::{Address, B256, Log, LogData, TxKind, U256, keccak256};
use alloy_rpc_types_trace::geth::{CallFrame, GethDebugTracingOptions, GethTrace, StructLog};
use alloy_rpc_types_trace::parity::{TraceResults, TraceType};
use revm::bytecode::opcode as op;
use serde_json::{Value, json};
use tbsi_execution::{
    CallSite, ExecutionError, Outcome, Trace, TraceBounds, TraceError, TraceKind, TracedBlock,
    execute, slots_within, trace_block, trace_calls,
};
use tbsi_types::log::ATTESTATIONS;
use tbsi_types::{AccountOverride, CallOverrides, CallRequest, Transaction};

use crate::governed::*;
use crate::support::*;

const STORING: Address = Address::repeat_byte(0xa1);
const REVERTING: Address = Address::repeat_byte(0xa2);
const LOOPING: Address = Address::repeat_byte(0xa3);
const FACTORY_AT: Address = Address::repeat_byte(0xa4);
/// Calls `STORING` and, ignoring how that goes, `REVERTING`.
const CALLING: Address = Address::repeat_byte(0xa5);
/// Calls itself until the gas is gone.
const DIVING: Address = Address::repeat_byte(0xa6);
/// Calls somebody without code again and again.
const PESTERING: Address = Address::repeat_byte(0xa7);
const DESTROYING: Address = Address::repeat_byte(0xa8);

const ALL: TraceBounds<'static> = TraceBounds {
    bytes_max: 25 << 20,
    keep_going: &|| true,
};

const LOOP: &[u8] = &[op::JUMPDEST, op::PUSH0, op::JUMP];

fn pestering(target: Address) -> Vec<u8> {
    [
        &[op::JUMPDEST][..],
        &forwarding(op::CALL, target),
        &[op::PUSH0, op::JUMP],
    ]
    .concat()
}

/// A town in which organisation 2's wallet 77 may send and attest, and not deploy.
fn town() -> MemoryState {
    let calling = [
        forwarding(op::CALL, STORING),
        forwarding(op::CALL, REVERTING),
        vec![op::STOP],
    ];
    let diving = [forwarding(op::CALL, DIVING), vec![op::STOP]];
    let mut state = founded(2)
        .with_code(STORING, STORE)
        .with_code(REVERTING, REVERT)
        .with_code(LOOPING, LOOP)
        .with_code(FACTORY_AT, FACTORY)
        .with_code(CALLING, calling.concat())
        .with_code(DIVING, diving.concat())
        .with_code(PESTERING, pestering(Address::repeat_byte(0x99)))
        .with_code(DESTROYING, DESTROY)
        .with_balance(Wallet::new(1).address, 1_000);
    state.grant(Wallet::new(77).address, 2, SEND | ATTEST);
    state
}

/// One of each kind: types, creations, values, logs, failures of each cause.
fn mixed() -> Vec<Arc<Transaction>> {
    let (me, limited) = (Wallet::new(1), Wallet::new(77));
    let to = TxKind::Call(CALLING);
    let input = words(3, 4).into();
    let factory_input = [&[0; 32][..], &deploying(STORE)].concat();
    vec![
        me.send(0, Address::repeat_byte(0x77), 5),
        me.sign(TxLegacy {
            chain_id: Some(CHAIN_ID),
            nonce: 1,
            gas_limit: 500_000,
            gas_price: 7,
            to,
            input,
            ..TxLegacy::default()
        }),
        me.sign(TxEip2930 {
            chain_id: CHAIN_ID,
            nonce: 2,
            gas_limit: 500_000,
            gas_price: 7,
            to: TxKind::Call(STORING),
            input: words(3, 5).into(),
            access_list: vec![alloy_eips::eip2930::AccessListItem {
                address: STORING,
                storage_keys: vec![B256::with_last_byte(3)],
            }]
            .into(),
            ..TxEip2930::default()
        }),
        me.create(3, deploying(STORE)),
        me.call(4, FACTORY_AT, &factory_input),
        me.call(5, REVERTING, &words(1, 1)),
        me.call(6, LOOPING, &[]),
        me.sign(TxEip7702 {
            chain_id: CHAIN_ID,
            nonce: 7,
            gas_limit: 500_000,
            to: Wallet::new(5).address,
            input: words(1, 9).into(),
            authorization_list: vec![Wallet::new(5).authorize(0, STORING)],
            ..TxEip7702::default()
        }),
        me.call(8, ATTESTATIONS, &attesting(1)),
        me.sign(TxEip1559 {
            nonce: 9,
            to: TxKind::Call(DESTROYING),
            value: U256::from(3),
            ..plain()
        }),
        me.create(10, [DESTROY, &[op::STOP]].concat()),
        me.create(11, REVERT.to_vec()),
        // Attempts what its sender may not do: in the block, charged, and all of it undone.
        limited.call(0, FACTORY_AT, &factory_input),
        limited.call(1, CALLING, &words(6, 7)),
        limited.call(2, ATTESTATIONS, &attesting(2)),
    ]
}

fn geth(options: Value) -> TraceKind {
    let options: GethDebugTracingOptions = serde_json::from_value(options).unwrap();
    TraceKind::Geth(Box::new(options))
}

fn call_tracer() -> TraceKind {
    geth(json!({"tracer": "callTracer", "tracerConfig": {"withLog": true}}))
}

fn trace(
    state: &MemoryState,
    transactions: &[Arc<Transaction>],
    only: Option<usize>,
    kind: &TraceKind,
    bounds: TraceBounds<'_>,
) -> Result<Vec<Trace>, TraceError> {
    let block = TracedBlock {
        protocol: &protocol(),
        header: &header_of(&context(1)),
        hash: B256::repeat_byte(0xb1),
        transactions,
    };
    trace_block(state, &block, only, kind, bounds)
}

/// At block 1, with some overrides.
fn traced_calls(
    state: &MemoryState,
    calls: &[(CallRequest, TraceKind)],
    overrides: &CallOverrides,
) -> Result<Vec<Trace>, TraceError> {
    let site = CallSite {
        view: state,
        protocol: &protocol(),
        header: &header_of(&context(1)),
        gas_cap: 50_000_000,
    };
    trace_calls(&site, calls, overrides, ALL)
}

fn of_geth(trace: Trace) -> GethTrace {
    match trace {
        Trace::Geth(trace) => *trace,
        Trace::Parity(_) => panic!("geth was asked for"),
    }
}

fn of_parity(trace: Trace) -> TraceResults {
    match trace {
        Trace::Parity(trace) => *trace,
        Trace::Geth(_) => panic!("Parity was asked for"),
    }
}

fn frame(trace: Trace) -> CallFrame {
    of_geth(trace).try_into_call_frame().unwrap()
}

/// The only transaction's trace.
fn one(
    state: &MemoryState,
    transaction: Arc<Transaction>,
    options: Value,
) -> Result<GethTrace, TraceError> {
    let traces = trace(state, &[transaction], None, &geth(options), ALL)?;
    Ok(of_geth(traces.into_iter().next().unwrap()))
}

fn struct_logs(trace: GethTrace) -> Vec<StructLog> {
    trace.try_into_default_frame().unwrap().struct_logs
}

/// The logs of a call and of what it called, in the order in which they were made.
fn logs(frame: &CallFrame) -> Vec<Log> {
    fn gather(frame: &CallFrame, into: &mut Vec<(u64, Log)>) {
        for log in &frame.logs {
            let data = log.data.clone().unwrap_or_default();
            let topics = log.topics.clone().unwrap_or_default();
            let data = LogData::new(topics, data).unwrap();
            let address = log.address.unwrap();
            into.push((log.index.unwrap(), Log { address, data }));
        }
        frame.calls.iter().for_each(|call| gather(call, into));
    }
    let mut found = Vec::new();
    gather(frame, &mut found);
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, log)| log).collect()
}

/// Gas of each transaction, from cumulative sums.
fn gas_used(outcome: &Outcome) -> Vec<u64> {
    let sums = outcome.receipts.iter().map(|it| it.cumulative_gas_used());
    let mut before = 0;
    sums.map(|sum| sum - std::mem::replace(&mut before, sum))
        .collect()
}

#[test]
fn each_transaction_did_what_its_receipt_says() {
    let (state, transactions) = (town(), mixed());
    let outcome = execute(&state, &context(1), &transactions).unwrap();
    let succeeded: Vec<bool> = outcome.receipts.iter().map(|it| it.status()).collect();
    let expected = [1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1].map(|it| it == 1);
    assert_eq!(succeeded, expected);
    assert_eq!(outcome.denied.len(), 1);
    let gas = gas_used(&outcome);

    let whole = trace(&state, &transactions, None, &call_tracer(), ALL).unwrap();
    assert_eq!(whole.len(), transactions.len());
    for (index, (traced, receipt)) in whole.into_iter().zip(&outcome.receipts).enumerate() {
        let traced = frame(traced);
        assert_eq!(traced.gas_used, U256::from(gas[index]), "gas of {index}");
        assert_eq!(
            traced.error.is_none(),
            receipt.status(),
            "{index}: {traced:?}"
        );
        assert_eq!(logs(&traced), receipt.logs(), "logs of {index}");
        assert_eq!(traced.from, transactions[index].sender());
        // Alone it is the same: those before it are executed, too.
        let alone = trace(&state, &transactions, Some(index), &call_tracer(), ALL).unwrap();
        assert_eq!(alone.len(), 1);
        assert_eq!(frame(alone.into_iter().next().unwrap()), traced);
    }
    let steps = trace(&state, &transactions, None, &geth(json!({})), ALL).unwrap();
    for (index, traced) in steps.into_iter().enumerate() {
        let traced = of_geth(traced).try_into_default_frame().unwrap();
        assert_eq!((traced.gas, traced.failed), (gas[index], !succeeded[index]));
    }
    let all = vec![TraceType::Trace, TraceType::StateDiff, TraceType::VmTrace];
    let parity = trace(&state, &transactions, None, &TraceKind::Parity(all), ALL).unwrap();
    for (index, traced) in parity.into_iter().enumerate() {
        let traced = of_parity(traced);
        assert_eq!(traced.trace[0].error.is_none(), succeeded[index], "{index}");
        assert!(traced.vm_trace.is_some());
        let difference = traced.state_diff.unwrap();
        let sender = &difference[&transactions[index].sender()];
        assert!(!sender.nonce.is_unchanged(), "{index}");
    }
}

#[test]
fn what_a_sender_may_not_do_is_told_as_a_revert() {
    let (state, limited) = (town(), Wallet::new(77));
    let input = [&[0; 32][..], &deploying(STORE)].concat();
    let call = limited.call(0, FACTORY_AT, &input);
    let traced = one(&state, call, json!({"tracer": "callTracer"})).unwrap();
    let traced = traced.try_into_call_frame().unwrap();
    assert_eq!(traced.error.as_deref(), Some("execution reverted"));
    let reason = traced.revert_reason.unwrap();
    assert!(reason.contains("of organisation 2"), "{reason}");
    // The creation is there, and failed at once.
    assert_eq!(traced.calls.len(), 1);
    assert_eq!(traced.calls[0].typ, "CREATE2");
    assert!(traced.calls[0].error.is_some());

    let create = limited.create(0, deploying(STORE));
    let refused = trace(&state, &[create], None, &call_tracer(), ALL);
    assert!(matches!(
        refused,
        Err(TraceError::Execution(
            ExecutionError::InvalidTransaction { .. }
        ))
    ));
}

#[test]
fn tracers_side_by_side_tell_what_each_tells_alone() {
    let state = town();
    let call = || Wallet::new(1).call(0, CALLING, &words(3, 4));
    let tracers = json!({
        "callTracer": {"withLog": true},
        "prestateTracer": {"diffMode": true},
        "4byteTracer": null,
        "flatCallTracer": null,
        "noopTracer": null,
    });
    let both = one(
        &state,
        call(),
        json!({"tracer": "muxTracer", "tracerConfig": tracers}),
    );
    let both = serde_json::to_value(both.unwrap()).unwrap();
    assert_eq!(both.as_object().unwrap().len(), 5);
    for (name, config) in tracers.as_object().unwrap() {
        let alone = one(
            &state,
            call(),
            json!({"tracer": name, "tracerConfig": config}),
        );
        let alone = serde_json::to_value(alone.unwrap()).unwrap();
        assert_eq!(both[name], alone, "{name}");
        assert!(alone.is_object() || alone.is_array());
    }
    assert_eq!(both["4byteTracer"]["0x00000000-60"], 3);
    assert_eq!(both["flatCallTracer"].as_array().unwrap().len(), 3);
    let none = one(&state, call(), json!({"tracer": "muxTracer"})).unwrap();
    assert_eq!(serde_json::to_value(none).unwrap(), json!({}));
}

#[test]
fn options_leave_out_what_they_say() {
    let state = town();
    let call = || Wallet::new(1).call(0, CALLING, &words(3, 4));
    let all = struct_logs(one(&state, call(), json!({"enableMemory": true})).unwrap());
    let last = all.iter().find(|it| it.op == "LOG1").unwrap();
    assert!(last.stack.is_some() && last.memory.is_some());
    let stored = all.iter().find(|it| it.op == "SSTORE").unwrap();
    let storage = stored.storage.as_ref().unwrap();
    assert_eq!(storage[&B256::with_last_byte(3)], B256::with_last_byte(4));
    let bare = json!({"disableStack": true, "disableStorage": true});
    let bare = struct_logs(one(&state, call(), bare).unwrap());
    assert_eq!(bare.len(), all.len());
    assert!(
        bare.iter()
            .all(|it| it.stack.is_none() && it.storage.is_none() && it.memory.is_none())
    );
    let returned = json!({"enableReturnData": true});
    let returned = struct_logs(one(&state, call(), returned).unwrap());
    let lengths = returned
        .iter()
        .map(|it| it.return_data.as_ref().unwrap().len());
    assert_eq!(lengths.max(), Some(64), "REVERTING gives its input back");

    for limit in [1, 7, 30] {
        let first = struct_logs(one(&state, call(), json!({"limit": limit})).unwrap());
        let expected = struct_logs(one(&state, call(), json!({})).unwrap());
        assert_eq!(first, expected[..limit]);
    }
    let top = json!({"tracer": "callTracer", "tracerConfig": {"onlyTopCall": true}});
    let top = one(&state, call(), top)
        .unwrap()
        .try_into_call_frame()
        .unwrap();
    assert!(top.calls.is_empty());
    assert!(top.gas_used > U256::from(21_000));

    let state_of = |config: Value| {
        let options = json!({"tracer": "prestateTracer", "tracerConfig": config});
        serde_json::to_value(one(&state, call(), options).unwrap()).unwrap()
    };
    let key = STORING.to_string().to_lowercase();
    let before = state_of(json!({}));
    assert_eq!(
        before[&key]["code"],
        alloy_primitives::hex::encode_prefixed(STORE)
    );
    let bare = state_of(json!({"disableCode": true, "disableStorage": true}));
    assert!(bare[&key]["code"].is_null() && bare[&key]["storage"].is_null());
    let changed = state_of(json!({"diffMode": true}));
    let slot = B256::with_last_byte(3).to_string();
    assert_eq!(
        changed["post"][&key]["storage"][&slot],
        B256::with_last_byte(4).to_string()
    );
}

#[test]
fn tracers_that_there_are_not_are_named_with_those_there_are() {
    let state = town();
    let refuse = |options: Value, told: &str| {
        let call = Wallet::new(1).call(0, CALLING, &words(3, 4));
        let error = one(&state, call, options).unwrap_err();
        assert!(matches!(error, TraceError::Tracer(_)));
        assert!(error.to_string().contains(told), "{error}");
    };
    let script = "{result: function() { return 1 }, fault: function() {}}";
    refuse(
        json!({"tracer": script}),
        "JavaScript are not run here; `tracer` can be one of callTracer",
    );
    for name in ["callTracerr", "CALLTRACER", ""] {
        let told = format!("{name} is not there, or not here; `tracer` can be one of callTracer");
        refuse(json!({"tracer": name}), &told);
    }
    refuse(
        json!({"tracer": "erc7562Tracer"}),
        "erc7562Tracer is not there, or not here",
    );
    let mux = |inner: Value| json!({"tracer": "muxTracer", "tracerConfig": inner});
    refuse(mux(json!({"muxTracer": {}})), "muxTracer is not there");
    refuse(
        mux(json!({"callTracer": {"withLog": 3}})),
        "callTracer: invalid tracer config",
    );
    refuse(mux(json!([1])), "`tracerConfig` must name tracers");
    let wrong = json!({"tracer": "prestateTracer", "tracerConfig": {"diffMode": "yes"}});
    refuse(wrong, "prestateTracer: invalid tracer config");
}

/// A call with as much gas as a transaction may have.
fn heavy(to: Address) -> Arc<Transaction> {
    Wallet::new(1).sign(TxEip1559 {
        gas_limit: 1 << 24,
        to: TxKind::Call(to),
        ..plain()
    })
}

#[test]
fn a_trace_ends_when_it_is_too_large_or_too_long() {
    let state = town();
    let small = TraceBounds {
        bytes_max: 100_000,
        ..ALL
    };
    let too_large = |to: Address, options: Value| {
        let traced = trace(&state, &[heavy(to)], None, &geth(options.clone()), small);
        assert!(
            matches!(traced, Err(TraceError::TooLarge(100_000))),
            "{options}"
        );
    };
    too_large(LOOPING, json!({}));
    too_large(
        LOOPING,
        json!({"disableStack": true, "disableStorage": true}),
    );
    too_large(PESTERING, json!({"tracer": "callTracer"}));
    too_large(PESTERING, json!({"tracer": "flatCallTracer"}));
    // The bound is for the whole request.
    let few = || -> Vec<_> {
        (0..40)
            .map(|nonce| Wallet::new(1).call(nonce, CALLING, &words(1, nonce + 1)))
            .collect()
    };
    let traced = trace(&state, &few(), None, &geth(json!({})), small);
    assert!(matches!(traced, Err(TraceError::TooLarge(_))));
    assert!(trace(&state, &few(), Some(39), &geth(json!({})), small).is_ok());

    for options in [
        json!({}),
        json!({"tracer": "noopTracer"}),
        json!({"tracer": "callTracer"}),
    ] {
        let asked = Cell::new(0);
        let bounds = TraceBounds {
            keep_going: &|| {
                asked.set(asked.get() + 1);
                asked.get() < 3
            },
            ..ALL
        };
        let traced = trace(&state, &[heavy(LOOPING)], None, &geth(options), bounds);
        assert!(matches!(traced, Err(TraceError::TooLong)));
        assert_eq!(asked.get(), 3, "it ends at once");
    }
}

#[test]
fn of_the_heaviest_transaction_there_is_a_trace() {
    let state = town();
    for to in [LOOPING, PESTERING, DIVING] {
        let first = one(&state, heavy(to), json!({"limit": 100})).unwrap();
        let first = first.try_into_default_frame().unwrap();
        assert_eq!(first.struct_logs.len(), 100);
        let top = json!({"tracer": "callTracer", "tracerConfig": {"onlyTopCall": true}});
        let top = one(&state, heavy(to), top)
            .unwrap()
            .try_into_call_frame()
            .unwrap();
        assert_eq!(top.gas_used, U256::from(first.gas));
        for tracer in ["prestateTracer", "noopTracer", "4byteTracer"] {
            assert!(one(&state, heavy(to), json!({"tracer": tracer})).is_ok());
        }
        let difference = TraceKind::Parity(vec![TraceType::StateDiff]);
        let traced = trace(&state, &[heavy(to)], None, &difference, ALL).unwrap();
        assert!(
            of_parity(traced.into_iter().next().unwrap())
                .state_diff
                .is_some()
        );
    }
    // The deepest tree of calls, told on a stack as small as that of a server's threads.
    let told = std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            let deep = one(&state, heavy(DIVING), json!({"tracer": "callTracer"})).unwrap();
            serde_json::to_string(&deep).unwrap()
        });
    let told = told.unwrap().join().unwrap();
    assert!(told.matches("\"CALL\"").count() > 300);
}

#[test]
fn calls_follow_each_other() {
    let state = town();
    let request = |to, input: Vec<u8>| CallRequest {
        from: Wallet::new(1).address,
        to: Some(to),
        input: input.into(),
        ..CallRequest::default()
    };
    let kind = || TraceKind::Parity(vec![TraceType::Trace, TraceType::StateDiff]);
    let calls = [
        (request(STORING, words(3, 4)), kind()),
        (request(STORING, words(3, 5)), kind()),
        (request(REVERTING, words(1, 2)), kind()),
    ];
    let traced = traced_calls(&state, &calls, &CallOverrides::default()).unwrap();
    let traced: Vec<_> = traced.into_iter().map(of_parity).collect();
    let slot = |index: usize| {
        let difference = traced[index].state_diff.as_ref().unwrap();
        let slot = &difference[&STORING].storage[&B256::with_last_byte(3)];
        let changed = slot.as_changed().unwrap();
        (changed.from, changed.to)
    };
    let word = B256::with_last_byte;
    assert_eq!(slot(0), (word(0), word(4)));
    assert_eq!(slot(1), (word(4), word(5)));
    assert_eq!(traced[2].trace[0].error.as_deref(), Some("Reverted"));
    assert_eq!(traced[2].output, words(1, 2));

    let poor = CallRequest {
        value: U256::from(1_000_000),
        ..request(STORING, Vec::new())
    };
    let rich = AccountOverride {
        balance: Some(U256::from(1_000_000)),
        ..AccountOverride::default()
    };
    let rich = CallOverrides {
        state: [(poor.from, rich)].into(),
        ..CallOverrides::default()
    };
    let calls = [(poor, kind())];
    traced_calls(&state, &calls, &rich).unwrap();
    let refused = traced_calls(&state, &calls, &CallOverrides::default());
    let Err(TraceError::Refused(words)) = refused else {
        panic!("nobody has that much");
    };
    assert!(words.contains("insufficient funds"), "{words}");
}

#[test]
fn storage_between_two_transactions_is_known() {
    let mut state = town();
    let wallet = Wallet::new(1);
    state
        .advance(1, &[wallet.call(0, STORING, &words(1, 1))])
        .unwrap();
    let transactions = [
        wallet.call(1, STORING, &words(1, 0)),
        wallet.call(2, STORING, &words(2, 2)),
        wallet.call(3, STORING, &words(2, 3)),
    ];
    let (protocol, header) = (protocol(), header_of(&context(2)));
    let block = TracedBlock {
        protocol: &protocol,
        header: &header,
        hash: keccak256("block"),
        transactions: &transactions,
    };
    let slots = |index: usize| {
        let (is_new, slots) = slots_within(&state, &block, index, STORING).unwrap();
        assert!(!is_new);
        let slots = slots.iter();
        slots
            .map(|(key, value)| (key.to::<u64>(), value.to::<u64>()))
            .collect::<Vec<_>>()
    };
    assert_eq!(slots(0), []);
    assert_eq!(slots(1), [(1, 0)]);
    assert_eq!(slots(2), [(1, 0), (2, 2)]);
    assert_eq!(slots(9), [(1, 0), (2, 3)]);
    let created = wallet.address.create(1);
    let create = [wallet.create(
        1,
        [&[op::PUSH1, 8, op::PUSH1, 9, op::SSTORE][..], &[op::STOP]].concat(),
    )];
    let block = TracedBlock {
        transactions: &create,
        ..block
    };
    let (is_new, slots) = slots_within(&state, &block, 1, created).unwrap();
    assert!(is_new && slots[&U256::from(9)] == U256::from(8));
}
