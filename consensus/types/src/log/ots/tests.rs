use super::*;
use crate::log::tree::{leaf_hash, node_hash};

const URL: &str = "http://127.0.0.1:8545";

/// From `message` on to a calendar's promise.
fn promised(message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut writer = OtsWriter::default();
    writer.prepend(b"before");
    writer.append(b"after");
    writer.sha256();
    writer.pending(URL, true);
    let hashed = sha256(&[b"before", message, b"after"]);
    (writer.finish(), hashed.to_vec())
}

#[test]
fn reads_what_it_writes() {
    let (bytes, hashed) = promised(b"message");
    let found = read_ots(&bytes, b"message").unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, hashed);
    assert_eq!(found[0].notary, OtsNotary::Pending(URL.into()));
    assert_eq!(found[0].place.1, bytes.len());
    assert!(found[0].is_last);
    let digest = B256::repeat_byte(7);
    let file = OtsWriter::file(digest).finish_with(&bytes);
    let (read, found) = read_ots_file(&file).unwrap();
    assert_eq!((read, found.len()), (digest, 1));
}

#[test]
fn a_path_leads_to_the_root() {
    let [a, b, c] = [b"a", b"b", b"c"].map(|leaf| leaf_hash(leaf));
    let root = node_hash(&node_hash(&a, &b), &c);
    for (leaf, index, path) in [
        (b"a", 0, vec![b, c]),
        (b"b", 1, vec![a, c]),
        (b"c", 2, vec![node_hash(&a, &b)]),
    ] {
        let mut writer = OtsWriter::default();
        writer.prepend(&[0]);
        writer.sha256();
        let (index, size) = (LeafIndex(index), TreeSize(3));
        writer.path(index, size, &InclusionProof(path)).unwrap();
        writer.pending(URL, true);
        let found = read_ots(&writer.finish(), leaf).unwrap();
        assert_eq!(found[0].message, root.as_slice());
    }
    let short = InclusionProof(vec![a]);
    let mut writer = OtsWriter::default();
    assert!(writer.path(LeafIndex(0), TreeSize(3), &short).is_err());
}

#[test]
fn every_branch_is_followed() {
    let mut writer = OtsWriter::default();
    writer.pending(URL, false);
    writer.sha256();
    writer.pending(URL, false);
    let bytes = writer.finish_with(&bitcoin(700_000));
    let found = read_ots(&bytes, b"m").unwrap();
    let hashed = sha256(&[b"m"]).to_vec();
    let messages: Vec<_> = found.iter().map(|it| it.message.clone()).collect();
    assert_eq!(messages, [b"m".to_vec(), hashed.clone(), hashed]);
    let last: Vec<_> = found.iter().map(|it| it.is_last).collect();
    assert_eq!(last, [false, false, true]);
    assert_eq!(found[2].notary, OtsNotary::Bitcoin(700_000));
}

fn bitcoin(height: u64) -> Vec<u8> {
    let mut payload = Vec::new();
    write_number(&mut payload, height);
    let mut bytes = [[ATTESTATION].as_slice(), &BITCOIN].concat();
    write_bytes(&mut bytes, &payload);
    bytes
}

#[test]
fn names_what_is_wrong() {
    let (good, _) = promised(b"m");
    let check = |bytes: &[u8], expected: OtsError| {
        assert_eq!(read_ots(bytes, b"m"), Err(expected));
    };
    for end in 0..good.len() {
        check(&good[..end], OtsError::Cut(end));
    }
    check(
        &[good.as_slice(), &[8]].concat(),
        OtsError::Surplus(good.len()),
    );
    check(&[0x67], OtsError::Operation(0x67));
    check(&[APPEND, 0], OtsError::Range(1));
    check(&[APPEND, 0x80, 0x00], OtsError::Range(1));
    check(&[APPEND, 0x81, 0x20], OtsError::Range(1));
    let deep = [vec![SHA256; OTS_DEPTH_MAX + 1], bitcoin(1)].concat();
    check(&deep, OtsError::Depth);
    assert_eq!(read_ots(&deep[1..], b"m").unwrap().len(), 1);
    check(&[FORK, SHA256].repeat(100), OtsError::Branches);
    let many = [[FORK].as_slice(), &bitcoin(1)].concat().repeat(17);
    check(&many, OtsError::Branches);
    let mut full = vec![APPEND, 0x80, 0x20];
    full.extend(vec![1; 4_096]);
    check(&full, OtsError::Message);
    let mut url = OtsWriter::default();
    url.pending("http://a", true);
    let url = url.finish();
    let at = url.len() - 1;
    check(&[&url[..at], b"?"].concat(), OtsError::Url);
    let surplus = [[ATTESTATION].as_slice(), &BITCOIN, &[2, 1, 1]].concat();
    check(&surplus, OtsError::Surplus(surplus.len()));
    let long = vec![SHA256; OTS_BYTES_MAX + 1];
    check(&long, OtsError::TooLong(long.len()));
    assert_eq!(read_ots_file(&good), Err(OtsError::Header));
}

#[test]
fn commitments_are_those_of_our_own_attestations() {
    let root = "ab".repeat(32);
    let parsed = OtsCommitment::parse(&root);
    assert_eq!(parsed, Ok(OtsCommitment::Root(B256::repeat_byte(0xab))));
    for bad in ["", "a", "0x", "zz", &"ab".repeat(31), &"00".repeat(100)] {
        assert_eq!(
            OtsCommitment::parse(bad),
            Err(OtsError::Commitment),
            "{bad}"
        );
    }
    let with_prefix = format!("0x{root}");
    assert_eq!(
        OtsCommitment::parse(&with_prefix),
        Err(OtsError::Commitment)
    );
    let long = "0".repeat(2_000);
    assert_eq!(OtsCommitment::parse(&long), Err(OtsError::Commitment));
}
