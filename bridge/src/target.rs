//! The port to a chain that is written to. [`crate::evm`] implements it.

use alloy_primitives::{Address, B256, Bytes, U256};
use tbsi_types::{Handover, NamedValidators};

use crate::fees::{Bid, Market};
use crate::record::{Attempt, Hold, Inclusion};
use crate::signer::SignError;
use crate::source::{Proven, ProvenLeaf, ProvenLeaves};
use crate::standing::RegistryEntry;

/// A block of the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetBlock {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its time, seconds since 1970.
    pub time: u64,
}

/// What the light client knows at a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientState {
    /// Height of its newest checkpoint.
    pub height: u64,
    /// Time of that, milliseconds since 1970.
    pub time_ms: u64,
    /// Leaves in its log.
    pub log_size: u64,
    /// Its digest.
    pub digest: B256,
    /// Hash of the set that signs now.
    pub validator_set: B256,
    /// The checkpoint names another next set.
    pub closing: bool,
    /// Until when the checkpoint is a base for the next, milliseconds since 1970.
    pub trusted_until_ms: u64,
    /// Why it takes nothing.
    pub hold: Option<Hold>,
}

/// The target as enough endpoints show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
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
    pub client: ClientState,
    /// The light client after `finalized`; `None` before it was deployed.
    pub final_client: Option<ClientState>,
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

/// A message to the inbox.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its leaf, proven.
    pub leaf: ProvenLeaf,
    /// The checkpoint that proves it.
    pub under: Proven,
    /// The bytes whose SHA-256 the leaf has.
    pub payload: Bytes,
}

/// What one transaction carries, in this order.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// Changes of the validator set, each with the new set.
    pub handovers: Vec<(Handover, NamedValidators)>,
    /// A checkpoint.
    pub checkpoint: Option<Proven>,
    /// Leaves, and the checkpoint that proves them.
    pub leaves: Option<(ProvenLeaves, Proven)>,
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

/// Why the target cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Too few endpoints answered, or they do not agree.
    #[error("{agreed} of {needed} target endpoints answered alike to {what}: {problem}")]
    Unavailable {
        /// Endpoints that gave the same answer.
        agreed: usize,
        /// That are needed.
        needed: usize,
        /// What was asked.
        what: String,
        /// What one of them said.
        problem: String,
    },
    /// Another chain, or no light client of the source at the address.
    #[error("target: {0}")]
    Misconfigured(String),
}

impl TargetError {
    /// Whether waiting does not help.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Misconfigured(_))
    }
}

/// A chain that is written to. Reads count only if enough endpoints agree.
#[expect(async_fn_in_trait, reason = "the relayer is one task")]
pub trait Target {
    /// The light client.
    fn contract(&self) -> Address;

    /// Where messages go; `None` if none are carried.
    fn inbox(&self) -> Option<Address>;

    /// Keccak-256 of the chain's CAIP-2 id: what messages to it name as their destination.
    fn destination(&self) -> B256;

    /// The account that signs.
    fn account(&self) -> Address;

    /// Fails unless it is the configured chain with the light client of the source.
    async fn check(&self) -> Result<(), TargetError>;

    /// What a registry on the target says of the account; `None` if it has none.
    async fn standing(&self) -> Result<Option<RegistryEntry>, TargetError>;

    /// How things stand.
    async fn view(&self) -> Result<View, TargetError>;

    /// Which of these leaves are recorded after a block.
    async fn recorded(&self, leaves: &[u64], block: TargetBlock) -> Result<Vec<bool>, TargetError>;

    /// Which messages of these numbers were delivered to the inbox after a block.
    async fn delivered(
        &self,
        sequences: &[u64],
        block: TargetBlock,
    ) -> Result<Vec<bool>, TargetError>;

    /// One call of the light client for all of a load.
    fn encode(&self, load: &Load) -> Call;

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
