//! The one place that lists every task of a node.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::Context;
use tbsi_engine::Engine;
use tbsi_execution::PROTOCOL_VERSION;
use tbsi_governance::standing::Denied;
use tbsi_home::Home;
use tbsi_p2p::Judgement;
use tbsi_rpc::RpcServer;
use tbsi_types::Roster;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use crate::account::Sender;
use crate::accuse;
use crate::addresses::AddressFinder;
use crate::assemble::{Assembled, assemble};
use crate::chain::NodeChain;
use crate::clock::wall_clock;
use crate::control::Control;
use crate::cosign;
use crate::gossip::{GossipEvent, Received};
use crate::health::{self, Health};
use crate::limits::{STOP_TIMEOUT, TSA_WARN_INTERVAL};
use crate::node::{AdmissionError, Node};
use crate::pending;
use crate::rotation;
use crate::serving::Serving;
use crate::upkeep;
use crate::watchdog;

/// Makes any panic end the process. A node with a dead task inside looks alive and is not. A call
/// of JSON-RPC is answered by what is stored, and has no task that others rely on: if it panics,
/// it ends alone.
pub fn abort_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        if !tbsi_rpc::panic_ends_call_only() {
            std::process::abort();
        }
    }));
}

/// Runs a node until `stop` turns true or something fails. An error is a reason to end the
/// process with a non-zero code: a node in doubtful state must not go on.
///
/// Boxed, so that the node is compiled here once and not again in every program that runs it.
pub fn run(
    home: &Home,
    stop: watch::Receiver<bool>,
) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + '_>> {
    run_supporting(home, stop, PROTOCOL_VERSION)
}

/// As [`run`], as if this program knew no protocol version above `protocol`: an older program,
/// for tests of upgrades (SPEC §13.12).
#[doc(hidden)]
pub fn run_supporting(
    home: &Home,
    stop: watch::Receiver<bool>,
    protocol: u32,
) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + '_>> {
    assert!(protocol <= PROTOCOL_VERSION, "a version that is known");
    Box::pin(async move {
        while let End::Rekeyed = run_tasks(home, stop.clone(), protocol).await? {
            info!("starting anew with the next validator key");
        }
        Ok(())
    })
}

/// Why the tasks of a node ended, if nothing failed.
enum End {
    /// It was told to stop.
    Stopped,
    /// The chain names its next validator key.
    Rekeyed,
}

async fn run_tasks(home: &Home, stop: watch::Receiver<bool>, protocol: u32) -> anyhow::Result<End> {
    let mut assembled = assemble(home, protocol).await?;
    let node = Arc::clone(&assembled.node);
    let rekeyed = rotation::due(assembled.rotating.take(), Arc::clone(&node));
    let (stop_tasks, stopping) = watch::channel(false);
    let serving = Serving::start().context("start the threads that serve")?;
    let Tasks { mut all, gossip } = spawn(assembled, &serving, &stopping);
    let outcome = tokio::select! {
        ended = first_end(&mut all, stop) => ended.map(|()| End::Stopped),
        due = rekeyed => due.map(|()| End::Rekeyed),
    };
    stop_tasks.send_replace(true);
    while let Ok(Some(ended)) = timeout(STOP_TIMEOUT, all.join_next()).await {
        if let Ok(Err(error)) = ended {
            warn!("while stopping: {error:#}");
        }
    }
    node.gossip.shutdown().await;
    // What did not stop in time is aborted here: no task outlives this function.
    drop((all, gossip, serving));
    info!(height = %node.tip().height, "node stopped");
    outcome
}

/// Every task of a node.
struct Tasks {
    /// None ends by itself.
    all: JoinSet<anyhow::Result<&'static str>>,
    /// Ends last, because the others speak through it.
    gossip: JoinSet<()>,
}

fn spawn(assembled: Assembled, serving: &Serving, stopping: &watch::Receiver<bool>) -> Tasks {
    let Assembled {
        node,
        engine,
        rpc,
        health,
        gossip,
        peers,
        addresses,
        incoming,
        cosigner,
        submitters,
        calendar,
        account,
        rotating: _,
        data,
        control,
        certificates,
    } = assembled;
    let stop = || stopping.clone();
    let (moved_tx, moved) = watch::channel(Instant::now());
    node.metrics.process.start();
    let pages = Health {
        node: Arc::clone(&node),
        moved,
        data,
        certificates,
    };
    let received = transactions(Arc::clone(&node), incoming.events, stop());
    let seen = Arc::clone(&node);
    let (ed25519, post_quantum) = (incoming.cosignatures, incoming.post_quantum);
    let cosignatures = cosign::run(seen, cosigner, ed25519, post_quantum, stop());
    let mut all = JoinSet::new();
    all.spawn(named("consensus", engine_task(engine, stop())));
    all.spawn(named("transactions", received));
    all.spawn(named(
        "pending transactions",
        pending_task(Arc::clone(&node), stop()),
    ));
    all.spawn(named("cosignatures", cosignatures));
    for submitter in submitters {
        all.spawn(named("outside witness", submitter.run(stop())));
    }
    if let Some(calendar) = calendar {
        let forwarded = calendar.run(Arc::clone(&node), stop());
        all.spawn(named("calendar", forwarded));
    }
    all.spawn_on(named("rpc", rpc_task(rpc, stop())), serving.handle());
    all.spawn(named("health", health_task(health, pages, stop())));
    all.spawn(named(
        "watchdog",
        watchdog_task(Arc::clone(&node), moved_tx, stop()),
    ));
    look_after(&mut all, control, &node, stopping);
    let rosters = node.watch_roster();
    all.spawn(named("peers", follow_roster(rosters, peers, stop())));
    if let Some(addresses) = addresses {
        let task = addresses_task(addresses, node.watch_roster(), stop());
        all.spawn(named("addresses of peers", task));
    }
    if let Some(account) = account {
        all.spawn(named("evidence", accuse_task(node, account, stop())));
    }
    let mut networks = JoinSet::new();
    networks.spawn(gossip.run());
    Tasks {
        all,
        gossip: networks,
    }
}

type Outcome = anyhow::Result<()>;

/// Copies of the database, a second reading of it, and the end of a certificate.
fn look_after(
    all: &mut JoinSet<anyhow::Result<&'static str>>,
    control: Control,
    node: &Arc<Node>,
    stopping: &watch::Receiver<bool>,
) {
    let copies = control.run(Arc::clone(node), stopping.clone());
    all.spawn(named("copies of the database", copies));
    let scrub = upkeep::scrub(Arc::clone(node), stopping.clone());
    all.spawn(named("scrub", scrub));
    if node.tsa_until.get().is_some() {
        let task = expiry_task(Arc::clone(node), stopping.clone());
        all.spawn(named("time-stamp certificate", task));
    }
}

async fn named(
    name: &'static str,
    task: impl Future<Output = Outcome>,
) -> anyhow::Result<&'static str> {
    task.await.with_context(|| format!("task `{name}`"))?;
    Ok(name)
}

/// Waits for the signal to stop, or for the first task that ends, which none should.
async fn first_end(
    tasks: &mut JoinSet<anyhow::Result<&'static str>>,
    mut stop: watch::Receiver<bool>,
) -> Outcome {
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => Ok(()),
        ended = tasks.join_next() => match ended {
            Some(Ok(Ok(name))) => anyhow::bail!("task `{name}` ended by itself"),
            Some(Ok(Err(error))) => Err(error),
            Some(Err(panic)) => Err(panic).context("a task panicked"),
            None => anyhow::bail!("no task runs"),
        },
    }
}

async fn engine_task(engine: Engine<NodeChain>, stop: watch::Receiver<bool>) -> Outcome {
    Ok(engine.run(stop).await?)
}

async fn rpc_task(rpc: RpcServer, stop: watch::Receiver<bool>) -> Outcome {
    rpc.run(stop).await;
    Ok(())
}

/// Passes the ids of admitted peers on to both networks.
async fn follow_roster(
    mut rosters: watch::Receiver<Arc<Roster>>,
    peers: watch::Sender<BTreeSet<String>>,
    mut stop: watch::Receiver<bool>,
) -> Outcome {
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            changed = rosters.changed() => changed.context("nobody tells who takes part")?,
        }
        let ids: BTreeSet<_> = rosters.borrow_and_update().peers.keys().cloned().collect();
        peers.send_if_modified(|before| {
            let changed = *before != ids;
            *before = ids;
            changed
        });
    }
}

async fn addresses_task(
    finder: AddressFinder,
    rosters: watch::Receiver<Arc<Roster>>,
    stop: watch::Receiver<bool>,
) -> Outcome {
    finder.run(rosters, stop).await;
    Ok(())
}

async fn health_task(
    listener: tokio::net::TcpListener,
    health: Health,
    stop: watch::Receiver<bool>,
) -> Outcome {
    Ok(health::serve(listener, health, stop).await?)
}

async fn watchdog_task(
    node: Arc<Node>,
    moved: watch::Sender<Instant>,
    stop: watch::Receiver<bool>,
) -> Outcome {
    watchdog::watch(node, moved, stop).await;
    Ok(())
}

/// Logs once in a while that the certificate of the time-stamping authority ends soon.
async fn expiry_task(node: Arc<Node>, mut stop: watch::Receiver<bool>) -> Outcome {
    let mut ticks = interval(TSA_WARN_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            _ = ticks.tick() => {}
        }
        if let Some(warning) = node.tsa_warning(wall_clock()) {
            warn!("{warning}");
        }
    }
}

async fn pending_task(node: Arc<Node>, stop: watch::Receiver<bool>) -> Outcome {
    Ok(pending::run(node, stop).await?)
}

async fn accuse_task(node: Arc<Node>, account: Sender, stop: watch::Receiver<bool>) -> Outcome {
    accuse::run(node, account, stop).await;
    Ok(())
}

/// Takes transactions and tips from peers.
async fn transactions(
    node: Arc<Node>,
    mut events: mpsc::Receiver<Received>,
    mut stop: watch::Receiver<bool>,
) -> Outcome {
    loop {
        let received = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            received = events.recv() => received,
        };
        let Some(Received { event, unjudged }) = received else {
            anyhow::bail!("the gossip network ended");
        };
        match event {
            GossipEvent::Transactions { from: _, encoded } => {
                let node = Arc::clone(&node);
                let insert = move || insert_all(&node, &encoded);
                let judgement = tokio::task::spawn_blocking(insert).await?;
                if let Some(unjudged) = unjudged {
                    unjudged.judge(judgement);
                }
            }
            GossipEvent::Tip { .. } => node.note_peer_tip(),
            GossipEvent::PeerConnected(peer) => {
                info!(%peer, name = peer_name(&node, &peer.to_string()), "peer connected");
                node.tell_all_soon();
                let cosignatures = node.cosignatures().newest();
                if let Some(cosignatures) = cosignatures {
                    node.gossip.publish_cosignatures(cosignatures);
                }
                let post_quantum = node.post_quantum().best();
                for cosignature in post_quantum {
                    node.gossip.publish_post_quantum(cosignature);
                }
            }
            GossipEvent::PeerDisconnected(peer) => {
                info!(%peer, name = peer_name(&node, &peer.to_string()), "peer disconnected");
            }
        }
    }
}

/// Puts transactions into the pool. Refusals are counted by reason; a peer may well send what is
/// here already. What is new here goes on to others; nothing that no pool takes, or that all
/// pools have.
fn insert_all(node: &Node, encoded: &[tbsi_types::Bytes]) -> Judgement {
    let mut judgement = Judgement::Keep;
    for transaction in encoded {
        let hash = alloy_primitives::keccak256(transaction);
        if node.pooled(&hash).is_some() {
            continue;
        }
        match node.insert(transaction) {
            Ok(_) => judgement = Judgement::Forward,
            // It never was a transaction of this chain, so an honest peer did not take it either.
            Err(AdmissionError::Transaction(_)) => return Judgement::Bar,
            // Whoever may not send at all is refused everywhere, give or take a block.
            Err(AdmissionError::Denied(Denied::Permission { .. } | Denied::Suspended { .. }))
                if judgement == Judgement::Keep =>
            {
                judgement = Judgement::Fault;
            }
            Err(_) => {}
        }
    }
    judgement
}

fn peer_name(node: &Node, peer_id: &str) -> String {
    let roster = node.roster();
    let entry = roster.peers.get(peer_id);
    entry.map(|entry| entry.name.clone()).unwrap_or_default()
}
