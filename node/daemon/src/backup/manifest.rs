//! What is in a backup.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use tbsi_home::Home;
use tbsi_home::config::Config;
use tbsi_keys::keyfile::{
    KeyKind, is_there, open_log_key, open_node_key, open_post_quantum_key, open_validator_key,
};
use tbsi_types::{ChainIdentity, Genesis, Height, PublicKey, TimestampMs, TreeSize};

use super::error::{BackupError, failed};
use crate::limits::{BACKUP_FILES_MAX, BACKUP_MANIFEST_BYTES_MAX};

/// What `format` says.
const FORMAT: &str = "tbsi-backup-1";
const MANIFEST: &str = "manifest.json";

/// `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BackupManifest {
    /// `tbsi-backup-1`.
    pub format: String,
    /// Version of the program that made it.
    pub program: String,
    /// When, by the clock of the machine.
    pub made_ms: u64,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Hash of the genesis file.
    pub genesis_hash: B256,
    /// Name of the node.
    pub node: String,
    /// Whether it votes.
    pub validator: bool,
    /// Of the last block.
    pub height: u64,
    /// Its time.
    pub time_ms: u64,
    /// Digest of its checkpoint, which its certificate signs.
    pub checkpoint_digest: B256,
    /// Leaves of the log after it.
    pub log_size: u64,
    /// Root of the log after it.
    pub log_root: B256,
    /// State root after it.
    pub state_root: B256,
    /// Public halves of the node's keys.
    pub keys: BackupKeys,
    /// Every other file of the backup, by path.
    pub files: Vec<BackupFile>,
}

/// Public halves of the keys that the node had; the secrets are not in the backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BackupKeys {
    /// By which other nodes know it.
    pub peer_id: String,
    /// That it votes with, compressed; perhaps with a signer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validator: Option<Bytes>,
    /// That it signs the log with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<B256>,
    /// SHA-256 of that which it cosigns the log with too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_quantum_hash: Option<B256>,
    /// Of the node's own account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Address>,
}

/// A file of the backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupFile {
    /// Below the backup's directory, with `/`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of it.
    pub sha256: B256,
}

impl BackupKeys {
    /// Of the key files in a home that is unlocked, and of the signer that it names.
    pub(crate) fn of(home: &Home, config: &Config) -> Result<Self, BackupError> {
        let password = home.password();
        let file = |kind| -> Result<_, BackupError> {
            let file = home.key_file(kind);
            Ok(is_there(&file)?.then_some(file))
        };
        let local = file(KeyKind::Validator)?;
        let local = local.map(|file| open_validator_key(&file, password));
        let local = local.transpose()?;
        let local = local.map(|key| Bytes::from(key.public_key().encode().to_vec()));
        let remote = config.signer.as_ref();
        let remote = remote.map(|signer| signer.validator_key.clone());
        let log = file(KeyKind::Log)?.map(|file| open_log_key(&file, password));
        let post_quantum = file(KeyKind::PostQuantum)?;
        let post_quantum = post_quantum.map(|file| open_post_quantum_key(&file, password));
        let account = file(KeyKind::Account)?.map(|_| home.load_account_key());
        Ok(Self {
            peer_id: open_node_key(&home.node_key_file(), password)?.peer_id(),
            validator: local.or(remote),
            log: log.transpose()?.map(|key| B256::from(key.public_key())),
            post_quantum_hash: post_quantum.transpose()?.map(|key| key.public_key_hash()),
            account: account.transpose()?.map(|key| key.public_key().address()),
        })
    }

    /// The validator's address.
    pub fn validator_address(&self) -> Option<Address> {
        let key = PublicKey::parse(self.validator.as_ref()?).ok()?;
        Some(key.address())
    }
}

impl BackupManifest {
    /// Of a copy of the database, without files yet.
    pub(super) fn of(
        genesis: &Genesis,
        config: &Config,
        keys: BackupKeys,
        tip: &tbsi_store::Tip,
        made: TimestampMs,
    ) -> Self {
        Self {
            format: FORMAT.into(),
            program: env!("CARGO_PKG_VERSION").into(),
            made_ms: made.0,
            chain_id: genesis.chain_id,
            genesis_hash: genesis.hash(),
            node: config.name.clone(),
            validator: config.validator,
            height: tip.height.0,
            time_ms: tip.time.0,
            checkpoint_digest: tip.checkpoint_digest.0,
            log_size: tip.log_size.0,
            log_root: tip.log_root,
            state_root: tip.state_root,
            keys,
            files: Vec::new(),
        }
    }

    /// That of the backup in `dir`.
    pub fn load(dir: &Path) -> Result<Self, BackupError> {
        let path = dir.join(MANIFEST);
        let file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(BackupError::CutShort { dir: dir.into() });
            }
            opened => opened.map_err(failed("open", &path))?,
        };
        let mut bytes = Vec::new();
        let mut limited = file.take(BACKUP_MANIFEST_BYTES_MAX + 1);
        limited
            .read_to_end(&mut bytes)
            .map_err(failed("read", &path))?;
        let wrong = |problem: String| BackupError::Manifest {
            dir: dir.into(),
            problem,
        };
        if bytes.len() as u64 > BACKUP_MANIFEST_BYTES_MAX {
            let problem =
                format!("more than the {BACKUP_MANIFEST_BYTES_MAX} bytes that are allowed");
            return Err(wrong(problem));
        }
        let manifest: Self =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        manifest.check().map_err(wrong)?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        if self.format != FORMAT {
            let found = &self.format;
            return Err(format!(
                "`format` is `{found}`, this program reads `{FORMAT}`: use the version of tbsi \
                 that made it"
            ));
        }
        if self.files.len() > BACKUP_FILES_MAX {
            let count = self.files.len();
            return Err(format!(
                "{count} files, at most {BACKUP_FILES_MAX} are allowed"
            ));
        }
        let mut before = "";
        for file in &self.files {
            let path = Path::new(&file.path);
            let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
            if file.path.is_empty() || !path.components().all(plain) || file.path.as_str() <= before
            {
                return Err(format!("`{}` is no path in order", file.path));
            }
            before = &file.path;
        }
        Ok(())
    }

    /// Writes it into `dir`, durably.
    pub(super) fn store(&self, dir: &Path) -> Result<(), BackupError> {
        let path = dir.join(MANIFEST);
        let mut text = serde_json::to_vec_pretty(self).expect("a manifest is plain data");
        text.push(b'\n');
        tbsi_keys::disk::replace(&path, &text).map_err(failed("write", &path))
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The network.
    pub(super) fn identity(&self) -> ChainIdentity {
        ChainIdentity {
            chain_id: self.chain_id,
            genesis_hash: self.genesis_hash,
        }
    }

    /// Fails if a database that was opened is of another block than stated.
    pub(super) fn check_tip(&self, tip: Option<tbsi_store::Tip>) -> Result<(), BackupError> {
        let words = |height: Height, digest: B256, size: TreeSize, root: B256| {
            format!("block {height}, checkpoint {digest}, log {root} of {size} leaves")
        };
        let found = tip.map(|tip| {
            let digest = tip.checkpoint_digest.0;
            words(tip.height, digest, tip.log_size, tip.log_root)
        });
        let size = TreeSize(self.log_size);
        let stated = words(
            Height(self.height),
            self.checkpoint_digest,
            size,
            self.log_root,
        );
        if found.as_ref() == Some(&stated) {
            return Ok(());
        }
        let found = found.unwrap_or_else(|| "no block".into());
        Err(BackupError::Tip { found, stated })
    }
}
