//! Why nothing of another chain can be imported.

use alloy_primitives::{Address, B256};
use tbsi_light::foreign::{HeaderError, ProofError};
use tbsi_rpc::ClientError;

use crate::limits::{ANSWER_MS_MAX, FOREIGN_STEPS_MAX};

/// Why nothing can be imported. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum InboundError {
    /// The endpoint did not answer, or refused.
    #[error("{url}: ask for {what}")]
    Endpoint {
        /// The endpoint.
        url: String,
        /// What was asked for.
        what: &'static str,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// No answer in time.
    #[error("{url} does not answer within {ANSWER_MS_MAX} ms")]
    Silent {
        /// The endpoint.
        url: String,
    },
    /// An endpoint of another chain.
    #[error("{url} is of chain id {got}, the client follows {expected}: give an endpoint of that")]
    ChainId {
        /// The endpoint.
        url: String,
        /// What the client follows.
        expected: u64,
        /// What the endpoint says.
        got: u64,
    },
    /// An endpoint of another chain with the same id.
    #[error(
        "{url} is of a chain whose genesis block is {got}, the client follows {expected}: a second \
         chain with the same id, perhaps of the same validators, or the chain after a reset. Give \
         an endpoint of the right one"
    )]
    Genesis {
        /// The endpoint.
        url: String,
        /// What the client follows.
        expected: B256,
        /// What the endpoint says.
        got: B256,
    },
    /// Nothing shows that one block comes after the other.
    #[error(
        "{url} does not show that block {height} comes after block {base}, which TBSI has \
         accepted: if the chain is before Prague, deploy a keeper of hashes (`tbsi fact keep`) \
         and give it as --keeper, or import an earlier --height first"
    )]
    NoAncestry {
        /// The endpoint.
        url: String,
        /// The later one.
        height: u64,
        /// The accepted one.
        base: u64,
    },
    /// A height that the chain has not reached.
    #[error("{url} has no block {height}: choose an earlier --height, or wait")]
    NoBlock {
        /// The endpoint.
        url: String,
        /// Asked for.
        height: u64,
    },
    /// An answer whose hash is not that of its fields.
    #[error(
        "{url} says that block {height} has hash {said}, its fields give {computed}: it lies, or \
         the chain is of another kind than the client"
    )]
    BlockHash {
        /// The endpoint.
        url: String,
        /// Of the block.
        height: u64,
        /// In the answer.
        said: B256,
        /// From the fields.
        computed: B256,
    },
    /// Another block than the one that TBSI has accepted.
    #[error(
        "{url} has block {got} at height {height}, TBSI has accepted {expected}: the endpoint \
         lies, or the chain has split. If its validators sealed both, `tbsi fact freeze` proves it"
    )]
    Conflict {
        /// The endpoint.
        url: String,
        /// Of both blocks.
        height: u64,
        /// Accepted.
        expected: B256,
        /// At the endpoint.
        got: B256,
    },
    /// A header that does not look like one of the kind.
    #[error("header of block {height}")]
    Header {
        /// Of the block.
        height: u64,
        /// Why.
        #[source]
        source: HeaderError,
    },
    /// A proof that shows nothing.
    #[error("proof of account {account} at block {height}")]
    Proof {
        /// The account.
        account: Address,
        /// The block.
        height: u64,
        /// Why.
        #[source]
        source: ProofError,
    },
    /// The validators changed too often.
    #[error(
        "more than {FOREIGN_STEPS_MAX} headers are needed to follow the validators: import an \
         earlier --height first"
    )]
    TooManySteps,
}
