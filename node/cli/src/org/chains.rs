//! Other chains that organisations run.

use std::process::ExitCode;

use serde_json::json;
use tbsi_governance::abi::CHAINS;
use tbsi_governance::contracts::{Chain, Chains};

use crate::govern::words::{CHAIN_STATUS, change, word};
use crate::govern::{Done, Planned, Read, RegistryClient, Write, Writer};
use crate::lang::Language;
use crate::report::refused;
use crate::shown;

/// `IChains.Status` of a record.
#[derive(Clone, Copy)]
pub(super) enum ChainStatus {
    Active = 1,
    Retired = 2,
}

pub(super) async fn register(call: Chains::registerCall, write: Write) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let (name, caip2) = (registry.name(writer.organisation), &call.caip2);
    let change = lang.pick(
        format!(
            "new record of chain {caip2} ({}), run by {name}",
            call.technology
        ),
        format!("登記鏈 {caip2}（{}），由{name}營運", call.technology),
    );
    let planned = Planned::new(CHAINS, &call, change);
    let tell = async |done: &Done| {
        let number = done.event::<Chains::ChainRegistered>()?.chain;
        let text = lang.pick(format!("chain  {number}"), format!("編號   {number}"));
        Ok((text, json!({ "chain": number })))
    };
    writer.perform(&planned, tell).await
}

pub(super) async fn list(read: Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&read).await?;
    let lang = registry.lang;
    let chains = records(&registry).await?;
    let mut text = String::new();
    let mut all = Vec::new();
    for (number, chain) in (1u32..).zip(&chains) {
        let status = word(&CHAIN_STATUS, chain.status.into(), lang);
        let (caip2, technology) = (&chain.caip2, &chain.technology);
        let (name, contact) = (registry.name(chain.operator), &chain.contactUrl);
        text += &lang.pick(
            format!("{number:>4}  {status:<7}  {caip2} ({technology}), run by {name} {contact}\n"),
            format!("{number:>4}  {status}  {caip2}（{technology}），營運者 {name} {contact}\n"),
        );
        all.push(json!({
            "number": number,
            "caip2": caip2,
            "technology": technology,
            "contactUrl": contact,
            "operator": registry.named(chain.operator),
            "status": word(&CHAIN_STATUS, chain.status.into(), Language::En),
            "registeredHeight": chain.registeredHeight,
        }));
    }
    if chains.is_empty() {
        text = lang
            .pick("No chain is registered.", "尚未登記任何鏈。")
            .into();
    }
    registry.format.print(&text, &json!({ "chains": all }))
}

async fn records(registry: &RegistryClient) -> anyhow::Result<Vec<Chain>> {
    let count = registry.ask(CHAINS, Chains::chainCountCall {}).await?;
    let call = |from, count| Chains::chainsCall { from, count };
    let mut records: Vec<Chain> = registry.pages(CHAINS, (1, count.into()), call).await?;
    for it in &mut records {
        shown::settle([&mut it.caip2, &mut it.technology, &mut it.contactUrl]);
    }
    Ok(records)
}

/// A contact that may be empty.
pub(super) fn or_dash(contact: &str) -> &str {
    if contact.is_empty() { "-" } else { contact }
}

/// The record of this number, or that of this id which is not retired.
async fn record(registry: &RegistryClient, chain: &str) -> anyhow::Result<(u32, Chain)> {
    let records = (1u32..).zip(records(registry).await?);
    let active = ChainStatus::Active as u8;
    let mut found = records.into_iter().filter(|(number, record)| {
        chain.parse() == Ok(*number) || (record.caip2 == chain && record.status == active)
    });
    found.next().ok_or_else(|| {
        refused(registry.lang.pick(
            format!("CHAIN: no chain `{chain}` is registered; `tbsi org chains` lists them"),
            format!("CHAIN：沒有登記鏈「{chain}」；`tbsi org chains` 列出全部"),
        ))
    })
}

pub(super) async fn update(
    chain: String,
    technology: Option<String>,
    contact_url: Option<String>,
    write: Write,
) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let lang = writer.registry.lang;
    let (number, before) = record(&writer.registry, &chain).await?;
    let call = Chains::updateCall {
        chain: number,
        technology: technology.unwrap_or_else(|| before.technology.clone()),
        contactUrl: contact_url.unwrap_or_else(|| before.contactUrl.clone()),
    };
    let (technology, contact) = (
        change(&before.technology, &call.technology),
        change(or_dash(&before.contactUrl), or_dash(&call.contactUrl)),
    );
    let caip2 = &before.caip2;
    let text = lang.pick(
        format!("record {number} of chain {caip2}: technology {technology}; contact {contact}"),
        format!("鏈 {caip2}（編號 {number}）：技術 {technology}；聯絡網址 {contact}"),
    );
    let planned = Planned::new(CHAINS, &call, text);
    writer.perform_plainly(&planned).await
}

pub(super) async fn set_status(
    chain: String,
    status: ChainStatus,
    write: Write,
) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let lang = writer.registry.lang;
    let (number, before) = record(&writer.registry, &chain).await?;
    let status = status as u8;
    let call = Chains::setStatusCall {
        chain: number,
        status,
    };
    let words = |status: u8| word(&CHAIN_STATUS, status.into(), lang);
    let (caip2, change) = (&before.caip2, change(&words(before.status), &words(status)));
    let text = lang.pick(
        format!("record {number} of chain {caip2}: {change}"),
        format!("鏈 {caip2}（編號 {number}）：{change}"),
    );
    let planned = Planned::new(CHAINS, &call, text);
    writer.perform_plainly(&planned).await
}
