//! Errors of the contract of authorisations.

use super::{Sentence, says};

pub(super) const SENTENCES: &[Sentence] = &[
    says(
        "AuthorisationsUnknown(uint32)",
        "there is no authorisation {0}; `tbsi consent list` shows them",
        "沒有編號 {0} 的授權；`tbsi consent list` 可列出",
    ),
    says(
        "AuthorisationsNotParty(uint32,uint32)",
        "that is for {0:organisation} to do; the account belongs to: {1:organisation}",
        "這須由{0:organisation}進行；此帳戶屬於：{1:organisation}",
    ),
    says(
        "AuthorisationsSameParty(uint32)",
        "{0:organisation} needs no authorisation for a data set of its own",
        "{0:organisation}使用自己的資料集不需要授權",
    ),
    says(
        "AuthorisationsGranteeNotActive(uint32)",
        "{0:organisation} is not active, so nothing can be offered to it",
        "{0:organisation}並非有效機構，無法向其提出授權",
    ),
    says(
        "AuthorisationsStatus(uint32,uint8)",
        "authorisation {0} is {1:authorisation-status}: that cannot be done. What was revoked never \
         comes back; grant anew",
        "授權 {0} 的狀態為「{1:authorisation-status}」，無法進行。撤銷後不能恢復；請重新授權",
    ),
    says(
        "AuthorisationsOver(uint32,uint64,uint256)",
        "authorisation {0} was until {1:time}, it is {2:time}; grant anew",
        "授權 {0} 至 {1:time} 為止，現在是 {2:time}；請重新授權",
    ),
    says(
        "AuthorisationsDigestZero(string)",
        "`{0}` is zero; give the digest",
        "「{0}」為零；請提供摘要",
    ),
    says(
        "AuthorisationsPurposesOutOfRange(uint256,uint256)",
        "there are {1} purposes; give 1 to {0}",
        "有 {1} 個目的；須為 1 至 {0} 個",
    ),
    says(
        "AuthorisationsPurposesNotAscending(uint256)",
        "purpose {0}, counted from 0, is zero, there twice or out of order",
        "第 {0} 個目的（自 0 起算）為零、重複或未依序排列",
    ),
    says(
        "AuthorisationsTimesOutOfRange(uint64,uint64,uint256,uint64)",
        "from {0:time} to {1:time} is no time that can be given at {2:time}: it must end after it \
         begins and after now, and last at most {3} s",
        "自 {0:time} 至 {1:time} 不是 {2:time} 可授權的期間：結束須晚於開始與現在，且最長 {3} 秒",
    ),
    says(
        "AuthorisationsNotNarrower(uint32)",
        "that is not less than authorisation {0} allows; `tbsi consent extend` offers more",
        "這並未小於授權 {0} 的範圍；要擴大請用 `tbsi consent extend`",
    ),
    says(
        "AuthorisationsNotWider(uint32)",
        "that is not more than authorisation {0} allows; `tbsi consent narrow` takes away",
        "這並未大於授權 {0} 的範圍；要縮小請用 `tbsi consent narrow`",
    ),
    says(
        "AuthorisationsNoOffer(uint32)",
        "nothing is offered by authorisation {0} any more",
        "授權 {0} 已沒有待接受的條件",
    ),
    says(
        "AuthorisationsOtherOffer(bytes32,bytes32)",
        "other terms are offered by now ({0}) than those that you read ({1}); read them again",
        "目前提出的條件（{0}）與您所讀的（{1}）不同；請重新閱讀",
    ),
    says(
        "AuthorisationsTooManyVersions(uint256)",
        "the authorisation has had {0} terms, the most that are allowed; grant anew",
        "此授權已有 {0} 版條件，達到上限；請重新授權",
    ),
    says(
        "AuthorisationsNotNow(uint32,uint64,uint64,uint256)",
        "authorisation {0} is from {1:time} to before {2:time}; it is {3:time}",
        "授權 {0} 的期間為 {1:time} 至 {2:time} 之前；現在是 {3:time}",
    ),
    says(
        "AuthorisationsOtherPurpose(uint32,bytes32)",
        "authorisation {0} is not for purpose {1}",
        "授權 {0} 不包括目的 {1}",
    ),
    says(
        "AuthorisationsNoVersion(uint32,uint256,uint256)",
        "authorisation {0} has had {1} terms, there is none of number {2}",
        "授權 {0} 有 {1} 版條件，沒有第 {2} 版",
    ),
    says(
        "AuthorisationsArgumentsNotCanonical()",
        "the call has surplus or misplaced bytes",
        "呼叫資料有多餘或錯置的位元組",
    ),
];
