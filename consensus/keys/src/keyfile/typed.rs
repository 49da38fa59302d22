//! Keys that are used by name: of a node, of its log.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use tbsi_types::log::{NoteSigner, PostQuantumSigner, cosigner_name};
use tbsi_types::roster::{peer_id_of, peer_key_of};
use tbsi_types::{B256, ChainIdentity};
use zeroize::Zeroizing;

/// A node's libp2p identity: an ed25519 seed. Never printed; wiped when dropped.
pub struct NodeKey(pub(super) Zeroizing<[u8; 32]>);

impl NodeKey {
    /// Every 32 bytes are a seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// The 32 secret bytes, for libp2p.
    pub fn expose(&self) -> [u8; 32] {
        *self.0
    }

    /// The 32 bytes of the public half.
    pub fn public_key(&self) -> [u8; 32] {
        public_half(&self.0)
    }

    /// An Ed25519 signature (RFC 8032) of a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        ed25519_signature(&self.0, message)
    }

    /// The base58 peer id (`12D3Koo…`) by which other nodes admit this one.
    pub fn peer_id(&self) -> String {
        peer_id_of(&self.public_key())
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeKey(..)")
    }
}

/// The key with which a node signs and cosigns checkpoints of logs: an ed25519 seed. Never
/// printed; wiped when dropped.
pub struct LogKey(pub(super) Zeroizing<[u8; 32]>);

impl LogKey {
    /// From a 32-byte seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// An Ed25519 signature (RFC 8032) of a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        ed25519_signature(&self.0, message)
    }

    /// The public half, 32 bytes (RFC 8032), as a genesis file names it.
    pub fn public_key(&self) -> [u8; 32] {
        public_half(&self.0)
    }

    /// The signer for the log of one network (SPEC §9.6).
    pub fn signer(&self, chain: &ChainIdentity) -> NoteSigner {
        NoteSigner::new(&chain.log_origin(), &self.0).expect("an origin is a good name")
    }

    /// Cosigns in the name of the node's operator (SPEC §9.6).
    pub fn cosigner(&self, chain: &ChainIdentity, operator: B256) -> NoteSigner {
        let name = cosigner_name(chain, operator);
        NoteSigner::new(&name, &self.0).expect("an origin and hex digits are a good name")
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogKey(..)")
    }
}

/// The key with which a validator cosigns the log a second time: a seed of ML-DSA-44 (FIPS 204).
/// Never printed; wiped when dropped.
pub struct PostQuantumKey(pub(super) Zeroizing<[u8; 32]>);

impl PostQuantumKey {
    /// From a 32-byte seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// Cosigns in the name of the node's operator (SPEC §9.12).
    pub fn cosigner(&self, chain: &ChainIdentity, operator: B256) -> PostQuantumSigner {
        let name = cosigner_name(chain, operator);
        PostQuantumSigner::new(&name, &self.0).expect("an origin and hex digits are a good name")
    }

    /// The SHA-256 of the public half, by which the chain names it (SPEC §13.3).
    pub fn public_key_hash(&self) -> B256 {
        let signer = PostQuantumSigner::new("key", &self.0).expect("a good name");
        signer.verifier().key_hash()
    }
}

impl fmt::Debug for PostQuantumKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostQuantumKey(..)")
    }
}

fn public_half(seed: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

fn ed25519_signature(seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
    SigningKey::from_bytes(seed).sign(message).to_bytes()
}

/// Whether `text` is the base58 peer id of an ed25519 key: an identity multihash of the key.
pub fn is_peer_id(text: &str) -> bool {
    peer_key(text).is_some()
}

/// The ed25519 key of a peer id.
pub fn peer_key(text: &str) -> Option<[u8; 32]> {
    let key = peer_key_of(text)?;
    // 32 bytes that are no point of the curve are nobody's key.
    VerifyingKey::from_bytes(&key).ok()?;
    (peer_id_of(&key) == text).then_some(key)
}
