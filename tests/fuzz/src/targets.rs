//! Every decoder, and what must hold of it.

mod archive;
mod bytes;
mod consensus;
mod edge;
mod foreign;
mod log;
mod map;
mod registry;
mod statements;

use std::fs;
use std::path::Path;

/// A decoder.
#[derive(Clone, Copy)]
pub struct Target {
    /// As `make fuzz` takes it.
    pub name: &'static str,
    /// Panics if the input breaks a promise.
    pub run: fn(&[u8]),
    made: fn() -> Vec<Vec<u8>>,
    /// Pieces of text that mutants are made with; none for binary formats.
    pub words: &'static [&'static str],
    /// Mutants in an ordinary test: about a second of work.
    pub mutants: usize,
    /// Bytes that may be allocated at a time for each byte of input, beside a fixed allowance.
    pub heap_per_byte: usize,
}

impl Target {
    const fn binary(name: &'static str, run: fn(&[u8]), made: fn() -> Vec<Vec<u8>>) -> Self {
        Self {
            name,
            run,
            made,
            words: &[],
            mutants: 160_000,
            heap_per_byte: 16,
        }
    }

    const fn text(
        name: &'static str,
        run: fn(&[u8]),
        made: fn() -> Vec<Vec<u8>>,
        words: &'static [&'static str],
    ) -> Self {
        Self {
            words,
            heap_per_byte: 128,
            ..Self::binary(name, run, made)
        }
    }

    /// The same, for a decoder that does more with each input.
    const fn slow(self, mutants: usize) -> Self {
        Self { mutants, ..self }
    }

    /// The same, for a decoder that allocates more for each byte.
    const fn heap(self, heap_per_byte: usize) -> Self {
        Self {
            heap_per_byte,
            ..self
        }
    }

    /// Good and bad examples, and all findings so far.
    ///
    /// # Panics
    /// If there is none, or a file of this repository cannot be read.
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        let mut seeds = (self.made)();
        let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("findings")
            .join(self.name);
        if let Ok(entries) = fs::read_dir(&dir) {
            let mut files: Vec<_> = entries
                .map(|entry| entry.expect("an entry of the findings").path())
                .collect();
            files.sort();
            seeds.extend(files.iter().map(|file| fs::read(file).expect("a finding")));
        }
        assert!(!seeds.is_empty(), "{} has no seeds", self.name);
        seeds
    }
}

/// All of them.
pub const TARGETS: &[&Target] = &[
    &consensus::CONSENSUS_MESSAGE,
    &consensus::LIVENESS_MESSAGE,
    &consensus::PROPOSAL_STREAM,
    &consensus::PROPOSED_VALUE,
    &consensus::SYNC_REQUEST,
    &consensus::SYNC_RESPONSE,
    &consensus::SYNC_STATUS,
    &bytes::BLOCK,
    &bytes::TRANSACTION,
    &bytes::CERTIFICATE,
    &bytes::CHECKPOINT,
    &bytes::EVIDENCE,
    &bytes::LEAF,
    &bytes::MOTION,
    &bytes::GENESIS,
    &log::BUNDLE,
    &log::BUNDLE_JSON,
    &map::MAP_BUNDLE,
    &map::MAP_BUNDLE_JSON,
    &registry::REGISTRY_BUNDLE,
    &registry::REGISTRY_BUNDLE_JSON,
    &statements::ERASURE,
    &statements::DELEGATION,
    &log::NOTE,
    &log::NOTE_KEY,
    &log::POST_QUANTUM_KEY,
    &log::ADD_CHECKPOINT,
    &log::TLOG_PROOF,
    &log::COSE_RECEIPT,
    &log::OTS,
    &log::CALENDAR_REQUEST,
    &log::TILE_PATH,
    &log::ENTRY_BUNDLE,
    &log::FRONTIER,
    &archive::EVIDENCE_RECORD,
    &archive::TIME_STAMP_REPLY,
    &foreign::HEADER,
    &foreign::PROOF,
    &foreign::ANCESTRY,
    &edge::GOSSIP_MESSAGE,
    &edge::COSIGNATURES,
    &edge::POST_QUANTUM,
    &edge::SIGNER_REQUEST,
    &edge::SIGNER_REPLY,
    &edge::KEYSTORE,
    &edge::TSA_QUERY,
    &edge::RPC_ARGUMENTS,
    &edge::CONFIG,
];

/// Asserts that what was accepted has one encoding.
#[track_caller]
fn canonical(bytes: &[u8], again: Option<Vec<u8>>) {
    if let Some(again) = again {
        assert!(
            again == bytes,
            "accepted another encoding: {} instead of {}",
            alloy_primitives::hex::encode(bytes),
            alloy_primitives::hex::encode(again)
        );
    }
}
