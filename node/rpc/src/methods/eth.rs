//! `eth_*`.

use super::entry::Kind::{List, Maybe, MaybeList, One};
use super::entry::{
    Audience, Method, Namespace, Run, Schema, any_of, call, json, may, method, need, object, whole,
};
use super::objects::{
    ACCOUNT, ACCOUNT_INFO, ACCOUNT_PROOF, BLOCK, CAPABILITIES, CONFIG, FEE_HISTORY, FILLED, LOG,
    RECEIPT, SYNCING, TRANSACTION,
};
use super::schemas::{
    ADDRESS, ANY_OBJECT, BLOCK_ID, BLOCK_NUMBER, BLOCK_OVERRIDES, BOOLEAN, BYTES, CALL, FILTER,
    HASH, INTEGER, NUMBER, QUANTITY, STATE_OVERRIDES, TEXT,
};
use crate::api::Pace;
use crate::eth;
use crate::eth::{account, blocks, config, fees, filters, receipt, state};
use crate::submit;

pub(super) const NAMESPACE: Namespace = Namespace {
    name: "eth",
    about: "Ethereum: blocks, transactions, state, calls.",
    audience: Audience::Public,
    methods: METHODS,
};

const TOPIC: Schema = json(
    "SubscriptionTopic",
    "What can be subscribed to.",
    r#"{"type":"string","enum":["newHeads","logs","newPendingTransactions","syncing"]}"#,
);

const OPTIONS: Schema = any_of(
    "SubscriptionOptions",
    "Which logs, or whether pending transactions are to be in full.",
    &[One(&FILTER), One(&BOOLEAN)],
);

const FILTER_ID: Schema = json(
    "FilterId",
    "16 bytes that nobody can guess.",
    r#"{"type":"string","pattern":"^0x[0-9a-f]{32}$",
        "examples":["0x000000000000000000000000000000aa"]}"#,
);

const CHANGES: Schema = any_of(
    "Changes",
    "What a filter has collected.",
    &[List(&HASH), List(&LOG), List(&TRANSACTION)],
);

const BLOCK_COUNT: Schema = any_of(
    "BlockCount",
    "How many blocks.",
    &[One(&QUANTITY), One(&INTEGER)],
);

const TIMEOUT: Schema = any_of(
    "Timeout",
    "Milliseconds; at most 20000, which it is if absent.",
    &[One(&SOME_MS), One(&QUANTITY)],
);

const SOME_MS: Schema = json(
    "Milliseconds",
    "Milliseconds, above 0.",
    r#"{"type":"integer","minimum":1,"examples":[1000]}"#,
);

const SLOTS: Schema = json(
    "SlotsByAddress",
    "Of each account, slots or the words in them, in the same order.",
    r#"{"type":"object","examples":[{"0x00000000000000000000000000000000000000aa":["0x1"]}]}"#,
);

const ACCESSED: Schema = object(
    "Accessed",
    "An access list (EIP-2930), gas, and how the call fails if it does.",
    &[
        need("accessList", List(&ANY_OBJECT)),
        may("error", One(&TEXT)),
        need("gasUsed", One(&QUANTITY)),
    ],
);

const SIMULATION: Schema = object(
    "Simulation",
    "Up to 256 blocks with 1,000 calls, and how they are executed.",
    &[
        need("blockStateCalls", List(&BLOCK_STATE_CALLS)),
        may("traceTransfers", One(&BOOLEAN)),
        may("validation", One(&BOOLEAN)),
        may("returnFullTransactions", One(&BOOLEAN)),
    ],
);

const BLOCK_STATE_CALLS: Schema = object(
    "BlockStateCalls",
    "A block to simulate: what its header and accounts are, and its calls.",
    &[
        may("blockOverrides", One(&BLOCK_OVERRIDES)),
        may("stateOverrides", One(&STATE_OVERRIDES)),
        may("calls", List(&CALL)),
    ],
);

#[rustfmt::skip]
const METHODS: &[Method] = &[
    call("eth_accounts", "Accounts whose keys the node holds: none.", &[], List(&ADDRESS), eth::accounts).brief(),
    call("eth_baseFee", "Base fee of the next block: zero.", &[], One(&QUANTITY), fees::zero).brief(),
    call("eth_blobBaseFee", "Price of blob gas, the least there is; blobs are refused.", &[], One(&QUANTITY), fees::blob_base_fee).brief(),
    call("eth_blockNumber", "Number of the last block.", &[], One(&QUANTITY), eth::block_number).brief(),
    call("eth_call", "Executes a call on the state of a block and forgets what it changed.",
        &[need("transaction", One(&CALL)), may("block", One(&BLOCK_ID)), may("stateOverrides", One(&STATE_OVERRIDES)), may("blockOverrides", One(&BLOCK_OVERRIDES))],
        One(&BYTES), eth::call::call).at(Pace::Middling),
    call("eth_capabilities", "From which block on the node has what.", &[], One(&CAPABILITIES), eth::capabilities),
    call("eth_chainId", "The EIP-155 chain id.", &[], One(&QUANTITY), eth::chain_id).brief(),
    call("eth_coinbase", "The address that this validator's blocks name; an error of an observer.", &[], One(&ADDRESS), config::coinbase),
    call("eth_config", "The fork and its contracts (EIP-7910).", &[], One(&CONFIG), config::config),
    call("eth_createAccessList", "What a call reads and writes, and its gas when it says so beforehand.",
        &[need("transaction", One(&CALL)), may("block", One(&BLOCK_ID)), may("stateOverrides", One(&STATE_OVERRIDES)), may("blockOverrides", One(&BLOCK_OVERRIDES))],
        One(&ACCESSED), eth::call::create_access_list),
    call("eth_estimateGas", "The gas limit with which a transaction would succeed.",
        &[need("transaction", One(&CALL)), may("block", One(&BLOCK_ID)), may("stateOverrides", One(&STATE_OVERRIDES)), may("blockOverrides", One(&BLOCK_OVERRIDES))],
        One(&QUANTITY), eth::call::estimate_gas).at(Pace::Middling),
    call("eth_feeHistory", "Fees of up to 1024 blocks: zero, whatever percentile is asked for.",
        &[need("blockCount", One(&BLOCK_COUNT)), need("newestBlock", One(&BLOCK_NUMBER)), may("rewardPercentiles", List(&NUMBER))],
        One(&FEE_HISTORY), fees::fee_history),
    call("eth_fillTransaction", "A transaction with what was missing in it: nonce, gas, fees of zero.",
        &[need("transaction", One(&CALL))], One(&FILLED), eth::call::fill_transaction),
    call("eth_gasPrice", "Zero: nobody pays.", &[], One(&QUANTITY), fees::zero).brief(),
    call("eth_getAccount", "An account as the state trie has it, or null.",
        &[need("address", One(&ADDRESS)), may("block", One(&BLOCK_ID))], Maybe(&ACCOUNT), account::account).brief(),
    call("eth_getAccountInfo", "Balance, nonce and code of an account.",
        &[need("address", One(&ADDRESS)), may("block", One(&BLOCK_ID))], One(&ACCOUNT_INFO), account::account_info).brief(),
    call("eth_getBalance", "Balance of an account, wei.",
        &[need("address", One(&ADDRESS)), may("block", One(&BLOCK_ID))], One(&QUANTITY), state::balance).brief(),
    whole("eth_getBlockByHash", "The block with this hash, or null.",
        &[need("hash", One(&HASH)), need("full", One(&BOOLEAN))], Maybe(&BLOCK), blocks::block_by_hash),
    whole("eth_getBlockByNumber", "The block with this number, or null.",
        &[need("number", One(&BLOCK_NUMBER)), need("full", One(&BOOLEAN))], Maybe(&BLOCK), blocks::block_by_number),
    whole("eth_getBlockReceipts", "The receipts of a block, or null.",
        &[need("block", One(&BLOCK_ID))], MaybeList(&RECEIPT), blocks::block_receipts),
    call("eth_getBlockTransactionCountByHash", "How many transactions the block with this hash has, or null.",
        &[need("hash", One(&HASH))], Maybe(&QUANTITY), blocks::count_by_hash),
    call("eth_getBlockTransactionCountByNumber", "How many transactions the block with this number has, or null.",
        &[need("number", One(&BLOCK_NUMBER))], Maybe(&QUANTITY), blocks::count_by_number),
    call("eth_getCode", "Code of an account.",
        &[need("address", One(&ADDRESS)), may("block", One(&BLOCK_ID))], One(&BYTES), state::code).brief(),
    whole("eth_getFilterChanges", "What came since a filter was last asked: block hashes, logs, transactions or their hashes.",
        &[need("id", One(&FILTER_ID))], One(&CHANGES), filters::changes),
    whole("eth_getFilterLogs", "All logs that a filter for logs matches.",
        &[need("id", One(&FILTER_ID))], List(&LOG), filters::filter_logs),
    whole("eth_getLogs", "The logs that match a filter.", &[need("filter", One(&FILTER))], List(&LOG), eth::logs::logs),
    call("eth_getProof", "An account and up to 1024 of its slots with their proofs (EIP-1186).",
        &[need("address", One(&ADDRESS)), need("slots", List(&SLOT)), may("block", One(&BLOCK_ID))],
        One(&ACCOUNT_PROOF), state::proof),
    call("eth_getStorageAt", "The word in a slot of an account.",
        &[need("address", One(&ADDRESS)), need("slot", One(&SLOT)), may("block", One(&BLOCK_ID))],
        One(&HASH), state::storage_at).brief(),
    call("eth_getStorageValues", "The words in up to 1024 slots of several accounts.",
        &[need("slots", One(&SLOTS)), may("block", One(&BLOCK_ID))], One(&SLOTS), account::storage_values),
    call("eth_getTransactionByBlockHashAndIndex", "A transaction by its place, or null.",
        &[need("hash", One(&HASH)), need("index", One(&QUANTITY))], Maybe(&TRANSACTION), blocks::transaction_by_hash_and_index),
    call("eth_getTransactionByBlockNumberAndIndex", "A transaction by its place, or null.",
        &[need("number", One(&BLOCK_NUMBER)), need("index", One(&QUANTITY))], Maybe(&TRANSACTION), blocks::transaction_by_number_and_index),
    call("eth_getTransactionByHash", "A transaction, in a block or pending, or null.",
        &[need("hash", One(&HASH))], Maybe(&TRANSACTION), blocks::transaction_by_hash).brief(),
    call("eth_getTransactionCount", "How many transactions an account has sent; with `pending` those in the pool count.",
        &[need("address", One(&ADDRESS)), may("block", One(&BLOCK_ID))], One(&QUANTITY), state::transaction_count).brief(),
    whole("eth_getTransactionReceipt", "The receipt of a transaction in a block, or null.",
        &[need("hash", One(&HASH))], Maybe(&RECEIPT), blocks::transaction_receipt).brief(),
    call("eth_getUncleByBlockHashAndIndex", "Null: blocks have no uncles.",
        &[need("hash", One(&HASH)), need("index", One(&QUANTITY))], Maybe(&BLOCK), blocks::uncle_by_hash),
    call("eth_getUncleByBlockNumberAndIndex", "Null: blocks have no uncles.",
        &[need("number", One(&BLOCK_NUMBER)), need("index", One(&QUANTITY))], Maybe(&BLOCK), blocks::uncle_by_number),
    call("eth_getUncleCountByBlockHash", "Zero, or null if there is no such block.",
        &[need("hash", One(&HASH))], Maybe(&QUANTITY), blocks::uncles_by_hash),
    call("eth_getUncleCountByBlockNumber", "Zero, or null if there is no such block.",
        &[need("number", One(&BLOCK_NUMBER))], Maybe(&QUANTITY), blocks::uncles_by_number),
    call("eth_hashrate", "Zero: nobody mines.", &[], One(&QUANTITY), fees::zero).brief(),
    call("eth_maxPriorityFeePerGas", "Zero: nobody pays.", &[], One(&QUANTITY), fees::zero).brief(),
    call("eth_mining", "False: nobody mines.", &[], One(&BOOLEAN), config::mining).brief(),
    method("eth_newBlockFilter", "Begins to collect hashes of blocks; answers an id.",
        &[], One(&FILTER_ID), Run::CallOf(filters::new_block_filter)),
    method("eth_newFilter", "Begins to collect logs of new blocks; answers an id.",
        &[need("filter", One(&FILTER))], One(&FILTER_ID), Run::CallOf(filters::new_filter)),
    method("eth_newPendingTransactionFilter", "Begins to collect what the pool takes; answers an id.",
        &[may("full", One(&BOOLEAN))], One(&FILTER_ID), Run::CallOf(filters::new_pending_transaction_filter)),
    method("eth_sendRawTransaction", "Takes a signed transaction into the pool and answers its hash.",
        &[need("transaction", One(&BYTES))], One(&HASH),
        Run::Submit(|runner, params, extensions| Box::pin(async move { submit::send_raw_transaction(&runner, params, &extensions).await }))),
    method("eth_sendRawTransactionSync", "Takes a signed transaction and answers its receipt when it is final (EIP-7966).",
        &[need("transaction", One(&BYTES)), may("timeoutMs", One(&TIMEOUT))], One(&RECEIPT),
        Run::Wait(|runner, params, extensions| Box::pin(async move { receipt::send_raw_transaction_sync(&runner, params, &extensions).await }))),
    call("eth_simulateV1", "Executes blocks on top of one and forgets them; says how their calls end.",
        &[need("options", One(&SIMULATION)), may("block", One(&BLOCK_ID))], List(&ANY_OBJECT), eth::simulate::simulate),
    method("eth_subscribe", "Sends what comes, as `eth_subscription`; answers an id.",
        &[need("topic", One(&TOPIC)), may("options", One(&OPTIONS))], One(&TEXT), Run::Subscription),
    call("eth_syncing", "False, or how far the node has come.", &[], One(&SYNCING), eth::syncing).brief(),
    call("eth_uninstallFilter", "Ends a filter; false if there is none with this id.",
        &[need("id", One(&FILTER_ID))], One(&BOOLEAN), filters::uninstall),
    method("eth_unsubscribe", "Ends a subscription; false if there is none with this id.",
        &[need("id", One(&TEXT))], One(&BOOLEAN), Run::Subscription),
];

/// A slot, as lenient as go-ethereum is.
const SLOT: Schema = json(
    "Slot",
    "At most 32 bytes in hexadecimal digits.",
    r#"{"type":"string","pattern":"^(0[xX])?[0-9a-fA-F]{0,64}$","examples":["0x1"]}"#,
);
