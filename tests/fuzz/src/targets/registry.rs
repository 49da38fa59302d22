//! Proofs with the registry, as whoever reads a name in them (SPEC §10.11).

use std::sync::LazyLock;

use tbsi_light::{TrustAnchor, VerifiedBundle, prove_issuer, verify_bundle, verify_map};
use tbsi_types::bundle::{LeafProof, RegistryBundle, RegistryPart};
use tbsi_types::{Genesis, LegalRecord};

use super::{Target, canonical};
use crate::corpus::{hex_of, vectors};

pub(super) const REGISTRY_BUNDLE: Target = Target::binary("registry-bundle", bundle, || {
    hex_of(&vectors("registry.json"), "proofs", "compact")
})
.slow(10_000);

pub(super) const REGISTRY_BUNDLE_JSON: Target = Target::text(
    "registry-bundle-json",
    bundle_json,
    bundles_json,
    JSON_WORDS,
)
.slow(4_000);

const JSON_WORDS: &[&str] = &[
    "null",
    "-1",
    "4294967296",
    "\"0x\"",
    "{}",
    "[]",
    "\"map\":null",
    "\"membership\":",
    "\"taxId\":",
    "\"nodes\":[]",
];

/// The vectors' leaves with the parts that are true of them.
static SAID: LazyLock<Vec<(VerifiedBundle, RegistryPart)>> = LazyLock::new(|| {
    let vectors = vectors("registry.json");
    let genesis = Genesis::parse(vectors["genesis"].to_string().as_bytes());
    let anchor = TrustAnchor::genesis(&genesis.expect("a genesis")).expect("it has validators");
    let seeds = (REGISTRY_BUNDLE.made)();
    let bundles = seeds
        .iter()
        .filter_map(|seed| RegistryBundle::decode(seed).ok());
    let said = bundles.filter_map(|bundle| {
        let verified = match &bundle.proof {
            LeafProof::Bundle(proof) => verify_bundle(proof, &anchor).ok()?,
            LeafProof::Map(map) => verify_map(map, &anchor).ok()?.bundle,
        };
        prove_issuer(&bundle.part, &verified).ok()?;
        Some((verified, bundle.part))
    });
    let said: Vec<_> = said.collect();
    assert!(!said.is_empty(), "the vectors prove something");
    said
});

/// No mutant of a part names anybody else for a leaf.
fn proves_only_what_is_said(part: &RegistryPart) {
    for (verified, good) in &*SAID {
        if let Ok(proven) = prove_issuer(part, verified) {
            let named: &LegalRecord = &good.legal;
            assert_eq!(&proven.legal, named);
        }
    }
}

fn bundle(bytes: &[u8]) {
    let Ok(bundle) = RegistryBundle::decode(bytes) else {
        return;
    };
    let again = bundle.encode().expect("what was read is written");
    canonical(bytes, Some(again));
    let json = bundle.to_json().expect("every proof has a JSON form");
    let parsed = RegistryBundle::parse_json(json.as_bytes()).expect("it is read");
    assert_eq!(parsed, bundle);
    proves_only_what_is_said(&bundle.part);
}

fn bundle_json(bytes: &[u8]) {
    let Ok(bundle) = RegistryBundle::parse_json(bytes) else {
        return;
    };
    let json = bundle.to_json().expect("what was read is written");
    let again = RegistryBundle::parse_json(json.as_bytes()).expect("it is read again");
    assert_eq!(again, bundle);
    // One that contradicts itself has no compact form.
    if let Ok(compact) = bundle.encode() {
        assert_eq!(
            RegistryBundle::decode(&compact).expect("it is read"),
            bundle
        );
    }
    proves_only_what_is_said(&bundle.part);
}

fn bundles_json() -> Vec<Vec<u8>> {
    let vectors = vectors("registry.json");
    let cases = vectors["proofs"].as_array().expect("a list");
    let json = cases.iter().filter(|case| case["json"].is_object());
    json.map(|case| case["json"].to_string().into_bytes())
        .collect()
}
