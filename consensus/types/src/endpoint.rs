//! Where a node says that others reach it: one multiaddr in genesis and registry (SPEC §6.7).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Letters of a domain name.
const NAME_BYTES_MAX: usize = 253;
/// Letters between two of its dots.
const LABEL_BYTES_MAX: usize = 63;

/// The machine of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointHost {
    /// Its address.
    Ip(IpAddr),
    /// A domain name, all of whose addresses count.
    Name(String),
    /// A domain name, of whose addresses those of IPv4 count.
    Name4(String),
    /// A domain name, of whose addresses those of IPv6 count.
    Name6(String),
}

/// `/ip4/A/tcp/P`, `/ip6/A/tcp/P`, `/dns/N/tcp/P`, `/dns4/N/tcp/P` or `/dns6/N/tcp/P`, perhaps
/// with `/p2p/ID` behind, which is not looked at.
///
/// An endpoint names the port for consensus. Transactions go to the port after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEndpoint {
    /// The machine.
    pub host: EndpointHost,
    /// TCP port for consensus, 1 to 65534.
    pub port: u16,
}

/// Why nodes do not find each other by an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}`: {problem}; nodes find each other by /ip4/ADDRESS/tcp/PORT, /ip6/ADDRESS/tcp/PORT or \
     /dns4/NAME/tcp/PORT, with the port for consensus, after which comes that for transactions"
)]
pub struct EndpointError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl NodeEndpoint {
    /// Reads a multiaddr.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        parse(text).map_err(|problem| EndpointError {
            text: text.into(),
            problem,
        })
    }

    /// TCP port for transactions.
    pub fn gossip_port(&self) -> u16 {
        self.port + 1
    }

    /// Where it listens for consensus if its machine has this address.
    pub fn consensus_at(&self, address: IpAddr) -> SocketAddr {
        SocketAddr::new(address, self.port)
    }

    /// Where it listens for transactions if its machine has this address.
    pub fn gossip_at(&self, address: IpAddr) -> SocketAddr {
        SocketAddr::new(address, self.gossip_port())
    }
}

impl EndpointHost {
    /// The name that is to be looked up, if it is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Ip(_) => None,
            Self::Name(name) | Self::Name4(name) | Self::Name6(name) => Some(name),
        }
    }

    /// Whether an address that was found for it counts.
    pub fn takes(&self, address: IpAddr) -> bool {
        match self {
            Self::Ip(own) => *own == address,
            Self::Name(_) => true,
            Self::Name4(_) => address.is_ipv4(),
            Self::Name6(_) => address.is_ipv6(),
        }
    }
}

impl fmt::Display for NodeEndpoint {
    /// The multiaddr, without `/p2p`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, host): (_, &dyn fmt::Display) = match &self.host {
            EndpointHost::Ip(IpAddr::V4(address)) => ("ip4", address),
            EndpointHost::Ip(IpAddr::V6(address)) => ("ip6", address),
            EndpointHost::Name(name) => ("dns", name),
            EndpointHost::Name4(name) => ("dns4", name),
            EndpointHost::Name6(name) => ("dns6", name),
        };
        write!(f, "/{kind}/{host}/tcp/{}", self.port)
    }
}

fn parse(text: &str) -> Result<NodeEndpoint, &'static str> {
    let rest = text.strip_prefix('/').ok_or("does not begin with `/`")?;
    let parts: Vec<&str> = rest.split('/').collect();
    let (kind, host, transport, port) = match parts[..] {
        [kind, host, transport, port] | [kind, host, transport, port, "p2p", _] => {
            (kind, host, transport, port)
        }
        _ => return Err("has other parts than a machine and a TCP port"),
    };
    if transport != "tcp" {
        return Err("is not over TCP");
    }
    Ok(NodeEndpoint {
        host: parse_host(kind, host)?,
        port: parse_port(port)?,
    })
}

fn parse_host(kind: &str, host: &str) -> Result<EndpointHost, &'static str> {
    let address = || host.parse::<IpAddr>().ok();
    match kind {
        "ip4" => match address() {
            Some(address) if address.is_ipv4() && is_reachable(address) => {
                Ok(EndpointHost::Ip(address))
            }
            _ => Err("has no IPv4 address of one machine"),
        },
        "ip6" => match address() {
            Some(address) if address.is_ipv6() && is_reachable(address) => {
                Ok(EndpointHost::Ip(address))
            }
            _ => Err("has no IPv6 address of one machine"),
        },
        "dns" | "dns4" | "dns6" if !is_domain_name(host) => Err("has no domain name"),
        "dns" => Ok(EndpointHost::Name(host.into())),
        "dns4" => Ok(EndpointHost::Name4(host.into())),
        "dns6" => Ok(EndpointHost::Name6(host.into())),
        _ => Err("begins with none of ip4, ip6, dns, dns4, dns6"),
    }
}

/// Whether one machine can have this address.
fn is_reachable(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !address.is_unspecified() && !address.is_multicast() && !broadcast
}

fn parse_port(text: &str) -> Result<u16, &'static str> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = digits.then(|| text.parse::<u16>().ok()).flatten();
    match port {
        // The one after it is for transactions.
        Some(port) if (1..u16::MAX).contains(&port) => Ok(port),
        _ => Err("has no port of 1 to 65534"),
    }
}

/// Letters, digits and `-` between dots, not all of them numbers: those are addresses.
fn is_domain_name(text: &str) -> bool {
    let label = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= NAME_BYTES_MAX
        && text.split('.').all(label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multiaddr_names_a_machine_and_two_ports() {
        let check = |text: &str, address: &str, both: [&str; 2]| {
            let endpoint = NodeEndpoint::parse(text).unwrap();
            assert_eq!(endpoint.to_string(), text);
            let address = address.parse().unwrap();
            assert!(endpoint.host.takes(address), "{text}");
            let found = [endpoint.consensus_at(address), endpoint.gossip_at(address)];
            assert_eq!(found.map(|it| it.to_string()), both);
        };
        check(
            "/ip4/192.0.2.7/tcp/27000",
            "192.0.2.7",
            ["192.0.2.7:27000", "192.0.2.7:27001"],
        );
        check(
            "/ip6/2001:db8::7/tcp/1",
            "2001:db8::7",
            ["[2001:db8::7]:1", "[2001:db8::7]:2"],
        );
        let both = ["192.0.2.7:65534", "192.0.2.7:65535"];
        check("/dns/node.example.org/tcp/65534", "192.0.2.7", both);
        check("/dns4/node.example.org/tcp/65534", "192.0.2.7", both);
        check(
            "/dns6/n1/tcp/27000",
            "2001:db8::7",
            ["[2001:db8::7]:27000", "[2001:db8::7]:27001"],
        );
        let named = NodeEndpoint::parse("/dns4/n1/tcp/27000/p2p/12D3Koo").unwrap();
        assert_eq!(named.to_string(), "/dns4/n1/tcp/27000");
        assert_eq!(named.host.name(), Some("n1"));
        assert!(!named.host.takes("2001:db8::7".parse().unwrap()));
    }

    #[test]
    fn says_what_is_wrong_with_others() {
        let check = |text: &str, problem: &str| {
            let error = NodeEndpoint::parse(text).unwrap_err();
            assert_eq!((error.text.as_str(), error.problem), (text, problem));
            assert!(error.to_string().contains("/dns4/NAME/tcp/PORT"), "{error}");
        };
        let parts = "has other parts than a machine and a TCP port";
        let (four, six) = (
            "has no IPv4 address of one machine",
            "has no IPv6 address of one machine",
        );
        let (name, port) = ("has no domain name", "has no port of 1 to 65534");
        for (text, problem) in [
            ("", "does not begin with `/`"),
            ("ip4/192.0.2.7/tcp/27000", "does not begin with `/`"),
            ("192.0.2.7:27000", "does not begin with `/`"),
            ("/", parts),
            ("/ip4/192.0.2.7", parts),
            ("/ip4/192.0.2.7/tcp", parts),
            ("/ip4/192.0.2.7/tcp/27000/", parts),
            ("/ip4/192.0.2.7/tcp/27000/ws", parts),
            ("/ip4/192.0.2.7/tcp/27000/p2p", parts),
            ("/ip4/192.0.2.7/tcp/27000/p2p/a/b", parts),
            ("/ip4/192.0.2.7/udp/27000", "is not over TCP"),
            ("/ip4/2001:db8::7/tcp/1", four),
            ("/ip4/0.0.0.0/tcp/27000", four),
            ("/ip4/255.255.255.255/tcp/27000", four),
            ("/ip4/224.0.0.1/tcp/27000", four),
            ("/ip4/192.0.2/tcp/27000", four),
            ("/ip4/node.example.org/tcp/27000", four),
            ("/ip6/192.0.2.7/tcp/1", six),
            ("/ip6/::/tcp/1", six),
            ("/ip4/192.0.2.7/tcp/0", port),
            ("/ip4/192.0.2.7/tcp/65535", port),
            ("/ip4/192.0.2.7/tcp/65536", port),
            ("/ip4/192.0.2.7/tcp/+1", port),
            ("/ip4/192.0.2.7/tcp/x", port),
            ("/dns4//tcp/27000", name),
            ("/dns4/192.0.2.7/tcp/27000", name),
            ("/dns4/a..b/tcp/27000", name),
            ("/dns4/-a/tcp/27000", name),
            ("/dns4/a b/tcp/27000", name),
            (
                "/dnsaddr/a/tcp/27000",
                "begins with none of ip4, ip6, dns, dns4, dns6",
            ),
        ] {
            check(text, problem);
        }
        let long = format!("/dns4/{}/tcp/27000", ["a"; 128].join("."));
        check(&long, name);
    }
}
