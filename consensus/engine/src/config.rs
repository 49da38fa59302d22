//! What the engine needs to start.

use std::net::SocketAddr;
use std::path::PathBuf;

use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{Address, ChainIdentity};

/// Where another node listens for consensus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress {
    /// libp2p peer id, base58.
    pub peer_id: String,
    /// TCP address.
    pub address: SocketAddr,
}

/// Everything but the keys, which [`crate::Engine::start`] takes by value.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Bound into every signature and protocol name.
    pub chain: ChainIdentity,
    /// Timeouts and pacing, from genesis.
    pub parameters: ConsensusParameters,
    /// This node's name, for logs and metrics.
    pub name: String,
    /// TCP address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// All nodes that may connect, and where they are. No other peer is accepted.
    pub peers: Vec<PeerAddress>,
    /// Which peer id speaks for which validator: proposals are accepted from these only.
    pub validator_peers: Vec<(Address, String)>,
    /// Folder of the write-ahead log.
    pub wal_dir: PathBuf,
}
