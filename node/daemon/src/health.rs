//! Health and metrics over HTTP: `/livez`, `/readyz`, `/metrics`, `/version`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tbsi_engine::NetworkMonitor;
use tbsi_types::Height;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::api::CLIENT_VERSION;
use crate::certificates::certificates_end;
use crate::clock::wall_clock;
use crate::limits::{READY_BEHIND_MAX, STALL_NOT_READY};
use crate::node::Node;
use crate::watchdog::waiting_for;

/// What the pages show, beside the node: since when the running height runs.
#[derive(Clone)]
pub(crate) struct Health {
    /// The node.
    pub(crate) node: Arc<Node>,
    /// When the last height was committed, or the running one started if that was later.
    pub(crate) moved: watch::Receiver<Instant>,
    /// Where the node writes.
    pub(crate) data: PathBuf,
    /// With which certificates it speaks TLS; a file may be replaced at any time.
    pub(crate) certificates: Vec<(&'static str, PathBuf)>,
}

/// What a caller of `/readyz` asks for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Readiness {
    /// Blocks that a ready node may be behind.
    max_blocks_behind: u64,
    /// Connected peers that a ready node needs.
    min_peers: u64,
}

impl Default for Readiness {
    fn default() -> Self {
        Self {
            max_blocks_behind: READY_BEHIND_MAX,
            min_peers: 1,
        }
    }
}

/// Answer of `/readyz`.
#[derive(Debug, Serialize)]
struct Ready {
    ready: bool,
    /// Empty if ready.
    reasons: Vec<String>,
    /// What an operator has to do while the node is ready.
    warnings: Vec<String>,
    height: u64,
    behind: u64,
    peers: u64,
}

/// Serves the pages until `shutdown` turns true.
pub(crate) async fn serve(
    listener: TcpListener,
    health: Health,
    mut shutdown: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let pages = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/version", get(|| async { format!("{CLIENT_VERSION}\n") }))
        .with_state(health);
    axum::serve(listener, pages)
        .with_graceful_shutdown(async move {
            // A closed channel means that the node is gone, which is a reason to stop too.
            let _stopped = shutdown.wait_for(|stop| *stop).await;
        })
        .await
}

/// Binds the listener; the error names the address and the key of the configuration.
pub(crate) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        anyhow::anyhow!(
            "listen for health and metrics on {address}: {error}; is the port free? \
             (config.toml, key `metrics.listen`)"
        )
    })
}

async fn readyz(State(health): State<Health>, Query(asked): Query<Readiness>) -> Response {
    let node = &health.node;
    let height = node.tip().height;
    let behind = node.peers_tip().above(height);
    let connected = node.gossip.connected();
    let reasons = reasons(node, &asked, health.moved.borrow().elapsed());
    let ready = reasons.is_empty();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let page = Ready {
        ready,
        reasons,
        warnings: [node.tsa_warning(wall_clock()), node.upgrade_warning()]
            .into_iter()
            .flatten()
            .collect(),
        height: height.0,
        behind,
        peers: connected,
    };
    (status, Json(page)).into_response()
}

/// Why a node does not take part in deciding, or may not know what was decided.
fn reasons(node: &Node, asked: &Readiness, stalled: Duration) -> Vec<String> {
    let mut reasons = Vec::new();
    let behind = node.peers_tip().above(node.tip().height);
    if behind > asked.max_blocks_behind {
        let most = asked.max_blocks_behind;
        reasons.push(format!("{behind} blocks behind, at most {most}"));
    }
    let connected = node.gossip.connected();
    let alone = node.genesis.nodes.len() == 1;
    if connected < asked.min_peers && !alone {
        let least = asked.min_peers;
        reasons.push(format!("{connected} peers connected, at least {least}"));
    }
    let progress = node
        .progress
        .get()
        .map(|progress| progress.borrow().clone());
    let Some(progress) = progress.filter(|progress| progress.height > Height::GENESIS) else {
        reasons.push("consensus has not started".into());
        return reasons;
    };
    if let Some(until) = progress.waits_until {
        reasons.push(waiting_for(progress.height, until, wall_clock()));
    }
    if progress.running && stalled > STALL_NOT_READY {
        reasons.push(format!(
            "no block for {} s, round {}: {}",
            stalled.as_secs(),
            progress.round,
            node.standstill(&progress)
        ));
    }
    let network = node.consensus_network.get();
    if network.is_some_and(NetworkMonitor::twin_seen) {
        reasons.push(
            "another process signs with this validator's key, so this one signs nothing: stop the \
             other and start this one again; see the log"
                .into(),
        );
    } else if progress.abstains {
        reasons.push(
            "this validator's last vote was not signed: its signer does not answer, or the \
             sign-state is above; see the log"
                .into(),
        );
    }
    reasons
}

async fn metrics(State(health): State<Health>) -> Response {
    let node = &health.node;
    let metrics = &node.metrics;
    let counts = node.mempool().counts();
    metrics.mempool_pending.set(counts.pending as u64);
    metrics.mempool_queued.set(counts.queued as u64);
    metrics.mempool_bytes.set(counts.bytes as u64);
    metrics
        .behind
        .set(node.peers_tip().above(node.tip().height));
    metrics.peers.set(node.gossip.connected());
    let now = wall_clock().seconds();
    if let Some(until) = node.tsa_until.get() {
        metrics.certificate_left("tsa", until.saturating_sub(now));
    }
    for (of, file) in &health.certificates {
        // A file that says nothing gives no one more time.
        let end = certificates_end(file).unwrap_or(0);
        metrics.certificate_left(of, end.saturating_sub(now));
    }
    metrics.look_at_networks(&node.gossip, node.consensus_network.get());
    metrics.upgrade.look(&node.protocol_status());
    metrics.process.look(&health.data);
    let twin = node.consensus_network.get();
    let twin = twin.is_some_and(NetworkMonitor::twin_seen);
    metrics.twin_seen.set(u64::from(twin));
    if let Some(progress) = node.progress.get() {
        let progress = progress.borrow();
        metrics.round.set(u64::from(progress.round.0));
        metrics.abstains.set(u64::from(progress.abstains));
    }
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (kind, metrics.text()).into_response()
}
