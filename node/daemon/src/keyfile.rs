//! Key files: the validator's secp256k1 key, the node's and its log's ed25519 keys.
//!
//! One secret of 32 bytes per file, as 64 hex digits and a line feed, readable by its owner
//! only. A file is never overwritten, and one that others can read is refused.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use alloy_primitives::hex;
use tbsi_p2p::PeerId;
use tbsi_p2p::identity::{KeyType, Keypair, PublicKey, ed25519};
use tbsi_types::log::{NoteSigner, SignatureType, cosigner_name};
use tbsi_types::{B256, ChainIdentity, KeyError, SecretKey};
use zeroize::Zeroizing;

/// 64 digits, perhaps `0x` before and a line feed (or CR LF) after them.
const FILE_BYTES_MAX: usize = 68;

/// Why a key file cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// A file is there already.
    #[error(
        "key file {path} exists; a key is never overwritten. Move the file away if this node \
         must have a new key",
        path = path.display()
    )]
    Exists {
        /// Its path.
        path: PathBuf,
    },
    /// No file.
    #[error("key file {path} is missing; `tbsi keys new` makes keys", path = path.display())]
    Missing {
        /// Expected path.
        path: PathBuf,
    },
    /// Group or others have rights.
    #[error(
        "key file {path} has mode {mode:04o}, only its owner may read it: run \
         `chmod 600 {path}`, and make a new key if somebody else may have read this one",
        path = path.display()
    )]
    Mode {
        /// Its path.
        path: PathBuf,
        /// Permission bits.
        mode: u32,
    },
    /// Not 32 bytes in hex.
    #[error("key file {path} must hold exactly 64 hex digits", path = path.display())]
    Malformed {
        /// Its path.
        path: PathBuf,
    },
    /// 32 bytes that are no key.
    #[error("key file {path}", path = path.display())]
    Key {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// The disk.
    #[error("{operation} key file {path}", path = path.display())]
    Io {
        /// What was being done.
        operation: &'static str,
        /// Its path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// A node's libp2p identity: an ed25519 seed. Never printed; wiped when dropped.
pub struct NodeKey(Zeroizing<[u8; 32]>);

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
        Keypair::ed25519_from_bytes(self.expose())
            .expect("any 32 bytes are an ed25519 seed")
            .public()
            .to_peer_id()
            .to_base58()
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeKey(..)")
    }
}

/// The key with which a node signs and cosigns checkpoints of logs: an ed25519 seed. Never
/// printed; wiped when dropped.
pub struct LogKey(Zeroizing<[u8; 32]>);

impl LogKey {
    /// An Ed25519 signature (RFC 8032) of a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        ed25519_signature(&self.0, message)
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

    /// The public half, 32 bytes (RFC 8032), as a genesis file names it.
    pub fn public_key(&self) -> [u8; 32] {
        let signer = NoteSigner::new("key", &self.0).expect("a good name");
        *signer.verifier(SignatureType::Cosignature).public_key()
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogKey(..)")
    }
}

fn ed25519_pair(seed: &[u8; 32]) -> Keypair {
    Keypair::ed25519_from_bytes(*seed).expect("any 32 bytes are an ed25519 seed")
}

fn public_half(seed: &[u8; 32]) -> [u8; 32] {
    let key = ed25519_pair(seed).public().try_into_ed25519();
    key.expect("the pair is of this type").to_bytes()
}

fn ed25519_signature(seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
    let signature = ed25519_pair(seed).sign(message);
    let signature = signature.expect("Ed25519 signs any message");
    signature.try_into().expect("a signature has 64 bytes")
}

/// Whether `text` is the base58 peer id of an ed25519 key: an identity multihash of the key.
pub fn is_peer_id(text: &str) -> bool {
    let Ok(peer_id) = text.parse::<PeerId>() else {
        return false;
    };
    let bytes = peer_id.to_bytes();
    let key = bytes
        .strip_prefix(&[0x00, 0x24])
        .and_then(|key| PublicKey::try_decode_protobuf(key).ok());
    key.is_some_and(|key| key.key_type() == KeyType::Ed25519) && peer_id.to_base58() == text
}

/// Makes a new node key and writes it to `path`, where no file may be.
pub fn create_node_key(path: &Path) -> Result<NodeKey, KeyFileError> {
    let secret = random();
    write(path, &secret)?;
    Ok(NodeKey(secret))
}

/// Reads a node key.
pub fn load_node_key(path: &Path) -> Result<NodeKey, KeyFileError> {
    read(path).map(NodeKey)
}

/// Makes a new log key and writes it to `path`, where no file may be.
pub fn create_log_key(path: &Path) -> Result<LogKey, KeyFileError> {
    let secret = random();
    write(path, &secret)?;
    Ok(LogKey(secret))
}

/// Reads a log key.
pub fn load_log_key(path: &Path) -> Result<LogKey, KeyFileError> {
    read(path).map(LogKey)
}

/// Makes a new validator key and writes it to `path`, where no file may be.
pub fn create_validator_key(path: &Path) -> Result<SecretKey, KeyFileError> {
    let (secret, key) = loop {
        let secret = random();
        // All but one in 2^127 candidates are a scalar below the group order.
        if let Ok(key) = SecretKey::parse(secret.as_slice()) {
            break (secret, key);
        }
    };
    write(path, &secret)?;
    Ok(key)
}

/// Reads a validator key.
pub fn load_validator_key(path: &Path) -> Result<SecretKey, KeyFileError> {
    let secret = read(path)?;
    SecretKey::parse(secret.as_slice()).map_err(|source| KeyFileError::Key {
        path: path.into(),
        source,
    })
}

/// 32 bytes of the operating system's generator, which is where an ed25519 seed comes from.
fn random() -> Zeroizing<[u8; 32]> {
    let secret = ed25519::SecretKey::generate();
    let mut bytes = Zeroizing::new([0; 32]);
    bytes.copy_from_slice(secret.as_ref());
    bytes
}

fn write(path: &Path, secret: &[u8; 32]) -> Result<(), KeyFileError> {
    let failed = |operation| {
        move |source| KeyFileError::Io {
            operation,
            path: path.into(),
            source,
        }
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| {
            if source.kind() == io::ErrorKind::AlreadyExists {
                KeyFileError::Exists { path: path.into() }
            } else {
                failed("create")(source)
            }
        })?;
    let text = Zeroizing::new(hex::encode(secret) + "\n");
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed("write"))?;
    // The name must survive a crash too: the genesis file may soon name this key.
    let directory = path.parent().unwrap_or(Path::new("."));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed("sync the directory of"))
}

fn read(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let bytes = read_private(path, FILE_BYTES_MAX)?;
    parse(&bytes).ok_or_else(|| KeyFileError::Malformed { path: path.into() })
}

/// The bytes of a file that only its owner may read; of a longer one, one byte more than
/// `bytes_max`.
pub(crate) fn read_private(
    path: &Path,
    bytes_max: usize,
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let failed = |operation| {
        move |source: io::Error| KeyFileError::Io {
            operation,
            path: path.into(),
            source,
        }
    };
    let file = File::open(path).map_err(|source| {
        if source.kind() == io::ErrorKind::NotFound {
            KeyFileError::Missing { path: path.into() }
        } else {
            failed("open")(source)
        }
    })?;
    let mode = file
        .metadata()
        .map_err(failed("read"))?
        .permissions()
        .mode()
        & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Mode {
            path: path.into(),
            mode,
        });
    }
    // One byte more than allowed tells a longer file; the buffer never grows, so no copy of
    // the secret is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(bytes_max + 1));
    file.take(bytes_max as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed("read"))?;
    Ok(bytes)
}

fn parse(bytes: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text, secret.as_mut_slice()).ok()?;
    Some(secret)
}

#[cfg(test)]
mod tests;
