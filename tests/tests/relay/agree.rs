//! Rust and Solidity judge the same bytes alike: certificates that were changed at random.

use alloy_primitives::Bytes;
use alloy_sol_types::SolCall;
use serde_json::json;
use tbsi_bindings::bridge::LightClient::{isCertifiedCall, multicallCall};
use tbsi_bridge::evm::decision;
use tbsi_light::verify_certificate;
use tbsi_types::{Checkpoint, CommitCertificate, CommitSignature, Genesis, Round, Signature};

use crate::{Stage, anvil, ledger, long};

/// Decisions in one `eth_call`.
const CHUNK: usize = 100;

/// Whether `tbsi-light` takes a decision (SPEC §14.2) as validly signed by the genesis set.
fn is_certified(bytes: &[u8], genesis: &Genesis) -> Option<()> {
    let chain = genesis.identity();
    let set = genesis.validator_set().unwrap();
    let checkpoint = Checkpoint::decode(bytes.get(..192)?).ok()?;
    let round = u32::from_be_bytes(bytes.get(192..196)?.try_into().ok()?);
    let signers = u128::from_be_bytes(bytes.get(196..212)?.try_into().ok()?);
    let mut rest = &bytes[212..];
    let mut signatures = Vec::new();
    for position in (0..128).filter(|position| signers >> position & 1 == 1) {
        let validator = set.iter().nth(position)?.address;
        let signature = Signature::parse(rest.get(..65)?).ok()?;
        rest = &rest[65..];
        signatures.push(CommitSignature {
            validator,
            signature,
        });
    }
    let own = checkpoint.chain_id == chain.chain_id
        && checkpoint.validator_set_hash == set.hash()
        && rest.is_empty();
    let digest = checkpoint.digest(&chain);
    let height = checkpoint.height;
    let certificate = CommitCertificate::new(height, Round(round), digest, signatures).ok()?;
    verify_certificate(&chain, &set, &certificate).ok()?;
    own.then_some(())
}

/// Marsaglia's xorshift: the same cases in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// One change, or none in one of sixteen cases.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(bytes.len());
    match random.below(16) {
        0 => {}
        1 => bytes.truncate(at),
        2 => bytes.insert(at, bytes[at]),
        3 => drop(bytes.remove(at)),
        // The lists of signers and of signatures.
        4 => bytes[196 + random.below(16)] ^= 1 << random.below(8),
        5 => bytes[211] ^= 1 << random.below(5),
        6 => bytes.truncate(bytes.len() - 65 * (1 + random.below(2))),
        7 => {
            let (one, next) = (212 + 65 * random.below(3), 212 + 65 * random.below(3));
            for offset in 0..65 {
                bytes.swap(one + offset, next + offset);
            }
        }
        // v, and parts of another decision.
        8 => bytes[212 + 64 + 65 * random.below(3)] ^= 1 << random.below(8),
        9 => {
            let end = (at + 1 + random.below(65))
                .min(bytes.len())
                .min(other.len());
            if at < end {
                bytes[at..end].copy_from_slice(&other[at..end]);
            }
        }
        _ => bytes[at] ^= 1 << random.below(8),
    }
}

#[tokio::test]
async fn t30_rust_and_the_contract_agree_on_changed_certificates() {
    let Some(binary) = anvil("t30 certificates") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.2")).await;
    stage.chain.block(2, None);
    let (genesis, good) = {
        let held = stage.chain.held();
        let set = &held.set_at(1).named;
        let encoded = held.decisions.iter().map(|one| decision(one, set).to_vec());
        (held.genesis.clone(), encoded.collect::<Vec<_>>())
    };
    let cases = if long() { 100_000 } else { 2_000 };
    let mut random = Random(0x7b51);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..cases / CHUNK {
        let mutated = (0..CHUNK).map(|_| {
            let which = random.below(2);
            let mut bytes = good[which].clone();
            mutate(&mut bytes, &good[1 - which], &mut random);
            bytes
        });
        let mutated: Vec<Vec<u8>> = mutated.collect();
        let ask = |bytes: &Vec<u8>| {
            let decision = Bytes::from(bytes.clone());
            isCertifiedCall { decision }.abi_encode().into()
        };
        let data = mutated.iter().map(ask).collect();
        let call = Bytes::from(multicallCall { data }.abi_encode());
        let request = json!({ "to": stage.contract, "data": call, "gas": "0x1000000" });
        let answer = stage
            .anvil
            .call("eth_call", &[request, json!("latest")])
            .await;
        let answer: Bytes = serde_json::from_value(answer).unwrap();
        let answers = multicallCall::abi_decode_returns(&answer).unwrap();
        for (bytes, answer) in mutated.iter().zip(answers) {
            let contract = isCertifiedCall::abi_decode_returns(&answer).unwrap();
            let light = is_certified(bytes, &genesis).is_some();
            assert_eq!(contract, light, "{}", Bytes::from(bytes.clone()));
            if light {
                taken += 1;
            } else {
                refused += 1;
            }
        }
    }
    assert!(
        taken > cases / 32 && refused > cases / 2,
        "{taken} taken, {refused} refused"
    );
    ledger(&format!(
        "{cases} changed certificates, {taken} taken and {refused} refused alike by Rust and Solidity"
    ));
}
