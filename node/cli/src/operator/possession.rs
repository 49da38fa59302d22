//! Proofs that an organisation has the keys that it registers.

use tbsi_governance::contracts::Signature;
use tbsi_governance::possession::{KeyUse, digest};
use tbsi_keys::keyfile::{LogKey, NodeKey};
use tbsi_types::{B256, SecretKey};

use crate::govern::Writer;

/// How long a proof is valid, from the latest block on.
const VALID_SECONDS: u64 = 3_600;

/// Signs for one organisation on one chain, until a deadline.
pub(crate) struct Prover<'a> {
    writer: &'a Writer,
    pub(crate) deadline: u64,
}

impl<'a> Prover<'a> {
    /// For the organisation of the account.
    pub(crate) fn new(writer: &'a Writer) -> Self {
        Self {
            writer,
            deadline: writer.registry.now.saturating_add(VALID_SECONDS),
        }
    }

    fn digest(&self, key_use: KeyUse, key: &[u8]) -> B256 {
        let (chain, organisation) = (&self.writer.registry.chain, self.writer.organisation);
        digest(chain, organisation, key_use, key, self.deadline)
    }

    pub(crate) fn peer(&self, key: &NodeKey) -> Signature {
        let digest = self.digest(KeyUse::Peer, &key.public_key());
        ed25519(&key.sign(digest.as_slice()))
    }

    pub(crate) fn log(&self, key: &LogKey) -> Signature {
        let digest = self.digest(KeyUse::Log, &key.public_key());
        ed25519(&key.sign(digest.as_slice()))
    }

    pub(crate) fn validator(&self, key: &SecretKey) -> Signature {
        let digest = self.digest(KeyUse::Validator, &key.public_key().encode());
        let signature = key.sign(digest).0;
        Signature {
            r: B256::from_slice(&signature[..32]),
            s: B256::from_slice(&signature[32..64]),
            v: signature[64],
        }
    }
}

fn ed25519(signature: &[u8; 64]) -> Signature {
    Signature {
        r: B256::from_slice(&signature[..32]),
        s: B256::from_slice(&signature[32..]),
        v: 0,
    }
}
