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

/// Verifies proofs, and remembers which handovers hold: most proofs of a run begin with the very
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
        let begun = self.followed.iter().filter(|known| known.begins(bundle));
        let begun = begun.max_by_key(|known| known.handovers.len());
        let (from, anchor) = match begun {
            Some(known) => (known.handovers.len(), known.anchor),
            None => {
                verify_bundle(bundle, &self.genesis)?;
                (0, self.genesis)
            }
        };
        let mut follower = HandoverFollower::from(anchor);
        for (number, handover) in bundle.handovers.iter().enumerate().skip(from) {
            follower.follow(handover, set_after(bundle, number + 1))?;
        }
        let anchor = *follower.anchor();
        verify_bundle(bundle, &anchor)?;
        if begun.is_none() || from < bundle.handovers.len() {
            self.followed.push(Followed {
                handovers: bundle.handovers.clone(),
                last: bundle.validators.clone(),
                anchor,
            });
        }
        Ok(())
    }
}

impl Followed {
    /// Whether the proof's handovers begin with these.
    fn begins(&self, bundle: &ProofBundle) -> bool {
        bundle.handovers.starts_with(&self.handovers)
            && *set_after(bundle, self.handovers.len()) == self.last
    }
}

/// The validators after so many of a proof's handovers.
fn set_after(bundle: &ProofBundle, handovers: usize) -> &NamedValidators {
    let next = bundle.handovers.get(handovers);
    next.map_or(&bundle.validators, |next| &next.validators)
}
