//! Who may be in the middle of a handshake, by address: strangers who knock without end leave
//! the places of registered peers free (SPEC §6.7).
//!
//! A peer is known by its key, but only after the handshake; before it there is an address. The
//! addresses of registered peers have places of their own, so many for each peer behind them (a
//! whole network may run on one machine). All other addresses share the rest, few for each.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};
use tokio::time::Instant;

use crate::address::socket_addr;
use crate::limits::{
    HANDSHAKES_MAX, HANDSHAKES_PER_ADDRESS_MAX, HANDSHAKES_PER_ADDRESS_PER_SECOND_MAX,
    HANDSHAKES_PER_PEER_MAX, HANDSHAKES_PER_SECOND_MAX, STRANGE_ADDRESSES_MAX,
};
use crate::rate::Rate;

/// Registered peers behind each address.
pub(crate) type Known = BTreeMap<IpAddr, u32>;

/// Whose places a handshake takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Those of the peers at this address.
    Registered(IpAddr),
    /// Those that all strangers share, as this address or network.
    Strange(IpAddr),
}

/// Why a connection is refused before its handshake.
#[derive(Debug, thiserror::Error)]
#[error("{what}: at most {max}, and {address} asks for one more")]
pub(crate) struct Crowded {
    what: &'static str,
    address: IpAddr,
    max: u32,
}

/// The count, without libp2p.
#[derive(Debug)]
struct Places {
    known: Known,
    pending: BTreeMap<ConnectionId, Place>,
    rates: BTreeMap<Place, Rate>,
    strangers: Rate,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            known: Known::new(),
            pending: BTreeMap::new(),
            rates: BTreeMap::new(),
            strangers: Rate::new(HANDSHAKES_PER_SECOND_MAX, HANDSHAKES_MAX),
        }
    }
}

/// IPv4 in its own form; of IPv6 the network, since one stranger has a whole one.
fn stranger(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

impl Places {
    fn admit(&mut self, id: ConnectionId, address: IpAddr, now: Instant) -> Result<(), Crowded> {
        let address = address.to_canonical();
        let (place, max, per_second) = match self.known.get(&address) {
            Some(peers) => (
                Place::Registered(address),
                peers * HANDSHAKES_PER_PEER_MAX + HANDSHAKES_PER_ADDRESS_MAX,
                peers * HANDSHAKES_PER_PEER_MAX + HANDSHAKES_PER_ADDRESS_PER_SECOND_MAX,
            ),
            None => (
                Place::Strange(stranger(address)),
                HANDSHAKES_PER_ADDRESS_MAX,
                HANDSHAKES_PER_ADDRESS_PER_SECOND_MAX,
            ),
        };
        let crowded = |what, max| Crowded { what, address, max };
        if self.count(|taken| taken == place) >= max {
            return Err(crowded("unfinished handshakes of this address", max));
        }
        self.forget_idle(now);
        let is_strange = matches!(place, Place::Strange(_));
        if is_strange {
            let strange = |taken| matches!(taken, Place::Strange(_));
            if self.count(strange) >= HANDSHAKES_MAX {
                return Err(crowded(
                    "unfinished handshakes of strangers",
                    HANDSHAKES_MAX,
                ));
            }
            let full = self.rates.len() >= STRANGE_ADDRESSES_MAX as usize;
            if full && !self.rates.contains_key(&place) {
                return Err(crowded("addresses of strangers", STRANGE_ADDRESSES_MAX));
            }
        }
        let rate = self.rates.entry(place);
        let rate = rate.or_insert_with(|| Rate::new(per_second, max));
        if !rate.take(1, now) {
            return Err(crowded("handshakes a second of this address", per_second));
        }
        if is_strange && !self.strangers.take(1, now) {
            return Err(crowded(
                "handshakes a second of strangers",
                HANDSHAKES_PER_SECOND_MAX,
            ));
        }
        self.pending.insert(id, place);
        Ok(())
    }

    fn count(&self, is: impl Fn(Place) -> bool) -> u32 {
        let count = self.pending.values().filter(|place| is(**place)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// An address that has not knocked for a while needs no memory.
    fn forget_idle(&mut self, now: Instant) {
        if self.rates.len() >= STRANGE_ADDRESSES_MAX as usize {
            self.rates.retain(|_, rate| !rate.is_idle(now));
        }
    }
}

/// Refuses connections that find no place, before their handshake costs anything.
#[derive(Debug, Default)]
pub(crate) struct Handshakes(Places);

impl Handshakes {
    /// Takes over how many registered peers are behind each address.
    pub(crate) fn follow(&mut self, known: Known) {
        if known != self.0.known {
            // Their rates depend on the number of peers.
            self.0.rates.clear();
            self.0.known = known;
        }
    }
}

impl NetworkBehaviour for Handshakes {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        // TCP is all that is listened on.
        let Some(remote) = socket_addr(remote) else {
            return Ok(());
        };
        let admitted = self.0.admit(id, remote.ip(), Instant::now());
        admitted.map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        _peer: PeerId,
        _local: &Multiaddr,
        _remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.0.pending.remove(&id);
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _id: ConnectionId,
        _peer: PeerId,
        _remote: &Multiaddr,
        _role: Endpoint,
        _port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ListenFailure(failure) = event {
            self.0.pending.remove(&failure.connection_id);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _peer: PeerId,
        _id: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(
        &mut self,
        _cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn id(number: usize) -> ConnectionId {
        ConnectionId::new_unchecked(number)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn strangers_leave_the_places_of_registered_peers_free() {
        let now = Instant::now();
        let mut places = Places {
            known: [(ip("10.0.0.1"), 1), (ip("10.0.0.2"), 30)].into(),
            ..Places::default()
        };
        let mut admitted = 0;
        for number in 0..1_000u16 {
            let [high, low] = number.to_be_bytes();
            let from = IpAddr::from([192, 0, high, low]);
            admitted += u32::from(places.admit(id(number.into()), from, now).is_ok());
        }
        assert_eq!(admitted, HANDSHAKES_MAX);
        // Each peer behind an address has places.
        let peers = 30 * HANDSHAKES_PER_PEER_MAX;
        for number in 0..peers as usize {
            places
                .admit(id(2_000 + number), ip("10.0.0.2"), now)
                .unwrap();
        }
        places.admit(id(9_000), ip("10.0.0.1"), now).unwrap();
        // The same address, as a socket for both families shows it.
        places.admit(id(9_001), ip("::ffff:10.0.0.1"), now).unwrap();
        assert!(places.admit(id(9_002), ip("192.9.9.9"), now).is_err());
    }

    #[test]
    fn one_address_takes_few_places_and_comes_seldom() {
        let now = Instant::now();
        let mut places = Places::default();
        let max = HANDSHAKES_PER_ADDRESS_MAX as usize;
        for number in 0..max {
            places.admit(id(number), ip("192.0.2.1"), now).unwrap();
        }
        let refused = places.admit(id(max), ip("192.0.2.1"), now).unwrap_err();
        assert!(refused.to_string().contains("192.0.2.1"), "{refused}");
        places.admit(id(max), ip("192.0.2.2"), now).unwrap();
        // They end, and more come: not faster than an address may.
        places.pending.clear();
        let later = now + Duration::from_secs(1);
        let again =
            (0..100).filter(|number| places.admit(id(*number), ip("192.0.2.1"), later).is_ok());
        assert_eq!(
            again.count(),
            HANDSHAKES_PER_ADDRESS_PER_SECOND_MAX as usize
        );
    }

    #[test]
    fn a_network_of_ipv6_is_one_stranger() {
        let now = Instant::now();
        let mut places = Places::default();
        for number in 0..HANDSHAKES_PER_ADDRESS_MAX {
            let from = format!("2001:db8::{number:x}");
            places.admit(id(number as usize), ip(&from), now).unwrap();
        }
        assert!(places.admit(id(99), ip("2001:db8::ffff"), now).is_err());
        places.admit(id(99), ip("2001:db8:0:1::1"), now).unwrap();
    }

    #[test]
    fn addresses_of_strangers_are_not_kept_for_ever() {
        let mut now = Instant::now();
        let mut places = Places::default();
        for number in 0..20_000u32 {
            places.pending.clear();
            now += Duration::from_millis(40);
            let from = IpAddr::from(number.to_be_bytes());
            places.admit(id(1), from, now).unwrap();
            assert!(places.rates.len() <= STRANGE_ADDRESSES_MAX as usize);
        }
    }
}
