//! What needs both organisations.

use std::process::ExitCode;

use alloy_primitives::B256;
use serde_json::json;
use tbsi_governance::contracts::{Authorisations, Terms};
use tbsi_types::contracts::AUTHORISATIONS;

use super::{
    ascending, digest_of, find, in_force, offer_hash, parse_second, parse_text, terms_words,
};
use crate::govern::{Done, Planned, Write, Writer};
use crate::report::refused;

#[derive(Debug, clap::Args)]
pub(crate) struct GrantArgs {
    /// Who may use it: number, 統一編號, LEI or legal name.
    #[arg(long, value_name = "ORGANISATION")]
    to: String,
    /// What stands for the data set: a digest, such as the id of an attestation of it, or a text
    /// whose SHA-256 is taken.
    #[arg(long, value_name = "DIGEST|TEXT", value_parser = parse_text)]
    data_set: B256,
    /// Your agreement: a file whose SHA-256 is taken, or the digest.
    #[arg(long, value_name = "FILE|DIGEST")]
    agreement: String,
    /// A purpose: a text whose SHA-256 is taken, or the digest; at most 16.
    #[arg(long = "purpose", value_name = "TEXT|DIGEST", value_parser = parse_text, required = true)]
    purposes: Vec<B256>,
    /// From this time on, in RFC 3339 [default: the newest block's].
    #[arg(long, value_name = "TIME", value_parser = parse_second)]
    from: Option<u64>,
    /// Until before this time.
    #[arg(long, value_name = "TIME", value_parser = parse_second)]
    until: u64,
    #[command(flatten)]
    pub(super) write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AcceptArgs {
    /// Number of the authorisation; `tbsi consent list` shows it.
    #[arg(value_name = "NUMBER")]
    number: u32,
    #[command(flatten)]
    pub(super) write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExtendArgs {
    /// Number of the authorisation.
    #[arg(value_name = "NUMBER")]
    number: u32,
    /// Until before this time [default: as it is].
    #[arg(long, value_name = "TIME", value_parser = parse_second)]
    until: Option<u64>,
    /// A further purpose.
    #[arg(long = "purpose", value_name = "TEXT|DIGEST", value_parser = parse_text)]
    purposes: Vec<B256>,
    /// Your new agreement [default: the one that it was given under].
    #[arg(long, value_name = "FILE|DIGEST")]
    agreement: Option<String>,
    #[command(flatten)]
    pub(super) write: Write,
}

pub(super) async fn grant(args: GrantArgs) -> anyhow::Result<ExitCode> {
    let agreement = digest_of(&args.agreement)?;
    let writer = Writer::open(&args.write).await?;
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let grantee = registry.find_organisation(&args.to)?;
    let terms = Terms {
        agreement,
        from: args.from.unwrap_or(registry.now),
        until: args.until,
        purposes: ascending(args.purposes),
    };
    let (giver, taker) = (registry.name(writer.organisation), registry.name(grantee));
    let (data_set, words) = (args.data_set, terms_words(&terms, lang));
    let change = lang.pick(
        format!("{giver} offers {taker} to use data set {data_set}: {words}"),
        format!("{giver}提出授權{taker}使用資料集 {data_set}：{words}"),
    );
    let call = Authorisations::grantCall {
        grantee,
        dataSet: data_set,
        terms,
    };
    let planned = Planned::new(AUTHORISATIONS, &call, change);
    let tell = async |done: &Done| {
        let number = done.event::<Authorisations::AuthorisationOffered>()?;
        let number = number.authorisation;
        let text = lang.pick(
            format!("number {number}; it holds when they accept: `tbsi consent accept {number}`"),
            format!("編號   {number}；對方接受後生效：`tbsi consent accept {number}`"),
        );
        Ok((text, json!({ "authorisation": number })))
    };
    writer.perform(&planned, tell).await
}

pub(super) async fn accept(args: AcceptArgs) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&args.write).await?;
    let (registry, lang, number) = (&writer.registry, writer.registry.lang, args.number);
    let found = find(registry, number).await?;
    if found.offered.purposes.is_empty() {
        return Err(refused(lang.pick(
            format!("nothing is offered by authorisation {number}; `tbsi consent list` shows all"),
            format!("授權 {number} 沒有待接受的條件；`tbsi consent list` 可列出"),
        )));
    }
    let giver = registry.name(found.grantor);
    let (data_set, words) = (found.dataSet, terms_words(&found.offered, lang));
    let change = lang.pick(
        format!("accepted: data set {data_set} of {giver}, {words}"),
        format!("接受：{giver}的資料集 {data_set}，{words}"),
    );
    let call = Authorisations::acceptCall {
        authorisation: number,
        termsHash: offer_hash(number, &found),
    };
    let planned = Planned::new(AUTHORISATIONS, &call, change);
    let version = found.versions;
    let tell = async |_: &Done| {
        let json = json!({ "authorisation": number, "version": version });
        Ok((String::new(), json))
    };
    writer.perform(&planned, tell).await
}

pub(super) async fn extend(args: ExtendArgs) -> anyhow::Result<ExitCode> {
    let agreement = args.agreement.as_deref().map(digest_of).transpose()?;
    let writer = Writer::open(&args.write).await?;
    let (registry, lang, number) = (&writer.registry, writer.registry.lang, args.number);
    let found = find(registry, number).await?;
    let known = in_force(&found, number, lang)?;
    let terms = Terms {
        agreement: agreement.unwrap_or(known.agreement),
        from: known.from,
        until: args.until.unwrap_or(known.until),
        purposes: ascending([known.purposes.clone(), args.purposes].concat()),
    };
    let (taker, words) = (registry.name(found.grantee), terms_words(&terms, lang));
    let change = lang.pick(
        format!("authorisation {number} is offered to {taker} with more: {words}"),
        format!("向{taker}提出擴大授權 {number}：{words}"),
    );
    let call = Authorisations::extendCall {
        authorisation: number,
        terms,
    };
    let planned = Planned::new(AUTHORISATIONS, &call, change);
    let tell = async |_: &Done| Ok((String::new(), json!({ "authorisation": number })));
    writer.perform(&planned, tell).await
}
