//! Records over a few files, with an authority of the tests' own.

mod authority;

use self::authority::Authority;
use super::*;

const DAY: u64 = 86_400;
/// When the tests begin.
const START: u64 = 1_800_000_000;

fn digests(content: &[u8]) -> Digests {
    let all = ArchiveDigest::ALL.into_iter();
    all.map(|algorithm| (algorithm, algorithm.hash([content])))
        .collect()
}

/// Renews at a time, with an authority that others trust.
fn renew(
    bases: Vec<(Basis, Digests)>,
    algorithm: ArchiveDigest,
    by: &Authority,
    trust: &Trust,
    at: u64,
) -> Result<Vec<EvidenceRecord>, (usize, RenewalError)> {
    let renewal = Renewal::new(algorithm, bases, (trust, &Sunsets::new()), at)?;
    let (algorithm, imprint) = renewal.imprint();
    let token = by.stamp(algorithm, imprint, at);
    renewal
        .finish(&token, trust, at)
        .map_err(|error| (0, error))
}

fn basis(record: &EvidenceRecord) -> Basis {
    Basis::Record(Box::new(record.clone()))
}

/// Two authorities, one after the other: the first one's certificate ends after 100 days.
fn world() -> (Authority, Authority, Trust) {
    let first = Authority::new(1, START, START + 100 * DAY);
    let second = Authority::new(2, START, START + 1_000 * DAY);
    let pem = [first.root_pem(), second.root_pem()].concat();
    (first, second, Trust::from_pem(pem.as_bytes()).unwrap())
}

#[test]
fn a_record_outlives_its_certificate_and_its_algorithm() {
    use ArchiveDigest::{Sha256, Sha512};
    let (first, second, trust) = world();
    let files: Vec<Digests> = ["a", "b", "c"].map(|it| digests(it.as_bytes())).into();
    let fresh = files.iter().map(|it| (Basis::File, it.clone())).collect();
    let made = renew(fresh, Sha256, &first, &trust, START).unwrap();
    // Over the time stamp, before the certificate ends; with a file that is new.
    let mut bases: Vec<_> = made.iter().map(basis).zip(files.iter().cloned()).collect();
    bases.push((Basis::File, digests(b"d")));
    let renewed = renew(bases, Sha256, &second, &trust, START + 90 * DAY).unwrap();
    // Over the file too, with another algorithm.
    let bases = renewed
        .iter()
        .take(3)
        .map(basis)
        .zip(files.iter().cloned())
        .collect();
    let rehashed = renew(bases, Sha512, &second, &trust, START + 500 * DAY).unwrap();
    let again = rehashed
        .iter()
        .map(basis)
        .zip(files.iter().cloned())
        .collect();
    let again = renew(again, Sha512, &second, &trust, START + 600 * DAY).unwrap();
    let sunsets = Sunsets::from([(Sha256, START + 550 * DAY)]);
    for (record, digests) in again.iter().zip(&files) {
        let record = EvidenceRecord::parse(&record.encode()).unwrap();
        let now = START + 900 * DAY;
        let verified = record.verify(digests, &trust, &sunsets, now).unwrap();
        let times = verified.stamps.iter().map(|it| it.time_ms / 1_000 - START);
        assert!(times.eq([0, 90, 500, 600].map(|days| days * DAY)));
        assert_eq!(verified.relied_until, START + 1_000 * DAY);
        let other = self::digests(b"another file");
        assert!(record.verify(&other, &trust, &sunsets, now).is_err());
        let late = record.verify(digests, &trust, &sunsets, START + 1_001 * DAY);
        assert!(matches!(
            late,
            Err(EvidenceRecordError::Token {
                chain: 2,
                number: 2,
                ..
            })
        ));
        // Given up before the chain that does without it began.
        let early = Sunsets::from([(Sha256, START + 499 * DAY)]);
        let early = record.verify(digests, &trust, &early, now);
        assert!(
            matches!(early, Err(EvidenceRecordError::Sunset { chain: 1, .. })),
            "{early:?}"
        );
    }
    // What was renewed in time holds, what was not does not.
    let late = made[0].verify(&files[0], &trust, &Sunsets::new(), START + 101 * DAY);
    assert!(matches!(
        late,
        Err(EvidenceRecordError::Token {
            chain: 1,
            number: 1,
            ..
        })
    ));
}

#[test]
fn what_does_not_hold_is_not_renewed() {
    let (first, second, trust) = world();
    let a = digests(b"a");
    let algorithm = ArchiveDigest::Sha256;
    let fresh = vec![(Basis::File, a.clone())];
    let made = renew(fresh, algorithm, &first, &trust, START).unwrap();
    let try_at = |digests: &Digests, by: &Authority, at: u64| {
        let good = (Basis::File, digests.clone());
        renew(
            vec![good, (basis(&made[0]), digests.clone())],
            algorithm,
            by,
            &trust,
            at,
        )
    };
    let expired = try_at(&a, &second, START + 101 * DAY);
    assert!(
        matches!(expired, Err((1, RenewalError::Void(_)))),
        "{expired:?}"
    );
    let changed = try_at(&digests(b"b"), &second, START + DAY);
    assert!(
        matches!(changed, Err((1, RenewalError::Void(_)))),
        "{changed:?}"
    );
    let stranger = Authority::new(3, START, START + 1_000 * DAY);
    let untrusted = try_at(&a, &stranger, START + DAY);
    assert!(
        matches!(untrusted, Err((0, RenewalError::Token(_)))),
        "{untrusted:?}"
    );
    assert!(try_at(&a, &second, START + DAY).is_ok());
}

#[test]
fn no_byte_of_a_record_can_be_changed() {
    let (first, second, trust) = world();
    let (a, sunsets) = (digests(b"a"), Sunsets::new());
    let files = vec![(Basis::File, a.clone()), (Basis::File, digests(b"b"))];
    let algorithm = ArchiveDigest::Sha256;
    let made = renew(files, algorithm, &first, &trust, START).unwrap();
    let bases = vec![(basis(&made[0]), a.clone())];
    let record = renew(bases, algorithm, &second, &trust, START + 50 * DAY).unwrap();
    let der = record[0].encode();
    let now = START + 60 * DAY;
    let verified = |der: &[u8]| {
        let record = EvidenceRecord::parse(der).ok()?;
        assert_eq!(record.encode(), der);
        record.verify(&a, &trust, &sunsets, now).ok()
    };
    let whole = verified(&der).unwrap();
    let mut spared = 0;
    for at in 0..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 1;
        if let Some(still) = verified(&changed) {
            // Unsigned parts say nothing: the list of algorithms, and of the token what CMS leaves
            // unsigned.
            assert_eq!(still, whole);
            spared += 1;
        }
    }
    assert!(spared < 80, "{spared}");
    for cut in 0..der.len() {
        assert!(EvidenceRecord::parse(&der[..cut]).is_err(), "{cut}");
    }
    assert!(EvidenceRecord::parse(&[der.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn a_reply_is_read_and_a_refusal_too() {
    let (first, _, _) = world();
    let digest = ArchiveDigest::Sha256.hash([b"a".as_slice()]);
    let query = query(ArchiveDigest::Sha256, &digest, 0x80);
    assert_eq!(query[..2], [0x30, u8::try_from(query.len() - 2).unwrap()]);
    let refusal = [0x30, 9, 0x30, 7, 2, 1, 2, 0x30, 2, 0x0c, 0];
    let refused = read_reply(&refusal, 1);
    assert!(
        matches!(refused, Err(QueryError::Refused { status: 2, .. })),
        "{refused:?}"
    );
    assert_eq!(read_reply(b"", 1), Err(QueryError::Malformed));
    let token = first.stamp(ArchiveDigest::Sha256, &digest, START);
    let status = [0x30, 3, 2, 1, 0];
    let body = [status.as_slice(), token.der()].concat();
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    let reply = [[0x30, 0x82].as_slice(), &length, &body].concat();
    assert_eq!(read_reply(&reply, 0).unwrap(), token);
    assert_eq!(read_reply(&reply, 7), Err(QueryError::Nonce));
}
