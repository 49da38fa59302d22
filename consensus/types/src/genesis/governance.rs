//! How a chain that governs itself begins (SPEC §13.1).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::organisation::Permission;

/// With what rules the governance contracts begin. A motion can change each but the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GovernanceEntry {
    /// What accounts that belong to no organisation may do.
    #[serde(default)]
    pub public_permissions: BTreeSet<Permission>,
    /// What they may use together.
    #[serde(default)]
    pub public_quota: QuotaEntry,
    /// What each founder may use.
    #[serde(default)]
    pub organisation_quota: QuotaEntry,
    /// Length of a quota's period.
    pub period_seconds: u32,
    /// From a motion to its deadline.
    pub voting_period_seconds: u32,
    /// From passing to execution, of motions whose mistakes would hurt.
    pub delay_seconds: u32,
    /// How long a motion that passed can be executed.
    pub window_seconds: u32,
    /// Changes of the validator set take effect at multiples of it, all of an epoch together;
    /// with 0 each with its block. No motion changes it.
    pub epoch_seconds: u32,
}

/// Gas and entries of the log in a period; what is absent is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaEntry {
    /// Gas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas: Option<u64>,
    /// Entries of the attestation log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves: Option<u64>,
}

/// For networks that are to last: who belongs to no organisation may do nothing.
impl Default for GovernanceEntry {
    fn default() -> Self {
        Self {
            public_permissions: BTreeSet::new(),
            public_quota: QuotaEntry::default(),
            organisation_quota: QuotaEntry::default(),
            period_seconds: 3_600,
            voting_period_seconds: 7 * 86_400,
            delay_seconds: 86_400,
            window_seconds: 7 * 86_400,
            epoch_seconds: 3_600,
        }
    }
}

impl GovernanceEntry {
    /// For networks on one machine: everybody may use them, and decisions take effect at once.
    pub fn development() -> Self {
        let public = [Permission::Send, Permission::Deploy, Permission::Attest];
        Self {
            public_permissions: public.into(),
            public_quota: QuotaEntry::default(),
            organisation_quota: QuotaEntry::default(),
            period_seconds: 60,
            voting_period_seconds: 600,
            delay_seconds: 0,
            window_seconds: 86_400,
            epoch_seconds: 0,
        }
    }
}
