//! Blocks that could follow (`eth_simulateV1`) on this chain: without fees.

use std::cell::Cell;
use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, Log, U256, keccak256};
use revm::bytecode::opcode as op;
use tbsi_execution::{BlockContext, CallSite, SIMULATED_BYTES_MAX, SimulationHost, execute};
use tbsi_types::block::prev_randao;
use tbsi_types::{
    AccountOverride, BlockCalls, BlockOverrides, CallBid, CallOutcome, CallRequest, Height,
    SimulatedBlock, SimulatedCall, Simulation, SimulationFault, StateDiff, TimestampMs, ViewError,
};

use crate::overrides::header;
use crate::support::*;

const CONTRACT: Address = Address::repeat_byte(0xc0);
const OTHER: Address = Address::repeat_byte(0xd0);
const GAS_CAP: u64 = 1 << 24;

/// What stands for the state root: the hash of what changed.
fn root(diff: &StateDiff) -> Result<B256, ViewError> {
    Ok(keccak256(format!("{diff:?}")))
}

fn simulate(
    state: &MemoryState,
    simulation: &Simulation,
) -> Result<Vec<SimulatedBlock>, (SimulationFault, String)> {
    simulate_while(state, simulation, &|| true)
}

fn simulate_while(
    state: &MemoryState,
    simulation: &Simulation,
    keep_going: &dyn Fn() -> bool,
) -> Result<Vec<SimulatedBlock>, (SimulationFault, String)> {
    let site = CallSite {
        view: state,
        protocol: &protocol(),
        header: &header(),
        gas_cap: GAS_CAP,
    };
    let host = SimulationHost {
        state_root: &root,
        keep_going,
    };
    let simulated = site.simulate(simulation, &host).unwrap();
    simulated.map_err(|refused| (refused.fault, refused.reason))
}

fn of(blocks: Vec<BlockCalls>) -> Simulation {
    Simulation {
        blocks,
        ..Simulation::default()
    }
}

fn calls(requests: &[CallRequest]) -> BlockCalls {
    let call = |request: &CallRequest| SimulatedCall {
        request: request.clone(),
        nonce: None,
    };
    BlockCalls {
        calls: requests.iter().map(call).collect(),
        ..BlockCalls::default()
    }
}

fn to(address: Address, input: &[u8]) -> CallRequest {
    CallRequest {
        from: Wallet::new(1).address,
        to: Some(address),
        input: Bytes::copy_from_slice(input),
        bid: CallBid {
            max_fee_per_gas: 0,
            max_priority_fee_per_gas: Some(0),
        },
        ..CallRequest::default()
    }
}

fn output(block: &SimulatedBlock, index: usize) -> &Bytes {
    match &block.calls[index].outcome {
        CallOutcome::Returned { output, .. } => output,
        other @ (CallOutcome::Reverted { .. }
        | CallOutcome::Halted { .. }
        | CallOutcome::Refused { .. }) => panic!("{other:?}"),
    }
}

#[test]
fn calls_see_what_calls_and_blocks_before_them_did() {
    let load = returning(&[op::PUSH0, op::SLOAD]);
    let store = [op::PUSH0, op::CALLDATALOAD, op::PUSH0, op::SSTORE, op::STOP];
    // Without calldata it answers, otherwise it stores.
    let mut code = vec![op::CALLDATASIZE, op::PUSH1, 0, op::JUMPI];
    code[2] = u8::try_from(code.len() + load.len()).unwrap();
    code.extend(load);
    code.push(op::JUMPDEST);
    code.extend(store);
    let state = MemoryState::default().with_code(CONTRACT, code);
    let word = |value: u64| B256::from(U256::from(value));
    let (write, read) = (to(CONTRACT, &word(7)[..]), to(CONTRACT, &[]));
    let blocks = of(vec![calls(&[write, read.clone()]), calls(&[read])]);
    let blocks = simulate(&state, &blocks).unwrap();
    assert_eq!(*output(&blocks[0], 1), word(7)[..]);
    assert_eq!(*output(&blocks[1], 0), word(7)[..]);
    assert_eq!(blocks[1].header.parent_hash, blocks[0].header.hash_slow());
    assert_eq!(blocks[0].header.parent_hash, header().hash_slow());
    assert_ne!(blocks[0].header.state_root, blocks[1].header.state_root);
    let randao = prev_randao(header().hash_slow(), Height(8));
    assert_eq!(
        blocks[0].header.mix_hash, randao,
        "as a block of this chain has it"
    );
    assert_eq!(blocks[0].header.base_fee_per_gas, Some(0));
    // Nonces go on from call to call and block to block.
    let nonce = |block: usize, call: usize| {
        use alloy_consensus::Transaction as _;
        blocks[block].transactions[call].0.nonce()
    };
    assert_eq!([nonce(0, 0), nonce(0, 1), nonce(1, 0)], [0, 1, 2]);
}

#[test]
fn a_simulated_block_is_the_block_that_would_come() {
    let wallet = Wallet::new(1);
    let state = MemoryState::default()
        .with_code(CONTRACT, STORE)
        .with_balance(wallet.address, 100);
    let input = words(3, 4);
    let requests = [
        CallRequest {
            gas: Some(500_000),
            ..to(CONTRACT, &input)
        },
        CallRequest {
            gas: Some(500_000),
            value: U256::from(60),
            ..to(OTHER, &[])
        },
    ];
    let simulated = simulate(&state, &of(vec![calls(&requests)])).unwrap();
    let real = [wallet.call(0, CONTRACT, &input), wallet.send(1, OTHER, 60)];
    let next = BlockContext {
        height: Height(8),
        time: TimestampMs(simulated[0].header.timestamp * 1_000),
        parent_hash: header().hash_slow(),
        ..context(8)
    };
    let outcome = execute(&state, &next, &real).unwrap();
    let header = &simulated[0].header;
    assert_eq!(header.gas_used, outcome.gas_used);
    assert_eq!(header.receipts_root, outcome.receipts_root);
    assert_eq!(header.logs_bloom, outcome.logs_bloom);
    assert_eq!(header.state_root, root(&outcome.diff).unwrap());
}

#[test]
fn value_that_is_passed_on_can_be_logged() {
    // Passes half of what it is given on to `OTHER`; reverts if it has calldata.
    let mut code = vec![op::PUSH0; 4];
    code.extend([op::PUSH1, 2, op::CALLVALUE, op::DIV]);
    code.extend(push(OTHER));
    code.extend([op::GAS, op::CALL, op::POP]);
    code.extend([op::PUSH0, op::PUSH0, op::LOG0, op::CALLDATASIZE, op::PUSH1]);
    code.push(u8::try_from(code.len() + 3).unwrap());
    code.extend([
        op::JUMPI,
        op::STOP,
        op::JUMPDEST,
        op::PUSH0,
        op::PUSH0,
        op::REVERT,
    ]);
    let sender = Wallet::new(1).address;
    let state = MemoryState::default()
        .with_code(CONTRACT, code)
        .with_balance(sender, 1_000);
    let paying = |value: u64, input: &[u8]| CallRequest {
        value: U256::from(value),
        ..to(CONTRACT, input)
    };
    let create = CallRequest {
        to: None,
        value: U256::from(5),
        ..to(CONTRACT, &[op::STOP])
    };
    let destroyed = Address::repeat_byte(0xdd);
    let state = state
        .with_code(destroyed, DESTROY)
        .with_balance(destroyed, 7);
    let requests = [
        paying(10, &[]),
        paying(10, &[1]),
        paying(0, &[]),
        create,
        to(destroyed, &[]),
    ];
    let simulation = Simulation {
        trace_transfers: true,
        ..of(vec![calls(&requests)])
    };
    let blocks = simulate(&state, &simulation).unwrap();
    let moved = |from: Address, to: Address, value: u64| {
        let topics = vec![
            keccak256("Transfer(address,address,uint256)"),
            from.into_word(),
            to.into_word(),
        ];
        let value = B256::from(U256::from(value));
        Log::new(Address::repeat_byte(0xee), topics, value.into()).unwrap()
    };
    let own = Log::new(CONTRACT, vec![], Bytes::new()).unwrap();
    let logs: Vec<_> = blocks[0].calls.iter().map(|it| &it.logs).collect();
    let both = [moved(sender, CONTRACT, 10), moved(CONTRACT, OTHER, 5), own];
    assert_eq!(*logs[0], both);
    assert!(logs[1].is_empty(), "what is reverted moved nothing");
    assert_eq!(*logs[2], both[2..]);
    assert_eq!(*logs[3], [moved(sender, sender.create(3), 5)]);
    assert_eq!(*logs[4], [moved(destroyed, sender, 7)]);
    // What is undone is counted (go-ethereum's numbers).
    let numbers: Vec<_> = blocks[0].calls.iter().map(|it| &it.log_numbers).collect();
    let expected: [&[u64]; 5] = [&[0, 1, 2], &[], &[6], &[7], &[8]];
    assert_eq!(numbers, expected);

    let quiet = simulate(&state, &of(vec![calls(&requests)])).unwrap();
    assert_eq!(quiet[0].calls[0].logs, both[2..]);
    assert_eq!(quiet[0].calls[2].log_numbers, [2]);
}

#[test]
fn validation_looks_at_nonces_and_never_at_fees() {
    let sender = Wallet::new(1).address;
    let simulation = |validation: bool, nonce: u64, base_fee: Option<u64>| Simulation {
        validation,
        ..of(vec![BlockCalls {
            block: BlockOverrides {
                base_fee_per_gas: base_fee,
                ..BlockOverrides::default()
            },
            calls: vec![SimulatedCall {
                request: CallRequest {
                    bid: CallBid {
                        max_fee_per_gas: 3,
                        max_priority_fee_per_gas: Some(1),
                    },
                    ..to(OTHER, &[])
                },
                nonce: Some(nonce),
            }],
            ..BlockCalls::default()
        }])
    };
    let mut state = MemoryState::default();
    state.accounts.entry(sender).or_default().nonce = 5;
    let fault = |validation, nonce, base_fee| {
        let simulated = simulate(&state, &simulation(validation, nonce, base_fee));
        simulated.err().map(|(fault, _)| fault)
    };
    assert_eq!(fault(true, 5, None), None);
    assert_eq!(fault(true, 4, None), Some(SimulationFault::NonceTooLow));
    assert_eq!(fault(true, 6, None), Some(SimulationFault::NonceTooHigh));
    assert_eq!(fault(false, 4, None), None);
    assert_eq!(fault(false, 6, None), None);
    // A bid is waived, as high as a base fee may be taken to be; nobody needs a balance.
    assert_eq!(fault(true, 5, Some(1_000)), None);
    assert_eq!(fault(false, 5, Some(1_000)), None);
}

#[test]
fn what_cannot_be_in_a_block_ends_a_simulation() {
    let state = MemoryState::default().with_code(CONTRACT, vec![op::JUMPDEST, op::PUSH0, op::JUMP]);
    let check = |block: BlockCalls, fault: SimulationFault, words: &str| {
        let (found, reason) = simulate(&state, &of(vec![block])).unwrap_err();
        assert_eq!((found, reason.contains(words)), (fault, true), "{reason}");
    };
    let gas = |gas: u64| CallRequest {
        gas: Some(gas),
        ..to(OTHER, &[])
    };
    check(
        calls(&[gas(20_999)]),
        SimulationFault::IntrinsicGas,
        "have 20999, want 21000",
    );
    let paying = CallRequest {
        value: U256::from(1),
        ..to(OTHER, &[])
    };
    check(calls(&[paying]), SimulationFault::Funds, "have 0 want 1");
    let small = BlockCalls {
        block: BlockOverrides {
            gas_limit: Some(50_000),
            ..BlockOverrides::default()
        },
        ..calls(&[gas(30_000), gas(30_000)])
    };
    check(
        small,
        SimulationFault::BlockGas,
        "block gas limit reached: 21000 + 30000 > 50000",
    );
    let create = CallRequest {
        to: None,
        ..to(OTHER, &vec![0; 49_153])
    };
    check(
        calls(&[create]),
        SimulationFault::InitCode,
        "max initcode size",
    );
    let nowhere = AccountOverride {
        move_precompile_to: Some(OTHER),
        ..AccountOverride::default()
    };
    let moved = BlockCalls {
        state: BTreeMap::from([(CONTRACT, nowhere)]),
        ..BlockCalls::default()
    };
    check(moved, SimulationFault::Overrides, "is not a precompile");
    // All calls together have the cap: after an endless loop nothing is left.
    let (fault, _) = simulate(
        &state,
        &of(vec![calls(&[to(CONTRACT, &[]), to(OTHER, &[])])]),
    )
    .unwrap_err();
    assert_eq!(fault, SimulationFault::IntrinsicGas);
}

#[test]
fn a_simulation_is_bounded_in_output_and_time() {
    // 100 kB for about 50,000 gas.
    let code = vec![op::PUSH3, 1, 0x99, 0xa0, op::PUSH0, op::RETURN];
    let state = MemoryState::default().with_code(CONTRACT, code);
    let many = vec![to(CONTRACT, &[]); SIMULATED_BYTES_MAX / 100_000 + 1];
    let (fault, reason) = simulate(&state, &of(vec![calls(&many)])).unwrap_err();
    assert_eq!(fault, SimulationFault::Limit);
    assert!(
        reason.contains("return and log more than 8388608 bytes"),
        "{reason}"
    );

    let asked = Cell::new(0);
    let keep_going = || {
        asked.set(asked.get() + 1);
        asked.get() < 4
    };
    let simulation = of(vec![calls(&[to(OTHER, &[]), to(OTHER, &[])]); 3]);
    let (fault, reason) = simulate_while(&state, &simulation, &keep_going).unwrap_err();
    assert_eq!(fault, SimulationFault::Limit);
    assert!(reason.contains("takes too long"), "{reason}");
    assert_eq!(asked.get(), 4);
}

#[test]
fn a_call_says_how_it_failed_and_how_much_gas_it_needed() {
    // Clears a slot: less is used than had to be there.
    let clear = [op::PUSH0, op::PUSH0, op::SSTORE, op::STOP];
    let mut state = MemoryState::default()
        .with_code(CONTRACT, clear.to_vec())
        .with_code(OTHER, REVERT);
    state.storage.insert((CONTRACT, U256::ZERO), U256::from(1));
    let requests = [
        to(CONTRACT, &[]),
        to(OTHER, b"why"),
        CallRequest {
            gas: Some(21_010),
            ..to(OTHER, &[])
        },
    ];
    let blocks = simulate(&state, &of(vec![calls(&requests)])).unwrap();
    let [cleared, reverted, halted] = &blocks[0].calls[..] else {
        panic!("three calls");
    };
    let CallOutcome::Returned { gas_used, .. } = cleared.outcome else {
        panic!("{:?}", cleared.outcome);
    };
    assert_eq!(cleared.gas_needed, gas_used + 4_800);
    match &reverted.outcome {
        CallOutcome::Reverted { output, .. } => assert_eq!(*output, b"why"[..]),
        other @ (CallOutcome::Returned { .. }
        | CallOutcome::Halted { .. }
        | CallOutcome::Refused { .. }) => panic!("{other:?}"),
    }
    assert!(reverted.logs.is_empty());
    let out_of_gas = CallOutcome::Halted {
        reason: "out of gas".into(),
        gas_used: 21_010,
    };
    assert_eq!(halted.outcome, out_of_gas);
}
