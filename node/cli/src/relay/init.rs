//! `tbsi relay init` and `send`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_primitives::{Address, B256};
use anyhow::{Context, ensure};
use serde_json::json;
use tbsi_bridge::config::{
    Audit, Batch, CONFIG_FILE, Config, Fees, Metrics, Relayer, Select, Source, Target,
};
use tbsi_node::keyfile::{create_validator_key, load_validator_key};
use tbsi_rpc::Client;
use tbsi_rpc::wire::LeafSelector;
use tbsi_types::{LeafIndex, ProofBundle};
use tokio::runtime::Runtime;

use super::{Home, ask};
use crate::proof;
use crate::report::{Format, refuse};

const GENESIS_FILE: &str = "genesis.json";
const KEY_FILE: &str = "relayer.key";

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
    /// Secret key of the relayer's account; a copy is kept [default: a new key].
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
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
        file.display()
    );
    proof::load_genesis(&args.genesis).map_err(refuse)?;
    let given = args.key.as_deref().map(load_validator_key).transpose();
    given.map_err(|error| refuse(error.into()))?;
    fs::create_dir_all(home).with_context(|| format!("make {}", home.display()))?;
    copy(&args.genesis, &home.join(GENESIS_FILE))?;
    let key_file = home.join(KEY_FILE);
    let key = match &args.key {
        Some(given) => {
            // A copy keeps its mode, which was found to be the owner's alone.
            copy(given, &key_file)?;
            load_validator_key(&key_file)?
        }
        None => create_validator_key(&key_file)?,
    };
    let text = config.to_toml();
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file)
        .and_then(|mut opened| opened.write_all(text.as_bytes()))
        .with_context(|| format!("write {}", file.display()))?;
    let account = key.public_key().address();
    let dir = home.display();
    let text = format!(
        "Relayer for {} is ready in {dir}; its account is {account}.\n\
         Next: fund it on chain {}, read {}, then\n  \
         tbsi relay check --home {dir}\n  tbsi relay dry-run --home {dir}\n  \
         tbsi relay run --home {dir}",
        args.name_en,
        args.chain_id,
        file.display(),
    );
    args.format.print(&text, &json!({ "account": account }))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to)
        .map(|_| ())
        .with_context(|| format!("copy {} to {}", from.display(), to.display()))
}

fn config(args: &Args) -> Config {
    Config {
        relayer: Relayer {
            name_zh_tw: args.name_zh_tw.clone(),
            name_en: args.name_en.clone(),
            key: KEY_FILE.into(),
        },
        source: Source {
            genesis: GENESIS_FILE.into(),
            rpc: args.source.clone(),
            agree: 1,
            poll_ms: 500,
        },
        target: Target {
            chain_id: args.chain_id,
            rpc: args.target.clone(),
            agree: 1,
            light_client: args.light_client,
            inbox: args.inbox,
        },
        fees: if args.free {
            Fees::none()
        } else {
            Fees::default()
        },
        select: Select {
            all: args.all,
            ..Select::default()
        },
        batch: Batch::default(),
        audit: Audit::default(),
        metrics: Metrics::default(),
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
        (Some(id), _) => Runtime::new()?.block_on(find(&config.source.rpc[0], id))?,
        (None, index) => index.context("give an id, or --index")?,
    };
    ask(&args.home.dir, &index.to_string())?;
    let text = format!("leaf {index} will be carried by `tbsi relay run` or `clear`");
    args.format.print(&text, &json!({ "leafIndex": index }))
}

/// Where an attestation is in the log. If the node lies, another leaf is carried, no more.
async fn find(url: &str, id: B256) -> anyhow::Result<u64> {
    let client = Client::new(url)?;
    let proof = client.proof(&LeafSelector::Id(id)).await?;
    let proof = proof.with_context(|| format!("{url} knows no attestation {id}"))?;
    let LeafIndex(index) = ProofBundle::parse_json(proof.get().as_bytes())?.leaf_index;
    Ok(index)
}
