//! The independent checker: judges a run by what went over the wire, what clients hold, and what
//! nodes serve. It verifies with `tbsi-light`, not with the nodes' code, and it never asks what
//! a node believes.

mod blocks;
mod bridge;
mod governance;
mod map;
mod notes;
mod progress;
mod quiet;
mod replay;
mod sets;
mod signatures;

use std::collections::BTreeMap;
use std::fmt;

use tbsi_light::verify_consistency;
use tbsi_types::{B256, Height, LeafIndex, TreeSize};

use crate::reader::Reader;
use crate::world::{World, prove};
use sets::Sets;

/// What must hold, by its name in the list of invariants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// No two blocks are decided at one height.
    Agreement,
    /// All honest nodes have the same state and log after a height.
    SameState,
    /// Every decided block follows its parent, by a quorum.
    Validity,
    /// An honest validator signs one thing per step, and keeps its lock.
    OneSignature,
    /// What was acknowledged can be proven for ever, by everybody.
    Durability,
    /// The log only grows.
    AppendOnly,
    /// Nothing is in the log twice.
    ExactlyOnce,
    /// The roots of the map are those that the leaves before them make.
    MapRoots,
    /// Whatever an honest node proves can be verified offline.
    HonestAnswers,
    /// Time goes forward, and near the true one.
    Time,
    /// What left a node is on its disk.
    NoStepBack,
    /// Nodes do not stop by themselves.
    NoStop,
    /// Heights are decided when the network is well.
    Progress,
    /// Everybody gets there.
    CatchUp,
    /// What was accepted is included.
    Inclusion,
    /// Whoever signed twice is known by evidence, and the contracts are told.
    Evidence,
    /// Whoever attests may.
    Authorised,
    /// The validator set is what decided transactions make of it.
    SetIntegrity,
    /// The chain from block 0 again gives the same roots.
    Replay,
    /// Nothing is signed after a disk failed.
    FailStop,
    /// A validator that was started votes soon.
    Recovery,
    /// Without a quorum nothing is decided, and nobody is told so.
    Standstill,
    /// What validators cosign is decided.
    Cosigned,
    /// The light client on another chain holds what was decided.
    BridgeForged,
    /// It goes forward only.
    BridgeMonotone,
    /// A message is delivered once.
    BridgeReplay,
    /// The relayer settles what cannot go away any more.
    BridgeFinality,
    /// What is to be carried arrives.
    BridgeComplete,
    /// An idle chain makes few blocks.
    Idle,
}

impl Rule {
    /// Its number in the list of invariants.
    pub fn number(self) -> &'static str {
        match self {
            Self::Agreement => "S1/S4",
            Self::SameState => "S2",
            Self::Validity => "S3",
            Self::OneSignature => "S5",
            Self::Durability => "S6",
            Self::AppendOnly => "S7",
            Self::ExactlyOnce => "S8",
            Self::MapRoots => "S7 (SPEC §9.11)",
            Self::HonestAnswers => "S10",
            Self::Time => "S12",
            Self::NoStepBack | Self::NoStop => "S14",
            Self::Progress => "L1",
            Self::CatchUp => "L3",
            Self::Inclusion => "L2",
            Self::Evidence => "L6",
            Self::Idle => "pacing",
            Self::Authorised => "S9",
            Self::SetIntegrity => "S11",
            Self::Replay => "S13",
            Self::FailStop => "S15",
            Self::Recovery => "L4",
            Self::Standstill => "L5",
            Self::Cosigned => "S7 (SPEC §9.6)",
            Self::BridgeForged => "B1",
            Self::BridgeMonotone => "B3",
            Self::BridgeReplay => "B4",
            Self::BridgeFinality => "B6",
            Self::BridgeComplete => "B7",
        }
    }
}

/// A rule that a run broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// How.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}: {}", self.rule.number(), self.rule, self.what)
    }
}

/// Collects what is wrong.
#[derive(Debug, Default)]
pub struct Findings(Vec<Violation>);

impl Findings {
    fn add(&mut self, rule: Rule, what: impl Into<String>) {
        // One is enough to know; many hide the others.
        if self.0.iter().filter(|known| known.rule == rule).count() < 3 {
            let what = what.into();
            self.0.push(Violation { rule, what });
        }
    }
}

/// Judges a run that has ended.
pub fn check(world: &World) -> Vec<Violation> {
    let mut findings = Findings::default();
    let sets = Sets::of(world, &mut findings);
    signatures::check(world, &sets, &mut findings);
    blocks::check(world, &mut findings);
    if !world.plan.too_many {
        check_answers(world, &mut findings);
        check_acknowledged(world, &mut findings);
        check_log(world, &mut findings);
        map::check(world, &mut findings);
        governance::check(world, &sets, &mut findings);
        notes::check(world, &sets, &mut findings);
        replay::check(world, &mut findings);
        quiet::check(world, &mut findings);
        bridge::check(world, &mut findings);
        progress::check(world, &sets, &mut findings);
    }
    findings.0
}

fn check_answers(world: &World, findings: &mut Findings) {
    for (node, problem) in &world.record.wrong_answers {
        findings.add(
            Rule::HonestAnswers,
            format!("node {node} served a proof that does not hold: {problem}"),
        );
    }
}

/// Every honest node that is far enough proves what clients hold, with the same bytes.
fn check_acknowledged(world: &World, findings: &mut Findings) {
    let mut reader = Reader::new(&world.founding.genesis);
    for held in &world.record.acknowledged {
        let (index, height) = (
            held.bundle.leaf_index,
            held.bundle.decision.checkpoint.height,
        );
        for node in honest(world) {
            let Some(running) = &world.nodes[node].running else {
                continue;
            };
            if running.node.tip().height < height {
                continue;
            }
            let mutant = world.nodes[node].side.get().mutant;
            let problem = match prove(&running.node, index, mutant) {
                Err(problem) => Some(problem),
                Ok(proof) if proof.leaf != held.bundle.leaf => Some("another leaf".into()),
                Ok(proof) => reader.verify(&proof).err(),
            };
            if let Some(problem) = problem {
                findings.add(
                    Rule::Durability,
                    format!(
                        "{} was acknowledged as leaf {} at height {height}; node {node}: {problem}",
                        held.transaction, index.0
                    ),
                );
            }
        }
    }
}

/// Logs that clients saw extend each other; no leaf is there twice.
fn check_log(world: &World, findings: &mut Findings) {
    let mut heads: BTreeMap<TreeSize, B256> = BTreeMap::new();
    for held in &world.record.acknowledged {
        let checkpoint = &held.bundle.decision.checkpoint;
        let root = heads
            .entry(checkpoint.log_size)
            .or_insert(checkpoint.log_root);
        if *root != checkpoint.log_root {
            let size = checkpoint.log_size.0;
            findings.add(Rule::AppendOnly, format!("two logs of {size} leaves"));
        }
    }
    let Some((node, _)) = furthest(world) else {
        return;
    };
    let running = world.nodes[node].running.as_ref().expect("it has a tip");
    let pairs = heads.iter().zip(heads.iter().skip(1));
    for ((old, old_root), (new, new_root)) in pairs {
        let proof = running.node.store.prove_consistency(*old, *new);
        let proven = proof.map_err(|error| error.to_string()).and_then(|proof| {
            verify_consistency((*old, *old_root), (*new, *new_root), &proof)
                .map_err(|error| error.to_string())
        });
        if let Err(problem) = proven {
            let (old, new) = (old.0, new.0);
            findings.add(
                Rule::AppendOnly,
                format!("{old} to {new} leaves: {problem}"),
            );
        }
    }
    let mut seen: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    let size = running.node.tip().log_size.0;
    for index in 0..size {
        let Ok(Some(leaf)) = running.node.store.leaf(LeafIndex(index)) else {
            findings.add(
                Rule::AppendOnly,
                format!("leaf {index} of {size} is missing"),
            );
            continue;
        };
        if let Some(first) = seen.insert(leaf, index) {
            findings.add(
                Rule::ExactlyOnce,
                format!("leaves {first} and {index} are equal"),
            );
        }
    }
}

/// Nodes that do what they should.
fn honest(world: &World) -> impl Iterator<Item = usize> + '_ {
    (0..world.nodes.len()).filter(|node| world.is_honest(*node))
}

/// The honest node that is furthest, and where.
fn furthest(world: &World) -> Option<(usize, Height)> {
    let tips = honest(world).filter_map(|node| Some((node, world.nodes[node].tip()?)));
    tips.max_by_key(|(_, tip)| *tip)
}
