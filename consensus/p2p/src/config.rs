//! What a swarm needs to start, and the checks before it does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use libp2p::PeerId;
use libp2p::identity::Keypair;
use tbsi_types::ChainIdentity;
use tbsi_types::limits::NODES_MAX;

/// Where another node listens for this network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress {
    /// libp2p peer id, base58.
    pub peer_id: String,
    /// TCP address.
    pub address: SocketAddr,
}

/// What one node needs to take part in a network.
#[derive(Clone)]
pub struct Config {
    /// Name of the network, which is its key in config.toml's `p2p` table too.
    pub network: &'static str,
    /// TCP address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Seed of the node's ed25519 key.
    pub keypair_bytes: [u8; 32],
    /// Nodes to keep a connection to. Each must be among the allowed peers, except this node
    /// itself, which is left out.
    pub peers: Vec<PeerAddress>,
    /// Peer ids that may connect, base58.
    pub allowed_peers: BTreeSet<String>,
    /// Bound into the protocols' names.
    pub chain: ChainIdentity,
}

/// What a network carries.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// Gossip topics; a message names its topic by position.
    pub topics: &'static [&'static str],
    /// Whether messages carry their publisher's id and signature, which hold over any number
    /// of hops. Without, equal bytes are one message.
    pub signed: bool,
    /// Bytes of one gossip message.
    pub message_bytes_max: usize,
    /// Requests, if the network has any.
    pub requests: Option<Requests>,
}

/// Bounds of requests to one peer.
#[derive(Clone, Copy, Debug)]
pub struct Requests {
    /// Bytes of one request.
    pub request_bytes_max: usize,
    /// Bytes of one response.
    pub response_bytes_max: usize,
    /// A request without a response fails after this.
    pub timeout: Duration,
}

impl fmt::Debug for Config {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("network", &self.network)
            .field("listen", &self.listen)
            .field("peers", &self.peers)
            .field("allowed_peers", &self.allowed_peers)
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}

/// Why a network does not start.
#[derive(Debug, thiserror::Error)]
pub enum P2pError {
    /// A peer id that is none.
    #[error(
        "{network} {field}: `{value}` is not a libp2p peer id (base58, 12D3Koo…); take it from \
         the genesis file"
    )]
    PeerId {
        /// Name of the network.
        network: &'static str,
        /// Where it was given.
        field: &'static str,
        /// What was given.
        value: String,
    },
    /// A peer to dial that the network does not know.
    #[error(
        "{network} peer {peer} at {address} is not among the allowed peers; add its node to the \
         genesis file or remove it from the configuration"
    )]
    PeerNotAllowed {
        /// Name of the network.
        network: &'static str,
        /// Its id.
        peer: String,
        /// Its address.
        address: SocketAddr,
    },
    /// One peer, two addresses.
    #[error("{network} peer {peer} is configured twice; keep one address")]
    DuplicatePeer {
        /// Name of the network.
        network: &'static str,
        /// Its id.
        peer: String,
    },
    /// More peers than a network has nodes.
    #[error("{network} has {count} allowed peers, at most {NODES_MAX} are possible")]
    TooManyPeers {
        /// Name of the network.
        network: &'static str,
        /// How many.
        count: usize,
    },
    /// The listening socket.
    #[error(
        "listen for {network} on {address} (config.toml, key `p2p.{network}`): choose a free \
         port and an address of this machine"
    )]
    Listen {
        /// Name of the network.
        network: &'static str,
        /// As configured.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The libp2p stack refuses its settings.
    #[error("set up {network}'s {what}")]
    Setup {
        /// Name of the network.
        network: &'static str,
        /// Which part.
        what: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The peer id of an ed25519 seed.
pub fn peer_id(seed: &[u8; 32]) -> PeerId {
    keypair(*seed).public().to_peer_id()
}

fn keypair(mut seed: [u8; 32]) -> Keypair {
    // The call wipes this copy of the seed.
    Keypair::ed25519_from_bytes(&mut seed).expect("any 32 bytes are an ed25519 seed")
}

/// A configuration whose parts fit.
pub(crate) struct Checked {
    pub(crate) network: &'static str,
    pub(crate) listen: SocketAddr,
    pub(crate) keypair: Keypair,
    pub(crate) local: PeerId,
    /// Without this node.
    pub(crate) allowed: BTreeSet<PeerId>,
    /// The allowed peers that are to be dialled.
    pub(crate) addresses: BTreeMap<PeerId, SocketAddr>,
    pub(crate) chain: ChainIdentity,
}

impl Config {
    pub(crate) fn check(&self) -> Result<Checked, P2pError> {
        let network = self.network;
        let count = self.allowed_peers.len();
        if count > NODES_MAX {
            return Err(P2pError::TooManyPeers { network, count });
        }
        let keypair = keypair(self.keypair_bytes);
        let local = keypair.public().to_peer_id();
        let mut allowed = BTreeSet::new();
        for id in &self.allowed_peers {
            allowed.insert(parse(network, "allowed_peers", id)?);
        }
        allowed.remove(&local);
        let mut addresses = BTreeMap::new();
        for PeerAddress { peer_id, address } in &self.peers {
            let (peer, address) = (parse(network, "peers", peer_id)?, *address);
            if peer == local {
                continue;
            }
            if !allowed.contains(&peer) {
                return Err(P2pError::PeerNotAllowed {
                    network,
                    peer: peer_id.clone(),
                    address,
                });
            }
            if addresses.insert(peer, address).is_some() {
                let peer = peer_id.clone();
                return Err(P2pError::DuplicatePeer { network, peer });
            }
        }
        Ok(Checked {
            network,
            listen: self.listen,
            keypair,
            local,
            allowed,
            addresses,
            chain: self.chain,
        })
    }
}

fn parse(network: &'static str, field: &'static str, value: &str) -> Result<PeerId, P2pError> {
    value.parse().map_err(|_| P2pError::PeerId {
        network,
        field,
        value: value.into(),
    })
}
