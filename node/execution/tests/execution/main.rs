//! Execution through its public API: blocks, calls, precompiles, and properties of both.

#![cfg(test)]

mod blocks;
mod building;
mod calls;
mod facts;
mod possession;
mod precompiles;
mod properties;
mod state;
mod support;
