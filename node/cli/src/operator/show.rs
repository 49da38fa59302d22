//! `tbsi operator show` and `list`.

use std::process::ExitCode;

use alloy_primitives::B256;
use serde_json::{Value, json};
use tbsi_governance::contracts::Node;

use crate::govern::words::{address, time};
use crate::govern::{NamedKey, Read, RegistryClient, named_key, peer_id};
use crate::lang::Language;

/// What a node is for.
pub(crate) fn role(node: &Node, lang: Language) -> String {
    let power = node.power;
    match (node.retired, node.validating, node.suspended) {
        (true, ..) => lang.pick("out of use", "已停用").into(),
        (_, true, false) => lang.pick(
            format!("validator, voting power {power}"),
            format!("驗證者，投票權 {power}"),
        ),
        (_, true, true) => lang
            .pick(
                "validator, to be suspended as soon as the set's rules allow it",
                "驗證者，待集合規則允許時即停權",
            )
            .into(),
        (_, false, true) => lang
            .pick("suspended for equivocation", "因雙重簽署停權")
            .into(),
        _ => lang.pick("observer", "觀察節點").into(),
    }
}

pub(super) async fn show(text: String, read: Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&read).await?;
    let (number, node) = registry.find_node(&text).await?;
    let lang = registry.lang;
    let retired = is_retired_key(&text, &node).then_some(text);
    let dash = |text: &str| {
        if text.is_empty() {
            "–".into()
        } else {
            text.to_owned()
        }
    };
    let (name, owner) = (&node.name, registry.name(node.organisation));
    let (role, peer) = (role(&node, lang), peer_id(node.peerKey));
    let (endpoint, version) = (dash(&node.endpoint), dash(&node.version));
    let validator = address(node.validator).map_or_else(|| "–".into(), |it| it.to_string());
    let shown = |key: B256| {
        if key.is_zero() {
            "–".into()
        } else {
            key.to_string()
        }
    };
    let (log_key, post_quantum) = (shown(node.logKey), shown(node.postQuantumKey));
    let height = node.registeredHeight;
    let mut text = lang.pick(
        format!(
            "node         {name} (no. {number})\norganisation {owner}\nrole         {role}\n\
             peer id      {peer}\nvalidator    {validator}\nlog key      {log_key}\n\
             post-quantum {post_quantum}\nendpoint     {endpoint}\nversion      {version}\nregistered   at height {height}\n"
        ),
        format!(
            "節點     {name}（編號 {number}）\n機構     {owner}\n角色     {role}\n\
             peer id  {peer}\n驗證者   {validator}\n日誌金鑰 {log_key}\n\
             後量子   {post_quantum}\n位址     {endpoint}\n版本     {version}\n登記     高度 {height}\n"
        ),
    );
    if node.overlapEnd > registry.now && !node.oldPeerKey.is_zero() {
        let (old, until) = (peer_id(node.oldPeerKey), time(node.overlapEnd, lang));
        text += &lang.pick(
            format!("also as      {old} until {until}\n"),
            format!("舊識別碼 {old}，至 {until}\n"),
        );
    }
    let mut json = summary(&registry, number, &node);
    if let Some(key) = retired {
        text += &lang.pick(
            format!("asked for    {key}: RETIRED, the node had it before; it is in use no more\n"),
            format!("查詢對象 {key}：已停用，為該節點先前的金鑰\n"),
        );
        json["retiredKey"] = json!(key);
    }
    registry.format.print(&text, &json)
}

/// Whether text that found a node is a key, or an address, that it had before.
fn is_retired_key(text: &str, node: &Node) -> bool {
    match named_key(text) {
        Some(NamedKey::Key(key)) => {
            ![node.peerKey, node.logKey, node.postQuantumKey].contains(&key)
        }
        Some(NamedKey::Validator(address)) => address != node.validator,
        None => false,
    }
}

pub(super) async fn list(all: bool, read: Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&read).await?;
    let lang = registry.lang;
    let nodes = registry.nodes().await?.into_iter();
    let nodes: Vec<_> = nodes.filter(|(_, node)| all || !node.retired).collect();
    let mut text = String::new();
    for (number, node) in &nodes {
        let (name, owner, role) = (
            &node.name,
            registry.name(node.organisation),
            role(node, lang),
        );
        text += &lang.pick(
            format!("{number:>4}  {name}: {role}; {owner}\n"),
            format!("{number:>4}  {name}：{role}；{owner}\n"),
        );
    }
    let nodes = nodes
        .iter()
        .map(|(number, node)| summary(&registry, *number, node));
    let json = json!({ "nodes": nodes.collect::<Vec<_>>() });
    registry.format.print(&text, &json)
}

fn summary(registry: &RegistryClient, number: u32, node: &Node) -> Value {
    json!({
        "node": number,
        "name": node.name,
        "organisation": registry.named(node.organisation),
        "retired": node.retired,
        "validating": node.validating,
        "suspended": node.suspended,
        "power": node.power,
        "peerId": peer_id(node.peerKey),
        "validator": address(node.validator),
        "logKey": (!node.logKey.is_zero()).then_some(node.logKey),
        "postQuantumKeyHash": (!node.postQuantumKey.is_zero()).then_some(node.postQuantumKey),
        "endpoint": node.endpoint,
        "version": node.version,
        "registeredHeight": node.registeredHeight,
    })
}
