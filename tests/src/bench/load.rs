//! One open-loop run: transactions are sent when their time comes, whether or not the chain
//! keeps up, and latency counts from that time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use hyper::body::Bytes;
use serde::Serialize;
use serde::de::IgnoredAny;
use tbsi_types::B256;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::figures::{Figures, Seen, figures};
use super::heads::Heads;
use super::http::{Connection, Outcome, replies};
use super::process::{Cpu, peak_rss_kib};
use super::schedule::{Schedule, micros};
use super::statistics::{Distribution, ratio};
use super::target::Target;
use super::workload::{Prepared, Signing, Workload};

/// Time between two looks for new blocks: how far off a latency may be.
pub const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// Without a further transaction in a block for this long, the run ends. Longer than a stall
/// from which a chain recovers: what it decides then counts, with its latency.
const DRAIN_QUIET: Duration = Duration::from_secs(60);
/// How long after its end a run goes on sending what it could not send in time.
const SEND_OVERTIME: Duration = Duration::from_secs(10);
/// From the end of preparations to the start of the clock.
const LEAD_IN: Duration = Duration::from_millis(50);
/// Different refusals that are told apart.
const REFUSALS_MAX: usize = 20;
/// Characters of a refusal that are kept.
const REFUSAL_CHARS_MAX: usize = 160;

/// A run, described.
#[derive(Clone, Debug)]
pub struct Load {
    /// What the transactions do.
    pub workload: Workload,
    /// Unique on the chain; see [`Signing::label`].
    pub label: String,
    /// When they arrive.
    pub schedule: Schedule,
    /// Accounts that take turns, rounded up to a multiple of `connections`.
    pub senders: usize,
    /// Connections over all endpoints, at least one for each.
    pub connections: usize,
    /// Transactions in one HTTP request, at least 1.
    pub batch: usize,
}

/// What became of the transactions of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Taken by a node.
    pub accepted: u64,
    /// Refused, or lost with a connection, by message; numbers in messages are replaced by #.
    pub refused: BTreeMap<String, u64>,
    /// Not sent because an earlier one of the same sender was refused.
    pub withheld: u64,
    /// Not sent because nodes answered so slowly that the run was over.
    pub unsent: u64,
    /// Accepted, but in no block when the run gave up waiting, a minute after the last block
    /// with a transaction of the run. Not necessarily lost: a later block may hold them.
    pub not_seen: u64,
    /// Time between intended and actual sending of each request.
    #[serde(skip)]
    delays_us: Vec<u64>,
}

/// What a run showed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// What the transactions did.
    pub workload: Workload,
    /// Transactions per HTTP request.
    pub batch: usize,
    /// Transactions per second; 0 for single transactions to an idle chain.
    pub offered_per_s: u64,
    /// Rate, latency and blocks.
    #[serde(flatten)]
    pub figures: Figures,
    /// What became of the transactions.
    pub sent: Sent,
    /// From intended to actual sending: large if nodes answer slowly or the generator lags.
    pub send_delay: Option<Distribution>,
    /// CPU time of all nodes per finalised transaction, microseconds; whole run.
    pub nodes_cpu_us_per_tx: Option<u64>,
    /// CPU time of the generator per finalised transaction, microseconds; whole run.
    pub generator_cpu_us_per_tx: Option<u64>,
    /// Cores that the nodes kept busy.
    pub nodes_cores: Option<f64>,
    /// Cores that the generator kept busy.
    pub generator_cores: Option<f64>,
    /// Highest resident memory of each node since its start, KiB.
    pub peak_rss_kib: Vec<u64>,
    /// Cores that everything else on the machine kept busy: what the rates suffered from.
    pub other_cores: Option<f64>,
}

/// Runs `load` against `target` until every accepted transaction is in a block, or no more
/// come.
pub async fn run(target: &Target, load: &Load) -> anyhow::Result<Run> {
    let connections = load.connections.max(target.endpoints.len());
    let signing = Signing {
        chain_id: target.chain_id,
        label: &load.label,
        senders_per_connection: load.senders.div_ceil(connections),
        connections,
        batch: load.batch,
        contract: target.contract,
    };
    let prepared = signing.prepare(load.workload, &load.schedule.arrivals_us);
    let due: HashMap<B256, u64> = prepared.iter().map(|tx| (tx.hash, tx.due_us)).collect();
    let mut heads = Heads::above_tip(target.endpoints[0]).await?;
    let before = Cpu::read(&target.pids)?;
    let start = Instant::now() + LEAD_IN;
    let sending = start_sending(target, load.batch, connections, prepared, start);
    let (mut sent, blocks) = observe(&mut heads, sending, &due, start).await?;
    let elapsed_us = micros(start.elapsed());
    let cpu = Cpu::read(&target.pids)?.since(&before);

    let peak_rss_kib = target.pids.iter().map(|pid| peak_rss_kib(*pid));
    let peak_rss_kib = peak_rss_kib.collect::<anyhow::Result<_>>()?;

    let figures = figures(&due, &blocks, &load.schedule.window_us);
    sent.not_seen = sent.accepted.saturating_sub(figures.finalised);
    Ok(Run {
        workload: load.workload,
        batch: load.batch,
        offered_per_s: load.schedule.rate,
        send_delay: Distribution::of(std::mem::take(&mut sent.delays_us)),
        nodes_cpu_us_per_tx: cpu.nodes_us.checked_div(figures.finalised),
        generator_cpu_us_per_tx: cpu.generator_us.checked_div(figures.finalised),
        nodes_cores: ratio(cpu.nodes_us, elapsed_us),
        generator_cores: ratio(cpu.generator_us, elapsed_us),
        peak_rss_kib,
        other_cores: ratio(cpu.other_us(), elapsed_us),
        figures,
        sent,
    })
}

/// What all sending tasks did together, when all have ended.
pub async fn join(mut sending: JoinSet<Sent>) -> anyhow::Result<Sent> {
    let mut sent = Sent::default();
    while let Some(joined) = sending.join_next().await {
        sent.add(joined.context("a sending task panicked")?);
    }
    Ok(sent)
}

/// Starts a task for each connection, the endpoints taking turns.
fn start_sending(
    target: &Target,
    batch: usize,
    connections: usize,
    prepared: Vec<Prepared>,
    start: Instant,
) -> JoinSet<Sent> {
    let endpoints = target.endpoints.len();
    let mut queues = vec![Vec::new(); connections];
    let last = prepared.last().map_or(0, |tx| tx.due_us);
    for tx in prepared {
        queues[tx.connection].push(tx);
    }
    let deadline = start + Duration::from_micros(last) + SEND_OVERTIME;
    let mut sending = JoinSet::new();
    for (index, queue) in queues.into_iter().enumerate() {
        let address = target.endpoints[index % endpoints];
        sending.spawn(send(queue, address, batch, start, deadline));
    }
    sending
}

/// Sends a queue in order, each request when its last transaction is due.
async fn send(
    queue: Vec<Prepared>,
    address: SocketAddr,
    batch: usize,
    start: Instant,
    deadline: Instant,
) -> Sent {
    let mut connection = Connection::new(address);
    let mut sent = Sent::default();
    // A sender with a gap in its nonces would only fill the pool.
    let mut stopped = BTreeSet::new();
    for chunk in queue.chunks(batch.max(1)) {
        let due = start + Duration::from_micros(chunk.last().map_or(0, |tx| tx.due_us));
        sleep_until(due).await;
        let open: Vec<&Prepared> = chunk
            .iter()
            .filter(|tx| !stopped.contains(&tx.sender))
            .collect();
        sent.withheld += (chunk.len() - open.len()) as u64;
        if open.is_empty() {
            continue;
        }
        if Instant::now() > deadline {
            sent.unsent += open.len() as u64;
            continue;
        }
        sent.delays_us.push(micros(due.elapsed()));
        let answer = connection.post(body(&open)).await;
        let outcomes = match answer.and_then(|answer| replies::<IgnoredAny>(&answer)) {
            Ok(replies) => outcomes(&open, replies),
            Err(error) => vec![Err(format!("{error:#}")); open.len()],
        };
        for (tx, outcome) in open.iter().zip(outcomes) {
            if let Err(message) = &outcome {
                stopped.insert(tx.sender);
                sent.refuse(message, 1);
            } else {
                sent.accepted += 1;
            }
        }
    }
    sent
}

/// The body that carries some requests.
fn body(open: &[&Prepared]) -> Bytes {
    if let [one] = open {
        return one.body.clone();
    }
    let mut body = Vec::with_capacity(open.iter().map(|tx| tx.body.len() + 1).sum::<usize>() + 1);
    for tx in open {
        body.push(if body.is_empty() { b'[' } else { b',' });
        body.extend_from_slice(&tx.body);
    }
    body.push(b']');
    body.into()
}

/// The outcome of each request. One that the answer leaves out was not accepted; an error
/// that names no request, such as "batch too large", is everybody's.
fn outcomes(
    open: &[&Prepared],
    replies: Vec<(u64, Outcome<IgnoredAny>)>,
) -> Vec<Result<(), String>> {
    let mut by_id: BTreeMap<u64, Outcome<IgnoredAny>> = replies.into_iter().collect();
    let nameless = match by_id.remove(&u64::MAX) {
        Some(Err(message)) => message,
        Some(Ok(_)) | None => "no answer to this request".into(),
    };
    open.iter()
        .map(|tx| match by_id.remove(&tx.index) {
            Some(outcome) => outcome.map(|_| ()),
            None => Err(nameless.clone()),
        })
        .collect()
}

impl Sent {
    /// Counts refusals; messages that differ in numbers alone are one kind.
    pub fn refuse(&mut self, message: &str, count: u64) {
        let class = refusal_class(message);
        let room = self.refused.len() < REFUSALS_MAX || self.refused.contains_key(&class);
        let class = if room { class } else { "other".into() };
        *self.refused.entry(class).or_default() += count;
    }

    fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.withheld += other.withheld;
        self.unsent += other.unsent;
        self.not_seen += other.not_seen;
        self.delays_us.extend(other.delays_us);
        for (message, count) in other.refused {
            self.refuse(&message, count);
        }
    }

    /// Transactions refused.
    pub fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }
}

/// A message without what differs from one transaction to the next: words with digits in them.
fn refusal_class(message: &str) -> String {
    let mut class = String::new();
    for word in message.split(' ') {
        if !class.is_empty() {
            class.push(' ');
        }
        let numeric = word.contains(|c: char| c.is_ascii_digit());
        class.push_str(if numeric { "#" } else { word });
    }
    class.chars().take(REFUSAL_CHARS_MAX).collect()
}

/// Watches blocks until all that was accepted is in them, or nothing more comes.
async fn observe(
    heads: &mut Heads,
    mut sending: JoinSet<Sent>,
    due: &HashMap<B256, u64>,
    start: Instant,
) -> anyhow::Result<(Sent, Vec<Seen>)> {
    let mut sent = Sent::default();
    let mut seen = Vec::new();
    let mut included = 0;
    let mut moved = Instant::now();
    loop {
        while let Some(joined) = sending.try_join_next() {
            sent.add(joined.context("a sending task panicked")?);
            moved = Instant::now();
        }
        let blocks = heads.poll().await?;
        let now = Instant::now();
        for block in blocks {
            let ours = block
                .transactions
                .iter()
                .filter(|hash| due.contains_key(*hash));
            let ours = ours.count() as u64;
            included += ours;
            if ours > 0 {
                moved = now;
            }
            seen.push(Seen {
                at_us: micros(now.saturating_duration_since(start)),
                transactions: block.transactions,
            });
        }
        let complete = included >= sent.accepted || moved.elapsed() > DRAIN_QUIET;
        if sending.is_empty() && complete {
            return Ok((sent, seen));
        }
        if !heads.lags() {
            sleep(POLL_INTERVAL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(index: u64, body: &'static str) -> Prepared {
        Prepared {
            index,
            sender: 0,
            connection: 0,
            due_us: 0,
            hash: B256::ZERO,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn joins_requests_to_a_batch() {
        let [one, two] = [prepared(0, "{1}"), prepared(1, "{2}")];
        assert_eq!(body(&[&one]), "{1}");
        assert_eq!(body(&[&one, &two]), "[{1},{2}]");
    }

    #[test]
    fn a_request_without_answer_was_not_accepted() {
        let [one, two, three] = [prepared(0, ""), prepared(1, ""), prepared(2, "")];
        let open = [&one, &two, &three];
        let check = |answer: &str, expected: [Result<(), &str>; 3]| {
            let expected = expected.map(|outcome| outcome.map_err(String::from));
            assert_eq!(
                outcomes(&open, replies(answer.as_bytes()).unwrap()),
                expected
            );
        };
        check(
            r#"[{"id":2,"result":"0x"},{"id":0,"error":{"message":"full"}}]"#,
            [Err("full"), Err("no answer to this request"), Ok(())],
        );
        check(
            r#"{"id":null,"error":{"message":"batch too large"}}"#,
            [Err("batch too large"); 3],
        );
    }

    #[test]
    fn refusals_of_one_kind_are_counted_together() {
        let mut sent = Sent::default();
        sent.refuse("nonce too low: address 0x12ab, tx: 3 state: 5", 1);
        let mut other = Sent::default();
        other.refuse("nonce too low: address 0x77, tx: 4 state: 9", 2);
        other.refuse("txpool is full: 20000 transactions", 1);
        sent.add(other);
        let classes: Vec<_> = sent.refused.into_iter().collect();
        let expected = [
            ("nonce too low: address # tx: # state: #".to_string(), 3),
            ("txpool is full: # transactions".to_string(), 1),
        ];
        assert_eq!(classes, expected);
    }

    #[test]
    fn the_table_of_refusals_is_bounded() {
        let mut sent = Sent::default();
        for letter in ('a'..='z').chain('A'..='Z') {
            sent.refuse(&letter.to_string().repeat(1_000), 1);
        }
        assert_eq!(sent.refused.len(), REFUSALS_MAX + 1);
        assert_eq!(sent.refusals(), 52);
        assert!(
            sent.refused
                .keys()
                .all(|key| key.len() <= REFUSAL_CHARS_MAX)
        );
    }
}
