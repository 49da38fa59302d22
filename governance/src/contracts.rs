//! What command lines and other clients call on the governance contracts (SPEC §13). The
//! functions that only the protocol calls are in [`crate::abi`] and [`crate::founding`].

pub use tbsi_bindings::genesis::*;
