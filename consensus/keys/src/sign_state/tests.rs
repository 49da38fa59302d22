use tbsi_types::{B256, CheckpointDigest, ProposalStatement, Round, VoteKind};

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

    std::fs::write(&path, [0; FILE_BYTES]).unwrap();
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
    assert!(
        error.to_string().contains("tbsi keys reset-sign-state"),
        "{error}"
    );
}

/// Bytes of the file before and after a signature, and that signature's mark and the one before.
fn one_signature() -> (tempfile::TempDir, PathBuf, [Vec<u8>; 2], [Mark; 2]) {
    let (directory, path, mut state) = state();
    let marks = [mark(1, 0, Step::Prevote, 1), mark(1, 0, Step::Precommit, 2)];
    let files = marks.map(|mark| {
        state.advance(mark).unwrap();
        std::fs::read(&path).unwrap()
    });
    (directory, path, files, marks)
}

fn open_bytes(path: &Path, bytes: &[u8]) -> Result<Mark, SignStateError> {
    std::fs::write(path, bytes).unwrap();
    let state = SignState::open(path, CHAIN, VALIDATOR)?;
    let mark = state.mark();
    drop(state);
    // What was damaged was written anew.
    let bytes = std::fs::read(path).unwrap();
    assert!(slot::find(&bytes, &CHAIN, &VALIDATOR).unwrap().whole);
    Ok(mark)
}

/// What a file of these bytes holds.
fn found(bytes: &[u8]) -> Mark {
    slot::find(bytes, &CHAIN, &VALIDATOR).unwrap().newest.mark
}

/// Bytes of the records, and where each ends.
fn places() -> impl Iterator<Item = usize> {
    (0..4).flat_map(|page| (0..=512).map(move |byte| page * 4096 + byte))
}

/// A write that was interrupted anywhere: nothing was signed with it, and nobody has to act.
#[test]
fn a_torn_write_leaves_the_mark_before_it() {
    let (_directory, path, [before, after], [old, new]) = one_signature();
    for end in places() {
        let torn = [&after[..end], &before[end..]].concat();
        let mark = found(&torn);
        assert!(mark == old || mark == new, "{end}: {mark:?}");
        if end % 4096 == 100 {
            assert_eq!(open_bytes(&path, &torn).unwrap(), mark);
        }
    }
    // Any bytes of it may have reached the disk.
    let mut random: u32 = 1;
    let mut pick = |(old, new): (&u8, &u8)| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if random >> 31 == 0 { *old } else { *new }
    };
    for round in 0..500 {
        let torn: Vec<u8> = before.iter().zip(&after).map(&mut pick).collect();
        let mark = found(&torn);
        assert!(mark == old || mark == new, "{round}: {mark:?}");
        if round == 0 {
            assert_eq!(open_bytes(&path, &torn).unwrap(), mark);
        }
        // Who opens it with the next key is told whose it is: it is moved away then.
        let theirs = slot::find(&torn, &CHAIN, &Address::repeat_byte(1));
        assert_eq!(theirs.unwrap().newest.validator, VALIDATOR);
    }
}

/// A page that rots never takes the mark with it, whichever it is.
#[test]
fn a_damaged_page_costs_nothing() {
    let (_directory, path, [_, good], [_, newest]) = one_signature();
    for at in places().filter(|at| at % 4096 < 512) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        assert_eq!(found(&bytes), newest, "byte {at}");
    }
    for page in 0..4 {
        for filling in [0, 0xff] {
            let mut bytes = good.clone();
            bytes[page * 4096..][..512].fill(filling);
            assert_eq!(open_bytes(&path, &bytes).unwrap(), newest, "page {page}");
        }
    }
}

/// Both copies gone, and not as a write leaves them: the newest mark may have been there.
#[test]
fn refuses_a_file_that_has_lost_a_slot() {
    let (_directory, path, [_, good], _) = one_signature();
    for slot in 0..2 {
        let mut bytes = good.clone();
        bytes[slot * 4096..][..512].fill(0);
        bytes[(slot + 2) * 4096 + 20] ^= 1;
        let error = open_bytes(&path, &bytes).unwrap_err();
        assert!(matches!(error, SignStateError::Damaged { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains("reset-sign-state"), "{error}");
    }
    // Records that changed places.
    let mut bytes = good.clone();
    bytes.copy_within(0..512, 4096);
    open_bytes(&path, &bytes).unwrap_err();
}

/// A crash while the file is made leaves none, and it can be made then.
#[test]
fn a_file_that_was_not_finished_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sign-state");
    std::fs::write(path.with_extension("draft"), [1; 700]).unwrap();
    let state = SignState::create(&path, CHAIN, VALIDATOR, Height(7)).unwrap();
    drop(state);
    let reopened = SignState::open(&path, CHAIN, VALIDATOR).unwrap();
    assert_eq!(reopened.mark().position(), Position::end_of(Height(7)));
    assert!(!path.with_extension("draft").exists());
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

/// Whatever of the write arrives, short of all, the mark before it is what is found again.
#[test]
fn a_full_disk_ends_signing_and_the_mark_before_stays() {
    for bytes in [0, 1, 300, 480, 511] {
        let (_directory, path, mut state) = state();
        let (first, second) = (mark(1, 0, Step::Prevote, 1), mark(2, 0, Step::Prevote, 2));
        assert!(state.advance(first).unwrap());
        state.fail_after(bytes);
        assert!(state.advance(second).is_err());
        assert!(state.advance(mark(3, 0, Step::Prevote, 3)).is_err());
        drop(state);
        let state = SignState::open(&path, CHAIN, VALIDATOR).unwrap();
        assert_eq!(state.mark(), first, "{bytes} bytes");
    }
}

fn vote(kind: VoteKind, height: u64, round: u32, value: u8) -> ConsensusStatement {
    ConsensusStatement::Vote(VoteStatement {
        kind,
        height: Height(height),
        round: Round(round),
        // 0 is nil.
        value: (value > 0).then_some(CheckpointDigest(B256::repeat_byte(value))),
    })
}

fn prevote(height: u64, round: u32, value: u8) -> ConsensusStatement {
    vote(VoteKind::Prevote, height, round, value)
}

fn precommit(height: u64, round: u32, value: u8) -> ConsensusStatement {
    vote(VoteKind::Precommit, height, round, value)
}

fn proposal(height: u64, round: u32, value: u8) -> ConsensusStatement {
    ConsensusStatement::Proposal(ProposalStatement {
        height: Height(height),
        round: Round(round),
        polka_round: None,
        value: CheckpointDigest(B256::repeat_byte(value)),
    })
}

/// Asks for each with what is remembered, of a state that is opened anew each time.
#[track_caller]
fn answers(cases: &[(ConsensusStatement, Option<u32>, Option<ConsensusStatement>)]) {
    let (_directory, path, state) = state();
    drop(state);
    for (asked, remembered, expected) in cases {
        let mut state = SignState::open(&path, CHAIN, VALIDATOR).unwrap();
        let answer = state.answer(*asked, remembered.map(Round)).unwrap();
        assert_eq!(answer, *expected, "asked for {asked:?}");
    }
}

#[test]
fn says_again_what_was_said_in_the_round_of_the_mark_and_nothing_else() {
    let (propose, other) = (proposal(1, 2, 1), proposal(1, 2, 9));
    let (said, nil) = (prevote(1, 2, 1), prevote(1, 2, 0));
    let committed = precommit(1, 2, 0);
    answers(&[
        (propose, None, Some(propose)),
        (propose, None, Some(propose)),
        (other, None, None),
        (said, None, Some(said)),
        // Of a proposal only the mark is known.
        (propose, None, None),
        (nil, None, Some(said)),
        (prevote(1, 2, 9), None, Some(said)),
        (committed, None, Some(committed)),
        (precommit(1, 2, 1), None, Some(committed)),
        // The prevote of the same round, with the mark at the precommit.
        (nil, None, Some(said)),
        // Of earlier rounds and heights nobody knows it any more; who asks hears of this round.
        (prevote(1, 1, 0), None, Some(committed)),
        (precommit(1, 0, 7), None, Some(committed)),
        (proposal(1, 1, 1), None, None),
        (precommit(0, 0, 0), None, None),
        (prevote(1, 3, 9), None, Some(prevote(1, 3, 9))),
        (nil, None, Some(prevote(1, 3, 9))),
        // In this round there was no precommit yet, and in the next no prevote.
        (precommit(1, 4, 0), None, Some(precommit(1, 4, 0))),
        (prevote(1, 4, 1), None, None),
        (prevote(2, 0, 1), None, Some(prevote(2, 0, 1))),
        // Where there is only a proposal, a prevote for nil tells which round it is.
        (proposal(2, 3, 1), None, Some(proposal(2, 3, 1))),
        (proposal(2, 2, 1), None, None),
        (precommit(2, 0, 1), None, Some(prevote(2, 3, 0))),
        (prevote(2, 3, 1), None, Some(prevote(2, 3, 0))),
        (proposal(3, 1, 1), None, Some(proposal(3, 1, 1))),
        (prevote(2, 0, 1), None, None),
        (prevote(3, 1, 1), None, Some(prevote(3, 1, 1))),
    ]);
    // At the end of a height nothing is said.
    let (_directory, _path, mut state) = state();
    state.raise(Height(4)).unwrap();
    assert_eq!(state.answer(prevote(4, 0, 1), None).unwrap(), None);
}

/// A core that has forgotten its lock prevotes for that block or for nil, until it precommits
/// another one: then it has seen a polka.
#[test]
fn a_forgotten_lock_is_kept() {
    answers(&[
        (precommit(1, 1, 7), None, Some(precommit(1, 1, 7))),
        (prevote(1, 2, 8), None, Some(prevote(1, 2, 0))),
        // It stays what it is, whoever remembers what.
        (prevote(1, 2, 8), Some(1), Some(prevote(1, 2, 0))),
        (prevote(1, 3, 7), None, Some(prevote(1, 3, 7))),
        (precommit(1, 3, 0), None, Some(precommit(1, 3, 0))),
        // An earlier lock is remembered: that is not this one.
        (prevote(1, 4, 8), Some(0), Some(prevote(1, 4, 0))),
        (prevote(1, 5, 8), Some(1), Some(prevote(1, 5, 8))),
        (precommit(1, 6, 8), None, Some(precommit(1, 6, 8))),
        (prevote(1, 7, 7), Some(1), Some(prevote(1, 7, 0))),
        (prevote(1, 8, 7), Some(6), Some(prevote(1, 8, 7))),
        (prevote(2, 0, 9), None, Some(prevote(2, 0, 9))),
    ]);
}

/// Whatever is asked, in whatever order, with whatever memory: no two votes of one step differ,
/// and no prevote is against a lock that is not remembered.
#[test]
fn never_equivocates() {
    let (_directory, path, state) = state();
    drop(state);
    let mut state = SignState::open(&path, CHAIN, VALIDATOR).unwrap();
    let mut random: u32 = 7;
    let mut below = |bound: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 16) % bound
    };
    let mut signed = std::collections::BTreeMap::new();
    let (mut again, mut kept) = (0, 0);
    for turn in 0..900_u32 {
        if below(40) == 0 {
            drop(state);
            state = SignState::open(&path, CHAIN, VALIDATOR).unwrap();
        }
        let (height, round) = (1 + u64::from(turn / 300), (turn % 300) / 50 + below(3));
        let value = u8::try_from(below(3)).unwrap();
        let asked = match below(3) {
            0 => proposal(height, round, 1 + value),
            1 => prevote(height, round, value),
            _ => precommit(height, round, value),
        };
        let remembered = (below(2) == 0).then(|| Round(below(6)));
        let lock = state
            .lock()
            .unwrap()
            .filter(|_| state.mark().height.0 == height);
        let Some(answer) = state.answer(asked, remembered).unwrap() else {
            continue;
        };
        let (mark, wanted) = (answer.mark(&CHAIN), asked.mark(&CHAIN));
        let later = mark.position() != wanted.position();
        assert!(!later || (mark.height == wanted.height && mark.round > wanted.round));
        let new = !signed.contains_key(&mark.position());
        let first = *signed.entry(mark.position()).or_insert(mark.digest);
        assert_eq!(first, mark.digest, "{asked:?}");
        again += u32::from(!new && answer != asked);
        if let (ConsensusStatement::Vote(vote), Some(lock), true) = (answer, lock, new) {
            let free = vote.kind == VoteKind::Precommit
                || vote.value.is_none_or(|value| value == lock.value)
                || remembered.is_some_and(|round| round >= lock.round);
            assert!(
                free,
                "{answer:?} against {lock:?}, remembering {remembered:?}"
            );
            kept += u32::from(answer != asked);
        }
    }
    assert!(again > 20 && kept > 2, "{again} {kept}");
}

/// What a version before this one wrote is read; of its votes only the mark is known.
#[test]
fn a_record_without_statements_says_nothing_again() {
    let (_directory, path, mut state) = state();
    assert_eq!(state.lock(), Ok(None));
    let asked = prevote(3, 0, 1);
    assert!(state.advance(asked.mark(&CHAIN)).unwrap());
    assert_eq!(
        state.lock(),
        Ok(None),
        "who has only prevoted is not locked"
    );
    drop(state);
    let mut state = SignState::open(&path, CHAIN, VALIDATOR).unwrap();
    assert_eq!(state.answer(asked, None).unwrap(), Some(asked));
    assert_eq!(state.answer(prevote(3, 0, 2), None).unwrap(), None);
    assert!(state.advance(mark(3, 0, Step::Precommit, 1)).unwrap());
    assert_eq!(state.lock(), Err(LockUnknown));
    let next = prevote(3, 1, 2);
    assert_eq!(state.answer(next, None).unwrap(), Some(next));
    assert_eq!(state.lock(), Err(LockUnknown), "until the next height");
    let next = precommit(4, 0, 2);
    assert_eq!(state.answer(next, None).unwrap(), Some(next));
    let (round, value) = (Round(0), CheckpointDigest(B256::repeat_byte(2)));
    assert_eq!(state.lock(), Ok(Some(Lock { round, value })));
    // It goes with the file to another home, and is no more where everything is silent.
    let other = path.with_extension("other");
    drop(state);
    let mut brought = SignState::bring(&path, &other, CHAIN, VALIDATOR).unwrap();
    assert_eq!(brought.lock(), Ok(Some(Lock { round, value })));
    let again = brought.answer(precommit(4, 0, 0), None).unwrap();
    assert_eq!(again, Some(next));
    brought.raise(Height(4)).unwrap();
    assert_eq!(brought.answer(next, None).unwrap(), None);
}
