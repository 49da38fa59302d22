//! The libp2p swarm: what it speaks, whom it lets in, where it listens.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::StreamExt;
use libp2p::allow_block_list::{self, AllowedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::transport::TransportError;
use libp2p::gossipsub::{
    self, IdentTopic, IdentityTransform, MessageAuthenticity, MessageId, ValidationMode,
    WhitelistSubscriptionFilter,
};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{NetworkBehaviour, Swarm, SwarmEvent};
use libp2p::{Multiaddr, SwarmBuilder, noise, ping, tcp, yamux};
use tbsi_types::{ChainIdentity, sha256};
use tokio::time::timeout;

use super::config::{Checked, GossipError};
use crate::limits::{
    GOSSIP_FRAME_BYTES, GOSSIP_HANDSHAKE_TIMEOUT, GOSSIP_HANDSHAKES_MAX, GOSSIP_MESSAGE_BYTES_MAX,
    GOSSIP_MESSAGES_PER_FRAME_MAX, GOSSIP_NEGOTIATING_STREAMS_MAX, GOSSIP_PEER_QUEUE_MAX,
    GOSSIP_PING_INTERVAL, GOSSIP_PING_TIMEOUT,
};

/// Connections are closed by pings and by rules, not for silence.
const IDLE_TIMEOUT: Duration = Duration::from_secs(u64::MAX);

/// A message that comes again after this is a new one; by then its copies have died out.
const DUPLICATE_CACHE_TIME: Duration = Duration::from_secs(30);

/// Bytes of a message's SHA-256 that tell it from others.
const MESSAGE_ID_BYTES: usize = 20;

type Gossipsub = gossipsub::Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;

/// Order matters: a connection is refused before gossipsub enters it into its books, which it
/// would not be taken out of.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) allowed: allow_block_list::Behaviour<AllowedPeers>,
    limits: connection_limits::Behaviour,
    ping: ping::Behaviour,
    pub(super) gossipsub: Gossipsub,
}

/// The one topic of a network.
pub(super) fn topic(chain: &ChainIdentity) -> IdentTopic {
    IdentTopic::new(format!("tbsi/{}", hex(chain)))
}

fn hex(chain: &ChainIdentity) -> String {
    alloy_primitives::hex::encode(chain.genesis_hash)
}

fn setup<E>(what: &'static str) -> impl FnOnce(E) -> GossipError
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    move |source| GossipError::Setup {
        what,
        source: source.into(),
    }
}

fn gossipsub(chain: &ChainIdentity) -> Result<Gossipsub, GossipError> {
    let config = gossipsub::ConfigBuilder::default()
        .protocol_id(
            format!("/tbsi/gossip/1/{}", hex(chain)),
            gossipsub::Version::V1_1,
        )
        .validation_mode(ValidationMode::Anonymous)
        // Forwarded after decoding only: otherwise whoever passes a malformed message on would
        // be punished for it.
        .validate_messages()
        .message_id_fn(|message| MessageId::new(&sha256(&[&message.data])[..MESSAGE_ID_BYTES]))
        .max_transmit_size(GOSSIP_MESSAGE_BYTES_MAX + GOSSIP_FRAME_BYTES)
        .max_messages_per_rpc(Some(GOSSIP_MESSAGES_PER_FRAME_MAX))
        .connection_handler_queue_len(GOSSIP_PEER_QUEUE_MAX)
        .duplicate_cache_time(DUPLICATE_CACHE_TIME)
        // A message goes to every neighbour at once; the mesh repairs what was missed, for which
        // a short memory is enough.
        .flood_publish(true)
        .heartbeat_initial_delay(Duration::ZERO)
        .history_length(3)
        .history_gossip(2)
        .mesh_outbound_min(1)
        .mesh_n_low(4)
        .mesh_n(6)
        .mesh_n_high(12)
        .build()
        .map_err(setup("gossipsub settings"))?;
    let topic = topic(chain);
    let filter = WhitelistSubscriptionFilter([topic.hash()].into());
    let mut gossipsub =
        Gossipsub::new_with_subscription_filter(MessageAuthenticity::Anonymous, config, filter)
            .map_err(setup("gossipsub"))?;
    gossipsub
        .subscribe(&topic)
        .map_err(setup("gossipsub subscription"))?;
    Ok(gossipsub)
}

fn behaviour(checked: &Checked) -> Result<Behaviour, GossipError> {
    let mut allowed = allow_block_list::Behaviour::<AllowedPeers>::default();
    for peer in &checked.allowed {
        allowed.allow_peer(*peer);
    }
    // One connection per peer: over two, gossipsub would announce its subscription on the
    // first only, which may be the one that is going away.
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(GOSSIP_HANDSHAKES_MAX))
        .with_max_pending_outgoing(Some(GOSSIP_HANDSHAKES_MAX))
        .with_max_established_per_peer(Some(1));
    let ping = ping::Config::new()
        .with_interval(GOSSIP_PING_INTERVAL)
        .with_timeout(GOSSIP_PING_TIMEOUT);
    Ok(Behaviour {
        allowed,
        limits: connection_limits::Behaviour::new(limits),
        ping: ping::Behaviour::new(ping),
        gossipsub: gossipsub(&checked.chain)?,
    })
}

fn swarm(checked: &Checked) -> Result<Swarm<Behaviour>, GossipError> {
    let behaviour = behaviour(checked)?;
    let Ok(builder) = SwarmBuilder::with_existing_identity(checked.keypair.clone())
        .with_tokio()
        .with_tcp(
            tcp::Config::new().nodelay(true),
            noise::Config::new,
            yamux::Config::default,
        )
        .map_err(setup("noise"))?
        .with_behaviour(|_| behaviour);
    Ok(builder
        .with_swarm_config(|config| {
            config
                .with_idle_connection_timeout(IDLE_TIMEOUT)
                .with_max_negotiating_inbound_streams(GOSSIP_NEGOTIATING_STREAMS_MAX)
        })
        .with_connection_timeout(GOSSIP_HANDSHAKE_TIMEOUT)
        .build())
}

/// A swarm that listens, and where.
pub(super) async fn listen(
    checked: &Checked,
) -> Result<(Swarm<Behaviour>, SocketAddr), GossipError> {
    let address = checked.listen;
    let failed = |source| GossipError::Listen { address, source };
    // libp2p listens with SO_REUSEPORT, so that a second process would share the port in
    // silence. This socket does not share.
    drop(std::net::TcpListener::bind(address).map_err(failed)?);
    let mut swarm = swarm(checked)?;
    swarm
        .listen_on(multiaddr(address))
        .map_err(|error| match error {
            TransportError::Other(source) => failed(source),
            TransportError::MultiaddrNotSupported(address) => {
                failed(io::Error::other(format!("{address} is not a TCP address")))
            }
        })?;
    let ready = timeout(GOSSIP_HANDSHAKE_TIMEOUT, async {
        loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await
                && let Some(local) = socket_addr(&address)
            {
                return local.port();
            }
        }
    });
    let port = ready
        .await
        .map_err(|_| failed(io::ErrorKind::TimedOut.into()))?;
    Ok((swarm, SocketAddr::new(address.ip(), port)))
}

pub(super) fn multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Protocol::Tcp(address.port()))
}

pub(super) fn socket_addr(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let first = parts.next()?;
    let ip: IpAddr = if let Protocol::Ip4(ip) = first {
        ip.into()
    } else if let Protocol::Ip6(ip) = first {
        ip.into()
    } else {
        return None;
    };
    if let Some(Protocol::Tcp(port)) = parts.next() {
        Some(SocketAddr::new(ip, port))
    } else {
        None
    }
}
