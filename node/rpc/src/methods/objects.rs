//! Ethereum's objects.

use super::entry::Kind::{List, Maybe, One};
use super::entry::{Schema, any_of, json, may, need, object};
use super::schemas::{
    ACCESS_LIST_ITEM, ADDRESS, AUTHORIZATION, BOOLEAN, BYTES, HASH, NUMBER, QUANTITY, TEXT,
};

const NONCE: Schema = json(
    "Nonce",
    "8 bytes; zero here.",
    r#"{"type":"string","pattern":"^0x[0-9a-f]{16}$"}"#,
);

const BLOOM: Schema = json(
    "Bloom",
    "256 bytes.",
    r#"{"type":"string","pattern":"^0x[0-9a-f]{512}$"}"#,
);

pub(super) const TRANSACTION: Schema = object(
    "Transaction",
    "A signed transaction; one that is pending has no block. `gasPrice` is the bid of types 0 and \
     1, else what is paid, which is nothing.",
    &[
        need("type", One(&QUANTITY)),
        may("chainId", One(&QUANTITY)),
        need("nonce", One(&QUANTITY)),
        need("gas", One(&QUANTITY)),
        need("gasPrice", One(&QUANTITY)),
        may("maxFeePerGas", One(&QUANTITY)),
        may("maxPriorityFeePerGas", One(&QUANTITY)),
        need("from", One(&ADDRESS)),
        need("to", Maybe(&ADDRESS)),
        need("value", One(&QUANTITY)),
        need("input", One(&BYTES)),
        may("accessList", List(&ACCESS_LIST_ITEM)),
        may("authorizationList", List(&AUTHORIZATION)),
        need("v", One(&QUANTITY)),
        may("yParity", One(&QUANTITY)),
        need("r", One(&QUANTITY)),
        need("s", One(&QUANTITY)),
        need("hash", One(&HASH)),
        need("blockHash", Maybe(&HASH)),
        need("blockNumber", Maybe(&QUANTITY)),
        may("blockTimestamp", Maybe(&QUANTITY)),
        need("transactionIndex", Maybe(&QUANTITY)),
    ],
);

const TRANSACTIONS: Schema = any_of(
    "Transactions",
    "In full, or their hashes.",
    &[List(&HASH), List(&TRANSACTION)],
);

const WITHDRAWAL: Schema = json(
    "Withdrawal",
    "There are none.",
    r#"{"type":"object","maxProperties":0}"#,
);

pub(super) const BLOCK: Schema = object(
    "Block",
    "A block; what belongs to mining, deposits or blobs is zero or empty.",
    &[
        need("number", One(&QUANTITY)),
        need("hash", One(&HASH)),
        need("parentHash", One(&HASH)),
        need("sha3Uncles", One(&HASH)),
        need("miner", One(&ADDRESS)),
        need("stateRoot", One(&HASH)),
        need("transactionsRoot", One(&HASH)),
        need("receiptsRoot", One(&HASH)),
        need("logsBloom", One(&BLOOM)),
        need("difficulty", One(&QUANTITY)),
        need("gasLimit", One(&QUANTITY)),
        need("gasUsed", One(&QUANTITY)),
        need("timestamp", One(&QUANTITY)),
        need("extraData", One(&BYTES)),
        need("mixHash", One(&HASH)),
        need("nonce", One(&NONCE)),
        need("baseFeePerGas", One(&QUANTITY)),
        need("withdrawalsRoot", One(&HASH)),
        need("blobGasUsed", One(&QUANTITY)),
        need("excessBlobGas", One(&QUANTITY)),
        need("parentBeaconBlockRoot", One(&HASH)),
        need("requestsHash", One(&HASH)),
        need("size", One(&QUANTITY)),
        need("uncles", List(&HASH)),
        need("transactions", One(&TRANSACTIONS)),
        need("withdrawals", List(&WITHDRAWAL)),
    ],
);

pub(super) const LOG: Schema = object(
    "Log",
    "What a contract has logged.",
    &[
        need("address", One(&ADDRESS)),
        need("topics", List(&HASH)),
        need("data", One(&BYTES)),
        need("blockHash", One(&HASH)),
        need("blockNumber", One(&QUANTITY)),
        need("blockTimestamp", One(&QUANTITY)),
        need("transactionHash", One(&HASH)),
        need("transactionIndex", One(&QUANTITY)),
        need("logIndex", One(&QUANTITY)),
        need("removed", One(&BOOLEAN)),
    ],
);

pub(super) const RECEIPT: Schema = object(
    "Receipt",
    "What a transaction did.",
    &[
        need("type", One(&QUANTITY)),
        need("status", One(&QUANTITY)),
        need("cumulativeGasUsed", One(&QUANTITY)),
        need("gasUsed", One(&QUANTITY)),
        need("effectiveGasPrice", One(&QUANTITY)),
        need("logs", List(&LOG)),
        need("logsBloom", One(&BLOOM)),
        need("transactionHash", One(&HASH)),
        need("transactionIndex", One(&QUANTITY)),
        need("blockHash", One(&HASH)),
        need("blockNumber", One(&QUANTITY)),
        need("from", One(&ADDRESS)),
        need("to", Maybe(&ADDRESS)),
        need("contractAddress", Maybe(&ADDRESS)),
    ],
);

const SLOT_PROOF: Schema = object(
    "SlotProof",
    "A slot and the nodes to it, from the root of the account's storage down.",
    &[
        need("key", One(&TEXT)),
        need("value", One(&QUANTITY)),
        need("proof", List(&BYTES)),
    ],
);

pub(super) const ACCOUNT_PROOF: Schema = object(
    "AccountProof",
    "An account and the nodes to it, from the state root down (EIP-1186).",
    &[
        need("address", One(&ADDRESS)),
        need("accountProof", List(&BYTES)),
        need("balance", One(&QUANTITY)),
        need("codeHash", One(&HASH)),
        need("nonce", One(&QUANTITY)),
        need("storageHash", One(&HASH)),
        need("storageProof", List(&SLOT_PROOF)),
    ],
);

const REWARDS: Schema = json(
    "Rewards",
    "Of one block, zero for each percentile.",
    r##"{"type":"array","items":{"$ref":"#/components/schemas/Quantity"}}"##,
);

pub(super) const FEE_HISTORY: Schema = object(
    "FeeHistory",
    "Fees of blocks: all zero.",
    &[
        need("oldestBlock", One(&QUANTITY)),
        need("baseFeePerGas", List(&QUANTITY)),
        need("gasUsedRatio", List(&NUMBER)),
        need("baseFeePerBlobGas", List(&QUANTITY)),
        need("blobGasUsedRatio", List(&NUMBER)),
        may("reward", List(&REWARDS)),
    ],
);

const HEAD: Schema = object(
    "Head",
    "The last block.",
    &[need("number", One(&QUANTITY)), need("hash", One(&HASH))],
);

const SINCE: Schema = object(
    "Since",
    "From which block on something is kept.",
    &[
        need("disabled", One(&BOOLEAN)),
        need("oldestBlock", One(&QUANTITY)),
    ],
);

pub(super) const CAPABILITIES: Schema = object(
    "Capabilities",
    "What of the past can be asked.",
    &[
        need("head", One(&HEAD)),
        need("state", One(&SINCE)),
        need("tx", One(&SINCE)),
        need("logs", One(&SINCE)),
        need("receipts", One(&SINCE)),
        need("blocks", One(&SINCE)),
        need("stateproofs", One(&SINCE)),
    ],
);

const PROGRESS: Schema = object(
    "SyncProgress",
    "How far a node has come.",
    &[
        need("startingBlock", One(&QUANTITY)),
        need("currentBlock", One(&QUANTITY)),
        need("highestBlock", One(&QUANTITY)),
    ],
);

pub(super) const SYNCING: Schema = any_of(
    "Syncing",
    "False for a node that has all blocks.",
    &[One(&BOOLEAN), One(&PROGRESS)],
);

const UNSIGNED: Schema = json(
    "UnsignedTransaction",
    "A transaction whose signature is zeros.",
    r#"{"type":"object"}"#,
);

pub(super) const FILLED: Schema = object(
    "FilledTransaction",
    "A transaction to sign, with nonce, gas and fees of zero.",
    &[need("raw", One(&BYTES)), need("tx", One(&UNSIGNED))],
);

pub(super) const ACCOUNT: Schema = object(
    "Account",
    "An account as the state trie has it.",
    &[
        need("balance", One(&QUANTITY)),
        need("nonce", One(&QUANTITY)),
        need("codeHash", One(&HASH)),
        need("storageRoot", One(&HASH)),
    ],
);

pub(super) const ACCOUNT_INFO: Schema = object(
    "AccountInfo",
    "Balance, nonce and code.",
    &[
        need("balance", One(&QUANTITY)),
        need("nonce", One(&QUANTITY)),
        need("code", One(&BYTES)),
    ],
);

const FORK: Schema = json(
    "Fork",
    "A fork of EIP-7910.",
    r#"{"type":"object","required":["activationTime","blobSchedule","chainId","forkId",
        "precompiles","systemContracts"]}"#,
);

pub(super) const CONFIG: Schema = object(
    "Config",
    "The fork in force; upgrades of this chain have no time, so none comes next.",
    &[
        need("current", One(&FORK)),
        need("next", Maybe(&FORK)),
        need("last", Maybe(&FORK)),
    ],
);
