//! Who may connect, who is connected, and when to dial whom. No socket, no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use libp2p::PeerId as Libp2pId;
use tokio::time::Instant;

use crate::conduct::Conduct;
use crate::config::Checked;
use crate::handshakes::Known;
use crate::id::PeerId;
use crate::limits::{DIAL_DELAY_MAX, DIAL_DELAY_MIN};

/// A peer that may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// libp2p peer id.
    pub peer_id: PeerId,
    /// Whether it receives what is published.
    pub connected: bool,
    /// Where it listens, as was configured or else others say, or else where it is connected from.
    pub address: Option<SocketAddr>,
    /// Whether it has connected to this node, and not only this node to it, since the start.
    pub inbound: bool,
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
    /// Where it was last connected from: its places in the handshake are kept.
    seen_at: Option<IpAddr>,
    /// It has connected to this node.
    inbound: bool,
    conduct: Conduct,
}

/// The other end of a connection; `None` if it is not TCP over IP.
#[derive(Clone, Copy, Debug)]
struct Remote(Option<SocketAddr>);

#[derive(Debug)]
struct Dial {
    /// At least one.
    addresses: Vec<SocketAddr>,
    /// Which of them comes next. One at a time: at an old address somebody else may answer, and
    /// sooner.
    turn: usize,
    /// See [`yields`].
    yields: Duration,
    delay: Duration,
    next: Instant,
}

impl Dial {
    fn new(addresses: Vec<SocketAddr>, yields: Duration, now: Instant) -> Self {
        Self {
            addresses,
            turn: 0,
            yields,
            delay: DIAL_DELAY_MIN,
            next: now + yields,
        }
    }

    fn next_address(&mut self) -> SocketAddr {
        let address = self.addresses[self.turn % self.addresses.len()];
        self.turn = (self.turn + 1) % self.addresses.len();
        address
    }

    fn schedule(&mut self, now: Instant) {
        self.next = now + self.delay + self.yields;
        self.delay = (self.delay * 2).min(DIAL_DELAY_MAX);
    }
}

/// All allowed peers. Events of others are ignored.
#[derive(Debug)]
pub(crate) struct Peers {
    local: Libp2pId,
    places: Places,
    known: BTreeMap<Libp2pId, Peer>,
}

/// Where to dial whom, allowed or not.
#[derive(Debug, Default)]
struct Places {
    configured: BTreeMap<Libp2pId, SocketAddr>,
    found: BTreeMap<Libp2pId, Vec<SocketAddr>>,
}

impl Places {
    /// What was configured comes first, and each address once.
    fn of(&self, id: &Libp2pId) -> Vec<SocketAddr> {
        let configured = self.configured.get(id).copied();
        let found = self.found.get(id).into_iter().flatten().copied();
        let found = found.filter(|address| Some(*address) != configured);
        configured.into_iter().chain(found).collect()
    }
}

/// Both ends of a pair may dial. If they did at one moment, each could refuse the other's
/// connection as the second one; so the greater id waits a little longer.
fn yields(local: &Libp2pId, other: &Libp2pId) -> Duration {
    if local < other {
        Duration::ZERO
    } else {
        DIAL_DELAY_MIN
    }
}

/// How a new set of allowed peers differs from the one before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) admitted: Vec<Libp2pId>,
    pub(crate) dismissed: Vec<Libp2pId>,
}

impl Peers {
    pub(crate) fn new(checked: &Checked, now: Instant) -> Self {
        let mut peers = Self {
            local: checked.local,
            places: Places {
                configured: checked.addresses.clone(),
                found: checked.found.clone(),
            },
            known: BTreeMap::new(),
        };
        peers.allow(&checked.allowed, now);
        peers
    }

    /// Nobody.
    pub(crate) fn none() -> Self {
        Self {
            local: crate::config::peer_id(&[0; 32]),
            places: Places::default(),
            known: BTreeMap::new(),
        }
    }

    /// Takes a new set of allowed peers. One that is connected and not in it is known until
    /// its connection is closed.
    pub(crate) fn allow(&mut self, allowed: &BTreeSet<Libp2pId>, now: Instant) -> Difference {
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

    fn newcomer(&self, id: &Libp2pId, now: Instant) -> Peer {
        let addresses = self.places.of(id);
        let dial =
            (!addresses.is_empty()).then(|| Dial::new(addresses, yields(&self.local, id), now));
        Peer {
            dial,
            ..Peer::default()
        }
    }

    /// Takes what others say now of where peers listen. Peers whose addresses change are dialled
    /// there as if they were new, unless they are connected.
    pub(crate) fn find(&mut self, found: BTreeMap<Libp2pId, Vec<SocketAddr>>, now: Instant) {
        self.places.found = found;
        for (id, peer) in &mut self.known {
            let addresses = self.places.of(id);
            let before = peer.dial.as_ref().map(|dial| &dial.addresses[..]);
            if before.unwrap_or_default() == addresses {
                continue;
            }
            peer.dial =
                (!addresses.is_empty()).then(|| Dial::new(addresses, yields(&self.local, id), now));
        }
    }

    /// Peers to dial now. Each is scheduled again, further off each time.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<(Libp2pId, SocketAddr)> {
        let mut due = Vec::new();
        for (id, peer) in &mut self.known {
            let may = peer.remote.is_none() && peer.barred_until.is_none() && !peer.dismissed;
            if let Some(dial) = peer.dial.as_mut().filter(|dial| may && dial.next <= now) {
                due.push((*id, dial.next_address()));
                dial.schedule(now);
            }
        }
        due
    }

    pub(crate) fn on_connected(&mut self, id: Libp2pId, remote: Option<SocketAddr>) {
        if let Some(peer) = self.known.get_mut(&id) {
            peer.remote = Some(Remote(remote));
            peer.seen_at = remote.map(|remote| remote.ip()).or(peer.seen_at);
        }
    }

    /// Notes that the peer connected to this node.
    pub(crate) fn on_inbound(&mut self, id: Libp2pId) {
        if let Some(peer) = self.known.get_mut(&id) {
            peer.inbound = true;
        }
    }

    /// How many allowed peers are behind each address: where they listen, as was configured or
    /// others say, and where they were last connected from.
    pub(crate) fn addresses(&self) -> Known {
        let mut known = Known::new();
        for peer in self.known.values().filter(|peer| !peer.dismissed) {
            let listens = peer.dial.iter().flat_map(|dial| &dial.addresses);
            let addresses = listens.map(SocketAddr::ip).chain(peer.seen_at);
            let addresses: BTreeSet<_> = addresses.map(|address| address.to_canonical()).collect();
            for address in addresses {
                *known.entry(address).or_default() += 1;
            }
        }
        known
    }

    /// Returns whether that is news: a peer that subscribes again and again is heard once.
    pub(crate) fn on_subscribed(&mut self, id: Libp2pId) -> bool {
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
    pub(crate) fn on_disconnected(&mut self, id: Libp2pId, now: Instant) -> bool {
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

    /// Bars a peer; returns for how long, if it was not barred before.
    pub(crate) fn bar(&mut self, id: Libp2pId, now: Instant) -> Option<Duration> {
        let peer = self.known.get_mut(&id)?;
        if peer.barred_until.is_some() {
            return None;
        }
        let bar = peer.conduct.next_bar(now);
        peer.barred_until = Some(now + bar);
        Some(bar)
    }

    /// Notes a fault; returns whether the peer has committed too many.
    pub(crate) fn fault(&mut self, id: Libp2pId, now: Instant) -> bool {
        let peer = self.known.get_mut(&id);
        peer.is_some_and(|peer| peer.conduct.fault(now))
    }

    /// Peers whose bar is over.
    pub(crate) fn release(&mut self, now: Instant) -> Vec<Libp2pId> {
        let mut released = Vec::new();
        for (id, peer) in &mut self.known {
            if peer.barred_until.take_if(|until| *until <= now).is_some() && !peer.dismissed {
                released.push(*id);
            }
        }
        released
    }

    /// How many are allowed.
    pub(crate) fn count(&self) -> usize {
        self.known.values().filter(|peer| !peer.dismissed).count()
    }

    pub(crate) fn info(&self) -> Vec<PeerInfo> {
        let info = |(id, peer): (&Libp2pId, &Peer)| PeerInfo {
            peer_id: PeerId(*id),
            connected: peer.subscribed,
            address: peer
                .dial
                .as_ref()
                .and_then(|dial| dial.addresses.first().copied())
                .or(peer.remote.and_then(|remote| remote.0)),
            inbound: peer.inbound,
        };
        let allowed = self.known.iter().filter(|(_, peer)| !peer.dismissed);
        allowed.map(info).collect()
    }
}

#[cfg(test)]
mod tests;
