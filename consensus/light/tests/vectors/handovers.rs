//! Long chains of handovers, as a stream.

use std::io::{Cursor, ErrorKind};

use tbsi_light::{HandoverFollower, TrustAnchor, verify_bundle};
use tbsi_types::bundle::{
    HandoverReader, HandoverRecord, HandoverStreamError, HandoverWriter, NamedValidators,
};
use tbsi_types::{Genesis, ProofBundle};

use crate::fixture::travelled;
use crate::make::genesis;
use crate::words;

/// The stream of a bundle's handovers.
fn stream(genesis: &Genesis, bundle: &ProofBundle) -> Vec<u8> {
    let first = NamedValidators::of_genesis(genesis).unwrap();
    let (mut writer, mut bytes) = HandoverWriter::begin(genesis.identity(), first).unwrap();
    for (position, handover) in bundle.handovers.iter().enumerate() {
        let record = HandoverRecord {
            last: handover.last.clone(),
            first: handover.first.clone(),
            next: bundle.set_after(position).clone(),
        };
        bytes.extend(writer.record(&record).unwrap());
    }
    bytes
}

fn follow(bytes: &[u8], anchor: TrustAnchor) -> Result<HandoverFollower, String> {
    let mut reader = HandoverReader::open(Cursor::new(bytes)).map_err(|error| words(&error))?;
    let mut follower = HandoverFollower::from(anchor);
    while let Some((handover, next)) = reader.record().map_err(|error| words(&error))? {
        let followed = follower.follow(&handover, &next);
        followed.map_err(|error| words(&error))?;
    }
    Ok(follower)
}

#[test]
fn a_stream_leads_where_its_bundle_does() {
    let genesis = genesis();
    let bundle = travelled(&genesis);
    let from = TrustAnchor::genesis(&genesis).unwrap();
    let follower = follow(&stream(&genesis, &bundle), from).unwrap();
    assert_eq!(follower.followed(), 2);
    let mut short = bundle.clone();
    short.handovers.clear();
    assert!(verify_bundle(&short, &from).is_err());
    verify_bundle(&short, follower.anchor()).unwrap();
    // The longer form verifies from there as well.
    verify_bundle(&bundle, follower.anchor()).unwrap();
}

#[test]
fn a_gap_another_order_or_network_is_refused() {
    let genesis = genesis();
    let bundle = travelled(&genesis);
    let from = TrustAnchor::genesis(&genesis).unwrap();
    let refused = |bundle: &ProofBundle, expected: &str| {
        let error = follow(&stream(&genesis, bundle), from).unwrap_err();
        assert!(error.contains(expected), "`{error}` lacks `{expected}`");
    };
    let handover = |position: usize| bundle.handovers[position].clone();
    let lacking = |keep: &[usize]| ProofBundle {
        handovers: keep.iter().map(|it| handover(*it)).collect(),
        ..bundle.clone()
    };
    // What does not follow cannot even be written, because a record stands on the one before.
    let (mut writer, _) = HandoverWriter::begin(
        genesis.identity(),
        NamedValidators::of_genesis(&genesis).unwrap(),
    )
    .unwrap();
    let second = HandoverRecord {
        last: handover(1).last,
        first: handover(1).first,
        next: bundle.validators.clone(),
    };
    assert!(writer.record(&second).is_err());
    let mut unsigned = lacking(&[0, 1]);
    unsigned.handovers[1].last.certificate = {
        let certificate = &unsigned.handovers[1].last.certificate;
        tbsi_types::CommitCertificate::new(
            certificate.height,
            certificate.round,
            certificate.checkpoint_digest,
            certificate.signatures()[..1].to_vec(),
        )
        .unwrap()
    };
    refused(&unsigned, "voting power");
    let good = stream(&genesis, &bundle);
    let mut other = genesis.clone();
    other.name = "another".into();
    let elsewhere = TrustAnchor::genesis(&other).unwrap();
    assert!(follow(&good, elsewhere).is_err());
}

#[test]
fn every_changed_or_missing_byte_is_noticed() {
    let genesis = genesis();
    let bundle = travelled(&genesis);
    let from = TrustAnchor::genesis(&genesis).unwrap();
    let good = stream(&genesis, &bundle);
    let end = follow(&good, from).unwrap();
    let mut cut = 0;
    for length in 0..good.len() {
        match follow(&good[..length], from) {
            // Cut between two records it is a shorter stream.
            Ok(follower) => {
                assert!(follower.followed() < end.followed());
                cut += 1;
            }
            Err(error) => assert!(!error.is_empty()),
        }
    }
    assert_eq!(cut, 2, "after the head and after the first record");
    // Chain id and genesis hash are compared by whoever opens it; here signatures refuse them.
    for position in 0..good.len() {
        let mut changed = good.clone();
        changed[position] ^= 1;
        let followed = follow(&changed, from);
        let same = followed.is_ok_and(|it| it.anchor() == end.anchor());
        assert!(!same, "byte {position}");
    }
}

#[test]
fn lengths_are_bounded_before_they_are_allocated() {
    let genesis = genesis();
    let bundle = travelled(&genesis);
    let mut bytes = stream(&genesis, &bundle);
    bytes.truncate(44);
    bytes.extend(u32::MAX.to_be_bytes());
    let error = HandoverReader::open(Cursor::new(&bytes)).unwrap_err();
    assert!(matches!(
        error,
        HandoverStreamError::Length {
            number: 0,
            got: u32::MAX
        }
    ));
    bytes.truncate(44);
    bytes.extend(1000u32.to_be_bytes());
    let error = HandoverReader::open(Cursor::new(&bytes)).unwrap_err();
    assert!(
        matches!(&error, HandoverStreamError::Io(cause) if cause.kind() == ErrorKind::UnexpectedEof),
        "{error:?}"
    );
    assert!(matches!(
        HandoverReader::open(Cursor::new(
            &b"TBP1 and so on, long enough for a head of such a file"[..]
        )),
        Err(HandoverStreamError::Format)
    ));
}
