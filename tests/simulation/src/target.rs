//! A chain that the relayer writes to: blocks that may go away, a pool that forgets, a light
//! client and an inbox that do what the contracts do (SPEC §14), as far as a relayer can tell.

mod reached;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_primitives::{Address, B256, keccak256};
use tbsi_bridge::evm::Sent;
use tbsi_bridge::target::{Advance, Delivery, TargetBlock};
use tbsi_light::{TrustAnchor, verify_decision};
use tbsi_types::log::{Leaf, Statement, leaf_hash};
use tbsi_types::{Genesis, LeafIndex, NamedValidators};
use tokio::sync::Notify;

use crate::mutants::Mutant;
use crate::rng::Rng;
pub use reached::Reached;

/// Blocks behind the newest one that may still go away.
pub const DEPTH: u64 = 4;
/// How long a checkpoint is a base for the next one.
const TRUST_MS: u64 = 86_400_000;
const LIGHT_CLIENT: Address = Address::repeat_byte(0x11);
const INBOX: Address = Address::repeat_byte(0x22);
const ACCOUNT: Address = Address::repeat_byte(0x33);
const CHAIN_ID: u64 = 424_242;

/// The name of the chain, as messages to it name it.
pub fn destination() -> B256 {
    keccak256(format!("eip155:{CHAIN_ID}"))
}

/// The contract that messages are for.
pub fn receiver() -> B256 {
    Address::repeat_byte(0x44).into_word()
}

/// What contracts and the account hold after a block.
#[derive(Clone, Debug)]
pub struct Held {
    nonce: u64,
    anchor: TrustAnchor,
    set: NamedValidators,
    /// Height of the newest checkpoint, and of each that came before it, with its digest.
    pub checkpoints: BTreeMap<u64, B256>,
    /// The newest one's height.
    pub height: u64,
    time_ms: u64,
    log: (u64, B256),
    closing: bool,
    /// Validator sets that gave way to others.
    pub handovers: u64,
    /// Leaves.
    pub recorded: BTreeSet<u64>,
    /// How often each message was delivered.
    pub delivered: BTreeMap<u64, u64>,
}

/// A transaction, as its bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Transaction {
    hash: B256,
    nonce: u64,
    fee_cap: u64,
    call: B256,
}

/// A block, and what is held after it.
#[derive(Clone, Debug)]
pub struct Made {
    block: TargetBlock,
    included: Vec<(Transaction, bool)>,
    /// What is held after it.
    pub held: Held,
}

#[derive(Clone, Debug)]
enum Content {
    Advance(Box<Advance>),
    Delivery(Box<Delivery>),
}

/// The chain.
#[derive(Debug)]
pub struct TargetChain {
    /// From block 0 on.
    pub blocks: Vec<Made>,
    pool: BTreeMap<u64, Transaction>,
    contents: BTreeMap<B256, Content>,
    rng: Rng,
    /// Answers, of a thousand, that do not come.
    pub trouble: u64,
    /// The relayer dies at the question that brings this to 0.
    pub dies_in: Option<u32>,
    /// Transactions that ever reached it.
    pub sent: BTreeSet<B256>,
    /// How many blocks went away.
    pub reorganised: u64,
    died: Arc<Notify>,
    mutant: Option<Mutant>,
    salt: u64,
}

impl TargetChain {
    /// A chain with a light client of the network that `genesis` founds.
    pub fn new(genesis: &Genesis, rng: Rng, mutant: Option<Mutant>, seconds: u64) -> Self {
        let held = Held {
            nonce: 0,
            anchor: TrustAnchor::genesis(genesis).expect("a good genesis"),
            set: NamedValidators::of_genesis(genesis).expect("a good genesis"),
            checkpoints: BTreeMap::new(),
            height: 0,
            time_ms: genesis.time_ms.0,
            log: (0, B256::ZERO),
            closing: false,
            handovers: 0,
            recorded: BTreeSet::new(),
            delivered: BTreeMap::new(),
        };
        let block = TargetBlock {
            number: 0,
            hash: keccak256("block 0"),
            time: seconds,
        };
        let first = Made {
            block,
            included: Vec::new(),
            held,
        };
        Self {
            blocks: vec![first],
            pool: BTreeMap::new(),
            contents: BTreeMap::new(),
            rng,
            trouble: 0,
            dies_in: None,
            sent: BTreeSet::new(),
            reorganised: 0,
            died: Arc::default(),
            mutant,
            salt: 0,
        }
    }

    fn newest(&self) -> &Made {
        self.blocks.last().expect("block 0 stays")
    }

    fn final_block(&self) -> &Made {
        let last = self.blocks.len() - 1;
        let depth = usize::try_from(DEPTH).unwrap_or(usize::MAX);
        &self.blocks[last.saturating_sub(depth)]
    }

    /// Block by hash, if it is still one of the chain.
    fn at(&self, block: TargetBlock) -> Option<&Made> {
        let index = usize::try_from(block.number).ok()?;
        self.blocks.get(index).filter(|made| made.block == block)
    }

    /// Whether this block is one of the chain.
    pub fn has_block(&self, number: u64, hash: B256) -> bool {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        self.blocks
            .get(index)
            .is_some_and(|made| made.block.hash == hash)
    }

    /// The hash of the newest block, and of what is held after it.
    pub fn newest_hash(&self) -> B256 {
        let newest = self.newest();
        keccak256(format!("{:?} {:?}", newest.block, newest.held))
    }

    /// What is held now.
    pub fn held(&self) -> &Held {
        &self.newest().held
    }

    /// The time of the last final block, in seconds.
    pub fn final_time(&self) -> u64 {
        self.final_block().block.time
    }

    /// The next block, with what of the pool is due and lucky.
    pub fn produce(&mut self, seconds: u64) {
        let mut held = self.held().clone();
        let mut included = Vec::new();
        while let Some(transaction) = self.pool.get(&held.nonce).copied() {
            if !self.rng.chance(850) {
                break;
            }
            self.pool.remove(&held.nonce);
            held.nonce += 1;
            let content = self.contents.get(&transaction.call);
            let before = held.clone();
            let success = content.is_none_or(|content| {
                let done = self.execute(&mut held, content, seconds);
                if done.is_err() {
                    held = Held {
                        nonce: before.nonce,
                        ..before
                    };
                }
                done.is_ok()
            });
            included.push((transaction, success));
        }
        self.pool = self.pool.split_off(&held.nonce);
        self.salt += 1;
        let last = self.newest().block;
        let block = TargetBlock {
            number: last.number + 1,
            hash: keccak256([last.hash.as_slice(), &self.salt.to_be_bytes()].concat()),
            time: seconds.max(last.time + 1),
        };
        self.blocks.push(Made {
            block,
            included,
            held,
        });
    }

    /// The last blocks go away, others come; their transactions wait again, or are lost.
    pub fn reorganise(&mut self, seconds: u64) -> u64 {
        let most = (self.blocks.len() as u64 - 1).min(DEPTH - 1);
        if most == 0 {
            return 0;
        }
        let depth = self.rng.between(1, most);
        for _ in 0..depth {
            let gone = self.blocks.pop().expect("more than block 0");
            for (transaction, _) in gone.included {
                if self.rng.chance(800) {
                    self.pool.insert(transaction.nonce, transaction);
                }
            }
        }
        self.reorganised += depth;
        for _ in 0..=depth {
            self.produce(seconds);
        }
        depth
    }

    fn execute(&self, held: &mut Held, content: &Content, seconds: u64) -> Result<(), String> {
        match content {
            Content::Advance(load) => self.advance(held, load),
            Content::Delivery(delivery) => deliver(held, delivery, seconds),
        }
    }

    fn advance(&self, held: &mut Held, load: &Advance) -> Result<(), String> {
        for (handover, next) in &load.handovers {
            if handover.first.checkpoint.height.0 <= held.height {
                return Err("NotNewer".into());
            }
            let followed = verify_decision(
                &handover.first,
                next,
                std::slice::from_ref(handover),
                &held.anchor,
            );
            let (anchor, _) = followed.map_err(|error| error.to_string())?;
            held.set = next.clone();
            held.handovers += 1;
            take(
                held,
                anchor,
                &handover.first.checkpoint,
                &self.newest_digest(&handover.first),
            );
        }
        if let Some(proven) = &load.checkpoint {
            let checkpoint = &proven.decision.checkpoint;
            if checkpoint.height.0 <= held.height {
                return Err("NotNewer".into());
            }
            let followed = verify_decision(&proven.decision, &held.set, &[], &held.anchor);
            let (anchor, _) = followed.map_err(|error| error.to_string())?;
            let mut digest = self.newest_digest(&proven.decision);
            if self.mutant == Some(Mutant::TargetStoresOther) && held.height > 20 {
                digest = held
                    .checkpoints
                    .values()
                    .next_back()
                    .copied()
                    .unwrap_or(digest);
            }
            take(held, anchor, checkpoint, &digest);
            if self.mutant == Some(Mutant::TargetGoesBack) && checkpoint.height.0 % 5 == 0 {
                held.height -= 3;
            }
        }
        if let Some((leaves, _)) = &load.leaves {
            let hashes: Vec<B256> = leaves
                .leaves
                .iter()
                .map(|leaf| leaf_hash(&leaf.bytes))
                .collect();
            let indexes: Vec<LeafIndex> = leaves.leaves.iter().map(|leaf| leaf.index).collect();
            let size = tbsi_types::TreeSize(held.log.0);
            let root = leaves.proof.root(&hashes, &indexes, size);
            if root.map_err(|error| error.to_string())? != held.log.1 {
                return Err("WrongRoot".into());
            }
            held.recorded.extend(indexes.iter().map(|index| index.0));
        }
        Ok(())
    }

    fn newest_digest(&self, decision: &tbsi_types::Decision) -> B256 {
        decision.certificate.checkpoint_digest.0
    }
}

fn take(held: &mut Held, anchor: TrustAnchor, checkpoint: &tbsi_types::Checkpoint, digest: &B256) {
    held.anchor = anchor;
    held.height = checkpoint.height.0;
    held.time_ms = checkpoint.time.0;
    held.log = (checkpoint.log_size.0, checkpoint.log_root);
    held.closing = checkpoint.next_validator_set_hash != checkpoint.validator_set_hash;
    held.checkpoints.insert(checkpoint.height.0, *digest);
}

/// The inbox here takes a message as often as it comes, so that only the relayer's care is left.
fn deliver(held: &mut Held, delivery: &Delivery, seconds: u64) -> Result<(), String> {
    let leaf = &delivery.leaf;
    let under = &delivery.under.decision.checkpoint;
    let known = held.checkpoints.get(&under.height.0);
    if known != Some(&delivery.under.verified.digest.0) {
        return Err("UnknownCheckpoint".into());
    }
    let root = leaf
        .path
        .root(leaf_hash(&leaf.leaf.bytes), leaf.leaf.index, under.log_size);
    if root.map_err(|error| error.to_string())? != under.log_root {
        return Err("WrongRoot".into());
    }
    let decoded = Leaf::decode(&leaf.leaf.bytes).map_err(|error| error.to_string())?;
    let Statement::Message {
        destination: to,
        sequence,
        timeout,
        payload_hash,
        ..
    } = decoded.statement
    else {
        return Err("NotAMessage".into());
    };
    if to != destination() || tbsi_types::sha256(&[&delivery.payload]) != payload_hash {
        return Err("NotForHere".into());
    }
    if seconds > timeout {
        return Err("Timeout".into());
    }
    *held.delivered.entry(sequence).or_default() += 1;
    Ok(())
}

impl TargetChain {
    /// Takes a transaction into the pool; a lost one only seems to be.
    fn take(&mut self, transaction: Transaction, lost: bool) -> Sent {
        self.sent.insert(transaction.hash);
        if transaction.nonce < self.held().nonce {
            return Sent::NonceTaken;
        }
        if let Some(other) = self.pool.get(&transaction.nonce)
            && other.hash != transaction.hash
            && transaction.fee_cap <= other.fee_cap + other.fee_cap / 10
        {
            return Sent::Underpriced;
        }
        if !lost {
            self.pool.insert(transaction.nonce, transaction);
        }
        Sent::Taken
    }
}
