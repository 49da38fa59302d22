//! Making a backup, of a node that runs or does not.

use std::path::{Path, PathBuf};

use tbsi_home::config::Config;
use tbsi_home::{Home, LoadedHome};
use tbsi_store::{Store, StoreError, StoreOptions};
use tbsi_types::{Genesis, TimestampMs};

use super::CopyProgress;
use super::error::{BackupError, failed};
use super::files::{Draft, copy, listed, require_room, with_suffix};
use super::manifest::{BackupFile, BackupKeys, BackupManifest};
use crate::audit::audit_tip;
use crate::control::DatabaseCopy;
use crate::options::store_options;

/// Where a node's configuration and genesis file are, in its home and in a backup.
pub(super) const CONFIG: &str = "config.toml";
pub(super) const GENESIS: &str = "genesis.json";
pub(super) const DATABASE: &str = "db";

/// Makes a backup of the node of a home, which is unlocked, in `out`, which must not exist. A node
/// that runs goes on meanwhile. If anything fails, nothing is left in `out`.
pub fn create(
    home: &Home,
    out: &Path,
    made: TimestampMs,
    progress: &mut CopyProgress<'_>,
) -> Result<BackupManifest, BackupError> {
    let partial = with_suffix(out, ".partial");
    for path in [out, &partial] {
        if path.symlink_metadata().is_ok() {
            return Err(BackupError::Exists { path: path.into() });
        }
    }
    let LoadedHome {
        config, genesis, ..
    } = home.load()?;
    let home = &home.unlock(&config)?;
    let keys = BackupKeys::of(home, &config)?;
    let copied = copy_of(home, &config, &genesis)?;
    let store = Store::open_read_only(copied.dir(), genesis.identity(), StoreOptions::default())?;
    // What was never decided by a quorum is not worth keeping.
    let tip = audit_tip(&store, &genesis)?;
    drop(store);
    let mut manifest = BackupManifest::of(&genesis, &config, keys, &tip, made);

    let mut sources = vec![
        (CONFIG.to_owned(), home.config_file()),
        (GENESIS.to_owned(), home.genesis_file()),
    ];
    for name in listed(copied.dir())? {
        let path = copied.dir().join(&name);
        sources.push((format!("{DATABASE}/{name}"), path));
    }
    sources.sort();
    let total = total_bytes(&sources)?;
    require_room(out, total)?;
    let draft = Draft::make(partial)?;
    let mut done = 0;
    for (path, source) in sources {
        let to = draft.dir().join(&path);
        let (bytes, sha256) = copy(&source, &to, |bytes| {
            done += bytes;
            progress(done, total);
        })?;
        manifest.files.push(BackupFile {
            path,
            bytes,
            sha256,
        });
    }
    manifest.store(draft.dir())?;
    draft.keep(out)?;
    Ok(manifest)
}

fn total_bytes(sources: &[(String, PathBuf)]) -> Result<u64, BackupError> {
    let mut total = 0;
    for (_, source) in sources {
        let found = source.metadata();
        total += found.map_err(failed("look at", source))?.len();
    }
    Ok(total)
}

/// A copy of the database, made by the node if it runs.
pub(crate) fn copy_of(
    home: &Home,
    config: &Config,
    genesis: &Genesis,
) -> Result<DatabaseCopy, BackupError> {
    if !home.has_database()? {
        return Err(StoreError::NoDatabase {
            dir: home.database_dir(),
        }
        .into());
    }
    let options = store_options(&config.store);
    match Store::open(&home.database_dir(), genesis.identity(), options) {
        Ok(store) => Ok(DatabaseCopy::of_open(home, &store)?),
        Err(StoreError::Locked { .. }) => Ok(DatabaseCopy::of_running(home)?),
        Err(error) => Err(error.into()),
    }
}
