//! A validator set as a bundle carries it: addresses, power, legal names (SPEC §10.1).

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use super::BundleError;
use crate::genesis::Genesis;
use crate::limits::{ORGANISATION_NAME_BYTES_MAX, VALIDATORS_MAX};
use crate::number::VotingPower;
use crate::validator::{operator_id, set_hash};

/// A validator and the legal names of who answers for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedValidator {
    /// Address of the consensus key.
    #[serde(deserialize_with = "super::json::lower_hex::one")]
    pub address: Address,
    /// Weight, at least 1.
    pub power: VotingPower,
    /// Legal name in Traditional Chinese; empty if it has none.
    pub name_zh_tw: String,
    /// Legal name in English.
    pub name_en: String,
}

/// The validators of one height, in address order. [`NamedValidators::hash`] is what
/// checkpoints name, so names that were tampered with belong to no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedValidators {
    validators: Vec<NamedValidator>,
    total: VotingPower,
}

impl NamedValidators {
    /// 1 to [`VALIDATORS_MAX`] validators in address order, none twice, power at least 1,
    /// names of at most [`ORGANISATION_NAME_BYTES_MAX`] bytes.
    pub fn new(validators: Vec<NamedValidator>) -> Result<Self, BundleError> {
        let wrong = |problem: String| Err(BundleError::Validators(problem));
        if validators.is_empty() || validators.len() > VALIDATORS_MAX {
            let count = validators.len();
            return wrong(format!("{count} given, 1 to {VALIDATORS_MAX} are allowed"));
        }
        let mut total = 0u64;
        let mut before = None;
        for validator in &validators {
            let address = validator.address;
            if before >= Some(address) {
                return wrong(format!("{address} is not in address order, each once"));
            }
            before = Some(address);
            if validator.power.0 == 0 {
                return wrong(format!("{address} has no voting power"));
            }
            let Some(sum) = total.checked_add(validator.power.0) else {
                return wrong("total voting power exceeds 2^64 - 1".into());
            };
            total = sum;
            let longest = validator.name_zh_tw.len().max(validator.name_en.len());
            if longest > ORGANISATION_NAME_BYTES_MAX {
                return wrong(format!(
                    "{address} has a name of {longest} bytes, at most \
                     {ORGANISATION_NAME_BYTES_MAX} are allowed"
                ));
            }
        }
        Ok(Self {
            validators,
            total: VotingPower(total),
        })
    }

    /// The set of a genesis file, under the names that the file gives.
    pub fn of_genesis(genesis: &Genesis) -> Result<Self, BundleError> {
        let set = genesis
            .validator_set()
            .map_err(|error| BundleError::Validators(error.to_string()))?;
        let named = |validator: &crate::Validator| {
            let node = genesis.node_of_validator(validator.address);
            let names = node.and_then(|node| genesis.organisation(node));
            NamedValidator {
                address: validator.address,
                power: validator.power,
                name_zh_tw: names.map(|it| it.name_zh_tw.clone()).unwrap_or_default(),
                name_en: names.map(|it| it.name_en.clone()).unwrap_or_default(),
            }
        };
        Self::new(set.iter().map(named).collect())
    }

    /// In address order.
    pub fn as_slice(&self) -> &[NamedValidator] {
        &self.validators
    }

    /// Sum of all voting power.
    pub fn total_power(&self) -> VotingPower {
        self.total
    }

    /// Position of the validator with this address.
    pub fn position(&self, address: &Address) -> Option<usize> {
        let key = |validator: &NamedValidator| validator.address;
        self.validators.binary_search_by_key(address, key).ok()
    }

    /// The validator with this address.
    pub fn get(&self, address: &Address) -> Option<&NamedValidator> {
        self.position(address).map(|index| &self.validators[index])
    }

    /// The hash that checkpoints name (SPEC §3.2).
    pub fn hash(&self) -> B256 {
        set_hash(self.validators.iter().map(|validator| {
            let operator = operator_id(&validator.name_zh_tw, &validator.name_en);
            (validator.address, validator.power, operator)
        }))
    }
}
