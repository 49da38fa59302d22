//! `tbsi renew`: evidence records over files (SPEC §11.5).

mod check;
mod due;
mod files;
mod make;
mod sunsets;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use tbsi_light::archive::{ArchiveDigest, Sunsets, Trust};
use tbsi_types::TimestampMs;
use tokio::runtime::Runtime;

use crate::lang::{Language, SayContext};
use crate::report::{Format, in_language};
use crate::shown::PathShown;
use crate::time::Times;
pub(crate) use sunsets::relied_until;

const HELP: &str = "\
The record of FILE is FILE.ers (RFC 4998, DER). One time stamp covers all files of a run. Trust
comes from certificates in PEM: an authority's own, or its issuer's. Whether one was revoked is
not checked. Without --rpc no algorithm is taken to have an end.

Exit codes: 0 done or yes, 1 no or due, 2 could not tell; then nothing was written.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make records, and renew those that there are, with one new time stamp.
    ///
    /// A file that has FILE.tsr (a reply of RFC 3161) and no record gets one that begins with that
    /// time stamp. What does not hold any more is not renewed: then nothing is written for any
    /// file.
    #[command(after_help = HELP)]
    Run(make::Args),
    /// Verify a file's record.
    #[command(after_help = HELP)]
    Check(check::Args),
    /// List the files whose record is to be renewed soon, or that have none.
    #[command(after_help = HELP)]
    Due(due::Args),
}

/// What all of them need.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// Certificates that are trusted, in PEM.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// JSON-RPC address of a node to ask until when algorithms are relied upon.
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    format: Format,
}

/// Certificates, the ends of algorithms, and what time it is.
pub(super) struct Circumstances {
    trust: Trust,
    sunsets: Sunsets,
    /// Seconds since the Unix epoch.
    now: u64,
}

impl Common {
    async fn circumstances(&self, at: Option<u64>) -> anyhow::Result<Circumstances> {
        let reading = |path: &Path| {
            let path = path.shown();
            (format!("read {path}"), format!("讀取 {path}"))
        };
        let pem = std::fs::read(&self.trust).or_say(|| reading(&self.trust))?;
        let trust = Trust::from_pem(&pem).or_say(|| reading(&self.trust))?;
        let sunsets = match &self.rpc {
            Some(url) => sunsets::ask(url).await?,
            None => Sunsets::new(),
        };
        Ok(Circumstances {
            trust,
            sunsets,
            now: match at {
                Some(at) => at,
                None => SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .context("the clock is before 1970")?
                    .as_secs(),
            },
        })
    }
}

/// Hash algorithms to choose from.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Hash {
    /// SHA-256.
    #[value(name = "sha2-256")]
    Sha256,
    /// SHA-384.
    #[value(name = "sha2-384")]
    Sha384,
    /// SHA-512.
    #[value(name = "sha2-512")]
    Sha512,
}

impl Hash {
    fn algorithm(self) -> ArchiveDigest {
        match self {
            Self::Sha256 => ArchiveDigest::Sha256,
            Self::Sha384 => ArchiveDigest::Sha384,
            Self::Sha512 => ArchiveDigest::Sha512,
        }
    }
}

/// Seconds of so many days.
fn days(days: u32) -> u64 {
    u64::from(days) * 86_400
}

/// For people.
pub(crate) fn utc(seconds: u64) -> String {
    let ms = seconds.checked_mul(1_000);
    let shown = ms.filter(|ms| *ms <= tbsi_types::log::leaf::U48_MAX);
    shown.map_or_else(|| "–".into(), |ms| Times::of(TimestampMs(ms)).utc)
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let runtime = Runtime::new().context("start the asynchronous runtime")?;
    match command {
        Command::Run(args) => in_language(runtime.block_on(make::run(args)), args.common.lang),
        Command::Check(args) => in_language(runtime.block_on(check::run(args)), args.common.lang),
        Command::Due(args) => in_language(runtime.block_on(due::run(args)), args.common.lang),
    }
}
