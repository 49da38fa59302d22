//! More than the chain can bear, for a while: what it still decides, how steadily, what other
//! clients notice, and what it costs in memory.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use hyper::body::Bytes as Body;
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::json;
use tbsi_types::{Address, SecretKey, U256};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use super::heads::Heads;
use super::http::{Connection, replies};
use super::load::{Sent, join};
use super::process::rss_kib;
use super::schedule::micros;
use super::statistics::{Distribution, Spread, ratio};
use super::table::{ms, optional, row};
use super::target::Target;
use super::workload::{Signing, Workload, request};

/// What is offered, as a multiple of what saturates the chain.
pub const FACTOR: u64 = 2;
/// Transactions of one HTTP request; also accounts of a connection, so that none is twice in a
/// request: what is refused then leaves no gap in anybody's nonces.
const BATCH_MAX: usize = 100;
/// Between two requests of one connection.
const TURN: Duration = Duration::from_millis(100);
/// What is not sent after this long is not sent any more: clients give up.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two looks for new blocks.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Time between two questions of a client that only reads, to each node.
const READ_INTERVAL: Duration = Duration::from_millis(250);
/// Time between two looks at the nodes' memory.
const MEMORY_INTERVAL: Duration = Duration::from_millis(500);
/// Parts of the time, for rates and memory: a chain that tires shows in the last ones.
const PARTS: u64 = 10;

/// What an overload showed.
#[derive(Clone, Debug, Serialize)]
pub struct Overload {
    /// How long it lasted.
    pub seconds: u64,
    /// Transfers per second at saturation, from shorter runs before.
    pub saturation_per_s: u64,
    /// Offered, per second.
    pub offered_per_s: u64,
    /// Finalised per second, by tenth of the time.
    pub goodput_per_s: Spread,
    /// Median of that over `saturation_per_s`.
    pub ratio_to_saturation: Option<f64>,
    /// What became of the transactions; `withheld` and `not_seen` stay 0.
    pub sent: Sent,
    /// From one height to the next, as a client sees them.
    pub heights: Option<Distribution>,
    /// Resident memory of each node: median of the second tenth of the time, of the last, and
    /// the highest, KiB.
    pub rss_kib: Vec<[u64; 3]>,
    /// Plain questions of other clients, to every node.
    pub reads: Option<Distribution>,
    /// Questions without an answer.
    pub reads_failed: u64,
}

impl Overload {
    /// Adds its lines to the table.
    pub fn lines(&self, lines: &mut Vec<String>) {
        lines.push(format!(
            "{} transfers per s for {} s, twice what saturates",
            self.offered_per_s, self.seconds
        ));
        let Spread {
            median, min, max, ..
        } = &self.goodput_per_s;
        let goodput = format!("{median} [{min}..{max}]");
        let ratio = format!("of saturation {}", optional(self.ratio_to_saturation));
        lines.push(row(&["  finalised per s, by tenth", "", &goodput, &ratio]));
        let Sent {
            accepted, unsent, ..
        } = &self.sent;
        let refused = format!("refused {}, not sent {unsent}", self.sent.refusals());
        lines.push(row(&["  accepted", "", &accepted.to_string(), &refused]));
        for (title, times) in [
            ("  from height to height", &self.heights),
            ("  plain questions", &self.reads),
        ] {
            let times = times.as_ref();
            let p50 = format!("p50 {}", optional(times.map(|it| ms(it.p50_us))));
            let p99 = optional(times.map(|it| ms(it.p99_us)));
            let max = optional(times.map(|it| ms(it.max_us)));
            lines.push(row(&[title, "", &p50, &format!("p99 {p99}, max {max}")]));
        }
        if self.reads_failed > 0 {
            let failed = self.reads_failed.to_string();
            lines.push(row(&["  questions without an answer", "", &failed, ""]));
        }
        for (node, [early, late, max]) in self.rss_kib.iter().enumerate() {
            let title = format!("  RSS of node {node}, MiB");
            let grown = format!("{} to {}", early / 1_024, late / 1_024);
            lines.push(row(&[&title, "", &grown, &format!("max {}", max / 1_024)]));
        }
        for (message, count) in &self.sent.refused {
            lines.push(format!("    refused {count}: {message}"));
        }
    }
}

/// Offers [`FACTOR`] times `saturation_per_s` transfers for `seconds`.
pub async fn measure(
    target: &Target,
    saturation_per_s: u64,
    connections: usize,
    seconds: u64,
) -> anyhow::Result<Overload> {
    let offered_per_s = FACTOR * saturation_per_s;
    let connections = connections.max(target.endpoints.len());
    let mut heads = Heads::above_tip(target.endpoints[0]).await?;
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds);
    let mut sending = JoinSet::new();
    for index in 0..connections {
        let client = Client::new(target, index, connections, offered_per_s);
        sending.spawn(client.send(start, end));
    }
    let mut reading = JoinSet::new();
    for address in &target.endpoints {
        reading.spawn(read(*address, end));
    }
    let memory = tokio::spawn(watch_memory(target.pids.clone(), start, end));
    let seen = watch_blocks(&mut heads, start, end).await?;

    let sent = join(sending).await?;
    let (mut answered, mut reads_failed) = (Vec::new(), 0);
    while let Some(joined) = reading.join_next().await {
        let (took, failed) = joined.context("a reading task panicked")?;
        answered.extend(took);
        reads_failed += failed;
    }
    let memory = memory.await.context("the watch of memory panicked")??;
    let goodput_per_s = goodput(&seen, seconds);
    let times = seen.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    Ok(Overload {
        seconds,
        saturation_per_s,
        offered_per_s,
        ratio_to_saturation: ratio(goodput_per_s.median, saturation_per_s),
        goodput_per_s,
        sent,
        heights: Distribution::of(times),
        rss_kib: (0..target.pids.len())
            .filter_map(|node| memory_of(&memory, node, seconds))
            .collect(),
        reads: Distribution::of(answered),
        reads_failed,
    })
}

/// One connection with its accounts, each with its own nonces from 0.
struct Client {
    address: SocketAddr,
    chain_id: u64,
    contract: Address,
    accounts: Vec<(SecretKey, u64)>,
    next: usize,
    /// Between two arrivals at this connection.
    gap: Duration,
}

impl Client {
    fn new(target: &Target, index: usize, connections: usize, offered_per_s: u64) -> Self {
        let key = |account| SecretKey::from_seed(format!("overload {index}/{account}").as_bytes());
        let gap = (connections as u64 * 1_000_000_000).div_ceil(offered_per_s.max(1));
        Self {
            address: target.endpoints[index % target.endpoints.len()],
            chain_id: target.chain_id,
            contract: target.contract,
            accounts: (0..BATCH_MAX).map(|account| (key(account), 0)).collect(),
            next: 0,
            gap: Duration::from_nanos(gap),
        }
    }

    /// Sends what is due at each turn in one request, whether or not the chain keeps up.
    async fn send(mut self, start: Instant, end: Instant) -> Sent {
        let mut connection = Connection::new(self.address);
        let mut sent = Sent::default();
        let mut due = start;
        while due < end {
            sleep_until(due + TURN).await;
            let now = Instant::now();
            let mut batch = Vec::new();
            while due <= now && due < end && batch.len() < BATCH_MAX {
                if now - due > PATIENCE {
                    sent.unsent += 1;
                } else {
                    batch.push(self.next);
                    self.next = (self.next + 1) % BATCH_MAX;
                }
                due += self.gap;
            }
            if !batch.is_empty() {
                self.exchange(&mut connection, &batch, &mut sent).await;
            }
        }
        sent
    }

    /// Sends a transfer of each account and notes which were taken.
    async fn exchange(&mut self, connection: &mut Connection, batch: &[usize], sent: &mut Sent) {
        let answer = connection.post(self.body(batch)).await;
        let answer = answer.and_then(|answer| replies::<IgnoredAny>(&answer));
        let outcomes = match answer {
            Ok(outcomes) => outcomes,
            Err(error) => {
                // Whether they were taken is not known: the node says.
                sent.refuse(&format!("{error:#}"), batch.len() as u64);
                self.ask_nonces(connection, batch).await;
                return;
            }
        };
        for (id, outcome) in outcomes {
            let account = usize::try_from(id).ok();
            let account = account.and_then(|account| self.accounts.get_mut(account));
            match (outcome, account) {
                (Ok(_), Some((_, nonce))) => {
                    *nonce += 1;
                    sent.accepted += 1;
                }
                (Ok(_), None) => sent.refuse("an answer to no request", 1),
                (Err(message), _) => sent.refuse(&message, 1),
            }
        }
    }

    fn body(&self, batch: &[usize]) -> Body {
        let signing = Signing {
            chain_id: self.chain_id,
            label: "overload",
            senders_per_connection: 1,
            connections: 1,
            batch: 1,
            contract: self.contract,
        };
        let mut body = Vec::new();
        for &account in batch {
            let (key, nonce) = &self.accounts[account];
            let recipient = self.accounts[(account + 1) % BATCH_MAX]
                .0
                .public_key()
                .address();
            let encoded = signing.encoded(Workload::Transfer, 0, *nonce, recipient, key);
            body.push(if body.is_empty() { b'[' } else { b',' });
            body.extend_from_slice(&request(account as u64, &encoded));
        }
        body.push(b']');
        body.into()
    }

    async fn ask_nonces(&mut self, connection: &mut Connection, batch: &[usize]) {
        for &account in batch {
            let (key, nonce) = &mut self.accounts[account];
            let asked = json!([key.public_key().address(), "pending"]);
            let answer: anyhow::Result<U256> =
                connection.call("eth_getTransactionCount", asked).await;
            if let Ok(pending) = answer {
                *nonce = pending.saturating_to();
            }
        }
    }
}

/// Blocks as they are seen: microseconds after the start, and how many transactions.
async fn watch_blocks(
    heads: &mut Heads,
    start: Instant,
    end: Instant,
) -> anyhow::Result<Vec<(u64, u64)>> {
    let mut seen = Vec::new();
    while Instant::now() < end {
        let blocks = heads.poll().await?;
        let at_us = micros(start.elapsed());
        seen.extend(
            blocks
                .iter()
                .map(|block| (at_us, block.transactions.len() as u64)),
        );
        if !heads.lags() {
            sleep(POLL_INTERVAL).await;
        }
    }
    Ok(seen)
}

/// A client that only reads: how long each answer took, and how many did not come.
async fn read(address: SocketAddr, end: Instant) -> (Vec<u64>, u64) {
    let mut connection = Connection::new(address);
    let (mut took, mut failed) = (Vec::new(), 0);
    let mut turns = interval(READ_INTERVAL);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() < end {
        turns.tick().await;
        let asked = Instant::now();
        let question = json!([Address::ZERO, "latest"]);
        let answer: anyhow::Result<U256> = connection.call("eth_getBalance", question).await;
        match answer {
            Ok(_) => took.push(micros(asked.elapsed())),
            Err(_) => failed += 1,
        }
    }
    (took, failed)
}

/// Resident memory of all nodes, KiB, with the time, microseconds after the start.
async fn watch_memory(
    pids: Vec<u32>,
    start: Instant,
    end: Instant,
) -> anyhow::Result<Vec<(u64, Vec<u64>)>> {
    let mut samples = Vec::new();
    while Instant::now() < end {
        let rss = pids.iter().map(|pid| rss_kib(*pid));
        let rss = rss.collect::<anyhow::Result<_>>()?;
        samples.push((micros(start.elapsed()), rss));
        sleep(MEMORY_INTERVAL.min(end.saturating_duration_since(Instant::now()))).await;
    }
    Ok(samples)
}

/// Median of the second part, of the last, and the highest. The first part is growth of caches.
fn memory_of(samples: &[(u64, Vec<u64>)], node: usize, seconds: u64) -> Option<[u64; 3]> {
    let of_part = |part: u64| {
        let inside = samples
            .iter()
            .filter(|(at, _)| part_of(*at, seconds) == part);
        Spread::of(inside.map(|(_, rss)| rss[node])).map(|spread| spread.median)
    };
    let max = samples.iter().map(|(_, rss)| rss[node]).max()?;
    Some([of_part(1)?, of_part(PARTS - 1)?, max])
}

/// Transactions per second in each part of the time.
fn goodput(seen: &[(u64, u64)], seconds: u64) -> Spread {
    let rates = (0..PARTS).map(|part| {
        let inside = seen.iter().filter(|(at, _)| part_of(*at, seconds) == part);
        let count: u64 = inside.map(|(_, transactions)| transactions).sum();
        count * PARTS / seconds.max(1)
    });
    Spread::of(rates).expect("there are parts")
}

fn part_of(at_us: u64, seconds: u64) -> u64 {
    let part = (at_us * PARTS).checked_div(seconds * 1_000_000);
    part.unwrap_or(0).min(PARTS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_their_part_of_the_time() {
        // 20 s: parts of 2 s; the last block is seen a little late.
        let seen = [(1, 10), (1_999_999, 10), (2_000_000, 8), (20_000_100, 6)];
        let goodput = goodput(&seen, 20);
        assert_eq!(goodput.runs, [10, 4, 0, 0, 0, 0, 0, 0, 0, 3]);
        assert_eq!((goodput.min, goodput.median, goodput.max), (0, 0, 10));
    }

    #[test]
    fn memory_is_compared_without_the_first_part() {
        let samples: Vec<(u64, Vec<u64>)> = (0..10)
            .map(|part| (part * 1_000_000, vec![100 + part, 7]))
            .collect();
        assert_eq!(memory_of(&samples, 0, 10), Some([101, 109, 109]));
        assert_eq!(memory_of(&samples, 1, 10), Some([7, 7, 7]));
        assert_eq!(memory_of(&samples[..3], 0, 10), None);
    }
}
