//! `tbsi backup`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use tbsi_node::audit::{AuditPart, AuditedChain};
use tbsi_node::backup::{
    self, BackupError, BackupManifest, RestoreWish, create, restore as restore_backup,
};

use crate::lang::{Sentence, counted};
use crate::password::PasswordFile;
use crate::report::{Say, refuse};
use crate::shown::PathShown;
use crate::sign_state::SignStateArgs;
use crate::{clock, progress};

const GENESIS: &str = "genesis.json";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a backup of a node, which may run meanwhile.
    ///
    /// Database, configuration, genesis file and the public halves of the keys. No secret and no
    /// sign-state is in it: keep a copy of `keys` apart from backups. A sign-state must never be
    /// put back: a validator with an old one signs twice.
    Create {
        /// Home directory of the node.
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        /// Directory to make; best on another machine's disk.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        password: PasswordFile,
        #[command(flatten)]
        say: Say,
    },
    /// Verify a backup: every file, every certificate and block, the log, the map and the state.
    ///
    /// Changes nothing in it. Everything is made again from what validators signed, beginning with
    /// the genesis file. Exit codes: 0 it is right, 1 it is not, 2 could not tell.
    Verify {
        /// The backup.
        #[arg(value_name = "BACKUP")]
        backup: PathBuf,
        /// Genesis file that you trust [default: that of the backup, whose hash is printed:
        /// compare it].
        #[arg(long, value_name = "FILE")]
        genesis: Option<PathBuf>,
        #[command(flatten)]
        say: Say,
    },
    /// Restore a backup into a new home.
    ///
    /// In the new home there may be `keys`, the copy that is kept apart from backups, and nothing
    /// else. For a validator say where its sign-state begins: bring the one of the home that voted
    /// last (it changes its name, so that it is not put back twice), or state a height.
    Restore(RestoreArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The backup.
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// Home directory to make.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Genesis file that you trust [default: that of the backup, whose hash is printed: compare
    /// it].
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// Restore a node that does not vote; it needs no key, and gets a new one if there is none.
    #[arg(long, conflicts_with_all = ["sign_state", "height"])]
    observer: bool,
    #[command(flatten)]
    sign_state: SignStateArgs,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    say: Say,
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create {
            home,
            out,
            password,
            say,
        } => say.told(make(home, out, password)),
        Command::Verify {
            backup,
            genesis,
            say,
        } => say.told(verify(backup, genesis.as_deref())),
        Command::Restore(args) => args.say.told(restore(args)),
    }
}

/// A bar that appears with the first piece of work.
#[derive(Default)]
pub(crate) struct Bar(Option<(&'static str, ProgressBar)>);

impl Bar {
    /// So many bytes of so many.
    fn bytes(&mut self, done: u64, total: u64, what: &'static str) {
        self.show(what, || progress::bytes(total, what))
            .set_position(done);
    }

    /// How far an audit is.
    pub(crate) fn audit(&mut self, part: AuditPart, done: u64, total: Option<u64>) {
        let what = match part {
            AuditPart::Blocks => "blocks",
            AuditPart::State => "accounts",
            AuditPart::Log => "leaves",
        };
        let total = total.unwrap_or(done);
        let bar = self.show(what, || progress::count(total, what));
        bar.set_length(total.max(done));
        bar.set_position(done);
    }

    fn show(&mut self, what: &'static str, make: impl FnOnce() -> ProgressBar) -> &ProgressBar {
        if self.0.as_ref().is_none_or(|(shown, _)| *shown != what) {
            if let Some((_, bar)) = self.0.take() {
                bar.finish_and_clear();
            }
            self.0 = Some((what, make()));
        }
        let (_, bar) = self.0.as_ref().expect("one was just made");
        bar
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some((_, bar)) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// What was not looked at says nothing, not even no.
pub(crate) fn judged(error: BackupError) -> anyhow::Error {
    if error.is_unknown() {
        return refuse(error.into());
    }
    error.into()
}

fn make(dir: &Path, out: &Path, password: &PasswordFile) -> anyhow::Result<(Sentence, Value)> {
    let home = password.unlock(dir)?;
    let mut bar = Bar::default();
    let mut copied = |done, total| bar.bytes(done, total, "copying");
    let manifest = create(&home, out, clock::now()?, &mut copied)?;
    let (height, size, files) = (manifest.height, manifest.bytes(), manifest.files.len());
    let (shown, word) = (out.shown(), out.word());
    let en = format!(
        "Backup of `{}` at height {height} is in {shown}: {}, {size} bytes.\n\
         It holds no keys and no sign-state: keep a copy of {}/keys apart from it, and never one of \
         data/sign-state.\nNext: tbsi backup verify {word} --genesis FILE",
        manifest.node,
        counted(files, "file"),
        dir.shown(),
    );
    let zh_tw = format!(
        "節點 `{}` 於高度 {height} 的備份在 {shown}：{files} 個檔案，{size} 位元組。\n\
         備份不含金鑰與簽署狀態：請另行保存 {}/keys 的複本，data/sign-state 則切勿複製。\n\
         下一步：tbsi backup verify {word} --genesis FILE",
        manifest.node,
        dir.shown(),
    );
    Ok(((en, zh_tw), facts(&manifest, out)))
}

fn facts(manifest: &BackupManifest, dir: &Path) -> Value {
    json!({
        "backup": dir.json(),
        "node": manifest.node,
        "chainId": manifest.chain_id,
        "genesisHash": manifest.genesis_hash,
        "height": manifest.height,
        "checkpointDigest": manifest.checkpoint_digest,
        "logSize": manifest.log_size,
        "logRoot": manifest.log_root,
        "stateRoot": manifest.state_root,
        "files": manifest.files.len(),
        "bytes": manifest.bytes(),
        "madeMs": manifest.made_ms,
        "keys": manifest.keys,
    })
}

fn verify(dir: &Path, genesis: Option<&Path>) -> anyhow::Result<(Sentence, Value)> {
    let (mut files, mut parts) = (Bar::default(), Bar::default());
    let mut copied = |done, total| files.bytes(done, total, "reading");
    let mut audited = |part, done, total| parts.audit(part, done, total);
    let verified = backup::verify(dir, genesis, &mut copied, &mut audited);
    let (manifest, found) = verified.map_err(judged)?;
    let (shown, hash, count) = (dir.shown(), manifest.genesis_hash, manifest.files.len());
    let (en, zh_tw) = found_right(&found);
    let (compare, compare_zh_tw) = match genesis {
        Some(_) => (String::new(), String::new()),
        None => (
            format!(
                "\nIt was verified with its own genesis file: compare the hash {hash} with another \
                 operator, or give the file that you trust with --genesis"
            ),
            format!(
                "\n以備份內的創世檔驗證：請與其他營運者核對雜湊 {hash}，或以 --genesis 指定您信任的檔案"
            ),
        ),
    };
    let en = format!(
        "{shown} is right: a backup of `{}`, chain id {}, genesis hash {hash}\n\
         {} as the manifest says, {} bytes\n{en}{compare}",
        manifest.node,
        manifest.chain_id,
        counted(count, "file"),
        manifest.bytes(),
    );
    let zh_tw = format!(
        "{shown} 正確：節點 `{}` 的備份，鏈 {}，創世檔雜湊 {hash}\n\
         {count} 個檔案與清單相符，共 {} 位元組\n{zh_tw}{compare_zh_tw}",
        manifest.node,
        manifest.chain_id,
        manifest.bytes(),
    );
    let mut json = facts(&manifest, dir);
    json["audit"] = audit_json(&found);
    Ok(((en, zh_tw), json))
}

/// What an audit found to be right.
pub(crate) fn found_right(found: &AuditedChain) -> Sentence {
    let (tip, state, log) = (&found.tip, &found.state, &found.log);
    (
        format!(
            "{} verified from the genesis file to height {}, {} of the validator set\n\
             transactions and receipts from block {} on\n\
             state root {}: {}, {}, {} made again\n\
             log root {}: {}, their index and {} of the map made again",
            counted(found.certificates, "certificate"),
            tip.height,
            counted(found.handovers, "change"),
            found.oldest_block,
            tip.state_root,
            counted(state.accounts, "account"),
            counted(state.slots, "storage slot"),
            counted(state.nodes, "trie node"),
            tip.log_root,
            counted(log.leaves, "leaf"),
            counted(log.map_pages, "page"),
        ),
        format!(
            "自創世檔至高度 {}，驗證 {} 份提交憑證，驗證者集合變更 {} 次\n\
             自區塊 {} 起的交易與收據\n\
             狀態根雜湊 {}：重新推得 {} 個帳戶、{} 個儲存欄、{} 個樹節點\n\
             日誌根雜湊 {}：重新推得 {} 筆紀錄、其索引與對照表 {} 頁",
            tip.height,
            found.certificates,
            found.handovers,
            found.oldest_block,
            tip.state_root,
            state.accounts,
            state.slots,
            state.nodes,
            tip.log_root,
            log.leaves,
            log.map_pages,
        ),
    )
}

/// The same for programs.
pub(crate) fn audit_json(found: &AuditedChain) -> Value {
    json!({
        "height": found.tip.height,
        "certificates": found.certificates,
        "handovers": found.handovers,
        "oldestBlock": found.oldest_block,
        "accounts": found.state.accounts,
        "slots": found.state.slots,
        "trieNodes": found.state.nodes,
        "leaves": found.log.leaves,
        "mapPages": found.log.map_pages,
    })
}

fn restore(args: &RestoreArgs) -> anyhow::Result<(Sentence, Value)> {
    let home = args.password.unlock(&args.home)?;
    let own = args.backup.join(GENESIS);
    // A backup that is none says so better than its missing genesis file.
    BackupManifest::load(&args.backup)?;
    let genesis = args.genesis.as_deref().unwrap_or(&own);
    let wish = RestoreWish {
        genesis: args.genesis.clone(),
        observer: args.observer,
        first: args.sign_state.first_mark(genesis)?,
    };
    let mut bar = Bar::default();
    let mut copied = |done, total| bar.bytes(done, total, "restoring");
    let restored = restore_backup(&args.backup, &home, &wish, &mut copied)?;
    let (manifest, height) = (&restored.manifest, restored.tip.height);
    let (shown, dir, hash) = (home.dir().shown(), home.dir().word(), manifest.genesis_hash);
    let (mut en, mut zh_tw) = (
        format!(
            "`{}` is restored in {shown}, up to height {height}, which a quorum signed; genesis \
             hash {hash}.",
            manifest.node
        ),
        format!(
            "節點 `{}` 已還原至 {shown}，至高度 {height}，由法定多數的驗證者簽署；創世檔雜湊 {hash}。",
            manifest.node
        ),
    );
    if let Some(spent) = &restored.spent {
        let spent = spent.shown();
        en += &format!(
            "\nThe sign-state was brought; its source is called {spent} now. Nobody may sign with \
             it any more: destroy it."
        );
        zh_tw += &format!("\n簽署狀態已帶入，原檔改名為 {spent}：不得再用於簽署，請銷毀。");
    }
    if args.observer && restored.keys.peer_id != manifest.keys.peer_id {
        let peer = &restored.keys.peer_id;
        en += &format!(
            "\nIts peer id is a new one, {peer}: `tbsi operator register` names it to the others."
        );
        zh_tw += &format!("\n其 peer id 為新的 {peer}：請以 `tbsi operator register` 登記。");
    }
    en += &format!(
        "\nNext: check the addresses in its config.toml, then\n  tbsi doctor --home {dir}\n  tbsi \
         node run --home {dir}\nWhat was decided since the backup it fetches from the others."
    );
    zh_tw += &format!(
        "\n下一步：核對 config.toml 中的位址，然後執行\n  tbsi doctor --home {dir}\n  tbsi node run \
         --home {dir}\n備份之後的區塊會自其他節點取得。"
    );
    let mut json = facts(manifest, &args.backup);
    json["home"] = home.dir().json();
    json["validator"] = restored.validator.into();
    json["spent"] = restored.spent.as_deref().map(PathShown::json).into();
    Ok(((en, zh_tw), json))
}
