//! One node: what survives its process, and the process.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::hex;
use bytes::Bytes;
use tbsi_engine::stepped::{CrashFile, Stepped, SteppedConfig, Stop, Timer};
use tbsi_home::Home;
use tbsi_keys::keyfile::{LogKey, open_validator_key};
use tbsi_keys::{LocalSigner, SignState};
use tbsi_light::KnownSignatures;
use tbsi_node::PROTOCOL_VERSION;
use tbsi_node::chain::NodeChain;
use tbsi_node::gossip::GossipHandle;
use tbsi_node::mempool::MempoolLimits;
use tbsi_node::node::{Node as TbsiNode, NodeParts};
use tbsi_node::parts::{
    Accuser, Cosigning, OwnCosigner, Sender, current_key, current_roster, highest_signed,
};
use tbsi_node::rules::NextRules;
use tbsi_store::Store;
use tbsi_types::{Address, CommitCertificate, Height, Roster, SecretKey};
use tempfile::TempDir;

use crate::chain::SimChain;
use crate::clock::Moment;
use crate::founding::{
    Founding, PARAMETERS, account_key, copy_database, log_seed, next_key, scratch, store_options,
    validator_key,
};
use crate::mutants::Mutant;
use crate::rng::Rng;
use crate::side::{Power, SharedSide};

/// Not that of the genesis file: what a planted bug goes by.
const OTHER_MAP_PERIOD_MS: u64 = 7_000;

/// A node of the network.
pub struct Node {
    /// Its number.
    pub index: usize,
    /// How often it was started.
    pub life: u32,
    /// When its process started last.
    pub started: Moment,
    /// Its process, while it runs.
    pub running: Option<Running>,
    /// What its chain shares with the world.
    pub side: SharedSide,
    /// How wrong its clock is.
    pub clock_ms: i64,
    /// How much later than others it takes its messages.
    pub slow_ms: u64,
    /// Timers that run, by what they are for.
    pub timers: BTreeMap<Timer, u64>,
    /// The wake-up that counts.
    pub wake: u64,
    /// The wake-up of cosigning that counts, and when it is.
    pub cosign: Option<(u64, Instant)>,
    /// Messages that it passed on already.
    pub seen: BTreeSet<u64>,
    /// Its share of value sync.
    pub sync: Syncing,
    /// Whether the next start is from the copy.
    pub stale: bool,
    /// Whether the last start was.
    pub restored: bool,
    /// What moments are told from, for code that counts with the standard library's.
    beginning: Instant,
    files: Files,
    known: Arc<KnownSignatures>,
}

/// What a node knows of others' blocks.
#[derive(Debug, Default)]
pub struct Syncing {
    /// The last claim of each peer.
    pub tips: BTreeMap<usize, Height>,
    /// The request that waits for an answer, and whom it went to.
    pub waiting: Option<(u64, usize)>,
    /// Answers for heights that do not run yet.
    pub blocks: BTreeMap<Height, (usize, CommitCertificate, Bytes)>,
    /// Whom not to ask before when.
    pub barred: BTreeMap<usize, Moment>,
}

/// A node's process.
pub struct Running {
    /// Its consensus.
    pub consensus: Stepped<SimChain>,
    /// Its pool, store and the rest.
    pub node: Arc<TbsiNode>,
    /// Its key and sign-state.
    pub signer: LocalSigner,
    /// Whose votes it casts, if it is in the set.
    pub validator: Address,
    /// Cosigns the log.
    pub cosigning: Cosigning,
    /// Brings evidence before the contracts.
    pub accuser: Accuser,
    /// The last height that these two were told of.
    pub told: Height,
}

/// What survives a process.
struct Files {
    dir: TempDir,
    home: Home,
    log: CrashFile,
    /// The sign-state when it was last durable, for a planted bug.
    durable: Option<Vec<u8>>,
    copied: bool,
}

impl Files {
    fn database(&self) -> PathBuf {
        self.home.database_dir()
    }

    fn copy(&self) -> PathBuf {
        self.dir.path().join("copy")
    }

    fn earlier(&self) -> PathBuf {
        self.dir.path().join("earlier")
    }

    fn sign_state(&self) -> PathBuf {
        self.home.sign_state_file()
    }
}

impl Node {
    /// A node that was never started, with block 0 and an empty sign-state.
    pub fn new(
        founding: &Founding,
        index: usize,
        mutant: Option<Mutant>,
        known: Arc<KnownSignatures>,
    ) -> Self {
        let dir = scratch();
        let files = Files {
            home: Home::new(dir.path().join("home")),
            dir,
            log: CrashFile::default(),
            durable: None,
            copied: false,
        };
        founding.write_database(&files.database());
        write_keys(&files.home, index);
        let (chain, path) = (founding.identity, files.sign_state());
        let made = SignState::create(&path, chain, founding.addresses[index], Height(0));
        drop(made.expect("a new sign-state"));
        let side = SharedSide::default();
        side.get().mutant = mutant;
        Self {
            index,
            life: 0,
            started: Moment::default(),
            running: None,
            side,
            clock_ms: 0,
            slow_ms: 0,
            timers: BTreeMap::new(),
            wake: 0,
            cosign: None,
            seen: BTreeSet::new(),
            sync: Syncing::default(),
            stale: false,
            restored: false,
            beginning: Instant::now(),
            files,
            known,
        }
    }

    /// Starts the process, as the product does: refuses a sign-state older than the chain.
    pub fn start(&mut self, founding: &Founding, now: Moment) -> Result<(), String> {
        self.life += 1;
        (self.started, self.cosign) = (now, None);
        self.restored = std::mem::take(&mut self.stale) && self.files.copied;
        if self.restored {
            copy_database(&self.files.copy(), &self.files.database());
        }
        if self.side.has(Mutant::LogForgotten) {
            self.files.log = CrashFile::default();
        }
        if self.side.has(Mutant::LogNotSynced) || self.side.has(Mutant::DiskLies) {
            self.files.log.lie();
        }
        self.files.durable = None;
        let store = self.open_store(founding)?;
        let genesis = &founding.genesis;
        let roster = current_roster(&store, genesis, founding.roster.clone())
            .map_err(|error| format!("read the roster: {error:#}"))?;
        let signer = self.open_signer(founding, &store, &roster)?;
        let own = signer.public_key().address();
        let node = Arc::new(self.node(founding, store, roster, own));
        let chain = NodeChain::new(Arc::clone(&node));
        let chain = SimChain::new(chain, self.side.clone());
        let config = self.config(founding, own);
        let log = self.files.log.clone();
        let consensus = Stepped::new(&config, chain, log, now.of_node(self.clock_ms));
        let consensus = consensus.map_err(|stop| describe(&stop))?;
        self.timers.clear();
        self.seen.clear();
        self.sync = Syncing::default();
        let cosigner = OwnCosigner {
            validator: own,
            key: LogKey::from_seed(log_seed(self.index)),
            post_quantum: None,
        };
        let account = Sender::new(account_key(self.index));
        self.running = Some(Running {
            consensus,
            signer,
            validator: own,
            cosigning: Cosigning::new(Arc::clone(&node), Some(cosigner), self.instant(now)),
            accuser: Accuser::new(Arc::clone(&node), account),
            told: node.tip().height,
            node,
        });
        Ok(())
    }

    /// What it says, without the name of its directory, which is another in each run.
    pub fn anywhere(&self, text: &str) -> String {
        let dir = self.files.dir.path().to_string_lossy();
        text.replace(dir.as_ref(), &format!("node-{}", self.index))
    }

    /// A moment for code that counts with the standard library's.
    pub fn instant(&self, now: Moment) -> Instant {
        self.beginning + now.of_node(0).monotonic
    }

    fn open_store(&self, founding: &Founding) -> Result<Store, String> {
        let identity = founding.identity;
        Store::open(&self.files.database(), identity, store_options())
            .map_err(|error| format!("open the database: {error}"))
    }

    fn node(&self, founding: &Founding, store: Store, roster: Roster, own: Address) -> TbsiNode {
        let mut genesis = founding.genesis.clone();
        if self.side.has(Mutant::LocalRule) {
            genesis.block_gas_limit /= 2;
        }
        if self.side.has(Mutant::MapPeriod) {
            genesis.consensus.map_period_ms = Some(OTHER_MAP_PERIOD_MS);
        }
        let mut node = TbsiNode::new(NodeParts {
            name: format!("node-{}", self.index),
            validator: Some(own),
            protocol: PROTOCOL_VERSION,
            rules: NextRules::at_tip(&store, &genesis).expect("the store has a tip"),
            genesis,
            roster,
            store,
            mempool: MempoolLimits::default(),
            gossip: GossipHandle::detached(),
            witnesses: Vec::new(),
            known: Arc::clone(&self.known),
        });
        node.identity = founding.identity;
        node
    }

    /// The key to vote with and its sign-state, as the product finds them.
    fn open_signer(
        &self,
        founding: &Founding,
        store: &Store,
        roster: &Roster,
    ) -> Result<LocalSigner, String> {
        let (genesis, home) = (&founding.genesis, &self.files.home);
        let chain = founding.identity;
        let key = open_validator_key(&home.validator_key_file(), None);
        let key = key.map_err(|error| error.to_string())?;
        let key = current_key(home, genesis, store, roster, key);
        let key = key.map_err(|error| format!("{error:#}"))?;
        let address = key.public_key().address();
        let state = SignState::open(&self.files.sign_state(), chain, address);
        let state = state.map_err(|error| error.to_string())?;
        let signed = highest_signed(store, address);
        let signed = signed.map_err(|error| format!("{error:#}"))?;
        let mutant = self.side.get().mutant;
        if !mutant.is_some_and(Mutant::is_unguarded) {
            let newest = state.require_at_least(signed);
            newest.map_err(|error| error.to_string())?;
        }
        Ok(LocalSigner::new(chain, key, state))
    }

    /// Whether the chain names this node's next validator key, so that it has to start anew.
    pub fn is_rekeyed(&self, founding: &Founding) -> bool {
        let next = founding.next_addresses[self.index];
        self.running.as_ref().is_some_and(|running| {
            let roster = running.node.roster();
            running.validator != next && roster.members.get(&next).is_some()
        })
    }

    fn config(&self, founding: &Founding, own: Address) -> SteppedConfig {
        let small = self.side.has(Mutant::QuorumTooSmall);
        let mut parameters = PARAMETERS;
        if self.side.has(Mutant::AnyTime) {
            parameters.clock_drift_max_ms = 1 << 40;
            parameters.clock_lag_max_ms = Some(1 << 40);
        }
        SteppedConfig {
            chain: founding.identity,
            parameters,
            own: Some(own),
            quorum_of_3: if small { 1 } else { 2 },
            verify: !self.side.has(Mutant::SignaturesNotVerified),
            known: Arc::clone(&self.known),
        }
    }

    /// The process ends as it should; the machine goes on.
    pub fn end(&mut self) {
        self.running = None;
        self.timers.clear();
        let mut side = self.side.get();
        side.peers_tip = Height::GENESIS;
        side.failed = false;
    }

    /// A disk is full from now on: that of the log, of the database, of the sign-state, or the
    /// one that they share.
    pub fn fill_disk(&mut self, rng: &mut Rng) {
        let Some(running) = &self.running else {
            return;
        };
        let which = rng.below(4);
        if [0, 3].contains(&which) {
            self.files.log.fill();
        }
        if [1, 3].contains(&which) {
            running.node.store.fill();
        }
        if [2, 3].contains(&which) {
            running.signer.fail_after(rng.index(513));
        }
        self.side.get().full = true;
    }

    /// The process ends as when the power goes: what was not synced may be lost or torn.
    pub fn crash(&mut self, rng: &mut Rng) {
        self.running = None;
        self.timers.clear();
        let log_lost = {
            let mut side = self.side.get();
            side.crash_in = None;
            side.crashed = false;
            (side.full, side.failed) = (false, false);
            side.peers_tip = Height::GENESIS;
            side.unanswered = 0;
            std::mem::take(&mut side.power) == Power::Failed
        };
        self.files.log.crash(|durable, now| {
            if log_lost {
                return durable.to_vec();
            }
            // What was appended and not synced survives as far as some byte.
            let common = durable.len().min(now.len());
            if durable[..common] != now[..common] || now.len() < durable.len() {
                let kept = if rng.chance(500) { durable } else { now };
                return kept.to_vec();
            }
            now[..durable.len() + rng.index(now.len() - durable.len() + 1)].to_vec()
        });
        if let Some(durable) = self.files.durable.take() {
            fs::write(self.files.sign_state(), durable).expect("write a sign-state");
        }
        let earlier = self.files.earlier();
        if earlier.exists() && self.side.has(Mutant::CommitLost) {
            copy_database(&earlier, &self.files.database());
        }
    }

    /// Copies the database of a node that does not run, to start from it some day.
    pub fn copy(&mut self) {
        copy_database(&self.files.database(), &self.files.copy());
        self.files.copied = true;
    }

    /// Keeps the database as it is now, to lose what comes next, for a planted bug.
    pub fn keep_earlier(&self) {
        copy_database(&self.files.database(), &self.files.earlier());
    }

    /// The sign-state's bytes.
    pub fn sign_state(&self) -> Vec<u8> {
        fs::read(self.files.sign_state()).expect("read a sign-state")
    }

    /// Overwrites the sign-state, as a torn write does.
    pub fn tear_sign_state(&self, bytes: &[u8]) {
        fs::write(self.files.sign_state(), bytes).expect("write a sign-state");
    }

    /// Keeps what the sign-state goes back to in a crash, for a planted bug.
    pub fn keep_sign_state(&mut self, bytes: Vec<u8>) {
        self.files.durable = Some(bytes);
    }

    /// The last height that is committed here; of a node that does not run, none.
    pub fn tip(&self) -> Option<Height> {
        Some(self.running.as_ref()?.node.tip().height)
    }
}

fn write_keys(home: &Home, index: usize) {
    home.make_keys_dir().expect("make a directory");
    let keys = [
        (home.validator_key_file(), validator_key(index)),
        (home.next_validator_key_file(), next_key(index)),
    ];
    for (file, key) in keys {
        write_key(&file, &key);
    }
}

fn write_key(file: &std::path::Path, key: &SecretKey) {
    fs::write(file, hex::encode(key.expose())).expect("write a key");
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(file, private).expect("protect a key");
}

/// A stop with its causes.
pub fn describe(stop: &Stop) -> String {
    let mut text = stop.to_string();
    let mut cause = std::error::Error::source(stop);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
