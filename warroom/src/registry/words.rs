//! Motions and acts in words.

use alloy_primitives::FixedBytes;
use tbsi_bindings::SolEvent;
use tbsi_bindings::genesis::{
    Authorisations, Chains, Details, Facts, Motions, Nodes, Organisations, Permissions, Upgrades,
};
use tbsi_governance::motions::Act as MotionAct;

use super::{MotionRecord, Registry, permission_words};
use crate::said::{Said, said};
use crate::source::Act;

/// What a motion asks for.
pub(super) fn effect(registry: &Registry, motion: &MotionRecord) -> Said {
    match MotionAct::decode(motion.kind, &motion.arguments) {
        Ok(act) => words(registry, &act),
        Err(error) => said(error.to_string(), format!("無法解讀：{error}")),
    }
}

fn node_said(node: u32, en: &str, zh_tw: &str) -> Said {
    said(
        format!("node {node} {en}"),
        format!("第 {node} 號節點{zh_tw}"),
    )
}

/// An amount of a quota, in English and Chinese.
fn amount(it: u64) -> (String, String) {
    match it {
        u64::MAX => ("unlimited".into(), "不限".into()),
        it => (it.to_string(), it.to_string()),
    }
}

/// What is done with an organisation.
fn named(registry: &Registry, number: u32, en: &str, zh_tw: &str) -> Said {
    let name = registry.called(number);
    said(
        format!("{en}: {}", name.en),
        format!("{zh_tw}：{}", name.zh_tw),
    )
}

fn admitted(details: &Details) -> Said {
    let zh_tw = match details.nameZhTw.as_str() {
        "" => &details.nameEn,
        name => name,
    };
    said(
        format!("admit: {}", details.nameEn),
        format!("准許加入：{zh_tw}"),
    )
}

fn words(registry: &Registry, act: &MotionAct) -> Said {
    let of = |number: u32, en: &str, zh_tw: &str| named(registry, number, en, zh_tw);
    match act {
        MotionAct::AddOrganisation(it) => admitted(&it.admission.details),
        MotionAct::SuspendOrganisation(it) => of(it.organisation, "suspend", "停權"),
        MotionAct::RemoveOrganisation(it) => of(it.organisation, "remove", "除名"),
        MotionAct::ReinstateOrganisation(it) => of(it.organisation, "reinstate", "恢復"),
        MotionAct::AmendOrganisation(it) => of(it.organisation, "amend", "變更登記"),
        MotionAct::AddValidator(it) => {
            let power = it.power;
            let zh_tw = format!("擔任驗證者，投票權 {power}");
            node_said(it.node, &format!("validates with power {power}"), &zh_tw)
        }
        MotionAct::RemoveValidator(it) => node_said(it.node, "validates no more", "不再擔任驗證者"),
        MotionAct::ReinstateValidator(it) => node_said(it.node, "validates again", "恢復為驗證者"),
        MotionAct::SetQuota(it) => {
            let (gas, leaves) = (amount(it.gas), amount(it.leaves));
            let en = format!("quota of {} gas and {} leaves", gas.0, leaves.0);
            let zh_tw = format!("配額 {} gas、{} 筆", gas.1, leaves.1);
            of(it.organisation, &en, &zh_tw)
        }
        MotionAct::SetOrganisationPermissions(it) => {
            let granted = permission_words(it.permissions).join(", ");
            let zh_tw = format!("權限 {granted}");
            of(it.organisation, &format!("permissions {granted}"), &zh_tw)
        }
        MotionAct::SetAccount(it) => {
            let account = it.account;
            let zh_tw = format!("帳戶 {account}");
            of(it.organisation, &format!("account {account}"), &zh_tw)
        }
        MotionAct::SetChain(it) => {
            let zh_tw = format!("第 {} 號外部鏈紀錄歸屬", it.chain);
            of(
                it.operator,
                &format!("record {} of another chain", it.chain),
                &zh_tw,
            )
        }
        MotionAct::SetRule(_)
        | MotionAct::SetPublicPermissions(_)
        | MotionAct::SetPeriod(_)
        | MotionAct::SetAlgorithm(_)
        | MotionAct::ScheduleUpgrade(_)
        | MotionAct::CancelUpgrade(_)
        | MotionAct::Resolve(_) => of_all(act).unwrap_or_else(|| said("?", "？")),
    }
}

/// What concerns the whole network; `None` for other motions.
fn of_all(act: &MotionAct) -> Option<Said> {
    if let MotionAct::SetRule(it) = act {
        return Some(said(
            format!("another rule for motions of kind {}", it.kind),
            format!("變更第 {} 種動議的議事規則", it.kind),
        ));
    }
    if let MotionAct::SetPublicPermissions(it) = act {
        let granted = permission_words(it.permissions).join(", ");
        return Some(said(
            format!("accounts of no organisation may: {granted}"),
            format!("不屬於任何機構的帳戶權限：{granted}"),
        ));
    }
    if let MotionAct::SetPeriod(it) = act {
        return Some(said(
            format!("quotas count by {} seconds", it.length),
            format!("配額週期為 {} 秒", it.length),
        ));
    }
    if let MotionAct::SetAlgorithm(it) = act {
        let (code, status) = (it.algorithm, it.status);
        return Some(said(
            format!("digest algorithm {code:#x} gets status {status}"),
            format!("雜湊演算法 {code:#x} 的狀態改為 {status}"),
        ));
    }
    if let MotionAct::ScheduleUpgrade(it) = act {
        let (height, protocol) = (it.plan.height, it.plan.protocol);
        return Some(said(
            format!("from height {height} on: protocol version {protocol}"),
            format!("自高度 {height} 起採用協定版本 {protocol}"),
        ));
    }
    if let MotionAct::CancelUpgrade(it) = act {
        return Some(said(
            format!("cancel upgrade {}", it.upgrade),
            format!("取消第 {} 次升級", it.upgrade),
        ));
    }
    let MotionAct::Resolve(it) = act else {
        return None;
    };
    Some(said(
        format!("resolve the text with SHA-256 {}", it.textHash),
        format!("通過決議文，其 SHA-256 為 {}", it.textHash),
    ))
}

/// Hash and signature of events.
macro_rules! events {
    ($($event:ty),+ $(,)?) => {
        [$((<$event>::SIGNATURE_HASH, <$event>::SIGNATURE)),+]
    };
}

/// Events that an act can be.
const EVENTS: [(FixedBytes<32>, &str); 47] = events![
    Organisations::ContactSet,
    Organisations::OrganisationAmended,
    Organisations::OrganisationJoined,
    Organisations::OrganisationLeft,
    Organisations::OrganisationReinstated,
    Organisations::OrganisationSuspended,
    Nodes::Equivocated,
    Nodes::GenesisBound,
    Nodes::LogKeySet,
    Nodes::NodeRegistered,
    Nodes::NodeRetired,
    Nodes::NodeUpdated,
    Nodes::PeerKeySet,
    Nodes::PostQuantumKeySet,
    Nodes::ValidatorAdded,
    Nodes::ValidatorKeySet,
    Nodes::ValidatorReinstated,
    Nodes::ValidatorRemoved,
    Nodes::ValidatorSetChanged,
    Nodes::ValidatorSuspended,
    Permissions::AccountSet,
    Permissions::OrganisationPermissionsSet,
    Permissions::PeriodSet,
    Permissions::PublicPermissionsSet,
    Permissions::QuotaSet,
    Chains::ChainRegistered,
    Chains::ChainSet,
    Chains::ChainUpdated,
    Motions::MotionExecuted,
    Motions::MotionPassed,
    Motions::MotionProposed,
    Motions::MotionWithdrawn,
    Motions::Resolved,
    Motions::RuleSet,
    Motions::VoteCast,
    Upgrades::UpgradeCancelled,
    Upgrades::UpgradeScheduled,
    Upgrades::UpgradeSettled,
    Upgrades::VersionDeclared,
    Authorisations::AuthorisationAccepted,
    Authorisations::AuthorisationNarrowed,
    Authorisations::AuthorisationOffered,
    Authorisations::AuthorisationReliedOn,
    Authorisations::AuthorisationRevoked,
    Facts::ClientFrozen,
    Facts::ClientOpened,
    Facts::HeaderAccepted,
];

/// The name of an act's event, if it is known.
fn event_name(act: &Act) -> Option<&'static str> {
    let found = EVENTS.iter().find(|(hash, _)| *hash == act.leaf.event);
    found.and_then(|(_, signature)| signature.split('(').next())
}

/// The name of an act's event, and what it says.
pub(super) fn act(registry: &Registry, act: &Act) -> (String, Said) {
    let unknown = || act.leaf.event.to_string();
    let name = event_name(act).map_or_else(unknown, str::to_owned);
    let motion = |number: u32| registry.motions.get(&number);
    let first = act.topics.first().map(|topic| {
        let [.., a, b, c, d] = topic.0;
        u32::from_be_bytes([a, b, c, d])
    });
    let of_motion = matches!(
        name.as_str(),
        "MotionProposed" | "MotionPassed" | "MotionExecuted" | "MotionWithdrawn" | "VoteCast"
    );
    let words = match first {
        Some(number) if of_motion => {
            let effect = motion(number).map(|motion| effect(registry, motion));
            let effect = effect.unwrap_or_else(|| said("not known", "不明"));
            said(
                format!("{name}, motion {number}: {}", effect.en),
                format!("{name}，第 {number} 號動議：{}", effect.zh_tw),
            )
        }
        Some(number) if name.starts_with("Organisation") => {
            let called = registry.called(number);
            said(
                format!("{name}: {}", called.en),
                format!("{name}：{}", called.zh_tw),
            )
        }
        Some(number) if name.starts_with("Authorisation") => authorised(registry, &name, number),
        Some(_) | None => said(name.clone(), name.clone()),
    };
    (name, words)
}

/// An act of an authorisation, and between whom it is.
fn authorised(registry: &Registry, name: &str, number: u32) -> Said {
    let Some(record) = registry.authorisations.get(&number) else {
        return said(name, name);
    };
    let (giver, taker) = (
        registry.called(record.grantor),
        registry.called(record.grantee),
    );
    said(
        format!("{name}, no. {number}: {} to {}", giver.en, taker.en),
        format!("{name}，第 {number} 號：{}對{}", giver.zh_tw, taker.zh_tw),
    )
}
