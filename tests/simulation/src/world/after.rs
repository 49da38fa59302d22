//! What a node's other tasks do after its consensus did something: cosigning, bringing evidence
//! before the contracts, starting anew with the next key.

use std::sync::Arc;

use tbsi_engine::stepped::Topic;
use tbsi_engine::stepped::wire::{self, Signed};
use tbsi_keys::ConsensusStatement;
use tbsi_keys::keyfile::LogKey;
use tbsi_node::gossip::Cosignatures;
use tbsi_p2p::Judgement;
use tbsi_types::log::LogCheckpoint;
use tbsi_types::{Height, TreeSize, VotingPower, sha256};

use super::{Event, Message, RELAYED_TO, World};
use crate::founding::{log_seed, next_key, validator_key};
use crate::mutants::Mutant;
use crate::record::{Cosigned, SeenEvidence};

impl World {
    /// After a step that ended well.
    pub(super) fn after_step(&mut self, index: usize) {
        let (failed, evidence) = {
            let mut side = self.nodes[index].side.get();
            (side.failed, std::mem::take(&mut side.evidence))
        };
        if failed {
            let what = "went on although a write had failed".to_owned();
            self.record.after_failure.push((index, self.now, what));
        }
        for (evidence, tip) in evidence {
            let line = format_args!("{index} has evidence against {}", evidence.validator());
            self.trace.add(self.now, line);
            self.record.evidence.push(SeenEvidence {
                node: index,
                evidence,
                tip,
                at: self.now,
            });
        }
        self.on_heads(index);
        self.send_outgoing(index);
        self.plan_cosigning(index);
        if self.nodes[index].is_rekeyed(&self.founding) {
            let wait = self.chance.disk.between(1, 50);
            let life = self.nodes[index].life;
            self.after_ms(wait, Event::Rekey { node: index, life });
        }
    }

    /// Tells the tasks that wait for blocks of those that came.
    fn on_heads(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let clock = self.now.of_node(node.clock_ms);
        let instant = node.instant(self.now);
        let accuses = !node.side.has(Mutant::NeverAccuses);
        let Some(running) = node.running.as_mut() else {
            return;
        };
        let tip = running.node.tip().height;
        if tip <= running.told {
            return;
        }
        for height in running.told.0 + 1..=tip.0 {
            let head = running
                .cosigning
                .on_head(Height(height), instant, clock.wall);
            head.expect("a checkpoint of the chain can be read");
        }
        running.told = tip;
        if accuses {
            running.accuser.look();
        }
        if tip > self.set.0 {
            self.set.0 = tip;
            let roster = running.node.roster();
            if self.set.1.hash() != roster.set_hash() {
                self.set.1 = roster.members.set().clone();
                let count = self.set.1.count();
                self.trace.add(
                    self.now,
                    format_args!("{count} validators decide after {tip}"),
                );
                self.note_quorum();
            }
        }
    }

    /// What waits in a node's queue for the network.
    fn send_outgoing(&mut self, index: usize) {
        let Some(running) = self.nodes[index].running.as_ref() else {
            return;
        };
        let (transactions, cosignatures) = running.node.gossip.take_outgoing();
        for transaction in transactions {
            let bytes = bytes::Bytes::copy_from_slice(transaction.encoded());
            let line = format_args!("{index} sends {} by itself", transaction.hash());
            self.trace.add(self.now, line);
            for to in 0..self.nodes.len() {
                self.pass_on(index, to, &bytes);
            }
        }
        for message in cosignatures {
            let message = match self.nodes[index].side.has(Mutant::CosignsUndecided) {
                true => self.cosign_undecided(index, &message).unwrap_or(message),
                false => message,
            };
            for (validator, signature) in &message.list {
                self.record.cosigned.push(Cosigned {
                    validator: *validator,
                    size: message.size,
                    root: message.root,
                    signature: *signature,
                });
            }
            self.tell_cosignatures(index, &Arc::new(message), self.nodes.len());
        }
    }

    /// Sends cosignatures to all, or to as many that chance picks.
    fn tell_cosignatures(&mut self, from: usize, message: &Arc<Cosignatures>, most: usize) {
        for number in 0..most {
            let to = match most < self.nodes.len() {
                true => self.chance.network.index(self.nodes.len()),
                false => number,
            };
            if to != from {
                let message = Arc::clone(message);
                self.carry(from, to, Event::Cosignatures { from, to, message });
            }
        }
    }

    pub(super) fn on_cosignatures(&mut self, from: usize, to: usize, message: &Arc<Cosignatures>) {
        if !self.connected(from, to) {
            return;
        }
        let node = &mut self.nodes[to];
        let instant = node.instant(self.now);
        let Some(running) = node.running.as_mut() else {
            return;
        };
        let judgement = running.cosigning.receive(message, instant);
        if judgement == Judgement::Forward && self.links.weather.relays {
            self.tell_cosignatures(to, message, RELAYED_TO);
        }
    }

    /// Wakes the task that cosigns when no block comes.
    fn plan_cosigning(&mut self, index: usize) {
        self.next += 1;
        let token = self.next;
        let node = &mut self.nodes[index];
        let now = node.instant(self.now);
        let Some(at) = node.running.as_ref().and_then(|it| it.cosigning.idle_at()) else {
            node.cosign = None;
            return;
        };
        if node.cosign.is_some_and(|(_, planned)| planned == at) {
            return;
        }
        node.cosign = Some((token, at));
        let event = Event::Cosign {
            node: index,
            life: node.life,
            token,
        };
        self.at(self.now.after(at.saturating_duration_since(now)), event);
    }

    pub(super) fn on_cosign(&mut self, index: usize, life: u32, token: u64) {
        if !self.lives(index, life) || self.nodes[index].cosign.map(|it| it.0) != Some(token) {
            return;
        }
        let node = &mut self.nodes[index];
        node.cosign = None;
        let (instant, wall) = (node.instant(self.now), self.now.of_node(node.clock_ms).wall);
        if let Some(running) = node.running.as_mut() {
            running.cosigning.cosign(instant, wall);
        }
        self.send_outgoing(index);
        self.plan_cosigning(index);
    }

    /// What a planted bug makes of a cosignature: one of a log with a leaf more.
    fn cosign_undecided(&self, index: usize, message: &Cosignatures) -> Option<Cosignatures> {
        let running = self.nodes[index].running.as_ref()?;
        let (validator, _) = *message.list.first()?;
        let identity = self.founding.identity;
        let operator = running
            .node
            .roster()
            .members
            .set()
            .get(&validator)?
            .operator;
        let (size, root) = (
            TreeSize(message.size.0 + 1),
            sha256(&[message.root.as_slice()]),
        );
        let checkpoint = LogCheckpoint {
            origin: identity.log_origin(),
            size,
            root,
        };
        let signer = LogKey::from_seed(log_seed(index)).cosigner(&identity, operator);
        let seconds = self.now.wall().seconds();
        let line = signer.cosign(&checkpoint.encode().ok()?, seconds).ok()?;
        let list = vec![(validator, line.bytes.try_into().ok()?)];
        Some(Cosignatures { size, root, list })
    }

    /// The chain names this node's next key: it ends, and starts anew with that one.
    pub(super) fn on_rekey(&mut self, index: usize, life: u32) {
        if !self.lives(index, life) || !self.nodes[index].is_rekeyed(&self.founding) {
            return;
        }
        self.trace.add(
            self.now,
            format_args!("{index} starts anew with its next key"),
        );
        let crash_in = self.nodes[index].side.get().crash_in;
        self.nodes[index].end();
        self.nodes[index].side.get().crash_in = crash_in;
        self.record.rekeyed += 1;
        self.restart(index);
    }

    /// A statement that a node's own consensus signed; one of an earlier life of its is not `new`.
    pub(super) fn note_own(&mut self, from: usize, signed: &Signed, new: bool) {
        let node = &self.nodes[from];
        let own = node.running.as_ref().map(|running| running.validator);
        if own != Some(signed.validator) {
            return;
        }
        let starts = self.record.starts.iter_mut().rev();
        let mut last = starts.filter(|start| start.node == from);
        if let Some(start) = last.next().filter(|_| new) {
            start.voted.get_or_insert(self.now);
        }
        self.sign_for_others(from, signed);
    }

    /// A planted bug: the first that is up signs the same for those who are down.
    fn sign_for_others(&mut self, from: usize, signed: &Signed) {
        let up = self.alive().into_iter().find(|node| self.is_honest(*node));
        if !self.nodes[from].side.has(Mutant::SignsForOthers) || up != Some(from) {
            return;
        }
        let ConsensusStatement::Vote(vote) = signed.statement else {
            return;
        };
        let chain = self.founding.identity;
        for down in 0..self.nodes.len() {
            if self.nodes[down].running.is_some() || !self.is_honest(down) {
                continue;
            }
            for key in [validator_key(down), next_key(down)] {
                let validator = key.public_key().address();
                if self.set.1.get(&validator).is_none() {
                    continue;
                }
                let statement = ConsensusStatement::Vote(vote);
                let bytes = wire::signed(Signed {
                    validator,
                    statement,
                    signature: key.sign(statement.mark(&chain).digest),
                });
                let message = Message {
                    id: self.message_id(down, Topic::Consensus, &bytes),
                    publisher: down,
                    topic: Topic::Consensus,
                    bytes,
                };
                for to in 0..self.nodes.len() {
                    self.send(from, to, &message);
                }
            }
        }
    }

    /// Notes whether those that run could decide anything.
    pub(super) fn note_quorum(&mut self) {
        let up = self.alive().into_iter().map(|node| self.power_of(node));
        let up: u64 = up.sum();
        let quorum = VotingPower(up).is_quorum_of(self.set.1.total_power());
        self.record.note_quorum(self.now, quorum);
    }

    /// Voting power, by node, as far as it is known after the highest block.
    pub(super) fn power_of(&self, node: usize) -> u64 {
        let of = [
            self.founding.addresses[node],
            self.founding.next_addresses[node],
        ];
        let found = of.into_iter().find_map(|address| self.set.1.get(&address));
        found.map_or(0, |validator| validator.power.0)
    }

    /// Voting power of those that lie, and of those whose clocks are wrong.
    pub(super) fn bad_power(&self) -> u64 {
        let wrong = |node: &usize| !self.is_honest(*node) || self.nodes[*node].clock_ms != 0;
        let nodes = (0..self.nodes.len()).filter(wrong);
        nodes.map(|node| self.power_of(node)).sum()
    }
}
