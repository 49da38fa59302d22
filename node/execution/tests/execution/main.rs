//! Execution through its public API: blocks, calls, precompiles, and properties of both.

#![cfg(test)]

mod blocks;
mod building;
mod calls;
mod deciding;
mod facts;
mod flood;
mod governed;
mod intrinsic;
mod overrides;
mod permissions;
mod possession;
mod precompiles;
mod properties;
mod quotas;
mod simulations;
mod state;
mod support;
mod traces;
mod upgrades;
