//! Strangers who knock, and peers that misbehave.

use tokio::net::TcpSocket;

use super::*;
use crate::limits::{FAULTS_MAX, HANDSHAKES_MAX};

/// Connects from another address of this machine, says nothing, and comes again.
async fn knock(from: SocketAddr, to: SocketAddr) {
    loop {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(from).unwrap();
        if let Ok(mut stream) = socket.connect(to).await {
            let _hung_up = stream.read_to_end(&mut Vec::new()).await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn strangers_with_many_connections_do_not_keep_a_registered_peer_out() {
    let a = Node::start(config(1, &[2], &[(2, loopback())])).await;
    let knocking: Vec<_> = (0..3 * HANDSHAKES_MAX)
        .map(|number| {
            let [.., host] = number.to_be_bytes();
            let from = SocketAddr::from(([127, 0, 1, 1 + host / 4], 0));
            tokio::spawn(knock(from, a.address()))
        })
        .collect();
    a.wait_until("strangers take all their places", |counts| {
        counts.handshakes_refused > u64::from(HANDSHAKES_MAX)
    })
    .await;
    let mut b = Node::start(config(2, &[1], &[(1, a.address())])).await;
    b.wait_for(Seen::Connected(a.id)).await;
    assert_exchange(&a, &mut b, b"1").await;
    // It comes back, too, while they still knock.
    b.stop().await;
    let mut b = Node::start(config(2, &[1], &[(1, a.address())])).await;
    b.wait_for(Seen::Connected(a.id)).await;
    assert_eq!(a.connected(), 1);
    knocking.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn a_peer_that_commits_many_faults_is_cut_off_and_few_are_forgiven() {
    let (a, mut b) = pair().await;
    let (mut mallory, topic) = mallory(a.address()).await;
    let mut sent = 0;
    let mut publish = |mallory: &mut libp2p::Swarm<Behaviour>| {
        let data = format!("?{sent}");
        sent += 1;
        let gossipsub = &mut mallory.behaviour_mut().gossipsub;
        gossipsub.publish(topic.clone(), data).is_ok()
    };
    assert!(publish(&mut mallory));
    let mut tick = interval(Duration::from_millis(1));
    let faults = |at_least: u64| a.monitor.counts().faults >= at_least;
    while !faults(1) {
        tokio::select! {
            _ = tick.tick() => {}
            _ = mallory.select_next_some() => {}
        }
    }
    assert_eq!(a.monitor.counts().bars, 0);
    let closed = async {
        loop {
            tokio::select! {
                _ = tick.tick() => { publish(&mut mallory); }
                event = mallory.select_next_some() => {
                    if matches!(event, SwarmEvent::ConnectionClosed { .. }) {
                        return;
                    }
                }
            }
        }
    };
    timeout(PATIENCE, closed).await.expect("cut off in time");
    let counts = a.monitor.counts();
    assert_eq!((counts.bars, counts.malformed), (1, 0));
    assert!(counts.faults > u64::from(FAULTS_MAX));
    // Nothing of it went further.
    assert_exchange(&a, &mut b, b"1").await;
    assert_eq!(b.monitor.counts().faults, 0);
}
