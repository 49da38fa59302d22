//! Where a request comes from, and how many connections one place may have.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use jsonrpsee::server::HttpRequest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

use crate::limits::{API_KEY_BYTES_MAX, CALLERS_MAX, PROXIES_MAX};

const FORWARDED_FOR: &str = "x-forwarded-for";
const BEARER: &[u8] = b"bearer ";
const API_KEY: &str = "x-api-key";

/// Address of the client of a request, among its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller(pub(crate) IpAddr);

impl Caller {
    /// As whom its limits count: an IPv4 address, or the /64 of an IPv6 address.
    pub(crate) fn network(self) -> IpAddr {
        network(self.0)
    }
}

/// As whom they count whom a proxy does not name, or names as this machine: all together, and
/// bound by every limit.
const UNNAMED: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The other end of a connection, unless that is a proxy which is believed: then whom it names.
/// Each proxy adds to the end of the header whom it heard, so what stands before the first
/// that is not believed is anybody's word.
fn caller(other_end: IpAddr, trusted: &[IpAddr], headers: &HeaderMap) -> IpAddr {
    let mut address = other_end.to_canonical();
    if !trusted.contains(&address) {
        return address;
    }
    let lines = headers.get_all(FORWARDED_FOR).into_iter().rev();
    let named = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    let named = named
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty());
    for name in named.take(PROXIES_MAX) {
        match forwarded(name) {
            Some(before) => address = before,
            None => return UNNAMED,
        }
        if !trusted.contains(&address) {
            break;
        }
    }
    if address.is_loopback() {
        UNNAMED
    } else {
        address
    }
}

/// An address as proxies write it: with a port or without, IPv6 in brackets or without, with the
/// zone of the proxy's own machine, in quotation marks.
fn forwarded(name: &[u8]) -> Option<IpAddr> {
    let name = std::str::from_utf8(name).ok()?;
    let quoted = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'));
    let name = quoted.unwrap_or(name);
    let (address, port) = match name.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => match name.split_once(':') {
            // One colon: an IPv4 address and a port.
            Some((address, port)) if !port.contains(':') => {
                (address, &name[name.len() - port.len() - 1..])
            }
            Some(_) | None => (name, ""),
        },
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
        return None;
    }
    let (address, zone) = address.split_once('%').unwrap_or((address, ""));
    let address: IpAddr = address.parse().ok()?;
    (zone.is_empty() || address.is_ipv6()).then(|| address.to_canonical())
}

/// `Authorization: Bearer KEY`, or else `x-api-key: KEY`. Credentials of another scheme are for
/// a proxy. One that is too long is as unknown as its beginning.
pub(crate) fn api_key(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.as_bytes().split_at_checked(BEARER.len())?;
        scheme
            .eq_ignore_ascii_case(BEARER)
            .then(|| key.trim_ascii())
    });
    let key = bearer.or_else(|| Some(headers.get(API_KEY)?.as_bytes().trim_ascii()))?;
    Some(&key[..key.len().min(API_KEY_BYTES_MAX)])
}

/// Adds the caller to each request of a connection.
#[derive(Clone)]
pub(crate) struct Called<S> {
    pub(crate) inner: S,
    pub(crate) other_end: IpAddr,
    pub(crate) trusted: Arc<[IpAddr]>,
}

impl<S, B> Service<HttpRequest<B>> for Called<S>
where
    S: Service<HttpRequest<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: HttpRequest<B>) -> Self::Future {
        let address = caller(self.other_end, &self.trusted, request.headers());
        request.extensions_mut().insert(Caller(address));
        self.inner.call(request)
    }
}

/// Connections that are open: so many in all, and so many of one address (IPv6: of one /64).
/// This machine and proxies that are believed may have all of them.
#[derive(Debug)]
pub(crate) struct Connections {
    all_max: u32,
    per_address_max: u32,
    trusted: Arc<[IpAddr]>,
    open: Mutex<BTreeMap<IpAddr, u32>>,
}

/// A connection's place; free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Arc<Connections>,
    address: IpAddr,
}

impl Connections {
    pub(crate) fn new(all_max: u32, per_address_max: u32, trusted: Arc<[IpAddr]>) -> Self {
        Self {
            all_max,
            per_address_max,
            trusted,
            open: Mutex::default(),
        }
    }

    /// `None` if there is no place.
    pub(crate) fn admit(self: &Arc<Self>, other_end: IpAddr) -> Option<Place> {
        let address = network(other_end);
        let of_one = if address.is_loopback() || self.trusted.contains(&other_end.to_canonical()) {
            self.all_max
        } else {
            self.per_address_max
        };
        let mut open = self.open();
        let all: u32 = open.values().sum();
        let own = open.get(&address).copied().unwrap_or_default();
        if all >= self.all_max || own >= of_one {
            return None;
        }
        open.insert(address, own + 1);
        drop(open);
        Some(Place {
            connections: Arc::clone(self),
            address,
        })
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<IpAddr, u32>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        match open.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => {
                open.remove(&self.address);
            }
        }
    }
}

/// Places for each address (IPv6: for each /64): so many calls that run at a time, or so much
/// memory. This machine is not bound.
#[derive(Debug)]
pub(crate) struct PerAddress {
    of_one: usize,
    by_address: Mutex<BTreeMap<IpAddr, Arc<Semaphore>>>,
}

impl PerAddress {
    /// So many for each.
    pub(crate) fn new(of_one: usize) -> Self {
        Self {
            of_one: of_one.min(Semaphore::MAX_PERMITS),
            by_address: Mutex::default(),
        }
    }

    /// Waits for the address's turn, which lasts until it is dropped; `None` if it needs none.
    pub(crate) async fn turn(&self, address: IpAddr) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        self.of(address)?.acquire_owned().await.ok()
    }

    /// The places of an address; `None` if it is not bound.
    pub(crate) fn of(&self, address: IpAddr) -> Option<Arc<Semaphore>> {
        let address = network(address);
        if address.is_loopback() {
            return None;
        }
        let known = self.by_address.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CALLERS_MAX {
            // Who waits or holds a place holds one.
            known.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let places = known.entry(address);
        let places = places.or_insert_with(|| Arc::new(Semaphore::new(self.of_one)));
        Some(Arc::clone(places))
    }
}

/// An IPv4 address, or the /64 of an IPv6 address, which one host can have all of.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into()
        }
        v4_or_loopback @ (IpAddr::V4(_) | IpAddr::V6(_)) => v4_or_loopback,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            let line = HeaderValue::from_bytes(line.as_bytes()).unwrap();
            headers.append(FORWARDED_FOR, line);
        }
        headers
    }

    #[test]
    fn a_header_is_believed_from_a_trusted_proxy_only() {
        let proxies = [ip("127.0.0.1"), ip("10.0.0.1")];
        let check = |other_end: &str, lines: &[&str], expected: &str| {
            let found = caller(ip(other_end), &proxies, &headers(lines));
            assert_eq!(found, ip(expected), "{other_end} {lines:?}");
        };
        check("192.0.2.1", &["198.51.100.7"], "192.0.2.1");
        check("127.0.0.1", &["198.51.100.7"], "198.51.100.7");
        check("::ffff:127.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7");
        // What the client wrote itself stands before what the proxy added.
        check("127.0.0.1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7");
        check(
            "127.0.0.1",
            &["203.0.113.9", "198.51.100.7"],
            "198.51.100.7",
        );
        let through_two = ["203.0.113.9,198.51.100.7 , 10.0.0.1"];
        check("127.0.0.1", &through_two, "198.51.100.7");
        // As proxies write it.
        for (written, address) in [
            ("198.51.101.1:1234", "198.51.101.1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%eth0]:1", "fe80::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("\"198.51.101.1\"", "198.51.101.1"),
            ("198.51.101.1,", "198.51.101.1"),
            ("203.0.113.9, , 198.51.101.1 ,,", "198.51.101.1"),
            ("caf\u{e9}, 198.51.101.1", "198.51.101.1"),
        ] {
            check("127.0.0.1", &[written], address);
        }
        // Nobody, or nothing that can be read: never as this machine, which is not bound.
        for unread in [
            "",
            ",",
            "unknown",
            "_hidden",
            "unix:",
            "::1",
            "127.0.0.1",
            "127.0.0.1:80",
            "[::1]:80",
            "198.51.100.7:",
            "198.51.100.7:99999",
            "198.51.100.7:80:80",
            "[198.51.100.7",
            "[::1",
            "198.51.100.7%eth0",
            "\"198.51.100.7",
            "203.0.113.9, unknown",
            "203.0.113.9, \u{e9}",
            "198.51.100.7, unknown, 10.0.0.1",
        ] {
            check("127.0.0.1", &[unread], "0.0.0.0");
        }
        check("127.0.0.1", &[], "0.0.0.0");
        check("10.0.0.1", &[], "10.0.0.1");
        assert!(!UNNAMED.is_loopback());
        let many = vec!["10.0.0.1"; 2 * PROXIES_MAX].join(",");
        check("127.0.0.1", &[&many], "10.0.0.1");
    }

    #[test]
    fn one_address_cannot_take_all_connections() {
        let trusted: Arc<[IpAddr]> = Arc::new([ip("10.0.0.1")]);
        let connections = Arc::new(Connections::new(10, 3, trusted));
        let mut open: Vec<_> = (0..4)
            .filter_map(|_| connections.admit(ip("192.0.2.1")))
            .collect();
        assert_eq!(open.len(), 3);
        // All addresses of one /64 are one; others have places of their own.
        for (count, address) in [
            (4, "2001:db8::1"),
            (5, "2001:db8::2"),
            (6, "2001:db8::3"),
            (6, "2001:db8::4"),
            (7, "2001:db8:0:1::4"),
            (8, "::ffff:10.0.0.1"),
            (9, "10.0.0.1"),
            (10, "10.0.0.1"),
            (10, "127.0.0.1"),
        ] {
            open.extend(connections.admit(ip(address)));
            assert_eq!(open.len(), count, "{address}");
        }
        drop(open.remove(0));
        assert!(connections.admit(ip("192.0.2.1")).is_some());
        drop(open);
        assert!(connections.open().is_empty());
        let local: Vec<_> = (0..11)
            .filter_map(|_| connections.admit(ip("::1")))
            .collect();
        assert_eq!(local.len(), 10);
    }

    #[tokio::test]
    async fn addresses_are_remembered_only_while_they_call() {
        let turns = PerAddress::new(2);
        let caller =
            |number: u128| IpAddr::from(Ipv6Addr::from_bits((0x2001 << 112) | number << 64));
        let running = turns.turn(caller(0)).await;
        for number in 1..3 * CALLERS_MAX as u128 {
            assert!(turns.turn(caller(number)).await.is_some());
            assert!(turns.by_address.lock().unwrap().len() <= CALLERS_MAX);
        }
        // The one that runs was not forgotten: it has one turn more.
        let of_first = turns.of(caller(0)).unwrap();
        assert_eq!(of_first.available_permits(), 1);
        drop(running);
        assert_eq!(of_first.available_permits(), 2);
        assert!(turns.turn(ip("127.0.0.1")).await.is_none());
    }

    #[test]
    fn keys_are_taken_from_either_header() {
        let check = |lines: &[(&'static str, &str)], expected: Option<&[u8]>| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(api_key(&headers), expected, "{lines:?}");
        };
        check(&[], None);
        check(&[("authorization", "Bearer abc")], Some(b"abc"));
        check(&[("authorization", "bEARER  abc ")], Some(b"abc"));
        check(&[("x-api-key", " abc")], Some(b"abc"));
        let both = [("authorization", "Bearer abc"), ("x-api-key", "def")];
        check(&both, Some(b"abc"));
        let of_a_proxy = [("authorization", "Basic YTpi"), ("x-api-key", "def")];
        check(&of_a_proxy, Some(b"def"));
        check(&[("authorization", "Basic YTpi")], None);
        check(&[("authorization", "Bearer")], None);
        // An empty key is a key, and nobody's.
        check(&[("x-api-key", "")], Some(b""));
        let long = "k".repeat(2 * API_KEY_BYTES_MAX);
        let cut = long.as_bytes().split_at(API_KEY_BYTES_MAX).0;
        check(&[("x-api-key", &long)], Some(cut));
    }
}
