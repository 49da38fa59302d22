//! `debug_*`.

use super::entry::Kind::{List, Maybe, One};
use super::entry::{
    Audience, Method, Namespace, Schema, any_of, call, json, may, need, object, turn, whole,
};
use super::schemas::{
    ADDRESS, ANY_OBJECT, BLOCK_ID, BLOCK_NUMBER, BOOLEAN, BYTES, CALL, HASH, INTEGER, TEXT,
};
use crate::debug;
use crate::trace::debug as trace;
use crate::trace::{accounts, storage, witness};

pub(super) const NAMESPACE: Namespace = Namespace {
    name: "debug",
    about: "What blocks are made of, and what their transactions did, by executing them again.",
    audience: Audience::Public,
    methods: METHODS,
};

const TRACER: Schema = json(
    "Tracer",
    "Who looks; absent for instructions. None in JavaScript.",
    r#"{"type":"string","enum":["callTracer","flatCallTracer","prestateTracer","4byteTracer",
        "muxTracer","noopTracer"]}"#,
);

const DURATION: Schema = json(
    "Duration",
    "As Go writes it, such as `300ms` or `1m30s`; at most 20 seconds.",
    r#"{"type":"string","examples":["10s"]}"#,
);

const TRACE_OPTIONS: Schema = object(
    "TraceOptions",
    "`tracerConfig` is the tracer's: onlyTopCall, withLog; diffMode, disableCode, disableStorage; \
     includePrecompiles; for muxTracer tracers by name. `limit` counts instructions.",
    TRACE_OPTION_FIELDS,
);

const TRACE_OPTION_FIELDS: &[super::entry::Argument] = &[
    may("tracer", One(&TRACER)),
    may("tracerConfig", One(&ANY_OBJECT)),
    may("timeout", One(&DURATION)),
    may("disableStack", One(&BOOLEAN)),
    may("disableStorage", One(&BOOLEAN)),
    may("enableMemory", One(&BOOLEAN)),
    may("enableReturnData", One(&BOOLEAN)),
    may("limit", One(&INTEGER)),
];

const TRACE: Schema = any_of(
    "Trace",
    "What the tracer tells, as go-ethereum has it.",
    &[One(&ANY_OBJECT), List(&ANY_OBJECT)],
);

const BLOCK_TRACE: Schema = object(
    "BlockTrace",
    "One transaction of a block.",
    &[need("txHash", One(&HASH)), need("result", One(&TRACE))],
);

const STORAGE_RANGE: Schema = object(
    "StorageRange",
    "Slots by the hash of their number: `key` (null if it is not known) and `value`.",
    &[
        need("storage", One(&ANY_OBJECT)),
        need("nextKey", Maybe(&HASH)),
    ],
);

const ACCOUNT_RANGE: Schema = object(
    "AccountRange",
    "Accounts as go-ethereum dumps them, by `pre(HASH)`: nodes keep hashes of addresses, not \
     addresses. `root` is without 0x.",
    &[
        need("root", One(&TEXT)),
        need("accounts", One(&ANY_OBJECT)),
        may("next", One(&HASH)),
    ],
);

const EXECUTION_WITNESS: Schema = object(
    "ExecutionWitness",
    "As reth has it: nodes of the tries, code, addresses of accounts and numbers of slots, and \
     headers as RLP, up to the parent's.",
    &[
        need("state", List(&BYTES)),
        need("codes", List(&BYTES)),
        need("keys", List(&BYTES)),
        need("headers", List(&BYTES)),
    ],
);

#[rustfmt::skip]
const METHODS: &[Method] = &[
    turn("debug_accountRange", "Accounts after a block from a hash of an address on, up to 256.",
        &[need("block", One(&BLOCK_ID)), need("start", One(&BYTES)), need("limit", One(&INTEGER)), may("nocode", One(&BOOLEAN)),
            may("nostorage", One(&BOOLEAN)), may("incompletes", One(&BOOLEAN))],
        One(&ACCOUNT_RANGE), accounts::range),
    turn("debug_executionWitness", "What executing a block reads, to execute it without the state.",
        &[need("block", One(&BLOCK_ID))], One(&EXECUTION_WITNESS), witness::execution),
    call("debug_getBadBlocks", "None: what is refused before it is decided is no block.", &[], List(&ANY_OBJECT), debug::bad_blocks),
    whole("debug_getRawBlock", "A block as RLP.", &[need("block", One(&BLOCK_ID))], One(&BYTES), debug::raw_block),
    call("debug_getRawHeader", "The header of a block as RLP.", &[need("block", One(&BLOCK_ID))], One(&BYTES), debug::raw_header),
    whole("debug_getRawReceipts", "The receipts of a block, each as EIP-2718 has it.", &[need("block", One(&BLOCK_ID))], List(&BYTES), debug::raw_receipts),
    call("debug_getRawTransaction", "A transaction, in a block or pending, as EIP-2718 has it; no bytes if it is not known.",
        &[need("hash", One(&HASH))], One(&BYTES), debug::raw_transaction),
    turn("debug_storageRangeAt", "Storage of an account before the transaction at a position of a block.",
        &[need("block", One(&HASH)), need("index", One(&INTEGER)), need("address", One(&ADDRESS)), need("start", One(&BYTES)),
            need("limit", One(&INTEGER))],
        One(&STORAGE_RANGE), storage::range_at),
    turn("debug_traceBlock", "What the transactions of a block of this chain did, by its RLP.",
        &[need("block", One(&BYTES)), may("options", One(&TRACE_OPTIONS))], List(&BLOCK_TRACE), trace::trace_block),
    turn("debug_traceBlockByHash", "What the transactions of a block did.",
        &[need("hash", One(&HASH)), may("options", One(&TRACE_OPTIONS))], List(&BLOCK_TRACE), trace::trace_block_by_hash),
    turn("debug_traceBlockByNumber", "What the transactions of a block did.",
        &[need("number", One(&BLOCK_NUMBER)), may("options", One(&TRACE_OPTIONS))], List(&BLOCK_TRACE), trace::trace_block_by_number),
    turn("debug_traceCall", "What a call does on the state of a block.",
        &[need("transaction", One(&CALL)), may("block", One(&BLOCK_ID)), may("options", One(&TRACE_OPTIONS))], One(&TRACE), trace::trace_call),
    turn("debug_traceTransaction", "What a transaction did.",
        &[need("hash", One(&HASH)), may("options", One(&TRACE_OPTIONS))], One(&TRACE), trace::trace_transaction),
];
