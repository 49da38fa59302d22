//! `tbsi relay contract` and `inbox`.

use std::path::PathBuf;
use std::process::ExitCode;

use alloy_primitives::Address;
use anyhow::ensure;
use serde_json::json;
use tbsi_bridge::evm::{Beginning, creation_code, inbox_creation_code};
use tbsi_bridge::source::Source;
use tokio::runtime::Runtime;

use super::Say;
use super::deploy::deploy;
use crate::proof;
use crate::report::{Format, note, refuse};
use crate::rpc::Rpc;

/// 14 days.
const TRUST_PERIOD_S: u64 = 14 * 86_400;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Genesis file of the TBSI network.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    #[command(flatten)]
    rpc: Rpc,
    /// Seconds for which a checkpoint is a base for the next: 3,600 to 31,536,000.
    #[arg(long, value_name = "S", default_value_t = TRUST_PERIOD_S,
        value_parser = clap::value_parser!(u64).range(3_600..=31_536_000))]
    trust_period_s: u64,
    /// Account that may pause it for 72 hours [default: nobody].
    #[arg(long, value_name = "ADDRESS", default_value_t = Address::ZERO)]
    guardian: Address,
    /// Deploy it on the chain with this JSON-RPC address.
    #[arg(long, value_name = "URL", requires = "key")]
    deploy_to: Option<String>,
    /// Key file of the account that deploys it.
    #[arg(long, value_name = "FILE", requires = "deploy_to")]
    key: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let genesis = proof::load_genesis(&args.genesis).map_err(refuse)?;
    let mut source = Source::new(&genesis, &[args.rpc.url()], 1)?;
    let tip = Runtime::new()?.block_on(async {
        source.check().await?;
        source.tip().await
    })?;
    let checkpoint = &tip.decision.checkpoint;
    ensure!(
        checkpoint.next_validator_set_hash == checkpoint.validator_set_hash,
        "the validator set changes after height {}; run the command again",
        checkpoint.height
    );
    let code = creation_code(&Beginning {
        chain: source.chain(),
        checkpoint,
        validators: &tip.validators,
        trust_period_s: args.trust_period_s,
        guardian: args.guardian,
    });
    if let (Some(url), Some(key)) = (&args.deploy_to, &args.key) {
        let address = Runtime::new()?.block_on(deploy(url, key, &code))?;
        let json = json!({ "height": checkpoint.height, "lightClient": address });
        return args.format.print(&address.to_string(), &json);
    }
    note(&format!(
        "a light client that begins at height {}",
        checkpoint.height
    ));
    let json = json!({ "height": checkpoint.height, "creationCode": code });
    args.format.print(&code.to_string(), &json)
}

#[derive(Debug, clap::Args)]
pub(crate) struct InboxArgs {
    /// Light client that the inbox believes, on the same chain.
    #[arg(long, value_name = "ADDRESS")]
    light_client: Address,
    /// Deploy it on the chain with this JSON-RPC address.
    #[arg(long, value_name = "URL", requires = "key")]
    deploy_to: Option<String>,
    /// Key file of the account that deploys it; it gets no rights by that.
    #[arg(long, value_name = "FILE", requires = "deploy_to")]
    key: Option<PathBuf>,
    #[command(flatten)]
    pub(super) say: Say,
}

pub(super) fn inbox(args: &InboxArgs) -> anyhow::Result<ExitCode> {
    let code = inbox_creation_code(args.light_client);
    if let (Some(url), Some(key)) = (&args.deploy_to, &args.key) {
        let address = Runtime::new()?.block_on(deploy(url, key, &code))?;
        let json = json!({ "inbox": address, "lightClient": args.light_client });
        return args.say.format.print(&address.to_string(), &json);
    }
    let json = json!({ "lightClient": args.light_client, "creationCode": code });
    args.say.format.print(&code.to_string(), &json)
}
