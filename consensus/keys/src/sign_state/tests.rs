use super::*;

const CHAIN: ChainIdentity = ChainIdentity {
    chain_id: 1,
    genesis_hash: B256::ZERO,
};
const VALIDATOR: Address = Address::ZERO;

fn mark(height: u64, round: u32, step: Step, digest: u8) -> Mark {
    Mark {
        height: Height(height),
        round: Round(round),
        step,
        digest: B256::repeat_byte(digest),
    }
}

fn state() -> (tempfile::TempDir, PathBuf, SignState) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sign-state");
    let state = SignState::create(&path, CHAIN, VALIDATOR, Height(0)).unwrap();
    (directory, path, state)
}

#[test]
fn signs_forward_only_and_one_thing_per_step() {
    let (_directory, path, mut state) = state();
    let steps = [
        (mark(1, 0, Step::Prevote, 1), true),
        (mark(1, 0, Step::Prevote, 1), true),
        (mark(1, 0, Step::Prevote, 2), false),
        (mark(1, 0, Step::Propose, 1), false),
        (mark(1, 0, Step::Precommit, 1), true),
        (mark(1, 1, Step::Propose, 3), true),
        (mark(1, 0, Step::Precommit, 1), false),
        (mark(2, 0, Step::Prevote, 1), true),
        (mark(1, 9, Step::Precommit, 1), false),
    ];
    for (mark, allowed) in steps {
        assert_eq!(state.advance(mark).unwrap(), allowed, "{mark:?}");
    }
    drop(state);
    let mut reopened = SignState::open(&path, CHAIN, VALIDATOR).unwrap();
    assert_eq!(reopened.mark(), mark(2, 0, Step::Prevote, 1));
    assert!(!reopened.advance(mark(2, 0, Step::Prevote, 9)).unwrap());
}

#[test]
fn refuses_missing_existing_damaged_foreign_and_old_files() {
    let (directory, path, mut state) = state();
    state.advance(mark(5, 0, Step::Precommit, 1)).unwrap();
    let twice = SignState::open(&path, CHAIN, VALIDATOR).unwrap_err();
    assert!(matches!(twice, SignStateError::InUse { .. }), "{twice}");
    let signed = |height| mark(height, 0, Step::Precommit, 1).position();
    assert!(state.require_at_least(signed(5)).is_ok());
    let older = state.require_at_least(signed(6)).unwrap_err().to_string();
    assert!(
        older.contains("height 5, round 0, precommit") && older.contains("block 6"),
        "{older}"
    );
    drop(state);
    let open = |chain, validator| SignState::open(&path, chain, validator);
    assert!(matches!(
        SignState::create(&path, CHAIN, VALIDATOR, Height(0)),
        Err(SignStateError::Exists { .. })
    ));
    let other = ChainIdentity {
        genesis_hash: B256::repeat_byte(1),
        ..CHAIN
    };
    assert!(matches!(
        open(other, VALIDATOR),
        Err(SignStateError::OtherNetwork { .. })
    ));
    let stranger = Address::repeat_byte(1);
    assert!(matches!(
        open(CHAIN, stranger),
        Err(SignStateError::OtherValidator { .. })
    ));

    std::fs::write(&path, [0; 2 * SLOT_BYTES]).unwrap();
    assert!(matches!(
        open(CHAIN, VALIDATOR),
        Err(SignStateError::Damaged { .. })
    ));
    std::fs::write(&path, [0; 7]).unwrap();
    assert!(matches!(
        open(CHAIN, VALIDATOR),
        Err(SignStateError::Damaged { .. })
    ));
    let missing = directory.path().join("elsewhere");
    let error = SignState::open(&missing, CHAIN, VALIDATOR).unwrap_err();
    assert!(error.to_string().contains("tbsi node init"), "{error}");
}

#[test]
fn a_torn_write_leaves_the_mark_before_it() {
    let (_directory, path, mut state) = state();
    state.advance(mark(1, 0, Step::Prevote, 1)).unwrap();
    state.advance(mark(1, 0, Step::Precommit, 1)).unwrap();
    let offset = usize::try_from(state.sequence % 2).unwrap() * SLOT_BYTES;
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[offset + 100..offset + SLOT_BYTES].fill(0xaa);
    std::fs::write(&path, bytes).unwrap();
    drop(state);
    let reopened = SignState::open(&path, CHAIN, VALIDATOR).unwrap();
    assert_eq!(reopened.mark(), mark(1, 0, Step::Prevote, 1));
}

/// The chain has a precommit of round 3, and the file ends in round 0 of that height: an old
/// copy too.
#[test]
fn refuses_a_file_that_is_older_by_a_round() {
    let (_directory, _path, mut state) = state();
    state.advance(mark(5, 0, Step::Precommit, 1)).unwrap();
    let signed = mark(5, 3, Step::Precommit, 1).position();
    let older = state.require_at_least(signed).unwrap_err();
    assert!(matches!(older, SignStateError::Older { .. }), "{older}");
}

/// Whoever says "nothing above height 7" may have signed anything at height 7.
#[test]
fn a_made_or_raised_mark_signs_nothing_at_its_own_height() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sign-state");
    let mut state = SignState::create(&path, CHAIN, VALIDATOR, Height(7)).unwrap();
    for (round, step) in [
        (0, Step::Propose),
        (0, Step::Prevote),
        (u32::MAX, Step::Precommit),
    ] {
        assert!(!state.advance(mark(7, round, step, 1)).unwrap());
    }
    assert!(state.advance(mark(8, 0, Step::Propose, 1)).unwrap());
    state.raise(Height(9)).unwrap();
    assert!(!state.advance(mark(9, 5, Step::Precommit, 1)).unwrap());
    state.raise(Height(3)).unwrap();
    drop(state);
    let reopened = SignState::open(&path, CHAIN, VALIDATOR).unwrap();
    assert_eq!(reopened.mark().position(), Position::end_of(Height(9)));
    assert_eq!(
        reopened.mark().position().to_string(),
        "the end of height 9"
    );
}

#[test]
fn a_sign_state_is_brought_over_with_its_mark() {
    let (directory, path, mut state) = state();
    let signed = mark(4, 2, Step::Prevote, 6);
    state.advance(signed).unwrap();
    let other = directory.path().join("other");
    let used = SignState::bring(&path, &other, CHAIN, VALIDATOR).unwrap_err();
    assert!(matches!(used, SignStateError::InUse { .. }), "{used}");
    drop(state);
    let stranger = SignState::bring(&path, &other, CHAIN, Address::repeat_byte(1));
    let stranger = stranger.unwrap_err();
    assert!(
        matches!(stranger, SignStateError::OtherValidator { .. }),
        "{stranger}"
    );
    assert!(!other.exists(), "a refusal leaves nothing behind");
    let brought = SignState::bring(&path, &other, CHAIN, VALIDATOR).unwrap();
    assert_eq!(brought.mark(), signed);
    drop(brought);
    let again = SignState::bring(&path, &other, CHAIN, VALIDATOR).unwrap_err();
    assert!(matches!(again, SignStateError::Exists { .. }), "{again}");
}

/// After a failed write nobody knows what is on the disk; a second one that succeeds does not
/// tell either.
#[test]
fn a_failed_write_is_not_tried_again() {
    let (_directory, path, mut state) = state();
    let writable = std::mem::replace(&mut state.file, File::open(&path).unwrap());
    let next = mark(1, 0, Step::Prevote, 1);
    state.advance(next).unwrap_err();
    state.file = writable;
    let error = state.advance(next).unwrap_err();
    assert!(matches!(error, SignStateError::Io { .. }), "{error}");
    assert_eq!(state.mark().position(), Position::end_of(Height(0)));
}
