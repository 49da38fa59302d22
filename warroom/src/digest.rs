//! From verified leaves to rows of the index.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use tbsi_types::log::tile::{TILE_HEIGHT, entries};
use tbsi_types::log::{AttestationIds, EntryBundle, Frontier, Leaf, Lookup, Statement, leaf_hash};
use tbsi_types::{LeafIndex, sha256};

use crate::registry::Registry;
use crate::source::{Act, ActLeaf};
use crate::tree::SignedBundle;

/// What leaves are counted by. Numbers are those of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Facet {
    Kind = 1,
    Issuer = 2,
    Schema = 3,
    Organisation = 4,
    Destination = 5,
    ForeignChain = 6,
    Assurance = 7,
}

/// A kind, number, address or hash as one word.
pub(crate) fn number_word(number: u64) -> B256 {
    B256::from(U256::from(number))
}

/// Where a leaf is found by: eight bytes of a hash, as SQLite has integers.
pub(crate) fn key_of(lookup: &Lookup) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = match lookup {
        // An id is a hash already.
        Lookup::Attestation(id) => id.0,
        Lookup::Digest(digest) => sha256(&[&[1], digest]).0,
        Lookup::Revocation(id, by) => sha256(&[&[2], id.as_slice(), by.as_slice()]).0,
        Lookup::Supersession(id, by) => sha256(&[&[3], id.as_slice(), by.as_slice()]).0,
        Lookup::Countersigning(id) => sha256(&[&[4], id.as_slice()]).0,
        Lookup::Countersignature(id) => sha256(&[&[5], id.as_slice()]).0,
        Lookup::Schema(schema) => sha256(&[&[6], schema.as_slice()]).0,
        Lookup::Algorithm(code) => sha256(&[&[7], &code.to_be_bytes()]).0,
    };
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Found by who is superseded, from the successor: `supersedes` of a history.
pub(crate) fn successor_key(successor: B256) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = sha256(&[&[8], successor.as_slice()]).0;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// A bundle's row.
#[derive(Clone, Debug)]
pub(crate) struct BundleRow {
    pub(crate) bundle: EntryBundle,
    pub(crate) bytes: Vec<u8>,
    pub(crate) first: (u64, u64),
    pub(crate) last: (u64, u64),
}

/// Leaves of one facet in one hour of block time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tallied {
    pub(crate) count: u64,
    pub(crate) last_ms: u64,
}

/// What is written in one transaction.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) bundles: Vec<BundleRow>,
    /// Key and position.
    pub(crate) found: Vec<(i64, u64)>,
    /// Leaves by facet, word and bundle.
    pub(crate) postings: BTreeMap<(Facet, B256, u64), u64>,
    /// Leaves by facet, word and beginning of an hour.
    pub(crate) hours: BTreeMap<(Facet, B256, u64), Tallied>,
    /// All leaves by beginning of a minute.
    pub(crate) minutes: BTreeMap<u64, u64>,
    /// Hashes of tiles above level 0, in order.
    pub(crate) hashes: Vec<(u8, u64, B256)>,
    pub(crate) acts: Vec<Act>,
    pub(crate) frontier: Frontier,
    pub(crate) registry: Registry,
}

pub(crate) const MINUTE_MS: u64 = 60_000;
pub(crate) const HOUR_MS: u64 = 3_600_000;

/// A leaf of a bundle that was verified is one that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("leaf {position}: {problem}")]
pub(crate) struct UnknownLeaf {
    pub(crate) position: u64,
    pub(crate) problem: String,
}

impl Batch {
    /// Nothing yet, after the leaves of `frontier`.
    pub(crate) fn after(frontier: Frontier, registry: Registry) -> Self {
        Self {
            bundles: Vec::new(),
            found: Vec::new(),
            postings: BTreeMap::new(),
            hours: BTreeMap::new(),
            minutes: BTreeMap::new(),
            hashes: Vec::new(),
            acts: Vec::new(),
            frontier,
            registry,
        }
    }

    /// Adds the new leaves of a bundle; `acts` are the texts of its acts that are known.
    pub(crate) fn add(&mut self, signed: SignedBundle, acts: Vec<Act>) -> Result<(), UnknownLeaf> {
        let SignedBundle { bundle, bytes } = signed;
        let mut acts = acts.into_iter().peekable();
        let mut ids = AttestationIds::default();
        let mut row: Option<((u64, u64), (u64, u64))> = None;
        let first = bundle.index * 256;
        let leaves = entries(&bytes, bundle.width).map_err(|error| UnknownLeaf {
            position: first,
            problem: error.to_string(),
        })?;
        for (position, bytes) in (first..).zip(leaves) {
            let leaf = decode(position, bytes)?;
            let place = (leaf.head.height.0, leaf.head.time.0);
            row = Some((row.map_or(place, |(first, _)| first), place));
            if position < self.frontier.size().0 {
                continue;
            }
            self.append(bytes);
            let act = acts.next_if(|act| act.leaf.position.0 == position);
            if matches!(leaf.statement, Statement::GovernanceAct { .. }) {
                self.registry.acts_total += 1;
            }
            if let Some(act) = act {
                self.registry.apply(&act);
                self.acts.push(act);
            }
            self.count(position, &leaf, &mut ids);
        }
        if let Some((first, last)) = row {
            self.bundles.push(BundleRow {
                bundle,
                bytes,
                first,
                last,
            });
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) {
        let hashes = &mut self.hashes;
        self.frontier.append(leaf_hash(bytes), |node, hash| {
            if node.level > 0 && node.level % TILE_HEIGHT == 0 {
                hashes.push((node.level / TILE_HEIGHT, node.index, hash));
            }
        });
    }

    fn count(&mut self, position: u64, leaf: &Leaf, ids: &mut AttestationIds) {
        for lookup in Lookup::of(leaf, ids).into_iter().flatten() {
            self.found.push((key_of(&lookup), position));
        }
        let (time, bundle) = (leaf.head.time.0, position / 256);
        let hour = time - time % HOUR_MS;
        let mut count = |facet: Facet, word: B256| {
            *self.postings.entry((facet, word, bundle)).or_default() += 1;
            let tallied = self.hours.entry((facet, word, hour)).or_default();
            tallied.count += 1;
            tallied.last_ms = tallied.last_ms.max(time);
        };
        count(Facet::Kind, number_word(leaf.statement.kind().into()));
        let issuer = leaf.head.issuer;
        count(Facet::Issuer, issuer.into_word());
        let organisation = self.registry.organisation_of(&issuer).unwrap_or(0);
        count(Facet::Organisation, number_word(organisation.into()));
        match &leaf.statement {
            Statement::Attestation(it) => count(Facet::Schema, it.schema),
            Statement::Message { destination, .. } => count(Facet::Destination, *destination),
            Statement::ForeignFact(fact) => {
                count(Facet::ForeignChain, number_word(fact.foreign_chain_id));
                let kind = fact.foreign_chain_id.saturating_mul(256);
                let kind = kind.saturating_add(fact.assurance.into());
                count(Facet::Assurance, number_word(kind));
            }
            Statement::Supersession { successor, .. } => {
                self.found.push((successor_key(*successor), position));
            }
            Statement::Revocation { .. }
            | Statement::CountersigningOpened { .. }
            | Statement::Countersignature { .. }
            | Statement::SchemaRegistered { .. }
            | Statement::AlgorithmSet { .. }
            | Statement::MapRoot(_)
            | Statement::GovernanceAct { .. } => {}
        }
        *self.minutes.entry(time - time % MINUTE_MS).or_default() += 1;
    }
}

fn decode(position: u64, bytes: &[u8]) -> Result<Leaf, UnknownLeaf> {
    Leaf::decode(bytes).map_err(|error| UnknownLeaf {
        position,
        problem: error.to_string(),
    })
}

/// The acts of a bundle from position `from` on. Whether every leaf is one that is known, is said
/// when it is added.
pub(crate) fn act_leaves(signed: &SignedBundle, from: u64) -> Vec<ActLeaf> {
    let leaves = entries(&signed.bytes, signed.bundle.width).unwrap_or_default();
    let numbered = (signed.bundle.index * 256..).zip(leaves);
    let new = numbered.filter(|(position, _)| *position >= from);
    let act = |(position, bytes): (u64, &[u8])| {
        let leaf = Leaf::decode(bytes).ok()?;
        ActLeaf::of(LeafIndex(position), &leaf)
    };
    new.filter_map(act).collect()
}
