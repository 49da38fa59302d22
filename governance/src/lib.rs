//! Organisations and their identifiers: what a machine can check of a legal entity, and of the
//! organisations and nodes that found a network.
//!
//! Pure: no clock, no randomness, no file, no socket. Whether an identifier *exists* is for the
//! founders and the motions to find out; here is only whether it can.
//!
//! ```
//! use tbsi_governance::identifiers::{IdentifierError, check_tax_id};
//!
//! assert_eq!(check_tax_id("04595257"), Ok(()));
//! assert_eq!(check_tax_id("12345678"), Err(IdentifierError::TaxIdChecksum));
//! ```

pub mod abi;
pub mod confusables;
pub mod consent;
pub mod contracts;
pub mod delegation;
pub mod founding;
pub mod identifiers;
pub mod layouts;
pub mod motions;
pub mod possession;
pub mod reserve;
pub mod rules;
pub mod standing;
pub mod texts;
mod typed_data;
pub mod upgrades;
