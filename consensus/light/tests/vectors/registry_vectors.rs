//! `registry.json`: proofs of who an issuer and the validators were, good and bad.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tbsi_light::{
    ProvenIssuer, ProvenOperator, ProvenRegistry, TrustAnchor, VerifiedBundle, prove_registry,
    verify_bundle, verify_map,
};
use tbsi_types::bundle::{LeafProof, RegistryBundle, RegistryPart};
use tbsi_types::{BundleError, Genesis, Height};

use crate::make::genesis;
use crate::map_fixture::STRANGER;
use crate::registry_fixture::{Asked, Place, Registry, founders, in_order, legal};
use crate::{read, words};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RegistryVectors {
    description: String,
    genesis: Genesis,
    genesis_hash: B256,
    proofs: Vec<ProofCase>,
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
    Verified(Summary),
    Refused {
        /// Verdict and code of SPEC §10.5.
        verdict: String,
        code: String,
        /// Words of the reason.
        words: String,
    },
}

/// What a verifier must be able to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Summary {
    issuer: Option<IssuerSummary>,
    /// Of each validator of the set, in address order.
    operators: Vec<Option<OperatorSummary>>,
    known_up_to: Height,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct IssuerSummary {
    number: u32,
    name_zh_tw: String,
    name_en: String,
    tax_id: Option<String>,
    lei: Option<String>,
    jurisdiction: String,
    member_since: Height,
    member_until: Option<Height>,
    named_since: Height,
    named_until: Option<Height>,
    known_up_to: Height,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OperatorSummary {
    validator: Address,
    number: u32,
    name_zh_tw: String,
    name_en: String,
    tax_id: Option<String>,
    lei: Option<String>,
    jurisdiction: String,
    named_since: Height,
}

fn stated(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl From<ProvenIssuer> for IssuerSummary {
    fn from(proven: ProvenIssuer) -> Self {
        Self {
            number: proven.organisation,
            name_zh_tw: proven.legal.name_zh_tw,
            name_en: proven.legal.name_en,
            tax_id: stated(proven.legal.tax_id),
            lei: stated(proven.legal.lei),
            jurisdiction: proven.legal.jurisdiction,
            member_since: proven.membership.since,
            member_until: proven.membership.until,
            named_since: proven.record.since,
            named_until: proven.record.until,
            known_up_to: proven.known,
        }
    }
}

impl From<ProvenOperator> for OperatorSummary {
    fn from(proven: ProvenOperator) -> Self {
        Self {
            validator: proven.validator,
            number: proven.organisation,
            name_zh_tw: proven.legal.name_zh_tw,
            name_en: proven.legal.name_en,
            tax_id: stated(proven.legal.tax_id),
            lei: stated(proven.legal.lei),
            jurisdiction: proven.legal.jurisdiction,
            named_since: proven.since,
        }
    }
}

impl From<ProvenRegistry> for Summary {
    fn from(proven: ProvenRegistry) -> Self {
        let operators = proven.operators.into_iter();
        Self {
            issuer: proven.issuer.map(Into::into),
            operators: operators.map(|it| it.map(Into::into)).collect(),
            known_up_to: proven.known,
        }
    }
}

/// The bundle in a proof, which holds.
fn holds(proof: &LeafProof, anchor: &TrustAnchor) -> Result<VerifiedBundle, String> {
    match proof {
        LeafProof::Bundle(bundle) => verify_bundle(bundle, anchor).map_err(|error| words(&error)),
        LeafProof::Map(map) => {
            let verified = verify_map(map, anchor).map_err(|error| words(&error))?;
            Ok(verified.bundle)
        }
    }
}

fn verify(
    bundle: Result<RegistryBundle, BundleError>,
    anchor: &TrustAnchor,
) -> Result<Summary, String> {
    let bundle = bundle.map_err(|error| words(&error))?;
    let verified = holds(&bundle.proof, anchor)?;
    let validators = &bundle.proof.bundle().validators;
    let proven = prove_registry(&bundle.part, &verified, validators);
    Ok(proven.map_err(|error| words(&error))?.into())
}

pub(crate) fn make() -> RegistryVectors {
    let genesis = genesis();
    let registry = Registry::new(&genesis);
    RegistryVectors {
        description: "Proofs of whose account an issuer's was and of who answers for validators, \
                      in compact and JSON form, which are valid if the genesis file is trusted or \
                      are to be refused, and what a verifier says of them (SPEC §10.11)."
            .into(),
        genesis_hash: genesis.hash(),
        proofs: [
            good(&registry, &TrustAnchor::genesis(&genesis).unwrap()),
            other_times(&registry),
            other_words(&registry),
            other_operators(&registry),
            other_places(&registry),
            other_nodes(&registry),
            other_proofs(&registry),
            other_bytes(&registry),
            other_json(&registry),
        ]
        .into_iter()
        .flatten()
        .collect(),
        genesis,
    }
}

/// Of the issuer.
fn of(membership: u32, organisation: u32, record: u32) -> Asked {
    Asked::of(membership, (organisation, record))
}

/// Of the validators who took over, as they are: one got another record in the checkpoint's
/// block, one is no node's.
fn successors() -> Asked {
    Asked {
        operators: in_order(4, [Some((15, 0)), Some((16, 0)), None, None]),
        ..of(1, 5, 0)
    }
}

fn json_of(bundle: &RegistryBundle) -> Value {
    serde_json::from_str(&bundle.to_json().unwrap()).unwrap()
}

fn case(name: &str, bundle: &RegistryBundle, expected: Expected) -> ProofCase {
    ProofCase {
        name: name.into(),
        compact: bundle.encode().ok().map(Into::into),
        json: Some(json_of(bundle)),
        expected,
    }
}

fn refused(verdict: &str, code: &str, words: &str) -> Expected {
    Expected::Refused {
        verdict: verdict.into(),
        code: code.into(),
        words: words.into(),
    }
}

fn invalid(name: &str, bundle: &RegistryBundle, words: &str) -> ProofCase {
    case(name, bundle, refused("invalid", "registry", words))
}

fn good(registry: &Registry<'_>, anchor: &TrustAnchor) -> Vec<ProofCase> {
    let of_height = [
        ("of the founding, under former names", 1, of(0, 3, 0)),
        ("of the founding, under the names of today", 3, of(0, 3, 1)),
        ("joined later, with an LEI", 7, of(1, 5, 0)),
        ("came back", 11, of(2, 3, 1)),
    ];
    let mut bundles: Vec<_> = of_height
        .map(|(name, height, asked)| (name, registry.bundle(height, &asked)))
        .into();
    let issuer_alone = Asked {
        operators: vec![None; 4],
        ..of(0, 3, 1)
    };
    let validators_alone = Asked {
        issuer: None,
        operators: founders(),
    };
    bundles.extend([
        ("with its status", registry.stapled(&of(0, 3, 0))),
        (
            "validators who took over from the founders",
            registry.handed_over(7, &successors()),
        ),
        ("the issuer alone", registry.bundle(3, &issuer_alone)),
        (
            "the validators alone",
            registry.bundle(3, &validators_alone),
        ),
        ("of an absence", registry.absent(&validators_alone)),
    ]);
    let cases = bundles.into_iter().map(|(name, bundle)| {
        let verified = verify(Ok(bundle.clone()), anchor).unwrap();
        case(name, &bundle, Expected::Verified(verified))
    });
    cases.collect()
}

/// Proven words that say nothing of the block.
fn other_times(registry: &Registry<'_>) -> Vec<ProofCase> {
    let cases = [
        ("withdrawn before", 5, of(0, 3, 1), "from block 0 to 4"),
        (
            "withdrawn in the block",
            4,
            of(0, 3, 1),
            "from block 0 to 4",
        ),
        ("joined in the block", 6, of(1, 5, 0), "from block 6 to 9"),
        ("joined later", 3, of(1, 5, 0), "from block 6 to 9"),
        (
            "moved on in the block",
            9,
            of(2, 3, 1),
            "from block 9 to now",
        ),
        ("stale names", 3, of(0, 3, 0), "held from block 0 to 2"),
        ("names of later", 1, of(0, 3, 1), "held from block 2 to now"),
        ("renamed in the block", 2, of(0, 3, 1), "held from block 2"),
    ];
    let case =
        |(name, height, asked, words)| invalid(name, &registry.bundle(height, &asked), words);
    cases.map(case).into()
}

/// Texts and positions that are not those of the state.
fn other_words(registry: &Registry<'_>) -> Vec<ProofCase> {
    let edited = |name: &str, change: &dyn Fn(&mut RegistryBundle), words: &str| {
        let mut bundle = registry.bundle(3, &of(0, 3, 1));
        change(&mut bundle);
        invalid(name, &bundle, words)
    };
    let hash = "organisation 3 has a record of hash";
    let stranger = Asked {
        issuer: Some((STRANGER, 0, (4, 0))),
        operators: founders(),
    };
    vec![
        edited(
            "another name",
            &|it| it.part.records[0].legal.name_en.push('!'),
            hash,
        ),
        edited(
            "the names of another organisation",
            &|it| it.part.records[0].legal = legal((4, 0)),
            hash,
        ),
        edited(
            "the 統一編號 as an LEI",
            &|it| {
                let legal = &mut it.part.records[0].legal;
                legal.lei = std::mem::take(&mut legal.tax_id);
            },
            hash,
        ),
        edited(
            "without an identifier",
            &|it| it.part.records[0].legal.tax_id.clear(),
            hash,
        ),
        invalid("of another account", &registry.bundle(3, &stranger), "node"),
        invalid(
            "of another organisation",
            &registry.bundle(3, &of(0, 4, 0)),
            "the record is of organisation 4, expected is one of organisation 3",
        ),
        invalid(
            "a membership that there is not",
            &registry.bundle(3, &of(7, 3, 1)),
            "has no membership 7",
        ),
        invalid(
            "a record that there is not",
            &registry.bundle(3, &of(0, 3, 9)),
            "has a record of hash 0x0000",
        ),
    ]
}

/// Records that are not those of who answers for the validators in the checkpoint's block.
fn other_operators(registry: &Registry<'_>) -> Vec<ProofCase> {
    let founding = |name: &str, places: [Option<Place>; 4], words: &str| {
        let asked = Asked {
            operators: in_order(0, places),
            ..of(0, 3, 1)
        };
        invalid(name, &registry.bundle(3, &asked), words)
    };
    let later = |name: &str, places: [Option<Place>; 4], words: &str| {
        let asked = Asked {
            operators: in_order(4, places),
            ..of(1, 5, 0)
        };
        invalid(name, &registry.handed_over(7, &asked), words)
    };
    vec![
        founding(
            "a validator under another organisation's record",
            [Some((12, 0)), None, None, None],
            "the record is of organisation 12, expected is one of organisation 11",
        ),
        founding(
            "a validator's former identifiers",
            [Some((11, 0)), None, None, None],
            "held from block 0 to 5, not in the whole of block 20",
        ),
        founding(
            "a validator's names before it got others",
            [None, None, Some((13, 0)), None],
            "held from block 0 to 18",
        ),
        founding(
            "a validator's names before their handover",
            [None, None, Some((13, 1)), None],
            "under other names than those of organisation 13",
        ),
        founding(
            "a validator under a record that there is not",
            [None, Some((12, 1)), None, None],
            "has a record of hash 0x0000",
        ),
        later(
            "a validator's identifiers that ended in the block",
            [None, None, Some((17, 0)), None],
            "held from block 7 to 20",
        ),
        later(
            "a validator's identifiers that began in the block",
            [None, None, Some((17, 1)), None],
            "held from block 20 to now",
        ),
        later(
            "a validator that is no node's",
            [None, None, None, Some((18, 0))],
            "is no node's in the registry",
        ),
        later(
            "a founder's record for a successor",
            [Some((11, 1)), None, None, None],
            "the record is of organisation 11, expected is one of organisation 15",
        ),
    ]
}

/// What refers to what, otherwise than it has to be.
fn other_places(registry: &Registry<'_>) -> Vec<ProofCase> {
    let edited = |name: &str, change: &dyn Fn(&mut RegistryPart), words: &str| {
        let mut bundle = registry.bundle(3, &of(0, 3, 1));
        change(&mut bundle.part);
        invalid(name, &bundle, words)
    };
    let nothing = |part: &mut RegistryPart| {
        *part = RegistryPart {
            issuer: None,
            records: vec![],
            validators: vec![None; 4],
            nodes: vec![],
        };
    };
    let unused = |part: &mut RegistryPart| {
        let last = part.validators.iter_mut().rev().find(|it| it.is_some());
        *last.unwrap() = None;
    };
    vec![
        edited(
            "a validator less",
            &|it| {
                it.validators.pop();
            },
            "answers for 3 validators, the set has 4",
        ),
        edited(
            "a validator more",
            &|it| it.validators.push(None),
            "answers for 5 validators, the set has 4",
        ),
        edited(
            "validators in another order",
            &|it| it.validators.rotate_left(1),
            "",
        ),
        edited(
            "a validator's record out of range",
            &|it| *it.validators.iter_mut().flatten().last().unwrap() = 9,
            "record number 9 is named, the proof has 4",
        ),
        edited(
            "the issuer's record out of range",
            &|it| it.issuer.as_mut().unwrap().record = 4,
            "record number 4 is named, the proof has 4",
        ),
        edited("a record for nobody", &unused, "is of nobody in the proof"),
        edited(
            "records in another order",
            &|it| it.records.swap(0, 1),
            "is not in order, each once",
        ),
        edited(
            "a record twice",
            &|it| it.records.insert(1, it.records[0].clone()),
            "is not in order, each once",
        ),
        edited(
            "a membership for nobody",
            &|it| it.issuer = None,
            "another hash",
        ),
        edited("nobody at all", &nothing, "it names nobody"),
    ]
}

fn other_nodes(registry: &Registry<'_>) -> Vec<ProofCase> {
    let edited = |name: &str, change: &dyn Fn(&mut Vec<Bytes>), words: &str| {
        let mut bundle = registry.bundle(3, &of(0, 3, 1));
        change(&mut bundle.part.nodes);
        invalid(name, &bundle, words)
    };
    let flip = |node: &Bytes| {
        let mut node = node.to_vec();
        *node.last_mut().unwrap() ^= 1;
        Bytes::from(node)
    };
    vec![
        edited("no nodes", &Vec::clear, "node 0 is missing"),
        edited("a node less", &|it| drop(it.pop()), "is missing"),
        edited(
            "a node more",
            &|it| it.push(it[0].clone()),
            "is one too many",
        ),
        edited(
            "a node twice",
            &|it| it.insert(1, it[0].clone()),
            "another hash",
        ),
        edited(
            "nodes in another order",
            &|it| it.swap(0, 1),
            "another hash",
        ),
        edited("another node", &|it| it[2] = flip(&it[2]), "another hash"),
        edited("an empty node", &|it| it[0] = Bytes::new(), "another hash"),
    ]
}

/// What the part stands on.
fn other_proofs(registry: &Registry<'_>) -> Vec<ProofCase> {
    let good = || registry.bundle(3, &of(0, 3, 1));
    let mut other_state = good();
    let mut foreign = good();
    let mut moved = good();
    let other_root = B256::repeat_byte(1);
    if let (LeafProof::Bundle(other), LeafProof::Bundle(foreign), LeafProof::Bundle(moved)) =
        (&mut other_state.proof, &mut foreign.proof, &mut moved.proof)
    {
        *other = registry.under(other.clone(), other_root);
        foreign.genesis_hash = B256::repeat_byte(1);
        moved.decision.checkpoint.state_root = other_root;
    }
    vec![
        invalid(
            "of the state of another block",
            &other_state,
            "another hash",
        ),
        case(
            "of another network",
            &foreign,
            refused("could not tell", "otherNetwork", "of the network"),
        ),
        case(
            "under a state root that nobody signed",
            &moved,
            refused("invalid", "checkpoint", "digest"),
        ),
    ]
}

#[allow(clippy::too_many_lines, reason = "a table: one entry for each case")]
fn other_bytes(registry: &Registry<'_>) -> Vec<ProofCase> {
    let good = registry.bundle(3, &of(0, 3, 1));
    let bytes = good.encode().unwrap();
    let of = |name: &str, bytes: Vec<u8>, verdict: &str, code: &str, words: &str| ProofCase {
        name: name.into(),
        compact: Some(bytes.into()),
        json: None,
        expected: refused(verdict, code, words),
    };
    let edited = |change: &dyn Fn(&mut RegistryBundle)| {
        let mut bundle = good.clone();
        change(&mut bundle);
        bundle.encode().unwrap()
    };
    let mut other = bytes.clone();
    other[3] = b'2';
    let mut long = bytes.clone();
    long.push(0);
    let nested = [b"TBR1".as_slice(), &[0x84, 0x00], b"TBR1"].concat();
    let unreadable = "could not tell";
    vec![
        of(
            "another version",
            other,
            unreadable,
            "otherVersion",
            "newer software",
        ),
        of(
            "cut short",
            bytes[..bytes.len() - 1].into(),
            unreadable,
            "unreadable",
            "needed",
        ),
        of(
            "a byte more",
            long,
            unreadable,
            "unreadable",
            "after the last field",
        ),
        of(
            "magic alone",
            b"TBR1".to_vec(),
            unreadable,
            "unreadable",
            "needed",
        ),
        of(
            "a length in a longer form",
            nested,
            "invalid",
            "form",
            "shortest form",
        ),
        of(
            "a proof of its own kind inside",
            b"TBR1\x04TBR1".to_vec(),
            unreadable,
            "otherVersion",
            "newer software",
        ),
        of(
            "a name of 513 bytes",
            edited(&|it| it.part.records[0].legal.name_en = "x".repeat(513)),
            unreadable,
            "unreadable",
            "`nameEn` has 513",
        ),
        of(
            "4,097 nodes",
            edited(&|it| it.part.nodes = vec![Bytes::from_static(&[0x80]); 4_097]),
            unreadable,
            "unreadable",
            "`nodes` has 4097",
        ),
        of(
            "a node of 1,025 bytes",
            edited(&|it| it.part.nodes[0] = vec![0; 1025].into()),
            unreadable,
            "unreadable",
            "`node` has 1025",
        ),
        of(
            "130 records",
            edited(&|it| it.part.records = vec![it.part.records[0].clone(); 130]),
            unreadable,
            "unreadable",
            "`records` has 130",
        ),
        of(
            "129 validators",
            edited(&|it| it.part.validators = vec![None; 129]),
            unreadable,
            "unreadable",
            "`validators` has 129",
        ),
        of(
            "an issuer's flag of 2",
            flagged(&good),
            "invalid",
            "form",
            "`issuer`",
        ),
        of(
            "a name that is no UTF-8",
            not_utf8(&bytes),
            "invalid",
            "form",
            "`nameEn`",
        ),
    ]
}

/// With another flag before the issuer's place, which follows the proof.
fn flagged(good: &RegistryBundle) -> Vec<u8> {
    let mut bytes = good.encode().unwrap();
    let at = bytes.len() - part_bytes(good);
    assert_eq!(bytes[at], 1);
    bytes[at] = 2;
    bytes
}

fn not_utf8(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let name = b"Society A";
    let at = bytes.windows(name.len()).position(|it| it == name).unwrap();
    bytes[at] = 0xff;
    bytes
}

#[allow(clippy::too_many_lines, reason = "a table: one entry for each case")]
fn other_json(registry: &Registry<'_>) -> Vec<ProofCase> {
    let edited = |name: &str, change: &dyn Fn(&mut Value), code: &str, words: &str| {
        let mut json = json_of(&registry.bundle(3, &of(0, 3, 1)));
        change(&mut json);
        ProofCase {
            name: name.into(),
            compact: None,
            json: Some(json),
            expected: refused("could not tell", code, words),
        }
    };
    let part = |field: &'static str, value: Value| {
        move |json: &mut Value| json["registry"][field] = value.clone()
    };
    let remove = |field: &'static str| {
        move |json: &mut Value| drop(json["registry"].as_object_mut().unwrap().remove(field))
    };
    let listed = |value: &mut Value, fields: &str| {
        let object = value.as_object().unwrap();
        let values = fields.split(' ').map(|field| object[field].clone());
        *value = values.collect();
    };
    let list = |json: &mut Value| {
        listed(&mut json["registry"], "issuer records validators nodes");
    };
    let record_list = |json: &mut Value| {
        let fields = "organisation position nameZhTw nameEn taxId lei jurisdiction";
        listed(&mut json["registry"]["records"][0], fields);
    };
    let record = |field: &'static str, value: Value| {
        move |json: &mut Value| json["registry"]["records"][0][field] = value.clone()
    };
    let issuer = |field: &'static str, value: Value| {
        move |json: &mut Value| json["registry"]["issuer"][field] = value.clone()
    };
    let bare = |json: &mut Value| {
        let record = json["registry"]["records"][0].as_object_mut();
        drop(record.unwrap().remove("lei"));
    };
    let format = |json: &mut Value| json["format"] = json!("tbsi-registry-proof-2");
    let no_map = |json: &mut Value| drop(json.as_object_mut().unwrap().remove("map"));
    let form = "expected shape";
    vec![
        edited("another format", &format, "otherVersion", "newer software"),
        edited("without a map key", &no_map, "unreadable", form),
        edited(
            "the part as a list of its values",
            &list,
            "unreadable",
            form,
        ),
        edited("a key more", &part("more", json!(1)), "unreadable", form),
        edited("a key less", &remove("validators"), "unreadable", form),
        edited(
            "without an issuer key",
            &remove("issuer"),
            "unreadable",
            form,
        ),
        edited(
            "a record as a list of its values",
            &record_list,
            "unreadable",
            form,
        ),
        edited(
            "a key more in a record",
            &record("more", json!(1)),
            "unreadable",
            form,
        ),
        edited("a key less in a record", &bare, "unreadable", form),
        edited(
            "a key more in the issuer",
            &issuer("more", json!(1)),
            "unreadable",
            form,
        ),
        edited("null", &record("lei", Value::Null), "unreadable", form),
        edited(
            "null for all records",
            &part("records", Value::Null),
            "unreadable",
            form,
        ),
        edited(
            "a validator as text",
            &part("validators", json!(["0"])),
            "unreadable",
            form,
        ),
        edited(
            "a validator of 33 bits",
            &part("validators", json!([1_u64 << 32])),
            "unreadable",
            form,
        ),
        edited(
            "a position as text",
            &issuer("record", json!("1")),
            "unreadable",
            form,
        ),
        edited(
            "a position of 33 bits",
            &issuer("record", json!(1_u64 << 32)),
            "unreadable",
            form,
        ),
        edited(
            "a negative position",
            &issuer("record", json!(-1)),
            "unreadable",
            form,
        ),
        edited(
            "a 統一編號 of 9 digits",
            &record("taxId", json!("045952570")),
            "unreadable",
            "`taxId` has 9",
        ),
        edited(
            "an LEI of 21 letters",
            &record("lei", json!("5493001KJTIIGC8Y1R121")),
            "unreadable",
            "`lei` has 21",
        ),
        edited(
            "a node in capitals",
            &part("nodes", json!(["0xAB"])),
            "unreadable",
            form,
        ),
    ]
}

#[test]
fn proofs_of_issuers_verify_as_the_file_says() {
    let vectors: RegistryVectors = serde_json::from_str(&read("registry.json")).unwrap();
    let anchor = TrustAnchor::genesis(&vectors.genesis).unwrap();
    for case in &vectors.proofs {
        let compact = case.compact.as_ref();
        let compact = compact.map(|bytes| verify(RegistryBundle::decode(bytes), &anchor));
        let json = case.json.as_ref().map(|json| {
            let text = serde_json::to_vec(json).unwrap();
            verify(RegistryBundle::parse_json(&text), &anchor)
        });
        let mut both = compact.iter().chain(&json).peekable();
        assert!(both.peek().is_some(), "{}", case.name);
        for got in both {
            match (got, &case.expected) {
                (Ok(got), Expected::Verified(expected)) => {
                    assert_eq!(got, expected, "{}", case.name);
                }
                (Err(got), Expected::Refused { words, .. }) => {
                    assert!(got.contains(words), "{}: {got}", case.name);
                }
                (got, expected) => panic!("{}: got {got:?}, expected {expected:?}", case.name),
            }
        }
    }
    let good = vectors.proofs.iter();
    let good = good.filter(|it| matches!(it.expected, Expected::Verified(_)));
    assert_eq!((good.count(), vectors.proofs.len()), (9, 87));
}

/// No byte of a part can be another one.
#[test]
fn every_byte_of_a_part_counts() {
    let genesis = genesis();
    let anchor = TrustAnchor::genesis(&genesis).unwrap();
    let good = Registry::new(&genesis).bundle(7, &of(1, 5, 0));
    let verified = holds(&good.proof, &anchor).unwrap();
    let validators = &good.proof.bundle().validators;
    prove_registry(&good.part, &verified, validators).unwrap();
    let bytes = good.encode().unwrap();
    let from = bytes.len() - part_bytes(&good);
    for at in from..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1 << (at % 8);
        let Ok(decoded) = RegistryBundle::decode(&other) else {
            continue;
        };
        let proven = prove_registry(&decoded.part, &verified, validators);
        assert!(proven.is_err(), "byte {at}");
    }
}

/// Of what follows the proof of the leaf.
fn part_bytes(bundle: &RegistryBundle) -> usize {
    let LeafProof::Bundle(proof) = &bundle.proof else {
        panic!("without a map");
    };
    let (whole, proof) = (bundle.encode().unwrap(), proof.encode().unwrap());
    let at = whole.windows(proof.len()).position(|it| it == proof);
    whole.len() - at.unwrap() - proof.len()
}
