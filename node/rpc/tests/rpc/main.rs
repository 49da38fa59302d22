//! The server, asked over real sockets, in front of a chain in memory.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod attestations;
mod chain;
mod client;
mod filters;
mod fuzz;
mod hindsight;
mod http;
mod leaves;
mod limits;
mod methods;
mod pages;
mod reference;
mod shapes;
mod subscriptions;
mod tls;
mod transactions;
mod transport;
mod validators;
mod waiting;
