//! Roots of the log that another calendar was given, and what it said of each.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tbsi_keys::disk;
use tbsi_types::log::ots::{OTS_BYTES_MAX, read_ots};
use tbsi_types::log::{OtsAttestation, OtsNotary};
use tbsi_types::{B256, LeafIndex, TreeSize};

use crate::limits::ANCHORS_MAX;

const EXTENSION: &str = "anchor";

/// What is known of a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) root: B256,
    /// Of the root; its branches end where the calendar left them.
    pub(super) timestamp: Vec<u8>,
    /// Whether one of them ends in Bitcoin.
    pub(super) is_complete: bool,
}

/// By the size of the log.
#[derive(Debug)]
pub(super) struct Anchors {
    dir: PathBuf,
    all: BTreeMap<TreeSize, Anchor>,
}

pub(super) fn is_in_bitcoin(attestations: &[OtsAttestation]) -> bool {
    let mut all = attestations.iter();
    all.any(|it| matches!(it.notary, OtsNotary::Bitcoin(_)))
}

impl Anchor {
    /// Checks that the timestamp can be followed.
    pub(super) fn new(root: B256, timestamp: Vec<u8>) -> Result<Self, String> {
        let attestations = read_ots(&timestamp, root.as_slice());
        let attestations = attestations.map_err(|error| error.to_string())?;
        Ok(Self {
            root,
            timestamp,
            is_complete: is_in_bitcoin(&attestations),
        })
    }
}

impl Anchors {
    /// Reads all. A damaged file stops the node: its leaves would be anchored later than they
    /// are.
    pub(super) fn open(dir: &Path, is_written: bool) -> io::Result<Self> {
        if is_written {
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let mut all = BTreeMap::new();
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let dir = dir.into();
                return Ok(Self { dir, all });
            }
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|it| it == EXTENSION) {
                let (size, anchor) = read(&path)?;
                all.insert(size, anchor);
            }
        }
        let dir = dir.into();
        Ok(Self { dir, all })
    }

    /// Keeps an anchor, on disk first. Above the bound the oldest is forgotten: its leaves are in
    /// the later ones too.
    pub(super) fn put(&mut self, size: TreeSize, anchor: Anchor) -> io::Result<()> {
        let bytes = [anchor.root.as_slice(), &anchor.timestamp].concat();
        disk::replace(&self.path(size), &bytes)?;
        self.all.insert(size, anchor);
        while self.all.len() > ANCHORS_MAX {
            let Some((oldest, _)) = self.all.pop_first() else {
                break;
            };
            fs::remove_file(self.path(oldest))?;
        }
        Ok(())
    }

    fn path(&self, size: TreeSize) -> PathBuf {
        self.dir.join(format!("{size}.{EXTENSION}"))
    }

    /// The first log in Bitcoin that holds leaf `index`, and the timestamp of its root.
    pub(super) fn covering(&self, index: LeafIndex) -> Option<(TreeSize, Vec<u8>)> {
        let later = self.all.range(TreeSize(index.0.checked_add(1)?)..);
        let mut complete = later.filter(|(_, anchor)| anchor.is_complete);
        let (size, anchor) = complete.next()?;
        Some((*size, anchor.timestamp.clone()))
    }

    /// The timestamp of a root that is in Bitcoin.
    pub(super) fn of_root(&self, root: B256) -> Option<Vec<u8>> {
        let mut all = self.all.values();
        let anchor = all.find(|anchor| anchor.root == root && anchor.is_complete)?;
        Some(anchor.timestamp.clone())
    }

    /// The largest log that the calendar was given.
    pub(super) fn last(&self) -> TreeSize {
        let last = self.all.last_key_value();
        last.map_or(TreeSize(0), |(size, _)| *size)
    }

    /// Those that are not in Bitcoin yet, the newest first.
    pub(super) fn unfinished(&self, limit: usize) -> Vec<(TreeSize, Anchor)> {
        let all = self.all.iter().rev();
        let open = all.filter(|(_, anchor)| !anchor.is_complete).take(limit);
        open.map(|(size, anchor)| (*size, anchor.clone())).collect()
    }
}

fn read(path: &Path) -> io::Result<(TreeSize, Anchor)> {
    let damaged = |problem: &str| {
        let file = path.display();
        io::Error::new(
            ErrorKind::InvalidData,
            format!("anchor {file}: {problem}; restore it, or remove it and lose what it proves"),
        )
    };
    let size = path
        .file_stem()
        .and_then(|stem| stem.to_str()?.parse().ok());
    let size = size.ok_or_else(|| damaged("its name is no size"))?;
    if fs::metadata(path)?.len() > (32 + OTS_BYTES_MAX) as u64 {
        return Err(damaged("it is too long"));
    }
    let bytes = fs::read(path)?;
    let (root, timestamp) = bytes
        .split_first_chunk::<32>()
        .ok_or_else(|| damaged("it is cut short"))?;
    let anchor = Anchor::new(B256::from(*root), timestamp.into());
    Ok((TreeSize(size), anchor.map_err(|problem| damaged(&problem))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tbsi_types::log::OtsWriter;

    const BITCOIN: &[u8] = b"\x00\x05\x88\x96\x0d\x73\xd7\x19\x01\x01\x07";

    fn anchor(byte: u8, complete: bool) -> Anchor {
        let mut writer = OtsWriter::default();
        writer.sha256();
        let timestamp = if complete {
            writer.finish_with(BITCOIN)
        } else {
            writer.pending("http://127.0.0.1:1", true);
            writer.finish()
        };
        Anchor::new(B256::repeat_byte(byte), timestamp).unwrap()
    }

    #[test]
    fn the_first_complete_one_covers_a_leaf_before_and_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("calendar");
        let mut anchors = Anchors::open(&dir, true).unwrap();
        for (size, complete) in [(3, true), (5, false), (9, true)] {
            let byte = u8::try_from(size).unwrap();
            anchors.put(TreeSize(size), anchor(byte, complete)).unwrap();
        }
        let check = |anchors: &Anchors| {
            let size = |index| anchors.covering(LeafIndex(index)).map(|it| it.0.0);
            assert_eq!(
                [0, 2, 3, 8, 9].map(size),
                [Some(3), Some(3), Some(9), Some(9), None]
            );
            assert_eq!(size(u64::MAX), None);
            assert_eq!(anchors.last(), TreeSize(9));
            let open: Vec<_> = anchors.unfinished(7).into_iter().map(|it| it.0.0).collect();
            assert_eq!(open, [5]);
            assert!(anchors.of_root(B256::repeat_byte(9)).is_some());
            assert!(anchors.of_root(B256::repeat_byte(5)).is_none());
        };
        check(&anchors);
        check(&Anchors::open(&dir, false).unwrap());
        fs::write(dir.join("5.anchor"), [5; 40]).unwrap();
        let error = Anchors::open(&dir, false).unwrap_err().to_string();
        assert!(error.contains("5.anchor: "), "{error}");
    }

    #[test]
    fn nothing_is_made_where_nothing_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("calendar");
        assert_eq!(Anchors::open(&dir, false).unwrap().last(), TreeSize(0));
        assert!(!dir.exists());
    }
}
