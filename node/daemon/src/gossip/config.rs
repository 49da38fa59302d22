//! What gossip needs to start, and the checks before it does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;

use libp2p::PeerId;
use libp2p::identity::Keypair;
use tbsi_types::ChainIdentity;
use tbsi_types::limits::NODES_MAX;

/// Where another node listens for gossip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress {
    /// libp2p peer id, base58.
    pub peer_id: String,
    /// TCP address.
    pub address: SocketAddr,
}

/// What gossip needs to start.
#[derive(Clone)]
pub struct GossipConfig {
    /// TCP address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Seed of the node's ed25519 key.
    pub keypair_bytes: [u8; 32],
    /// Nodes to keep a connection to. Each must be among the allowed peers, except this node
    /// itself, which is left out.
    pub peers: Vec<PeerAddress>,
    /// Peer ids that may connect, base58.
    pub allowed_peers: BTreeSet<String>,
    /// Bound into the protocol's name.
    pub chain: ChainIdentity,
}

impl fmt::Debug for GossipConfig {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GossipConfig")
            .field("listen", &self.listen)
            .field("peers", &self.peers)
            .field("allowed_peers", &self.allowed_peers)
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}

/// Why gossip does not start.
#[derive(Debug, thiserror::Error)]
pub enum GossipError {
    /// A peer id that is none.
    #[error(
        "gossip {field}: `{value}` is not a libp2p peer id (base58, 12D3Koo…); take it from the \
         genesis file"
    )]
    PeerId {
        /// Where it was given.
        field: &'static str,
        /// What was given.
        value: String,
    },
    /// A peer to dial that the network does not know.
    #[error(
        "gossip peer {peer} at {address} is not among the allowed peers; add its node to the \
         genesis file or remove it from the configuration"
    )]
    PeerNotAllowed {
        /// Its id.
        peer: PeerId,
        /// Its address.
        address: SocketAddr,
    },
    /// One peer, two addresses.
    #[error("gossip peer {0} is configured twice; keep one address")]
    DuplicatePeer(PeerId),
    /// More peers than a network has nodes.
    #[error("gossip has {0} allowed peers, at most {NODES_MAX} are possible")]
    TooManyPeers(usize),
    /// The listening socket.
    #[error(
        "listen for gossip on {address} (config.toml, key `p2p.gossip`): choose a free port and \
         an address of this machine"
    )]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The libp2p stack refuses its settings.
    #[error("set up gossip's {what}")]
    Setup {
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
pub(super) struct Checked {
    pub(super) listen: SocketAddr,
    pub(super) keypair: Keypair,
    pub(super) local: PeerId,
    /// Without this node.
    pub(super) allowed: BTreeSet<PeerId>,
    /// The allowed peers that are to be dialled.
    pub(super) addresses: BTreeMap<PeerId, SocketAddr>,
    pub(super) chain: ChainIdentity,
}

impl GossipConfig {
    pub(super) fn check(&self) -> Result<Checked, GossipError> {
        if self.allowed_peers.len() > NODES_MAX {
            return Err(GossipError::TooManyPeers(self.allowed_peers.len()));
        }
        let keypair = keypair(self.keypair_bytes);
        let local = keypair.public().to_peer_id();
        let mut allowed = BTreeSet::new();
        for id in &self.allowed_peers {
            allowed.insert(parse("allowed_peers", id)?);
        }
        allowed.remove(&local);
        let mut addresses = BTreeMap::new();
        for PeerAddress { peer_id, address } in &self.peers {
            let (peer, address) = (parse("peers", peer_id)?, *address);
            if peer == local {
                continue;
            }
            if !allowed.contains(&peer) {
                return Err(GossipError::PeerNotAllowed { peer, address });
            }
            if addresses.insert(peer, address).is_some() {
                return Err(GossipError::DuplicatePeer(peer));
            }
        }
        Ok(Checked {
            listen: self.listen,
            keypair,
            local,
            allowed,
            addresses,
            chain: self.chain,
        })
    }
}

fn parse(field: &'static str, value: &str) -> Result<PeerId, GossipError> {
    value.parse().map_err(|_| GossipError::PeerId {
        field,
        value: value.into(),
    })
}
