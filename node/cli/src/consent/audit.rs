//! `tbsi consent audit`.

use std::process::ExitCode;

use serde_json::json;
use tbsi_rpc::limits::LOG_BLOCKS_MAX;
use tbsi_types::authorisation::{AUTHORISATION_RELIED_ON, AuthorisationAct};
use tbsi_types::contracts::AUTHORISATIONS;

use super::fetch::{leaf_of, logged};
use super::{find, in_force};
use crate::govern::{Read, RegistryClient};
use crate::time::Times;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Number of the authorisation; `tbsi consent list` shows it.
    #[arg(value_name = "NUMBER")]
    number: u32,
    /// Height from which on it is looked for [default: where the authorisation began].
    #[arg(long, value_name = "HEIGHT")]
    from: Option<u64>,
    #[command(flatten)]
    pub(super) read: Read,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&args.read).await?;
    let (client, lang, number) = (&registry.client, registry.lang, args.number);
    let found = find(&registry, number).await?;
    in_force(&found, number, lang)?;
    let begun = tbsi_governance::contracts::Authorisations::versionOfCall {
        authorisation: number,
        version: alloy_primitives::U256::ZERO,
    };
    let begun = registry.ask(AUTHORISATIONS, begun).await?.sinceHeight;
    let tip = client.status().await?.height.0;
    let mut from = args.from.unwrap_or(begun);
    let (mut text, mut all) = (String::new(), Vec::new());
    while from <= tip {
        let to = tip.min(from + LOG_BLOCKS_MAX - 1);
        for one in logged(client, number, &[AUTHORISATION_RELIED_ON], (from, to)).await? {
            let (index, leaf, _) = leaf_of(client, &one).await?;
            let Some(AuthorisationAct::ReliedOn {
                version,
                account,
                purpose,
                subject,
            }) = one.read().map(|it| it.act)
            else {
                continue;
            };
            let times = Times::of(leaf.head.time);
            let when = lang.pick(&times.utc, &times.taipei);
            let height = leaf.head.height;
            text += &lang.pick(
                format!("leaf {index}, block {height}, {when}: {account} for purpose {purpose}: {subject}\n"),
                format!("第 {index} 筆，區塊 {height}，{when}：{account} 為目的 {purpose}：{subject}\n"),
            );
            all.push(json!({
                "leafIndex": index, "height": height, "time": times, "account": account,
                "version": version, "purpose": purpose, "subject": subject,
            }));
        }
        from = to + 1;
    }
    let who = registry.name(found.grantee);
    if all.is_empty() {
        text = lang.pick(
            format!("{who} stated no use up to block {tip}."),
            format!("至區塊 {tip} 為止，{who}未表示任何使用。"),
        );
    }
    let json = json!({
        "authorisation": number,
        "grantee": registry.named(found.grantee),
        "upTo": tip,
        "uses": all,
    });
    registry.format.print(&text, &json)
}
