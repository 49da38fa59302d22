//! Why a backup is not made, not right, or not restored.

use std::io;
use std::path::PathBuf;

use tbsi_home::HomeError;
use tbsi_keys::keyfile::KeyFileError;
use tbsi_store::StoreError;
use tbsi_types::{B256, Height};

use crate::audit::AuditFailure;
use crate::control::ControlError;

/// Names what is wrong, and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The running node.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// What the database says.
    #[error("the database does not hold what the validators signed")]
    Audit(#[from] AuditFailure),
    /// Something is there already.
    #[error("{path} exists: name a directory that does not", path = path.display())]
    Exists {
        /// What.
        path: PathBuf,
    },
    /// The home to restore into has something in it.
    #[error(
        "{path} exists: restore into a new directory, in which there may be `keys` and `tsa` and \
         nothing else; if it is what a restore left that was cut short, remove all but these",
        path = path.display()
    )]
    NotNew {
        /// What is in the way.
        path: PathBuf,
    },
    /// No manifest.
    #[error(
        "{dir} has no manifest.json: it is no backup, or was cut short while it was made; use \
         another one",
        dir = dir.display()
    )]
    CutShort {
        /// The directory.
        dir: PathBuf,
    },
    /// A manifest that cannot be.
    #[error("{dir}/manifest.json: {problem}; use another backup", dir = dir.display())]
    Manifest {
        /// The directory.
        dir: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file that is not the one of the manifest.
    #[error("{path}: {problem}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Another network's.
    #[error(
        "the backup is of the network with genesis hash {found}, expected {expected}: use a backup \
         of this network, or the genesis file of that one"
    )]
    OtherNetwork {
        /// Of the backup.
        found: B256,
        /// Of the genesis file that is trusted.
        expected: B256,
    },
    /// The database has another tip than the manifest says.
    #[error(
        "the database of the backup is of {found}, its manifest says {stated}; use another one"
    )]
    Tip {
        /// Height and digest in the database.
        found: String,
        /// As stated.
        stated: String,
    },
    /// Not enough room.
    #[error(
        "{needed} bytes are needed where {path} is, {free} are free: make room, or name a directory \
         on another file system",
        path = path.display()
    )]
    Room {
        /// Where.
        path: PathBuf,
        /// Bytes.
        needed: u64,
        /// Bytes.
        free: u64,
    },
    /// A key of the home is not the one of the backup.
    #[error(
        "the {what} in {home}/keys is {found}, the node of the backup had {expected}: put that \
         one there",
        home = home.display()
    )]
    OtherKey {
        /// Which key.
        what: &'static str,
        /// The home.
        home: PathBuf,
        /// Its public half.
        found: String,
        /// As in the backup.
        expected: String,
    },
    /// A key that is missing.
    #[error(
        "{file} is missing: backups hold no keys, so put the copy of `keys` there that you keep \
         apart from them (its public half is {expected}), or restore an observer with --observer",
        file = file.display()
    )]
    NoKey {
        /// Where it should be.
        file: PathBuf,
        /// Its public half.
        expected: String,
    },
    /// Nobody says where the sign-state begins.
    #[error(
        "backups hold no sign-state, so that no old one is put back: stop the node that voted with \
         this key for good and bring its `data/sign-state` with --sign-state FILE; if that is lost, \
         say above which height the key has signed nothing: --height HEIGHT, with --checkpoint FILE \
         if the network is more than 1000 heights above the backup; or restore with --observer"
    )]
    NoMark,
    /// A sign-state that would begin below what is decided.
    #[error(
        "--height {stated} is below block {tip}, the last one of the backup: the key may have signed \
         up to there and above; give the height that the network has reached"
    )]
    LowMark {
        /// As given.
        stated: Height,
        /// Of the backup.
        tip: Height,
    },
    /// A sign-state that was put back once already.
    #[error(
        "{file} was brought into a home before (it is called `.spent` since): a sign-state that is \
         put back twice lets the validator sign twice. Use the one of the home that signed last; \
         if that is lost, say above which height the key has signed nothing: --height HEIGHT",
        file = file.display()
    )]
    Spent {
        /// As it was named.
        file: PathBuf,
    },
    /// The disk.
    #[error("{operation} {path}{}", remedy(source), path = path.display())]
    Io {
        /// What was being done.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl BackupError {
    /// Whether it says nothing about what was to be looked at: that could not be read.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Home(_) | Self::Key(_) | Self::Control(_) | Self::Io { .. } => true,
            Self::Store(error) => !matches!(
                error,
                StoreError::Read { .. } | StoreError::Corrupt { .. } | StoreError::Mismatch { .. }
            ),
            Self::Audit(_)
            | Self::Exists { .. }
            | Self::NotNew { .. }
            | Self::CutShort { .. }
            | Self::Manifest { .. }
            | Self::File { .. }
            | Self::OtherNetwork { .. }
            | Self::Tip { .. }
            | Self::Room { .. }
            | Self::OtherKey { .. }
            | Self::NoKey { .. }
            | Self::NoMark
            | Self::LowMark { .. }
            | Self::Spent { .. } => false,
        }
    }
}

/// For what an operator can do something about.
fn remedy(source: &io::Error) -> &'static str {
    if source.kind() == io::ErrorKind::StorageFull {
        return " (nothing is left of it: make room and repeat this)";
    }
    ""
}

pub(super) fn failed(
    operation: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.into();
    move |source| BackupError::Io {
        operation,
        path,
        source,
    }
}
