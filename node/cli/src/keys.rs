//! `tbsi keys`.

mod rotate;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use serde::Serialize;
use serde_json::json;
use tbsi_node::home::Home;
use tbsi_node::keyfile::{LogKey, load_log_key, load_node_key, load_validator_key};
use tbsi_types::{Address, Bytes, Height, SecretKey};

use crate::govern::block_on;
use crate::report::Format;

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
        #[command(flatten)]
        format: Format,
    },
    /// Show the public halves of a node's keys.
    Show {
        /// Home directory of the node.
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        #[command(flatten)]
        format: Format,
    },
    /// Replace a key of a registered node with a new one.
    ///
    /// validator: the running node takes the new key into use by itself, from the block on for
    /// which the chain names it. peer, log: the new key is in the home at once, and in use when
    /// the node is started again; other nodes admit the old peer id until the overlap ends.
    #[command(after_help = crate::govern::CODES)]
    Rotate(rotate::Args),
    /// Replace a validator's sign-state that is lost or damaged.
    ///
    /// DANGER: if this key has signed, or will sign elsewhere, above the height given here,
    /// it may sign two contradictory votes, which is proof of misbehaviour. Stop every copy
    /// of the node, find the height that the network has reached, and give that or more.
    ResetSignState {
        /// Home directory of the node, which must not run.
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        /// The key has signed nothing above this height.
        #[arg(long)]
        height: u64,
        #[command(flatten)]
        format: Format,
    },
}

/// Public halves of a node's keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublicKeys {
    peer_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    validator: Option<PublicValidatorKey>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PublicValidatorKey {
    public_key: Bytes,
    address: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_key: Option<Bytes>,
}

impl PublicKeys {
    fn new(peer_id: String, validator_key: Option<SecretKey>, log_key: Option<LogKey>) -> Self {
        let public = |key: SecretKey| PublicValidatorKey {
            public_key: key.public_key().encode().to_vec().into(),
            address: key.public_key().address(),
            log_key: log_key.map(|key| key.public_key().to_vec().into()),
        };
        Self {
            peer_id,
            validator: validator_key.map(public),
        }
    }

    /// For people: an entry for the draft of a genesis file.
    pub(crate) fn text(&self, name: &str) -> String {
        let mut text = format!("[[nodes]]\nname = \"{name}\"\norganisation = \"...\"\n");
        let mut line = |line: String| writeln!(text, "{line}").expect("a String takes all");
        line(format!("peer_id = \"{}\"", self.peer_id));
        if let Some(validator) = &self.validator {
            line("[nodes.validator]".into());
            line(format!("public_key = \"{}\"", validator.public_key));
            line(format!("power = 1  # address {}", validator.address));
            if let Some(log_key) = &validator.log_key {
                line(format!("log_key = \"{log_key}\""));
            }
        }
        text
    }
}

/// Loads a home's keys; makes those that are missing.
pub(crate) fn ensure(home: &Home, validator: bool) -> anyhow::Result<PublicKeys> {
    let peer_id = home.ensure_node_key()?.peer_id();
    let log_key = home.ensure_log_key()?;
    let key = validator.then(|| home.ensure_validator_key()).transpose()?;
    Ok(PublicKeys::new(peer_id, key, Some(log_key)))
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::New {
            home,
            validator,
            format,
        } => new(&Home::new(home), validator, format),
        Command::Show { home, format } => show(&Home::new(home), format),
        Command::Rotate(args) => block_on(args.language(), rotate::run(args)),
        Command::ResetSignState {
            home,
            height,
            format,
        } => reset_sign_state(&Home::new(home), Height(height), format),
    }
}

fn new(home: &Home, validator: bool, format: Format) -> anyhow::Result<ExitCode> {
    let complete = home.node_key_file().exists()
        && home.log_key_file().exists()
        && (!validator || home.validator_key_file().exists());
    if complete {
        bail!(
            "{} holds these keys already, and a key is never overwritten; \
             `tbsi keys show --home {0}` shows them",
            home.dir().display()
        );
    }
    let keys = ensure(home, validator)?;
    let text = format!(
        "Keys are in {}; whoever reads them is this node. For the draft of a genesis file:\n\n{}",
        home.dir().join("keys").display(),
        keys.text("...")
    );
    format.print(&text, &keys)
}

fn show(home: &Home, format: Format) -> anyhow::Result<ExitCode> {
    let peer_id = load_node_key(&home.node_key_file())?.peer_id();
    let file = home.validator_key_file();
    let key = file
        .exists()
        .then(|| load_validator_key(&file))
        .transpose()?;
    let file = home.log_key_file();
    let log_key = file.exists().then(|| load_log_key(&file)).transpose()?;
    let keys = PublicKeys::new(peer_id, key, log_key);
    format.print(&keys.text("..."), &keys)
}

fn reset_sign_state(home: &Home, height: Height, format: Format) -> anyhow::Result<ExitCode> {
    let moved = home.reset_sign_state(height)?;
    let mut text = format!("This key will sign nothing up to height {height} again.");
    if let Some(to) = &moved {
        write!(text, "\nThe old sign-state is now {}.", to.display())?;
    }
    let json = json!({ "height": height, "oldSignState": moved });
    format.print(&text, &json)
}
