//! Who stands behind a key, a node or a block (SPEC §13.11).

use tbsi_governance::abi::{ORGANISATIONS, names, names_call};
use tbsi_governance::standing;
use tbsi_rpc::BackendError;
use tbsi_rpc::wire::{Operator, OperatorQuery, Organisation};
use tbsi_types::bundle::HANDOVERS_MAX;
use tbsi_types::roster::{Member, peer_id_of};
use tbsi_types::{Address, CallOutcome, CallRequest, Height, Roster, StateView as _};

use crate::answers::{internal, store_error};
use crate::clock::wall_clock;
use crate::limits::CALL_GAS_MAX;
use crate::node::Node;

/// Answers for keys in use and for validators of any height; `None` for others.
pub(super) fn find(node: &Node, query: &OperatorQuery) -> Result<Option<Operator>, BackendError> {
    let roster = node.roster();
    match query {
        OperatorQuery::Validator(address) => validator(node, &roster, *address),
        OperatorQuery::PeerKey(key) => peer(node, &roster, &peer_id_of(&key.0)),
        OperatorQuery::PeerId(id) => peer(node, &roster, id),
        OperatorQuery::Height(height) => {
            let header = node.store.header(*height).map_err(store_error)?;
            let Some(header) = header.filter(|_| *height > Height::GENESIS) else {
                return Ok(None);
            };
            let members = node.store.members_at(*height).map_err(store_error)?;
            let found = members.as_ref().and_then(|it| it.get(&header.beneficiary));
            Ok(found.map(|member| of_member(&roster, member)))
        }
    }
}

fn validator(
    node: &Node,
    roster: &Roster,
    address: Address,
) -> Result<Option<Operator>, BackendError> {
    if let Some(member) = roster.members.get(&address) {
        return Ok(Some(of_member(roster, member)));
    }
    // Not one now: perhaps one of a set that handed over, the latest first.
    let tip = node.tip().height;
    let mut from = Height::GENESIS;
    let mut found = None;
    loop {
        let heights = node.store.handovers(from, tip, HANDOVERS_MAX);
        let Some(last) = heights.last().copied() else {
            return Ok(found);
        };
        for height in heights {
            let members = node.store.members_at(height).map_err(store_error)?;
            if let Some(member) = members.as_ref().and_then(|it| it.get(&address)) {
                found = Some(of_member(roster, member));
            }
        }
        from = last.next();
    }
}

fn of_member(roster: &Roster, member: &Member) -> Operator {
    let address = member.public_key.address();
    let spoken = |(_, entry): &(&String, &tbsi_types::PeerEntry)| entry.validator == Some(address);
    let peer = roster.peers.iter().find(spoken);
    Operator {
        node_name: member.node.clone(),
        number: member.organisation,
        organisation: Organisation {
            name_zh_tw: member.name_zh_tw.clone(),
            name_en: member.name_en.clone(),
        },
        validator: Some(address),
        peer_id: peer.map(|(id, _)| id.clone()),
        validating: roster.members.get(&address).is_some(),
    }
}

fn peer(node: &Node, roster: &Roster, id: &str) -> Result<Option<Operator>, BackendError> {
    let Some(entry) = roster.peers.get(id) else {
        return Ok(None);
    };
    let member = entry.validator.and_then(|it| roster.members.get(&it));
    let organisation = match member {
        Some(member) => Organisation {
            name_zh_tw: member.name_zh_tw.clone(),
            name_en: member.name_en.clone(),
        },
        None => registered(node, entry.organisation)?,
    };
    Ok(Some(Operator {
        node_name: entry.name.clone(),
        number: entry.organisation,
        organisation,
        validator: entry.validator,
        peer_id: Some(id.into()),
        validating: member.is_some(),
    }))
}

/// Whose account it is at the tip; 0 for nobody's, and on a chain without the contracts.
pub(super) fn organisation_of(node: &Node, account: Address) -> Result<u32, BackendError> {
    let state = node
        .store
        .state_at(node.tip().height)
        .map_err(store_error)?;
    let mut read = |contract, slot| state.storage(contract, slot);
    let standing = standing::parameters(&mut read)
        .and_then(|parameters| standing::standing(&mut read, &parameters, account));
    Ok(standing.map_err(internal)?.organisation)
}

/// Legal names as the contract has them; on a chain without it, as genesis has.
fn registered(node: &Node, organisation: u32) -> Result<Organisation, BackendError> {
    let tip = node.tip();
    let request = CallRequest {
        to: Some(ORGANISATIONS),
        input: names_call(organisation),
        ..CallRequest::default()
    };
    let time = wall_clock().max(tip.time.next());
    let context = node.next_block_context(time, Address::ZERO);
    let state = node.store.state_at(tip.height).map_err(store_error)?;
    let called = tbsi_execution::call(&state, &context, &request, CALL_GAS_MAX);
    if let CallOutcome::Returned { output, .. } = called.map_err(internal)?
        && let Some((name_zh_tw, name_en)) = names(&output)
    {
        return Ok(Organisation {
            name_zh_tw,
            name_en,
        });
    }
    let index = usize::try_from(organisation).unwrap_or_default();
    let founder = node
        .genesis
        .organisations
        .values()
        .nth(index.wrapping_sub(1));
    Ok(
        founder.map_or_else(Organisation::default, |entry| Organisation {
            name_zh_tw: entry.name_zh_tw.clone(),
            name_en: entry.name_en.clone(),
        }),
    )
}
