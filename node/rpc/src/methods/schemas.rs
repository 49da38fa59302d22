//! Values that methods of several namespaces take or answer.

use super::entry::Kind::{List, Maybe, One};
use super::entry::{Schema, any_of, json, may, need, object};

pub(super) const ADDRESS: Schema = json(
    "Address",
    "20 bytes.",
    r#"{"type":"string","pattern":"^0x[0-9a-fA-F]{40}$",
        "examples":["0x00000000000000000000000000000000000000aa"]}"#,
);

pub(super) const HASH: Schema = json(
    "Hash",
    "32 bytes.",
    r#"{"type":"string","pattern":"^0x[0-9a-fA-F]{64}$",
        "examples":["0x00000000000000000000000000000000000000000000000000000000000000aa"]}"#,
);

pub(super) const BYTES: Schema = json(
    "Bytes",
    "Any number of bytes.",
    r#"{"type":"string","pattern":"^0x([0-9a-fA-F]{2})*$","examples":["0x0102"]}"#,
);

pub(super) const QUANTITY: Schema = json(
    "Quantity",
    "A whole number in hexadecimal digits without leading zeros.",
    r#"{"type":"string","pattern":"^0x(0|[1-9a-f][0-9a-f]*)$","examples":["0x1"]}"#,
);

pub(super) const BOOLEAN: Schema = json(
    "Boolean",
    "True or false.",
    r#"{"type":"boolean","examples":[false]}"#,
);

pub(super) const TEXT: Schema = json(
    "Text",
    "A text.",
    r#"{"type":"string","examples":["text"]}"#,
);

pub(super) const INTEGER: Schema = json(
    "Integer",
    "A whole number, not negative.",
    r#"{"type":"integer","minimum":0,"examples":[0]}"#,
);

pub(super) const NUMBER: Schema = json(
    "Number",
    "A number.",
    r#"{"type":"number","examples":[50.5]}"#,
);

pub(super) const ANY_OBJECT: Schema = json(
    "AnyObject",
    "An object whose fields are said elsewhere.",
    r#"{"type":"object","examples":[{}]}"#,
);

pub(super) const BLOCK_TAG: Schema = json(
    "BlockTag",
    "`latest`, `safe` and `finalized` are the last block, `pending` is its state with the pool's \
     nonces, `earliest` is genesis.",
    r#"{"type":"string","enum":["latest","safe","finalized","pending","earliest"],
        "examples":["latest"]}"#,
);

pub(super) const BLOCK_NUMBER: Schema = any_of(
    "BlockNumber",
    "The number of a block, or a tag.",
    &[One(&BLOCK_TAG), One(&QUANTITY)],
);

const BLOCK_BY_HASH: Schema = object(
    "BlockByHash",
    "A block by its hash (EIP-1898).",
    &[
        need("blockHash", One(&HASH)),
        may("requireCanonical", One(&BOOLEAN)),
    ],
);

const BLOCK_BY_NUMBER: Schema = object(
    "BlockByNumber",
    "A block by its number (EIP-1898).",
    &[need("blockNumber", One(&BLOCK_NUMBER))],
);

pub(super) const BLOCK_ID: Schema = any_of(
    "BlockId",
    "A block by number, tag or hash, or by an object of EIP-1898.",
    &[
        One(&BLOCK_NUMBER),
        One(&HASH),
        One(&BLOCK_BY_HASH),
        One(&BLOCK_BY_NUMBER),
    ],
);

pub(super) const ACCESS_LIST_ITEM: Schema = object(
    "AccessListItem",
    "An account and slots of it (EIP-2930).",
    &[
        need("address", One(&ADDRESS)),
        need("storageKeys", List(&HASH)),
    ],
);

pub(super) const AUTHORIZATION: Schema = object(
    "Authorization",
    "A delegation to code (EIP-7702).",
    &[
        need("chainId", One(&QUANTITY)),
        need("address", One(&ADDRESS)),
        need("nonce", One(&QUANTITY)),
        need("yParity", One(&QUANTITY)),
        need("r", One(&QUANTITY)),
        need("s", One(&QUANTITY)),
    ],
);

/// What a call, an estimate or a filled transaction is asked of.
pub(super) const CALL: Schema = object(
    "Call",
    "What would be sent; `input` and `data` are the same, and bids are paid by nobody.",
    &[
        may("type", One(&QUANTITY)),
        may("chainId", One(&QUANTITY)),
        may("from", One(&ADDRESS)),
        may("to", Maybe(&ADDRESS)),
        may("nonce", One(&QUANTITY)),
        may("gas", One(&QUANTITY)),
        may("gasPrice", One(&QUANTITY)),
        may("maxFeePerGas", One(&QUANTITY)),
        may("maxPriorityFeePerGas", One(&QUANTITY)),
        may("value", One(&QUANTITY)),
        may("input", One(&BYTES)),
        may("data", One(&BYTES)),
        may("accessList", List(&ACCESS_LIST_ITEM)),
        may("authorizationList", List(&AUTHORIZATION)),
    ],
);

pub(super) const STATE_OVERRIDES: Schema = json(
    "StateOverrides",
    "What accounts are taken to be, by address: `nonce`, `balance`, `code`, `state` (all slots) or \
     `stateDiff` (some), `movePrecompileToAddress`. Other fields are refused.",
    r#"{"type":"object"}"#,
);

pub(super) const BLOCK_OVERRIDES: Schema = json(
    "BlockOverrides",
    "What the block is taken to be: `number` (or `blockNumber`), `time` (or `timestamp`), \
     `gasLimit`, `feeRecipient` (or `coinbase`), `prevRandao` (or `random`), `baseFeePerGas` (or \
     `baseFee`), `blobBaseFee`, `blockHash` (hashes by number); `difficulty` is passed over; \
     `beaconRoot` and `withdrawals` of simulated blocks alone. Other fields are refused.",
    r#"{"type":"object"}"#,
);

const ADDRESSES: Schema = any_of(
    "Addresses",
    "One address or any of several.",
    &[One(&ADDRESS), List(&ADDRESS)],
);

const TOPIC: Schema = json(
    "Topic",
    "A word, any of several, or null for all.",
    r##"{"anyOf":[{"$ref":"#/components/schemas/Hash"},{"type":"null"},
        {"type":"array","items":{"anyOf":[{"$ref":"#/components/schemas/Hash"},{"type":"null"}]}}]}"##,
);

pub(super) const FILTER: Schema = object(
    "Filter",
    "Which logs: of one block, or of a range; those that match in all positions.",
    &[
        may("fromBlock", One(&BLOCK_NUMBER)),
        may("toBlock", One(&BLOCK_NUMBER)),
        may("blockHash", One(&HASH)),
        may("address", One(&ADDRESSES)),
        may("topics", List(&TOPIC)),
    ],
);
