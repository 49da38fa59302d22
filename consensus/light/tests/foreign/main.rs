//! Headers and proofs of other chains. Tests are numbered as in the threat model's list of
//! attacks on foreign clients, 37 to 43; 44 is the sync committee's, which is not there yet.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod ancestry;
mod factory;
mod headers;
mod mutations;
mod proofs;
mod real;
mod sets;
#[path = "../shared/state.rs"]
mod state;
mod vectors;
