//! What an upgrade changes, in words.

use tbsi_governance::abi::UPGRADES;
use tbsi_governance::contracts::{Plan, Upgrades};
use tbsi_governance::upgrades::Parameter;

use super::propose::contract_name;
use crate::govern::RegistryClient;
use crate::govern::words::change;

/// A parameter by its name.
pub(crate) fn parameter(number: u8) -> String {
    let name = Parameter::name_of(number).map(str::to_owned);
    name.unwrap_or_else(|| format!("parameter {number}"))
}

/// From what to what; `now` says also what is at present.
pub(crate) async fn effect(
    registry: &RegistryClient,
    plan: &Plan,
    now: bool,
) -> anyhow::Result<String> {
    let lang = registry.lang;
    let mut parts = Vec::new();
    let mut before = plan.protocol;
    if now {
        let call = Upgrades::protocolVersionCall {};
        before = registry.ask(UPGRADES, call).await?;
    }
    let protocol = change(&before.to_string(), &plan.protocol.to_string());
    parts.push(lang.pick(
        format!("protocol version {protocol}"),
        format!("協定版本 {protocol}"),
    ));
    let set = if now && !plan.settings.is_empty() {
        registry.ask(UPGRADES, Upgrades::settingsCall {}).await?
    } else {
        Vec::new()
    };
    for setting in &plan.settings {
        let name = parameter(setting.parameter);
        let value = setting.value.to_string();
        let mut known = set.iter();
        let before = known.find(|it| it.parameter == setting.parameter);
        let before = match before {
            Some(before) => before.value.to_string(),
            None if now => lang.pick("as in genesis", "創世檔所定").into(),
            None => value.clone(),
        };
        parts.push(format!("{name} {}", change(&before, &value)));
    }
    for replacement in &plan.replacements {
        let name = contract_name(replacement.target);
        let (source, hash) = (replacement.source, replacement.codeHash);
        parts.push(lang.pick(
            format!("{name} gets the code of {source} (hash {hash}) and keeps its storage"),
            format!("{name} 改用 {source} 的程式碼（雜湊 {hash}），儲存內容不變"),
        ));
    }
    let (height, version, hash) = (plan.height, &plan.version, plan.nameHash);
    let parts = parts.join(lang.pick("; ", "；"));
    Ok(lang.pick(
        format!(
            "upgrade from height {height} on: {parts}; install tbsi {version} (SHA-256 of its \
             name {hash})"
        ),
        format!(
            "自高度 {height} 起升級：{parts}；請安裝 tbsi {version}（名稱的 SHA-256 為 {hash}）"
        ),
    ))
}
