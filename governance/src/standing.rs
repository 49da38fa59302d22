//! Who may do what, and how much of it: what the node reads of the contracts' storage for each
//! transaction (SPEC §13.4).
//!
//! Storage is read through a closure, so that the same code serves a block under execution and
//! a node that answers a client.

use alloy_primitives::{Address, U256, keccak256};

use crate::abi::{ORGANISATIONS, PERMISSIONS};

/// Mapping of organisations to their standing, in [`ORGANISATIONS`].
const STANDING_SLOT: u64 = 0;
/// Mapping of accounts to organisation and permissions, in [`PERMISSIONS`].
const ACCOUNTS_SLOT: u64 = 0;
/// Mapping of organisations to quotas.
const QUOTAS_SLOT: u64 = 1;
/// Mapping of organisations to what they used.
const USAGE_SLOT: u64 = 2;
/// Parameters, in one word.
const PARAMETERS_SLOT: u64 = 3;

/// Code of an organisation in good standing.
const ACTIVE: u8 = 1;

/// A quota without limit.
pub const UNLIMITED: u64 = u64::MAX;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions(pub u32);

impl Permissions {
    /// Send transactions.
    pub const SEND: Self = Self(1);
    /// Deploy contracts.
    pub const DEPLOY: Self = Self(2);
    /// Make entries of the attestation log.
    pub const ATTEST: Self = Self(4);
    /// Relay facts of other chains.
    pub const RELAY: Self = Self(8);
    /// Administer accounts and nodes of the organisation.
    pub const ADMINISTER: Self = Self(16);
    /// Propose motions, and cast the organisation's vote.
    pub const VOTE: Self = Self(32);

    /// Names by bit, for messages and command lines.
    pub const NAMES: [(Self, &'static str); 6] = [
        (Self::SEND, "send"),
        (Self::DEPLOY, "deploy"),
        (Self::ATTEST, "attest"),
        (Self::RELAY, "relay"),
        (Self::ADMINISTER, "administer"),
        (Self::VOTE, "vote"),
    ];

    /// Whether all of `other` is in this.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Whose account it is, and what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Number of its organisation; 0 for an account that belongs to none.
    pub organisation: u32,
    /// None, if the organisation is not in good standing.
    pub permissions: Permissions,
    /// Whether it belongs to an organisation that is suspended or has left.
    pub suspended: bool,
}

/// Gas and leaves of one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// Gas used, or allowed.
    pub gas: u64,
    /// Entries of the attestation log.
    pub leaves: u64,
}

/// Parameters of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// What an account that belongs to no organisation may do.
    pub public: Permissions,
    /// Length of a quota's period, in seconds; at least 1.
    pub period_seconds: u64,
}

impl Parameters {
    /// The number of the period that holds `seconds` of block time.
    pub fn period(&self, seconds: u64) -> u64 {
        seconds / self.period_seconds
    }

    /// When the period after the one that holds `seconds` begins.
    pub fn next_period_at(&self, seconds: u64) -> u64 {
        (self.period(seconds) + 1).saturating_mul(self.period_seconds)
    }
}

/// Reads one storage slot of a contract.
pub trait ReadSlot<E>: FnMut(Address, U256) -> Result<U256, E> {}
impl<E, F: FnMut(Address, U256) -> Result<U256, E>> ReadSlot<E> for F {}

fn mapping(key: U256, slot: u64) -> U256 {
    let preimage = [
        key.to_be_bytes::<32>(),
        U256::from(slot).to_be_bytes::<32>(),
    ];
    keccak256(preimage.concat()).into()
}

/// The `index`-th 64 bits of a word, from the low end.
fn part(word: U256, index: usize) -> u64 {
    word.as_limbs()[index]
}

fn low(word: u64) -> u32 {
    u32::try_from(word & 0xffff_ffff).unwrap_or_default()
}

/// The parameters.
pub fn parameters<E>(read: &mut impl ReadSlot<E>) -> Result<Parameters, E> {
    let word = part(read(PERMISSIONS, U256::from(PARAMETERS_SLOT))?, 0);
    Ok(Parameters {
        public: Permissions(low(word)),
        period_seconds: u64::from(low(word >> 32)).max(1),
    })
}

/// Whose account `address` is.
pub fn standing<E>(
    read: &mut impl ReadSlot<E>,
    parameters: &Parameters,
    address: Address,
) -> Result<Standing, E> {
    let key = address.into_word().into();
    let word = part(read(PERMISSIONS, mapping(key, ACCOUNTS_SLOT))?, 0);
    let (organisation, permissions) = (low(word), Permissions(low(word >> 32)));
    if organisation == 0 {
        return Ok(Standing {
            organisation,
            permissions: parameters.public,
            suspended: false,
        });
    }
    let key = U256::from(organisation);
    let status = read(ORGANISATIONS, mapping(key, STANDING_SLOT))?.byte(0);
    let suspended = status != ACTIVE;
    Ok(Standing {
        organisation,
        permissions: if suspended {
            Permissions(0)
        } else {
            permissions
        },
        suspended,
    })
}

/// What an organisation may use in a period.
pub fn quota<E>(read: &mut impl ReadSlot<E>, organisation: u32) -> Result<Amounts, E> {
    let word = read(PERMISSIONS, mapping(U256::from(organisation), QUOTAS_SLOT))?;
    Ok(Amounts {
        gas: part(word, 0),
        leaves: part(word, 1),
    })
}

/// What an organisation has used in `period`.
pub fn usage<E>(read: &mut impl ReadSlot<E>, organisation: u32, period: u64) -> Result<Amounts, E> {
    let word = read(PERMISSIONS, mapping(U256::from(organisation), USAGE_SLOT))?;
    if part(word, 0) != period {
        return Ok(Amounts { gas: 0, leaves: 0 });
    }
    Ok(Amounts {
        gas: part(word, 1),
        leaves: part(word, 2),
    })
}

/// Why a transaction may not be in a block now, for whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The account lacks a permission.
    #[error(
        "account {account} of {} may not {permission}; {remedy}",
        organisation_words(*.organisation)
    )]
    Permission {
        /// The sender.
        account: Address,
        /// Number of its organisation; 0 for none.
        organisation: u32,
        /// What it lacks.
        permission: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The organisation is suspended or has left.
    #[error(
        "account {account} belongs to organisation {organisation}, which is suspended or has left; a motion can reinstate it"
    )]
    Suspended {
        /// The sender.
        account: Address,
        /// Number of its organisation.
        organisation: u32,
    },
    /// The quota of the period is used up.
    #[error(
        "quota of {what} of {} exceeded: {used} used of {limit} in this period, {asked} asked for; the limit lifts at {lifts_at} (Unix time)",
        organisation_words(*.organisation)
    )]
    Quota {
        /// Number of the organisation; 0 for all accounts that belong to none.
        organisation: u32,
        /// Gas or leaves.
        what: &'static str,
        /// In this period so far.
        used: u64,
        /// In a period.
        limit: u64,
        /// By the transaction.
        asked: u64,
        /// When the next period begins, in seconds of block time.
        lifts_at: u64,
    },
}

fn organisation_words(organisation: u32) -> String {
    match organisation {
        0 => "no organisation".into(),
        number => format!("organisation {number}"),
    }
}

impl Denied {
    /// That an account lacks a permission.
    pub fn permission(account: Address, standing: &Standing, needed: Permissions) -> Self {
        let organisation = standing.organisation;
        if standing.suspended {
            return Self::Suspended {
                account,
                organisation,
            };
        }
        let name = Permissions::NAMES.iter().find(|(bit, _)| *bit == needed);
        Self::Permission {
            account,
            organisation,
            permission: name.map_or("do this", |(_, name)| name),
            remedy: match organisation {
                0 => {
                    "an administrator of an organisation of this chain adds it first: `tbsi org consent` by the account, then `tbsi org add-account`"
                }
                _ => "an administrator of the organisation can grant it: `tbsi org add-account`",
            },
        }
    }
}

/// Whether `asked` more fits under the quota. What asks for none of something fits, although
/// more than the limit of it may have been used: limits change.
pub fn within_quota(
    organisation: u32,
    used: Amounts,
    limit: Amounts,
    asked: Amounts,
    lifts_at: u64,
) -> Result<(), Denied> {
    let checks = [
        ("gas", used.gas, limit.gas, asked.gas),
        ("leaves", used.leaves, limit.leaves, asked.leaves),
    ];
    for (what, used, limit, asked) in checks {
        if asked > 0 && limit != UNLIMITED && used.saturating_add(asked) > limit {
            return Err(Denied::Quota {
                organisation,
                what,
                used,
                limit,
                asked,
                lifts_at,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use super::*;

    type Words = BTreeMap<(Address, U256), U256>;

    fn reader(words: &Words) -> impl ReadSlot<Infallible> + '_ {
        |address, slot| Ok(words.get(&(address, slot)).copied().unwrap_or_default())
    }

    fn account(words: &mut Words, address: Address, organisation: u64, bits: u64) {
        let slot = mapping(address.into_word().into(), ACCOUNTS_SLOT);
        let word = U256::from(organisation | bits << 32);
        words.insert((PERMISSIONS, slot), word);
    }

    #[test]
    fn an_account_has_the_permissions_of_its_organisations_standing() {
        let (known, stranger) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let mut words = Words::new();
        words.insert((PERMISSIONS, U256::from(3)), U256::from(1u64 | 60 << 32));
        account(&mut words, known, 7, 5);
        let parameters = parameters(&mut reader(&words)).unwrap();
        assert_eq!(parameters.period_seconds, 60);
        let of = |words: &Words, who| standing(&mut reader(words), &parameters, who).unwrap();
        assert_eq!(of(&words, stranger).permissions, Permissions::SEND);
        assert!(of(&words, known).suspended);
        assert_eq!(of(&words, known).permissions, Permissions(0));
        let slot = mapping(U256::from(7), STANDING_SLOT);
        words.insert((ORGANISATIONS, slot), U256::from(0x0301));
        assert_eq!(of(&words, known).permissions, Permissions(5));
        words.insert((ORGANISATIONS, slot), U256::from(0x0302));
        assert!(of(&words, known).suspended);
    }

    #[test]
    fn usage_counts_in_its_own_period_only() {
        let mut words = Words::new();
        let slot = mapping(U256::from(7), USAGE_SLOT);
        let word = U256::from(9) | U256::from(100) << 64 | U256::from(3) << 128;
        words.insert((PERMISSIONS, slot), word);
        let of = |period| usage(&mut reader(&words), 7, period).unwrap();
        assert_eq!(
            of(9),
            Amounts {
                gas: 100,
                leaves: 3
            }
        );
        assert_eq!(of(10), Amounts { gas: 0, leaves: 0 });
    }

    #[test]
    fn a_refusal_says_which_limit_and_when_it_lifts() {
        let used = Amounts { gas: 90, leaves: 0 };
        let limit = Amounts {
            gas: 100,
            leaves: UNLIMITED,
        };
        let fits = Amounts {
            gas: 10,
            leaves: u64::MAX,
        };
        assert_eq!(within_quota(3, used, limit, fits, 120), Ok(()));
        let more = Amounts { gas: 11, leaves: 0 };
        let lowered = Amounts { gas: 5, leaves: 0 };
        let none = Amounts { gas: 0, leaves: 1 };
        assert!(within_quota(3, used, lowered, none, 120).is_err());
        let lowered = Amounts { gas: 5, leaves: 1 };
        assert_eq!(within_quota(3, used, lowered, none, 120), Ok(()));
        let words = within_quota(3, used, limit, more, 120)
            .unwrap_err()
            .to_string();
        for part in ["gas", "organisation 3", "90 used of 100", "11 asked", "120"] {
            assert!(words.contains(part), "{words}: {part}");
        }
    }
}
