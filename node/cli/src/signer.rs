//! `tbsi signer`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::Subcommand;
use serde_json::json;
use tbsi_home::config::LogConfig;
use tbsi_home::{Home, SignerRole, load_genesis};
use tbsi_keys::keyfile::{KeyKind, is_there};
use tbsi_keys::signer::{SignerAddress, link_public_key, serve};
use tbsi_types::B256;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::logging;
use crate::password::PasswordFile;
use crate::report::{Format, causes};
use crate::shown::PathShown;
use crate::sign_state::SignStateArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the home of a signer: the genesis file, a key for its connections if there is none,
    /// and the sign-state.
    ///
    /// The validator key must be there: `tbsi keys import --kind validator`. Never bring it
    /// here while a node still votes with it, and bring its sign-state with it: a key signs each
    /// step once, and only the sign-state knows which.
    Init(InitArgs),
    /// Sign for nodes until SIGTERM or Ctrl-C.
    ///
    /// Nodes connect over Noise (SPEC §6.8) with keys that are allowed here; the node's
    /// configuration names this signer in `[signer]`.
    Run {
        /// Home directory, made by `tbsi signer init`.
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        /// Where to listen: unix:PATH or IP:PORT.
        #[arg(long, value_name = "ADDRESS")]
        listen: SignerAddress,
        /// Sign transactions with the account key, for relayers, instead of votes.
        #[arg(long)]
        account: bool,
        /// Signer key of a node that may connect, as `tbsi keys show` prints it, or of a relayer,
        /// as `tbsi relay init` does; at most 16.
        #[arg(long, value_name = "KEY", required = true)]
        allow: Vec<B256>,
        /// Where to show metrics at /metrics, for example 127.0.0.1:9464 [default: nowhere].
        #[arg(long, value_name = "IP:PORT")]
        metrics: Option<SocketAddr>,
        #[command(flatten)]
        password: PasswordFile,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// Home directory of the signer.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Genesis file of the network.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// For a relayer: sign transactions with the account key that is there (`tbsi keys import
    /// --kind account`), instead of votes.
    #[arg(long, conflicts_with_all = ["sign_state", "height", "checkpoint"])]
    account: bool,
    #[command(flatten)]
    sign_state: SignStateArgs,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    format: Format,
}

fn init(args: &InitArgs) -> anyhow::Result<ExitCode> {
    let genesis = load_genesis(&args.genesis)?;
    let home = args.password.unlock(&args.home)?;
    let first = args.sign_state.first_mark(&args.genesis)?;
    // Nothing is made for a signer that has nothing to sign with.
    let signs_with = if args.account {
        KeyKind::Account
    } else {
        KeyKind::Validator
    };
    require_key(&home, signs_with)?;
    home.check_new_signer(&genesis, role_of(args.account))?;
    let key = link_public_key(&*home.ensure_link_key()?);
    let key = B256::from(key);
    if args.account {
        home.init_account_signer(&genesis)?;
        let account = home.load_account_key()?.public_key().address();
        let text = format!(
            "The signer in {} is ready. For the relayer:\n\n  tbsi relay init --signer \
             ADDRESS --signer-key {key} --account {account} ...",
            home.dir().shown()
        );
        let json = json!({ "home": home.dir().json(), "signerKey": key, "account": account });
        return args.format.print(&text, &json);
    }
    home.init_signer(&genesis, &first)?;
    let text = format!(
        "The signer in {} is ready. In the node's config.toml:\n\n\
         [signer]\naddress = \"...\"\npublic_key = \"{key}\"\nvalidator_key = \"...\"",
        home.dir().shown()
    );
    args.format.print(
        &text,
        &json!({ "home": home.dir().json(), "signerKey": key }),
    )
}

fn role_of(account: bool) -> SignerRole {
    match account {
        true => SignerRole::Account,
        false => SignerRole::Validator,
    }
}

fn require_key(home: &Home, kind: KeyKind) -> anyhow::Result<()> {
    let file = home.key_file(kind);
    let name = if kind == KeyKind::Account {
        "account"
    } else {
        "validator"
    };
    ensure!(
        is_there(&file)?,
        "{} is missing: a signer's home has the key that it signs with before it is made; `tbsi \
         keys import --kind {name} --home {} --file FILE` brings it",
        file.shown(),
        home.dir().word()
    );
    Ok(())
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Init(args) => init(&args),
        Command::Run {
            home,
            listen,
            account,
            allow,
            metrics,
            password,
        } => {
            logging::start(&LogConfig::default())?;
            tbsi_node::abort_on_panic();
            tbsi_node::forbid_core_dumps()?;
            let home = password.unlock(&home)?;
            let role = role_of(account);
            let allowed = allow.iter().map(|key| key.0).collect();
            listen_until_told(&home, role, &listen, allowed, metrics)
        }
    }
}

/// Signs until SIGTERM or Ctrl-C.
fn listen_until_told(
    home: &Home,
    role: SignerRole,
    listen: &SignerAddress,
    allowed: Vec<[u8; 32]>,
    metrics: Option<SocketAddr>,
) -> anyhow::Result<ExitCode> {
    let runtime = Runtime::new().context("start the asynchronous runtime")?;
    let outcome = runtime.block_on(async {
        let (stop, stopping) = watch::channel(false);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let metrics = match metrics {
            Some(address) => {
                let listener = TcpListener::bind(address).await;
                let listener = listener.with_context(|| format!("--metrics: listen on {address}"));
                Some(listener?)
            }
            None => None,
        };
        let signer = serve(home.open_signer(role)?, listen, allowed, metrics, stopping);
        tokio::pin!(signer);
        loop {
            tokio::select! {
                outcome = &mut signer => return outcome.map_err(anyhow::Error::from),
                _ = terminate.recv() => stop.send_replace(true),
                _ = interrupt.recv() => stop.send_replace(true),
            };
        }
    });
    match outcome {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            tracing::error!("signer stopped: {}", causes(error.as_ref()));
            Ok(ExitCode::FAILURE)
        }
    }
}
