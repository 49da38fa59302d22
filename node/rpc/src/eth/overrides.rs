//! What a call is to take to be other than it is, as JSON: of `eth_call`, `eth_estimateGas`,
//! `eth_createAccessList`, `eth_simulateV1`, and of every other method that executes a call.
//! [`of_call`] reads both arguments, [`read`] what stands elsewhere; what they do is in `tbsi-execution`, in one place as well.

use std::collections::BTreeMap;

use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256, Bytes, U64, U128, U256};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tbsi_types::{AccountOverride, BlockOverrides, CallOverrides, StateOverrides, StorageOverride};

use crate::arguments::Arguments;
use crate::error::{Failure, out_of_range, refused};
use crate::limits::OVERRIDES_MAX;

/// Overrides of one account. Others than these are refused: go-ethereum passes over what it does
/// not know, and answers something else than was asked.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct AccountObject {
    nonce: Option<U64>,
    code: Option<Bytes>,
    balance: Option<U256>,
    state: Option<BTreeMap<B256, B256>>,
    state_diff: Option<BTreeMap<B256, B256>>,
    move_precompile_to_address: Option<Address>,
}

/// Overrides of accounts, by address.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct StateObject(BTreeMap<Address, AccountObject>);

/// Overrides of a block, under the names of go-ethereum, and those of Alloy, Reth and anvil. The
/// difficulty is passed over: there is none. Others are refused.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct BlockObject {
    #[serde(alias = "blockNumber")]
    number: Option<U64>,
    #[serde(alias = "timestamp")]
    time: Option<U64>,
    gas_limit: Option<U64>,
    #[serde(alias = "coinbase")]
    fee_recipient: Option<Address>,
    #[serde(alias = "random")]
    prev_randao: Option<B256>,
    #[serde(alias = "baseFee")]
    base_fee_per_gas: Option<U64>,
    blob_base_fee: Option<U128>,
    block_hash: Option<BTreeMap<U64, B256>>,
    beacon_root: Option<B256>,
    withdrawals: Option<Vec<Withdrawal>>,
    #[serde(rename = "difficulty")]
    _difficulty: Option<IgnoredAny>,
}

impl StateObject {
    /// Accounts and slots that it names.
    pub(crate) fn entries(&self) -> usize {
        let slots = |slots: &Option<BTreeMap<B256, B256>>| slots.as_ref().map_or(0, BTreeMap::len);
        let accounts = self.0.values();
        accounts
            .map(|account| 1 + slots(&account.state) + slots(&account.state_diff))
            .sum()
    }

    /// Refuses an account whose storage is replaced and changed at a time.
    pub(crate) fn read(self) -> Result<StateOverrides, Failure> {
        let account = |(address, object): (Address, AccountObject)| {
            let storage = match (object.state, object.state_diff) {
                (None, None) => StorageOverride::Keep,
                (Some(all), None) => StorageOverride::Replace(slots(all)),
                (None, Some(some)) => StorageOverride::Change(slots(some)),
                (Some(_), Some(_)) => {
                    return Err(refused(format!(
                        "account {address} has both 'state' and 'stateDiff'"
                    )));
                }
            };
            let overridden = AccountOverride {
                nonce: object.nonce.map(|nonce| nonce.to()),
                code: object.code,
                balance: object.balance,
                storage,
                move_precompile_to: object.move_precompile_to_address,
            };
            Ok((address, overridden))
        };
        self.0.into_iter().map(account).collect()
    }
}

fn slots(slots: BTreeMap<B256, B256>) -> BTreeMap<U256, U256> {
    let slots = slots.into_iter();
    slots
        .map(|(slot, value)| (slot.into(), value.into()))
        .collect()
}

impl BlockObject {
    /// Hashes that it names.
    pub(crate) fn entries(&self) -> usize {
        self.block_hash.as_ref().map_or(0, BTreeMap::len)
    }

    pub(crate) fn read(self) -> BlockOverrides {
        BlockOverrides {
            number: self.number.map(|number| number.to()),
            time: self.time.map(|time| time.to()),
            gas_limit: self.gas_limit.map(|gas| gas.to()),
            fee_recipient: self.fee_recipient,
            prev_randao: self.prev_randao,
            base_fee_per_gas: self.base_fee_per_gas.map(|fee| fee.to()),
            blob_base_fee: self.blob_base_fee.map(|fee| fee.to()),
            block_hashes: self
                .block_hash
                .unwrap_or_default()
                .into_iter()
                .map(|(number, hash)| (number.to(), hash))
                .collect(),
            beacon_root: self.beacon_root,
            withdrawals: self.withdrawals,
        }
    }

    /// For a call in a block that is there already.
    fn of_call(self) -> Result<BlockOverrides, Failure> {
        let has = |what: &str| {
            refused(format!(
                "block override \"{what}\" is not supported for this RPC method"
            ))
        };
        if self.beacon_root.is_some() {
            return Err(has("beaconRoot"));
        }
        if self.withdrawals.is_some() {
            return Err(has("withdrawals"));
        }
        Ok(self.read())
    }
}

/// Refuses more than [`OVERRIDES_MAX`] accounts, slots and hashes.
pub(crate) fn check_count(entries: usize) -> Result<(), Failure> {
    if entries <= OVERRIDES_MAX {
        return Ok(());
    }
    Err(out_of_range(
        format!("too many overrides: {entries} accounts and slots, at most {OVERRIDES_MAX}"),
        serde_json::json!({ "limit": OVERRIDES_MAX, "overrides": entries }),
    ))
}

/// The overrides of a call: of accounts at `index`, of its block after that.
pub(crate) fn of_call(arguments: &Arguments<'_>, index: usize) -> Result<CallOverrides, Failure> {
    let state: StateObject = arguments.optional(index)?.unwrap_or_default();
    let block: BlockObject = arguments.object(index + 1)?.unwrap_or_default();
    read(state, block)
}

/// The overrides of a call, wherever they stood among its arguments.
pub(crate) fn read(state: StateObject, block: BlockObject) -> Result<CallOverrides, Failure> {
    check_count(state.entries() + block.entries())?;
    Ok(CallOverrides {
        state: state.read()?,
        block: block.of_call()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonrpsee::types::Params;
    use serde_json::{Value, json};

    fn parsed(state: Value, block: Value) -> Result<CallOverrides, (i32, String)> {
        let params = json!([state, block]).to_string();
        let params = Params::new(Some(&params));
        let arguments = Arguments::split(&params, 2).unwrap();
        of_call(&arguments, 0).map_err(|it| (it.code(), it.message().to_owned()))
    }

    #[test]
    fn reads_accounts_and_blocks() {
        let (one, two) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let (slot, value) = (B256::repeat_byte(3), B256::repeat_byte(4));
        let state = json!({
            one.to_string(): { "nonce": "0x1", "balance": "0x2", "code": "0x00", "state": {} },
            two.to_string(): {
                "stateDiff": { slot.to_string(): value }, "movePrecompileToAddress": one,
            },
        });
        let block = json!({
            "number": "0x5", "time": "0x6", "gasLimit": "0x7", "feeRecipient": one,
            "prevRandao": slot, "baseFeePerGas": "0x8", "blobBaseFee": "0x9", "difficulty": "0xa",
        });
        let overrides = parsed(state, block).unwrap();
        let first = &overrides.state[&one];
        assert_eq!((first.nonce, first.balance), (Some(1), Some(U256::from(2))));
        assert_eq!(first.storage, StorageOverride::Replace(BTreeMap::new()));
        let second = &overrides.state[&two];
        let slots = BTreeMap::from([(slot.into(), value.into())]);
        assert_eq!(second.storage, StorageOverride::Change(slots));
        assert_eq!(second.move_precompile_to, Some(one));
        let block = overrides.block;
        assert_eq!((block.number, block.time), (Some(5), Some(6)));
        assert_eq!((block.gas_limit, block.fee_recipient), (Some(7), Some(one)));
        assert_eq!(
            (block.base_fee_per_gas, block.blob_base_fee),
            (Some(8), Some(9))
        );
        // As others name the same.
        let named = json!({
            "blockNumber": "0x5", "timestamp": "0x6", "gasLimit": "0x7", "coinbase": one,
            "random": slot, "baseFee": "0x8", "blobBaseFee": "0x9",
        });
        assert_eq!(parsed(Value::Null, named).unwrap().block, block);
        let hashes = json!({ "blockHash": { "0x4": slot, "3": value } });
        let hashes = parsed(Value::Null, hashes).unwrap().block.block_hashes;
        assert_eq!(hashes, BTreeMap::from([(3, value), (4, slot)]));
        let nothing = parsed(Value::Null, Value::Null);
        assert_eq!(nothing, Ok(CallOverrides::default()));
    }

    #[test]
    fn refuses_what_contradicts_itself_or_is_too_much() {
        let check = |state: Value, block: Value, code: i32, words: &str| {
            let (found, message) = parsed(state, block).unwrap_err();
            assert_eq!((found, message.contains(words)), (code, true), "{message}");
        };
        let account = Address::repeat_byte(1).to_string();
        let of = |object: Value| json!({ account.clone(): object });
        let both = of(json!({ "state": {}, "stateDiff": {} }));
        check(
            both,
            Value::Null,
            -32000,
            "has both 'state' and 'stateDiff'",
        );
        let short = of(json!({ "state": { "0x1": "0x2" } }));
        check(short, Value::Null, -32602, "invalid argument 0");
        check(
            json!({ "0x12": {} }),
            Value::Null,
            -32602,
            "invalid argument 0",
        );
        check(
            Value::Null,
            json!({ "time": -1 }),
            -32602,
            "invalid argument 1",
        );
        // What is not known would not count, and the answer be another.
        for (state, block, words) in [
            (
                Value::Null,
                json!({ "miner": account }),
                "unknown field `miner`",
            ),
            (
                Value::Null,
                json!({ "time": "0x1", "timestamp": "0x1" }),
                "duplicate field `time`",
            ),
            (
                of(json!({ "storage": {} })),
                Value::Null,
                "unknown field `storage`",
            ),
        ] {
            check(state, block, -32602, words);
        }
        let root = json!({ "beaconRoot": B256::ZERO });
        check(Value::Null, root, -32000, "\"beaconRoot\" is not supported");
        let withdrawals = json!({ "withdrawals": [] });
        check(Value::Null, withdrawals, -32000, "\"withdrawals\" is not");
        let slot = |number: usize| {
            (
                B256::from(U256::from(number)).to_string(),
                json!(B256::ZERO),
            )
        };
        let many: serde_json::Map<String, Value> = (0..OVERRIDES_MAX).map(slot).collect();
        check(
            of(json!({ "state": many })),
            Value::Null,
            -32602,
            "too many overrides",
        );
    }
}
