//! Where the relayer's key is: a file, encrypted or not, or another process.

use std::path::Path;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use anyhow::Context;
use futures::future::BoxFuture;
use tbsi_bridge::config::{RelayerConfig, RemoteKey};
use tbsi_bridge::signer::{SharedSigner, SignError, Signer};
use tbsi_keys::keyfile::{KeyKind, load_secret, open_validator_key};
use tbsi_keys::password::Password;
use tbsi_keys::signer::RemoteAccount;
use tbsi_types::{ChainIdentity, SecretKey, Signature};

use crate::password::PasswordFile;
use crate::report::causes;

/// Where a key is, as a configuration says; paths are relative to the home directory.
pub(super) struct KeyPlace<'a> {
    /// The key of the configuration that names its file.
    pub(super) name: &'static str,
    /// Its file.
    pub(super) key: Option<&'a Path>,
    /// File with its password.
    pub(super) password_file: Option<&'a Path>,
    /// The process that has it.
    pub(super) signer: Option<&'a RemoteKey>,
}

impl<'a> KeyPlace<'a> {
    /// The relayer's own.
    pub(super) fn of_relayer(config: &'a RelayerConfig) -> Self {
        Self {
            name: "relayer.key",
            key: config.key.as_deref(),
            password_file: config.password_file.as_deref(),
            signer: config.signer.as_ref(),
        }
    }
}

/// Who signs with a key. A remote signer is asked only when something is to be signed.
pub(super) fn open_signer(
    home: &Path,
    place: &KeyPlace<'_>,
    chain: ChainIdentity,
) -> anyhow::Result<SharedSigner> {
    match (place.key, place.signer) {
        (Some(file), _) => {
            let password = place.password_file.map(|file| home.join(file));
            let key = open_key(&home.join(file), password.as_deref(), &PasswordFile::none())?;
            Ok(Arc::new(key))
        }
        (None, Some(remote)) => Ok(Arc::new(Remote(connect(home, remote, chain)?))),
        (None, None) => anyhow::bail!("configuration key `{}` is absent", place.name),
    }
}

/// A key file; its password is in a file, or the terminal is asked if it needs one.
pub(super) fn open_key(
    file: &Path,
    password: Option<&Path>,
    asked: &PasswordFile,
) -> anyhow::Result<SecretKey> {
    let password = match password {
        Some(password) => Some(Password::load(password)?),
        None => asked.of_file(file)?,
    };
    Ok(open_validator_key(file, password.as_ref())?)
}

fn connect(home: &Path, remote: &RemoteKey, chain: ChainIdentity) -> anyhow::Result<RemoteAccount> {
    let address = remote.address.parse().map_err(anyhow::Error::msg);
    let address = address.context("configuration key `signer.address`")?;
    let link = load_secret(&home.join(&remote.link_key), KeyKind::Signer, None)?;
    Ok(RemoteAccount::new(
        address,
        link,
        remote.public_key.0,
        chain,
        remote.account,
    ))
}

/// A key in another process, as the relayer asks it.
struct Remote(RemoteAccount);

impl Signer for Remote {
    fn account(&self) -> Address {
        self.0.account()
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SignError>> {
        Box::pin(async move {
            let checked = self.0.check().await;
            checked.map_err(|error| SignError(causes(&error)))
        })
    }

    fn sign(&self, hash: B256) -> BoxFuture<'_, Result<Signature, SignError>> {
        Box::pin(async move {
            let signed = self.0.sign(hash).await;
            signed.map_err(|error| SignError(causes(&error)))
        })
    }
}
