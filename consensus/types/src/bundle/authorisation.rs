//! That an organisation was authorised to use a data set: the acts that gave the authorisation,
//! and how long its terms were in force by the state of the same checkpoint (SPEC §20.4).

mod json;

use alloy_primitives::{B256, Bytes};

use super::ProofBundle;
use crate::log::InclusionProof;
use crate::number::LeafIndex;

/// Names kind and version of the file.
pub const AUTHORISATION_FORMAT: &str = "tbsi-authorisation-proof-1";

/// Acts of one proof beside the one that its bundle is of.
pub const AUTHORISATION_ACTS_MAX: usize = 64;

/// Bytes of an act's data: two organisations with the longest names, 16 purposes.
pub const ACT_DATA_BYTES_MAX: usize = 8 * 1024;

/// Topics of an act after the first.
pub const ACT_TOPICS_MAX: usize = 3;

/// Nodes of the state's tries: of one account and of one word.
pub const AUTHORISATION_NODES_MAX: usize = 128;

/// A proof of an authorisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorisationBundle {
    /// Of the act with which the terms began, under the checkpoint whose state is looked at.
    pub proof: ProofBundle,
    /// What that act says.
    pub text: ActText,
    /// Other acts under the same checkpoint, in the order of the log.
    pub acts: Vec<PlacedAct>,
    /// Nodes that lead to the word of the terms, each once, in the order in which they are needed.
    pub nodes: Vec<Bytes>,
}

/// What a leaf of kind 16 commits to by its body hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActText {
    /// Of the event, after the first.
    pub topics: Vec<B256>,
    /// Of the event.
    pub data: Bytes,
}

/// An act, and where it is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedAct {
    /// Canonical bytes of the leaf.
    pub leaf: Vec<u8>,
    /// Its position.
    pub leaf_index: LeafIndex,
    /// From the leaf to the log root of the bundle's checkpoint.
    pub inclusion: InclusionProof,
    /// What it says.
    pub text: ActText,
}
