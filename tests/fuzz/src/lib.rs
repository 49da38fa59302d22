//! What every decoder that a stranger reaches must hold, whatever it is given.
//!
//! A [`Target`] is a plain function of bytes that fails by a panic: no input panics, what is
//! accepted is encoded to the same bytes again where a format has one encoding, and what was
//! encoded is read as what it was. `tests/decoders.rs` runs each with [`mutants`] of its seeds
//! and bounds what it allocates; `make fuzz` runs the same functions under libFuzzer.
//!
//! A finding is pinned as a seed in `findings/TARGET/`, which every run begins with.

mod corpus;
mod mutate;
mod targets;

pub use mutate::{Random, mutants};
pub use targets::{TARGETS, Target};
