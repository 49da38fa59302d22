//! The file that an issuer signs and others send, on the disk.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use tbsi_governance::delegation::{DELEGATION_BYTES_MAX, DelegationFile};

use crate::lang::SayContext;
use crate::shown::PathShown;

/// Writes a new file.
pub(super) fn store(file: &DelegationFile, path: &Path) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(file)? + "\n";
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .or_say(|| {
            let path = path.shown();
            (
                format!("write {path}; choose another --out if it exists"),
                format!("無法寫入 {path}；若已存在，請另選 --out"),
            )
        })
}

/// Reads a file, and verifies that the issuer signed what is in it.
pub(super) fn load(path: &Path) -> anyhow::Result<DelegationFile> {
    let reading = || {
        let path = path.shown();
        (
            format!("{path} is not what `tbsi delegate` wrote"),
            format!("{path} 不是 `tbsi delegate` 寫出的檔案"),
        )
    };
    let mut bytes = Vec::new();
    let max = DELEGATION_BYTES_MAX as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(max).read_to_end(&mut bytes))
        .or_say(reading)?;
    DelegationFile::parse(&bytes).or_say(reading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, U256};
    use tbsi_governance::delegation::{Delegated, Delegating};
    use tbsi_types::SecretKey;

    #[test]
    fn a_file_is_written_once_and_read_again() {
        let key = SecretKey::from_seed(b"issuer");
        let delegating = Delegating {
            chain_id: 7,
            issuer: key.public_key().address(),
            nonce: U256::from(5),
            deadline: 1_700_000_060,
            what: Delegated::Cancel {},
        };
        let file = DelegationFile::new(&delegating, B256::ZERO, &delegating.sign(&key));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("delegation.json");
        store(&file, &path).unwrap();
        assert!(store(&file, &path).is_err(), "nothing is overwritten");
        assert_eq!(load(&path).unwrap(), file);
        std::fs::write(&path, "{}").unwrap();
        assert!(load(&path).is_err());
    }
}
