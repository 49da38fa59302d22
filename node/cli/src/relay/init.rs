//! `tbsi relay init` and `send`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_primitives::{Address, B256};
use anyhow::{Context, ensure};
use serde_json::json;
use tbsi_bridge::config::{
    AuditConfig, BatchConfig, CONFIG_FILE, Config, EvmConfig, FeesConfig, Finality, HealthConfig,
    RelayerConfig, RemoteKey, SelectConfig, SourceConfig, TargetConfig,
};
use tbsi_keys::keyfile::{KeyKind, create_secret};
use tbsi_keys::password::Password;
use tbsi_keys::signer::{SignerAddress, link_public_key};
use tbsi_rpc::wire::LeafSelector;
use tbsi_rpc::{Client, Http};
use tbsi_types::{LeafIndex, ProofBundle};
use tokio::runtime::Runtime;

use super::keys::open_key;
use super::{Home, ask};
use crate::http::http_of;
use crate::password::PasswordFile;
use crate::proof;
use crate::report::{Format, refuse};
use crate::shown::PathShown;

const GENESIS_FILE: &str = "genesis.json";
const KEY_FILE: &str = "relayer.key";
const LINK_FILE: &str = "signer.key";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    home: Home,
    /// Legal name, in English, of the organisation that answers for this relayer.
    #[arg(long, value_name = "NAME")]
    name_en: String,
    /// Its legal name in Traditional Chinese.
    #[arg(long, value_name = "NAME", default_value = "")]
    name_zh_tw: String,
    /// Genesis file of the TBSI network; a copy is kept.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// JSON-RPC address of a node of that network; repeat for several.
    #[arg(long, value_name = "URL", required = true)]
    source: Vec<String>,
    /// JSON-RPC address of the chain that is written to; repeat for several.
    #[arg(long, value_name = "URL", required = true)]
    target: Vec<String>,
    /// EIP-155 id of that chain.
    #[arg(long, value_name = "N")]
    chain_id: u64,
    /// The light client on it.
    #[arg(long, value_name = "ADDRESS")]
    light_client: Address,
    /// The inbox on it, for messages; without it none are carried.
    #[arg(long, value_name = "ADDRESS")]
    inbox: Option<Address>,
    /// From when on a block there cannot go away: finalized (nodes know that tag), instant (QBFT or
    /// IBFT 2.0, as on Besu and GoQuorum), latest, or a number of blocks on top of it.
    #[arg(long, value_name = "FINALITY", default_value_t = Finality::Finalized)]
    finality: Finality,
    /// Bytes of a transaction that its nodes take [default: 131072; GoQuorum takes 65536].
    #[arg(long, value_name = "N")]
    bytes_max: Option<usize>,
    /// Secret key of the relayer's account, encrypted or not; a copy is kept [default: a new
    /// key].
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// File with the password of that key; a new key is encrypted with it (Web3 Secret Storage).
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The key is in a signer that listens here: unix:PATH or IP:PORT.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["key", "password_file"],
        requires = "signer_key", requires = "account")]
    signer: Option<SignerAddress>,
    /// Key that this signer proves to have, as `tbsi signer init --account` prints it.
    #[arg(long, value_name = "KEY", requires = "signer")]
    signer_key: Option<B256>,
    /// Account that it signs for.
    #[arg(long, value_name = "ADDRESS", requires = "signer")]
    account: Option<Address>,
    /// Relay only as an account that the network's registry has, with the permission to relay,
    /// under the names above.
    #[arg(long)]
    registered: bool,
    /// Carry all attestations. Without it, name schemas or issuers in the configuration, or
    /// leaves with `tbsi relay send`.
    #[arg(long)]
    all: bool,
    /// Bid nothing for gas: the target is a chain without fees.
    #[arg(long)]
    free: bool,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let home = &args.home.dir;
    let config = config(args);
    config.check().map_err(|error| refuse(error.into()))?;
    let file = home.join(CONFIG_FILE);
    ensure!(
        !file.exists(),
        "{} exists; choose another --home",
        file.shown()
    );
    proof::load_genesis(&args.genesis).map_err(refuse)?;
    let password = args.password_file.as_deref();
    let open = |file: &Path| open_key(file, password, &PasswordFile::none());
    let given = args.key.as_deref().map(open).transpose();
    given.map_err(refuse)?;
    let new_password = new_password(args).map_err(refuse)?;
    fs::create_dir_all(home).with_context(|| format!("make {}", home.shown()))?;
    copy(&args.genesis, &home.join(GENESIS_FILE))?;
    let (account, link) = key(args, new_password.as_ref())?;
    let text = config.to_toml();
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file)
        .and_then(|mut opened| opened.write_all(text.as_bytes()))
        .with_context(|| format!("write {}", file.shown()))?;
    let dir = home.word();
    let link_line = link.map_or(String::new(), |link| {
        format!("\nIts signer allows it with: tbsi signer run --account --allow {link} ...")
    });
    let text = format!(
        "The relayer for {} is ready in {}; its account is {account}.{link_line}\n\
         Next: fund it on chain {}, read {}, then\n  \
         tbsi relay check --home {dir}\n  tbsi relay dry-run --home {dir}\n  \
         tbsi relay run --home {dir}",
        args.name_en,
        home.shown(),
        args.chain_id,
        file.shown(),
    );
    let json = json!({ "account": account, "linkKey": link });
    args.format.print(&text, &json)
}

/// The password of a key that is made; one that is too short is refused before anything is there.
fn new_password(args: &Args) -> anyhow::Result<Option<Password>> {
    if args.account.is_some() || args.key.is_some() {
        return Ok(None);
    }
    let password = args.password_file.as_deref().map(Password::load);
    let password = password.transpose()?;
    if let Some(password) = &password {
        password.require_length()?;
    }
    Ok(password)
}

/// Makes the key, or what stands for it: the account, and the key that its signer knows it by.
fn key(args: &Args, new_password: Option<&Password>) -> anyhow::Result<(Address, Option<B256>)> {
    let home = &args.home.dir;
    if let Some(account) = args.account {
        let link = create_secret(&home.join(LINK_FILE), KeyKind::Signer, None)?;
        return Ok((account, Some(link_public_key(&link).into())));
    }
    let file = home.join(KEY_FILE);
    let password = args.password_file.as_deref();
    match &args.key {
        // A copy keeps its mode, which was found to be the owner's alone.
        Some(given) => copy(given, &file)?,
        None => {
            create_secret(&file, KeyKind::Account, new_password)?;
        }
    }
    let key = open_key(&file, password, &PasswordFile::none())?;
    Ok((key.public_key().address(), None))
}

/// As an absolute path: the configuration's are relative to the home directory.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.into())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to)
        .map(|_| ())
        .with_context(|| format!("copy {} to {}", from.shown(), to.shown()))
}

fn remote(args: &Args) -> Option<RemoteKey> {
    Some(RemoteKey {
        address: args.signer.as_ref()?.to_string(),
        public_key: args.signer_key?,
        account: args.account?,
        link_key: LINK_FILE.into(),
    })
}

fn target(args: &Args) -> EvmConfig {
    let usual = EvmConfig::new(args.chain_id, args.target.clone(), args.light_client);
    EvmConfig {
        inbox: args.inbox,
        finality: args.finality,
        bytes_max: args.bytes_max.unwrap_or(usual.bytes_max),
        fees: if args.free {
            FeesConfig::none()
        } else {
            FeesConfig::default()
        },
        ..usual
    }
}

fn config(args: &Args) -> Config {
    Config {
        relayer: RelayerConfig {
            name_zh_tw: args.name_zh_tw.clone(),
            name_en: args.name_en.clone(),
            key: args.signer.is_none().then(|| KEY_FILE.into()),
            password_file: args.password_file.as_deref().map(absolute),
            signer: remote(args),
            registered: args.registered,
        },
        source: SourceConfig {
            genesis: GENESIS_FILE.into(),
            rpc: args.source.clone(),
            agree: 1,
            poll_ms: 500,
        },
        target: TargetConfig::Evm(target(args)),
        select: SelectConfig {
            all: args.all,
            ..SelectConfig::default()
        },
        batch: BatchConfig::default(),
        audit: AuditConfig::default(),
        metrics: HealthConfig::default(),
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct SendArgs {
    #[command(flatten)]
    home: Home,
    /// Id of an attestation, 0x and 64 hex digits.
    #[arg(value_name = "ID", required_unless_present = "index")]
    id: Option<B256>,
    /// Position in the log instead.
    #[arg(long, value_name = "N", conflicts_with = "id")]
    index: Option<u64>,
    #[command(flatten)]
    format: Format,
}

pub(super) fn send(args: &SendArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::load(&args.home.dir).map_err(|error| refuse(error.into()))?;
    let index = match (args.id, args.index) {
        (Some(id), _) => {
            Runtime::new()?.block_on(find(&http_of(&args.home.dir)?, &config.source.rpc[0], id))?
        }
        (None, index) => index.context("give an id, or --index")?,
    };
    ask(&args.home.dir, &index.to_string())?;
    let text = format!("leaf {index} will be carried by `tbsi relay run` or `clear`");
    args.format.print(&text, &json!({ "leafIndex": index }))
}

/// Where an attestation is in the log. If the node lies, another leaf is carried, no more.
async fn find(http: &Http, url: &str, id: B256) -> anyhow::Result<u64> {
    let client = Client::through(http, url)?;
    let proof = client.proof(&LeafSelector::Id(id)).await?;
    let proof = proof.with_context(|| format!("{url} knows no attestation {id}"))?;
    let LeafIndex(index) = ProofBundle::parse_json(proof.get().as_bytes())?.leaf_index;
    Ok(index)
}
