//! The one place that lists every task of a node.

use std::pin::Pin;
use std::sync::Arc;

use anyhow::Context;
use tbsi_engine::Engine;
use tbsi_governance::standing::Denied;
use tbsi_home::Home;
use tbsi_p2p::Judgement;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use crate::account::Sender;
use crate::accuse;
use crate::assemble::{Assembled, assemble};
use crate::chain::NodeChain;
use crate::cosign;
use crate::gossip::{GossipEvent, Received};
use crate::health::{self, Health};
use crate::limits::STOP_TIMEOUT;
use crate::node::{AdmissionError, Node};
use crate::pending;
use crate::rotation;
use crate::watchdog;

/// Makes any panic end the process. A node with a dead task inside looks alive and is not.
pub fn abort_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        std::process::abort();
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
    Box::pin(async move {
        while let End::Rekeyed = run_tasks(home, stop.clone()).await? {
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

async fn run_tasks(home: &Home, stop: watch::Receiver<bool>) -> anyhow::Result<End> {
    let Assembled {
        node,
        engine,
        rpc,
        health,
        incoming,
        cosigner,
        submitters,
        account,
        rotating,
    } = assemble(home).await?;
    let (stop_tasks, stopping) = watch::channel(false);
    let (moved_tx, moved) = watch::channel(Instant::now());
    let pages = Health {
        node: Arc::clone(&node),
        moved,
    };
    let mut tasks: JoinSet<anyhow::Result<&'static str>> = JoinSet::new();
    tasks.spawn(named("consensus", engine_task(engine, stopping.clone())));
    tasks.spawn(named(
        "transactions",
        transactions(Arc::clone(&node), incoming.events, stopping.clone()),
    ));
    tasks.spawn(named(
        "pending transactions",
        pending_task(Arc::clone(&node), stopping.clone()),
    ));
    tasks.spawn(named(
        "cosignatures",
        cosign::run(
            Arc::clone(&node),
            cosigner,
            incoming.cosignatures,
            stopping.clone(),
        ),
    ));
    for submitter in submitters {
        tasks.spawn(named("outside witness", submitter.run(stopping.clone())));
    }
    tasks.spawn(named(
        "health",
        health_task(health, pages, stopping.clone()),
    ));
    tasks.spawn(named(
        "watchdog",
        watchdog_task(Arc::clone(&node), moved_tx, stopping.clone()),
    ));
    if let Some(account) = account {
        let accuser = accuse_task(Arc::clone(&node), account, stopping.clone());
        tasks.spawn(named("evidence", accuser));
    }
    let rekeyed = rotation::due(rotating, Arc::clone(&node));
    let outcome = tokio::select! {
        ended = first_end(&mut tasks, stop) => ended.map(|()| End::Stopped),
        due = rekeyed => due.map(|()| End::Rekeyed),
    };
    stop_tasks.send_replace(true);
    rpc.stop().await;
    while let Ok(Some(ended)) = timeout(STOP_TIMEOUT, tasks.join_next()).await {
        if let Ok(Err(error)) = ended {
            warn!("while stopping: {error:#}");
        }
    }
    node.gossip.shutdown().await;
    info!(height = %node.tip().height, "node stopped");
    outcome
}

type Outcome = anyhow::Result<()>;

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
