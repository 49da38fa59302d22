//! Legal entities as the genesis file names them.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

/// A legal entity. What is optional is absent from networks for development; the founding
/// ceremony asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganisationEntry {
    /// Legal name in Traditional Chinese; empty if it has none.
    pub name_zh_tw: String,
    /// Legal name in English.
    pub name_en: String,
    /// What it is here for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<OrganisationKind>,
    /// Whether it has a vote on motions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes: Option<bool>,
    /// 統一編號, 8 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
    /// Legal entity identifier (ISO 17442), 20 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lei: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<String>,
    /// SHA-256 of the agreement that it signed, which is kept elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement_hash: Option<B256>,
    /// SHA-256 of the credential that binds its keys to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_hash: Option<B256>,
    /// Where to reach it: an https URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_url: Option<String>,
    /// Its accounts and what they may do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<Address, BTreeSet<Permission>>,
}

/// What an organisation is here for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrganisationKind {
    /// An industry association.
    Association,
    /// Runs nodes.
    Operator,
    /// Attests.
    Issuer,
    /// Carries proofs to other chains.
    Relayer,
    /// Audits.
    Auditor,
    /// A public authority.
    Authority,
}

impl OrganisationKind {
    /// The number that contracts know it by.
    pub fn code(self) -> u8 {
        match self {
            Self::Association => 1,
            Self::Operator => 2,
            Self::Issuer => 3,
            Self::Relayer => 4,
            Self::Auditor => 5,
            Self::Authority => 6,
        }
    }
}

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Send transactions.
    Send,
    /// Create contracts.
    Deploy,
    /// Attest.
    Attest,
    /// Relay.
    Relay,
    /// Manage its organisation's accounts and nodes.
    Administer,
    /// Cast its organisation's vote.
    Vote,
}

impl Permission {
    /// All, by bit.
    pub const ALL: [Self; 6] = [
        Self::Send,
        Self::Deploy,
        Self::Attest,
        Self::Relay,
        Self::Administer,
        Self::Vote,
    ];

    /// The bit that contracts know it by.
    pub fn bit(self) -> u32 {
        match self {
            Self::Send => 1,
            Self::Deploy => 2,
            Self::Attest => 4,
            Self::Relay => 8,
            Self::Administer => 16,
            Self::Vote => 32,
        }
    }
}
