//! `tbsi relay contract` and `inbox`.

use std::path::PathBuf;
use std::process::ExitCode;

use alloy_primitives::Address;
use anyhow::ensure;
use serde_json::json;
use tbsi_bridge::evm::{Beginning, Bodies, InboxBeginning, creation_code, inbox_creation_code};
use tbsi_bridge::source::Source;
use tokio::runtime::Runtime;

use super::Say;
use super::deploy::deploy;
use crate::http::http;
use crate::lang::demand;
use crate::proof;
use crate::report::{note, refuse};
use crate::rpc::Rpc;

/// 14 days.
const TRUST_PERIOD_S: u64 = 14 * 86_400;

/// 7 days.
const RECOVERY_DELAY_S: u64 = 7 * 86_400;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Genesis file of the TBSI network.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    #[command(flatten)]
    rpc: Rpc,
    /// Seconds for which a checkpoint is a base for the next: 3,600 to 31,536,000; with a guardian
    /// 345,600 at least, so that no pause outlasts it.
    #[arg(long, value_name = "S", default_value_t = TRUST_PERIOD_S,
        value_parser = clap::value_parser!(u64).range(3_600..=31_536_000))]
    trust_period_s: u64,
    /// Account that may pause it for 72 hours [default: nobody].
    #[arg(long, value_name = "ADDRESS", default_value_t = Address::ZERO)]
    guardian: Address,
    /// Key of the council, which registers relayers and agrees to a recovery; repeat for several.
    #[arg(long, value_name = "ADDRESS")]
    council: Vec<Address>,
    /// Signatures of the council that are needed [default: more than half].
    #[arg(long, value_name = "N", requires = "council")]
    council_threshold: Option<usize>,
    /// Cold key: these and the council let a frozen or expired light client begin again; repeat for
    /// several.
    #[arg(long, value_name = "ADDRESS")]
    cold_key: Vec<Address>,
    /// Signatures of cold keys that are needed [default: more than two thirds].
    #[arg(long, value_name = "N", requires = "cold_key")]
    cold_threshold: Option<usize>,
    /// Seconds between the proposal of a recovery and the recovery: 86,400 to 7,776,000.
    #[arg(long, value_name = "S", default_value_t = RECOVERY_DELAY_S,
        value_parser = clap::value_parser!(u64).range(86_400..=7_776_000))]
    recovery_delay_s: u64,
    /// Deploy it on the chain with this JSON-RPC address.
    #[arg(long, value_name = "URL", requires = "key")]
    deploy_to: Option<String>,
    /// Key file of the account that deploys it.
    #[arg(long, value_name = "FILE", requires = "deploy_to")]
    key: Option<PathBuf>,
    #[command(flatten)]
    pub(super) say: Say,
}

/// The council and the cold keys; refuses what the contract would, before anybody is asked.
fn bodies(args: &Args) -> anyhow::Result<Bodies> {
    let (given, least) = (
        args.trust_period_s,
        Beginning::trust_period_least(args.guardian),
    );
    demand(given >= least, || {
        (
            format!(
                "--trust-period-s is {given}; with --guardian it is {least} at least, or a pause \
                 of 72 hours would let the light client expire"
            ),
            format!(
                "--trust-period-s 為 {given}；指定 --guardian 時至少須為 {least}，否則 72 小時的暫停會使輕客戶端過期"
            ),
        )
    })?;
    let (council, cold) = (args.council.clone(), args.cold_key.clone());
    let (most, thirds) = (args.council_threshold, args.cold_threshold);
    Ok(Bodies::new(council, most, cold, thirds)?)
}

/// What is lost for good without council or cold keys; nothing if both are there.
fn lost(bodies: &Bodies, say: Say) -> Option<&'static str> {
    if bodies.can_recover() {
        return None;
    }
    Some(if bodies.has_council() {
        say.pick(
            "without --cold-key nobody can recover this light client: frozen or expired, it stays \
             so, and another one must be deployed",
            "未指定 --cold-key：此輕客戶端一旦凍結或過期即無法復原，只能另行部署",
        )
    } else {
        say.pick(
            "without --council and --cold-key nobody can recover this light client or register \
             relayers: frozen or expired, it stays so, and another one must be deployed",
            "未指定 --council 與 --cold-key：無法登記中繼者，此輕客戶端一旦凍結或過期即無法復原，只能另行部署",
        )
    })
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let bodies = bodies(args).map_err(refuse)?;
    let genesis = proof::load_genesis(&args.genesis).map_err(refuse)?;
    let mut source = Source::new(&genesis, &http()?, &[args.rpc.url()], 1)?;
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
        bodies: &bodies,
        recovery_delay_s: args.recovery_delay_s,
    });
    if let Some(lost) = lost(&bodies, args.say) {
        note(lost);
    }
    let recoverable = bodies.can_recover();
    if let (Some(url), Some(key)) = (&args.deploy_to, &args.key) {
        let address = Runtime::new()?.block_on(deploy(url, key, &code))?;
        let json = json!({
            "height": checkpoint.height, "lightClient": address, "recoverable": recoverable,
        });
        return args.say.format.print(&address.to_string(), &json);
    }
    let height = checkpoint.height;
    note(&args.say.pick(
        format!("a light client that begins at height {height}"),
        format!("自高度 {height} 開始的輕客戶端"),
    ));
    let json = json!({ "height": height, "creationCode": code, "recoverable": recoverable });
    args.say.format.print(&code.to_string(), &json)
}

#[derive(Debug, clap::Args)]
pub(crate) struct InboxArgs {
    /// Light client that the inbox believes, on the same chain.
    #[arg(long, value_name = "ADDRESS")]
    light_client: Address,
    /// Refuse messages sent below this height of the TBSI network.
    #[arg(long, value_name = "HEIGHT", default_value_t = 0)]
    first_height: u64,
    /// Inbox that this one replaces: what it delivered is not delivered again [default: none].
    #[arg(long, value_name = "ADDRESS", default_value_t = Address::ZERO)]
    previous: Address,
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
    let code = inbox_creation_code(&InboxBeginning {
        light_client: args.light_client,
        first_height: args.first_height,
        previous: args.previous,
    });
    if let (Some(url), Some(key)) = (&args.deploy_to, &args.key) {
        let address = Runtime::new()?.block_on(deploy(url, key, &code))?;
        let json = json!({ "inbox": address, "lightClient": args.light_client });
        return args.say.format.print(&address.to_string(), &json);
    }
    let json = json!({ "lightClient": args.light_client, "creationCode": code });
    args.say.format.print(&code.to_string(), &json)
}
