//! Digests, each once, in transactions that fit under the gas cap.

use std::collections::BTreeMap;

use alloy_primitives::{B256, Bytes};
use alloy_sol_types::SolCall;
use tbsi_types::log::Attestation;

use crate::contract::{attestBatchCall, attestCall};

/// Words in one transaction: 12.9 million gas, which leaves room below the cap of 2^24 and
/// below the contract's 13,000.
pub(super) const BATCH_WORDS_MAX: usize = 10_000;

/// What many files have in common is stated once.
#[derive(Debug, Default)]
pub(super) struct Statements {
    known: BTreeMap<B256, usize>,
    all: Vec<(B256, Attestation)>,
}

impl Statements {
    /// Adds one under its id; returns its position.
    pub(super) fn add(&mut self, id: B256, attestation: Attestation) -> usize {
        let position = *self.known.entry(id).or_insert(self.all.len());
        if position == self.all.len() {
            self.all.push((id, attestation));
        }
        position
    }

    /// In the order in which they were added.
    pub(super) fn all(&self) -> &[(B256, Attestation)] {
        &self.all
    }
}

/// Splits what is to be sent, all of one schema and algorithm, into calls of at most
/// [`BATCH_WORDS_MAX`] words.
pub(super) fn calls(attestations: &[Attestation]) -> Vec<(Bytes, usize)> {
    let Some(first) = attestations.first() else {
        return Vec::new();
    };
    let size = BATCH_WORDS_MAX / first.digest.as_slice().len();
    let call = |batch: &[Attestation]| {
        let words = batch.iter().flat_map(|it| it.digest.as_slice()).copied();
        let call = attestBatchCall {
            schema: first.schema,
            algorithm: first.algorithm,
            words: words.collect(),
        };
        (call.abi_encode().into(), batch.len())
    };
    attestations.chunks(size).map(call).collect()
}

/// One call for each.
pub(super) fn single_calls(attestations: &[Attestation]) -> Vec<(Bytes, usize)> {
    let call = |it: &Attestation| {
        let call = attestCall {
            schema: it.schema,
            algorithm: it.algorithm,
            words: it.digest.as_slice().to_vec(),
        };
        (call.abi_encode().into(), 1)
    };
    attestations.iter().map(call).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::U256;
    use tbsi_types::limits::TRANSACTION_BYTES_MAX;
    use tbsi_types::log::DigestWords;

    fn attestation(algorithm: u32, number: usize) -> Attestation {
        let word = B256::from(U256::from(number));
        let words = tbsi_types::log::algorithm::words_per_digest(algorithm);
        Attestation {
            schema: crate::schema::FILE,
            algorithm,
            digest: DigestWords::of(algorithm, &word.repeat(words)).unwrap(),
        }
    }

    /// Digests in each call.
    fn check(algorithm: u32, count: usize, expected: &[usize]) {
        let all: Vec<_> = (0..count).map(|it| attestation(algorithm, it)).collect();
        let calls = calls(&all);
        let sizes: Vec<_> = calls.iter().map(|(_, size)| *size).collect();
        assert_eq!(sizes, expected, "{count} of {algorithm:#x}");
        let mut sent = Vec::new();
        for (call, _) in calls {
            assert!(call.len() < TRANSACTION_BYTES_MAX);
            let call = attestBatchCall::abi_decode(&call).unwrap();
            assert_eq!(call.algorithm, algorithm);
            sent.extend(call.words);
        }
        let words = all.iter().flat_map(|it| it.digest.as_slice()).copied();
        assert!(sent.into_iter().eq(words), "every word, in order");
    }

    #[test]
    fn batches_are_split_at_the_cap() {
        check(0x12, 0, &[]);
        check(0x12, 1, &[1]);
        check(0x12, 10_000, &[10_000]);
        check(0x12, 10_001, &[10_000, 1]);
        check(0x12, 25_000, &[10_000, 10_000, 5_000]);
        check(0x13, 5_000, &[5_000]);
        check(0x13, 5_001, &[5_000, 1]);
    }

    #[test]
    fn alone_means_a_call_for_each() {
        let all: Vec<_> = (0..3).map(|it| attestation(0x13, it)).collect();
        let calls = single_calls(&all);
        assert_eq!(calls.len(), 3);
        for ((call, count), stated) in calls.iter().zip(&all) {
            let call = attestCall::abi_decode(call).unwrap();
            assert_eq!(
                (call.words.as_slice(), *count),
                (stated.digest.as_slice(), 1)
            );
        }
    }

    #[test]
    fn what_is_the_same_is_stated_once() {
        let mut statements = Statements::default();
        let id = B256::repeat_byte;
        for (byte, position) in [(1, 0), (2, 1), (1, 0), (3, 2), (2, 1)] {
            let added = statements.add(id(byte), attestation(0x12, byte.into()));
            assert_eq!(added, position);
        }
        let ids: Vec<_> = statements.all().iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [id(1), id(2), id(3)]);
    }
}
