//! `tbsi_*`: what the validators signed, who they are, how this node is doing.

use alloy_eips::eip1898::LenientBlockNumberOrTag;
use alloy_primitives::{Address, B256};
use tbsi_types::{Height, Member, Members};

use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::error::{Failure, invalid_params};
use crate::limits::{EVIDENCE_MAX, HANDOVERS_PAGE_MAX, PEER_ID_CHARS_MAX};
use crate::wire::{self, OperatorQuery};

/// The height that the first argument names, as a JSON number, a quantity or a tag (the tip if
/// there is none); `None` above the tip.
fn height(api: &Api, arguments: &Arguments<'_>) -> Result<Option<Height>, Failure> {
    let tag = arguments.optional::<LenientBlockNumberOrTag>(0)?;
    Ok(api.height_of_tag(tag.map(Into::into).unwrap_or_default()))
}

/// `tbsi_getCheckpoint(height | tag)`: null for a height that is not decided.
pub(crate) fn checkpoint(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let Some(height) = height(api, arguments)? else {
        return reply(());
    };
    let chain = api.backend.identity();
    let checkpoint = api.backend.checkpoint(height)?;
    reply(checkpoint.map(|checkpoint| wire::Checkpoint::new(&checkpoint, &chain)))
}

/// `tbsi_getCertificate(height | tag)`: null for genesis and for a height that is not decided.
pub(crate) fn certificate(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let Some(height) = height(api, arguments)? else {
        return reply(());
    };
    let Some(certificate) = api.backend.certificate(height)? else {
        return reply(());
    };
    let validators = api.backend.validators(height)?;
    let organisation = |address: &Address| {
        let known = validators.as_ref().and_then(|it| it.get(address));
        known.map(wire::Organisation::of).unwrap_or_default()
    };
    reply(wire::Certificate::new(&certificate, organisation))
}

/// `tbsi_getValidators(height | tag)`: null for a height that is not decided.
pub(crate) fn validators(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let Some(height) = height(api, arguments)? else {
        return reply(());
    };
    let validators = api.backend.validators(height)?;
    reply(validators.map(|validators| validator_set(height, &validators)))
}

fn validator_set(height: Height, members: &Members) -> wire::ValidatorSet {
    let one = |member: &Member| wire::Validator {
        address: member.public_key.address(),
        public_key: member.public_key.encode().to_vec().into(),
        power: member.power,
        node_name: member.node.clone(),
        organisation: wire::Organisation::of(member),
    };
    wire::ValidatorSet {
        height,
        set_hash: members.set().hash(),
        total_power: members.set().total_power(),
        validators: members.iter().map(one).collect(),
    }
}

/// `tbsi_getHandovers(height)`: the changes of the validator set after the blocks from `height` on
/// (0 if there is none), as in a proof's `handovers` (SPEC §10.3), at most
/// [`HANDOVERS_PAGE_MAX`]; ask again from above the last one's height.
pub(crate) fn handovers(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let from = arguments.optional::<u64>(0)?.unwrap_or(0);
    let handovers = api.backend.handovers(Height(from), HANDOVERS_PAGE_MAX)?;
    reply(handovers)
}

/// `tbsi_getOperator(key | peer id | validator address | height)`: null if nobody is known by it.
pub(crate) fn operator(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let given = arguments.required::<serde_json::Value>(0)?;
    let query = operator_query(&given).ok_or_else(|| {
        invalid_params(format!(
            "{given} is none of: a validator's address (20 bytes) or public key (33 bytes), a \
             peer's public key (32 bytes) or id (12D3Koo…), a height (a JSON number)"
        ))
    })?;
    if let OperatorQuery::Height(height) = query
        && height > api.backend.tip()
    {
        return reply(());
    }
    reply(api.backend.operator(&query)?)
}

pub(crate) fn operator_query(given: &serde_json::Value) -> Option<OperatorQuery> {
    if let Some(height) = given.as_u64() {
        return Some(OperatorQuery::Height(Height(height)));
    }
    let text = given.as_str()?;
    if text.starts_with("12D3Koo") && text.len() <= PEER_ID_CHARS_MAX {
        return Some(OperatorQuery::PeerId(text.into()));
    }
    let bytes = alloy_primitives::hex::decode(text.strip_prefix("0x")?).ok()?;
    match bytes.len() {
        20 => Some(OperatorQuery::Validator(Address::from_slice(&bytes))),
        32 => Some(OperatorQuery::PeerKey(B256::from_slice(&bytes))),
        33 => {
            let key = tbsi_types::PublicKey::parse(&bytes).ok()?;
            Some(OperatorQuery::Validator(key.address()))
        }
        _ => None,
    }
}

/// `tbsi_getEvidence`: what is known of equivocation, newest first, at most [`EVIDENCE_MAX`].
pub(crate) fn evidence(api: &Api, _: &Arguments<'_>) -> Reply {
    let known = api.backend.evidence(EVIDENCE_MAX + 1)?;
    let newest = known.iter().take(EVIDENCE_MAX);
    reply(wire::EvidenceList {
        evidence: newest.map(wire::Evidence::from).collect(),
        more: known.len() > EVIDENCE_MAX,
    })
}

/// `tbsi_status`.
pub(crate) fn status(api: &Api, _: &Arguments<'_>) -> Reply {
    reply(api.backend.status())
}

/// `tbsi_transactionStatus(hash)`: pending, included, dropped with the reason, or unknown.
pub(crate) fn transaction_status(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    reply(api.backend.transaction_status(hash)?)
}
