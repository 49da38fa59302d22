//! Errors of the attestation contract that a motion or an issuer can meet.

use super::{Sentence, says};

pub(super) const SENTENCES: &[Sentence] = &[
    says(
        "AttestationsNotGovernor(address,address)",
        "only motions ({0}) set algorithms, not {1}",
        "只有動議（{0}）可設定演算法，{1} 不行",
    ),
    says(
        "AttestationsAlgorithmReserved(uint32)",
        "algorithm {0:hex} is reserved and cannot be set",
        "演算法 {0:hex} 為保留代碼，不能設定",
    ),
    says(
        "AttestationsBitsFixed(uint32,uint16,uint16)",
        "algorithm {0:hex} has {1} bits, which cannot become {2}",
        "演算法 {0:hex} 為 {1} 位元，不能改為 {2}",
    ),
    says(
        "AttestationsBitsOutOfRange(uint16,uint16,uint16)",
        "{2} bits are outside {0} to {1}",
        "{2} 位元不在 {0} 至 {1} 之間",
    ),
    says(
        "AttestationsStatusOutOfRange(uint8,uint8)",
        "there is no status {1} of an algorithm; they are 1 to {0}",
        "演算法沒有狀態 {1}；狀態為 1 至 {0}",
    ),
    says(
        "AttestationsTooManyAlgorithms(uint256)",
        "there are {0} algorithms, the most that are allowed",
        "演算法已達上限 {0} 種",
    ),
    says(
        "AttestationsUnknownSchema(bytes32)",
        "schema {0} is unknown on this network; `tbsi schema register` registers one",
        "此網路沒有綱要 {0}；可用 `tbsi schema register` 登錄",
    ),
    says(
        "AttestationsSchemaExists(bytes32)",
        "this account has registered this very schema already: {0}; use it",
        "此帳戶已登錄過相同的綱要 {0}；直接使用即可",
    ),
    says(
        "AttestationsNoTextHash()",
        "a schema needs the SHA-256 of its text",
        "綱要須有文字的 SHA-256",
    ),
    says(
        "AttestationsCommitsToOutOfRange(uint8,uint8)",
        "digests cannot commit to kind {1}; kinds are 1 to {0}",
        "摘要對象沒有種類 {1}；種類為 1 至 {0}",
    ),
    says(
        "AttestationsAlreadyRevoked(bytes32,uint64)",
        "attestation {0} was revoked at {1:time}, and that is for ever",
        "存證 {0} 已於 {1:time} 撤銷，且無法恢復",
    ),
    says(
        "AttestationsAlreadySuperseded(bytes32,bytes32)",
        "attestation {0} has a successor already, {1}, and that is for ever",
        "存證 {0} 已有取代者 {1}，且無法變更",
    ),
    says(
        "AttestationsSuccessorInvalid(bytes32)",
        "{0} cannot take its place: it is the attestation itself, or superseded by you too",
        "{0} 不能取代它：那是存證本身，或已被您取代",
    ),
    says(
        "AttestationsNotIssuer(address,address)",
        "only the issuer {0} may, not {1}; if that is 0x0000000000000000000000000000000000000000, \
         it was attested in a batch: attest it with `tbsi attest --alone --again`",
        "只有簽發者 {0} 可以，{1} 不行；若前者為 0x0000000000000000000000000000000000000000，\
         表示它是批次存證的：請用 `tbsi attest --alone --again` 再存證",
    ),
    says(
        "AttestationsCountersigningExists(bytes32)",
        "the parties of {0} were asked to sign before; that is done once",
        "{0} 已邀請過當事人會簽，只能邀請一次",
    ),
    says(
        "AttestationsUnknownCountersigning(bytes32)",
        "the issuer has not asked anybody to sign {0}; `tbsi countersign open` does",
        "簽發者尚未邀請會簽 {0}；可用 `tbsi countersign open`",
    ),
    says(
        "AttestationsPartiesOutOfRange(uint256,uint256)",
        "{1} parties were given, 1 to {0} are allowed",
        "給了 {1} 位當事人，須為 1 至 {0} 位",
    ),
    says(
        "AttestationsPartiesNotAscending(uint256)",
        "party {0} is given twice, or is nobody",
        "第 {0} 位當事人重複，或為零位址",
    ),
    says(
        "AttestationsThresholdOutOfRange(uint256,uint256)",
        "the threshold is {1}; it has to be 1 to the number of parties, {0}",
        "門檻為 {1}，須為 1 至當事人數 {0}",
    ),
    says(
        "AttestationsDeadlinePassed(uint64,uint256)",
        "the deadline was {0:time}, it is {1:time}",
        "期限為 {0:time}，現在是 {1:time}",
    ),
    says(
        "AttestationsNotParty(bytes32,address)",
        "{1} was not asked to sign {0}",
        "{1} 並未受邀會簽 {0}",
    ),
    says(
        "AttestationsAlreadyCountersigned(bytes32,address)",
        "{1} has signed {0} before",
        "{1} 已會簽過 {0}",
    ),
];
