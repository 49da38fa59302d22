//! Codes of the contracts in words, in both languages. The first word of each pair is also what
//! is typed.

use alloy_primitives::Address;
use tbsi_governance::standing::{Permissions, UNLIMITED};
use tbsi_types::TimestampMs;

use crate::lang::Language;
use crate::time::Times;

/// English and Traditional Chinese.
pub(crate) type Pair = (&'static str, &'static str);

/// Why, from code 1.
pub(crate) const REASONS: [Pair; 8] = [
    ("unspecified", "未說明"),
    ("own-request", "應其請求"),
    ("agreement-ended", "協議終止"),
    ("breach-of-agreement", "違反協議"),
    ("legal-entity-ended", "法人消滅"),
    ("security-incident", "資安事件"),
    ("order-of-authority", "主管機關命令"),
    ("cause-removed", "原因消滅"),
];

/// What an organisation is here for, from code 1.
pub(crate) const ORGANISATION_KINDS: [Pair; 6] = [
    ("association", "公會"),
    ("operator", "營運機構"),
    ("issuer", "簽發機構"),
    ("relayer", "轉送機構"),
    ("auditor", "稽核機構"),
    ("authority", "主管機關"),
];

/// Standing of an organisation, from code 1.
pub(crate) const ORGANISATION_STATUS: [Pair; 3] = [
    ("active", "有效"),
    ("suspended", "停權"),
    ("left", "已退出"),
];

/// What happened to an organisation, from code 1.
pub(crate) const ORGANISATION_ACTS: [Pair; 5] = [
    ("joined", "加入"),
    ("suspended", "停權"),
    ("reinstated", "復權"),
    ("left", "退出"),
    ("amended", "變更登記"),
];

/// Status of a motion, from code 1.
pub(crate) const MOTION_STATUS: [Pair; 7] = [
    ("open", "表決中"),
    ("passed", "已通過，尚待執行期間開始"),
    ("executable", "已通過，可執行"),
    ("executed", "已執行"),
    ("rejected", "未通過"),
    ("withdrawn", "已撤回"),
    ("expired", "逾期未執行"),
];

/// Status of an authorisation, from code 1.
pub(crate) const AUTHORISATION_STATUS: [Pair; 3] = [
    ("offered", "待接受"),
    ("active", "有效"),
    ("revoked", "已撤銷"),
];

/// What an organisation says, from code 1.
pub(crate) const CHOICES: [Pair; 4] = [
    ("yes", "贊成"),
    ("no", "反對"),
    ("abstain", "棄權"),
    ("conflict", "利益迴避"),
];

/// Kinds of motions, from code 1.
pub(crate) const MOTION_KINDS: [Pair; 19] = [
    ("add-organisation", "新增機構"),
    ("suspend-organisation", "機構停權"),
    ("remove-organisation", "機構除名"),
    ("reinstate-organisation", "機構復權"),
    ("amend-organisation", "變更機構登記"),
    ("add-validator", "新增驗證者"),
    ("remove-validator", "移除驗證者"),
    ("reinstate-validator", "恢復驗證者"),
    ("set-rule", "設定議事規則"),
    ("set-quota", "設定配額"),
    ("set-permissions", "設定機構權限"),
    ("set-public-permissions", "設定公眾權限"),
    ("set-period", "設定配額週期"),
    ("set-account", "設定帳戶"),
    ("set-algorithm", "設定摘要演算法"),
    ("set-chain", "設定其他鏈"),
    ("schedule-upgrade", "排定升級"),
    ("resolve", "決議文"),
    ("cancel-upgrade", "取消升級"),
];

/// Status of an upgrade, from code 1.
pub(crate) const UPGRADE_STATUS: [Pair; 4] = [
    ("waiting", "待生效"),
    ("active", "已生效"),
    ("cancelled", "已取消"),
    ("lapsed", "未生效"),
];

/// Why an upgrade did not take effect, from code 1.
pub(crate) const UPGRADE_LAPSES: [Pair; 3] = [
    ("too little power was ready", "就緒的投票權不足"),
    ("the code was no longer there", "程式碼已變更"),
    ("its height had passed", "已逾其高度"),
];

/// Status of a digest algorithm, from code 1.
pub(crate) const ALGORITHM_STATUS: [Pair; 3] = [
    ("active", "有效"),
    ("deprecated", "淘汰"),
    ("revoked", "廢止"),
];

/// Status of another chain's record, from code 1.
pub(crate) const CHAIN_STATUS: [Pair; 2] = [("active", "有效"), ("retired", "停用")];

/// Of a client of another chain.
pub(crate) const CLIENT_STATUS: [Pair; 4] = [
    ("active", "有效"),
    ("expired", "逾期"),
    ("frozen", "凍結"),
    ("retired", "停用"),
];

/// Keys of a node, from code 1.
pub(crate) const KEY_USES: [Pair; 3] = [
    ("peer key", "節點身分金鑰"),
    ("validator key", "驗證者金鑰"),
    ("log key", "日誌金鑰"),
];

/// What was signed twice, from code 1.
pub(crate) const OFFENCES: [Pair; 2] = [("two votes", "兩份投票"), ("two proposals", "兩份提案")];

/// The word for a code that counts from 1.
pub(crate) fn word(list: &[Pair], code: u64, lang: Language) -> String {
    let index = usize::try_from(code)
        .ok()
        .and_then(|code| code.checked_sub(1));
    match index.and_then(|index| list.get(index)) {
        Some((en, zh_tw)) => lang.pick(*en, *zh_tw).into(),
        None => lang.pick(format!("code {code}"), format!("代碼 {code}")),
    }
}

/// The code of a word as it is typed.
pub(crate) fn code_of(list: &[Pair], text: &str) -> Result<u8, String> {
    let found = (1u8..).zip(list).find(|(_, words)| words.0 == text);
    found.map(|(code, _)| code).ok_or_else(|| {
        let words: Vec<&str> = list.iter().map(|words| words.0).collect();
        format!("use one of {}", words.join(", "))
    })
}

const PERMISSIONS_ZH_TW: [&str; 6] = ["傳送", "部署", "存證", "轉送", "管理", "表決"];

/// Permissions by name.
pub(crate) fn permissions(bits: u32, lang: Language) -> String {
    let named = Permissions::NAMES.iter().zip(PERMISSIONS_ZH_TW);
    let held = named.filter(|((bit, _), _)| bits & bit.0 != 0);
    let held: Vec<&str> = held.map(|((_, en), zh_tw)| lang.pick(*en, zh_tw)).collect();
    if held.is_empty() {
        return lang.pick("nothing", "無").into();
    }
    held.join(lang.pick(", ", "、"))
}

/// Permissions as `--permissions` takes them, in every language.
pub(crate) fn permissions_argument(bits: u32) -> String {
    match bits {
        0 => "none".into(),
        bits => permissions(bits, Language::En).replace(", ", ","),
    }
}

/// Gas or leaves of a quota.
pub(crate) fn amount(amount: u64, lang: Language) -> String {
    if amount == UNLIMITED {
        return lang.pick("unlimited", "不限").into();
    }
    amount.to_string()
}

/// Seconds since 1970, as people read them: UTC, or in Taipei.
pub(crate) fn time(seconds: u64, lang: Language) -> String {
    let times = Times::of(TimestampMs(seconds.saturating_mul(1_000)));
    lang.pick(times.utc, times.taipei)
}

/// An address, or that there is none.
pub(crate) fn address(address: Address) -> Option<Address> {
    (address != Address::ZERO).then_some(address)
}

/// Before and after; just one of them if nothing changes.
pub(crate) fn change(before: &str, after: &str) -> String {
    if before == after {
        return after.into();
    }
    format!("{before} → {after}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tbsi_governance::motions::Act;

    #[test]
    fn every_kind_of_motion_has_its_word() {
        let plain = |name: &str| name.replace('-', "").to_lowercase();
        for (number, (typed, _)) in (1u8..).zip(MOTION_KINDS) {
            let name = Act::kind_name(number).unwrap().to_lowercase();
            let typed = plain(typed).replace("setpermissions", "setorganisationpermissions");
            assert_eq!(typed, name);
        }
        assert_eq!(Act::kind_name(20), None);
    }

    #[test]
    fn codes_beyond_the_list_are_shown_as_numbers() {
        assert_eq!(word(&CHOICES, 1, Language::En), "yes");
        assert_eq!(word(&CHOICES, 4, Language::ZhTw), "利益迴避");
        assert_eq!(word(&CHOICES, 0, Language::En), "code 0");
        assert_eq!(word(&CHOICES, 5, Language::ZhTw), "代碼 5");
        assert_eq!(code_of(&CHOICES, "abstain"), Ok(3));
        assert!(code_of(&CHOICES, "maybe").is_err());
        assert_eq!(permissions(37, Language::En), "send, attest, vote");
        assert_eq!(permissions(0, Language::ZhTw), "無");
    }
}
