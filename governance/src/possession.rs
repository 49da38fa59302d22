//! What an organisation signs to show that it has a key that it registers (SPEC §13.3).

use tbsi_types::{B256, ChainIdentity, sha256};

const TAG: &[u8] = b"TBSI-POSSESSION-1";

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// Ed25519, 32 bytes: the node's identity to its peers.
    Peer,
    /// secp256k1, 33 bytes compressed: votes.
    Validator,
    /// Ed25519, 32 bytes: cosigns the log.
    Log,
}

impl KeyUse {
    /// The number that contracts know it by.
    pub fn code(self) -> u8 {
        match self {
            Self::Peer => 1,
            Self::Validator => 2,
            Self::Log => 3,
        }
    }
}

/// The 32 bytes that the key itself signs: SHA-256 of a tag, the network, the organisation, the
/// use, the key, and the last second of validity, all big-endian and of fixed length.
pub fn digest(
    chain: &ChainIdentity,
    organisation: u32,
    key_use: KeyUse,
    key: &[u8],
    deadline: u64,
) -> B256 {
    sha256(&[
        TAG,
        &chain.chain_id.to_be_bytes(),
        chain.genesis_hash.as_slice(),
        &organisation.to_be_bytes(),
        &[key_use.code()],
        key,
        &deadline.to_be_bytes(),
    ])
}
