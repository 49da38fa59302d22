//! `tbsi quota`.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use tbsi_governance::abi::PERMISSIONS;
use tbsi_governance::contracts::Permissions;
use tbsi_governance::standing::UNLIMITED;

use crate::govern::words::{amount, time};
use crate::govern::{Read, RegistryClient, block_on};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Used and allowed in this period, and when it ends.
    Show {
        /// Number, 統一編號, LEI or legal name; 0: all accounts of no organisation together
        /// [default: all of them].
        #[arg(value_name = "ORGANISATION")]
        organisation: Option<String>,
        #[command(flatten)]
        read: Read,
    },
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let Command::Show { organisation, read } = command;
    block_on(read.lang, show(organisation.as_deref(), read))
}

async fn show(organisation: Option<&str>, read: &Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(read).await?;
    let lang = registry.lang;
    let shown: Vec<u32> = match organisation {
        Some("0") => vec![0],
        Some(text) => vec![registry.find_organisation(text)?],
        None => std::iter::once(0)
            .chain(registry.organisations().map(|(number, _)| number))
            .collect(),
    };
    let end = registry
        .ask(PERMISSIONS, Permissions::periodEndCall {})
        .await?;
    let end: u64 = end.saturating_to();
    let until = time(end, lang);
    let mut text = lang.pick(
        format!("The period ends at {until}; then all counts are 0 again.\n"),
        format!("本週期於 {until} 結束，屆時用量歸零。\n"),
    );
    let mut all = Vec::new();
    for organisation in shown {
        let limit = registry.ask(PERMISSIONS, Permissions::quotaOfCall { organisation });
        let limit = limit.await?;
        let used = registry.ask(PERMISSIONS, Permissions::usageOfCall { organisation });
        let used = used.await?;
        let name = registry.name(organisation);
        let (gas, leaves) = (amount(limit.gas, lang), amount(limit.leaves, lang));
        text += &lang.pick(
            format!(
                "{name}\n  gas     {} used of {gas}\n  leaves  {} used of {leaves}\n",
                used.gas, used.leaves
            ),
            format!(
                "{name}\n  gas   已用 {}／{gas}\n  紀錄  已用 {}／{leaves}\n",
                used.gas, used.leaves
            ),
        );
        let limited = |amount: u64| (amount != UNLIMITED).then_some(amount);
        all.push(json!({
            "organisation": (organisation != 0).then(|| registry.named(organisation)),
            "gas": { "used": used.gas, "limit": limited(limit.gas) },
            "leaves": { "used": used.leaves, "limit": limited(limit.leaves) },
        }));
    }
    registry
        .format
        .print(&text, &json!({ "periodEnd": end, "quotas": all }))
}
