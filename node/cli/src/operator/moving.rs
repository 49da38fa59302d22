//! `tbsi operator move`: a validator goes to another machine, step by step.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_eips::BlockNumberOrTag;
use clap::Subcommand;
use serde_json::{Value, json};
use tbsi_home::Home;
use tbsi_home::config::Config;
use tbsi_home::limits::DEVELOPMENT_CHAIN_ID;
use tbsi_node::moving::{Parcel, arrive, leave};
use tbsi_rpc::Client;
use tbsi_types::Address;

use crate::govern::{Read, RegistryClient, block_on};
use crate::lang::{Language, Sentence};
use crate::password::PasswordFile;
use crate::report::{Format, Say};
use crate::rpc::Rpc;
use crate::shown::PathShown;

/// Blocks in which the validator's signature is looked for.
const BLOCKS: u64 = 20;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// On the old machine: put the validator's keys and sign-state into a parcel.
    ///
    /// The node must not run, and never starts in this home again. The database stays: the node
    /// fetches the chain at its new place, or a backup is restored there.
    Leave {
        /// Home directory of the validator.
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        /// Directory to make for the parcel. It holds the keys as they are: carry it as such.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        password: PasswordFile,
        #[command(flatten)]
        say: Say,
    },
    /// On the new machine: take the validator out of the parcel into a new home, once.
    Arrive {
        /// Home directory to make.
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        /// The parcel.
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// Genesis file that you trust [default: that of the parcel, whose hash is printed:
        /// compare it].
        #[arg(long, value_name = "FILE")]
        genesis: Option<PathBuf>,
        #[command(flatten)]
        password: PasswordFile,
        #[command(flatten)]
        say: Say,
    },
    /// On the new machine: check that the validator has arrived, and say what is still to do.
    ///
    /// Exit codes: 0 it has, 1 something is still to do.
    Check {
        /// Home directory of the validator, whose node runs.
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        /// JSON-RPC address of the node [default: `rpc.listen` of its configuration].
        #[arg(long, value_name = "URL")]
        rpc: Option<String>,
        #[command(flatten)]
        password: PasswordFile,
        #[command(flatten)]
        say: Say,
    },
}

pub(super) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Leave {
            home,
            out,
            password,
            say,
        } => say.told(start(home, out, password)),
        Command::Arrive {
            home,
            from,
            genesis,
            password,
            say,
        } => say.told(land(home, from, genesis.as_deref(), password)),
        Command::Check {
            home,
            rpc,
            password,
            say,
        } => block_on(
            say.lang,
            check(home.clone(), rpc.clone(), password.clone(), *say),
        ),
    }
}

fn start(dir: &Path, out: &Path, password: &PasswordFile) -> anyhow::Result<(Sentence, Value)> {
    let home = password.unlock(dir)?;
    let parcel = leave(&home, out)?;
    let plain = home.key_files()?.iter().any(|(_, encrypted)| !encrypted);
    let plain = plain && parcel.chain_id != DEVELOPMENT_CHAIN_ID;
    let (shown, dir, node) = (out.shown(), dir.shown(), &parcel.node);
    let mut en = format!(
        "[x] 1. the node of `{node}` does not run, and never starts in {dir} again\n\
         [x] 2. validator {} and its sign-state ({}) are in {shown}\n\
         [ ] 3. carry {shown} to the new machine, and nowhere else\n\
         [ ] 4. there: tbsi operator move arrive --home HOME --from DIR --genesis FILE\n\
         [ ] 5. if its address changes: tbsi operator update {node} --endpoint MULTIADDR\n\
         [ ] 6. there: start the node, then tbsi operator move check --home HOME\n\
         [ ] 7. when that says so: destroy {shown}, and {dir} with its keys",
        parcel.validator, parcel.signed,
    );
    let mut zh_tw = format!(
        "[x] 1. 節點 `{node}` 未執行，且不會再於 {dir} 啟動\n\
         [x] 2. 驗證者 {} 及其簽署狀態（{}）已放入 {shown}\n\
         [ ] 3. 將 {shown} 送至新機器，勿送往他處\n\
         [ ] 4. 在新機器：tbsi operator move arrive --home HOME --from DIR --genesis FILE\n\
         [ ] 5. 若位址變更：tbsi operator update {node} --endpoint MULTIADDR\n\
         [ ] 6. 在新機器：啟動節點，然後 tbsi operator move check --home HOME\n\
         [ ] 7. 確認完成後：銷毀 {shown}，以及 {dir} 與其中的金鑰",
        parcel.validator, parcel.signed,
    );
    if plain {
        en += "\nThe keys are not encrypted: whoever has the parcel can sign.";
        zh_tw += "\n金鑰未加密：取得此包裹者即可簽署。";
    }
    Ok(((en, zh_tw), facts(&parcel, out)))
}

fn facts(parcel: &Parcel, dir: &Path) -> Value {
    json!({
        "parcel": dir.json(),
        "node": parcel.node,
        "validator": parcel.validator,
        "signed": parcel.signed,
        "genesisHash": parcel.genesis_hash,
    })
}

fn land(
    dir: &Path,
    from: &Path,
    genesis: Option<&Path>,
    password: &PasswordFile,
) -> anyhow::Result<(Sentence, Value)> {
    // Which keys are encrypted, the parcel says; a password is asked for by them.
    let home = Home::new(dir).with_password(password.unlock(from)?.password().cloned());
    let (parcel, spent) = arrive(&home, from, genesis)?;
    let (shown, word, node, spent) = (dir.shown(), dir.word(), &parcel.node, spent.shown());
    let hash = parcel.genesis_hash;
    let en = format!(
        "[x] 4. validator {} of `{node}` is in {shown}, signed up to {}; genesis hash {hash}\n\
         The sign-state of the parcel is called {spent} now: it is of no use any more.\n\
         [ ] 5. check the addresses in {shown}/config.toml; if its address changed: tbsi operator \
         update {node} --endpoint MULTIADDR\n\
         [ ] 6. tbsi node run --home {word}, then tbsi operator move check --home {word}\n\
         [ ] 7. when that says so: destroy the parcel and the old home",
        parcel.validator, parcel.signed,
    );
    let zh_tw = format!(
        "[x] 4. 節點 `{node}` 的驗證者 {} 已在 {shown}，已簽署至 {}；創世檔雜湊 {hash}\n\
         包裹中的簽署狀態已改名為 {spent}，不再有效。\n\
         [ ] 5. 核對 {shown}/config.toml 中的位址；若位址變更：tbsi operator update {node} --endpoint \
         MULTIADDR\n\
         [ ] 6. tbsi node run --home {word}，然後 tbsi operator move check --home {word}\n\
         [ ] 7. 確認完成後：銷毀包裹與舊的節點目錄",
        parcel.validator, parcel.signed,
    );
    let mut json = facts(&parcel, from);
    json["home"] = dir.json();
    Ok(((en, zh_tw), json))
}

/// A step of the list: whether it is done, and what was seen, or is to do.
struct Step {
    key: &'static str,
    done: bool,
    said: Sentence,
}

impl Step {
    fn new(key: &'static str, done: bool, en: impl Into<String>, zh_tw: impl Into<String>) -> Self {
        let said = (en.into(), zh_tw.into());
        Self { key, done, said }
    }
}

async fn check(
    dir: PathBuf,
    rpc: Option<String>,
    password: PasswordFile,
    say: Say,
) -> anyhow::Result<ExitCode> {
    let home = password.unlock(&dir)?;
    let loaded = home.load()?;
    let key = loaded.validator_key.as_ref();
    let Some(own) = key.map(|key| key.public_key().address()) else {
        anyhow::bail!("this home has no validator key: `tbsi operator move` is for validators");
    };
    let read = Read {
        rpc: Rpc::of_home(&home, &loaded.config, rpc)?,
        lang: say.lang,
        format: say.format,
    };
    let steps = look(&read, &loaded.config, own).await?;
    let done = steps.iter().all(|step| step.done);
    let mut text = String::new();
    for (number, step) in (1..).zip(&steps) {
        let mark = if step.done { "x" } else { " " };
        let said = say.pick(&step.said.0, &step.said.1);
        text += &format!("[{mark}] {number}. {said}\n");
    }
    text += say.pick(
        if done {
            "The validator has arrived. Destroy the parcel, and the old home with its keys."
        } else {
            "Not yet: keep the parcel, and run this again when what is open is done."
        },
        if done {
            "驗證者已就位。請銷毀包裹，以及舊的節點目錄與其中的金鑰。"
        } else {
            "尚未完成：請保留包裹，待未完成的事項完成後再執行一次。"
        },
    );
    let all = steps.iter().map(|step| {
        json!({ "step": step.key, "done": step.done, "said": say.pick(&step.said.0, &step.said.1) })
    });
    let json = json!({ "arrived": done, "validator": own, "steps": all.collect::<Vec<_>>() });
    print(say.format, &text, &json)?;
    Ok(if done {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print(format: Format, text: &str, json: &Value) -> anyhow::Result<()> {
    format.print(text, json).map(drop)
}

async fn look(read: &Read, config: &Config, own: Address) -> anyhow::Result<Vec<Step>> {
    let client = read.rpc.client()?;
    let status = client.status().await?;
    let connected = status.peers.iter().filter(|peer| peer.connected).count();
    let (height, behind) = (status.height, status.behind);
    let mut steps = vec![
        Step::new(
            "peers",
            connected > 0,
            format!("other nodes are connected: {connected}"),
            format!("已連線的其他節點：{connected}"),
        ),
        Step::new(
            "synced",
            !status.syncing && behind == 0,
            format!("the node has the chain up to height {height}, {behind} blocks behind"),
            format!("節點已有至高度 {height} 的鏈，落後 {behind} 個區塊"),
        ),
    ];
    let signed = last_signed(&client, height.0, own).await?;
    steps.push(match signed {
        Some(signed) => Step::new(
            "votes",
            true,
            format!("validator {own} votes: it signed block {signed}"),
            format!("驗證者 {own} 已投票：簽署了區塊 {signed}"),
        ),
        None => Step::new(
            "votes",
            false,
            format!(
                "validator {own} signed none of the last {BLOCKS} blocks: see `tbsi doctor`; blocks \
                 come when there are transactions"
            ),
            format!("驗證者 {own} 未簽署最近 {BLOCKS} 個區塊：請執行 `tbsi doctor`；有交易時才會產生區塊"),
        ),
    });
    steps.push(registered(read, config).await);
    Ok(steps)
}

/// The newest of the last blocks that the validator signed.
async fn last_signed(client: &Client, height: u64, own: Address) -> anyhow::Result<Option<u64>> {
    for height in (1..=height).rev().take(usize::try_from(BLOCKS)?) {
        let certificate = client.certificate(BlockNumberOrTag::Number(height)).await?;
        let signatures = certificate.into_iter().flat_map(|it| it.signatures);
        if signatures.into_iter().any(|it| it.validator == own) {
            return Ok(Some(height));
        }
    }
    Ok(None)
}

/// Whether the registry says that the node listens where it does.
async fn registered(read: &Read, config: &Config) -> Step {
    let port = config.p2p.consensus.port();
    let name = &config.name;
    let found = async {
        let registry = RegistryClient::open(read).await?;
        let (_, node) = registry.find_node(name).await?;
        Ok::<_, anyhow::Error>(node.endpoint)
    };
    let remedy = format!("tbsi operator update {name} --endpoint /dns4/NAME/tcp/{port}");
    match found.await {
        Ok(endpoint) if endpoint.is_empty() => Step::new(
            "endpoint",
            true,
            "the registry says of no address: the node connects to the others",
            "登錄未載明位址：由本節點連向其他節點",
        ),
        Ok(endpoint) => Step::new(
            "endpoint",
            port_of(&endpoint) == Some(port),
            format!(
                "the registry says {endpoint}, the node listens on port {port}; else: {remedy}"
            ),
            format!("登錄的位址為 {endpoint}，節點監聽連接埠 {port}；若不符：{remedy}"),
        ),
        Err(error) => {
            let words = |lang| crate::lang::causes(error.as_ref(), lang);
            Step::new(
                "endpoint",
                false,
                words(Language::En),
                words(Language::ZhTw),
            )
        }
    }
}

fn port_of(endpoint: &str) -> Option<u16> {
    let (_, rest) = endpoint.split_once("/tcp/")?;
    rest.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_endpoints_are_read() {
        let check = |endpoint: &str, port| assert_eq!(port_of(endpoint), port, "{endpoint}");
        check("/dns4/node.example.org/tcp/27000", Some(27_000));
        check("/ip4/192.0.2.7/tcp/7/p2p/12D3", Some(7));
        check("/ip4/192.0.2.7", None);
        check("/ip4/192.0.2.7/tcp/x", None);
    }
}
