//! Starting the war room, and every task of it: the follower and the server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tbsi_rpc::Http;
use tbsi_types::Genesis;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::alarm::RaisedAlarm;
use crate::clock;
use crate::desk::Desk;
use crate::follow::{Follower, silent_ms};
use crate::limits::SOURCES_MAX;
use crate::notify::{Dispatcher, NotifyConfig};
use crate::said::{WarroomError, causes, said};
use crate::source::LogSource;
use crate::store::Store;
use crate::web;

/// What a war room is started with.
#[derive(Clone, Debug)]
pub struct WarroomConfig {
    /// The genesis file's bytes.
    pub genesis: Vec<u8>,
    /// How nodes and copies are reached.
    pub http: Http,
    /// JSON-RPC addresses of nodes.
    pub rpc: Vec<String>,
    /// Addresses of static copies of the log, or directories.
    pub tiles: Vec<String>,
    /// Directory of the index.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Directory with the page's files.
    pub web: Option<PathBuf>,
    /// Milliseconds between two looks at the sources.
    pub poll_ms: u64,
    /// Seconds without a new checkpoint after which the chain counts as silent; by default six
    /// intervals of empty blocks, and a minute at least.
    pub silent_after_s: Option<u64>,
    /// Whether a proxy in front names who asks, in `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// How alerts are sent; none are without it.
    pub notify: Option<NotifyConfig>,
}

impl Default for WarroomConfig {
    fn default() -> Self {
        Self {
            genesis: Vec::new(),
            http: Http::default(),
            rpc: Vec::new(),
            tiles: Vec::new(),
            data: PathBuf::from("."),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            web: None,
            poll_ms: 1_000,
            silent_after_s: None,
            behind_proxy: false,
            notify: None,
        }
    }
}

/// What one look at the sources came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarroomOutcome {
    /// Leaves that are indexed.
    pub size: u64,
    /// Height of the newest verified checkpoint; `None` if only cosignatures vouch for it.
    pub height: Option<u64>,
    /// Whether somebody signed or served what contradicts the rest, now or ever before.
    pub contradicted: bool,
    /// What is wrong: a code, English, Traditional Chinese; newest first.
    pub alarms: Vec<(String, String, String)>,
}

fn open(config: &WarroomConfig) -> Result<Follower, WarroomError> {
    let genesis = Genesis::parse(&config.genesis).map_err(|error| {
        let words = causes(&error);
        WarroomError::from(said(
            format!("genesis file: {words}"),
            format!("創世檔：{words}"),
        ))
    })?;
    let mut sources = Vec::new();
    for url in &config.rpc {
        sources.push(LogSource::node(&config.http, url)?);
    }
    for place in &config.tiles {
        sources.push(LogSource::tiles(&config.http, place)?);
    }
    if sources.is_empty() || sources.len() > SOURCES_MAX {
        let count = sources.len();
        return Err(said(
            format!("{count} sources are given; give 1 to {SOURCES_MAX} with --rpc or --tiles"),
            format!("提供了 {count} 個來源；請以 --rpc 或 --tiles 提供 1 至 {SOURCES_MAX} 個"),
        )
        .into());
    }
    let store = Store::open(&config.data, genesis.hash())?;
    let silent_ms = silent_ms(&genesis, config.silent_after_s);
    let bytes = config.genesis.clone();
    Follower::open(genesis, bytes, sources, store, silent_ms, clock::now_ms())
}

/// Looks at the sources once, indexes what is new, and ends.
pub async fn follow_once(config: WarroomConfig) -> Result<WarroomOutcome, WarroomError> {
    let mut follower = open(&config)?;
    follower.round(clock::now_ms()).await;
    let alarms = follower.alarms();
    let told = |raised: &RaisedAlarm| {
        let alarm = &raised.alarm;
        let said = &alarm.said;
        (
            alarm.code.as_str().to_owned(),
            said.en.clone(),
            said.zh_tw.clone(),
        )
    };
    Ok(WarroomOutcome {
        size: follower.size(),
        height: follower.height(),
        contradicted: alarms.iter().any(|raised| raised.alarm.code.is_lie()),
        alarms: alarms.iter().map(told).collect(),
    })
}

/// Follows and serves until `stop` turns true. `ready` is told the address once it listens.
pub async fn run(
    config: WarroomConfig,
    mut stop: watch::Receiver<bool>,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), WarroomError> {
    let mut follower = open(&config)?;
    let unbound = |error: std::io::Error| {
        let address = config.listen;
        WarroomError::from(said(
            format!("option --listen: {address}: {error}. Is the port free?"),
            format!("選項 --listen：{address}：{error}。連接埠是否空閒？"),
        ))
    };
    let listener = TcpListener::bind(config.listen).await.map_err(unbound)?;
    let address = listener.local_addr().map_err(unbound)?;
    let shared = follower.shared();
    let mut desk = None;
    let mut dispatcher = None;
    if let Some(notify) = &config.notify {
        let opened = Arc::new(Mutex::new(Desk::open(shared.index())?));
        desk = Some(Arc::clone(&opened));
        dispatcher = Some(Dispatcher::new(Arc::clone(&shared), opened, notify)?);
    }
    let pause = Duration::from_millis(config.poll_ms);
    let server = web::serve(
        listener,
        shared,
        config.web.clone(),
        config.behind_proxy,
        desk,
        stop.clone(),
    );
    let sending = send(dispatcher, pause, stop.clone());
    ready(address);
    let following = async {
        loop {
            let look = async {
                follower.round(clock::now_ms()).await;
                tokio::time::sleep(pause).await;
            };
            tokio::select! {
                () = look => {}
                // A closed channel means that nobody waits any more. What is half fetched is
                // fetched again; what is being written is written.
                _stopped = stop.wait_for(|stop| *stop) => break,
            }
        }
    };
    // Both end with `stop`, the server when it has answered.
    tokio::join!(server, following, sending);
    Ok(())
}

/// Sends alerts until `stop` turns true. What was being sent is sent again after the next start.
async fn send(dispatcher: Option<Dispatcher>, pause: Duration, mut stop: watch::Receiver<bool>) {
    let Some(dispatcher) = dispatcher else {
        return;
    };
    let sending = async {
        loop {
            dispatcher.round(clock::now_ms()).await;
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        () = sending => {}
        _stopped = stop.wait_for(|stop| *stop) => {}
    }
}
