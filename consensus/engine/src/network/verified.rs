//! Signatures that were found good: the network verifies before it passes a message on, and the
//! engine need not do the same work again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tbsi_types::{B256, ChainIdentity, PublicKey, Signature};

use crate::limits::VERIFIED_SIGNATURES_MAX;

/// Verifies signatures of one chain, and remembers the last good ones.
#[derive(Debug)]
pub(crate) struct Verified {
    chain: ChainIdentity,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    signatures: BTreeMap<Signature, (B256, PublicKey)>,
    /// Oldest first.
    order: VecDeque<Signature>,
}

impl Verified {
    pub(crate) fn new(chain: ChainIdentity) -> Self {
        Self {
            chain,
            known: Mutex::default(),
        }
    }

    pub(crate) fn chain(&self) -> &ChainIdentity {
        &self.chain
    }

    /// Whether `signature` over `digest` is by `key`.
    ///
    /// Only what verified is remembered, with all that it was verified for.
    pub(crate) fn is_by(&self, key: &PublicKey, digest: B256, signature: &Signature) -> bool {
        if self.known().signatures.get(signature) == Some(&(digest, *key)) {
            return true;
        }
        let good = key.verify(digest, signature).is_ok();
        if good {
            self.known().remember(*signature, (digest, *key));
        }
        good
    }

    /// A panic of another holder leaves plain data behind: the next one may go on.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn remember(&mut self, signature: Signature, of: (B256, PublicKey)) {
        if self.signatures.insert(signature, of).is_some() {
            return;
        }
        self.order.push_back(signature);
        if self.order.len() > VERIFIED_SIGNATURES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.signatures.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use tbsi_types::SecretKey;

    use super::*;

    fn verified() -> Verified {
        Verified::new(ChainIdentity {
            chain_id: 7,
            genesis_hash: B256::repeat_byte(1),
        })
    }

    #[test]
    fn what_was_verified_for_one_digest_and_key_is_not_for_another() {
        let verified = verified();
        let keys = [b"a", b"b"].map(|seed| SecretKey::from_seed(seed));
        let [one, other] = [1, 2].map(B256::repeat_byte);
        let signature = keys[0].sign(one);
        let [a, b] = keys.map(|key| key.public_key());
        // Twice: the second time from memory.
        for _ in 0..2 {
            assert!(verified.is_by(&a, one, &signature));
            assert!(!verified.is_by(&a, other, &signature));
            assert!(!verified.is_by(&b, one, &signature));
            assert!(!verified.is_by(&a, one, &Signature::ABSTAINED));
        }
    }

    #[test]
    fn the_oldest_give_way() {
        let mut known = Known::default();
        let key = SecretKey::from_seed(b"a").public_key();
        for number in 0..VERIFIED_SIGNATURES_MAX as u64 + 10 {
            let mut signature = Signature::ABSTAINED;
            signature.0[..8].copy_from_slice(&number.to_be_bytes());
            known.remember(signature, (B256::ZERO, key));
            known.remember(signature, (B256::ZERO, key));
        }
        assert_eq!(known.signatures.len(), VERIFIED_SIGNATURES_MAX);
        assert_eq!(known.order.len(), VERIFIED_SIGNATURES_MAX);
        assert!(!known.signatures.contains_key(&Signature::ABSTAINED));
    }
}
