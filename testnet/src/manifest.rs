//! `network.json`: which nodes a directory holds and where they listen.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tbsi_types::B256;

use crate::error::{NetworkError, failed};

pub(crate) const MANIFEST: &str = "network.json";
const VERSION: u32 = 1;

/// One node of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeInfo {
    /// Its name in genesis, and the name of its home inside the network's directory.
    pub name: String,
    /// Whether it votes.
    pub validator: bool,
    /// libp2p peer id.
    pub peer_id: String,
    /// JSON-RPC.
    pub rpc: SocketAddr,
    /// Health and metrics.
    pub metrics: SocketAddr,
    /// Consensus.
    pub consensus: SocketAddr,
    /// Transactions.
    pub gossip: SocketAddr,
}

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) version: u32,
    pub(crate) name: String,
    pub(crate) chain_id: u64,
    pub(crate) genesis_hash: B256,
    pub(crate) nodes: Vec<NodeInfo>,
}

impl Manifest {
    pub(crate) fn new(name: &str, chain_id: u64, genesis_hash: B256, nodes: Vec<NodeInfo>) -> Self {
        Self {
            version: VERSION,
            name: name.into(),
            chain_id,
            genesis_hash,
            nodes,
        }
    }

    pub(crate) fn load(dir: &Path) -> Result<Self, NetworkError> {
        let file = dir.join(MANIFEST);
        if !file.exists() {
            return Err(NetworkError::NoNetwork { dir: dir.into() });
        }
        let text = fs::read_to_string(&file).map_err(failed("read", &file))?;
        let wrong = |problem| NetworkError::Manifest {
            file: file.clone(),
            problem,
        };
        let manifest: Self =
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if manifest.version != VERSION || manifest.nodes.is_empty() {
            return Err(wrong(format!(
                "version {VERSION} with at least one node is expected; make the network anew"
            )));
        }
        Ok(manifest)
    }

    pub(crate) fn store(&self, dir: &Path) -> Result<(), NetworkError> {
        let file = dir.join(MANIFEST);
        let text = serde_json::to_string_pretty(self).expect("a manifest is plain data");
        fs::write(&file, text + "\n").map_err(failed("write", &file))
    }
}
