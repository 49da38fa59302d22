//! The libp2p swarm: what it speaks, whom it lets in, where it listens.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use libp2p::allow_block_list::{self, AllowedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::transport::TransportError;
use libp2p::gossipsub::{
    self, IdentTopic, IdentityTransform, MessageAuthenticity, MessageId, ValidationMode,
    WhitelistSubscriptionFilter,
};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::{NetworkBehaviour, Swarm, SwarmEvent};
use libp2p::{StreamProtocol, SwarmBuilder, noise, ping, tcp, yamux};
use tbsi_types::sha256;
use tokio::time::timeout;

use crate::address::{multiaddr, socket_addr};
use crate::config::{Checked, P2pError, PeerProtocol};
use crate::handshakes::Handshakes;
use crate::limits::{
    HANDSHAKE_TIMEOUT, HANDSHAKES_MAX, MESSAGES_PER_FRAME_MAX, NEGOTIATING_STREAMS_MAX,
    PEER_QUEUE_MAX, PING_INTERVAL, PING_TIMEOUT, QUEUED_MAX, REQUEST_STREAMS_MAX,
};
use crate::requests::Bounded;

/// Bytes that libp2p's framing adds to a message: protobuf tags, topic, publisher, signature.
const MESSAGE_FRAME_BYTES: usize = 1024;

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
pub(crate) struct Behaviour {
    pub(crate) allowed: allow_block_list::Behaviour<AllowedPeers>,
    limits: connection_limits::Behaviour,
    pub(crate) handshakes: Handshakes,
    ping: ping::Behaviour,
    pub(crate) gossipsub: Gossipsub,
    pub(crate) requests: Toggle<request_response::Behaviour<Bounded>>,
}

/// The topics of a network, in the protocol's order.
pub(crate) fn topics(checked: &Checked, protocol: &PeerProtocol) -> Vec<IdentTopic> {
    let topic = |name: &&str| IdentTopic::new(format!("tbsi/{name}/{}", hex(checked)));
    protocol.topics.iter().map(topic).collect()
}

fn hex(checked: &Checked) -> String {
    alloy_primitives::hex::encode(checked.chain.genesis_hash)
}

fn setup<E>(checked: &Checked, what: &'static str) -> impl FnOnce(E) -> P2pError + use<E>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let network = checked.network;
    move |source| P2pError::Setup {
        network,
        what,
        source: source.into(),
    }
}

fn gossipsub(checked: &Checked, protocol: &PeerProtocol) -> Result<Gossipsub, P2pError> {
    let mut config = gossipsub::ConfigBuilder::default();
    config
        .protocol_id(
            format!("/tbsi/{}/1/{}", checked.network, hex(checked)),
            gossipsub::Version::V1_1,
        )
        // Forwarded after decoding only: otherwise whoever passes a malformed message on would
        // be punished for it.
        .validate_messages()
        .max_transmit_size(protocol.message_bytes_max + MESSAGE_FRAME_BYTES)
        .max_messages_per_rpc(Some(MESSAGES_PER_FRAME_MAX))
        .connection_handler_queue_len(PEER_QUEUE_MAX)
        // A vote that comes late from an overloaded machine still counts.
        .publish_queue_duration(QUEUED_MAX)
        .forward_queue_duration(QUEUED_MAX)
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
        .mesh_n_high(12);
    let authenticity = if protocol.signed {
        config
            .validation_mode(ValidationMode::Strict)
            // A second process with this node's key is to be heard.
            .allow_self_origin(true);
        MessageAuthenticity::Signed(checked.keypair.clone())
    } else {
        let id = |message: &gossipsub::Message| {
            MessageId::new(&sha256(&[&message.data])[..MESSAGE_ID_BYTES])
        };
        config
            .validation_mode(ValidationMode::Anonymous)
            .message_id_fn(id);
        MessageAuthenticity::Anonymous
    };
    let config = config
        .build()
        .map_err(setup(checked, "gossipsub settings"))?;
    let topics = topics(checked, protocol);
    let filter = WhitelistSubscriptionFilter(topics.iter().map(IdentTopic::hash).collect());
    let mut gossipsub = Gossipsub::new_with_subscription_filter(authenticity, config, filter)
        .map_err(setup(checked, "gossipsub"))?;
    for topic in &topics {
        gossipsub
            .subscribe(topic)
            .map_err(setup(checked, "gossipsub subscription"))?;
    }
    Ok(gossipsub)
}

fn requests(
    checked: &Checked,
    protocol: &PeerProtocol,
) -> Result<Toggle<request_response::Behaviour<Bounded>>, P2pError> {
    let Some(requests) = protocol.requests else {
        return Ok(None.into());
    };
    let name = format!("/tbsi/{}/requests/1/{}", checked.network, hex(checked));
    let name = StreamProtocol::try_from_owned(name).map_err(setup(checked, "protocol name"))?;
    let config = request_response::Config::default()
        .with_request_timeout(requests.timeout)
        .with_max_concurrent_streams(REQUEST_STREAMS_MAX);
    let behaviour = request_response::Behaviour::with_codec(
        Bounded(requests),
        [(name, ProtocolSupport::Full)],
        config,
    );
    Ok(Some(behaviour).into())
}

fn behaviour(checked: &Checked, protocol: &PeerProtocol) -> Result<Behaviour, P2pError> {
    let mut allowed = allow_block_list::Behaviour::<AllowedPeers>::default();
    for peer in &checked.allowed {
        allowed.allow_peer(*peer);
    }
    // One connection per peer: over two, gossipsub would announce its subscription on the
    // first only, which may be the one that is going away.
    let limits = ConnectionLimits::default()
        .with_max_pending_outgoing(Some(HANDSHAKES_MAX))
        .with_max_established_per_peer(Some(1));
    let ping = ping::Config::new()
        .with_interval(PING_INTERVAL)
        .with_timeout(PING_TIMEOUT);
    Ok(Behaviour {
        allowed,
        limits: connection_limits::Behaviour::new(limits),
        handshakes: Handshakes::default(),
        ping: ping::Behaviour::new(ping),
        gossipsub: gossipsub(checked, protocol)?,
        requests: requests(checked, protocol)?,
    })
}

fn swarm(checked: &Checked, protocol: &PeerProtocol) -> Result<Swarm<Behaviour>, P2pError> {
    let behaviour = behaviour(checked, protocol)?;
    let Ok(builder) = SwarmBuilder::with_existing_identity(checked.keypair.clone())
        .with_tokio()
        .with_tcp(
            tcp::Config::new().nodelay(true),
            noise::Config::new,
            yamux::Config::default,
        )
        .map_err(setup(checked, "noise"))?
        .with_behaviour(|_| behaviour);
    Ok(builder
        .with_swarm_config(|config| {
            config
                .with_idle_connection_timeout(IDLE_TIMEOUT)
                .with_max_negotiating_inbound_streams(NEGOTIATING_STREAMS_MAX)
        })
        .with_connection_timeout(HANDSHAKE_TIMEOUT)
        .build())
}

/// A swarm that listens, and where.
pub(crate) async fn listen(
    checked: &Checked,
    protocol: &PeerProtocol,
) -> Result<(Swarm<Behaviour>, SocketAddr), P2pError> {
    let (network, address) = (checked.network, checked.listen);
    let failed = |source| P2pError::Listen {
        network,
        address,
        source,
    };
    // libp2p listens with SO_REUSEPORT, so that a second process would share the port in
    // silence. This socket does not share.
    drop(std::net::TcpListener::bind(address).map_err(failed)?);
    let mut swarm = swarm(checked, protocol)?;
    swarm
        .listen_on(multiaddr(address))
        .map_err(|error| match error {
            TransportError::Other(source) => failed(source),
            TransportError::MultiaddrNotSupported(address) => {
                failed(io::Error::other(format!("{address} is not a TCP address")))
            }
        })?;
    let ready = timeout(HANDSHAKE_TIMEOUT, async {
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
