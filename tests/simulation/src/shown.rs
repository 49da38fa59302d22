//! What a node shows to a relayer: its own answers, or a liar's.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::{Address, Bytes, U64};
use serde_json::{Value, json};
use tbsi_node::node::Node;
use tbsi_node::parts::{handovers, tile};
use tbsi_rpc::{ClientError, HttpProblem, LocalNode, wire};
use tbsi_types::log::{EntryBundle, Tile};
use tbsi_types::{B256, Height};

/// Handovers in one answer: few, so that a relayer has to ask on.
const HANDOVERS_PAGE: usize = 2;

/// How a node lies to relayers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shows {
    /// Not at all.
    #[default]
    Truth,
    /// It shows an old height as its newest.
    Old(u64),
    /// Its checkpoints are others.
    Checkpoints,
    /// Its leaves are others.
    Leaves,
}

#[derive(Default)]
struct Inner {
    node: Option<Arc<Node>>,
    shows: Shows,
}

/// A node as a relayer reaches it. It is there only while the relayer works, so that nothing
/// holds a process that died.
#[derive(Default)]
pub struct Shown(Mutex<Inner>);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown(..)")
    }
}

impl Shown {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a node, or nothing.
    pub fn show(&self, node: Option<Arc<Node>>, shows: Shows) {
        *self.inner() = Inner { node, shows };
    }

    fn shown(&self) -> Option<(Arc<Node>, Shows)> {
        let inner = self.inner();
        Some((Arc::clone(inner.node.as_ref()?), inner.shows))
    }
}

fn height(tag: &Value) -> Height {
    let quantity: Result<U64, _> = serde_json::from_value(tag.clone());
    Height(quantity.map(|it| it.to()).unwrap_or_default())
}

impl LocalNode for Shown {
    fn call(&self, method: &str, params: &[Value]) -> Result<Value, ClientError> {
        let problem = |problem: &str| ClientError::Unreachable {
            url: "a simulated node".into(),
            problem: HttpProblem::NoConnection(problem.into()),
        };
        let (node, shows) = self.shown().ok_or_else(|| problem("connection refused"))?;
        let first = params.first().cloned().unwrap_or_default();
        let answer = answer(&node, shows, method, &first);
        answer.ok_or_else(|| problem("it cannot answer"))
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        let (node, shows) = self.shown().ok_or("connection refused")?;
        let path = path.strip_prefix("log/").unwrap_or_default();
        let bytes = if path.starts_with("tile/entries/") {
            let bundle = EntryBundle::parse_path(path).map_err(|error| error.to_string())?;
            let stored = node.store.log_entries(bundle);
            stored.map_err(|error| error.to_string())?
        } else {
            let named = Tile::parse_path(path).map_err(|error| error.to_string())?;
            let stored = tile(&node, named).map_err(|error| error.to_string())?;
            stored.map(|bytes| bytes.to_vec())
        };
        let mut bytes = bytes.ok_or("HTTP status 404")?;
        if let (Shows::Leaves, Some(last)) = (shows, bytes.last_mut()) {
            *last ^= 1;
        }
        Ok(bytes)
    }
}

fn answer(node: &Node, shows: Shows, method: &str, first: &Value) -> Option<Value> {
    let tip = node.tip().height;
    let tip = match shows {
        Shows::Old(by) => Height(tip.0.saturating_sub(by)),
        Shows::Truth | Shows::Checkpoints | Shows::Leaves => tip,
    };
    let store = &node.store;
    Some(match method {
        "eth_blockNumber" => json!(U64::from(tip.0)),
        "tbsi_getCheckpoint" => {
            let stored = store.checkpoint(height(first)).ok()?;
            let shown = stored.filter(|found| found.height <= tip);
            json!(shown.map(|mut checkpoint| {
                if shows == Shows::Checkpoints {
                    checkpoint.log_root = B256::repeat_byte(1);
                }
                wire::Checkpoint::new(&checkpoint, &node.identity)
            }))
        }
        "tbsi_getCertificate" => {
            let nobody = |_: &Address| wire::Organisation::default();
            let stored = store.certificate(height(first)).ok()?;
            json!(stored.map(|certificate| wire::Certificate::new(&certificate, nobody)))
        }
        "tbsi_getValidators" => json!(validators(node, height(first))?),
        "tbsi_getHandovers" => {
            let from = Height(first.as_u64()?);
            json!(handovers(node, from, tip, HANDOVERS_PAGE).ok()?)
        }
        _ => return None,
    })
}

fn validators(node: &Node, height: Height) -> Option<wire::ValidatorSet> {
    let members = node.store.members_at(height).ok()??;
    let one = |member: &tbsi_types::Member| wire::Validator {
        address: member.public_key.address(),
        public_key: Bytes::new(),
        power: member.power,
        node_name: String::new(),
        organisation: wire::Organisation {
            name_zh_tw: member.name_zh_tw.clone(),
            name_en: member.name_en.clone(),
        },
    };
    Some(wire::ValidatorSet {
        height,
        set_hash: members.set().hash(),
        total_power: members.set().total_power(),
        validators: members.iter().map(one).collect(),
    })
}
