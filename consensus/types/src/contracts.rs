//! Where the contracts of a genesis file are (SPEC §12, §13.1): their addresses, nothing else.

use alloy_primitives::{Address, address};

/// Motions and ballots; the governor of all others.
pub const MOTIONS: Address = address!("0000000000000000000000000000000000001000");
/// Attestations.
pub const ATTESTATIONS: Address = address!("0000000000000000000000000000000000001001");
/// Legal entities.
pub const ORGANISATIONS: Address = address!("0000000000000000000000000000000000001002");
/// Nodes, their keys, the validator set.
pub const NODES: Address = address!("0000000000000000000000000000000000001003");
/// Accounts, permissions, quotas.
pub const PERMISSIONS: Address = address!("0000000000000000000000000000000000001004");
/// Other chains and who runs them.
pub const CHAINS: Address = address!("0000000000000000000000000000000000001005");
/// Messages to other chains.
pub const OUTBOX: Address = address!("0000000000000000000000000000000000001006");
/// Facts of other chains, with proof.
pub const FACTS: Address = address!("0000000000000000000000000000000000001007");
/// Evidence of equivocation, verified for [`NODES`].
pub const EQUIVOCATIONS: Address = address!("0000000000000000000000000000000000001008");
/// Rules that change at a height.
pub const UPGRADES: Address = address!("0000000000000000000000000000000000001009");
/// Who may use whose data set.
pub const AUTHORISATIONS: Address = address!("000000000000000000000000000000000000100A");
