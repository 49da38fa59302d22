//! What comes from outside and is wrong: each is refused with words that name the field, the
//! limit and the remedy, and no node panics.
//!
//! Real processes throughout. A dishonest node is a real one whose operator changed its
//! program: Malachite and the node's own chain in this process, with a lie in between.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod certificate;
mod dishonest;
mod disk;
mod files;
mod flood;
mod garbage;
mod heavy;
mod hints;
mod ports;
mod rpc;
mod startup;
mod transactions;
