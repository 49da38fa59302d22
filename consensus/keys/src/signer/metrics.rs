//! What a signer did, in the Prometheus text format over HTTP. It answers one page to anybody who
//! reaches its address, so that is best 127.0.0.1; a key is never in it.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::server::Holder;
use crate::Step;
use crate::limits::{METRICS_CONNECTIONS_MAX, METRICS_REQUEST_BYTES_MAX, SIGNER_TIMEOUT};

/// What was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signed {
    Proposal,
    Prevote,
    Precommit,
    Transaction,
}

impl Signed {
    const ALL: [Self; 4] = [
        Self::Proposal,
        Self::Prevote,
        Self::Precommit,
        Self::Transaction,
    ];

    pub(super) fn at(step: Step) -> Self {
        match step {
            Step::None | Step::Propose => Self::Proposal,
            Step::Prevote => Self::Prevote,
            Step::Precommit => Self::Precommit,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Proposal => "proposal",
            Self::Prevote => "prevote",
            Self::Precommit => "precommit",
            Self::Transaction => "transaction",
        }
    }
}

/// Why something was not signed, or somebody not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Something else was signed at or above it.
    SignState,
    /// It is too far above what is known to be decided.
    Ahead,
    /// What was shown was not decided.
    NotDecided,
    /// Asked for another key.
    OtherKey,
    /// The node knows of a signature above the sign-state.
    Older,
    /// No node that is allowed, or of another network.
    Stranger,
    /// Too many connections.
    Full,
}

impl Refused {
    const ALL: [Self; 7] = [
        Self::SignState,
        Self::Ahead,
        Self::NotDecided,
        Self::OtherKey,
        Self::Older,
        Self::Stranger,
        Self::Full,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::SignState => "sign_state",
            Self::Ahead => "ahead",
            Self::NotDecided => "not_decided",
            Self::OtherKey => "other_key",
            Self::Older => "older",
            Self::Stranger => "stranger",
            Self::Full => "full",
        }
    }
}

/// What happened since the process started.
#[derive(Debug, Default)]
pub(super) struct Counters {
    signed: [AtomicU64; Signed::ALL.len()],
    refused: [AtomicU64; Refused::ALL.len()],
}

impl Counters {
    pub(super) fn signed(&self, what: Signed) {
        self.signed[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, why: Refused) {
        self.refused[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The page.
    pub(super) fn text(&self, holder: &Holder, nodes: usize) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, lines: &[(String, u64)]| {
            let _infallible = writeln!(text, "# HELP tbsi_signer_{name} {help}.")
                .and_then(|()| writeln!(text, "# TYPE tbsi_signer_{name} {kind}"));
            for (labels, value) in lines {
                let _infallible = writeln!(text, "tbsi_signer_{name}{labels} {value}");
            }
        };
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let signed = Signed::ALL.map(|what| {
            let labels = format!("{{kind=\"{}\"}}", what.word());
            (labels, load(&self.signed[what as usize]))
        });
        metric("signed_total", "counter", "Signatures made", &signed);
        let refused = Refused::ALL.map(|why| {
            let labels = format!("{{reason=\"{}\"}}", why.word());
            (labels, load(&self.refused[why as usize]))
        });
        let help = "Signatures refused and nodes turned away";
        metric("refused_total", "counter", help, &refused);
        let mut gauge = |name: &str, help: &str, value: u64| {
            metric(name, "gauge", help, &[(String::new(), value)]);
        };
        gauge("nodes", "Nodes that are connected", nodes as u64);
        if let Holder::Validator { signer, .. } = holder {
            let mark = signer.mark();
            gauge("mark_height", "Height of the last signature", mark.height.0);
            let help = "Round of the last signature";
            gauge("mark_round", help, u64::from(mark.round.0));
            let help = "Last height that is known to be decided";
            gauge("decided_height", help, holder.decided().0);
        }
        text
    }
}

/// Answers until it is dropped.
pub(super) async fn answer(listener: TcpListener, page: Arc<dyn Fn() -> String + Send + Sync>) {
    let places = Arc::new(Semaphore::new(METRICS_CONNECTIONS_MAX));
    let mut answering = JoinSet::new();
    loop {
        let stream = tokio::select! {
            Some(_) = answering.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    warn!(%error, "cannot accept a connection for metrics");
                    tokio::time::sleep(SIGNER_TIMEOUT).await;
                    continue;
                }
            },
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let page = Arc::clone(&page);
        answering.spawn(async move {
            if timeout(SIGNER_TIMEOUT, one(stream, &*page)).await.is_err() {
                debug!("a client of the metrics was too slow");
            }
            drop(place);
        });
    }
}

async fn one(mut stream: TcpStream, page: &(dyn Fn() -> String + Send + Sync)) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut bytes = [0; 512];
        match stream.read(&mut bytes).await {
            Ok(read @ 1..) => request.extend_from_slice(&bytes[..read]),
            Ok(_) | Err(_) => return,
        }
        if request.len() > METRICS_REQUEST_BYTES_MAX {
            return;
        }
    }
    let wanted = [b"GET /metrics ".as_slice(), b"GET /metrics?"];
    let (status, body) = match wanted.iter().any(|start| request.starts_with(start)) {
        true => ("200 OK", page()),
        false => ("404 Not Found", "the page is /metrics\n".to_owned()),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    if let Err(error) = stream.write_all(answer.as_bytes()).await {
        debug!(%error, "a client of the metrics went away");
    }
}
