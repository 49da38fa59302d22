//! What relayers are tested with: a TBSI chain made in memory and served like a real one, an
//! anvil, something between relayer and anvil that misbehaves, and relayers as processes; and
//! for the other direction a QBFT network of GoQuorum.

pub mod anvil;
pub mod chain;
pub mod gas;
pub mod latency;
pub mod proxy;
pub mod quorum;
pub mod relayer;
pub mod serve;
