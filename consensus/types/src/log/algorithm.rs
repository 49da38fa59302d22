//! Digest algorithms by multihash code, as far as the log's layout depends on them
//! (SPEC §9.4).

/// A digest algorithm that TBSI knows by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestAlgorithm {
    /// Multihash code.
    pub code: u32,
    /// Name in the multicodec table.
    pub name: &'static str,
    /// Length of its digests.
    pub bits: u16,
}

/// Those that the contract has from genesis, in order of their codes.
pub const ALGORITHMS: &[DigestAlgorithm] = &[
    known(0x12, "sha2-256", 256),
    known(0x13, "sha2-512", 512),
    known(0x14, "sha3-512", 512),
    known(0x15, "sha3-384", 384),
    known(0x16, "sha3-256", 256),
    known(0x1b, "keccak-256", 256),
    known(0x1c, "keccak-384", 384),
    known(0x1d, "keccak-512", 512),
    known(0x1e, "blake3", 256),
    known(0x20, "sha2-384", 384),
    known(0x1015, "sha2-512-256", 256),
    known(0x534d, "sm3-256", 256),
    known(0xb220, "blake2b-256", 256),
    known(0xb240, "blake2b-512", 512),
    known(0xb260, "blake2s-256", 256),
];

const fn known(code: u32, name: &'static str, bits: u16) -> DigestAlgorithm {
    DigestAlgorithm { code, name, bits }
}

/// The algorithm with this multihash code, if TBSI knows it by name.
pub fn by_code(code: u32) -> Option<&'static DigestAlgorithm> {
    ALGORITHMS.iter().find(|algorithm| algorithm.code == code)
}

/// The algorithm with this multicodec name.
pub fn by_name(name: &str) -> Option<&'static DigestAlgorithm> {
    ALGORITHMS.iter().find(|algorithm| algorithm.name == name)
}

/// 32-byte words that a digest takes: two for these codes, one for all others. A fixed rule,
/// because whoever reads an event has nothing but the code; the contract's table of algorithms
/// keeps to it (SPEC §9.4).
pub fn words_per_digest(code: u32) -> usize {
    match code {
        0x13..=0x15 | 0x1c | 0x1d | 0x20 | 0xb221..=0xb240 => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_fit_their_words() {
        for algorithm in ALGORITHMS {
            let words = words_per_digest(algorithm.code);
            let bits = usize::from(algorithm.bits);
            assert_eq!(bits.div_ceil(256), words, "{}", algorithm.name);
            assert_eq!(by_code(algorithm.code), Some(algorithm));
            assert_eq!(by_name(algorithm.name), Some(algorithm));
        }
        assert!(ALGORITHMS.is_sorted_by_key(|algorithm| algorithm.code));
        assert_eq!(by_code(0x11), None, "sha1");
    }
}
