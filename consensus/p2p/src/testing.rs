//! Nodes on loopback, for the tests of this crate and of those that are made of it.

use std::net::SocketAddr;

use tbsi_types::{B256, ChainIdentity};
use tokio::sync::watch;

use crate::{FoundAddresses, NetworkConfig, PeerAddress, peer_id};

/// Any free port of this machine.
pub fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Of the node with this seed: who may connect, and whom to dial where.
pub fn config(
    network: &'static str,
    seed: u8,
    allowed: &[u8],
    peers: &[(u8, SocketAddr)],
) -> NetworkConfig {
    let id = |seed: u8| peer_id(&[seed; 32]).to_string();
    let peer = |(seed, address): &(u8, SocketAddr)| PeerAddress {
        peer_id: id(*seed),
        address: *address,
    };
    NetworkConfig {
        network,
        listen: loopback(),
        keypair_bytes: [seed; 32],
        peers: peers.iter().map(peer).collect(),
        allowed_peers: watch::channel(allowed.iter().map(|seed| id(*seed)).collect()).1,
        found: watch::channel(FoundAddresses::new()).1,
        chain: ChainIdentity {
            chain_id: 1,
            genesis_hash: B256::repeat_byte(0x67),
        },
    }
}
