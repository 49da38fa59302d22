//! What each event of the governance contracts changes (SPEC §13.10). Events that change nothing
//! that is shown are read all the same: the act is in the log.

use alloy_primitives::{Address, B256};
use tbsi_bindings::SolEvent;
use tbsi_bindings::contracts::{
    AUTHORISATIONS, CHAINS, MOTIONS, NODES, ORGANISATIONS, PERMISSIONS,
};
use tbsi_bindings::genesis::{Chains, Details, Motions, Nodes, Organisations, Permissions};
use tbsi_governance::motions::Act as MotionAct;

use super::authorisations;
use super::{
    AccountRecord, BallotRecord, ChainRecord, KeyRecord, MotionRecord, NodeRecord,
    OrganisationRecord, Registry, Since, Turn,
};
use crate::source::Act;

/// The event `E`, if the act is one.
fn read<E: SolEvent>(act: &Act) -> Option<E> {
    if act.leaf.event != E::SIGNATURE_HASH {
        return None;
    }
    E::decode_raw_log(act.all_topics(), &act.data).ok()
}

pub(super) fn apply(registry: &mut Registry, act: &Act) {
    let since = Since {
        height: act.leaf.height.0,
        time_ms: act.leaf.time.0,
        position: Some(act.leaf.position.0),
    };
    let contract = act.leaf.contract;
    if contract == ORGANISATIONS {
        organisations(registry, act, since);
    } else if contract == NODES {
        nodes(registry, act, since);
    } else if contract == PERMISSIONS {
        permissions(registry, act, since);
    } else if contract == CHAINS {
        chains(registry, act, since);
    } else if contract == MOTIONS {
        motions(registry, act, since);
    } else if contract == AUTHORISATIONS {
        authorisations::apply(registry, act, since);
    }
}

fn turn(what: &'static str, since: Since) -> Turn {
    Turn {
        what,
        since,
        reason: None,
        evidence: None,
        names: None,
    }
}

fn organisations(registry: &mut Registry, act: &Act, since: Since) {
    if let Some(event) = read::<Organisations::OrganisationJoined>(act) {
        joined(registry, act, event, since);
        return;
    }
    let mut with = |number: u32, change: &mut dyn FnMut(&mut OrganisationRecord)| {
        if let Some(record) = registry.organisations.get_mut(&number) {
            change(record);
        }
    };
    let mut becomes = |number, status, what, reason| {
        with(number, &mut |record| {
            record.status = status;
            record.turns.push(Turn {
                reason: Some(reason),
                ..turn(what, since)
            });
        });
    };
    if let Some(it) = read::<Organisations::OrganisationSuspended>(act) {
        becomes(it.organisation, "suspended", "suspended", it.reason);
    } else if let Some(it) = read::<Organisations::OrganisationReinstated>(act) {
        becomes(it.organisation, "active", "reinstated", it.reason);
    } else if let Some(it) = read::<Organisations::OrganisationLeft>(act) {
        becomes(it.organisation, "left", "left", it.reason);
    } else if let Some(it) = read::<Organisations::OrganisationAmended>(act) {
        with(it.organisation, &mut |record| {
            record.name_zh_tw.clone_from(&it.nameZhTw);
            record.name_en.clone_from(&it.nameEn);
            record.turns.push(Turn {
                names: Some((it.nameZhTw.clone(), it.nameEn.clone())),
                ..turn("amended", since)
            });
        });
    } else if let Some(it) = read::<Organisations::ContactSet>(act) {
        with(it.organisation, &mut |record| {
            record.contact_url = Some(it.contactUrl.clone());
            record.turns.push(turn("contactSet", since));
        });
    }
}

fn joined(
    registry: &mut Registry,
    act: &Act,
    event: Organisations::OrganisationJoined,
    since: Since,
) {
    let number = event.organisation;
    if registry.organisations.contains_key(&number) {
        return;
    }
    let record = OrganisationRecord {
        name_zh_tw: event.nameZhTw.clone(),
        name_en: event.nameEn.clone(),
        founder: false,
        kind: Some(event.kind),
        votes: Some(event.votes),
        status: "active",
        tax_id: None,
        lei: None,
        jurisdiction: None,
        contact_url: None,
        agreement_hash: None,
        credential_hash: None,
        turns: vec![Turn {
            names: Some((event.nameZhTw, event.nameEn)),
            ..turn("joined", since)
        }],
    };
    registry.organisations.insert(number, record);
    registry.joined = Some((act.leaf.height.0, act.leaf.transaction_index, number));
}

fn nodes(registry: &mut Registry, act: &Act, since: Since) {
    if let Some(it) = read::<Nodes::NodeRegistered>(act) {
        registry.nodes.entry(it.node).or_insert(NodeRecord {
            organisation: it.organisation,
            name: it.name,
            endpoint: None,
            version: None,
            status: "inUse",
            validator: None,
            validates: false,
            power: None,
            log_key: None,
            keys: Vec::new(),
        });
        return;
    }
    if let Some(it) = read::<Nodes::Equivocated>(act) {
        if let Some(record) = registry.organisations.get_mut(&it.organisation) {
            record.turns.push(Turn {
                evidence: Some(it.evidenceHash),
                ..turn("equivocated", since)
            });
        }
        return;
    }
    if let Some((number, change)) = node_change(act)
        && let Some(record) = registry.nodes.get_mut(&number)
    {
        change_node(record, change, since);
    }
}

enum NodeChange {
    Updated {
        endpoint: String,
        version: String,
    },
    Status(&'static str),
    Key(&'static str, String),
    LogKey(B256),
    Validator {
        address: Address,
        power: Option<u64>,
    },
    NoValidator,
}

/// Which node an event is about, and what it changes.
fn node_change(act: &Act) -> Option<(u32, NodeChange)> {
    if let Some(it) = read::<Nodes::NodeUpdated>(act) {
        let (endpoint, version) = (it.endpoint, it.version);
        return Some((it.node, NodeChange::Updated { endpoint, version }));
    }
    if let Some(it) = read::<Nodes::NodeRetired>(act) {
        return Some((it.node, NodeChange::Status("retired")));
    }
    if let Some(it) = read::<Nodes::ValidatorSuspended>(act) {
        return Some((it.node, NodeChange::Status("suspended")));
    }
    if let Some(it) = read::<Nodes::ValidatorReinstated>(act) {
        return Some((it.node, NodeChange::Status("inUse")));
    }
    if let Some(it) = read::<Nodes::LogKeySet>(act) {
        return Some((it.node, NodeChange::LogKey(it.key)));
    }
    if let Some(it) = read::<Nodes::PeerKeySet>(act) {
        return Some((it.node, NodeChange::Key("peer", it.key.to_string())));
    }
    if let Some(it) = read::<Nodes::PostQuantumKeySet>(act) {
        let key = it.keyHash.to_string();
        return Some((it.node, NodeChange::Key("postQuantum", key)));
    }
    if let Some(it) = read::<Nodes::ValidatorAdded>(act) {
        let (address, power) = (it.validator, Some(it.power));
        return Some((it.node, NodeChange::Validator { address, power }));
    }
    if let Some(it) = read::<Nodes::ValidatorKeySet>(act) {
        let (address, power) = (it.validator, None);
        return Some((it.node, NodeChange::Validator { address, power }));
    }
    let it = read::<Nodes::ValidatorRemoved>(act)?;
    Some((it.node, NodeChange::NoValidator))
}

fn change_node(record: &mut NodeRecord, change: NodeChange, since: Since) {
    let key = |record: &mut NodeRecord, kind: &'static str, key: String| {
        record.keys.retain(|known| known.kind != kind);
        record.keys.push(KeyRecord { kind, key, since });
    };
    match change {
        NodeChange::Updated { endpoint, version } => {
            record.endpoint = Some(endpoint);
            record.version = (!version.is_empty()).then_some(version);
        }
        NodeChange::Status(status) => record.status = status,
        NodeChange::Key(kind, text) => key(record, kind, text),
        NodeChange::LogKey(text) => {
            record.log_key = (!text.is_zero()).then_some(text);
            key(record, "log", text.to_string());
        }
        NodeChange::Validator { address, power } => {
            record.validator = (!address.is_zero()).then_some(address);
            if let Some(power) = power {
                record.validates = true;
                record.power = Some(power);
            }
            key(record, "validator", format!("{address:#x}"));
        }
        NodeChange::NoValidator => {
            record.validates = false;
            record.power = None;
        }
    }
}

fn permissions(registry: &mut Registry, act: &Act, since: Since) {
    if let Some(it) = read::<Permissions::QuotaSet>(act) {
        // 2^64 - 1 is no limit (SPEC §13.4).
        if it.leaves == u64::MAX {
            registry.leaf_quotas.remove(&it.organisation);
        } else {
            registry.leaf_quotas.insert(it.organisation, it.leaves);
        }
    } else if let Some(it) = read::<Permissions::PeriodSet>(act) {
        registry.period_s = it.length;
    }
    let Some(it) = read::<Permissions::AccountSet>(act) else {
        return;
    };
    // Another grant in the same organisation is no new membership.
    let known = registry.accounts.get(&it.account);
    let known = known.filter(|known| known.organisation == it.organisation);
    let since = known.map_or(since, |known| known.since);
    let record = AccountRecord {
        organisation: it.organisation,
        permissions: it.permissions,
        since,
    };
    registry.accounts.insert(it.account, record);
    let whose = if it.permissions == 0 {
        0
    } else {
        it.organisation
    };
    let turns = registry.memberships.entry(it.account).or_default();
    turns.push((act.leaf.position.0, whose));
}

fn chains(registry: &mut Registry, act: &Act, since: Since) {
    if let Some(it) = read::<Chains::ChainRegistered>(act) {
        registry.chains.entry(it.chain).or_insert(ChainRecord {
            caip2: it.caip2,
            technology: it.technology,
            operator: it.operator,
            status: 1,
            contact_url: None,
            since,
        });
    } else if let Some(it) = read::<Chains::ChainSet>(act) {
        if let Some(record) = registry.chains.get_mut(&it.chain) {
            record.operator = it.operator;
            record.status = it.status;
        }
    } else if let Some(it) = read::<Chains::ChainUpdated>(act)
        && let Some(record) = registry.chains.get_mut(&it.chain)
    {
        record.technology = it.technology;
        record.contact_url = Some(it.contactUrl);
    }
}

fn motions(registry: &mut Registry, act: &Act, since: Since) {
    if let Some(it) = read::<Motions::MotionProposed>(act) {
        registry.motions.entry(it.motion).or_insert(MotionRecord {
            kind: it.kind,
            organisation: it.organisation,
            subject: it.subject,
            deadline_s: it.deadline,
            arguments: it.arguments,
            proposed: since,
            ballots: Vec::new(),
            window_s: None,
            closed: None,
        });
    } else if let Some(it) = read::<Motions::VoteCast>(act) {
        if let Some(motion) = registry.motions.get_mut(&it.motion) {
            motion.ballots.push(BallotRecord {
                organisation: it.organisation,
                account: it.account,
                choice: it.choice,
                since,
            });
        }
    } else if let Some(it) = read::<Motions::MotionPassed>(act) {
        if let Some(motion) = registry.motions.get_mut(&it.motion) {
            motion.window_s = Some((it.from, it.until));
        }
    } else if let Some(it) = read::<Motions::MotionWithdrawn>(act) {
        if let Some(motion) = registry.motions.get_mut(&it.motion) {
            motion.closed = Some(("withdrawn", since));
        }
    } else if let Some(it) = read::<Motions::MotionExecuted>(act) {
        executed(registry, act, it.motion, since);
    }
}

/// What was carried out says more of an organisation than the events of it.
fn executed(registry: &mut Registry, act: &Act, number: u32, since: Since) {
    let Some(motion) = registry.motions.get_mut(&number) else {
        return;
    };
    motion.closed = Some(("executed", since));
    match MotionAct::decode(motion.kind, &motion.arguments) {
        Ok(MotionAct::AddOrganisation(call)) => {
            let here = (act.leaf.height.0, act.leaf.transaction_index);
            if let Some((height, transaction, joined)) = registry.joined
                && (height, transaction) == here
            {
                detailed(registry, joined, &call.admission.details);
            }
        }
        Ok(MotionAct::AmendOrganisation(call)) => {
            detailed(registry, call.organisation, &call.details);
        }
        Ok(_) | Err(_) => {}
    }
}

fn detailed(registry: &mut Registry, number: u32, details: &Details) {
    if let Some(record) = registry.organisations.get_mut(&number) {
        record.tax_id = Some(details.taxId.clone());
        record.lei = Some(details.lei.clone());
        record.jurisdiction = Some(details.jurisdiction.clone());
        record.contact_url = Some(details.contactUrl.clone());
        record.agreement_hash = Some(details.agreementHash);
        record.credential_hash = Some(details.credentialHash).filter(|hash| !hash.is_zero());
    }
}
