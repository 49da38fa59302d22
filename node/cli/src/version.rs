//! `tbsi version`.

use std::process::ExitCode;

use serde_json::json;

use crate::report::Format;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let version = env!("CARGO_PKG_VERSION");
    let json = json!({ "name": "tbsi", "version": version });
    args.format.print(&format!("tbsi {version}"), &json)
}
