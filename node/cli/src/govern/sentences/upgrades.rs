//! Errors of the contract of upgrades.

use super::{Sentence, says};

pub(super) const SENTENCES: &[Sentence] = &[
    says(
        "UpgradesUnknown(uint32)",
        "there is no upgrade {0}; `tbsi upgrade status` shows them",
        "沒有第 {0} 次升級；`tbsi upgrade status` 可列出",
    ),
    says(
        "UpgradesArgumentsNotCanonical()",
        "the upgrade's arguments are not encoded canonically; use `tbsi upgrade plan`",
        "升級參數不是標準編碼；請使用 `tbsi upgrade plan`",
    ),
    says(
        "UpgradesNoHash()",
        "the hash of the upgrade's name is zero; give a name",
        "升級名稱的雜湊為零；請提供名稱",
    ),
    says(
        "UpgradesTooNear(uint256,uint64)",
        "height {1} of the upgrade is past or too near for operators; give {0} or more",
        "升級高度 {1} 已過或太近，營運者來不及準備；請給 {0} 以上的高度",
    ),
    says(
        "UpgradesVersionTooLow(uint32,uint32)",
        "protocol version {1} is too low: versions do not go back, and what was declared is not taken back; give {0} or more",
        "協定版本 {1} 太低：版本不能倒退，已宣告者不能收回；請給 {0} 以上",
    ),
    says(
        "UpgradesVersionTooHigh(uint32,uint32)",
        "protocol version {1} is far above the one in force; give {0} or less",
        "協定版本 {1} 遠高於目前版本；請給 {0} 以下",
    ),
    says(
        "UpgradesNothingChanges()",
        "the upgrade changes nothing: give another protocol version, a --set or a --replace",
        "此次升級沒有任何變更：請給其他協定版本、--set 或 --replace",
    ),
    says(
        "UpgradesParameterUnknown(uint8,uint8)",
        "there is no parameter {1}; parameters are 1 to {0}",
        "沒有參數 {1}；參數為 1 至 {0}",
    ),
    says(
        "UpgradesOutOfOrder(string,uint256)",
        "{0}: entry {1} is named twice or out of order",
        "{0}：第 {1} 項重複或順序不對",
    ),
    says(
        "UpgradesValueOutOfRange(uint8,uint64,uint64,uint64)",
        "{0:parameter} of {3} is outside {1} to {2}",
        "{0:parameter} 須為 {1} 至 {2}，{3} 不在範圍內",
    ),
    says(
        "UpgradesNotSystem(address)",
        "{0} is no contract of the genesis file; only those get other code",
        "{0} 不是創世檔的合約；只有這些合約能更換程式碼",
    ),
    says(
        "UpgradesCodeHash(address,bytes32,bytes32)",
        "the code of {0} has the hash {2}, expected was {1}; deploy the code that was decided on",
        "{0} 的程式碼雜湊為 {2}，應為 {1}；請部署經決定的程式碼",
    ),
    says(
        "UpgradesCodeUnfit(address,uint256,uint256)",
        "{0} has {2} bytes of code; a contract has 1 to {1}, which do not begin with 0xef",
        "{0} 的程式碼為 {2} 位元組；合約應為 1 至 {1} 位元組，且不以 0xef 開頭",
    ),
    says(
        "UpgradesCodeUnchanged(address)",
        "{0} has this code already",
        "{0} 的程式碼本來就是這一份",
    ),
    says(
        "UpgradesOneAtATime(uint32,uint64)",
        "upgrade {0} waits for height {1}; wait until it is settled, or propose `tbsi upgrade cancel`",
        "第 {0} 次升級正等待高度 {1}；請待其有結果，或提出 `tbsi upgrade cancel`",
    ),
    says(
        "UpgradesNotScheduled(uint32)",
        "upgrade {0} does not wait for its height; `tbsi upgrade status` shows which does",
        "第 {0} 次升級並未在等待；`tbsi upgrade status` 可查詢",
    ),
    says(
        "UpgradesNotDue(uint64,uint256)",
        "no upgrade is due with block {1}; the next one is of height {0}",
        "區塊 {1} 沒有到期的升級；下一次為高度 {0}",
    ),
    says(
        "UpgradesNotOperator(uint32,uint32)",
        "only administrators of {0:organisation} declare for this node; the account belongs to: {1:organisation}",
        "只有{0:organisation}的管理者可為此節點宣告；此帳戶屬於：{1:organisation}",
    ),
    says(
        "UpgradesNodeRetired(uint32)",
        "node {0} is out of use",
        "節點 {0} 已停用",
    ),
    says(
        "UpgradesDeclarationsClosed(uint64,uint256)",
        "in the last 20 blocks before the upgrade at height {0} nothing is declared; this is block {1}: declare after it",
        "高度 {0} 升級前的最後 20 個區塊不接受宣告，目前為區塊 {1}；請於升級後再宣告",
    ),
];
