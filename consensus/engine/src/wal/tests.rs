use arc_malachitebft_app_channel::app::engine::wal::encode_entry;
use arc_malachitebft_app_channel::app::wal::Log as EngineLog;
use mc::SignedMessage;
use tbsi_types::{
    B256, CheckpointDigest, ProposalStatement, Round, Signature, VoteKind, VoteStatement,
};

use super::*;
use crate::context::{Address as EngineAddress, Proposal, Vote};

const NEXT: Height = Height(9);

fn own() -> Address {
    Address::repeat_byte(1)
}

fn vote(validator: u8, kind: VoteKind) -> Input<Ctx> {
    let statement = VoteStatement {
        kind,
        height: NEXT,
        round: Round(0),
        value: Some(CheckpointDigest(B256::repeat_byte(7))),
    };
    let validator = EngineAddress(Address::repeat_byte(validator));
    let vote = Vote::new(statement, validator);
    Input::Vote(SignedMessage::new(vote, Signature([9; 65])))
}

fn proposal(proposer: u8) -> Input<Ctx> {
    let statement = ProposalStatement {
        height: NEXT,
        round: Round(0),
        polka_round: None,
        value: CheckpointDigest(B256::repeat_byte(7)),
    };
    let proposer = EngineAddress(Address::repeat_byte(proposer));
    Input::Proposal(SignedMessage::new(
        Proposal::new(statement, proposer),
        Signature([8; 65]),
    ))
}

struct Scratch {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Scratch {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("consensus.wal");
        Self {
            _directory: directory,
            path,
        }
    }

    /// A log that the engine wrote, and where each entry ends in it.
    fn written(&self, height: Height, entries: &[Input<Ctx>]) -> (Vec<u8>, Vec<usize>) {
        fs::remove_file(&self.path).ok();
        let mut log = EngineLog::open(&self.path).unwrap();
        log.reset(height.0).unwrap();
        let mut ends = vec![12];
        for input in entries {
            let mut entry = Vec::new();
            encode_entry(input.clone(), &WireCodec, &mut entry).unwrap();
            log.append(&entry).unwrap();
            ends.push(usize::try_from(log.size_bytes().unwrap()).unwrap());
        }
        log.flush().unwrap();
        drop(log);
        (fs::read(&self.path).unwrap(), ends)
    }

    fn mend(&self, bytes: &[u8], own: Option<Address>) -> Result<Option<LogMended>, WalError> {
        fs::write(&self.path, bytes).unwrap();
        mend(&self.path, own, NEXT)
    }

    /// What the engine replays at `NEXT`.
    fn replayed(&self) -> Vec<Vec<u8>> {
        let mut log = EngineLog::open(&self.path).unwrap();
        if log.sequence() != NEXT.0 || log.is_empty() {
            return Vec::new();
        }
        let entries = log.iter().unwrap();
        entries
            .map(|entry| entry.expect("every entry is whole"))
            .collect()
    }
}

/// Prevotes of others, an own one, and the beginning of what comes after it.
fn entries() -> Vec<Input<Ctx>> {
    vec![
        proposal(2),
        vote(2, VoteKind::Prevote),
        vote(1, VoteKind::Prevote),
        vote(3, VoteKind::Prevote),
        vote(4, VoteKind::Prevote),
    ]
}

fn lost(outcome: &Result<Option<LogMended>, WalError>) -> bool {
    matches!(outcome, Err(WalError::Lost { .. }))
}

#[test]
fn a_log_that_is_whole_stays_as_it_is() {
    let scratch = Scratch::new();
    assert_eq!(
        mend(&scratch.path, Some(own()), NEXT).unwrap(),
        None,
        "none is there"
    );
    let (bytes, _) = scratch.written(NEXT, &entries());
    assert_eq!(scratch.mend(&bytes, Some(own())).unwrap(), None);
    assert_eq!(fs::read(&scratch.path).unwrap(), bytes);
    assert_eq!(scratch.replayed().len(), 5);
    assert_eq!(scratch.mend(&[], Some(own())).unwrap(), None);
    // Of the height that was decided: the engine empties it.
    let (bytes, _) = scratch.written(Height(8), &entries()[3..]);
    assert_eq!(scratch.mend(&bytes, Some(own())).unwrap(), None);
}

/// F8: cut short at every byte. What was whole is replayed, and nothing else.
#[test]
fn a_log_that_is_cut_short_anywhere_is_used_up_to_its_last_entry() {
    let scratch = Scratch::new();
    let (bytes, ends) = scratch.written(NEXT, &entries());
    let whole = scratch.replayed();
    for length in 1..bytes.len() {
        let mended = scratch.mend(&bytes[..length], Some(own())).unwrap();
        if length < 12 {
            assert_eq!(mended, Some(LogMended::SetAside), "{length}");
            assert!(!scratch.path.exists());
            assert!(scratch.replayed().is_empty());
            let aside = scratch.path.with_extension("wal.damaged-1");
            assert_eq!(fs::read(&aside).unwrap(), bytes[..length]);
            fs::remove_file(aside).unwrap();
            continue;
        }
        let kept = ends.iter().rposition(|end| *end <= length).unwrap();
        let cut = (length - ends[kept]) as u64;
        let expected = (cut > 0).then_some(LogMended::Cut(cut));
        assert_eq!(mended, expected, "{length}");
        assert_eq!(scratch.replayed(), whole[..kept], "{length}");
        assert_eq!(
            mend(&scratch.path, Some(own()), NEXT).unwrap(),
            None,
            "once"
        );
    }
}

/// F8: from every byte on, zeros, ones, or the bytes of an entry that was not there: with its full
/// length, which the engine believes.
#[test]
fn a_log_that_ends_in_garbage_is_used_up_to_its_last_entry() {
    let scratch = Scratch::new();
    let (bytes, ends) = scratch.written(NEXT, &entries());
    let whole = scratch.replayed();
    for from in 12..bytes.len() {
        for filling in [0, 0x5a, 0xff] {
            let mut spoiled = bytes.clone();
            spoiled[from..].fill(filling);
            let outcome = scratch.mend(&spoiled, Some(own()));
            let kept = ends.iter().rposition(|end| *end <= from).unwrap();
            assert!(outcome.is_ok(), "{from}: {outcome:?}");
            assert_eq!(scratch.replayed(), whole[..kept], "{from}");
        }
    }
    // Zeros behind a whole log are entries of no bytes to the engine, which it cannot read.
    let longer = [&bytes[..], &[0; 4096]].concat();
    let mended = scratch.mend(&longer, Some(own())).unwrap();
    assert_eq!(mended, Some(LogMended::Cut(4096)));
    assert_eq!(scratch.replayed(), whole);
}

/// One byte is wrong: behind the last own statement the log is cut, before it the validator may
/// have forgotten its lock. An observer has none.
#[test]
fn what_this_validator_said_is_not_cut_off() {
    let scratch = Scratch::new();
    let (bytes, ends) = scratch.written(NEXT, &entries());
    let whole = scratch.replayed();
    let own_begins = ends[2];
    for at in 12..bytes.len() {
        let mut spoiled = bytes.clone();
        spoiled[at] ^= 0x40;
        let kept = ends.iter().rposition(|end| *end <= at).unwrap();
        let outcome = scratch.mend(&spoiled, Some(own()));
        assert_eq!(lost(&outcome), at < own_begins, "byte {at}: {outcome:?}");
        if outcome.is_ok() {
            assert_eq!(scratch.replayed(), whole[..kept], "byte {at}");
        } else {
            assert_eq!(
                fs::read(&scratch.path).unwrap(),
                spoiled,
                "nothing is touched"
            );
        }
        assert!(scratch.mend(&spoiled, None).unwrap().is_some());
        assert_eq!(scratch.replayed(), whole[..kept], "byte {at}");
    }
}

#[test]
fn a_header_that_rots_does_not_forget_a_lock() {
    let scratch = Scratch::new();
    let (bytes, ends) = scratch.written(NEXT, &entries());
    let others = &bytes[..ends[2]];
    for at in 0..12 {
        let mut spoiled = bytes.clone();
        spoiled[at] ^= 0x40;
        assert!(lost(&scratch.mend(&spoiled, Some(own()))), "byte {at}");
        let aside = scratch.mend(&spoiled[..ends[2]], Some(own())).unwrap();
        assert_eq!(aside, (at < 4).then_some(LogMended::SetAside), "byte {at}");
        fs::remove_file(scratch.path.with_extension("wal.damaged-1")).ok();
    }
    assert_eq!(scratch.mend(others, Some(own())).unwrap(), None);
    let message = scratch
        .mend(&bytes[1..], Some(own()))
        .unwrap_err()
        .to_string();
    assert!(message.contains("tbsi node recover"), "{message}");
}

#[test]
fn the_checksum_is_that_of_the_format() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    assert_eq!(crc32(b""), 0);
}
