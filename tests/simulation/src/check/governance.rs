//! Who may do what, and who validates, as the events of decided blocks say: kept here anew from
//! the founding document on, and compared with what the nodes made of the same blocks.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, Log};
use tbsi_bindings::SolEvent;
use tbsi_bindings::genesis::Nodes::{
    ValidatorAdded, ValidatorKeySet, ValidatorReinstated, ValidatorRemoved, ValidatorSuspended,
};
use tbsi_bindings::genesis::Organisations::{
    OrganisationLeft, OrganisationReinstated, OrganisationSuspended,
};
use tbsi_bindings::genesis::Permissions::{
    AccountSet, OrganisationPermissionsSet, PublicPermissionsSet,
};
use tbsi_governance::abi::{NODES, ORGANISATIONS, PERMISSIONS};
use tbsi_types::genesis::Permission;
use tbsi_types::log::{Leaf, Statement};
use tbsi_types::{Height, LeafIndex, ValidatorSet};

use super::sets::Sets;
use super::{Findings, Rule, blocks, furthest};
use crate::founding::number_of;
use crate::world::World;

const VALIDATORS_MIN: usize = 4;
/// Kinds of leaves from 1 to this one are attestations and what concerns them.
const ATTESTING_KIND_MAX: u8 = 6;

/// A node, as events tell of it.
#[derive(Clone, Copy, Debug, Default)]
struct Validates {
    key: Address,
    power: u64,
    member: bool,
}

/// All that events say.
struct Registry {
    public: u32,
    organisations: BTreeMap<u32, u32>,
    suspended: BTreeSet<u32>,
    accounts: BTreeMap<Address, (u32, u32)>,
    nodes: BTreeMap<u32, Validates>,
    /// The transaction that is looked at changed the set.
    changed: bool,
    /// It did so at once, not at the end of the epoch.
    at_once: bool,
    /// From which time, in seconds, a block hands over.
    due: Option<u64>,
    /// Length of an epoch.
    epoch_seconds: u64,
    /// Who decides the next block.
    decides: BTreeMap<Address, u64>,
}

pub(super) fn check(world: &World, sets: &Sets, findings: &mut Findings) {
    let Some((node, tip)) = furthest(world) else {
        return;
    };
    let mut registry = Registry::founded(world);
    compare(&registry, sets, Height(1), findings);
    let mut size = 0;
    for height in 1..=tip.0 {
        let height = Height(height);
        let (Some(checkpoint), Some(block), Some(receipts)) = (
            blocks::checkpoint(world, node, height),
            blocks::block(world, node, height),
            blocks::receipts(world, node, height),
        ) else {
            return;
        };
        let mut leaves = leaves(world, node, size..checkpoint.log_size.0);
        // A root of the map is no transaction's (SPEC §9.11).
        if let Some(first) = leaves.first()
            && matches!(first.statement, Statement::MapRoot(_))
        {
            leaves.remove(0);
        }
        size = checkpoint.log_size.0;
        for (index, receipt) in (0u32..).zip(&receipts) {
            let sender = usize::try_from(index).ok();
            let sender = sender.and_then(|index| block.block.transactions.get(index));
            let sender = sender
                .map(|transaction| transaction.sender())
                .unwrap_or_default();
            let (own, rest): (Vec<Leaf>, Vec<Leaf>) = leaves
                .into_iter()
                .partition(|leaf| leaf.head.transaction_index == index);
            leaves = rest;
            unauthorised(&registry, (height, sender), &own, findings);
            for log in receipt.logs() {
                registry.apply(log);
            }
            registry.schedule(block.time.seconds());
        }
        registry.hand_over(block.time.seconds());
        if !leaves.is_empty() {
            let what = format!("height {height} has leaves of no transaction");
            findings.add(Rule::Authorised, what);
        }
        compare(&registry, sets, height.next(), findings);
        rules(sets, height, findings);
    }
}

fn leaves(world: &World, node: usize, range: std::ops::Range<u64>) -> Vec<Leaf> {
    let Some(running) = &world.nodes[node].running else {
        return Vec::new();
    };
    let store = &running.node.store;
    let read = |index| {
        let bytes = store.leaf(LeafIndex(index)).ok()??;
        Leaf::decode(&bytes).ok()
    };
    range.filter_map(read).collect()
}

/// Whoever sent the transaction that made leaves had the permission before it.
fn unauthorised(
    registry: &Registry,
    (height, sender): (Height, Address),
    leaves: &[Leaf],
    findings: &mut Findings,
) {
    let attests = |leaf: &&Leaf| leaf.statement.kind() <= ATTESTING_KIND_MAX;
    if leaves.iter().any(|leaf| attests(&leaf)) && !registry.may_attest(sender) {
        let what = format!("height {height}: {sender} attested, and had no permission to");
        findings.add(Rule::Authorised, what);
    }
}

/// The set of a height is the one that events lead to.
fn compare(registry: &Registry, sets: &Sets, height: Height, findings: &mut Findings) {
    let expected = registry.decides.clone();
    let set = sets.at(height).iter();
    let found: BTreeMap<Address, u64> = set.map(|one| (one.address, one.power.0)).collect();
    if expected != found {
        let what = format!(
            "the set of height {height} is {found:?}, and motions, rotations and evidence make \
             {expected:?}"
        );
        findings.add(Rule::SetIntegrity, what);
    }
}

/// What no change of the set may break (SPEC §13.7).
fn rules(sets: &Sets, height: Height, findings: &mut Findings) {
    let (before, after) = (sets.at(height), sets.at(height.next()));
    if before.hash() == after.hash() {
        return;
    }
    let mut wrong = |what: &str| {
        let what = format!("after height {height}: {what}");
        findings.add(Rule::SetIntegrity, what);
    };
    if after.count() < VALIDATORS_MIN && after.count() < before.count() {
        wrong("too few validators");
    }
    let total = |set: &ValidatorSet| set.iter().map(|one| u128::from(one.power.0)).sum::<u128>();
    if total(after) >= 1 << 63 || after.iter().any(|one| one.power.0 == 0) {
        wrong("a voting power that cannot be");
    }
    let strongest = |height: Height| {
        let mut powers: BTreeMap<u32, u128> = BTreeMap::new();
        for member in sets.members_at(height).iter() {
            *powers.entry(member.organisation).or_default() += u128::from(member.power.0);
        }
        powers.into_values().max().unwrap_or_default()
    };
    let (had, has) = (strongest(height), strongest(height.next()));
    if 3 * has > total(after) && has * total(before) > had * total(after) {
        wrong("one organisation has more than a third of the power");
    }
}

impl Registry {
    fn founded(world: &World) -> Self {
        let bits =
            |granted: &BTreeSet<Permission>| granted.iter().fold(0, |all, it| all | it.bit());
        let genesis = &world.founding.genesis;
        let all = bits(&Permission::ALL.into());
        let (mut organisations, mut accounts) = (BTreeMap::new(), BTreeMap::new());
        for (number, entry) in (1..).zip(genesis.organisations.values()) {
            organisations.insert(number, all);
            for (account, granted) in &entry.accounts {
                accounts.insert(*account, (number, bits(granted)));
            }
        }
        let founders = 0..world.founding.validators;
        let nodes = founders.map(|node| {
            let validates = Validates {
                key: world.founding.addresses[node],
                power: 1,
                member: true,
            };
            (number_of(node), validates)
        });
        let mut registry = Self {
            // What the founders agreed on: whoever belongs to nobody may send, no more.
            public: Permission::Send.bit(),
            organisations,
            suspended: BTreeSet::new(),
            accounts,
            nodes: nodes.collect(),
            changed: false,
            at_once: false,
            due: None,
            epoch_seconds: world.plan.epoch_seconds.into(),
            decides: BTreeMap::new(),
        };
        registry.decides = registry.members();
        registry
    }

    /// After a transaction in a block of this time (SPEC §13.7): the first change sets when the
    /// set is handed over.
    fn schedule(&mut self, now: u64) {
        let changed = std::mem::take(&mut self.changed);
        let at_once = std::mem::take(&mut self.at_once);
        if changed && (at_once || self.epoch_seconds == 0) {
            self.due = Some(now);
        } else if changed {
            let end = (now / self.epoch_seconds + 1) * self.epoch_seconds;
            self.due.get_or_insert(end);
        }
    }

    /// After a block of this time.
    fn hand_over(&mut self, now: u64) {
        if self.due.is_some_and(|due| due <= now) {
            self.due = None;
            self.decides = self.members();
        }
    }

    fn may_attest(&self, account: Address) -> bool {
        let granted = match self.accounts.get(&account) {
            Some((organisation, _)) if self.suspended.contains(organisation) => 0,
            Some((organisation, granted)) => {
                granted
                    & self
                        .organisations
                        .get(organisation)
                        .copied()
                        .unwrap_or_default()
            }
            None => self.public,
        };
        granted & Permission::Attest.bit() != 0
    }

    fn members(&self) -> BTreeMap<Address, u64> {
        let members = self.nodes.values().filter(|node| node.member);
        members.map(|node| (node.key, node.power)).collect()
    }

    fn apply(&mut self, log: &Log) {
        if log.address == NODES {
            self.on_node(log);
        } else if log.address == ORGANISATIONS {
            self.on_organisation(log);
        } else if log.address == PERMISSIONS {
            self.on_permission(log);
        }
    }

    fn on_node(&mut self, log: &Log) {
        if let Ok(event) = ValidatorAdded::decode_log(log) {
            let node = self.nodes.entry(event.node).or_default();
            (node.key, node.power, node.member) = (event.validator, event.power, true);
            self.changed = true;
        } else if let Ok(event) = ValidatorRemoved::decode_log(log) {
            let node = self.nodes.entry(event.node).or_default();
            self.changed |= node.member;
            (node.power, node.member) = (0, false);
        } else if let Ok(event) = ValidatorSuspended::decode_log(log) {
            self.nodes.entry(event.node).or_default().member = false;
            (self.changed, self.at_once) = (true, true);
        } else if let Ok(event) = ValidatorReinstated::decode_log(log) {
            let node = self.nodes.entry(event.node).or_default();
            self.changed |= !node.member && node.power > 0;
            node.member |= node.power > 0;
        } else if let Ok(event) = ValidatorKeySet::decode_log(log) {
            let node = self.nodes.entry(event.node).or_default();
            self.changed |= node.member;
            node.key = event.validator;
        }
    }

    fn on_organisation(&mut self, log: &Log) {
        if let Ok(event) = OrganisationSuspended::decode_log(log) {
            self.suspended.insert(event.organisation);
            self.at_once = true;
        } else if let Ok(event) = OrganisationReinstated::decode_log(log) {
            self.suspended.remove(&event.organisation);
        } else if let Ok(event) = OrganisationLeft::decode_log(log) {
            self.suspended.insert(event.organisation);
            self.at_once = true;
        }
    }

    fn on_permission(&mut self, log: &Log) {
        if let Ok(event) = AccountSet::decode_log(log) {
            let entry = (event.organisation, event.permissions);
            self.accounts.insert(event.account, entry);
        } else if let Ok(event) = OrganisationPermissionsSet::decode_log(log) {
            self.organisations
                .insert(event.organisation, event.permissions);
        } else if let Ok(event) = PublicPermissionsSet::decode_log(log) {
            self.public = event.permissions;
        }
    }
}
