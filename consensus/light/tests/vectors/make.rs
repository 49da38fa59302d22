//! Makes the cases: what is wrong with each is written here, by hand.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use tbsi_types::genesis::{
    ConsensusParameters, Genesis, NodeEntry, OrganisationEntry, ValidatorEntry,
};
use tbsi_types::log::EMPTY_LOG_ROOT;
use tbsi_types::{
    ChainIdentity, Checkpoint, CheckpointDigest, CommitCertificate, CommitSignature, Height, Round,
    SecretKey, Signature, TimestampMs, TreeSize, VoteKind, VoteStatement,
};

use crate::{
    CertificateCase, CertificateVectors, CheckpointCase, CheckpointVectors, Expected,
    ValidatorVector,
};

/// Powers of the validators in the vectors: 9 in all, so a quorum is 7.
const POWERS: [u64; 4] = [3, 2, 2, 2];

/// libp2p ids of the ed25519 seeds that repeat the byte 1, 2, 3 and 4.
const PEER_IDS: [&str; 4] = [
    "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5",
    "12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq",
    "12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba",
    "12D3KooWPT98FXMfDQYavZm66EeVjTqP9Nnehn1gyaydqV8L8BQw",
];

pub(crate) fn seed(index: usize) -> String {
    format!("TBSI vector validator {index}")
}

pub(crate) fn key(index: usize) -> SecretKey {
    SecretKey::from_seed(seed(index).as_bytes())
}

pub(crate) fn genesis() -> Genesis {
    let legal = |zh: &str, en: &str| OrganisationEntry {
        name_zh_tw: zh.into(),
        name_en: en.into(),
        ..OrganisationEntry::default()
    };
    let node = |index: usize| NodeEntry {
        name: format!("node-{index}"),
        organisation: ["a", "b", "c", "d"][index].into(),
        peer_id: PEER_IDS[index].into(),
        validator: Some(ValidatorEntry {
            public_key: key(index).public_key().encode().to_vec().into(),
            power: POWERS[index],
            ..ValidatorEntry::default()
        }),
        ..NodeEntry::default()
    };
    Genesis {
        version: 1,
        name: "vectors".into(),
        chain_id: 8_862_026,
        time_ms: TimestampMs(1_700_000_000_000),
        block_gas_limit: 300_000_000,
        consensus: ConsensusParameters::default(),
        organisations: BTreeMap::from([
            ("a".into(), legal("台灣測試公會甲", "Test Association A")),
            ("b".into(), legal("台灣測試公會乙", "Test Association B")),
            ("c".into(), legal("台灣測試公會丙", "Test Association C")),
            ("d".into(), legal("", "Test Association D")),
        ]),
        nodes: (0..4).map(node).collect(),
        governance: None,
        accounts: BTreeMap::new(),
    }
}

fn checkpoint(genesis: &Genesis) -> Checkpoint {
    let set = genesis.validator_set().unwrap().hash();
    Checkpoint {
        chain_id: genesis.chain_id,
        height: Height(42),
        time: TimestampMs(1_700_000_012_345),
        block_hash: B256::repeat_byte(0xb1),
        state_root: B256::repeat_byte(0x57),
        log_size: TreeSize(0),
        log_root: EMPTY_LOG_ROOT,
        validator_set_hash: set,
        next_validator_set_hash: set,
    }
}

fn sign(index: usize, statement: &VoteStatement, chain: &ChainIdentity) -> CommitSignature {
    CommitSignature {
        validator: key(index).public_key().address(),
        signature: key(index).sign(statement.digest(chain)),
    }
}

/// A precommit certificate of `digest` at height 42, round 1.
fn decide(signers: &[usize], digest: CheckpointDigest, chain: &ChainIdentity) -> CommitCertificate {
    let with = |signatures| CommitCertificate::new(Height(42), Round(1), digest, signatures);
    let statement = with(vec![]).unwrap().statement();
    let signatures = signers.iter().map(|index| sign(*index, &statement, chain));
    with(signatures.collect()).unwrap()
}

fn high_s(signature: &mut Signature) {
    const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let s = U256::from_be_slice(&signature.0[32..64]);
    let high = U256::from_str_radix(ORDER, 16).unwrap() - s;
    signature.0[32..64].copy_from_slice(&high.to_be_bytes::<32>());
    signature.0[64] = 27 + (28 - signature.0[64]);
}

pub(crate) fn certificate_vectors() -> CertificateVectors {
    let genesis = genesis();
    let chain = genesis.identity();
    let digest = checkpoint(&genesis).digest(&chain);
    let set = genesis.validator_set().unwrap();
    let vector = |index: usize| {
        let validator = set.get(&key(index).public_key().address()).unwrap();
        ValidatorVector {
            seed: seed(index),
            secret_key: B256::from(key(index).expose()),
            public_key: validator.public_key.encode().to_vec().into(),
            address: validator.address,
            power: validator.power.0,
            operator: validator.operator,
        }
    };
    CertificateVectors {
        description: "Commit certificates for one validator set. A case with `power` is valid \
                      and its signers weigh that much; one with `refused` must be refused."
            .into(),
        chain_id: chain.chain_id,
        genesis_hash: chain.genesis_hash,
        validators: (0..4).map(vector).collect(),
        validator_set_hash: set.hash(),
        total_power: set.total_power().0,
        cases: certificate_cases(&chain, digest),
    }
}

/// A case that must be refused: its name, the certificate, words of the reason.
type Bad = (&'static str, Vec<u8>, &'static str);

fn certificate_cases(chain: &ChainIdentity, digest: CheckpointDigest) -> Vec<CertificateCase> {
    let full = decide(&[0, 1, 2, 3], digest, chain);
    let signed_digest = full.statement().digest(chain);
    let quorum = decide(&[0, 1, 2], digest, chain);
    let good = [("all sign", &full, 9), ("exactly a quorum", &quorum, 7)];
    let good = good.map(|(name, certificate, power)| CertificateCase {
        name: name.into(),
        certificate: certificate.encode().into(),
        signed_digest: Some(signed_digest),
        expected: Expected::Power(power),
    });
    let bad = [
        bad_quorums(chain, &full),
        bad_signatures(&full),
        bad_statements(chain, &full),
        bad_encodings(&full.encode()),
    ];
    let bad = bad.into_iter().flatten();
    let bad = bad.map(|(name, certificate, words)| CertificateCase {
        name: name.into(),
        certificate: certificate.into(),
        signed_digest: None,
        expected: Expected::Refused(words.into()),
    });
    good.into_iter().chain(bad).collect()
}

/// `full` with its list of signatures changed.
fn edited(full: &CommitCertificate, edit: &dyn Fn(&mut Vec<CommitSignature>)) -> Vec<u8> {
    let mut signatures = full.signatures().to_vec();
    edit(&mut signatures);
    CommitCertificate::new(full.height, full.round, full.checkpoint_digest, signatures)
        .unwrap()
        .encode()
}

fn bad_quorums(chain: &ChainIdentity, full: &CommitCertificate) -> Vec<Bad> {
    let by = |signers: &[usize]| decide(signers, full.checkpoint_digest, chain).encode();
    let foreign = |list: &mut Vec<CommitSignature>| {
        list.push(sign(9, &full.statement(), chain));
    };
    let stranger = edited(full, &foreign);
    vec![
        (
            "exactly two thirds",
            by(&[1, 2, 3]),
            "signatures carry 6 of 9 voting power",
        ),
        (
            "no signature",
            by(&[]),
            "signatures carry 0 of 9 voting power",
        ),
        (
            "foreign signer beside a quorum",
            stranger,
            "not in the validator set",
        ),
    ]
}

fn bad_signatures(full: &CommitCertificate) -> Vec<Bad> {
    let swapped = |list: &mut Vec<CommitSignature>| {
        let first = list[0].signature;
        list[0].signature = list[1].signature;
        list[1].signature = first;
    };
    let wrong = |name, edit: &dyn Fn(&mut Vec<CommitSignature>)| {
        (name, edited(full, edit), "signature of validator")
    };
    vec![
        wrong("two signatures swapped", &swapped),
        wrong("high s", &|list| high_s(&mut list[2].signature)),
        wrong("v is 0", &|list| list[2].signature.0[64] = 0),
        wrong("abstained", &|list| {
            list[3].signature = Signature::ABSTAINED
        }),
    ]
}

fn bad_statements(chain: &ChainIdentity, full: &CommitCertificate) -> Vec<Bad> {
    let digest = full.checkpoint_digest;
    let other_chain = ChainIdentity {
        chain_id: 1,
        ..*chain
    };
    let other_genesis = ChainIdentity {
        genesis_hash: B256::ZERO,
        ..*chain
    };
    let prevote = VoteStatement {
        kind: VoteKind::Prevote,
        ..full.statement()
    };
    let nil = VoteStatement {
        value: None,
        ..full.statement()
    };
    let resigned = |statement: VoteStatement| {
        let address = key(0).public_key().address();
        edited(full, &|list| {
            let entry = list.iter_mut().find(|entry| entry.validator == address);
            *entry.unwrap() = sign(0, &statement, chain);
        })
    };
    let all_on = |chain: &ChainIdentity| decide(&[0, 1, 2, 3], digest, chain).encode();
    let encoded = full.encode();
    let cases = [
        ("one signs a prevote", resigned(prevote)),
        ("one signs nil", resigned(nil)),
        ("other chain id", all_on(&other_chain)),
        ("other genesis", all_on(&other_genesis)),
        ("other height", patched(&encoded, 7, 43)),
        ("other round", patched(&encoded, 11, 2)),
        ("other digest", patched(&encoded, 43, encoded[43] ^ 1)),
    ];
    let wrong = |(name, bytes)| (name, bytes, "signature of validator");
    cases.map(wrong).into()
}

fn bad_encodings(encoded: &[u8]) -> Vec<Bad> {
    let cut = encoded[..encoded.len() - 1].to_vec();
    vec![
        (
            "round beyond the limit",
            with_round(encoded, u32::MAX),
            "round 4294967295",
        ),
        (
            "duplicated signer",
            duplicated(encoded),
            "each validator once",
        ),
        ("truncated", cut, "certificate bytes"),
        (
            "one byte too many",
            [encoded, &[0]].concat(),
            "certificate bytes",
        ),
    ]
}

fn patched(bytes: &[u8], position: usize, value: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[position] = value;
    bytes
}

fn with_round(bytes: &[u8], round: u32) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[8..12].copy_from_slice(&round.to_be_bytes());
    bytes
}

/// The first entry written over the second.
fn duplicated(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.copy_within(46..131, 131);
    bytes
}

pub(crate) fn checkpoint_vectors() -> CheckpointVectors {
    let genesis = genesis();
    let cases = checkpoint_cases(&genesis);
    CheckpointVectors {
        description: "Checkpoints and certificates for one genesis file. A case with `power` \
                      is valid and its signers weigh that much; one with `refused` must be \
                      refused."
            .into(),
        genesis_hash: genesis.hash(),
        genesis,
        cases,
    }
}

fn checkpoint_cases(genesis: &Genesis) -> Vec<CheckpointCase> {
    let chain = genesis.identity();
    let good = checkpoint(genesis);
    let digest = good.digest(&chain);
    let case = |name: &str, checkpoint: &Checkpoint, certificate: &CommitCertificate, expected| {
        CheckpointCase {
            name: name.into(),
            checkpoint: checkpoint.encode().to_vec().into(),
            certificate: certificate.encode().into(),
            digest: Some(checkpoint.digest(&chain)),
            expected,
        }
    };
    let certificate = decide(&[0, 1, 2], digest, &chain);
    let minority = decide(&[1, 2, 3], digest, &chain);
    let refused = |words: &str| Expected::Refused(words.into());
    let mut cases = vec![case("valid", &good, &certificate, Expected::Power(7))];
    // Each of these is decided by a quorum, as it stands.
    for (name, checkpoint, words) in bad_checkpoints(&good) {
        let certificate = decide(&[0, 1, 2], checkpoint.digest(&chain), &chain);
        cases.push(case(name, &checkpoint, &certificate, refused(words)));
    }
    // The last of its set, which hands over to another one.
    let last = Checkpoint {
        next_validator_set_hash: B256::repeat_byte(9),
        ..good
    };
    let certificate_of_last = decide(&[0, 1, 2], last.digest(&chain), &chain);
    let handing = Expected::Power(7);
    cases.push(case(
        "other next validator set",
        &last,
        &certificate_of_last,
        handing,
    ));
    let forged = Checkpoint {
        state_root: B256::repeat_byte(9),
        ..good
    };
    let other = refused("the certificate decides");
    cases.push(case(
        "certificate of another checkpoint",
        &forged,
        &certificate,
        other,
    ));
    let below = refused("6 of 9 voting power");
    cases.push(case("two thirds only", &good, &minority, below));
    let mut cut = case("truncated", &good, &certificate, refused("bytes needed"));
    cut.checkpoint = good.encode()[..191].to_vec().into();
    cut.digest = None;
    cases.push(cut);
    cases
}

fn bad_checkpoints(good: &Checkpoint) -> [(&'static str, Checkpoint, &'static str); 4] {
    let other = B256::repeat_byte(9);
    let chain = Checkpoint {
        chain_id: 1,
        ..*good
    };
    let height = Checkpoint {
        height: Height(43),
        ..*good
    };
    let zero = Checkpoint {
        height: Height(0),
        ..*good
    };
    let set = Checkpoint {
        validator_set_hash: other,
        ..*good
    };
    [
        ("other chain id", chain, "checkpoint is of chain id 1"),
        ("height of another", height, "of height 43"),
        ("height zero", zero, "checkpoint height is 0"),
        ("other validator set", set, "names validator set"),
    ]
}
