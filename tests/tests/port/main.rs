//! The relayer's loop, journal and audit, behind the port to a target: between a TBSI chain in
//! memory and targets that are no EVM chains. No network, no processes, and time that is not
//! waited for.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod channel;
mod fabric;
mod lives;
mod old;
mod sim;
mod stage;
mod toy;
mod ways;
