//! The network of a run: keys that anybody can derive, and a genesis file.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use tbsi_governance::identifiers::check_tax_id;
use tbsi_keys::keyfile::NodeKey;
use tbsi_node::parts::ensure_genesis;
use tbsi_store::{Store, StoreOptions};
use tbsi_types::genesis::{
    ConsensusParameters, GovernanceEntry, NodeEntry, OrganisationEntry, ValidatorEntry,
};
use tbsi_types::{Address, Genesis, Roster, SecretKey, sha256};
use tempfile::TempDir;

use crate::clock::BEGINNING;

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
};

/// Who takes part.
#[derive(Clone, Debug)]
pub struct Founding {
    /// The document.
    pub genesis: Genesis,
    /// Who decides block 1.
    pub roster: Roster,
    /// Peer ids by node; validators first, then one observer.
    pub peers: Vec<String>,
    /// Addresses of the validators, by node.
    pub addresses: Vec<Address>,
    /// How many validate.
    pub validators: usize,
}

impl Founding {
    /// Of so many validators and one observer. Always the same.
    pub fn of(validators: usize) -> Arc<Self> {
        static MADE: OnceLock<Mutex<BTreeMap<usize, Arc<Founding>>>> = OnceLock::new();
        let made = MADE.get_or_init(Mutex::default);
        let mut made = made.lock().expect("nobody panics while founding");
        let founding = made.entry(validators);
        Arc::clone(founding.or_insert_with(|| Arc::new(Self::make(validators))))
    }

    fn make(validators: usize) -> Self {
        let nodes: Vec<NodeEntry> = (0..=validators)
            .map(|node| node_entry(node, node < validators))
            .collect();
        let organisations = (0..=validators).map(organisation).collect();
        let genesis = Genesis {
            version: 1,
            name: "simulation".into(),
            chain_id: CHAIN_ID,
            time_ms: BEGINNING,
            block_gas_limit: BLOCK_GAS_LIMIT,
            consensus: PARAMETERS,
            organisations,
            nodes,
            governance: Some(GovernanceEntry::development()),
            accounts: tbsi_execution::system_accounts(true),
        };
        genesis.check().expect("a genesis that can be");
        let addresses = (0..validators).map(|node| validator_key(node).public_key().address());
        Self {
            roster: Roster::of_genesis(&genesis).expect("members that form a set"),
            peers: (0..=validators)
                .map(|node| node_key(node).peer_id())
                .collect(),
            addresses: addresses.collect(),
            validators,
            genesis,
        }
    }

    /// Number of nodes, the observer included.
    pub fn nodes(&self) -> usize {
        self.peers.len()
    }

    /// The node of a peer id.
    pub fn node_of_peer(&self, peer: &str) -> Option<usize> {
        self.peers.iter().position(|known| known == peer)
    }

    /// The node of a validator's address.
    pub fn node_of(&self, validator: Address) -> Option<usize> {
        self.addresses.iter().position(|known| *known == validator)
    }

    /// How many validators may lie: less than a third.
    pub fn faults_max(&self) -> usize {
        (self.validators - 1) / 3
    }

    /// A directory with a database that holds block 0.
    pub fn template(&self) -> PathBuf {
        static MADE: OnceLock<Mutex<BTreeMap<usize, TempDir>>> = OnceLock::new();
        let made = MADE.get_or_init(Mutex::default);
        let mut made = made.lock().expect("nobody panics while founding");
        let dir = made.entry(self.validators).or_insert_with(|| {
            let dir = scratch();
            let store = Store::open(dir.path(), self.genesis.identity(), store_options())
                .expect("a database in a new directory");
            ensure_genesis(&store, &self.genesis, &self.roster.members).expect("block 0");
            dir
        });
        dir.path().to_owned()
    }
}

/// The key with which a node validates.
pub fn validator_key(node: usize) -> SecretKey {
    SecretKey::from_seed(format!("simulated validator {node}").as_bytes())
}

fn node_key(node: usize) -> NodeKey {
    NodeKey::from_seed(sha256(&[b"simulated node", &node.to_be_bytes()]).0)
}

/// The key of somebody who attests.
pub fn client_key(client: usize) -> SecretKey {
    SecretKey::from_seed(format!("simulated client {client}").as_bytes())
}

/// As of a node, with little memory.
pub fn store_options() -> StoreOptions {
    StoreOptions {
        cache_bytes: 1024 * 1024,
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
        // The lock, and what RocksDB says to people.
        if name != "LOCK" && !name.to_string_lossy().starts_with("LOG") {
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}

fn node_entry(node: usize, validates: bool) -> NodeEntry {
    let entry = validates.then(|| ValidatorEntry {
        public_key: validator_key(node).public_key().encode().to_vec().into(),
        power: 1,
        log_key: None,
    });
    NodeEntry {
        name: format!("node-{node}"),
        organisation: format!("association-{node}"),
        peer_id: node_key(node).peer_id(),
        validator: entry,
        ..NodeEntry::default()
    }
}

fn organisation(node: usize) -> (String, OrganisationEntry) {
    let tax_id = (0..10)
        .map(|digit| format!("999{node:04}{digit}"))
        .find(|id| check_tax_id(id).is_ok());
    let entry = OrganisationEntry {
        name_zh_tw: format!("模擬公會第{node}號"),
        name_en: format!("Simulated Association {node}"),
        tax_id,
        agreement_hash: Some(sha256(&[b"simulation: there is no agreement"])),
        ..OrganisationEntry::default()
    };
    (format!("association-{node}"), entry)
}
