//! Signatures of one chain: the network verifies before it passes a message on, and neither the
//! engine nor the chain need do the same work again.

use std::sync::Arc;

use tbsi_light::KnownSignatures;
use tbsi_types::{B256, ChainIdentity, PublicKey, Signature};

/// Verifies signatures of one chain, and shares what it knows.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    chain: ChainIdentity,
    known: Arc<KnownSignatures>,
}

impl Verified {
    pub(crate) fn new(chain: ChainIdentity, known: Arc<KnownSignatures>) -> Self {
        Self { chain, known }
    }

    pub(crate) fn chain(&self) -> &ChainIdentity {
        &self.chain
    }

    /// Whether `signature` over `digest` is by `key`.
    pub(crate) fn is_by(&self, key: &PublicKey, digest: B256, signature: &Signature) -> bool {
        let verified = self.known.verify(key.address(), digest, signature);
        verified.is_ok()
    }
}
