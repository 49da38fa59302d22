//! Evidence records and replies of authorities, as whoever renews reads them (SPEC §11.5).

use std::sync::LazyLock;

use tbsi_light::archive::{ArchiveDigest, Digests, EvidenceRecord, Sunsets, Trust, reply_token};

use super::{Target, canonical};
use crate::corpus::{hex_of, vectors};

/// The certificates of the vectors, and the digests of one file.
static WORLD: LazyLock<(Trust, Digests)> = LazyLock::new(|| {
    let vectors = vectors("evidence_records.json");
    let pem = vectors["trust"].as_str().expect("certificates");
    let trust = Trust::from_pem(pem.as_bytes()).expect("certificates");
    let all = ArchiveDigest::ALL.into_iter();
    let digests = all.map(|algorithm| (algorithm, algorithm.hash([b"a".as_slice()])));
    (trust, digests.collect())
});

pub(super) const EVIDENCE_RECORD: Target = Target::binary(
    "evidence-record",
    |bytes| {
        let Ok(record) = EvidenceRecord::parse(bytes) else {
            return;
        };
        canonical(bytes, Some(record.encode()));
        let (trust, digests) = &*WORLD;
        let verified = record.verify(digests, trust, &Sunsets::new(), 1_605_000_000);
        if let Ok(verified) = verified {
            assert!(!verified.stamps.is_empty() && verified.relied_until >= 1_605_000_000);
        }
    },
    || hex_of(&vectors("evidence_records.json"), "cases", "record"),
)
.slow(4_000)
.heap(96);

pub(super) const TIME_STAMP_REPLY: Target = Target::binary(
    "time-stamp-reply",
    |bytes| {
        if let Ok(token) = reply_token(bytes) {
            assert_eq!(token.imprint().len(), token.algorithm().length());
        }
    },
    || hex_of(&vectors("evidence_records.json"), "replies", "reply"),
)
.slow(20_000)
.heap(96);
