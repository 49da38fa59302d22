//! Proof bundles, from what the verifier trusts to the leaf (SPEC §10.4).

mod error;
mod report;

use alloy_primitives::B256;
use tbsi_types::log::{Leaf, leaf_hash};
use tbsi_types::{
    ChainIdentity, Checkpoint, CheckpointDigest, Decision, Genesis, Handover, Height,
    NamedValidators, ProofBundle, TimestampMs,
};

pub use error::{DecisionError, VerifyBundleError};
pub use report::{NamedSigner, VerificationStep, VerifiedBundle, VerifiedDecision};

use crate::certificate::count_quorum;
use crate::error::VerifyError;
use crate::log::verify_inclusion;

/// What the verifier trusts before it reads a bundle: a network, and who decides its heights
/// from a certain one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustAnchor {
    chain: ChainIdentity,
    height: Height,
    time: TimestampMs,
    /// `None` for genesis, which nobody signs.
    digest: Option<CheckpointDigest>,
    validator_set_hash: B256,
    next_validator_set_hash: B256,
}

impl TrustAnchor {
    /// Trusts a genesis file.
    pub fn genesis(genesis: &Genesis) -> Result<Self, VerifyError> {
        genesis.check()?;
        let set = genesis.validator_set()?.hash();
        Ok(Self {
            chain: genesis.identity(),
            height: Height::GENESIS,
            time: genesis.time_ms,
            digest: None,
            validator_set_hash: set,
            next_validator_set_hash: set,
        })
    }

    /// Trusts a checkpoint above genesis, verified earlier or published by somebody trusted.
    /// A bundle must then be of its height or a later one.
    pub fn checkpoint(genesis_hash: B256, checkpoint: &Checkpoint) -> Self {
        let chain = ChainIdentity {
            chain_id: checkpoint.chain_id,
            genesis_hash,
        };
        Self::after(&chain, checkpoint)
    }

    /// Trusts a validator set as the one that decides all heights up to the first handover
    /// that a bundle shows.
    pub fn validator_set(chain: ChainIdentity, validator_set_hash: B256) -> Self {
        Self {
            chain,
            height: Height::GENESIS,
            time: TimestampMs(0),
            digest: None,
            validator_set_hash,
            next_validator_set_hash: validator_set_hash,
        }
    }

    fn after(chain: &ChainIdentity, checkpoint: &Checkpoint) -> Self {
        Self {
            chain: *chain,
            height: checkpoint.height,
            time: checkpoint.time,
            digest: Some(checkpoint.digest(chain)),
            validator_set_hash: checkpoint.validator_set_hash,
            next_validator_set_hash: checkpoint.next_validator_set_hash,
        }
    }

    /// From which height on it is trusted who decides.
    pub fn height(&self) -> Height {
        self.height
    }

    /// The network.
    pub fn chain(&self) -> ChainIdentity {
        self.chain
    }

    /// Verifies a decision of `validators` as following from this, and what follows from it
    /// in turn.
    fn extend(
        &self,
        decision: &Decision,
        validators: &NamedValidators,
    ) -> Result<(Self, VerifiedDecision), DecisionError> {
        let checkpoint = &decision.checkpoint;
        self.check_place(checkpoint)?;
        let expected = if checkpoint.height == self.height {
            self.validator_set_hash
        } else {
            self.next_validator_set_hash
        };
        let got = checkpoint.validator_set_hash;
        if got != expected {
            return Err(DecisionError::ValidatorSet { expected, got });
        }
        let got = validators.hash();
        if got != expected {
            return Err(DecisionError::Names { expected, got });
        }
        let certificate = &decision.certificate;
        if certificate.height != checkpoint.height {
            return Err(DecisionError::CertificateHeight {
                checkpoint: checkpoint.height,
                certificate: certificate.height,
            });
        }
        let computed = checkpoint.digest(&self.chain);
        let decided = certificate.checkpoint_digest;
        if computed != decided {
            return Err(DecisionError::Digest { computed, decided });
        }
        let power = |address: &_| validators.get(address).map(|known| known.power);
        let total = validators.total_power();
        let verified = count_quorum(&self.chain, certificate, power, total)?;
        let next = Self::after(&self.chain, checkpoint);
        let decision = report::decision(checkpoint, computed, validators, &verified);
        Ok((next, decision))
    }

    /// Chain, height and time; and the same checkpoint if it is the same height.
    fn check_place(&self, checkpoint: &Checkpoint) -> Result<(), DecisionError> {
        let (expected, got) = (self.chain.chain_id, checkpoint.chain_id);
        if got != expected {
            return Err(DecisionError::ChainId { expected, got });
        }
        let (trusted, got) = (self.height, checkpoint.height);
        if got.0 == 0 {
            return Err(DecisionError::GenesisHeight);
        }
        if got < trusted {
            return Err(DecisionError::Before { trusted, got });
        }
        if got == trusted {
            self.check_not_forked(checkpoint)?;
        } else if checkpoint.time <= self.time {
            return Err(DecisionError::Time {
                before: self.time,
                got: checkpoint.time,
            });
        }
        Ok(())
    }

    /// That a checkpoint of the trusted height is the trusted one.
    fn check_not_forked(&self, checkpoint: &Checkpoint) -> Result<(), DecisionError> {
        let height = checkpoint.height;
        let same = || self.digest == Some(checkpoint.digest(&self.chain));
        if height == self.height && !same() {
            return Err(DecisionError::Fork { height });
        }
        Ok(())
    }
}

/// Verifies that the bundle's leaf is in the log of the anchor's network, decided by named
/// validators whom the anchor's validator set, or sets that it handed over to one by one,
/// vouch for. Nothing is fetched; the same bundle and anchor always give the same answer.
///
/// What it does not say: that no later leaf revokes this one, and that validators who have
/// since been replaced did not sign another history together.
pub fn verify_bundle(
    bundle: &ProofBundle,
    anchor: &TrustAnchor,
) -> Result<VerifiedBundle, VerifyBundleError> {
    let (expected, got) = (anchor.chain.genesis_hash, bundle.genesis_hash);
    if got != expected {
        return Err(VerifyBundleError::Genesis { expected, got });
    }
    let leaf = Leaf::decode(&bundle.leaf)?;
    let checkpoint = &bundle.decision.checkpoint;
    check_leaf(&leaf, anchor, checkpoint)?;
    verify_inclusion(
        leaf_hash(&bundle.leaf),
        bundle.leaf_index,
        checkpoint.log_size,
        &bundle.inclusion,
        checkpoint.log_root,
    )?;
    let (anchor, handovers) = follow(&bundle.handovers, &bundle.validators, anchor)?;
    let (_, decision) = anchor
        .extend(&bundle.decision, &bundle.validators)
        .map_err(VerifyBundleError::Decision)?;
    Ok(VerifiedBundle {
        leaf,
        leaf_index: bundle.leaf_index,
        decision,
        handovers,
    })
}

/// That a leaf is of the anchor's chain and of the checkpoint's block or an earlier one.
pub(crate) fn check_leaf(
    leaf: &Leaf,
    anchor: &TrustAnchor,
    checkpoint: &Checkpoint,
) -> Result<(), VerifyBundleError> {
    let (expected, got) = (anchor.chain.chain_id, leaf.head.chain_id);
    if got != expected {
        return Err(VerifyBundleError::LeafChainId { expected, got });
    }
    let (height, time) = (leaf.head.height, leaf.head.time);
    let later = height > checkpoint.height || time > checkpoint.time;
    let same_height = height == checkpoint.height;
    if later || same_height != (time == checkpoint.time) {
        return Err(VerifyBundleError::LeafPlace {
            leaf: (height, time),
            checkpoint: (checkpoint.height, checkpoint.time),
        });
    }
    Ok(())
}

/// Verifies a decision of `validators` without a leaf, from the anchor through `handovers` in
/// their order. Returns what may be trusted from now on, and what was decided.
pub fn verify_decision(
    decision: &Decision,
    validators: &NamedValidators,
    handovers: &[Handover],
    anchor: &TrustAnchor,
) -> Result<(TrustAnchor, VerifiedDecision), VerifyBundleError> {
    let (anchor, _) = follow(handovers, validators, anchor)?;
    anchor
        .extend(decision, validators)
        .map_err(VerifyBundleError::Decision)
}

/// Follows one change of the validator set after the other, in constant memory: the set that
/// decides now is all that is kept (SPEC §10.6).
#[derive(Clone, Debug)]
pub struct HandoverFollower {
    anchor: TrustAnchor,
    followed: u64,
}

impl HandoverFollower {
    /// From what is trusted.
    pub fn from(anchor: TrustAnchor) -> Self {
        Self {
            anchor,
            followed: 0,
        }
    }

    /// What is trusted by now.
    pub fn anchor(&self) -> &TrustAnchor {
        &self.anchor
    }

    /// Handovers that were verified.
    pub fn followed(&self) -> u64 {
        self.followed
    }

    /// Verifies a handover to `next`; one that lies before what is trusted is passed over.
    pub fn follow(
        &mut self,
        handover: &Handover,
        next: &NamedValidators,
    ) -> Result<(), VerifyBundleError> {
        let one = std::slice::from_ref(handover);
        let followed = follow(one, next, &self.anchor);
        if let Err(VerifyBundleError::Handover { source, .. }) = followed {
            let number = usize::try_from(self.followed).map_or(usize::MAX, |it| it + 1);
            return Err(VerifyBundleError::Handover { number, source });
        }
        let (anchor, verified) = followed?;
        self.anchor = anchor;
        self.followed += verified.len() as u64;
        Ok(())
    }
}

type Followed = (TrustAnchor, Vec<(VerifiedDecision, VerifiedDecision)>);

/// From the anchor through handovers, the last of which is to `last_set`. Those that lie before
/// the anchor are passed over, unverified and unreported: what they lead to is trusted already.
fn follow(
    handovers: &[Handover],
    last_set: &NamedValidators,
    anchor: &TrustAnchor,
) -> Result<Followed, VerifyBundleError> {
    let mut anchor = *anchor;
    let trusted = anchor.height;
    let mut verified = Vec::with_capacity(handovers.len());
    for (position, handover) in handovers.iter().enumerate() {
        let number = position + 1;
        let fail = |source| VerifyBundleError::Handover { number, source };
        let (last, first) = (&handover.last.checkpoint, &handover.first.checkpoint);
        // A bundle may start at genesis, and its reader at a later checkpoint.
        if verified.is_empty() && first.height <= trusted {
            anchor.check_not_forked(first).map_err(fail)?;
            continue;
        }
        if last.next_validator_set_hash == last.validator_set_hash {
            return Err(fail(DecisionError::NoHandover {
                height: last.height,
            }));
        }
        if first.height.above(last.height) != 1 {
            return Err(fail(DecisionError::NotNext {
                last: last.height,
                first: first.height,
            }));
        }
        let old = anchor.extend(&handover.last, &handover.validators);
        let (between, last) = old.map_err(fail)?;
        let next_set = handovers
            .get(number)
            .map_or(last_set, |next| &next.validators);
        let new = between.extend(&handover.first, next_set);
        let (next, first) = new.map_err(fail)?;
        anchor = next;
        verified.push((last, first));
    }
    Ok((anchor, verified))
}
