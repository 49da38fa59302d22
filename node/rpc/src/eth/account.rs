//! An account at once, and many slots of several.

use std::collections::BTreeMap;

use alloy_consensus::constants::EMPTY_ROOT_HASH;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Serialize;
use serde_json::json;

use super::state::Slot;
use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::error::{invalid_params, out_of_range};
use crate::limits::PROOF_SLOTS_MAX;

/// Answer of `eth_getAccount`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InState {
    balance: U256,
    nonce: U64,
    code_hash: B256,
    storage_root: B256,
}

/// Answer of `eth_getAccountInfo`.
#[derive(Serialize)]
struct Info {
    balance: U256,
    nonce: U64,
    code: Bytes,
}

/// `eth_getAccount(address, block)`: as the state trie has it, or null.
pub(crate) fn account(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let address: Address = arguments.required(0)?;
    let height = api.state_height(arguments, 1)?;
    let proof = api.backend.prove(address, &[], height)?;
    reply(proof.account.map(|account| InState {
        balance: account.balance,
        nonce: U64::from(account.nonce),
        code_hash: account.code_hash,
        storage_root: if proof.storage_root.is_zero() {
            EMPTY_ROOT_HASH
        } else {
            proof.storage_root
        },
    }))
}

/// `eth_getAccountInfo(address, block)`: balance, nonce and code in one answer.
pub(crate) fn account_info(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let address: Address = arguments.required(0)?;
    let height = api.state_height(arguments, 1)?;
    let account = api.backend.account(address, height)?.unwrap_or_default();
    reply(Info {
        balance: account.balance,
        nonce: U64::from(account.nonce),
        code: api.backend.code(address, height)?,
    })
}

/// `eth_getStorageValues({address: [slot]}, block)`: words of up to 1024 slots.
pub(crate) fn storage_values(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let asked: BTreeMap<Address, Vec<String>> = arguments.required(0)?;
    let count: usize = asked.values().map(Vec::len).sum();
    if count == 0 {
        return Err(invalid_params("empty request"));
    }
    if count > PROOF_SLOTS_MAX {
        return Err(out_of_range(
            format!("too many slots (max {PROOF_SLOTS_MAX})"),
            json!({ "limit": PROOF_SLOTS_MAX, "slots": count }),
        ));
    }
    let height = api.state_height(arguments, 1)?;
    let mut values = BTreeMap::new();
    for (address, slots) in asked {
        let mut words = Vec::with_capacity(slots.len());
        for slot in slots {
            let slot = Slot::parse(&slot)?;
            words.push(B256::from(api.backend.storage(
                address,
                slot.number,
                height,
            )?));
        }
        values.insert(address, words);
    }
    // Without a checksum in capital letters, as the execution API has it.
    let written = values
        .iter()
        .map(|(address, words)| (format!("{address:#x}"), words));
    reply(written.collect::<BTreeMap<_, _>>())
}
