//! `tests/vectors/evidence_records.json`: records that Bouncy Castle made
//! (tests/outside/records), and what must be refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::error::Error;
use std::path::Path;

use serde::Deserialize;
use tbsi_light::archive::{ArchiveDigest, Digests, EvidenceRecord, Sunsets, Trust, reply_token};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "description")]
    _description: String,
    trust: String,
    replies: Vec<ReplyCase>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyCase {
    reply: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    file: String,
    now: u64,
    refused: Option<String>,
    record: String,
}

fn vectors() -> Vectors {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let text = std::fs::read_to_string(path.join("evidence_records.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.strip_prefix("0x").unwrap().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn digests(file: &str) -> Digests {
    let all = ArchiveDigest::ALL.into_iter();
    all.map(|algorithm| (algorithm, algorithm.hash([file.as_bytes()])))
        .collect()
}

fn words(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", words(source)),
        None => error.to_string(),
    }
}

#[test]
fn records_of_others_verify_as_the_file_says() {
    let vectors = vectors();
    let trust = Trust::from_pem(vectors.trust.as_bytes()).unwrap();
    for case in &vectors.cases {
        let verify = || -> Result<usize, Box<dyn Error>> {
            let der = bytes(&case.record);
            let record = EvidenceRecord::parse(&der)?;
            assert_eq!(record.encode(), der, "{}", case.name);
            let sunsets = Sunsets::new();
            let verified = record.verify(&digests(&case.file), &trust, &sunsets, case.now)?;
            Ok(verified.stamps.len())
        };
        match (verify(), &case.refused) {
            (Ok(stamps), None) => assert!(stamps > 0, "{}", case.name),
            (Err(error), Some(refused)) => {
                let got = words(error.as_ref());
                assert!(got.contains(refused.as_str()), "{}: {got}", case.name);
            }
            (got, _) => panic!("{}: {got:?}", case.name),
        }
    }
}

#[test]
fn a_reply_of_another_authority_is_read() {
    for case in &vectors().replies {
        let token = reply_token(&bytes(&case.reply)).unwrap();
        assert_eq!(token.algorithm(), ArchiveDigest::Sha256);
        assert_eq!(
            Some(&token.imprint().to_vec()),
            digests("a").get(&token.algorithm())
        );
    }
}

#[test]
fn certificates_are_needed() {
    for nothing in [&b""[..], b"\n", b"\r\n\n", b" ", b"x"] {
        assert!(Trust::from_pem(nothing).is_err());
    }
    let vectors = vectors();
    let first = vectors
        .trust
        .split_inclusive("-----END CERTIFICATE-----\n")
        .next();
    let trust = Trust::from_pem(first.unwrap().as_bytes()).unwrap();
    // Renewed by an authority that nobody vouches for now.
    let case = vectors
        .cases
        .iter()
        .find(|case| case.name.contains("RSA"))
        .unwrap();
    let record = EvidenceRecord::parse(&bytes(&case.record)).unwrap();
    let verified = record.verify(&digests(&case.file), &trust, &Sunsets::new(), case.now);
    assert!(words(&verified.unwrap_err()).contains("does not lead to one that is trusted"));
}
