//! TCP addresses in libp2p's form and ours.

use std::net::{IpAddr, SocketAddr};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol as Segment;

/// A TCP address in libp2p's form.
pub(crate) fn multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Segment::Tcp(address.port()))
}

pub(crate) fn socket_addr(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let first = parts.next()?;
    let ip: IpAddr = if let Segment::Ip4(ip) = first {
        ip.into()
    } else if let Segment::Ip6(ip) = first {
        ip.into()
    } else {
        return None;
    };
    if let Some(Segment::Tcp(port)) = parts.next() {
        Some(SocketAddr::new(ip, port))
    } else {
        None
    }
}
