//! `tbsi top`: a node at a glance, again and again.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tbsi_rpc::Client;
use tbsi_rpc::wire::{NodeStatus, Role};
use tokio::runtime::Runtime;
use tokio::time::sleep;

use crate::lang::{Language, causes};
use crate::report::in_language;
use crate::rpc::Rpc;
use crate::shown;
use crate::time::Times;

/// Peers that are listed; more do not fit a screen.
const PEERS_MAX: usize = 20;

/// Moves to the first place of a terminal that is emptied.
const CLEAR: &str = "\x1b[H\x1b[2J";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    rpc: Rpc,
    /// Seconds between two looks, 1 to 60.
    #[arg(long, value_name = "SECONDS", default_value = "2",
        value_parser = clap::value_parser!(u64).range(1..=60))]
    every: u64,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    in_language(watch(args), args.lang)
}

/// Until Ctrl-C; where nobody watches, once.
fn watch(args: &Args) -> anyhow::Result<ExitCode> {
    let client = args.rpc.client()?;
    let runtime = Runtime::new()?;
    if !io::stdout().is_terminal() {
        let status = runtime.block_on(client.status())?;
        crate::report::print(&frame(&status, None, args.lang))?;
        return Ok(ExitCode::SUCCESS);
    }
    runtime.block_on(watch_terminal(&client, args))
}

async fn watch_terminal(client: &Client, args: &Args) -> anyhow::Result<ExitCode> {
    let mut before: Option<(NodeStatus, Instant)> = None;
    loop {
        let text = match client.status().await {
            Ok(status) => {
                let then = before.as_ref();
                let then = then.map(|(status, at)| (status, at.elapsed()));
                let text = frame(&status, then, args.lang);
                before = Some((status, Instant::now()));
                text
            }
            Err(error) => causes(&error, args.lang),
        };
        let mut stdout = io::stdout().lock();
        let shown = write!(stdout, "{CLEAR}{}", shown::lines(&text));
        // Whoever closed the terminal watches no more.
        if shown.and_then(|()| stdout.flush()).is_err() {
            return Ok(ExitCode::SUCCESS);
        }
        drop(stdout);
        sleep(Duration::from_secs(args.every)).await;
    }
}

/// What one look shows; `before` is the look before, and how long it is ago.
fn frame(status: &NodeStatus, before: Option<(&NodeStatus, Duration)>, lang: Language) -> String {
    let mut text = String::new();
    let mut line = |en: String, zh_tw: String| {
        let said = lang.pick(en, zh_tw);
        writeln!(text, "{}", shown::line(&said)).expect("a String takes all");
    };
    let role = match status.role {
        Role::Validator => lang.pick("validator", "驗證者"),
        Role::Observer => lang.pick("observer", "觀察節點"),
    };
    let (name, network, height) = (&status.node_name, &status.network_name, status.height);
    line(
        format!("{name} ({role}) of {network}"),
        format!("{network} 的 {name}（{role}）"),
    );
    let times = Times::of(status.time_ms);
    let rate = before.and_then(|before| blocks_per_minute(status, before));
    let rate = rate.map_or_else(|| "–".into(), |rate| rate.to_string());
    line(
        format!("height   {height} of {}, {rate} blocks a minute", times.utc),
        format!(
            "高度     {height}（{}），每分鐘 {rate} 個區塊",
            times.taipei
        ),
    );
    let behind = status.behind;
    line(
        format!("behind   {behind} blocks"),
        format!("落後     {behind} 個區塊"),
    );
    if let Some(reason) = &status.waiting_for {
        line(format!("waiting  {reason}"), format!("等待     {reason}"));
    }
    for missing in &status.missing_validators {
        let (node, names) = (&missing.node_name, &missing.organisation);
        line(
            format!("missing  {node} of {}", names.name_en),
            format!("未投票   {}的 {node}", names.name_zh_tw),
        );
    }
    let pool = status.pool;
    line(
        format!("pool     {} pending, {} queued", pool.pending, pool.queued),
        format!("交易池   待處理 {}、等待 {}", pool.pending, pool.queued),
    );
    let all = status.peers.len();
    let connected = status.peers.iter().filter(|peer| peer.connected).count();
    line(
        format!("peers    {connected} of {all} connected"),
        format!("連線     {connected}／{all}"),
    );
    for peer in status.peers.iter().take(PEERS_MAX) {
        let mark = if peer.connected { "+" } else { "-" };
        let (name, address) = (&peer.node_name, &peer.address);
        let height = peer.height.map_or_else(|| "–".into(), |it| it.to_string());
        let said = format!("  {mark} {name}  {address}  {height}");
        line(said.clone(), said);
    }
    if all > PEERS_MAX {
        let more = all - PEERS_MAX;
        line(format!("  and {more} more"), format!("  另有 {more} 個"));
    }
    text
}

fn blocks_per_minute(status: &NodeStatus, before: (&NodeStatus, Duration)) -> Option<u128> {
    let (earlier, ago) = before;
    let blocks = u128::from(status.height.above(earlier.height));
    (blocks * 60_000).checked_div(ago.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tbsi_rpc::wire::{Organisation, Peer, ValidatorName};
    use tbsi_types::{Height, TimestampMs};

    fn status(height: u64, peers: usize) -> NodeStatus {
        let peer = |index: usize| Peer {
            node_name: format!("node-{index}"),
            peer_id: "12D3KooW".into(),
            address: "192.0.2.1:27001".into(),
            connected: index == 0,
            height: (index == 0).then_some(Height(height)),
        };
        let missing = ValidatorName {
            address: Default::default(),
            node_name: "node-1".into(),
            organisation: Organisation {
                name_zh_tw: "甲公會".into(),
                name_en: "Guild\u{1b}[2J".into(),
            },
        };
        NodeStatus {
            chain_id: 7,
            genesis_hash: Default::default(),
            network_name: "test".into(),
            node_name: "own".into(),
            role: Role::Observer,
            version: String::new(),
            height: Height(height),
            block_hash: Default::default(),
            time_ms: TimestampMs(0),
            oldest_state: Height(0),
            syncing: false,
            behind: 2,
            waiting_for: Some("votes".into()),
            missing_validators: vec![missing],
            peers: (0..peers).map(peer).collect(),
            pool: Default::default(),
            protocol: Default::default(),
        }
    }

    #[test]
    fn a_look_shows_what_matters_in_both_languages() {
        let (earlier, now) = (status(100, 2), status(110, 22));
        let ago = Duration::from_secs(10);
        let text = frame(&now, Some((&earlier, ago)), Language::En);
        for words in [
            "own (observer) of test",
            "height   110 of 1970-01-01T00:00:00Z, 60 blocks a minute",
            r"missing  node-1 of Guild\u{1b}[2J",
            "peers    1 of 22 connected",
            "  + node-0  192.0.2.1:27001  110",
            "  and 2 more",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let text = frame(&earlier, None, Language::ZhTw);
        for words in [
            "test 的 own（觀察節點）",
            "每分鐘 – 個區塊",
            "未投票   甲公會的 node-1",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(!text.contains('\u{1b}'));
        assert_eq!(blocks_per_minute(&now, (&earlier, Duration::ZERO)), None);
    }
}
