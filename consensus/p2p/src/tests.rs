use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use libp2p::gossipsub::TopicHash;
use libp2p::swarm::SwarmEvent;
use tbsi_types::B256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};

use crate::address::multiaddr;
use crate::behaviour::{self, Behaviour, BehaviourEvent};
use crate::monitor::{Counts, Monitor};
use crate::testing::loopback;
use crate::*;

mod strangers;

const PATIENCE: Duration = Duration::from_secs(20);

const PLAIN: PeerProtocol = PeerProtocol {
    topics: &["a", "b"],
    signed: false,
    message_bytes_max: 1024,
    requests: Some(Requests {
        request_bytes_max: 8,
        response_bytes_max: 16,
        timeout: Duration::from_secs(5),
    }),
};

/// See [`testing::config`].
fn config(seed: u8, allowed: &[u8], peers: &[(u8, SocketAddr)]) -> NetworkConfig {
    testing::config("test", seed, allowed, peers)
}

/// What a node's task is told.
enum Command {
    Publish(&'static [u8]),
    Ask(PeerId, Vec<u8>),
}

/// What it saw, as far as tests compare it.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Connected(PeerId),
    Disconnected(PeerId),
    Message(PeerId, Option<PeerId>, Vec<u8>),
    Answer(Option<Vec<u8>>),
}

/// A swarm in a task of its own. Messages that start with `!` are malformed to it, with `?` are
/// faults, with `.` for itself only; it answers a request with its bytes twice.
struct Node {
    id: PeerId,
    monitor: Monitor,
    commands: mpsc::UnboundedSender<Command>,
    seen: mpsc::UnboundedReceiver<Seen>,
    task: JoinHandle<()>,
}

impl Node {
    async fn start(config: NetworkConfig) -> Self {
        Self::start_with(config, PLAIN).await
    }

    async fn start_with(config: NetworkConfig, protocol: PeerProtocol) -> Self {
        let swarm = listen(&config, &protocol).await.unwrap();
        let (commands, receiver) = mpsc::unbounded_channel();
        let (sender, seen) = mpsc::unbounded_channel();
        Self {
            id: swarm.local_peer_id(),
            monitor: swarm.monitor(),
            commands,
            seen,
            task: tokio::spawn(drive_node(swarm, receiver, sender)),
        }
    }

    fn address(&self) -> SocketAddr {
        self.monitor.local_addr()
    }

    fn tell(&self, command: Command) {
        assert!(self.commands.send(command).is_ok());
    }

    async fn event(&mut self) -> Seen {
        let event = timeout(PATIENCE, self.seen.recv()).await;
        event.expect("an event in time").expect("a running swarm")
    }

    async fn wait_for(&mut self, wanted: Seen) {
        while self.event().await != wanted {}
    }

    fn connected(&self) -> usize {
        self.monitor.peers().iter().filter(|p| p.connected).count()
    }

    /// Waits until a counter says so; there is no event for what strangers do.
    async fn wait_until(&self, what: &str, is_so: impl Fn(Counts) -> bool) {
        let mut tick = interval(Duration::from_millis(5));
        let wait = async {
            while !is_so(self.monitor.counts()) {
                tick.tick().await;
            }
        };
        let waited = timeout(PATIENCE, wait).await;
        assert!(waited.is_ok(), "{what}: {:?}", self.monitor.counts());
    }

    async fn stop(self) {
        self.task.abort();
        assert!(self.task.await.is_err_and(|error| error.is_cancelled()));
    }
}

async fn drive_node(
    mut swarm: Swarm,
    mut commands: mpsc::UnboundedReceiver<Command>,
    seen: mpsc::UnboundedSender<Seen>,
) {
    loop {
        let event = tokio::select! {
            command = commands.recv() => {
                match command {
                    Some(Command::Publish(data)) => { swarm.publish(1, data.to_vec()); }
                    Some(Command::Ask(peer, data)) => { swarm.request(&peer, data); }
                    None => return,
                }
                continue;
            }
            event = swarm.next() => event,
        };
        let noted = match event {
            PeerEvent::PeerConnected(peer) => Seen::Connected(peer),
            PeerEvent::PeerDisconnected(peer) => Seen::Disconnected(peer),
            PeerEvent::Message(message) => {
                assert_eq!(message.topic, 1);
                let judgement = match message.data.first() {
                    Some(b'!') => Judgement::Bar,
                    Some(b'.') => Judgement::Keep,
                    Some(b'?') => Judgement::Fault,
                    _ => Judgement::Forward,
                };
                swarm.judge(&message, judgement);
                Seen::Message(message.from, message.publisher, message.data)
            }
            PeerEvent::Request { data, channel, .. } => {
                let answer = [data.as_slice(), data.as_slice(), b"."].concat();
                swarm.respond(channel, answer);
                continue;
            }
            PeerEvent::Response { data, .. } => Seen::Answer(Some(data)),
            PeerEvent::RequestFailed { .. } => Seen::Answer(None),
            PeerEvent::RequestAbandoned { .. } => continue,
        };
        if seen.send(noted).is_err() {
            return;
        }
    }
}

/// Two connected nodes that would let a third one, seed 3, in.
async fn pair() -> (Node, Node) {
    let mut a = Node::start(config(1, &[2, 3], &[])).await;
    let mut b = Node::start(config(2, &[1, 3], &[(1, a.address())])).await;
    a.wait_for(Seen::Connected(b.id)).await;
    b.wait_for(Seen::Connected(a.id)).await;
    (a, b)
}

/// Messages still go from one to the other.
async fn assert_exchange(from: &Node, to: &mut Node, data: &'static [u8]) {
    from.tell(Command::Publish(data));
    to.wait_for(Seen::Message(from.id, None, data.to_vec()))
        .await;
}

#[tokio::test]
async fn nodes_that_dial_each_other_end_up_with_one_connection() {
    let (a, b) = pair().await;
    let (address_a, address_b) = (a.address(), b.address());
    a.stop().await;
    b.stop().await;
    let restart = async |seed, other, listen, peer| {
        let config = NetworkConfig {
            listen,
            ..config(seed, &[other], &[(other, peer)])
        };
        Node::start(config).await
    };
    let (mut a, mut b) = tokio::join!(
        restart(1, 2, address_a, address_b),
        restart(2, 1, address_b, address_a)
    );
    a.wait_for(Seen::Connected(b.id)).await;
    b.wait_for(Seen::Connected(a.id)).await;
    assert_exchange(&a, &mut b, b"1").await;
    assert_exchange(&b, &mut a, b"2").await;
}

#[tokio::test]
async fn a_peer_that_moves_is_found_where_others_say() {
    // It dials nobody itself, and nobody listens where it was configured.
    let mut b = Node::start(config(2, &[1], &[])).await;
    let gone = SocketAddr::from(([127, 0, 0, 1], 1));
    let (found, seen) = watch::channel(FoundAddresses::new());
    let config = NetworkConfig {
        found: seen,
        ..config(1, &[2], &[(2, gone)])
    };
    let mut a = Node::start(config).await;
    assert_eq!((a.connected(), b.connected()), (0, 0));
    found.send_replace([(b.id.to_string(), vec![b.address()])].into());
    a.wait_for(Seen::Connected(b.id)).await;
    b.wait_for(Seen::Connected(a.id)).await;
    // Who has connected to whom shows who can be reached.
    let inbound = [&a, &b].map(|node| node.monitor.peers()[0].inbound);
    assert_eq!(inbound, [false, true]);
    assert_exchange(&a, &mut b, b"1").await;
}

#[tokio::test]
async fn an_unknown_peer_is_refused_before_it_hears_anything() {
    let (a, mut b) = pair().await;
    let mut stranger = Node::start(config(9, &[1], &[(1, a.address())])).await;
    a.wait_until("refused", |counts| counts.peers_refused > 0)
        .await;
    assert_exchange(&a, &mut b, b"1").await;
    // It tries again, and is refused again.
    a.wait_until("refused twice", |counts| counts.peers_refused > 1)
        .await;
    assert!(stranger.seen.try_recv().is_err());
    assert_eq!(stranger.connected(), 0);
    assert!(a.monitor.peers().iter().all(|p| p.peer_id != stranger.id));
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
    other.tell(Command::Publish(b"8"));
    assert_exchange(&a, &mut b, b"1").await;
    assert!(other.seen.try_recv().is_err());
    assert_eq!((a.connected(), other.connected()), (1, 0));
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
    assert_exchange(&a, &mut b, b"1").await;
    // Every one is closed by the node, at the latest by the handshake's timeout.
    for socket in sockets {
        timeout(PATIENCE, socket).await.expect("closed").unwrap();
    }
    a.wait_until("all failed", |counts| {
        counts.handshakes_failed + counts.handshakes_refused == attempts
    })
    .await;
    assert_exchange(&a, &mut b, b"2").await;
    assert_eq!(a.connected(), 1);
    // And there is room again.
    let mut c = Node::start(config(3, &[1], &[(1, a.address())])).await;
    c.wait_for(Seen::Connected(a.id)).await;
}

/// Runs a bare swarm until an event is the wanted one.
async fn drive(
    swarm: &mut libp2p::Swarm<Behaviour>,
    mut is_wanted: impl FnMut(SwarmEvent<BehaviourEvent>) -> bool,
) {
    let wait = async { while !is_wanted(swarm.select_next_some().await) {} };
    timeout(PATIENCE, wait).await.expect("the event in time");
}

/// A bare swarm with seed 3, connected, and the topic that nodes read.
async fn mallory(peer: SocketAddr) -> (libp2p::Swarm<Behaviour>, TopicHash) {
    let checked = config(3, &[1, 2], &[]).check().unwrap();
    let (mut mallory, _) = behaviour::listen(&checked, &PLAIN).await.unwrap();
    mallory.dial(multiaddr(peer)).unwrap();
    let mut subscribed = 0;
    drive(&mut mallory, |event| {
        let gossipsub = matches!(
            event,
            SwarmEvent::Behaviour(BehaviourEvent::Gossipsub(
                libp2p::gossipsub::Event::Subscribed { .. }
            ))
        );
        subscribed += usize::from(gossipsub);
        subscribed == PLAIN.topics.len()
    })
    .await;
    let topic = behaviour::topics(&checked, &PLAIN)[1].hash();
    (mallory, topic)
}

#[tokio::test]
async fn a_malformed_message_costs_its_sender_the_connection_and_goes_no_further() {
    let (a, mut b) = pair().await;
    let (mut mallory, topic) = mallory(a.address()).await;
    let gossipsub = &mut mallory.behaviour_mut().gossipsub;
    assert!(gossipsub.publish(topic, b"!junk").is_ok());
    drive(&mut mallory, |event| {
        matches!(event, SwarmEvent::ConnectionClosed { .. })
    })
    .await;
    assert_eq!(a.monitor.counts().malformed, 1);
    // It stays out for a while.
    mallory.dial(multiaddr(a.address())).unwrap();
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
    assert_exchange(&a, &mut b, b"1").await;
    assert_eq!((a.connected(), b.connected()), (1, 1));
    assert_eq!(b.monitor.counts().malformed, 0);
}

#[tokio::test]
async fn peers_find_a_node_again_that_restarts_on_its_port() {
    let (a, mut b) = pair().await;
    let (id, address) = (a.id, a.address());
    a.stop().await;
    b.wait_for(Seen::Disconnected(id)).await;
    assert_eq!(b.connected(), 0);
    let mut again = config(1, &[2, 3], &[]);
    again.listen = address;
    let a = Node::start(again.clone()).await;
    assert_eq!(a.address(), address);
    b.wait_for(Seen::Connected(id)).await;
    assert_exchange(&a, &mut b, b"1").await;
    // A second process on the port is told so.
    let second = listen(&again, &PLAIN).await.err();
    let message = second.expect("the port is taken").to_string();
    assert!(message.contains(&address.to_string()), "{message}");
    assert!(message.contains("key `p2p.test`"), "{message}");
}

/// `a` and `c`, each connected to `b` alone.
async fn row(protocol: PeerProtocol) -> (Node, Node, Node) {
    let b = Node::start_with(config(2, &[1, 3], &[]), protocol).await;
    let peers = [(2, b.address())];
    let mut a = Node::start_with(config(1, &[2], &peers), protocol).await;
    let mut c = Node::start_with(config(3, &[2], &peers), protocol).await;
    a.wait_for(Seen::Connected(b.id)).await;
    c.wait_for(Seen::Connected(b.id)).await;
    (a, b, c)
}

#[tokio::test]
async fn a_signed_message_keeps_its_publisher_over_two_hops() {
    let signed = PeerProtocol {
        signed: true,
        ..PLAIN
    };
    let (a, b, mut c) = row(signed).await;
    a.tell(Command::Publish(b".for neighbours"));
    // Signed, the same bytes are another message.
    a.tell(Command::Publish(b"for all"));
    a.tell(Command::Publish(b"for all"));
    for _ in 0..2 {
        let passed_on = Seen::Message(b.id, Some(a.id), b"for all".to_vec());
        assert_eq!(c.event().await, passed_on);
    }
}

#[tokio::test]
async fn answers_come_whole_or_not_at_all() {
    let (mut a, b, c) = row(PLAIN).await;
    a.tell(Command::Ask(b.id, b"1234567".to_vec()));
    let answer = Seen::Answer(Some(b"12345671234567.".to_vec()));
    assert_eq!(a.event().await, answer);
    // One byte too many, in the answer, then in the request; none; and nobody at the other end.
    let refused = [
        (b.id, vec![1; 8]),
        (b.id, vec![1; 9]),
        (b.id, vec![]),
        (c.id, vec![1]),
    ];
    for (peer, request) in refused {
        a.tell(Command::Ask(peer, request));
        assert_eq!(a.event().await, Seen::Answer(None));
    }
    a.tell(Command::Ask(b.id, vec![1]));
    assert_eq!(a.event().await, Seen::Answer(Some(b"\x01\x01.".to_vec())));
}
