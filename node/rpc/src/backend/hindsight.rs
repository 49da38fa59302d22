//! The port to the node for questions about the past: blocks executed again, storage between two
//! transactions, and what an account took part in.

use std::time::Instant;

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace};
use alloy_rpc_types_trace::parity::{TraceResults, TraceType};
use tbsi_types::{CallOverrides, CallRequest, Height};

use super::BackendError;

/// How much a trace may be, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Bytes of JSON.
    pub bytes_max: usize,
    /// When to give up.
    pub until: Instant,
}

/// Why there is no trace.
#[derive(Debug, thiserror::Error)]
pub enum HindsightError {
    /// What would be told is larger than [`Allowance::bytes_max`], or holds too much memory.
    #[error("a trace is too large")]
    TooLarge,
    /// It was not made in time.
    #[error("a trace took too long")]
    TooLong,
    /// A tracer that there is not, or a call that cannot run; a sentence about it.
    #[error("{0}")]
    Refused(String),
    /// As of any other question.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// A slot of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedSlot {
    /// Keccak-256 of its number.
    pub hash: B256,
    /// Its number, if that is known.
    pub key: Option<B256>,
    /// Not zero.
    pub value: U256,
}

/// Slots of an account in the order of their hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashedSlots {
    /// One page of them.
    pub slots: Vec<HashedSlot>,
    /// Where the next page begins.
    pub next: Option<B256>,
}

/// An account by the hash of its address; nodes keep no addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashedAccount {
    /// Keccak-256 of its address.
    pub hash: B256,
    /// Transactions that it has sent, or contracts that it has made.
    pub nonce: u64,
    /// Wei.
    pub balance: U256,
    /// Root of its storage trie.
    pub storage_root: B256,
    /// Keccak-256 of its code.
    pub code_hash: B256,
    /// Its code, if that was asked for.
    pub code: Option<Bytes>,
    /// Its slots by the hashes of their numbers, if they were asked for.
    pub storage: Option<Vec<(B256, U256)>>,
}

/// What is asked of accounts beside nonce and balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountParts {
    /// Their code.
    pub code: bool,
    /// All of their storage.
    pub storage: bool,
}

/// Accounts in the order of their hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashedAccounts {
    /// One page of them.
    pub accounts: Vec<HashedAccount>,
    /// Where the next page begins.
    pub next: Option<B256>,
}

/// With what a block can be executed without the state of its parent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionWitness {
    /// Nodes of the tries.
    pub state: Vec<Bytes>,
    /// Code that runs.
    pub codes: Vec<Bytes>,
    /// Addresses of accounts and numbers of slots.
    pub keys: Vec<Bytes>,
    /// The lowest block whose header is needed, at most the parent.
    pub lowest_header: Height,
}

/// Transactions in which an account takes part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionPlaces {
    /// Heights and positions in the block, in the order of the search: all of each block.
    pub places: Vec<(Height, u32)>,
    /// The next height to look at, if the search ended before the chain did.
    pub next: Option<Height>,
    /// Blocks that were looked through in vain, if that is why it ended.
    pub exhausted: Option<usize>,
}

/// What the server asks the node about the past. Methods may block, as those of
/// [`crate::Backend`].
///
/// A height is above genesis, and at most the tip, wherever a block is executed again.
pub trait Hindsight: Send + Sync + 'static {
    /// What the transactions of a block did, or `only` the one at this position, as
    /// `debug_trace…` tells it.
    fn debug_block(
        &self,
        height: Height,
        only: Option<u32>,
        options: &GethDebugTracingOptions,
        allowance: Allowance,
    ) -> Result<Vec<GethTrace>, HindsightError>;

    /// The same, as `trace_…` tells it.
    fn parity_block(
        &self,
        height: Height,
        only: Option<u32>,
        types: &[TraceType],
        allowance: Allowance,
    ) -> Result<Vec<TraceResults>, HindsightError>;

    /// What a call does on the state of `height`, as `debug_trace…` tells it.
    fn debug_call(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
        options: &GethDebugTracingOptions,
        allowance: Allowance,
    ) -> Result<GethTrace, HindsightError>;

    /// What calls do, each on what those before it left, as `trace_…` tells it.
    fn parity_calls(
        &self,
        calls: &[(CallRequest, Vec<TraceType>)],
        height: Height,
        allowance: Allowance,
    ) -> Result<Vec<TraceResults>, HindsightError>;

    /// Slots of an account before the transaction at `index` of a block: whose hash is at the
    /// beginning of the `page` or above, at most so many.
    fn slots_before(
        &self,
        height: Height,
        index: u32,
        account: Address,
        page: (B256, usize),
    ) -> Result<HashedSlots, BackendError>;

    /// Accounts after the block of `height` whose hash is at the beginning of the `page` or above,
    /// at most so many.
    fn accounts(
        &self,
        height: Height,
        page: (B256, usize),
        parts: AccountParts,
    ) -> Result<HashedAccounts, BackendError>;

    /// What executing the block of `height` reads, and what its new state root needs.
    fn execution_witness(
        &self,
        height: Height,
        allowance: Allowance,
    ) -> Result<ExecutionWitness, HindsightError>;

    /// Transactions that an account sends, receives, is deployed by or emits a log in: in whole
    /// blocks until there are `count`, from the block after `bound` on if `forward`, otherwise
    /// from the one before it back.
    fn transactions_of(
        &self,
        account: Address,
        bound: Height,
        forward: bool,
        count: usize,
    ) -> Result<TransactionPlaces, BackendError>;
}
