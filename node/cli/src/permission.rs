//! `tbsi permission`.

use std::process::ExitCode;

use alloy_primitives::Address;
use clap::Subcommand;
use serde_json::json;
use tbsi_governance::abi::PERMISSIONS;
use tbsi_governance::contracts::Permissions;

use crate::govern::words::permissions;
use crate::govern::{Read, RegistryClient, block_on};
use crate::lang::Language;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Which organisation an account acts for, and what it may do.
    Show {
        /// Address of the account.
        #[arg(value_name = "ACCOUNT")]
        account: Address,
        #[command(flatten)]
        read: Read,
    },
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let Command::Show { account, read } = command;
    block_on(read.lang, show(*account, read))
}

async fn show(account: Address, read: &Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(read).await?;
    let lang = registry.lang;
    let found = registry.ask(PERMISSIONS, Permissions::accountOfCall { account });
    let found = found.await?;
    let (number, bits) = (found.organisation, found.permissions);
    let (name, may) = (registry.name(number), permissions(bits, lang));
    let mut text = lang.pick(
        format!("account {account} of {name}\nmay     {may}"),
        format!("帳戶 {account}，{name}\n權限 {may}"),
    );
    if !found.active {
        text += lang.pick(
            "\nbut     its organisation is not active, so it may do nothing",
            "\n但是 所屬機構並非有效，目前沒有任何權限",
        );
    }
    let json = json!({
        "account": account,
        "organisation": (number != 0).then(|| registry.named(number)),
        "active": found.active,
        "bits": bits,
        "permissions": permissions(bits, Language::En),
    });
    registry.format.print(&text, &json)
}
