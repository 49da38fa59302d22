//! Blocks that are executed on top of the chain and forgotten (`eth_simulateV1`).

use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, Log};

use crate::call::{BlockOverrides, CallOutcome, CallRequest, StateOverrides};
use crate::transaction::TxEnvelope;

/// What to simulate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulation {
    /// One after the other; between two whose heights leave a gap come empty ones.
    pub blocks: Vec<BlockCalls>,
    /// Whether value that is passed on appears as a log of its own (ERC-7528).
    pub trace_transfers: bool,
    /// Whether nonces and fees are checked, as of transactions.
    pub validation: bool,
}

/// One block to simulate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockCalls {
    /// What its header says.
    pub block: BlockOverrides,
    /// Accounts before its first call.
    pub state: StateOverrides,
    /// In order.
    pub calls: Vec<SimulatedCall>,
}

/// A call of a simulated block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimulatedCall {
    /// What to execute.
    pub request: CallRequest,
    /// The sender's nonce; `None` is the next.
    pub nonce: Option<u64>,
}

/// A block as it would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedBlock {
    /// Complete, with roots.
    pub header: Header,
    /// The calls as transactions with signatures of zeros, and who would have signed them.
    pub transactions: Vec<(TxEnvelope, Address)>,
    /// One for each transaction.
    pub calls: Vec<SimulatedOutcome>,
    /// As asked for.
    pub withdrawals: Vec<Withdrawal>,
}

/// How a call of a simulated block ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedOutcome {
    /// Never [`CallOutcome::Refused`]: that ends a simulation.
    pub outcome: CallOutcome,
    /// Gas that had to be there, before refunds.
    pub gas_needed: u64,
    /// Of the call, and of value that it passed on if that was asked for.
    pub logs: Vec<Log>,
    /// The number of each of them among all that its block emitted, also of those that were
    /// undone: as go-ethereum counts, and not as in a receipt.
    pub log_numbers: Vec<u64>,
}

/// Why there is no simulation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SimulationRefused {
    /// Which rule.
    pub fault: SimulationFault,
    /// In go-ethereum's words.
    pub reason: String,
}

/// Which rule a simulation breaks. Each has a code of execution-apis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulationFault {
    /// A nonce was used.
    NonceTooLow,
    /// A nonce leaves a gap.
    NonceTooHigh,
    /// A bid is below the base fee.
    BidTooLow,
    /// Less gas than any such transaction needs.
    IntrinsicGas,
    /// A sender has less than the call is to pass on.
    Funds,
    /// The block has less gas left.
    BlockGas,
    /// Heights do not rise.
    Numbers,
    /// Times do not rise.
    Times,
    /// Init code is too large.
    InitCode,
    /// More of something than may be simulated.
    Limit,
    /// Overrides contradict each other, or there is no such precompile.
    Overrides,
    /// Another rule for transactions.
    Invalid,
}
