//! Errors of the contract of nodes, and of the validator set in it.

use super::{Sentence, says};

pub(super) const SENTENCES: &[Sentence] = &[
    says(
        "NodesUnknown(uint32)",
        "there is no node {0}; `tbsi operator list` shows them",
        "沒有編號 {0} 的節點；`tbsi operator list` 可列出",
    ),
    says(
        "NodesRetired(uint32)",
        "node {0} is out of use for ever; register a new one",
        "編號 {0} 的節點已永久停用；請登記新節點",
    ),
    says(
        "NodesNotOperator(uint32,uint32)",
        "the node belongs to {0:organisation}; the account belongs to: {1:organisation}",
        "該節點屬於{0:organisation}；此帳戶屬於：{1:organisation}",
    ),
    says(
        "NodesOrganisationNotActive(uint32)",
        "{0:organisation} is not active, so it can have no node in use",
        "{0:organisation}並非有效，不能有使用中的節點",
    ),
    says(
        "NodesNameTaken(string,uint32)",
        "the name `{0}` belongs to node {1}, for ever; choose another",
        "名稱「{0}」已屬於編號 {1} 的節點，不得再用；請另選名稱",
    ),
    says(
        "NodesKeyUsed(bytes32,uint32)",
        "the key {0} belongs, or belonged, to node {1}; a key is never used twice: make a new one",
        "金鑰 {0} 屬於或曾屬於編號 {1} 的節點；金鑰不得重複使用，請另產生",
    ),
    says(
        "NodesKeyInvalid(bytes32,bytes32)",
        "({0}, {1}) is no public key of secp256k1",
        "（{0}, {1}）不是 secp256k1 公鑰",
    ),
    says(
        "NodesKeyMissing(uint8)",
        "the {0:key} is missing",
        "缺少{0:key}",
    ),
    says(
        "NodesPossessionInvalid(uint8)",
        "the proof that you have the {0:key} is wrong: it is signed with another key, for another network, or for another organisation",
        "{0:key}的持有證明不正確：以其他金鑰簽署，或屬於其他網路或機構",
    ),
    says(
        "NodesPossessionExpired(uint64,uint256)",
        "the proof of possession was valid until {0:time}, and it is {1:time}: sign again",
        "持有證明的效期至 {0:time}，現在是 {1:time}：請重新簽署",
    ),
    says(
        "Ed25519Unavailable()",
        "this chain's nodes lack the precompile for Ed25519",
        "此鏈的節點缺少 Ed25519 預編譯合約",
    ),
    says(
        "NodesGenesisNotBound()",
        "the chain has no block 1 yet; wait for it",
        "此鏈尚未產生區塊 1；請稍候",
    ),
    says(
        "NodesGenesisAlreadyBound(uint256)",
        "the genesis hash was settled in block 1; this is block {0}",
        "創世檔雜湊已在區塊 1 確定；現在是區塊 {0}",
    ),
    says(
        "NodesTooMany(uint32,uint256)",
        "at most {1} nodes can be in use ({0:organisation}; the last places of all are for the first node of an organisation); retire one first",
        "使用中的節點最多 {1} 個（{0:organisation}；總數中最後的名額保留給各機構的第一個節點）；請先停用一個",
    ),
    says(
        "NodesRotatedRecently(uint256)",
        "another key waits for the end of the epoch; wait until {0:time}, or remove the validator by motion",
        "已有另一把金鑰等待本期結束；請等到 {0:time}，或以動議移除該驗證者",
    ),
    says(
        "NodesOverlapTooLong(uint256,uint256)",
        "the old peer key may stay for at most {0} s, not {1} s",
        "舊節點身分金鑰最多保留 {0} 秒，{1} 秒過長",
    ),
    says(
        "NodesPowerZero()",
        "a validator needs a voting power of at least 1",
        "驗證者的投票權至少為 1",
    ),
    says(
        "NodesNotValidator(uint32)",
        "node {0} is not in the validator set, or not suspended where that is asked for",
        "編號 {0} 的節點不在驗證者集合中，或並未停權",
    ),
    says(
        "NodesStillValidator(uint32)",
        "node {0} is in the validator set; a motion has to remove the validator first",
        "編號 {0} 的節點仍在驗證者集合中；須先以動議移除",
    ),
    says(
        "NodesSuspended(uint32)",
        "node {0} is suspended for equivocation; a motion has to reinstate the validator first",
        "編號 {0} 的節點因雙重簽署而停權；須先以動議恢復",
    ),
    says(
        "NodesEvidenceKind(uint8)",
        "there is no kind {0} of evidence",
        "沒有第 {0} 種證據",
    ),
    says(
        "NodesEvidenceLength(uint256,uint256)",
        "the evidence has {1} bytes, {0} are expected",
        "證據為 {1} 位元組，應為 {0}",
    ),
    says(
        "NodesEvidenceStatement()",
        "the evidence holds a statement that no node signs",
        "證據中有節點不會簽署的陳述",
    ),
    says(
        "NodesEvidenceNoContradiction()",
        "the two statements of the evidence do not contradict each other",
        "證據中的兩份陳述並不矛盾",
    ),
    says(
        "NodesEvidenceSignature(uint8)",
        "statement {0} of the evidence is not signed by the accused",
        "證據中的第 {0} 份陳述並非被指控者所簽",
    ),
    says(
        "NodesEvidenceNotValidator(address,uint64)",
        "{0} was not in the validator set at height {1}",
        "{0} 在高度 {1} 不在驗證者集合中",
    ),
    says(
        "NodesEvidenceKnown(address,uint64,uint32)",
        "the equivocation of {0} at height {1}, round {2} is on record already",
        "{0} 在高度 {1} 第 {2} 輪的雙重簽署已有紀錄",
    ),
    says(
        "SetTooSmall(uint256,uint256)",
        "rule of the validator set: {1} validators would be left, at least {0} must stay",
        "驗證者集合規則：將只剩 {1} 個驗證者，至少須保留 {0} 個",
    ),
    says(
        "SetTooLarge(uint256,uint256)",
        "rule of the validator set: there would be {1} validators, at most {0} are allowed",
        "驗證者集合規則：將有 {1} 個驗證者，最多 {0} 個",
    ),
    says(
        "SetPowerTooHigh(uint256,uint256)",
        "rule of the validator set: the total voting power would be {1}, at most {0} is allowed",
        "驗證者集合規則：總投票權將為 {1}，最多 {0}",
    ),
    says(
        "SetShareTooHigh(uint32,uint256,uint256)",
        "rule of the validator set: {0:organisation} would have {1} of {2} voting power, more than a third",
        "驗證者集合規則：{0:organisation}將有總投票權 {2} 中的 {1}，超過三分之一",
    ),
    says(
        "SetDuplicateKey(address)",
        "rule of the validator set: the key of {0} is in it already",
        "驗證者集合規則：{0} 的金鑰已在集合中",
    ),
];
