//! `tbsi version`.

use std::process::ExitCode;

use serde_json::json;

use crate::report::Format;

/// What the package's build said of the source (`deploy/debian/build.sh`): the commit, and the
/// second of that commit, from which nothing that is built differs. A build by hand says neither.
const COMMIT: Option<&str> = option_env!("TBSI_COMMIT");
const SOURCE_DATE: Option<&str> = option_env!("SOURCE_DATE_EPOCH");

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let version = env!("CARGO_PKG_VERSION");
    let json = json!({
        "name": "tbsi",
        "version": version,
        "protocol": tbsi_node::PROTOCOL_VERSION,
        "commit": COMMIT,
        "sourceDate": SOURCE_DATE.and_then(|seconds| seconds.parse::<u64>().ok()),
        "target": format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        "rustVersion": env!("CARGO_PKG_RUST_VERSION"),
    });
    let commit = COMMIT
        .map(|commit| format!(" ({commit})"))
        .unwrap_or_default();
    args.format.print(&format!("tbsi {version}{commit}"), &json)
}
