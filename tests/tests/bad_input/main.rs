//! What comes from outside and is wrong: each is refused with words that name the field, the
//! limit and the remedy, and no node panics.
//!
//! Real processes throughout.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod certificate;
mod garbage;
mod ports;
mod startup;
mod transactions;
