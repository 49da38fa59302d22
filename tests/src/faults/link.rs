//! Links between nodes: a proxy for each direction of dialling, whose rules can change at any
//! time.
//!
//! What a stalled link was given arrives when it opens again, as TCP would bring it; nothing is
//! lost, doubled or reordered, which TCP hides from nodes. A lost segment is therefore a pause:
//! that of a retransmission.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::faults::random::Random;

/// Bytes of one read.
const CHUNK_BYTES: usize = 16 * 1024;
/// Chunks on their way in one direction of one connection: a link's buffer.
const CHUNKS_MAX: usize = 256;
/// Linux' least time before a segment is sent again.
const RETRANSMISSION: Duration = Duration::from_millis(200);

/// How one direction of a link behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Nothing passes.
    pub stalled: bool,
    /// From one end to the other.
    pub delay: Duration,
    /// Added to the delay, at most.
    pub jitter: Duration,
    /// Of a hundred chunks, so many are sent again.
    pub loss_percent: u64,
    /// Of each connection.
    pub bytes_per_s: Option<u64>,
}

/// Everything passes at once.
pub const OPEN: Rule = Rule {
    stalled: false,
    delay: Duration::ZERO,
    jitter: Duration::ZERO,
    loss_percent: 0,
    bytes_per_s: None,
};

/// Nothing passes.
pub const STALLED: Rule = Rule {
    stalled: true,
    ..OPEN
};

/// The links of a network. Everything passes until a rule says otherwise.
pub struct Links {
    nodes: usize,
    /// From node `row` to node `column`.
    rules: Vec<watch::Sender<Rule>>,
    tasks: JoinSet<()>,
}

impl Links {
    /// Links between so many nodes.
    pub fn new(nodes: usize) -> Self {
        let rules = (0..nodes * nodes).map(|_| watch::Sender::new(OPEN));
        Self {
            nodes,
            rules: rules.collect(),
            tasks: JoinSet::new(),
        }
    }

    fn sender(&self, from: usize, to: usize) -> &watch::Sender<Rule> {
        &self.rules[from * self.nodes + to]
    }

    /// What goes from one node to another.
    pub fn set(&self, from: usize, to: usize, rule: Rule) {
        self.sender(from, to).send_replace(rule);
    }

    /// What goes between any two nodes.
    pub fn set_all(&self, rule: Rule) {
        self.rules.iter().for_each(|sender| {
            sender.send_replace(rule);
        });
    }

    /// Stalls what goes between two nodes of different parts; opens the rest.
    pub fn part(&self, parts: &[&[usize]]) {
        let part = |node: usize| parts.iter().position(|part| part.contains(&node));
        for from in 0..self.nodes {
            for to in 0..self.nodes {
                let rule = if part(from) == part(to) {
                    OPEN
                } else {
                    STALLED
                };
                self.set(from, to, rule);
            }
        }
    }

    /// Opens a door at which `from` reaches the address of `to`; returns the door's address.
    pub async fn open(
        &mut self,
        from: usize,
        to: usize,
        address: SocketAddr,
    ) -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.context("listen for a link")?;
        let door = listener.local_addr().context("the door's address")?;
        let there = self.sender(from, to).subscribe();
        let back = self.sender(to, from).subscribe();
        let seed = u64::from(door.port());
        self.tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let rules = (there.clone(), back.clone());
                connections.spawn(carry(near, address, rules, seed));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(door)
    }
}

type Rules = (watch::Receiver<Rule>, watch::Receiver<Rule>);

/// One connection, until either end closes it.
async fn carry(near: TcpStream, address: SocketAddr, rules: Rules, seed: u64) {
    let Ok(far) = TcpStream::connect(address).await else {
        return;
    };
    // Without it small messages would wait for each other.
    near.set_nodelay(true).and(far.set_nodelay(true)).ok();
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    let (there, back) = rules;
    tokio::select! {
        () = pump(near_read, far_write, there, seed) => {}
        () = pump(far_read, near_write, back, seed + 1) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, to: OwnedWriteHalf, rule: watch::Receiver<Rule>, seed: u64) {
    let (sender, receiver) = mpsc::channel(CHUNKS_MAX);
    let mut random = Random::new(seed);
    let timing = rule.clone();
    let read = async move {
        let mut due = Instant::now();
        let mut buffer = vec![0; CHUNK_BYTES];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let now = Instant::now() + delay(*timing.borrow(), &mut random);
            // In order, as TCP delivers.
            due = due.max(now);
            if sender.send((due, buffer[..length].to_vec())).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(read, deliver(receiver, to, rule));
}

fn delay(rule: Rule, random: &mut Random) -> Duration {
    let mut delay = rule.delay;
    let jitter = u64::try_from(rule.jitter.as_micros()).unwrap_or(u64::MAX);
    if jitter > 0 {
        delay += Duration::from_micros(random.below(jitter));
    }
    // What is sent again may be lost again; then the pause doubles.
    let mut pause = RETRANSMISSION;
    while random.below(100) < rule.loss_percent && pause < 64 * RETRANSMISSION {
        delay += pause;
        pause *= 2;
    }
    delay
}

async fn deliver(
    mut chunks: mpsc::Receiver<(Instant, Vec<u8>)>,
    mut to: OwnedWriteHalf,
    mut rule: watch::Receiver<Rule>,
) {
    while let Some((due, chunk)) = chunks.recv().await {
        sleep_until(due).await;
        if rule.wait_for(|rule| !rule.stalled).await.is_err() {
            return;
        }
        let rate = rule.borrow().bytes_per_s;
        if let Some(rate @ 1..) = rate {
            let micros = chunk.len() as u64 * 1_000_000 / rate;
            sleep(Duration::from_micros(micros)).await;
        }
        if to.write_all(&chunk).await.is_err() {
            return;
        }
    }
}
