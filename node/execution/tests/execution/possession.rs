//! Proofs of possession: what is signed is what the contract checks (SPEC §13.3).

use alloy_primitives::{B256, Bytes, U256};
use alloy_sol_types::SolCall;
use tbsi_execution::{call, system_accounts};
use tbsi_governance::abi::NODES;
use tbsi_governance::contracts::Nodes::possessionDigestCall;
use tbsi_governance::possession::{KeyUse, digest};
use tbsi_types::{CallOutcome, CallRequest, ChainIdentity, SecretKey};

use crate::support::*;

/// The contract's digest, on a chain with this genesis hash.
fn contract(genesis_hash: B256, organisation: u32, key_use: KeyUse, key: &[u8]) -> B256 {
    let code = system_accounts(true)[&NODES].code.clone();
    let mut state = MemoryState::default().with_code(NODES, code);
    state
        .storage
        .insert((NODES, U256::ZERO), genesis_hash.into());
    let asked = possessionDigestCall {
        organisation,
        kind: key_use.code(),
        key: Bytes::copy_from_slice(key),
        deadline: u64::MAX - 7,
    };
    let request = CallRequest {
        to: Some(NODES),
        input: asked.abi_encode().into(),
        ..CallRequest::default()
    };
    let outcome = call(&state, &context(7), &request, 1_000_000).unwrap();
    let CallOutcome::Returned { output, .. } = outcome else {
        panic!("{outcome:?}");
    };
    possessionDigestCall::abi_decode_returns(&output).unwrap()
}

#[test]
fn the_digest_is_the_contracts() {
    let chain = ChainIdentity {
        chain_id: context(7).chain_id,
        genesis_hash: B256::repeat_byte(0xab),
    };
    let validator = SecretKey::from_seed(b"node").public_key().encode();
    let cases: [(u32, KeyUse, &[u8]); 3] = [
        (1, KeyUse::Peer, &[3; 32]),
        (u32::MAX, KeyUse::Validator, &validator),
        (0x0102_0304, KeyUse::Log, &[4; 32]),
    ];
    let mut seen = Vec::new();
    for (organisation, key_use, key) in cases {
        let ours = digest(&chain, organisation, key_use, key, u64::MAX - 7);
        let theirs = contract(chain.genesis_hash, organisation, key_use, key);
        assert_eq!(ours, theirs, "{key_use:?}");
        // Another network, organisation, use or deadline is another text.
        let other = contract(B256::repeat_byte(0xac), organisation, key_use, key);
        seen.extend([ours, other]);
        seen.push(digest(&chain, organisation ^ 1, key_use, key, u64::MAX - 7));
        seen.push(digest(&chain, organisation, key_use, key, u64::MAX - 8));
    }
    let peer_as_log = digest(&chain, 1, KeyUse::Log, &[3; 32], u64::MAX - 7);
    seen.push(peer_as_log);
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}
