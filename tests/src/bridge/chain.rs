//! A TBSI chain in memory: leaves, checkpoints, certificates, handovers, without consensus.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use alloy_primitives::{Address, B256, keccak256};
use tbsi_types::genesis::{
    ConsensusParameters, Genesis, NodeEntry, OrganisationEntry, ValidatorEntry,
};
use tbsi_types::log::{
    Attestation, DigestWords, Frontier, Leaf, LeafHead, NodeReader, Statement, TreeNode, leaf_hash,
};
use tbsi_types::{
    ChainIdentity, Checkpoint, CommitCertificate, CommitSignature, Decision, Handover, Height,
    NamedValidator, NamedValidators, Round, SecretKey, TimestampMs, VotingPower, sha256,
};

/// libp2p ids of the ed25519 seeds that repeat the byte 1, 2, 3 and 4.
const PEER_IDS: [&str; 4] = [
    "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5",
    "12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq",
    "12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba",
    "12D3KooWPT98FXMfDQYavZm66EeVjTqP9Nnehn1gyaydqV8L8BQw",
];

/// Chain id of the chains made here.
pub const CHAIN_ID: u64 = 8_862_026;

/// Schema of the attestations made here.
pub const SCHEMA: B256 = B256::repeat_byte(0x5c);

/// Who issues them.
pub const ISSUER: Address = Address::repeat_byte(0xaa);

/// Key of the validator with this number.
pub fn key(number: usize) -> SecretKey {
    SecretKey::from_seed(format!("bridge test validator {number}").as_bytes())
}

fn now() -> TimestampMs {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("it is after 1970").as_millis();
    TimestampMs(u64::try_from(now).expect("before the year 500 million"))
}

/// Four validators, a quorum of which is three.
fn genesis() -> Genesis {
    let legal = |letter: &str| OrganisationEntry {
        name_zh_tw: format!("台灣測試公會{letter}"),
        name_en: format!("Test Association {letter}"),
        ..OrganisationEntry::default()
    };
    let node = |index: usize| NodeEntry {
        name: format!("node-{index}"),
        organisation: ["a", "b", "c", "d"][index].into(),
        peer_id: PEER_IDS[index].into(),
        validator: Some(ValidatorEntry {
            public_key: key(index).public_key().encode().to_vec().into(),
            power: 1,
            log_key: None,
        }),
        ..NodeEntry::default()
    };
    Genesis {
        version: 1,
        name: "bridge".into(),
        chain_id: CHAIN_ID,
        time_ms: TimestampMs(now().0 - 60_000),
        block_gas_limit: 300_000_000,
        consensus: ConsensusParameters::default(),
        organisations: ["a", "b", "c", "d"].map(|id| (id.into(), legal(id))).into(),
        nodes: (0..4).map(node).collect(),
        governance: None,
        accounts: BTreeMap::new(),
    }
}

/// A validator set and the numbers of its keys.
#[derive(Clone)]
pub struct Set {
    /// With names.
    pub named: NamedValidators,
    /// For [`key`].
    pub keys: Vec<usize>,
}

/// Validators with the keys of these numbers.
pub fn set(keys: std::ops::Range<usize>) -> Set {
    let named = |index: usize| NamedValidator {
        address: key(index).public_key().address(),
        power: VotingPower(1),
        name_zh_tw: format!("接任公會{index}"),
        name_en: format!("Successor Association {index}"),
    };
    let mut validators: Vec<_> = keys.clone().map(named).collect();
    validators.sort_by_key(|validator| validator.address);
    Set {
        named: NamedValidators::new(validators).expect("a set"),
        keys: keys.collect(),
    }
}

/// The tree of the log, hash by hash.
#[derive(Default)]
pub struct Tree {
    levels: BTreeMap<u8, Vec<B256>>,
    frontier: Frontier,
}

impl NodeReader for Tree {
    type Error = Infallible;

    fn read(&self, node: TreeNode) -> Result<B256, Infallible> {
        let index = usize::try_from(node.index).expect("it is in memory");
        Ok(self.levels[&node.level][index])
    }
}

/// What the chain holds.
pub struct Held {
    /// Its genesis file.
    pub genesis: Genesis,
    /// All leaves.
    pub leaves: Vec<Vec<u8>>,
    /// Their tree.
    pub tree: Tree,
    /// Decisions from height 1 on.
    pub decisions: Vec<Decision>,
    /// The set of each height from 1 on, and of the next.
    pub sets: Vec<Set>,
    /// Changes of the set.
    pub handovers: Vec<Handover>,
    /// Transactions of accounts.
    pub nonces: BTreeMap<Address, u64>,
}

/// A chain that several servers show.
#[derive(Clone)]
pub struct Chain(Arc<Mutex<Held>>);

impl Default for Chain {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Chain {
    /// A chain of one block, after which this set decides, or that of genesis.
    pub fn new(next: Option<Set>) -> Self {
        let genesis = genesis();
        let named = NamedValidators::of_genesis(&genesis).expect("a genesis");
        let first = Set {
            named,
            keys: (0..4).collect(),
        };
        let chain = Self(Arc::new(Mutex::new(Held {
            genesis,
            leaves: Vec::new(),
            tree: Tree::default(),
            decisions: Vec::new(),
            sets: vec![first],
            handovers: Vec::new(),
            nonces: BTreeMap::new(),
        })));
        chain.block(0, next);
        chain
    }

    /// What it holds.
    pub fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().expect("no test goes on after a panic")
    }

    /// The next block, with so many new attestations, and the set of the blocks after it.
    pub fn block(&self, attestations: u64, next: Option<Set>) {
        let statements = (0..attestations).map(|number| {
            let algorithm = 0x12;
            let digest = sha256(&[b"file", &number.to_be_bytes(), &now().0.to_be_bytes()]);
            Statement::Attestation(Attestation {
                schema: SCHEMA,
                algorithm,
                digest: DigestWords::of(algorithm, digest.as_slice()).expect("32 bytes"),
            })
        });
        let statements: Vec<_> = statements.map(|statement| (ISSUER, statement)).collect();
        self.held().block(&statements, next);
    }

    /// The next block, with these statements.
    pub fn state(&self, statements: &[(Address, Statement)]) {
        self.held().state(statements);
    }

    /// The next block, with one message by [`ISSUER`] to a contract of the chain with this id;
    /// returns the index of its leaf. `timeout` is in seconds since 1970.
    pub fn message(&self, chain_id: u64, receiver: Address, timeout: u64, payload: &[u8]) -> u64 {
        let is_message = |leaf: &Vec<u8>| {
            let decoded = Leaf::decode(leaf).expect("a leaf");
            matches!(decoded.statement, Statement::Message { .. })
        };
        let mut held = self.held();
        let sent = held.leaves.iter().filter(|leaf| is_message(leaf)).count();
        let statement = Statement::Message {
            destination: keccak256(format!("eip155:{chain_id}")),
            receiver: receiver.into_word(),
            sequence: sent as u64 + 1,
            timeout,
            payload_hash: sha256(&[payload]),
        };
        held.state(&[(ISSUER, statement)]);
        held.leaves.len() as u64 - 1
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.held().leaves.len() as u64
    }

    /// Height of the last block.
    pub fn height(&self) -> u64 {
        self.held().decisions.len() as u64
    }
}

impl Held {
    fn identity(&self) -> ChainIdentity {
        self.genesis.identity()
    }

    /// The set of a height from 1 on.
    pub fn set_at(&self, height: u64) -> &Set {
        &self.sets[usize::try_from(height).expect("it is in memory") - 1]
    }

    /// The next block.
    pub fn state(&mut self, statements: &[(Address, Statement)]) {
        self.block(statements, None);
    }

    fn block(&mut self, statements: &[(Address, Statement)], next: Option<Set>) {
        let height = self.decisions.len() as u64 + 1;
        let last = self.decisions.last().map(|last| last.checkpoint.time.0);
        let time = TimestampMs(now().0.max(last.unwrap_or_default() + 1));
        for (ordinal, (issuer, statement)) in (0..).zip(statements) {
            let leaf = Leaf {
                head: LeafHead {
                    chain_id: CHAIN_ID,
                    height: Height(height),
                    time,
                    transaction_index: 0,
                    ordinal,
                    issuer: *issuer,
                },
                statement: *statement,
            };
            let bytes = leaf.encode().expect("a leaf");
            let levels = &mut self.tree.levels;
            self.tree.frontier.append(leaf_hash(&bytes), |node, hash| {
                levels.entry(node.level).or_default().push(hash);
            });
            self.leaves.push(bytes);
        }
        let set = self.set_at(height).clone();
        let after = next.unwrap_or_else(|| set.clone());
        let checkpoint = Checkpoint {
            chain_id: CHAIN_ID,
            height: Height(height),
            time,
            block_hash: sha256(&[b"block", &height.to_be_bytes()]),
            state_root: sha256(&[b"state", &height.to_be_bytes()]),
            log_size: self.tree.frontier.size(),
            log_root: self.tree.frontier.root(),
            validator_set_hash: set.named.hash(),
            next_validator_set_hash: after.named.hash(),
        };
        let decision = decide(checkpoint, &set, &self.identity());
        if let Some(before) = self.decisions.last()
            && before.checkpoint.validator_set_hash != checkpoint.validator_set_hash
        {
            let old = self.set_at(height - 1).named.clone();
            self.handovers.push(Handover {
                validators: old,
                last: before.clone(),
                first: decision.clone(),
            });
        }
        self.decisions.push(decision);
        self.sets.push(after);
    }
}

/// A checkpoint with a certificate by a quorum of a set, whatever it says.
pub fn decide(checkpoint: Checkpoint, set: &Set, chain: &ChainIdentity) -> Decision {
    let digest = checkpoint.digest(chain);
    let with = |signatures| {
        let round = Round(0);
        CommitCertificate::new(checkpoint.height, round, digest, signatures).expect("few")
    };
    let statement = with(vec![]).statement().digest(chain);
    let sign = |number: &usize| CommitSignature {
        validator: key(*number).public_key().address(),
        signature: key(*number).sign(statement),
    };
    let quorum = set.keys.len() * 2 / 3 + 1;
    Decision {
        checkpoint,
        certificate: with(set.keys.iter().take(quorum).map(sign).collect()),
    }
}
