use super::*;

const NOTE: &str = "example.com/fancylog\n109482\n\
                    sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n\
                    — example.com/fancylog AAAAAAAA\n";
const HASHES: &str = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n\
                      B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n";

fn text(head: &str) -> String {
    format!("c2sp.org/tlog-proof@v1\n{head}\n{NOTE}")
}

#[test]
fn writes_what_it_reads() {
    let proof = TlogProof::parse(&text(&format!("index 73894\n{HASHES}"))).unwrap();
    assert_eq!(
        (proof.index, proof.inclusion.0.len()),
        (LeafIndex(73_894), 2)
    );
    assert_eq!(
        proof.note.text().lines().next(),
        Some("example.com/fancylog")
    );
    assert_eq!(proof.encode(), text(&format!("index 73894\n{HASHES}")));
    let extra = TlogProof {
        extra: Some(b"age".to_vec()),
        inclusion: InclusionProof::default(),
        ..proof
    };
    assert_eq!(extra.encode(), text("extra YWdl\nindex 73894\n"));
    assert_eq!(TlogProof::parse(&extra.encode()), Ok(extra));
}

#[test]
fn names_what_is_wrong() {
    let check = |head: &str, expected: TlogProofError| {
        assert_eq!(TlogProof::parse(&text(head)), Err(expected), "{head}");
    };
    for index in ["", "01", "-1", "+1", " 1", "1 ", "x"] {
        check(&format!("index {index}\n"), TlogProofError::Index);
    }
    check("", TlogProofError::Index);
    check(HASHES, TlogProofError::Index);
    check("extra YWdl\n", TlogProofError::Index);
    check("extra YWdl\nextra YWdl\nindex 1\n", TlogProofError::Index);
    check("extra YWd\nindex 1\n", TlogProofError::Extra);
    let long = format!("extra {}\nindex 1\n", "AAAA".repeat(1366));
    check(&long, TlogProofError::Extra);
    check("index 1\nAAAA\n", TlogProofError::Hash(1));
    let spaced = format!("index 1\n{} \n", HASHES.trim_end());
    check(&spaced, TlogProofError::Hash(2));
    let many = format!("index 1\n{}", HASHES.repeat(33));
    check(&many, TlogProofError::Hashes);
    assert_eq!(TlogProof::parse(NOTE), Err(TlogProofError::Header));
    let newer = text("index 1\n").replace("@v1", "@v2");
    assert_eq!(TlogProof::parse(&newer), Err(TlogProofError::Header));
    let cut = "c2sp.org/tlog-proof@v1\nindex 1\n";
    assert_eq!(TlogProof::parse(cut), Err(TlogProofError::Hash(1)));
    let unsigned = "c2sp.org/tlog-proof@v1\nindex 1\n\na\n1\n";
    assert_eq!(TlogProof::parse(unsigned), Err(NoteError::Layout.into()));
    let huge = "a".repeat(TLOG_PROOF_BYTES_MAX + 1);
    assert_eq!(
        TlogProof::parse(&huge),
        Err(TlogProofError::TooLong(huge.len()))
    );
}
