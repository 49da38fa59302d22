//! Serves a [`Chain`] as a TBSI node does, as far as a relayer asks; or not quite.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, B256, Bytes, U64};
use alloy_sol_types::SolCall;
use axum::Router;
use axum::body::Bytes as Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tbsi_bindings::genesis::Attestations::attestCall;
use tbsi_rpc::{ClientError, LocalNode, wire};
use tbsi_types::log::tile::push_entry;
use tbsi_types::log::{
    Attestation, DigestWords, EntryBundle, InclusionProof, Leaf, NodeReader, Statement, Tile,
    TreeNode,
};
use tbsi_types::{LeafIndex, ProofBundle};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::chain::{Chain, Held};

/// How a node misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    #[default]
    None,
    /// It shows an old height as the newest.
    Lag(u64),
    /// Its leaves are others.
    Leaves,
    /// Its checkpoints are others.
    Checkpoints,
    /// It answers with an error page.
    Down,
    /// It never answers.
    Hang,
}

/// Handovers in one answer: few, so that a relayer has to ask on.
const HANDOVERS_PAGE: usize = 2;

#[derive(Clone)]
struct Served {
    chain: Chain,
    fault: Arc<Mutex<Fault>>,
}

/// A node that shows a chain. Ends when dropped.
pub struct Server {
    address: SocketAddr,
    fault: Arc<Mutex<Fault>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Shows `chain` on a free port.
    pub async fn start(chain: &Chain) -> Self {
        let fault = Arc::new(Mutex::new(Fault::None));
        let served = Served {
            chain: chain.clone(),
            fault: Arc::clone(&fault),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let pages = Router::new()
            .route("/", post(call))
            .route("/log/{*path}", get(file))
            .with_state(served);
        let task = tokio::spawn(async move {
            axum::serve(listener, pages).await.ok();
        });
        Self {
            address,
            fault,
            task,
        }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Misbehaves from now on.
    pub fn misbehave(&self, fault: Fault) {
        *self.fault.lock().expect("nobody panics with it") = fault;
    }
}

/// A node in this process that shows a chain: no network, and nothing that takes time.
#[derive(Clone)]
pub struct InMemory(pub Chain);

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a node in memory")
    }
}

impl LocalNode for InMemory {
    fn call(&self, method: &str, params: &[Value]) -> Result<Value, ClientError> {
        let answer = answer(&mut self.0.held(), method, &json!(params), Fault::None);
        answer.ok_or_else(|| ClientError::Refused {
            method: method.into(),
            code: -32_601,
            message: "method not found".into(),
            data: None,
        })
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        let path = path.strip_prefix("log/").unwrap_or_default();
        shown_file(&self.0.held(), path, Fault::None).ok_or_else(|| "HTTP status 404".into())
    }
}

fn shown_file(held: &Held, path: &str, fault: Fault) -> Option<Vec<u8>> {
    if path.starts_with("tile/entries/") {
        let bundle = EntryBundle::parse_path(path).ok()?;
        return entries(held, bundle, fault);
    }
    tile(held, Tile::parse_path(path).ok()?)
}

async fn disturbed(served: &Served) -> Result<Fault, StatusCode> {
    let fault = *served.fault.lock().expect("nobody panics with it");
    match fault {
        Fault::Down => Err(StatusCode::TOO_MANY_REQUESTS),
        Fault::Hang => std::future::pending().await,
        Fault::None | Fault::Lag(_) | Fault::Leaves | Fault::Checkpoints => Ok(fault),
    }
}

async fn file(
    State(served): State<Served>,
    Path(path): Path<String>,
) -> Result<Vec<u8>, StatusCode> {
    let fault = disturbed(&served).await?;
    let bytes = shown_file(&served.chain.held(), &path, fault);
    bytes.ok_or(StatusCode::NOT_FOUND)
}

fn entries(held: &Held, bundle: EntryBundle, fault: Fault) -> Option<Vec<u8>> {
    let start = usize::try_from(bundle.index * 256).ok()?;
    let leaves = held.leaves.get(start..start + usize::from(bundle.width))?;
    let mut bytes = Vec::new();
    for leaf in leaves {
        let mut leaf = leaf.clone();
        if fault == Fault::Leaves {
            *leaf.last_mut()? ^= 1;
        }
        push_entry(&mut bytes, &leaf).ok()?;
    }
    Some(bytes)
}

fn tile(held: &Held, tile: Tile) -> Option<Vec<u8>> {
    let complete = held.leaves.len() >> (8 * tile.level);
    let first = tile.index * 256;
    let end = first + u64::from(tile.width);
    if end > complete as u64 {
        return None;
    }
    let level = 8 * tile.level;
    let hashes = (first..end).map(|index| {
        let Ok(hash) = held.tree.read(TreeNode { level, index });
        hash
    });
    Some(hashes.flat_map(|hash| hash.0).collect())
}

async fn call(State(served): State<Served>, body: Body) -> Result<String, StatusCode> {
    let fault = disturbed(&served).await?;
    let request: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let method = request["method"].as_str().unwrap_or_default();
    let mut held = served.chain.held();
    let answer = match answer(&mut held, method, &request["params"], fault) {
        Some(result) => json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }),
        None => {
            let error = json!({ "code": -32_601, "message": "method not found" });
            json!({ "jsonrpc": "2.0", "id": request["id"], "error": error })
        }
    };
    Ok(answer.to_string())
}

fn answer(held: &mut Held, method: &str, params: &Value, fault: Fault) -> Option<Value> {
    let tip = held.decisions.len() as u64;
    let shown = match fault {
        Fault::Lag(blocks) => tip.saturating_sub(blocks).max(1),
        Fault::None | Fault::Leaves | Fault::Checkpoints | Fault::Down | Fault::Hang => tip,
    };
    let first = &params[0];
    Some(match method {
        "eth_blockNumber" => json!(U64::from(shown)),
        "tbsi_status" => status(held, shown),
        "tbsi_getCheckpoint" => checkpoint(held, height(first), shown, fault),
        "tbsi_getCertificate" => certificate(held, height(first)),
        "tbsi_getValidators" => validators(held, height(first)),
        "tbsi_getHandovers" => {
            let from = first.as_u64()?;
            let all = held.handovers.iter();
            let after = all.filter(|one| one.first.checkpoint.height.0 > from);
            json!(after.take(HANDOVERS_PAGE).collect::<Vec<_>>())
        }
        "tbsi_getAttestation" => attestation(held, &serde_json::from_value(first.clone()).ok()?),
        "tbsi_getProof" => proof(held, first),
        "eth_getTransactionCount" => {
            let account: Address = serde_json::from_value(first.clone()).ok()?;
            json!(U64::from(
                held.nonces.get(&account).copied().unwrap_or_default()
            ))
        }
        "eth_sendRawTransaction" => send(held, &serde_json::from_value(first.clone()).ok()?)?,
        _ => return None,
    })
}

fn height(tag: &Value) -> u64 {
    let quantity: Result<U64, _> = serde_json::from_value(tag.clone());
    quantity.map(|it| it.to()).unwrap_or_default()
}

fn status(held: &Held, shown: u64) -> Value {
    let identity = held.genesis.identity();
    let last = &held.decisions[usize::try_from(shown).expect("in memory") - 1].checkpoint;
    json!(wire::NodeStatus {
        chain_id: identity.chain_id,
        genesis_hash: identity.genesis_hash,
        network_name: held.genesis.name.clone(),
        node_name: "in memory".into(),
        role: wire::Role::Observer,
        version: "test".into(),
        height: last.height,
        block_hash: last.block_hash,
        time_ms: last.time,
        oldest_state: last.height,
        syncing: false,
        behind: 0,
        waiting_for: None,
        missing_validators: vec![],
        peers: vec![],
        pool: wire::PoolCounts::default(),
        protocol: wire::ProtocolStatus::default(),
    })
}

fn checkpoint(held: &Held, height: u64, shown: u64, fault: Fault) -> Value {
    let index = usize::try_from(height).unwrap_or_default().wrapping_sub(1);
    match held.decisions.get(index).filter(|_| height <= shown) {
        Some(decision) => {
            let mut checkpoint = decision.checkpoint;
            if fault == Fault::Checkpoints {
                checkpoint.log_root = B256::repeat_byte(1);
            }
            json!(wire::Checkpoint::new(&checkpoint, &held.genesis.identity()))
        }
        None => Value::Null,
    }
}

fn certificate(held: &Held, height: u64) -> Value {
    let index = usize::try_from(height).unwrap_or_default().wrapping_sub(1);
    match held.decisions.get(index) {
        Some(decision) => {
            let nobody = |_: &Address| wire::Organisation::default();
            json!(wire::Certificate::new(&decision.certificate, nobody))
        }
        None => Value::Null,
    }
}

fn validators(held: &Held, height: u64) -> Value {
    if height == 0 || height > held.sets.len() as u64 {
        return Value::Null;
    }
    let set = &held.set_at(height).named;
    let one = |validator: &tbsi_types::NamedValidator| wire::Validator {
        address: validator.address,
        public_key: Bytes::new(),
        power: validator.power,
        node_name: String::new(),
        organisation: wire::Organisation {
            name_zh_tw: validator.name_zh_tw.clone(),
            name_en: validator.name_en.clone(),
        },
    };
    json!(wire::ValidatorSet {
        height: tbsi_types::Height(height),
        set_hash: set.hash(),
        total_power: set.total_power(),
        validators: set.as_slice().iter().map(one).collect(),
    })
}

fn find(held: &Held, id: &B256) -> Option<(LeafIndex, Leaf)> {
    (0..).zip(&held.leaves).find_map(|(index, bytes)| {
        let leaf = Leaf::decode(bytes).ok()?;
        (leaf.attestation_id() == Some(*id)).then_some((LeafIndex(index), leaf))
    })
}

fn attestation(held: &Held, id: &B256) -> Value {
    let Some((index, leaf)) = find(held, id) else {
        return Value::Null;
    };
    let entry = wire::LogEntry {
        index,
        leaf: leaf.encode().expect("a leaf").into(),
        statement: Value::Null,
    };
    json!(wire::Attestation {
        id: *id,
        issuer: leaf.head.issuer,
        schema: B256::ZERO,
        as_of: leaf.head.height,
        revocable: false,
        algorithm_status: 1,
        revoked_at: None,
        superseded_at: None,
        repeated: false,
        entries: vec![entry],
    })
}

fn proof(held: &Held, selector: &Value) -> Value {
    let index = match serde_json::from_value(selector.clone()) {
        Ok(wire::LeafSelector::Index(index)) => Some(index),
        Ok(wire::LeafSelector::Id(id)) => find(held, &id).map(|(index, _)| index),
        Ok(wire::LeafSelector::Digest(_)) | Err(_) => None,
    };
    let position = index.and_then(|index| usize::try_from(index.0).ok());
    let leaf = position.and_then(|position| held.leaves.get(position));
    let (Some(index), Some(leaf)) = (index, leaf) else {
        return Value::Null;
    };
    let decision = held
        .decisions
        .last()
        .expect("block 1 is made with the chain");
    let height = decision.checkpoint.height;
    let size = decision.checkpoint.log_size;
    let Ok(inclusion) = InclusionProof::make(&held.tree, index, size) else {
        return Value::Null;
    };
    let bundle = ProofBundle {
        genesis_hash: held.genesis.hash(),
        leaf: leaf.clone(),
        leaf_index: index,
        inclusion,
        decision: decision.clone(),
        validators: held.set_at(height.0).named.clone(),
        handovers: held.handovers.clone(),
    };
    let json = bundle.to_json().expect("a bundle");
    serde_json::from_str(&json).expect("it is JSON")
}

/// The only transactions there are: attestations of one digest.
fn send(held: &mut Held, raw: &Bytes) -> Option<Value> {
    let transaction = TxEnvelope::decode_2718(&mut raw.as_ref()).ok()?;
    let TxEnvelope::Eip1559(signed) = &transaction else {
        return None;
    };
    let hash = signed.signature_hash();
    let sender = signed
        .signature()
        .recover_address_from_prehash(&hash)
        .ok()?;
    let call = attestCall::abi_decode(transaction.input()).ok()?;
    let [word] = call.words[..] else {
        return None;
    };
    *held.nonces.entry(sender).or_default() += 1;
    let statement = Statement::Attestation(Attestation {
        schema: call.schema,
        algorithm: call.algorithm,
        digest: DigestWords::One([word]),
    });
    held.state(&[(sender, statement)]);
    Some(json!(transaction.tx_hash()))
}
