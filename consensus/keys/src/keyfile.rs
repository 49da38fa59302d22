//! Key files: secp256k1 keys of the validator and its account, ed25519 keys of the node and its
//! log, ML-DSA-44 keys for the log, X25519 keys of the connection to a remote signer.
//!
//! One secret of 32 bytes per file, readable by its owner only: encrypted ([`crate::keystore`]),
//! or as 64 hex digits and a line feed. A file is never overwritten, except by the same secret
//! under another password, and one that others can read is refused.

mod kind;
mod typed;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, hex};
use tbsi_types::{KeyError, SecretKey};
use zeroize::Zeroizing;

use crate::disk;
use crate::keystore::{self, Cost, KEYSTORE_BYTES_MAX, KeystoreError, is_keystore};
use crate::password::Password;

use kind::remedy;

pub use kind::KeyKind;
pub use typed::{LogKey, NodeKey, PostQuantumKey, is_peer_id, peer_key};

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
    #[error("key file {path} is missing{}", remedy(path), path = path.display())]
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
    #[error(
        "key file {path} must hold exactly 64 hex digits, or be an encrypted key file (Web3 \
         Secret Storage)",
        path = path.display()
    )]
    Malformed {
        /// Its path.
        path: PathBuf,
    },
    /// Encrypted, and nobody gave a password.
    #[error(
        "key file {path} is encrypted: give its password with --password-file FILE, in the \
         configuration as `keys.password_file`, or at a terminal",
        path = path.display()
    )]
    Encrypted {
        /// Its path.
        path: PathBuf,
    },
    /// Encrypted, and cannot be opened.
    #[error("encrypted key file {path}", path = path.display())]
    Keystore {
        /// Its path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: KeystoreError,
    },
    /// An encrypted file that names another key than it holds.
    #[error(
        "encrypted key file {path} gives address {given} but holds the key of {held}: it was \
         changed, restore it",
        path = path.display()
    )]
    Address {
        /// Its path.
        path: PathBuf,
        /// What the file says.
        given: Address,
        /// Of the key in it.
        held: Address,
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
/// Makes a new secret for a key of this kind and writes it to `path`, where no file may be;
/// encrypted if there is a password.
pub fn create_secret(
    path: &Path,
    kind: KeyKind,
    password: Option<&Password>,
) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let secret = loop {
        let secret = random();
        // All but one in 2^127 candidates are a scalar below the group order.
        if kind.address(&secret).is_ok() {
            break secret;
        }
    };
    store_secret(path, kind, &secret, password)?;
    Ok(secret)
}

/// Writes a secret to `path`, where no file may be; encrypted if there is a password.
pub fn store_secret(
    path: &Path,
    kind: KeyKind,
    secret: &[u8; 32],
    password: Option<&Password>,
) -> Result<(), KeyFileError> {
    let address = kind.address(secret).map_err(|source| KeyFileError::Key {
        path: path.into(),
        source,
    })?;
    let text = match password {
        Some(password) => {
            let (first, second) = (random(), random());
            let mut fresh = [0; 64];
            fresh[..32].copy_from_slice(first.as_slice());
            fresh[32..].copy_from_slice(second.as_slice());
            let text = keystore::encrypt(secret, address, password, Cost::STANDARD, &fresh);
            Zeroizing::new(text)
        }
        None => Zeroizing::new(hex::encode(secret) + "\n"),
    };
    write(path, text.as_bytes())
}

/// Replaces a key file by one with the same secret under another password (or none). A crash
/// leaves the old file or the new one.
pub fn replace_secret(
    path: &Path,
    kind: KeyKind,
    secret: &[u8; 32],
    password: Option<&Password>,
) -> Result<(), KeyFileError> {
    let failed = |operation| {
        move |source| KeyFileError::Io {
            operation,
            path: path.into(),
            source,
        }
    };
    let next = path.with_extension("key.new");
    // Of an attempt that did not end: the key itself is still in `path`.
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed("remove what was left of an earlier change of")(
                error,
            ));
        }
        Ok(()) | Err(_) => {}
    }
    store_secret(&next, kind, secret, password)?;
    let written = load_secret(&next, kind, password)?;
    assert!(*written == *secret, "a key file holds what was written");
    fs::rename(&next, path).map_err(failed("replace"))?;
    sync_directory(path)
}

/// Reads a secret of this kind; with its password if the file is encrypted.
pub fn load_secret(
    path: &Path,
    kind: KeyKind,
    password: Option<&Password>,
) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let bytes = read_private(path, KEYSTORE_BYTES_MAX)?;
    let invalid = |source| KeyFileError::Key {
        path: path.into(),
        source,
    };
    if !is_keystore(&bytes) {
        let secret = parse(&bytes).ok_or_else(|| KeyFileError::Malformed { path: path.into() })?;
        kind.address(&secret).map_err(invalid)?;
        return Ok(secret);
    }
    let password = password.ok_or_else(|| KeyFileError::Encrypted { path: path.into() })?;
    let opened = keystore::decrypt(&bytes, password).map_err(|source| KeyFileError::Keystore {
        path: path.into(),
        source,
    })?;
    let held = kind.address(&opened.secret).map_err(invalid)?;
    if let (Some(given), Some(held)) = (opened.address, held)
        && given != held
    {
        return Err(KeyFileError::Address {
            path: path.into(),
            given,
            held,
        });
    }
    Ok(opened.secret)
}

/// Whether there is a key file. A disk that does not say is an error, not an absent key.
pub fn is_there(path: &Path) -> Result<bool, KeyFileError> {
    path.try_exists().map_err(|source| KeyFileError::Io {
        operation: "look for",
        path: path.into(),
        source,
    })
}

/// Whether a key file, which must be there, is encrypted.
pub fn is_encrypted(path: &Path) -> Result<bool, KeyFileError> {
    Ok(is_keystore(&read_private(path, KEYSTORE_BYTES_MAX)?))
}

/// Makes a new node key and writes it to `path`, where no file may be.
pub fn create_node_key(path: &Path) -> Result<NodeKey, KeyFileError> {
    create_secret(path, KeyKind::Node, None).map(NodeKey)
}

/// Reads a node key that is not encrypted.
pub fn load_node_key(path: &Path) -> Result<NodeKey, KeyFileError> {
    open_node_key(path, None)
}

/// Reads a node key.
pub fn open_node_key(path: &Path, password: Option<&Password>) -> Result<NodeKey, KeyFileError> {
    load_secret(path, KeyKind::Node, password).map(NodeKey)
}

/// Reads a log key.
pub fn open_log_key(path: &Path, password: Option<&Password>) -> Result<LogKey, KeyFileError> {
    load_secret(path, KeyKind::Log, password).map(LogKey)
}

/// Reads a post-quantum key for the log.
pub fn open_post_quantum_key(
    path: &Path,
    password: Option<&Password>,
) -> Result<PostQuantumKey, KeyFileError> {
    load_secret(path, KeyKind::PostQuantum, password).map(PostQuantumKey)
}

/// Makes a new validator key and writes it to `path`, where no file may be.
pub fn create_validator_key(path: &Path) -> Result<SecretKey, KeyFileError> {
    let secret = create_secret(path, KeyKind::Validator, None)?;
    Ok(secp256k1(&secret))
}

/// Reads a secp256k1 key, a validator's or an account's, that is not encrypted.
pub fn load_validator_key(path: &Path) -> Result<SecretKey, KeyFileError> {
    open_validator_key(path, None)
}

/// Reads a secp256k1 key, a validator's or an account's.
pub fn open_validator_key(
    path: &Path,
    password: Option<&Password>,
) -> Result<SecretKey, KeyFileError> {
    let secret = load_secret(path, KeyKind::Validator, password)?;
    Ok(secp256k1(&secret))
}

/// The key of a secret that [`load_secret`] returned for a kind of secp256k1 key.
pub fn secp256k1(secret: &[u8; 32]) -> SecretKey {
    SecretKey::parse(secret).expect("a secret of this kind was checked")
}

/// 32 bytes of the operating system's generator.
fn random() -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    // No key is better than a guessable one, and nothing else works on such a system.
    getrandom::fill(bytes.as_mut_slice()).expect("the operating system gives random bytes");
    bytes
}

fn write(path: &Path, text: &[u8]) -> Result<(), KeyFileError> {
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
    file.write_all(text)
        .and_then(|()| file.sync_all())
        .map_err(failed("write"))?;
    sync_directory(path)
}

/// The name must survive a crash too: the genesis file may soon name this key.
fn sync_directory(path: &Path) -> Result<(), KeyFileError> {
    disk::sync_directory(path).map_err(|source| KeyFileError::Io {
        operation: "sync the directory of",
        path: path.into(),
        source,
    })
}

/// The bytes of a file that only its owner may read; of a longer one, one byte more than
/// `bytes_max`.
pub fn read_private(path: &Path, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
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
