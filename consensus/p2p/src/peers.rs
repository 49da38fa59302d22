//! Who may connect, who is connected, and when to dial whom. No socket, no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use libp2p::PeerId;
use tokio::time::Instant;

use crate::config::Checked;
use crate::limits::{DIAL_DELAY_MAX, DIAL_DELAY_MIN};

/// A peer that may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// libp2p peer id.
    pub peer_id: PeerId,
    /// Whether it receives what is published.
    pub connected: bool,
    /// Where it was configured to listen, or else where it is connected from.
    pub address: Option<SocketAddr>,
}

#[derive(Debug, Default)]
struct Peer {
    dial: Option<Dial>,
    /// Address at the other end, once the handshake is done.
    remote: Option<Remote>,
    /// It takes part in the gossip.
    subscribed: bool,
    /// It is allowed no more, and its connection is being closed.
    dismissed: bool,
    barred_until: Option<Instant>,
}

/// The other end of a connection; `None` if it is not TCP over IP.
#[derive(Clone, Copy, Debug)]
struct Remote(Option<SocketAddr>);

#[derive(Debug)]
struct Dial {
    address: SocketAddr,
    /// Both ends of a pair may dial. If they did at one moment, each could refuse the other's
    /// connection as the second one; so the greater id waits a little longer.
    yields: Duration,
    delay: Duration,
    next: Instant,
}

impl Dial {
    fn schedule(&mut self, now: Instant) {
        self.next = now + self.delay + self.yields;
        self.delay = (self.delay * 2).min(DIAL_DELAY_MAX);
    }
}

/// All allowed peers. Events of others are ignored.
#[derive(Debug)]
pub(crate) struct Peers {
    local: PeerId,
    /// Where to dial whom, allowed or not.
    addresses: BTreeMap<PeerId, SocketAddr>,
    known: BTreeMap<PeerId, Peer>,
}

/// How a new set of allowed peers differs from the one before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) admitted: Vec<PeerId>,
    pub(crate) dismissed: Vec<PeerId>,
}

impl Peers {
    pub(crate) fn new(checked: &Checked, now: Instant) -> Self {
        let mut peers = Self {
            local: checked.local,
            addresses: checked.addresses.clone(),
            known: BTreeMap::new(),
        };
        peers.allow(&checked.allowed, now);
        peers
    }

    /// Takes a new set of allowed peers. One that is connected and not in it is known until
    /// its connection is closed.
    pub(crate) fn allow(&mut self, allowed: &BTreeSet<PeerId>, now: Instant) -> Difference {
        let mut difference = Difference::default();
        self.known.retain(|id, peer| {
            if allowed.contains(id) || peer.dismissed {
                return true;
            }
            difference.dismissed.push(*id);
            peer.dismissed = true;
            peer.remote.is_some()
        });
        for id in allowed {
            let known = self.known.get_mut(id).map(|peer| &mut peer.dismissed);
            if known.as_deref() == Some(&false) {
                continue;
            }
            difference.admitted.push(*id);
            match known {
                Some(dismissed) => *dismissed = false,
                None => {
                    let peer = self.newcomer(id, now);
                    self.known.insert(*id, peer);
                }
            }
        }
        difference
    }

    fn newcomer(&self, id: &PeerId, now: Instant) -> Peer {
        let yields = if self.local < *id {
            Duration::ZERO
        } else {
            DIAL_DELAY_MIN
        };
        let dial = self.addresses.get(id).map(|address| Dial {
            address: *address,
            yields,
            delay: DIAL_DELAY_MIN,
            next: now + yields,
        });
        Peer {
            dial,
            ..Peer::default()
        }
    }

    /// Peers to dial now. Each is scheduled again, further off each time.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<(PeerId, SocketAddr)> {
        let mut due = Vec::new();
        for (id, peer) in &mut self.known {
            let may = peer.remote.is_none() && peer.barred_until.is_none() && !peer.dismissed;
            if let Some(dial) = peer.dial.as_mut().filter(|dial| may && dial.next <= now) {
                due.push((*id, dial.address));
                dial.schedule(now);
            }
        }
        due
    }

    pub(crate) fn on_connected(&mut self, id: PeerId, remote: Option<SocketAddr>) {
        if let Some(peer) = self.known.get_mut(&id) {
            peer.remote = Some(Remote(remote));
        }
    }

    /// Returns whether that is news: a peer that subscribes again and again is heard once.
    pub(crate) fn on_subscribed(&mut self, id: PeerId) -> bool {
        let Some(peer) = self.known.get_mut(&id) else {
            return false;
        };
        // Only a peer that speaks our protocol is worth dialling quickly again.
        if let Some(dial) = &mut peer.dial {
            dial.delay = DIAL_DELAY_MIN;
        }
        !std::mem::replace(&mut peer.subscribed, true)
    }

    /// Returns whether the peer had subscribed.
    pub(crate) fn on_disconnected(&mut self, id: PeerId, now: Instant) -> bool {
        let Some(peer) = self.known.get_mut(&id) else {
            return false;
        };
        peer.remote = None;
        if let Some(dial) = &mut peer.dial {
            dial.schedule(now);
        }
        let subscribed = std::mem::take(&mut peer.subscribed);
        if peer.dismissed {
            self.known.remove(&id);
        }
        subscribed
    }

    /// Returns whether it was not barred before.
    pub(crate) fn bar(&mut self, id: PeerId, until: Instant) -> bool {
        let peer = self.known.get_mut(&id);
        peer.is_some_and(|peer| peer.barred_until.replace(until).is_none())
    }

    /// Peers whose bar is over.
    pub(crate) fn release(&mut self, now: Instant) -> Vec<PeerId> {
        let mut released = Vec::new();
        for (id, peer) in &mut self.known {
            if peer.barred_until.take_if(|until| *until <= now).is_some() && !peer.dismissed {
                released.push(*id);
            }
        }
        released
    }

    pub(crate) fn info(&self) -> Vec<PeerInfo> {
        let info = |(id, peer): (&PeerId, &Peer)| PeerInfo {
            peer_id: *id,
            connected: peer.subscribed,
            address: peer
                .dial
                .as_ref()
                .map(|dial| dial.address)
                .or(peer.remote.and_then(|remote| remote.0)),
        };
        let allowed = self.known.iter().filter(|(_, peer)| !peer.dismissed);
        allowed.map(info).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, PeerAddress, peer_id};
    use tbsi_types::{B256, ChainIdentity};
    use tokio::sync::watch;

    fn address() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 9))
    }

    /// The peers of the node with this seed, which is to dial the other one.
    fn peers(local: u8, other: u8, now: Instant) -> Peers {
        let other = peer_id(&[other; 32]).to_string();
        let config = Config {
            network: "test",
            listen: address(),
            keypair_bytes: [local; 32],
            allowed_peers: watch::channel([other.clone()].into()).1,
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
        let until = now + Duration::from_secs(30);
        assert!(peers.bar(id, until));
        assert!(!peers.bar(id, until));
        assert!(!peers.bar(PeerId::random(), until));
        assert_eq!(peers.due(now), []);
        assert_eq!(peers.release(now), []);
        assert_eq!(peers.release(until), [id]);
        assert_eq!(peers.due(until).len(), 1);
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
        peers.on_connected(PeerId::random(), None);
        let expected = PeerInfo {
            peer_id: id,
            connected: true,
            address: Some(address()),
        };
        assert_eq!(peers.info(), [expected]);
    }
}
