//! Why a transaction is not taken.

use tbsi_types::{Address, B256, U256};

use super::dropped::Slowness;

/// Why a transaction is not taken. The first words are go-ethereum's, which wallets match on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MempoolError {
    /// The pool has this transaction.
    #[error("already known")]
    AlreadyKnown,
    /// This node tried it in a block of late.
    #[error("transaction takes too long: {0}; this node tries it again after {1} blocks")]
    Slow(Slowness, u64),
    /// The nonce is used up.
    #[error(
        "nonce too low: address {sender}, tx: {nonce} state: {state}; use nonce {state} or above"
    )]
    NonceTooLow {
        /// Who signed.
        sender: Address,
        /// Of the transaction.
        nonce: u64,
        /// Of the sender's account.
        state: u64,
    },
    /// Too many nonces are missing before it.
    #[error(
        "nonce too high: address {sender}, tx: {nonce} state: {state}, at most {limit} nonces \
         may be missing; send nonce {next} first"
    )]
    NonceTooHigh {
        /// Who signed.
        sender: Address,
        /// Of the transaction.
        nonce: u64,
        /// Of the sender's account.
        state: u64,
        /// First nonce that is missing.
        next: u64,
        /// [`nonce_gap_max`](super::MempoolLimits::nonce_gap_max).
        limit: u64,
    },
    /// Another transaction has the nonce. Nobody pays a bid; the higher one is the later word.
    #[error(
        "replacement transaction underpriced: address {sender}, nonce {nonce} is taken by {by}; \
         replace it with a fee cap of {cap} wei and a tip of {tip} wei or more (nobody pays them), \
         wait until it is included, or use the next nonce"
    )]
    Replacement {
        /// Who signed.
        sender: Address,
        /// Of both transactions.
        nonce: u64,
        /// The transaction that has it.
        by: B256,
        /// Least maxFeePerGas, or gas price, that replaces it, wei.
        cap: u128,
        /// Least maxPriorityFeePerGas that replaces it, wei.
        tip: u128,
    },
    /// The value of all that the sender has here is more than it has; gas costs nothing.
    #[error("insufficient funds for gas * price + value: address {sender} have {have} want {want}")]
    InsufficientFunds {
        /// Who signed.
        sender: Address,
        /// Balance.
        have: U256,
        /// Value of this transaction and of the sender's others here.
        want: U256,
    },
    /// The sender's share of the pool is used up.
    #[error(
        "account limit exceeded: address {sender} has {limit} transactions waiting, at most \
         {limit} are allowed; retry after the next block"
    )]
    SenderFull {
        /// Who signed.
        sender: Address,
        /// [`per_sender_max`](super::MempoolLimits::per_sender_max).
        limit: usize,
    },
    /// The pool is full.
    #[error(
        "txpool is full: {transactions} transactions of at most {transactions_max}, {bytes} \
         bytes of at most {bytes_max}; retry after the next block"
    )]
    Full {
        /// In the pool.
        transactions: usize,
        /// [`transactions_max`](super::MempoolLimits::transactions_max).
        transactions_max: usize,
        /// In the pool, encoded.
        bytes: usize,
        /// [`bytes_max`](super::MempoolLimits::bytes_max).
        bytes_max: usize,
    },
    /// What is sent to this node has its part of the pool, and that is full.
    #[error(
        "txpool is full: {transactions} transactions of at most {transactions_max} that were sent \
         to this node, {bytes} bytes of at most {bytes_max}; retry after the next block"
    )]
    OwnFull {
        /// In the pool.
        transactions: usize,
        /// A part of [`transactions_max`](super::MempoolLimits::transactions_max).
        transactions_max: usize,
        /// In the pool, encoded.
        bytes: usize,
        /// A part of [`bytes_max`](super::MempoolLimits::bytes_max).
        bytes_max: usize,
    },
    /// Too many transactions wait for an earlier nonce already.
    #[error(
        "txpool is full: {queued} transactions wait for an earlier nonce, at most {limit} are \
         allowed; address {sender}: send nonce {next} first"
    )]
    QueueFull {
        /// Who signed.
        sender: Address,
        /// First nonce that is missing.
        next: u64,
        /// Waiting.
        queued: usize,
        /// [`queued_max`](super::MempoolLimits::queued_max).
        limit: usize,
    },
    /// The sender's share of what may wait is used up.
    #[error(
        "txpool is full: address {sender} has {own} transactions that wait for an earlier nonce, \
         at most {limit} of each sender are allowed while many wait; send nonce {next} first"
    )]
    QueueShare {
        /// Who signed.
        sender: Address,
        /// First nonce that is missing.
        next: u64,
        /// Its transactions that wait.
        own: usize,
        /// [`queued_share`](super::MempoolLimits::queued_share).
        limit: usize,
    },
    /// What is left of the pool's bytes is for transactions that can be executed.
    #[error(
        "txpool is full: {bytes} bytes, transactions that wait for an earlier nonce are taken up \
         to {limit}; address {sender}: send nonce {next} first"
    )]
    QueueBytesFull {
        /// Who signed.
        sender: Address,
        /// First nonce that is missing.
        next: u64,
        /// In the pool, encoded.
        bytes: usize,
        /// Half of [`bytes_max`](super::MempoolLimits::bytes_max).
        limit: usize,
    },
}

impl MempoolError {
    /// A stable word for metrics labels.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AlreadyKnown => "already_known",
            Self::Slow(..) => "slow",
            Self::NonceTooLow { .. } => "nonce_too_low",
            Self::NonceTooHigh { .. } => "nonce_too_high",
            Self::Replacement { .. } => "replacement",
            Self::InsufficientFunds { .. } => "insufficient_funds",
            Self::SenderFull { .. } => "sender_full",
            Self::Full { .. } => "full",
            Self::OwnFull { .. } => "own_full",
            Self::QueueFull { .. } => "queue_full",
            Self::QueueShare { .. } => "queue_share",
            Self::QueueBytesFull { .. } => "queue_bytes_full",
        }
    }
}
