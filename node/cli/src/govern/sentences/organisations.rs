//! Errors of the contract of organisations.

use super::{Sentence, says};

pub(super) const SENTENCES: &[Sentence] = &[
    says(
        "OrganisationsUnknown(uint32)",
        "there is no organisation {0}; `tbsi org list` shows them",
        "沒有編號 {0} 的機構；`tbsi org list` 可列出",
    ),
    says(
        "OrganisationsStatus(uint32,uint8)",
        "{0:organisation} is {1:organisation-status}, which does not allow this",
        "{0:organisation}目前為「{1:organisation-status}」，不能如此操作",
    ),
    says(
        "OrganisationsKindOutOfRange(uint8,uint8)",
        "there is no kind {1} of organisations; kinds are 1 to {0}",
        "沒有第 {1} 種機構；種類為 1 至 {0}",
    ),
    says(
        "OrganisationsTaxIdInvalid(string)",
        "`{0}` is no 統一編號: it has 8 digits and a check digit, which must fit",
        "「{0}」不是有效的統一編號：應為 8 碼數字且檢查碼相符",
    ),
    says(
        "OrganisationsLeiInvalid(string)",
        "`{0}` is no LEI: it has 20 characters, the last two of which must fit",
        "「{0}」不是有效的 LEI：應為 20 字元且末兩碼檢查碼相符",
    ),
    says(
        "OrganisationsJurisdictionInvalid(string)",
        "`{0}` is no jurisdiction: give two upper-case letters (ISO 3166-1 alpha-2)",
        "「{0}」不是司法管轄區代碼：請給兩個大寫字母（ISO 3166-1 alpha-2）",
    ),
    says(
        "OrganisationsNoIdentifier(string)",
        "an organisation of {0} needs an identifier: in TW its 統一編號, elsewhere that or an LEI",
        "{0} 的機構必須有識別碼：TW 為統一編號，其他地區為統一編號或 LEI",
    ),
    says(
        "OrganisationsIdentifierTaken(string,uint32)",
        "the identifier {0} belongs to {1:organisation}",
        "識別碼 {0} 已屬於{1:organisation}",
    ),
    says(
        "OrganisationsNoAgreement()",
        "the hash of the agreement is missing; give the SHA-256 of the agreement it signed",
        "缺少協議的雜湊；請提供所簽協議的 SHA-256",
    ),
    says(
        "OrganisationsVotesFixed(uint32)",
        "whether {0:organisation} has a vote was settled when it joined, and cannot change",
        "{0:organisation}有無表決權在加入時即已確定，不能變更",
    ),
    says(
        "OrganisationsTooFewVoters(uint256,uint256)",
        "{1} organisations with a vote would be left, at least {0} must stay",
        "有表決權的機構將只剩 {1} 個，至少須保留 {0} 個",
    ),
    says(
        "OrganisationsTooManySuspended(uint256,uint256)",
        "of {0} organisations with a vote only {1} would be active, less than three quarters; reinstate or remove one that is suspended first",
        "{0} 個有表決權的機構中將只有 {1} 個有效，不足四分之三；請先復權或除名一個停權中的機構",
    ),
    says(
        "OrganisationsNoRecord(uint32,uint256,uint256)",
        "organisation {0} has had {1} legal records; there is no position {2}, the first is 0",
        "機構 {0} 共有 {1} 筆法定紀錄；沒有第 {2} 筆，第一筆為 0",
    ),
    says(
        "OrganisationsTooMany(uint256)",
        "the register is full: it holds {0} organisations",
        "登記簿已滿：上限為 {0} 個機構",
    ),
];
