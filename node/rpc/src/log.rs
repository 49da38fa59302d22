//! `tbsi_*` of the attestation log: proofs, and where to find what (SPEC §9, §10).

use std::time::Duration;

use alloy_primitives::{B256, Bytes};
use http::Extensions;
use jsonrpsee::types::Params;
use serde_json::json;
use tbsi_types::bundle::{BundleError, describe};
use tbsi_types::log::lookup::BUILT_IN_SCHEMAS;
use tbsi_types::log::{
    AttestationStatus, Cosigner, Leaf, Lookup, PostQuantumCosigner, PostQuantumVerifier, Statement,
};
use tbsi_types::map::MapQuestion;
use tbsi_types::{Height, LeafIndex, TreeSize};
use tokio::time::Instant;

use crate::api::{Api, Json, Reply, Runner, reply};
use crate::arguments::Arguments;
use crate::error::{Failure, internal, invalid_argument, refused, timed_out};
use crate::limits::{FINALITY_S_MAX, LEAVES_PAGE_MAX, PROOFS_MAX};
use crate::submit::submit_once;
use crate::waiting::{place, still_pending};
use crate::wire;

/// Bytes of the shortest digest that the log holds.
const DIGEST_BYTES_MIN: usize = 28;

/// Bytes of the longest digest that the log holds.
const DIGEST_BYTES_MAX: usize = 64;

fn index_of(api: &Api, selector: &wire::LeafSelector) -> Result<Option<LeafIndex>, Failure> {
    match selector {
        wire::LeafSelector::Index(index) => Ok(Some(*index)),
        // Not what somebody else says of the id.
        wire::LeafSelector::Id(id) => first(api, &Lookup::Attestation(*id)),
        wire::LeafSelector::Digest(digest) => first(api, &by_digest(digest)?),
    }
}

/// The first leaf that is found. A page without any is one of chance likenesses.
fn first(api: &Api, lookup: &Lookup) -> Result<Option<LeafIndex>, Failure> {
    let mut from = Some(LeafIndex(0));
    while let Some(start) = from {
        let found = api.backend.find(lookup, start, 1)?;
        if let Some(index) = found.positions.first() {
            return Ok(Some(*index));
        }
        from = found.next;
    }
    Ok(None)
}

/// All leaves that are found, where the contract allows only a few.
fn few(api: &Api, lookup: &Lookup) -> Result<Vec<LeafIndex>, Failure> {
    let found = api.backend.find(lookup, LeafIndex(0), LEAVES_PAGE_MAX)?;
    match found.next {
        None => Ok(found.positions),
        Some(_) => Err(internal(&format!("more than a few leaves of {lookup:?}"))),
    }
}

fn by_digest(digest: &[u8]) -> Result<Lookup, Failure> {
    check_digest(digest)?;
    Lookup::digest(digest).ok_or_else(|| internal(&"a digest of a length that was checked"))
}

fn check_digest(digest: &[u8]) -> Result<(), Failure> {
    if (DIGEST_BYTES_MIN..=DIGEST_BYTES_MAX).contains(&digest.len()) {
        return Ok(());
    }
    let problem = format!(
        "digest has {} bytes, {DIGEST_BYTES_MIN} to {DIGEST_BYTES_MAX} are possible",
        digest.len()
    );
    Err(invalid_argument(0, &problem))
}

/// `tbsi_getProof({index} | {id} | {digest}, [{from, status, registry}])`: a proof bundle, or null
/// if there is no such leaf. It holds the changes of the validator set after height `from`, 0 if
/// absent; with `status` what the map says of the attestation (SPEC §10.7); with `registry` whose
/// account the issuer's was (SPEC §10.11).
pub(crate) fn proof(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let selector: wire::LeafSelector = arguments.required(0)?;
    let start: wire::BundleStart = arguments.optional(1)?.unwrap_or_default();
    match index_of(api, &selector)? {
        Some(index) if start.registry => with_registry(api, index, &start),
        Some(index) if start.status => with_status(api, index, start.from),
        Some(index) => bundle(api, index, start.from),
        None => reply(()),
    }
}

fn with_status(api: &Api, index: LeafIndex, from: Height) -> Reply {
    match api.backend.bundle_with_status(index, from)? {
        Some(bundle) => raw(bundle.to_json()),
        None => reply(()),
    }
}

fn with_registry(api: &Api, index: LeafIndex, start: &wire::BundleStart) -> Reply {
    let wire::BundleStart { from, status, .. } = *start;
    match api.backend.bundle_with_registry(index, from, status)? {
        Some(bundle) => raw(bundle.to_json()),
        None => reply(()),
    }
}

/// `tbsi_getAbsence(digest, [{from}])`: what the map says of a digest: that it was not attested, or
/// where first (SPEC §10.7).
pub(crate) fn absence(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let digest: Bytes = arguments.required(0)?;
    let start: wire::BundleStart = arguments.optional(1)?.unwrap_or_default();
    check_digest(&digest)?;
    let unlikely = || internal(&"a digest of a length that was checked");
    let Some(MapQuestion::Digest(words)) = MapQuestion::digest(&digest) else {
        return Err(unlikely());
    };
    raw(api.backend.absence(words, start.from)?.to_json())
}

fn bundle(api: &Api, index: LeafIndex, from: Height) -> Reply {
    match api.backend.bundle(index, from)? {
        Some(bundle) => raw(bundle.to_json()),
        None => reply(()),
    }
}

fn raw(json: Result<String, BundleError>) -> Reply {
    json.map(Json::of).map_err(|error| internal(&error))
}

/// `tbsi_getLeaf(index)`: the leaf in words, or null if the log has fewer.
pub(crate) fn leaf(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let index = LeafIndex(arguments.required(0)?);
    reply(entry(api, index)?)
}

pub(crate) fn entry(api: &Api, index: LeafIndex) -> Result<Option<wire::LogEntry>, Failure> {
    let Some(bytes) = api.backend.leaf(index)? else {
        return Ok(None);
    };
    let leaf = Leaf::decode(&bytes).map_err(|error| internal(&error))?;
    Ok(Some(wire::LogEntry {
        index,
        leaf: bytes,
        statement: describe(&leaf),
    }))
}

/// `tbsi_findByDigest(digest, [from])`: attestations of a digest in the order of the log,
/// at position `from` and after, at most [`LEAVES_PAGE_MAX`].
pub(crate) fn find_by_digest(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let digest: Bytes = arguments.required(0)?;
    page(api, &by_digest(&digest)?, arguments)
}

/// `tbsi_findById(id, [from])`: attestations with an id in the order of the log, at position
/// `from` and after, at most [`LEAVES_PAGE_MAX`].
pub(crate) fn find_by_id(api: &Api, arguments: &Arguments<'_>) -> Reply {
    page(api, &Lookup::Attestation(arguments.required(0)?), arguments)
}

fn page(api: &Api, lookup: &Lookup, arguments: &Arguments<'_>) -> Reply {
    let from = LeafIndex(arguments.optional(1)?.unwrap_or_default());
    let found = api.backend.find(lookup, from, LEAVES_PAGE_MAX)?;
    reply(wire::LeafPage {
        entries: entries(api, &found.positions)?,
        next: found.next,
    })
}

fn entries(api: &Api, indexes: &[LeafIndex]) -> Result<Vec<wire::LogEntry>, Failure> {
    let mut entries = Vec::with_capacity(indexes.len());
    for index in indexes {
        entries.extend(entry(api, *index)?);
    }
    Ok(entries)
}

/// `tbsi_getAttestation(id)`: what an attestation comes to, and all leaves that bear on that;
/// null if nobody attested it.
pub(crate) fn attestation(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let id: B256 = arguments.required(0)?;
    // Before anything is looked up: what comes meanwhile makes the answer newer, never older.
    let as_of = api.backend.tip();
    let Some(stated) = first(api, &Lookup::Attestation(id))? else {
        return reply(());
    };
    let repeated = api
        .backend
        .find(&Lookup::Attestation(id), LeafIndex(stated.0 + 1), 1)?;
    let leaf = leaf_at(api, stated)?;
    let Statement::Attestation(attestation) = leaf.statement else {
        return Err(internal(&format!("leaf {stated} is no attestation")));
    };
    // Only what its issuer says of it counts; an id and a schema bind who that is.
    let issuer = leaf.head.issuer;
    let mut bearing = vec![stated];
    bearing.extend(few(api, &Lookup::Revocation(id, issuer))?);
    bearing.extend(few(api, &Lookup::Supersession(id, issuer))?);
    bearing.extend(few(api, &Lookup::Countersigning(id))?);
    bearing.extend(few(api, &Lookup::Countersignature(id))?);
    bearing.sort_unstable();
    let leaves = bearing.iter().map(|index| leaf_at(api, *index));
    let leaves: Vec<Leaf> = leaves.collect::<Result<_, _>>()?;
    let revocable = is_revocable(api, attestation.schema)?;
    let numbered = bearing.iter().copied().zip(&leaves);
    let status = AttestationStatus::of(id, issuer, revocable, numbered);
    reply(wire::Attestation {
        id,
        issuer,
        schema: attestation.schema,
        as_of,
        revocable,
        algorithm_status: algorithm_status(api, attestation.algorithm)?,
        revoked_at: status.revocation.map(|it| it.head.height),
        superseded_at: status.supersession.map(|it| it.head.height),
        repeated: !repeated.positions.is_empty() || repeated.next.is_some(),
        entries: entries(api, &bearing)?,
    })
}

fn leaf_at(api: &Api, index: LeafIndex) -> Result<Leaf, Failure> {
    let bytes = api.backend.leaf(index)?;
    let bytes = bytes.ok_or_else(|| internal(&format!("leaf {index} is missing")))?;
    Leaf::decode(&bytes).map_err(|error| internal(&error))
}

/// A revocation under a schema that nobody registered counts for nothing (SPEC §12.4).
fn is_revocable(api: &Api, schema: B256) -> Result<bool, Failure> {
    if BUILT_IN_SCHEMAS.contains(&schema) {
        return Ok(true);
    }
    let Some(registered) = first(api, &Lookup::Schema(schema))? else {
        return Ok(false);
    };
    let statement = leaf_at(api, registered)?.statement;
    Ok(matches!(
        statement,
        Statement::SchemaRegistered {
            revocable: true,
            ..
        }
    ))
}

/// The status that governance gave last, or that of genesis.
fn algorithm_status(api: &Api, algorithm: u32) -> Result<u8, Failure> {
    const ACTIVE: u8 = 1;
    let (mut last, mut from) = (None, Some(LeafIndex(0)));
    while let Some(start) = from {
        let found = api
            .backend
            .find(&Lookup::Algorithm(algorithm), start, LEAVES_PAGE_MAX)?;
        last = found.positions.last().copied().or(last);
        from = found.next;
    }
    let Some(last) = last else {
        return Ok(ACTIVE);
    };
    let Statement::AlgorithmSet { status, .. } = leaf_at(api, last)?.statement else {
        return Err(internal(&format!("leaf {last} sets no algorithm")));
    };
    Ok(status)
}

/// `tbsi_getConsistency(first, second)`: that the log of `first` leaves is the beginning of that
/// of `second`.
pub(crate) fn consistency(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let (first, second) = (arguments.required(0)?, arguments.required(1)?);
    let size = api.backend.log_size().0;
    if !(1 <= first && first <= second && second <= size) {
        let problem = format!("sizes {first} and {second}: give 1 <= first <= second <= {size}");
        return Err(invalid_argument(0, &problem));
    }
    let proof = api.backend.consistency(TreeSize(first), TreeSize(second))?;
    reply(json!({ "first": first, "second": second, "hashes": proof.0 }))
}

/// `tbsi_logKeys()`: who signs checkpoints of the log.
pub(crate) fn log_keys(api: &Api, _: &Arguments<'_>) -> Reply {
    reply(keys(api)?)
}

pub(crate) fn keys(api: &Api) -> Result<wire::LogKeys, Failure> {
    let keys = api.backend.log_keys();
    let named = api.backend.validators(api.backend.tip())?;
    let cosigner = |cosigner: &Cosigner| {
        let name = named.as_ref();
        let name = name.and_then(|named| named.get(&cosigner.validator));
        wire::LogCosigner {
            key: cosigner.key.encode(),
            validator: cosigner.validator,
            power: cosigner.power,
            node_name: name.map(|it| it.node.clone()).unwrap_or_default(),
            organisation: name.map(wire::Organisation::of).unwrap_or_default(),
        }
    };
    let post_quantum = |(cosigner, key): &(PostQuantumCosigner, Option<PostQuantumVerifier>)| {
        let name = named.as_ref();
        let name = name.and_then(|named| named.get(&cosigner.validator));
        wire::PostQuantumLogCosigner {
            key_hash: cosigner.key_hash,
            key: key.as_ref().map(PostQuantumVerifier::encode),
            validator: cosigner.validator,
            power: cosigner.power,
            node_name: name.map(|it| it.node.clone()).unwrap_or_default(),
            organisation: name.map(wire::Organisation::of).unwrap_or_default(),
        }
    };
    Ok(wire::LogKeys {
        origin: api.backend.identity().log_origin(),
        log: keys.log.encode(),
        witness: keys.witness.encode(),
        cosigners: keys.cosigners.iter().map(cosigner).collect(),
        post_quantum: keys.post_quantum.iter().map(post_quantum).collect(),
    })
}

/// `tbsi_getLeaves(transactionHash)`: where the leaves of a transaction are; null until it is
/// final.
pub(crate) fn leaves(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    reply(api.backend.leaves_of(hash)?)
}

/// `tbsi_sendAttestation(transaction, [{from}])`: takes a signed transaction and answers when it is
/// final, with the proofs of its leaves (the first [`PROOFS_MAX`] of them), as `tbsi_getProof` has
/// them. One that is pending or final already has the same answer.
pub(crate) async fn send_attestation(
    runner: &Runner,
    params: Params<'static>,
    extensions: &Extensions,
) -> Reply {
    let _place = place(runner)?;
    let mut heads = runner.api.backend.subscribe();
    let deadline = Instant::now() + Duration::from_secs(FINALITY_S_MAX);
    let arguments = Arguments::split(&params, 2)?;
    let start: wire::BundleStart = arguments.optional(1)?.unwrap_or_default();
    if start.status {
        let problem = "status is known after the map's next root; ask tbsi_getProof then";
        return Err(invalid_argument(1, problem));
    }
    let (encoded, from): (Bytes, _) = (arguments.required(0)?, start.from);
    let hash = submit_once(runner, encoded, extensions).await?;
    loop {
        let answer = runner.run(move |api| acknowledgement(api, hash, from));
        if let Some(answer) = answer.await? {
            return Ok(answer);
        }
        runner.run(move |api| still_pending(api, hash)).await?;
        // Lagging or not, a new height is a reason to look again.
        let head = tokio::time::timeout_at(deadline, heads.recv()).await;
        if head.is_err() {
            let message = format!(
                "transaction {hash} is pending and was not final after {FINALITY_S_MAX} s; \
                 ask tbsi_transactionStatus later"
            );
            return Err(timed_out(message, json!({ "transactionHash": hash })));
        }
    }
}

fn acknowledgement(api: &Api, hash: B256, from: Height) -> Result<Option<Json>, Failure> {
    let Some((height, position)) = api.backend.transaction_location(hash)? else {
        return Ok(None);
    };
    let placed = api.backend.receipt_at(height, position)?;
    if !placed.is_some_and(|placed| placed.receipt.status()) {
        let message = format!(
            "transaction {hash} is final in block {height} and failed: nothing was attested; \
             eth_call tells why"
        );
        return Err(refused(message));
    }
    let leaves = api.backend.leaves_of(hash)?;
    let leaves = leaves.unwrap_or(wire::LeafRange::EMPTY);
    let mut proofs = Vec::new();
    for offset in 0..leaves.count.min(PROOFS_MAX) {
        let bundle = bundle(api, LeafIndex(leaves.first.0 + offset), from)?;
        proofs.push(bundle.into_raw()?);
    }
    reply(wire::Acknowledgement {
        transaction_hash: hash,
        height,
        leaves,
        proofs,
    })
    .map(Some)
}
