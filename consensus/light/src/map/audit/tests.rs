use std::collections::BTreeMap;

use alloy_primitives::B256;
use tbsi_types::log::{Attestation, DigestWords, LeafHead};
use tbsi_types::map::{MapQuestion, MapValue, branch_hash, entry_hash};
use tbsi_types::sha256;

use super::*;

const PERIOD_MS: u64 = 1_000;

fn leaf(height: u64, statement: Statement) -> Leaf {
    let head = LeafHead {
        chain_id: 1,
        height: Height(height),
        // Three blocks in a period.
        time: TimestampMs(350 * height),
        transaction_index: 0,
        ordinal: 0,
        issuer: Address::repeat_byte(7),
    };
    Leaf { head, statement }
}

fn attested(height: u64, number: u64) -> Leaf {
    let digest = DigestWords::One([sha256(&[&number.to_be_bytes()])]);
    let attestation = Attestation {
        schema: B256::ZERO,
        algorithm: 0x12,
        digest,
    };
    leaf(height, Statement::Attestation(attestation))
}

fn revoked(height: u64, number: u64) -> Leaf {
    let id = sha256(&[b"id", &number.to_be_bytes()]);
    leaf(height, Statement::Revocation { id, reason: 1 })
}

/// The definition, word for word: entries in the order of their keys.
fn root_of(entries: &[(B256, Vec<u8>)], depth: usize) -> B256 {
    match entries {
        [] => B256::ZERO,
        [(key, value)] => entry_hash(key, value),
        many => {
            let right = |key: &B256| key[depth / 8] >> (7 - depth % 8) & 1 == 1;
            let split = many.partition_point(|(key, _)| !right(key));
            let (left, right) = many.split_at(split);
            branch_hash(&root_of(left, depth + 1), &root_of(right, depth + 1))
        }
    }
}

/// A log that grows, and what its map should be: made without pages.
#[derive(Default)]
struct Model {
    leaves: Vec<Leaf>,
    entries: BTreeMap<B256, MapValue>,
}

impl Model {
    fn push(&mut self, leaf: Leaf) {
        self.leaves.push(leaf);
    }

    /// A root for the block of `height`, with what is said in leaves below `about` and digests of
    /// leaves below `digests`.
    fn tell(&mut self, height: u64, about: usize, digests: usize) {
        for (index, leaf) in self.leaves.iter().enumerate() {
            let Some((question, value)) = MapValue::of(LeafIndex(index as u64), leaf) else {
                continue;
            };
            let digest = matches!(question, MapQuestion::Digest(_));
            if index < if digest { digests } else { about } {
                self.entries.entry(question.key()).or_insert(value);
            }
        }
        let entries = self.entries.iter();
        let entries: Vec<_> = entries.map(|(key, value)| (*key, value.encode())).collect();
        let unseen = self.leaves.get(digests);
        let digest_height = unseen.map_or(height, |leaf| leaf.head.height.0) - 1;
        let root = MapRoot {
            root: root_of(&entries, 0),
            entries: entries.len() as u64,
            height: Height(height - 1),
            digest_height: Height(digest_height),
            revoked_algorithms: revoked_algorithms_hash(&[]),
        };
        let mut leaf = leaf(height, Statement::MapRoot(root));
        leaf.head.transaction_index = U24_MAX;
        leaf.head.issuer = Address::ZERO;
        self.push(leaf);
    }

    fn audit(&self) -> Result<u64, MapAuditError> {
        let mut audit = MapAudit::new(PERIOD_MS);
        for (index, leaf) in (0..).map(LeafIndex).zip(&self.leaves) {
            audit.take(index, leaf)?;
        }
        audit.end_block()?;
        Ok(audit.roots())
    }
}

/// Blocks 1 and 2 are of the first period, 3 to 5 of the second, 8 of the third.
fn good() -> Model {
    let mut model = Model::default();
    (0..5).for_each(|number| model.push(attested(1, number)));
    model.push(revoked(2, 0));
    model.tell(3, 6, 6);
    model.push(revoked(3, 1));
    model.push(attested(5, 2));
    model.push(attested(5, 9));
    model.tell(8, 10, 10);
    model
}

#[track_caller]
fn refused(model: &Model, words: &str) {
    let error = model.audit().unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
}

#[test]
fn roots_are_made_again() {
    assert_eq!(good().audit().unwrap(), 2);
    assert_eq!(Model::default().audit().unwrap(), 0);
}

#[test]
fn a_root_of_other_leaves_is_found() {
    let at = |model: &mut Model, edit: &dyn Fn(&mut MapRoot)| {
        let last = model.leaves.last_mut().unwrap();
        let Statement::MapRoot(root) = &mut last.statement else {
            panic!("a root is last");
        };
        edit(root);
    };
    let edits: [&dyn Fn(&mut MapRoot); 5] = [
        &|it| it.root = B256::ZERO,
        &|it| it.entries += 1,
        &|it| it.height = Height(6),
        &|it| it.digest_height = Height(6),
        &|it| it.revoked_algorithms = B256::ZERO,
    ];
    for edit in edits {
        let mut model = good();
        at(&mut model, edit);
        refused(&model, "leaf 10 has root");
    }
    // A revocation that the map does not have, and a digest.
    for (about, digests) in [(7, 10), (10, 9)] {
        let mut model = good();
        model.leaves.pop();
        model.entries.clear();
        model.tell(8, about, digests);
        refused(&model, "leaf 10 has root");
    }
}

#[test]
fn a_root_is_told_when_it_is_due_and_no_other_time() {
    let mut model = good();
    model.leaves.remove(6);
    refused(&model, "block 3 does not begin");
    let mut model = good();
    model.tell(9, 10, 10);
    refused(&model, "block 9 begins");
    let mut model = good();
    model.push(attested(9, 20));
    model.tell(9, 11, 11);
    refused(&model, "leaf 12 is a root of the map where none can be");
    let mut model = good();
    model.leaves[10].head.issuer = Address::repeat_byte(1);
    refused(&model, "leaf 10 is a root of the map where none can be");
}

#[test]
fn a_map_that_falls_behind_says_so() {
    let mut model = Model::default();
    let (many, own) = (9_000, 8_000);
    (0..many).for_each(|number| model.push(attested(1, number)));
    // More wait than a block may take that has so many leaves of its own.
    model.tell(2, 9_000, 512);
    (0..own).for_each(|number| model.push(attested(2, many + number)));
    assert_eq!(model.audit().unwrap(), 1);
    let told = 512 + 8_192;
    model.tell(3, 17_001, told);
    assert_eq!(model.audit().unwrap(), 2);
    model.leaves.pop();
    model.entries.clear();
    model.tell(3, 17_001, told - 1);
    refused(&model, "has root");
}
