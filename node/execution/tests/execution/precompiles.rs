//! Precompiles through calls: presence, and the vectors of EIP-2537 and EIP-7951.

use std::path::PathBuf;

use alloy_primitives::{Address, Bytes, U256, hex};
use serde::Deserialize;
use tbsi_execution::call;
use tbsi_types::{CallOutcome, CallRequest};

use crate::support::{MemoryState, context};

const GAS: u64 = 10_000_000;

fn address(number: u64) -> Address {
    Address::from_word(U256::from(number).into())
}

fn run(number: u64, input: &[u8]) -> CallOutcome {
    let request = CallRequest {
        to: Some(address(number)),
        input: Bytes::copy_from_slice(input),
        ..CallRequest::default()
    };
    call(&MemoryState::default(), &context(1), &request, GAS).unwrap()
}

fn succeeded(number: u64, input: &[u8]) -> Option<(Bytes, u64)> {
    match run(number, input) {
        CallOutcome::Returned { output, gas_used } => Some((output, gas_used)),
        CallOutcome::Halted { gas_used, .. } => {
            assert_eq!(gas_used, GAS, "a failed precompile takes all gas");
            None
        }
        other @ (CallOutcome::Reverted { .. } | CallOutcome::Refused { .. }) => {
            panic!("{number:#x}: {other:?}")
        }
    }
}

/// An account without code would succeed with no output: every case differs from that.
#[test]
fn every_precompile_answers() {
    let word = |value: u64| U256::from(value).to_be_bytes::<32>().to_vec();
    let signed = hex!(
        "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c"
        "000000000000000000000000000000000000000000000000000000000000001c"
        "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f"
        "eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549"
    );
    let signer = hex!("000000000000000000000000a94f5374fce5edbc8e2a8697c15331677e6ebf0b");
    let sha256 = hex!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let ripemd160 = hex!("0000000000000000000000009c1185a5c5e9fc54612808977ee8f548b2258d31");
    let generator = [word(1), word(2)].concat();
    let cube = [word(1), word(1), word(1), vec![2, 3, 5]].concat();
    let answers: [(u64, &[u8], &[u8]); 8] = [
        (0x01, &signed, &signer),
        (0x02, &[], &sha256),
        (0x03, &[], &ripemd160),
        (0x04, b"same", b"same"),
        (0x05, &cube, &[3]),
        (0x06, &generator, &generator),
        (0x07, &[generator.clone(), word(1)].concat(), &generator),
        (0x08, &[], &word(1)),
    ];
    for (number, input, expected) in answers {
        let (output, _) = succeeded(number, input).unwrap();
        assert_eq!(output, *expected, "{number:#x}");
    }
    // These refuse an empty input.
    for number in 0x09..=0x11 {
        assert_eq!(succeeded(number, &[]), None, "{number:#x}");
    }
    // P-256 answers a wrong input with nothing, but not for free.
    let (output, gas_used) = succeeded(0x100, &[]).unwrap();
    assert_eq!((output.len(), gas_used), (0, 21_000 + 6_900));
    // Their neighbours are plain accounts.
    for number in [0x00, 0x12, 0xff, 0x101] {
        let (output, gas_used) = succeeded(number, &[]).unwrap();
        assert_eq!((output.len(), gas_used), (0, 21_000), "{number:#x}");
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vector {
    name: String,
    input: String,
    /// Absent in files of inputs that must fail.
    expected: Option<String>,
    gas: Option<u64>,
}

fn vectors(file: &str) -> Vec<Vector> {
    let root = std::env::var_os("TBSI_VECTORS")
        .map_or_else(|| PathBuf::from("../../../shared/vectors"), PathBuf::from);
    let path = root.join("eips").join(file);
    let bytes = std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; set TBSI_VECTORS", path.display()));
    serde_json::from_slice(&bytes).unwrap()
}

/// EIP-2028 and EIP-7623.
fn gas_of_call(input: &[u8], precompile_gas: u64) -> u64 {
    let tokens: u64 = input.iter().map(|b| if *b == 0 { 1 } else { 4 }).sum();
    21_000 + (4 * tokens + precompile_gas).max(10 * tokens)
}

fn check_vectors(number: u64, file: &str, count: usize) {
    let vectors = vectors(file);
    assert_eq!(vectors.len(), count, "{file}");
    for vector in vectors {
        let input = hex::decode(&vector.input).unwrap();
        let have = succeeded(number, &input);
        let Some(expected) = &vector.expected else {
            assert_eq!(have, None, "{file}: {}", vector.name);
            continue;
        };
        let (output, gas_used) = have.unwrap_or_else(|| panic!("{file}: {}", vector.name));
        assert_eq!(hex::encode(&output), *expected, "{file}: {}", vector.name);
        // The file of EIP-7951 has the gas of RIP-7212, from which the EIP departs.
        let gas = if number == 0x100 {
            Some(6_900)
        } else {
            vector.gas
        };
        let expected_gas = gas_of_call(&input, gas.unwrap());
        assert_eq!(gas_used, expected_gas, "{file}: {}", vector.name);
    }
}

#[test]
fn passes_the_vectors_of_eip_2537() {
    check_vectors(0x0b, "eip-2537/add_G1_bls.json", 9);
    check_vectors(0x0b, "eip-2537/fail-add_G1_bls.json", 7);
    check_vectors(0x0c, "eip-2537/mul_G1_bls.json", 11);
    check_vectors(0x0c, "eip-2537/fail-msm_G1_bls.json", 8);
    check_vectors(0x0d, "eip-2537/add_G2_bls.json", 9);
    check_vectors(0x0f, "eip-2537/pairing_check_bls.json", 15);
    check_vectors(0x0f, "eip-2537/fail-pairing_check_bls.json", 25);
    check_vectors(0x10, "eip-2537/map_fp_to_G1_bls.json", 5);
    check_vectors(0x10, "eip-2537/fail-map_fp_to_G1_bls.json", 5);
    check_vectors(0x11, "eip-2537/fail-map_fp2_to_G2_bls.json", 5);
}

#[test]
fn passes_the_vectors_of_eip_7951() {
    check_vectors(0x100, "eip-7951/test-vectors.part.json", 460);
}
