//! Associations that govern: they change the validator set and keys by motions and calls of the
//! contracts, under all the other faults. They are clients: they know what is in blocks.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, keccak256};
use bytes::Bytes;
use tbsi_bindings::SolCall;
use tbsi_bindings::genesis::Motions::{
    executeCall, proposeCall, suspendOrganisationCall, voteCall,
};
use tbsi_bindings::genesis::Nodes::{
    addValidatorCall, removeValidatorCall, rotateLogKeyCall, rotateValidatorKeyCall,
};
use tbsi_bindings::genesis::Organisations::reinstateCall;
use tbsi_bindings::genesis::Signature as Proof;
use tbsi_engine::stepped::Input;
use tbsi_governance::abi::{MOTIONS, NODES};
use tbsi_governance::possession::{KeyUse, digest};
use tbsi_keys::keyfile::LogKey;
use tbsi_types::SecretKey;

use super::{Event, World};
use crate::clock::Moment;
use crate::founding::{council_key, log_seed, next_key, number_of, validator_key};

const LOOK_MS: u64 = 600;
/// After so long without a block that has it, a transaction goes to another node.
const RETRY_MS: u64 = 4_000;
/// A deadline that no run reaches.
const DEADLINE: u64 = 1 << 40;
/// For a motion, what it is about: "other reasons".
const REASON: u16 = 2;

/// Something that associations decide or do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// The observer gets keys, and becomes a validator.
    Join(usize),
    /// A validator gets more power.
    Power(usize),
    /// A validator leaves the set.
    Leave(usize),
    /// One that left comes back.
    Return(usize),
    /// A validator's key gives way to the next one.
    Rotate(usize),
    /// An association loses everything for a while.
    Suspend(usize),
    /// It is an association again, and its node a validator.
    Reinstate(usize),
}

impl Act {
    fn name(self) -> &'static str {
        match self {
            Self::Join(_) => "join",
            Self::Power(_) => "power",
            Self::Leave(_) => "leave",
            Self::Return(_) => "return",
            Self::Rotate(_) => "rotate",
            Self::Suspend(_) => "suspend",
            Self::Reinstate(_) => "reinstate",
        }
    }

    fn node(self) -> usize {
        match self {
            Self::Join(node)
            | Self::Power(node)
            | Self::Leave(node)
            | Self::Return(node)
            | Self::Rotate(node)
            | Self::Suspend(node)
            | Self::Reinstate(node) => node,
        }
    }

    fn takes_power(self) -> bool {
        matches!(self, Self::Leave(_) | Self::Suspend(_))
    }
}

/// How much has to agree to a motion (SPEC §13.6): kinds that are heavy, and others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    Ordinary,
    Heavy,
}

/// Transactions that are sent together; the next ones when all of them are in blocks.
#[derive(Clone, Debug)]
enum Batch {
    Calls(Vec<(Address, Vec<u8>)>),
    Propose(u8, Vec<u8>),
    Vote(Weight),
    Execute,
}

#[derive(Clone, Debug)]
struct Sent {
    hash: B256,
    bytes: Bytes,
    tried: Moment,
    succeeded: Option<bool>,
}

/// All associations.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact by itself, none a state of the others"
)]
pub(super) struct Council {
    act: Option<Act>,
    batches: Vec<Batch>,
    waiting: Vec<Sent>,
    /// Whether all that waits has to succeed.
    strict: bool,
    /// Whether what waits is a motion.
    proposes: bool,
    nonces: BTreeMap<usize, u64>,
    motions: u32,
    left: BTreeSet<usize>,
    suspended: BTreeSet<usize>,
    rotated: BTreeSet<usize>,
    joined: bool,
    /// An association was suspended: for the next one more have to agree.
    emergency: bool,
}

impl World {
    /// Looks what became of the last transactions, and goes on, or begins something.
    pub(super) fn on_govern(&mut self) {
        self.after_ms(LOOK_MS, Event::Govern);
        if self.council.act.is_none() {
            let begins = self.chance.council.chance(self.plan.governs);
            if !self.healed && begins {
                self.begin_act();
            }
            return;
        }
        self.look_for_acts();
        let open = self.council.waiting.iter();
        if open.clone().any(|sent| sent.succeeded.is_none()) {
            return;
        }
        let failed = open.clone().any(|sent| sent.succeeded == Some(false));
        if failed && self.council.strict {
            return self.end_act(false);
        }
        match self.council.batches.pop() {
            Some(batch) => self.send_batch(&batch),
            None => self.end_act(true),
        }
    }

    fn end_act(&mut self, done: bool) {
        let Some(act) = self.council.act.take() else {
            return;
        };
        let line = format_args!("{act:?}: {}", if done { "done" } else { "refused" });
        self.trace.add(self.now, line);
        (self.council.waiting, self.council.batches) = (Vec::new(), Vec::new());
        if !done {
            // Motions that were refused have no number; keys are taken once.
            self.council.motions -= u32::from(self.council.proposes);
            self.council.joined |= matches!(act, Act::Join(_));
            return;
        }
        *self.record.acts.entry(act.name()).or_default() += 1;
        let council = &mut self.council;
        match act {
            Act::Join(_) => council.joined = true,
            Act::Power(_) => {}
            Act::Leave(node) => {
                council.left.insert(node);
            }
            Act::Return(node) => {
                council.left.remove(&node);
            }
            Act::Rotate(node) => {
                council.rotated.insert(node);
            }
            Act::Suspend(node) => {
                council.suspended.insert(node);
                council.emergency = true;
            }
            Act::Reinstate(node) => {
                council.suspended.remove(&node);
            }
        }
    }

    /// The least voting power that there is when what is under way, or waits for the end of an
    /// epoch, is done.
    pub(super) fn least_power(&self) -> u64 {
        let leaving: BTreeSet<usize> = self.leaving().collect();
        let taken: u64 = leaving.into_iter().map(|node| self.power_of(node)).sum();
        self.set.1.total_power().0 - taken
    }

    /// Nodes that are in the set, and will not be.
    fn leaving(&self) -> impl Iterator<Item = usize> + '_ {
        let council = &self.council;
        let act = council.act.filter(|act| act.takes_power());
        let gone = council.left.iter().chain(&council.suspended).copied();
        let gone = gone.chain(act.map(Act::node));
        gone.filter(|node| self.power_of(*node) > 0)
    }

    /// What may be done so that those who lie, or whose clocks are wrong, stay few enough.
    fn possible_acts(&self) -> Vec<Act> {
        let (council, total) = (&self.council, self.set.1.total_power().0);
        let settled = self.leaving().next().is_none();
        let mut acts = Vec::new();
        for node in 0..self.nodes.len() {
            let power = self.power_of(node);
            let good = self.is_honest(node) && self.nodes[node].clock_ms == 0;
            if council.suspended.contains(&node) {
                acts.push(Act::Reinstate(node));
            } else if council.left.contains(&node) {
                acts.push(Act::Return(node));
            } else if node == self.founding.validators && !council.joined {
                // More often than anything else: most acts need it.
                acts.extend([Act::Join(node); 3]);
            } else if power > 0 && good {
                if !council.rotated.contains(&node) && node != self.founding.validators {
                    acts.push(Act::Rotate(node));
                }
                if power == 1 && 6 <= total + 1 {
                    acts.push(Act::Power(node));
                }
                let enough = self.set.1.count() > 4 && 3 * self.bad_power() < total - power;
                if enough && settled {
                    acts.extend([Act::Leave(node), Act::Suspend(node)]);
                }
            }
        }
        acts.retain(|act| self.can_pass(*act));
        acts
    }

    /// Whether enough associations may vote for what is to be decided.
    fn can_pass(&self, act: Act) -> bool {
        let weight = match act {
            Act::Rotate(_) => return true,
            Act::Join(_) | Act::Power(_) | Act::Return(_) | Act::Leave(_) => Weight::Heavy,
            Act::Suspend(_) => self.weight_of_suspension(),
            Act::Reinstate(_) => Weight::Ordinary,
        };
        self.voters(act).len() >= self.needed(act, weight)
    }

    fn weight_of_suspension(&self) -> Weight {
        match self.council.emergency {
            true => Weight::Heavy,
            false => Weight::Ordinary,
        }
    }

    /// Who may vote for it: associations that are not suspended, and that it is not about.
    fn voters(&self, act: Act) -> Vec<usize> {
        let may = |node: &usize| *node != act.node() && !self.council.suspended.contains(node);
        (0..self.nodes.len()).filter(may).collect()
    }

    /// Votes that pass a motion, and not one more. All associations count, and the one that it
    /// is about if it takes something from that one (SPEC §13.6).
    fn needed(&self, act: Act, weight: Weight) -> usize {
        let base = self.nodes.len() - usize::from(!act.takes_power());
        match weight {
            Weight::Ordinary => base / 2 + 1,
            Weight::Heavy => (2 * base / 3 + 1).max((3 * base).div_ceil(4)),
        }
    }

    fn begin_act(&mut self) {
        let acts = self.possible_acts();
        let Some(act) = self.chance.council.pick(&acts).copied() else {
            return;
        };
        self.trace.add(self.now, format_args!("{act:?} begins"));
        let number = number_of(act.node());
        let validates = || addValidatorCall {
            node: number,
            power: if matches!(act, Act::Power(_)) { 2 } else { 1 },
        };
        let mut batches = match act {
            Act::Join(node) => {
                let keys = self.keys_of_newcomer(node);
                let mut batches = vec![Batch::Calls(keys)];
                batches.extend(motion(6, &validates(), Weight::Heavy));
                batches
            }
            Act::Power(_) | Act::Return(_) => motion(6, &validates(), Weight::Heavy),
            Act::Leave(_) => {
                let call = removeValidatorCall {
                    node: number,
                    reason: REASON,
                };
                motion(7, &call, Weight::Heavy)
            }
            Act::Rotate(node) => {
                let call = self.key_call(node, &next_key(node));
                vec![Batch::Calls(vec![(NODES, call)])]
            }
            Act::Suspend(_) => {
                let call = suspendOrganisationCall {
                    organisation: number,
                    reason: REASON,
                };
                motion(2, &call, self.weight_of_suspension())
            }
            Act::Reinstate(_) => {
                let call = reinstateCall {
                    organisation: number,
                    reason: REASON,
                };
                motion(4, &call, Weight::Ordinary)
            }
        };
        batches.reverse();
        self.council.act = Some(act);
        if let Some(batch) = batches.pop() {
            self.council.batches = batches;
            self.send_batch(&batch);
        }
    }

    fn key_call(&self, node: usize, key: &SecretKey) -> Vec<u8> {
        let chain = self.founding.identity;
        let (number, encoded) = (number_of(node), key.public_key().encode());
        let digest = digest(&chain, number, KeyUse::Validator, &encoded, DEADLINE);
        let signature = key.sign(digest).0;
        let (x, y) = key.public_key().coordinates();
        let call = rotateValidatorKeyCall {
            node: number,
            x,
            y,
            proof: Proof {
                r: B256::from_slice(&signature[..32]),
                s: B256::from_slice(&signature[32..64]),
                v: signature[64],
            },
            deadline: DEADLINE,
        };
        call.abi_encode()
    }

    fn keys_of_newcomer(&self, node: usize) -> Vec<(Address, Vec<u8>)> {
        let chain = self.founding.identity;
        let log = LogKey::from_seed(log_seed(node));
        let public = log.public_key();
        let digest = digest(&chain, number_of(node), KeyUse::Log, &public, DEADLINE);
        let signature = log.sign(digest.as_slice());
        let call = rotateLogKeyCall {
            node: number_of(node),
            key: public.into(),
            proof: Proof {
                r: B256::from_slice(&signature[..32]),
                s: B256::from_slice(&signature[32..]),
                v: 0,
            },
            deadline: DEADLINE,
        };
        let validator = self.key_call(node, &validator_key(node));
        vec![(NODES, validator), (NODES, call.abi_encode())]
    }

    fn send_batch(&mut self, batch: &Batch) {
        let Some(act) = self.council.act else {
            return;
        };
        self.council.waiting.clear();
        self.council.strict = !matches!(batch, Batch::Vote(_));
        self.council.proposes = matches!(batch, Batch::Propose(..));
        let subject = act.node();
        let voters = self.voters(act);
        match batch {
            Batch::Calls(calls) => {
                for (to, input) in calls {
                    self.send_call(subject, *to, input.clone());
                }
            }
            Batch::Propose(kind, arguments) => {
                self.council.motions += 1;
                let call = proposeCall {
                    kind: *kind,
                    arguments: arguments.clone().into(),
                };
                self.send_call(voters[0], MOTIONS, call.abi_encode());
            }
            Batch::Vote(weight) => {
                let needed = self.needed(act, *weight);
                let call = voteCall {
                    motion: self.council.motions,
                    choice: 1,
                };
                for voter in voters.into_iter().take(needed) {
                    self.send_call(voter, MOTIONS, call.abi_encode());
                }
            }
            Batch::Execute => {
                let call = executeCall {
                    motion: self.council.motions,
                };
                self.send_call(voters[0], MOTIONS, call.abi_encode());
            }
        }
    }

    fn send_call(&mut self, association: usize, to: Address, input: Vec<u8>) {
        let nonce = self.council.nonces.entry(association).or_default();
        let own = *nonce;
        *nonce += 1;
        let bytes = self.sign_transaction(&council_key(association), own, to, input);
        self.council.waiting.push(Sent {
            hash: keccak256(&bytes),
            bytes: bytes.clone(),
            tried: self.now,
            succeeded: None,
        });
        self.give(&bytes);
    }

    /// Gives a transaction to some honest node.
    fn give(&mut self, bytes: &Bytes) {
        let mut nodes = self.alive();
        nodes.retain(|node| self.is_honest(*node));
        let Some(node) = self.chance.council.pick(&nodes).copied() else {
            return;
        };
        if self.insert(node, bytes) {
            for to in 0..self.nodes.len() {
                self.pass_on(node, to, bytes);
            }
            self.step(node, Input::Wake);
        }
    }

    fn look_for_acts(&mut self) {
        let mut nodes = self.alive();
        nodes.retain(|node| self.is_honest(*node));
        let Some(node) = self.chance.council.pick(&nodes).copied() else {
            return;
        };
        let mut again = Vec::new();
        for position in 0..self.council.waiting.len() {
            let sent = &self.council.waiting[position];
            if sent.succeeded.is_some() {
                continue;
            }
            let (hash, overdue) = (sent.hash, self.now.ms_since(sent.tried) > RETRY_MS);
            let found = self.outcome(node, hash);
            let sent = &mut self.council.waiting[position];
            sent.succeeded = found;
            if found.is_none() && overdue {
                sent.tried = self.now;
                again.push(sent.bytes.clone());
            }
        }
        for bytes in again {
            self.give(&bytes);
        }
    }

    /// Whether a transaction did what it was to, as a node has it in a block.
    fn outcome(&self, node: usize, hash: B256) -> Option<bool> {
        let store = &self.nodes[node].running.as_ref()?.node.store;
        let (height, index) = store.transaction_location(hash).ok()??;
        let receipts = store.receipts(height).ok()??;
        let receipt = receipts.get(usize::try_from(index).ok()?)?;
        Some(receipt.status())
    }
}

/// A motion from proposal to execution.
fn motion(kind: u8, call: &impl SolCall, weight: Weight) -> Vec<Batch> {
    let arguments = call.abi_encode()[4..].to_vec();
    vec![
        Batch::Propose(kind, arguments),
        Batch::Vote(weight),
        Batch::Execute,
    ]
}
