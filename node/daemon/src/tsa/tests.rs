use der::asn1::{Int, OctetString};
use der::{Any, Decode, Encode, Tag, Tagged};
use tbsi_home::config::TSA_POLICY;
use tbsi_light::archive::MessageImprint;
use x509_cert::ext::Extension;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::asn1::{generalized_time, rejected};
use super::*;

fn policy() -> ObjectIdentifier {
    TSA_POLICY.parse().unwrap()
}

fn request(oid: &str, digest: &[u8]) -> Request {
    Request {
        version: 1,
        message_imprint: MessageImprint {
            algorithm: AlgorithmIdentifierOwned {
                oid: oid.parse().unwrap(),
                parameters: Some(Any::null()),
            },
            digest: OctetString::new(digest).unwrap(),
        },
        policy: None,
        nonce: Some(Int::new(&[7; 8]).unwrap()),
        certificate: true,
        extensions: None,
    }
}

const SHA2_256: &str = "2.16.840.1.101.3.4.2.1";

fn failure(request: &Request) -> Option<FailInfo> {
    let parsed = Request::from_der(&request.to_der().unwrap()).expect("what was written");
    assert_eq!(&parsed, request, "DER reads back");
    Query::check(&parsed, policy())
        .err()
        .map(|rejection| rejection.failure)
}

#[test]
fn takes_the_hash_algorithms_of_the_chain_and_no_others() {
    for (oid, code, length, words) in [
        (SHA2_256, 0x12, 32, 1),
        ("2.16.840.1.101.3.4.2.2", 0x20, 48, 2),
        ("2.16.840.1.101.3.4.2.3", 0x13, 64, 2),
        ("2.16.840.1.101.3.4.2.6", 0x1015, 32, 1),
        ("2.16.840.1.101.3.4.2.8", 0x16, 32, 1),
        ("2.16.840.1.101.3.4.2.9", 0x15, 48, 2),
        ("2.16.840.1.101.3.4.2.10", 0x14, 64, 2),
        ("1.2.156.10197.1.401", 0x534d, 32, 1),
    ] {
        let digest = vec![9; length];
        let query = Query::check(&request(oid, &digest), policy()).unwrap();
        assert_eq!(query.algorithm, code, "{oid}");
        let joined = query.words().concat();
        assert_eq!(joined.len(), 32 * words, "{oid}");
        assert_eq!(joined[..length], digest, "{oid}");
        assert!(joined[length..].iter().all(|byte| *byte == 0), "{oid}");
        for wrong in [length - 1, length + 1, 0] {
            let found = failure(&request(oid, &vec![9; wrong]));
            assert_eq!(found, Some(FailInfo::BadDataFormat), "{oid} {wrong}");
        }
    }
    // SHA-1, MD5, SHA-224.
    for (oid, length) in [
        ("1.3.14.3.2.26", 20),
        ("1.2.840.113549.2.5", 16),
        ("2.16.840.1.101.3.4.2.4", 28),
    ] {
        let found = failure(&request(oid, &vec![9; length]));
        assert_eq!(found, Some(FailInfo::BadAlg), "{oid}");
    }
}

#[test]
fn says_which_field_of_a_query_is_refused() {
    let good = request(SHA2_256, &[9; 32]);
    assert_eq!(failure(&good), None);
    let change = |change: fn(&mut Request)| {
        let mut changed = good.clone();
        change(&mut changed);
        failure(&changed)
    };
    assert_eq!(change(|it| it.version = 2), Some(FailInfo::BadRequest));
    assert_eq!(change(|it| it.policy = Some(policy())), None);
    let other = change(|it| it.policy = Some("1.2.3.4".parse().unwrap()));
    assert_eq!(other, Some(FailInfo::UnacceptedPolicy));
    assert_eq!(change(|it| it.nonce = None), None);
    assert_eq!(change(|it| it.certificate = false), None);
    assert_eq!(
        change(|it| it.message_imprint.algorithm.parameters = None),
        None
    );
    let parameters = change(|it| {
        let any = Any::new(Tag::OctetString, [1]).unwrap();
        it.message_imprint.algorithm.parameters = Some(any);
    });
    assert_eq!(parameters, Some(FailInfo::BadAlg));
    let extension = change(|it| {
        it.extensions = Some(vec![Extension {
            extn_id: "1.2.3.4".parse().unwrap(),
            critical: false,
            extn_value: OctetString::new([5, 0]).unwrap(),
        }]);
    });
    assert_eq!(extension, Some(FailInfo::UnacceptedExtension));
}

#[test]
fn refuses_what_is_not_a_query_in_der() {
    let good = request(SHA2_256, &[9; 32]).to_der().unwrap();
    let surplus = [good.as_slice(), &[0]].concat();
    // `certReq FALSE`, the default, which DER leaves out.
    let mut default = [good.as_slice(), &[1, 1, 0]].concat();
    default[1] += 3;
    let failure = |bytes: &[u8]| Request::parse(bytes).unwrap_err().failure;
    for bytes in [
        &[],
        b"garbage".as_slice(),
        &good[..good.len() - 1],
        &surplus,
        &default,
        &[0x30, 0x80],
    ] {
        assert_eq!(failure(bytes), FailInfo::BadDataFormat, "{bytes:?}");
    }
    // No change of one bit makes anything panic.
    for position in 0..8 * good.len() {
        let mut bytes = good.clone();
        bytes[position / 8] ^= 1 << (position % 8);
        if let Ok(request) = Request::parse(&bytes) {
            let same = Query::check(&request, policy());
            let same = same.is_ok_and(|_| request.to_der().unwrap() == good);
            assert!(!same, "bit {position} does not count");
        }
    }
}

#[test]
fn writes_rejections_as_openssl_reads_them() {
    let text = |failure| rejected(&Rejection::new(failure, "no")).unwrap();
    // SEQUENCE { SEQUENCE { INTEGER 2, SEQUENCE { UTF8String "no" }, BIT STRING } }
    let head = |length: u8| {
        vec![
            0x30,
            length + 2,
            0x30,
            length,
            2,
            1,
            2,
            0x30,
            4,
            0x0c,
            2,
            b'n',
            b'o',
        ]
    };
    assert_eq!(
        text(FailInfo::BadAlg),
        [head(13), vec![3, 2, 7, 0x80]].concat()
    );
    assert_eq!(
        text(FailInfo::BadDataFormat),
        [head(13), vec![3, 2, 2, 0x04]].concat()
    );
    assert_eq!(
        text(FailInfo::UnacceptedPolicy),
        [head(14), vec![3, 3, 0, 0, 1]].concat()
    );
    assert_eq!(
        text(FailInfo::UnacceptedExtension),
        [head(15), vec![3, 4, 7, 0, 0, 0x80]].concat()
    );
    assert_eq!(
        text(FailInfo::SystemFailure),
        [head(16), vec![3, 5, 6, 0, 0, 0, 0x40]].concat()
    );
}

#[test]
fn writes_times_without_zeros_at_the_end() {
    for (millis, expected) in [
        (0, "19700101000000Z"),
        (1_700_000_000_000, "20231114221320Z"),
        (1_700_000_000_007, "20231114221320.007Z"),
        (1_700_000_000_070, "20231114221320.07Z"),
        (1_700_000_000_700, "20231114221320.7Z"),
        (253_402_300_799_999, "99991231235959.999Z"),
    ] {
        let time = generalized_time(TimestampMs(millis)).unwrap();
        assert_eq!(time.tag(), Tag::GeneralizedTime);
        assert_eq!(time.value(), expected.as_bytes(), "{millis}");
        assert_eq!(Any::from_der(&time.to_der().unwrap()).unwrap(), time);
    }
    assert!(
        generalized_time(TimestampMs(253_402_300_800_000)).is_err(),
        "year 10000"
    );
}

#[test]
fn a_time_counts_within_the_accuracy_only() {
    let check = |time, expected| {
        let (since, now) = (TimestampMs(10_000), TimestampMs(12_000));
        assert_eq!(
            is_accurate(TimestampMs(time), since, now),
            expected,
            "{time}"
        );
    };
    check(8_999, false);
    check(9_000, true);
    check(13_000, true);
    check(13_001, false);
    check(u64::MAX, false);
}
