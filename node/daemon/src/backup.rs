//! Backups of a node: its database as of one block, its configuration, the genesis file and the
//! public halves of its keys, in a directory that says what is in it.
//!
//! ```text
//! manifest.json    what is in the backup, each file with its size and SHA-256; written last
//! config.toml      the node's configuration
//! genesis.json     the network's genesis file
//! db/              the database
//! ```
//!
//! No secret is in it, and no sign-state: a mark that is put back is an old one, and a validator
//! with an old mark signs a second time (SPEC §6.4). Keys are kept apart from backups, and a
//! restored validator's sign-state is brought from where it last signed, or begins at a height that
//! its operator states.

mod create;
mod error;
pub(crate) mod files;
mod manifest;
mod restore;
mod verify;

pub(crate) use create::copy_of;
pub use create::create;
pub use error::BackupError;
pub use manifest::{BackupFile, BackupKeys, BackupManifest};
pub use restore::{RestoreWish, Restored, restore};
pub use verify::verify;

/// What is done, for whoever waits: so many bytes of so many.
pub type CopyProgress<'a> = dyn FnMut(u64, u64) + 'a;
