//! Clients that ask one node the same thing again and again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use hyper::body::Bytes;
use serde::Serialize;
use serde::de::IgnoredAny;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::http::{Connection, replies};
use super::process::Cpu;
use super::statistics::{Distribution, ratio};

/// Requests, and how long their answers are: reads of one state have one answer.
#[derive(Clone, Debug)]
pub struct Script {
    /// Asked in turn.
    pub requests: Arc<[(Bytes, usize)]>,
}

impl Script {
    /// Asks everything once; the answers' lengths are what later ones are compared with. Returns
    /// the first answer, too. An error answer is an error.
    pub async fn learn(endpoint: SocketAddr, bodies: Vec<Bytes>) -> anyhow::Result<(Self, Bytes)> {
        let mut connection = Connection::new(endpoint);
        let (mut requests, mut first) = (Vec::new(), None);
        for body in bodies {
            let answer = connection.post(body.clone()).await?;
            for (_, outcome) in replies::<IgnoredAny>(&answer)? {
                outcome.map_err(|message| anyhow!("{message}"))?;
            }
            requests.push((body, answer.len()));
            first.get_or_insert(answer);
        }
        let requests = requests.into();
        let first = first.context("there is something to ask")?;
        Ok((Self { requests }, first))
    }
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// Answers.
    pub answers: u64,
    /// In each second.
    pub per_s: u64,
    /// From asking to the whole answer.
    pub latency: Option<Distribution>,
    /// CPU time of the node for each answer, microseconds.
    pub node_cpu_us: Option<u64>,
    /// Cores that other processes kept busy.
    pub other_cores: Option<f64>,
}

/// Lets `connections` clients ask for so long, each as soon as it has its last answer.
pub async fn ask(
    (endpoint, pid): (SocketAddr, u32),
    script: &Script,
    connections: usize,
    time: Duration,
) -> anyhow::Result<Asked> {
    let ready = Arc::new(Barrier::new(connections + 1));
    let mut clients = JoinSet::new();
    for client in 0..connections {
        let (script, ready) = (script.clone(), Arc::clone(&ready));
        clients.spawn(async move {
            let mut connection = Connection::new(endpoint);
            // Connected, and known to the node.
            let turn = client % script.requests.len();
            let warm = question(&mut connection, &script.requests[turn]).await;
            // Waited for in any case: the others do.
            ready.wait().await;
            warm?;
            again(&mut connection, &script, turn, time).await
        });
    }
    ready.wait().await;
    let (before, started) = (Cpu::read(&[pid])?, Instant::now());
    let mut latencies = Vec::new();
    while let Some(ended) = clients.join_next().await {
        latencies.extend(ended.context("a client")??);
    }
    let elapsed_us = u64::try_from(started.elapsed().as_micros())?.max(1);
    let used = Cpu::read(&[pid])?.since(&before);
    let answers = latencies.len() as u64;
    Ok(Asked {
        answers,
        per_s: answers * 1_000_000 / elapsed_us,
        latency: Distribution::of(latencies),
        node_cpu_us: used.nodes_us.checked_div(answers),
        other_cores: ratio(used.other_us(), elapsed_us),
    })
}

/// Asks until the time is over; how long each answer took, microseconds.
async fn again(
    connection: &mut Connection,
    script: &Script,
    first: usize,
    time: Duration,
) -> anyhow::Result<Vec<u64>> {
    let end = Instant::now() + time;
    let mut latencies = Vec::new();
    for turn in first.. {
        let asked = Instant::now();
        if asked >= end {
            break;
        }
        let request = &script.requests[turn % script.requests.len()];
        question(connection, request).await?;
        latencies.push(u64::try_from(asked.elapsed().as_micros())?);
    }
    Ok(latencies)
}

async fn question(
    connection: &mut Connection,
    (body, length): &(Bytes, usize),
) -> anyhow::Result<()> {
    let answer = connection.post(body.clone()).await?;
    let shown = &answer[..answer.len().min(200)];
    ensure!(
        answer.len() == *length,
        "an answer of {} bytes instead of {length}: {}",
        answer.len(),
        String::from_utf8_lossy(shown)
    );
    Ok(())
}
