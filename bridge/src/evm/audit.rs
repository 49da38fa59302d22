//! What a settled transaction did, by its own bytes and by the chain (SPEC §15.4).

use std::collections::BTreeSet;

use alloy_primitives::hex;
use tbsi_types::Checkpoint;

use super::steps::Path;
use super::{Contents, EvmChain, GAS_USED};
use crate::record::{Item, Parties};
use crate::target::{Audited, TargetError, ToldPlan};

/// Compares one plan with its transaction and with the chain.
pub(super) async fn audit(
    chain: &impl EvmChain,
    told: &ToldPlan,
    parties: &Parties,
) -> Result<Audited, TargetError> {
    let mut audited = Audited::default();
    let path = match Path::by(&told.steps) {
        Ok(path) => path,
        Err(problem) => {
            audited.differences.push(problem);
            return Ok(audited);
        }
    };
    contents(chain, told, &path, parties, &mut audited);
    let inclusion = &told.inclusion;
    let found = chain.included(&path.attempts).await?;
    if found.as_ref() != Some(inclusion) {
        let found = found.map_or("nothing".into(), |found| format!("{found:?}"));
        let said = format!("recorded as {inclusion:?}, found {found}");
        audited.differences.push(said);
        return Ok(audited);
    }
    let hash = chain.block_hash(inclusion.block).await?;
    audited.found = hash == Some(inclusion.block_hash);
    if let (true, Some(gas)) = (audited.found, inclusion.cost.get(GAS_USED)) {
        audited.cost.insert("gas".into(), gas.0);
    }
    if !audited.found {
        let said = format!("block {} is another", inclusion.block);
        audited.differences.push(said);
    }
    Ok(audited)
}

/// That the transaction's own bytes are what the records say of it.
fn contents(
    chain: &impl EvmChain,
    told: &ToldPlan,
    path: &Path,
    parties: &Parties,
    audited: &mut Audited,
) {
    let hash = told.inclusion.transaction;
    let attempt = path.attempts.iter().find(|one| one.transaction == hash);
    let Some(attempt) = attempt else {
        let said = "the included transaction was never signed";
        return audited.differences.push(said.into());
    };
    let contents = match chain.contents(attempt) {
        Ok(contents) => contents,
        Err(problem) => return audited.differences.push(problem),
    };
    let target = &parties.target;
    let to = hex::encode_prefixed(contents.to);
    let expected_to = match told.items.first() {
        None => Some(target.account.clone()),
        Some(Item::Message(_)) => chain.inbox().map(hex::encode_prefixed),
        Some(_) => Some(target.client.clone()),
    };
    let said = [
        (contents.transaction == hash, "its bytes have another hash"),
        (
            hex::encode_prefixed(contents.signer) == target.account,
            "somebody else signed it",
        ),
        (
            format!("eip155:{}", contents.chain_id) == target.chain,
            "it is for another chain",
        ),
        (Some(contents.nonce) == path.nonce, "it has another nonce"),
        (Some(to) == expected_to, "it calls another contract"),
    ];
    for (right, what) in said {
        if !right {
            audited.differences.push(what.into());
        }
    }
    if items(&contents) != told.items.iter().copied().collect() {
        let said = "it carries other items than recorded";
        audited.differences.push(said.into());
    }
    if told.inclusion.success {
        audited.leaves.extend(contents.leaves);
        audited.messages.extend(contents.message);
    }
}

/// What a transaction carries.
fn items(contents: &Contents) -> BTreeSet<Item> {
    let decoded = contents.checkpoints.iter();
    let decoded = decoded.filter_map(|bytes| Checkpoint::decode(bytes).ok());
    let mut items = BTreeSet::new();
    for (position, checkpoint) in decoded.enumerate() {
        let height = checkpoint.height.0;
        if position >= 2 * contents.handovers {
            items.insert(Item::Checkpoint(height));
        } else if position % 2 == 0 {
            items.insert(Item::Handover(height));
        }
    }
    items.extend(contents.leaves.iter().map(|(index, _)| Item::Leaf(*index)));
    let message = contents.message.iter();
    items.extend(message.map(|(index, _)| Item::Message(*index)));
    items.extend(contents.evidence.map(Item::Evidence));
    items
}
