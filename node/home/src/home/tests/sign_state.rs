//! A mark only rises, and only so far as somebody can justify.

use std::os::unix::fs::PermissionsExt;

use tbsi_keys::{Mark, Position, SignState, SignStateError, Step};
use tbsi_types::{B256, Round};

use super::*;
use crate::limits::SIGN_STATE_HEIGHTS_AHEAD_MAX;

const NONE: Height = Height::GENESIS;

/// A validator's home.
fn validator() -> (tempfile::TempDir, Home, Genesis, SecretKey) {
    let (dir, home, genesis) = prepared(true);
    home.init(&Config::new("node-1", true), &genesis).unwrap();
    let key = home.load().unwrap().validator_key.unwrap();
    (dir, home, genesis, key)
}

fn open(home: &Home, genesis: &Genesis, key: &SecretKey) -> Result<SignState, SignStateError> {
    let address = key.public_key().address();
    SignState::open(&home.sign_state_file(), genesis.identity(), address)
}

fn mark(height: u64, round: u32, step: Step) -> Mark {
    Mark {
        height: Height(height),
        round: Round(round),
        step,
        digest: B256::repeat_byte(3),
    }
}

fn signs(home: &Home, genesis: &Genesis, key: &SecretKey, mark: Mark) {
    let mut state = open(home, genesis, key).unwrap();
    assert!(state.advance(mark).unwrap(), "{mark:?}");
}

fn position(home: &Home, genesis: &Genesis, key: &SecretKey) -> Position {
    open(home, genesis, key).unwrap().mark().position()
}

/// Of a home without a database.
fn reset_sign_state(
    home: &Home,
    height: Height,
    decided: Height,
) -> Result<Option<PathBuf>, HomeError> {
    let to = Reset {
        height,
        tip: NONE,
        decided,
    };
    home.reset_sign_state(&home.load_voter()?, to)
}

/// It signed a precommit at height 10; a reset to height 10 that began that height anew would let
/// it sign another.
#[test]
fn a_reset_to_the_height_that_was_signed_does_not_lower_the_mark() {
    let (_dir, home, genesis, key) = validator();
    signs(&home, &genesis, &key, mark(10, 2, Step::Precommit));
    assert_eq!(reset_sign_state(&home, Height(10), NONE).unwrap(), None);
    let mut state = open(&home, &genesis, &key).unwrap();
    assert!(state.mark().position() >= mark(10, 2, Step::Precommit).position());
    for lower in [mark(10, 0, Step::Prevote), mark(10, 2, Step::Precommit)] {
        let other = Mark {
            digest: B256::repeat_byte(9),
            ..lower
        };
        assert!(!state.advance(other).unwrap(), "{other:?}");
    }
    assert!(state.advance(mark(11, 0, Step::Propose)).unwrap());
}

/// Each reset would allow the next one, and the validator be silent for good in the end.
#[test]
fn resets_one_after_the_other_come_no_further_than_one() {
    let (_dir, home, _, _) = validator();
    let reset = |height, tip| {
        let to = Reset {
            height: Height(height),
            tip: Height(tip),
            decided: Height::GENESIS,
        };
        home.reset_sign_state(&home.load_voter().unwrap(), to)
    };
    assert_eq!(reset(1_000, 0).unwrap(), None);
    assert_eq!(reset(1_000, 0).unwrap(), None);
    assert_eq!(reset(1_015, 15).unwrap(), None);
    for height in [1_016, 2_000, 2_015] {
        let error = words(reset(height, 15));
        assert!(error.contains("more than 1000 above 15"), "{error}");
    }
}

#[test]
fn a_sign_state_is_reset_forward_only() {
    let (_dir, home, genesis, key) = validator();
    let reset = |height| reset_sign_state(&home, Height(height), NONE);
    assert_eq!(reset(10).unwrap(), None, "a readable one is raised");
    let error = words(reset(9));
    assert!(
        error.contains("signed already at height 10; the new height must not be below"),
        "{error}"
    );
    assert_eq!(reset(10).unwrap(), None);
    assert_eq!(
        position(&home, &genesis, &key),
        Position::end_of(Height(10))
    );

    // Of another key: moved away. Then of this one, damaged: so too.
    fs::remove_file(home.sign_state_file()).unwrap();
    home.create_sign_state(&genesis, &SecretKey::from_seed(b"another"), Height(700))
        .unwrap();
    let moved = reset(11).unwrap().unwrap();
    assert!(moved.ends_with("sign-state.replaced-1") && moved.exists());
    let kept = home.data_dir().join("sign-state.replaced-8");
    fs::copy(home.sign_state_file(), kept).unwrap();
    fs::write(home.sign_state_file(), "damaged").unwrap();
    // What was moved away earlier still says what this key signed.
    let error = words(reset(10));
    assert!(error.contains("signed already at height 11"), "{error}");
    let moved = reset(11).unwrap().unwrap();
    assert!(moved.ends_with("sign-state.replaced-2"));

    let (_dir, observer, genesis) = prepared(false);
    observer
        .init(&Config::new("node-1", false), &genesis)
        .unwrap();
    let error = words(reset_sign_state(&observer, Height(1), NONE));
    assert!(error.contains("not a validator"), "{error}");
}

#[test]
fn a_reset_does_not_silence_the_validator_for_good() {
    let (_dir, home, genesis, key) = validator();
    for height in [SIGN_STATE_HEIGHTS_AHEAD_MAX + 1, u64::MAX] {
        let error = words(reset_sign_state(&home, Height(height), NONE));
        assert!(error.contains("--checkpoint FILE"), "{error}");
    }
    assert_eq!(position(&home, &genesis, &key), Position::end_of(NONE));
    // A checkpoint that is decided justifies it, and a height below is refused then.
    let decided = Height(5_000_000);
    let error = words(reset_sign_state(&home, Height(9), decided));
    assert!(
        error.contains("the checkpoint is of height 5000000"),
        "{error}"
    );
    reset_sign_state(&home, Height(5_000_007), decided).unwrap();
    let raised = position(&home, &genesis, &key);
    assert_eq!(raised, Position::end_of(Height(5_000_007)));
}

/// A folder in place of the file stands for a disk that cannot read it.
#[test]
fn a_sign_state_that_cannot_be_read_is_not_taken_for_a_missing_one() {
    let (_dir, home, genesis, key) = validator();
    signs(&home, &genesis, &key, mark(10, 0, Step::Precommit));
    let next = home.ensure_next_validator_key().unwrap();
    let file = home.sign_state_file();
    let aside = file.with_extension("aside");
    fs::rename(&file, &aside).unwrap();
    fs::create_dir(&file).unwrap();
    for error in [
        home.promote_next_key(&genesis, &next, Height(10))
            .unwrap_err(),
        reset_sign_state(&home, Height(10), NONE).unwrap_err(),
        home.ensure_sign_state(&genesis, &key).unwrap_err(),
    ] {
        assert!(
            matches!(error, HomeError::SignState(SignStateError::Io { .. })),
            "{error}"
        );
    }
    assert!(file.is_dir(), "nothing was moved");
    assert!(home.next_validator_key_file().exists());
    let current = open_validator_key(&home.validator_key_file(), None).unwrap();
    assert_eq!(current.public_key(), key.public_key(), "the old key stays");

    // With the disk back, the rotation is made, once.
    fs::remove_dir(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    home.promote_next_key(&genesis, &next, Height(10)).unwrap();
    assert_eq!(
        position(&home, &genesis, &next),
        Position::end_of(Height(10))
    );
}

/// Neither of the old key nor of the next: nobody knows whose votes it stands for.
#[test]
fn a_rotation_refuses_a_sign_state_of_a_third_key() {
    let (_dir, home, genesis, _key) = validator();
    let next = home.ensure_next_validator_key().unwrap();
    fs::remove_file(home.sign_state_file()).unwrap();
    home.create_sign_state(&genesis, &SecretKey::from_seed(b"third"), Height(5))
        .unwrap();
    let error = words(home.promote_next_key(&genesis, &next, Height(10)));
    assert!(error.contains("belongs to validator"), "{error}");
    assert!(home.next_validator_key_file().exists());
}

#[test]
fn a_key_file_that_cannot_be_looked_for_is_not_taken_for_a_missing_one() {
    let (_dir, home, _genesis, _key) = validator();
    let keys = home.dir().join("keys");
    fs::rename(&keys, home.dir().join("aside")).unwrap();
    // A loop of links: whether a file is behind it cannot be said.
    std::os::unix::fs::symlink(&keys, &keys).unwrap();
    for error in [
        home.key_files().unwrap_err(),
        home.next_validator_key().unwrap_err(),
        home.ensure_log_key().unwrap_err(),
    ] {
        assert!(error.to_string().starts_with("look for "), "{error}");
    }
}

/// A signer's home with the validator key of a node that has voted.
fn moved() -> (tempfile::TempDir, Home, Home, Genesis, SecretKey) {
    let (dir, node, genesis, key) = validator();
    signs(&node, &genesis, &key, mark(1, 20, Step::Precommit));
    let signer = Home::new(dir.path().join("signer"));
    signer.ensure_link_key().unwrap();
    fs::copy(node.validator_key_file(), signer.validator_key_file()).unwrap();
    (dir, node, signer, genesis, key)
}

#[test]
fn a_signer_is_not_made_with_an_empty_sign_state_in_silence() {
    let (_dir, node, signer, genesis, key) = moved();
    let error = words(signer.init_signer(&genesis, &FirstMark::Present));
    for word in ["--sign-state FILE", "data/sign-state", "--height HEIGHT"] {
        assert!(error.contains(word), "{error}");
    }
    assert!(!signer.sign_state_file().exists() && !signer.genesis_file().exists());

    let brought = FirstMark::Brought(node.sign_state_file());
    signer.init_signer(&genesis, &brought).unwrap();
    let begun = position(&signer, &genesis, &key);
    assert_eq!(begun, mark(1, 20, Step::Precommit).position());
    // Again after a crash: what is there is kept, and not replaced.
    signer.init_signer(&genesis, &FirstMark::Present).unwrap();
    let stated = FirstMark::Stated {
        height: Height(0),
        decided: NONE,
    };
    for again in [brought, stated] {
        let error = words(signer.init_signer(&genesis, &again));
        assert!(error.contains("never overwritten"), "{error}");
    }
    assert_eq!(position(&signer, &genesis, &key), begun);
    signer.open_signer(SignerRole::Validator).unwrap();
}

#[test]
fn a_signer_begins_where_its_operator_says_within_reason() {
    let (_dir, _node, signer, genesis, key) = moved();
    let stated = |height| FirstMark::Stated {
        height: Height(height),
        decided: Height(90),
    };
    let far = SIGN_STATE_HEIGHTS_AHEAD_MAX + 91;
    let error = words(signer.init_signer(&genesis, &stated(far)));
    assert!(error.contains("--checkpoint FILE"), "{error}");
    assert!(!signer.sign_state_file().exists());
    signer.init_signer(&genesis, &stated(100)).unwrap();
    let begun = position(&signer, &genesis, &key);
    assert_eq!(begun, Position::end_of(Height(100)));

    // A signer's home has no configuration; its mark can be raised all the same.
    reset_sign_state(&signer, Height(120), NONE).unwrap();
    let raised = position(&signer, &genesis, &key);
    assert_eq!(raised, Position::end_of(Height(120)));
    let held = signer.open_signer(SignerRole::Validator).unwrap();
    let error = words(reset_sign_state(&signer, Height(130), NONE));
    assert!(error.contains("is in use"), "{error}");
    drop(held);
}

/// The same trap as with a signer: a validator that moves to a new machine.
#[test]
fn a_node_is_not_made_with_an_empty_sign_state_for_an_imported_key() {
    let (_dir, node, genesis, key) = validator();
    signs(&node, &genesis, &key, mark(1, 20, Step::Precommit));
    let (_dir, new, _) = prepared(true);
    for kind in [KeyKind::Node, KeyKind::Validator] {
        fs::copy(node.key_file(kind), new.key_file(kind)).unwrap();
    }
    new.note_imported_key().unwrap();
    let config = Config::new("node-1", true);
    let error = words(new.init(&config, &genesis));
    assert!(error.contains("--sign-state FILE"), "{error}");
    assert!(!new.sign_state_file().exists());
    let brought = FirstMark::Brought(node.sign_state_file());
    new.init_from(&config, &genesis, &brought).unwrap();
    let begun = position(&new, &genesis, &key);
    assert_eq!(begun, mark(1, 20, Step::Precommit).position());

    let (_dir, observer, genesis) = prepared(false);
    let error = words(observer.init_from(&Config::new("node-1", false), &genesis, &brought));
    assert!(error.contains("no validator key"), "{error}");
}

#[test]
fn a_home_of_another_network_is_not_taken_for_a_signers() {
    let (_dir, node, signer, genesis, _key) = moved();
    let mut other = genesis.clone();
    other.name = "another".into();
    fs::write(signer.genesis_file(), serde_json::to_vec(&other).unwrap()).unwrap();
    let brought = FirstMark::Brought(node.sign_state_file());
    let error = words(signer.init_signer(&genesis, &brought));
    assert!(error.contains("is of another network"), "{error}");
    assert!(!signer.sign_state_file().exists());
}

#[test]
fn a_node_keeps_the_sign_state_that_was_brought_with_its_key() {
    let (_dir, home, genesis, key) = validator();
    signs(&home, &genesis, &key, mark(10, 0, Step::Precommit));
    fs::remove_file(home.config_file()).unwrap();
    fs::remove_file(home.genesis_file()).unwrap();
    home.init(&Config::new("node-1", true), &genesis).unwrap();
    let kept = position(&home, &genesis, &key);
    assert_eq!(kept, mark(10, 0, Step::Precommit).position());
    let mode = fs::metadata(home.sign_state_file()).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}
