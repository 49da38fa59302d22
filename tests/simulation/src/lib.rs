//! Whole nodes in one process, in virtual time, from one seed.
//!
//! A [`World`] runs N validators and an observer over a network, disks and clocks that it makes
//! up from its [`Plan`], while associations govern, until everything is mended, and then a while
//! longer. [`check`] judges
//! the run from what went over the wire and what clients hold. `docs/testing.md` says how to
//! replay a run, and how to add a fault, an invariant or a planted bug.
//!
//! What is the product's: chain, execution, store, pool, host, codec, signer with its
//! sign-state, and the write-ahead log's format. Malachite's core is the real one; its actors,
//! libp2p, RPC and the gossip's task are replaced.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a planted bug concerns one place, and all others pass it over"
)]

pub mod chain;
pub mod check;
pub mod clock;
pub mod founding;
pub mod ledger;
pub mod links;
pub mod many;
pub mod mutants;
pub mod node;
pub mod plan;
pub mod reader;
pub mod record;
pub mod rng;
pub mod run;
pub mod shown;
pub mod side;
pub mod surroundings;
pub mod target;
pub mod trace;
pub mod world;

pub use check::{Violation, check};
pub use mutants::Mutant;
pub use plan::{Lie, Plan};
pub use run::{Outcome, run};
pub use world::World;
