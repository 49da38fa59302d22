//! What is where in a home directory.

use std::path::{Path, PathBuf};

use tbsi_keys::keyfile::KeyKind;

use super::Home;

impl Home {
    /// The file of a key.
    pub fn key_file(&self, kind: KeyKind) -> PathBuf {
        self.dir.join("keys").join(kind.file_name())
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `config.toml`.
    pub fn config_file(&self) -> PathBuf {
        self.dir.join("config.toml")
    }

    /// `genesis.json`.
    pub fn genesis_file(&self) -> PathBuf {
        self.dir.join("genesis.json")
    }

    /// `keys/node.key`.
    pub fn node_key_file(&self) -> PathBuf {
        self.key_file(KeyKind::Node)
    }

    /// `keys/validator.key`.
    pub fn validator_key_file(&self) -> PathBuf {
        self.key_file(KeyKind::Validator)
    }

    /// `keys/validator-next.key`.
    pub fn next_validator_key_file(&self) -> PathBuf {
        self.key_file(KeyKind::NextValidator)
    }

    /// `keys/account.key`.
    pub fn account_key_file(&self) -> PathBuf {
        self.key_file(KeyKind::Account)
    }

    /// `keys/log.key`.
    pub fn log_key_file(&self) -> PathBuf {
        self.key_file(KeyKind::Log)
    }

    /// `data`.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// `data/db`, the database.
    pub fn database_dir(&self) -> PathBuf {
        self.data_dir().join("db")
    }

    /// `data/wal`, consensus' write-ahead log.
    pub fn wal_dir(&self) -> PathBuf {
        self.data_dir().join("wal")
    }

    /// `data/witness`, the checkpoints of other logs that this node cosigned last.
    pub fn witness_dir(&self) -> PathBuf {
        self.data_dir().join("witness")
    }

    /// `data/calendar`, what another calendar said of the log's roots.
    pub fn calendar_dir(&self) -> PathBuf {
        self.data_dir().join("calendar")
    }

    /// `data/control`, the socket at which a running node makes copies of its database.
    pub fn control_file(&self) -> PathBuf {
        self.data_dir().join("control")
    }

    /// `data/decided`, the last decision that a signer was shown.
    pub fn decided_file(&self) -> PathBuf {
        self.data_dir().join("decided")
    }

    /// `data/sign-state`.
    pub fn sign_state_file(&self) -> PathBuf {
        self.data_dir().join("sign-state")
    }
}
