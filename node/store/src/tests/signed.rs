//! Evidence, and who signed last.

use super::fixture::{Decided, OPTIONS, certificate, identity, ticked};
use crate::Store;
use crate::limits::EVIDENCE_PER_VALIDATOR_MAX;
use alloy_primitives::{Address, B256};
use tbsi_types::{
    CheckpointDigest, Evidence, Height, ProposalStatement, Round, Signature, StateDiff, VoteKind,
    VoteStatement,
};

fn digest(n: u8) -> CheckpointDigest {
    CheckpointDigest(B256::repeat_byte(n))
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

/// What one validator did hides nothing of another.
#[test]
fn evidence_is_found_by_who_is_accused() {
    let (_dir, store) = ticked(0);
    assert!(store.accused(None, 10).unwrap().is_empty());
    let kind = VoteKind::Prevote;
    for height in 1..=40 {
        store.put_evidence(&votes(2, height, 0, kind)).unwrap();
    }
    for validator in [0, 1, 255] {
        store.put_evidence(&votes(validator, 3, 0, kind)).unwrap();
    }
    let address = Address::repeat_byte;
    let all = [0, 1, 2, 255].map(address);
    assert_eq!(store.accused(None, 10).unwrap(), all);
    assert_eq!(store.accused(None, 2).unwrap(), all[..2]);
    assert_eq!(store.accused(Some(address(1)), 10).unwrap(), all[2..]);
    assert!(store.accused(Some(address(255)), 10).unwrap().is_empty());

    let mut heights = Vec::new();
    let mut after = None;
    loop {
        let page = store.evidence_against(address(2), after, 16).unwrap();
        let Some((last, _)) = page.last() else {
            break;
        };
        after = Some(*last);
        assert!(page.len() <= 16);
        for (_, piece) in page {
            assert_eq!(piece.validator(), address(2));
            heights.push(piece.position().0.0);
        }
    }
    assert_eq!(heights, (1..=40).collect::<Vec<_>>());
    assert_eq!(store.evidence_against(address(7), None, 9).unwrap(), []);
}

/// However long ago: a validator may have been away for as long as the chain is old.
#[test]
fn the_last_precommit_of_each_validator_is_known() {
    let (dir, store) = ticked(1);
    for _ in 0..300 {
        let mut next = Decided::next(&store, &StateDiff::default(), Vec::new());
        // The third one left after height 1.
        next.certificate = Some(certificate(&next.checkpoint, 2));
        next.commit(&store).unwrap();
    }
    let address = Address::repeat_byte;
    let check = |store: &Store| {
        let last = |byte| store.last_signed(&address(byte)).unwrap();
        assert_eq!(last(1), Some((Height(301), Round(0))));
        assert_eq!(last(2), Some((Height(301), Round(0))));
        assert_eq!(last(3), Some((Height(1), Round(0))));
        assert_eq!(last(4), None);
    };
    check(&store);
    drop(store);
    check(&Store::open(dir.path(), identity(), OPTIONS).unwrap());
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
