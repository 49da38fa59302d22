use std::time::Duration;

use futures::StreamExt;
use libp2p::swarm::SwarmEvent;
use libp2p::{Swarm, gossipsub};
use tbsi_types::{Address, B256, ChainIdentity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use super::swarm::{Behaviour, BehaviourEvent};
use super::*;
use crate::mempool::tests::{tx, tx_with};

const PATIENCE: Duration = Duration::from_secs(20);
const SENDER: Address = Address::repeat_byte(1);

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Of the node with this seed: who may connect, and whom to dial where.
fn config(seed: u8, allowed: &[u8], peers: &[(u8, SocketAddr)]) -> GossipConfig {
    let id = |seed: u8| peer_id(&[seed; 32]).to_string();
    let peer = |(seed, address): &(u8, SocketAddr)| PeerAddress {
        peer_id: id(*seed),
        address: *address,
    };
    GossipConfig {
        listen: loopback(),
        keypair_bytes: [seed; 32],
        peers: peers.iter().map(peer).collect(),
        allowed_peers: allowed.iter().map(|seed| id(*seed)).collect(),
        chain: ChainIdentity {
            chain_id: 1,
            genesis_hash: B256::repeat_byte(0x67),
        },
    }
}

struct Node {
    id: PeerId,
    handle: GossipHandle,
    events: mpsc::Receiver<GossipEvent>,
}

impl Node {
    async fn start(config: GossipConfig) -> Self {
        let id = peer_id(&config.keypair_bytes);
        let (handle, events) = spawn(config).await.unwrap();
        Self { id, handle, events }
    }

    fn address(&self) -> SocketAddr {
        self.handle.local_addr()
    }

    async fn event(&mut self) -> GossipEvent {
        let event = timeout(PATIENCE, self.events.recv()).await;
        event.expect("an event in time").expect("a running network")
    }

    /// Reads events until this one.
    async fn wait_for(&mut self, wanted: GossipEvent) {
        while self.event().await != wanted {}
    }

    /// The transactions of the next event, whoever passed them on.
    async fn encoded(&mut self) -> Vec<Bytes> {
        let event = self.event().await;
        let GossipEvent::Transactions { encoded, .. } = event else {
            panic!("{event:?}");
        };
        encoded
    }

    fn connected(&self) -> usize {
        self.handle.peers().iter().filter(|p| p.connected).count()
    }

    fn publish(&self, nonce: u64) {
        self.handle.publish_transactions(vec![tx(SENDER, nonce)]);
    }

    /// Waits until a counter says so; there is no event for what strangers do.
    async fn wait_until(&self, what: &str, is_so: impl Fn(GossipCounts) -> bool) {
        let mut tick = interval(Duration::from_millis(5));
        let wait = async {
            while !is_so(self.handle.counts()) {
                tick.tick().await;
            }
        };
        let waited = timeout(PATIENCE, wait).await;
        assert!(waited.is_ok(), "{what}: {:?}", self.handle.counts());
    }
}

fn encoded(nonces: &[u64]) -> Vec<Bytes> {
    let encoded = |nonce: &u64| tx(SENDER, *nonce).encoded().clone();
    nonces.iter().map(encoded).collect()
}

/// Two connected nodes that would let a third one, seed 3, in.
async fn pair() -> (Node, Node) {
    let mut a = Node::start(config(1, &[2, 3], &[])).await;
    let mut b = Node::start(config(2, &[1, 3], &[(1, a.address())])).await;
    a.wait_for(GossipEvent::PeerConnected(b.id)).await;
    b.wait_for(GossipEvent::PeerConnected(a.id)).await;
    (a, b)
}

/// Transactions still go from one to the other.
async fn assert_exchange(from: &Node, to: &mut Node, nonce: u64) {
    from.publish(nonce);
    to.wait_for(GossipEvent::Transactions {
        from: from.id,
        encoded: encoded(&[nonce]),
    })
    .await;
}

#[tokio::test]
async fn transactions_and_tips_reach_every_neighbour_once() {
    let (mut a, mut b) = pair().await;
    let peers = [(1, a.address()), (2, b.address())];
    let mut c = Node::start(config(3, &[1, 2], &peers)).await;
    a.wait_for(GossipEvent::PeerConnected(c.id)).await;
    b.wait_for(GossipEvent::PeerConnected(c.id)).await;
    for _ in 0..2 {
        assert!(matches!(c.event().await, GossipEvent::PeerConnected(_)));
    }
    a.handle
        .publish_transactions(vec![tx(SENDER, 1), tx(SENDER, 2)]);
    a.handle.announce_tip(Height(7));
    let tip = GossipEvent::Tip {
        from: a.id,
        height: Height(7),
    };
    for node in [&mut b, &mut c] {
        let both = async { (node.encoded().await, node.event().await) };
        let got = timeout(Duration::from_secs(2), both).await;
        assert_eq!(
            got.expect("within two seconds"),
            (encoded(&[1, 2]), tip.clone())
        );
        let peers = node.handle.peers();
        let peer = peers.iter().find(|peer| peer.peer_id == a.id).unwrap();
        assert_eq!(peer.tip, Some(Height(7)));
    }
    // Had anything come twice, it would be here first.
    b.publish(3);
    assert_eq!(c.encoded().await, encoded(&[3]));
    assert_eq!(a.encoded().await, encoded(&[3]));
    assert_eq!(a.handle.counts().published, 2);
    assert_eq!(c.handle.counts().received, 3);
}

#[tokio::test]
async fn transactions_pass_through_a_neighbour_and_tips_do_not() {
    let (a, mut b) = pair().await;
    let mut c = Node::start(config(3, &[2], &[(2, b.address())])).await;
    c.wait_for(GossipEvent::PeerConnected(b.id)).await;
    b.wait_for(GossipEvent::PeerConnected(c.id)).await;
    a.handle.announce_tip(Height(9));
    b.wait_for(GossipEvent::Tip {
        from: a.id,
        height: Height(9),
    })
    .await;
    a.publish(1);
    let passed_on = GossipEvent::Transactions {
        from: b.id,
        encoded: encoded(&[1]),
    };
    assert_eq!(c.event().await, passed_on);
    assert_eq!(c.handle.peers()[0].tip, None);
}

#[tokio::test]
async fn a_peer_that_comes_later_hears_the_tip() {
    let a = Node::start(config(1, &[2], &[])).await;
    a.handle.announce_tip(Height(41));
    a.handle.announce_tip(Height(42));
    let mut b = Node::start(config(2, &[1], &[(1, a.address())])).await;
    let tip = GossipEvent::Tip {
        from: a.id,
        height: Height(42),
    };
    assert_eq!(b.event().await, GossipEvent::PeerConnected(a.id));
    assert_eq!(b.event().await, tip);
}

#[tokio::test]
async fn nodes_that_dial_each_other_end_up_with_one_connection() {
    let (a, b) = pair().await;
    let (address_a, address_b) = (a.address(), b.address());
    let restart = async |seed, other, listen, peer| {
        let config = GossipConfig {
            listen,
            ..config(seed, &[other], &[(other, peer)])
        };
        Node::start(config).await
    };
    a.handle.shutdown().await;
    b.handle.shutdown().await;
    let (mut a, mut b) = tokio::join!(
        restart(1, 2, address_a, address_b),
        restart(2, 1, address_b, address_a)
    );
    a.wait_for(GossipEvent::PeerConnected(b.id)).await;
    b.wait_for(GossipEvent::PeerConnected(a.id)).await;
    assert_exchange(&a, &mut b, 1).await;
    assert_exchange(&b, &mut a, 2).await;
}

#[tokio::test]
async fn an_unknown_peer_is_disconnected_before_it_hears_anything() {
    let (a, mut b) = pair().await;
    let mut stranger = Node::start(config(9, &[1], &[(1, a.address())])).await;
    a.wait_until("refused", |counts| counts.peers_refused > 0)
        .await;
    a.handle.announce_tip(Height(1));
    assert_exchange(&a, &mut b, 1).await;
    // It tries again, and is refused again.
    a.wait_until("refused twice", |counts| counts.peers_refused > 1)
        .await;
    assert!(stranger.events.try_recv().is_err());
    assert_eq!(stranger.connected(), 0);
    assert!(
        a.handle
            .peers()
            .iter()
            .all(|peer| peer.peer_id != stranger.id)
    );
}

#[tokio::test]
async fn a_node_of_another_network_exchanges_nothing() {
    let (a, mut b) = pair().await;
    let mut config = config(3, &[1], &[(1, a.address())]);
    config.chain.genesis_hash = B256::repeat_byte(0x68);
    let mut other = Node::start(config).await;
    // Whoever notices first hangs up, and the other never gets to it.
    tokio::select! {
        () = a.wait_until("other network", |counts| counts.other_network > 0) => {}
        () = other.wait_until("other network", |counts| counts.other_network > 0) => {}
    }
    other.publish(8);
    assert_exchange(&a, &mut b, 1).await;
    assert!(other.events.try_recv().is_err());
    assert_eq!((a.connected(), other.connected()), (1, 0));
    assert_eq!(other.handle.counts().published, 0);
    assert_eq!(other.handle.counts().outgoing_dropped, 1);
}

#[tokio::test]
async fn garbage_on_the_port_disturbs_nobody_and_is_closed() {
    let (a, mut b) = pair().await;
    let mut noise = Vec::new();
    let mut seed = B256::repeat_byte(3);
    while noise.len() < 64 * 1024 {
        seed = tbsi_types::sha256(&[seed.as_slice()]);
        noise.extend_from_slice(seed.as_slice());
    }
    let half_handshake = b"\x13/multistream/1.0.0\n\x07/noise\n".to_vec();
    let mut garbage = vec![vec![0; 1024 * 1024], noise, half_handshake];
    // More silent connections than may be in their handshake.
    garbage.resize(3 + 2 * 64, Vec::new());
    let mut sockets = Vec::new();
    for bytes in garbage {
        let mut socket = TcpStream::connect(a.address()).await.unwrap();
        sockets.push(tokio::spawn(async move {
            // Either may fail at any byte: the other end hangs up.
            let written = socket.write_all(&bytes).await;
            let read = socket.read_to_end(&mut Vec::new()).await;
            (written.is_ok(), read.is_ok())
        }));
    }
    let attempts = sockets.len() as u64;
    assert_exchange(&a, &mut b, 1).await;
    // Every one is closed by the node, at the latest by the handshake's timeout.
    for socket in sockets {
        timeout(PATIENCE, socket).await.expect("closed").unwrap();
    }
    a.wait_until("all failed", |counts| counts.handshakes_failed == attempts)
        .await;
    assert_exchange(&a, &mut b, 2).await;
    assert_eq!(a.connected(), 1);
    // And there is room again.
    let mut c = Node::start(config(3, &[1], &[(1, a.address())])).await;
    c.wait_for(GossipEvent::PeerConnected(a.id)).await;
}

/// Runs a bare swarm until an event is the wanted one.
async fn drive(
    swarm: &mut Swarm<Behaviour>,
    mut is_wanted: impl FnMut(SwarmEvent<BehaviourEvent>) -> bool,
) {
    let wait = async { while !is_wanted(swarm.select_next_some().await) {} };
    timeout(PATIENCE, wait).await.expect("the event in time");
}

#[tokio::test]
async fn a_malformed_message_costs_its_sender_the_connection_and_goes_no_further() {
    let (a, mut b) = pair().await;
    let checked = config(3, &[1, 2], &[]).check().unwrap();
    let (mut mallory, _) = swarm::listen(&checked).await.unwrap();
    let address = format!("/ip4/127.0.0.1/tcp/{}", a.address().port());
    let address: libp2p::Multiaddr = address.parse().unwrap();
    mallory.dial(address.clone()).unwrap();
    drive(&mut mallory, |event| {
        matches!(
            event,
            SwarmEvent::Behaviour(BehaviourEvent::Gossipsub(
                gossipsub::Event::Subscribed { .. }
            ))
        )
    })
    .await;
    let topic = swarm::topic(&checked.chain);
    let published = mallory.behaviour_mut().gossipsub.publish(topic, b"junk");
    assert!(published.is_ok());
    drive(&mut mallory, |event| {
        matches!(event, SwarmEvent::ConnectionClosed { .. })
    })
    .await;
    assert_eq!(a.handle.counts().malformed, 1);
    // It stays out for a while.
    mallory.dial(address).unwrap();
    let mut closed = false;
    drive(&mut mallory, |event| {
        closed |= matches!(
            event,
            SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. }
        );
        closed
    })
    .await;
    a.wait_until("refused", |counts| counts.peers_refused == 1)
        .await;
    assert_exchange(&a, &mut b, 1).await;
    assert_eq!((a.connected(), b.connected()), (1, 1));
    assert_eq!(b.handle.counts().malformed, 0);
}

#[tokio::test]
async fn peers_find_a_node_again_that_restarts_on_its_port() {
    let (a, mut b) = pair().await;
    let (id, address) = (a.id, a.address());
    a.handle.shutdown().await;
    b.wait_for(GossipEvent::PeerDisconnected(id)).await;
    assert_eq!(b.connected(), 0);
    let mut again = config(1, &[2, 3], &[]);
    again.listen = address;
    let a = Node::start(again.clone()).await;
    assert_eq!(a.address(), address);
    b.wait_for(GossipEvent::PeerConnected(id)).await;
    assert_exchange(&a, &mut b, 1).await;
    // A second process on the port is told so.
    match spawn(again).await {
        Err(error @ GossipError::Listen { .. }) => {
            assert!(error.to_string().contains(&address.to_string()), "{error}");
        }
        other => panic!("shares the port: {:?}", other.err()),
    }
}

#[tokio::test]
async fn a_node_that_does_not_read_loses_messages_but_no_peer_events() {
    let (mut a, b) = pair().await;
    let mut tick = interval(Duration::from_millis(1));
    let flood = async {
        let mut nonce = 0;
        while a.handle.counts().events_dropped == 0 {
            b.publish(nonce);
            nonce += 1;
            tick.tick().await;
        }
    };
    timeout(PATIENCE, flood)
        .await
        .expect("the queue is bounded");
    b.handle.shutdown().await;
    let mut messages = 0;
    let mut event = a.event().await;
    while matches!(event, GossipEvent::Transactions { .. }) {
        messages += 1;
        event = a.event().await;
    }
    assert_eq!(event, GossipEvent::PeerDisconnected(b.id));
    let room = GOSSIP_EVENTS_MAX - crate::limits::GOSSIP_PEER_EVENTS_RESERVED;
    assert_eq!(messages, room);
}

#[tokio::test]
async fn large_batches_are_cut_into_messages() {
    let (a, mut b) = pair().await;
    let batch: Vec<_> = (0..9)
        .map(|nonce| tx_with(SENDER, nonce, 0, 0, 100_000))
        .collect();
    a.handle.publish_transactions(batch.clone());
    let mut got = Vec::new();
    while got.len() < batch.len() {
        if let GossipEvent::Transactions { encoded, .. } = b.event().await {
            assert!(encoded.len() <= 2);
            got.extend(encoded);
        }
    }
    let mut sent: Vec<_> = batch.iter().map(|tx| tx.encoded().clone()).collect();
    sent.sort();
    got.sort();
    assert_eq!(got, sent);
}

#[test]
fn refuses_configurations_that_do_not_fit() {
    let check = |config: GossipConfig, words: &str| {
        let error = config.check().err().expect("refused").to_string();
        assert!(error.contains(words), "{error}");
    };
    let peer = (2, loopback());
    check(config(1, &[3], &[peer]), "is not among the allowed peers");
    check(config(1, &[2], &[peer, peer]), "is configured twice");
    let mut bad = config(1, &[2], &[]);
    bad.allowed_peers.insert("12D3KooW".into());
    check(bad, "allowed_peers: `12D3KooW` is not a libp2p peer id");
    let mut bad = config(1, &[2], &[peer]);
    bad.peers[0].peer_id = String::new();
    check(bad, "peers: `` is not a libp2p peer id");
    // A node's own entry, as in a list that all nodes share, is no peer.
    let own = config(1, &[1, 2], &[(1, loopback()), peer])
        .check()
        .unwrap();
    assert_eq!((own.allowed.len(), own.addresses.len()), (1, 1));
    assert!(!format!("{:?}", config(1, &[], &[])).contains("keypair_bytes"));
}
