//! Accounts of an organisation: how they join, what they may do, how they leave.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_primitives::Address;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tbsi_governance::abi::PERMISSIONS;
use tbsi_governance::consent::{self, Joining};
use tbsi_governance::contracts::Permissions;
use tbsi_types::B256;
use tbsi_types::json::from_json;

use crate::contract::load_key;
use crate::govern::words::{change, permissions, permissions_argument, time};
use crate::govern::{Planned, RegistryClient, Write, Writer};
use crate::misfit::unread;
use crate::report::{refuse, refused};
use crate::shown::PathShown;

const FORMAT: &str = "tbsi-consent-1";
const DAY_SECONDS: u64 = 86_400;
/// Bytes of the file: it has one shape.
const FILE_BYTES_MAX: u64 = 4_096;

/// An account's signature that it joins an organisation.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Consent {
    format: String,
    chain_id: u64,
    genesis_hash: B256,
    organisation: u32,
    account: Address,
    permissions: u32,
    nonce: u64,
    deadline: u64,
    v: u8,
    r: B256,
    s: B256,
}

pub(super) async fn consent(
    organisation: String,
    bits: u32,
    days: u64,
    out: PathBuf,
    write: Write,
) -> anyhow::Result<ExitCode> {
    let key = load_key(&write.key, &write.password).map_err(refuse)?;
    let registry = RegistryClient::open(&write.read).await?;
    let lang = registry.lang;
    let account = key.public_key().address();
    let call = Permissions::consentsCall { account };
    let joining = Joining {
        chain_id: registry.chain.chain_id,
        organisation: registry.find_organisation(&organisation)?,
        account,
        permissions: bits,
        nonce: registry.ask(PERMISSIONS, call).await?.saturating_to(),
        deadline: registry.now + days * DAY_SECONDS,
    };
    let signed = consent::consent(&joining, &key);
    let file = Consent {
        format: FORMAT.into(),
        chain_id: joining.chain_id,
        genesis_hash: registry.chain.genesis_hash,
        organisation: joining.organisation,
        account,
        permissions: bits,
        nonce: joining.nonce,
        deadline: joining.deadline,
        v: signed.v,
        r: signed.r,
        s: signed.s,
    };
    if !write.dry_run {
        let mut text = serde_json::to_string_pretty(&file)?;
        text.push('\n');
        let created = OpenOptions::new().write(true).create_new(true).open(&out);
        let written = created.and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("write {}", out.shown()))?;
    }
    let (name, may) = (registry.name(joining.organisation), permissions(bits, lang));
    let (until, word) = (time(joining.deadline, lang), out.word());
    let typed = permissions_argument(bits);
    let text = lang.pick(
        format!(
            "account {account} agrees to join {name} with: {may}; until {until}\n\
             An administrator of it adds the account:\n  \
             tbsi org add-account {account} --permissions {typed} --consent {word} --key ADMIN.key\n"
        ),
        format!(
            "帳戶 {account} 同意加入{name}，權限：{may}；有效至 {until}\n\
             由該機構的管理者加入此帳戶：\n  \
             tbsi org add-account {account} --permissions {typed} --consent {word} --key ADMIN.key\n"
        ),
    );
    let json = json!({ "consent": file, "file": (!write.dry_run).then(|| out.json()) });
    registry.format.print(&text, &json)
}

pub(super) async fn add(
    account: Address,
    bits: u32,
    consent: Option<PathBuf>,
    write: Write,
) -> anyhow::Result<ExitCode> {
    let consent = consent.as_deref().map(read).transpose().map_err(refuse)?;
    let writer = Writer::open(&write).await?;
    let change = account_change(&writer, account, bits).await?;
    let planned = match consent {
        None => {
            let call = Permissions::grantCall {
                account,
                permissions: bits,
            };
            Planned::new(PERMISSIONS, &call, change)
        }
        Some(consent) => {
            require_fit(&writer, &consent, account, bits)?;
            let call = Permissions::addAccountCall {
                account,
                permissions: bits,
                consent: tbsi_governance::contracts::Consent {
                    deadline: consent.deadline,
                    v: consent.v,
                    r: consent.r,
                    s: consent.s,
                },
            };
            Planned::new(PERMISSIONS, &call, change)
        }
    };
    writer.perform_plainly(&planned).await
}

fn read(file: &Path) -> anyhow::Result<Consent> {
    let what = || format!("consent {}", file.shown());
    let size = fs::metadata(file).with_context(what)?.len();
    anyhow::ensure!(
        size <= FILE_BYTES_MAX,
        "{} has {size} bytes, at most {FILE_BYTES_MAX} are allowed: it is not what \
         `tbsi org consent` wrote",
        file.shown()
    );
    let consent: Consent = from_json(&fs::read(file).with_context(what)?)
        .map_err(|error| unread(file, error))
        .with_context(|| format!("{} is not what `tbsi org consent` wrote", file.shown()))?;
    anyhow::ensure!(
        consent.format == FORMAT,
        "{}: field `format` is `{}`, not `{FORMAT}`",
        file.shown(),
        consent.format
    );
    Ok(consent)
}

/// Says what differs, before the contract says that the signature is wrong.
fn require_fit(
    writer: &Writer,
    consent: &Consent,
    account: Address,
    bits: u32,
) -> anyhow::Result<()> {
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let chain = (registry.chain.chain_id, registry.chain.genesis_hash);
    let wrong = if (consent.chain_id, consent.genesis_hash) != chain {
        lang.pick("it is for another chain".into(), "屬於另一條鏈".into())
    } else if consent.organisation != writer.organisation {
        let name = registry.name(consent.organisation);
        lang.pick(
            format!("it is for {name}, and --key is not one of its accounts"),
            format!("同意加入的是{name}，而 --key 不是其帳戶"),
        )
    } else if consent.account != account {
        let signed = consent.account;
        lang.pick(
            format!("it is of account {signed}"),
            format!("簽署的帳戶是 {signed}"),
        )
    } else if consent.permissions != bits {
        let may = permissions_argument(consent.permissions);
        lang.pick(
            format!("it is for --permissions {may}"),
            format!("同意的是 --permissions {may}"),
        )
    } else {
        return Ok(());
    };
    Err(refused(lang.pick(
        format!("the consent does not fit: {wrong}; a new one is made by `tbsi org consent`"),
        format!("同意書不符：{wrong}；請以 `tbsi org consent` 重新簽署"),
    )))
}

pub(super) async fn withdraw(account: Address, write: Write) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let call = Permissions::withdrawCall { account };
    let change = account_change(&writer, account, 0).await?;
    writer
        .perform_plainly(&Planned::new(PERMISSIONS, &call, change))
        .await
}

async fn account_change(writer: &Writer, account: Address, bits: u32) -> anyhow::Result<String> {
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let found = registry.ask(PERMISSIONS, Permissions::accountOfCall { account });
    let found = found.await?;
    let own = found.organisation == writer.organisation && found.organisation != 0;
    let before = if own { found.permissions } else { 0 };
    let may = change(&permissions(before, lang), &permissions(bits, lang));
    let name = registry.name(writer.organisation);
    Ok(lang.pick(
        format!("account {account} of {name} may: {may}"),
        format!("{name}的帳戶 {account} 的權限：{may}"),
    ))
}
