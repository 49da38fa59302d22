use std::fs;

use super::*;
use crate::limits::JOURNAL_BYTES;
use crate::record::tests::parties;
use crate::record::{Item, Reason};
use crate::state::State;

/// A journal and the records of its last file.
fn open_as(
    home: &Path,
    parties: &Parties,
    file_bytes: u64,
) -> Result<(Journal, Vec<Record>), JournalError> {
    let mut records = Vec::new();
    let journal = Journal::open(home, parties, file_bytes, |record| {
        records.push(record.clone());
        Ok::<(), JournalError>(())
    })?;
    Ok((journal, records))
}

fn open(home: &Path) -> Result<(Journal, Vec<Record>), JournalError> {
    open_as(home, &parties(), JOURNAL_BYTES)
}

fn records_of(path: &Path) -> Vec<Record> {
    super::records(path).unwrap()
}

fn head(path: &Path) -> B256 {
    read(path, |_, _| Ok::<(), JournalError>(())).unwrap().head
}

fn event(number: u64) -> Event {
    Event::Discovered {
        items: vec![Item::Leaf(number)],
        scanned: number + 1,
        requested: false,
    }
}

/// A journal of three records, and its file.
fn three(home: &Path) -> PathBuf {
    let (mut journal, records) = open(home).unwrap();
    assert_eq!((records.len(), journal.head()), (0, None));
    journal.append([event(0), event(1)], 5).unwrap();
    let third = journal.append([event(2)], 6).unwrap();
    assert_eq!((third[0].number, third[0].time_ms), (2, 6));
    home.join(JOURNAL_FILE)
}

#[test]
fn what_was_appended_is_there() {
    let home = tempfile::tempdir().unwrap();
    let path = three(home.path());
    let (mut journal, records) = open(home.path()).unwrap();
    let events: Vec<_> = records.iter().map(|record| record.event.clone()).collect();
    assert_eq!(events, [event(0), event(1), event(2)]);
    assert_eq!(journal.head().unwrap().1, head(&path));
    let added = journal.append([event(3)], 7).unwrap();
    assert_eq!(added[0].previous, records_of(&path)[3].previous);
}

/// Test 55: a crash in the middle of a write, at every byte of the last line.
#[test]
fn t55_a_torn_tail_is_cut_off_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let path = three(home.path());
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap()
        + 1;
    for end in last..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        let (mut journal, records) = open(home.path()).unwrap();
        assert_eq!(records.len(), 2, "cut at {end}");
        journal.append([event(2)], 6).unwrap();
        drop(journal);
        assert_eq!(fs::read(&path).unwrap(), whole, "cut at {end}");
    }
    // A block of zeros at the end: the length was written, the bytes were not.
    fs::write(&path, [whole.as_slice(), &[0; 100]].concat()).unwrap();
    let (_, records) = open(home.path()).unwrap();
    assert_eq!(records.len(), 3);
}

/// Test 60, first part: whoever changes the file is found out.
#[test]
fn t60_tampering_deleting_and_reordering_are_detected() {
    let home = tempfile::tempdir().unwrap();
    let path = three(home.path());
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let check = |lines: &[&str], words: &str| {
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let error = open(home.path()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let tampered = lines[0].replace("\"leaf\":0", "\"leaf\":9");
    check(
        &[&tampered, lines[1], lines[2]],
        "line 1: the record does not have the hash",
    );
    check(
        &[lines[1], lines[2]],
        "line 1: record 1 stands where 0 should",
    );
    check(
        &[lines[0], lines[2], lines[1]],
        "line 2: record 2 stands where 1 should",
    );
    check(
        &[lines[0], lines[0], lines[2]],
        "line 2: record 0 stands where 1 should",
    );
    check(&["", lines[0], lines[1]], "line 1: the line is too short");
    let rehashed = |record: &str| format!("{} {record}", hex::encode(record_hash(record)));
    let forged = rehashed(&lines[0][PREFIX..].replace("\"leaf\":0", "\"leaf\":9"));
    check(
        &[&forged, lines[1], lines[2]],
        "line 2: the record names another",
    );
    let newer = rehashed(&lines[0][PREFIX..].replace("\"version\":2", "\"version\":3"));
    check(&[&newer, lines[1], lines[2]], "line 1");
}

#[test]
fn one_process_writes_and_only_its_own_journal() {
    let home = tempfile::tempdir().unwrap();
    three(home.path());
    let (held, _) = open(home.path()).unwrap();
    let error = open(home.path()).unwrap_err();
    assert!(matches!(error, JournalError::InUse(_)), "{error}");
    drop(held);
    let mut other = parties();
    other.target.chain = "eip155:1".into();
    let error = open_as(home.path(), &other, JOURNAL_BYTES)
        .unwrap_err()
        .to_string();
    assert!(error.contains("another target"), "{error}");
    other = parties();
    other.name_en = "Somebody Else".into();
    let error = open_as(home.path(), &other, JOURNAL_BYTES)
        .unwrap_err()
        .to_string();
    assert!(error.contains("another relayer"), "{error}");
}

/// Test 55: no room.
#[test]
fn t55_a_full_disk_is_an_error_and_what_was_written_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = three(home.path());
    let (mut journal, _) = open(home.path()).unwrap();
    // What the system answers on a full disk.
    journal.file = File::options().write(true).open("/dev/full").unwrap();
    let reason = Reason {
        code: "x".into(),
        detail: String::new(),
    };
    let error = journal.append([Event::Alarm { reason }], 8).unwrap_err();
    assert!(
        matches!(
            error,
            JournalError::Io {
                operation: "write to",
                ..
            }
        ),
        "{error}"
    );
    drop(journal);
    assert_eq!(records_of(&path).len(), 3);
}

/// A journal whose files hold few records, with what was appended.
fn rotated(home: &Path, events: u64) -> State {
    let (mut journal, _) = open_as(home, &parties(), 2_000).unwrap();
    let mut state = State::default();
    for number in 0..events {
        if journal.is_full() {
            journal.rotate(state.snapshot(), 7).unwrap();
        }
        for record in journal.append([event(number)], 5).unwrap() {
            state.apply(&record).unwrap();
        }
    }
    state
}

/// All records of all files, as they follow on each other.
fn all(home: &Path) -> Result<Vec<Record>, JournalError> {
    let mut records = Vec::new();
    let mut end = Journaled::default();
    for file in files(home)? {
        end = read_on(&file, &end, |record, _| {
            records.push(record.clone());
            Ok::<(), JournalError>(())
        })?;
    }
    Ok(records)
}

/// Fault 8: a full file is no end, and a start reads the last file alone.
#[test]
fn a_full_file_gets_a_number_and_another_one_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let state = rotated(home.path(), 40);
    let files = files(home.path()).unwrap();
    assert!(files.len() > 3, "{files:?}");
    let (journal, last) = open_as(home.path(), &parties(), 2_000).unwrap();
    let every = all(home.path()).unwrap();
    assert!(last.len() < every.len() / 2);
    // The last file alone leads to the same state as all of them, one after the other.
    assert_eq!(State::of(&last).unwrap(), state);
    assert_eq!(State::of(&every).unwrap(), state);
    let numbers = every.iter().map(|record| record.number);
    assert!(numbers.eq(0..every.len() as u64));
    assert_eq!(journal.head().unwrap().0, every.len() as u64 - 1);
}

#[test]
fn files_that_do_not_follow_on_each_other_are_found_out() {
    let home = tempfile::tempdir().unwrap();
    rotated(home.path(), 40);
    let second = home.path().join(full_file(2));
    let bytes = fs::read(&second).unwrap();
    // One in the middle is absent.
    fs::remove_file(&second).unwrap();
    let error = all(home.path()).unwrap_err().to_string();
    assert!(
        error.contains("put all files of the journal back"),
        "{error}"
    );
    // One byte of it is another.
    let mut changed = bytes.clone();
    let at = changed.len() - 20;
    changed[at] ^= 1;
    fs::write(&second, &changed).unwrap();
    let error = all(home.path()).unwrap_err().to_string();
    assert!(error.contains("does not have the hash"), "{error}");
    // Its last record is cut off.
    let end = bytes[..bytes.len() - 1]
        .iter()
        .rposition(|it| *it == b'\n')
        .unwrap();
    fs::write(&second, &bytes[..=end]).unwrap();
    let error = all(home.path()).unwrap_err();
    assert!(matches!(error, JournalError::Gap { .. }), "{error}");
    fs::write(&second, &bytes).unwrap();
    all(home.path()).unwrap();
    // The last one is absent, or is not the one that followed: nothing goes on from nothing.
    let last = home.path().join(JOURNAL_FILE);
    let whole = fs::read(&last).unwrap();
    for other in [Vec::new(), bytes] {
        fs::write(&last, other).unwrap();
        let error = open(home.path()).unwrap_err();
        assert!(matches!(error, JournalError::Gap { .. }), "{error}");
    }
    fs::write(&last, whole).unwrap();
    open(home.path()).unwrap();
    // Old files may be kept elsewhere: a start needs the last one.
    for number in full_files(home.path()).unwrap() {
        fs::remove_file(home.path().join(full_file(number))).unwrap();
    }
    open(home.path()).unwrap();
    assert!(all(home.path()).is_err(), "an audit needs all of them");
}

/// Where a rotation can be cut short, each of its steps.
#[test]
fn a_rotation_that_was_cut_short_is_ended() {
    for cut in [
        "snapshot half written",
        "snapshot written",
        "old file numbered",
    ] {
        let home = tempfile::tempdir().unwrap();
        let state = rotated(home.path(), 40);
        let (path, new) = (home.path().join(JOURNAL_FILE), home.path().join(NEXT_FILE));
        let full = full_files(home.path()).unwrap();
        let last = home.path().join(full_file(*full.last().unwrap()));
        let whole = fs::read(&path).unwrap();
        if cut == "old file numbered" {
            fs::rename(&path, &new).unwrap();
            assert_eq!(all(home.path()).unwrap().len(), 40 + all_parts(home.path()));
        } else {
            let bytes = match cut {
                "snapshot written" => whole.len(),
                _ => whole.len() / 2,
            };
            fs::write(&new, &whole[..bytes]).unwrap();
            fs::rename(&last, &path).unwrap();
        }
        let (_, records) = open_as(home.path(), &parties(), 2_000).unwrap();
        assert!(!new.exists() && path.exists(), "{cut}");
        if cut == "old file numbered" {
            assert_eq!(State::of(&records).unwrap(), state, "{cut}");
        }
        let every = all(home.path()).unwrap();
        assert_eq!(State::of(&every).unwrap(), State::of(&records).unwrap());
    }
}

/// Records of snapshots in all files.
fn all_parts(home: &Path) -> usize {
    let every = all(home).unwrap();
    let parts = every.iter();
    parts
        .filter(|record| matches!(record.event, Event::Snapshot { .. }))
        .count()
}
