//! Authorisations between organisations to use a data set (SPEC §20): what the events of their
//! contract say, and the word of its storage that says how long terms were in force.

mod abi;

use alloy_primitives::{Address, B256, U256, b256};

use crate::number::Height;
use crate::registry::{LegalRecord, element, mapping, part};
use abi::Tuple;

/// List of the versions of an authorisation, in its contract.
const VERSIONS_SLOT: u64 = 0;

/// Purposes of one authorisation.
pub const PURPOSES_MAX: usize = 16;

/// `AuthorisationOffered(uint32 indexed authorisation, uint32 indexed grantor, uint32 indexed
/// grantee, Act act)`
pub const AUTHORISATION_OFFERED: B256 =
    b256!("d92a9390e3ebfaa85fc25dfbced60bd74444c889e2a83ef5ac448992d0dba29e");

/// `AuthorisationAccepted`, with the same parameters.
pub const AUTHORISATION_ACCEPTED: B256 =
    b256!("9f56a34832f9f2b712f26b4afa14797e2ba7b6113d6c579d43d69929a2f6ab00");

/// `AuthorisationNarrowed`, with the same parameters.
pub const AUTHORISATION_NARROWED: B256 =
    b256!("37a83592c2c273fb07f93e5ac0da8ddc0e5ce18ab307d3b782ae63a4f5081974");

/// `AuthorisationRevoked(uint32 indexed authorisation, uint32 indexed grantor, uint32 indexed
/// grantee, uint32 by, address account, uint16 reason)`
pub const AUTHORISATION_REVOKED: B256 =
    b256!("9f637a083c69d37e618da9857ab92c0276e20c365c89ddb8b4d1dd8e8adb5bb6");

/// `AuthorisationReliedOn(uint32 indexed authorisation, uint32 indexed grantor, uint32 indexed
/// grantee, uint32 version, address account, bytes32 purpose, bytes32 subject)`
pub const AUTHORISATION_RELIED_ON: B256 =
    b256!("75d695fe3ff39523bb6a9840262a56abccbf4795abe07a54446f5ee67b4830ed");

/// An event of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorisationEvent {
    /// Number of the authorisation, from 1.
    pub authorisation: u32,
    /// Number of the organisation whose data set it is.
    pub grantor: u32,
    /// Number of the organisation that may use it.
    pub grantee: u32,
    /// What was done.
    pub act: AuthorisationAct,
}

/// What was done with an authorisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorisationAct {
    /// The grantor offered terms, which have no effect yet.
    Offered(Box<TermsAct>),
    /// The grantee accepted them.
    Accepted(Box<TermsAct>),
    /// Either of them took something away.
    Narrowed(Box<TermsAct>),
    /// Either of them ended it.
    Revoked {
        /// Number of the organisation.
        by: u32,
        /// Its account.
        account: Address,
        /// A code of SPEC §13.1.
        reason: u16,
    },
    /// The grantee used the data set.
    ReliedOn {
        /// Under which terms; 0 are the first.
        version: u32,
        /// The grantee's account.
        account: Address,
        /// SHA-256 of the purpose.
        purpose: B256,
        /// Digest of what was done.
        subject: B256,
    },
}

/// An act that states terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermsAct {
    /// Which terms; 0 are the first.
    pub version: u32,
    /// Number of the organisation that acted.
    pub by: u32,
    /// Its account.
    pub account: Address,
    /// What stands for the data set.
    pub data_set: B256,
    /// What is allowed.
    pub terms: AuthorisedTerms,
    /// The grantor as the registry had it.
    pub grantor: LegalRecord,
    /// The grantee as the registry had it.
    pub grantee: LegalRecord,
}

/// What an authorisation allows, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorisedTerms {
    /// SHA-256 of the agreement.
    pub agreement: B256,
    /// First second.
    pub from: u64,
    /// The second from which no longer.
    pub until: u64,
    /// SHA-256 of each purpose, ascending.
    pub purposes: Vec<B256>,
}

impl AuthorisationEvent {
    /// Reads an event from its signature's hash, its further topics and its data; `None` if it is
    /// none of these.
    pub fn decode(event: B256, topics: &[B256], data: &[u8]) -> Option<Self> {
        let [authorisation, grantor, grantee] = topics else {
            return None;
        };
        let number = |topic: &B256| u32::try_from(U256::from_be_bytes(topic.0)).ok();
        let act = match event {
            AUTHORISATION_OFFERED => AuthorisationAct::Offered(TermsAct::decode(data)?),
            AUTHORISATION_ACCEPTED => AuthorisationAct::Accepted(TermsAct::decode(data)?),
            AUTHORISATION_NARROWED => AuthorisationAct::Narrowed(TermsAct::decode(data)?),
            AUTHORISATION_REVOKED => {
                let words = Tuple::of(data);
                AuthorisationAct::Revoked {
                    by: words.number(0)?,
                    account: words.address(1)?,
                    reason: words.number(2)?,
                }
            }
            AUTHORISATION_RELIED_ON => {
                let words = Tuple::of(data);
                AuthorisationAct::ReliedOn {
                    version: words.number(0)?,
                    account: words.address(1)?,
                    purpose: words.word(2)?,
                    subject: words.word(3)?,
                }
            }
            _ => return None,
        };
        Some(Self {
            authorisation: number(authorisation)?,
            grantor: number(grantor)?,
            grantee: number(grantee)?,
            act,
        })
    }

    /// The terms, if it states any.
    pub fn stated(&self) -> Option<&TermsAct> {
        match &self.act {
            AuthorisationAct::Offered(act)
            | AuthorisationAct::Accepted(act)
            | AuthorisationAct::Narrowed(act) => Some(act),
            AuthorisationAct::Revoked { .. } | AuthorisationAct::ReliedOn { .. } => None,
        }
    }
}

impl TermsAct {
    fn decode(data: &[u8]) -> Option<Box<Self>> {
        let act = Tuple::of(data).tuple(0)?;
        let terms = act.tuple(4)?;
        Some(Box::new(Self {
            version: act.number(0)?,
            by: act.number(1)?,
            account: act.address(2)?,
            data_set: act.word(3)?,
            terms: AuthorisedTerms {
                agreement: terms.word(0)?,
                from: terms.number(1)?,
                until: terms.number(2)?,
                purposes: terms.words(3, PURPOSES_MAX)?,
            },
            grantor: party(&act.tuple(5)?)?,
            grantee: party(&act.tuple(6)?)?,
        }))
    }
}

fn party(texts: &Tuple<'_>) -> Option<LegalRecord> {
    Some(LegalRecord {
        name_zh_tw: texts.text(0)?,
        name_en: texts.text(1)?,
        tax_id: texts.text(2)?,
        lei: texts.text(3)?,
        jurisdiction: texts.text(4)?,
    })
}

impl AuthorisedTerms {
    /// Whether they allow the purpose; any, if none is asked for.
    pub fn allow(&self, purpose: Option<B256>) -> bool {
        purpose.is_none_or(|it| self.purposes.contains(&it))
    }

    /// Whether they are of this second.
    pub fn cover(&self, second: u64) -> bool {
        self.from <= second && second < self.until
    }
}

/// How long terms were in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermsInForce {
    /// Time of the block with which they began, in seconds, and its height.
    pub since: (u64, Height),
    /// Of the block with which they ended; `None` if they have not.
    pub until: Option<(u64, Height)>,
}

impl TermsInForce {
    /// The slot of a version of an authorisation; 0 is the first.
    pub fn slot(authorisation: u32, version: u32) -> U256 {
        let key = B256::from(U256::from(authorisation));
        element(mapping(key, VERSIONS_SLOT), U256::from(version))
    }

    /// Reads the word: since and until u64 each in seconds, then as heights, from the lowest bit.
    /// `None` if there is no such version.
    pub fn decode(word: U256) -> Option<Self> {
        let [since, until, since_height, until_height] =
            [0, 64, 128, 192].map(|from| part(word, from));
        (since_height != 0).then_some(Self {
            since: (since, Height(since_height)),
            until: (until_height != 0).then_some((until, Height(until_height))),
        })
    }
}

#[cfg(test)]
mod tests;
