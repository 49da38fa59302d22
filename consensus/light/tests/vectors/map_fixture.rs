//! A log with a map: what the proofs of `map.json` are about.

use std::collections::BTreeMap;
use std::convert::Infallible;

use alloy_primitives::{Address, B256};
use tbsi_types::bundle::{MapBundle, MapEntry, StapledRoot};
use tbsi_types::log::leaf::U24_MAX;
use tbsi_types::log::lookup::BUILT_IN_SCHEMAS;
use tbsi_types::log::{
    Attestation, DigestWords, InclusionProof, Leaf, LeafHead, MapRoot, Statement,
};
use tbsi_types::map::{
    EMPTY_MAP_ROOT, MapAnswer, MapChanges, MapPage, MapPath, MapQuestion, PageReader,
    revoked_algorithms_hash,
};
use tbsi_types::{Genesis, Height, LeafIndex, NamedValidators, ProofBundle, sha256};

use crate::fixture::{ISSUER, Log, Network, time};

pub(crate) const STRANGER: Address = Address::repeat_byte(0xbb);
pub(crate) const REVOCABLE: B256 = B256::repeat_byte(0x51);
pub(crate) const FINAL: B256 = B256::repeat_byte(0x52);
pub(crate) const UNKNOWN: B256 = B256::repeat_byte(0x53);
/// SHA-512: the fixture's governance has revoked it.
pub(crate) const REVOKED_ALGORITHM: u32 = 0x13;

/// Pages in memory.
#[derive(Default)]
pub(crate) struct Pages(BTreeMap<MapPath, MapPage>);

impl PageReader for Pages {
    type Error = Infallible;

    fn page(&self, path: &MapPath) -> Result<MapPage, Infallible> {
        Ok(self.0.get(path).cloned().unwrap_or_default())
    }
}

/// A map that grew.
pub(crate) struct Map {
    pub(crate) pages: Pages,
    pub(crate) root: B256,
    pub(crate) entries: u64,
}

impl Map {
    pub(crate) fn of<'a>(leaves: impl IntoIterator<Item = (LeafIndex, &'a Leaf)>) -> Self {
        let mut changes = MapChanges::default();
        for (index, leaf) in leaves {
            changes.take(index, leaf);
        }
        let mut map = Self {
            pages: Pages::default(),
            root: EMPTY_MAP_ROOT,
            entries: 0,
        };
        let update = changes.apply(&map.pages).unwrap();
        map.root = update.root;
        map.entries = update.added;
        map.pages.0.extend(update.pages);
        map
    }

    pub(crate) fn ask(&self, question: MapQuestion) -> MapEntry {
        let answer = MapAnswer::make(&self.pages, &question.key()).unwrap();
        MapEntry { question, answer }
    }
}

pub(crate) fn digest(number: u64) -> B256 {
    sha256(&[b"map file ", &number.to_be_bytes()])
}

fn said(height: u64, ordinal: u64, issuer: Address, statement: Statement) -> Leaf {
    let head = LeafHead {
        chain_id: 8_862_026,
        height: Height(height),
        time: time(height),
        transaction_index: 0,
        ordinal: u32::try_from(ordinal).unwrap(),
        issuer,
    };
    Leaf { head, statement }
}

fn attested(number: u64, schema: B256, algorithm: u32) -> Statement {
    let bytes = digest(number);
    Statement::Attestation(Attestation {
        schema,
        algorithm,
        digest: DigestWords::of(algorithm, bytes.as_slice()).unwrap(),
    })
}

fn registered(schema: B256, revocable: bool) -> Statement {
    Statement::SchemaRegistered {
        schema,
        text_hash: digest(99),
        commits_to: 1,
        revocable,
    }
}

/// All but the map's root: 37 leaves of blocks 1 and 2.
fn stated() -> Vec<Leaf> {
    let file = BUILT_IN_SCHEMAS[0];
    let mut leaves: Vec<Leaf> = Vec::new();
    for number in 0..20 {
        leaves.push(said(1, number, ISSUER, attested(number, file, 0x12)));
    }
    for number in 20..25 {
        leaves.push(said(1, number, ISSUER, attested(number, REVOCABLE, 0x12)));
    }
    leaves.push(said(1, 25, ISSUER, registered(REVOCABLE, true)));
    leaves.push(said(1, 26, ISSUER, registered(FINAL, false)));
    leaves.push(said(1, 27, ISSUER, attested(27, FINAL, 0x12)));
    leaves.push(said(1, 28, ISSUER, attested(28, UNKNOWN, 0x12)));
    let id = |index: usize| leaves[index].attestation_id().unwrap();
    let revokes = |index, reason| Statement::Revocation {
        id: id(index),
        reason,
    };
    let successor = Statement::Supersession {
        id: id(2),
        successor: id(3),
    };
    let set = Statement::AlgorithmSet {
        algorithm: REVOKED_ALGORITHM,
        bits: 512,
        status: 3,
    };
    let later = [
        said(2, 0, ISSUER, revokes(0, 2)),
        said(2, 1, STRANGER, revokes(1, 4)),
        said(2, 2, ISSUER, revokes(20, 3)),
        said(2, 3, ISSUER, revokes(27, 3)),
        said(2, 4, ISSUER, revokes(28, 3)),
        said(2, 5, ISSUER, successor),
        said(2, 6, Address::repeat_byte(0x10), set),
        said(2, 7, ISSUER, attested(36, file, REVOKED_ALGORITHM)),
    ];
    leaves.extend(later);
    leaves
}

/// Where the map's root is.
pub(crate) const ROOT_AT: u64 = 37;

/// A log with a map, and who signs it.
pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) set: NamedValidators,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) map: Map,
}

impl World {
    pub(crate) fn new(genesis: &Genesis) -> Self {
        Self::edited(genesis, |_| {})
    }

    /// The same with another root.
    pub(crate) fn edited(genesis: &Genesis, edit: impl FnOnce(&mut Leaf)) -> Self {
        let mut leaves = stated();
        let map = Map::of((0..).map(LeafIndex).zip(&leaves));
        let root = MapRoot {
            root: map.root,
            entries: map.entries,
            height: Height(2),
            digest_height: Height(2),
            revoked_algorithms: revoked_algorithms_hash(&[REVOKED_ALGORITHM]),
        };
        let mut leaf = said(3, 0, Address::ZERO, Statement::MapRoot(root));
        leaf.head.transaction_index = U24_MAX;
        edit(&mut leaf);
        leaves.push(leaf);
        leaves.push(said(3, 1, ISSUER, attested(38, BUILT_IN_SCHEMAS[0], 0x12)));
        Self {
            network: Network::of(genesis),
            set: NamedValidators::of_genesis(genesis).unwrap(),
            leaves,
            map,
        }
    }

    fn log(&self, size: u64) -> Log {
        let count = usize::try_from(size).unwrap();
        Log::of(
            self.leaves[..count]
                .iter()
                .map(|leaf| leaf.encode().unwrap()),
        )
    }

    /// Leaf `index` in the log of `size` leaves, under the checkpoint of height 9.
    fn bundle(&self, index: u64, size: u64) -> ProofBundle {
        let (log, at, hash) = (self.log(size), LeafIndex(index), self.set.hash());
        let checkpoint = self.network.checkpoint(9, &log, [hash, hash]);
        ProofBundle {
            genesis_hash: self.network.chain.genesis_hash,
            leaf: self.leaves[usize::try_from(index).unwrap()]
                .encode()
                .unwrap(),
            leaf_index: at,
            inclusion: InclusionProof::make(&log, at, log.size()).unwrap(),
            decision: self.network.decide(checkpoint, &[0, 1, 2]),
            validators: self.set.clone(),
            handovers: vec![],
        }
    }

    /// What the map says of a digest, in a log of `size` leaves.
    pub(crate) fn about(&self, digest: B256, size: u64) -> MapBundle {
        let question = MapQuestion::digest(digest.as_slice()).unwrap();
        MapBundle {
            proof: self.bundle(ROOT_AT, size),
            root: None,
            revoked_algorithms: vec![REVOKED_ALGORITHM],
            entries: vec![self.map.ask(question)],
        }
    }

    /// Attestation `index` with its status, and its schema if that is asked for.
    pub(crate) fn stapled(&self, index: u64, schema: Option<B256>) -> MapBundle {
        let leaf = self.leaves[usize::try_from(index).unwrap()];
        let id = leaf.attestation_id().unwrap();
        let issuer = leaf.head.issuer;
        let mut entries = vec![self.map.ask(MapQuestion::Status { id, issuer })];
        entries.extend(schema.map(|schema| self.map.ask(MapQuestion::Schema(schema))));
        let size = ROOT_AT + 2;
        let root = self.bundle(ROOT_AT, size);
        MapBundle {
            proof: self.bundle(index, size),
            root: Some(StapledRoot {
                leaf: root.leaf,
                leaf_index: root.leaf_index,
                inclusion: root.inclusion,
            }),
            revoked_algorithms: vec![REVOKED_ALGORITHM],
            entries,
        }
    }
}
