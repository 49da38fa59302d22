//! `admin_*`: this node and its neighbours, for the operator.

use serde_json::{Value, json};
use tbsi_types::Height;

use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::error::header_not_found;

/// A libp2p address.
fn multiaddress(address: &str, peer_id: &str) -> String {
    match address.parse::<std::net::SocketAddr>() {
        Ok(at) if at.is_ipv4() => format!("/ip4/{}/tcp/{}/p2p/{peer_id}", at.ip(), at.port()),
        Ok(at) => format!("/ip6/{}/tcp/{}/p2p/{peer_id}", at.ip(), at.port()),
        Err(_) => format!("/p2p/{peer_id}"),
    }
}

/// `admin_nodeInfo()`: in the shape of go-ethereum; `id` and `enode` are libp2p's.
pub(crate) fn node_info(api: &Api, _: &Arguments<'_>) -> Reply {
    let (own, status) = (api.backend.own_peer(), api.backend.status());
    let genesis = api
        .backend
        .header(Height::GENESIS)?
        .ok_or_else(header_not_found)?;
    reply(json!({
        "id": own.peer_id,
        "name": api.backend.client_version(),
        "enode": multiaddress(&own.address.to_string(), &own.peer_id),
        "ip": own.address.ip().to_string(),
        "ports": { "discovery": 0, "listener": own.address.port() },
        "listenAddr": own.address.to_string(),
        "protocols": { "eth": {
            "network": status.chain_id,
            "genesis": genesis.hash_slow(),
            "head": status.block_hash,
        } },
    }))
}

/// `admin_peers()`: those to whom a connection is open.
pub(crate) fn peers(api: &Api, _: &Arguments<'_>) -> Reply {
    let own = api.backend.own_peer().address.to_string();
    let peers = api
        .backend
        .status()
        .peers
        .into_iter()
        .filter(|it| it.connected);
    let object = |peer: crate::wire::Peer| {
        json!({
            "id": peer.peer_id,
            "name": peer.node_name,
            "enode": multiaddress(&peer.address, &peer.peer_id),
            "caps": ["tbsi/1"],
            "network": { "localAddress": own, "remoteAddress": peer.address },
            "protocols": { "tbsi": { "height": peer.height } },
        })
    };
    reply(peers.map(object).collect::<Vec<Value>>())
}
