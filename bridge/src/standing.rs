//! What a TBSI network's registry says of the relayer's account (SPEC §13.4): asked before
//! anything is sent, so that a missing permission has a name and a remedy.

use alloy_primitives::Address;
use tbsi_bindings::genesis::Organisations::namesOfReturn;
use tbsi_bindings::genesis::Permissions::accountOfReturn;

use crate::config::RelayerConfig;

const SEND: u32 = 1;
const ATTEST: u32 = 4;
const RELAY: u32 = 8;

/// Leaves that an organisation may still make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Number of the organisation; 0 for all accounts of nobody.
    pub organisation: u32,
    /// Leaves of this period.
    pub used: u64,
    /// Most in a period; `u64::MAX` is no limit.
    pub limit: u64,
    /// When the next period begins, seconds since 1970.
    pub ends: u64,
}

impl Quota {
    /// Why no leaf can be made now.
    pub fn problem(&self) -> Option<String> {
        let Self {
            organisation,
            used,
            limit,
            ends,
        } = self;
        let open = *limit == u64::MAX || used < limit;
        (!open).then(|| {
            format!(
                "the quota of leaves of organisation {organisation} is used up: {used} of {limit} \
                 in this period; it lifts at {ends} s, or by a motion (`tbsi motion propose \
                 set-quota`)"
            )
        })
    }
}

/// An account in the registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistryEntry {
    /// Number of its organisation; 0 if it belongs to none.
    pub organisation: u32,
    /// The organisation's legal name in Traditional Chinese; empty if it has none.
    pub name_zh_tw: String,
    /// The same in English.
    pub name_en: String,
    /// Permissions in force, as bits.
    pub permissions: u32,
    /// Whether its organisation is active.
    pub active: bool,
}

/// Why an account cannot do what the configuration asks of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StandingError {
    /// A permission is missing.
    #[error(
        "the account {account} ({holder}) may not {missing} on the {chain}; an administrator of \
         its organisation lets it: `tbsi org add-account {account} --permissions \
         send,attest,relay`{otherwise}"
    )]
    Permission {
        /// The relayer's account.
        account: Address,
        /// Whose it is.
        holder: String,
        /// What it may not.
        missing: &'static str,
        /// `source` or `target`.
        chain: &'static str,
        /// Another remedy, or nothing.
        otherwise: &'static str,
    },
    /// `relayer.registered` is set, and it belongs to nobody.
    #[error(
        "relayer.registered is set, and the account {0} belongs to no active organisation on the \
         source; an administrator of one makes it its own: `tbsi org add-account {0} \
         --permissions send,attest,relay`"
    )]
    Unregistered(Address),
    /// `relayer.registered` is set, and it is somebody else's.
    #[error(
        "relayer.registered is set, and the account is one of {registered}; relayer.name_en and \
         relayer.name_zh_tw say {configured}: write the names as they are registered"
    )]
    Name {
        /// In the registry.
        registered: String,
        /// In the configuration.
        configured: String,
    },
    /// `relayer.registered` is set, and the source has no registry.
    #[error("relayer.registered is set, and the source shows no registry of accounts")]
    NoRegistry,
}

impl RegistryEntry {
    /// From the contracts' answers; without names it belongs to no organisation.
    pub(crate) fn of(account: &accountOfReturn, names: Option<namesOfReturn>) -> Self {
        let (name_zh_tw, name_en) = names.map(|names| (names._0, names._1)).unwrap_or_default();
        Self {
            organisation: account.organisation,
            name_zh_tw,
            name_en,
            permissions: account.permissions,
            active: account.active,
        }
    }

    fn holder(&self) -> String {
        match (self.organisation, self.active) {
            (0, _) => "of no organisation".into(),
            (_, true) => format!("of {}", self.name_en),
            (_, false) => format!("of {}, which is not active", self.name_en),
        }
    }

    fn lacks(&self, needed: u32) -> bool {
        !self.active && self.organisation != 0 || self.permissions & needed != needed
    }
}

/// Whether the account may do on the source what is configured; `attests` says that heads are
/// to be attested. Without a registry there is nothing to be allowed.
pub fn check_source(
    relayer: &RelayerConfig,
    account: Address,
    attests: bool,
    standing: Option<&RegistryEntry>,
) -> Result<(), StandingError> {
    let Some(standing) = standing else {
        return if relayer.registered {
            Err(StandingError::NoRegistry)
        } else {
            Ok(())
        };
    };
    let denied = |missing, otherwise| {
        Err(StandingError::Permission {
            account,
            holder: standing.holder(),
            missing,
            chain: "source",
            otherwise,
        })
    };
    if relayer.registered {
        if standing.organisation == 0 || !standing.active {
            return Err(StandingError::Unregistered(account));
        }
        let names = |zh_tw: &str, en: &str| format!("{en} ({zh_tw})");
        let registered = names(&standing.name_zh_tw, &standing.name_en);
        let configured = names(&relayer.name_zh_tw, &relayer.name_en);
        if registered != configured {
            return Err(StandingError::Name {
                registered,
                configured,
            });
        }
        if standing.lacks(RELAY) {
            return denied("relay", "");
        }
    }
    if attests && standing.lacks(SEND | ATTEST) {
        return denied(
            "attest",
            "; or set audit.interval_s to 0, and no head of its record is attested",
        );
    }
    Ok(())
}

/// Whether the account may send on a target that is a TBSI network; another one has no registry.
pub fn check_target(
    account: Address,
    standing: Option<&RegistryEntry>,
) -> Result<(), StandingError> {
    match standing {
        Some(standing) if standing.lacks(SEND) => Err(StandingError::Permission {
            account,
            holder: standing.holder(),
            missing: "send",
            chain: "target",
            otherwise: "",
        }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: Address = Address::repeat_byte(7);

    fn relayer(registered: bool) -> RelayerConfig {
        RelayerConfig {
            name_zh_tw: "甲".into(),
            name_en: "A".into(),
            key: None,
            password_file: None,
            signer: None,
            registered,
        }
    }

    fn standing(organisation: u32, permissions: u32, active: bool) -> RegistryEntry {
        RegistryEntry {
            organisation,
            name_zh_tw: "甲".into(),
            name_en: "A".into(),
            permissions,
            active,
        }
    }

    fn check(registered: bool, attests: bool, standing: Option<RegistryEntry>, words: &str) {
        let found = check_source(&relayer(registered), ACCOUNT, attests, standing.as_ref());
        let said = found.err().map(|error| error.to_string());
        let said = said.unwrap_or_default();
        assert_eq!(said.is_empty(), words.is_empty(), "{said}");
        assert!(said.contains(words), "{words}: {said}");
    }

    #[test]
    fn the_source_lets_registered_relayers_attest() {
        check(false, true, None, "");
        check(false, true, Some(standing(0, 5, true)), "");
        check(
            false,
            true,
            Some(standing(0, 1, true)),
            "may not attest on the source",
        );
        check(false, false, Some(standing(0, 0, true)), "");
        check(
            false,
            true,
            Some(standing(3, 13, false)),
            "which is not active",
        );
        check(true, true, Some(standing(3, 13, true)), "");
        check(true, true, None, "no registry");
        check(
            true,
            true,
            Some(standing(0, 13, true)),
            "no active organisation",
        );
        check(true, true, Some(standing(3, 5, true)), "may not relay");
        let mut other = standing(3, 13, true);
        other.name_en = "B".into();
        check(true, true, Some(other), "is one of B (甲)");
    }

    #[test]
    fn a_quota_without_leaves_left_says_when_it_lifts() {
        let quota = |used, limit| Quota {
            organisation: 3,
            used,
            limit,
            ends: 60,
        };
        assert_eq!(quota(9, u64::MAX).problem(), None);
        assert_eq!(quota(9, 10).problem(), None);
        let said = quota(10, 10).problem().unwrap();
        assert!(
            said.contains("organisation 3 is used up: 10 of 10"),
            "{said}"
        );
        assert!(said.contains("lifts at 60 s"), "{said}");
    }

    #[test]
    fn a_target_with_a_registry_lets_it_send() {
        assert!(check_target(ACCOUNT, None).is_ok());
        assert!(check_target(ACCOUNT, Some(&standing(0, 1, true))).is_ok());
        let error = check_target(ACCOUNT, Some(&standing(0, 4, true))).unwrap_err();
        assert!(error.to_string().contains("may not send on the target"));
    }
}
