//! The genesis file of execution-apis: forks and first accounts.

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH};
use alloy_primitives::{Address, B64, B256, Bytes, U64, U256, keccak256};
use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;
use tbsi_execution::Protocol;
use tbsi_execution::conformance::{Fork, ForkAt, protocol};
use tbsi_types::{Account, AccountChange, StateDiff};

/// Key of the file, and the fork by the name that state tests use. Those that change nothing in
/// execution are left out: revm has one Osaka for all numbers of blobs.
const BY_NUMBER: [(&str, &str); 9] = [
    ("homesteadBlock", "Homestead"),
    ("eip150Block", "EIP150"),
    ("eip158Block", "EIP158"),
    ("byzantiumBlock", "Byzantium"),
    ("constantinopleBlock", "Constantinople"),
    ("istanbulBlock", "Istanbul"),
    ("berlinBlock", "Berlin"),
    ("londonBlock", "London"),
    ("mergeNetsplitBlock", "Paris"),
];
const BY_TIME: [(&str, &str); 4] = [
    ("shanghaiTime", "Shanghai"),
    ("cancunTime", "Cancun"),
    ("pragueTime", "Prague"),
    ("osakaTime", "Osaka"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Genesis {
    config: Value,
    alloc: BTreeMap<Address, First>,
    nonce: U64,
    timestamp: U64,
    extra_data: Bytes,
    gas_limit: U64,
    difficulty: U256,
    mix_hash: B256,
    coinbase: Address,
}

#[derive(Deserialize)]
struct First {
    #[serde(default)]
    balance: U256,
    #[serde(default)]
    nonce: U64,
    #[serde(default)]
    code: Bytes,
    #[serde(default)]
    storage: BTreeMap<B256, B256>,
}

impl Genesis {
    pub(crate) fn chain_id(&self) -> anyhow::Result<u64> {
        self.config["chainId"].as_u64().context("chainId")
    }

    pub(crate) fn protocol(&self) -> anyhow::Result<Protocol> {
        let number = |key: &str| self.config[key].as_u64().with_context(|| key.to_owned());
        let fork = |name: &str| Fork::parse(name).with_context(|| name.to_owned());
        let mut forks = Vec::new();
        for (key, name) in BY_NUMBER {
            forks.push((ForkAt::Number(number(key)?), fork(name)?));
        }
        for (key, name) in BY_TIME {
            forks.push((ForkAt::Time(number(key)?), fork(name)?));
        }
        Ok(protocol(self.chain_id()?, &forks))
    }

    pub(crate) fn state(&self) -> StateDiff {
        let mut diff = StateDiff::default();
        for (address, first) in &self.alloc {
            let code_hash = keccak256(&first.code);
            let slots = first.storage.iter();
            let change = AccountChange {
                account: Some(Account {
                    nonce: first.nonce.to(),
                    balance: first.balance,
                    code_hash,
                }),
                storage_wiped: false,
                storage: slots
                    .map(|(slot, it)| ((*slot).into(), (*it).into()))
                    .collect(),
            };
            diff.accounts.insert(*address, change);
            diff.codes.insert(code_hash, first.code.clone());
        }
        diff
    }

    pub(crate) fn header(&self, state_root: B256) -> Header {
        Header {
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: self.coinbase,
            state_root,
            transactions_root: EMPTY_ROOT_HASH,
            receipts_root: EMPTY_ROOT_HASH,
            difficulty: self.difficulty,
            gas_limit: self.gas_limit.to(),
            timestamp: self.timestamp.to(),
            extra_data: self.extra_data.clone(),
            mix_hash: self.mix_hash,
            nonce: B64::from(self.nonce.to::<u64>()),
            ..Header::default()
        }
    }
}
