//! The file that an issuer signs and others send.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};
use tbsi_bindings::genesis::Delegation;
use tbsi_governance::delegation::{Delegated, Delegating};
use tbsi_types::json::from_json;

use crate::lang::{SayContext, demand, said};
use crate::misfit::unread;
use crate::shown::PathShown;

const FORMAT: &str = "tbsi-delegation-1";

/// A batch of 13,000 words has one MB in JSON.
const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// A statement and the issuer's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DelegationFile {
    format: String,
    pub(super) chain_id: u64,
    pub(super) genesis_hash: B256,
    pub(super) issuer: Address,
    pub(super) nonce: U256,
    pub(super) deadline: u64,
    pub(super) statement: Delegated,
    v: u8,
    r: B256,
    s: B256,
}

impl DelegationFile {
    pub(super) fn new(of: &Delegating, genesis_hash: B256, signed: &Delegation) -> Self {
        Self {
            format: FORMAT.into(),
            chain_id: of.chain_id,
            genesis_hash,
            issuer: of.issuer,
            nonce: of.nonce,
            deadline: of.deadline,
            statement: of.what.clone(),
            v: signed.v,
            r: signed.r,
            s: signed.s,
        }
    }

    /// Writes a new file.
    pub(super) fn store(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
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
    pub(super) fn load(path: &Path) -> anyhow::Result<Self> {
        let reading = || {
            let path = path.shown();
            (
                format!("{path} is not what `tbsi delegate` wrote"),
                format!("{path} 不是 `tbsi delegate` 寫出的檔案"),
            )
        };
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
            .or_say(reading)?;
        demand(bytes.len() as u64 <= FILE_BYTES_MAX, || {
            let path = path.shown();
            (
                format!("{path} has more than {FILE_BYTES_MAX} bytes: it is no delegation"),
                format!("{path} 超過 {FILE_BYTES_MAX} 位元組：不是委託檔"),
            )
        })?;
        let parsed = Self::parse(&bytes);
        parsed.map_err(|error| unread(path, error)).or_say(reading)
    }

    fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let file: Self = from_json(bytes)?;
        demand(file.format == FORMAT, || {
            let format = &file.format;
            (
                format!("field `format` is `{format}`, not `{FORMAT}`; use newer software"),
                format!("欄位 `format` 是 `{format}`，不是 `{FORMAT}`；請使用較新的軟體"),
            )
        })?;
        let signer = file.delegating().signer((file.v, file.r, file.s));
        let signer = signer.or_say(|| {
            (
                "fields `v`, `r` and `s` are no signature".into(),
                "欄位 `v`、`r`、`s` 不是簽章".into(),
            )
        })?;
        if signer != file.issuer {
            let issuer = file.issuer;
            return Err(said(
                format!("it is signed by {signer}, not by its issuer {issuer}, or was changed"),
                format!("簽章出自 {signer}，不是簽發者 {issuer}，或內容遭更動"),
            ));
        }
        Ok(file)
    }

    /// What was signed.
    pub(super) fn delegating(&self) -> Delegating {
        Delegating {
            chain_id: self.chain_id,
            issuer: self.issuer,
            nonce: self.nonce,
            deadline: self.deadline,
            what: self.statement.clone(),
        }
    }

    /// As the contract takes it.
    pub(super) fn delegation(&self) -> Delegation {
        Delegation {
            issuer: self.issuer,
            nonce: self.nonce,
            deadline: self.deadline,
            v: self.v,
            r: self.r,
            s: self.s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tbsi_types::SecretKey;

    #[test]
    fn what_was_changed_is_not_sent() {
        let key = SecretKey::from_seed(b"issuer");
        let delegating = Delegating {
            chain_id: 7,
            issuer: key.public_key().address(),
            nonce: U256::from(5),
            deadline: 1_700_000_060,
            what: Delegated::Revoke {
                id: B256::repeat_byte(1),
                reason: 3,
            },
        };
        let file = DelegationFile::new(&delegating, B256::ZERO, &delegating.sign(&key));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("delegation.json");
        file.store(&path).unwrap();
        assert!(file.store(&path).is_err(), "nothing is overwritten");
        assert_eq!(DelegationFile::load(&path).unwrap(), file);
        let good = std::fs::read_to_string(&path).unwrap();
        for (from, to) in [
            ("\"chainId\": 7", "\"chainId\": 8"),
            ("\"reason\": 3", "\"reason\": 4"),
            ("\"nonce\": \"0x5\"", "\"nonce\": \"0x6\""),
            ("1700000060", "1700000061"),
            ("tbsi-delegation-1", "tbsi-delegation-2"),
            ("\"v\": ", "\"w\": "),
            ("\"revoke\"", "\"cancel\""),
            ("{\n      \"id\"", "{\"more\": 1,\n      \"id\""),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good, "{from}");
            assert!(DelegationFile::parse(bad.as_bytes()).is_err(), "{to}");
        }
    }
}
