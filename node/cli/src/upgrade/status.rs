//! `tbsi upgrade status`.

use std::process::ExitCode;

use serde_json::{Value, json};
use tbsi_governance::abi::UPGRADES;
use tbsi_governance::contracts::{Node, Setting, Upgrade, Upgrades};

use crate::govern::words::{UPGRADE_LAPSES, UPGRADE_STATUS, word};
use crate::govern::{Read, RegistryClient};
use crate::lang::Language;
use crate::motion::{parameter, upgrade_effect};

/// A validator's node, and what its operator has declared of it.
struct Declared {
    number: u32,
    node: Node,
    version: u32,
    height: u64,
}

impl Declared {
    fn supports(&self, protocol: u32, in_force: u32) -> bool {
        protocol <= in_force || self.version >= protocol
    }
}

pub(super) async fn run(read: Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&read).await?;
    let lang = registry.lang;
    let status = registry.client.status().await?;
    let (in_force, supported) = (status.protocol.in_force, status.protocol.supported);
    let set = registry.ask(UPGRADES, Upgrades::settingsCall {}).await?;
    let count = registry
        .ask(UPGRADES, Upgrades::upgradeCountCall {})
        .await?;
    let call = |from, count| Upgrades::upgradesCall { from, count };
    let all: Vec<Upgrade> = registry.pages(UPGRADES, (1, count.into()), call).await?;
    let declared = declarations(&registry).await?;
    let mut text = in_force_now(&read.rpc.url(), (in_force, supported), &set, lang);
    let waiting = all.last().filter(|it| it.status == 1);
    let mut readiness = Value::Null;
    let (mut asked, mut seconds) = (in_force, None);
    if let Some(upgrade) = waiting {
        asked = upgrade.plan.protocol;
        seconds = status.protocol.upgrade.as_ref().and_then(|it| it.seconds);
        let effect = upgrade_effect(&registry, &upgrade.plan, true).await?;
        text += &told(count, upgrade, &effect, (status.height.0, seconds), lang);
        let ready = declared.iter().filter(|it| it.supports(asked, in_force));
        let support: u128 = ready.map(|it| u128::from(it.node.power)).sum();
        let power: u128 = declared.iter().map(|it| u128::from(it.node.power)).sum();
        let quorum = 3 * support > 2 * power;
        text += &counted(support, power, quorum, lang);
        readiness = json!({
            "support": support.to_string(), "power": power.to_string(), "quorum": quorum,
        });
    }
    for it in &declared {
        text += &validator(
            &registry,
            it,
            it.supports(asked, in_force),
            waiting.is_some(),
        );
    }
    for (number, upgrade) in (1u32..).zip(&all).filter(|(_, it)| it.status != 1) {
        text += &past(number, upgrade, lang);
    }
    let settings = set
        .iter()
        .map(|it| (parameter(it.parameter), json!(it.value)));
    let validators = declared.iter().map(|it| {
        json!({
            "node": it.number, "name": it.node.name, "power": it.node.power,
            "organisation": registry.named(it.node.organisation),
            "declared": (it.version != 0).then_some(it.version),
            "ready": it.supports(asked, in_force),
        })
    });
    let json = json!({
        "protocol": { "inForce": in_force, "supported": supported },
        "settings": settings.collect::<serde_json::Map<_, _>>(),
        "height": status.height, "secondsUntil": seconds,
        "waiting": waiting.map(|it| summary(count, it)),
        "readiness": readiness,
        "validators": validators.collect::<Vec<_>>(),
        "upgrades": (1u32..).zip(&all).map(|(number, it)| summary(number, it)).collect::<Vec<_>>(),
    });
    registry.format.print(&text, &json)
}

fn in_force_now(
    rpc: &str,
    (in_force, supported): (u32, u32),
    set: &[Setting],
    lang: Language,
) -> String {
    let mut text = lang.pick(
        format!("protocol  version {in_force} in force; the node at {rpc} supports {supported}\n"),
        format!("協定版本  目前為 {in_force}；{rpc} 的節點支援到 {supported}\n"),
    );
    for setting in set {
        let (name, value) = (parameter(setting.parameter), setting.value);
        text += &lang.pick(
            format!("set       {name} {value}\n"),
            format!("已設定    {name} {value}\n"),
        );
    }
    text
}

async fn declarations(registry: &RegistryClient) -> anyhow::Result<Vec<Declared>> {
    let nodes = registry.nodes().await?;
    let mut all = Vec::new();
    for (number, node) in nodes.into_iter().filter(|(_, node)| node.validating) {
        let call = Upgrades::declarationOfCall { node: number };
        let found = registry.ask(UPGRADES, call).await?;
        all.push(Declared {
            number,
            node,
            version: found.version,
            height: found.height,
        });
    }
    Ok(all)
}

fn told(
    number: u32,
    upgrade: &Upgrade,
    effect: &str,
    (height, seconds): (u64, Option<u64>),
    lang: Language,
) -> String {
    let left = upgrade.plan.height.saturating_sub(height);
    let when = seconds.map_or_else(String::new, |seconds| {
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        lang.pick(
            format!(", about {hours} h {minutes} min"),
            format!("，約 {hours} 小時 {minutes} 分"),
        )
    });
    lang.pick(
        format!("waiting   upgrade {number} in {left} blocks{when}: {effect}\n"),
        format!("待生效    第 {number} 次升級，尚餘 {left} 個區塊{when}：{effect}\n"),
    )
}

fn counted(support: u128, power: u128, quorum: bool, lang: Language) -> String {
    let outcome = if quorum {
        lang.pick("it takes effect", "將會生效")
    } else {
        lang.pick(
            "not enough: it lapses, and the chain goes on unchanged",
            "尚不足：屆時不生效，鏈照舊運作",
        )
    };
    lang.pick(
        format!(
            "ready     {support} of {power} voting power, more than 2/3 is needed: {outcome}\n"
        ),
        format!("就緒      投票權 {support}／{power}，須超過三分之二：{outcome}\n"),
    )
}

fn validator(registry: &RegistryClient, it: &Declared, ready: bool, asked: bool) -> String {
    let lang = registry.lang;
    let (name, owner, power) = (
        &it.node.name,
        registry.name(it.node.organisation),
        it.node.power,
    );
    let declared = match (it.version, it.height) {
        (0, _) => lang.pick("declared nothing", "未宣告").to_owned(),
        (version, height) => lang.pick(
            format!("declared version {version} at height {height}"),
            format!("於高度 {height} 宣告支援版本 {version}"),
        ),
    };
    let mark = match (asked, ready) {
        (false, _) => lang.pick("validator", "驗證者"),
        (true, true) => lang.pick("ready    ", "已就緒"),
        (true, false) => lang.pick("NOT READY", "未就緒"),
    };
    lang.pick(
        format!("  {mark} {owner}: {name}, power {power}, {declared}\n"),
        format!("  {mark}  {owner}：{name}，投票權 {power}，{declared}\n"),
    )
}

fn past(number: u32, upgrade: &Upgrade, lang: Language) -> String {
    let status = word(&UPGRADE_STATUS, upgrade.status.into(), lang);
    let why = match upgrade.lapse {
        0 => String::new(),
        lapse => word(&UPGRADE_LAPSES, lapse.into(), lang),
    };
    let (height, version, protocol) = (
        upgrade.plan.height,
        &upgrade.plan.version,
        upgrade.plan.protocol,
    );
    let (support, power) = (upgrade.support, upgrade.power);
    let why = match (why.is_empty(), power) {
        (true, 0) => String::new(),
        (true, power) => format!(" ({support}/{power})"),
        (false, power) => format!(" ({why}, {support}/{power})"),
    };
    lang.pick(
        format!(
            "past      upgrade {number}, height {height}, protocol {protocol}, tbsi {version}: \
             {status}{why}\n"
        ),
        format!(
            "過往      第 {number} 次升級，高度 {height}，協定版本 {protocol}，tbsi {version}：\
             {status}{why}\n"
        ),
    )
}

fn summary(number: u32, upgrade: &Upgrade) -> Value {
    let plan = &upgrade.plan;
    let settings = plan.settings.iter();
    let settings = settings.map(|it| (parameter(it.parameter), json!(it.value)));
    let replacements = plan
        .replacements
        .iter()
        .map(|it| json!({ "target": it.target, "source": it.source, "codeHash": it.codeHash }));
    json!({
        "number": number, "height": plan.height, "protocol": plan.protocol,
        "version": plan.version, "nameHash": plan.nameHash,
        "status": word(&UPGRADE_STATUS, upgrade.status.into(), Language::En),
        "lapse": (upgrade.lapse != 0)
            .then(|| word(&UPGRADE_LAPSES, upgrade.lapse.into(), Language::En)),
        "settings": settings.collect::<serde_json::Map<_, _>>(),
        "replacements": replacements.collect::<Vec<_>>(),
        "scheduledHeight": upgrade.scheduledHeight,
        "endHeight": (upgrade.endHeight != 0).then_some(upgrade.endHeight),
        "support": upgrade.support, "power": upgrade.power,
    })
}
