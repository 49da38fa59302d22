//! Signatures that were found good: a node sees each several times, in messages, in votes that it
//! counts and in the certificate that they make, and verifies it once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use alloy_primitives::{Address, B256};
use tbsi_types::{KeyError, Signature};

/// Signatures that are remembered.
pub const KNOWN_SIGNATURES_MAX: usize = 8_192;

/// Verifies signatures, and remembers the last good ones.
#[derive(Debug, Default)]
pub struct KnownSignatures(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    signatures: BTreeMap<Signature, (B256, Address)>,
    /// Oldest first.
    order: VecDeque<Signature>,
}

impl KnownSignatures {
    /// Verifies that `signature` over `digest` is by `signer`, by the rule of
    /// [`Signature::recover`].
    ///
    /// Only what verified is remembered, with all that it was verified for.
    pub fn verify(
        &self,
        signer: Address,
        digest: B256,
        signature: &Signature,
    ) -> Result<(), KeyError> {
        if self.known().signatures.get(signature) == Some(&(digest, signer)) {
            return Ok(());
        }
        signature.verify(digest, signer)?;
        self.known().remember(*signature, (digest, signer));
        Ok(())
    }

    /// A panic of another holder leaves plain data behind: the next one may go on.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn remember(&mut self, signature: Signature, of: (B256, Address)) {
        if self.signatures.insert(signature, of).is_some() {
            return;
        }
        self.order.push_back(signature);
        if self.order.len() > KNOWN_SIGNATURES_MAX
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

    #[test]
    fn what_was_verified_for_one_digest_and_key_is_not_for_another() {
        let known = KnownSignatures::default();
        let keys = [b"a", b"b"].map(|seed| SecretKey::from_seed(seed));
        let [one, other] = [1, 2].map(B256::repeat_byte);
        let signature = keys[0].sign(one);
        let [a, b] = keys.map(|key| key.public_key().address());
        // Twice: the second time from memory.
        for _ in 0..2 {
            assert_eq!(known.verify(a, one, &signature), Ok(()));
            assert!(known.verify(a, other, &signature).is_err());
            let wrong = KeyError::WrongSigner {
                expected: b,
                got: a,
            };
            assert_eq!(known.verify(b, one, &signature), Err(wrong));
            let abstained = known.verify(a, one, &Signature::ABSTAINED);
            assert_eq!(abstained, Err(KeyError::Signature));
        }
    }

    #[test]
    fn the_oldest_give_way() {
        let mut known = Known::default();
        for number in 0..KNOWN_SIGNATURES_MAX as u64 + 10 {
            let mut signature = Signature::ABSTAINED;
            signature.0[..8].copy_from_slice(&number.to_be_bytes());
            known.remember(signature, (B256::ZERO, Address::ZERO));
            known.remember(signature, (B256::ZERO, Address::ZERO));
        }
        assert_eq!(known.signatures.len(), KNOWN_SIGNATURES_MAX);
        assert_eq!(known.order.len(), KNOWN_SIGNATURES_MAX);
        assert!(!known.signatures.contains_key(&Signature::ABSTAINED));
    }
}
