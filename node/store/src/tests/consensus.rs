//! Undecided blocks and evidence.

use alloy_primitives::{Address, B256};
use tbsi_types::limits::BLOCK_BYTES_MAX;
use tbsi_types::{
    CheckpointDigest, Evidence, Height, ProposalStatement, Round, Signature, VoteKind,
    VoteStatement,
};

use super::fixture::{OPTIONS, advance, identity, tick, ticked};
use crate::limits::{EVIDENCE_PER_VALIDATOR_MAX, UNDECIDED_HEIGHTS_MAX, UNDECIDED_PER_HEIGHT_MAX};
use crate::{Store, StoreError};

fn digest(n: usize) -> CheckpointDigest {
    CheckpointDigest(B256::from(alloy_primitives::U256::from(n)))
}

#[test]
fn undecided_blocks_survive_until_their_height_is_decided() {
    let (dir, store) = ticked(0);
    let (one, two, three) = (Height(1), Height(2), Height(3));
    store.put_undecided(one, digest(1), b"one").unwrap();
    store.put_undecided(one, digest(2), b"two").unwrap();
    store.put_undecided(one, digest(1), b"other bytes").unwrap();
    store.put_undecided(two, digest(3), b"three").unwrap();
    assert_eq!(
        store.put_built(one, Round(4), digest(5), b"own").unwrap(),
        digest(5)
    );
    assert_eq!(
        store.put_built(three, Round(0), digest(6), b"own").unwrap(),
        digest(6)
    );
    drop(store);

    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    let get = |height, n| store.undecided(height, digest(n)).unwrap();
    assert_eq!(get(one, 1).unwrap(), b"one");
    assert_eq!(get(one, 5).unwrap(), b"own");
    assert_eq!(get(two, 3).unwrap(), b"three");
    assert_eq!(get(two, 1), None);
    assert_eq!(
        store.undecided_digests(one),
        [digest(1), digest(2), digest(5)]
    );
    assert_eq!(store.built(one, Round(4)), Some(digest(5)));
    assert_eq!(store.built(one, Round(3)), None);

    advance(&store, &tick(1));
    assert_eq!([1, 2, 5].map(|n| get(one, n)), [None, None, None]);
    assert_eq!(store.undecided_digests(one), []);
    assert_eq!(store.built(one, Round(4)), None);
    assert_eq!(get(two, 3).unwrap(), b"three");
    drop(store);
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    assert_eq!(store.undecided_digests(one), []);
    assert_eq!(store.undecided_digests(two), [digest(3)]);
    assert_eq!(store.built(three, Round(0)), Some(digest(6)));
}

#[test]
fn a_round_has_one_own_block() {
    let (dir, store) = ticked(0);
    let height = Height(1);
    store
        .put_built(height, Round(0), digest(1), b"first")
        .unwrap();
    drop(store);
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    let second = store
        .put_built(height, Round(0), digest(2), b"second")
        .unwrap();
    assert_eq!(second, digest(1));
    assert_eq!(store.undecided(height, digest(2)).unwrap(), None);
    assert_eq!(
        store.undecided(height, digest(1)).unwrap().unwrap(),
        b"first"
    );
    let later = store
        .put_built(height, Round(1), digest(2), b"second")
        .unwrap();
    assert_eq!(later, digest(2));
}

#[test]
fn undecided_blocks_are_bounded_and_own_ones_have_their_own_bound() {
    let (_dir, store) = ticked(0);
    let height = Height(1);
    for n in 0..UNDECIDED_PER_HEIGHT_MAX {
        store.put_undecided(height, digest(n), b"foreign").unwrap();
    }
    let error = store
        .put_undecided(height, digest(999), b"foreign")
        .unwrap_err();
    assert!(!error.is_halt());
    assert_eq!(
        error.to_string(),
        "height 1 has 64 undecided blocks already: wait for its decision"
    );
    store.put_undecided(height, digest(0), b"foreign").unwrap();
    store.put_undecided(Height(2), digest(0), b"next").unwrap();

    for n in 0..UNDECIDED_PER_HEIGHT_MAX {
        let round = Round(u32::try_from(n).unwrap());
        store
            .put_built(height, round, digest(1000 + n), b"own")
            .unwrap();
    }
    let error = store
        .put_built(height, Round(64), digest(2000), b"own")
        .unwrap_err();
    assert!(matches!(
        error,
        StoreError::UndecidedFull { height: Height(1) }
    ));
    let again = store
        .put_built(height, Round(64), digest(1000), b"own")
        .unwrap();
    assert_eq!(
        again,
        digest(1000),
        "a block that is there already takes no room"
    );
}

#[test]
fn undecided_blocks_must_be_near_the_tip_and_small_enough() {
    let (_dir, store) = ticked(2);
    for height in [0, 2, 3 + UNDECIDED_HEIGHTS_MAX] {
        let error = store
            .put_undecided(Height(height), digest(1), b"x")
            .unwrap_err();
        assert!(
            matches!(error, StoreError::UndecidedHeight { .. }),
            "{error}"
        );
        let error = store
            .put_built(Height(height), Round(0), digest(1), b"x")
            .unwrap_err();
        assert!(
            matches!(error, StoreError::UndecidedHeight { .. }),
            "{error}"
        );
    }
    let furthest = Height(2 + UNDECIDED_HEIGHTS_MAX);
    store.put_undecided(furthest, digest(1), b"x").unwrap();
    let large = vec![7; BLOCK_BYTES_MAX + 1];
    let error = store
        .put_undecided(Height(3), digest(1), &large)
        .unwrap_err();
    assert!(
        matches!(error, StoreError::UndecidedTooLarge(8_388_609)),
        "{error}"
    );
    store
        .put_undecided(Height(3), digest(1), &large[1..])
        .unwrap();
    assert_eq!(
        store.undecided(Height(3), digest(1)).unwrap().unwrap(),
        &large[1..]
    );

    let dir = tempfile::tempdir().unwrap();
    let empty = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    let error = empty.put_undecided(Height(1), digest(1), b"x").unwrap_err();
    assert!(matches!(error, StoreError::Empty), "{error}");
}

fn votes(validator: u8, height: u64, round: u32, kind: VoteKind) -> Evidence {
    let vote = |value| {
        let statement = VoteStatement {
            kind,
            height: Height(height),
            round: Round(round),
            value,
        };
        (statement, Signature([validator; 65]))
    };
    Evidence::Votes {
        validator: Address::repeat_byte(validator),
        first: vote(Some(digest(1))),
        second: vote(None),
    }
}

#[test]
fn evidence_is_kept_once_and_latest_comes_first() {
    let (dir, store) = ticked(0);
    let statement = |value| ProposalStatement {
        height: Height(5),
        round: Round(0),
        polka_round: None,
        value,
    };
    let proposals = Evidence::Proposals {
        validator: Address::repeat_byte(1),
        first: (statement(digest(1)), Signature([1; 65])),
        second: (statement(digest(2)), Signature([2; 65])),
    };
    let pieces = [
        votes(1, 3, 0, VoteKind::Prevote),
        votes(1, 5, 0, VoteKind::Prevote),
        votes(1, 5, 0, VoteKind::Precommit),
        proposals,
        votes(2, 5, 0, VoteKind::Prevote),
    ];
    for piece in &pieces {
        assert!(store.put_evidence(piece).unwrap());
        assert!(!store.put_evidence(piece).unwrap());
    }
    drop(store);
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    let mut expected = pieces.to_vec();
    expected.reverse();
    assert_eq!(store.evidence(100).unwrap(), expected);
    assert_eq!(store.evidence(2).unwrap(), expected[..2]);
    assert_eq!(store.evidence(0).unwrap(), []);
}

#[test]
fn evidence_is_bounded_for_each_validator_and_height() {
    let (_dir, store) = ticked(0);
    let most = u32::try_from(EVIDENCE_PER_VALIDATOR_MAX).unwrap();
    for round in 0..most {
        assert!(
            store
                .put_evidence(&votes(1, 3, round, VoteKind::Prevote))
                .unwrap()
        );
    }
    assert!(
        !store
            .put_evidence(&votes(1, 3, most, VoteKind::Prevote))
            .unwrap()
    );
    assert!(
        store
            .put_evidence(&votes(2, 3, most, VoteKind::Prevote))
            .unwrap()
    );
    assert!(
        store
            .put_evidence(&votes(1, 4, most, VoteKind::Prevote))
            .unwrap()
    );
    assert_eq!(
        store.evidence(100).unwrap().len(),
        EVIDENCE_PER_VALIDATOR_MAX + 2
    );
}
