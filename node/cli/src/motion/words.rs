//! What a motion does, in words: from what, to what.

use alloy_primitives::{B256, U256};
use tbsi_governance::abi::{CHAINS, MOTIONS, NODES, PERMISSIONS};
use tbsi_governance::contracts::{
    Admission, Attestations, Chains, Details, Motions, Nodes, Permissions,
};
use tbsi_governance::motions::Act;
use tbsi_types::log::ATTESTATIONS;
use tbsi_types::log::algorithm::by_code;

use super::lookalikes::lookalikes;
use super::show::rule as rule_words;
use super::upgrade;
use crate::govern::RegistryClient;
use crate::govern::words::{
    ALGORITHM_STATUS, CHAIN_STATUS, MOTION_KINDS, ORGANISATION_KINDS, ORGANISATION_STATUS, REASONS,
    amount, change, permissions, time, word,
};

/// What an act does. `now` says also what is at present.
pub(super) async fn effect(
    registry: &RegistryClient,
    act: &Act,
    now: bool,
) -> anyhow::Result<String> {
    let lang = registry.lang;
    Ok(match act {
        Act::AddOrganisation(it) => {
            let details = &it.admission.details;
            admitted(registry, &it.admission) + &lookalikes(registry, 0, details, now)
        }
        Act::SuspendOrganisation(it) => standing(registry, it.organisation, 2, it.reason, now),
        Act::RemoveOrganisation(it) => standing(registry, it.organisation, 3, it.reason, now),
        Act::ReinstateOrganisation(it) => standing(registry, it.organisation, 1, it.reason, now),
        Act::AmendOrganisation(it) => {
            let (organisation, details) = (it.organisation, &it.details);
            amended(registry, organisation, details, now)
                + &lookalikes(registry, organisation, details, now)
        }
        Act::AddValidator(it) => power_of(registry, it.node, it.power, None, now).await?,
        Act::RemoveValidator(it) => power_of(registry, it.node, 0, Some(it.reason), now).await?,
        Act::ReinstateValidator(it) => {
            let node = node_name(registry, it.node).await?;
            lang.pick(
                format!("{node}: suspended → validator again"),
                format!("{node}：停權 → 恢復為驗證者"),
            )
        }
        Act::SetRule(it) => rule_set(registry, it, now).await?,
        Act::SetQuota(it) => quota_set(registry, it, now).await?,
        Act::SetOrganisationPermissions(it) => permissions_set(registry, it, now).await?,
        Act::SetPublicPermissions(it) => {
            let after = it.permissions;
            let before = if now {
                parameters(registry).await?.0
            } else {
                after
            };
            let changed = change(&permissions(before, lang), &permissions(after, lang));
            lang.pick(
                format!("what accounts of no organisation may do: {changed}"),
                format!("不屬於任何機構的帳戶權限：{changed}"),
            )
        }
        Act::SetPeriod(it) => {
            let before = if now {
                parameters(registry).await?.1
            } else {
                it.length
            };
            let changed = change(&before.to_string(), &it.length.to_string());
            lang.pick(
                format!("seconds of a quota's period: {changed}"),
                format!("配額週期秒數：{changed}"),
            )
        }
        Act::SetAccount(it) => account_set(registry, it, now).await?,
        Act::SetAlgorithm(it) => algorithm_set(registry, it, now).await?,
        Act::SetChain(it) => chain_set(registry, it, now).await?,
        Act::ScheduleUpgrade(it) => upgrade::effect(registry, &it.plan, now).await?,
        Act::CancelUpgrade(it) => lang.pick(
            format!("cancel upgrade {}: the chain goes on unchanged", it.upgrade),
            format!("取消第 {} 次升級：鏈照舊運作", it.upgrade),
        ),
        Act::Resolve(it) => lang.pick(
            format!("resolve the text with SHA-256 {}", it.textHash),
            format!("通過決議文，其 SHA-256 為 {}", it.textHash),
        ),
    })
}

async fn rule_set(
    registry: &RegistryClient,
    it: &Motions::setRuleCall,
    now: bool,
) -> anyhow::Result<String> {
    let lang = registry.lang;
    let after = rule_words(&it.rule, lang);
    let mut before = after.clone();
    if now {
        let rule = registry.ask(MOTIONS, Motions::ruleOfCall { kind: it.kind });
        before = rule_words(&rule.await?, lang);
    }
    let (kind, changed) = (
        word(&MOTION_KINDS, it.kind.into(), lang),
        change(&before, &after),
    );
    Ok(lang.pick(
        format!("rule for {kind}: {changed}"),
        format!("「{kind}」的議事規則：{changed}"),
    ))
}

fn admitted(registry: &RegistryClient, admission: &Admission) -> String {
    let (details, lang) = (&admission.details, registry.lang);
    let names = [details.nameEn.as_str(), details.nameZhTw.as_str()].join(" ");
    let (names, account) = (names.trim(), admission.account);
    let kind = word(&ORGANISATION_KINDS, details.kind.into(), lang);
    let ids = [&details.jurisdiction, &details.taxId, &details.lei];
    let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let ids = ids.join(" ");
    let allowed = permissions(admission.permissions, lang);
    let (gas, leaves) = (amount(admission.gas, lang), amount(admission.leaves, lang));
    let vote = if details.votes {
        lang.pick("with a vote", "有表決權")
    } else {
        lang.pick("without a vote", "無表決權")
    };
    lang.pick(
        format!(
            "new organisation {names} ({kind}, {}, {vote}); it may: {allowed}; quota a period: \
             gas {gas}, leaves {leaves}; first account {account}",
            ids.trim()
        ),
        format!(
            "新增機構 {names}（{kind}，{}，{vote}）；權限：{allowed}；每週期配額：gas {gas}、\
             紀錄 {leaves}；第一個帳戶 {account}",
            ids.trim()
        ),
    )
}

fn standing(
    registry: &RegistryClient,
    organisation: u32,
    status: u64,
    reason: u16,
    now: bool,
) -> String {
    let lang = registry.lang;
    let after = word(&ORGANISATION_STATUS, status, lang);
    let before = registry.organisation(organisation).filter(|_| now);
    let before = before.map(|it| word(&ORGANISATION_STATUS, it.status.into(), lang));
    let changed = change(before.as_ref().unwrap_or(&after), &after);
    let (name, why) = (
        registry.name(organisation),
        word(&REASONS, reason.into(), lang),
    );
    let with = match status {
        2 => lang.pick("; its validators leave the set", "；其驗證者離開集合"),
        3 => lang.pick("; its nodes go out of use for ever", "；其節點永久停用"),
        _ => "",
    };
    lang.pick(
        format!("{name}: {changed} ({why}){with}"),
        format!("{name}：{changed}（{why}）{with}"),
    )
}

fn amended(registry: &RegistryClient, organisation: u32, details: &Details, now: bool) -> String {
    let (name, lang) = (registry.name(organisation), registry.lang);
    let zero = |hash: &B256| hash.to_string();
    let kind = |code: u8| word(&ORGANISATION_KINDS, code.into(), lang);
    let after = [
        ("name_zh_tw", details.nameZhTw.clone()),
        ("name_en", details.nameEn.clone()),
        ("kind", kind(details.kind)),
        ("tax_id", details.taxId.clone()),
        ("lei", details.lei.clone()),
        ("jurisdiction", details.jurisdiction.clone()),
        ("agreement_hash", zero(&details.agreementHash)),
        ("credential_hash", zero(&details.credentialHash)),
        ("contact_url", details.contactUrl.clone()),
    ];
    let before = registry.organisation(organisation).filter(|_| now);
    let before = before.map(|it| {
        [
            it.nameZhTw.clone(),
            it.nameEn.clone(),
            kind(it.kind),
            it.taxId.clone(),
            it.lei.clone(),
            it.jurisdiction.clone(),
            zero(&it.agreementHash),
            zero(&it.credentialHash),
            it.contactUrl.clone(),
        ]
    });
    let shown = |text: &str| {
        if text.is_empty() {
            "–".into()
        } else {
            text.to_owned()
        }
    };
    let fields = after
        .iter()
        .enumerate()
        .filter_map(|(index, (field, after))| {
            let Some(before) = before.as_ref().map(|all| all[index].as_str()) else {
                return Some(format!("{field} {}", shown(after)));
            };
            let changed = before != after;
            changed.then(|| format!("{field} {} → {}", shown(before), shown(after)))
        });
    let mut fields: Vec<String> = fields.collect();
    if fields.is_empty() {
        fields.push(lang.pick("nothing changes", "沒有變更").into());
    }
    lang.pick(
        format!("facts of {name}: {}", fields.join("; ")),
        format!("變更{name}的登記：{}", fields.join("；")),
    )
}

async fn node_name(registry: &RegistryClient, number: u32) -> anyhow::Result<String> {
    let nodes = registry.nodes().await?;
    let found = nodes.iter().find(|(known, _)| *known == number);
    Ok(match found {
        Some((_, node)) => {
            let (node, name) = (&node.name, registry.name(node.organisation));
            registry.lang.pick(
                format!("node {node} of {name}"),
                format!("{name}的節點 {node}"),
            )
        }
        None => registry
            .lang
            .pick(format!("node {number}"), format!("編號 {number} 的節點")),
    })
}

async fn power_of(
    registry: &RegistryClient,
    number: u32,
    power: u64,
    reason: Option<u16>,
    now: bool,
) -> anyhow::Result<String> {
    let lang = registry.lang;
    let name = node_name(registry, number).await?;
    let shown = |power: u64| match power {
        0 => lang.pick("observer", "觀察節點").to_owned(),
        power => lang.pick(
            format!("validator with voting power {power}"),
            format!("驗證者，投票權 {power}"),
        ),
    };
    let call = Nodes::nodesCall {
        from: U256::from(number),
        count: U256::ONE,
    };
    let page = registry.ask(NODES, call).await?;
    let current = page.first().filter(|_| now);
    let before = current.map_or(power, |node| if node.validating { node.power } else { 0 });
    let changed = change(&shown(before), &shown(power));
    let why = reason.map(|reason| word(&REASONS, reason.into(), lang));
    let why = why.map(|why| lang.pick(format!(" ({why})"), format!("（{why}）")));
    let why = why.unwrap_or_default();
    Ok(lang.pick(
        format!("{name}: {changed}{why}"),
        format!("{name}：{changed}{why}"),
    ))
}

async fn permissions_set(
    registry: &RegistryClient,
    it: &Permissions::setOrganisationPermissionsCall,
    now: bool,
) -> anyhow::Result<String> {
    let (lang, organisation, after) = (registry.lang, it.organisation, it.permissions);
    let mut before = after;
    if now {
        let call = Permissions::organisationPermissionsCall { organisation };
        before = registry.ask(PERMISSIONS, call).await?;
    }
    let changed = change(&permissions(before, lang), &permissions(after, lang));
    let name = registry.name(organisation);
    Ok(lang.pick(
        format!("what accounts of {name} may be granted: {changed}"),
        format!("{name}的帳戶可獲授予的權限：{changed}"),
    ))
}

/// Public permissions, and seconds of a period.
async fn parameters(registry: &RegistryClient) -> anyhow::Result<(u32, u32)> {
    let word = registry
        .ask(PERMISSIONS, Permissions::parametersCall {})
        .await?;
    let low = word.as_limbs()[0];
    Ok((u32::try_from(low & 0xffff_ffff)?, u32::try_from(low >> 32)?))
}

async fn quota_set(
    registry: &RegistryClient,
    it: &Permissions::setQuotaCall,
    now: bool,
) -> anyhow::Result<String> {
    let (lang, organisation) = (registry.lang, it.organisation);
    let (gas, leaves) = (it.gas, it.leaves);
    let mut before = (gas, leaves);
    if now {
        let call = Permissions::quotaOfCall { organisation };
        let quota = registry.ask(PERMISSIONS, call).await?;
        before = (quota.gas, quota.leaves);
    }
    let gas = change(&amount(before.0, lang), &amount(gas, lang));
    let leaves = change(&amount(before.1, lang), &amount(leaves, lang));
    let name = match organisation {
        0 => lang
            .pick(
                "all accounts of no organisation together",
                "所有不屬於任何機構的帳戶合計",
            )
            .to_owned(),
        number => registry.name(number),
    };
    Ok(lang.pick(
        format!("quota of {name} in a period: gas {gas}; leaves {leaves}"),
        format!("{name}每週期的配額：gas {gas}；紀錄 {leaves}"),
    ))
}

async fn account_set(
    registry: &RegistryClient,
    it: &Permissions::setAccountCall,
    now: bool,
) -> anyhow::Result<String> {
    let lang = registry.lang;
    let (organisation, account, bits) = (it.organisation, it.account, it.permissions);
    let mut before = bits;
    if now {
        let found = registry.ask(PERMISSIONS, Permissions::accountOfCall { account });
        let found = found.await?;
        before = if found.organisation == organisation {
            found.permissions
        } else {
            0
        };
    }
    let changed = change(&permissions(before, lang), &permissions(bits, lang));
    let name = registry.name(organisation);
    Ok(lang.pick(
        format!("account {account} of {name} may: {changed}"),
        format!("{name}的帳戶 {account} 的權限：{changed}"),
    ))
}

async fn algorithm_set(
    registry: &RegistryClient,
    it: &Attestations::setAlgorithmCall,
    now: bool,
) -> anyhow::Result<String> {
    let lang = registry.lang;
    let (algorithm, bits, status) = (it.algorithm, it.bits, it.status);
    let shown = |status: u8| match status {
        0 => lang.pick("unknown", "未登記").to_owned(),
        status => word(&ALGORITHM_STATUS, status.into(), lang),
    };
    let dated = |until: u64| match until {
        0 => lang.pick("no end that is known", "無已知期限").to_owned(),
        until => time(until, lang),
    };
    let (before, dated_before) = if now {
        let call = Attestations::algorithmOfCall { algorithm };
        let before = registry.ask(ATTESTATIONS, call).await?.status;
        let call = Attestations::reliedUntilCall { algorithm };
        (before, registry.ask(ATTESTATIONS, call).await?)
    } else {
        (status, it.until)
    };
    let name = by_code(algorithm).map_or_else(|| format!("{algorithm:#x}"), |it| it.name.into());
    let changed = change(&shown(before), &shown(status));
    let until = change(&dated(dated_before), &dated(it.until));
    Ok(lang.pick(
        format!("digest algorithm {name} of {bits} bits: {changed}; relied upon until: {until}"),
        format!("摘要演算法 {name}（{bits} 位元）：{changed}；可信賴至：{until}"),
    ))
}

async fn chain_set(
    registry: &RegistryClient,
    it: &Chains::setChainCall,
    now: bool,
) -> anyhow::Result<String> {
    let lang = registry.lang;
    let (chain, operator, status) = (it.chain, it.operator, it.status);
    let call = Chains::chainsCall {
        from: U256::from(chain),
        count: U256::ONE,
    };
    let page = registry.ask(CHAINS, call).await?;
    let found = page.first();
    let id = found.map_or_else(|| chain.to_string(), |it| it.caip2.clone());
    let found = found.filter(|_| now);
    let before = found.map_or((operator, status), |it| (it.operator, it.status));
    let run_by = change(&registry.name(before.0), &registry.name(operator));
    let shown = |status: u8| word(&CHAIN_STATUS, status.into(), lang);
    let status = change(&shown(before.1), &shown(status));
    Ok(lang.pick(
        format!("chain {id}: run by {run_by}; {status}"),
        format!("鏈 {id}：營運者 {run_by}；{status}"),
    ))
}
