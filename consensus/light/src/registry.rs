//! Whose account an issuer's was, and under which legal name: words of the registry's contracts,
//! proven under the state root of the bundle's checkpoint (SPEC §10.11).

use alloy_primitives::{Address, B256};
use tbsi_types::bundle::RegistryPart;
use tbsi_types::contracts::{ORGANISATIONS, PERMISSIONS};
use tbsi_types::{Height, InForce, LegalRecord, Membership};

use crate::bundle::VerifiedBundle;
use crate::foreign::ProofError;
use crate::foreign::shared::SharedNodes;

/// An issuer's organisation when it issued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvenIssuer {
    /// Number of the organisation.
    pub organisation: u32,
    /// Its legal names and identifiers in the issuer's block.
    pub legal: LegalRecord,
    /// Since when the account was the organisation's, and until when as far as is known.
    pub membership: InForce,
    /// Since when the organisation had these names, and until when as far as is known.
    pub record: InForce,
    /// Up to which block it is known.
    pub known: Height,
}

/// Why it is not proven whose account it was. Each is final.
#[derive(Debug, thiserror::Error)]
pub enum ProveIssuerError {
    /// Nodes that do not lead to the words.
    #[error("proof of the registry")]
    Nodes(#[from] ProofError),
    /// The account has no such membership.
    #[error("account {account} has no membership {position} in the registry")]
    NoMembership {
        /// The issuer's.
        account: Address,
        /// Asked for.
        position: u32,
    },
    /// It had joined later, or left before.
    #[error(
        "account {account} was of organisation {organisation} from block {} to {}, not in the \
         whole of block {height}", .in_force.since, until(.in_force)
    )]
    NotMember {
        /// The issuer's.
        account: Address,
        /// Number of the organisation.
        organisation: u32,
        /// When it was its account.
        in_force: InForce,
        /// Of the issuer's statement.
        height: Height,
    },
    /// The organisation had other names then.
    #[error(
        "record {position} of organisation {organisation} held from block {} to {}, not in the \
         whole of block {height}", .in_force.since, until(.in_force)
    )]
    NotInForce {
        /// Number of the organisation.
        organisation: u32,
        /// Which record.
        position: u32,
        /// When it held.
        in_force: InForce,
        /// Of the issuer's statement.
        height: Height,
    },
    /// Names or identifiers that are not those of the registry.
    #[error("organisation {organisation} has a record of hash {expected}, the proof's is {got}")]
    Record {
        /// Number of the organisation.
        organisation: u32,
        /// In the registry.
        expected: B256,
        /// Of what the proof says.
        got: B256,
    },
}

fn until(in_force: &InForce) -> String {
    let until = in_force.until.map(|until| until.to_string());
    until.unwrap_or_else(|| "now".into())
}

/// Proves whose account it was that made the bundle's leaf. Nothing is fetched; the same part and
/// bundle always give the same answer.
///
/// What it does not say: that the organisation wanted what its account did.
pub fn prove_issuer(
    part: &RegistryPart,
    bundle: &VerifiedBundle,
) -> Result<ProvenIssuer, ProveIssuerError> {
    let (account, height) = (bundle.issuer(), bundle.leaf.head.height);
    let checkpoint = &bundle.decision.checkpoint;
    let mut nodes = SharedNodes::new(checkpoint.state_root, &part.nodes);
    let position = part.membership;
    let word = nodes.word(PERMISSIONS, Membership::slot(account, position))?;
    let membership = Membership::decode(word);
    let Some(membership) = membership else {
        return Err(ProveIssuerError::NoMembership { account, position });
    };
    let (organisation, in_force) = (membership.organisation, membership.in_force);
    if !in_force.covers(height) {
        return Err(ProveIssuerError::NotMember {
            account,
            organisation,
            in_force,
            height,
        });
    }
    let [hash, heights] = LegalRecord::slots(organisation, part.record);
    let expected = B256::from(nodes.word(ORGANISATIONS, hash)?);
    let record = LegalRecord::heights(nodes.word(ORGANISATIONS, heights)?);
    nodes.end()?;
    let got = part.legal.hash(organisation);
    if got != expected {
        return Err(ProveIssuerError::Record {
            organisation,
            expected,
            got,
        });
    }
    if !record.covers(height) {
        return Err(ProveIssuerError::NotInForce {
            organisation,
            position: part.record,
            in_force: record,
            height,
        });
    }
    Ok(ProvenIssuer {
        organisation,
        legal: part.legal.clone(),
        membership: in_force,
        record,
        known: checkpoint.height,
    })
}
