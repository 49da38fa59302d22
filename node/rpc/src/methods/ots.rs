//! `ots_*` and `erigon_*`.

use super::entry::Kind::{List, Maybe, MaybeList, One};
use super::entry::{Audience, Method, Namespace, Schema, any_of, call, need, object, turn};
use super::schemas::{
    ADDRESS, ANY_OBJECT, BLOCK_ID, BLOCK_NUMBER, BOOLEAN, BYTES, HASH, INTEGER, QUANTITY, TEXT,
};
use crate::ots;
use crate::ots::search;

pub(super) const ERIGON: Namespace = Namespace {
    name: "erigon",
    about: "What the explorer Otterscan asks beside its own.",
    audience: Audience::Public,
    methods: &[call(
        "erigon_getHeaderByNumber",
        "The header of a block.",
        &[need("number", One(&BLOCK_NUMBER))],
        Maybe(&ANY_OBJECT),
        ots::header_by_number,
    )],
};

pub(super) const NAMESPACE: Namespace = Namespace {
    name: "ots",
    about: "What the explorer Otterscan asks, at level 8.",
    audience: Audience::Public,
    methods: METHODS,
};

const DETAILS: Schema = object(
    "BlockDetails",
    "A block with `transactionCount` instead of transactions; nothing is issued or paid.",
    &[
        need("block", One(&ANY_OBJECT)),
        need("issuance", One(&ANY_OBJECT)),
        need("totalFees", One(&QUANTITY)),
    ],
);

const BLOCK_PAGE: Schema = object(
    "BlockPage",
    "A block with some of its transactions, whose input is cut, and their receipts without logs.",
    &[
        need("fullblock", One(&ANY_OBJECT)),
        need("receipts", List(&ANY_OBJECT)),
    ],
);

const CREATOR: Schema = object(
    "ContractCreator",
    "Who made a contract, in which transaction.",
    &[need("hash", One(&HASH)), need("creator", One(&ADDRESS))],
);

const OPERATION: Schema = object(
    "InternalOperation",
    "0: value moved, 1: a contract ended, 2: one was created, 3: by CREATE2.",
    &[
        need("type", One(&INTEGER)),
        need("from", One(&ADDRESS)),
        need("to", One(&ADDRESS)),
        need("value", One(&QUANTITY)),
    ],
);

const ENTRY: Schema = object(
    "CallEntry",
    "A call, before those that it makes.",
    &[
        need("type", One(&TEXT)),
        need("depth", One(&INTEGER)),
        need("from", One(&ADDRESS)),
        need("to", One(&ADDRESS)),
        need("value", Maybe(&QUANTITY)),
        need("input", One(&BYTES)),
        need("output", One(&BYTES)),
    ],
);

const PAGE: Schema = object(
    "TransactionPage",
    "Transactions and their receipts, newest first: all of each block.",
    &[
        need("txs", List(&ANY_OBJECT)),
        need("receipts", List(&ANY_OBJECT)),
        need("firstPage", One(&BOOLEAN)),
        need("lastPage", One(&BOOLEAN)),
    ],
);

const WHOLE_NUMBER: Schema = any_of(
    "WholeNumber",
    "As JSON or as a quantity.",
    &[One(&INTEGER), One(&QUANTITY)],
);

#[rustfmt::skip]
const METHODS: &[Method] = &[
    call("ots_getApiLevel", "The level of these methods.", &[], One(&INTEGER), ots::api_level),
    call("ots_getBlockDetails", "A block without its transactions.",
        &[need("number", One(&BLOCK_NUMBER))], Maybe(&DETAILS), ots::block_details),
    call("ots_getBlockDetailsByHash", "A block without its transactions.",
        &[need("hash", One(&HASH))], Maybe(&DETAILS), ots::block_details_by_hash),
    call("ots_getBlockTransactions", "Transactions of a block, in pages from its end.",
        &[need("number", One(&BLOCK_NUMBER)), need("page", One(&INTEGER)), need("size", One(&INTEGER))], Maybe(&BLOCK_PAGE),
        ots::block_transactions),
    turn("ots_getContractCreator", "Who made a contract, if that is in the states that are kept.",
        &[need("address", One(&ADDRESS))], Maybe(&CREATOR), search::contract_creator),
    turn("ots_getInternalOperations", "Value that moved and contracts that came or went inside a transaction.",
        &[need("hash", One(&HASH))], MaybeList(&OPERATION), ots::internal_operations),
    turn("ots_getTransactionBySenderAndNonce", "A transaction by its nonce, if that is in the states that are kept.",
        &[need("address", One(&ADDRESS)), need("nonce", One(&WHOLE_NUMBER))], Maybe(&HASH), search::by_sender_and_nonce),
    turn("ots_getTransactionError", "What a transaction that failed returned.",
        &[need("hash", One(&HASH))], One(&BYTES), ots::transaction_error),
    call("ots_hasCode", "Whether an account is a contract.",
        &[need("address", One(&ADDRESS)), need("block", One(&BLOCK_ID))], One(&BOOLEAN), ots::has_code),
    turn("ots_searchTransactionsAfter", "Transactions that an account takes part in after a block.",
        &[need("address", One(&ADDRESS)), need("number", One(&WHOLE_NUMBER)), need("size", One(&INTEGER))], One(&PAGE), search::after),
    turn("ots_searchTransactionsBefore", "Transactions that an account takes part in before a block; 0 is after the last.",
        &[need("address", One(&ADDRESS)), need("number", One(&WHOLE_NUMBER)), need("size", One(&INTEGER))], One(&PAGE), search::before),
    turn("ots_traceTransaction", "The calls of a transaction.",
        &[need("hash", One(&HASH))], MaybeList(&ENTRY), ots::trace_transaction),
];
