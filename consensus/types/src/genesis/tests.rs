//! The genesis file: what is hashed, and what is refused.

use super::*;
use crate::keys::SecretKey;

fn genesis() -> Genesis {
    let node = |index: usize| NodeEntry {
        name: format!("node-{index}"),
        organisation: "a".into(),
        peer_id: format!("12D3KooW{index}"),
        validator: Some(ValidatorEntry {
            public_key: SecretKey::from_seed(&index.to_be_bytes())
                .public_key()
                .encode()
                .to_vec()
                .into(),
            power: 1,
            log_key: None,
        }),
        endpoint: None,
    };
    let organisation = OrganisationEntry {
        name_zh_tw: "甲公會".into(),
        name_en: "Guild A".into(),
        ..OrganisationEntry::default()
    };
    Genesis {
        version: 1,
        name: "test".into(),
        chain_id: 8_862_026,
        time_ms: TimestampMs(1_700_000_000_000),
        block_gas_limit: 300_000_000,
        consensus: ConsensusParameters::default(),
        organisations: BTreeMap::from([("a".to_string(), organisation)]),
        nodes: (0..4).map(node).collect(),
        governance: None,
        accounts: BTreeMap::new(),
    }
}

#[test]
fn hash_ignores_layout_and_binds_content() {
    let pretty = serde_json::to_vec_pretty(&genesis()).unwrap();
    let compact = serde_json::to_vec(&genesis()).unwrap();
    let parsed = Genesis::parse(&pretty).unwrap();
    assert_eq!(parsed.hash(), Genesis::parse(&compact).unwrap().hash());
    let mut renamed = genesis();
    renamed.organisations.get_mut("a").unwrap().name_zh_tw = "乙公會".into();
    assert_ne!(renamed.hash(), parsed.hash());
}

/// A file of before there were optional fields has the hash that it had.
#[test]
fn what_is_absent_is_not_hashed() {
    let text = serde_json::to_string(&genesis()).unwrap();
    for field in [
        "clock_lag_max_ms",
        "map_period_ms",
        "kind",
        "votes",
        "tax_id",
        "accounts",
        "endpoint",
        "log_key",
    ] {
        assert!(!text.contains(field), "{field}: {text}");
    }
    let mut with = genesis();
    with.organisations.get_mut("a").unwrap().votes = Some(false);
    assert_ne!(with.hash(), genesis().hash());
    let account = BTreeMap::from([(Address::ZERO, [Permission::Vote, Permission::Send].into())]);
    with.organisations.get_mut("a").unwrap().accounts = account;
    let text = serde_json::to_string(&with).unwrap();
    assert!(text.contains(r#":["send","vote"]"#), "{text}");
    assert_eq!(Genesis::parse(text.as_bytes()).unwrap(), with);
}

#[track_caller]
fn refuse(change: &dyn Fn(&mut Genesis), expected: &str) {
    let mut bad = genesis();
    change(&mut bad);
    let error = bad.check().unwrap_err().to_string();
    assert!(
        error.contains(expected),
        "`{error}` does not contain `{expected}`"
    );
}

#[test]
fn parameters_of_consensus_are_bounded() {
    refuse(
        &|g| g.consensus.clock_lag_max_ms = Some(999),
        "`consensus.clock_lag_max_ms`: 999 is outside 1000..=600000",
    );
    refuse(
        &|g| g.consensus.map_period_ms = Some(999),
        "`consensus.map_period_ms`: 999 is outside 1000..=86400000",
    );
}

#[test]
fn names_the_field_that_is_wrong() {
    refuse(
        &|g| g.chain_id = 0,
        "`chain_id`: 0 is outside 1..=4503599627370476",
    );
    refuse(&|g| g.version = 2, "`version`");
    refuse(&|g| g.block_gas_limit = 1, "`block_gas_limit`");
    let storage_only = GenesisAccount {
        balance: U256::from(1),
        storage: BTreeMap::from([(U256::ZERO, U256::from(1))]),
        ..GenesisAccount::default()
    };
    refuse(
        &|g| g.accounts = BTreeMap::from([(Address::ZERO, storage_only.clone())]),
        "only an account with code can have storage",
    );
    let long = |g: &mut Genesis| {
        g.organisations.get_mut("a").unwrap().name_zh_tw = "公".repeat(171);
    };
    refuse(&long, "`organisations.a.name_zh_tw`: 513 bytes");
    refuse(&|g| g.nodes[1].name = "node-0".into(), "must be unique");
    refuse(
        &|g| g.nodes[1].peer_id = "12D3KooW0".into(),
        "appears twice",
    );
    refuse(
        &|g| g.nodes[1].organisation = "z".into(),
        "`z` is not listed",
    );
    let log_key = |index: usize, key: &'static [u8]| {
        move |g: &mut Genesis| {
            let entry = g.nodes[index].validator.as_mut().unwrap();
            entry.log_key = Some(Bytes::from_static(key));
        }
    };
    let small_order = log_key(1, &[0; 32]);
    refuse(&small_order, "`nodes[node-1].validator.log_key`");
    refuse(&log_key(2, &[9; 31]), "`nodes[node-2].validator.log_key`");
    const Y_3: [u8; 32] = [
        3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ];
    let both = |g: &mut Genesis| {
        log_key(0, &Y_3)(g);
        g.check().expect("one good key");
        log_key(1, &Y_3)(g);
    };
    refuse(&both, "`nodes[node-1].validator.log_key`: 0x03");
    refuse(&|g| g.nodes.clear(), "`nodes`");
    let no_validators = |g: &mut Genesis| g.nodes.iter_mut().for_each(|n| n.validator = None);
    refuse(&no_validators, "`nodes`");
    let unknown = br#"{"version":1,"colour":"red"}"#;
    assert!(
        Genesis::parse(unknown)
            .unwrap_err()
            .to_string()
            .contains("colour")
    );
}
