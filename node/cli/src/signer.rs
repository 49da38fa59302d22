//! `tbsi signer`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use serde_json::json;
use tbsi_node::config::LogConfig;
use tbsi_node::home::{Home, load_genesis};
use tbsi_node::signer::{Role, SignerAddress, link_public_key, serve};
use tbsi_types::{B256, Height};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::logging;
use crate::password::PasswordFile;
use crate::report::{Format, causes};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the home of a signer: the genesis file, a key for its connections if there is none,
    /// and the sign-state.
    ///
    /// The validator key must be there: `tbsi keys import --kind validator`. Never bring it
    /// here while a node still votes with it, and bring its sign-state, `data/sign-state`, with
    /// it if it ever signed.
    Init {
        /// Home directory of the signer.
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        /// Genesis file of the network.
        #[arg(long, value_name = "FILE")]
        genesis: PathBuf,
        /// For a relayer: sign transactions with the account key that is there (`tbsi keys import
        /// --kind account`), instead of votes.
        #[arg(long)]
        account: bool,
        #[command(flatten)]
        password: PasswordFile,
        #[command(flatten)]
        format: Format,
    },
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
        #[command(flatten)]
        password: PasswordFile,
    },
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Init {
            home,
            genesis,
            account,
            password,
            format,
        } => {
            let genesis = load_genesis(&genesis)?;
            let home = password.unlock(&home)?;
            let key = link_public_key(&*home.ensure_link_key()?);
            let key = B256::from(key);
            if account {
                home.init_account_signer(&genesis)?;
                let account = home.load_account_key()?.public_key().address();
                let text = format!(
                    "The signer in {} is ready. For the relayer:\n\n  tbsi relay init --signer \
                     ADDRESS --signer-key {key} --account {account} ...",
                    home.dir().display()
                );
                let json = json!({ "home": home.dir(), "signerKey": key, "account": account });
                return format.print(&text, &json);
            }
            home.init_signer(&genesis, Height::GENESIS)?;
            let text = format!(
                "The signer in {} is ready. In the node's config.toml:\n\n\
                 [signer]\naddress = \"...\"\npublic_key = \"{key}\"\nvalidator_key = \"...\"",
                home.dir().display()
            );
            format.print(&text, &json!({ "home": home.dir(), "signerKey": key }))
        }
        Command::Run {
            home,
            listen,
            account,
            allow,
            password,
        } => {
            logging::start(&LogConfig::default())?;
            tbsi_node::abort_on_panic();
            tbsi_node::forbid_core_dumps()?;
            let home = password.unlock(&home)?;
            let role = if account {
                Role::Account
            } else {
                Role::Validator
            };
            let allowed = allow.iter().map(|key| key.0).collect();
            listen_until_told(&home, role, &listen, allowed)
        }
    }
}

/// Signs until SIGTERM or Ctrl-C.
fn listen_until_told(
    home: &Home,
    role: Role,
    listen: &SignerAddress,
    allowed: Vec<[u8; 32]>,
) -> anyhow::Result<ExitCode> {
    let runtime = Runtime::new().context("start the asynchronous runtime")?;
    let outcome = runtime.block_on(async {
        let (stop, stopping) = watch::channel(false);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let signer = serve(home, role, listen, allowed, stopping);
        tokio::pin!(signer);
        loop {
            tokio::select! {
                outcome = &mut signer => return outcome,
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
