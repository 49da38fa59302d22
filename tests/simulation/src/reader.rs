//! Who verifies proofs offline, from genesis on.

use tbsi_light::{HandoverFollower, TrustAnchor, VerifyBundleError, verify_bundle};
use tbsi_types::{Genesis, Handover, NamedValidators, ProofBundle};

/// Handovers that hold, and what may be trusted after them.
#[derive(Debug)]
struct Followed {
    handovers: Vec<Handover>,
    last: NamedValidators,
    anchor: TrustAnchor,
}

/// Verifies proofs, and remembers which handovers hold: most proofs of a run come with the very
/// same ones.
#[derive(Debug)]
pub struct Reader {
    genesis: TrustAnchor,
    followed: Vec<Followed>,
}

impl Reader {
    /// Who trusts a genesis file and nothing else.
    pub fn new(genesis: &Genesis) -> Self {
        Self {
            genesis: TrustAnchor::genesis(genesis).expect("a good genesis"),
            followed: Vec::new(),
        }
    }

    /// Why a proof does not hold.
    pub fn verify(&mut self, bundle: &ProofBundle) -> Result<(), String> {
        self.judge(bundle).map_err(|error| error.to_string())
    }

    fn judge(&mut self, bundle: &ProofBundle) -> Result<(), VerifyBundleError> {
        let same = |known: &&Followed| {
            known.handovers == bundle.handovers && known.last == bundle.validators
        };
        if let Some(known) = self.followed.iter().find(same) {
            return verify_bundle(bundle, &known.anchor).map(drop);
        }
        verify_bundle(bundle, &self.genesis)?;
        let mut follower = HandoverFollower::from(self.genesis);
        for (number, handover) in bundle.handovers.iter().enumerate() {
            let next = bundle.handovers.get(number + 1);
            let next = next.map_or(&bundle.validators, |next| &next.validators);
            follower.follow(handover, next)?;
        }
        self.followed.push(Followed {
            handovers: bundle.handovers.clone(),
            last: bundle.validators.clone(),
            anchor: *follower.anchor(),
        });
        Ok(())
    }
}
