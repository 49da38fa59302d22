//! What the keys of a home are for.

use std::path::Path;

use alloy_primitives::Address;
use tbsi_types::{KeyError, SecretKey};

/// What a key of a home is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// The node's identity to its peers: ed25519.
    Node,
    /// Votes: secp256k1.
    Validator,
    /// Votes from when the chain names it (SPEC §13.3): secp256k1.
    NextValidator,
    /// Signs and cosigns checkpoints of logs for other software: ed25519.
    Log,
    /// Cosigns checkpoints of the log for those who outlive ed25519: a seed of ML-DSA-44.
    PostQuantum,
    /// The node's own account on the chain: secp256k1.
    Account,
    /// Authenticates the connection between a node and its remote signer: X25519.
    Signer,
}

impl KeyKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Node,
        Self::Validator,
        Self::NextValidator,
        Self::Log,
        Self::PostQuantum,
        Self::Account,
        Self::Signer,
    ];

    /// Name of its file in the folder `keys`.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Node => "node.key",
            Self::Validator => "validator.key",
            Self::NextValidator => "validator-next.key",
            Self::Log => "log.key",
            Self::PostQuantum => "post-quantum.key",
            Self::Account => "account.key",
            Self::Signer => "signer.key",
        }
    }

    /// The Ethereum address of a secret of this kind: `None` if it is not for secp256k1.
    pub fn address(self, secret: &[u8; 32]) -> Result<Option<Address>, KeyError> {
        match self {
            Self::Node | Self::Log | Self::PostQuantum | Self::Signer => Ok(None),
            Self::Validator | Self::NextValidator | Self::Account => {
                let key = SecretKey::parse(secret)?;
                Ok(Some(key.public_key().address()))
            }
        }
    }
}

/// Where the key of a home comes from that is not there; nothing of other files.
pub(super) fn remedy(path: &Path) -> &'static str {
    let name = path.file_name().unwrap_or_default();
    let kind = KeyKind::ALL
        .into_iter()
        .find(|kind| name == kind.file_name());
    match kind {
        None => "",
        Some(KeyKind::Node | KeyKind::Log | KeyKind::Account) => "; `tbsi keys new` makes it",
        Some(KeyKind::Validator) => {
            "; `tbsi keys import --kind validator` brings one that is used already, `tbsi keys new \
             --validator` makes a new one"
        }
        Some(KeyKind::NextValidator) => "; `tbsi keys rotate validator` makes it",
        Some(KeyKind::PostQuantum) => "; `tbsi keys rotate post-quantum` makes it",
        Some(KeyKind::Signer) => {
            "; `tbsi keys new --signer` makes it for a node, `tbsi signer init` for a signer"
        }
    }
}
