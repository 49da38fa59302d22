//! Every decoder against its seeds and their mutants, and what it may allocate meanwhile.
//!
//! Runs are the same every time. `make fuzz` looks further.

mod heap;

use tbsi_fuzz::{TARGETS, Target, mutants};

/// Of the mutants in an ordinary test.
const SEED: u64 = 9;

/// What a decoder may allocate whatever its input's size: error texts, first buffers.
const ALLOWANCE_BYTES: usize = 64 * 1024;

/// Runs a target with all its seeds and mutants. Says which input broke it, if one does.
fn run(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target: &Target = target.expect("a target");
    let seeds = target.seeds();
    // What is made once is not the decoder's.
    seeds.iter().for_each(|seed| (target.run)(seed));
    for input in mutants(&seeds, target.words, SEED, target.mutants) {
        let culprit = Culprit(name, &input);
        let peak = heap::peak(|| (target.run)(&input));
        let allowed = ALLOWANCE_BYTES + target.heap_per_byte * input.len();
        assert!(
            peak <= allowed,
            "{peak} bytes were allocated for {} of input, {allowed} are allowed",
            input.len()
        );
        std::mem::forget(culprit);
    }
}

/// Shows an input if the run is left by a panic.
struct Culprit<'a>(&'a str, &'a [u8]);

impl Drop for Culprit<'_> {
    fn drop(&mut self) {
        let Self(name, input) = self;
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        eprintln!("the input of {name} was (pin it in findings/{name}/): {hex}");
    }
}

macro_rules! decoders {
    ($($test:ident $name:literal)*) => {
        $(
            #[test]
            fn $test() {
                run($name);
            }
        )*

        /// A target that has no test would look like one that passes.
        #[test]
        fn every_target_is_run() {
            let run: &[&str] = &[$($name),*];
            let all: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(run, all);
        }
    };
}

decoders! {
    consensus_message "consensus-message"
    liveness_message "liveness-message"
    proposal_stream "proposal-stream"
    proposed_value "proposed-value"
    sync_request "sync-request"
    sync_response "sync-response"
    sync_status "sync-status"
    block "block"
    transaction "transaction"
    certificate "certificate"
    checkpoint "checkpoint"
    evidence "evidence"
    leaf "leaf"
    motion "motion"
    genesis "genesis"
    bundle "bundle"
    bundle_json "bundle-json"
    map_bundle "map-bundle"
    map_bundle_json "map-bundle-json"
    registry_bundle "registry-bundle"
    registry_bundle_json "registry-bundle-json"
    erasure "erasure"
    delegation "delegation"
    note "note"
    note_key "note-key"
    post_quantum_key "post-quantum-key"
    add_checkpoint "add-checkpoint"
    tlog_proof "tlog-proof"
    cose_receipt "cose-receipt"
    ots "ots"
    calendar_request "calendar-request"
    tile_path "tile-path"
    entry_bundle "entry-bundle"
    frontier "frontier"
    evidence_record "evidence-record"
    time_stamp_reply "time-stamp-reply"
    foreign_header "foreign-header"
    foreign_proof "foreign-proof"
    foreign_ancestry "foreign-ancestry"
    gossip_message "gossip-message"
    cosignatures "cosignatures"
    post_quantum "post-quantum"
    signer_request "signer-request"
    signer_reply "signer-reply"
    keystore "keystore"
    tsa_query "tsa-query"
    rpc_arguments "rpc-arguments"
    config "config"
}

#[test]
fn what_a_decoder_allocates_is_seen() {
    let peak = heap::peak(|| {
        for _ in 0..10 {
            drop(std::hint::black_box(vec![1u8; 100_000]));
        }
        drop(std::hint::black_box(vec![1u8; 300_000]));
    });
    assert!((300_000..400_000).contains(&peak), "{peak}");
}
