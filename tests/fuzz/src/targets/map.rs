//! Proofs with the map, as whoever relies on a status reads them (SPEC §10.7).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use alloy_primitives::B256;
use tbsi_light::{TrustAnchor, verify_map};
use tbsi_types::Genesis;
use tbsi_types::bundle::MapBundle;
use tbsi_types::map::MapEnd;

use super::{Target, canonical};
use crate::corpus::{hex_of, vectors};

pub(super) const MAP_BUNDLE: Target = Target::binary("map-bundle", bundle, || {
    hex_of(&vectors("map.json"), "proofs", "compact")
})
.slow(20_000);

pub(super) const MAP_BUNDLE_JSON: Target =
    Target::text("map-bundle-json", bundle_json, bundles_json, JSON_WORDS).slow(8_000);

const JSON_WORDS: &[&str] = &[
    "null",
    "true",
    "-1",
    "257",
    "4294967296",
    "\"0x\"",
    "{}",
    "[]",
    "\"kind\":\"digest\"",
    "\"kind\":\"schema\"",
    "\"value\":",
    "\"other\":",
];

/// Each entry's key with its value.
type Entries = BTreeSet<(B256, Vec<u8>)>;

/// The vectors' network, and what its map says.
static SAID: LazyLock<(TrustAnchor, Entries)> = LazyLock::new(|| {
    let vectors = vectors("map.json");
    let genesis = Genesis::parse(vectors["genesis"].to_string().as_bytes());
    let anchor = TrustAnchor::genesis(&genesis.expect("a genesis")).expect("it has validators");
    let seeds = (MAP_BUNDLE.made)();
    let bundles = seeds.iter().filter_map(|seed| MapBundle::decode(seed).ok());
    let good = bundles.filter(|bundle| verify_map(bundle, &anchor).is_ok());
    let said = good.flat_map(|bundle| bundle.entries).filter_map(|entry| {
        let MapEnd::Entry(value) = entry.answer.end else {
            return None;
        };
        Some((entry.question.key(), value))
    });
    let said: Entries = said.collect();
    assert!(!said.is_empty(), "the vectors prove something");
    (anchor, said)
});

/// No mutant proves what the map does not say.
fn proves_only_what_is_said(bundle: &MapBundle) {
    let (anchor, said) = &*SAID;
    if verify_map(bundle, anchor).is_err() {
        return;
    }
    for entry in &bundle.entries {
        let key = entry.question.key();
        match &entry.answer.end {
            MapEnd::Entry(value) => assert!(said.contains(&(key, value.clone())), "{key}"),
            MapEnd::Nothing | MapEnd::Other { .. } => {
                assert!(
                    said.iter().all(|(known, _)| *known != key),
                    "{key} has an entry"
                );
            }
        }
    }
}

fn bundle(bytes: &[u8]) {
    let Ok(bundle) = MapBundle::decode(bytes) else {
        return;
    };
    let again = bundle.encode().expect("what was read is written");
    canonical(bytes, Some(again));
    let json = bundle.to_json().expect("every proof has a JSON form");
    let parsed = MapBundle::parse_json(json.as_bytes()).expect("it is read");
    assert_eq!(parsed, bundle);
    proves_only_what_is_said(&bundle);
}

fn bundle_json(bytes: &[u8]) {
    let Ok(bundle) = MapBundle::parse_json(bytes) else {
        return;
    };
    let json = bundle.to_json().expect("what was read is written");
    let again = MapBundle::parse_json(json.as_bytes()).expect("it is read again");
    assert_eq!(again, bundle);
    // One that contradicts itself has no compact form.
    if let Ok(compact) = bundle.encode() {
        assert_eq!(MapBundle::decode(&compact).expect("it is read"), bundle);
    }
    proves_only_what_is_said(&bundle);
}

fn bundles_json() -> Vec<Vec<u8>> {
    let vectors = vectors("map.json");
    let cases = vectors["proofs"].as_array().expect("a list");
    let json = cases.iter().filter(|case| case["json"].is_object());
    json.map(|case| case["json"].to_string().into_bytes())
        .collect()
}
