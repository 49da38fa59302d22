//! What is verified, what is trusted for it, and what else is looked at.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tbsi_types::TimestampMs;

use super::post_quantum::PostQuantumArgs;
use super::status::{parse_duration, parse_time};
use crate::proof::named_after;

/// What is verified, and what is trusted for it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Inputs {
    /// Proof, in JSON or in compact form.
    #[arg(value_name = "PROOF")]
    pub(crate) proof: PathBuf,
    /// File that was attested [default: PROOF without .tbsi.json, if it exists].
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Salt of the file [default: .tbsi.salt next to the file or to the proof].
    #[arg(long, value_name = "FILE")]
    pub(crate) salt: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: Trust,
    /// Compare no file, not even one beside the proof: its salt is gone.
    #[arg(skip)]
    pub(crate) without_file: bool,
}

/// What is trusted, and who is asked.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Trust {
    /// Genesis file of the network.
    #[arg(long, value_name = "FILE", conflicts_with = "checkpoint")]
    pub(crate) genesis: Option<PathBuf>,
    /// Trusted checkpoint of the network, from `tbsi checkpoint get`.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// File with changes of the validator set since genesis, from `tbsi log handovers`: for a
    /// proof that begins later.
    #[arg(long, value_name = "FILE", requires = "genesis")]
    pub(crate) handovers: Option<PathBuf>,
    /// JSON-RPC address of a node to ask whether it was revoked since.
    #[arg(long, value_name = "URL")]
    pub(crate) rpc: Option<String>,
}

/// What is looked at beside the proof, if somebody asks for it.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Checks {
    #[command(flatten)]
    pub(crate) post_quantum: PostQuantumArgs,
    /// Greatest age of the status in the proof, such as 90s, 15m, 24h or 7d: an older one, or none,
    /// is no verdict.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) status_max_age: Option<Duration>,
    /// Time at which the status must not be older, in RFC 3339 [default of `tbsi verify`: this
    /// machine's clock].
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "status_max_age")]
    pub(crate) at: Option<TimestampMs>,
}

impl Inputs {
    /// The file that was given, or is beside the proof.
    pub(crate) fn attested_file(&self) -> Option<PathBuf> {
        self.file_or(named_after(&self.proof).as_deref())
    }

    /// The file that was given, or `beside` if it is there.
    pub(super) fn file_or(&self, beside: Option<&Path>) -> Option<PathBuf> {
        if self.without_file {
            return None;
        }
        let given = self.file.clone();
        given.or_else(|| beside.filter(|file| file.is_file()).map(Path::to_owned))
    }
}
