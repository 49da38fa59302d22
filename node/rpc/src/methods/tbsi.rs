//! `tbsi_*`.

use super::entry::Kind::{List, Maybe, One};
use super::entry::{Audience, Method, Namespace, Run, call, may, method, need};
use super::leaves::{
    ACKNOWLEDGEMENT, ATTESTATION, BUNDLE_START, CONSISTENCY, DIGEST, LEAF_FILTER, LEAF_PAGE,
    LEAF_RANGE, LEAVES_TOPIC, LOG_ENTRY, LOG_KEYS, PROOF_BUNDLE, SELECTOR,
};
use super::schemas::{BOOLEAN, BYTES, HASH, INTEGER, TEXT};
use super::validators::{
    CERTIFICATE, CHECKPOINT, EVIDENCE_LIST, HANDOVER, HEIGHT, NODE_STATUS, OPERATOR,
    OPERATOR_QUERY, TRANSACTION_STATUS, VALIDATOR_SET,
};
use crate::{log, tbsi};

pub(super) const NAMESPACE: Namespace = Namespace {
    name: "tbsi",
    about: "The attestation log, the validators, this node.",
    audience: Audience::Public,
    methods: METHODS,
};

#[rustfmt::skip]
const METHODS: &[Method] = &[
    call("tbsi_findByDigest", "Attestations of a digest, a page of them.",
        &[need("digest", One(&DIGEST)), may("from", One(&INTEGER))], One(&LEAF_PAGE), log::find_by_digest),
    call("tbsi_findById", "Attestations with an id, a page of them.",
        &[need("id", One(&HASH)), may("from", One(&INTEGER))], One(&LEAF_PAGE), log::find_by_id),
    call("tbsi_getAbsence", "Proof that nobody attested a digest, or of who first did.",
        &[need("digest", One(&DIGEST)), may("start", One(&BUNDLE_START))], One(&PROOF_BUNDLE), log::absence),
    call("tbsi_getAttestation", "What an attestation comes to, or null.",
        &[need("id", One(&HASH))], Maybe(&ATTESTATION), log::attestation),
    call("tbsi_getCertificate", "The commit certificate of a height; null for genesis and heights to come.",
        &[may("height", One(&HEIGHT))], Maybe(&CERTIFICATE), tbsi::certificate),
    call("tbsi_getCheckpoint", "The checkpoint of a height, or null.",
        &[may("height", One(&HEIGHT))], Maybe(&CHECKPOINT), tbsi::checkpoint),
    call("tbsi_getConsistency", "Proof that the log of one size is the beginning of that of another.",
        &[need("first", One(&INTEGER)), need("second", One(&INTEGER))], One(&CONSISTENCY), log::consistency),
    call("tbsi_getEvidence", "What is known of equivocation.", &[], One(&EVIDENCE_LIST), tbsi::evidence),
    call("tbsi_getHandovers", "Changes of the validator set from a height on, a page of them.",
        &[may("from", One(&INTEGER))], List(&HANDOVER), tbsi::handovers),
    call("tbsi_getLeaf", "A leaf by its position, or null.",
        &[need("index", One(&INTEGER))], Maybe(&LOG_ENTRY), log::leaf),
    call("tbsi_getLeaves", "Where the leaves of a transaction are; null until it is final.",
        &[need("transactionHash", One(&HASH))], Maybe(&LEAF_RANGE), log::leaves),
    call("tbsi_getOperator", "Who stands behind a key or built a block, or null.",
        &[need("of", One(&OPERATOR_QUERY))], Maybe(&OPERATOR), tbsi::operator),
    call("tbsi_getProof", "The proof of a leaf, or null.",
        &[need("leaf", One(&SELECTOR)), may("start", One(&BUNDLE_START))], Maybe(&PROOF_BUNDLE), log::proof),
    call("tbsi_getValidators", "Who decides a height, or null.",
        &[may("height", One(&HEIGHT))], Maybe(&VALIDATOR_SET), tbsi::validators),
    call("tbsi_logKeys", "Who signs checkpoints of the log.", &[], One(&LOG_KEYS), log::log_keys),
    method("tbsi_sendAttestation", "Takes a signed transaction and answers when it is final, with the proofs of its leaves.",
        &[need("transaction", One(&BYTES)), may("start", One(&BUNDLE_START))], One(&ACKNOWLEDGEMENT),
        Run::Wait(|runner, params, extensions| Box::pin(async move { log::send_attestation(&runner, params, &extensions).await }))),
    call("tbsi_status", "How this node is doing.", &[], One(&NODE_STATUS), tbsi::status),
    method("tbsi_subscribe", "Sends leaves, each once and in order, as `tbsi_subscription`; answers an id.",
        &[need("topic", One(&LEAVES_TOPIC)), may("filter", One(&LEAF_FILTER))], One(&TEXT), Run::Subscription),
    call("tbsi_transactionStatus", "What became of a transaction.",
        &[need("hash", One(&HASH))], One(&TRANSACTION_STATUS), tbsi::transaction_status),
    method("tbsi_unsubscribe", "Ends a subscription; false if there is none with this id.",
        &[need("id", One(&TEXT))], One(&BOOLEAN), Run::Subscription),
];
