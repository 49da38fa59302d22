use std::time::Duration;

use tbsi_p2p::testing;
use tbsi_p2p::{Judgement, peer_id};
use tbsi_types::{Address, B256};
use tokio::time::{interval, timeout};

use super::*;
use crate::mempool::tests::{tx, tx_with};

const PATIENCE: Duration = Duration::from_secs(20);
const SENDER: Address = Address::repeat_byte(1);

/// See [`testing::config`].
fn config(seed: u8, allowed: &[u8], peers: &[(u8, SocketAddr)]) -> NetworkConfig {
    testing::config("gossip", seed, allowed, peers)
}

struct Node {
    id: PeerId,
    handle: GossipHandle,
    events: mpsc::Receiver<Received>,
    cosignatures: mpsc::Receiver<(Cosignatures, Unjudged)>,
}

impl Node {
    async fn start(config: NetworkConfig) -> Self {
        let id = peer_id(&config.keypair_bytes);
        let gossip = listen(&config).await.unwrap();
        let (handle, incoming) = (gossip.handle, gossip.incoming);
        tokio::spawn(gossip.task.run());
        Self {
            id,
            handle,
            events: incoming.events,
            cosignatures: incoming.cosignatures,
        }
    }

    fn address(&self) -> SocketAddr {
        self.handle.local_addr()
    }

    async fn received(&mut self) -> Received {
        let event = timeout(PATIENCE, self.events.recv()).await;
        event.expect("an event in time").expect("a running network")
    }

    /// The next event; transactions in it are found good.
    async fn event(&mut self) -> GossipEvent {
        let Received { event, unjudged } = self.received().await;
        if let Some(unjudged) = unjudged {
            unjudged.judge(Judgement::Forward);
        }
        event
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

    fn publish(&self, nonce: u64) {
        self.handle.publish_transactions(vec![tx(SENDER, nonce)]);
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
        assert_eq!(node.handle.tip_of(&a.id), Some(Height(7)));
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
    // It passes on what it has found good.
    assert_eq!(b.encoded().await, encoded(&[1]));
    let passed_on = GossipEvent::Transactions {
        from: b.id,
        encoded: encoded(&[1]),
    };
    assert_eq!(c.event().await, passed_on);
    assert_eq!(c.handle.tip_of(&a.id), None);
}

#[tokio::test]
async fn cosignatures_pass_through_a_neighbour_to_all() {
    let (a, mut b) = pair().await;
    let mut c = Node::start(config(3, &[2], &[(2, b.address())])).await;
    c.wait_for(GossipEvent::PeerConnected(b.id)).await;
    b.wait_for(GossipEvent::PeerConnected(c.id)).await;
    let sent = Cosignatures {
        size: tbsi_types::TreeSize(7),
        root: B256::repeat_byte(8),
        list: vec![(SENDER, [9; 72])],
    };
    // The same again is not a copy: a peer that came later has not heard it.
    for _ in 0..2 {
        a.handle.publish_cosignatures(sent.clone());
        for node in [&mut b, &mut c] {
            let got = timeout(PATIENCE, node.cosignatures.recv()).await;
            let (cosignatures, unjudged) = got.expect("in time").expect("a running network");
            assert_eq!(cosignatures, sent);
            unjudged.judge(Judgement::Forward);
        }
    }
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
    assert_eq!(
        messages,
        crate::limits::GOSSIP_WAITING_MESSAGES_PER_PEER_MAX
    );
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
            assert!(encoded.len() <= 6);
            got.extend(encoded);
        }
    }
    let mut sent: Vec<_> = batch.iter().map(|tx| tx.encoded().clone()).collect();
    sent.sort();
    got.sort();
    assert_eq!(got, sent);
}

#[tokio::test]
async fn transactions_that_are_not_found_good_go_no_further() {
    let (a, mut b) = pair().await;
    let mut c = Node::start(config(3, &[2], &[(2, b.address())])).await;
    c.wait_for(GossipEvent::PeerConnected(b.id)).await;
    b.wait_for(GossipEvent::PeerConnected(c.id)).await;
    let mut next = async |judgement: Option<Judgement>| {
        let Received { event, unjudged } = b.received().await;
        let GossipEvent::Transactions { encoded, .. } = event else {
            panic!("{event:?}");
        };
        let unjudged = unjudged.expect("transactions are judged");
        if let Some(judgement) = judgement {
            unjudged.judge(judgement);
        }
        encoded
    };
    a.publish(1);
    assert_eq!(next(Some(Judgement::Keep)).await, encoded(&[1]));
    a.publish(2);
    assert_eq!(next(None).await, encoded(&[2]));
    a.publish(3);
    assert_eq!(next(Some(Judgement::Forward)).await, encoded(&[3]));
    assert_eq!(c.encoded().await, encoded(&[3]));
    // Whoever sends what can never be good is cut off.
    a.publish(4);
    assert_eq!(next(Some(Judgement::Bar)).await, encoded(&[4]));
    b.wait_for(GossipEvent::PeerDisconnected(a.id)).await;
    assert_eq!(b.handle.monitor().counts().bars, 1);
}

#[tokio::test]
async fn a_peer_that_announces_tips_without_end_is_cut_off() {
    let (a, mut b) = pair().await;
    let mut height = 0;
    let mut tick = interval(Duration::from_millis(1));
    let flood = async {
        while b.handle.monitor().counts().bars == 0 {
            tick.tick().await;
            height += 1;
            a.handle.shared.outgoing.flood_tip(Height(height));
        }
    };
    timeout(PATIENCE, flood).await.expect("cut off in time");
    b.wait_for(GossipEvent::PeerDisconnected(a.id)).await;
    assert_eq!(b.handle.tip_of(&a.id), None);
}
