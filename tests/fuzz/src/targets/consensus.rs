//! Messages of validators: votes, proposals, their parts, and sync (SPEC §6).

use tbsi_engine::fuzz;
use tbsi_types::{
    B256, CheckpointDigest, Height, ProposalStatement, Round, VoteKind, VoteStatement,
};

use super::{Target, canonical};
use crate::corpus::{hex_of, vectors};

pub(super) const CONSENSUS_MESSAGE: Target = Target::binary(
    "consensus-message",
    |bytes| canonical(bytes, fuzz::consensus_message(bytes)),
    || {
        vec![
            [vec![1], vote(true)].concat(),
            [vec![1], vote(false)].concat(),
            proposal(),
        ]
    },
);

pub(super) const LIVENESS_MESSAGE: Target = Target::binary(
    "liveness-message",
    |bytes| canonical(bytes, fuzz::liveness_message(bytes)),
    || vec![[vec![1], vote(true)].concat(), polka(), skip_round()],
);

pub(super) const PROPOSAL_STREAM: Target = Target::binary(
    "proposal-stream",
    |bytes| canonical(bytes, fuzz::proposal_stream(bytes)),
    || vec![streamed(&init()), streamed(&data()), streamed(&[0])],
);

pub(super) const PROPOSED_VALUE: Target = Target::binary(
    "proposed-value",
    |bytes| canonical(bytes, fuzz::proposed_value(bytes)),
    || {
        let rounds: [u32; 2] = [3, u32::MAX];
        let rounds = rounds.map(u32::to_be_bytes).concat();
        vec![[&7u64.to_be_bytes(), &rounds[..], &[2; 20], &[4; 32], &[1]].concat()]
    },
);

pub(super) const SYNC_REQUEST: Target = Target::binary(
    "sync-request",
    |bytes| canonical(bytes, fuzz::sync_request(bytes)),
    || vec![[7u64, 9].map(u64::to_be_bytes).concat()],
);

pub(super) const SYNC_RESPONSE: Target = Target::binary(
    "sync-response",
    |bytes| canonical(bytes, fuzz::sync_response(bytes)),
    sync_responses,
);

pub(super) const SYNC_STATUS: Target = Target::binary(
    "sync-status",
    |bytes| canonical(bytes, fuzz::sync_status(bytes)),
    || {
        let peer_id = [&[0, 36, 8, 1, 18, 32][..], &[5; 32]].concat();
        let heights = [7u64, 0].map(u64::to_be_bytes).concat();
        vec![[prefixed(&peer_id), heights].concat()]
    },
);

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("seeds are small");
    [&length.to_be_bytes(), bytes].concat()
}

fn digest() -> CheckpointDigest {
    CheckpointDigest(B256::repeat_byte(4))
}

fn vote(for_block: bool) -> Vec<u8> {
    let statement = VoteStatement {
        kind: VoteKind::Precommit,
        height: Height(7),
        round: Round(3),
        value: for_block.then(digest),
    };
    let mut bytes = Vec::new();
    statement.encode(&mut bytes);
    [&bytes, &[1; 20][..], &[9; 65]].concat()
}

fn proposal() -> Vec<u8> {
    let statement = ProposalStatement {
        height: Height(7),
        round: Round(3),
        polka_round: Some(Round(1)),
        value: digest(),
    };
    let mut bytes = vec![2];
    statement.encode(&mut bytes);
    [&bytes, &[1; 20][..], &[9; 65]].concat()
}

/// Kind, height, round, digest and three signatures.
fn polka() -> Vec<u8> {
    let mut bytes = vec![2];
    bytes.extend_from_slice(&7u64.to_be_bytes());
    bytes.extend_from_slice(&2u32.to_be_bytes());
    bytes.extend_from_slice(&[4; 32]);
    bytes.extend_from_slice(&3u32.to_be_bytes());
    for signer in 1..=3 {
        bytes.extend_from_slice(&[signer; 85]);
    }
    bytes
}

/// Kind, height, round, kind of certificate and two votes.
fn skip_round() -> Vec<u8> {
    let mut bytes = vec![3];
    bytes.extend_from_slice(&7u64.to_be_bytes());
    bytes.extend_from_slice(&3u32.to_be_bytes());
    bytes.push(1);
    bytes.extend_from_slice(&2u32.to_be_bytes());
    bytes.extend_from_slice(&vote(true));
    bytes.extend_from_slice(&vote(false));
    bytes
}

/// Stream, sequence number and content.
fn streamed(content: &[u8]) -> Vec<u8> {
    [&prefixed(b"stream"), &1u64.to_be_bytes()[..], content].concat()
}

fn init() -> Vec<u8> {
    let mut bytes = vec![1, 1];
    bytes.extend_from_slice(&7u64.to_be_bytes());
    bytes.extend_from_slice(&1u32.to_be_bytes());
    bytes.extend_from_slice(&u32::MAX.to_be_bytes());
    bytes.extend_from_slice(&[2; 20]);
    bytes.extend_from_slice(&[3; 32]);
    bytes.extend_from_slice(&5u32.to_be_bytes());
    bytes
}

fn data() -> Vec<u8> {
    [vec![1, 2], prefixed(b"bytes of a block")].concat()
}

fn sync_responses() -> Vec<Vec<u8>> {
    let certificates = hex_of(&vectors("certificate.json"), "cases", "certificate");
    let response = |certificates: &[Vec<u8>]| {
        let count = u32::try_from(certificates.len()).expect("few");
        let mut bytes = [&7u64.to_be_bytes()[..], &count.to_be_bytes()].concat();
        for certificate in certificates {
            bytes.extend(prefixed(certificate));
            bytes.extend(prefixed(b"block"));
        }
        bytes
    };
    let mut seeds: Vec<_> = certificates.chunks(1).map(response).collect();
    seeds.push(response(&vec![certificates[0].clone(); 2]));
    seeds.push(response(&[]));
    seeds
}
