//! What one organisation does alone: take away, and use.

use std::process::ExitCode;

use alloy_primitives::B256;
use serde_json::json;
use tbsi_governance::contracts::{Authorisations, Terms};
use tbsi_types::contracts::AUTHORISATIONS;

use super::{ascending, digest_of, find, in_force, parse_second, parse_text, terms_words};
use crate::govern::words::{REASONS, word};
use crate::govern::{Done, Planned, Write, Writer, parse_reason};

#[derive(Debug, clap::Args)]
pub(crate) struct NarrowArgs {
    /// Number of the authorisation.
    #[arg(value_name = "NUMBER")]
    number: u32,
    /// Until before this time [default: as it is].
    #[arg(long, value_name = "TIME", value_parser = parse_second)]
    until: Option<u64>,
    /// A purpose that stays [default: all].
    #[arg(long = "purpose", value_name = "TEXT|DIGEST", value_parser = parse_text)]
    purposes: Vec<B256>,
    /// Your new agreement [default: the one that it was given under].
    #[arg(long, value_name = "FILE|DIGEST")]
    agreement: Option<String>,
    #[command(flatten)]
    pub(super) write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RevokeArgs {
    /// Number of the authorisation.
    #[arg(value_name = "NUMBER")]
    number: u32,
    /// Why: 1 to 8, or a word such as own-request or agreement-ended.
    #[arg(long, value_name = "REASON", default_value = "unspecified", value_parser = parse_reason)]
    reason: u16,
    #[command(flatten)]
    pub(super) write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RelyArgs {
    /// Number of the authorisation.
    #[arg(value_name = "NUMBER")]
    number: u32,
    /// For which of its purposes.
    #[arg(long, value_name = "TEXT|DIGEST", value_parser = parse_text)]
    purpose: B256,
    /// Your record of what was done: a file whose SHA-256 is taken, or the digest.
    #[arg(long, value_name = "FILE|DIGEST")]
    subject: String,
    #[command(flatten)]
    pub(super) write: Write,
}

pub(super) async fn narrow(args: NarrowArgs) -> anyhow::Result<ExitCode> {
    let agreement = args.agreement.as_deref().map(digest_of).transpose()?;
    let writer = Writer::open(&args.write).await?;
    let (registry, lang, number) = (&writer.registry, writer.registry.lang, args.number);
    let found = find(registry, number).await?;
    let known = in_force(&found, number, lang)?;
    let purposes = if args.purposes.is_empty() {
        known.purposes.clone()
    } else {
        ascending(args.purposes)
    };
    let terms = Terms {
        agreement: agreement.unwrap_or(known.agreement),
        from: known.from,
        until: args.until.unwrap_or(known.until),
        purposes,
    };
    let words = terms_words(&terms, lang);
    let change = lang.pick(
        format!("authorisation {number} allows less: {words}"),
        format!("縮小授權 {number}：{words}"),
    );
    let call = Authorisations::narrowCall {
        authorisation: number,
        terms,
    };
    let planned = Planned::new(AUTHORISATIONS, &call, change);
    let version = found.versions;
    let tell = async |_: &Done| {
        let json = json!({ "authorisation": number, "version": version });
        Ok((String::new(), json))
    };
    writer.perform(&planned, tell).await
}

pub(super) async fn revoke(args: RevokeArgs) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&args.write).await?;
    let (registry, lang, number) = (&writer.registry, writer.registry.lang, args.number);
    let found = find(registry, number).await?;
    let [giver, taker] = [found.grantor, found.grantee].map(|it| registry.name(it));
    let reason = word(&REASONS, args.reason.into(), lang);
    let change = lang.pick(
        format!("authorisation {number} of {giver} for {taker} is revoked for ever ({reason})"),
        format!("永久撤銷{giver}對{taker}的授權 {number}（{reason}）"),
    );
    let call = Authorisations::revokeCall {
        authorisation: number,
        reason: args.reason,
    };
    let planned = Planned::new(AUTHORISATIONS, &call, change);
    let tell = async |_: &Done| Ok((String::new(), json!({ "authorisation": number })));
    writer.perform(&planned, tell).await
}

pub(super) async fn rely(args: RelyArgs) -> anyhow::Result<ExitCode> {
    let subject = digest_of(&args.subject)?;
    let writer = Writer::open(&args.write).await?;
    let (registry, lang, number) = (&writer.registry, writer.registry.lang, args.number);
    let purpose = args.purpose;
    let change = lang.pick(
        format!("used under authorisation {number} for purpose {purpose}: {subject}"),
        format!("依授權 {number} 為目的 {purpose} 使用：{subject}"),
    );
    let call = Authorisations::relyOnCall {
        authorisation: number,
        purpose,
        subject,
    };
    let planned = Planned::new(AUTHORISATIONS, &call, change);
    let tell = async |done: &Done| {
        let leaves = registry.client.leaves_of(done.hash).await?;
        let leaf = leaves.map(|leaves| leaves.first);
        let text = match leaf {
            Some(leaf) => lang.pick(format!("leaf   {leaf}"), format!("紀錄   {leaf}")),
            None => String::new(),
        };
        let json = json!({ "authorisation": number, "subject": subject, "leafIndex": leaf });
        Ok((text, json))
    };
    writer.perform(&planned, tell).await
}
