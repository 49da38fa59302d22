//! Errors of the attestation contract that a motion can meet.

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
];
