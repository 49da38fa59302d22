//! Whether a backup is whole and holds what the validators signed.

use std::path::Path;

use tbsi_home::config::Config;
use tbsi_home::load_genesis;
use tbsi_store::{Store, StoreOptions};
use tbsi_types::Genesis;

use super::CopyProgress;
use super::create::{CONFIG, DATABASE, GENESIS};
use super::error::BackupError;
use super::files::check_all;
use super::manifest::BackupManifest;
use crate::audit::{AuditProgress, AuditedChain, audit};

/// Verifies a backup: each file by its SHA-256, and the database from the genesis file to its tip.
/// Changes nothing in it. The genesis file that is trusted is that of `trusted`, or the backup's
/// own, whose hash then has to be compared by hand.
pub fn verify(
    dir: &Path,
    trusted: Option<&Path>,
    copied: &mut CopyProgress<'_>,
    audited: &mut AuditProgress<'_>,
) -> Result<(BackupManifest, AuditedChain), BackupError> {
    let manifest = BackupManifest::load(dir)?;
    let genesis = genesis_of(dir, &manifest, trusted)?;
    check_all(&manifest.files, dir, copied)?;
    Config::load(&dir.join(CONFIG)).map_err(tbsi_home::HomeError::from)?;
    let database = dir.join(DATABASE);
    let store = Store::open_read_only(&database, manifest.identity(), StoreOptions::default())?;
    manifest.check_tip(store.tip())?;
    let found = audit(&store, &genesis, audited)?;
    Ok((manifest, found))
}

/// The genesis file of a backup, which must be the one that is trusted.
pub(super) fn genesis_of(
    dir: &Path,
    manifest: &BackupManifest,
    trusted: Option<&Path>,
) -> Result<Genesis, BackupError> {
    let found = load_genesis(&dir.join(GENESIS))?;
    let stated = manifest.genesis_hash;
    let expected = match trusted {
        Some(file) => load_genesis(file)?.hash(),
        None => stated,
    };
    for found in [stated, found.hash()] {
        if found != expected {
            return Err(BackupError::OtherNetwork { found, expected });
        }
    }
    Ok(found)
}
