//! `debug_accountRange`.

use std::collections::BTreeMap;

use alloy_primitives::{B256, Bytes, U256, hex};
use serde::Serialize;

use super::Bounds;
use crate::api::{Api, Reply};
use crate::arguments::Arguments;
use crate::backend::hindsight::{AccountParts, HashedAccount};
use crate::error::{Failure, header_not_found, internal, invalid_argument};
use crate::limits::ACCOUNT_RANGE_MAX;

/// Answer of `debug_accountRange`, as go-ethereum has it.
#[derive(Serialize)]
struct Dump {
    root: String,
    accounts: BTreeMap<String, Dumped>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<B256>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dumped {
    /// Decimal digits.
    balance: String,
    nonce: u64,
    root: B256,
    code_hash: B256,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage: Option<BTreeMap<B256, String>>,
    /// The hash of its address.
    key: B256,
}

/// `debug_accountRange(block, start, limit, nocode, nostorage, incompletes)`: accounts by the
/// hashes of their addresses, which no node keeps: `incompletes` changes nothing.
pub(crate) fn range(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let height = api.height_of_id(arguments.required(0)?)?;
    let height = height.ok_or_else(header_not_found)?;
    let start: Bytes = arguments.required(1)?;
    let limit: usize = arguments.required(2)?;
    let without =
        |index| -> Result<bool, Failure> { Ok(arguments.optional(index)?.unwrap_or(false)) };
    let parts = AccountParts {
        code: !without(3)?,
        storage: !without(4)?,
    };
    without(5)?;
    if start.len() > 32 {
        let problem = "the hash of an address has at most 32 bytes";
        return Err(invalid_argument(1, problem));
    }
    let header = api.backend.header(height)?;
    let header = header.ok_or_else(|| internal(&format!("block {height} has no header")))?;
    let from = B256::right_padding_from(&start);
    let bounds = Bounds::most(api);
    // Of 0 go-ethereum makes as many as there may be.
    let limit = match limit {
        0 => ACCOUNT_RANGE_MAX,
        limit => limit.min(ACCOUNT_RANGE_MAX),
    };
    let page = (from, limit);
    let page = api.backend.accounts(height, page, parts)?;
    let accounts = page.accounts.into_iter();
    let dump = Dump {
        root: hex::encode(header.state_root),
        accounts: accounts.map(dumped).collect(),
        next: page.next,
    };
    bounds.reply(api, dump)
}

/// With go-ethereum's name for an account whose address is not known.
fn dumped(account: HashedAccount) -> (String, Dumped) {
    // The digits of what is stored, without zeros before them, two for each byte.
    let digits = |value: U256| hex::encode(value.to_be_bytes_trimmed_vec());
    let storage = account.storage.map(|slots| {
        let slots = slots.into_iter();
        slots.map(|(hash, value)| (hash, digits(value))).collect()
    });
    let dumped = Dumped {
        balance: account.balance.to_string(),
        nonce: account.nonce,
        root: account.storage_root,
        code_hash: account.code_hash,
        code: account.code.filter(|code| !code.is_empty()),
        storage: storage.filter(|slots: &BTreeMap<_, _>| !slots.is_empty()),
        key: account.hash,
    };
    (format!("pre({})", account.hash), dumped)
}
