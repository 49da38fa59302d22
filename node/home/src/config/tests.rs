use std::path::Path;

use proptest::prelude::*;
use tbsi_keys::keyfile::NodeKey;
use tbsi_types::log::{NoteSigner, SignatureType};

use super::*;

const MINIMAL: &str = "name = \"node-1\"\nvalidator = true\n";

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("home/config.toml")).map_err(|error| error.to_string())
}

fn peer(seed: u8) -> PeerConfig {
    PeerConfig {
        peer_id: NodeKey::from_seed([seed; 32]).peer_id(),
        consensus: loopback(27_100),
        gossip: loopback(27_101),
    }
}

/// Each addition to the minimal file is refused with these words.
fn refuse(addition: &str, words: &str) {
    let error = parse(&format!("{MINIMAL}{addition}")).unwrap_err();
    assert!(
        error.starts_with("configuration home/config.toml"),
        "{error}"
    );
    assert!(
        error.contains(words),
        "`{error}` does not contain `{words}`"
    );
}

#[test]
fn a_name_and_a_role_are_enough() {
    assert_eq!(parse(MINIMAL), Ok(Config::new("node-1", true)));
    let error = parse("validator = true").unwrap_err();
    assert!(error.contains("missing field `name`"), "{error}");
    assert!(parse("name = \"a\"").unwrap_err().contains("`validator`"));
}

#[test]
fn names_an_unknown_key_and_its_nearest_neighbour() {
    for (addition, key, nearest) in [
        ("[rpc]\nlsten = 1", "rpc.lsten", "rpc.listen"),
        ("[RPC]\nlisten = 1", "RPC", "rpc"),
        ("[logs]\nlevel = \"info\"", "logs", "log"),
        (
            "[p2p]\nconsensus_addr = 1",
            "p2p.consensus_addr",
            "p2p.consensus",
        ),
        (
            "[[p2p.peers]]\npeerid = \"\"",
            "p2p.peers[0].peerid",
            "p2p.peers.peer_id",
        ),
        (
            "[mempool]\ntransaction_max = 1",
            "mempool.transaction_max",
            "mempool.transactions_max",
        ),
    ] {
        let words = format!("unknown key `{key}`; the nearest valid key is `{nearest}`");
        refuse(addition, &words);
    }
}

#[test]
fn says_where_the_file_is_not_toml_or_has_the_wrong_type() {
    refuse("[rpc\n", "line 3: ");
    refuse("name = \"again\"", "line 3: duplicate key");
    refuse(
        "\n[rpc]\nlisten = \"localhost\"",
        "line 5: invalid socket address",
    );
    refuse("[rpc]\nconnections_max = -1", "line 4: ");
    refuse("[log]\nlevel = \"loud\"", "line 4: unknown variant `loud`");
    refuse("p2p = 1", "line 3: ");
}

#[test]
fn presets_say_what_the_file_does_not() {
    let check = |text: &str, history: u64, kept: u64| {
        let store = parse(&format!("{MINIMAL}[store]\n{text}")).unwrap().store;
        assert_eq!(
            (store.history_blocks, store.keep_blocks),
            (history, kept),
            "{text}"
        );
    };
    check("", 256, HISTORY_ALL);
    check("preset = \"full\"", 256, HISTORY_ALL);
    check("preset = \"archive\"", HISTORY_ALL, HISTORY_ALL);
    check("preset = \"light\"", 256, 100_000);
    check("preset = \"light\"\nhistory_blocks = 500", 500, 100_000);
    check(
        "preset = \"archive\"\nkeep_blocks = 5000",
        HISTORY_ALL,
        5_000,
    );
    check("history_blocks = \"all\"", HISTORY_ALL, HISTORY_ALL);
}

#[test]
fn names_the_key_the_limit_and_the_remedy() {
    refuse(
        "[store]\nhistory_blocks = 127",
        "`store.history_blocks`: 127 is outside 128..=",
    );
    refuse(
        "[store]\nkeep_blocks = 999",
        "`store.keep_blocks`: 999 is outside 1000..=",
    );
    refuse(
        "[store]\nkeep_blocks = \"some\"",
        "`keep_blocks` is neither a number",
    );
    refuse(
        "[store]\npreset = \"huge\"",
        "expected one of `archive`, `full`, `light`",
    );
    for none in ["\"most\"", "-1", "true"] {
        refuse(
            &format!("[store]\nhistory_blocks = {none}"),
            "`history_blocks` is neither a number of blocks nor \"all\"",
        );
    }
    refuse(
        "[rpc]\nconnections_max = 0",
        "`rpc.connections_max`: 0 is outside 1..=65536",
    );
    refuse(
        "[rpc]\nrequest_bytes_max = 1000",
        "`rpc.request_bytes_max`: 1000 is outside",
    );
    refuse(
        "[mempool]\nper_sender_max = 20001",
        "`mempool.per_sender_max`: 20001 is outside",
    );
    refuse("[mempool]\nbytes_max = 0", "`mempool.bytes_max`");
    for name in ["", "  ", "a\\nb", &"x".repeat(65)] {
        let error = parse(&format!("name = \"{name}\"\nvalidator = false")).unwrap_err();
        assert!(
            error.contains("key `name`: must be 1 to 64 bytes"),
            "{error}"
        );
    }
}

#[test]
fn refuses_addresses_that_cannot_work() {
    refuse(
        "[rpc]\nlisten = \"127.0.0.1:9464\"",
        "9464 is already taken by `rpc.listen`",
    );
    refuse(
        "[p2p]\ngossip = \"0.0.0.0:27000\"",
        "already taken by `p2p.consensus`",
    );
    refuse(
        "[p2p]\ngossip = \"0.0.0.0:0\"",
        "`p2p.gossip`: 0.0.0.0:0 has port 0",
    );
    let with = |peers: &[PeerConfig]| {
        let mut config = Config::new("a", false);
        config.p2p.peers = peers.to_vec();
        parse(&config.to_toml())
    };
    assert!(with(&[peer(1), peer(2)]).is_ok());
    assert!(
        with(&[peer(1), peer(1)])
            .unwrap_err()
            .contains("p2p.peers[1].peer_id`: 12D3Koo")
    );
    let nameless = PeerConfig {
        peer_id: "someone".into(),
        ..peer(1)
    };
    assert!(
        with(&[nameless])
            .unwrap_err()
            .contains("`someone` is not a peer id")
    );
    let nowhere = PeerConfig {
        consensus: "0.0.0.0:1".parse().unwrap(),
        ..peer(1)
    };
    assert!(
        with(&[nowhere])
            .unwrap_err()
            .contains("p2p.peers[0].consensus")
    );
    let portless = PeerConfig {
        gossip: loopback(0),
        ..peer(1)
    };
    assert!(
        with(&[portless])
            .unwrap_err()
            .contains("p2p.peers[0].gossip")
    );
}

#[test]
fn reads_files_up_to_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    let missing = Config::load(&file).unwrap_err();
    assert!(matches!(missing, ConfigError::Missing { .. }), "{missing}");
    std::fs::write(&file, MINIMAL).unwrap();
    assert_eq!(Config::load(&file).unwrap(), Config::new("node-1", true));
    let padding = "#".repeat(1024 * 1024);
    std::fs::write(&file, format!("{MINIMAL}{padding}")).unwrap();
    let large = Config::load(&file).unwrap_err();
    assert!(
        large.to_string().contains("more than the 1048576 bytes"),
        "{large}"
    );
}

proptest! {
    #[test]
    fn reads_back_what_it_writes(
        name in "[ -~公會]{0,3}[a-z\"\\\\'公會]{1,5}",
        validator in any::<bool>(),
        port in 1u16..20_000,
        origins in proptest::collection::vec(prop_oneof![
            "\\*",
            "https?://(\\*\\.)?[a-z]{1,9}:81",
            "(moz|chrome)-extension://(\\*|[a-p]{32})",
        ], 0..3),
        history_blocks in prop_oneof![128u64..1_000, Just(HISTORY_ALL)],
        preset in prop_oneof![
            Just(StorePreset::Archive), Just(StorePreset::Full), Just(StorePreset::Light)
        ],
        peers in 0u8..3,
        json in any::<bool>(),
    ) {
        let mut config = Config::new(&name, validator);
        config.rpc.listen.set_port(port);
        config.rpc.cors_origins = origins;
        config.store = StoreConfig::of(preset);
        config.store.history_blocks = history_blocks;
        config.p2p.peers = (0..peers).map(peer).collect();
        config.metrics.listen.set_port(port + 1);
        config.tsa = json.then(|| TsaConfig {
            keys: (0..peers).map(|seed| ApiKeyConfig {
                name: format!("地政 \"{seed}\""),
                sha256: B256::repeat_byte(seed),
                per_minute: 6_000,
            }).collect(),
            calendar: (peers > 0).then(|| CalendarConfig {
                upstream: (peers > 1).then(|| "http://192.0.2.7:14788".into()),
                ..CalendarConfig::new("https://node.example.org")
            }),
            ..TsaConfig::new("tsa/憑證.pem", "/a \"b\".pem", "keys/issuer.key")
        });
        if json {
            config.rpc.hosts = vec!["*.example.org".into()];
            config.rpc.methods = vec!["eth".into(), "tbsi_status".into()];
            config.rpc.keys.clone_from(&config.tsa.as_ref().expect("it was set").keys);
            let tls = TlsConfig {
                certificate: "tls/憑證.pem".into(),
                key: "/a \"b\".pem".into(),
            };
            config.rpc.tls = (peers > 0).then(|| tls.clone());
            config.rpc.operator = (peers > 1).then(|| OperatorConfig {
                token_secret: Some("keys/rpc.secret".into()),
                tls: Some(tls),
                ..OperatorConfig::default()
            });
            config.rpc.trusted_proxies = vec![Ipv4Addr::LOCALHOST.into()];
            config.attestation_log = attestation_log();
        }
        config.log.format = if json { LogFormat::Json } else { LogFormat::Text };
        prop_assert_eq!(parse(&config.to_toml()), Ok(config));
    }

    #[test]
    fn never_panics_on_a_damaged_file(position in 0usize..2_000, byte in any::<u8>()) {
        let mut config = Config::new("node-1", true);
        config.p2p.peers.push(peer(1));
        let mut bytes = config.to_toml().into_bytes();
        let position = position % bytes.len();
        bytes[position] = byte;
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(parsed) = parse(&text)
        {
            prop_assert!(parsed.check().is_ok());
        }
    }
}

fn key(name: &str, signature_type: SignatureType) -> String {
    let signer = NoteSigner::new(name, &[7; 32]).unwrap();
    signer.verifier(signature_type).encode()
}

fn attestation_log() -> AttestationLogConfig {
    AttestationLogConfig {
        submit_interval_s: 3,
        witnesses: vec![WitnessConfig {
            key: key("witness.example", SignatureType::Cosignature),
            url: "http://192.0.2.7:8545/witness".into(),
        }],
        witnessed: vec![
            WitnessedConfig {
                origin: None,
                key: key("log.example", SignatureType::Note),
            },
            WitnessedConfig {
                origin: Some("log \"b\"".replace(' ', "-")),
                key: key("log.example", SignatureType::Note),
            },
        ],
    }
}

#[test]
fn refuses_witnesses_and_logs_that_cannot_be() {
    let witness = |key: &str, url: &str| {
        format!("[[attestation_log.witnesses]]\nkey = {key:?}\nurl = {url:?}\n")
    };
    let url = "http://192.0.2.7:8545";
    let cosigner = key("witness.example", SignatureType::Cosignature);
    let log = key("log.example", SignatureType::Note);
    let good = witness(&cosigner, url);
    assert!(parse(&format!("{MINIMAL}{good}")).is_ok());
    let with_tls = witness(&cosigner, "https://a.example/witness");
    assert!(parse(&format!("{MINIMAL}{with_tls}")).is_ok());
    refuse(
        &witness("key", url),
        "witnesses[0].key`: verifier key must be",
    );
    refuse(&witness(&log, url), "witnesses[0].key`: is a log's key");
    for wrong in [
        "192.0.2.7:8545",
        "wss://a.example",
        "https://me:secret@a.example",
        "http://",
        "http://a.example/?b",
    ] {
        refuse(&witness(&cosigner, wrong), "witnesses[0].url`: `");
    }
    refuse(
        &good.repeat(2),
        "witnesses[1].key`: this public key appears twice",
    );
    refuse(
        &good.repeat(8),
        "`attestation_log.witnesses`: 8 is outside 0..=7",
    );
    let witnessed =
        |key: &str, more: &str| format!("[[attestation_log.witnessed]]\nkey = {key:?}\n{more}");
    assert!(parse(&format!("{MINIMAL}{}", witnessed(&log, ""))).is_ok());
    refuse(
        &witnessed(&cosigner, ""),
        "witnessed[0].key`: is a cosigner's key",
    );
    refuse(
        &witnessed(&log, "origin = \"a b\""),
        "witnessed[0].origin`: `a b` cannot be",
    );
    refuse(
        &witnessed(&log, "").repeat(2),
        "appears twice for `log.example`",
    );
    refuse(
        &witnessed(&log, "orign = \"a\""),
        "`attestation_log.witnessed.origin`",
    );
    let interval = "[attestation_log]\nsubmit_interval_s = 0";
    refuse(
        interval,
        "`attestation_log.submit_interval_s`: 0 is outside 1..=86400",
    );
}

#[test]
fn refuses_an_authority_that_cannot_be() {
    let tsa = |policy: &str, key: &str| {
        format!(
            "[tsa]\ncertificate = \"c\"\nkey = \"{key}\"\nissuer_key = \"i\"\npolicy = {policy:?}"
        )
    };
    let config = parse(&format!("{MINIMAL}{}", tsa(TSA_POLICY, "k"))).unwrap();
    assert_eq!(config.tsa.unwrap().policy, TSA_POLICY);
    refuse(&tsa("policy", "k"), "`tsa.policy`: `policy` is not an OID");
    refuse(
        &tsa(TSA_POLICY, ""),
        "`tsa.key`: must be the path of a file",
    );
    refuse("[tsa]\ncertificate = \"c\"", "missing field `key`");
    refuse("[tsa]\nkex = \"c\"", "nearest valid key is `tsa.key`");
}

#[test]
fn refuses_rates_and_keys_that_would_let_nobody_or_everybody_through() {
    let tsa =
        |rest: &str| format!("[tsa]\ncertificate = \"c\"\nkey = \"k\"\nissuer_key = \"i\"\n{rest}");
    let key = |name: &str, hash: B256, rate: u32| {
        format!("[[tsa.keys]]\nname = \"{name}\"\nsha256 = \"{hash}\"\nper_minute = {rate}\n")
    };
    let hash = B256::repeat_byte(1);
    let one = key("a", hash, 1);
    let config = parse(&format!("{MINIMAL}{}", tsa(&one)))
        .unwrap()
        .tsa
        .unwrap();
    assert_eq!((config.per_minute, config.address_per_minute), (1_200, 120));
    assert_eq!(config.keys[0].sha256, hash);
    let check = |rest: &str, words: &str| refuse(&tsa(rest), words);
    check(
        "per_minute = 0",
        "`tsa.per_minute`: 0 is outside 1..=1000000",
    );
    check(
        "address_per_minute = 1000001",
        "`tsa.address_per_minute`: 1000001 is outside",
    );
    check(&key("a", hash, 0), "`tsa.keys[0].per_minute`: 0 is outside");
    check(&key(" ", hash, 1), "`tsa.keys[0].name`: must be 1 to 64");
    check(&(one.clone() + &one), "`tsa.keys[1].sha256`: appears twice");
    let empty = tbsi_types::sha256(&[]);
    check(&key("a", empty, 1), "is that of an empty key");
    check(
        "[[tsa.keys]]\nname = \"a\"\nsha256 = \"secret\"\nper_minute = 1",
        "line 9: invalid string length",
    );
    refuse(
        "[rpc]\ntrusted_proxies = [\"proxy\"]",
        "line 4: invalid IP address",
    );
    refuse(
        "[rpc]\nconnections_per_address_max = 0",
        "`rpc.connections_per_address_max`: 0 is outside",
    );
}

#[test]
fn refuses_calendars_that_nobody_could_reach() {
    let check = |calendar: &str, words: &str| {
        let tsa = "[tsa]\ncertificate = \"c\"\nkey = \"k\"\nissuer_key = \"i\"\n";
        refuse(&format!("{tsa}[tsa.calendar]\n{calendar}"), words);
    };
    for url in [
        "",
        "x",
        "ftp://a",
        "http://a/",
        "http://a/b",
        "http://a?b",
        "http://a%20",
    ] {
        check(&format!("url = \"{url}\""), "`tsa.calendar.url`: ");
    }
    let good = "url = \"http://a\"\n";
    let upstream = "upstream = \"ftp://b\"";
    check(&format!("{good}{upstream}"), "`tsa.calendar.upstream`: ");
    let interval = "interval_s = 0";
    check(
        &format!("{good}{interval}"),
        "`tsa.calendar.interval_s`: 0 is outside",
    );
    check("url = 7", "invalid type");
    check("uri = \"\"", "nearest valid key is `tsa.calendar.url`");
}

#[test]
fn refuses_listeners_that_let_in_nobody_or_everybody() {
    let check = |rpc: &str, words: &str| refuse(&format!("[rpc]\n{rpc}"), words);
    check("methods = [\"eth_*\"]", "`rpc.methods`: `eth_*` is neither");
    check("methods = [\"\"]", "`rpc.methods`: `` is neither");
    check(
        "address_per_minute = 1000001",
        "`rpc.address_per_minute`: 1000001 is outside 0..=1000000",
    );
    check(
        "[rpc.operator]\nlisten = \"0.0.0.0:8551\"",
        "`rpc.operator.listen`: 0.0.0.0:8551 is reached from other machines: set \
         `rpc.operator.token_secret`",
    );
    check(
        "[rpc.operator]\nlisten = \"127.0.0.1:8545\"",
        "`rpc.operator.listen`: 127.0.0.1:8545 is already taken by `rpc.listen`",
    );
    check(
        "[rpc.operator]\ntoken_secret = \"\"",
        "`rpc.operator.token_secret`: must be the path of a file",
    );
    check("[rpc.tls]\ncertificate = \"c\"", "missing field `key`");
    check(
        "[rpc.operator]\nmethod = []",
        "nearest valid key is `rpc.operator.methods`",
    );
    let key = format!("[[rpc.keys]]\nname = \"a\"\nsha256 = \"{}\"\n", B256::ZERO);
    check(
        &format!("{key}per_minute = 0"),
        "`rpc.keys[0].per_minute`: 0 is outside 1..=1000000",
    );
    let operator = parse(&format!("{MINIMAL}[rpc.operator]\n"))
        .unwrap()
        .rpc
        .operator;
    assert_eq!(operator, Some(OperatorConfig::default()));
}
