//! `trace_*`.

use super::entry::Kind::{List, Maybe, MaybeList, One};
use super::entry::{Audience, Method, Namespace, Schema, any_of, json, may, need, object, turn};
use super::schemas::{
    ADDRESS, ANY_OBJECT, BLOCK_ID, BLOCK_NUMBER, BYTES, CALL, HASH, INTEGER, QUANTITY, TEXT,
};
use crate::trace::parity;

pub(super) const NAMESPACE: Namespace = Namespace {
    name: "trace",
    about: "What transactions did, as OpenEthereum tells it.",
    audience: Audience::Public,
    methods: METHODS,
};

const TRACE_TYPE: Schema = json(
    "TraceType",
    "Calls, instructions, or what differs afterwards.",
    r#"{"type":"string","enum":["trace","vmTrace","stateDiff"]}"#,
);

const FRAME_TRACE: Schema = object(
    "FrameTrace",
    "A call, a creation or the end of a contract; `traceAddress` is its place among the others.",
    &[
        need("type", One(&TEXT)),
        need("action", One(&ANY_OBJECT)),
        need("result", Maybe(&ANY_OBJECT)),
        need("subtraces", One(&INTEGER)),
        need("traceAddress", List(&INTEGER)),
        may("error", One(&TEXT)),
        may("blockHash", One(&HASH)),
        may("blockNumber", One(&INTEGER)),
        may("transactionHash", One(&HASH)),
        may("transactionPosition", One(&INTEGER)),
    ],
);

const REPLAY: Schema = object(
    "Replay",
    "The parts that were asked for; the others are empty or null.",
    &[
        need("output", One(&BYTES)),
        need("trace", List(&FRAME_TRACE)),
        need("stateDiff", Maybe(&ANY_OBJECT)),
        need("vmTrace", Maybe(&ANY_OBJECT)),
        may("transactionHash", One(&HASH)),
    ],
);

const COUNT: Schema = any_of("Count", "How many.", &[One(&INTEGER), One(&QUANTITY)]);

const MODE: Schema = json(
    "TraceFilterMode",
    "Whether either address has to match, or both.",
    r#"{"type":"string","enum":["union","intersection"]}"#,
);

const TRACE_FILTER: Schema = object(
    "TraceFilter",
    "Which traces of at most 100 blocks, by default of the last one.",
    &[
        may("fromBlock", One(&BLOCK_NUMBER)),
        may("toBlock", One(&BLOCK_NUMBER)),
        may("fromAddress", List(&ADDRESS)),
        may("toAddress", List(&ADDRESS)),
        may("mode", One(&MODE)),
        may("after", One(&COUNT)),
        may("count", One(&COUNT)),
    ],
);

const CALL_AND_TYPES: Schema = json(
    "CallAndTraceTypes",
    "A call, then a list of what is asked of it.",
    r##"{"type":"array","minItems":2,"maxItems":2,"examples":[[{},["trace"]]],
        "items":{"anyOf":[{"$ref":"#/components/schemas/Call"},
            {"type":"array","items":{"$ref":"#/components/schemas/TraceType"}}]}}"##,
);

#[rustfmt::skip]
const METHODS: &[Method] = &[
    turn("trace_block", "What the transactions of a block did; there are no rewards.",
        &[need("block", One(&BLOCK_ID))], MaybeList(&FRAME_TRACE), parity::block),
    turn("trace_call", "What a call does on the state of a block.",
        &[need("transaction", One(&CALL)), need("types", List(&TRACE_TYPE)), may("block", One(&BLOCK_ID))], One(&REPLAY), parity::call),
    turn("trace_callMany", "What up to 100 calls do, each on what those before it left.",
        &[need("calls", List(&CALL_AND_TYPES)), may("block", One(&BLOCK_ID))], List(&REPLAY), parity::call_many),
    turn("trace_filter", "Traces by who calls whom.",
        &[need("filter", One(&TRACE_FILTER))], List(&FRAME_TRACE), parity::filter),
    turn("trace_get", "The trace of a transaction that has this `traceAddress`.",
        &[need("hash", One(&HASH)), need("path", List(&QUANTITY))], Maybe(&FRAME_TRACE), parity::get),
    turn("trace_replayBlockTransactions", "What the transactions of a block did, in the parts that are asked for.",
        &[need("block", One(&BLOCK_ID)), need("types", List(&TRACE_TYPE))], MaybeList(&REPLAY), parity::replay_block),
    turn("trace_replayTransaction", "What a transaction did, in the parts that are asked for.",
        &[need("hash", One(&HASH)), need("types", List(&TRACE_TYPE))], One(&REPLAY), parity::replay_transaction),
    turn("trace_transaction", "What a transaction did.",
        &[need("hash", One(&HASH))], MaybeList(&FRAME_TRACE), parity::transaction),
];
