//! What a settled transaction did, by its own bytes and by the channel (SPEC §15.4).

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Bytes;
use prost::Message;
use serde::Deserialize;
use tbsi_types::Checkpoint;

use super::block::VALID;
use super::endorsed::EndorsedCall;
use super::identity::Signatory;
use super::messages::Envelope;
use super::peers::FabricPeers;
use super::reader::ChannelReader;
use super::steps::{Attempt, Path};
use crate::record::{Item, Parties};
use crate::target::{Audited, TargetError, ToldPlan};

/// Bytes of a checkpoint at the beginning of a decision (SPEC §14.2).
const CHECKPOINT_BYTES: usize = 192;

/// Of `UpdateClient`.
#[derive(Deserialize)]
struct UpdateArgument {
    decision: Option<Bytes>,
    handovers: Vec<HandoverArgument>,
}

#[derive(Deserialize)]
struct HandoverArgument {
    last: Bytes,
}

/// Of `Anchor`.
#[derive(Deserialize)]
struct AnchorArgument {
    leaf: Bytes,
    index: u64,
}

/// Of `SubmitMisbehaviour`.
#[derive(Deserialize)]
struct ConflictArgument {
    a: SideArgument,
}

#[derive(Deserialize)]
struct SideArgument {
    decision: Bytes,
}

/// Compares one plan with its transaction and with the channel.
pub(super) async fn audit<P: FabricPeers>(
    reader: &ChannelReader<P>,
    told: &ToldPlan,
    parties: &Parties,
) -> Result<Audited, TargetError> {
    let mut audited = Audited::default();
    let id = told.inclusion.transaction;
    let attempt = Path::by(&told.steps).and_then(|path| {
        let found = path.attempts.into_iter().find(|it| it.transaction == id);
        found.ok_or("the transaction in the block was never endorsed".into())
    });
    let envelope = match attempt.and_then(|attempt| envelope(&attempt)) {
        Ok(envelope) => envelope,
        Err(problem) => {
            audited.differences.push(problem);
            return Ok(audited);
        }
    };
    match contents(&envelope, reader, told, parties) {
        Ok(leaves) => audited.leaves = leaves,
        Err(problem) => audited.differences.push(problem),
    }
    let found = reader.anywhere(id).await;
    let found = found.map_err(|error| reader.failed("a transaction", &error))?;
    let Some(found) = found else {
        let said = format!("transaction {id} is in no block");
        audited.differences.push(said);
        return Ok(audited);
    };
    let inclusion = &told.inclusion;
    let said = [
        (found.envelope == envelope, "the block has other bytes"),
        (
            (found.block, found.block_hash) == (inclusion.block, inclusion.block_hash),
            "it is in another block",
        ),
        (
            (found.code == VALID) == inclusion.success,
            "the peers found otherwise of it",
        ),
    ];
    let wrong: Vec<&str> = said
        .into_iter()
        .filter(|(right, _)| !right)
        .map(|(_, what)| what)
        .collect();
    audited.found = wrong.is_empty();
    audited
        .differences
        .extend(wrong.into_iter().map(String::from));
    Ok(audited)
}

fn envelope(attempt: &Attempt) -> Result<Envelope, String> {
    Envelope::decode(&attempt.envelope[..]).map_err(|error| format!("envelope: {error}"))
}

/// The leaves that a transaction anchors, if its own bytes are what the records say of it.
fn contents<P>(
    envelope: &Envelope,
    reader: &ChannelReader<P>,
    told: &ToldPlan,
    parties: &Parties,
) -> Result<BTreeMap<u64, Bytes>, String> {
    let call = EndorsedCall::parse(&envelope.payload)?;
    let signed = Signatory::of(&call.creator, &envelope.payload, &envelope.signature)?;
    let said = [
        (
            call.id == told.inclusion.transaction,
            "its bytes have another id",
        ),
        (
            signed.account() == parties.target.account,
            "somebody else signed it",
        ),
        (
            call.channel == reader.config.channel,
            "it is for another channel",
        ),
        (
            call.call.chaincode == reader.config.chaincode,
            "it calls another chaincode",
        ),
    ];
    if let Some((_, what)) = said.into_iter().find(|(right, _)| !right) {
        return Err(what.into());
    }
    let (items, leaves) = items(&call)?;
    if items != told.items.iter().copied().collect() {
        return Err("it carries other items than recorded".into());
    }
    Ok(if told.inclusion.success {
        leaves
    } else {
        BTreeMap::new()
    })
}

fn height(decision: &[u8]) -> Result<u64, String> {
    let checkpoint = decision.get(..CHECKPOINT_BYTES).ok_or("a short decision")?;
    let checkpoint = Checkpoint::decode(checkpoint).map_err(|error| error.to_string())?;
    Ok(checkpoint.height.0)
}

type Carried = (BTreeSet<Item>, BTreeMap<u64, Bytes>);

/// What a transaction carries.
fn items(call: &EndorsedCall) -> Result<Carried, String> {
    let [function, argument] = &call.call.args[..] else {
        return Err("it has not one argument".into());
    };
    let wrong = |error: serde_json::Error| format!("argument: {error}");
    let (mut items, mut leaves) = (BTreeSet::new(), BTreeMap::new());
    match function.as_slice() {
        b"UpdateClient" => {
            let update: UpdateArgument = serde_json::from_slice(argument).map_err(wrong)?;
            for handover in &update.handovers {
                items.insert(Item::Handover(height(&handover.last)?));
            }
            if let Some(decision) = &update.decision {
                items.insert(Item::Checkpoint(height(decision)?));
            }
        }
        b"Anchor" => {
            let anchor: AnchorArgument = serde_json::from_slice(argument).map_err(wrong)?;
            items.insert(Item::Leaf(anchor.index));
            leaves.insert(anchor.index, anchor.leaf);
        }
        b"SubmitMisbehaviour" => {
            let conflict: ConflictArgument = serde_json::from_slice(argument).map_err(wrong)?;
            items.insert(Item::Evidence(height(&conflict.a.decision)?));
        }
        _ => return Err("it calls a function that a relayer does not".into()),
    }
    Ok((items, leaves))
}
