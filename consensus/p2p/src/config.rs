//! What a swarm needs to start, and the checks before it does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use libp2p::PeerId;
use libp2p::identity::Keypair;
use tbsi_types::ChainIdentity;
use tbsi_types::limits::NODES_MAX;
use tokio::sync::watch;

use crate::limits::ADDRESSES_MAX;

/// Where another node listens for this network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress {
    /// libp2p peer id, base58.
    pub peer_id: String,
    /// TCP address.
    pub address: SocketAddr,
}

/// Where peers listen by what others say, by peer id (base58): at most
/// [`ADDRESSES_MAX`](crate::limits::ADDRESSES_MAX) of each are dialled, in this order.
pub type FoundAddresses = BTreeMap<String, Vec<SocketAddr>>;

/// What one node needs to take part in a network.
#[derive(Clone)]
pub struct NetworkConfig {
    /// Name of the network, which is its key in config.toml's `p2p` table too.
    pub network: &'static str,
    /// TCP address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Seed of the node's ed25519 key.
    pub keypair_bytes: [u8; 32],
    /// Nodes to keep a connection to, while they are among the allowed peers. This node itself
    /// is left out.
    pub peers: Vec<PeerAddress>,
    /// Peer ids that may connect, base58: whoever leaves the set is disconnected, whoever
    /// enters it is let in.
    pub allowed_peers: watch::Receiver<BTreeSet<String>>,
    /// Where else allowed peers are dialled: after their addresses in `peers`, in turn.
    pub found: watch::Receiver<FoundAddresses>,
    /// Bound into the protocols' names.
    pub chain: ChainIdentity,
}

/// What a network carries.
#[derive(Clone, Copy, Debug)]
pub struct PeerProtocol {
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

impl fmt::Debug for NetworkConfig {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkConfig")
            .field("network", &self.network)
            .field("listen", &self.listen)
            .field("peers", &self.peers)
            .field("allowed_peers", &*self.allowed_peers.borrow())
            .field("found", &*self.found.borrow())
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
pub(crate) fn peer_id(seed: &[u8; 32]) -> PeerId {
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
    /// Where peers are to be dialled while they are allowed.
    pub(crate) addresses: BTreeMap<PeerId, SocketAddr>,
    /// Where else.
    pub(crate) found: BTreeMap<PeerId, Vec<SocketAddr>>,
    pub(crate) chain: ChainIdentity,
}

impl NetworkConfig {
    pub(crate) fn check(&self) -> Result<Checked, P2pError> {
        let network = self.network;
        let keypair = keypair(self.keypair_bytes);
        let local = keypair.public().to_peer_id();
        let allowed = parse_allowed(network, local, &self.allowed_peers.borrow())?;
        let mut addresses = BTreeMap::new();
        for PeerAddress { peer_id, address } in &self.peers {
            let (peer, address) = (parse(network, "peers", peer_id)?, *address);
            if peer == local {
                continue;
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
            found: parse_found(network, &self.found.borrow())?,
            chain: self.chain,
        })
    }
}

/// The peers of a set, without this node.
pub(crate) fn parse_allowed(
    network: &'static str,
    local: PeerId,
    ids: &BTreeSet<String>,
) -> Result<BTreeSet<PeerId>, P2pError> {
    let count = ids.len();
    if count > NODES_MAX {
        return Err(P2pError::TooManyPeers { network, count });
    }
    let ids = ids.iter().map(|id| parse(network, "allowed_peers", id));
    let mut allowed = ids.collect::<Result<BTreeSet<_>, _>>()?;
    allowed.remove(&local);
    Ok(allowed)
}

/// Addresses that were found, by peer.
pub(crate) fn parse_found(
    network: &'static str,
    found: &FoundAddresses,
) -> Result<BTreeMap<PeerId, Vec<SocketAddr>>, P2pError> {
    let count = found.len();
    if count > NODES_MAX {
        return Err(P2pError::TooManyPeers { network, count });
    }
    let addresses = |addresses: &[SocketAddr]| -> Vec<SocketAddr> {
        addresses.iter().copied().take(ADDRESSES_MAX).collect()
    };
    let found = found.iter();
    found
        .map(|(id, all)| Ok((parse(network, "found", id)?, addresses(all))))
        .collect()
}

fn parse(network: &'static str, field: &'static str, value: &str) -> Result<PeerId, P2pError> {
    value.parse().map_err(|_| P2pError::PeerId {
        network,
        field,
        value: value.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, loopback};

    fn config(seed: u8, allowed: &[u8], peers: &[(u8, SocketAddr)]) -> NetworkConfig {
        testing::config("test", seed, allowed, peers)
    }

    #[test]
    fn refuses_configurations_that_do_not_fit() {
        let check = |config: NetworkConfig, words: &str| {
            let error = config.check().err().expect("refused").to_string();
            assert!(error.contains(words), "{error}");
        };
        let peer = (2, loopback());
        check(config(1, &[2], &[peer, peer]), "is configured twice");
        let mut bad = config(1, &[2], &[]);
        bad.allowed_peers = watch::channel(["12D3KooW".to_owned()].into()).1;
        check(bad, "allowed_peers: `12D3KooW` is not a libp2p peer id");
        let mut bad = config(1, &[2], &[peer]);
        bad.peers[0].peer_id = String::new();
        check(bad, "peers: `` is not a libp2p peer id");
        let mut bad = config(1, &[2], &[peer]);
        bad.found = watch::channel([("x".to_owned(), vec![loopback()])].into()).1;
        check(bad, "found: `x` is not a libp2p peer id");
        // A node's own entry, as in a list that all nodes share, is no peer.
        let own = config(1, &[1, 2], &[(1, loopback()), peer])
            .check()
            .unwrap();
        assert_eq!((own.allowed.len(), own.addresses.len()), (1, 1));
        assert!(!format!("{:?}", config(1, &[], &[])).contains("keypair_bytes"));
    }
}
