use std::fs;

use super::*;
use crate::record::tests::parties;
use crate::record::{Item, Reason};

fn event(number: u64) -> Event {
    Event::Discovered {
        items: vec![Item::Leaf(number)],
        scanned: number + 1,
        requested: false,
    }
}

/// A journal of three records, and its file.
fn three(home: &Path) -> PathBuf {
    let (mut journal, records) = Journal::open(home, &parties()).unwrap();
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
    let (mut journal, records) = Journal::open(home.path(), &parties()).unwrap();
    let events: Vec<_> = records.iter().map(|record| record.event.clone()).collect();
    assert_eq!(events, [event(0), event(1), event(2)]);
    assert_eq!(journal.head().unwrap().1, read(&path).unwrap().head);
    let added = journal.append([event(3)], 7).unwrap();
    assert_eq!(added[0].previous, read(&path).unwrap().records[3].previous);
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
        let (mut journal, records) = Journal::open(home.path(), &parties()).unwrap();
        assert_eq!(records.len(), 2, "cut at {end}");
        journal.append([event(2)], 6).unwrap();
        drop(journal);
        assert_eq!(fs::read(&path).unwrap(), whole, "cut at {end}");
    }
    // A block of zeros at the end: the length was written, the bytes were not.
    fs::write(&path, [whole.as_slice(), &[0; 100]].concat()).unwrap();
    let (_, records) = Journal::open(home.path(), &parties()).unwrap();
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
        let error = Journal::open(home.path(), &parties())
            .unwrap_err()
            .to_string();
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
    let newer = rehashed(&lines[0][PREFIX..].replace("\"version\":1", "\"version\":2"));
    check(&[&newer, lines[1], lines[2]], "line 1");
}

#[test]
fn one_process_writes_and_only_its_own_journal() {
    let home = tempfile::tempdir().unwrap();
    three(home.path());
    let (held, _) = Journal::open(home.path(), &parties()).unwrap();
    let error = Journal::open(home.path(), &parties()).unwrap_err();
    assert!(matches!(error, JournalError::InUse(_)), "{error}");
    drop(held);
    let mut other = parties();
    other.target_chain_id = 1;
    let error = Journal::open(home.path(), &other).unwrap_err().to_string();
    assert!(error.contains("another target"), "{error}");
    other = parties();
    other.name_en = "Somebody Else".into();
    let error = Journal::open(home.path(), &other).unwrap_err().to_string();
    assert!(error.contains("another relayer"), "{error}");
}

/// Test 55: no room.
#[test]
fn t55_a_full_disk_is_an_error_and_what_was_written_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = three(home.path());
    let (mut journal, _) = Journal::open(home.path(), &parties()).unwrap();
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
    assert_eq!(read(&path).unwrap().records.len(), 3);
}
