//! Motions and acts in words.

use tbsi_bindings::SolEvent;
use tbsi_bindings::genesis::{
    Chains, Facts, Motions, Nodes, Organisations, Permissions, Upgrades,
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

fn words(registry: &Registry, act: &MotionAct) -> Said {
    let of = |number: u32| registry.called(number);
    let about = |number: u32, en: &str, zh_tw: &str| {
        let name = of(number);
        said(
            format!("{en}: {}", name.en),
            format!("{zh_tw}：{}", name.zh_tw),
        )
    };
    match act {
        MotionAct::AddOrganisation(_)
        | MotionAct::SuspendOrganisation(_)
        | MotionAct::RemoveOrganisation(_)
        | MotionAct::ReinstateOrganisation(_)
        | MotionAct::AmendOrganisation(_) => of_organisation(registry, act),
        MotionAct::AddValidator(it) => said(
            format!("node {} validates with power {}", it.node, it.power),
            format!("第 {} 號節點擔任驗證者，表決權重 {}", it.node, it.power),
        ),
        MotionAct::RemoveValidator(it) => said(
            format!("node {} validates no more (reason {})", it.node, it.reason),
            format!("第 {} 號節點不再擔任驗證者（事由 {}）", it.node, it.reason),
        ),
        MotionAct::ReinstateValidator(it) => said(
            format!("node {} validates again", it.node),
            format!("第 {} 號節點恢復為驗證者", it.node),
        ),
        MotionAct::SetRule(it) => said(
            format!("another rule for motions of kind {}", it.kind),
            format!("變更第 {} 種議案的議事規則", it.kind),
        ),
        MotionAct::SetQuota(it) => about(
            it.organisation,
            &format!("quota of {} gas and {} leaves", it.gas, it.leaves),
            &format!("配額 {} gas、{} 筆", it.gas, it.leaves),
        ),
        MotionAct::SetOrganisationPermissions(it) => {
            let granted = permission_words(it.permissions).join(", ");
            about(
                it.organisation,
                &format!("permissions {granted}"),
                &format!("權限 {granted}"),
            )
        }
        MotionAct::SetPublicPermissions(it) => {
            let granted = permission_words(it.permissions).join(", ");
            said(
                format!("accounts of no organisation may: {granted}"),
                format!("不屬於任何機構的帳戶權限：{granted}"),
            )
        }
        MotionAct::SetPeriod(it) => said(
            format!("quotas count by {} seconds", it.length),
            format!("配額週期為 {} 秒", it.length),
        ),
        MotionAct::SetAccount(it) => about(
            it.organisation,
            &format!("account {}", it.account),
            &format!("帳戶 {}", it.account),
        ),
        MotionAct::SetAlgorithm(it) => said(
            format!("digest algorithm {:#x} gets status {}", it.algorithm, it.status),
            format!("雜湊演算法 {:#x} 的狀態改為 {}", it.algorithm, it.status),
        ),
        MotionAct::SetChain(it) => about(
            it.operator,
            &format!("record {} of another chain is of", it.chain),
            &format!("第 {} 號外部鏈紀錄歸屬", it.chain),
        ),
        MotionAct::ScheduleUpgrade(it) => said(
            format!(
                "from height {} on: protocol version {}",
                it.plan.height, it.plan.protocol
            ),
            format!(
                "自高度 {} 起採用協定版本 {}",
                it.plan.height, it.plan.protocol
            ),
        ),
        MotionAct::CancelUpgrade(it) => said(
            format!("cancel upgrade {}", it.upgrade),
            format!("取消第 {} 次升級", it.upgrade),
        ),
        MotionAct::Resolve(it) => said(
            format!("resolve the text with SHA-256 {}", it.textHash),
            format!("通過決議文，其 SHA-256 為 {}", it.textHash),
        ),
    }
}

fn of_organisation(registry: &Registry, act: &MotionAct) -> Said {
    let about = |number: u32, en: &str, zh_tw: &str| {
        let name = registry.called(number);
        said(
            format!("{en} {}", name.en),
            format!("{zh_tw}「{}」", name.zh_tw),
        )
    };
    match act {
        MotionAct::AddOrganisation(it) => {
            let details = &it.admission.details;
            let zh_tw = match details.nameZhTw.as_str() {
                "" => &details.nameEn,
                name => name,
            };
            said(
                format!("admit {}", details.nameEn),
                format!("准許「{zh_tw}」加入"),
            )
        }
        MotionAct::SuspendOrganisation(it) => about(it.organisation, "suspend", "停權"),
        MotionAct::RemoveOrganisation(it) => about(it.organisation, "remove", "除名"),
        MotionAct::ReinstateOrganisation(it) => about(it.organisation, "reinstate", "恢復"),
        MotionAct::AmendOrganisation(it) => about(it.organisation, "amend", "變更登記"),
        _ => said("another motion", "其他議案"),
    }
}

/// Names of the events, by the hash of their signature.
fn event_name(act: &Act) -> Option<&'static str> {
    macro_rules! names {
        ($($event:ty),+ $(,)?) => {
            [$((<$event>::SIGNATURE_HASH, <$event>::SIGNATURE)),+]
        };
    }
    let known = names![
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
        Facts::ClientFrozen,
        Facts::ClientOpened,
        Facts::HeaderAccepted,
    ];
    let found = known.iter().find(|(hash, _)| *hash == act.leaf.event);
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
                format!("{name}，第 {number} 號議案：{}", effect.zh_tw),
            )
        }
        Some(number) if name.starts_with("Organisation") => {
            let called = registry.called(number);
            said(
                format!("{name}: {}", called.en),
                format!("{name}：{}", called.zh_tw),
            )
        }
        Some(_) | None => said(name.clone(), name.clone()),
    };
    (name, words)
}
