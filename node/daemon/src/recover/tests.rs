use std::collections::BTreeMap;

use tbsi_keys::{ConsensusStatement, Mark, Position, Step};
use tbsi_store::StoreOptions;
use tbsi_types::genesis::{ConsensusParameters, NodeEntry, OrganisationEntry, ValidatorEntry};
use tbsi_types::{B256, CheckpointDigest, Round, TimestampMs, VoteKind, VoteStatement};
use tempfile::TempDir;

use super::*;

/// The home of a network's only validator.
fn validator() -> (TempDir, Home, Genesis) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::new(dir.path().join("home"));
    let public_key = home.ensure_validator_key().unwrap().public_key();
    let organisation = OrganisationEntry {
        name_zh_tw: "甲公會".into(),
        name_en: "Guild A".into(),
        ..OrganisationEntry::default()
    };
    let genesis = Genesis {
        version: 1,
        name: "recover".into(),
        chain_id: 8_862_026,
        time_ms: TimestampMs(1_700_000_000_000),
        block_gas_limit: 300_000_000,
        consensus: ConsensusParameters::default(),
        organisations: BTreeMap::from([("a".to_string(), organisation)]),
        nodes: vec![NodeEntry {
            name: "node-1".into(),
            organisation: "a".into(),
            peer_id: home.ensure_node_key().unwrap().peer_id(),
            validator: Some(ValidatorEntry {
                public_key: public_key.encode().to_vec().into(),
                power: 1,
                ..ValidatorEntry::default()
            }),
            ..NodeEntry::default()
        }],
        governance: None,
        accounts: BTreeMap::new(),
    };
    home.init(&Config::new("node-1", true), &genesis).unwrap();
    (dir, home, genesis)
}

fn open(home: &Home) -> SignState {
    let voter = home.load_voter().unwrap();
    let (chain, address) = (voter.genesis.identity(), voter.key.public_key().address());
    SignState::open(&home.sign_state_file(), chain, address).unwrap()
}

fn mark(height: u64, round: u32, step: Step) -> Mark {
    Mark {
        height: Height(height),
        round: Round(round),
        step,
        digest: B256::repeat_byte(3),
    }
}

fn signs(home: &Home, mark: Mark) {
    assert!(open(home).advance(mark).unwrap(), "{mark:?}");
}

fn position(home: &Home) -> Position {
    open(home).mark().position()
}

fn words<T: std::fmt::Debug>(result: anyhow::Result<T>) -> String {
    result.unwrap_err().to_string()
}

fn make_database(home: &Home, genesis: &Genesis) -> Store {
    let chain = genesis.identity();
    let options = StoreOptions::default();
    Store::open(&home.database_dir(), chain, options).unwrap()
}

/// As a version wrote it that kept no statements: who has precommitted, or came to a later round,
/// may be locked on a block; without the log it does not know on which.
#[test]
fn a_validator_that_forgets_its_lock_does_not_vote_at_that_height_again() {
    let how = |dry_run, vote_again| Recovery {
        dry_run,
        vote_again,
    };
    let (_dir, home, genesis) = validator();
    let error = words(recover(&home, how(false, false)));
    assert!(error.contains("there is nothing to recover"), "{error}");
    drop(make_database(&home, &genesis));
    for (signed, silent) in [
        (mark(1, 0, Step::Prevote), None),
        (mark(1, 0, Step::Precommit), Some(Height(1))),
        (mark(2, 0, Step::Prevote), None),
        (mark(2, 3, Step::Propose), Some(Height(2))),
    ] {
        signs(&home, signed);
        fs::create_dir_all(home.wal_dir()).unwrap();
        let trial = recover(&home, how(true, false)).unwrap();
        let until = trial.sign_state.unwrap().silent_until();
        assert_eq!(until, silent, "{signed:?}");
        assert_eq!(position(&home), signed.position());
        assert!(home.wal_dir().exists(), "a dry run moves nothing");
        // Nobody has decided it, its operator says.
        let again = recover(&home, how(true, true)).unwrap();
        assert_eq!(again.sign_state.unwrap().silent_until(), None);

        let done = recover(&home, how(false, false)).unwrap();
        assert_eq!(done, trial);
        assert!(done.log.unwrap().exists() && !home.wal_dir().exists());
        let kept = silent.map_or(signed.position(), Position::end_of);
        assert_eq!(position(&home), kept);
    }
    // A sign-state that nobody can read is not cleared away.
    fs::write(home.sign_state_file(), "damaged").unwrap();
    let error = words(recover(&home, how(false, false)));
    assert!(error.contains("is damaged"), "{error}");
}

/// The sign-state has the lock, whatever becomes of the log, and nothing need be raised.
#[test]
fn a_lock_that_the_sign_state_has_is_kept() {
    let how = Recovery {
        dry_run: false,
        vote_again: false,
    };
    let (_dir, home, genesis) = validator();
    drop(make_database(&home, &genesis));
    let vote = |kind, round| VoteStatement {
        kind,
        height: Height(1),
        round: Round(round),
        value: Some(CheckpointDigest(B256::repeat_byte(1))),
    };
    let sign = |vote| {
        let asked = ConsensusStatement::Vote(vote);
        assert_eq!(open(&home).answer(asked, None).unwrap(), Some(asked));
    };
    sign(vote(VoteKind::Prevote, 1));
    let done = recover(&home, how).unwrap();
    assert_eq!(done.sign_state, Some(KeptSignState::Free));
    sign(vote(VoteKind::Precommit, 1));
    let before = position(&home);
    let lock = Lock {
        round: Round(1),
        value: CheckpointDigest(B256::repeat_byte(1)),
    };
    let done = recover(&home, how).unwrap();
    assert_eq!(done.sign_state, Some(KeptSignState::Locked(lock)));
    assert_eq!(position(&home), before);
    // Raised already: said as it is.
    open(&home).raise(Height(1)).unwrap();
    let done = recover(&home, how).unwrap();
    assert_eq!(done.sign_state, Some(KeptSignState::Silent(Height(1))));
}

#[test]
fn a_sign_state_is_not_reset_while_the_node_has_its_database() {
    let (_dir, home, genesis) = validator();
    let store = make_database(&home, &genesis);
    let reset = || reset_sign_state(&home, Height(5), Height::GENESIS);
    let error = words(reset());
    assert!(error.contains("another process"), "{error}");
    assert_eq!(position(&home), Position::end_of(Height::GENESIS));
    drop(store);
    assert_eq!(reset().unwrap(), None);
    assert_eq!(position(&home), Position::end_of(Height(5)));
}
