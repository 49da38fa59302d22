//! Health and metrics over HTTP: `/livez`, `/readyz`, `/metrics`. Ready means progress, not a
//! process: a relayer that runs and carries nothing is not ready.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::metrics::Metrics;

/// Answer of `/readyz`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// Whether there is no reason below.
    pub ready: bool,
    /// Why not.
    pub reasons: Vec<String>,
    /// Items that wait or are on their way.
    pub backlog: usize,
    /// Age of the oldest, seconds.
    pub oldest_s: u64,
}

/// What the pages show.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// Counters and gauges.
    pub metrics: Arc<Metrics>,
    readiness: Arc<Mutex<Readiness>>,
}

impl Health {
    /// Replaces what `/readyz` says.
    pub fn set(&self, reasons: Vec<String>, backlog: usize, oldest_s: u64) {
        let readiness = Readiness {
            ready: reasons.is_empty(),
            reasons,
            backlog,
            oldest_s,
        };
        *self.readiness.lock().expect("nobody panics with it") = readiness;
    }

    /// What `/readyz` says.
    pub fn readiness(&self) -> Readiness {
        self.readiness
            .lock()
            .expect("nobody panics with it")
            .clone()
    }
}

/// Binds the listener; the error names the address and the key of the configuration.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        format!(
            "listen for health and metrics on {address}: {error}; is the port free? \
             (config.toml, key `metrics.listen`)"
        )
    })
}

/// Serves the pages until `shutdown` turns true.
pub async fn serve(listener: TcpListener, health: Health, mut shutdown: watch::Receiver<bool>) {
    let pages = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(health);
    let served = axum::serve(listener, pages).with_graceful_shutdown(async move {
        // A closed channel means that the relayer is gone, which is a reason to stop too.
        let _stopped = shutdown.wait_for(|stop| *stop).await;
    });
    if let Err(error) = served.await {
        tracing::warn!(%error, "health and metrics are no longer served");
    }
}

async fn readyz(State(health): State<Health>) -> Response {
    let readiness = health.readiness();
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

async fn metrics(State(health): State<Health>) -> Response {
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (kind, health.metrics.text()).into_response()
}
