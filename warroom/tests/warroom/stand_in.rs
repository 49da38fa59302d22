//! A node that says what it is told to: JSON-RPC and the files of its log.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tbsi_rpc::wire;
use tbsi_types::Decision;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::made::MadeLog;

/// What it says.
pub(crate) struct Told {
    log: MadeLog,
    decisions: BTreeMap<u64, Decision>,
    files: TempDir,
}

/// A stand-in for a node, until it is dropped.
pub(crate) struct StandIn {
    pub(crate) address: SocketAddr,
    told: Arc<Mutex<Told>>,
    task: JoinHandle<()>,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl StandIn {
    pub(crate) async fn start(log: &MadeLog) -> Self {
        let told = Told {
            log: log.clone(),
            decisions: BTreeMap::new(),
            files: tempfile::tempdir().unwrap(),
        };
        let told = Arc::new(Mutex::new(told));
        let router = Router::new()
            .route("/", post(call))
            .fallback(file)
            .with_state(Arc::clone(&told));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        let stand_in = Self {
            address,
            told,
            task,
        };
        stand_in.tell(log);
        stand_in
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it shows this log.
    pub(crate) fn tell(&self, log: &MadeLog) {
        let mut told = self.told.lock().unwrap();
        log.write_plain(told.files.path());
        told.decisions.insert(log.height, log.decision());
        told.log = log.clone();
    }
}

async fn file(State(told): State<Arc<Mutex<Told>>>, uri: Uri) -> Response {
    let told = told.lock().unwrap();
    let path = uri.path().strip_prefix("/log/").unwrap_or("none");
    match std::fs::read(told.files.path().join(path)) {
        Ok(bytes) => bytes.into_response(),
        Err(_) => (StatusCode::NOT_FOUND, "no such file").into_response(),
    }
}

async fn call(State(told): State<Arc<Mutex<Told>>>, body: Bytes) -> Json<Value> {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let told = told.lock().unwrap();
    let result = result(
        &told,
        request["method"].as_str().unwrap(),
        &request["params"],
    );
    Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }))
}

fn result(told: &Told, method: &str, params: &Value) -> Value {
    let chain = told.log.genesis.identity();
    let decision = || {
        let height = params[0].as_str().unwrap();
        match height.strip_prefix("0x") {
            Some(digits) => {
                let height = u64::from_str_radix(digits, 16).unwrap();
                told.decisions.get(&height)
            }
            None => told.decisions.values().next_back(),
        }
    };
    match method {
        "tbsi_status" => {
            json!({ "chainId": chain.chain_id, "genesisHash": chain.genesis_hash })
        }
        "tbsi_getCheckpoint" => {
            json!(decision().map(|it| wire::Checkpoint::new(&it.checkpoint, &chain)))
        }
        "tbsi_getCertificate" => {
            let nobody = |_: &_| wire::Organisation::default();
            json!(decision().map(|it| wire::Certificate::new(&it.certificate, nobody)))
        }
        "eth_getLogs" => logs(told, &params[0]),
        other => panic!("{other} is not asked"),
    }
}

fn logs(told: &Told, filter: &Value) -> Value {
    let number = |name: &str| {
        let digits = filter[name].as_str().unwrap().trim_start_matches("0x");
        u64::from_str_radix(digits, 16).unwrap()
    };
    let (from, to) = (number("fromBlock"), number("toBlock"));
    let mut found = Vec::new();
    for (position, (topics, data)) in &told.log.acts {
        let bytes = &told.log.leaves[usize::try_from(*position).unwrap()];
        let leaf = tbsi_types::log::Leaf::decode(bytes).unwrap();
        let tbsi_types::log::Statement::GovernanceAct { event, .. } = leaf.statement else {
            panic!("{leaf:?}");
        };
        let height = leaf.head.height.0;
        if height < from || height > to {
            continue;
        }
        let mut all = vec![event];
        all.extend(topics);
        found.push(json!({
            "address": leaf.head.issuer,
            "topics": all,
            "data": alloy_primitives::Bytes::copy_from_slice(data),
            "blockNumber": format!("{height:#x}"),
            "transactionIndex": "0x0",
        }));
    }
    json!(found)
}
