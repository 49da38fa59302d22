//! Why something of the registry is not proven.

use alloy_primitives::{Address, B256};
use tbsi_types::{Height, InForce};

use crate::foreign::ProofError;

/// Why it is not proven whose account or validator it was. Each is final.
#[derive(Debug, thiserror::Error)]
pub enum ProveRegistryError {
    /// Validators that are not those of the bundle's checkpoint.
    #[error("the validators are not those of the checkpoint")]
    OtherSet,
    /// Of another number of validators.
    #[error("it says who answers for {got} validators, the set has {expected}")]
    Count {
        /// In the set.
        expected: usize,
        /// In the part.
        got: usize,
    },
    /// Nodes that do not lead to the words.
    #[error("proof of the registry")]
    Nodes(#[from] ProofError),
    /// The account has no such membership.
    #[error("account {account} has no membership {position} in the registry")]
    NoMembership {
        /// The issuer's.
        account: Address,
        /// Asked for.
        position: u32,
    },
    /// It had joined later, or left before.
    #[error(
        "account {account} was of organisation {organisation} from block {} to {}, not in the \
         whole of block {height}", .in_force.since, until(.in_force)
    )]
    NotMember {
        /// The issuer's.
        account: Address,
        /// Number of the organisation.
        organisation: u32,
        /// When it was its account.
        in_force: InForce,
        /// Of the issuer's statement.
        height: Height,
    },
    /// Records that do not ascend.
    #[error("record {position} of organisation {organisation} is not in order, each once")]
    Order {
        /// Number of the organisation.
        organisation: u32,
        /// Which record.
        position: u32,
    },
    /// Names or identifiers that are not those of the registry.
    #[error("organisation {organisation} has a record of hash {expected}, the proof's is {got}")]
    Record {
        /// Number of the organisation.
        organisation: u32,
        /// In the registry.
        expected: B256,
        /// Of what the proof says.
        got: B256,
    },
    /// A record that is not in the part.
    #[error("record number {number} is named, the proof has {count}")]
    NoRecord {
        /// Named, from 0.
        number: u32,
        /// In the part.
        count: usize,
    },
    /// The record is of another organisation than the account or the node.
    #[error("the record is of organisation {got}, expected is one of organisation {expected}")]
    OtherOrganisation {
        /// Of the account or the node.
        expected: u32,
        /// Of the record.
        got: u32,
    },
    /// The organisation had other names or identifiers then.
    #[error(
        "record {position} of organisation {organisation} held from block {} to {}, not in the \
         whole of block {height}", .in_force.since, until(.in_force)
    )]
    NotInForce {
        /// Number of the organisation.
        organisation: u32,
        /// Which record.
        position: u32,
        /// When it held.
        in_force: InForce,
        /// Of the issuer's statement, or of the checkpoint.
        height: Height,
    },
    /// A key that no node of the registry has or had.
    #[error("validator {validator} is no node's in the registry")]
    NotValidator {
        /// Address of the key.
        validator: Address,
    },
    /// The organisation's names are not those that the validator set has.
    #[error(
        "validator {validator} is in the set under other names than those of organisation \
         {organisation}"
    )]
    Names {
        /// Address of the key.
        validator: Address,
        /// Number of the organisation.
        organisation: u32,
    },
    /// A record that nothing refers to.
    #[error("record {position} of organisation {organisation} is of nobody in the proof")]
    Unused {
        /// Number of the organisation.
        organisation: u32,
        /// Which record.
        position: u32,
    },
    /// Neither the issuer nor a validator.
    #[error("it names nobody")]
    Nothing,
}

fn until(in_force: &InForce) -> String {
    let until = in_force.until.map(|until| until.to_string());
    until.unwrap_or_else(|| "now".into())
}
