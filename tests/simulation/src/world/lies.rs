//! What validators that lie do. They run the same code, sign what they like, and change what
//! leaves them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use tbsi_engine::stepped::Topic;
use tbsi_engine::stepped::wire::{self, Offer, Seen, Signed};
use tbsi_engine::{Chain, Verdict};
use tbsi_keys::ConsensusStatement;
use tbsi_types::block::transactions_root;
use tbsi_types::{
    Address, CheckpointDigest, Height, ProposalStatement, ProposedBlock, Round, Signature,
    TimestampMs, Transaction, VoteKind, VoteStatement, sha256,
};

use super::{Event, World};
use crate::plan::Lie;

/// Messages that a liar remembers.
const HEARD_MAX: usize = 200;
/// Blocks that it streams under one digest at once.
const WRONG_BLOCKS: u64 = 24;
/// Round for which it builds blocks that it does not propose.
const NO_ROUND: Round = Round(900_000);

/// A validator that lies.
#[derive(Debug)]
pub(super) struct Liar {
    lies: BTreeSet<Lie>,
    heard: Vec<(Topic, Bytes)>,
    streams: u64,
    /// Rounds that it was to propose in, and how it split them, if it did.
    splits: BTreeMap<(Height, Round), Option<Split>>,
}

/// Two blocks of one round.
#[derive(Clone, Debug)]
struct Split {
    first: CheckpointDigest,
    second: CheckpointDigest,
    block: Vec<u8>,
    /// Who is shown the second one.
    shown: BTreeSet<usize>,
}

impl Liar {
    pub(super) fn new(lies: &BTreeSet<Lie>) -> Self {
        Self {
            lies: lies.clone(),
            heard: Vec::new(),
            streams: 0,
            splits: BTreeMap::new(),
        }
    }
}

impl World {
    /// Whether a node tells this lie.
    pub(super) fn lies(&self, node: usize, lie: Lie) -> bool {
        let liar = self.liars.get(&node);
        liar.is_some_and(|liar| liar.lies.contains(&lie))
    }

    /// A liar remembers what it hears.
    pub(super) fn hear(&mut self, node: usize, topic: Topic, bytes: &Bytes) {
        if let Some(liar) = self.liars.get_mut(&node)
            && liar.lies.contains(&Lie::OldMessages)
        {
            let place = self.chance.lies.index(HEARD_MAX);
            if liar.heard.len() < HEARD_MAX {
                liar.heard.push((topic, bytes.clone()));
            } else {
                liar.heard[place] = (topic, bytes.clone());
            }
        }
    }

    /// What a liar sends instead of what its consensus said.
    pub(super) fn publish_as_liar(&mut self, from: usize, topic: Topic, bytes: Bytes) {
        match wire::read(topic, &bytes) {
            Seen::Signed(signed) if signed.len() == 1 => match signed[0].statement {
                ConsensusStatement::Vote(vote) => self.vote_as_liar(from, topic, &bytes, vote),
                ConsensusStatement::Proposal(proposal) => {
                    self.propose_as_liar(from, &bytes, proposal)
                }
            },
            Seen::Offer(_) | Seen::Part => self.stream_as_liar(from, &bytes),
            Seen::Signed(_) | Seen::Malformed => self.publish_plainly(from, topic, &bytes),
        }
    }

    fn publish_plainly(&mut self, from: usize, topic: Topic, bytes: &Bytes) {
        for to in 0..self.nodes.len() {
            self.publish_to(from, to, topic, bytes.clone(), None);
        }
    }

    /// Signs as a liar does, and notes that everybody may see it.
    fn sign_as_liar(&mut self, from: usize, statement: ConsensusStatement) -> Option<Bytes> {
        let signer = &self.nodes[from].running.as_ref()?.signer;
        let signed = Signed {
            validator: signer.public_key().address(),
            statement,
            signature: signer.sign_unguarded(statement),
        };
        Some(wire::signed(signed))
    }

    fn note_lie(&mut self, bytes: &[u8]) {
        let chain = self.founding.identity;
        if let Seen::Signed(signed) = wire::read(Topic::Consensus, bytes) {
            for signed in &signed {
                self.record.note_signed(&chain, signed);
            }
        }
    }

    fn vote_as_liar(&mut self, from: usize, topic: Topic, bytes: &Bytes, vote: VoteStatement) {
        let position = (vote.height, vote.round);
        if let Some(value) = vote.value {
            self.split(from, position, value);
        }
        let splits = self.liars.values();
        let mut splits = splits.filter_map(|liar| liar.splits.get(&position)?.clone());
        let split = splits.find(|split| Some(split.first) == vote.value);
        if self.lies(from, Lie::TwoVotes) && vote.value.is_some() {
            let (second, shown) = match split {
                Some(split) => (Some(split.second), split.shown),
                None if self.plan.too_many => return self.publish_plainly(from, topic, bytes),
                None if self.chance.lies.chance(400) => (None, self.some_nodes()),
                None => return self.publish_plainly(from, topic, bytes),
            };
            let other = ConsensusStatement::Vote(VoteStatement {
                value: second,
                ..vote
            });
            self.show_two(from, topic, bytes, other, &shown);
        } else if self.lies(from, Lie::NilVotes) && vote.value.is_some() {
            let nil = ConsensusStatement::Vote(VoteStatement {
                value: None,
                ..vote
            });
            let everybody = (0..self.nodes.len()).collect();
            self.show_two(from, topic, bytes, nil, &everybody);
        } else {
            self.publish_plainly(from, topic, bytes);
        }
    }

    /// Shows one message to some and another to the others.
    fn show_two(
        &mut self,
        from: usize,
        topic: Topic,
        bytes: &Bytes,
        other: ConsensusStatement,
        shown: &BTreeSet<usize>,
    ) {
        let Some(second) = self.sign_as_liar(from, other) else {
            return;
        };
        self.note_lie(&second);
        for to in 0..self.nodes.len() {
            if shown.contains(&to) {
                self.publish_to(from, to, Topic::Consensus, second.clone(), None);
            } else {
                self.publish_to(from, to, topic, bytes.clone(), None);
            }
        }
    }

    fn some_nodes(&mut self) -> BTreeSet<usize> {
        let nodes = 0..self.nodes.len();
        nodes.filter(|_| self.chance.lies.chance(500)).collect()
    }

    fn propose_as_liar(&mut self, from: usize, bytes: &Bytes, proposal: ProposalStatement) {
        let position = (proposal.height, proposal.round);
        let Some(split) = self.split(from, position, proposal.value) else {
            return self.publish_plainly(from, Topic::Consensus, bytes);
        };
        let other = ConsensusStatement::Proposal(ProposalStatement {
            value: split.second,
            ..proposal
        });
        let Some(proposer) = self.validator_of(from) else {
            return;
        };
        self.show_two(from, Topic::Consensus, bytes, other, &split.shown);
        let offer = Offer {
            height: proposal.height,
            round: proposal.round,
            polka_round: proposal.polka_round,
            proposer,
            digest: split.second,
        };
        self.stream_to(from, &split.shown, &offer, &split.block);
    }

    /// How a liar splits the round that it proposes in. It prevotes before it has said what it
    /// proposes, so whichever comes first decides.
    fn split(
        &mut self,
        from: usize,
        position: (Height, Round),
        first: CheckpointDigest,
    ) -> Option<Split> {
        if let Some(known) = self.liars.get(&from)?.splits.get(&position) {
            return known.clone();
        }
        let own = self.validator_of(from)?;
        let chain = self.nodes[from].running.as_mut()?.consensus.chain_mut();
        let set = chain.validators(position.0).ok()?;
        let forbids = self.lies(from, Lie::Forbidden);
        let lies = forbids || self.lies(from, Lie::TwoProposals);
        if !lies || own != set.proposer(position.0, position.1).address {
            return None;
        }
        let does = self.plan.too_many || self.chance.lies.chance(600);
        let forbids = forbids && !self.plan.too_many && self.chance.lies.chance(300);
        let second = does.then(|| match forbids {
            true => self.forbidden_block(from, position.0, first),
            false => self.second_block(from, position.0, first),
        });
        let split = second.flatten().map(|(second, block)| Split {
            first,
            second,
            block,
            shown: if self.plan.too_many {
                self.one_honest_validator()
            } else {
                self.some_nodes()
            },
        });
        let liar = self.liars.get_mut(&from)?;
        liar.splits.insert(position, split.clone());
        split
    }

    fn one_honest_validator(&self) -> BTreeSet<usize> {
        let validators = 0..self.founding.validators;
        let first = validators.into_iter().find(|node| self.is_honest(*node));
        first.into_iter().collect()
    }

    /// The same block with an attestation of somebody who may not attest.
    fn forbidden_block(
        &mut self,
        from: usize,
        height: Height,
        first: CheckpointDigest,
    ) -> Option<(CheckpointDigest, Vec<u8>)> {
        let chain_id = self.founding.genesis.chain_id;
        let bytes = self.forbidden(0);
        let transaction = Transaction::parse_and_verify(&bytes, chain_id).ok()?;
        let chain = self.nodes[from].running.as_mut()?.consensus.chain_mut();
        let bytes = chain.proposal_bytes(height, first).ok()??;
        let mut block = ProposedBlock::decode(&bytes, chain_id, &|_| None).ok()?;
        block.block.transactions.push(Arc::new(transaction));
        block.block.header.transactions_root = transactions_root(&block.block.transactions);
        let bytes = block.encode();
        Some((CheckpointDigest(sha256(&[b"forbidden", &bytes])), bytes))
    }

    /// Whose votes a node casts.
    fn validator_of(&self, node: usize) -> Option<Address> {
        Some(self.nodes[node].running.as_ref()?.validator)
    }

    /// The same block a millisecond later.
    fn second_block(
        &mut self,
        from: usize,
        height: Height,
        first: CheckpointDigest,
    ) -> Option<(CheckpointDigest, Vec<u8>)> {
        let chain = self.nodes[from].running.as_mut()?.consensus.chain_mut();
        let bytes = chain.proposal_bytes(height, first).ok()??;
        let later = later(&bytes, self.founding.genesis.chain_id, 1)?;
        let Ok(Verdict::Valid(second)) = chain.check(height, &later) else {
            return None;
        };
        Some((second.digest, later))
    }

    fn stream_to(&mut self, from: usize, to: &BTreeSet<usize>, offer: &Offer, block: &[u8]) {
        let Some(liar) = self.liars.get_mut(&from) else {
            return;
        };
        liar.streams += 1;
        let id = [b"lie".as_slice(), &liar.streams.to_be_bytes()].concat();
        for part in wire::parts(&id, offer, block) {
            for to in to {
                self.publish_to(from, *to, Topic::Parts, part.clone(), None);
            }
        }
    }

    fn stream_as_liar(&mut self, from: usize, bytes: &Bytes) {
        let withholds = self.lies(from, Lie::PartsWithheld);
        for to in 0..self.nodes.len() {
            if withholds && self.chance.lies.chance(300) {
                continue;
            }
            self.publish_to(from, to, Topic::Parts, bytes.clone(), None);
        }
    }

    /// Liars say something that nobody asked for.
    pub(super) fn on_lie(&mut self) {
        let wait = self.chance.lies.between(300, 1_500);
        self.after_ms(wait, Event::Lie);
        let liars: Vec<usize> = self.liars.keys().copied().collect();
        for liar in liars {
            if self.nodes[liar].running.is_none() {
                continue;
            }
            if self.lies(liar, Lie::FarVotes) {
                self.vote_far(liar);
            }
            if self.lies(liar, Lie::OldMessages) {
                self.repeat(liar);
            }
            if self.lies(liar, Lie::WrongDigests) {
                self.stream_wrong_blocks(liar);
            }
            if self.lies(liar, Lie::Garbage) {
                self.send_garbage(liar);
            }
        }
    }

    fn repeat(&mut self, from: usize) {
        for _ in 0..5 {
            let liar = &self.liars[&from];
            let Some((topic, bytes)) = self.chance.lies.pick(&liar.heard).cloned() else {
                return;
            };
            self.publish_plainly(from, topic, &bytes);
        }
    }

    fn send_garbage(&mut self, from: usize) {
        for topic in [Topic::Consensus, Topic::Liveness, Topic::Parts] {
            let length = self.chance.lies.below(200);
            let bytes: Vec<u8> = (0..length)
                .map(|_| self.chance.lies.number().to_le_bytes()[0])
                .collect();
            self.publish_plainly(from, topic, &bytes.into());
        }
    }

    /// Votes of anybody for any height and round; those in others' names are not signed well.
    fn vote_far(&mut self, from: usize) {
        let position = self.nodes[from].running.as_ref();
        let Some((height, round)) = position.and_then(|running| running.consensus.position())
        else {
            return;
        };
        for _ in 0..self.chance.lies.between(1, 20) {
            let rng = &mut self.chance.lies;
            let near = rng.chance(500);
            let vote = VoteStatement {
                kind: if rng.chance(500) {
                    VoteKind::Prevote
                } else {
                    VoteKind::Precommit
                },
                height: Height(if near {
                    height.0
                } else {
                    height.0 + rng.below(40)
                }),
                round: Round(if near {
                    round.0
                } else {
                    u32::try_from(rng.below(1 << 20)).unwrap_or(0)
                }),
                value: rng.chance(700).then(|| {
                    let value = rng.below(2).to_be_bytes();
                    CheckpointDigest(sha256(&[b"nothing", &value]))
                }),
            };
            let other = rng.index(self.founding.validators);
            let bytes = if near || rng.chance(500) {
                let validator = self.founding.addresses[other];
                let signature = Signature([7; 65]);
                let statement = ConsensusStatement::Vote(vote);
                Some(wire::signed(Signed {
                    validator,
                    statement,
                    signature,
                }))
            } else {
                self.sign_as_liar(from, ConsensusStatement::Vote(vote))
            };
            if let Some(bytes) = bytes {
                self.note_lie(&bytes);
                self.publish_plainly(from, Topic::Consensus, &bytes);
            }
        }
    }

    /// Many valid blocks, all under the digest of the first, in the name of whose turn it is.
    fn stream_wrong_blocks(&mut self, from: usize) {
        let founding = Arc::clone(&self.founding);
        let now = self.now.of_node(self.nodes[from].clock_ms).wall;
        let Some(running) = self.nodes[from].running.as_mut() else {
            return;
        };
        let Some((height, round)) = running.consensus.position() else {
            return;
        };
        let chain = running.consensus.chain_mut();
        if chain.tip().next() != height {
            return;
        }
        let Ok(set) = chain.validators(height) else {
            return;
        };
        let Ok(digest) = chain.propose(height, NO_ROUND, now, std::time::Duration::ZERO) else {
            return;
        };
        let Ok(Some(block)) = chain.proposal_bytes(height, digest) else {
            return;
        };
        let offer = Offer {
            height,
            round,
            polka_round: None,
            proposer: set.proposer(height, round).address,
            digest,
        };
        let everybody: BTreeSet<usize> = (0..self.nodes.len()).collect();
        let start = self.chance.lies.below(1_000);
        for later_ms in start..start + WRONG_BLOCKS {
            if let Some(other) = later(&block, founding.genesis.chain_id, later_ms) {
                self.stream_to(from, &everybody, &offer, &other);
            }
        }
    }
}

/// A block with another time. What it does is the same, so that it is valid too.
fn later(block: &[u8], chain_id: u64, ms: u64) -> Option<Vec<u8>> {
    let mut block = ProposedBlock::decode(block, chain_id, &|_| None).ok()?;
    block.time = TimestampMs(block.time.0 + ms);
    block.block.header.timestamp = block.time.seconds();
    Some(block.encode())
}
