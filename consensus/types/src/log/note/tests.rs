use super::*;

/// The example of C2SP tlog-cosignature.
const EXAMPLE: &str = "example.com/behind-the-sofa\n20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/\
    Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3\
    b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

#[test]
fn reads_the_example_of_the_specification() {
    let note = SignedNote::parse(EXAMPLE).unwrap();
    assert_eq!(note.encode(), EXAMPLE);
    let checkpoint = LogCheckpoint::parse(note.text()).unwrap();
    assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size, TreeSize(20_852_163));
    assert_eq!(checkpoint.encode().unwrap(), note.text());
    let lines: Vec<_> = note
        .signatures()
        .iter()
        .map(|line| (line.name.as_str(), line.key_id, line.bytes.len()))
        .collect();
    let expected = [
        ("example.com/behind-the-sofa", 0x033d_e0ae, 64),
        ("witness.example.com/w1", 0x8d66_cf3f, 72),
    ];
    assert_eq!(lines, expected);
}

#[track_caller]
fn check(note: &str, expected: &NoteError) {
    assert_eq!(&SignedNote::parse(note).unwrap_err(), expected, "{note}");
}

#[test]
fn names_what_is_wrong_with_a_note() {
    let line = "— a AAAAAAAA\n";
    assert!(SignedNote::parse(&format!("text\n\n{line}")).is_ok());
    check("", &NoteError::Layout);
    check("text\n", &NoteError::Layout);
    check(line, &NoteError::Layout);
    check("text\n\n", &NoteError::Signatures(0));
    check("text\n\n— a AAAAAAAA", &NoteError::Layout);
    check("te\txt\n\n— a AAAAAAAA\n", &NoteError::Control);
    check("text\r\n\n— a AAAAAAAA\n", &NoteError::Control);
    let wrong = &NoteError::SignatureLine(1);
    check("text\n\n- a AAAAAAAA\n", wrong);
    check("text\n\n— a\n", wrong);
    check("text\n\n— a AAAAAA\n", wrong);
    check("text\n\n— a AAAAAAA\n", wrong);
    check("text\n\n— a AAAAAAAB==\n", wrong);
    check("text\n\n— a  AAAAAAAA\n", wrong);
    check("text\n\n— a AAAAAAAA \n", wrong);
    check(
        &format!("text\n\n{line}text\n"),
        &NoteError::SignatureLine(2),
    );
    check("text\n\n— a+b AAAAAAAA\n", &NoteError::Name);
    check("text\n\n— a\u{a0}b AAAAAAAA\n", &NoteError::Name);
    let long = format!("text\n\n— {} AAAAAAAA\n", "a".repeat(256));
    check(&long, &NoteError::Name);
    let many = format!("text\n\n{}", line.repeat(101));
    check(&many, &NoteError::Signatures(101));
    let huge = "a".repeat(NOTE_BYTES_MAX + 1);
    check(&huge, &NoteError::TooLong(NOTE_BYTES_MAX + 1));
    let wide = format!("text\n\n— a {}\n", "A".repeat(12_000));
    check(&wide, &NoteError::SignatureBytes(9_000));
}

#[test]
fn the_last_empty_line_ends_the_text() {
    let note = SignedNote::parse("one\n\ntwo\n\n— a AAAAAAAA\n").unwrap();
    assert_eq!(note.text(), "one\n\ntwo\n");
    assert_eq!(SignedNote::parse(&note.encode()), Ok(note));
}

#[test]
fn refuses_to_write_what_it_could_not_read() {
    let signature = |name: &str, length: usize| NoteSignature {
        name: name.into(),
        key_id: 1,
        bytes: vec![0; length],
    };
    let new = |text: &str, signatures| SignedNote::new(text.into(), signatures);
    assert!(new("text\n", vec![signature("a", 1)]).is_ok());
    assert_eq!(new("text", vec![signature("a", 1)]), Err(NoteError::Layout));
    assert_eq!(
        new("\0\n", vec![signature("a", 1)]),
        Err(NoteError::Control)
    );
    assert_eq!(new("text\n", vec![]), Err(NoteError::Signatures(0)));
    assert_eq!(new("text\n", vec![signature("", 1)]), Err(NoteError::Name));
    let empty = new("text\n", vec![signature("a", 0)]);
    assert_eq!(empty, Err(NoteError::SignatureBytes(4)));
}

#[test]
fn a_checkpoint_is_three_lines() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let parse = |text: &str| LogCheckpoint::parse(text).map(|checkpoint| checkpoint.size.0);
    let line = |text: &str| match parse(text) {
        Err(NoteError::Checkpoint { line, .. }) => line,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(parse(&format!("a\n0\n{root}\n")), Ok(0));
    assert_eq!(line(&format!("\n0\n{root}\n")), 1);
    assert_eq!(line(&format!("a b\n0\n{root}\n")), 1);
    for size in ["", "00", "01", "+1", "-1", " 1", "18446744073709551616"] {
        assert_eq!(line(&format!("a\n{size}\n{root}\n")), 2, "{size}");
    }
    assert_eq!(line("a\n1\n\n"), 3);
    assert_eq!(line("a\n1\nAAAA\n"), 3);
    assert_eq!(line("a\n1\n"), 3);
    assert_eq!(line("a\n1"), 4);
    assert_eq!(line(&format!("a\n1\n{root}\nextension\n")), 4);
    assert_eq!(line(&format!("a\n1\n{root}\n\n")), 4);
    assert_eq!(line(&format!("a\n1\n{root}")), 4);
    let bad = LogCheckpoint {
        origin: "a b".into(),
        size: TreeSize(0),
        root: B256::ZERO,
    };
    assert_eq!(bad.encode(), Err(NoteError::Name));
}
