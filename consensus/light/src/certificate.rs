//! Commit certificates against one validator set (SPEC §3.3, §3.7).

use alloy_primitives::{Address, B256};
use tbsi_types::{
    ChainIdentity, CommitCertificate, KeyError, Signature, ValidatorSet, VotingPower,
};

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
    let power = |address: &Address| set.get(address).map(|known| known.power);
    count_quorum(chain, certificate, power, set.total_power())
}

/// [`verify_certificate`] for a set of which `power_of` knows the members and `total` the
/// weight. A signature is a member's if its address recovers from it, as on an EVM.
pub(crate) fn count_quorum(
    chain: &ChainIdentity,
    certificate: &CommitCertificate,
    power_of: impl Fn(&Address) -> Option<VotingPower>,
    total: VotingPower,
) -> Result<VerifiedCertificate, VerifyError> {
    let digest = certificate.statement().digest(chain);
    let mut signers = Vec::with_capacity(certificate.signatures().len());
    let mut power = 0u64;
    for entry in certificate.signatures() {
        let validator = entry.validator;
        let weight = power_of(&validator).ok_or(VerifyError::ForeignSigner { validator })?;
        verify_signer(digest, validator, &entry.signature)
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

fn verify_signer(digest: B256, expected: Address, signature: &Signature) -> Result<(), KeyError> {
    let got = signature.recover(digest)?;
    if got != expected {
        return Err(KeyError::WrongSigner { expected, got });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
