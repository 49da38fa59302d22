//! Certificates that peers served with blocks above the tip. Verified, they prove that the chain
//! is longer than this node's, where a peer's word would not.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tbsi_light::verify_certificate;
use tbsi_types::{ChainIdentity, CommitCertificate, Height, ValidatorSet};

use crate::limits::OFFERED_CERTIFICATES_MAX;

/// Not verified before they are asked about.
#[derive(Debug, Default)]
pub(crate) struct Offered(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    certificates: BTreeMap<Height, CommitCertificate>,
    proven: Height,
    /// For which next height the certificates were last looked at, in vain.
    tried: Height,
}

impl Offered {
    /// Keeps what a peer served. The lowest heights are kept, the newest of two for one height.
    pub(crate) fn offer(&self, certificates: impl IntoIterator<Item = CommitCertificate>) {
        let mut state = self.state();
        for certificate in certificates {
            if certificate.height > state.proven {
                state.certificates.insert(certificate.height, certificate);
            }
        }
        while state.certificates.len() > OFFERED_CERTIFICATES_MAX {
            state.certificates.pop_last();
        }
        state.tried = Height::GENESIS;
    }

    /// A height that was decided, at `next` or above, by a certificate of `set`, which decides
    /// `next`; genesis if there is none. Verifies two certificates at most, and none again.
    pub(crate) fn proven(&self, chain: &ChainIdentity, next: Height, set: &ValidatorSet) -> Height {
        let mut state = self.state();
        if state.proven >= next {
            return state.proven;
        }
        state.certificates = state.certificates.split_off(&next);
        if state.tried == next {
            return Height::GENESIS;
        }
        state.tried = next;
        // That of the last height proves the most, but it may be of a later set.
        let last = state.certificates.last_key_value();
        let candidates = [last, state.certificates.get_key_value(&next)];
        let proven = candidates
            .into_iter()
            .flatten()
            .find(|(_, certificate)| verify_certificate(chain, set, certificate).is_ok());
        match proven.map(|(height, _)| *height) {
            Some(height) => {
                state.proven = height;
                height
            }
            None => Height::GENESIS,
        }
    }

    /// Certificates that wait.
    pub(crate) fn len(&self) -> usize {
        self.state().certificates.len()
    }

    /// A panic of another holder leaves plain data behind: the next one may go on.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tbsi_types::{
        B256, CheckpointDigest, CommitSignature, Round, SecretKey, Validator, VotingPower,
    };

    use super::*;

    const CHAIN: ChainIdentity = ChainIdentity {
        chain_id: 7,
        genesis_hash: B256::ZERO,
    };

    fn keys(seeds: [&str; 4]) -> [SecretKey; 4] {
        seeds.map(|seed| SecretKey::from_seed(seed.as_bytes()))
    }

    fn set(keys: &[SecretKey]) -> ValidatorSet {
        let validator =
            |key: &SecretKey| Validator::new(key.public_key(), VotingPower(1), B256::ZERO);
        ValidatorSet::new(keys.iter().map(validator).collect()).unwrap()
    }

    fn certificate(height: u64, keys: &[SecretKey]) -> CommitCertificate {
        let unsigned = |signatures| {
            let digest = CheckpointDigest(B256::repeat_byte(1));
            CommitCertificate::new(Height(height), Round(0), digest, signatures).unwrap()
        };
        let digest = unsigned(vec![]).statement().digest(&CHAIN);
        let sign = |key: &SecretKey| CommitSignature {
            validator: key.public_key().address(),
            signature: key.sign(digest),
        };
        let mut signatures: Vec<_> = keys.iter().map(sign).collect();
        signatures.sort_by_key(|entry| entry.validator);
        unsigned(signatures)
    }

    #[test]
    fn only_a_certificate_proves_a_longer_chain() {
        let (now, later) = (keys(["a", "b", "c", "d"]), keys(["e", "f", "g", "h"]));
        let offered = Offered::default();
        let proven = |next: u64, keys: &[SecretKey]| {
            let height = offered.proven(&CHAIN, Height(next), &set(keys));
            height.0
        };
        assert_eq!(proven(5, &now), 0);
        // Too few, then others.
        offered.offer([certificate(5, &now[..2]), certificate(u64::MAX, &later)]);
        assert_eq!(proven(5, &now), 0);
        assert_eq!(proven(5, &now), 0);
        // The last is of the same set.
        offered.offer((5..=8).map(|height| certificate(height, &now)));
        offered.offer([certificate(8, &now)]);
        assert_eq!(proven(5, &now), 5, "that of 2^64 - 1 is not by this set");
        assert_eq!(proven(6, &now), 6);
        let offered = Offered::default();
        offered.offer((5..=8).map(|height| certificate(height, &now)));
        assert_eq!(offered.proven(&CHAIN, Height(5), &set(&now)), Height(8));
        assert_eq!(offered.proven(&CHAIN, Height(8), &set(&now)), Height(8));
        assert_eq!(offered.proven(&CHAIN, Height(9), &set(&now)), Height(0));
        assert_eq!(offered.len(), 0);
    }

    #[test]
    fn the_lowest_heights_are_kept() {
        let offered = Offered::default();
        let max = OFFERED_CERTIFICATES_MAX as u64;
        offered.offer((1..=max + 5).map(|height| certificate(height, &[])));
        assert_eq!(offered.len(), OFFERED_CERTIFICATES_MAX);
        assert!(offered.state().certificates.contains_key(&Height(1)));
    }
}
