//! The network of a run: keys that anybody can derive, and a genesis file.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use tbsi_bindings::genesis::Nodes::{ValidatorRemoved, removeValidatorCall};
use tbsi_bindings::{SolCall, SolEvent};
use tbsi_governance::abi::NODES;
use tbsi_governance::identifiers::check_tax_id;
use tbsi_keys::keyfile::{LogKey, NodeKey};
use tbsi_node::parts::ensure_genesis;
use tbsi_store::{Store, StoreOptions};
use tbsi_types::genesis::{
    ConsensusParameters, GenesisAccount, GovernanceEntry, NodeEntry, OrganisationEntry,
    OrganisationKind, Permission, ValidatorEntry,
};
use tbsi_types::{Address, ChainIdentity, Genesis, Roster, SecretKey, sha256};
use tempfile::TempDir;

use crate::clock::BEGINNING;

/// Who attest.
pub const CLIENTS: usize = 3;
const CHAIN_ID: u64 = 8_862_026;
const BLOCK_GAS_LIMIT: u64 = 300_000_000;

/// Timeouts and pacing of every run: as by default, but for an idle chain that is less idle.
pub const PARAMETERS: ConsensusParameters = ConsensusParameters {
    timeout_propose_ms: 1_000,
    timeout_vote_ms: 300,
    timeout_delta_ms: 300,
    empty_block_interval_ms: 2_000,
    block_spacing_min_ms: 250,
    clock_drift_max_ms: 2_000,
    clock_lag_max_ms: Some(3_000),
    map_period_ms: Some(4_000),
};

/// Who takes part.
#[derive(Clone, Debug)]
pub struct Founding {
    /// The document.
    pub genesis: Genesis,
    /// Of the network that it founds.
    pub identity: ChainIdentity,
    /// Who decides block 1.
    pub roster: Roster,
    /// Peer ids by node; validators first, then one observer, which has a key to join with.
    pub peers: Vec<String>,
    /// Addresses of the first keys, by node.
    pub addresses: Vec<Address>,
    /// Addresses of the keys that these give way to, by node.
    pub next_addresses: Vec<Address>,
    /// How many validate at first.
    pub validators: usize,
    /// A database that holds block 0.
    template: Vec<(OsString, Vec<u8>)>,
}

/// What nodes are founded with instead, for a planted bug.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// Nothing.
    #[default]
    None,
    /// Everybody may attest, whatever the founders agreed.
    AnyoneAttests,
    /// A contract that announces the removal of a validator and does nothing.
    RemovalForgotten,
}

type Made = Mutex<BTreeMap<(usize, u32, Flaw), Arc<Founding>>>;

impl Founding {
    /// Of so many validators and one observer, whose set changes at epochs of so many seconds.
    /// Always the same.
    pub fn of(validators: usize, epoch_seconds: u32, flaw: Flaw) -> Arc<Self> {
        static MADE: OnceLock<Made> = OnceLock::new();
        let made = MADE.get_or_init(Mutex::default);
        let mut made = made.lock().expect("nobody panics while founding");
        let founding = made.entry((validators, epoch_seconds, flaw));
        let make = || Arc::new(Self::make(validators, epoch_seconds, flaw));
        Arc::clone(founding.or_insert_with(make))
    }

    fn make(validators: usize, epoch_seconds: u32, flaw: Flaw) -> Self {
        let nodes: Vec<NodeEntry> = (0..=validators)
            .map(|node| node_entry(node, node < validators))
            .collect();
        let associations = (0..=validators).map(organisation);
        let mut public_permissions = BTreeSet::from([Permission::Send]);
        if flaw == Flaw::AnyoneAttests {
            public_permissions.insert(Permission::Attest);
        }
        let mut accounts = tbsi_execution::system_accounts(true);
        if flaw == Flaw::RemovalForgotten {
            forget_removals(&mut accounts);
        }
        let genesis = Genesis {
            version: 1,
            name: "simulation".into(),
            chain_id: CHAIN_ID,
            time_ms: BEGINNING,
            block_gas_limit: BLOCK_GAS_LIMIT,
            consensus: PARAMETERS,
            organisations: associations.chain([issuers()]).collect(),
            nodes,
            governance: Some(GovernanceEntry {
                public_permissions,
                epoch_seconds,
                ..GovernanceEntry::development()
            }),
            accounts,
        };
        genesis.check().expect("a genesis that can be");
        let address = |key: SecretKey| key.public_key().address();
        let nodes = 0..=validators;
        let mut founding = Self {
            roster: Roster::of_genesis(&genesis).expect("members that form a set"),
            peers: nodes.clone().map(|node| node_key(node).peer_id()).collect(),
            addresses: nodes.clone().map(validator_key).map(address).collect(),
            next_addresses: nodes.map(next_key).map(address).collect(),
            validators,
            identity: genesis.identity(),
            genesis,
            template: Vec::new(),
        };
        founding.template = founding.database();
        founding
    }

    /// Number of nodes, the observer included.
    pub fn nodes(&self) -> usize {
        self.peers.len()
    }

    /// The node of a peer id.
    pub fn node_of_peer(&self, peer: &str) -> Option<usize> {
        self.peers.iter().position(|known| known == peer)
    }

    /// The node of a validator's address, of whichever key.
    pub fn node_of(&self, validator: Address) -> Option<usize> {
        let of = |keys: &[Address]| keys.iter().position(|known| *known == validator);
        of(&self.addresses).or_else(|| of(&self.next_addresses))
    }

    fn database(&self) -> Vec<(OsString, Vec<u8>)> {
        let dir = scratch();
        let store = Store::open(dir.path(), self.identity, store_options())
            .expect("a database in a new directory");
        ensure_genesis(&store, &self.genesis, &self.roster.members).expect("block 0");
        drop(store);
        let entries = fs::read_dir(dir.path()).expect("list a database");
        let names = entries.map(|entry| entry.expect("list a database").file_name());
        let mut names: Vec<OsString> = names.filter(|name| is_data(name)).collect();
        names.sort();
        let read = |name: OsString| {
            let bytes = fs::read(dir.path().join(&name)).expect("read a database");
            (name, bytes)
        };
        names.into_iter().map(read).collect()
    }

    /// Makes a database that holds block 0.
    pub fn write_database(&self, to: &Path) {
        fs::create_dir_all(to).expect("make a directory");
        for (name, bytes) in &self.template {
            fs::write(to.join(name), bytes).expect("write a database");
        }
    }
}

/// The key with which a node validates at first.
pub fn validator_key(node: usize) -> SecretKey {
    SecretKey::from_seed(format!("simulated validator {node}").as_bytes())
}

/// The key that a node's first one gives way to.
pub fn next_key(node: usize) -> SecretKey {
    SecretKey::from_seed(format!("simulated validator {node}, next").as_bytes())
}

/// The key of a node's own account, which sends evidence.
pub fn account_key(node: usize) -> SecretKey {
    SecretKey::from_seed(format!("simulated account of node {node}").as_bytes())
}

/// The key with which a node's association governs.
pub fn council_key(association: usize) -> SecretKey {
    SecretKey::from_seed(format!("simulated council {association}").as_bytes())
}

fn node_key(node: usize) -> NodeKey {
    NodeKey::from_seed(sha256(&[b"simulated node", &node.to_be_bytes()]).0)
}

/// The seed of the key with which a node cosigns the log.
pub fn log_seed(node: usize) -> [u8; 32] {
    sha256(&[b"simulated log key", &node.to_be_bytes()]).0
}

/// The number by which the contracts know a node's association. Nodes have the same numbers.
pub fn number_of(node: usize) -> u32 {
    u32::try_from(node).expect("few nodes") + 1
}

/// The key of somebody who may attest.
pub fn client_key(client: usize) -> SecretKey {
    SecretKey::from_seed(format!("simulated client {client}").as_bytes())
}

/// The key of somebody who may not.
pub fn stranger_key() -> SecretKey {
    SecretKey::from_seed(b"simulated stranger")
}

/// As of a node, with little memory.
pub fn store_options() -> StoreOptions {
    StoreOptions {
        cache_bytes: 1024 * 1024,
        preallocates: false,
        ..StoreOptions::default()
    }
}

/// A directory in memory where the machine has one.
pub fn scratch() -> TempDir {
    let shared = Path::new("/dev/shm");
    let made = match std::env::var_os("TBSI_SIMULATION_DIR") {
        Some(dir) => tempfile::tempdir_in(dir),
        None if shared.is_dir() => tempfile::tempdir_in(shared),
        None => tempfile::tempdir(),
    };
    made.expect("a directory for the nodes' files")
}

/// How often a copy is begun again because RocksDB removed a file that was listed.
const COPY_TRIES_MAX: usize = 20;

/// Copies a database that nobody writes to. RocksDB may still remove files that it does not need
/// any more, in threads of its own.
pub fn copy_database(from: &Path, to: &Path) {
    for _ in 0..COPY_TRIES_MAX {
        match try_copy(from, to) {
            Ok(()) => return,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => panic!("copy a node's database: {error}"),
        }
    }
    panic!("a node's database never keeps its files");
}

fn try_copy(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if is_data(&name) {
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}

/// Neither the lock nor what RocksDB says to people.
fn is_data(name: &OsStr) -> bool {
    name != "LOCK" && !name.to_string_lossy().starts_with("LOG")
}

fn node_entry(node: usize, validates: bool) -> NodeEntry {
    let log_key = LogKey::from_seed(log_seed(node)).public_key();
    let entry = validates.then(|| ValidatorEntry {
        public_key: validator_key(node).public_key().encode().to_vec().into(),
        power: 1,
        log_key: Some(log_key.to_vec().into()),
    });
    NodeEntry {
        name: format!("node-{node}"),
        organisation: format!("association-{node}"),
        peer_id: node_key(node).peer_id(),
        validator: entry,
        ..NodeEntry::default()
    }
}

fn tax_id(number: usize) -> Option<String> {
    (0..10)
        .map(|digit| format!("999{number:04}{digit}"))
        .find(|id| check_tax_id(id).is_ok())
}

fn organisation(node: usize) -> (String, OrganisationEntry) {
    let address = |key: SecretKey| key.public_key().address();
    let governs = [Permission::Send, Permission::Administer, Permission::Vote];
    let reports = [Permission::Send, Permission::Administer];
    let entry = OrganisationEntry {
        name_zh_tw: format!("模擬公會第{node}號"),
        name_en: format!("Simulated Association {node}"),
        tax_id: tax_id(node),
        agreement_hash: Some(sha256(&[b"simulation: there is no agreement"])),
        accounts: BTreeMap::from([
            (address(council_key(node)), governs.into()),
            (address(account_key(node)), reports.into()),
        ]),
        ..OrganisationEntry::default()
    };
    (format!("association-{node}"), entry)
}

/// Whoever attests: neither a node nor a vote.
fn issuers() -> (String, OrganisationEntry) {
    let attests = BTreeSet::from([Permission::Send, Permission::Attest]);
    let accounts = (0..CLIENTS).map(|client| client_key(client).public_key().address());
    let entry = OrganisationEntry {
        name_zh_tw: "模擬出證機構".into(),
        name_en: "Simulated Issuers".into(),
        kind: Some(OrganisationKind::Issuer),
        votes: Some(false),
        tax_id: tax_id(99),
        agreement_hash: Some(sha256(&[b"simulation: there is no agreement"])),
        accounts: accounts.map(|account| (account, attests.clone())).collect(),
        ..OrganisationEntry::default()
    };
    ("issuers".into(), entry)
}

/// Puts a contract in the place of the one that keeps the validators: it passes all calls on to
/// that, but `removeValidator`, of which it only says that it happened.
fn forget_removals(accounts: &mut BTreeMap<Address, GenesisAccount>) {
    const REAL: Address = Address::repeat_byte(0x77);
    let real = accounts.get(&NODES).expect("a governed chain").clone();
    let mut code = vec![0x5f, 0x35, 0x60, 0xe0, 0x1c, 0x63]; // calldata(0) >> 224
    code.extend(removeValidatorCall::SELECTOR);
    code.extend([0x14, 0x60, 0x3b, 0x57]); // == selector: jump to 0x3b
    code.extend([0x36, 0x5f, 0x5f, 0x37, 0x5f, 0x5f, 0x36, 0x5f, 0x73]);
    code.extend(REAL.as_slice());
    code.extend([0x5a, 0xf4, 0x3d, 0x5f, 0x5f, 0x3e]); // delegatecall, copy its answer
    code.extend([0x60, 0x37, 0x57, 0x3d, 0x5f, 0xfd, 0x5b, 0x3d, 0x5f, 0xf3]);
    assert_eq!(code.len(), 0x3b, "where removals go");
    code.extend([
        0x5b, 0x60, 0x24, 0x35, 0x5f, 0x52, 0x5f, 0x60, 0x04, 0x35, 0x7f,
    ]);
    code.extend(ValidatorRemoved::SIGNATURE_HASH);
    code.extend([0x60, 0x20, 0x5f, 0xa3, 0x00]); // log3, stop
    let proxy = GenesisAccount {
        code: code.into(),
        ..real.clone()
    };
    accounts.insert(NODES, proxy);
    accounts.insert(REAL, real);
}
