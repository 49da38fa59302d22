//! Verifiers that others wrote, and ours, on what a network of real processes gives out. What
//! is said to be verified offline is verified in a network namespace without interfaces. Each
//! verifier also refuses copies that were changed.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod bundles;
mod contract;
mod cose;
mod logs;
mod matrix;
mod ots;
mod stamps;
mod table;
