//! How many must have sealed, for every size of a validator set.

use tbsi_light::foreign::{Assurance, HeaderError, faults, quorum, verify_header};

use crate::factory::{Draft, Keys};

const SIZES: std::ops::RangeInclusive<usize> = 1..=128;

/// Which kinds a size is tried with: signing dominates, and the rules do not depend on it.
fn kind(size: usize) -> Assurance {
    Assurance::ALL[size % 2]
}

#[test]
fn the_quorum_is_two_thirds_rounded_up_and_safe_for_every_size() {
    for size in SIZES {
        let (needed, faulty) = (quorum(size), faults(size));
        assert!(
            3 * needed >= 2 * size && 3 * (needed - 1) < 2 * size,
            "{size}"
        );
        // Two quorums share an honest validator, and the honest ones are a quorum.
        assert!(2 * needed - size > faulty, "{size}");
        assert!(size - faulty >= needed, "{size}");
        // SPEC §3.3 differs where three divides the number, and only there.
        let strict = 3 * needed > 2 * size;
        assert_eq!(strict, !size.is_multiple_of(3), "{size}");
    }
}

#[test]
fn t37_seals_below_the_quorum_are_refused_for_every_size() {
    for size in SIZES {
        let keys = Keys::new(0..size);
        let draft = Draft::new(kind(size), 7);
        let needed = quorum(size);
        let verify =
            |count| verify_header(draft.kind, &keys.trusted(), &draft.sealed(&keys, count));
        let enough = verify(needed).unwrap();
        assert_eq!(
            (enough.signers, enough.validators),
            (needed as u64, size as u64)
        );
        let below = verify(needed - 1);
        let (got, needed) = (needed as u64 - 1, needed as u64);
        assert_eq!(below, Err(HeaderError::Quorum { got, needed }), "{size}");
        assert_eq!(verify(0), Err(HeaderError::Quorum { got: 0, needed }));
        assert!(verify(size).is_ok());
    }
}

/// Strangers whom `vouching` of `size` trusted validators joined.
fn vouched(size: usize, vouching: usize) -> Result<(), HeaderError> {
    let trusted = Keys::new(0..size);
    // As many strangers as make them a quorum of the new set together with who vouches.
    let others = if vouching == 0 { 4 } else { size };
    let keys = Keys::new((0..vouching).chain(1_000..1_000 + others));
    let draft = Draft::new(kind(size), 9);
    let count = keys.addresses().len();
    let header = draft.sealed(&keys, count.min(128));
    verify_header(draft.kind, &trusted.trusted(), &header).map(|_| ())
}

#[test]
fn t38_a_set_that_only_as_many_as_may_be_faulty_vouch_for_is_refused() {
    for size in 1..=96 {
        let faulty = faults(size);
        let refused = |got: usize| {
            let (got, needed) = (got as u64, faulty as u64 + 1);
            Err(HeaderError::Overlap { got, needed })
        };
        assert_eq!(vouched(size, faulty), refused(faulty), "{size}");
        if let Some(fewer) = faulty.checked_sub(1) {
            assert_eq!(vouched(size, fewer), refused(fewer), "{size}");
        }
        assert_eq!(vouched(size, faulty + 1), Ok(()), "{size}");
    }
    // The largest sets, whose new set must fit: everybody is replaced but f, or f + 1.
    for size in 97..=128 {
        let faulty = faults(size);
        let with = |vouching: usize| {
            let trusted = Keys::new(0..size);
            let keys = Keys::new((0..vouching).chain(1_000..1_000 + size - vouching));
            let draft = Draft::new(kind(size), 9);
            verify_header(draft.kind, &trusted.trusted(), &draft.sealed(&keys, size))
        };
        assert!(with(faulty + 1).is_ok(), "{size}");
        let (got, needed) = (faulty as u64, faulty as u64 + 1);
        assert_eq!(
            with(faulty),
            Err(HeaderError::Overlap { got, needed }),
            "{size}"
        );
    }
}

#[test]
fn t42_every_change_by_one_can_be_followed_whoever_seals() {
    for size in 4..128 {
        let (small, large) = (Keys::new(0..size), Keys::new(0..=size));
        let draft = Draft::new(kind(size), 9);
        let last = quorum(size + 1);
        // The worst case: the newcomer is among the fewest who can seal.
        let newcomer = Keys::new([size]).addresses()[0];
        let all = large.addresses();
        let at = all.iter().position(|it| *it == newcomer).unwrap();
        let others = (0..=size).filter(|position| *position != at);
        let signers = std::iter::once(at).chain(others.take(last - 1));
        let grown = draft.sealed_by(&large, signers);
        assert!(
            verify_header(draft.kind, &small.trusted(), &grown).is_ok(),
            "{size}"
        );
        let shrunk = draft.sealed(&small, quorum(size));
        assert!(
            verify_header(draft.kind, &large.trusted(), &shrunk).is_ok(),
            "{size}"
        );
    }
}
