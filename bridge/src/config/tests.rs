use super::*;

const MINIMAL: &str = r#"
[relayer]
name_en = "Test Association A"
key = "relayer.key"
[source]
genesis = "genesis.json"
rpc = ["http://127.0.0.1:8545"]
[target]
kind = "evm"
chain_id = 31337
rpc = ["http://127.0.0.1:28545"]
light_client = "0x0000000000000000000000000000000000000001"
"#;

const REMOTE: &str = r#"
address = "unix:/run/signer"
public_key = "0x0000000000000000000000000000000000000000000000000000000000000001"
account = "0x0000000000000000000000000000000000000001"
link_key = "signer.key"
"#;

fn evm(config: &Config) -> &EvmConfig {
    match &config.target {
        TargetConfig::Evm(evm) => evm,
        TargetConfig::Fabric(_) => panic!("another kind"),
    }
}

fn load(text: &str) -> Result<Config, ConfigError> {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(CONFIG_FILE), text).unwrap();
    Config::load(home.path()).map(|(config, _)| config)
}

#[test]
fn what_is_left_out_has_a_default() {
    let config = load(MINIMAL).unwrap();
    assert_eq!(load(&config.to_toml()).unwrap(), config);
    assert_eq!((config.source.agree, config.batch.leaves_max), (1, 200));
    assert_eq!(evm(&config).finality, Finality::Finalized);
    assert_eq!(config.select, SelectConfig::default());
}

const FABRIC: &str = r#"
[target]
kind = "fabric"
channel = "channel-1"
genesis_block = "0x0000000000000000000000000000000000000000000000000000000000000001"
gateways = ["https://peer0.org1.test:7051"]
tls_roots = "tls-roots.pem"
msp_id = "Org1MSP"
certificate = "certificate.pem"
key = "key.pem"
"#;

fn to_fabric() -> String {
    let (before, _) = MINIMAL.split_once("[target]").unwrap();
    format!("{before}{FABRIC}")
}

#[test]
fn a_channel_is_a_target() {
    let config = load(&to_fabric()).unwrap();
    assert_eq!(load(&config.to_toml()).unwrap(), config);
    let TargetConfig::Fabric(fabric) = &config.target else {
        panic!("another kind");
    };
    assert_eq!((fabric.chaincode.as_str(), fabric.agree), ("tbsi", 1));
    let here = to_fabric().replace("https://peer0.org1.test:7051", "http://127.0.0.1:7051");
    load(&here).unwrap();
}

#[test]
fn what_is_wrong_with_a_channel_is_named() {
    let with = |from: &str, to: &str| to_fabric().replace(from, to);
    let gateway = "[\"https://peer0.org1.test:7051\"]";
    for (text, words) in [
        (
            with("channel-1", "channel/1"),
            "`target.channel` is `channel/1`",
        ),
        (with("Org1MSP", ""), "`target.msp_id` is ``; 1 to 64"),
        (with("0001\"", "0000\""), "`target.genesis_block` is zero"),
        (with(gateway, "[]"), "`target.gateways` is 0; 1 to 16"),
        (
            with("https://", "http://"),
            "`target.gateways` has `http://peer0.org1.test:7051`; an address like https://",
        ),
        (
            with(gateway, "[\"https://a:1\", \"https://a:1\"]"),
            "`target.gateways` has `https://a:1` twice",
        ),
        (
            with("tls_roots = \"tls-roots.pem\"\n", ""),
            "`target.tls_roots` is absent",
        ),
        (
            format!("{}tls_key = \"a\"", to_fabric()),
            "`target.tls_key` and target.tls_certificate belong together",
        ),
        (
            format!("{}agree = 2", to_fabric()),
            "`target.agree` is 2; 1 to 1",
        ),
        (
            format!("{}organisations = [\"A\", \"A\"]", to_fabric()),
            "`target.organisations` has `A` twice",
        ),
        (
            format!("{}bytes_max = 1", to_fabric()),
            "`target.bytes_max` is 1; 65536 to",
        ),
        (
            format!("{}gas_max = 1", to_fabric()),
            "unknown field `gas_max`",
        ),
    ] {
        let error = load(&text).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn finality_is_a_word_or_a_depth() {
    for (written, finality) in [
        ("\"finalized\"", Finality::Finalized),
        ("\"latest\"", Finality::Latest),
        ("\"instant\"", Finality::Instant),
        ("{ depth = 12 }", Finality::Depth(12)),
    ] {
        let text = MINIMAL.to_owned() + "finality = " + written;
        let config = load(&text).unwrap();
        assert_eq!(evm(&config).finality, finality);
        assert_eq!(load(&config.to_toml()).unwrap(), config);
    }
    for (written, words) in [
        ("{ depth = 0 }", "`target.finality.depth` is 0; 1 to 100000"),
        ("\"soon\"", "unknown variant `soon`"),
    ] {
        let error = load(&(MINIMAL.to_owned() + "finality = " + written));
        let error = error.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let with = |from: &str, to: &str| MINIMAL.replace(from, to);
    for (text, words) in [
        (
            with("\"Test Association A\"", "\" \""),
            "`relayer.name_en` is empty",
        ),
        (
            with("http://127.0.0.1:8545", "wss://a"),
            "`source.rpc` has a wrong entry: wss://a is not an address",
        ),
        (
            with("rpc = [\"http://127.0.0.1:28545\"]", "rpc = []"),
            "`target.rpc` is 0",
        ),
        (
            with("chain_id = 31337", "chain_id = 0"),
            "`target.chain_id` is 0",
        ),
        (
            with("chain_id = 31337", "chain_id = 1\nagree = 2"),
            "`target.agree` is 2; 1 to 1",
        ),
        (with("0001\"", "0000\""), "`target.light_client` is zero"),
        (
            format!("{MINIMAL}gas_max = 16777217"),
            "`target.gas_max` is 16777217",
        ),
        (
            format!("{MINIMAL}bytes_max = 32767"),
            "`target.bytes_max` is 32767; 32768 to 1048576",
        ),
        (
            format!("{MINIMAL}[target.fees]\nfee_cap_wei = 0"),
            "`target.fees.tip_min_wei` is above",
        ),
        (
            format!("{MINIMAL}[target.fees]\ngas = 0"),
            "unknown field `gas`",
        ),
        (format!("{MINIMAL}gas = 0"), "unknown field `gas`"),
        (with("\"evm\"", "\"telex\""), "unknown variant `telex`"),
        (
            format!("{MINIMAL}key = \"a\"\n[target.signer]\n{REMOTE}"),
            "`target.signer` stands beside target.key",
        ),
        (
            format!("{MINIMAL}[audit]\nfile_bytes = 1"),
            "`audit.file_bytes` is 1; 65536 to 1073741824",
        ),
        (" ".repeat(70_000), "more than the 65536 bytes"),
    ] {
        let error = load(&text).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let twice = with(
        "[\"http://127.0.0.1:8545\"]",
        "[\"http://a\", \"http://a\"]",
    );
    let error = load(&twice).unwrap_err().to_string();
    assert!(error.contains("twice"), "{error}");
}
