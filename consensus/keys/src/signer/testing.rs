//! A chain for tests: its founders, and what they decide.

use std::collections::BTreeMap;

use tbsi_types::genesis::{ConsensusParameters, NodeEntry, OrganisationEntry, ValidatorEntry};
use tbsi_types::log::EMPTY_LOG_ROOT;
use tbsi_types::validator::operator_id;
use tbsi_types::{
    B256, ChainIdentity, Checkpoint, CommitCertificate, CommitSignature, Genesis, Height, Round,
    SecretKey, TimestampMs, TreeSize, Validator, ValidatorSet, VotingPower,
};

use super::decided::ShownDecision;
use crate::keyfile::NodeKey;

const NAME: &str = "Guild A";

pub(super) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed])
}

/// A network that the keys of these seeds found.
pub(super) fn genesis(seeds: &[u8]) -> Genesis {
    let node = |seed: &u8| NodeEntry {
        name: format!("node-{seed}"),
        organisation: "a".into(),
        peer_id: NodeKey::from_seed([*seed; 32]).peer_id(),
        validator: Some(ValidatorEntry {
            public_key: key(*seed).public_key().encode().to_vec().into(),
            power: 1,
            ..ValidatorEntry::default()
        }),
        ..NodeEntry::default()
    };
    let organisation = OrganisationEntry {
        name_en: NAME.into(),
        ..OrganisationEntry::default()
    };
    Genesis {
        version: 1,
        name: "signer".into(),
        chain_id: 7,
        time_ms: TimestampMs(1),
        block_gas_limit: 300_000_000,
        consensus: ConsensusParameters::default(),
        organisations: [("a".to_owned(), organisation)].into(),
        nodes: seeds.iter().map(node).collect(),
        governance: None,
        accounts: BTreeMap::new(),
    }
}

/// The validators with the keys of these seeds.
pub(super) fn set(seeds: &[u8]) -> ValidatorSet {
    let validator = |seed: &u8| {
        let operator = operator_id("", NAME);
        Validator::new(key(*seed).public_key(), VotingPower(1), operator)
    };
    ValidatorSet::new(seeds.iter().map(validator).collect()).unwrap()
}

/// Height `height`, decided by `validators` with the signatures of `signers`, who hand over to
/// `next`.
pub(super) fn decision(
    chain: &ChainIdentity,
    height: u64,
    validators: &[u8],
    signers: &[u8],
    next: &[u8],
) -> ShownDecision {
    let height = Height(height);
    let checkpoint = Checkpoint {
        chain_id: chain.chain_id,
        height,
        time: TimestampMs(1 + height.0),
        block_hash: B256::repeat_byte(1),
        state_root: B256::repeat_byte(2),
        log_size: TreeSize(0),
        log_root: EMPTY_LOG_ROOT,
        validator_set_hash: set(validators).hash(),
        next_validator_set_hash: set(next).hash(),
    };
    let digest = checkpoint.digest(chain);
    let unsigned = CommitCertificate::new(height, Round(0), digest, Vec::new()).unwrap();
    let signed = unsigned.statement().digest(chain);
    let signature = |seed: &u8| CommitSignature {
        validator: key(*seed).public_key().address(),
        signature: key(*seed).sign(signed),
    };
    let signatures = signers.iter().map(signature).collect();
    ShownDecision {
        checkpoint,
        validators: set(validators),
        certificate: CommitCertificate::new(height, Round(0), digest, signatures).unwrap(),
    }
}
