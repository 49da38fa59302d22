//! The founders' signatures under the genesis file, which stand beside it.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use tbsi_types::genesis::Permission;
use tbsi_types::{Genesis, SecretKey, Signature, sha256};

use super::{CeremonyError, DRAFT_BYTES_MAX, parse, to_json};

const TAG: &[u8] = b"TBSI-FOUNDING-1";

/// Who has signed a genesis file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signatures {
    /// Hash of the genesis file.
    pub genesis_hash: B256,
    /// By organisation.
    pub signatures: BTreeMap<String, FounderSignature>,
}

/// An organisation's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FounderSignature {
    /// Account that signed; it may administer the organisation.
    pub account: Address,
    /// 65 bytes over SHA-256 of a tag and the genesis hash.
    pub signature: Bytes,
}

impl Signatures {
    /// Nobody has signed.
    pub fn new(genesis: &Genesis) -> Self {
        Self {
            genesis_hash: genesis.hash(),
            signatures: BTreeMap::new(),
        }
    }

    /// Parses a file, and verifies those signatures that it has.
    pub fn parse(bytes: &[u8], genesis: &Genesis) -> Result<Self, CeremonyError> {
        let this: Self = parse("file of signatures", bytes, DRAFT_BYTES_MAX)?;
        if this.genesis_hash != genesis.hash() {
            return Err(CeremonyError::Signature(format!(
                "they are for genesis hash {}, this file has {}",
                this.genesis_hash,
                genesis.hash()
            )));
        }
        for (id, entry) in &this.signatures {
            this.verify(genesis, id, entry)?;
        }
        Ok(this)
    }

    fn digest(&self) -> B256 {
        sha256(&[TAG, self.genesis_hash.as_slice()])
    }

    fn verify(
        &self,
        genesis: &Genesis,
        id: &str,
        entry: &FounderSignature,
    ) -> Result<(), CeremonyError> {
        if organisation_of(genesis, entry.account) != Some(id) {
            return Err(CeremonyError::Signature(format!(
                "{} may not administer `{id}`",
                entry.account
            )));
        }
        let by = Signature::parse(&entry.signature);
        let by = by.and_then(|signature| signature.recover(self.digest()));
        match by {
            Ok(by) if by == entry.account => Ok(()),
            Ok(by) => Err(CeremonyError::Signature(format!(
                "that of `{id}` is by {by}, not by {}",
                entry.account
            ))),
            Err(source) => Err(CeremonyError::Key {
                what: format!("signature of `{id}`"),
                source,
            }),
        }
    }

    /// Signs for the organisation that this account may administer; returns its id.
    pub fn sign(&mut self, genesis: &Genesis, key: &SecretKey) -> Result<String, CeremonyError> {
        let account = key.public_key().address();
        let Some(id) = organisation_of(genesis, account) else {
            return Err(CeremonyError::Signature(format!(
                "{account} may not administer any organisation of this genesis file: is this \
                 the home that the founder file was made in?"
            )));
        };
        let entry = FounderSignature {
            account,
            signature: key.sign(self.digest()).0.to_vec().into(),
        };
        self.signatures.insert(id.into(), entry);
        Ok(id.into())
    }

    /// Organisations that have not signed.
    pub fn missing<'a>(&self, genesis: &'a Genesis) -> Vec<&'a str> {
        let ids = genesis.organisations.keys().map(String::as_str);
        ids.filter(|id| !self.signatures.contains_key(*id))
            .collect()
    }

    /// As a file.
    pub fn to_json(&self) -> String {
        to_json(self)
    }
}

/// The organisation that an account may administer.
fn organisation_of(genesis: &Genesis, account: Address) -> Option<&str> {
    let mut organisations = genesis.organisations.iter();
    let found = organisations.find(|(_, entry)| {
        let permissions = entry.accounts.get(&account);
        permissions.is_some_and(|permissions| permissions.contains(&Permission::Administer))
    });
    found.map(|(id, _)| id.as_str())
}
