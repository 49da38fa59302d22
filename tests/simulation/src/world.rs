//! All nodes, the network and time, in one queue of events.

mod after;
mod clients;
mod council;
mod faults;
mod lies;
mod relaying;
mod sync;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use tbsi_engine::Note;
use tbsi_engine::stepped::wire::{self, Seen};
use tbsi_engine::stepped::{Input, Milestone, Stepped, Stop, Timer, Topic};
use tbsi_light::KnownSignatures;
use tbsi_node::gossip::Cosignatures;
use tbsi_types::{Height, Roster, TimestampMs, ValidatorSet, sha256};

use crate::chain::SimChain;
use crate::clock::Moment;
use crate::founding::{Flaw, Founding};
use crate::links::Links;
use crate::mutants::Mutant;
use crate::node::{Node, describe};
use crate::plan::{Plan, Weather};
use crate::record::{Record, Start};
use crate::rng::Rng;
use crate::surroundings::{Done, Surroundings};
use crate::trace::Trace;
use clients::Clients;
pub use clients::prove;
use council::Council;
use lies::Liar;
pub use relaying::Relaying;

/// To how many nodes, picked by chance, a node passes on what it hears for the first time.
const RELAYED_TO: usize = 2;

/// A message on its way to a node.
#[derive(Clone, Debug)]
struct Message {
    /// Unique, however often it is passed on.
    id: u64,
    publisher: usize,
    topic: Topic,
    bytes: Bytes,
}

/// Something that happens at a moment.
#[derive(Clone, Debug)]
enum Event {
    Message {
        from: usize,
        to: usize,
        message: Message,
    },
    Transaction {
        from: usize,
        to: usize,
        bytes: Bytes,
    },
    Cosignatures {
        from: usize,
        to: usize,
        message: Arc<Cosignatures>,
    },
    Tip {
        from: usize,
        to: usize,
        height: Height,
    },
    Request {
        from: usize,
        to: usize,
        id: u64,
        bytes: Bytes,
    },
    Response {
        from: usize,
        to: usize,
        id: u64,
        bytes: Bytes,
    },
    Timer {
        node: usize,
        life: u32,
        timer: Timer,
        token: u64,
    },
    Wake {
        node: usize,
        life: u32,
        token: u64,
    },
    Tick {
        node: usize,
        life: u32,
    },
    NoAnswer {
        node: usize,
        life: u32,
        id: u64,
    },
    Feed {
        node: usize,
        life: u32,
    },
    Cosign {
        node: usize,
        life: u32,
        token: u64,
    },
    Rekey {
        node: usize,
        life: u32,
    },
    Restart(usize),
    Fault,
    Lie,
    Heal,
    Submit,
    Poll,
    Govern,
    TargetBlock,
    Relay,
}

/// A run.
pub struct World {
    /// What it is like.
    pub plan: Plan,
    /// Its network.
    pub founding: Arc<Founding>,
    /// What happened.
    pub record: Record,
    /// What happened, as lines.
    pub trace: Trace,
    /// All nodes.
    pub nodes: Vec<Node>,
    /// Virtual time.
    pub now: Moment,
    /// Whether everything is mended.
    pub healed: bool,
    queue: BTreeMap<(Moment, u64), Event>,
    next: u64,
    links: Links,
    clients: Clients,
    council: Council,
    liars: BTreeMap<usize, Liar>,
    chance: Chance,
    /// The relayer and its target.
    pub relaying: Option<Relaying>,
    /// Who decides the block after the highest one, which is at this height.
    set: (Height, ValidatorSet),
}

/// Separate streams, so that one kind of event does not move the others'.
struct Chance {
    network: Rng,
    disk: Rng,
    faults: Rng,
    lies: Rng,
    clients: Rng,
    sync: Rng,
    council: Rng,
    relayer: Rng,
}

impl World {
    /// The beginning of a run.
    pub fn new(plan: Plan, prints: bool) -> Self {
        let flaw = plan.mutant.map_or(Flaw::None, Mutant::flaw);
        let founding = Founding::of(plan.validators, plan.epoch_seconds, flaw);
        let mut rng = Rng::new(plan.seed ^ 0x5eed);
        let honest = |node: &usize| !plan.liars.contains_key(node);
        let known = Arc::new(KnownSignatures::default());
        let nodes = (0..founding.nodes())
            .map(|node| {
                let mutant = plan.mutant.filter(|_| honest(&node));
                Node::new(&founding, node, mutant, Arc::clone(&known))
            })
            .collect();
        let liars = plan.liars.iter();
        Self {
            links: Links::new(founding.nodes(), plan.weather),
            clients: Clients::new(&founding.genesis),
            council: Council::default(),
            relaying: None,
            set: (Height::GENESIS, founding.roster.members.set().clone()),
            liars: liars.map(|(node, lies)| (*node, Liar::new(lies))).collect(),
            record: Record::default(),
            trace: Trace::new(prints),
            nodes,
            now: Moment::default(),
            healed: false,
            queue: BTreeMap::new(),
            next: 0,
            chance: Chance {
                network: rng.fork(),
                disk: rng.fork(),
                faults: rng.fork(),
                lies: rng.fork(),
                clients: rng.fork(),
                sync: rng.fork(),
                council: rng.fork(),
                relayer: rng.fork(),
            },
            founding,
            plan,
        }
    }

    /// Runs to the end.
    pub fn run(&mut self) {
        for node in 0..self.nodes.len() {
            let at = self.now.after_ms(self.chance.faults.below(300));
            self.at(at, Event::Restart(node));
        }
        self.after_ms(500, Event::Submit);
        self.after_ms(700, Event::Poll);
        self.after_ms(self.plan.faults.every_ms, Event::Fault);
        self.after_ms(900, Event::Govern);
        self.relaying = self.new_relaying();
        self.after_ms(1_000, Event::Lie);
        self.after_ms(self.plan.rough_ms, Event::Heal);
        let end = Moment::default().after_ms(self.plan.rough_ms + self.plan.calm_ms);
        while let Some(((at, _), event)) = self.queue.pop_first() {
            if at > end {
                break;
            }
            self.now = at;
            self.links.mend(at);
            self.happen(event);
        }
        self.note_end();
    }

    /// Where everybody is in the end, so that no difference between two runs stays hidden.
    fn note_end(&mut self) {
        for node in &self.nodes {
            let (index, sign_state) = (node.index, sha256(&[&node.sign_state()]));
            let tip = node.running.as_ref().map(|running| running.node.tip());
            let tip = tip.map(|tip| (tip.height, tip.state_root, tip.log_root));
            self.trace.add(
                self.now,
                format_args!("{index} ends at {tip:?}, sign-state {sign_state}"),
            );
        }
        if let Some(relaying) = &self.relaying {
            self.trace.add(self.now, format_args!("{}", relaying.end()));
        }
    }

    /// A process starts; a machine may be slow.
    fn drag(&self, life: u32) {
        if life == 1 {
            thread::sleep(self.plan.drag);
        }
    }

    fn at(&mut self, at: Moment, event: Event) {
        self.next += 1;
        self.queue.insert((at, self.next), event);
    }

    fn after_ms(&mut self, ms: u64, event: Event) {
        self.at(self.now.after_ms(ms), event);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Message { from, to, message } => self.on_message(from, to, &message),
            Event::Transaction { from, to, bytes } => self.on_transaction(from, to, &bytes),
            Event::Cosignatures { from, to, message } => self.on_cosignatures(from, to, &message),
            Event::Tip { from, to, height } => self.on_tip(from, to, height),
            Event::Request {
                from,
                to,
                id,
                bytes,
            } => self.on_request(from, to, id, &bytes),
            Event::Response {
                from,
                to,
                id,
                bytes,
            } => self.on_response(from, to, id, &bytes),
            Event::Timer {
                node,
                life,
                timer,
                token,
            } => self.on_timer(node, life, timer, token),
            Event::Wake { node, life, token } => {
                if self.lives(node, life) && self.nodes[node].wake == token {
                    self.step(node, Input::Wake);
                }
            }
            Event::Tick { node, life } => self.on_tick(node, life),
            Event::NoAnswer { node, life, id } => self.on_no_answer(node, life, id),
            Event::Feed { node, life } => {
                if self.lives(node, life) {
                    self.ask_for_blocks(node);
                }
            }
            Event::Cosign { node, life, token } => self.on_cosign(node, life, token),
            Event::Rekey { node, life } => self.on_rekey(node, life),
            Event::Restart(node) => self.restart(node),
            Event::Fault => self.on_fault(),
            Event::Lie => self.on_lie(),
            Event::Heal => self.on_heal(),
            Event::Submit => self.on_submit(),
            Event::Poll => self.on_poll(),
            Event::Govern => self.on_govern(),
            Event::TargetBlock => self.on_target_block(),
            Event::Relay => self.on_relay(),
        }
    }

    /// Whether two nodes run and each lets the other in, by what the chain says of peers as far
    /// as it knows.
    fn connected(&self, one: usize, other: usize) -> bool {
        let admits = |node: usize, peer: usize| {
            let running = self.nodes[node].running.as_ref();
            running.is_some_and(|running| {
                let peer = &self.founding.peers[peer];
                node_admits(&running.node.roster(), peer)
            })
        };
        admits(one, other) && admits(other, one)
    }

    /// Whether a node's process is still the one that an event is for.
    fn lives(&self, node: usize, life: u32) -> bool {
        let node = &self.nodes[node];
        node.running.is_some() && node.life == life
    }

    /// Whether a node does what it should, but for a planted bug.
    pub fn is_honest(&self, node: usize) -> bool {
        !self.plan.liars.contains_key(&node)
    }

    /// Numbers of the nodes that run.
    fn alive(&self) -> Vec<usize> {
        let alive = self.nodes.iter().filter(|node| node.running.is_some());
        alive.map(|node| node.index).collect()
    }

    fn on_message(&mut self, from: usize, to: usize, message: &Message) {
        let reaches = from == to || self.connected(from, to);
        if !reaches || !self.nodes[to].seen.insert(message.id) {
            return;
        }
        if self.links.weather.relays {
            for _ in 0..RELAYED_TO {
                let next = self.chance.network.index(self.nodes.len());
                if ![from, to, message.publisher].contains(&next) {
                    self.send(to, next, message);
                }
            }
        }
        self.hear(to, message.topic, &message.bytes);
        if self.drops(to, message) {
            return;
        }
        let input = Input::Message {
            topic: message.topic,
            publisher: self.founding.peers[message.publisher].clone(),
            bytes: message.bytes.clone(),
        };
        self.step(to, input);
    }

    /// Whether a planted bug drops a message.
    fn drops(&self, to: usize, message: &Message) -> bool {
        let side = &self.nodes[to].side;
        if message.topic != Topic::Parts || !side.has(Mutant::RoundNotFollowed) {
            return false;
        }
        let seen = wire::read(message.topic, &message.bytes);
        matches!(seen, Seen::Offer(offer) if offer.round.0 > 3)
    }

    fn send(&mut self, from: usize, to: usize, message: &Message) {
        let event = Event::Message {
            from,
            to,
            message: message.clone(),
        };
        self.carry(from, to, event);
    }

    /// Sends something over a link.
    fn carry(&mut self, from: usize, to: usize, event: Event) {
        let slow = self.nodes[to].slow_ms;
        let arrivals = self
            .links
            .carry(&mut self.chance.network, from, to, self.now);
        for at in arrivals.into_iter().flatten() {
            self.record.messages += 1;
            self.at(at.after_ms(slow), event.clone());
        }
    }

    /// Sends a message of a node to all others.
    fn publish(&mut self, from: usize, topic: Topic, bytes: Bytes) {
        if let Seen::Signed(signed) = wire::read(topic, &bytes) {
            let chain = self.founding.identity;
            let mut new = false;
            for signed in &signed {
                new |= self.record.note_signed(&chain, signed);
            }
            if let [own] = signed.as_slice() {
                self.note_own(from, own, new);
            }
        }
        if self.liars.contains_key(&from) {
            self.publish_as_liar(from, topic, bytes);
            return;
        }
        for to in 0..self.nodes.len() {
            self.publish_to(from, to, topic, bytes.clone(), None);
        }
    }

    /// Sends a message to one node; messages with one id are one message.
    fn publish_to(&mut self, from: usize, to: usize, topic: Topic, bytes: Bytes, id: Option<u64>) {
        if from == to {
            return;
        }
        let id = id.unwrap_or_else(|| self.message_id(from, topic, &bytes));
        let message = Message {
            id,
            publisher: from,
            topic,
            bytes,
        };
        self.send(from, to, &message);
    }

    /// One for each message that is published at one moment.
    fn message_id(&self, from: usize, topic: Topic, bytes: &[u8]) -> u64 {
        let now = self.now.0.to_be_bytes();
        let head = [from.to_be_bytes().as_slice(), &now, &[topic as u8]].concat();
        let hash = sha256(&[&head, bytes]);
        u64::from_be_bytes(*hash.first_chunk().expect("a hash has 32 bytes"))
    }

    fn on_timer(&mut self, node: usize, life: u32, timer: Timer, token: u64) {
        if !self.lives(node, life) || self.nodes[node].timers.get(&timer) != Some(&token) {
            return;
        }
        self.nodes[node].timers.remove(&timer);
        self.step(node, Input::Timer(timer));
    }

    fn restart(&mut self, index: usize) {
        if self.nodes[index].running.is_some() {
            return;
        }
        let founding = Arc::clone(&self.founding);
        if let Err(reason) = self.nodes[index].start(&founding, self.now) {
            self.stopped(index, reason);
            return;
        }
        let life = self.nodes[index].life;
        self.drag(life);
        let now = self.now;
        self.trace
            .add(now, format_args!("{index} starts, life {life}"));
        if self.nodes[index].restored {
            self.record.told.remove(&index);
            self.record.restored.push((index, now));
        }
        self.record.starts.push(Start {
            node: index,
            life,
            at: now,
            voted: None,
        });
        self.note_quorum();
        self.step_with(index, |consensus, world| consensus.start(world));
        self.after_ms(1_000, Event::Tick { node: index, life });
    }

    /// Gives a node an input and does what it does.
    fn step(&mut self, index: usize, input: Input) {
        self.step_with(index, |consensus, world| consensus.step(world, input));
    }

    fn step_with(
        &mut self,
        index: usize,
        act: impl FnOnce(&mut Consensus, &mut Surroundings<'_>) -> Result<(), Stop>,
    ) {
        self.keep_earlier(index);
        let node = &mut self.nodes[index];
        let now = self.now.of_node(node.clock_ms);
        let Some(mut running) = node.running.take() else {
            return;
        };
        let (outcome, done, torn, before) = {
            let read = || node.sign_state();
            let since_restart_ms = (node.life > 1).then(|| self.now.ms_since(node.started));
            let mut world = Surroundings {
                now,
                side: &node.side,
                signer: &running.signer,
                since_restart_ms,
                read_sign_state: &read,
                torn: None,
                before: None,
                done: Vec::new(),
            };
            let outcome = act(&mut running.consensus, &mut world);
            (outcome, world.done, world.torn, world.before)
        };
        node.running = Some(running);
        if let Some(before) = before {
            node.keep_sign_state(before);
        }
        let notes = std::mem::take(&mut node.side.get().notes);
        for note in notes {
            self.on_note(index, &note);
        }
        for done in done {
            self.perform(index, done);
        }
        match outcome {
            Ok(()) => self.after_step(index),
            Err(stop) => self.stop(index, &stop, torn),
        }
    }

    fn perform(&mut self, index: usize, done: Done) {
        match done {
            Done::Published(topic, bytes) => self.publish(index, topic, bytes),
            Done::Started(timer, after) => {
                self.next += 1;
                let token = self.next;
                let node = &mut self.nodes[index];
                node.timers.insert(timer, token);
                let life = node.life;
                let event = Event::Timer {
                    node: index,
                    life,
                    timer,
                    token,
                };
                self.at(self.now.after(after), event);
            }
            Done::Cancelled(timer) => {
                self.nodes[index].timers.remove(&timer);
            }
            Done::CancelledAll => self.nodes[index].timers.clear(),
            Done::Wakes(after) => self.wake(index, after),
            Done::Refused(peer, height, fault) => self.on_refused(index, &peer, height, fault),
            Done::Reached(milestone) => self.on_milestone(index, milestone),
            Done::SignedOnFullDisk(statement) => {
                let what = format!("signed at height {}", statement.height());
                self.record.after_failure.push((index, self.now, what));
            }
        }
    }

    fn wake(&mut self, index: usize, after: Option<std::time::Duration>) {
        self.next += 1;
        let token = self.next;
        let node = &mut self.nodes[index];
        node.wake = token;
        let life = node.life;
        if let Some(after) = after {
            let event = Event::Wake {
                node: index,
                life,
                token,
            };
            self.at(self.now.after(after), event);
        }
    }

    fn on_milestone(&mut self, index: usize, milestone: Milestone) {
        let now = self.now;
        match milestone {
            Milestone::Height(height, votes, replayed) => {
                self.trace.add(
                    now,
                    format_args!("{index} height {height}, votes {votes}, replays {replayed}"),
                );
                self.feed_soon(index);
            }
            Milestone::Round(height, round, proposer) => {
                let proposer = self.founding.node_of(proposer);
                let proposer = proposer.map_or("?".into(), |node| node.to_string());
                self.trace.add(
                    now,
                    format_args!("{index} height {height} round {round}, proposer {proposer}"),
                );
            }
            Milestone::Decided(certificate, here) => {
                let (height, round) = (certificate.height, certificate.round);
                let digest = certificate.checkpoint_digest;
                let line = format_args!("{index} decided {height} in round {round}: {digest}");
                self.trace.add(now, line);
                if !here {
                    let line = format_args!("{index} lacks the block of {height}");
                    self.trace.add(now, line);
                }
                self.record.note_decided(index, &certificate, now);
                self.tell_tip(index, height);
            }
        }
    }

    /// What its host says of proposals.
    fn on_note(&mut self, index: usize, note: &Note) {
        let line = match note {
            Note::Dropped { reason, detail, .. } => {
                format!("drops a proposal: {reason:?}: {detail}")
            }
            Note::Refused {
                position: (height, round),
                reason,
                ..
            } => format!("refuses the block of {height}, round {round}: {reason}"),
            Note::Ahead { .. } => return,
        };
        self.trace.add(self.now, format_args!("{index} {line}"));
    }

    fn stop(&mut self, index: usize, stop: &Stop, torn: Option<Vec<u8>>) {
        let (crashed, full, failed) = {
            let side = self.nodes[index].side.get();
            (side.crashed, side.full, side.failed)
        };
        // The log is the world's own, and says so.
        if full && !crashed && (failed || describe(stop).contains("the log")) {
            return self.stop_for_disk(index, stop);
        }
        if crashed || matches!(stop, Stop::Crashed) {
            self.crash(index, torn);
            let wait = self.chance.faults.between(20, 6_000);
            self.after_ms(wait, Event::Restart(index));
            return;
        }
        self.stopped(index, describe(stop));
    }

    /// A process ended by itself: its supervisor starts it again.
    fn stopped(&mut self, index: usize, reason: String) {
        let (now, reason) = (self.now, self.nodes[index].anywhere(&reason));
        self.trace.add(now, format_args!("{index} stops: {reason}"));
        self.record.stopped.push((index, now, reason));
        self.crash(index, None);
        self.after_ms(1_000, Event::Restart(index));
    }

    fn crash(&mut self, index: usize, torn: Option<Vec<u8>>) {
        let now = self.now;
        self.trace.add(now, format_args!("{index} dies"));
        self.record.crashes += 1;
        if let Some(before) = torn {
            let after = self.nodes[index].sign_state();
            let mixed = lost_or_torn(&mut self.chance.disk, &before, &after);
            self.nodes[index].tear_sign_state(&mixed);
        }
        self.nodes[index].crash(&mut self.chance.disk);
        self.note_quorum();
    }

    /// A write failed, and the process ended. Somebody makes room.
    fn stop_for_disk(&mut self, index: usize, stop: &Stop) {
        let reason = self.nodes[index].anywhere(&describe(stop));
        let line = format_args!("{index} stops: its disk is full: {reason}");
        self.trace.add(self.now, line);
        self.record.full_disks += 1;
        self.crash(index, None);
        let wait = self.chance.faults.between(500, 6_000);
        self.after_ms(wait, Event::Restart(index));
    }

    /// For planted bugs that lose a database's last writes.
    fn keep_earlier(&self, index: usize) {
        let node = &self.nodes[index];
        if node.side.has(Mutant::CommitLost) && node.side.get().crash_in.is_some() {
            node.keep_earlier();
        }
    }

    fn on_heal(&mut self) {
        self.healed = true;
        let now = self.now;
        self.trace.add(now, format_args!("everything is mended"));
        self.links.heal();
        self.links.weather = Weather {
            relays: self.plan.weather.relays,
            ..Weather::FAIR
        };
        for node in &mut self.nodes {
            node.clock_ms = 0;
            node.slow_ms = 0;
            node.side.get().crash_in = None;
        }
        for node in self.alive() {
            // Its disk is full, and it did not write since.
            if self.nodes[node].side.get().full {
                self.crash(node, None);
            }
        }
        for node in 0..self.nodes.len() {
            self.after_ms(100, Event::Restart(node));
        }
    }

    /// The true time.
    pub fn time(&self) -> TimestampMs {
        self.now.wall()
    }
}

type Consensus = Stepped<SimChain>;

fn node_admits(roster: &Roster, peer: &str) -> bool {
    roster.peers.contains_key(peer)
}

/// A file of two slots of which a write may have reached any bytes.
fn lost_or_torn(rng: &mut Rng, before: &[u8], after: &[u8]) -> Vec<u8> {
    match rng.below(4) {
        0 => before.to_vec(),
        1 => after.to_vec(),
        2 => {
            let from = rng.index(before.len());
            [&after[..from], &before[from..]].concat()
        }
        _ => {
            let pick = |(old, new): (&u8, &u8)| if rng.chance(500) { *old } else { *new };
            before.iter().zip(after).map(pick).collect()
        }
    }
}
