//! `tbsi warroom subscribe`, `subscriptions` and `unsubscribe`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_primitives::{Address, B256, hex};
use serde_json::json;
use tbsi_types::Genesis;
use tbsi_warroom::{Channel, NewSubscription, NotifyConfig, Subscription};

use super::{genesis_bytes, refused};
use crate::lang::{SayContext, said};
use crate::report::{Say, in_language, refuse};
use crate::shown::PathShown;

pub(super) const HELP: &str = "\
Nothing is sent but by `tbsi warroom run --alerts FILE`. A webhook confirms a subscription when it
answers the first POST with JSON that repeats its `confirm`; a reader of e-mail by opening a link.
Each POST has x-tbsi-timestamp, in seconds, and x-tbsi-signature: sha256= and the HMAC-SHA256 of the
timestamp, a full stop and the body, under the secret that is printed here once.
Exit codes: 0 entered, 2 refused.";

/// Which index.
#[derive(Debug, clap::Args)]
pub(crate) struct Index {
    /// Genesis file of the network.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// Directory of the index.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    say: Say,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SubscribeArgs {
    #[command(flatten)]
    to: To,
    /// Leaves of accounts of this organisation, by number.
    #[arg(long, value_name = "NUMBER")]
    organisation: Option<u32>,
    /// Leaves of this account.
    #[arg(long, value_name = "ADDRESS")]
    issuer: Option<Address>,
    /// Attestations under this schema.
    #[arg(long, value_name = "ID")]
    schema: Option<B256>,
    /// Leaves of this kind, or any.
    #[arg(long, value_name = "KIND", default_value = "attestation")]
    kind: String,
    #[command(flatten)]
    index: Index,
}

/// One of these.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct To {
    /// Address to which alerts are posted.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Address to which they are mailed.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
}

/// The file of `--alerts`.
pub(super) fn load(file: &Path) -> anyhow::Result<NotifyConfig> {
    let shown = || {
        let file = file.shown();
        (format!("alerts in {file}"), format!("{file} 的通知設定"))
    };
    let text = std::fs::read_to_string(file).or_say(shown)?;
    let config: NotifyConfig = toml::from_str(&text).or_say(shown)?;
    config.check().map_err(|it| said(it.en, it.zh_tw))?;
    Ok(config)
}

impl Index {
    fn genesis_hash(&self) -> anyhow::Result<B256> {
        let bytes = genesis_bytes(&self.genesis)?;
        let genesis = Genesis::parse(&bytes).or_say(|| {
            let file = self.genesis.shown();
            (format!("genesis file {file}"), format!("創世檔 {file}"))
        })?;
        Ok(genesis.hash())
    }
}

pub(super) fn subscribe(args: &SubscribeArgs) -> anyhow::Result<ExitCode> {
    in_language(enter(args).map_err(refuse), args.index.say.lang)
}

fn enter(args: &SubscribeArgs) -> anyhow::Result<ExitCode> {
    let (channel, address) = match (&args.to.webhook, &args.to.email) {
        (Some(url), _) => (Channel::Webhook, url),
        (None, Some(address)) => (Channel::Email, address),
        (None, None) => {
            return Err(said(
                "give --webhook or --email",
                "請指定 --webhook 或 --email",
            ));
        }
    };
    let mut filter = format!("kind={}", args.kind);
    if let Some(number) = args.organisation {
        filter += &format!("&organisation={number}");
    }
    if let Some(issuer) = args.issuer {
        filter += &format!("&issuer={issuer:#x}");
    }
    if let Some(schema) = args.schema {
        filter += &format!("&schema={schema}");
    }
    let [mut secret, mut token] = [[0; 32]; 2];
    for bytes in [&mut secret, &mut token] {
        getrandom::fill(bytes)
            .map_err(|error| said(format!("randomness: {error}"), format!("亂數：{error}")))?;
    }
    let index = &args.index;
    let new = NewSubscription {
        channel,
        address: address.clone(),
        filter: filter.clone(),
        zh_tw: index.say.pick(false, true),
        secret,
        token,
    };
    let entered = tbsi_warroom::subscribe(&index.data, index.genesis_hash()?, &new);
    let number = entered.map_err(refused)?;
    let shown = hex::encode(secret);
    let mut text = index.say.pick(
        format!("subscription {number}: {address} is asked to confirm it ({filter})"),
        format!("訂閱 {number}：將請 {address} 確認（{filter}）"),
    );
    let mut json = json!({ "subscription": number, "filter": filter });
    if channel == Channel::Webhook {
        text += &index.say.pick(
            format!("\nsecret {shown}, shown this once"),
            format!("\n密鑰 {shown}，僅顯示這一次"),
        );
        json["secret"] = json!(shown);
    }
    index.say.format.print(&text, &json)
}

pub(super) fn list(index: &Index) -> anyhow::Result<ExitCode> {
    let listed = || {
        let all = tbsi_warroom::subscriptions(&index.data, index.genesis_hash()?);
        let all = all.map_err(refused)?;
        let lines: Vec<_> = all.iter().map(|it| line(it, index.say)).collect();
        let text = if lines.is_empty() {
            index.say.pick("Nobody is told.", "沒有任何訂閱。").into()
        } else {
            lines.join("\n")
        };
        let json: Vec<_> = all.iter().map(summary).collect();
        index
            .say
            .format
            .print(&text, &json!({ "subscriptions": json }))
    };
    in_language(listed(), index.say.lang)
}

pub(super) fn end(number: u64, index: &Index) -> anyhow::Result<ExitCode> {
    let ended = || {
        let ended = tbsi_warroom::unsubscribe(&index.data, index.genesis_hash()?, number);
        if !ended.map_err(refused)? {
            return Err(refuse(said(
                format!("there is no subscription {number}"),
                format!("沒有訂閱 {number}"),
            )));
        }
        let text = index
            .say
            .pick(format!("ended {number}"), format!("已終止 {number}"));
        index.say.format.print(&text, &json!({ "ended": number }))
    };
    in_language(ended(), index.say.lang)
}

fn line(it: &Subscription, say: Say) -> String {
    let confirmed = if it.confirmed_ms.is_some() {
        say.pick("confirmed", "已確認")
    } else {
        say.pick("not confirmed", "尚未確認")
    };
    let problem = it.problem.as_deref().unwrap_or_default();
    let (number, address, filter, next) = (it.number, &it.address, &it.filter, it.next);
    say.pick(
        format!("{number:>4}  {confirmed}, {address} ({filter}), told up to leaf {next} {problem}"),
        format!("{number:>4}  {confirmed}，{address}（{filter}），已通知至第 {next} 筆 {problem}"),
    )
}

fn summary(it: &Subscription) -> serde_json::Value {
    json!({
        "number": it.number,
        "channel": match it.channel {
            Channel::Webhook => "webhook",
            Channel::Email => "email",
        },
        "address": it.address,
        "filter": it.filter,
        "confirmedMs": it.confirmed_ms,
        "next": it.next,
        "failures": it.failures,
        "problem": it.problem,
    })
}
