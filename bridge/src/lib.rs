//! The relayer: carries checkpoints, attestations and messages of a TBSI network to contracts on
//! another chain, and keeps a record of all that it did (SPEC §15).
//!
//! It is trusted for liveness alone. [`source`] verifies everything with `tbsi-light` before
//! gas is spent, and the contract verifies it again. [`relay`] is the loop: it looks at both
//! chains and does what follows from the [`journal`], whose [`record`]s are both what a
//! restarted process goes on with and what an auditor reads. [`state`] is the fold over them,
//! pure; [`target`] is the port to what is written to, [`evm`] and [`fabric`] are the kinds of it
//! that there are, and [`kinds`] is any of them. Loop, journal and audit know nothing of how a kind
//! sends: its own steps are in the journal in its own words.
//!
//! [`inbound`] is the other direction: it collects what proves a fact of another chain to TBSI.
//!
//! What it is not: it holds no opinion about what a statement means, and no key of a validator.

pub mod audit;
pub mod config;
pub mod evm;
pub mod fabric;
pub mod health;
pub mod inbound;
pub mod journal;
pub mod kinds;
pub mod limits;
pub mod metrics;
pub mod record;
pub mod relay;
pub mod signer;
pub mod source;
pub mod standing;
pub mod state;
pub mod target;

#[doc(hidden)]
pub mod fault;
