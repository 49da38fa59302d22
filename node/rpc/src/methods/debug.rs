//! `debug_*`.

use super::entry::Kind::{List, One};
use super::entry::{Audience, Method, Namespace, call, need, whole};
use super::schemas::{ANY_OBJECT, BLOCK_ID, BYTES, HASH};
use crate::debug;

pub(super) const NAMESPACE: Namespace = Namespace {
    name: "debug",
    about: "What blocks are made of.",
    audience: Audience::Public,
    methods: METHODS,
};

#[rustfmt::skip]
const METHODS: &[Method] = &[
    call("debug_getBadBlocks", "None: what is refused before it is decided is no block.", &[], List(&ANY_OBJECT), debug::bad_blocks),
    whole("debug_getRawBlock", "A block as RLP.", &[need("block", One(&BLOCK_ID))], One(&BYTES), debug::raw_block),
    call("debug_getRawHeader", "The header of a block as RLP.", &[need("block", One(&BLOCK_ID))], One(&BYTES), debug::raw_header),
    whole("debug_getRawReceipts", "The receipts of a block, each as EIP-2718 has it.", &[need("block", One(&BLOCK_ID))], List(&BYTES), debug::raw_receipts),
    call("debug_getRawTransaction", "A transaction, in a block or pending, as EIP-2718 has it; no bytes if it is not known.",
        &[need("hash", One(&HASH))], One(&BYTES), debug::raw_transaction),
];
