//! Accounts, code, storage and proofs.

use alloy_consensus::constants::EMPTY_ROOT_HASH;
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Serialize;
use tbsi_types::{AccountProof, Height, SlotProof};

use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::error::{Failure, invalid_params, out_of_range};
use crate::limits::PROOF_SLOTS_MAX;

/// `eth_getBalance(address, block)`.
pub(crate) fn balance(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let address = arguments.required(0)?;
    let height = api.state_height(arguments, 1)?;
    let account = api.backend.account(address, height)?;
    reply(account.unwrap_or_default().balance)
}

/// `eth_getCode(address, block)`.
pub(crate) fn code(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let address = arguments.required(0)?;
    let height = api.state_height(arguments, 1)?;
    reply(api.backend.code(address, height)?)
}

/// `eth_getTransactionCount(address, block)`; with `pending`, pooled transactions count.
pub(crate) fn transaction_count(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let address: Address = arguments.required(0)?;
    let height = api.state_height(arguments, 1)?;
    if arguments.optional(1)? == Some(BlockId::pending()) {
        return reply(U64::from(api.next_nonce(address, height)?));
    }
    let account = api.backend.account(address, height)?;
    reply(U64::from(account.unwrap_or_default().nonce))
}

/// `eth_getStorageAt(address, slot, block)`.
pub(crate) fn storage_at(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let address = arguments.required(0)?;
    let slot = Slot::parse(&arguments.required::<String>(1)?)?;
    let height = api.state_height(arguments, 2)?;
    let value = api.backend.storage(address, slot.number, height)?;
    reply(B256::from(value))
}

/// A storage slot as a client wrote it: a 32-byte word or a quantity.
pub(crate) struct Slot {
    pub(crate) number: U256,
    is_word: bool,
}

impl Slot {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let digits = text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))
            .unwrap_or(text);
        if digits.len() > 64 {
            let shown: String = text.chars().take(80).collect();
            return Err(invalid_params(format!(
                "storage key too long (want at most 32 bytes): {shown:?}"
            )));
        }
        let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = U256::from_str_radix(if digits.is_empty() { "0" } else { digits }, 16);
        match number {
            Ok(number) if hex => Ok(Self {
                number,
                is_word: digits.len() == 64,
            }),
            Ok(_) | Err(_) => Err(invalid_params(format!(
                "invalid hex in storage key: {text:?}"
            ))),
        }
    }

    /// As go-ethereum repeats it: a word if it came as one, otherwise a quantity.
    fn written(&self) -> String {
        if self.is_word {
            B256::from(self.number).to_string()
        } else {
            format!("{:#x}", self.number)
        }
    }
}

/// Answer of `eth_getProof` (EIP-1186).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProofObject {
    address: Address,
    account_proof: Vec<Bytes>,
    balance: U256,
    code_hash: B256,
    nonce: U64,
    storage_hash: B256,
    storage_proof: Vec<SlotObject>,
}

#[derive(Serialize)]
struct SlotObject {
    key: String,
    value: U256,
    proof: Vec<Bytes>,
}

/// `eth_getProof(address, slots, block)`.
pub(crate) fn proof(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let address = arguments.required(0)?;
    let keys: Vec<String> = arguments.required(1)?;
    if keys.len() > PROOF_SLOTS_MAX {
        return Err(out_of_range(
            format!("too many slots (max {PROOF_SLOTS_MAX})"),
            serde_json::json!({ "limit": PROOF_SLOTS_MAX, "slots": keys.len() }),
        ));
    }
    let slots: Result<Vec<Slot>, Failure> = keys.iter().map(|key| Slot::parse(key)).collect();
    let slots = slots?;
    let height: Height = api.state_height(arguments, 2)?;
    let numbers: Vec<U256> = slots.iter().map(|slot| slot.number).collect();
    let proof = api.backend.prove(address, &numbers, height)?;
    reply(proof_object(proof, &slots))
}

fn proof_object(proof: AccountProof, slots: &[Slot]) -> ProofObject {
    let storage_root = match proof.account {
        Some(_) => proof.storage_root,
        None => EMPTY_ROOT_HASH,
    };
    let account = proof.account.unwrap_or_default();
    let slot = |(slot, proof): (&Slot, SlotProof)| SlotObject {
        key: slot.written(),
        value: proof.value,
        proof: proof.nodes,
    };
    ProofObject {
        address: proof.address,
        account_proof: proof.nodes,
        balance: account.balance,
        code_hash: account.code_hash,
        nonce: U64::from(account.nonce),
        storage_hash: storage_root,
        storage_proof: slots.iter().zip(proof.slots).map(slot).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_slots_as_go_ethereum_does() {
        let check = |text: &str, number: u64, written: &str| {
            let slot = Slot::parse(text).unwrap();
            assert_eq!(slot.number, U256::from(number), "{text}");
            assert_eq!(slot.written(), written);
        };
        check("0x0", 0, "0x0");
        check("0x", 0, "0x0");
        check("0x1f", 31, "0x1f");
        check("1f", 31, "0x1f");
        check("0x0010", 16, "0x10");
        let word = format!("0x{:064x}", 7);
        check(&word, 7, &word);
    }

    #[test]
    fn refuses_what_is_no_slot() {
        let check = |text: &str, expected: &str| {
            let failure = Slot::parse(text).err().unwrap();
            assert_eq!(failure.code(), -32602);
            assert!(failure.message().starts_with(expected), "{failure:?}");
        };
        check("0xasdf", "invalid hex in storage key: \"0xasdf\"");
        check("0x1_0", "invalid hex in storage key");
        check("0x-1", "invalid hex in storage key");
        check("公", "invalid hex in storage key");
        check(&"0".repeat(65), "storage key too long");
        check(&"公".repeat(1_000), "storage key too long");
    }
}
