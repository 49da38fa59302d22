//! `eth_simulateV1`: blocks that could follow, executed and forgotten.

use std::time::{Duration, Instant};

use alloy_consensus::transaction::Recovered;
use alloy_consensus::{BlockBody, Header};
use alloy_eips::BlockId;
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_rlp::Encodable;
use alloy_rpc_types_eth as rpc;
use alloy_rpc_types_eth::BlockTransactions;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tbsi_types::{
    BlockCalls, CallOutcome, SimulatedBlock, SimulatedCall, SimulatedOutcome, Simulation,
    SimulationFault, SimulationRefused, TxEnvelope,
};

use super::call::TransactionArguments;
use super::objects::{self, Place};
use super::overrides::{BlockObject, StateObject, check_count};
use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::backend::Fees;
use crate::error::{
    Failure, VM_ERROR, header_not_found, internal, invalid_params, returned, simulation_refused,
};
use crate::limits::{SIMULATED_CALLS_MAX, SIMULATION_MS_MAX};

/// What to simulate. Unknown fields are refused: passed over they would change the answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Options {
    #[serde(default)]
    block_state_calls: Vec<BlockStateCalls>,
    #[serde(default)]
    trace_transfers: bool,
    #[serde(default)]
    validation: bool,
    #[serde(default)]
    return_full_transactions: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BlockStateCalls {
    #[serde(default)]
    block_overrides: Option<BlockObject>,
    #[serde(default)]
    state_overrides: Option<StateObject>,
    #[serde(default)]
    calls: Option<Vec<TransactionArguments>>,
}

/// `eth_simulateV1(options, block)`.
pub(crate) fn simulate(api: &Api, arguments: &Arguments<'_>) -> Reply {
    arguments.have(1)?;
    let options: Options = arguments
        .object(0)?
        .ok_or_else(|| invalid_params("empty input"))?;
    let full = options.return_full_transactions;
    let simulation = options.read(api.backend.identity().chain_id)?;
    let id: BlockId = arguments.optional(1)?.unwrap_or_default();
    let height = api.height_of_id(id)?.ok_or_else(header_not_found)?;
    let end = Instant::now() + Duration::from_millis(SIMULATION_MS_MAX);
    let keep_going = || Instant::now() < end;
    let blocks = api.backend.simulate(&simulation, height, &keep_going)?;
    let blocks = blocks.map_err(|refused| simulation_refused(&refused))?;
    let fees = api.backend.fees();
    let objects: Result<Vec<_>, Failure> = blocks
        .into_iter()
        .map(|block| block_object(block, fees, full))
        .collect();
    reply(objects?)
}

impl Options {
    pub(crate) fn read(self, chain_id: u64) -> Result<Simulation, Failure> {
        if self.block_state_calls.is_empty() {
            return Err(invalid_params("empty input"));
        }
        let blocks = &self.block_state_calls;
        let states = blocks.iter().filter_map(|it| it.state_overrides.as_ref());
        let hashes = blocks.iter().filter_map(|it| it.block_overrides.as_ref());
        let hashes: usize = hashes.map(BlockObject::entries).sum();
        check_count(hashes + states.map(StateObject::entries).sum::<usize>())?;
        let calls = blocks.iter().filter_map(|it| it.calls.as_ref());
        let calls: usize = calls.map(Vec::len).sum();
        if calls > SIMULATED_CALLS_MAX {
            return Err(simulation_refused(&SimulationRefused {
                fault: SimulationFault::Limit,
                reason: format!("too many calls: {calls}, at most {SIMULATED_CALLS_MAX}"),
            }));
        }
        let blocks = self.block_state_calls.into_iter();
        let blocks: Result<Vec<BlockCalls>, Failure> =
            blocks.map(|block| block.read(chain_id)).collect();
        Ok(Simulation {
            blocks: blocks?,
            trace_transfers: self.trace_transfers,
            validation: self.validation,
        })
    }
}

impl BlockStateCalls {
    fn read(self, chain_id: u64) -> Result<BlockCalls, Failure> {
        let call = |arguments: TransactionArguments| {
            arguments.check(chain_id)?;
            Ok(SimulatedCall {
                request: arguments.request(),
                nonce: arguments.nonce(),
            })
        };
        let calls = self.calls.unwrap_or_default().into_iter();
        let calls: Result<Vec<SimulatedCall>, Failure> = calls.map(call).collect();
        Ok(BlockCalls {
            block: self.block_overrides.unwrap_or_default().read(),
            state: self.state_overrides.unwrap_or_default().read()?,
            calls: calls?,
        })
    }
}

/// A block as every other, and how its calls ended.
#[derive(Serialize)]
struct BlockWithCalls {
    #[serde(flatten)]
    block: rpc::Block<rpc::Transaction<TxEnvelope>>,
    calls: Vec<CallObject>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallObject {
    return_data: Bytes,
    logs: Vec<rpc::Log>,
    gas_used: U64,
    max_used_gas: U64,
    status: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<CallError>,
}

#[derive(Serialize)]
struct CallError {
    code: i32,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
}

fn block_object(block: SimulatedBlock, fees: Fees, full: bool) -> Result<BlockWithCalls, Failure> {
    let SimulatedBlock {
        header,
        transactions,
        calls,
        withdrawals,
    } = block;
    let place = Place::of(&header, fees);
    let withdrawals = header
        .withdrawals_root
        .map(|_| Withdrawals::new(withdrawals));
    let envelopes: Vec<&TxEnvelope> = transactions.iter().map(|(it, _)| it).collect();
    let size = size(&header, &envelopes, withdrawals.clone());
    let hashes: Vec<B256> = envelopes.iter().map(|it| *it.tx_hash()).collect();
    let mut objects = Vec::with_capacity(calls.len());
    for ((call, hash), index) in calls.into_iter().zip(&hashes).zip(0..) {
        let log = |(log, number)| objects::log(log, place, *hash, index, number);
        objects.push(call_object(call, log)?);
    }
    let transactions = if full {
        let numbered = transactions.into_iter().zip(0..);
        let full = numbered
            .map(|((envelope, sender), index)| transaction_object(envelope, sender, place, index));
        BlockTransactions::Full(full.collect())
    } else {
        BlockTransactions::Hashes(hashes)
    };
    let block = rpc::Block {
        header: objects::header(header).with_size(Some(U256::from(size))),
        uncles: Vec::new(),
        transactions,
        withdrawals,
    };
    Ok(BlockWithCalls {
        block,
        calls: objects,
    })
}

/// Bytes of the block as Ethereum encodes it.
fn size(header: &Header, envelopes: &[&TxEnvelope], withdrawals: Option<Withdrawals>) -> usize {
    let block = alloy_consensus::Block {
        header: header.clone(),
        body: BlockBody::<TxEnvelope> {
            transactions: envelopes.iter().map(|it| (*it).clone()).collect(),
            ommers: Vec::new(),
            withdrawals,
        },
    };
    block.length()
}

fn transaction_object(
    envelope: TxEnvelope,
    sender: Address,
    place: Place,
    index: u64,
) -> rpc::Transaction<TxEnvelope> {
    rpc::Transaction {
        effective_gas_price: Some(place.price(&envelope)),
        inner: Recovered::new_unchecked(envelope, sender),
        block_hash: Some(place.hash),
        block_number: Some(place.number),
        transaction_index: Some(index),
        block_timestamp: Some(place.timestamp),
    }
}

fn call_object(
    call: SimulatedOutcome,
    log: impl Fn((alloy_primitives::Log, u64)) -> rpc::Log,
) -> Result<CallObject, Failure> {
    let (return_data, gas_used, error) = match call.outcome {
        CallOutcome::Returned { output, gas_used } => (output, gas_used, None),
        CallOutcome::Reverted { gas_used, .. } => {
            let error = returned(call.outcome).err().map(|failure| CallError {
                code: failure.code(),
                message: failure.message().to_owned(),
                data: failure.data().map(ToOwned::to_owned),
            });
            (Bytes::new(), gas_used, error)
        }
        CallOutcome::Halted { reason, gas_used } => {
            let error = CallError {
                code: VM_ERROR,
                message: reason,
                data: None,
            };
            (Bytes::new(), gas_used, Some(error))
        }
        CallOutcome::Refused { reason } => {
            return Err(internal(&format!("a simulated call was refused: {reason}")));
        }
    };
    Ok(CallObject {
        return_data,
        logs: call
            .logs
            .into_iter()
            .zip(call.log_numbers)
            .map(log)
            .collect(),
        gas_used: U64::from(gas_used),
        max_used_gas: U64::from(call.gas_needed),
        status: U64::from(error.is_none()),
        error,
    })
}
