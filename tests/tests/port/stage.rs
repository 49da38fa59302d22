//! A relayer in this process, which can die and be started again.

use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, keccak256};
use futures::FutureExt;
use tbsi_bridge::config::{
    AuditConfig, BatchConfig, Config, EvmConfig, HealthConfig, RelayerConfig, SelectConfig,
    SourceConfig, TargetConfig,
};
use tbsi_bridge::fault::Died;
use tbsi_bridge::health::Health;
use tbsi_bridge::journal::{files, records};
use tbsi_bridge::record::{Event, Parties, Record};
use tbsi_bridge::relay::{Parts, Relay, RelayError};
use tbsi_bridge::source::Source;
use tbsi_bridge::target::Target;
use tbsi_rpc::LocalNode;
use tbsi_tests::bridge::chain::{CHAIN_ID, Chain, ISSUER};
use tbsi_tests::bridge::serve::InMemory;
use tbsi_types::SecretKey;
use tbsi_types::log::Statement;
use tempfile::TempDir;

use crate::sim::{CHAIN, SimTarget, World};

thread_local! {
    static CLOCK_MS: Cell<u64> = const { Cell::new(1_000_000) };
}

pub(crate) fn clock_ms() -> u64 {
    CLOCK_MS.get()
}

/// Time passes for the relayer, and nobody waits.
pub(crate) async fn pass(ms: u64) {
    CLOCK_MS.set(clock_ms() + ms);
    tokio::time::advance(Duration::from_millis(ms)).await;
}

/// What the relayer in tests is configured with.
pub(crate) fn config() -> Config {
    Config {
        relayer: RelayerConfig {
            name_zh_tw: String::new(),
            name_en: "Test Relayer".into(),
            key: None,
            password_file: None,
            signer: None,
            registered: false,
        },
        source: SourceConfig {
            genesis: "genesis.json".into(),
            rpc: vec!["http://127.0.0.1:1".into()],
            agree: 1,
            poll_ms: 100,
        },
        // Of another kind than the targets here: the loop does not look at it.
        target: TargetConfig::Evm(EvmConfig::new(1, Vec::new(), Address::ZERO)),
        select: SelectConfig {
            all: true,
            ..SelectConfig::default()
        },
        batch: BatchConfig::default(),
        audit: AuditConfig {
            interval_s: 0,
            ..AuditConfig::default()
        },
        metrics: HealthConfig::default(),
    }
}

/// A relayer of a home directory, from a chain in memory to a target.
pub(crate) fn relayer<T: Target>(
    home: &Path,
    chain: &Chain,
    target: T,
    config: &Config,
) -> Result<Relay<T>, RelayError> {
    let genesis = chain.held().genesis.clone();
    let node: Arc<dyn LocalNode> = Arc::new(InMemory(chain.clone()));
    let key = SecretKey::from_seed(b"relayer in memory");
    Relay::open(Parts {
        config: config.clone(),
        config_hash: B256::ZERO,
        home: home.into(),
        source: Source::local(&genesis, vec![node], 1)?,
        parties: Parties {
            name_zh_tw: String::new(),
            name_en: "Test Relayer".into(),
            account: key.public_key().address(),
            source_chain_id: CHAIN_ID,
            source_genesis_hash: genesis.hash(),
            target: target.identity(),
        },
        target,
        signer: Arc::new(key),
        health: Health::default(),
        clock: clock_ms,
    })
}

/// A message to the simulated target; the payload is `text`.
pub(crate) fn message(chain: &Chain, sequence: u64, timeout: u64, text: &str) {
    let statement = Statement::Message {
        destination: keccak256(CHAIN),
        receiver: B256::repeat_byte(4),
        sequence,
        timeout,
        payload_hash: tbsi_types::sha256(&[text.as_bytes()]),
    };
    chain.state(&[(ISSUER, statement)]);
}

/// A relayer to a simulated target, and its home.
pub(crate) struct Stage {
    pub(crate) chain: Chain,
    pub(crate) world: Rc<RefCell<World>>,
    pub(crate) config: Config,
    home: TempDir,
    relay: Option<Relay<SimTarget>>,
    pub(crate) deaths: u32,
}

impl Stage {
    pub(crate) fn new(chain: &Chain) -> Self {
        let world = World::new(&chain.held().genesis);
        Self {
            chain: chain.clone(),
            world: Rc::new(RefCell::new(world)),
            config: config(),
            home: tempfile::tempdir().unwrap(),
            relay: None,
            deaths: 0,
        }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The running relayer; it is started if it does not run.
    pub(crate) fn relay(&mut self) -> &mut Relay<SimTarget> {
        let (home, chain) = (self.home.path(), &self.chain);
        let target = SimTarget::new(&self.world);
        let open = || relayer(home, chain, target, &self.config).unwrap();
        self.relay.get_or_insert_with(open)
    }

    /// Ends the process, if it runs.
    pub(crate) fn stop(&mut self) {
        self.relay = None;
    }

    /// One step, and what the chain does meanwhile; whether the relayer lives. It may fail.
    pub(crate) async fn step(&mut self) -> bool {
        let step = AssertUnwindSafe(async {
            let relay = self.relay();
            relay.step().await
        });
        let outcome = step.catch_unwind().await;
        let lives = match outcome {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => {
                // Shown if the test fails.
                println!("a step: {error}");
                true
            }
            Err(cause) if cause.is::<Died>() => {
                self.stop();
                self.deaths += 1;
                false
            }
            Err(cause) => std::panic::resume_unwind(cause),
        };
        self.world.borrow_mut().produce();
        pass(70_000).await;
        lives
    }

    /// Steps until nothing waits and everything is final.
    pub(crate) async fn settle(&mut self) {
        for _ in 0..100 {
            self.step().await;
            let state = self.relay().state();
            if state.backlog() == 0 && state.plans.is_empty() {
                return;
            }
        }
        let state = self.relay().state();
        panic!("it comes to no end: {state:?}");
    }

    /// All records, of all files.
    pub(crate) fn records(&self) -> Vec<Record> {
        let files = files(self.home()).unwrap();
        files
            .iter()
            .flat_map(|file| records(file).unwrap())
            .collect()
    }

    /// How many records have such an event.
    pub(crate) fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.records()
            .iter()
            .filter(|one| wanted(&one.event))
            .count()
    }

    pub(crate) fn named(&self, name: &str) -> usize {
        self.count(|event| event.name() == name)
    }

    /// Fails unless so many leaves are there, each once.
    pub(crate) fn assert_recorded(&self, leaves: usize) {
        let world = self.world.borrow();
        let recorded = &world.held().recorded;
        assert_eq!(recorded.len(), leaves);
        assert!(recorded.values().all(|times| *times == 1), "{recorded:?}");
    }

    /// Fails unless all leaves and messages are there, each once, and each transaction in a block
    /// is one that the journal calls final.
    pub(crate) fn assert_once(&self, leaves: usize, messages: usize) {
        let world = self.world.borrow();
        let held = world.held();
        assert_eq!(
            (held.recorded.len(), held.delivered.len()),
            (leaves, messages)
        );
        let mut times = held.recorded.values().chain(held.delivered.values());
        assert!(times.all(|times| *times == 1), "{held:?}");
        assert_eq!(world.transactions(), self.named("final"));
    }
}
