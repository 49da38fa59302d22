//! A leaf in words: the field `statement` of the JSON form.

use std::fmt;

use alloy_primitives::Bytes;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use crate::log::leaf::{Leaf, LeafHead, Statement};

/// Names and values. A name that appears twice is refused: two readers could choose
/// differently.
#[derive(PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// What the bytes of a leaf say, and the id of an attestation. Depends on nothing that a
    /// later version of this software might know better, such as names of algorithms.
    pub(super) fn of(leaf: &Leaf) -> Self {
        let mut fields = Map::new();
        for part in [said(leaf), place(&leaf.head)] {
            if let Value::Object(part) = part {
                fields.extend(part);
            }
        }
        Self(fields)
    }

    pub(super) fn into_inner(self) -> Map<String, Value> {
        self.0
    }
}

fn place(head: &LeafHead) -> Value {
    json!({
        "chainId": head.chain_id,
        "height": head.height,
        "timeMs": head.time,
        "transactionIndex": head.transaction_index,
        "ordinal": head.ordinal,
        "issuer": head.issuer,
    })
}

/// Names of the kinds of leaves (SPEC §10.3).
pub const KINDS: &[&str] = &[
    "attestation",
    "revocation",
    "supersession",
    "countersigningOpened",
    "countersignature",
    "schemaRegistered",
    "algorithmSet",
    "mapRoot",
    "governanceAct",
    "message",
    "foreignFact",
];

fn said(leaf: &Leaf) -> Value {
    match &leaf.statement {
        Statement::Attestation(attestation) => json!({
            "kind": "attestation",
            "id": leaf.attestation_id(),
            "schema": attestation.schema,
            "algorithm": attestation.algorithm,
            "digest": Bytes::from(attestation.digest.to_bytes()),
        }),
        Statement::Revocation { id, reason } => json!({
            "kind": "revocation", "id": id, "reason": reason,
        }),
        Statement::Supersession { id, successor } => json!({
            "kind": "supersession", "id": id, "successor": successor,
        }),
        Statement::CountersigningOpened {
            id,
            threshold,
            deadline,
            party_count,
            parties_hash,
        } => json!({
            "kind": "countersigningOpened", "id": id, "threshold": threshold,
            "deadline": deadline, "partyCount": party_count, "partiesHash": parties_hash,
        }),
        Statement::Countersignature { id, have, need } => json!({
            "kind": "countersignature", "id": id, "have": have, "need": need,
        }),
        Statement::SchemaRegistered {
            schema,
            text_hash,
            commits_to,
            revocable,
        } => json!({
            "kind": "schemaRegistered", "schema": schema, "textHash": text_hash,
            "commitsTo": commits_to, "revocable": revocable,
        }),
        Statement::AlgorithmSet {
            algorithm,
            bits,
            status,
        } => json!({
            "kind": "algorithmSet", "algorithm": algorithm, "bits": bits, "status": status,
        }),
        Statement::MapRoot(map) => json!({
            "kind": "mapRoot", "root": map.root, "entries": map.entries,
            "mapHeight": map.height, "digestHeight": map.digest_height,
            "revokedAlgorithmsHash": map.revoked_algorithms,
        }),
        Statement::GovernanceAct { event, body_hash } => json!({
            "kind": "governanceAct", "event": event, "bodyHash": body_hash,
        }),
        Statement::Message {
            destination,
            receiver,
            sequence,
            timeout,
            payload_hash,
        } => json!({
            "kind": "message", "destination": destination, "receiver": receiver,
            "sequence": sequence, "timeout": timeout, "payloadHash": payload_hash,
        }),
        Statement::ForeignFact(fact) => json!({
            "kind": "foreignFact", "client": fact.client, "assurance": fact.assurance,
            "foreignChainId": fact.foreign_chain_id, "foreignHeight": fact.foreign_height,
            "foreignTime": fact.foreign_time, "blockHash": fact.block_hash,
            "account": fact.account, "slot": fact.slot, "value": fact.value,
        }),
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what the leaf says, as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Fields, A::Error> {
        let mut fields = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            fields.insert(name, value);
        }
        Ok(Fields(fields))
    }
}
