//! The benchmark: a load generator, and the order in which it measures a TBSI network of real
//! processes beside anvil on the same machine.
//!
//! - [`workload`]: transactions, signed before the clock starts; [`schedule`]: when they
//!   arrive, fixed in advance.
//! - [`load`]: one open-loop run. A transaction is *finalised* when its block is first visible
//!   on a node, found by polling for blocks ([`heads`]); its latency counts from the time at
//!   which it was due, not from when it could be sent.
//! - [`search`]: the rate at which a chain saturates; [`restart`]: coming back after SIGKILL.
//! - [`overload`]: twice what saturates the chain.
//! - [`proving`]: the log as it grows, and proofs of it.
//! - [`mapping`]: the map as it grows, and proofs of what was not said.
//! - [`decades`]: what follows after the validator set changed very often.
//! - [`relaying`]: gas of the light client on anvil, latency and catch-up of a relayer.
//! - [`reads`]: [`questions`] that clients ([`asking`]) put to a node, to anvil and to [`geth`]
//!   with the same [`stock`] of state.
//! - [`scenario`]: all of it, chain beside chain; [`report`]: what comes out, [`table`]:
//!   how it is printed.

pub mod asking;
pub mod decades;
pub mod environment;
pub mod figures;
pub mod geth;
pub mod heads;
pub mod http;
pub mod load;
pub mod mapping;
pub mod options;
pub mod overload;
pub mod process;
pub mod proving;
pub mod questions;
pub mod reads;
pub mod relaying;
pub mod report;
pub mod restart;
pub mod scenario;
pub mod schedule;
pub mod search;
pub mod statistics;
pub mod stock;
pub mod table;
pub mod target;
pub mod workload;
