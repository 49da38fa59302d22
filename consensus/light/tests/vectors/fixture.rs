//! A chain with a log, made of thin air: what the bundles of these tests are proofs of.

use std::convert::Infallible;

use alloy_primitives::{Address, B256};
use tbsi_types::log::{
    Attestation, DigestWords, Frontier, InclusionProof, Leaf, LeafHead, NodeReader, Statement,
    TreeNode, leaf_hash,
};
use tbsi_types::{
    ChainIdentity, Checkpoint, CommitCertificate, CommitSignature, Decision, Genesis, Handover,
    Height, LeafIndex, NamedValidator, NamedValidators, ProofBundle, Round, TimestampMs, TreeSize,
    VotingPower, sha256,
};

use crate::make::key;

/// Leaves of one block.
const LEAVES_PER_BLOCK: u64 = 100;

pub(crate) const ISSUER: Address = Address::repeat_byte(0xaa);

/// Time of a height, as [`leaf`] and [`Network::checkpoint`] have it.
pub(crate) fn time(height: u64) -> TimestampMs {
    TimestampMs(1_700_000_000_000 + 1_000 * height)
}

/// The `index`-th leaf: an attestation of a SHA-256.
pub(crate) fn leaf(index: u64) -> Leaf {
    let height = index / LEAVES_PER_BLOCK + 1;
    let algorithm = 0x12;
    let digest = sha256(&[b"file ", &index.to_be_bytes()]);
    Leaf {
        head: LeafHead {
            chain_id: 8_862_026,
            height: Height(height),
            time: time(height),
            transaction_index: 1,
            ordinal: u32::try_from(index % LEAVES_PER_BLOCK).unwrap(),
            issuer: ISSUER,
        },
        statement: Statement::Attestation(Attestation {
            schema: B256::repeat_byte(0x5c),
            algorithm,
            digest: DigestWords::of(algorithm, digest.as_slice()).unwrap(),
        }),
    }
}

/// A log in memory: hashes by level.
pub(crate) struct Log {
    levels: Vec<Vec<B256>>,
    frontier: Frontier,
}

impl NodeReader for Log {
    type Error = Infallible;

    fn read(&self, node: TreeNode) -> Result<B256, Infallible> {
        let index = usize::try_from(node.index).unwrap();
        Ok(self.levels[usize::from(node.level)][index])
    }
}

impl Log {
    pub(crate) fn of(leaves: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut log = Self {
            levels: vec![Vec::new(); 64],
            frontier: Frontier::default(),
        };
        for leaf in leaves {
            let levels = &mut log.levels;
            log.frontier.append(leaf_hash(&leaf), |node, hash| {
                levels[usize::from(node.level)].push(hash);
            });
        }
        log
    }

    /// The log of the leaves below `size`.
    pub(crate) fn with(size: u64) -> Self {
        Self::of((0..size).map(|index| leaf(index).encode().unwrap()))
    }

    pub(crate) fn size(&self) -> TreeSize {
        self.frontier.size()
    }

    pub(crate) fn root(&self) -> B256 {
        self.frontier.root()
    }

    pub(crate) fn level(&self, level: u8) -> &[B256] {
        &self.levels[usize::from(level)]
    }
}

/// Validators with the keys of these numbers, equal power and these names' lengths.
pub(crate) fn set(keys: std::ops::Range<usize>, zh: &str, en: &str) -> NamedValidators {
    let named = |index: usize| NamedValidator {
        address: key(index).public_key().address(),
        power: VotingPower(1),
        name_zh_tw: format!("{zh}{index}"),
        name_en: format!("{en} {index}"),
    };
    let mut validators: Vec<_> = keys.map(named).collect();
    validators.sort_by_key(|validator| validator.address);
    NamedValidators::new(validators).unwrap()
}

/// Who may sign what.
pub(crate) struct Network {
    pub(crate) chain: ChainIdentity,
}

impl Network {
    pub(crate) fn of(genesis: &Genesis) -> Self {
        Self {
            chain: genesis.identity(),
        }
    }

    pub(crate) fn checkpoint(&self, height: u64, log: &Log, sets: [B256; 2]) -> Checkpoint {
        Checkpoint {
            chain_id: self.chain.chain_id,
            height: Height(height),
            time: time(height),
            block_hash: sha256(&[b"block ", &height.to_be_bytes()]),
            state_root: sha256(&[b"state ", &height.to_be_bytes()]),
            log_size: log.size(),
            log_root: log.root(),
            validator_set_hash: sets[0],
            next_validator_set_hash: sets[1],
        }
    }

    /// `checkpoint`, decided by the keys of these numbers.
    pub(crate) fn decide(&self, checkpoint: Checkpoint, keys: &[usize]) -> Decision {
        let digest = checkpoint.digest(&self.chain);
        let with = |signatures| {
            CommitCertificate::new(checkpoint.height, Round(0), digest, signatures).unwrap()
        };
        let statement = with(vec![]).statement().digest(&self.chain);
        let sign = |index: &usize| CommitSignature {
            validator: key(*index).public_key().address(),
            signature: key(*index).sign(statement),
        };
        Decision {
            checkpoint,
            certificate: with(keys.iter().map(sign).collect()),
        }
    }

    /// Leaf `index` of `log`, in the checkpoint of `height` decided by `keys` of `set`.
    pub(crate) fn bundle(
        &self,
        log: &Log,
        index: u64,
        height: u64,
        set: &NamedValidators,
        keys: &[usize],
    ) -> ProofBundle {
        let at = LeafIndex(index);
        let hash = set.hash();
        ProofBundle {
            genesis_hash: self.chain.genesis_hash,
            leaf: leaf(index).encode().unwrap(),
            leaf_index: at,
            inclusion: InclusionProof::make(log, at, log.size()).unwrap(),
            decision: self.decide(self.checkpoint(height, log, [hash, hash]), keys),
            validators: set.clone(),
            handovers: vec![],
        }
    }

    /// From `old` to `new` after `height`.
    pub(crate) fn handover(
        &self,
        height: u64,
        old: (&NamedValidators, &[usize]),
        new: (&NamedValidators, &[usize]),
    ) -> Handover {
        let log = Log::with(2);
        let (from, to) = (old.0.hash(), new.0.hash());
        Handover {
            validators: old.0.clone(),
            last: self.decide(self.checkpoint(height, &log, [from, to]), old.1),
            first: self.decide(self.checkpoint(height + 1, &log, [to, to]), new.1),
        }
    }
}

/// A bundle that two handovers lead to: genesis set, keys 4 to 7, keys 8 to 10.
pub(crate) fn travelled(genesis: &Genesis) -> ProofBundle {
    let network = Network::of(genesis);
    let first = NamedValidators::of_genesis(genesis).unwrap();
    let second = set(4..8, "第二屆公會", "Second Association");
    let third = set(8..11, "第三屆公會", "Third Association");
    let log = Log::with(13);
    let mut bundle = network.bundle(&log, 5, 1_200, &third, &[8, 9, 10]);
    bundle.handovers = vec![
        network.handover(500, (&first, &[0, 1, 2]), (&second, &[4, 5, 7])),
        network.handover(800, (&second, &[4, 5, 6, 7]), (&third, &[8, 9, 10])),
    ];
    bundle
}
