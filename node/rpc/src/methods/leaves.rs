//! Objects of the attestation log.

use super::entry::Kind::{List, Maybe, One};
use super::entry::{Schema, any_of, json, may, need, object};
use super::schemas::{ADDRESS, ANY_OBJECT, BOOLEAN, BYTES, HASH, INTEGER, TEXT};
use super::validators::ORGANISATION;

const BY_INDEX: Schema = json(
    "ByIndex",
    "The leaf at a position.",
    r#"{"type":"object","required":["index"],"properties":{"index":{"type":"integer"}},
        "examples":[{"index":0}]}"#,
);

const BY_ID: Schema = object(
    "ById",
    "The first attestation with an id.",
    &[need("id", One(&HASH))],
);

const BY_DIGEST: Schema = object(
    "ByDigest",
    "The first attestation of a digest.",
    &[need("digest", One(&BYTES))],
);

pub(super) const SELECTOR: Schema = any_of(
    "LeafSelector",
    "One leaf.",
    &[One(&BY_INDEX), One(&BY_ID), One(&BY_DIGEST)],
);

pub(super) const DIGEST: Schema = json(
    "Digest",
    "28 to 64 bytes.",
    r#"{"type":"string","pattern":"^0x([0-9a-fA-F]{2}){28,64}$",
        "examples":["0x00000000000000000000000000000000000000000000000000000000000000aa"]}"#,
);

pub(super) const BUNDLE_START: Schema = object(
    "BundleStart",
    "The height of the checkpoint that a proof's reader trusts, genesis if absent, and whether an \
     attestation's status is proven too.",
    &[may("from", One(&INTEGER)), may("status", One(&BOOLEAN))],
);

pub(super) const PROOF_BUNDLE: Schema = json(
    "ProofBundle",
    "A proof that `tbsi verify` and the libraries take (SPEC §10.3).",
    r#"{"type":"object"}"#,
);

pub(super) const LOG_ENTRY: Schema = object(
    "LogEntry",
    "A leaf, as bytes (SPEC §9.3) and in words (SPEC §10.3).",
    &[
        need("index", One(&INTEGER)),
        need("leaf", One(&BYTES)),
        need("statement", One(&ANY_OBJECT)),
    ],
);

pub(super) const LEAF_PAGE: Schema = object(
    "LeafPage",
    "Leaves in the order of the log, and the position to ask again from if there are more.",
    &[
        need("entries", List(&LOG_ENTRY)),
        need("next", Maybe(&INTEGER)),
    ],
);

pub(super) const LEAF_RANGE: Schema = object(
    "LeafRange",
    "The first leaf of a transaction, and how many it has.",
    &[need("first", One(&INTEGER)), need("count", One(&INTEGER))],
);

pub(super) const ATTESTATION: Schema = object(
    "Attestation",
    "What an attestation comes to (SPEC §12.4), and the leaves that bear on it.",
    &[
        need("id", One(&HASH)),
        need("issuer", One(&ADDRESS)),
        need("schema", One(&HASH)),
        need("asOf", One(&INTEGER)),
        need("revocable", One(&BOOLEAN)),
        need("algorithmStatus", One(&INTEGER)),
        need("revokedAt", Maybe(&INTEGER)),
        need("supersededAt", Maybe(&INTEGER)),
        need("repeated", One(&BOOLEAN)),
        need("entries", List(&LOG_ENTRY)),
    ],
);

pub(super) const CONSISTENCY: Schema = object(
    "Consistency",
    "Two sizes of the log and the hashes that prove them consistent (RFC 9162 §2.1.4.1).",
    &[
        need("first", One(&INTEGER)),
        need("second", One(&INTEGER)),
        need("hashes", List(&HASH)),
    ],
);

const LOG_COSIGNER: Schema = object(
    "LogCosigner",
    "A validator that cosigns the log.",
    &[
        need("key", One(&TEXT)),
        need("validator", One(&ADDRESS)),
        need("power", One(&INTEGER)),
        need("nodeName", One(&TEXT)),
        need("organisation", One(&ORGANISATION)),
    ],
);

const POST_QUANTUM_COSIGNER: Schema = object(
    "PostQuantumLogCosigner",
    "A validator whose post-quantum key for the log the chain names (SPEC §9.12).",
    &[
        need("keyHash", One(&HASH)),
        need("key", Maybe(&TEXT)),
        need("validator", One(&ADDRESS)),
        need("power", One(&INTEGER)),
        need("nodeName", One(&TEXT)),
        need("organisation", One(&ORGANISATION)),
    ],
);

pub(super) const LOG_KEYS: Schema = object(
    "LogKeys",
    "Name of the log, and who signs its checkpoints: verifier keys of C2SP signed-note.",
    &[
        need("origin", One(&TEXT)),
        need("log", One(&TEXT)),
        need("witness", One(&TEXT)),
        need("cosigners", List(&LOG_COSIGNER)),
        need("postQuantum", List(&POST_QUANTUM_COSIGNER)),
    ],
);

pub(super) const ACKNOWLEDGEMENT: Schema = object(
    "Acknowledgement",
    "Where a transaction is, and the proofs of its leaves.",
    &[
        need("transactionHash", One(&HASH)),
        need("height", One(&INTEGER)),
        need("leaves", One(&LEAF_RANGE)),
        need("proofs", List(&PROOF_BUNDLE)),
    ],
);

pub(super) const LEAF_FILTER: Schema = object(
    "LeafFilter",
    "Leaves that have all of these, from a position on.",
    &[
        may("schema", One(&HASH)),
        may("issuer", One(&ADDRESS)),
        may("kind", One(&TEXT)),
        may("fromIndex", One(&INTEGER)),
        may("organisation", One(&INTEGER)),
    ],
);

pub(super) const LEAVES_TOPIC: Schema = json(
    "LeavesTopic",
    "What can be subscribed to.",
    r#"{"type":"string","enum":["leaves"]}"#,
);
