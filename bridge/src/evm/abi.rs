//! The light client's ABI, as far as the relayer uses it (SPEC §14).

use alloy_sol_types::SolInterface;
pub use tbsi_bindings::bridge::{Inbox, LightClient};

pub use Inbox::InboxErrors as InboxRefusal;
pub use LightClient::LightClientErrors as Refusal;

/// `Scope.Messages` of the contract.
pub const SCOPE_MESSAGES: u8 = 2;

/// `Status` of the contract: somebody paused it.
pub const STATUS_PAUSED: u8 = 1;
/// The newest checkpoint is too old.
pub const STATUS_EXPIRED: u8 = 2;
/// Two contradictory checkpoints were shown.
pub const STATUS_FROZEN: u8 = 3;

/// What a refusal of either contract says: its name, and its arguments as Rust shows them.
pub fn explain(data: &[u8]) -> Option<(String, String)> {
    let shown = match Refusal::abi_decode(data) {
        Ok(refusal) => format!("{refusal:?}"),
        Err(_) => format!("{:?}", InboxRefusal::abi_decode(data).ok()?),
    };
    let name = shown.split(['(', ' ', '{']).next().unwrap_or_default();
    Some((name.to_owned(), shown.clone()))
}
