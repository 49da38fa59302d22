use super::*;
use crate::config::{FoundAddresses, NetworkConfig, PeerAddress, peer_id};
use crate::limits::{BAR, BAR_REMEMBERED, FAULTS_MAX};
use tbsi_types::{B256, ChainIdentity};
use tokio::sync::watch;

fn address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9))
}

/// The peers of the node with this seed, which is to dial the other one.
fn peers(local: u8, other: u8, now: Instant) -> Peers {
    let other = peer_id(&[other; 32]).to_string();
    let config = NetworkConfig {
        network: "test",
        listen: address(),
        keypair_bytes: [local; 32],
        allowed_peers: watch::channel([other.clone()].into()).1,
        found: watch::channel(FoundAddresses::new()).1,
        peers: vec![PeerAddress {
            peer_id: other,
            address: address(),
        }],
        chain: ChainIdentity {
            chain_id: 1,
            genesis_hash: B256::ZERO,
        },
    };
    Peers::new(&config.check().unwrap(), now)
}

/// Seeds in the order of their peer ids.
fn ordered() -> (u8, u8) {
    if peer_id(&[1; 32]) < peer_id(&[2; 32]) {
        (1, 2)
    } else {
        (2, 1)
    }
}

#[test]
fn dials_further_apart_up_to_the_maximum_until_the_peer_is_there() {
    let (less, greater) = ordered();
    let start = Instant::now();
    let mut peers = peers(less, greater, start);
    let id = peer_id(&[greater; 32]);
    let (mut now, mut waits) = (start, Vec::new());
    while waits.len() < 7 {
        let before = now;
        while peers.due(now).is_empty() {
            now += Duration::from_millis(50);
        }
        waits.push((now - before).as_millis());
    }
    assert_eq!(waits, [0, 250, 500, 1_000, 2_000, 4_000, 5_000]);
    peers.on_connected(id, Some(address()));
    assert_eq!(peers.due(now + Duration::from_secs(60)), []);
    // Connected is not enough to be dialled quickly again, subscribed is.
    assert!(!peers.on_disconnected(id, now));
    assert_eq!(peers.due(now + DIAL_DELAY_MIN), []);
    peers.on_connected(id, Some(address()));
    assert!(peers.on_subscribed(id));
    assert!(!peers.on_subscribed(id));
    assert!(peers.on_disconnected(id, now));
    assert_eq!(peers.due(now + DIAL_DELAY_MIN).len(), 1);
}

#[test]
fn the_greater_id_of_a_pair_waits_longer() {
    let (less, greater) = ordered();
    let now = Instant::now();
    assert_eq!(peers(less, greater, now).due(now).len(), 1);
    assert_eq!(peers(greater, less, now).due(now).len(), 0);
    let later = now + DIAL_DELAY_MIN;
    assert_eq!(peers(greater, less, now).due(later).len(), 1);
}

#[test]
fn a_barred_peer_is_not_dialled_until_released() {
    let (less, greater) = ordered();
    let now = Instant::now();
    let mut peers = peers(less, greater, now);
    let id = peer_id(&[greater; 32]);
    assert_eq!(peers.bar(id, now), Some(BAR));
    assert_eq!(peers.bar(id, now), None);
    assert_eq!(peers.bar(Libp2pId::random(), now), None);
    assert_eq!(peers.due(now), []);
    assert_eq!(peers.release(now), []);
    let until = now + BAR;
    assert_eq!(peers.release(until), [id]);
    assert_eq!(peers.due(until).len(), 1);
}

#[test]
fn who_misbehaves_again_stays_out_longer() {
    let mut now = Instant::now();
    let mut peers = peers(1, 2, now);
    let id = peer_id(&[2; 32]);
    let mut bars = Vec::new();
    for _ in 0..8 {
        let bar = peers.bar(id, now).unwrap();
        bars.push(bar.as_secs());
        now += bar;
        assert_eq!(peers.release(now), [id]);
    }
    assert_eq!(bars, [30, 60, 120, 240, 480, 960, 1_800, 1_800]);
    now += BAR_REMEMBERED;
    assert_eq!(peers.bar(id, now), Some(BAR));
}

#[test]
fn some_faults_are_forgiven_and_many_are_not() {
    let now = Instant::now();
    let mut peers = peers(1, 2, now);
    let id = peer_id(&[2; 32]);
    let too_many = (0..FAULTS_MAX).filter(|_| peers.fault(id, now)).count();
    assert_eq!(too_many, 0);
    assert!(peers.fault(id, now));
    assert!(!peers.fault(id, now + Duration::from_secs(1)));
    assert!(!peers.fault(Libp2pId::random(), now));
}

#[test]
fn the_addresses_of_allowed_peers_are_known() {
    let now = Instant::now();
    let mut peers = peers(1, 2, now);
    let (old, new) = (peer_id(&[2; 32]), peer_id(&[3; 32]));
    let (home, away) = (address().ip(), IpAddr::from([10, 0, 0, 7]));
    assert_eq!(peers.addresses(), [(home, 1)].into());
    let from_away = Some(SocketAddr::new(away, 1));
    peers.on_connected(Libp2pId::random(), from_away);
    peers.on_connected(old, from_away);
    // It may come back from there.
    peers.on_disconnected(old, now);
    assert_eq!(peers.addresses(), [(home, 1), (away, 1)].into());
    peers.allow(&[new].into(), now);
    peers.on_connected(new, Some(address()));
    assert_eq!(peers.addresses(), [(home, 1)].into());
}

#[test]
fn a_new_set_admits_some_and_dismisses_others() {
    let now = Instant::now();
    let mut peers = peers(1, 2, now);
    let (old, new) = (peer_id(&[2; 32]), peer_id(&[3; 32]));
    peers.on_connected(old, None);
    let changed = peers.allow(&[new].into(), now);
    let expected = Difference {
        admitted: vec![new],
        dismissed: vec![old],
    };
    assert_eq!(changed, expected);
    assert_eq!(peers.info().len(), 1);
    // Its end is still told, once.
    peers.on_subscribed(old);
    assert!(peers.on_disconnected(old, now));
    assert!(!peers.on_disconnected(old, now));
    // Back again, it is dialled where it was configured.
    peers.allow(&[old, new].into(), now);
    assert_eq!(peers.due(now + DIAL_DELAY_MIN), [(old, address())]);
    assert_eq!(peers.allow(&[old, new].into(), now), Difference::default());
}

#[test]
fn strangers_leave_no_trace() {
    let now = Instant::now();
    let mut peers = peers(1, 2, now);
    let id = peer_id(&[2; 32]);
    peers.on_connected(id, None);
    peers.on_subscribed(id);
    peers.on_connected(Libp2pId::random(), None);
    let expected = PeerInfo {
        peer_id: PeerId(id),
        connected: true,
        address: Some(address()),
        inbound: false,
    };
    assert_eq!(peers.info(), [expected]);
    peers.on_inbound(id);
    peers.on_inbound(Libp2pId::random());
    assert!(peers.info()[0].inbound);
}

#[test]
fn a_peer_is_dialled_at_all_its_addresses_in_turn() {
    let (less, greater) = ordered();
    let start = Instant::now();
    let mut peers = peers(less, greater, start);
    let id = peer_id(&[greater; 32]);
    let at = |last: u8| SocketAddr::from(([192, 0, 2, last], 9));
    let dialled = |peers: &mut Peers, now: &mut Instant| {
        *now += DIAL_DELAY_MAX;
        let due = peers.due(*now);
        assert_eq!(due.len(), 1);
        due[0].1
    };
    let mut now = start;
    assert_eq!(dialled(&mut peers, &mut now), address());
    // What was configured stays the first, and nothing is dialled twice for one turn.
    let found = vec![at(1), address(), at(2)];
    peers.find([(id, found.clone())].into(), now);
    let turns = [(); 4].map(|()| dialled(&mut peers, &mut now));
    assert_eq!(turns, [address(), at(1), at(2), address()]);
    // The same again is no news: the turn goes on.
    peers.find([(id, found)].into(), now);
    assert_eq!(dialled(&mut peers, &mut now), at(1));
    // It moved.
    peers.find([(id, vec![at(3)])].into(), now);
    let turns = [(); 3].map(|()| dialled(&mut peers, &mut now));
    assert_eq!(turns, [address(), at(3), address()]);
    assert_eq!(peers.addresses().len(), 2);
    // A peer that is connected is left alone.
    peers.on_connected(id, Some(at(3)));
    peers.find([(id, vec![at(4)])].into(), now);
    assert_eq!(peers.due(now + Duration::from_secs(60)), []);
}

#[test]
fn a_peer_that_nobody_configured_is_dialled_once_it_is_found() {
    let (less, greater) = ordered();
    let now = Instant::now();
    let mut peers = peers(less, greater, now);
    let (id, other) = (peer_id(&[greater; 32]), peer_id(&[77; 32]));
    let at = SocketAddr::from(([192, 0, 2, 1], 9));
    // Its address is known before it may connect.
    peers.find([(other, vec![at])].into(), now);
    peers.allow(&[id, other].into(), now);
    let later = now + DIAL_DELAY_MAX;
    assert!(peers.due(later).contains(&(other, at)));
    // Nobody says any more where it is.
    peers.find(BTreeMap::new(), later);
    let much_later = later + 2 * DIAL_DELAY_MAX;
    assert_eq!(peers.due(much_later), [(id, address())]);
    assert_eq!(peers.count(), 2);
}
