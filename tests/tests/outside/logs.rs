//! The attestation log: golang.org/x/mod/sumdb and transparency-dev's libraries, which are Go,
//! over HTTP and on a copy; the crate `tlog_tiles` on the copy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use alloy_primitives::hex;
use tbsi_tests::harness::{TestNetwork, eventually, http};
use tbsi_tests::issuer::Issuer;
use tbsi_tests::outside::{Offline, accepts, go_program, refuses};
use tbsi_types::TreeSize;
use tbsi_types::log::{EntryBundle, LogCheckpoint, SignedNote, Tile};
use tlog_tiles::{
    Checkpoint, Error, Hash, HashReader, TileHashReader, TileReader, check_record, check_tree,
    prove_record, prove_tree, record_hash,
};

use crate::table::Row;

/// Leaves of the earlier log and of the later one.
const SIZES: (u64, u64) = (257, 1_000);

/// A node's log, and a copy of its files.
pub(crate) struct Served {
    pub(crate) net: TestNetwork,
    /// The node.
    node: usize,
    /// Its key.
    key: String,
    /// Another node's.
    other_key: String,
    /// With the paths of the log's URL.
    copy: PathBuf,
    /// The earlier checkpoint.
    old: LogCheckpoint,
    /// A file with its note.
    old_note: PathBuf,
}

impl Served {
    /// After `prepare` of four validators and an observer that do not run yet.
    pub(crate) async fn start(prepare: impl FnOnce(&TestNetwork)) -> Self {
        let net = TestNetwork::create(4, 1);
        prepare(&net);
        let mut net = net.started().await;
        let node = 4;
        let copy = net.scratch().join("copy");
        let mut issuer = Issuer::new("log", &net);
        let mut attest = async |net: &mut TestNetwork, numbers| {
            issuer.attest(&net.client(0), numbers).await;
            let height = net.client(0).block_number().await.unwrap();
            net.wait_height(node, height).await;
        };
        attest(&mut net, 0..SIZES.0).await;
        let note = checkpoint_of(&net, node, SIZES.0).await;
        let old_note = net.scratch().join("old");
        fs::write(&old_note, &note).unwrap();
        attest(&mut net, SIZES.0..SIZES.1).await;
        checkpoint_of(&net, node, SIZES.1).await;
        let size = TreeSize(SIZES.1);
        let tiles = Tile::changed(TreeSize(0), size).map(|tile| tile.path());
        let bundles = EntryBundle::changed(TreeSize(0), size).map(|bundle| bundle.path());
        let proof = format!("proof/{}.tlog-proof", SIZES.1 - 1);
        for path in tiles.chain(bundles).chain(["checkpoint".into(), proof]) {
            let file = copy.join(&path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, get(&net, node, &path).await).unwrap();
        }
        let key = async |node| {
            let line = String::from_utf8(get(&net, node, "key").await).unwrap();
            // The node's own; those of the validators that cosign follow.
            line.lines().next().unwrap_or_default().to_owned()
        };
        let (key, other_key) = (key(node).await, key(0).await);
        let note = SignedNote::parse(std::str::from_utf8(&note).unwrap()).unwrap();
        let old = LogCheckpoint::parse(note.text()).unwrap();
        Self {
            net,
            node,
            key,
            other_key,
            copy,
            old,
            old_note,
        }
    }
}

/// The note of a log of so many leaves: cosignatures may come a moment after the block.
async fn checkpoint_of(net: &TestNetwork, node: usize, size: u64) -> Vec<u8> {
    let note = async || get(net, node, "checkpoint").await;
    eventually("all leaves are in the checkpoint", async || {
        let note = String::from_utf8(note().await).unwrap();
        let note = SignedNote::parse(&note).unwrap();
        LogCheckpoint::parse(note.text()).unwrap().size == TreeSize(size)
    })
    .await;
    note().await
}

async fn get(net: &TestNetwork, node: usize, path: &str) -> Vec<u8> {
    let (address, path) = (net.network.nodes()[node].rpc, format!("/log/{path}"));
    let answer = http(address, "GET", &path, &[], b"").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_verify_the_log_over_http_and_offline() {
    let served = Served::start(|_| {}).await;
    served.by_tlog_tiles();
    served.by_sumdb();
    served.by_transparency_dev();
    served.net.assert_no_panic();
}

impl Served {
    /// By golang.org/x/mod/sumdb; `None`, and said so, if that cannot be.
    pub(crate) fn by_sumdb(&self) -> Option<Row> {
        let old = [self.old.size.to_string(), hex::encode(self.old.root)];
        verifies(self, "x/mod sumdb note, tlog", "served", &old)
    }

    /// By transparency-dev's libraries; `None`, and said so, if that cannot be.
    pub(crate) fn by_transparency_dev(&self) -> Option<Row> {
        let old = [self.old_note.display().to_string()];
        verifies(self, "transparency-dev, tessera", "tessera", &old)
    }
}

/// A Go program, at the node and without any network.
fn verifies(served: &Served, verifier: &'static str, name: &str, old: &[String]) -> Option<Row> {
    let program = go_program(served.net.scratch(), name)?;
    let url = format!("{}/log", served.net.network.rpc_url(served.node));
    let extends = format!(
        "{} leaves of {}, which extend {}\n",
        SIZES.1, served.old.origin, SIZES.0
    );
    let check = |start: &dyn Fn() -> Command, place: &str| {
        let said = accepts(start().arg(place).arg(&served.key).args(old));
        assert!(said.contains(&extends), "{said}");
        let flipped = said.matches("refused a flipped bit").count();
        assert_eq!(flipped, 5, "{said}");
        assert!(said.contains("refused another history"), "{said}");
        let mut other = start();
        let other = other.arg(place).arg(&served.other_key).args(old);
        refuses(other, "note has no verifiable signatures");
        // Another history, and another key.
        flipped + 2
    };
    let refused = check(&|| Command::new(&program), &url);
    let address = served.net.network.nodes()[served.node].rpc;
    let offline = Offline::new(&format!("{name} offline"), address)?;
    check(&|| offline.command(&program), served.copy.to_str().unwrap());
    // In there, the node's own address is of no use.
    let mut online = offline.command(&program);
    refuses(online.arg(&url).arg(&served.key).args(old), "connect: ");
    Some(Row {
        verifier,
        of: "checkpoint, tiles, tlog-proof",
        accepts: true,
        refused,
        unnoticed: 0,
        offline: true,
    })
}

/// The copy as `tlog_tiles` reads it; in paths that contain `flip`, one bit is another.
struct Files<'a> {
    copy: &'a Path,
    flip: Option<&'a str>,
}

impl Files<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, Error> {
        let read = fs::read(self.copy.join(path));
        let mut bytes = read.map_err(|error| Error::InvalidInput(format!("{path}: {error}")))?;
        if self.flip.is_some_and(|flip| path.contains(flip)) {
            // The crate reads no signatures: of a checkpoint it is the root that counts.
            let root = bytes.windows(2).position(|window| window == b"0\n");
            let place = match path {
                "checkpoint" => root.expect("a size") + 2,
                _ => bytes.len() / 2,
            };
            bytes[place] ^= 1;
        }
        Ok(bytes)
    }

    /// Every leaf, at its place and among the tiles, and that the log grew from `old`.
    fn verify(&self, old: &LogCheckpoint) -> Result<(), Error> {
        let malformed = |_| Error::InvalidInput("checkpoint".into());
        let note = self.read("checkpoint")?;
        let now = Checkpoint::from_reader(&mut note.as_slice(), false).map_err(malformed)?;
        let (size, root) = (now.size(), *now.hash());
        let reader = TileHashReader::new(size, root, self);
        let mut index = 0;
        for bundle in EntryBundle::changed(TreeSize(0), TreeSize(size)) {
            let bytes = self.read(&bundle.path())?;
            let mut rest = bytes.as_slice();
            while let Some((length, after)) = rest.split_first_chunk::<2>() {
                let length = u16::from_be_bytes(*length).into();
                let (leaf, after) = after.split_at_checked(length).ok_or(Error::InvalidTile)?;
                let proof = prove_record(size, index, &reader)?;
                check_record(&proof, size, root, index, record_hash(leaf))?;
                (index, rest) = (index + 1, after);
            }
        }
        assert_eq!((index, size), (SIZES.1, SIZES.1));
        let proof = prove_tree(size, old.size.0, &reader)?;
        check_tree(&proof, size, root, old.size.0, Hash(old.root.0))?;
        let whole = tlog_tiles::tree_hash(size, &reader)?;
        assert_eq!(whole.0, root.0);
        Ok(())
    }
}

impl TileReader for Files<'_> {
    fn height(&self) -> u8 {
        8
    }

    /// The crate writes the height into a path, as Go does; tlog-tiles fixes it.
    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let path = |tile: &tlog_tiles::Tile| tile.path().replace("tile/8/", "tile/");
        tiles.iter().map(|tile| self.read(&path(tile))).collect()
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

impl Served {
    /// By the crate `tlog_tiles`, in this process and on the copy: it has no network in it.
    pub(crate) fn by_tlog_tiles(&self) -> Row {
        let files = |flip| Files {
            copy: &self.copy,
            flip,
        };
        files(None).verify(&self.old).unwrap();
        let flips = ["checkpoint", "tile/0/", "tile/1/", "tile/entries/"];
        for flip in flips {
            let refused = files(Some(flip)).verify(&self.old);
            assert!(refused.is_err(), "a flipped bit in {flip} is accepted");
        }
        let mut other = self.old.clone();
        other.root.0[0] ^= 1;
        assert!(files(None).verify(&other).is_err(), "another history");
        let unread = TileHashReader::new(SIZES.1, Hash([0; 32]), &files(None)).read_hashes(&[0]);
        assert!(unread.is_err(), "tiles of another root");
        Row {
            verifier: "tlog_tiles",
            of: "tiles",
            accepts: true,
            refused: flips.len() + 2,
            unnoticed: 0,
            offline: true,
        }
    }
}
