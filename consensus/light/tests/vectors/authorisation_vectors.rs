//! `authorisation.json`: proofs that an organisation was authorised, good and bad.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tbsi_light::{NotAuthorised, ProvenAuthorisation, TrustAnchor, verify_authorisation};
use tbsi_types::authorisation::{AUTHORISATION_OFFERED, AUTHORISATION_REVOKED};
use tbsi_types::bundle::AuthorisationBundle;
use tbsi_types::contracts::ORGANISATIONS;
use tbsi_types::{BundleError, Genesis, Height};

use crate::authorisation_fixture::{
    Acted, GRANTEE, GRANTOR, HEIGHT, Said, purpose, purposes, states, story,
};
use crate::make::genesis;
use crate::{read, words};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AuthorisationVectors {
    description: String,
    genesis: Genesis,
    genesis_hash: B256,
    proofs: Vec<ProofCase>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProofCase {
    name: String,
    json: Value,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Expected {
    Verified(Summary),
    /// Words of the reason.
    Refused(String),
}

/// What a verifier must be able to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Summary {
    authorisation: u32,
    grantor: (u32, String),
    grantee: (u32, String),
    version: u32,
    since: Height,
    until: Option<Height>,
    known: Height,
    uses: usize,
    answers: Vec<Answer>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Answer {
    second: u64,
    purpose: Option<B256>,
    /// `authorised`, or why not.
    answer: String,
}

/// Asked of every proof: seconds before, between and after all acts, and purposes.
fn questions() -> Vec<(u64, Option<B256>)> {
    let audit = Some(purpose("audit"));
    let mut all: Vec<_> = [
        0, 3, 4, 5, 6, 8, 9, 11, 12, 14, 19, 20, 99, 100, 1_099, 1_100,
    ]
    .map(|at| (1_700_000_000 + at, audit))
    .into();
    all.extend([4, 6, 9, 14].map(|at| (1_700_000_000 + at, Some(purpose("statistics")))));
    all.extend([5, 7].map(|at| (1_700_000_000 + at, None)));
    all.push((u64::MAX, audit));
    all
}

fn summary(proven: &ProvenAuthorisation) -> Summary {
    let answer = |(second, purpose)| Answer {
        second,
        purpose,
        answer: match proven.at(second, purpose) {
            Ok(()) => "authorised",
            Err(NotAuthorised::NotBegun { .. }) => "notBegun",
            Err(NotAuthorised::Ended { .. }) => "ended",
            Err(NotAuthorised::OtherTime { .. }) => "otherTime",
            Err(NotAuthorised::OtherPurpose { .. }) => "otherPurpose",
            Err(NotAuthorised::NotKnown { .. }) => "notKnown",
        }
        .into(),
    };
    let (grantor, grantee) = (&proven.stated.grantor, &proven.stated.grantee);
    Summary {
        authorisation: proven.number,
        grantor: (proven.grantor, grantor.name_en.clone()),
        grantee: (proven.grantee, grantee.name_en.clone()),
        version: proven.stated.version,
        since: proven.in_force.since.1,
        until: proven.in_force.until.map(|(_, height)| height),
        known: proven.known,
        uses: proven.uses().count(),
        answers: questions().into_iter().map(answer).collect(),
    }
}

fn verify(
    parsed: Result<AuthorisationBundle, BundleError>,
    anchor: &TrustAnchor,
) -> Result<Summary, String> {
    let bundle = parsed.map_err(|error| words(&error))?;
    let proven = verify_authorisation(&bundle, anchor);
    proven.map(|it| summary(&it)).map_err(|error| words(&error))
}

fn of_bundle(name: &str, bundle: &AuthorisationBundle, refused: Option<&str>) -> ProofCase {
    let json = serde_json::from_str(&bundle.to_json().unwrap()).unwrap();
    of_json(name, json, refused)
}

fn of_json(name: &str, json: Value, refused: Option<&str>) -> ProofCase {
    let anchor = TrustAnchor::genesis(&genesis()).unwrap();
    let text = serde_json::to_vec(&json).unwrap();
    let got = verify(AuthorisationBundle::parse_json(&text), &anchor);
    let expected = match (got, refused) {
        (Ok(summary), None) => Expected::Verified(summary),
        (Err(got), Some(words)) => {
            assert!(got.contains(words), "{name}: {got}");
            Expected::Refused(words.into())
        }
        (got, _) => panic!("{name}: {got:?}"),
    };
    ProofCase {
        name: name.into(),
        json,
        expected,
    }
}

pub(crate) fn make() -> AuthorisationVectors {
    let genesis = genesis();
    let acted = Acted::new(&genesis, story(), &states());
    let mut proofs = good(&acted);
    proofs.extend(of_acts(&acted));
    proofs.extend(of_state(&genesis, &acted));
    proofs.extend(of_lies(&genesis));
    proofs.extend(of_parts(&acted));
    proofs.extend(of_form(&acted));
    AuthorisationVectors {
        description: "Proofs of authorisations (SPEC §20.4): what each says at some seconds, or \
                      words of the reason why it says nothing."
            .into(),
        genesis_hash: genesis.hash(),
        genesis,
        proofs,
    }
}

fn good(acted: &Acted<'_>) -> Vec<ProofCase> {
    let case =
        |name, own, acts: &[u64], version| of_bundle(name, &acted.proof(own, acts, version), None);
    vec![
        case("the first terms", 11, &[10], (7, 0)),
        case("the first terms and a use", 11, &[10, 12], (7, 0)),
        case("narrower terms", 13, &[10, 11], (7, 1)),
        case("wider terms", 15, &[10, 11, 14], (7, 2)),
        case("wider terms and a use", 15, &[10, 11, 14, 16], (7, 2)),
        case("terms that still hold", 19, &[18], (8, 0)),
    ]
}

/// Acts that are missing, too many, or others.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn of_acts(acted: &Acted<'_>) -> Vec<ProofCase> {
    let case = |name, own, acts: &[u64], version, refused| {
        of_bundle(name, &acted.proof(own, acts, version), Some(refused))
    };
    vec![
        case("without the offer", 11, &[], (7, 0), "leaf 11 accepts"),
        case("narrower terms alone", 13, &[], (7, 1), "shows not"),
        case(
            "a narrowing without the acceptance",
            13,
            &[10],
            (7, 1),
            "shows not",
        ),
        case(
            "a narrowing without the offer",
            13,
            &[11],
            (7, 1),
            "leaf 11 accepts",
        ),
        case(
            "wider terms without their offer",
            15,
            &[10, 11],
            (7, 2),
            "leaf 15 accepts",
        ),
        case(
            "wider terms without the first",
            15,
            &[14],
            (7, 2),
            "shows not",
        ),
        case("an offer", 10, &[], (7, 0), "leaf 10 begins no terms"),
        case(
            "an offer with its acceptance",
            10,
            &[11],
            (7, 0),
            "leaf 10 begins no terms",
        ),
        case("a use", 12, &[10, 11], (7, 0), "leaf 12 begins no terms"),
        case(
            "a revocation",
            17,
            &[10, 11],
            (7, 2),
            "leaf 17 begins no terms",
        ),
        case("an attestation", 3, &[10, 11], (7, 0), "leaf 3 is no act"),
        case(
            "with an attestation",
            11,
            &[3, 10],
            (7, 0),
            "leaf 3 is no act",
        ),
        case(
            "with a revocation",
            15,
            &[10, 11, 14, 17],
            (7, 2),
            "leaf 17 has nothing",
        ),
        case(
            "with a use of other terms",
            15,
            &[10, 11, 12, 14],
            (7, 2),
            "leaf 12 has nothing",
        ),
        case(
            "with other terms",
            15,
            &[10, 11, 13, 14],
            (7, 2),
            "leaf 13 has nothing",
        ),
        case(
            "with an offer of other terms",
            11,
            &[10, 14],
            (7, 0),
            "shows not",
        ),
        case(
            "acts in another order",
            13,
            &[11, 10],
            (7, 1),
            "leaf 10 is not in the order",
        ),
        case(
            "an act twice",
            13,
            &[10, 10, 11],
            (7, 1),
            "leaf 10 is not in the order",
        ),
        case(
            "its own act twice",
            11,
            &[10, 11],
            (7, 0),
            "leaf 11 is not in the order",
        ),
        case(
            "an offer of another authorisation",
            11,
            &[18],
            (7, 0),
            "of authorisation 8",
        ),
        case(
            "with another authorisation",
            11,
            &[10, 19],
            (7, 0),
            "of authorisation 8",
        ),
    ]
}

/// The state of other terms, or of none.
fn of_state(genesis: &Genesis, acted: &Acted<'_>) -> Vec<ProofCase> {
    let state = "proof of the state";
    let of_other = acted.proof(11, &[10], (7, 1));
    let absent = Acted::new(genesis, story(), &states()[1..]);
    let mut moved = states();
    moved[0].1 = [5, 6];
    let moved = Acted::new(genesis, story(), &moved);
    let good = || acted.proof(11, &[10], (7, 0));
    let mut surplus = good();
    surplus.nodes.push(Bytes::from_static(&[0x80]));
    let mut missing = good();
    missing.nodes.pop();
    let mut none = good();
    none.nodes.clear();
    let mut turned = good();
    turned.nodes.reverse();
    let mut changed = good();
    let last = changed.nodes.last_mut().unwrap();
    let mut bytes = last.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    *last = bytes.into();
    // As if it still held: the checkpoint was signed over another root.
    let open = [((7, 0), [4, 0])];
    let mut unsigned = good();
    unsigned.nodes = Acted::new(genesis, story(), &open)
        .proof(11, &[10], (7, 0))
        .nodes;
    vec![
        of_bundle("nodes to other terms", &of_other, Some(state)),
        of_bundle(
            "terms that the state has not",
            &absent.proof(11, &[10], (7, 0)),
            Some("no version 0"),
        ),
        of_bundle(
            "terms that began elsewhere",
            &moved.proof(11, &[10], (7, 0)),
            Some("with block 5 by the state, and with block 4"),
        ),
        of_bundle("a node too many", &surplus, Some(state)),
        of_bundle("a node too few", &missing, Some(state)),
        of_bundle("no nodes", &none, Some(state)),
        of_bundle("nodes in another order", &turned, Some(state)),
        of_bundle("a node changed", &changed, Some(state)),
        of_bundle(
            "nodes of a state that nobody signed",
            &unsigned,
            Some(state),
        ),
    ]
}

/// Logs that a quorum signed, and that the contract would not have made.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn of_lies(genesis: &Genesis) -> Vec<ProofCase> {
    let case = |name, edit: &dyn Fn(&mut Vec<Said>), acts: &[u64], refused| {
        let mut said = story();
        edit(&mut said);
        let acted = Acted::new(genesis, said, &states());
        of_bundle(name, &acted.proof(11, acts, (7, 0)), Some(refused))
    };
    let other_terms = "leaf 11 accepts terms that no leaf of the proof before it offers";
    vec![
        case(
            "accepted by the grantor",
            &|it| it[1].by = GRANTOR,
            &[10],
            "act of organisation 3",
        ),
        case(
            "accepted by a stranger",
            &|it| it[1].by = 9,
            &[10],
            "act of organisation 9",
        ),
        case(
            "offered by the grantee",
            &|it| it[0].by = GRANTEE,
            &[10],
            "act of organisation 5",
        ),
        case(
            "accepted more time",
            &|it| it[1].until += 1,
            &[10],
            other_terms,
        ),
        case(
            "accepted another purpose",
            &|it| it[1].purposes = purposes(&["statistics", "sale"]),
            &[10],
            other_terms,
        ),
        case(
            "accepted another data set",
            &|it| it[1].data_set = B256::repeat_byte(1),
            &[10],
            other_terms,
        ),
        case(
            "accepted another version",
            &|it| it[0].version = 1,
            &[10],
            other_terms,
        ),
        case(
            "accepted before it was offered",
            &|it| it.swap(0, 1),
            &[10],
            "leaf 11 begins no",
        ),
        case(
            "accepted twice, offered once",
            &|it| {
                it[2] = it[1].clone();
                it[2].height = 5;
            },
            &[10, 12],
            "leaf 12 accepts",
        ),
        case(
            "an act of another contract",
            &|it| it[1].contract = ORGANISATIONS,
            &[10],
            "leaf 11 is no act",
        ),
        case(
            "an offer by another contract",
            &|it| it[0].contract = Address::ZERO,
            &[10],
            "leaf 10 is no act",
        ),
        case(
            "an event that nobody knows",
            &|it| it[1].event = B256::repeat_byte(0xee),
            &[10],
            "leaf 11 is no act",
        ),
        case(
            "an acceptance that is a revocation",
            &|it| it[1].event = AUTHORISATION_REVOKED,
            &[10],
            "leaf 11 begins no terms",
        ),
        case(
            "an acceptance that is an offer",
            &|it| it[1].event = AUTHORISATION_OFFERED,
            &[10],
            "leaf 11 begins no terms",
        ),
    ]
}

/// Texts and places that are not the leaves', and the bundle itself.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn of_parts(acted: &Acted<'_>) -> Vec<ProofCase> {
    let case = |name, edit: &dyn Fn(&mut AuthorisationBundle), refused| {
        let mut bundle = acted.proof(13, &[10, 11], (7, 1));
        edit(&mut bundle);
        of_bundle(name, &bundle, Some(refused))
    };
    let flipped = |data: &Bytes| {
        let mut bytes = data.to_vec();
        bytes[40] ^= 1;
        Bytes::from(bytes)
    };
    vec![
        case(
            "its text changed",
            &|it| it.text.data = flipped(&it.text.data),
            "text of leaf 13",
        ),
        case(
            "its topics fewer",
            &|it| {
                it.text.topics.pop();
            },
            "text of leaf 13",
        ),
        case(
            "another act's text changed",
            &|it| it.acts[0].text.data = flipped(&it.acts[0].text.data),
            "text of leaf 10",
        ),
        case(
            "another act's text",
            &|it| it.acts[0].text = it.acts[1].text.clone(),
            "text of leaf 10",
        ),
        case(
            "an act at another place",
            &|it| it.acts[0].leaf_index.0 = 9,
            "inclusion of leaf 9",
        ),
        case(
            "an act beyond the log",
            &|it| it.acts[1].leaf_index.0 = 20,
            "inclusion of leaf 20",
        ),
        case(
            "an act with another path",
            &|it| it.acts[0].inclusion.0.reverse(),
            "inclusion of leaf 10",
        ),
        case(
            "an act without a path",
            &|it| it.acts[0].inclusion.0.clear(),
            "inclusion of leaf 10",
        ),
        case(
            "an act that is no leaf",
            &|it| it.acts[0].leaf.truncate(60),
            "leaf of an act",
        ),
        case(
            "another network",
            &|it| it.proof.genesis_hash = B256::repeat_byte(7),
            "genesis",
        ),
        case(
            "another state root",
            &|it| it.proof.decision.checkpoint.state_root = B256::repeat_byte(7),
            "the certificate decides",
        ),
        case(
            "another height",
            &|it| it.proof.decision.checkpoint.height = Height(HEIGHT + 1),
            "the certificate of height",
        ),
        case(
            "a path of the bundle's leaf",
            &|it| it.proof.inclusion.0.reverse(),
            "inclusion",
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn of_form(acted: &Acted<'_>) -> Vec<ProofCase> {
    let case = |name, edit: &dyn Fn(&mut Value), refused| {
        let bundle = acted.proof(11, &[10, 12], (7, 0));
        let mut json: Value = serde_json::from_str(&bundle.to_json().unwrap()).unwrap();
        edit(&mut json);
        of_json(name, json, Some(refused))
    };
    let form = "expected shape";
    vec![
        case(
            "another format",
            &|it| it["format"] = json!("tbsi-proof-1"),
            "newer software",
        ),
        case("a key more", &|it| it["more"] = json!(1), form),
        case(
            "a key more in the part",
            &|it| it["authorisation"]["more"] = json!(1),
            form,
        ),
        case(
            "a key more in an act",
            &|it| it["authorisation"]["acts"][0]["more"] = json!(1),
            form,
        ),
        case(
            "no nodes at all",
            &|it| it["authorisation"]["nodes"] = Value::Null,
            form,
        ),
        case(
            "the part as a list",
            &|it| it["authorisation"] = json!([[], [], []]),
            form,
        ),
        case(
            "the text as a list",
            &|it| it["authorisation"]["text"] = json!([[], "0x"]),
            form,
        ),
        case(
            "a position as text",
            &|it| it["authorisation"]["acts"][0]["leafIndex"] = json!("10"),
            form,
        ),
        case(
            "capitals",
            &|it| it["authorisation"]["nodes"][0] = json!("0xAB"),
            form,
        ),
        case(
            "no 0x",
            &|it| it["authorisation"]["text"]["data"] = json!("ab"),
            form,
        ),
        case(
            "too many acts",
            &|it| {
                let acts = vec![it["authorisation"]["acts"][0].clone(); 65];
                it["authorisation"]["acts"] = json!(acts);
            },
            "`acts` has 65",
        ),
        case(
            "too many nodes",
            &|it| it["authorisation"]["nodes"] = json!(vec!["0x80"; 129]),
            "`nodes` has 129",
        ),
        case(
            "a node too long",
            &|it| it["authorisation"]["nodes"] = json!([format!("0x{}", "00".repeat(1025))]),
            "`node` has 1025",
        ),
        case(
            "too many topics",
            &|it| it["authorisation"]["text"]["topics"] = json!(vec![B256::ZERO; 4]),
            "`topics` has 4",
        ),
        case(
            "a text too long",
            &|it| it["authorisation"]["text"]["data"] = json!(format!("0x{}", "00".repeat(8193))),
            "`data` has 8193",
        ),
    ]
}

#[test]
fn proofs_of_authorisations_verify_as_the_file_says() {
    let vectors: AuthorisationVectors = serde_json::from_str(&read("authorisation.json")).unwrap();
    let anchor = TrustAnchor::genesis(&vectors.genesis).unwrap();
    for case in &vectors.proofs {
        let text = serde_json::to_vec(&case.json).unwrap();
        let got = verify(AuthorisationBundle::parse_json(&text), &anchor);
        match (got, &case.expected) {
            (Ok(got), Expected::Verified(expected)) => assert_eq!(&got, expected, "{}", case.name),
            (Err(got), Expected::Refused(words)) => {
                assert!(got.contains(words), "{}: {got}", case.name);
            }
            (got, expected) => panic!("{}: got {got:?}, expected {expected:?}", case.name),
        }
    }
    let good = vectors.proofs.iter();
    let good = good.filter(|it| matches!(it.expected, Expected::Verified(_)));
    assert_eq!((good.count(), vectors.proofs.len()), (6, 78));
}

/// No hex digit of the part can be another one.
#[test]
fn every_byte_of_a_part_counts() {
    let genesis = genesis();
    let anchor = TrustAnchor::genesis(&genesis).unwrap();
    let acted = Acted::new(&genesis, story(), &states());
    let text = acted.proof(13, &[10, 11], (7, 1)).to_json().unwrap();
    let from = text.rfind("\"authorisation\"").unwrap();
    let holds = |text: &[u8]| {
        let parsed = AuthorisationBundle::parse_json(text);
        parsed.is_ok_and(|it| verify_authorisation(&it, &anchor).is_ok())
    };
    assert!(holds(text.as_bytes()));
    for at in (from..text.len()).step_by(7) {
        let mut other = text.clone().into_bytes();
        if other[at].is_ascii_hexdigit() {
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            assert!(!holds(&other), "byte {at}");
        }
    }
}
