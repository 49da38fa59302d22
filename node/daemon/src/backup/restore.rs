//! From a backup to a new home.

use std::fs;
use std::path::{Path, PathBuf};

use tbsi_home::config::Config;
use tbsi_home::{FirstMark, Home, HomeError};
use tbsi_keys::keyfile::{KeyKind, is_there};
use tbsi_keys::{Position, SignState, Step};
use tbsi_store::{Store, StoreOptions, Tip};
use tbsi_types::Genesis;

use super::CopyProgress;
use super::create::{CONFIG, DATABASE};
use super::error::{BackupError, failed};
use super::files::{Draft, copy_stated, make_dir, require_room, with_suffix};
use super::manifest::{BackupKeys, BackupManifest};
use super::verify::genesis_of;
use crate::audit::audit_tip;

/// What a sign-state is called that was brought into a home.
const SPENT: &str = ".spent";

/// How to restore.
#[derive(Clone, Debug)]
pub struct RestoreWish {
    /// The genesis file that is trusted; the backup's own if `None`.
    pub genesis: Option<PathBuf>,
    /// The node does not vote any more, and needs no key of a validator.
    pub observer: bool,
    /// Where the validator's sign-state begins.
    pub first: FirstMark,
}

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Of the backup.
    pub manifest: BackupManifest,
    /// The last block.
    pub tip: Tip,
    /// Its keys.
    pub keys: BackupKeys,
    /// Whether it votes.
    pub validator: bool,
    /// What the sign-state that was brought is called now.
    pub spent: Option<PathBuf>,
}

/// Restores a backup into `home`, in which there may be `keys` and `tsa` and nothing else. Its last block's
/// certificate is verified from the genesis file on; [`super::verify`] does so for everything.
/// Files are compared with the manifest while they are copied. If anything fails, all that was made
/// is removed again.
///
/// A sign-state that is brought changes its name, so that it is not put back twice.
pub fn restore(
    dir: &Path,
    home: &Home,
    wish: &RestoreWish,
    progress: &mut CopyProgress<'_>,
) -> Result<Restored, BackupError> {
    let manifest = BackupManifest::load(dir)?;
    let genesis = genesis_of(dir, &manifest, wish.genesis.as_deref())?;
    require_new(home)?;
    let mut config = Config::load(&dir.join(CONFIG)).map_err(HomeError::from)?;
    if wish.observer {
        config.validator = false;
        config.signer = None;
    }
    let keys = check_keys(home, &config, &manifest)?;
    check_first(&genesis, &keys, &config, &wish.first)?;
    require_room(home.dir(), manifest.bytes())?;

    make_dir(&home.data_dir())?;
    let made = Made(home);
    let draft = Draft::make(with_suffix(&home.database_dir(), ".restoring"))?;
    let prefix = format!("{DATABASE}/");
    let files = manifest.files.iter().filter_map(|file| {
        let name = file.path.strip_prefix(&prefix)?;
        Some((file, draft.dir().join(name)))
    });
    copy_stated(files, dir, manifest.bytes(), progress)?;
    let store = Store::open_read_only(draft.dir(), genesis.identity(), StoreOptions::default())?;
    manifest.check_tip(store.tip())?;
    let tip = audit_tip(&store, &genesis)?;
    let first = above_what_is_known(&store, &genesis, &keys, &wish.first)?;
    drop(store);
    draft.keep(&home.database_dir())?;

    let (first, spent) = spend(first)?;
    if config.validator && config.signer.is_none() {
        // It may have signed above the backup: its home is not made without being told.
        home.note_imported_key()?;
    }
    if let Err(error) = home.init_from(&config, &genesis, &first) {
        if let (FirstMark::Brought(file), Some(spent)) = (&wish.first, &spent) {
            // Nothing can have signed with it here.
            fs::rename(spent, file).map_err(failed("rename", spent))?;
        }
        return Err(error.into());
    }
    std::mem::forget(made);
    Ok(Restored {
        validator: config.validator,
        manifest,
        tip,
        keys,
        spent,
    })
}

/// What was made in a home; removed with this value.
struct Made<'a>(&'a Home);

impl Drop for Made<'_> {
    fn drop(&mut self) {
        // The configuration is written last: without it, nothing of this is a home.
        fs::remove_file(self.0.genesis_file()).ok();
        fs::remove_dir_all(self.0.data_dir()).ok();
    }
}

/// Fails unless the home is a new directory, or one with nothing but keys (`tsa` has those of time stamps).
fn require_new(home: &Home) -> Result<(), BackupError> {
    let listed = match fs::read_dir(home.dir()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        listed => listed.map_err(failed("list", home.dir()))?,
    };
    for entry in listed {
        let entry = entry.map_err(failed("list", home.dir()))?;
        if !["keys", "tsa"]
            .iter()
            .any(|kept| entry.file_name() == *kept)
        {
            let path = entry.path();
            return Err(BackupError::NotNew { path });
        }
    }
    Ok(())
}

/// The keys of the home are those of the backup; an observer without one gets a new one.
fn check_keys(
    home: &Home,
    config: &Config,
    manifest: &BackupManifest,
) -> Result<BackupKeys, BackupError> {
    let node_file = home.node_key_file();
    if !is_there(&node_file)? {
        if config.validator {
            return Err(BackupError::NoKey {
                file: node_file,
                expected: manifest.keys.peer_id.clone(),
            });
        }
        home.ensure_node_key()?;
    }
    let validator_file = home.key_file(KeyKind::Validator);
    let needed = config.validator && config.signer.is_none();
    if needed && !is_there(&validator_file)? {
        let address = manifest.keys.validator_address();
        return Err(BackupError::NoKey {
            file: validator_file,
            expected: address.map_or_else(|| "unknown".into(), |it| it.to_string()),
        });
    }
    let found = BackupKeys::of(home, config)?;
    let (own, stated) = (&found, &manifest.keys);
    let text = |key: &Option<tbsi_types::Address>| key.map(|it| it.to_string());
    let pairs = [
        (
            "node key",
            Some(own.peer_id.clone()),
            Some(stated.peer_id.clone()),
        ),
        (
            "validator key",
            text(&own.validator_address()),
            text(&stated.validator_address()),
        ),
    ];
    for (what, found, expected) in pairs {
        if let (true, Some(found), Some(expected)) = (config.validator, found, expected)
            && found != expected
        {
            return Err(BackupError::OtherKey {
                what,
                home: home.dir().into(),
                found,
                expected,
            });
        }
    }
    Ok(found)
}

/// Fails before anything is copied if the sign-state cannot begin so.
fn check_first(
    genesis: &Genesis,
    keys: &BackupKeys,
    config: &Config,
    first: &FirstMark,
) -> Result<(), BackupError> {
    let votes = config.validator && config.signer.is_none();
    match first {
        FirstMark::Brought(file) => {
            let mut name = file.as_os_str().to_os_string();
            if name.as_encoded_bytes().ends_with(SPENT.as_bytes()) {
                return Err(BackupError::Spent { file: file.clone() });
            }
            name.push(SPENT);
            if Path::new(&name).exists() {
                return Err(BackupError::Spent { file: file.clone() });
            }
            let address = keys.validator_address().filter(|_| votes);
            if let Some(address) = address {
                let held = SignState::open(file, genesis.identity(), address);
                held.map_err(HomeError::from)?;
            }
            Ok(())
        }
        FirstMark::Present if votes => Err(BackupError::NoMark),
        FirstMark::Present | FirstMark::Stated { .. } => Ok(()),
    }
}

/// The sign-state must not begin below what certificates in the database show that the key signed,
/// nor below the database's last block, which is as good as a checkpoint.
fn above_what_is_known(
    store: &Store,
    genesis: &Genesis,
    keys: &BackupKeys,
    first: &FirstMark,
) -> Result<FirstMark, BackupError> {
    let tip = store.tip().map(|tip| tip.height).unwrap_or_default();
    match (first, keys.validator_address()) {
        (FirstMark::Brought(file), Some(address)) => {
            let held = SignState::open(file, genesis.identity(), address);
            let held = held.map_err(HomeError::from)?;
            if let Some((height, round)) = store.last_signed(&address)? {
                let step = Step::Precommit;
                let signed = Position {
                    height,
                    round,
                    step,
                };
                held.require_at_least(signed).map_err(HomeError::from)?;
            }
            Ok(first.clone())
        }
        (FirstMark::Stated { height, .. }, _) if *height < tip => Err(BackupError::LowMark {
            stated: *height,
            tip,
        }),
        (FirstMark::Stated { height, decided }, _) => Ok(FirstMark::Stated {
            height: *height,
            decided: tip.max(*decided),
        }),
        (FirstMark::Brought(_) | FirstMark::Present, _) => Ok(first.clone()),
    }
}

/// Gives a sign-state that is brought another name, before anything can sign with it in its new
/// place.
fn spend(first: FirstMark) -> Result<(FirstMark, Option<PathBuf>), BackupError> {
    let FirstMark::Brought(file) = first else {
        return Ok((first, None));
    };
    let spent = with_suffix(&file, SPENT);
    fs::rename(&file, &spent).map_err(failed("rename", &file))?;
    tbsi_keys::disk::sync_directory(&spent).map_err(failed("sync the directory of", &spent))?;
    Ok((FirstMark::Brought(spent.clone()), Some(spent)))
}
