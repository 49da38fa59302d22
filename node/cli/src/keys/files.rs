//! Key files: encrypting them, changing their password, taking keys in and out of a home.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Value, json};
use tbsi_home::Home;
use tbsi_keys::keyfile::{KeyKind, load_secret, replace_secret, store_secret};
use tbsi_keys::password::Password;

use crate::lang::{Sentence, counted, said};
use crate::password::{PasswordFile, new_password};
use crate::report::Say;
use crate::shown::PathShown;

#[derive(Debug, clap::Args)]
pub(crate) struct EncryptArgs {
    /// Home directory of the node.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    pub(super) say: Say,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ChangePasswordArgs {
    /// Home directory of the node.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    new: NewPassword,
    #[command(flatten)]
    pub(super) say: Say,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// Home directory of the node; made if absent.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// What the key is for.
    #[arg(long)]
    kind: Kind,
    /// Key file to read; only its owner may read it.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    new: NewPassword,
    /// Do not encrypt the copy.
    #[arg(long, conflicts_with = "new_password_file")]
    plain: bool,
    #[command(flatten)]
    pub(super) say: Say,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Home directory of the node.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// What the key is for.
    #[arg(long)]
    kind: Kind,
    /// Key file to write; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    new: NewPassword,
    /// Do not encrypt the copy: 64 hex digits.
    #[arg(long, conflicts_with = "new_password_file")]
    plain: bool,
    #[command(flatten)]
    pub(super) say: Say,
}

#[derive(Debug, clap::Args)]
struct NewPassword {
    /// File with the password to encrypt with, at least 8 bytes [default: the terminal is
    /// asked].
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
}

impl NewPassword {
    fn load(&self) -> anyhow::Result<Password> {
        new_password(self.new_password_file.as_deref(), "--new-password-file")
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// The node's identity to its peers (ed25519).
    Node,
    /// Votes (secp256k1).
    Validator,
    /// Signs checkpoints of the log (ed25519).
    Log,
    /// Cosigns checkpoints of the log too (seed of ML-DSA-44).
    PostQuantum,
    /// The node's own account (secp256k1).
    Account,
}

impl Kind {
    fn key(self) -> KeyKind {
        match self {
            Self::Node => KeyKind::Node,
            Self::Validator => KeyKind::Validator,
            Self::Log => KeyKind::Log,
            Self::PostQuantum => KeyKind::PostQuantum,
            Self::Account => KeyKind::Account,
        }
    }
}

pub(super) fn encrypt(args: &EncryptArgs) -> anyhow::Result<(Sentence, Value)> {
    let home = Home::new(&args.home);
    let files = home.key_files()?;
    let plain: Vec<KeyKind> = files
        .iter()
        .filter(|(_, encrypted)| !encrypted)
        .map(|(kind, _)| *kind)
        .collect();
    if plain.is_empty() {
        let home = args.home.shown();
        return Err(said(
            format!("{home} has no key file that is not encrypted"),
            format!("{home} 沒有未加密的金鑰檔"),
        ));
    }
    let password = args.password.for_new()?;
    // One password opens all of them.
    for (kind, encrypted) in &files {
        if *encrypted {
            load_secret(&home.key_file(*kind), *kind, Some(&password))?;
        }
    }
    for kind in &plain {
        let file = home.key_file(*kind);
        let secret = load_secret(&file, *kind, None)?;
        replace_secret(&file, *kind, &secret, Some(&password))?;
    }
    let files: Vec<PathBuf> = plain.iter().map(|kind| home.key_file(*kind)).collect();
    let home = args.home.shown();
    let en = format!(
        "{} encrypted in {home}. The node needs the password when it starts: `keys.password_file` in \
         config.toml, or --password-file.",
        counted(files.len(), "key file"),
    );
    let zh_tw = format!(
        "已加密 {home} 中的 {} 個金鑰檔。節點啟動時需要密碼：config.toml 的 \
         `keys.password_file`，或 --password-file。",
        files.len(),
    );
    let encrypted: Vec<_> = files.iter().map(|file| file.json()).collect();
    Ok(((en, zh_tw), json!({ "encrypted": encrypted })))
}

pub(super) fn change_password(args: &ChangePasswordArgs) -> anyhow::Result<(Sentence, Value)> {
    let home = args.password.unlock(&args.home)?;
    let files = home.key_files()?;
    if files.is_empty() {
        let home = args.home.shown();
        return Err(said(
            format!("{home} has no key files"),
            format!("{home} 沒有金鑰檔"),
        ));
    }
    // All are opened before any is changed.
    let mut secrets = Vec::with_capacity(files.len());
    for (kind, _) in &files {
        secrets.push(load_secret(&home.key_file(*kind), *kind, home.password())?);
    }
    let password = args.new.load()?;
    for ((kind, _), secret) in files.iter().zip(&secrets) {
        replace_secret(&home.key_file(*kind), *kind, secret, Some(&password))?;
    }
    let home = args.home.shown();
    let en = format!(
        "{} in {home} with the new password. Change what `keys.password_file` names too.",
        counted(files.len(), "key file"),
    );
    let zh_tw = format!(
        "{home} 中的 {} 個金鑰檔已改用新密碼。`keys.password_file` 所指的檔案也請一併更改。",
        files.len(),
    );
    Ok(((en, zh_tw), json!({ "changed": files.len() })))
}

pub(super) fn import(args: &ImportArgs) -> anyhow::Result<(Sentence, Value)> {
    let kind = args.kind.key();
    let opening = args.password.of_file(&args.file)?;
    let secret = load_secret(&args.file, kind, opening.as_ref())?;
    let protecting = (!args.plain).then(|| args.new.load()).transpose()?;
    let home = Home::new(&args.home);
    home.make_keys_dir()?;
    let out = home.key_file(kind);
    store_secret(&out, kind, &secret, protecting.as_ref())?;
    let (mut en, mut zh_tw) = key_is_in(&out);
    if kind == KeyKind::Validator {
        home.note_imported_key()?;
        en += "\nIf it has ever signed, bring its sign-state over too: --sign-state of `tbsi node \
               init` or `tbsi signer init`.";
        zh_tw += "\n若它曾經簽署，請一併帶入其簽署狀態：`tbsi node init` 或 `tbsi signer init` 的 \
                  --sign-state。";
    }
    let address = kind.address(&secret)?;
    let json = json!({ "file": out.json(), "address": address });
    Ok(((en, zh_tw), json))
}

pub(super) fn export(args: &ExportArgs) -> anyhow::Result<(Sentence, Value)> {
    let kind = args.kind.key();
    let home = Home::new(&args.home);
    let file = home.key_file(kind);
    let home = args.password.unlock(&args.home)?;
    let secret = load_secret(&file, kind, home.password())?;
    let protecting = (!args.plain).then(|| args.new.load()).transpose()?;
    store_secret(&args.out, kind, &secret, protecting.as_ref())?;
    let address = kind.address(&secret)?;
    let json = json!({ "file": args.out.json(), "address": address });
    Ok((key_is_in(&args.out), json))
}

fn key_is_in(file: &Path) -> Sentence {
    let file = file.shown();
    (
        format!("The key is in {file}."),
        format!("金鑰位於 {file}。"),
    )
}
