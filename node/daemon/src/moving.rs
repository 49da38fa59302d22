//! A validator that moves to another machine: its keys and its sign-state in one parcel, once.
//!
//! The old home is marked before the parcel is made, and no node starts in it from then on. The
//! sign-state in the parcel changes its name when it is taken into the new home. So at no time two
//! homes can sign with the key, whatever crashes in between.
//!
//! ```text
//! parcel.json      what is in the parcel, each file with its size and SHA-256; written last
//! config.toml      the node's configuration
//! genesis.json     the network's genesis file
//! keys/            the key files, as they were: encrypted or not
//! sign-state       what the key has signed
//! ```

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tbsi_home::config::Config;
use tbsi_home::{FirstMark, Home, HomeError, load_genesis};
use tbsi_keys::SignState;
use tbsi_store::{Store, StoreError};
use tbsi_types::{Address, B256, Genesis};

use crate::backup::files::{Draft, check_file, copy, listed, make_dir, with_suffix};
use crate::backup::{BackupError, BackupFile, BackupKeys};
use crate::limits::{BACKUP_FILES_MAX, BACKUP_MANIFEST_BYTES_MAX};
use crate::options::store_options;

const FORMAT: &str = "tbsi-move-1";
const PARCEL: &str = "parcel.json";
const CONFIG: &str = "config.toml";
const GENESIS: &str = "genesis.json";
const SIGN_STATE: &str = "sign-state";
/// What the sign-state of a parcel is called that was taken out.
const SPENT: &str = ".spent";
/// How the note in a home begins while its parcel is not whole.
const LEAVING: &str = "leaving";

/// `parcel.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Parcel {
    /// `tbsi-move-1`.
    pub format: String,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Hash of the genesis file.
    pub genesis_hash: B256,
    /// Name of the node.
    pub node: String,
    /// Its validator's address.
    pub validator: Address,
    /// Up to where it has signed.
    pub signed: String,
    /// Every other file, by path.
    pub files: Vec<BackupFile>,
}

/// Makes a parcel of the validator of a home whose node does not run, in `out`, which must not
/// exist. From then on no node starts in the home. May be done again if it did not end.
pub fn leave(home: &Home, out: &Path) -> Result<Parcel, BackupError> {
    let note = home.left_note()?;
    if let Some(note) = note.filter(|note| !note.starts_with(LEAVING)) {
        return Err(gone(home, &note));
    }
    let partial = with_suffix(out, ".partial");
    for path in [out, &partial] {
        if path.symlink_metadata().is_ok() {
            return Err(BackupError::Exists { path: path.into() });
        }
    }
    let loaded = home.load_leaving()?;
    let (config, genesis) = (&loaded.config, &loaded.genesis);
    let Some(key) = &loaded.validator_key else {
        return Err(no_validator(config));
    };
    let address = key.public_key().address();
    // Both are held until the end: neither node nor signer runs, or starts meanwhile.
    let _store = hold_database(home, config, genesis)?;
    let chain = genesis.identity();
    let state = SignState::open(&home.sign_state_file(), chain, address);
    let state = state.map_err(HomeError::from)?;
    let mark = state.mark().position();

    let draft = Draft::make(partial)?;
    home.leave(&format!("{LEAVING} for {}, not yet gone", out.display()))?;
    let mut parcel = Parcel {
        format: FORMAT.into(),
        chain_id: genesis.chain_id,
        genesis_hash: genesis.hash(),
        node: config.name.clone(),
        validator: address,
        signed: mark.to_string(),
        files: Vec::new(),
    };
    let mut sources = vec![
        (CONFIG.to_owned(), home.config_file()),
        (GENESIS.to_owned(), home.genesis_file()),
        (SIGN_STATE.to_owned(), home.sign_state_file()),
    ];
    let keys = home.dir().join("keys");
    for name in listed(&keys)? {
        if name.contains('/') {
            return Err(BackupError::File {
                path: keys.join(name),
                problem: "there is a directory among the keys: move it elsewhere".into(),
            });
        }
        sources.push((format!("keys/{name}"), keys.join(name)));
    }
    sources.sort();
    for (path, source) in sources {
        let (bytes, sha256) = copy(&source, &draft.dir().join(&path), |_| ())?;
        parcel.files.push(BackupFile {
            path,
            bytes,
            sha256,
        });
    }
    store(&parcel, draft.dir())?;
    draft.keep(out)?;
    home.leave(&format!("validator {address} left in {}", out.display()))?;
    drop(state);
    Ok(parcel)
}

fn store(parcel: &Parcel, dir: &Path) -> Result<(), BackupError> {
    let path = dir.join(PARCEL);
    let mut text = serde_json::to_vec_pretty(parcel).expect("a parcel is plain data");
    text.push(b'\n');
    let written = tbsi_keys::disk::replace(&path, &text);
    written.map_err(|source| BackupError::Io {
        operation: "write",
        path,
        source,
    })
}

fn refused(what: String, remedy: &str) -> BackupError {
    let remedy = remedy.into();
    HomeError::Mismatch { what, remedy }.into()
}

fn gone(home: &Home, note: &str) -> BackupError {
    refused(
        format!("{} says: {note}", home.left_file().display()),
        "the validator is in that parcel or in a home that was made from it: a second one would \
         sign twice",
    )
}

fn no_validator(config: &Config) -> BackupError {
    match &config.signer {
        Some(_) => refused(
            "this node's validator key is with its signer".into(),
            "the node can go anywhere: make a backup and restore it there, and let the signer \
             allow it (`tbsi signer run --allow`)",
        ),
        None => refused(
            "this node is not a validator".into(),
            "make a backup, and restore it where the node is to be: `tbsi backup`",
        ),
    }
}

/// The database, if there is one, for this process alone.
fn hold_database(
    home: &Home,
    config: &Config,
    genesis: &Genesis,
) -> Result<Option<Store>, StoreError> {
    if !home.database_dir().exists() {
        return Ok(None);
    }
    let options = store_options(&config.store);
    Store::open(&home.database_dir(), genesis.identity(), options).map(Some)
}

impl Parcel {
    /// That of a directory.
    pub fn load(dir: &Path) -> Result<Self, BackupError> {
        let path = dir.join(PARCEL);
        let wrong = |problem: String| BackupError::File {
            path: path.clone(),
            problem,
        };
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| {
                let mut limited = file.take(BACKUP_MANIFEST_BYTES_MAX);
                limited.read_to_end(&mut bytes)
            })
            .map_err(|error| {
                wrong(format!(
                    "{error}: it is no parcel of `tbsi operator move leave`, or was cut short"
                ))
            })?;
        let parcel: Self =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if parcel.format != FORMAT || parcel.files.len() > BACKUP_FILES_MAX {
            let format = &parcel.format;
            return Err(wrong(format!(
                "`format` is `{format}`, expected `{FORMAT}`"
            )));
        }
        let plain = |file: &BackupFile| match file.path.split_once('/') {
            None => [CONFIG, GENESIS, SIGN_STATE].contains(&file.path.as_str()),
            Some((dir, name)) => {
                dir == "keys" && !name.is_empty() && !name.contains('/') && name != ".."
            }
        };
        match parcel.files.iter().find(|file| !plain(file)) {
            Some(file) => Err(wrong(format!("`{}` is no file of a parcel", file.path))),
            None => Ok(parcel),
        }
    }
}

/// Takes a validator out of its parcel into a new home. The sign-state of the parcel changes its
/// name, so that this is done once. Returns what the sign-state is called now.
pub fn arrive(
    home: &Home,
    from: &Path,
    trusted: Option<&Path>,
) -> Result<(Parcel, PathBuf), BackupError> {
    let parcel = Parcel::load(from)?;
    let state = from.join(SIGN_STATE);
    let spent = with_suffix(&state, SPENT);
    if spent.exists() {
        return Err(BackupError::Spent { file: state });
    }
    for file in &parcel.files {
        check_file(file, &from.join(&file.path))?;
    }
    let genesis = load_genesis(&from.join(GENESIS))?;
    let expected = match trusted {
        Some(file) => load_genesis(file)?.hash(),
        None => parcel.genesis_hash,
    };
    let found = genesis.hash();
    if found != expected {
        return Err(BackupError::OtherNetwork { found, expected });
    }
    if home.dir().exists() {
        return Err(BackupError::Exists {
            path: home.dir().into(),
        });
    }
    let config = Config::load(&from.join(CONFIG)).map_err(HomeError::from)?;
    let partial = with_suffix(home.dir(), ".partial");
    if partial.symlink_metadata().is_ok() {
        return Err(BackupError::Exists { path: partial });
    }
    let draft = Draft::make(partial)?;
    let keys = draft.dir().join("keys");
    make_dir(&keys)?;
    for file in &parcel.files {
        if let Some(name) = file.path.strip_prefix("keys/") {
            copy(&from.join(&file.path), &keys.join(name), |_| ())?;
        }
    }
    let new = Home::new(draft.dir()).with_password(home.password().cloned());
    let held = BackupKeys::of(&new, &config)?;
    if held.validator_address() != Some(parcel.validator) {
        return Err(BackupError::File {
            path: keys.join("validator.key"),
            problem: format!("it is not the key of validator {}", parcel.validator),
        });
    }
    new.note_imported_key()?;
    let failed = |source| BackupError::Io {
        operation: "rename",
        path: state.clone(),
        source,
    };
    fs::rename(&state, &spent).map_err(failed)?;
    let made = new.init_from(&config, &genesis, &FirstMark::Brought(spent.clone()));
    let made = made.map_err(BackupError::from);
    let kept = made.and_then(|()| draft.keep(home.dir()));
    if let Err(error) = kept {
        // The draft is gone, so that nothing can sign there.
        fs::rename(&spent, &state).map_err(failed)?;
        return Err(error);
    }
    Ok((parcel, spent))
}
