//! `tbsi log follow`.

use std::process::ExitCode;

use alloy_primitives::{Address, B256};
use anyhow::{Context, bail};
use serde_json::json;
use tbsi_rpc::wire::{LeafFilter, LeafNotice, LogEntry};
use tbsi_types::LeafIndex;
use tbsi_types::log::Leaf;

use crate::report::Format;
use crate::rpc::Rpc;
use crate::shown;
use crate::time::Times;

#[derive(Debug, clap::Args)]
pub(crate) struct FollowArgs {
    /// Only under this schema.
    #[arg(long, value_name = "ID")]
    schema: Option<B256>,
    /// Only of this issuer.
    #[arg(long, value_name = "ADDRESS")]
    issuer: Option<Address>,
    /// Only of this kind: attestation, revocation, supersession, countersigningOpened,
    /// countersignature, schemaRegistered, algorithmSet, governanceAct or message.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only of accounts of the organisation with this number.
    #[arg(long, value_name = "NUMBER")]
    organisation: Option<u32>,
    /// Leaf to begin with [default: the next one].
    #[arg(long, value_name = "INDEX")]
    from_index: Option<u64>,
    /// End after so many leaves.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    #[command(flatten)]
    node: Rpc,
    #[command(flatten)]
    format: Format,
}

/// Prints leaves until it has printed as many as asked for. A subscription that ended is taken
/// up where it ended, as long as that brings leaves.
pub(super) async fn follow(args: &FollowArgs) -> anyhow::Result<ExitCode> {
    let client = args.node.client()?;
    let mut filter = LeafFilter {
        schema: args.schema,
        issuer: args.issuer,
        kind: args.kind.clone(),
        from_index: args.from_index.map(LeafIndex),
        organisation: args.organisation,
    };
    let mut leaves = client.leaves(&filter).await?;
    let (mut printed, mut since) = (0, 0);
    while args.count.is_none_or(|count| printed < count) {
        let ended = match leaves.next().await? {
            Some(LeafNotice::Leaf(entry)) => {
                filter.from_index = Some(LeafIndex(entry.index.0 + 1));
                if !args.format.line(&text(&entry)?, &json!(entry))? {
                    return Ok(ExitCode::SUCCESS);
                }
                (printed, since) = (printed + 1, since + 1);
                continue;
            }
            Some(LeafNotice::End(end)) => {
                filter.from_index = Some(end.from_index);
                end.ended
            }
            None => "the connection ended".into(),
        };
        if since == 0 {
            bail!(gone(&ended, filter.from_index));
        }
        let again = client.leaves(&filter).await;
        leaves = again.with_context(|| gone(&ended, filter.from_index))?;
        since = 0;
    }
    Ok(ExitCode::SUCCESS)
}

fn gone(ended: &str, next: Option<LeafIndex>) -> String {
    match next {
        Some(next) => format!("{ended}; go on with --from-index {next}"),
        None => format!("{ended} before there was a leaf"),
    }
}

/// Index, time, kind and issuer on one line, and what else the leaf says.
fn text(entry: &LogEntry) -> anyhow::Result<String> {
    let leaf = Leaf::decode(&entry.leaf)?;
    let of_head = [
        "kind",
        "issuer",
        "chainId",
        "height",
        "timeMs",
        "transactionIndex",
        "ordinal",
    ];
    let mut said = String::new();
    let fields = entry.statement.as_object().into_iter().flatten();
    for (name, value) in fields.filter(|(name, _)| !of_head.contains(&name.as_str())) {
        let value = value.as_str().map_or_else(|| value.to_string(), Into::into);
        said += &format!(" {name} {value}");
    }
    let kind = entry.statement["kind"].as_str().unwrap_or_default();
    let time = Times::of(leaf.head.time).utc;
    let issuer = leaf.head.issuer;
    let text = format!("{} {time} {kind} issuer {issuer}{said}", entry.index);
    Ok(shown::line(&text).into_owned())
}
