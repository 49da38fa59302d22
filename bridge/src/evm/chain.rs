//! An EVM chain as the sender needs it: calls, transactions of one account, what became of them.
//! [`super::EvmRpc`] reaches a real one; the simulator has its own.

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use super::fees::{Bid, Market};
use crate::record::{Hold, Inclusion, U64Text};
use crate::signer::SignError;
use crate::source::Proven;
use crate::target::{Advance, ClientView, Delivery, TargetBlock, TargetError};

/// The chain and the account as enough endpoints show them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// Newest block.
    pub latest: TargetBlock,
    /// Newest block that cannot go away.
    pub finalized: TargetBlock,
    /// Nonce of the account after `latest`.
    pub nonce: u64,
    /// Nonce of the account after `finalized`.
    pub final_nonce: u64,
    /// Balance of the account after `latest`, wei.
    pub balance: U256,
    /// What gas costs.
    pub market: Market,
    /// The light client after `latest`.
    pub client: ClientView,
    /// The light client after `finalized`; `None` before it was deployed.
    pub final_client: Option<ClientView>,
    /// Whether the inbox takes no messages at `latest`; false without an inbox.
    pub messages_paused: bool,
}

/// A call of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The contract.
    pub to: Address,
    /// Selector and arguments.
    pub data: Bytes,
}

/// One attempt at a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attempt {
    /// Its hash.
    pub transaction: B256,
    /// Its bytes, signed.
    pub raw: Bytes,
    /// Most that is paid for a gas, wei.
    pub fee_cap: U64Text,
    /// Of which the block's builder gets so much, wei.
    pub tip: U64Text,
}

/// Why a transaction would not do what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Estimate {
    /// It would: so much gas.
    Gas(u64),
    /// The contract refuses it.
    Refused {
        /// The contract's error.
        code: String,
        /// Its arguments, or the node's words.
        detail: String,
        /// Set if it is for the time being.
        hold: Option<Hold>,
    },
    /// The endpoints say that no transaction of the chain is so large.
    TooLarge(String),
}

/// What endpoints said when a transaction was sent. Everything but [`Sent::Taken`] is a hint, by
/// words that differ from node to node: an endpoint may have the transaction whatever it says, so
/// it is looked for before anything follows from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// An endpoint took it: it answered with the hash.
    Taken,
    /// It is there already.
    Known,
    /// Its nonce is used up: this one or another transaction is in a block.
    NonceTaken,
    /// It bids too little, now or against another transaction with its nonce.
    Underpriced,
    /// The endpoint is overloaded, or failed half-way.
    Busy(String),
    /// The account cannot pay for it.
    Balance,
    /// It has too many bytes, or asks for too much gas.
    TooLarge(String),
    /// Any other words.
    Refused(String),
}

/// What a signed transaction says, read from its bytes alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Its hash.
    pub transaction: B256,
    /// Who signed.
    pub signer: Address,
    /// Chain that it is for.
    pub chain_id: u64,
    /// Its nonce.
    pub nonce: u64,
    /// Contract or account called.
    pub to: Address,
    /// The checkpoints that it brings, in the order in which it does, 192 bytes each.
    pub checkpoints: Vec<Bytes>,
    /// The handovers among them: positions of the first checkpoints of a set.
    pub handovers: usize,
    /// The leaves, with their positions in the log.
    pub leaves: Vec<(u64, Bytes)>,
    /// Height of the conflict that freezes the light client, if it is for that.
    pub evidence: Option<u64>,
    /// The message delivered, if it calls the inbox.
    pub message: Option<(u64, Bytes)>,
}

/// An EVM chain with a light client of the source, and one account on it. Reads count only if
/// enough endpoints agree.
#[expect(async_fn_in_trait, reason = "the relayer is one task")]
pub trait EvmChain {
    /// The light client.
    fn contract(&self) -> Address;

    /// Where messages go; `None` if none are carried.
    fn inbox(&self) -> Option<Address>;

    /// EIP-155 id.
    fn chain_id(&self) -> u64;

    /// The account that signs.
    fn account(&self) -> Address;

    /// Fails unless it is the configured chain with the light client of the source, and lets the
    /// account send.
    async fn check(&self) -> Result<(), TargetError>;

    /// How things stand.
    async fn look(&self) -> Result<AccountView, TargetError>;

    /// Which of these leaves are recorded after a block.
    async fn recorded(&self, leaves: &[u64], block: TargetBlock) -> Result<Vec<bool>, TargetError>;

    /// Which messages of these numbers were delivered to the inbox after a block.
    async fn delivered(
        &self,
        sequences: &[u64],
        block: TargetBlock,
    ) -> Result<Vec<bool>, TargetError>;

    /// One call of the light client for all of an advance.
    fn encode(&self, advance: &Advance) -> Call;

    /// The call of the inbox for a message; `None` without an inbox.
    fn encode_delivery(&self, delivery: &Delivery) -> Option<Call>;

    /// The call that freezes the light client for two contradictory checkpoints; `None` if it
    /// does not know a set that signed one of them.
    async fn encode_freeze(
        &self,
        one: &Proven,
        other: &Proven,
        block: TargetBlock,
    ) -> Result<Option<Call>, TargetError>;

    /// Whether a call would succeed after the latest block.
    async fn estimate(&self, call: &Call) -> Result<Estimate, TargetError>;

    /// Signs a call, or, without one, a transfer of nothing to the account.
    async fn sign(
        &self,
        nonce: u64,
        gas: u64,
        bid: Bid,
        call: Option<Call>,
    ) -> Result<Attempt, SignError>;

    /// The same transaction as `attempt` with another bid.
    async fn sign_again(&self, attempt: &Attempt, bid: Bid) -> Result<Attempt, SignError>;

    /// What an attempt says.
    fn contents(&self, attempt: &Attempt) -> Result<Contents, String>;

    /// Sends a signed transaction.
    async fn send(&self, attempt: &Attempt) -> Result<Sent, TargetError>;

    /// Where one of these is in a block.
    async fn included(&self, attempts: &[Attempt]) -> Result<Option<Inclusion>, TargetError>;

    /// Whether an endpoint has the transaction, in a block or waiting.
    async fn knows(&self, transaction: B256) -> Result<bool, TargetError>;

    /// Hash of a block of the chain; `None` above the tip.
    async fn block_hash(&self, number: u64) -> Result<Option<B256>, TargetError>;

    /// Contradictions between endpoints since the last call.
    fn take_alarms(&self) -> Vec<String>;
}
