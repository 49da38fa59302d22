//! Errors of the contract of permissions.

use super::{Sentence, says};

pub(super) const SENTENCES: &[Sentence] = &[
    says(
        "PermissionsMissing(address,uint32)",
        "account {0} lacks the permission: {1:permissions}; an administrator of its organisation can grant it: `tbsi org add-account`",
        "帳戶 {0} 缺少權限：{1:permissions}；可由所屬機構的管理者以 `tbsi org add-account` 授予",
    ),
    says(
        "PermissionsOrganisationNotActive(uint32,uint256)",
        "{0:organisation} is {1:organisation-status}, so its accounts may do nothing",
        "{0:organisation}目前為「{1:organisation-status}」，其帳戶沒有任何權限",
    ),
    says(
        "PermissionsUnknown(uint32,uint32)",
        "{1:hex} has bits that are no permission; all permissions together are {0:hex}",
        "{1:hex} 含有不是權限的位元；全部權限為 {0:hex}",
    ),
    says(
        "PermissionsNotAllowed(uint32,uint32,uint32)",
        "{0:organisation} may grant: {1:permissions}; asked for: {2:permissions}. A motion can give it more: `tbsi motion propose set-permissions`",
        "{0:organisation}可授予：{1:permissions}；要求的是：{2:permissions}。可用動議放寬：`tbsi motion propose set-permissions`",
    ),
    says(
        "PermissionsNone()",
        "no permission was given; `tbsi org withdraw-account` takes an account out",
        "未給任何權限；要移除帳戶請用 `tbsi org withdraw-account`",
    ),
    says(
        "PermissionsAccountTaken(address,uint32)",
        "account {0} belongs to {1:organisation}, which has to withdraw it first; or a motion takes it over: `tbsi motion propose set-account`",
        "帳戶 {0} 屬於{1:organisation}，須先由其移除；或以動議接管：`tbsi motion propose set-account`",
    ),
    says(
        "PermissionsConsentNeeded(address,uint32)",
        "{0} is no account of {1:organisation} yet, and joins by its own signature: `tbsi org consent` with its key, then --consent FILE",
        "{0} 還不是{1:organisation}的帳戶，須由其本身簽署加入：以其金鑰執行 `tbsi org consent`，再加上 --consent FILE",
    ),
    says(
        "PermissionsConsentExpired(uint64,uint256)",
        "the account's consent was good until {0:time}, and the block is of {1:time}; a new one is made by `tbsi org consent`",
        "帳戶的同意有效至 {0:time}，區塊時間為 {1:time}；請以 `tbsi org consent` 重新簽署",
    ),
    says(
        "PermissionsConsentInvalid(address,uint32,uint256)",
        "account {0} has not signed that it joins {1:organisation} so: other permissions, another chain, or a consent that was used (the next has the number {2}); a new one is made by `tbsi org consent`",
        "帳戶 {0} 未簽署以此加入{1:organisation}：權限不同、屬於另一條鏈，或同意書已用過（下一份的編號為 {2}）；請以 `tbsi org consent` 重新簽署",
    ),
    says(
        "PermissionsNotAccount(address,uint32)",
        "{0} is no account of {1:organisation}",
        "{0} 不是{1:organisation}的帳戶",
    ),
    says(
        "PermissionsLastAdministrator(uint32)",
        "{0:organisation} would lose its last administrator; make another account administrator first",
        "{0:organisation}將失去最後一個管理者；請先指定另一個管理帳戶",
    ),
    says(
        "PermissionsTooManyAccounts(uint256)",
        "an organisation can have at most {0} accounts; withdraw one first",
        "一個機構最多 {0} 個帳戶；請先移除一個",
    ),
    says(
        "PermissionsAccountReserved(address)",
        "nobody has the key of {0}, so it can be no account",
        "沒有人持有 {0} 的金鑰，不能作為帳戶",
    ),
    says(
        "PermissionsPeriodZero()",
        "a period needs at least 1 second",
        "週期至少 1 秒",
    ),
    says(
        "PermissionsLengths(uint256,uint256,uint256)",
        "the lists of a charge differ in length: {0}, {1}, {2}",
        "用量清單長度不一：{0}、{1}、{2}",
    ),
];
