//! `log.json`: tree, proofs, tiles and notes of a log whose leaf `i` is the eight bytes of `i`.

use alloy_primitives::{B256, Bytes};
use serde::{Deserialize, Serialize};
use tbsi_light::{verify_consistency, verify_inclusion, verify_note, verify_tlog_proof};
use tbsi_types::log::EMPTY_LOG_ROOT;
use tbsi_types::log::tile::{TILE_WIDTH, entries, push_entry};
use tbsi_types::log::{
    ConsistencyProof, EntryBundle, Frontier, InclusionProof, LogCheckpoint, NoteSigner,
    NoteVerifier, SignatureType, SignedNote, Tile, TlogProof, leaf_hash,
};
use tbsi_types::{LeafIndex, TreeSize};

use crate::fixture::Log;
use crate::{read, words};

const SIZE: u64 = 300;
const ORIGIN: &str = "log.example/tbsi";

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LogVectors {
    description: String,
    trees: Vec<TreeCase>,
    inclusion: Vec<InclusionCase>,
    consistency: Vec<ConsistencyCase>,
    tiles: Vec<TileCase>,
    entry_bundles: Vec<TileCase>,
    growth: Vec<GrowthCase>,
    paths: Vec<Tile3>,
    bad_paths: Vec<String>,
    keys: Keys,
    notes: Vec<NoteCase>,
    tlog_proofs: Vec<NoteCase>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TreeCase {
    size: TreeSize,
    root: B256,
    frontier: Bytes,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InclusionCase {
    index: LeafIndex,
    size: TreeSize,
    root: B256,
    proof: Vec<B256>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ConsistencyCase {
    first: TreeSize,
    second: TreeSize,
    first_root: B256,
    second_root: B256,
    proof: Vec<B256>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TileCase {
    path: String,
    bytes: Bytes,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrowthCase {
    from: TreeSize,
    to: TreeSize,
    paths: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tile3 {
    level: u8,
    index: u64,
    width: u16,
    path: String,
}

/// Verifier keys; the secret keys repeat the bytes 1, 2 and 3.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    log: String,
    cosigners: Vec<String>,
}

/// A note or proof that is signed by the log and both cosigners, or must be refused.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoteCase {
    name: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

fn leaf(index: u64) -> Vec<u8> {
    index.to_be_bytes().into()
}

fn log(size: u64) -> Log {
    Log::of((0..size).map(leaf))
}

fn tree(size: u64) -> TreeCase {
    let mut frontier = Frontier::default();
    (0..size).for_each(|index| frontier.append(leaf_hash(&leaf(index)), |_, _| {}));
    TreeCase {
        size: TreeSize(size),
        root: frontier.root(),
        frontier: frontier.encode().into(),
    }
}

fn inclusion((index, size): (u64, u64)) -> InclusionCase {
    let (index, size) = (LeafIndex(index), TreeSize(size));
    let log = log(size.0);
    InclusionCase {
        index,
        size,
        root: log.root(),
        proof: InclusionProof::make(&log, index, size).unwrap().0,
    }
}

fn consistency((first, second): (u64, u64)) -> ConsistencyCase {
    let (old, new) = (log(first), log(second));
    let (first, second) = (TreeSize(first), TreeSize(second));
    ConsistencyCase {
        first,
        second,
        first_root: old.root(),
        second_root: new.root(),
        proof: ConsistencyProof::make(&new, first, second).unwrap().0,
    }
}

fn tile(log: &Log, tile: Tile) -> TileCase {
    let start = usize::try_from(tile.index).unwrap() * usize::from(TILE_WIDTH);
    let hashes = &log.level(8 * tile.level)[start..start + usize::from(tile.width)];
    TileCase {
        path: tile.path(),
        bytes: hashes.concat().into(),
    }
}

fn entry_bundle(bundle: EntryBundle) -> TileCase {
    let start = bundle.index * u64::from(TILE_WIDTH);
    let mut bytes = Vec::new();
    for index in start..start + u64::from(bundle.width) {
        push_entry(&mut bytes, &leaf(index)).unwrap();
    }
    TileCase {
        path: bundle.path(),
        bytes: bytes.into(),
    }
}

fn growth((from, to): (u64, u64)) -> GrowthCase {
    let (from, to) = (TreeSize(from), TreeSize(to));
    let paths = Tile::changed(from, to).map(|tile| tile.path()).collect();
    GrowthCase { from, to, paths }
}

fn path((level, index, width): (u8, u64, u16)) -> Tile3 {
    let tile = Tile {
        level,
        index,
        width,
    };
    Tile3 {
        level,
        index,
        width,
        path: tile.path(),
    }
}

pub(crate) fn make() -> LogVectors {
    let whole = log(SIZE);
    let (zero, size) = (TreeSize(0), TreeSize(SIZE));
    let signers = signers();
    let vkey = |signer: &NoteSigner, kind| signer.verifier(kind).encode();
    let cosigner = |signer| vkey(signer, SignatureType::Cosignature);
    LogVectors {
        description: "A log whose leaf i is the eight bytes of i, big-endian. Tiles and entry \
                      bundles are those of 300 leaves. Notes and proofs (of leaf 137) with \
                      `refused` must be refused; the others carry signatures of all three keys, \
                      whose secret keys repeat the bytes 1, 2 and 3."
            .into(),
        trees: [0, 1, 2, 3, 7, 8, 255, 256, 257, 300].map(tree).into(),
        inclusion: [
            (0, 1),
            (0, 2),
            (2, 3),
            (5, 13),
            (255, 256),
            (256, 257),
            (137, 300),
        ]
        .map(inclusion)
        .into(),
        consistency: [
            (1, 1),
            (1, 8),
            (3, 7),
            (6, 8),
            (256, 257),
            (255, 300),
            (300, 300),
        ]
        .map(consistency)
        .into(),
        tiles: Tile::changed(zero, size)
            .map(|it| tile(&whole, it))
            .collect(),
        entry_bundles: EntryBundle::changed(zero, size).map(entry_bundle).collect(),
        growth: [
            (0, 1),
            (255, 256),
            (256, 257),
            (250, 600),
            (65_535, 65_537),
            (9, 9),
        ]
        .map(growth)
        .into(),
        paths: [
            (0, 0, 256),
            (0, 0, 1),
            (1, 999, 255),
            (2, 1_000, 256),
            (0, 1_234_067, 7),
        ]
        .map(path)
        .into(),
        bad_paths: BAD_PATHS.map(String::from).into(),
        keys: Keys {
            log: vkey(&signers[0], SignatureType::Note),
            cosigners: signers[1..].iter().map(cosigner).collect(),
        },
        notes: notes(&whole),
        tlog_proofs: tlog_proofs(&whole),
    }
}

const BAD_PATHS: [&str; 9] = [
    "tile/00/000",
    "tile/0/0",
    "tile/0/x000/001",
    "tile/0/001/002",
    "tile/0/x001",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/64/000",
];

fn signers() -> [NoteSigner; 3] {
    let names = [ORIGIN, "witness.example/a", "witness.example/b"];
    [0, 1, 2].map(|index: u8| NoteSigner::new(names[usize::from(index)], &[index + 1; 32]).unwrap())
}

fn signed(log: &Log, origin: &str) -> SignedNote {
    let checkpoint = LogCheckpoint {
        origin: origin.into(),
        size: log.size(),
        root: log.root(),
    };
    let text = checkpoint.encode().unwrap();
    let [own, a, b] = signers();
    let cosigned = |signer: &NoteSigner| signer.cosign(&text, 1_700_000_000).unwrap();
    let signatures = vec![own.sign(&text), cosigned(&a), cosigned(&b)];
    SignedNote::new(text, signatures).unwrap()
}

/// A name, a text, and words of the reason if it must be refused.
fn case(name: &str, text: String, refused: Option<&str>) -> NoteCase {
    NoteCase {
        name: name.into(),
        text,
        refused: refused.map(Into::into),
    }
}

fn notes(log: &Log) -> Vec<NoteCase> {
    let good = signed(log, ORIGIN);
    let text = good.encode();
    let signatures = good.signatures();
    let with = |signatures: Vec<_>| SignedNote::new(good.text().into(), signatures);
    let edited = |line: usize, byte: usize| {
        let mut signatures = signatures.to_vec();
        signatures[line].bytes[byte] ^= 1;
        with(signatures).unwrap().encode()
    };
    let unsigned = with(signatures[1..].to_vec()).unwrap().encode();
    let alone = with(signatures[..1].to_vec()).unwrap().encode();
    let bad = "does not verify";
    vec![
        case("signed and cosigned", text.clone(), None),
        case(
            "another size",
            text.replace("\n300\n", "\n301\n"),
            Some(bad),
        ),
        case("log signature, one bit", edited(0, 5), Some(bad)),
        case("cosignature, one bit", edited(1, 20), Some(bad)),
        case("time of a cosignature, one bit", edited(2, 7), Some(bad)),
        case("not signed by the log", unsigned, Some("did not sign")),
        case("not cosigned", alone, Some("0 of the cosigners")),
        case(
            "of another log",
            signed(log, "log.example/other").encode(),
            Some("is of log"),
        ),
        case("no last newline", text.trim_end().into(), Some("newline")),
        case(
            "carriage returns",
            text.replace('\n', "\r\n"),
            Some("control"),
        ),
        case(
            "size with a zero in front",
            text.replace("\n300\n", "\n0300\n"),
            Some(bad),
        ),
    ]
}

fn tlog_proofs(log: &Log) -> Vec<NoteCase> {
    let index = LeafIndex(137);
    let proof = TlogProof {
        extra: None,
        index,
        inclusion: InclusionProof::make(log, index, log.size()).unwrap(),
        note: signed(log, ORIGIN),
    };
    let text = proof.encode();
    let with = |edit: &dyn Fn(&mut TlogProof)| {
        let mut proof = proof.clone();
        edit(&mut proof);
        proof.encode()
    };
    let extra = with(&|it| it.extra = Some(b"file.pdf".to_vec()));
    let moved = with(&|it| it.index = LeafIndex(136));
    let flipped = with(&|it| it.inclusion.0[3].0[0] ^= 1);
    let cut = with(&|it| it.inclusion.0.truncate(8));
    let long = with(&|it| it.inclusion.0.push(B256::ZERO));
    let resized = text.replace("\n300\n", "\n299\n");
    let newer = text.replace("@v1", "@v2");
    vec![
        case("leaf 137 of 300", text, None),
        case("with extra data", extra, None),
        case("another index", moved, Some("leads to log root")),
        case("one bit of a hash", flipped, Some("leads to log root")),
        case(
            "a hash too few",
            cut,
            Some("proof has 8 hashes, 9 are needed"),
        ),
        case(
            "a hash too many",
            long,
            Some("proof has 10 hashes, 9 are needed"),
        ),
        case("another size", resized, Some("does not verify")),
        case("another version", newer, Some("does not begin with")),
    ]
}

#[test]
fn trees_and_proofs_are_what_the_file_says() {
    let vectors: LogVectors = serde_json::from_str(&read("log.json")).unwrap();
    assert_eq!(vectors.trees[0].root, EMPTY_LOG_ROOT);
    for case in &vectors.trees {
        let frontier = Frontier::decode(&case.frontier).unwrap();
        assert_eq!((frontier.size(), frontier.root()), (case.size, case.root));
    }
    for case in &vectors.inclusion {
        let leaf = leaf_hash(&leaf(case.index.0));
        let proof = InclusionProof(case.proof.clone());
        verify_inclusion(leaf, case.index, case.size, &proof, case.root).unwrap();
    }
    for case in &vectors.consistency {
        let (first, second) = (
            (case.first, case.first_root),
            (case.second, case.second_root),
        );
        let proof = ConsistencyProof(case.proof.clone());
        verify_consistency(first, second, &proof).unwrap();
    }
}

#[test]
fn tiles_are_what_the_file_says() {
    let vectors: LogVectors = serde_json::from_str(&read("log.json")).unwrap();
    for case in &vectors.tiles {
        let tile = Tile::parse_path(&case.path).unwrap();
        assert_eq!(case.bytes.len(), 32 * usize::from(tile.width), "{tile}");
    }
    for case in &vectors.entry_bundles {
        let bundle = EntryBundle::parse_path(&case.path).unwrap();
        let entries = entries(&case.bytes, bundle.width).unwrap();
        let tile = vectors
            .tiles
            .iter()
            .find(|tile| tile.path == case.path.replace("entries", "0"));
        let hashes: Vec<B256> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        assert_eq!(tile.unwrap().bytes, hashes.concat(), "{}", case.path);
    }
    for case in &vectors.paths {
        let tile = Tile::parse_path(&case.path).unwrap();
        assert_eq!(
            (tile.level, tile.index, tile.width),
            (case.level, case.index, case.width)
        );
    }
    for path in &vectors.bad_paths {
        assert!(Tile::parse_path(path).is_err(), "{path}");
    }
    for case in &vectors.growth {
        let paths = Tile::changed(case.from, case.to).map(|tile| tile.path());
        assert!(
            paths.eq(case.paths.iter().cloned()),
            "{} to {}",
            case.from,
            case.to
        );
    }
}

#[test]
fn notes_verify_as_the_file_says() {
    let vectors: LogVectors = serde_json::from_str(&read("log.json")).unwrap();
    let parse = |vkey: &String| NoteVerifier::parse(vkey).unwrap();
    let log = parse(&vectors.keys.log);
    let cosigners: Vec<_> = vectors.keys.cosigners.iter().map(parse).collect();
    let check = |case: &NoteCase, got: Result<(), String>| match (got, &case.refused) {
        (Ok(()), None) => {}
        (Err(got), Some(words)) => assert!(got.contains(words), "{}: {got}", case.name),
        (got, _) => panic!("{}: {got:?}", case.name),
    };
    for case in &vectors.notes {
        let verify = || -> Result<(), Box<dyn std::error::Error>> {
            let note = SignedNote::parse(&case.text)?;
            verify_note(&note, &log, &cosigners, 2)?;
            Ok(())
        };
        check(case, verify().map_err(|error| words(error.as_ref())));
    }
    for case in &vectors.tlog_proofs {
        let verify = || -> Result<(), Box<dyn std::error::Error>> {
            let proof = TlogProof::parse(&case.text)?;
            verify_tlog_proof(&leaf(137), &proof, &log, &cosigners, 2)?;
            Ok(())
        };
        check(case, verify().map_err(|error| words(error.as_ref())));
    }
}
