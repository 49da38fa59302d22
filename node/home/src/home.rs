//! A node's home directory: what is where, and whether it fits together.
//!
//! ```text
//! config.toml          what this node chooses
//! genesis.json         what its network agreed on
//! keys/node.key        ed25519 seed, the node's identity to its peers
//! keys/validator.key   secp256k1 key; only a validator has one
//! keys/validator-next.key   taken into use when the chain names it (rotation)
//! keys/account.key     secp256k1 key of the node's own account, which sends evidence
//! keys/log.key         ed25519 seed, signs and cosigns checkpoints of logs for other software
//! keys/post-quantum.key   seed of ML-DSA-44, cosigns checkpoints of the log too
//! keys/signer.key      X25519 key, of the connection between a node and its remote signer
//! data/                database, write-ahead log, sign-state, checkpoints of witnessed logs, the
//!                      socket of `tbsi backup`, and what says that the validator has left
//! ```

mod check;
mod init;
mod left;
mod paths;
mod sign_state;

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tbsi_governance::rules::RuleError;
use tbsi_keys::SignStateError;
use tbsi_keys::disk;
use tbsi_keys::keyfile::{
    KeyFileError, KeyKind, LogKey, NodeKey, PostQuantumKey, create_secret, is_encrypted,
    load_secret, open_log_key, open_node_key, open_post_quantum_key, open_validator_key, secp256k1,
};
use tbsi_keys::password::{Password, PasswordError};
use tbsi_keys::signer::DecidedError;
use tbsi_types::{Genesis, GenesisError, SecretKey};
use zeroize::Zeroizing;

use crate::config::{Config, ConfigError, HISTORY_ALL};

use check::{check_node, check_peers, named_log_key};
pub use check::{check_peer_ids, load_genesis};
pub use sign_state::{FirstMark, Reset, SignerRole, Voter};

/// Why a home directory cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key file is wrong.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The password file is wrong.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The sign-state cannot be made.
    #[error(transparent)]
    SignState(#[from] SignStateError),
    /// What a signer knows to be decided cannot be read.
    #[error(transparent)]
    Decided(#[from] DecidedError),
    /// No genesis file.
    #[error(
        "open genesis file {file}: No such file; copy the one of the network there",
        file = file.display()
    )]
    NoGenesis {
        /// Expected path.
        file: PathBuf,
    },
    /// The genesis file is wrong.
    #[error("genesis file {file}", file = file.display())]
    Genesis {
        /// Its path.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        source: GenesisError,
    },
    /// What the genesis file says of its organisations is wrong.
    #[error("genesis file {file}", file = file.display())]
    Founding {
        /// Its path.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<RuleError>,
    },
    /// This home is in use already.
    #[error(
        "{file} exists: this home is initialised already. Edit that file, or choose another home",
        file = file.display()
    )]
    Initialised {
        /// The file that is in the way.
        file: PathBuf,
    },
    /// Two files of this home contradict each other.
    #[error("{what}; {remedy}")]
    Mismatch {
        /// The contradiction.
        what: String,
        /// How to resolve it.
        remedy: String,
    },
    /// The disk.
    #[error("{operation} {path}", path = path.display())]
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

/// A home directory, by path, and what opens its encrypted key files. Nothing is read until
/// asked.
#[derive(Clone, Debug)]
pub struct Home {
    dir: PathBuf,
    password: Option<Password>,
    archive: bool,
}

/// All that a home holds but its data, read, checked and consistent.
#[derive(Debug)]
pub struct LoadedHome {
    /// What this node chooses.
    pub config: Config,
    /// What its network agreed on; it names this node.
    pub genesis: Genesis,
    /// The node's identity to its peers.
    pub node_key: NodeKey,
    /// Present if [`Config::validator`], unless a remote signer has it.
    pub validator_key: Option<SecretKey>,
    /// Of the node's own account, if it has one.
    pub account_key: Option<SecretKey>,
}

impl Home {
    /// The home in `dir`, which need not exist yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            password: None,
            archive: false,
        }
    }

    /// The same home, whose configuration counts as keeping every state.
    pub fn with_archive(mut self, archive: bool) -> Self {
        self.archive = archive;
        self
    }

    /// The same home with a password: encrypted key files open with it, and new ones are made
    /// with it.
    pub fn with_password(mut self, password: Option<Password>) -> Self {
        self.password = password;
        self
    }

    /// The same home, with the password of the configured file if it has none yet.
    pub fn unlock(&self, config: &Config) -> Result<Self, HomeError> {
        let mut home = self.clone();
        if let (None, Some(file)) = (&home.password, &config.keys.password_file) {
            home.password = Some(Password::load(&self.dir.join(file))?);
        }
        Ok(home)
    }

    /// What opens encrypted key files.
    pub fn password(&self) -> Option<&Password> {
        self.password.as_ref()
    }

    /// The kinds of key that have a file here, and whether it is encrypted.
    pub fn key_files(&self) -> Result<Vec<(KeyKind, bool)>, HomeError> {
        let mut found = Vec::new();
        for kind in KeyKind::ALL {
            let file = self.key_file(kind);
            if there(&file)? {
                found.push((kind, is_encrypted(&file)?));
            }
        }
        Ok(found)
    }

    /// Reads everything but the data, and checks that it fits together.
    pub fn load(&self) -> Result<LoadedHome, HomeError> {
        self.require_not_left()?;
        self.load_leaving()
    }

    /// The same of a home whose validator is being moved away, or was.
    pub fn load_leaving(&self) -> Result<LoadedHome, HomeError> {
        let mut config = Config::load(&self.config_file())?;
        if self.archive {
            config.store.history_blocks = HISTORY_ALL;
            config.store.keep_blocks = HISTORY_ALL;
        }
        let genesis = load_genesis(&self.genesis_file())?;
        let home = self.unlock(&config)?;
        let (node_key, validator_key) = home.load_keys(&config)?;
        check_peers(&config, &genesis)?;
        check_node(&config, &genesis, &node_key, validator_key.as_ref())?;
        home.check_log_key(&config, &genesis)?;
        for kind in [
            KeyKind::NextValidator,
            KeyKind::PostQuantum,
            KeyKind::Signer,
        ] {
            let file = home.key_file(kind);
            if there(&file)? {
                load_secret(&file, kind, home.password())?;
            }
        }
        let account = there(&home.account_key_file())?;
        let account_key = account.then(|| home.load_account_key());
        Ok(LoadedHome {
            account_key: account_key.transpose()?,
            config,
            genesis,
            node_key,
            validator_key,
        })
    }

    /// The log key may be absent (it is made when the node starts), unless genesis names it.
    fn check_log_key(&self, config: &Config, genesis: &Genesis) -> Result<(), HomeError> {
        let file = self.log_key_file();
        let exists = there(&file)?;
        let own = exists.then(|| open_log_key(&file, self.password()));
        let own = own.transpose()?;
        match named_log_key(config, genesis) {
            Some(named) if own.is_none_or(|own| own.public_key() != named.as_ref()) => {
                Err(mismatch(
                    format!(
                        "genesis.json gives node `{}` the log key {named}, and {} {}",
                        config.name,
                        file.display(),
                        if exists { "is another" } else { "is missing" }
                    ),
                    "restore the key that is named there",
                ))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn load_keys(&self, config: &Config) -> Result<(NodeKey, Option<SecretKey>), HomeError> {
        let node_key = open_node_key(&self.node_key_file(), self.password())?;
        let file = self.validator_key_file();
        if config.signer.is_some() {
            for file in [file, self.next_validator_key_file()] {
                if there(&file)? {
                    return Err(mismatch(
                        format!(
                            "{} exists but the configuration names a `signer`",
                            file.display()
                        ),
                        "the validator key has one place: move it away, or remove `[signer]`",
                    ));
                }
            }
            self.load_link_key()?;
            return Ok((node_key, None));
        }
        if config.validator {
            return Ok((node_key, Some(open_validator_key(&file, self.password())?)));
        }
        if there(&file)? {
            return Err(mismatch(
                format!(
                    "{} exists but the configuration says `validator = false`",
                    file.display()
                ),
                "set `validator = true`, or move the key away if another node votes with it",
            ));
        }
        Ok((node_key, None))
    }

    /// The node key, made if there is none yet.
    pub fn ensure_node_key(&self) -> Result<NodeKey, HomeError> {
        let file = self.ensure(KeyKind::Node)?;
        Ok(open_node_key(&file, self.password())?)
    }

    /// The log key, made if there is none yet: also when a node starts whose home is older than
    /// the log. Nothing on the chain depends on it; who verifies notes has to learn the new one.
    pub fn ensure_log_key(&self) -> Result<LogKey, HomeError> {
        let file = self.ensure(KeyKind::Log)?;
        Ok(open_log_key(&file, self.password())?)
    }

    /// The post-quantum key for the log, if there is one.
    pub fn post_quantum_key(&self) -> Result<Option<PostQuantumKey>, HomeError> {
        let file = self.key_file(KeyKind::PostQuantum);
        let exists = there(&file)?;
        let key = exists.then(|| open_post_quantum_key(&file, self.password()));
        Ok(key.transpose()?)
    }

    /// The validator key, made if there is none yet.
    pub fn ensure_validator_key(&self) -> Result<SecretKey, HomeError> {
        let file = self.ensure(KeyKind::Validator)?;
        Ok(open_validator_key(&file, self.password())?)
    }

    /// The next validator key, made if there is none yet.
    pub fn ensure_next_validator_key(&self) -> Result<SecretKey, HomeError> {
        let file = self.ensure(KeyKind::NextValidator)?;
        Ok(open_validator_key(&file, self.password())?)
    }

    /// The key of the node's own account, made if there is none yet.
    pub fn ensure_account_key(&self) -> Result<SecretKey, HomeError> {
        self.ensure(KeyKind::Account)?;
        self.load_account_key()
    }

    /// The key of the connection between a node and its signer, made if there is none yet.
    pub fn ensure_link_key(&self) -> Result<Zeroizing<[u8; 32]>, HomeError> {
        self.ensure(KeyKind::Signer)?;
        self.load_link_key()
    }

    /// The key of the connection between a node and its signer.
    pub fn load_link_key(&self) -> Result<Zeroizing<[u8; 32]>, HomeError> {
        let file = self.key_file(KeyKind::Signer);
        Ok(load_secret(&file, KeyKind::Signer, self.password())?)
    }

    /// The key of the node's own account.
    pub fn load_account_key(&self) -> Result<SecretKey, HomeError> {
        let file = self.key_file(KeyKind::Account);
        let secret = load_secret(&file, KeyKind::Account, self.password())?;
        Ok(secp256k1(&secret))
    }

    /// The file of a key, which is made if there is none yet: encrypted if this home has a
    /// password.
    fn ensure(&self, kind: KeyKind) -> Result<PathBuf, HomeError> {
        let file = self.key_file(kind);
        if !there(&file)? {
            self.make_keys_dir()?;
            create_secret(&file, kind, self.password())?;
        }
        Ok(file)
    }

    /// The next validator key, if there is one.
    pub fn next_validator_key(&self) -> Result<Option<SecretKey>, HomeError> {
        let file = self.next_validator_key_file();
        let exists = there(&file)?;
        let key = exists.then(|| open_validator_key(&file, self.password()));
        Ok(key.transpose()?)
    }

    /// Whether there is a database.
    pub fn has_database(&self) -> Result<bool, HomeError> {
        there(&self.database_dir())
    }

    /// Whether consensus has left its write-ahead log.
    pub fn has_wal(&self) -> Result<bool, HomeError> {
        there(&self.wal_dir())
    }

    /// A name in the data directory that nothing has.
    pub fn free_name(&self, stem: &str) -> Result<PathBuf, HomeError> {
        for number in 1u32.. {
            let path = self.data_dir().join(format!("{stem}-{number}"));
            if !there(&path)? {
                return Ok(path);
            }
        }
        unreachable!("a directory holds fewer than 2^32 files")
    }

    /// Makes the folder of keys, for one that comes from elsewhere.
    pub fn make_keys_dir(&self) -> Result<(), HomeError> {
        self.make_dir(&self.dir.join("keys"))
    }

    /// Readable by its owner only: keys and what was signed are in there.
    fn make_dir(&self, dir: &Path) -> Result<(), HomeError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(failed("create directory", dir))
    }
}

fn mismatch(what: String, remedy: &str) -> HomeError {
    HomeError::Mismatch {
        what,
        remedy: remedy.into(),
    }
}

fn failed(operation: &'static str, path: &Path) -> impl Fn(io::Error) -> HomeError + use<> {
    let path = path.to_path_buf();
    move |source| HomeError::Io {
        operation,
        path: path.clone(),
        source,
    }
}

/// Whether something is there. A disk that does not say is an error: what is taken for absent is
/// made anew.
fn there(path: &Path) -> Result<bool, HomeError> {
    path.try_exists().map_err(failed("look for", path))
}

/// Writes a file that must not exist, durably.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), HomeError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()?;
            disk::sync_directory(path)
        })
        .map_err(failed("write", path))
}

#[cfg(test)]
mod tests;
