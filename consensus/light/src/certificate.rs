//! Commit certificates against one validator set (SPEC §3.3, §3.7).

use alloy_primitives::{Address, B256};
use tbsi_types::{
    ChainIdentity, CommitCertificate, KeyError, Signature, ValidatorSet, VotingPower,
};

use crate::error::VerifyError;
use crate::known::KnownSignatures;

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
    let power = |address: &Address| set.get(address).map(|known| known.power);
    count_quorum(chain, certificate, power, set.total_power())
}

/// [`verify_certificate`] that need not verify again what is `known`.
pub fn verify_certificate_known(
    chain: &ChainIdentity,
    set: &ValidatorSet,
    certificate: &CommitCertificate,
    known: &KnownSignatures,
) -> Result<VerifiedCertificate, VerifyError> {
    let power = |address: &Address| set.get(address).map(|member| member.power);
    let is_by = |signer, digest, signature: &_| known.verify(signer, digest, signature);
    count(chain, certificate, power, set.total_power(), is_by)
}

/// [`verify_certificate`] for a set of which `power_of` knows the members and `total` the
/// weight.
pub(crate) fn count_quorum(
    chain: &ChainIdentity,
    certificate: &CommitCertificate,
    power_of: impl Fn(&Address) -> Option<VotingPower>,
    total: VotingPower,
) -> Result<VerifiedCertificate, VerifyError> {
    let is_by = |signer, digest, signature: &Signature| signature.verify(digest, signer);
    count(chain, certificate, power_of, total, is_by)
}

fn count(
    chain: &ChainIdentity,
    certificate: &CommitCertificate,
    power_of: impl Fn(&Address) -> Option<VotingPower>,
    total: VotingPower,
    is_by: impl Fn(Address, B256, &Signature) -> Result<(), KeyError>,
) -> Result<VerifiedCertificate, VerifyError> {
    let digest = certificate.statement().digest(chain);
    let mut signers = Vec::with_capacity(certificate.signatures().len());
    let mut power = 0u64;
    for entry in certificate.signatures() {
        let validator = entry.validator;
        let weight = power_of(&validator).ok_or(VerifyError::ForeignSigner { validator })?;
        is_by(validator, digest, &entry.signature)
            .map_err(|source| VerifyError::Signature { validator, source })?;
        power = power
            .checked_add(weight.0)
            .expect("distinct validators of a set weigh at most its total, a u64");
        signers.push(validator);
    }
    let power = VotingPower(power);
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
