//! What all commands that read or change the register of the chain have in common.

mod arguments;
mod client;
mod sentences;
pub(crate) mod words;
mod writer;

pub(crate) use arguments::{
    Read, Write, parse_amount, parse_endpoint, parse_permissions, parse_reason,
};
pub(crate) use client::{NamedKey, RegistryClient, named_key, peer_id};
pub(crate) use writer::{Done, Planned, Writer};

use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::lang::Language;
use crate::report::in_language;

/// Exit codes of all these commands.
pub(crate) const CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 refused before anything was sent.";

/// Runs a command to its end; what goes wrong is told in its language.
pub(crate) fn block_on(
    language: Language,
    work: impl Future<Output = anyhow::Result<ExitCode>>,
) -> anyhow::Result<ExitCode> {
    in_language(Runtime::new()?.block_on(work), language)
}
