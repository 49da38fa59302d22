//! The file that an issuer signs and others send.

use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};
use tbsi_bindings::genesis::Delegation;
use tbsi_types::KeyError;
use tbsi_types::json::from_json;

use super::{Delegated, Delegating};

/// Names kind and version of the file.
pub const DELEGATION_FORMAT: &str = "tbsi-delegation-1";

/// Bytes of the file: a batch of 13,000 words has one MB in JSON.
pub const DELEGATION_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A statement and the issuer's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DelegationFile {
    format: String,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Hash of the network's genesis file, which is not signed: it says where to send it.
    pub genesis_hash: B256,
    /// Who signed.
    pub issuer: Address,
    /// Any number that the issuer has neither used nor cancelled.
    pub nonce: U256,
    /// Last second of validity.
    pub deadline: u64,
    /// What is stated.
    pub statement: Delegated,
    v: u8,
    r: B256,
    s: B256,
}

/// Why bytes are no such file.
#[derive(Debug, thiserror::Error)]
pub enum DelegationFileError {
    /// More than any has.
    #[error("it has {0} bytes, at most {DELEGATION_BYTES_MAX} are possible")]
    TooLong(usize),
    /// Not JSON of the shape.
    #[error("it is not valid JSON of the expected shape: {0}")]
    Json(#[from] serde_json::Error),
    /// Another kind or version.
    #[error("field `format` is `{0}`, not `{DELEGATION_FORMAT}`; use newer software")]
    Format(String),
    /// No signature at all.
    #[error("fields `v`, `r` and `s` are no signature")]
    Signature(#[source] KeyError),
    /// Signed by another, or something else.
    #[error("it is signed by {got}, not by its issuer {expected}, or was changed")]
    Signer {
        /// In the file.
        expected: Address,
        /// Whose key it is.
        got: Address,
    },
}

impl DelegationFile {
    /// Of what was signed.
    pub fn new(of: &Delegating, genesis_hash: B256, signed: &Delegation) -> Self {
        Self {
            format: DELEGATION_FORMAT.into(),
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

    /// Reads a file, and verifies that the issuer signed what is in it.
    pub fn parse(bytes: &[u8]) -> Result<Self, DelegationFileError> {
        if bytes.len() > DELEGATION_BYTES_MAX {
            return Err(DelegationFileError::TooLong(bytes.len()));
        }
        let file: Self = from_json(bytes)?;
        if file.format != DELEGATION_FORMAT {
            return Err(DelegationFileError::Format(file.format));
        }
        let signature = (file.v, file.r, file.s);
        let got = file.delegating().signer(signature);
        let got = got.map_err(DelegationFileError::Signature)?;
        let expected = file.issuer;
        if got != expected {
            return Err(DelegationFileError::Signer { expected, got });
        }
        Ok(file)
    }

    /// What was signed.
    pub fn delegating(&self) -> Delegating {
        Delegating {
            chain_id: self.chain_id,
            issuer: self.issuer,
            nonce: self.nonce,
            deadline: self.deadline,
            what: self.statement.clone(),
        }
    }

    /// As the contract takes it.
    pub fn delegation(&self) -> Delegation {
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
        let good = serde_json::to_string_pretty(&file).unwrap();
        assert_eq!(DelegationFile::parse(good.as_bytes()).unwrap(), file);
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
        let long = good + &" ".repeat(DELEGATION_BYTES_MAX);
        let error = DelegationFile::parse(long.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("at most 2097152"), "{error}");
    }
}
