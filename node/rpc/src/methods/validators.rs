//! Objects of consensus, and of this node.

use super::entry::Kind::{List, Maybe, One};
use super::entry::{Schema, any_of, json, may, need, object};
use super::schemas::{ADDRESS, BLOCK_NUMBER, BOOLEAN, BYTES, HASH, INTEGER, TEXT};

pub(super) const HEIGHT: Schema = any_of(
    "Height",
    "A height as a JSON number, or as Ethereum writes it.",
    &[One(&INTEGER), One(&BLOCK_NUMBER)],
);

pub(super) const ORGANISATION: Schema = object(
    "Organisation",
    "Legal names of an organisation.",
    &[need("nameZhTw", One(&TEXT)), need("nameEn", One(&TEXT))],
);

const VALIDATOR_NAME: Schema = object(
    "ValidatorName",
    "Who stands behind a validator's key.",
    &[
        need("address", One(&ADDRESS)),
        need("nodeName", One(&TEXT)),
        need("organisation", One(&ORGANISATION)),
    ],
);

pub(super) const OPERATOR_QUERY: Schema = json(
    "OperatorQuery",
    "A validator's address or public key, a peer's key or id, or a height as a JSON number.",
    r#"{"type":["string","integer"],"examples":["0x00000000000000000000000000000000000000aa"]}"#,
);

pub(super) const OPERATOR: Schema = object(
    "Operator",
    "Who stands behind a key or built a block.",
    &[
        need("nodeName", One(&TEXT)),
        need("number", One(&INTEGER)),
        need("organisation", One(&ORGANISATION)),
        need("validator", Maybe(&ADDRESS)),
        need("peerId", Maybe(&TEXT)),
        need("validating", One(&BOOLEAN)),
    ],
);

pub(super) const CHECKPOINT: Schema = object(
    "Checkpoint",
    "What the validators signed at a height; `encoded` is what it was read from (SPEC §3.6).",
    &[
        need("chainId", One(&INTEGER)),
        need("height", One(&INTEGER)),
        need("timeMs", One(&INTEGER)),
        need("blockHash", One(&HASH)),
        need("stateRoot", One(&HASH)),
        need("logSize", One(&INTEGER)),
        need("logRoot", One(&HASH)),
        need("validatorSetHash", One(&HASH)),
        need("nextValidatorSetHash", One(&HASH)),
        need("digest", One(&HASH)),
        need("encoded", One(&BYTES)),
    ],
);

const CERTIFICATE_SIGNATURE: Schema = object(
    "CertificateSignature",
    "A precommit and its operator.",
    &[
        need("validator", One(&ADDRESS)),
        need("signature", One(&BYTES)),
        need("organisation", One(&ORGANISATION)),
    ],
);

pub(super) const CERTIFICATE: Schema = object(
    "Certificate",
    "The commit certificate of a height (SPEC §3.7).",
    &[
        need("height", One(&INTEGER)),
        need("round", One(&INTEGER)),
        need("checkpointDigest", One(&HASH)),
        need("signatures", List(&CERTIFICATE_SIGNATURE)),
        need("encoded", One(&BYTES)),
    ],
);

const VALIDATOR: Schema = object(
    "Validator",
    "A validator of a set.",
    &[
        need("address", One(&ADDRESS)),
        need("publicKey", One(&BYTES)),
        need("power", One(&INTEGER)),
        need("nodeName", One(&TEXT)),
        need("organisation", One(&ORGANISATION)),
    ],
);

pub(super) const VALIDATOR_SET: Schema = object(
    "ValidatorSet",
    "Who decides a height, in address order.",
    &[
        need("height", One(&INTEGER)),
        need("setHash", One(&HASH)),
        need("totalPower", One(&INTEGER)),
        need("validators", List(&VALIDATOR)),
    ],
);

pub(super) const HANDOVER: Schema = json(
    "Handover",
    "A change of the validator set with both decisions, as in a proof (SPEC §10.3).",
    r#"{"type":"object","required":["validators","last","first"]}"#,
);

const EVIDENCE_KIND: Schema = json(
    "EvidenceKind",
    "What was signed twice.",
    r#"{"type":"string","enum":["votes","proposals"]}"#,
);

const EVIDENCE: Schema = object(
    "Evidence",
    "Two statements of one validator that contradict each other; `encoded` has both.",
    &[
        need("kind", One(&EVIDENCE_KIND)),
        need("validator", One(&ADDRESS)),
        need("height", One(&INTEGER)),
        need("round", One(&INTEGER)),
        need("encoded", One(&BYTES)),
    ],
);

pub(super) const EVIDENCE_LIST: Schema = object(
    "EvidenceList",
    "Newest first, and whether there is older evidence.",
    &[
        need("evidence", List(&EVIDENCE)),
        need("more", One(&BOOLEAN)),
    ],
);

const ROLE: Schema = json(
    "Role",
    "What a node does in consensus.",
    r#"{"type":"string","enum":["validator","observer"]}"#,
);

const PEER: Schema = object(
    "Peer",
    "Another node as seen from this one.",
    &[
        need("nodeName", One(&TEXT)),
        need("peerId", One(&TEXT)),
        need("address", One(&TEXT)),
        need("connected", One(&BOOLEAN)),
        need("height", Maybe(&INTEGER)),
    ],
);

const POOL_COUNTS: Schema = object(
    "PoolCounts",
    "Transactions that wait to be included.",
    &[
        need("pending", One(&INTEGER)),
        need("queued", One(&INTEGER)),
        need("bytes", One(&INTEGER)),
    ],
);

const UPGRADE: Schema = object(
    "Upgrade",
    "An upgrade that waits for its height.",
    &[
        need("number", One(&INTEGER)),
        need("height", One(&INTEGER)),
        need("protocol", One(&INTEGER)),
        need("version", One(&TEXT)),
        need("seconds", Maybe(&INTEGER)),
        need("supported", One(&BOOLEAN)),
    ],
);

const PROTOCOL: Schema = object(
    "Protocol",
    "By which rules blocks are made, and which come (SPEC §13.12).",
    &[
        need("inForce", One(&INTEGER)),
        need("supported", One(&INTEGER)),
        need("upgrade", Maybe(&UPGRADE)),
    ],
);

pub(super) const NODE_STATUS: Schema = object(
    "NodeStatus",
    "How this node is doing.",
    &[
        need("chainId", One(&INTEGER)),
        need("genesisHash", One(&HASH)),
        need("networkName", One(&TEXT)),
        need("nodeName", One(&TEXT)),
        need("role", One(&ROLE)),
        need("version", One(&TEXT)),
        need("height", One(&INTEGER)),
        need("blockHash", One(&HASH)),
        need("timeMs", One(&INTEGER)),
        need("oldestState", One(&INTEGER)),
        need("syncing", One(&BOOLEAN)),
        need("behind", One(&INTEGER)),
        need("waitingFor", Maybe(&TEXT)),
        need("missingValidators", List(&VALIDATOR_NAME)),
        need("peers", List(&PEER)),
        need("pool", One(&POOL_COUNTS)),
        need("protocol", One(&PROTOCOL)),
    ],
);

const STATUS: Schema = json(
    "Status",
    "Where a transaction is.",
    r#"{"type":"string","enum":["pending","included","dropped","unknown"]}"#,
);

pub(super) const TRANSACTION_STATUS: Schema = object(
    "TransactionStatus",
    "What became of a transaction, as this node knows (SPEC §6.9).",
    &[
        need("status", One(&STATUS)),
        may("missingNonce", Maybe(&INTEGER)),
        may("height", One(&INTEGER)),
        may("index", One(&INTEGER)),
        may("reason", One(&TEXT)),
        may("message", One(&TEXT)),
        may("replacedBy", Maybe(&HASH)),
        may("timeMs", One(&INTEGER)),
    ],
);
