//! Key files: the validator's secp256k1 key and the node's ed25519 key.
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
use tbsi_types::{KeyError, SecretKey};
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
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX + 1));
    file.take(FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed("read"))?;
    parse(&bytes).ok_or_else(|| KeyFileError::Malformed { path: path.into() })
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
mod tests {
    use super::*;
    use std::fs;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn loads_what_it_created_and_never_overwrites() {
        let dir = tempfile::tempdir().unwrap();
        let (node, validator) = (dir.path().join("node"), dir.path().join("validator"));
        let node_key = create_node_key(&node).unwrap();
        let validator_key = create_validator_key(&validator).unwrap();
        assert_eq!(load_node_key(&node).unwrap().expose(), node_key.expose());
        let loaded = load_validator_key(&validator).unwrap();
        assert_eq!(loaded.expose(), validator_key.expose());
        assert_ne!(node_key.expose(), validator_key.expose());
        for path in [&node, &validator] {
            let before = fs::read(path).unwrap();
            assert_eq!(
                fs::metadata(path).unwrap().permissions().mode() & 0o777,
                0o600
            );
            let again = create_validator_key(path).unwrap_err();
            assert!(matches!(again, KeyFileError::Exists { .. }), "{again}");
            assert_eq!(fs::read(path).unwrap(), before);
        }
    }

    #[test]
    fn refuses_files_that_others_may_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.key");
        create_node_key(&path).unwrap();
        for mode in [0o640, 0o604, 0o610, 0o602, 0o644, 0o777] {
            set_mode(&path, mode);
            let error = load_node_key(&path).unwrap_err().to_string();
            let remedy = format!("chmod 600 {}", path.display());
            assert!(
                error.contains(&format!("{mode:04o}")) && error.contains(&remedy),
                "{error}"
            );
        }
        set_mode(&path, 0o400);
        load_node_key(&path).unwrap();
    }

    #[test]
    fn refuses_what_is_not_32_bytes_of_hex() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.key");
        assert!(matches!(
            load_node_key(&path),
            Err(KeyFileError::Missing { .. })
        ));
        create_node_key(&path).unwrap();
        let digits = "0123456789abcdef".repeat(4);
        for (text, good) in [
            (digits.clone(), true),
            (format!("{digits}\n"), true),
            (format!("0x{digits}\r\n"), true),
            (String::new(), false),
            (digits[1..].to_owned(), false),
            (format!("{digits}0"), false),
            (format!("{digits}\n\n"), false),
            (digits.replace('f', "g"), false),
            (digits.replace('f', "é"), false),
            ("0".repeat(100_000), false),
        ] {
            fs::write(&path, &text).unwrap();
            assert_eq!(load_node_key(&path).is_ok(), good, "{text:.80}");
        }
        for (scalar, what) in [("00", "zero"), ("ff", "above the group order")] {
            fs::write(&path, scalar.repeat(32)).unwrap();
            let error = load_validator_key(&path).unwrap_err();
            assert!(matches!(error, KeyFileError::Key { .. }), "{what}: {error}");
        }
    }

    #[test]
    fn derives_the_peer_id_that_libp2p_documents() {
        // RFC 8032 §7.1 test 1: this seed has public key d75a9801…; its peer id is the base58
        // of the identity multihash over the protobuf of that key.
        let seed = hex!("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let public = hex!("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let bytes = [&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20], public.as_slice()].concat();
        let peer_id = NodeKey::from_seed(seed).peer_id();
        assert_eq!(peer_id.parse::<PeerId>().unwrap().to_bytes(), bytes);
        assert!(peer_id.starts_with("12D3Koo") && is_peer_id(&peer_id));
    }

    #[test]
    fn tells_peer_ids_from_other_text() {
        let good = NodeKey::from_seed([7; 32]).peer_id();
        assert!(is_peer_id(&good));
        // Not an ed25519 key but the hash of another kind, from libp2p's specification.
        let hashed = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
        assert!(hashed.parse::<PeerId>().is_ok());
        let spaced = format!("{good} ");
        for bad in ["", "12D3KooW", &good[1..], &spaced, "/p2p/x", hashed] {
            assert!(!is_peer_id(bad), "{bad}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        assert_eq!(format!("{:?}", NodeKey::from_seed([7; 32])), "NodeKey(..)");
    }
}
