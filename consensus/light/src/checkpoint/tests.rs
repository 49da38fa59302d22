use alloy_primitives::B256;
use tbsi_types::genesis::{ConsensusParameters, ValidatorEntry};
use tbsi_types::log::EMPTY_LOG_ROOT;
use tbsi_types::{CommitSignature, Height, Round, SecretKey, TimestampMs, TreeSize};

use super::*;

const NAMES: [(&str, &str); 4] = [
    ("甲公會", "Guild A"),
    ("乙公會", "Guild B"),
    ("丙公會", "Guild C"),
    ("丁公會", "Guild D"),
];

fn key(index: usize) -> SecretKey {
    SecretKey::from_seed(format!("checkpoint {index}").as_bytes())
}

fn genesis() -> Genesis {
    let node = |index: usize| NodeEntry {
        name: format!("node-{index}"),
        organisation: format!("guild-{index}"),
        peer_id: format!("peer-{index}"),
        validator: Some(ValidatorEntry {
            public_key: key(index).public_key().encode().to_vec().into(),
            power: 1,
            ..ValidatorEntry::default()
        }),
        ..NodeEntry::default()
    };
    let organisation = |(index, (zh, en)): (usize, &(&str, &str))| {
        let names = OrganisationEntry {
            name_zh_tw: (*zh).into(),
            name_en: (*en).into(),
            ..OrganisationEntry::default()
        };
        (format!("guild-{index}"), names)
    };
    let mut nodes: Vec<_> = (0..4).map(node).collect();
    nodes.push(NodeEntry {
        validator: None,
        ..node(4)
    });
    nodes[4].organisation = "guild-0".into();
    Genesis {
        version: 1,
        name: "light".into(),
        chain_id: 8_862_026,
        time_ms: TimestampMs(1_700_000_000_000),
        block_gas_limit: 300_000_000,
        consensus: ConsensusParameters::default(),
        organisations: NAMES.iter().enumerate().map(organisation).collect(),
        nodes,
        governance: None,
        accounts: BTreeMap::new(),
    }
}

fn checkpoint(genesis: &Genesis) -> Checkpoint {
    let set = genesis.validator_set().unwrap().hash();
    Checkpoint {
        chain_id: genesis.chain_id,
        height: Height(7),
        time: TimestampMs(1_700_000_001_234),
        block_hash: B256::repeat_byte(1),
        state_root: B256::repeat_byte(2),
        log_size: TreeSize(0),
        log_root: EMPTY_LOG_ROOT,
        validator_set_hash: set,
        next_validator_set_hash: set,
    }
}

/// Signed by validators 0 to 2 on the network of `genesis`.
fn decide(genesis: &Genesis, checkpoint: &Checkpoint) -> CommitCertificate {
    let chain = genesis.identity();
    let unsigned = |signatures| {
        let digest = checkpoint.digest(&chain);
        CommitCertificate::new(checkpoint.height, Round(0), digest, signatures).unwrap()
    };
    let digest = unsigned(vec![]).statement().digest(&chain);
    let sign = |index| CommitSignature {
        validator: key(index).public_key().address(),
        signature: key(index).sign(digest),
    };
    unsigned((0..3).map(sign).collect())
}

fn check(genesis: &Genesis, checkpoint: &Checkpoint, decided: &CommitCertificate, words: &str) {
    let error = verify_checkpoint(genesis, checkpoint, decided).unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn leads_to_the_legal_names_of_a_quorum() {
    let (genesis, checkpoint) = (genesis(), checkpoint(&genesis()));
    let certificate = decide(&genesis, &checkpoint);
    let verified = verify_checkpoint(&genesis, &checkpoint, &certificate).unwrap();
    assert_eq!(verified.checkpoint, checkpoint);
    assert_eq!(verified.digest, certificate.checkpoint_digest);
    assert_eq!((verified.power.0, verified.total.0), (3, 4));
    let mut names: Vec<_> = verified
        .signers
        .iter()
        .map(|signer| {
            let organisation = &signer.organisation;
            (
                organisation.name_zh_tw.as_str(),
                organisation.name_en.as_str(),
            )
        })
        .collect();
    names.sort_by_key(|(_, en)| *en);
    assert_eq!(names, NAMES[..3]);
    assert!(verified.signers.is_sorted_by_key(|signer| signer.validator));
}

#[test]
fn refuses_what_the_genesis_does_not_found() {
    let (founded, good) = (genesis(), checkpoint(&genesis()));
    let decided = decide(&founded, &good);

    let other_chain = Checkpoint {
        chain_id: 1,
        ..good
    };
    let words = "checkpoint is of chain id 1, the genesis file says 8862026";
    check(
        &founded,
        &other_chain,
        &decide(&founded, &other_chain),
        words,
    );

    let mut renamed = genesis();
    renamed.name = "another network".into();
    check(&renamed, &good, &decided, "checkpoint has digest");

    let mut other_set = genesis();
    other_set.organisations.get_mut("guild-0").unwrap().name_en = "Guild Z".into();
    check(
        &other_set,
        &good,
        &decided,
        "checkpoint names validator set",
    );

    let mut broken = genesis();
    broken.nodes.clear();
    check(&broken, &good, &decided, "genesis");
}

#[test]
fn refuses_a_certificate_of_something_else() {
    let (genesis, good) = (genesis(), checkpoint(&genesis()));
    let decided = decide(&genesis, &good);
    let later = Checkpoint {
        height: Height(8),
        ..good
    };
    let words = "checkpoint is of height 8, the certificate of height 7";
    check(&genesis, &later, &decided, words);
    let forged = Checkpoint {
        state_root: B256::repeat_byte(3),
        ..good
    };
    check(&genesis, &forged, &decided, "the certificate decides");
    let genesis_height = Checkpoint {
        height: Height(0),
        ..good
    };
    let zero = decide(&genesis, &genesis_height);
    check(&genesis, &genesis_height, &zero, "height is 0");
}

#[test]
fn refuses_sets_other_than_the_genesis_set() {
    let (genesis, good) = (genesis(), checkpoint(&genesis()));
    let other = B256::repeat_byte(9);
    let now = Checkpoint {
        validator_set_hash: other,
        ..good
    };
    check(
        &genesis,
        &now,
        &decide(&genesis, &now),
        "names validator set",
    );
    // The last checkpoint of a set names another one, and is as good as the others.
    let last = Checkpoint {
        next_validator_set_hash: other,
        ..good
    };
    verify_checkpoint(&genesis, &last, &decide(&genesis, &last)).unwrap();
}

#[test]
fn refuses_fewer_signers_than_a_quorum() {
    let (genesis, good) = (genesis(), checkpoint(&genesis()));
    let decided = decide(&genesis, &good);
    let two = CommitCertificate::new(
        decided.height,
        decided.round,
        decided.checkpoint_digest,
        decided.signatures()[..2].to_vec(),
    );
    check(&genesis, &good, &two.unwrap(), "2 of 4 voting power");
}

#[test]
fn every_flipped_bit_of_a_checkpoint_is_noticed() {
    let (genesis, good) = (genesis(), checkpoint(&genesis()));
    let decided = decide(&genesis, &good);
    let bytes = good.encode();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes;
        flipped[bit / 8] ^= 1 << (bit % 8);
        let checkpoint = Checkpoint::decode(&flipped).unwrap();
        assert!(
            verify_checkpoint(&genesis, &checkpoint, &decided).is_err(),
            "bit {bit}"
        );
    }
}
