//! Proofs with the registry, as whoever reads a name in them (SPEC §10.11).

use std::sync::LazyLock;

use tbsi_light::{
    ProvenRegistry, TrustAnchor, VerifiedBundle, prove_registry, verify_bundle, verify_map,
};
use tbsi_types::bundle::{LeafProof, RegistryBundle, RegistryPart};
use tbsi_types::{Genesis, NamedValidators};

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
    "\"issuer\":null",
    "\"membership\":",
    "\"validators\":[null]",
    "\"records\":[]",
    "\"taxId\":",
    "\"nodes\":[]",
];

/// The vectors' leaves, who could sign for them, and what is proven of both.
static SAID: LazyLock<Vec<(VerifiedBundle, NamedValidators, ProvenRegistry)>> =
    LazyLock::new(|| {
        let vectors = vectors("registry.json");
        let genesis = Genesis::parse(vectors["genesis"].to_string().as_bytes());
        let anchor = TrustAnchor::genesis(&genesis.expect("a genesis"));
        let anchor = anchor.expect("it has validators");
        let seeds = (REGISTRY_BUNDLE.made)();
        let bundles = seeds
            .iter()
            .filter_map(|seed| RegistryBundle::decode(seed).ok());
        let said = bundles.filter_map(|bundle| {
            let verified = match &bundle.proof {
                LeafProof::Bundle(proof) => verify_bundle(proof, &anchor).ok()?,
                LeafProof::Map(map) => verify_map(map, &anchor).ok()?.bundle,
            };
            let validators = bundle.proof.bundle().validators.clone();
            let proven = prove_registry(&bundle.part, &verified, &validators).ok()?;
            Some((verified, validators, proven))
        });
        let said: Vec<_> = said.collect();
        assert!(!said.is_empty(), "the vectors prove something");
        said
    });

/// No mutant of a part names anybody else for a leaf or a validator: of several good parts for one
/// leaf, each says less or the same.
fn proves_only_what_is_said(part: &RegistryPart) {
    for (verified, validators, _) in &*SAID {
        let Ok(proven) = prove_registry(part, verified, validators) else {
            continue;
        };
        let same = SAID
            .iter()
            .filter(|(it, of, _)| (it, of) == (verified, validators));
        let said: Vec<_> = same.map(|(.., said)| said).collect();
        let issuers = said.iter().map(|it| &it.issuer);
        if let Some(issuer) = &proven.issuer {
            let mut named = issuers.flatten();
            assert!(named.any(|it| it == issuer), "{issuer:?}");
        }
        for (at, operator) in proven.operators.iter().enumerate() {
            let mut named = said.iter().map(|it| &it.operators[at]);
            assert!(
                operator.is_none() || named.any(|it| it == operator),
                "{operator:?}"
            );
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
