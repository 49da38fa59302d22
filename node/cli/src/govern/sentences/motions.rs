//! Errors of the contract of motions.

use super::{Sentence, says};

pub(super) const SENTENCES: &[Sentence] = &[
    says(
        "MotionsUnknown(uint32)",
        "there is no motion {0}; `tbsi motion list` shows them",
        "沒有第 {0} 號動議；`tbsi motion list` 可列出",
    ),
    says(
        "MotionsKindOutOfRange(uint8,uint8)",
        "there is no kind {1} of motions; kinds are 1 to {0}",
        "沒有第 {1} 種動議；種類為 1 至 {0}",
    ),
    says(
        "MotionsArgumentsLength(uint256,uint256)",
        "the motion's arguments have {1} bytes, {0} are expected; shorten its texts",
        "動議參數為 {1} 位元組，應為 {0}；請縮短其中的文字",
    ),
    says(
        "MotionsArgumentsNotCanonical()",
        "the motion's arguments are not encoded canonically; use `tbsi motion propose`",
        "動議參數不是標準編碼；請使用 `tbsi motion propose`",
    ),
    says(
        "MotionsStatus(uint32,uint8)",
        "motion {0} is {1:motion-status}, which does not allow this",
        "第 {0} 號動議目前為「{1:motion-status}」，不能如此操作",
    ),
    says(
        "MotionsNoVote(uint32)",
        "{0:organisation} has no vote on this motion: it has none at all, is not active, or became active after the motion",
        "{0:organisation}對此動議沒有表決權：本無表決權、目前並非有效，或在動議提出之後才生效",
    ),
    says(
        "MotionsAlreadyVoted(uint32,uint32)",
        "{1:organisation} has voted on motion {0}; a vote is final",
        "{1:organisation}已就第 {0} 號動議表決；表決後不得變更",
    ),
    says(
        "MotionsConflict(uint32)",
        "the motion is about {0:organisation}, which may only abstain: `tbsi motion vote N conflict`",
        "此動議涉及{0:organisation}，只能迴避：`tbsi motion vote N conflict`",
    ),
    says(
        "MotionsChoiceOutOfRange(uint8,uint8)",
        "there is no choice {1}; choices are 1 to {0}",
        "沒有選項 {1}；選項為 1 至 {0}",
    ),
    says(
        "MotionsNotProposer(uint32,uint32)",
        "only {0:organisation}, which proposed the motion, can withdraw it; the account belongs to: {1:organisation}",
        "只有提案的{0:organisation}可以撤回動議；此帳戶屬於：{1:organisation}",
    ),
    says(
        "MotionsSuspensionAfterAnother(uint32,uint256)",
        "{0:organisation} was suspended by the rule for suspensions, and is so still or was it within 30 days, until {1:time}; propose this one again: it then needs what a removal needs",
        "{0:organisation}已依停權規則停權，且仍在停權中或未滿 30 天（至 {1:time}）；請重新提出本動議，其門檻將與除名相同",
    ),
    says(
        "MotionsTooManyOpen(uint256)",
        "the organisation has {0} motions that are not over; withdraw one, or wait until one is over",
        "該機構尚有 {0} 件未結束的動議；請撤回其中一件，或等待其結束",
    ),
    says(
        "MotionsNobodyMayVote()",
        "no organisation would be left to vote on this motion",
        "沒有任何機構可就此動議表決",
    ),
    says(
        "MotionsQuorumOutOfRange(uint16,uint16)",
        "the quorum {0}/{1} must be above 0 and at most 1",
        "出席門檻 {0}/{1} 必須大於 0 且不超過 1",
    ),
    says(
        "MotionsThresholdOutOfRange(uint16,uint16)",
        "the threshold {0}/{1} must be at least 1/2 and below 1",
        "同意門檻 {0}/{1} 必須至少 1/2 且小於 1",
    ),
    says(
        "MotionsTimeOutOfRange(uint256,uint256,uint256)",
        "{2} s is outside {0} to {1} s for a voting period, delay or window",
        "表決期間、等待期間或執行期間須為 {0} 至 {1} 秒，{2} 秒不在範圍內",
    ),
    says(
        "MotionsNoHash()",
        "the hash is zero; give the SHA-256 of the text",
        "雜湊為零；請提供文件的 SHA-256",
    ),
    says(
        "MotionsRuleCount(uint256,uint256)",
        "{1} rules were given for {0} kinds of motions",
        "動議共有 {0} 種，卻給了 {1} 項規則",
    ),
    says(
        "MotionsRehearsed()",
        "the rehearsal found nothing wrong",
        "預演未發現問題",
    ),
];
