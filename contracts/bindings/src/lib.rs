//! What the contracts can be asked and told, what they answer, announce and refuse: generated
//! from the artifacts of `contracts/evm`, so that nothing here can differ from the code.
//!
//! A call of a contract of the genesis file knows its [address](Addressed::ADDRESS):
//!
//! ```
//! use tbsi_bindings::genesis::Motions::motionCountCall;
//! use tbsi_bindings::{Addressed, SolCall, contracts::MOTIONS};
//!
//! assert_eq!(motionCountCall::ADDRESS, MOTIONS);
//! assert_eq!(motionCountCall {}.abi_encode().len(), 4);
//! ```

pub use alloy_sol_types::{SolCall, SolError, SolEvent, SolValue};
pub use tbsi_types::contracts;

use alloy_primitives::Address;

/// A call of a contract that is at one address on every network.
pub trait Addressed: SolCall {
    /// Where the contract is.
    const ADDRESS: Address;
}

macro_rules! at {
    ($call:ty, $address:ident) => {
        impl crate::Addressed for $call {
            const ADDRESS: alloy_primitives::Address = crate::contracts::$address;
        }
    };
}

/// Contracts of the genesis file (SPEC §12, §13, §14.5, §16, §20).
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::too_many_arguments,
    reason = "as the macro writes it; documented in contracts/evm/src/I*.sol"
)]
pub mod genesis {
    include!(concat!(env!("OUT_DIR"), "/genesis.rs"));
}

/// Contracts on other EVM chains (SPEC §14), and what imports from Fabric (SPEC §21).
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::too_many_arguments,
    reason = "as the macro writes it; documented in contracts/evm/src/bridge and src/fabric"
)]
pub mod bridge {
    include!(concat!(env!("OUT_DIR"), "/bridge.rs"));
}
