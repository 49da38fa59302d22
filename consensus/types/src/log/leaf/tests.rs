use std::collections::BTreeSet;

use alloy_primitives::keccak256;

use super::*;

fn head() -> LeafHead {
    LeafHead {
        chain_id: 8_862_026,
        height: Height(7),
        time: TimestampMs(1_700_000_000_123),
        transaction_index: 3,
        ordinal: 9,
        issuer: Address::repeat_byte(0xaa),
    }
}

fn attestation(algorithm: u32, digest: &[u8]) -> Statement {
    Statement::Attestation(Attestation {
        schema: B256::repeat_byte(0x5c),
        algorithm,
        digest: DigestWords::of(algorithm, digest).unwrap(),
    })
}

fn statements() -> Vec<Statement> {
    let id = B256::repeat_byte(1);
    vec![
        attestation(0x12, &[0xd1; 32]),
        attestation(0x13, &[0xd2; 64]),
        attestation(0x20, &[0xd3; 48]),
        Statement::Revocation { id, reason: 2 },
        Statement::Supersession {
            id,
            successor: B256::repeat_byte(2),
        },
        Statement::CountersigningOpened {
            id,
            threshold: 2,
            deadline: 1_800_000_000,
            party_count: 3,
            parties_hash: B256::repeat_byte(3),
        },
        Statement::Countersignature {
            id,
            have: 1,
            need: 2,
        },
        Statement::SchemaRegistered {
            schema: B256::repeat_byte(4),
            text_hash: B256::repeat_byte(5),
            commits_to: 2,
            revocable: true,
        },
        Statement::AlgorithmSet {
            algorithm: 0x534d,
            bits: 256,
            status: 1,
        },
        Statement::MapRoot(MapRoot {
            root: B256::repeat_byte(22),
            entries: 23,
            height: Height(6),
            digest_height: Height(5),
            revoked_algorithms: B256::repeat_byte(24),
        }),
        Statement::GovernanceAct {
            event: B256::repeat_byte(6),
            body_hash: body_hash(&[B256::repeat_byte(7)], &[8; 32]),
        },
        Statement::Message {
            destination: B256::repeat_byte(9),
            receiver: B256::repeat_byte(10),
            sequence: 11,
            timeout: 12,
            payload_hash: B256::repeat_byte(13),
        },
        Statement::ForeignFact(ForeignFact {
            client: 14,
            assurance: 1,
            foreign_chain_id: 15,
            foreign_height: 16,
            foreign_time: 17,
            block_hash: B256::repeat_byte(18),
            account: Address::repeat_byte(19),
            slot: B256::repeat_byte(20),
            value: B256::repeat_byte(21),
        }),
    ]
}

fn leaf(statement: Statement) -> Leaf {
    Leaf {
        head: head(),
        statement,
    }
}

#[test]
fn decodes_what_it_encodes_and_nothing_else() {
    let mut seen = BTreeSet::new();
    for statement in statements() {
        let bytes = leaf(statement).encode().unwrap();
        assert!(bytes.len() <= LEAF_BYTES_MAX);
        assert_eq!(Leaf::decode(&bytes), Ok(leaf(statement)));
        assert!(seen.insert(bytes.clone()));
        for end in 0..bytes.len() {
            assert!(Leaf::decode(&bytes[..end]).is_err(), "{end} bytes");
        }
        let long = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Leaf::decode(&long), Err(CursorError::Trailing(1).into()));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = Leaf::decode(&flipped) {
                assert_eq!(other.encode().unwrap(), flipped, "bit {bit}");
            }
        }
    }
}

#[test]
fn an_attestation_of_256_bits_takes_117_bytes() {
    let bytes = leaf(attestation(0x12, &[1; 32])).encode().unwrap();
    // With prefix and padding two blocks of SHA-256, not three.
    assert_eq!(bytes.len(), 117);
}

#[test]
fn names_what_is_wrong() {
    let good = leaf(attestation(0x12, &[1; 32])).encode().unwrap();
    let check = |position: usize, byte: u8, expected: &str| {
        let mut bytes = good.clone();
        bytes[position] = byte;
        let error = Leaf::decode(&bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(0, 2, "version 2 is unknown");
    check(1, 0, "kind 0 is unknown");
    check(1, 9, "kind 9 is unknown");
    check(1, 17, "kind 17 is unknown");
    check(1, 34, "kind 34 is unknown");
    check(84, 64, "digest of 64 bytes, algorithm 0x12 takes 32");
    check(83, 0x13, "digest of 32 bytes, algorithm 0x13 takes 64");
    assert_eq!(Leaf::decode(&[1; 513]), Err(LeafError::TooLong(513)));
    let schema = leaf(statements()[7]).encode().unwrap();
    let flag = [&schema[..schema.len() - 1], &[2]].concat();
    assert_eq!(Leaf::decode(&flag), Err(LeafError::Flag(2)));
}

#[test]
fn refuses_numbers_that_do_not_fit() {
    let check = |change: &dyn Fn(&mut LeafHead), name: &str| {
        let mut wrong = leaf(statements()[0]);
        change(&mut wrong.head);
        let error = wrong.encode().unwrap_err();
        assert!(matches!(error, LeafError::Range { field, .. } if field == name));
    };
    check(&|head| head.height = Height(U48_MAX + 1), "height");
    check(&|head| head.time = TimestampMs(u64::MAX), "time");
    check(
        &|head| head.transaction_index = U24_MAX + 1,
        "transaction index",
    );
    check(&|head| head.ordinal = u32::MAX, "ordinal");
    let mut full = leaf(statements()[0]);
    full.head.height = Height(U48_MAX);
    full.head.ordinal = U24_MAX;
    assert_eq!(Leaf::decode(&full.encode().unwrap()), Ok(full));
}

#[test]
fn digests_fill_words() {
    assert_eq!(DigestWords::of(0x12, &[]), None);
    assert_eq!(DigestWords::of(0x12, &[0; 33]), None);
    assert_eq!(DigestWords::of(0x13, &[0; 65]), None);
    let padded = DigestWords::of(0x20, &[7; 48]).unwrap().to_bytes();
    assert_eq!(padded, [[7; 48].as_slice(), &[0; 16]].concat());
}

#[test]
fn the_tag_of_ids_is_the_hash_of_its_words() {
    assert_eq!(
        attestation::ATTESTATION_TAG,
        keccak256("TBSI attestation v1")
    );
}

#[test]
fn ids_bind_every_field() {
    let base = Attestation {
        schema: B256::repeat_byte(1),
        algorithm: 0x12,
        digest: DigestWords::of(0x12, &[2; 32]).unwrap(),
    };
    let issuer = Address::repeat_byte(3);
    let mut ids = BTreeSet::from([base.id(1, issuer)]);
    assert!(ids.insert(base.id(2, issuer)));
    assert!(ids.insert(base.id(1, Address::ZERO)));
    let schema = B256::ZERO;
    assert!(ids.insert(Attestation { schema, ..base }.id(1, issuer)));
    let algorithm = 0x16;
    assert!(ids.insert(Attestation { algorithm, ..base }.id(1, issuer)));
    let digest = DigestWords::of(0x12, &[4; 32]).unwrap();
    assert!(ids.insert(Attestation { digest, ..base }.id(1, issuer)));
    let two = DigestWords::of(0x13, &[2; 32]).unwrap();
    assert!(
        ids.insert(
            Attestation {
                digest: two,
                ..base
            }
            .id(1, issuer)
        )
    );
}

fn by(issuer: u8, statement: Statement) -> Leaf {
    let mut leaf = leaf(statement);
    leaf.head.issuer = Address::repeat_byte(issuer);
    leaf
}

/// That an issuer attests a digest.
pub(crate) fn attested(issuer: u8, digest: u8) -> Leaf {
    by(issuer, attestation(0x12, &[digest; 32]))
}

/// That `speaker` says of an attestation of `issuer` that it is revoked.
pub(crate) fn revoked(speaker: u8, issuer: u8, digest: u8) -> Leaf {
    let id = attested(issuer, digest).attestation_id().unwrap();
    let reason = digest.into();
    by(speaker, Statement::Revocation { id, reason })
}

/// That `speaker` says of an attestation of `issuer` that another takes its place.
pub(crate) fn superseded(speaker: u8, issuer: u8, digest: u8) -> Leaf {
    let id = attested(issuer, digest).attestation_id().unwrap();
    let successor = B256::repeat_byte(speaker);
    by(speaker, Statement::Supersession { id, successor })
}
