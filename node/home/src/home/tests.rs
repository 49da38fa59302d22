use std::collections::BTreeMap;
use std::fs;

use tbsi_types::genesis::{ConsensusParameters, NodeEntry, OrganisationEntry, ValidatorEntry};
use tbsi_types::{Height, TimestampMs};

use super::*;
use crate::config::PeerConfig;

mod sign_state;

/// A home with keys, and a genesis that names them.
fn prepared(validator: bool) -> (tempfile::TempDir, Home, Genesis) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::new(dir.path().join("home"));
    let peer_id = home.ensure_node_key().unwrap().peer_id();
    let entry = validator.then(|| ValidatorEntry {
        public_key: home
            .ensure_validator_key()
            .unwrap()
            .public_key()
            .encode()
            .to_vec()
            .into(),
        power: 1,
        ..ValidatorEntry::default()
    });
    let other = ValidatorEntry {
        public_key: SecretKey::from_seed(b"other")
            .public_key()
            .encode()
            .to_vec()
            .into(),
        power: 1,
        ..ValidatorEntry::default()
    };
    let node = |name: &str, peer_id: String, validator| NodeEntry {
        name: name.into(),
        organisation: "a".into(),
        peer_id,
        validator,
        ..NodeEntry::default()
    };
    let organisation = OrganisationEntry {
        name_zh_tw: "甲公會".into(),
        name_en: "Guild A".into(),
        ..OrganisationEntry::default()
    };
    let genesis = Genesis {
        version: 1,
        name: "home".into(),
        chain_id: 8_862_026,
        time_ms: TimestampMs(1_700_000_000_000),
        block_gas_limit: 300_000_000,
        consensus: ConsensusParameters::default(),
        organisations: BTreeMap::from([("a".to_string(), organisation)]),
        nodes: vec![
            node("node-1", peer_id, entry),
            node("node-2", NodeKey::from_seed([2; 32]).peer_id(), Some(other)),
        ],
        governance: None,
        accounts: BTreeMap::new(),
    };
    (dir, home, genesis)
}

fn words<T: std::fmt::Debug>(result: Result<T, HomeError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn loads_what_it_initialised() {
    for validator in [true, false] {
        let (_dir, home, genesis) = prepared(validator);
        let config = Config::new("node-1", validator);
        home.init(&config, &genesis).unwrap();
        let loaded = home.load().unwrap();
        assert_eq!(loaded.config, config);
        assert_eq!(loaded.genesis.hash(), genesis.hash());
        assert_eq!(loaded.validator_key.is_some(), validator);
        assert_eq!(home.sign_state_file().exists(), validator);
        let archive = home.with_archive(true).load().unwrap();
        assert_eq!(archive.config.store.history_blocks, HISTORY_ALL);
    }
}

#[test]
fn keeps_keys_and_refuses_a_second_initialisation() {
    let (_dir, home, genesis) = prepared(true);
    let peer_id = home.ensure_node_key().unwrap().peer_id();
    assert!(
        genesis.node_of_peer(&peer_id).is_some(),
        "the same key again"
    );
    let config = Config::new("node-1", true);
    home.init(&config, &genesis).unwrap();
    assert!(words(home.init(&config, &genesis)).contains("initialised already"));
    // Without its configuration, but with a sign-state of another key: it is not touched.
    fs::remove_file(home.config_file()).unwrap();
    fs::remove_file(home.genesis_file()).unwrap();
    fs::remove_file(home.sign_state_file()).unwrap();
    home.create_sign_state(&genesis, &SecretKey::from_seed(b"another"), Height(5))
        .unwrap();
    assert!(words(home.init(&config, &genesis)).contains("belongs to validator"));
}

/// A home that a validator left is good for nothing that signs.
#[test]
fn a_home_that_was_left_does_not_start() {
    let (_dir, home, genesis) = prepared(true);
    home.init(&Config::new("node-1", true), &genesis).unwrap();
    home.ensure_link_key().unwrap();
    assert_eq!(home.left_note().unwrap(), None);
    home.leave("validator left in parcel").unwrap();
    assert_eq!(
        home.left_note().unwrap().unwrap(),
        "validator left in parcel"
    );
    for said in [
        words(home.load()),
        words(home.load_voter()),
        words(home.open_signer(SignerRole::Validator).map(drop)),
    ] {
        assert!(
            said.contains("data/left says: validator left in parcel"),
            "{said}"
        );
        assert!(said.contains("it could sign twice"), "{said}");
    }
    assert!(home.load_leaving().is_ok());
    let long = "x".repeat(10_000);
    home.leave(&long).unwrap();
    assert_eq!(home.left_note().unwrap().unwrap().len(), 200);
}

#[test]
fn refuses_files_that_contradict_each_other() {
    let config = Config::new("node-1", true);
    let init = |config: &Config, change: &dyn Fn(&Home, &mut Genesis)| {
        let (_dir, home, mut genesis) = prepared(true);
        change(&home, &mut genesis);
        let error = words(home.init(config, &genesis));
        assert!(!home.config_file().exists(), "nothing was made");
        error
    };
    let error = init(&config, &|_, genesis| drop(genesis.nodes.remove(0)));
    assert!(
        error.contains("does not name this node, whose peer id is 12D3Koo"),
        "{error}"
    );
    let error = init(&Config::new("node-9", true), &|_, _| ());
    assert!(
        error.contains("`node-9`, but genesis.json calls this node `node-1`"),
        "{error}"
    );
    let error = init(&config, &|_, genesis| genesis.nodes[0].validator = None);
    assert!(
        error.contains("does not give node `node-1` the validator key"),
        "{error}"
    );
    let error = init(&config, &|_, genesis| {
        genesis.nodes.swap_remove(0).validator = None
    });
    assert!(error.contains("does not name this node"), "{error}");
    let error = init(&config, &|home, _| {
        fs::remove_file(home.validator_key_file()).unwrap()
    });
    assert!(error.contains("validator.key is missing"), "{error}");
    let error = init(&Config::new("node-1", false), &|_, _| ());
    assert!(error.contains("`validator = false`"), "{error}");
    let mut stranger = config.clone();
    stranger.p2p.peers.push(PeerConfig {
        peer_id: NodeKey::from_seed([9; 32]).peer_id(),
        consensus: "127.0.0.1:1".parse().unwrap(),
        gossip: "127.0.0.1:2".parse().unwrap(),
    });
    let error = init(&stranger, &|_, _| ());
    assert!(
        error.contains("`p2p.peers[0].peer_id`: genesis.json does not name"),
        "{error}"
    );
}

#[test]
fn a_lost_key_does_not_make_a_validator_an_observer() {
    let (_dir, home, genesis) = prepared(true);
    home.init(&Config::new("node-1", true), &genesis).unwrap();
    fs::remove_file(home.validator_key_file()).unwrap();
    assert!(words(home.load()).contains("validator.key is missing"));
}

#[test]
fn genesis_files_name_real_peers() {
    let (_dir, home, mut genesis) = prepared(false);
    let file = home.dir().join("genesis.json");
    let load = |genesis: &Genesis| {
        fs::write(&file, serde_json::to_vec(genesis).unwrap()).unwrap();
        load_genesis(&file)
    };
    assert_eq!(load(&genesis).unwrap(), genesis);
    genesis.nodes[1].peer_id = "node-2".into();
    let HomeError::Genesis { source, .. } = load(&genesis).unwrap_err() else {
        panic!("another error");
    };
    assert!(
        source.to_string().contains("nodes[node-2].peer_id"),
        "{source}"
    );
}

#[test]
fn makes_a_log_key_once_and_refuses_a_damaged_one() {
    let (_dir, home, genesis) = prepared(false);
    home.init(&Config::new("node-1", false), &genesis).unwrap();
    assert!(home.load().is_ok(), "a home that is older than the log");
    let vkey = || {
        let signer = home.ensure_log_key().unwrap().signer(&genesis.identity());
        signer
            .verifier(tbsi_types::log::SignatureType::Note)
            .encode()
    };
    let first = vkey();
    assert_eq!(vkey(), first);
    fs::write(home.log_key_file(), "no key").unwrap();
    assert!(words(home.load()).contains("log.key must hold exactly 64 hex digits"));
    assert!(words(home.ensure_log_key()).contains("log.key must hold"));
}

#[test]
fn a_log_key_that_genesis_names_must_be_here() {
    let (_dir, home, mut genesis) = prepared(true);
    let own = home.ensure_log_key().unwrap().public_key();
    let name = |genesis: &mut Genesis, key: [u8; 32]| {
        let entry = genesis.nodes[0].validator.as_mut().unwrap();
        entry.log_key = Some(key.to_vec().into());
    };
    let config = Config::new("node-1", true);
    let other = ed25519_key(5);
    name(&mut genesis, other);
    let refused = words(home.init(&config, &genesis));
    assert!(
        refused.contains("gives node `node-1` the log key 0x"),
        "{refused}"
    );
    assert!(refused.contains("keys/log.key is another"), "{refused}");
    name(&mut genesis, own);
    home.init(&config, &genesis).unwrap();
    home.load().unwrap();
    fs::remove_file(home.log_key_file()).unwrap();
    let refused = words(home.load());
    assert!(refused.contains("keys/log.key is missing"), "{refused}");
}

fn ed25519_key(seed: u8) -> [u8; 32] {
    let signer = tbsi_types::log::NoteSigner::new("key", &[seed; 32]).unwrap();
    let verifier = signer.verifier(tbsi_types::log::SignatureType::Cosignature);
    *verifier.public_key()
}

#[test]
fn encrypted_keys_open_with_the_configured_password() {
    let dir = tempfile::tempdir().unwrap();
    let secret = zeroize::Zeroizing::new("correct horse".to_owned());
    let password = Password::new(secret).unwrap();
    let locked = Home::new(dir.path().join("home"));
    let home = locked.clone().with_password(Some(password));
    let node_key = home.ensure_node_key().unwrap();
    let validator_key = home.ensure_validator_key().unwrap();
    let (_dir, _, mut genesis) = prepared(true);
    genesis.nodes[0].peer_id = node_key.peer_id();
    let public_key = validator_key.public_key().encode().to_vec().into();
    genesis.nodes[0].validator.as_mut().unwrap().public_key = public_key;
    let mut config = Config::new("node-1", true);
    home.init(&config, &genesis).unwrap();
    assert_eq!(home.load().unwrap().node_key.peer_id(), node_key.peer_id());
    assert!(words(locked.load()).contains("keys/node.key is encrypted"));
    for (kind, encrypted) in locked.key_files().unwrap() {
        assert!(encrypted, "{kind:?}");
    }

    config.keys.password_file = Some("keys/password".into());
    fs::write(home.config_file(), config.to_toml()).unwrap();
    assert!(words(locked.load()).contains("password file"));
    let file = home.dir().join("keys/password");
    write_new(&file, b"correct horse\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&file, mode).unwrap();
    let loaded = locked.load().unwrap();
    let address = loaded.validator_key.unwrap().public_key().address();
    assert_eq!(address, validator_key.public_key().address());
}

#[test]
fn the_next_key_is_as_encrypted_as_the_others() {
    let (_dir, home, genesis) = prepared(true);
    home.init(&Config::new("node-1", true), &genesis).unwrap();
    let secret = zeroize::Zeroizing::new("correct horse".to_owned());
    let unlocked = home
        .clone()
        .with_password(Some(Password::new(secret).unwrap()));
    let old = home.load().unwrap().validator_key.unwrap();
    let next = unlocked.ensure_next_validator_key().unwrap();
    assert!(words(home.load()).contains("keys/validator-next.key is encrypted"));
    assert!(words(home.next_validator_key()).contains("is encrypted"));
    let opened = unlocked.next_validator_key().unwrap().unwrap();
    assert_eq!(opened.public_key(), next.public_key());

    unlocked
        .promote_next_key(&genesis, &next, Height::GENESIS)
        .unwrap();
    let (file, password) = (home.validator_key_file(), unlocked.password());
    let current = open_validator_key(&file, password).unwrap();
    assert_eq!(current.public_key(), next.public_key());
    let retired = format!("keys/validator-retired-{}.key", old.public_key().address());
    assert!(home.dir().join(retired).exists());
    assert!(!home.next_validator_key_file().exists());
}

#[test]
fn a_key_behind_a_signer_has_no_next_one() {
    let (_dir, home, genesis) = prepared(true);
    let mut config = Config::new("node-1", true);
    let key = home.ensure_validator_key().unwrap().public_key();
    config.signer = Some(crate::config::SignerConfig {
        address: "127.0.0.1:1".parse().unwrap(),
        public_key: alloy_primitives::B256::repeat_byte(1),
        validator_key: key.encode().to_vec().into(),
    });
    home.ensure_link_key().unwrap();
    let refused = words(home.init(&config, &genesis));
    assert!(refused.contains("validator.key exists but"), "{refused}");
    fs::remove_file(home.validator_key_file()).unwrap();
    home.ensure_next_validator_key().unwrap();
    let refused = words(home.init(&config, &genesis));
    let named = "validator-next.key exists but the configuration names a `signer`";
    assert!(refused.contains(named), "{refused}");
    fs::remove_file(home.next_validator_key_file()).unwrap();
    let mut other = config.clone();
    let key = SecretKey::from_seed(b"another").public_key();
    other.signer.as_mut().unwrap().validator_key = key.encode().to_vec().into();
    let refused = words(home.init(&other, &genesis));
    assert!(
        refused.contains("does not give node `node-1` the validator key"),
        "{refused}"
    );
    home.init(&config, &genesis).unwrap();
    home.load().unwrap();
}

/// Where contracts say who takes part, a validator's key may be another than genesis names; its
/// node's name may not.
#[test]
fn a_governed_chain_compares_the_name_alone() {
    let (_dir, home, mut genesis) = prepared(true);
    let entry = genesis.nodes[0].validator.as_mut().unwrap();
    let other = SecretKey::from_seed(b"before it was rotated");
    entry.public_key = other.public_key().encode().to_vec().into();
    let config = Config::new("node-1", true);
    let refused = words(home.init(&config, &genesis));
    assert!(
        refused.contains("the validator key of this home"),
        "{refused}"
    );
    genesis.governance = Some(tbsi_types::genesis::GovernanceEntry::development());
    let refused = words(home.init(&Config::new("node-2", true), &genesis));
    assert!(refused.contains("calls this node `node-1`"), "{refused}");
    home.init(&config, &genesis).unwrap();
}
