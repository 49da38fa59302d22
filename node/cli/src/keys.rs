//! `tbsi keys`.

mod files;
mod rotate;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;
use serde_json::{Value, json};
use tbsi_home::Home;
use tbsi_keys::keyfile::{
    KeyFileError, KeyKind, is_there, open_log_key, open_node_key, open_post_quantum_key,
    open_validator_key,
};
use tbsi_keys::signer::link_public_key;
use tbsi_types::{Address, B256, Bytes, Height, SecretKey};

use crate::checkpoint::verified_height;
use crate::govern::block_on;
use crate::lang::{Sentence, said};
use crate::password::PasswordFile;
use crate::report::Say;
use crate::shown::PathShown;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the keys of a node. Existing ones are never overwritten.
    New {
        /// Home directory of the node; made if absent.
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        /// Make a validator key too.
        #[arg(long)]
        validator: bool,
        /// Make a key for the connection between a node and its remote signer too.
        #[arg(long)]
        signer: bool,
        /// Encrypt the new keys; without --password-file the terminal is asked.
        #[arg(long)]
        encrypt: bool,
        #[command(flatten)]
        password: PasswordFile,
        #[command(flatten)]
        say: Say,
    },
    /// Show the public halves of a node's keys.
    Show {
        /// Home directory of the node.
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        #[command(flatten)]
        password: PasswordFile,
        #[command(flatten)]
        say: Say,
    },
    /// Replace a key of a registered node with a new one.
    ///
    /// validator: the running node takes the new key into use by itself, from the block on for
    /// which the chain names it. peer, log, post-quantum: the new key is in the home at once, and
    /// in use when the node is started again; other nodes admit the old peer id until the overlap
    /// ends. post-quantum: the first such key too; --revoke leaves the validator without one.
    #[command(after_help = crate::govern::CODES)]
    Rotate(rotate::Args),
    /// Encrypt the key files of a node that are not encrypted (Web3 Secret Storage).
    ///
    /// What was in the files before may still be on the disk and in backups.
    Encrypt(files::EncryptArgs),
    /// Encrypt the key files of a node with another password.
    ChangePassword(files::ChangePasswordArgs),
    /// Take a key from a file, encrypted or of 64 hex digits, into a home that has none.
    Import(files::ImportArgs),
    /// Write a key of a home to a file of its own, encrypted.
    ///
    /// DANGER: a validator key in two places is a second vote, which is proof of misbehaviour.
    Export(files::ExportArgs),
    /// Replace a validator's sign-state that is lost or damaged, or raise one.
    ///
    /// DANGER: if this key has signed, or will sign elsewhere, above the height given here,
    /// it may sign two contradictory votes, which is proof of misbehaviour. Stop every copy
    /// of the node, find the height that the network has reached, and give that or more. The key
    /// signs nothing up to the end of that height; a mark never falls.
    ResetSignState {
        /// Home directory of the node or signer, which must not run.
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        /// The key has signed nothing above this height; at most 1000 above what this home, or
        /// --checkpoint, knows to be decided or signed.
        #[arg(long)]
        height: u64,
        /// Checkpoint of the network, made by `tbsi checkpoint get`; verified from the home's
        /// genesis file.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        #[command(flatten)]
        password: PasswordFile,
        #[command(flatten)]
        say: Say,
    },
}

/// Public halves of a node's keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublicKeys {
    /// A signer's home has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validator: Option<PublicValidatorKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_key: Option<B256>,
    /// SHA-256 of the ML-DSA-44 key, by which the chain names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    post_quantum_key_hash: Option<B256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signer_key: Option<B256>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PublicValidatorKey {
    public_key: Bytes,
    address: Address,
}

impl PublicKeys {
    /// Of the keys that a home has; at least one.
    fn load(home: &Home) -> anyhow::Result<Self> {
        let existing = |kind| -> Result<Option<PathBuf>, KeyFileError> {
            let file = home.key_file(kind);
            Ok(is_there(&file)?.then_some(file))
        };
        let secp256k1 = |kind| -> anyhow::Result<Option<SecretKey>> {
            let file = existing(kind)?;
            let key = file.map(|file| open_validator_key(&file, home.password()));
            Ok(key.transpose()?)
        };
        if home.key_files()?.is_empty() {
            let (shown, dir) = (home.dir().shown(), home.dir().word());
            return Err(said(
                format!(
                    "{shown} has no key files; `tbsi keys new --home {dir}` makes those of a node, \
                     `tbsi keys import` brings one"
                ),
                format!(
                    "{shown} 沒有金鑰檔；`tbsi keys new --home {dir}` 可產生節點的金鑰，\
                     `tbsi keys import` 可帶入金鑰"
                ),
            ));
        }
        let node_key = existing(KeyKind::Node)?
            .map(|file| open_node_key(&file, home.password()))
            .transpose()?;
        let log_key = existing(KeyKind::Log)?
            .map(|file| open_log_key(&file, home.password()))
            .transpose()?;
        let post_quantum = existing(KeyKind::PostQuantum)?
            .map(|file| open_post_quantum_key(&file, home.password()))
            .transpose()?;
        let signer_key = existing(KeyKind::Signer)?
            .map(|_| home.load_link_key())
            .transpose()?;
        Ok(Self {
            signer_key: signer_key.map(|key| link_public_key(&key).into()),
            peer_id: node_key.map(|key| key.peer_id()),
            validator: secp256k1(KeyKind::Validator)?.map(|key| PublicValidatorKey {
                public_key: key.public_key().encode().to_vec().into(),
                address: key.public_key().address(),
            }),
            log_key: log_key.map(|key| key.public_key().into()),
            post_quantum_key_hash: post_quantum.map(|key| key.public_key_hash()),
            account: secp256k1(KeyKind::Account)?.map(|key| key.public_key().address()),
        })
    }

    /// For people: an entry for the draft of a genesis file, if there is a node's key.
    pub(crate) fn text(&self, name: &str) -> String {
        let mut text = String::new();
        let mut line = |line: String| writeln!(text, "{line}").expect("a String takes all");
        if let Some(account) = &self.account {
            line(format!("# account {account}"));
        }
        if let Some(key) = &self.signer_key {
            line(format!("# signer key {key}"));
        }
        if let Some(hash) = &self.post_quantum_key_hash {
            line(format!("# post-quantum key {hash} (SHA-256)"));
        }
        let Some(peer_id) = &self.peer_id else {
            // Of a signer: the node's draft has it.
            if let Some(key) = &self.validator {
                let (public, address) = (&key.public_key, key.address);
                line(format!("# validator key {public}, address {address}"));
            }
            return text;
        };
        line(format!(
            "[[nodes]]\nname = \"{name}\"\norganisation = \"...\""
        ));
        line(format!("peer_id = \"{peer_id}\""));
        if let Some(validator) = &self.validator {
            line("[nodes.validator]".into());
            line(format!("public_key = \"{}\"", validator.public_key));
            line(format!("power = 1  # address {}", validator.address));
            if let Some(key) = &self.log_key {
                line(format!("log_key = \"{key}\""));
            }
        }
        text
    }
}

/// Loads a home's keys; makes those that are missing.
pub(crate) fn ensure(home: &Home, validator: bool) -> anyhow::Result<PublicKeys> {
    home.ensure_node_key()?;
    home.ensure_log_key()?;
    home.ensure_account_key()?;
    if validator {
        home.ensure_validator_key()?;
    }
    PublicKeys::load(home)
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::New {
            home,
            validator,
            signer,
            encrypt,
            password,
            say,
        } => say.told(new(&home, validator, signer, encrypt, &password)),
        Command::Show {
            home,
            password,
            say,
        } => say.told(show(&home, &password)),
        Command::Encrypt(args) => args.say.told(files::encrypt(&args)),
        Command::ChangePassword(args) => args.say.told(files::change_password(&args)),
        Command::Import(args) => args.say.told(files::import(&args)),
        Command::Export(args) => args.say.told(files::export(&args)),
        Command::Rotate(args) => block_on(args.language(), rotate::run(args)),
        Command::ResetSignState {
            home,
            height,
            checkpoint,
            password,
            say,
        } => {
            let height = Height(height);
            say.told(reset_sign_state(
                &home,
                height,
                checkpoint.as_deref(),
                &password,
            ))
        }
    }
}

fn show(home: &Path, password: &PasswordFile) -> anyhow::Result<(Sentence, PublicKeys)> {
    let keys = PublicKeys::load(&password.unlock(home)?)?;
    let text = keys.text("...");
    Ok(((text.clone(), text), keys))
}

fn new(
    home: &Path,
    validator: bool,
    signer: bool,
    encrypt: bool,
    password: &PasswordFile,
) -> anyhow::Result<(Sentence, PublicKeys)> {
    let mut home = password.unlock(home)?;
    if home.password().is_none() && encrypt || password.is_given() {
        home = home.with_password(Some(password.for_new()?));
    }
    let mut complete = true;
    for kind in KeyKind::ALL {
        let wanted = match kind {
            KeyKind::Node | KeyKind::Log | KeyKind::Account => true,
            KeyKind::Validator => validator,
            KeyKind::Signer => signer,
            // `tbsi keys rotate` makes these.
            KeyKind::NextValidator | KeyKind::PostQuantum => false,
        };
        complete &= !wanted || is_there(&home.key_file(kind))?;
    }
    if complete {
        let (shown, dir) = (home.dir().shown(), home.dir().word());
        return Err(said(
            format!(
                "{shown} holds these keys already, and a key is never overwritten; `tbsi keys show \
                 --home {dir}` shows them"
            ),
            format!("{shown} 已有這些金鑰，金鑰不會被覆寫；`tbsi keys show --home {dir}` 可顯示"),
        ));
    }
    if signer {
        home.ensure_link_key()?;
    }
    let keys = ensure(&home, validator)?;
    let (dir, draft) = (home.dir().join("keys"), keys.text("..."));
    let dir = dir.shown();
    let en = format!(
        "Keys are in {dir}; whoever reads them is this node. For the draft of a genesis file:\n\n\
         {draft}"
    );
    let zh_tw = format!("金鑰位於 {dir}；取得者即可冒充此節點。創世檔草稿所需的內容：\n\n{draft}");
    Ok(((en, zh_tw), keys))
}

fn reset_sign_state(
    home: &Path,
    height: Height,
    checkpoint: Option<&Path>,
    password: &PasswordFile,
) -> anyhow::Result<(Sentence, Value)> {
    let home = password.unlock(home)?;
    let decided = verified_height(checkpoint, &home.genesis_file())?;
    let moved = tbsi_node::recover::reset_sign_state(&home, height, decided)?;
    let mut en = format!("This key signs nothing up to the end of height {height} any more.");
    let mut zh_tw = format!("此金鑰在高度 {height} 結束以前不再簽署。");
    if let Some(to) = &moved {
        write!(en, "\nThe old sign-state is now {}.", to.shown())?;
        write!(zh_tw, "\n原有的簽署狀態已移至 {}。", to.shown())?;
    }
    let json = json!({ "height": height, "oldSignState": moved.as_deref().map(PathShown::json) });
    Ok(((en, zh_tw), json))
}
