//! The relayer to Hyperledger Fabric: on a real network if TBSI_FABRIC_BIN names a folder with its
//! programs (`make test-fabric`), and against listeners that are no gateways.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod bad;
mod facts;
mod people;
mod real;
mod story;
