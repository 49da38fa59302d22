//! `perm_*` and `qbft_*`: Besu's methods that its users need to move here.

use super::entry::Kind::{List, MaybeList, One};
use super::entry::{Audience, Method, Namespace, call, need};
use super::schemas::{ADDRESS, BLOCK_NUMBER, HASH, TEXT};
use crate::besu;

pub(super) const PERM: Namespace = Namespace {
    name: "perm",
    about: "Who may take part, as Besu says it.",
    audience: Audience::Public,
    methods: &[call(
        "perm_getNodesAllowlist",
        "The peers that the chain admits, as libp2p addresses.",
        &[],
        List(&TEXT),
        besu::nodes_allowlist,
    )],
};

pub(super) const QBFT: Namespace = Namespace {
    name: "qbft",
    about: "The validators, as Besu says it.",
    audience: Audience::Public,
    methods: QBFT_METHODS,
};

#[rustfmt::skip]
const QBFT_METHODS: &[Method] = &[
    call("qbft_getValidatorsByBlockHash", "Who decided the block with this hash, or null.",
        &[need("hash", One(&HASH))], MaybeList(&ADDRESS), besu::validators_by_hash),
    call("qbft_getValidatorsByBlockNumber", "Who decides the block with this number, or null.",
        &[need("number", One(&BLOCK_NUMBER))], MaybeList(&ADDRESS), besu::validators_by_number),
];
