//! Payloads of messages: the source has their hashes alone, so whoever sends a message gives its
//! payload to a relayer. It lies in the home directory under its hash.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use alloy_primitives::{B256, Bytes, hex};
use tbsi_types::sha256;

use super::discover::REQUESTS;
use super::{Relay, RelayError};
use crate::limits::{PAYLOAD_BYTES_MAX, PAYLOADS_MAX};
use crate::record::{Item, Reason};
use crate::target::Target;

/// Folder in the home directory with payloads, each under its SHA-256 in 64 hex digits.
pub const PAYLOADS: &str = "payloads";

/// What a request for the messages with a payload is named like, before the hash.
const REQUEST: &str = "payload-";

/// Code of messages in quarantine whose payload nobody has given yet.
const MISSING: &str = "payloadMissing";

/// Why a payload is not kept.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// Too large.
    #[error("the payload has {0} bytes; a message has at most {PAYLOAD_BYTES_MAX}")]
    TooLarge(usize),
    /// Too many wait.
    #[error(
        "{folder} holds {PAYLOADS_MAX} payloads, which is the most; remove those of messages \
         that were delivered",
        folder = .0.display()
    )]
    TooMany(PathBuf),
    /// The home directory.
    #[error("write {file}", file = file.display())]
    Write {
        /// What was to be written.
        file: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

fn file(home: &Path, hash: B256) -> PathBuf {
    home.join(PAYLOADS).join(hex::encode(hash))
}

/// Keeps a payload in a home directory and asks the relayer there for the messages with it;
/// returns its SHA-256.
pub fn keep_payload(home: &Path, payload: &[u8]) -> Result<B256, PayloadError> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(PayloadError::TooLarge(payload.len()));
    }
    let hash = sha256(&[payload]);
    let folder = home.join(PAYLOADS);
    let kept = file(home, hash);
    let write = |file: &Path, result: io::Result<()>| {
        let file = file.to_owned();
        result.map_err(|source| PayloadError::Write { file, source })
    };
    write(&folder, fs::create_dir_all(&folder))?;
    let count = fs::read_dir(&folder).map(|entries| entries.take(PAYLOADS_MAX).count());
    if !kept.exists() && count.unwrap_or_default() >= PAYLOADS_MAX {
        return Err(PayloadError::TooMany(folder));
    }
    // Whole or not at all: the relayer may look at any time.
    let new = kept.with_extension("new");
    write(&new, fs::write(&new, payload))?;
    write(&kept, fs::rename(&new, &kept))?;
    let requests = home.join(REQUESTS);
    write(&requests, fs::create_dir_all(&requests))?;
    let request = requests.join(format!("{REQUEST}{}", hex::encode(hash)));
    write(&request, fs::write(&request, ""))?;
    Ok(hash)
}

/// The payload hash that a request is for.
pub(super) fn asked(name: &str) -> Option<B256> {
    let digits = name.strip_prefix(REQUEST)?;
    let mut hash = B256::ZERO;
    hex::decode_to_slice(digits, hash.as_mut_slice()).ok()?;
    Some(hash)
}

/// Why a message without payload is set aside.
pub(super) fn missing(hash: B256) -> Reason {
    Reason {
        code: MISSING.into(),
        detail: format!("payload {hash} is not here; give it with `tbsi relay payload`"),
    }
}

impl<T: Target> Relay<T> {
    /// The payload with a hash, if it is here.
    pub(super) fn payload(&self, hash: B256) -> Result<Option<Bytes>, RelayError> {
        let file = file(&self.home, hash);
        let bytes = match fs::metadata(&file) {
            // Whoever read a pipe would wait.
            Ok(found) if !found.is_file() => return Ok(None),
            Ok(found) if found.len() > PAYLOAD_BYTES_MAX as u64 => return Ok(None),
            Ok(_) => fs::read(&file),
            Err(error) => Err(error),
        };
        match bytes {
            Ok(bytes) => Ok((sha256(&[&bytes]) == hash).then(|| bytes.into())),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(RelayError::Home { file, source }),
        }
    }

    /// Messages in quarantine for want of this payload.
    pub(super) fn waiting_for(&self, hash: B256) -> Vec<Item> {
        let wanted = missing(hash);
        let quarantined = self.state.quarantined();
        let waiting = quarantined.filter(|(_, reason)| **reason == wanted);
        waiting.map(|(item, _)| item).collect()
    }
}
