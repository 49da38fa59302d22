//! Commit certificates against one validator set (SPEC §3.3, §3.7).

use alloy_primitives::Address;
use tbsi_types::{ChainIdentity, CommitCertificate, ValidatorSet, VotingPower};

use crate::error::VerifyError;

/// A certificate whose every signature verified and whose signers are a quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedCertificate {
    /// Who signed, in address order.
    pub signers: Vec<Address>,
    /// Their voting power.
    pub power: VotingPower,
    /// Voting power of the whole set.
    pub total: VotingPower,
}

/// Verifies `certificate` as a decision of `set` on the network `chain`.
///
/// One invalid or foreign signature condemns the whole certificate, even beside a quorum of
/// valid ones: two verifiers that skipped differently would disagree. That no validator
/// counts twice is already a promise of [`CommitCertificate`].
pub fn verify_certificate(
    chain: &ChainIdentity,
    set: &ValidatorSet,
    certificate: &CommitCertificate,
) -> Result<VerifiedCertificate, VerifyError> {
    let digest = certificate.statement().digest(chain);
    let mut signers = Vec::with_capacity(certificate.signatures().len());
    let mut power = 0u64;
    for entry in certificate.signatures() {
        let validator = entry.validator;
        let known = set
            .get(&validator)
            .ok_or(VerifyError::ForeignSigner { validator })?;
        known
            .public_key
            .verify(digest, &entry.signature)
            .map_err(|source| VerifyError::Signature { validator, source })?;
        power = power
            .checked_add(known.power.0)
            .expect("distinct validators of a set weigh at most its total, a u64");
        signers.push(validator);
    }
    let (power, total) = (VotingPower(power), set.total_power());
    if !power.is_quorum_of(total) {
        return Err(VerifyError::BelowQuorum { power, total });
    }
    Ok(VerifiedCertificate {
        signers,
        power,
        total,
    })
}

#[cfg(test)]
mod tests;
