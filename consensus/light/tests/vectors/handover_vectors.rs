//! `handovers.json`: streams of handovers, good and bad, and what they lead to.

use alloy_primitives::{B256, Bytes};
use serde::{Deserialize, Serialize};
use tbsi_light::{HandoverFollower, TrustAnchor, verify_bundle};
use tbsi_types::bundle::{HandoverReader, HandoverRecord, HandoverWriter, NamedValidators};
use tbsi_types::{ChainIdentity, Checkpoint, Genesis, Height, ProofBundle};

use crate::fixture::{Network, set, travelled};
use crate::make::genesis;
use crate::{read, words};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HandoverVectors {
    description: String,
    genesis: Genesis,
    genesis_hash: B256,
    /// In compact form, decided by the set that both handovers lead to.
    proof: Bytes,
    cases: Vec<HandoverCase>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HandoverCase {
    name: String,
    /// What is trusted; the genesis file if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted_checkpoint: Option<Bytes>,
    stream: Bytes,
    /// Up to which it is followed.
    height: u64,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Expected {
    Followed(Led),
    Refused(String),
}

/// Where it leads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Led {
    /// Handovers that were verified.
    count: u64,
    /// Of the last decision that is trusted then.
    height: u64,
    proof_holds: bool,
}

/// A stream in pieces.
struct Pieces {
    head: Vec<u8>,
    records: Vec<Vec<u8>>,
}

impl Pieces {
    fn of(chain: ChainIdentity, first: &NamedValidators, records: &[HandoverRecord]) -> Self {
        let (mut writer, head) = HandoverWriter::begin(chain, first.clone()).unwrap();
        let record = |it: &HandoverRecord| writer.record(it).unwrap();
        Self {
            head,
            records: records.iter().map(record).collect(),
        }
    }

    /// The head, and these records.
    fn with(&self, records: &[usize]) -> Vec<u8> {
        let records = records.iter().map(|number| &self.records[*number][..]);
        let pieces: Vec<&[u8]> = std::iter::once(&self.head[..]).chain(records).collect();
        pieces.concat()
    }

    fn all(&self) -> Vec<u8> {
        [&self.head[..], &self.records.concat()].concat()
    }
}

/// What a fixture is made of.
struct World {
    genesis: Genesis,
    network: Network,
    /// The founders' set.
    first: NamedValidators,
    /// With two handovers.
    bundle: ProofBundle,
}

impl World {
    fn new() -> Self {
        let genesis = genesis();
        Self {
            network: Network::of(&genesis),
            first: NamedValidators::of_genesis(&genesis).unwrap(),
            bundle: travelled(&genesis),
            genesis,
        }
    }

    fn records(&self) -> Vec<HandoverRecord> {
        let record = |(position, handover): (usize, &tbsi_types::Handover)| HandoverRecord {
            last: handover.last.clone(),
            first: handover.first.clone(),
            next: self.bundle.set_after(position).clone(),
        };
        self.bundle
            .handovers
            .iter()
            .enumerate()
            .map(record)
            .collect()
    }

    fn pieces(&self, records: &[HandoverRecord]) -> Pieces {
        Pieces::of(self.network.chain, &self.first, records)
    }

    /// Both records, after a change.
    fn changed(&self, change: impl FnOnce(&mut Vec<HandoverRecord>)) -> Vec<u8> {
        let mut records = self.records();
        change(&mut records);
        self.pieces(&records).all()
    }

    fn proof(&self) -> ProofBundle {
        let mut proof = self.bundle.clone();
        proof.handovers.clear();
        proof
    }
}

fn anchor(genesis: &Genesis, checkpoint: Option<&Checkpoint>) -> TrustAnchor {
    match checkpoint {
        Some(checkpoint) => TrustAnchor::checkpoint(genesis.hash(), checkpoint),
        None => TrustAnchor::genesis(genesis).unwrap(),
    }
}

/// As `tbsi verify --handovers` does.
fn follow(bytes: &[u8], anchor: TrustAnchor, height: Height) -> Result<HandoverFollower, String> {
    let mut reader = HandoverReader::open(bytes).map_err(|error| words(&error))?;
    if reader.chain() != anchor.chain() {
        let got = reader.chain().genesis_hash;
        return Err(format!(
            "handovers are of the network with genesis hash {got}"
        ));
    }
    let mut follower = HandoverFollower::from(anchor);
    while let Some((handover, next)) = reader.record().map_err(|error| words(&error))? {
        if handover.first.checkpoint.height > height {
            break;
        }
        let followed = follower.follow(&handover, &next);
        followed.map_err(|error| words(&error))?;
    }
    Ok(follower)
}

impl Led {
    fn of(follower: &HandoverFollower, proof: &ProofBundle) -> Self {
        Self {
            count: follower.followed(),
            height: follower.anchor().height().0,
            proof_holds: verify_bundle(proof, follower.anchor()).is_ok(),
        }
    }
}

/// Both handovers happen below it.
const HEIGHT: u64 = 1_200;

pub(crate) fn make() -> HandoverVectors {
    let world = World::new();
    HandoverVectors {
        description: "Streams of handovers (SPEC 10.6), each followed up to `height` from the \
                      genesis file, or from `trustedCheckpoint` under its hash. One with \
                      `followed` leads to the decision of that height after `count` handovers, \
                      and `proof` holds from there or does not; one with `refused` must be \
                      refused."
            .into(),
        genesis_hash: world.genesis.hash(),
        proof: world.proof().encode().unwrap().into(),
        cases: [
            good_cases(&world),
            bad_records(&world),
            bad_handovers(&world),
            bad_bytes(&world),
        ]
        .concat(),
        genesis: world.genesis,
    }
}

fn good_cases(world: &World) -> Vec<HandoverCase> {
    let records = world.records();
    let pieces = world.pieces(&records);
    let second = &records[0].next;
    let later = Pieces::of(world.network.chain, second, &records[1..]);
    let minimal = world.changed(|records| {
        let first = records[0].clone().minimal(&world.first);
        let second = records[1].clone().minimal(&first.next);
        *records = vec![first, second];
    });
    let good = |name: &str, stream: Vec<u8>, height: u64, trusted: Option<&Checkpoint>| {
        let anchor = anchor(&world.genesis, trusted);
        let follower = follow(&stream, anchor, Height(height));
        let follower = follower.unwrap_or_else(|error| panic!("{name}: {error}"));
        HandoverCase {
            name: name.into(),
            trusted_checkpoint: trusted.map(|it| it.encode().to_vec().into()),
            stream: stream.into(),
            height,
            expected: Expected::Followed(Led::of(&follower, &world.proof())),
        }
    };
    let first = records[0].first.checkpoint;
    let last = records[1].first.checkpoint;
    // What is not needed is not looked at.
    let unread = [&pieces.all()[..], b"no record"].concat();
    vec![
        good("two handovers", pieces.all(), HEIGHT, None),
        good("with the signatures of a quorum", minimal, HEIGHT, None),
        good("up to the second's height", pieces.all(), 801, None),
        good("up to the block before it", pieces.all(), 800, None),
        good("up to the block before the first", pieces.all(), 500, None),
        good("without a record", pieces.head.clone(), HEIGHT, None),
        good("ends after the first", pieces.with(&[0]), HEIGHT, None),
        good("what is after the height is not read", unread, 800, None),
        good(
            "past a trusted checkpoint",
            pieces.all(),
            HEIGHT,
            Some(&first),
        ),
        good(
            "all before a trusted checkpoint",
            pieces.all(),
            HEIGHT,
            Some(&last),
        ),
        good(
            "begins at a trusted checkpoint",
            later.all(),
            HEIGHT,
            Some(&first),
        ),
    ]
}

/// One that must be refused, for this reason.
fn bad(world: &World, name: &str, stream: Vec<u8>, reason: &str) -> HandoverCase {
    bad_under(world, name, stream, None, reason)
}

fn bad_under(
    world: &World,
    name: &str,
    stream: Vec<u8>,
    trusted: Option<&Checkpoint>,
    reason: &str,
) -> HandoverCase {
    let anchor = anchor(&world.genesis, trusted);
    let Err(error) = follow(&stream, anchor, Height(HEIGHT)) else {
        panic!("{name} is not refused")
    };
    assert!(error.contains(reason), "{name}: {error}");
    HandoverCase {
        name: name.into(),
        trusted_checkpoint: trusted.map(|it| it.encode().to_vec().into()),
        stream: stream.into(),
        height: HEIGHT,
        expected: Expected::Refused(reason.into()),
    }
}

/// Whole records in the wrong place, or signed by too few.
fn bad_records(world: &World) -> Vec<HandoverCase> {
    let (network, records) = (&world.network, world.records());
    let pieces = world.pieces(&records);
    let [old, new] = [&records[0].last.checkpoint, &records[0].first.checkpoint];
    let below = world.changed(|it| it[0].last = network.decide(*old, &[1, 2, 3]));
    let few = world.changed(|it| it[0].first = network.decide(*new, &[4, 5]));
    let page = Pieces::of(network.chain, &records[0].next, &records[1..]).all();
    let forked = Checkpoint {
        state_root: B256::ZERO,
        ..*new
    };
    let case = |name: &str, stream: Vec<u8>, reason: &str| bad(world, name, stream, reason);
    let below_quorum = "handover 1: signatures carry 6 of 9";
    let too_few = "handover 1: signatures carry 2 of 4";
    let another = "is not the one that is trusted";
    vec![
        case("old set below quorum", below, below_quorum),
        case("new set below quorum", few, too_few),
        case("the first one is missing", pieces.with(&[1]), ""),
        case("in another order", pieces.with(&[1, 0]), ""),
        case("the second one twice", pieces.with(&[0, 1, 1]), ""),
        case("begins with a later set", page, "lacks a handover"),
        bad_under(
            world,
            "another block of the trusted height",
            pieces.all(),
            Some(&forked),
            another,
        ),
    ]
}

/// A first handover, rightly signed, that is none.
fn bad_handovers(world: &World) -> Vec<HandoverCase> {
    let (network, records) = (&world.network, world.records());
    let [old, new] = [&records[0].last.checkpoint, &records[0].first.checkpoint];
    let with = |last: Checkpoint, first: Checkpoint, keys: &[usize], next: &NamedValidators| {
        let record = HandoverRecord {
            last: network.decide(last, &[0, 1, 2]),
            first: network.decide(first, keys),
            next: next.clone(),
        };
        world.pieces(&[record]).all()
    };
    let of = |checkpoint: &Checkpoint, set: &NamedValidators| Checkpoint {
        validator_set_hash: set.hash(),
        next_validator_set_hash: set.hash(),
        ..*checkpoint
    };
    let (keys, second) = ([4, 5, 7], &records[0].next);
    let later = Checkpoint {
        height: Height(502),
        ..*new
    };
    let timeless = Checkpoint {
        time: old.time,
        ..*new
    };
    let named = set(4..8, "公會", "Association");
    let late = with(*old, later, &keys, second);
    let timeless = with(*old, timeless, &keys, second);
    let renamed = with(*old, of(new, &named), &keys, &named);
    let [before, after] = [of(old, &world.first), of(new, &world.first)];
    let same = with(before, after, &[0, 1, 2], &world.first);
    let case = |name: &str, stream: Vec<u8>, reason: &str| bad(world, name, stream, reason);
    vec![
        case(
            "a block between the sets",
            late,
            "the old one's last of 500",
        ),
        case("no time between the sets", timeless, "it must be after"),
        case("to the same set", same, "the same validator set"),
        case("to a set under other names", renamed, "lacks a handover"),
    ]
}

/// Bytes that are no stream of this network.
fn bad_bytes(world: &World) -> Vec<HandoverCase> {
    let pieces = world.pieces(&world.records());
    let good = pieces.all();
    let patched = |position: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[position] = value;
        bytes
    };
    let framed =
        |length: u32, body: &[u8]| [&pieces.head[..], &length.to_be_bytes(), body].concat();
    let first = &pieces.records[0];
    let length = u32::try_from(first.len() - 4).unwrap();
    let cut = good[..good.len() - 1].to_vec();
    let between = [&good[..], &[0, 0]].concat();
    let case = |name: &str, stream: Vec<u8>, reason: &str| bad(world, name, stream, reason);
    vec![
        case("empty", vec![], ""),
        case(
            "another format",
            patched(3, b'2'),
            "in a form that is known here",
        ),
        case(
            "a bundle",
            world.bundle.encode().unwrap(),
            "in a form that is known here",
        ),
        case(
            "another chain id",
            patched(11, 0),
            "network with genesis hash",
        ),
        case(
            "another genesis",
            patched(12, 9),
            "network with genesis hash",
        ),
        case("no first set", good[..44].to_vec(), ""),
        case("cut in the first set", good[..60].to_vec(), ""),
        case("cut in a record", cut, ""),
        case("cut in a length", between, ""),
        case(
            "a record longer than any",
            framed(524_289, &[]),
            "at most 524288",
        ),
        case(
            "a record of nothing",
            framed(0, &[]),
            "record 1 of handovers",
        ),
        case(
            "a byte after a record",
            framed(length + 1, &[&first[4..], &[0]].concat()),
            "record 1 of handovers",
        ),
        case(
            "a record a byte short",
            framed(length - 1, &first[4..first.len() - 1]),
            "record 1 of handovers",
        ),
    ]
}

#[test]
fn streams_lead_where_the_file_says() {
    let vectors: HandoverVectors = serde_json::from_str(&read("handovers.json")).unwrap();
    assert_eq!(vectors.genesis.hash(), vectors.genesis_hash);
    let proof = ProofBundle::decode(&vectors.proof).unwrap();
    let mut followed = 0;
    for case in &vectors.cases {
        let trusted = case.trusted_checkpoint.as_ref();
        let trusted = trusted.map(|bytes| Checkpoint::decode(bytes).unwrap());
        let anchor = anchor(&vectors.genesis, trusted.as_ref());
        let got = follow(&case.stream, anchor, Height(case.height));
        match (got.map(|it| Led::of(&it, &proof)), &case.expected) {
            (Ok(got), Expected::Followed(expected)) => {
                assert_eq!(&got, expected, "{}", case.name);
                followed += 1;
            }
            (Err(got), Expected::Refused(words)) => {
                assert!(got.contains(words), "{}: {got}", case.name);
            }
            (got, expected) => panic!("{}: got {got:?}, expected {expected:?}", case.name),
        }
    }
    assert_eq!((followed, vectors.cases.len()), (11, 35));
}
