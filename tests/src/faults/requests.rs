//! F29: clients ask too much of one of four validators, each kind of them in turn.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy_consensus::TxEip1559;
use alloy_primitives::{TxKind, U128, hex};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tbsi_home::config::{HISTORY_ALL, OperatorConfig};
use tbsi_types::B256;
use tbsi_types::limits::TRANSACTION_GAS_MAX;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::bench::process::peak_rss_kib;
use crate::bench::stock::{Filled, Habits, fill_at_once};
use crate::faults::demands::{Demand, Reception, Scene, call, demands, head};
use crate::faults::load::resident_kib;
use crate::faults::stage::Stage;
use crate::faults::strangers::Strangers;
use crate::faults::{Amount, Found};
use crate::harness::{Sender, wait_receipt};
use crate::socket::Socket;

/// Clients that make one demand again and again.
const CLIENTS: usize = 16;
/// How long each kind of flood lasts for each kill that was asked for, and at most.
const FLOOD: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(4));
/// How long the pace is taken before.
const BEFORE: Duration = Duration::from_secs(4);
/// Memory that the node may take more, at its peak, KiB: what answers may take that nobody reads
/// (512 MiB), requests that wait (64 MiB), and two traces.
pub const GROWTH_KIB_MAX: u64 = (512 + 64 + 2 * 64) * 1024;
/// Connections with subscriptions, and how many each asks for: one more than it may have.
const SUBSCRIBERS: (usize, usize) = (20, 65);
/// Subscriptions of a node.
const SUBSCRIPTIONS_MAX: usize = tbsi_rpc::limits::SUBSCRIPTIONS_ALL_MAX;
/// Connections that ask for all logs of the contract, some megabytes, and read nothing.
const SLOW_READERS: usize = 32;
/// A plain question waits for this at most.
const POLITE: Duration = Duration::from_secs(20);

/// The floods.
///
/// # Errors
/// What did not hold.
pub async fn floods(amount: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::create(0)?;
    let operator = operator_listener(&stage)?;
    stage.start_all().await?;
    let mut load = stage.load(&[1, 2], "requests").await?;
    let (scene, filled) = scene(&stage, operator).await?;
    let (usual, usual_p99) = stage.pace(1, BEFORE).await?;
    let pid = stage.net.network.pid(0).context("node 0 runs")?;
    let before = resident_kib(pid)?;
    let first = stage.tip(1).await?;
    let mut flood = Flood {
        stage: &stage,
        strangers: Strangers::start()?,
        time: (FLOOD.0 * u32::try_from(amount.kills).unwrap_or(u32::MAX)).min(FLOOD.1),
        slowest: Duration::ZERO,
        answers: 0,
        busy: 0,
    };
    for demand in demands(&scene) {
        flood.of(&demand).await?;
    }
    let subscribers = flood.of_subscriptions(scene.public).await?;
    let readers = flood.of_slow_readers(scene.public, &filled).await?;
    let Flood {
        slowest,
        answers,
        busy,
        ..
    } = flood;
    let last = stage.tip(1).await?;
    let intervals = stage.intervals(1, first, last).await?;
    let p99 = crate::faults::load::percentile(&intervals, 99);
    let median = crate::faults::load::percentile(&intervals, 50);
    let peak = peak_rss_kib(u32::try_from(pid)?)?;
    ensure!(
        peak < before + GROWTH_KIB_MAX,
        "RSS {before} KiB became {peak} KiB; {GROWTH_KIB_MAX} KiB more are allowed"
    );
    drop((subscribers, readers));
    ensure!(
        stage.net.network.pid(0) == Some(pid),
        "node 0 has ended:\n{}",
        stage.net.network.log_tail(0)
    );
    stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "{} kinds of them, {answers} answers as documented, {busy} times no place; blocks every \
         {median} ms, p99 {p99} (usually {usual}, p99 {usual_p99}: {} times); slowest plain \
         question {} ms; RSS {} → {} MiB at its peak",
        demands(&scene).len() + 2,
        times(p99, usual_p99),
        slowest.as_millis(),
        before / 1024,
        peak / 1024
    )))
}

/// A quotient with one decimal.
fn times(a: u64, b: u64) -> String {
    let tenths = (10 * a).checked_div(b).unwrap_or(0);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Gives node 0 a listener for its operator, with a secret that nobody is told.
fn operator_listener(stage: &Stage) -> anyhow::Result<SocketAddr> {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).context("a free port")?;
    let listen = free.local_addr().context("a free port")?;
    let file = stage.net.network.home(0).join("keys/rpc.secret");
    fs::write(&file, hex::encode([0x29; 32])).context("write the secret")?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).context("hide the secret")?;
    stage.net.configure(0, |config| {
        // Blocks come by the hundred meanwhile, and what is traced shall not be forgotten.
        config.store.history_blocks = HISTORY_ALL;
        config.rpc.operator = Some(OperatorConfig {
            listen,
            token_secret: Some("keys/rpc.secret".into()),
            ..OperatorConfig::default()
        });
    });
    Ok(listen)
}

/// Makes what is asked for: more logs than one answer has, a transaction that used all its gas,
/// somebody's filter.
async fn scene(stage: &Stage, operator: SocketAddr) -> anyhow::Result<(Scene, Filled)> {
    let chain_id = stage.net.network.chain_id();
    let public = stage.net.network.nodes()[0].rpc;
    let habits = Habits {
        chain_id,
        bid: 0,
        mines_when_asked: false,
    };
    let filled = fill_at_once(public, habits).await?;
    let client = stage.net.client(0);
    // JUMPDEST PUSH1 0 JUMP as init code: it fails when its gas is used up.
    let heavy = Sender::new("heavy", chain_id).sign(TxEip1559 {
        chain_id,
        gas_limit: TRANSACTION_GAS_MAX,
        to: TxKind::Create,
        input: hex!("5b600056").into(),
        ..TxEip1559::default()
    });
    let heavy: B256 = client.send_raw_transaction(&heavy).await?;
    wait_receipt(&client, heavy).await;
    let filter: U128 = client.request("eth_newBlockFilter", &[]).await?;
    let scene = Scene {
        public,
        operator,
        heavy,
        filter: filter.to(),
    };
    Ok((scene, filled))
}

/// Floods of a node, one after the other, and what came of them so far.
struct Flood<'a> {
    stage: &'a Stage,
    /// Where the clients run.
    strangers: Strangers,
    time: Duration,
    /// The slowest answer to a plain question.
    slowest: Duration,
    answers: u64,
    busy: u64,
}

impl Flood<'_> {
    /// One demand by many clients without a pause. Each answer is the documented one.
    async fn of(&mut self, demand: &Demand) -> anyhow::Result<()> {
        let until = Instant::now() + self.time;
        let (busy, demand) = (Arc::new(AtomicU64::new(0)), Arc::new(demand.clone()));
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (busy, demand) = (Arc::clone(&busy), Arc::clone(&demand));
            let client = async move {
                let mut refused = 0u64;
                while Instant::now() < until || refused == 0 {
                    match demand.make().await? {
                        Reception::Refused => refused += 1,
                        Reception::Busy => {
                            busy.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
                anyhow::Ok(refused)
            };
            clients.spawn_on(client, self.strangers.handle());
        }
        self.ask_politely().await.context(demand.name)?;
        while let Some(ended) = clients.join_next().await {
            self.answers += ended.context("a client")??;
        }
        self.busy += busy.load(Ordering::Relaxed);
        Ok(())
    }

    /// Another client's plain question is answered meanwhile.
    async fn ask_politely(&mut self) -> anyhow::Result<()> {
        sleep(self.time / 2).await;
        let asked = Instant::now();
        let answer = timeout(POLITE, self.stage.tip(0)).await;
        answer.with_context(|| format!("a plain question: no answer after {POLITE:?}"))??;
        self.slowest = self.slowest.max(asked.elapsed());
        Ok(())
    }

    /// More subscriptions than there are places, held.
    async fn of_subscriptions(&mut self, node: SocketAddr) -> anyhow::Result<Vec<Socket>> {
        let (mut sockets, mut taken, mut refused) = (Vec::new(), 0, 0);
        for _ in 0..SUBSCRIBERS.0 {
            let mut socket = Socket::connect(node).await;
            for _ in 0..SUBSCRIBERS.1 {
                socket
                    .say(&call("eth_subscribe", &json!(["newHeads"])))
                    .await;
            }
            for _ in 0..SUBSCRIBERS.1 {
                let mut heard = Value::Null;
                // Heads may come between the answers.
                while heard.get("id").is_none() {
                    heard = serde_json::from_str(&socket.hear().await)?;
                }
                match heard["error"]["code"].as_i64() {
                    None => taken += 1,
                    Some(-32_006 | -32_005) => refused += 1,
                    Some(_) => anyhow::bail!("a subscription is answered {heard}"),
                }
            }
            sockets.push(socket);
        }
        let asked = SUBSCRIBERS.0 * SUBSCRIBERS.1;
        ensure!(
            (taken, refused) == (SUBSCRIPTIONS_MAX, asked - SUBSCRIPTIONS_MAX),
            "{taken} subscriptions taken, {refused} refused"
        );
        self.answers += u64::try_from(refused)?;
        self.ask_politely().await.context("subscriptions")?;
        Ok(sockets)
    }

    /// Clients that ask for megabytes and read nothing, held.
    async fn of_slow_readers(
        &mut self,
        node: SocketAddr,
        filled: &Filled,
    ) -> anyhow::Result<Vec<TcpStream>> {
        let (from, to) = filled.blocks;
        let filter = json!({
            "address": filled.contract,
            "fromBlock": format!("{from:#x}"), "toBlock": format!("{to:#x}"),
        });
        let body = call("eth_getLogs", &json!([filter]));
        let mut readers = Vec::new();
        for _ in 0..SLOW_READERS {
            let mut reader = TcpStream::connect(node).await.context("connect")?;
            let request = head("", body.len()) + &body;
            reader.write_all(request.as_bytes()).await.context("ask")?;
            readers.push(reader);
        }
        self.ask_politely().await.context("slow readers")?;
        Ok(readers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_have_one_decimal() {
        assert_eq!(times(3, 2), "1.5");
        assert_eq!(times(100, 99), "1.0");
        assert_eq!(times(7, 0), "0.0");
    }
}
