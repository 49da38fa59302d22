//! The files of a new network: genesis and homes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use tbsi_governance::identifiers::check_tax_id;
use tbsi_home::config::{Config, PeerConfig};
use tbsi_home::{Home, HomeError, predeploys};
use tbsi_types::genesis::{
    GovernanceEntry, NodeEntry, OrganisationEntry, OrganisationKind, Permission, ValidatorEntry,
};
use tbsi_types::{Address, B256, Genesis, SecretKey, TimestampMs, sha256};

use crate::authority;
use crate::development;
use crate::error::{NetworkError, failed};
use crate::manifest::{MANIFEST, Manifest, NodeInfo};
use crate::ports::{self, PORTS_PER_NODE};
use crate::spec::NetworkSpec;

/// The organisation that operates the nodes that only follow.
const AUDITORS: &str = "auditors";
/// Ordinals of associations; numbers follow after the tenth.
const STEMS: [(&str, &str); 10] = [
    ("甲", "A"),
    ("乙", "B"),
    ("丙", "C"),
    ("丁", "D"),
    ("戊", "E"),
    ("己", "F"),
    ("庚", "G"),
    ("辛", "H"),
    ("壬", "I"),
    ("癸", "J"),
];
const BLOCK_GAS_LIMIT: u64 = 300_000_000;
/// Name of the genesis file, of which each home has a copy.
pub(crate) const GENESIS: &str = "genesis.json";

/// Writes everything into the spec's directory, which must be absent or empty.
pub(crate) fn create(spec: &NetworkSpec) -> Result<Manifest, NetworkError> {
    spec.check()?;
    let dir = &spec.dir;
    fs::create_dir_all(dir).map_err(failed("create directory", dir))?;
    if fs::read_dir(dir)
        .map_err(failed("list", dir))?
        .next()
        .is_some()
    {
        return Err(NetworkError::NotEmpty { dir: dir.clone() });
    }
    let ports = ports::assign(spec.nodes(), spec.base_port)?;
    let mut nodes = Vec::with_capacity(spec.nodes());
    let mut entries = Vec::with_capacity(spec.nodes());
    let mut accounts = Vec::with_capacity(spec.nodes());
    for (index, ports) in ports.into_iter().enumerate() {
        let (info, entry) = node(spec, index, ports)?;
        let home = Home::new(spec.dir.join(&info.name));
        let key = home.ensure_account_key().map_err(home_of(&info))?;
        accounts.push((entry.organisation.clone(), key));
        nodes.push(info);
        entries.push(entry);
    }
    let mut genesis = genesis(spec, entries, accounts);
    let others = predeploys::accounts(spec.chain_id, &spec.predeploys)?;
    genesis.accounts.extend(others);
    genesis.check()?;
    for (index, info) in nodes.iter().enumerate() {
        let home = Home::new(dir.join(&info.name));
        let mut config = config(info, &nodes);
        if index == 0 {
            config.tsa = Some(authority::create(&home)?);
        }
        home.init(&config, &genesis).map_err(home_of(info))?;
    }
    let file = dir.join(GENESIS);
    let text = serde_json::to_string_pretty(&genesis).expect("a genesis is plain data");
    fs::write(&file, text + "\n").map_err(failed("write", &file))?;
    for (number, account) in (1..).zip(development::accounts()) {
        let file = development_key_file(dir, number);
        write_secret(&file, &account.secret_key).map_err(failed("write", &file))?;
    }
    let manifest = Manifest::new(&spec.name, spec.chain_id, genesis.hash(), nodes);
    // Last, because its presence says that the network is complete.
    manifest.store(dir)?;
    Ok(manifest)
}

/// The key of a development account, from 1, as a key file.
pub(crate) fn development_key_file(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("development-key-{number}"))
}

/// These keys are public, but whoever reads key files refuses one that others can read.
fn write_secret(path: &Path, secret: &B256) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{secret:x}")
}

/// Removes the homes and what else [`create`] wrote, and nothing besides.
pub(crate) fn remove(dir: &Path, manifest: &Manifest) -> Result<(), NetworkError> {
    for info in &manifest.nodes {
        let home = dir.join(&info.name);
        if home.exists() {
            fs::remove_dir_all(&home).map_err(failed("remove", &home))?;
        }
    }
    let keys = (1..=development::ACCOUNTS).map(|number| development_key_file(dir, number));
    for file in keys.chain([GENESIS, MANIFEST].map(|name| dir.join(name))) {
        if file.exists() {
            fs::remove_file(&file).map_err(failed("remove", &file))?;
        }
    }
    Ok(())
}

pub(crate) fn home_of(info: &NodeInfo) -> impl FnOnce(HomeError) -> NetworkError + use<> {
    let node = info.name.clone();
    move |source| NetworkError::Home { node, source }
}

/// Makes the keys of node `index` and says what genesis must know of them.
fn node(
    spec: &NetworkSpec,
    index: usize,
    ports: [u16; PORTS_PER_NODE],
) -> Result<(NodeInfo, NodeEntry), NetworkError> {
    let validator = index < spec.validators;
    let name = if validator {
        format!("validator-{}", index + 1)
    } else {
        format!("observer-{}", index + 1 - spec.validators)
    };
    let [rpc, metrics, consensus, gossip] =
        ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let mut info = NodeInfo {
        name,
        validator,
        peer_id: String::new(),
        rpc,
        metrics,
        consensus,
        gossip,
    };
    let home = Home::new(spec.dir.join(&info.name));
    info.peer_id = home.ensure_node_key().map_err(home_of(&info))?.peer_id();
    let log_key = home.ensure_log_key().map_err(home_of(&info))?;
    home.ensure_account_key().map_err(home_of(&info))?;
    let entry = if validator {
        let key = home.ensure_validator_key().map_err(home_of(&info))?;
        Some(ValidatorEntry {
            public_key: key.public_key().encode().to_vec().into(),
            power: 1,
            log_key: Some(log_key.public_key().to_vec().into()),
        })
    } else {
        None
    };
    let entry = NodeEntry {
        name: info.name.clone(),
        organisation: if validator {
            association(index).0
        } else {
            AUDITORS.into()
        },
        peer_id: info.peer_id.clone(),
        validator: entry,
        ..NodeEntry::default()
    };
    Ok((info, entry))
}

/// Short id and fictitious legal names of the operator of validator `index`.
fn association(index: usize) -> (String, OrganisationEntry) {
    let number = index + 1;
    let (zh, en) = match STEMS.get(index) {
        Some((zh, en)) => ((*zh).to_owned(), (*en).to_owned()),
        None => (format!("第{number}號"), number.to_string()),
    };
    let names = OrganisationEntry {
        name_zh_tw: format!("台灣測試公會{zh}"),
        name_en: format!("Test Association {en}"),
        tax_id: Some(fictitious_tax_id(number)),
        agreement_hash: Some(no_agreement()),
        ..OrganisationEntry::default()
    };
    (format!("association-{number}"), names)
}

/// A 統一編號 with a right check digit that nobody has been given: the number begins with 999.
fn fictitious_tax_id(number: usize) -> String {
    (0..10)
        .map(|digit| format!("999{number:04}{digit}"))
        .find(|id| check_tax_id(id).is_ok())
        .expect("one of ten last digits fits")
}

/// In place of the hash of an agreement that nobody signed.
fn no_agreement() -> B256 {
    sha256(&[b"TBSI development network: there is no agreement"])
}

/// Every organisation's account may do everything.
fn account(key: &SecretKey) -> BTreeMap<Address, BTreeSet<Permission>> {
    let all = Permission::ALL.into();
    BTreeMap::from([(key.public_key().address(), all)])
}

fn genesis(
    spec: &NetworkSpec,
    nodes: Vec<NodeEntry>,
    accounts: Vec<(String, SecretKey)>,
) -> Genesis {
    let mut organisations: BTreeMap<_, _> = (0..spec.validators).map(association).collect();
    if spec.observers > 0 {
        let names = OrganisationEntry {
            name_zh_tw: "台灣測試稽核公會".into(),
            name_en: "Test Auditors Association".into(),
            kind: Some(OrganisationKind::Auditor),
            votes: Some(false),
            tax_id: Some(fictitious_tax_id(0)),
            agreement_hash: Some(no_agreement()),
            ..OrganisationEntry::default()
        };
        organisations.insert(AUDITORS.into(), names);
    }
    for (organisation, key) in accounts {
        if let Some(entry) = organisations.get_mut(&organisation) {
            entry.accounts.extend(account(&key));
        }
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let begins = now + spec.begins_in;
    Genesis {
        version: 1,
        name: spec.name.clone(),
        chain_id: spec.chain_id,
        time_ms: TimestampMs(u64::try_from(begins.as_millis()).unwrap_or(u64::MAX)),
        block_gas_limit: BLOCK_GAS_LIMIT,
        consensus: spec.consensus,
        organisations,
        nodes,
        governance: Some(GovernanceEntry {
            epoch_seconds: spec.epoch_seconds,
            ..GovernanceEntry::development()
        }),
        accounts: tbsi_home::founding::system_accounts(true),
    }
}

fn config(info: &NodeInfo, nodes: &[NodeInfo]) -> Config {
    let mut config = Config::new(&info.name, info.validator);
    config.rpc.listen = info.rpc;
    config.metrics.listen = info.metrics;
    config.p2p.consensus = info.consensus;
    config.p2p.gossip = info.gossip;
    let others = nodes.iter().filter(|other| other.name != info.name);
    config.p2p.peers = others
        .map(|other| PeerConfig {
            peer_id: other.peer_id.clone(),
            consensus: other.consensus,
            gossip: other.gossip,
        })
        .collect();
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_homes_that_load_and_one_genesis() {
        let dir = tempfile::tempdir().unwrap();
        let spec = NetworkSpec::new(dir.path().join("network"), 4, 1);
        let manifest = create(&spec).unwrap();
        assert_eq!(Manifest::load(&spec.dir).unwrap(), manifest);
        assert_eq!(manifest.nodes.len(), 5);
        for (index, info) in manifest.nodes.iter().enumerate() {
            let home = Home::new(spec.dir.join(&info.name)).load().unwrap();
            assert_eq!(home.genesis.hash(), manifest.genesis_hash);
            assert_eq!(home.config.validator, index < 4);
            assert_eq!(home.node_key.peer_id(), info.peer_id);
            assert_eq!(home.config.p2p.peers.len(), 4);
        }
        for (number, account) in (1..).zip(development::accounts()) {
            let file = development_key_file(&spec.dir, number);
            let key = tbsi_keys::keyfile::load_validator_key(&file).unwrap();
            assert_eq!(key.public_key().address(), account.address);
        }
        let genesis = Home::new(spec.dir.join("validator-1"))
            .load()
            .unwrap()
            .genesis;
        assert_eq!(genesis.validator_set().unwrap().count(), 4);
        assert_eq!(
            genesis.organisations["association-1"].name_zh_tw,
            "台灣測試公會甲"
        );
        assert_eq!(
            genesis.organisations["association-4"].name_en,
            "Test Association D"
        );
        assert_eq!(genesis.organisations.len(), 5);
    }

    #[test]
    fn names_every_association_differently() {
        let names: std::collections::BTreeSet<_> = (0..128)
            .map(|index| association(index).1.name_zh_tw)
            .collect();
        assert_eq!(names.len(), 128);
    }

    #[test]
    fn leaves_other_files_alone() {
        let dir = tempfile::tempdir().unwrap();
        let note = dir.path().join("note");
        fs::write(&note, "mine").unwrap();
        let spec = NetworkSpec::new(dir.path(), 1, 0);
        assert!(matches!(create(&spec), Err(NetworkError::NotEmpty { .. })));
        fs::remove_file(&note).unwrap();
        let manifest = create(&spec).unwrap();
        fs::write(&note, "mine").unwrap();
        remove(dir.path(), &manifest).unwrap();
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        assert!(matches!(
            Manifest::load(dir.path()),
            Err(NetworkError::NoNetwork { .. })
        ));
    }

    #[test]
    fn refuses_what_makes_no_network() {
        let check = |change: &dyn Fn(&mut NetworkSpec), words: &str| {
            let dir = tempfile::tempdir().unwrap();
            let mut spec = NetworkSpec::new(dir.path().join("network"), 4, 0);
            change(&mut spec);
            let error = create(&spec).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            assert!(!spec.dir.join(MANIFEST).exists());
        };
        check(
            &|spec| spec.validators = 0,
            "validators: 0 is outside 1..=128",
        );
        check(&|spec| spec.validators = 129, "validators: 129 is outside");
        check(&|spec| spec.observers = 1_021, "at most 1024 are allowed");
        check(
            &|spec| spec.observers = usize::MAX,
            "at most 1024 are allowed",
        );
        check(
            &|spec| spec.base_port = Some(80),
            "base_port: 80 is outside 1024..=",
        );
        check(
            &|spec| spec.base_port = Some(65_510),
            "base_port: 65510 is outside",
        );
        check(&|spec| spec.chain_id = 0, "genesis of the network");
    }
}
