//! Errors that several contracts have, and those of other chains' records.

use super::{Sentence, says};

pub(super) const SENTENCES: &[Sentence] = &[
    says(
        "ChainsUnknown(uint32)",
        "there is no chain {0}; `tbsi org chains` shows them",
        "沒有編號 {0} 的鏈；`tbsi org chains` 可列出",
    ),
    says(
        "ChainsIdInvalid(string)",
        "`{0}` is no CAIP-2 chain id, such as eip155:1",
        "「{0}」不是 CAIP-2 鏈識別碼，例如 eip155:1",
    ),
    says(
        "ChainsIdTaken(string,uint32)",
        "the id {0} belongs to chain {1}; if that is wrong, a motion can correct it",
        "識別碼 {0} 已屬於編號 {1} 的鏈；若有誤，可用動議更正",
    ),
    says(
        "ChainsNotOperator(uint32,uint32)",
        "the chain is run by {0:organisation}; the account belongs to: {1:organisation}",
        "該鏈由{0:organisation}營運；此帳戶屬於：{1:organisation}",
    ),
    says(
        "ChainsStatusOutOfRange(uint8,uint8)",
        "there is no status {1} of a chain; they are 1 to {0}",
        "鏈沒有狀態 {1}；狀態為 1 至 {0}",
    ),
    says(
        "ChainsOperatorNotActive(uint32)",
        "{0:organisation} is not active, so it can run no chain",
        "{0:organisation}並非有效，不能營運鏈",
    ),
    says(
        "ChainsTooMany(uint256)",
        "there are {0} records of chains, the most that are allowed; retire one first",
        "鏈紀錄已達上限 {0} 筆；請先停用一筆",
    ),
    says(
        "SystemCallerRefused(address,address)",
        "only {0} may do this, not {1}: it takes a motion, or the chain does it by itself",
        "只有 {0} 可以這麼做，{1} 不行：須經動議，或由鏈自行執行",
    ),
    says(
        "SystemFoundingIsOver(uint256)",
        "this is for block 0 only; this is block {0}",
        "僅限區塊 0；現在是區塊 {0}",
    ),
    says(
        "SystemReasonOutOfRange(uint16,uint16)",
        "there is no reason {1}; reasons are 1 to {0}",
        "沒有理由代碼 {1}；代碼為 1 至 {0}",
    ),
    says(
        "SystemPageTooLong(uint256,uint256)",
        "{1} entries were asked for at once, at most {0} are allowed",
        "一次要求 {1} 筆，最多 {0} 筆",
    ),
    says(
        "TextsLengthOutOfRange(string,uint256,uint256,uint256)",
        "{0} has {3} bytes, {1} to {2} are allowed",
        "{0} 為 {3} 位元組，允許 {1} 至 {2}",
    ),
    says(
        "TextsNotChinese(string)",
        "{0} has no Chinese character; leave it empty if there is no Chinese name",
        "{0} 沒有中文字；若無中文名稱請留空",
    ),
    says(
        "TextsCharacterRefused(string,uint256)",
        "{0} has a character at byte {1} that is not allowed there: a URL is https:// and printable \
         ASCII, other fields are in SPEC 13",
        "{0} 的第 {1} 個位元組有不允許的字元：網址須以 https:// 開頭且為可列印的 ASCII，其他欄位見 \
         SPEC 13",
    ),
    says(
        "AddressEmptyCode(address)",
        "there is no contract at {0}",
        "{0} 沒有合約",
    ),
    says(
        "FailedCall()",
        "the call of the motion failed without a reason",
        "動議的呼叫失敗，沒有說明原因",
    ),
    says(
        "InsufficientBalance(uint256,uint256)",
        "the contract has {0}, it would need {1}",
        "合約餘額為 {0}，需要 {1}",
    ),
];
