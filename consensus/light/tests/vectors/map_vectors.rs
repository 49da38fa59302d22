//! `map.json`: keys, roots, answers and proofs of the map, good and bad.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tbsi_light::{KnownUpTo, TrustAnchor, VerifiedMap, verify_map};
use tbsi_types::bundle::{MapBundle, MapEntry};
use tbsi_types::log::{Leaf, MapRoot, Statement};
use tbsi_types::map::{MapAnswer, MapEnd, MapQuestion, MapValue};
use tbsi_types::{Genesis, Height, LeafIndex};

use crate::fixture::ISSUER;
use crate::make::genesis;
use crate::map_fixture::{FINAL, Map, REVOCABLE, ROOT_AT, STRANGER, UNKNOWN, World, digest};
use crate::{read, words};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MapVectors {
    description: String,
    /// Entries of growing maps, in the order of their keys, and the roots.
    maps: Vec<MapCase>,
    answers: Vec<AnswerCase>,
    genesis: Genesis,
    genesis_hash: B256,
    proofs: Vec<ProofCase>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MapCase {
    keys: Vec<B256>,
    values: Vec<Bytes>,
    root: B256,
}

/// An answer, and what it leads to from a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AnswerCase {
    name: String,
    /// Bytes whose SHA-256 is the key: a tag and what is asked about.
    preimage: Bytes,
    key: B256,
    depth: u16,
    bitmap: Bytes,
    siblings: Vec<B256>,
    /// 0 nothing, 1 the key's entry, 2 another entry.
    end: u8,
    /// Of the other entry; zero if there is none.
    other_key: B256,
    value: Bytes,
    /// Of the map; zero if the answer is refused whatever the root.
    root: B256,
    /// Empty if the answer leads to the root.
    refused: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProofCase {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    compact: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    json: Option<Value>,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Expected {
    Verified(Box<Summary>),
    Refused(String),
}

/// What a verifier must be able to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Summary {
    root_index: LeafIndex,
    entries: u64,
    known_up_to: Known,
    digests_known_up_to: Known,
    digests: Vec<DigestSummary>,
    status: Option<StatusSummary>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Known {
    height: Height,
    time_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DigestSummary {
    digest: Bytes,
    first_leaf_index: Option<LeafIndex>,
    first_height: Option<Height>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StatusSummary {
    id: B256,
    issuer: Address,
    /// `notRevoked`, `revoked` or `algorithmRevoked`.
    status: String,
    revocation_leaf_index: Option<LeafIndex>,
    revocation_height: Option<Height>,
    reason: Option<u16>,
    successor: Option<B256>,
}

impl Summary {
    fn of(verified: &VerifiedMap) -> Self {
        let known = |known: &KnownUpTo| Known {
            height: known.height,
            time_ms: known.time.map(|time| time.0),
        };
        let digests = verified.digests.iter().map(|(question, first)| {
            let MapQuestion::Digest(words) = question else {
                panic!("of another kind")
            };
            DigestSummary {
                digest: words.to_bytes().into(),
                first_leaf_index: first.map(|it| it.index),
                first_height: first.map(|it| it.height),
            }
        });
        Self {
            root_index: verified.root_index,
            entries: verified.root.entries,
            known_up_to: known(&verified.known),
            digests_known_up_to: known(&verified.digests_known),
            digests: digests.collect(),
            status: verified.status.map(|status| StatusSummary {
                id: status.id,
                issuer: status.issuer,
                status: match (status.revocation, status.algorithm_revoked) {
                    (Some(_), _) => "revoked".into(),
                    (None, true) => "algorithmRevoked".into(),
                    (None, false) => "notRevoked".into(),
                },
                revocation_leaf_index: status.revocation.map(|it| it.index),
                revocation_height: status.revocation.map(|it| it.height),
                reason: status.revocation.map(|it| it.what),
                successor: status.supersession.map(|it| it.what),
            }),
        }
    }
}

pub(crate) fn make() -> MapVectors {
    let genesis = genesis();
    MapVectors {
        description: "The map: the roots of maps with these entries; answers, which lead to \
                      `root` from `key` or are to be refused; proofs in compact and JSON form, \
                      which are valid if the genesis file is trusted or are to be refused. A \
                      proof that contradicts itself has a JSON form only."
            .into(),
        maps: maps(),
        answers: answers(&genesis),
        genesis_hash: genesis.hash(),
        proofs: [
            good_proofs(&genesis),
            bad_proofs(&genesis),
            bad_forms(&genesis),
        ]
        .into_iter()
        .flatten()
        .collect(),
        genesis,
    }
}

fn maps() -> Vec<MapCase> {
    let world = World::new(&genesis());
    let case = |count: usize| {
        let leaves = || (0..).map(LeafIndex).zip(&world.leaves[..count]);
        let mut entries = std::collections::BTreeMap::<B256, MapValue>::new();
        for (index, leaf) in leaves() {
            if let Some((question, value)) = MapValue::of(index, leaf) {
                entries.entry(question.key()).or_insert(value);
            }
        }
        MapCase {
            keys: entries.keys().copied().collect(),
            values: entries.values().map(|it| it.encode().into()).collect(),
            root: Map::of(leaves()).root,
        }
    };
    [0, 1, 2, 3, 20, 34].map(case).into()
}

fn preimage(question: &MapQuestion) -> Bytes {
    let bytes = match question {
        MapQuestion::Digest(words) => [&b"TBSI-MAP-DIGEST-1"[..], &words.to_bytes()].concat(),
        MapQuestion::Status { id, issuer } => {
            [&b"TBSI-MAP-STATUS-1"[..], id.as_slice(), issuer.as_slice()].concat()
        }
        MapQuestion::Schema(schema) => [&b"TBSI-MAP-SCHEMA-1"[..], schema.as_slice()].concat(),
    };
    bytes.into()
}

fn answer_case(name: &str, question: &MapQuestion, answer: &MapAnswer, root: B256) -> AnswerCase {
    let key = question.key();
    let (end, other_key, value) = match &answer.end {
        MapEnd::Nothing => (0, B256::ZERO, Bytes::new()),
        MapEnd::Entry(value) => (1, B256::ZERO, value.clone().into()),
        MapEnd::Other { key, value } => (2, *key, value.clone().into()),
    };
    let refused = match answer.root(&key) {
        Ok(got) if got == root => String::new(),
        Ok(_) => "leads to root".into(),
        Err(error) => error.to_string(),
    };
    AnswerCase {
        name: name.into(),
        preimage: preimage(question),
        key,
        depth: answer.depth,
        bitmap: answer.bitmap.clone().into(),
        siblings: answer.siblings.clone(),
        end,
        other_key,
        value,
        root,
        refused,
    }
}

fn answers(genesis: &Genesis) -> Vec<AnswerCase> {
    let world = World::new(genesis);
    let map = &world.map;
    let about = |number: u64| MapQuestion::digest(digest(number).as_slice()).unwrap();
    let id = world.leaves[0].attestation_id().unwrap();
    let status = |issuer| MapQuestion::Status { id, issuer };
    let two = MapQuestion::digest(&[7; 64]).unwrap();
    let good = |name: &str, question: MapQuestion| {
        let answer = map.ask(question).answer;
        let case = answer_case(name, &question, &answer, map.root);
        assert_eq!(case.refused, "", "{name}");
        case
    };
    let mut cases = vec![
        good("a digest that is attested", about(5)),
        good("another one", about(27)),
        good("of two words, absent", two),
        good("what the issuer said", status(ISSUER)),
        good("what somebody else said not", status(STRANGER)),
        good("a schema", MapQuestion::Schema(REVOCABLE)),
        good(
            "a schema that is not registered",
            MapQuestion::Schema(UNKNOWN),
        ),
    ];
    for number in 100..112 {
        cases.push(good(&format!("an absent digest, {number}"), about(number)));
    }
    let empty = Map::of([]);
    let alone = Map::of([(LeafIndex(0), &world.leaves[0])]);
    for (name, map, number) in [
        ("in an empty map", &empty, 5),
        ("the only entry", &alone, 0),
        ("beside the only entry", &alone, 5),
    ] {
        let entry = map.ask(about(number));
        cases.push(answer_case(name, &entry.question, &entry.answer, map.root));
    }
    cases.extend(bad_answers(&world));
    cases
}

/// Answers that are refused, or lead elsewhere.
#[allow(clippy::too_many_lines, reason = "a table: one entry for each case")]
fn bad_answers(world: &World) -> Vec<AnswerCase> {
    let map = &world.map;
    let about = |number: u64| MapQuestion::digest(digest(number).as_slice()).unwrap();
    let absent = (100..).map(about).map(|it| map.ask(it));
    let ends_in_nothing = |entry: &MapEntry| entry.answer.end == MapEnd::Nothing;
    let beside = |entry: &MapEntry| matches!(entry.answer.end, MapEnd::Other { .. });
    let nothing = absent.clone().find(ends_in_nothing).unwrap();
    let other = absent.clone().find(beside).unwrap();
    let sparse = (0..37)
        .map(about)
        .map(|it| map.ask(it))
        .find(|entry| entry.answer.siblings.len() < usize::from(entry.answer.depth));
    let sparse = sparse.unwrap();
    let present = map.ask(about(5));
    let older = Map::of((0..).map(LeafIndex).zip(&world.leaves[..29]));
    let bad = |name: &str, of: &MapEntry, edit: &dyn Fn(&mut MapAnswer)| {
        let mut answer = of.answer.clone();
        edit(&mut answer);
        let case = answer_case(name, &of.question, &answer, map.root);
        assert_ne!(case.refused, "", "{name}");
        case
    };
    let first_gap = |answer: &MapAnswer| {
        let set = |bit: &u16| answer.bitmap[usize::from(bit / 8)] >> (bit % 8) & 1 == 1;
        (0..answer.depth).find(|bit| !set(bit)).unwrap()
    };
    vec![
        bad("another digest's answer", &present, &|it| {
            *it = map.ask(about(6)).answer;
        }),
        bad("an older map's answer", &present, &|it| {
            *it = older.ask(about(5)).answer;
        }),
        bad("siblings swapped", &present, &|it| it.siblings.swap(0, 1)),
        bad("a sibling changed", &present, &|it| {
            it.siblings[1].0[0] ^= 1
        }),
        bad("a sibling left out", &present, &|it| {
            it.siblings.pop();
        }),
        bad("a sibling too many", &present, &|it| {
            it.siblings.push(B256::repeat_byte(1));
        }),
        bad("an empty sibling written out", &sparse, &|it| {
            let bit = first_gap(it);
            let place = (0..bit)
                .filter(|bit| it.bitmap[usize::from(bit / 8)] >> (bit % 8) & 1 == 1)
                .count();
            it.bitmap[usize::from(bit / 8)] |= 1 << (bit % 8);
            it.siblings.insert(place, B256::ZERO);
        }),
        bad("another hash for what is empty", &sparse, &|it| {
            let bit = first_gap(it);
            let place = (0..bit)
                .filter(|bit| it.bitmap[usize::from(bit / 8)] >> (bit % 8) & 1 == 1)
                .count();
            it.bitmap[usize::from(bit / 8)] |= 1 << (bit % 8);
            it.siblings.insert(place, B256::repeat_byte(0xe3));
        }),
        bad("a bitmap too short", &present, &|it| {
            it.bitmap.pop();
        }),
        bad("a bitmap too long", &present, &|it| it.bitmap.push(0)),
        bad("a bit below the depth", &present, &|it| {
            let last = it.bitmap.len() - 1;
            it.bitmap[last] |= 0x80;
        }),
        bad("a level too deep", &present, &|it| it.depth += 1),
        bad("deeper than a key", &present, &|it| it.depth = 257),
        bad("present, called absent", &present, &|it| {
            it.end = MapEnd::Nothing
        }),
        bad("another value", &present, &|it| {
            it.end = MapEnd::Entry(vec![0; 14]);
        }),
        bad("absent, called present", &nothing, &|it| {
            it.end = MapEnd::Entry(vec![0; 14]);
        }),
        bad("another entry left out", &other, &|it| {
            it.end = MapEnd::Nothing
        }),
        bad("another entry that is the key's own", &other, &|it| {
            let key = other.question.key();
            it.end = MapEnd::Other {
                key,
                value: vec![0; 14],
            };
        }),
        bad("another entry off the path", &other, &|it| {
            let mut key = other.question.key();
            key.0[0] ^= 0x80;
            it.end = MapEnd::Other {
                key,
                value: vec![0; 14],
            };
        }),
        bad("a value longer than any", &present, &|it| {
            it.end = MapEnd::Entry(vec![0; 76]);
        }),
    ]
}

fn proof_case(name: &str, bundle: &MapBundle, genesis: &Genesis) -> ProofCase {
    let verified = verify_map(bundle, &TrustAnchor::genesis(genesis).unwrap());
    ProofCase {
        name: name.into(),
        compact: bundle.encode().ok().map(Into::into),
        json: Some(serde_json::from_str(&bundle.to_json().unwrap()).unwrap()),
        expected: match verified {
            Ok(verified) => Expected::Verified(Box::new(Summary::of(&verified))),
            Err(error) => Expected::Refused(words(&error)),
        },
    }
}

fn good_proofs(genesis: &Genesis) -> Vec<ProofCase> {
    let world = World::new(genesis);
    let slow = World::edited(genesis, |leaf| {
        edit_root(leaf, |it| it.digest_height = Height(1))
    });
    let good = |name: &str, bundle: &MapBundle| {
        let case = proof_case(name, bundle, genesis);
        assert!(
            matches!(case.expected, Expected::Verified(_)),
            "{name}: {:?}",
            case.expected
        );
        case
    };
    let (last, more) = (ROOT_AT + 1, ROOT_AT + 2);
    let status = |index, schema| world.stapled(index, schema);
    vec![
        good("absent", &world.about(digest(100), more)),
        good("absent, nothing since", &world.about(digest(100), last)),
        good("attested after the root", &world.about(digest(38), more)),
        good("present", &world.about(digest(7), more)),
        good("digests behind", &slow.about(digest(100), last)),
        good("not revoked", &status(3, None)),
        good("revoked", &status(0, None)),
        good("revoked by somebody else", &status(1, None)),
        good("superseded", &status(2, None)),
        good("not revoked under a schema", &status(21, None)),
        good("not revoked, schema shown", &status(21, Some(REVOCABLE))),
        good("revoked under a schema", &status(20, Some(REVOCABLE))),
        good(
            "revoked under a schema that allows none",
            &status(27, Some(FINAL)),
        ),
        good(
            "revoked under a schema that is not registered",
            &status(28, Some(UNKNOWN)),
        ),
        good("of a revoked algorithm", &status(36, None)),
    ]
}

fn edit_root(leaf: &mut Leaf, edit: impl FnOnce(&mut MapRoot)) {
    let Statement::MapRoot(root) = &mut leaf.statement else {
        panic!("another leaf")
    };
    edit(root);
}

#[allow(clippy::too_many_lines, reason = "a table: one entry for each case")]
fn bad_proofs(genesis: &Genesis) -> Vec<ProofCase> {
    let world = World::new(genesis);
    let more = ROOT_AT + 2;
    let bad = |name: &str, bundle: &MapBundle, reason: &str| {
        let case = proof_case(name, bundle, genesis);
        let Expected::Refused(words) = &case.expected else {
            panic!("{name} is not refused")
        };
        assert!(words.contains(reason), "{name}: {words}");
        let expected = Expected::Refused(reason.into());
        ProofCase { expected, ..case }
    };
    let edited = |bundle: &MapBundle, edit: &dyn Fn(&mut MapBundle)| {
        let mut bundle = bundle.clone();
        edit(&mut bundle);
        bundle
    };
    let absent = world.about(digest(100), more);
    let stapled = world.stapled(0, None);
    let with_root = |edit: &dyn Fn(&mut Leaf)| World::edited(genesis, edit);
    let foreign = with_root(&|leaf| leaf.head.chain_id = 1).stapled(0, None);
    let later = with_root(&|leaf| edit_root(leaf, |it| it.height = Height(3)));
    let ahead = with_root(&|leaf| edit_root(leaf, |it| it.digest_height = Height(3)));
    let older = Map::of((0..).map(LeafIndex).zip(&world.leaves[..29]));
    let stale = with_root(&|leaf| edit_root(leaf, |it| it.root = older.root));
    let entry = |bundle: &MapBundle| bundle.entries[0].clone();
    let new = {
        let mut new = world.stapled(38, None);
        new.root = stapled.root.clone();
        new
    };
    vec![
        bad(
            "another map's root",
            &stale.about(digest(100), more),
            "answer leads to root",
        ),
        bad("a root of another chain", &foreign, "leaf is of chain id 1"),
        bad(
            "a root that is as of its own block",
            &later.stapled(3, None),
            "as of the block",
        ),
        bad(
            "digests ahead of the map",
            &ahead.about(digest(100), more),
            "as of the block",
        ),
        bad(
            "no root",
            &edited(&world.stapled(3, None), &|it| it.root = None),
            "of another kind",
        ),
        bad(
            "a root beside it that is none",
            &edited(&stapled, &|it| {
                let other = world.stapled(3, None).proof;
                let root = it.root.as_mut().unwrap();
                (root.leaf, root.leaf_index) = (other.leaf, other.leaf_index);
                root.inclusion = other.inclusion;
            }),
            "of another kind",
        ),
        bad(
            "a root at another place",
            &edited(&stapled, &|it| {
                it.root.as_mut().unwrap().leaf_index = LeafIndex(36)
            }),
            "inclusion of the map's root",
        ),
        bad(
            "algorithms left out",
            &edited(&world.stapled(36, None), &|it| {
                it.revoked_algorithms.clear()
            }),
            "revoked algorithms",
        ),
        bad(
            "algorithms twice",
            &edited(&absent, &|it| it.revoked_algorithms.push(0x13)),
            "revoked algorithms",
        ),
        bad(
            "nothing asked",
            &edited(&absent, &|it| it.entries.clear()),
            "asked nothing",
        ),
        bad(
            "asked twice",
            &edited(&absent, &|it| it.entries.push(entry(it))),
            "one question twice",
        ),
        bad(
            "a status where a digest is asked",
            &edited(&absent, &|it| it.entries = stapled.entries.clone()),
            "something else",
        ),
        bad(
            "a digest where a status is asked",
            &edited(&stapled, &|it| it.entries = absent.entries.clone()),
            "something else",
        ),
        bad(
            "another attestation's status",
            &edited(&stapled, &|it| it.entries = world.stapled(3, None).entries),
            "something else",
        ),
        bad(
            "what somebody else says of it",
            &edited(&stapled, &|it| {
                let id = world.leaves[0].attestation_id().unwrap();
                let question = MapQuestion::Status {
                    id,
                    issuer: STRANGER,
                };
                it.entries = vec![world.map.ask(question)];
            }),
            "something else",
        ),
        bad(
            "another schema",
            &edited(&world.stapled(20, Some(FINAL)), &|_| {}),
            "something else",
        ),
        bad(
            "no word on the schema",
            &world.stapled(20, None),
            "says nothing",
        ),
        bad("an attestation after the root", &new, "and later"),
        bad(
            "a sibling changed",
            &edited(&stapled, &|it| it.entries[0].answer.siblings[0].0[9] ^= 1),
            "answer leads to root",
        ),
        bad(
            "a bitmap cut short",
            &edited(&stapled, &|it| {
                it.entries[0].answer.bitmap.pop();
            }),
            "bitmap",
        ),
        bad(
            "a certificate below quorum",
            &edited(&absent, &|it| {
                let checkpoint = it.proof.decision.checkpoint;
                it.proof.decision = world.network.decide(checkpoint, &[1, 2, 3]);
            }),
            "6 of 9 voting power",
        ),
        bad(
            "the leaf's digest changed",
            &edited(&stapled, &|it| it.proof.leaf[85] ^= 1),
            "leads to log root",
        ),
    ]
}

/// Bytes that are no compact form.
fn bad_forms(genesis: &Genesis) -> Vec<ProofCase> {
    let bundle = World::new(genesis).stapled(0, None);
    let good = bundle.encode().unwrap();
    let case = |name: &str, compact: Vec<u8>, reason: &str| ProofCase {
        name: name.into(),
        compact: Some(compact.into()),
        json: None,
        expected: Expected::Refused(reason.into()),
    };
    let proof = bundle.proof.encode().unwrap();
    // Format 4, length 2, proof: then the root's flag.
    let flag = 6 + proof.len();
    let patched = |position: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[position] = value;
        bytes
    };
    let cut = good[..good.len() - 1].to_vec();
    let long = [&good[..], &[0]].concat();
    vec![
        case("truncated", cut, "bytes needed"),
        case("one byte too many", long, "1 bytes after"),
        case("another format", patched(3, b'3'), "not a proof in a form"),
        case(
            "another flag of the root",
            patched(flag, 2),
            "not in canonical form",
        ),
        case("a proof without map part", proof, "not a proof in a form"),
    ]
}

#[test]
fn answers_are_as_the_file_says() {
    let vectors: MapVectors = serde_json::from_str(&read("map.json")).unwrap();
    for case in &vectors.answers {
        assert_eq!(
            tbsi_types::sha256(&[&case.preimage]),
            case.key,
            "{}",
            case.name
        );
        let value = case.value.to_vec();
        let answer = MapAnswer {
            depth: case.depth,
            bitmap: case.bitmap.to_vec(),
            siblings: case.siblings.clone(),
            end: match case.end {
                0 => MapEnd::Nothing,
                1 => MapEnd::Entry(value),
                _ => MapEnd::Other {
                    key: case.other_key,
                    value,
                },
            },
        };
        match answer.root(&case.key) {
            Ok(root) => assert_eq!(root == case.root, case.refused.is_empty(), "{}", case.name),
            Err(error) => assert_eq!(error.to_string(), case.refused, "{}", case.name),
        }
    }
    let refused = vectors
        .answers
        .iter()
        .filter(|case| !case.refused.is_empty());
    assert_eq!((refused.count(), vectors.answers.len()), (20, 42));
}

#[test]
fn proofs_with_the_map_verify_as_the_file_says() {
    let vectors: MapVectors = serde_json::from_str(&read("map.json")).unwrap();
    let anchor = TrustAnchor::genesis(&vectors.genesis).unwrap();
    let verify = |bundle: Result<MapBundle, tbsi_types::BundleError>| {
        let bundle = bundle.map_err(|error| words(&error))?;
        let verified = verify_map(&bundle, &anchor).map_err(|error| words(&error))?;
        Ok::<_, String>(Summary::of(&verified))
    };
    for case in &vectors.proofs {
        let compact = case
            .compact
            .as_ref()
            .map(|bytes| verify(MapBundle::decode(bytes)));
        let json = case.json.as_ref().map(|json| {
            let text = serde_json::to_vec(json).unwrap();
            verify(MapBundle::parse_json(&text))
        });
        let mut both = compact.iter().chain(&json).peekable();
        assert!(both.peek().is_some(), "{}", case.name);
        for got in both {
            match (got, &case.expected) {
                (Ok(got), Expected::Verified(expected)) => {
                    assert_eq!(got, expected.as_ref(), "{}", case.name);
                }
                (Err(got), Expected::Refused(words)) => {
                    assert!(got.contains(words), "{}: {got}", case.name);
                }
                (got, expected) => panic!("{}: got {got:?}, expected {expected:?}", case.name),
            }
        }
    }
    let good = |case: &&ProofCase| matches!(case.expected, Expected::Verified(_));
    assert_eq!(
        (
            vectors.proofs.iter().filter(good).count(),
            vectors.proofs.len()
        ),
        (15, 42)
    );
}

/// The same JSON with the object at `path` as the list of `fields`, in the order of SPEC §10.7.
fn as_list(json: &Value, path: &str, fields: &[&str]) -> Vec<u8> {
    let mut json = json.clone();
    let part = json.pointer_mut(path).unwrap();
    assert_eq!(part.as_object().unwrap().len(), fields.len(), "{path}");
    *part = fields.iter().map(|field| part[*field].clone()).collect();
    serde_json::to_vec(&json).unwrap()
}

#[test]
fn objects_of_the_json_form_are_never_lists() {
    let vectors: MapVectors = serde_json::from_str(&read("map.json")).unwrap();
    let json = |name: &str| {
        let mut cases = vectors.proofs.iter();
        let case = cases.find(|case| case.name == name).unwrap();
        case.json.clone().unwrap()
    };
    let (stapled, asked) = (json("not revoked under a schema"), json("absent"));
    let mut refused = 0;
    let mut check = |json: &Value, path: &str, fields: &[&str], field: &str| {
        MapBundle::parse_json(&serde_json::to_vec(json).unwrap()).unwrap();
        let error = words(&MapBundle::parse_json(&as_list(json, path, fields)).unwrap_err());
        assert!(error.contains("must be a JSON object"), "{path}: {error}");
        assert!(error.contains(field), "{path}: {error}");
        refused += 1;
    };
    check(&asked, "", &["format", "proof", "map"], "the document");
    check(
        &asked,
        "/map",
        &["root", "revokedAlgorithms", "entries"],
        "`map`",
    );
    let root = ["leaf", "leafIndex", "inclusionProof"];
    check(&stapled, "/map/root", &root, "`map.root`");
    let entry = ["question", "depth", "bitmap", "siblings", "value", "other"];
    check(&asked, "/map/entries/0", &entry, "`map.entries[0]`");
    let question = "/map/entries/0/question";
    let place = "`map.entries[0].question`";
    check(&asked, question, &["kind", "digest"], place);
    check(&stapled, question, &["kind", "id", "issuer"], place);
    let ended = vectors.proofs.iter().filter_map(|case| case.json.as_ref());
    let mut ended = ended.filter(|json| json.pointer("/map/entries/0/other/key").is_some());
    let other = ended.next().unwrap();
    let path = "/map/entries/0/other";
    check(other, path, &["key", "value"], "`map.entries[0].other`");
    let checkpoint = "/proof/certificate";
    let fields = ["height", "round", "checkpointDigest", "signatures"];
    check(&asked, checkpoint, &fields, "`proof.certificate`");
    assert_eq!(refused, 8);
}

#[test]
fn a_question_has_the_fields_of_its_kind() {
    let vectors: MapVectors = serde_json::from_str(&read("map.json")).unwrap();
    let mut cases = vectors.proofs.iter();
    let good = cases.find(|case| case.name == "absent").unwrap();
    let good = good.json.clone().unwrap();
    let digest = good["map"]["entries"][0]["question"]["digest"].clone();
    for (question, expected) in [
        (json!({ "kind": "digest" }), "field `question` must have"),
        (json!({ "digest": digest }), "missing field `kind`"),
        (json!({ "kind": 0, "digest": digest }), "invalid type"),
        (
            json!({ "kind": { "digest": null }, "digest": digest }),
            "invalid type",
        ),
        (
            json!({ "kind": "Digest", "digest": digest }),
            "field `question` must have",
        ),
        (
            json!({ "kind": "digest", "digest": digest, "schema": null }),
            "invalid type",
        ),
        (
            json!({ "kind": "digest", "digest": digest, "colour": 1 }),
            "unknown field `colour`",
        ),
        (
            json!({ "kind": "digest", "digest": digest, "schema": B256::ZERO }),
            "field `question` must have",
        ),
    ] {
        let mut json = good.clone();
        json["map"]["entries"][0]["question"] = question;
        let text = serde_json::to_vec(&json).unwrap();
        let error = words(&MapBundle::parse_json(&text).unwrap_err());
        assert!(error.contains(expected), "`{error}` lacks `{expected}`");
    }
}
