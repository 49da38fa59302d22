use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::log::leaf::tests::{attested, revoked, superseded};
use crate::log::{AttestationStatus, Leaf};
use crate::map::update::tests::{Pages, root_of};
use crate::map::{MapChanges, MapQuestion, MapValue};
use crate::number::LeafIndex;

/// Leaves of few issuers about few digests, so that much is said twice.
fn leaves() -> impl Strategy<Value = Vec<Leaf>> {
    let leaf = (0u8..3, 0u8..40, 0u8..4).prop_map(|(issuer, digest, what)| match what {
        0 | 1 => attested(issuer, digest),
        2 => revoked(issuer, digest % 3, digest),
        _ => superseded(issuer, digest % 3, digest),
    });
    prop::collection::vec(leaf, 0..120)
}

fn question(of: u8) -> MapQuestion {
    let leaf = attested(0, of);
    let (question, _) = MapValue::of(LeafIndex(0), &leaf).unwrap();
    question
}

proptest! {
    /// Against the naive model: all leaves looked through, and the tree by its definition.
    #[test]
    fn answers_are_those_of_all_leaves(leaves in leaves(), step in 1usize..50) {
        let mut pages = Pages::default();
        let mut model: BTreeMap<B256, MapValue> = BTreeMap::new();
        let mut root = EMPTY_MAP_ROOT;
        let numbered: Vec<(LeafIndex, &Leaf)> = (0..).map(LeafIndex).zip(&leaves).collect();
        for group in numbered.chunks(step) {
            let mut changes = MapChanges::default();
            for (index, leaf) in group {
                changes.take(*index, leaf);
                if let Some((question, value)) = MapValue::of(*index, leaf) {
                    let entry = model.entry(question.key()).or_insert(value);
                    *entry = entry.and_then(value);
                }
            }
            root = pages.apply(&changes).root;
            let all: Vec<_> = model.iter().map(|(key, value)| (*key, value.encode())).collect();
            prop_assert_eq!(root, root_of(&all, 0));
        }
        for digest in 0..50 {
            let key = question(digest).key();
            let answer = MapAnswer::make(&pages, &key).unwrap();
            prop_assert_eq!(answer.root(&key), Ok(root));
            let first = numbered.iter().find(|(_, leaf)| {
                matches!(MapValue::of(LeafIndex(0), leaf), Some((of, _)) if of == question(digest))
            });
            match answer.end {
                MapEnd::Entry(value) => {
                    let (index, leaf) = first.unwrap();
                    prop_assert_eq!(value, MapValue::of(*index, leaf).unwrap().1.encode());
                }
                MapEnd::Nothing | MapEnd::Other { .. } => prop_assert!(first.is_none()),
            }
        }
        statuses_follow_the_one_function(&pages, &numbered)?;
    }

    /// One change anywhere, and it is another answer or none.
    #[test]
    fn no_other_answer_leads_to_the_root(digest in 0u8..60, place in any::<u16>(), bit in 0u8..8) {
        let mut pages = Pages::default();
        let mut changes = MapChanges::default();
        for digest in 0..40 {
            changes.take(LeafIndex(digest.into()), &attested(0, digest));
        }
        let root = pages.apply(&changes).root;
        let key = question(digest).key();
        let good = MapAnswer::make(&pages, &key).unwrap();
        prop_assert_eq!(good.root(&key), Ok(root));
        let place = usize::from(place);
        let wrong = [
            edited(&good, |it| it.depth ^= 1 << bit),
            edited(&good, |it| flip(&mut it.bitmap, place, bit)),
            edited(&good, |it| {
                let count = it.siblings.len();
                it.siblings[place % count].0[place % 32] ^= 1 << bit;
            }),
            edited(&good, |it| match &mut it.end {
                MapEnd::Nothing => it.end = MapEnd::Entry(vec![bit; 14]),
                MapEnd::Entry(value) | MapEnd::Other { value, .. } => flip(value, place, bit),
            }),
        ];
        for answer in wrong {
            prop_assert_ne!(answer.root(&key), Ok(root), "{:?}", answer);
        }
    }
}

/// What the map says of each attestation is what [`AttestationStatus`] says of all leaves.
fn statuses_follow_the_one_function(
    pages: &Pages,
    numbered: &[(LeafIndex, &Leaf)],
) -> Result<(), TestCaseError> {
    for (_, leaf) in numbered {
        let Some(id) = leaf.attestation_id() else {
            continue;
        };
        let issuer = leaf.head.issuer;
        let question = MapQuestion::Status { id, issuer };
        let answer = MapAnswer::make(pages, &question.key()).unwrap();
        let status = AttestationStatus::of(id, issuer, true, numbered.iter().copied());
        let (mut revoked, mut superseded) = (None, None);
        if let MapEnd::Entry(value) = &answer.end {
            let MapValue::Status(entry) = question.read(value).unwrap() else {
                panic!("another kind");
            };
            revoked = entry.revocation;
            superseded = entry.supersession;
        }
        prop_assert_eq!(
            revoked.map(|it| (it.index, it.height, it.time, it.what)),
            status
                .revocation
                .map(|it| (it.index, it.head.height, it.head.time, it.what))
        );
        prop_assert_eq!(
            superseded.map(|it| (it.index, it.height, it.time, it.what)),
            status
                .supersession
                .map(|it| (it.index, it.head.height, it.head.time, it.what))
        );
    }
    Ok(())
}

fn edited(answer: &MapAnswer, edit: impl FnOnce(&mut MapAnswer)) -> MapAnswer {
    let mut answer = answer.clone();
    edit(&mut answer);
    answer
}

fn flip(bytes: &mut [u8], place: usize, bit: u8) {
    let count = bytes.len();
    bytes[place % count] ^= 1 << bit;
}

#[test]
fn there_is_one_form_for_each_answer() {
    let key = B256::ZERO;
    let sibling = B256::repeat_byte(1);
    let good = MapAnswer {
        depth: 2,
        bitmap: vec![0b11],
        siblings: vec![sibling, sibling],
        end: MapEnd::Nothing,
    };
    assert!(good.root(&key).is_ok());
    let mut far = B256::ZERO;
    far[0] = 0x40;
    let other = |key, value| MapEnd::Other { key, value };
    let cases = [
        (edited(&good, |it| it.depth = 257), AnswerError::Depth(257)),
        (edited(&good, |it| it.bitmap.clear()), AnswerError::Bitmap),
        (edited(&good, |it| it.bitmap.push(0)), AnswerError::Bitmap),
        (
            edited(&good, |it| it.bitmap[0] = 0b111),
            AnswerError::Bitmap,
        ),
        (
            edited(&good, |it| it.bitmap[0] = 0b10),
            AnswerError::Siblings {
                got: 2,
                expected: 1,
            },
        ),
        (
            edited(&good, |it| {
                it.bitmap[0] = 0b01;
                it.siblings.truncate(1);
            }),
            AnswerError::TooDeep,
        ),
        (
            edited(&good, |it| it.siblings[0] = B256::ZERO),
            AnswerError::EmptySibling,
        ),
        (
            edited(&good, |it| it.end = other(key, vec![])),
            AnswerError::OtherKey,
        ),
        (
            edited(&good, |it| it.end = other(far, vec![])),
            AnswerError::OtherKey,
        ),
        (
            edited(&good, |it| it.end = MapEnd::Entry(vec![0; 76])),
            AnswerError::Value(76),
        ),
    ];
    for (answer, error) in cases {
        assert_eq!(answer.root(&key), Err(error), "{answer:?}");
    }
}
