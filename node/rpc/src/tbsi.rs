//! `tbsi_*`: what the validators signed, who they are, how this node is doing.

use alloy_eips::eip1898::LenientBlockNumberOrTag;
use alloy_primitives::Address;
use tbsi_types::Height;

use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::backend::NamedValidators;
use crate::error::Failure;
use crate::limits::EVIDENCE_MAX;
use crate::wire;

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
        let known = validators.as_ref().and_then(|it| it.names.get(address));
        known
            .map(|name| name.organisation.clone())
            .unwrap_or_default()
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

fn validator_set(height: Height, validators: &NamedValidators) -> wire::ValidatorSet {
    let one = |validator: &tbsi_types::Validator| {
        let name = validators.names.get(&validator.address);
        wire::Validator {
            address: validator.address,
            public_key: validator.public_key.encode().to_vec().into(),
            power: validator.power,
            node_name: name.map(|it| it.node_name.clone()).unwrap_or_default(),
            organisation: name.map(|it| it.organisation.clone()).unwrap_or_default(),
        }
    };
    wire::ValidatorSet {
        height,
        set_hash: validators.set.hash(),
        total_power: validators.set.total_power(),
        validators: validators.set.iter().map(one).collect(),
    }
}

/// `tbsi_getEvidence`: what is known of equivocation, newest first.
pub(crate) fn evidence(api: &Api, _: &Arguments<'_>) -> Reply {
    let evidence = api.backend.evidence(EVIDENCE_MAX)?;
    reply(
        evidence
            .iter()
            .map(wire::Evidence::from)
            .collect::<Vec<_>>(),
    )
}

/// `tbsi_status`.
pub(crate) fn status(api: &Api, _: &Arguments<'_>) -> Reply {
    reply(api.backend.status())
}
