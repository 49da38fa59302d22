//! The relayer: the product's loop and journal, between the simulated nodes and a simulated
//! target. It dies between any two questions, with any whole part of its journal after the last
//! thing that left it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tbsi_bindings::SolCall;
use tbsi_bindings::genesis::Outbox::sendCall;
use tbsi_bridge::config::{
    AuditConfig, BatchConfig, Config, EvmConfig, FeesConfig, HealthConfig, RelayerConfig,
    SelectConfig, SourceConfig, TargetConfig,
};
use tbsi_bridge::evm::{Evm, EvmChain};
use tbsi_bridge::health::Health;
use tbsi_bridge::journal::{JOURNAL_FILE, records};
use tbsi_bridge::record::{Event as Recorded, Parties};
use tbsi_bridge::relay::{Parts, Relay, RelayError, keep_payload};
use tbsi_bridge::source::Source;
use tbsi_bridge::target::Target;
use tbsi_rpc::LocalNode;
use tbsi_types::{B256, SecretKey, sha256};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::{Event, World};
use crate::founding::scratch;
use crate::mutants::Mutant;
use crate::plan::Lie;
use crate::shown::{Shown, Shows};
use crate::target::{Reached, TargetChain, destination, receiver};

/// Nodes that it asks.
const ENDPOINTS: usize = 3;
const STEP_MS: u64 = 1_000;
const BLOCK_MS: u64 = 2_000;

thread_local! {
    /// What the relayer's clock shows; a world runs in one thread.
    static CLOCK_MS: Cell<u64> = const { Cell::new(0) };
}

fn clock_ms() -> u64 {
    CLOCK_MS.get()
}

/// The relayer, its home, and the chain that it writes to.
pub struct Relaying {
    runtime: Runtime,
    home: TempDir,
    relay: Option<Relay<Evm<Reached>>>,
    /// The chain that is written to.
    pub target: Reached,
    shown: Vec<(usize, Arc<Shown>)>,
    advanced: Duration,
    life: u32,
    payloads: u64,
}

impl Relaying {
    pub(super) fn journal(&self) -> PathBuf {
        self.home.path().join(JOURNAL_FILE)
    }

    /// What it recorded.
    pub fn records(&self) -> Vec<Recorded> {
        let records = records(&self.journal()).unwrap_or_default();
        records.into_iter().map(|record| record.event).collect()
    }

    /// What it says, without the name of its directory, which is another in each run.
    fn anywhere(&self, text: &str) -> String {
        let dir = self.home.path().to_string_lossy();
        text.replace(dir.as_ref(), "relayer")
    }

    /// Where it and its target are, in a line.
    pub(super) fn end(&self) -> String {
        let journal = fs::read(self.journal()).unwrap_or_default();
        let journal = sha256(&[&journal]);
        let newest = self.target.chain().newest_hash();
        format!("the target ends at {newest}, the relayer's journal is {journal}")
    }
}

impl World {
    /// A relayer that is not started yet, if the plan has one.
    pub(super) fn new_relaying(&mut self) -> Option<Relaying> {
        if !self.plan.relays {
            return None;
        }
        let mut nodes: Vec<usize> = (0..self.nodes.len()).collect();
        self.chance.relayer.shuffle(&mut nodes);
        let shown = nodes.into_iter().take(ENDPOINTS);
        let shown = shown.map(|node| (node, Arc::new(Shown::default())));
        let seconds = self.now.wall().seconds();
        let genesis = &self.founding.genesis;
        let rng = self.chance.relayer.fork();
        let target = TargetChain::new(genesis, rng, self.plan.mutant, seconds);
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        self.after_ms(BLOCK_MS, Event::TargetBlock);
        self.after_ms(STEP_MS, Event::Relay);
        Some(Relaying {
            runtime: runtime.expect("a runtime without sockets"),
            home: scratch(),
            relay: None,
            target: Reached::new(target),
            shown: shown.collect(),
            advanced: Duration::ZERO,
            life: 0,
            payloads: 0,
        })
    }

    /// The target's next block, now and then in the place of others.
    pub(super) fn on_target_block(&mut self) {
        self.after_ms(BLOCK_MS, Event::TargetBlock);
        let reorganises = !self.healed && self.chance.relayer.chance(150);
        let dies = !self.healed && self.chance.relayer.chance(200);
        let dies_in = u32::try_from(self.chance.relayer.between(1, 25)).unwrap_or(1);
        let seconds = self.now.wall().seconds();
        let Some(relaying) = &self.relaying else {
            return;
        };
        let mut chain = relaying.target.chain();
        chain.trouble = if self.healed { 0 } else { 60 };
        let gone = match reorganises {
            true => chain.reorganise(seconds),
            false => {
                chain.produce(seconds);
                0
            }
        };
        if dies {
            chain.dies_in = Some(dies_in);
        } else if self.healed {
            chain.dies_in = None;
        }
        drop(chain);
        if gone > 0 {
            self.trace.add(
                self.now,
                format_args!("{gone} blocks of the target go away"),
            );
        }
    }

    /// One step of the relayer, which is started if it does not run.
    pub(super) fn on_relay(&mut self) {
        let Some(mut relaying) = self.relaying.take() else {
            return;
        };
        CLOCK_MS.set(self.now.wall().0);
        self.show_nodes(&relaying);
        let wait = match self.step_relayer(&mut relaying) {
            Ok(()) => Some(STEP_MS),
            Err(Ended::Died) => self.bury_relayer(&mut relaying),
            Err(Ended::Failed(error)) => {
                let error = relaying.anywhere(&error);
                let line = format_args!("the relayer ends by itself: {error}");
                self.trace.add(self.now, line);
                self.record.relayer_stopped.push((self.now, error));
                relaying.relay = None;
                Some(5_000)
            }
        };
        for (_, shown) in &relaying.shown {
            shown.show(None, Shows::Truth);
        }
        self.relaying = Some(relaying);
        if let Some(wait) = wait {
            self.after_ms(wait, Event::Relay);
        }
    }

    fn show_nodes(&mut self, relaying: &Relaying) {
        for (node, shown) in &relaying.shown {
            let shows = match self.chance.relayer.below(4) {
                _ if !self.lies(*node, Lie::Relayer) => Shows::Truth,
                0 => Shows::Old(self.chance.relayer.below(20)),
                1 => Shows::Checkpoints,
                2 => Shows::Leaves,
                _ => Shows::Truth,
            };
            let running = self.nodes[*node].running.as_ref();
            shown.show(running.map(|running| Arc::clone(&running.node)), shows);
        }
    }

    fn step_relayer(&mut self, relaying: &mut Relaying) -> Result<(), Ended> {
        let now = self.now.of_node(0).monotonic;
        let behind = now.saturating_sub(relaying.advanced);
        relaying.advanced = now;
        let mut relay = match relaying.relay.take() {
            Some(relay) => relay,
            None => self.open_relayer(relaying)?,
        };
        let target = relaying.target.clone();
        let outcome = relaying.runtime.block_on(async {
            tokio::time::advance(behind).await;
            tokio::select! {
                biased;
                () = target.death() => None,
                outcome = relay.step() => Some(outcome),
            }
        });
        match outcome {
            None => Err(Ended::Died),
            Some(Ok(())) => {
                relaying.relay = Some(relay);
                Ok(())
            }
            Some(Err(error)) if ends(&error) => Err(Ended::Failed(error.to_string())),
            Some(Err(error)) => {
                let error = relaying.anywhere(&error.to_string());
                let line = format_args!("the relayer will try again: {error}");
                self.trace.add(self.now, line);
                relaying.relay = Some(relay);
                Ok(())
            }
        }
    }

    fn open_relayer(&mut self, relaying: &mut Relaying) -> Result<Relay<Evm<Reached>>, Ended> {
        relaying.life += 1;
        self.drag(relaying.life);
        let line = format_args!("the relayer starts, life {}", relaying.life);
        self.trace.add(self.now, line);
        let forgets = self.plan.mutant == Some(Mutant::JournalForgotten) && relaying.life > 1;
        if forgets {
            fs::remove_file(relaying.journal()).ok();
        }
        let genesis = &self.founding.genesis;
        let nodes = relaying.shown.iter();
        let nodes = nodes.map(|(_, shown)| Arc::clone(shown) as Arc<dyn LocalNode>);
        let source = Source::local(genesis, nodes.collect(), 1);
        let source = source.map_err(|error| Ended::Failed(error.to_string()))?;
        let key = SecretKey::from_seed(b"simulated relayer");
        let config = config();
        let TargetConfig::Evm(evm) = &config.target else {
            unreachable!("it is made below, for an EVM chain");
        };
        let target = Evm::new(relaying.target.clone(), evm.clone());
        let parties = Parties {
            name_zh_tw: String::new(),
            name_en: "Simulated Relayer".into(),
            account: relaying.target.account(),
            source_chain_id: genesis.chain_id,
            source_genesis_hash: genesis.hash(),
            target: target.identity(),
        };
        // Whatever is counted from its start is counted by virtual time.
        let _virtual = relaying.runtime.enter();
        let relay = Relay::open(Parts {
            config,
            config_hash: B256::ZERO,
            home: relaying.home.path().into(),
            source,
            target,
            parties,
            signer: Arc::new(key),
            health: Health::default(),
            clock: clock_ms,
        });
        relay.map_err(|error| Ended::Failed(error.to_string()))
    }

    /// It died: what it had written since something last left it may be there, or part of it.
    fn bury_relayer(&mut self, relaying: &mut Relaying) -> Option<u64> {
        self.trace.add(self.now, format_args!("the relayer dies"));
        self.record.relayer_deaths += 1;
        relaying.relay = None;
        relaying.target.chain().dies_in = None;
        let bytes = fs::read(relaying.journal()).unwrap_or_default();
        let sent = relaying.target.chain().sent.clone();
        let sent = last_sent(&bytes, &sent);
        let rest = bytes.len() - sent;
        let cut = sent + self.chance.relayer.index(rest + 1);
        fs::write(relaying.journal(), &bytes[..cut]).expect("write a journal");
        let stays = self.plan.mutant == Some(Mutant::RelayerStaysDown);
        (!stays).then(|| self.chance.relayer.between(500, 5_000))
    }

    /// The call with which a client sends a message to the target, whose payload the relayer
    /// gets.
    pub(super) fn message_call(&mut self) -> Option<Vec<u8>> {
        let soon = self.chance.relayer.chance(200);
        let seconds = self.now.wall().seconds() + if soon { 20 } else { 100_000 };
        let relaying = self.relaying.as_mut()?;
        relaying.payloads += 1;
        let payload = format!("simulated message {}", relaying.payloads);
        keep_payload(relaying.home.path(), payload.as_bytes()).expect("room for a payload");
        let call = sendCall {
            destination: destination(),
            receiver: receiver(),
            timeout: seconds,
            payloadHash: sha256(&[payload.as_bytes()]),
        };
        Some(call.abi_encode())
    }
}

/// How the relayer's process ended.
enum Ended {
    Died,
    Failed(String),
}

/// Whether an error is one for which a relayer ends.
fn ends(error: &RelayError) -> bool {
    matches!(
        error,
        RelayError::Journal(_) | RelayError::Illegal(_) | RelayError::Standing(_)
    )
}

/// Up to where the journal was surely written before the last transaction left: the record of
/// having signed it.
fn last_sent(bytes: &[u8], sent: &BTreeSet<B256>) -> usize {
    let (mut end, mut written) = (0, 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        let text = String::from_utf8_lossy(line);
        let signs = ["\"name\":\"signed\"", "\"name\":\"replaced\""];
        let signs = signs.iter().any(|state| text.contains(state));
        if signs && sent.iter().any(|hash| text.contains(&hash.to_string())) {
            written = end;
        }
    }
    written
}

fn config() -> Config {
    Config {
        relayer: RelayerConfig {
            name_zh_tw: String::new(),
            name_en: "Simulated Relayer".into(),
            key: None,
            password_file: None,
            signer: None,
            registered: false,
        },
        source: SourceConfig {
            genesis: PathBuf::new(),
            rpc: Vec::new(),
            agree: 1,
            poll_ms: STEP_MS,
        },
        target: TargetConfig::Evm(EvmConfig {
            inbox: Some(tbsi_types::Address::repeat_byte(0x22)),
            fees: FeesConfig {
                replace_after_ms: 8_000,
                ..FeesConfig::default()
            },
            ..EvmConfig::new(424_242, Vec::new(), tbsi_types::Address::repeat_byte(0x11))
        }),
        select: SelectConfig {
            all: true,
            checkpoint_interval_s: 15,
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
