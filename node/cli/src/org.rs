//! `tbsi org`.

mod accounts;
mod chains;
mod list;

use std::path::PathBuf;
use std::process::ExitCode;

use alloy_primitives::{Address, U256};
use clap::Subcommand;
use serde_json::{Value, json};
use tbsi_governance::abi::{ORGANISATIONS, PERMISSIONS};
use tbsi_governance::contracts::{Chains, Entry, Organisation, Organisations, Permissions};

use crate::govern::words::{
    ORGANISATION_ACTS, ORGANISATION_KINDS, ORGANISATION_STATUS, REASONS, change, permissions, time,
    word,
};
use crate::govern::{
    CODES, Planned, Read, RegistryClient, Write, Writer, block_on, parse_permissions,
};
use crate::lang::Language;
use chains::{ChainStatus, or_dash};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// All organisations; a name that can be taken for another's is pointed out.
    List {
        #[command(flatten)]
        read: Read,
    },
    /// What is known of an organisation, its accounts and its nodes.
    Show {
        /// Number, 統一編號, LEI or legal name.
        #[arg(value_name = "ORGANISATION")]
        organisation: String,
        #[command(flatten)]
        read: Read,
    },
    /// When an organisation joined, was suspended, reinstated, amended or left.
    History {
        /// Number, 統一編號, LEI or legal name.
        #[arg(value_name = "ORGANISATION")]
        organisation: String,
        #[command(flatten)]
        read: Read,
    },
    /// Sign, with the key of an account, that it joins an organisation. Changes nothing yet: an
    /// administrator of that organisation adds the account with the file.
    #[command(after_help = CODES)]
    Consent {
        /// Number, 統一編號, LEI or legal name.
        #[arg(value_name = "ORGANISATION")]
        organisation: String,
        /// With commas between: send, deploy, attest, relay, administer, vote; or all.
        #[arg(long, value_name = "PERMISSIONS", value_parser = parse_permissions)]
        permissions: u32,
        /// How many days the signature is good for.
        #[arg(long, value_name = "DAYS", default_value_t = 7,
            value_parser = clap::value_parser!(u64).range(1..=365))]
        days: u64,
        /// File to write; must not exist.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        write: Write,
    },
    /// Give an account of your organisation these permissions and no others; a new one with its
    /// consent.
    #[command(after_help = CODES)]
    AddAccount {
        /// Address of the account.
        #[arg(value_name = "ACCOUNT")]
        account: Address,
        /// With commas between: send, deploy, attest, relay, administer, vote; or all.
        #[arg(long, value_name = "PERMISSIONS", value_parser = parse_permissions)]
        permissions: u32,
        /// What the account signed with `tbsi org consent`, if it is not yours yet.
        #[arg(long, value_name = "FILE")]
        consent: Option<PathBuf>,
        #[command(flatten)]
        write: Write,
    },
    /// An account of your organisation belongs to nobody again.
    #[command(after_help = CODES)]
    WithdrawAccount {
        /// Address of the account.
        #[arg(value_name = "ACCOUNT")]
        account: Address,
        #[command(flatten)]
        write: Write,
    },
    /// Say where your organisation can be reached; all other details change by motion.
    #[command(after_help = CODES)]
    SetContact {
        /// An https URL, or nothing.
        #[arg(value_name = "URL")]
        contact_url: String,
        #[command(flatten)]
        write: Write,
    },
    /// Register another chain that your organisation runs.
    #[command(after_help = CODES)]
    RegisterChain {
        /// Chain id of CAIP-2, such as eip155:1.
        #[arg(value_name = "CAIP2")]
        caip2: String,
        /// What it runs, such as fabric-2.5.
        #[arg(long, value_name = "NAME")]
        technology: String,
        /// Where to reach those who run it: an https URL.
        #[arg(long, value_name = "URL", default_value = "")]
        contact_url: String,
        #[command(flatten)]
        write: Write,
    },
    /// Change the record of a chain that your organisation runs. What is not given stays.
    #[command(after_help = CODES)]
    UpdateChain {
        /// Its number or its CAIP-2 id.
        #[arg(value_name = "CHAIN")]
        chain: String,
        /// What it runs, such as fabric-2.5.
        #[arg(long, value_name = "NAME", required_unless_present = "contact_url")]
        technology: Option<String>,
        /// Where to reach those who run it: an https URL, or nothing.
        #[arg(long, value_name = "URL")]
        contact_url: Option<String>,
        #[command(flatten)]
        write: Write,
    },
    /// Your organisation runs this chain no more, or nobody does. The record stays.
    #[command(after_help = CODES)]
    RetireChain {
        /// Its number or its CAIP-2 id.
        #[arg(value_name = "CHAIN")]
        chain: String,
        #[command(flatten)]
        write: Write,
    },
    /// Take up the record of a retired chain again.
    #[command(after_help = CODES)]
    ResumeChain {
        /// Its number.
        #[arg(value_name = "CHAIN")]
        chain: String,
        #[command(flatten)]
        write: Write,
    },
    /// Other chains, and who runs them.
    Chains {
        #[command(flatten)]
        read: Read,
    },
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { read } => block_on(read.lang, list::run(read)),
        Command::Show { organisation, read } => block_on(read.lang, show(organisation, read)),
        Command::History { organisation, read } => block_on(read.lang, history(organisation, read)),
        Command::Consent {
            organisation,
            permissions,
            days,
            out,
            write,
        } => block_on(
            write.read.lang,
            accounts::consent(organisation, permissions, days, out, write),
        ),
        Command::AddAccount {
            account,
            permissions,
            consent,
            write,
        } => block_on(
            write.read.lang,
            accounts::add(account, permissions, consent, write),
        ),
        Command::WithdrawAccount { account, write } => {
            block_on(write.read.lang, accounts::withdraw(account, write))
        }
        Command::RegisterChain {
            caip2,
            technology,
            contact_url,
            write,
        } => {
            let call = Chains::registerCall {
                caip2,
                technology,
                contactUrl: contact_url,
            };
            block_on(write.read.lang, chains::register(call, write))
        }
        Command::SetContact { contact_url, write } => {
            block_on(write.read.lang, set_contact(contact_url, write))
        }
        Command::UpdateChain {
            chain,
            technology,
            contact_url,
            write,
        } => block_on(
            write.read.lang,
            chains::update(chain, technology, contact_url, write),
        ),
        Command::RetireChain { chain, write } => block_on(
            write.read.lang,
            chains::set_status(chain, ChainStatus::Retired, write),
        ),
        Command::ResumeChain { chain, write } => block_on(
            write.read.lang,
            chains::set_status(chain, ChainStatus::Active, write),
        ),
        Command::Chains { read } => block_on(read.lang, chains::list(read)),
    }
}

fn names(it: &Organisation) -> String {
    let names = [it.nameEn.as_str(), it.nameZhTw.as_str()].join(" ");
    names.trim().into()
}

fn vote(it: &Organisation, lang: Language) -> &'static str {
    if it.votes {
        lang.pick("has a vote", "有表決權")
    } else {
        lang.pick("has no vote", "無表決權")
    }
}

fn summary(number: u32, it: &Organisation) -> Value {
    json!({
        "number": number,
        "nameZhTw": it.nameZhTw,
        "nameEn": it.nameEn,
        "kind": word(&ORGANISATION_KINDS, it.kind.into(), Language::En),
        "status": word(&ORGANISATION_STATUS, it.status.into(), Language::En),
        "votes": it.votes,
        "taxId": it.taxId,
        "lei": it.lei,
        "jurisdiction": it.jurisdiction,
        "agreementHash": it.agreementHash,
        "credentialHash": it.credentialHash,
        "contactUrl": it.contactUrl,
        "joinedHeight": it.joinedHeight,
    })
}

async fn show(text: String, read: Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&read).await?;
    let lang = registry.lang;
    let number = registry.find_organisation(&text)?;
    let it = registry.organisation(number).expect("it was just found");
    let mut lines = facts(number, it, lang);
    let allowed = Permissions::organisationPermissionsCall {
        organisation: number,
    };
    let allowed = registry.ask(PERMISSIONS, allowed).await?;
    let may = permissions(allowed, lang);
    lines.push(lang.pick(format!("may grant    {may}"), format!("可授予權限 {may}")));
    let accounts = accounts(&registry, number).await?;
    for (account, bits) in &accounts {
        let may = permissions(*bits, lang);
        lines.push(lang.pick(
            format!("account      {account}: {may}"),
            format!("帳戶       {account}：{may}"),
        ));
    }
    let nodes = registry.nodes().await?.into_iter();
    let own: Vec<_> = nodes
        .filter(|(_, node)| node.organisation == number)
        .collect();
    for (number, node) in &own {
        let (name, role) = (&node.name, crate::operator::role(node, lang));
        lines.push(lang.pick(
            format!("node         {name} (no. {number}): {role}"),
            format!("節點       {name}（編號 {number}）：{role}"),
        ));
    }
    let mut json = summary(number, it);
    json["permissions"] = json!(permissions(allowed, Language::En));
    json["accounts"] = accounts
        .iter()
        .map(|(account, bits)| {
            json!({ "account": account, "permissions": permissions(*bits, Language::En) })
        })
        .collect();
    json["nodes"] = own.iter().map(|(_, node)| json!(node.name)).collect();
    registry.format.print(&lines.join("\n"), &json)
}

fn facts(number: u32, it: &Organisation, lang: Language) -> Vec<String> {
    let status = word(&ORGANISATION_STATUS, it.status.into(), lang);
    let kind = word(&ORGANISATION_KINDS, it.kind.into(), lang);
    let dash = |text: &str| {
        if text.is_empty() {
            "–".into()
        } else {
            text.to_owned()
        }
    };
    let (names, vote, height) = (names(it), vote(it, lang), it.joinedHeight);
    let (tax_id, lei, contact) = (dash(&it.taxId), dash(&it.lei), dash(&it.contactUrl));
    let (country, agreement) = (&it.jurisdiction, it.agreementHash);
    let credential = if it.credentialHash.is_zero() {
        "–".into()
    } else {
        it.credentialHash.to_string()
    };
    lang.pick(
        vec![
            format!("organisation {names} (no. {number})"),
            format!("status       {status}; {kind}, {vote}; joined at height {height}"),
            format!("統一編號     {tax_id}, LEI {lei}, jurisdiction {country}"),
            format!("agreement    SHA-256 {agreement}"),
            format!("credential   {credential}"),
            format!("contact      {contact}"),
        ],
        vec![
            format!("機構       {names}（編號 {number}）"),
            format!("狀態       {status}；{kind}，{vote}；於高度 {height} 加入"),
            format!("統一編號   {tax_id}，LEI {lei}，司法管轄區 {country}"),
            format!("協議       SHA-256 {agreement}"),
            format!("憑證       {credential}"),
            format!("聯絡       {contact}"),
        ],
    )
}

async fn accounts(
    registry: &RegistryClient,
    organisation: u32,
) -> anyhow::Result<Vec<(Address, u32)>> {
    let count = registry.ask(PERMISSIONS, Permissions::accountCountCall { organisation });
    let count: u64 = count.await?.saturating_to();
    let call = |from: U256, count: U256| Permissions::accountsOfCall {
        organisation,
        from,
        count,
    };
    let mut accounts = Vec::new();
    for account in registry.pages(PERMISSIONS, (0, count), call).await? {
        let found = registry.ask(PERMISSIONS, Permissions::accountOfCall { account });
        accounts.push((account, found.await?.permissions));
    }
    Ok(accounts)
}

async fn history(text: String, read: Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&read).await?;
    let lang = registry.lang;
    let organisation = registry.find_organisation(&text)?;
    let length = registry.ask(
        ORGANISATIONS,
        Organisations::historyLengthCall { organisation },
    );
    let length: u64 = length.await?.saturating_to();
    let call = |from: U256, count: U256| Organisations::historyOfCall {
        organisation,
        from,
        count,
    };
    let entries: Vec<Entry> = registry.pages(ORGANISATIONS, (0, length), call).await?;
    let mut text = registry.name(organisation) + "\n";
    let mut all = Vec::new();
    for entry in &entries {
        let act = word(&ORGANISATION_ACTS, entry.act.into(), lang);
        let why = (entry.reason != 0).then(|| word(&REASONS, entry.reason.into(), lang));
        let why = why.map(|why| lang.pick(format!(": {why}"), format!("：{why}")));
        let (why, height) = (why.unwrap_or_default(), entry.height);
        let when = time(entry.time, lang);
        text += &lang.pick(
            format!("  {act} at height {height}, {when}{why}\n"),
            format!("  {act}，高度 {height}，{when}{why}\n"),
        );
        let reason = word(&REASONS, entry.reason.into(), Language::En);
        all.push(json!({
            "act": word(&ORGANISATION_ACTS, entry.act.into(), Language::En),
            "reason": (entry.reason != 0).then_some(reason),
            "height": entry.height,
            "time": entry.time,
        }));
    }
    let json = json!({ "organisation": registry.named(organisation), "history": all });
    registry.format.print(&text, &json)
}

async fn set_contact(contact_url: String, write: Write) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let organisation = writer.organisation;
    let call = Organisations::organisationOfCall { organisation };
    let before = registry.ask(ORGANISATIONS, call).await?.contactUrl;
    let (name, contact) = (
        registry.name(organisation),
        change(or_dash(&before), or_dash(&contact_url)),
    );
    let text = lang.pick(
        format!("contact of {name}: {contact}"),
        format!("{name}的聯絡網址：{contact}"),
    );
    let call = Organisations::setContactCall {
        contactUrl: contact_url,
    };
    let planned = Planned::new(ORGANISATIONS, &call, text);
    writer.perform_plainly(&planned).await
}
