//! What a genesis file says of where this node and the others listen, beside what the
//! configuration does.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tbsi_types::genesis::NodeEntry;
use tbsi_types::{EndpointHost, Genesis, NodeEndpoint};
use toml::Value;

use super::Config;

impl Config {
    /// Listens where a genesis file says that others reach this node, if it does: on its ports,
    /// on all addresses of the machine.
    pub fn listening_as_in(mut self, genesis: &Genesis) -> Self {
        let Some(endpoint) = own_endpoint(&self, genesis) else {
            return self;
        };
        let address = match endpoint.host {
            EndpointHost::Ip(address) if address.is_loopback() => address,
            EndpointHost::Ip(IpAddr::V6(_)) | EndpointHost::Name6(_) => {
                Ipv6Addr::UNSPECIFIED.into()
            }
            EndpointHost::Ip(IpAddr::V4(_)) | EndpointHost::Name(_) | EndpointHost::Name4(_) => {
                Ipv4Addr::UNSPECIFIED.into()
            }
        };
        self.p2p.consensus = endpoint.consensus_at(address);
        self.p2p.gossip = endpoint.gossip_at(address);
        self
    }

    /// Comments for `config.toml` about the nodes of a genesis file that this one does not find,
    /// each to be completed.
    pub fn comments_on_peers(&self, genesis: &Genesis) -> String {
        let mut text = String::new();
        for node in self.peers_not_found(genesis) {
            let place = node.endpoint.as_deref();
            let place = one_line(place.unwrap_or("an address that it does not say"));
            let (name, id) = (one_line(&node.name), Value::from(one_line(&node.peer_id)));
            write!(
                text,
                "\n# {name} is at {place}: put its IP address here.\n# [[p2p.peers]]\n# peer_id = \
                 {id}\n# consensus = \"IP:27000\"\n# gossip = \"IP:27001\"\n"
            )
            .expect("a String takes all");
        }
        text
    }

    /// How many other nodes of a genesis file this one connects to: those that it configures, and
    /// those that it finds.
    pub fn peers_found(&self, genesis: &Genesis) -> usize {
        others(self, genesis).len() - self.peers_not_found(genesis).len()
    }

    /// The other nodes of a genesis file to which this one does not connect by itself.
    pub fn peers_not_found<'a>(&self, genesis: &'a Genesis) -> Vec<&'a NodeEntry> {
        let configured = |node: &NodeEntry| {
            let mut peers = self.p2p.peers.iter();
            peers.any(|peer| peer.peer_id == node.peer_id)
        };
        let found = |node: &NodeEntry| self.p2p.registry_addresses && endpoint(node).is_some();
        let mut all = others(self, genesis);
        all.retain(|node| !configured(node) && !found(node));
        all
    }

    /// What of this configuration keeps others from reaching this node where the genesis file
    /// says that it is.
    pub fn out_of_reach(&self, genesis: &Genesis) -> Vec<OutOfReach> {
        let Some(endpoint) = own_endpoint(self, genesis) else {
            return Vec::new();
        };
        self.out_of_reach_at(&endpoint)
    }

    /// As [`Config::out_of_reach`], where the chain says that it is at `endpoint`.
    pub fn out_of_reach_at(&self, endpoint: &NodeEndpoint) -> Vec<OutOfReach> {
        let inside = matches!(endpoint.host, EndpointHost::Ip(address) if address.is_loopback());
        let ports = [
            ("p2p.consensus", self.p2p.consensus, endpoint.port),
            ("p2p.gossip", self.p2p.gossip, endpoint.gossip_port()),
        ];
        let problems = ports.into_iter().filter_map(|(field, listen, port)| {
            let loopback = listen.ip().to_canonical().is_loopback() && !inside;
            let problem = || OutOfReach {
                field,
                listen,
                endpoint: endpoint.clone(),
                expected: SocketAddr::new(everywhere(listen.ip()), port),
                loopback,
            };
            (loopback || listen.port() != port).then(problem)
        });
        problems.collect()
    }
}

/// An address to listen on that is not where others look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfReach {
    /// Key of the configuration.
    pub field: &'static str,
    /// Its value.
    pub listen: SocketAddr,
    /// Where others look for this node.
    pub endpoint: NodeEndpoint,
    /// The value that would do.
    pub expected: SocketAddr,
    /// It is reached from this machine only; otherwise it has another port.
    pub loopback: bool,
}

impl fmt::Display for OutOfReach {
    /// With the remedy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            listen,
            endpoint,
            expected,
            loopback,
        } = self;
        if *loopback {
            return write!(
                f,
                "`{field}`: {listen} is reached from this machine only, and others look for this \
                 node at {endpoint}: listen on \"{expected}\""
            );
        }
        let port = expected.port();
        write!(
            f,
            "`{field}`: {listen} has another port than {port}, at which others look for this node \
             ({endpoint} and the port after it): listen on \"{expected}\", or let the router map \
             that port to this one"
        )
    }
}

/// All addresses of the machine, in the family of one.
fn everywhere(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

fn endpoint(node: &NodeEntry) -> Option<NodeEndpoint> {
    NodeEndpoint::parse(node.endpoint.as_deref()?).ok()
}

fn own_endpoint(config: &Config, genesis: &Genesis) -> Option<NodeEndpoint> {
    let mut nodes = genesis.nodes.iter();
    endpoint(nodes.find(|node| node.name == config.name)?)
}

fn others<'a>(config: &Config, genesis: &'a Genesis) -> Vec<&'a NodeEntry> {
    let nodes = genesis.nodes.iter();
    nodes.filter(|node| node.name != config.name).collect()
}

/// A comment ends with its line.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use tbsi_types::TimestampMs;
    use tbsi_types::genesis::ConsensusParameters;

    use crate::config::PeerConfig;

    fn node(name: &str, endpoint: Option<&str>) -> NodeEntry {
        NodeEntry {
            name: name.into(),
            peer_id: format!("id of {name}"),
            endpoint: endpoint.map(str::to_owned),
            ..NodeEntry::default()
        }
    }

    fn genesis(nodes: Vec<NodeEntry>) -> Genesis {
        Genesis {
            nodes,
            version: 1,
            name: "test".into(),
            chain_id: 7,
            time_ms: TimestampMs(0),
            block_gas_limit: 1,
            consensus: ConsensusParameters::default(),
            organisations: BTreeMap::new(),
            governance: None,
            accounts: BTreeMap::new(),
        }
    }

    #[test]
    fn every_other_node_is_found_or_a_comment() {
        let genesis = genesis(vec![
            node("own", Some("/ip4/192.0.2.1/tcp/27000")),
            node("far", Some("/ip4/192.0.2.2/tcp/27000")),
            node("named", Some("/dns4/node.example.org/tcp/27000")),
            node("odd", Some("/dns4/node.example.org/udp/27000")),
            node("silent\nname = 1", None),
        ]);
        let mut config = Config::new("own", false);
        let names = |config: &Config| -> Vec<String> {
            let nodes = config.peers_not_found(&genesis).into_iter();
            nodes.map(|node| node.name.clone()).collect()
        };
        assert_eq!(names(&config), ["odd", "silent\nname = 1"]);
        assert_eq!(config.peers_found(&genesis), 2);
        let comments = config.comments_on_peers(&genesis);
        assert!(comments.contains("# odd is at /dns4/node.example.org/udp/27000: put its IP"));
        assert!(comments.contains("# peer_id = \"id of odd\"\n"));
        let is_comment = |line: &str| line.is_empty() || line.starts_with('#');
        assert!(comments.lines().all(is_comment), "{comments}");
        // What is configured need not be found.
        config.p2p.registry_addresses = false;
        assert_eq!(config.peers_found(&genesis), 0);
        let at = "192.0.2.2:27000".parse().unwrap();
        config.p2p.peers.push(PeerConfig {
            peer_id: "id of far".into(),
            consensus: at,
            gossip: at,
        });
        assert_eq!(config.peers_found(&genesis), 1);
        assert!(!names(&config).contains(&"far".to_owned()));
    }

    #[test]
    fn a_node_listens_where_others_look_for_it() {
        let check = |endpoint: &str, consensus: &str, gossip: &str| {
            let genesis = genesis(vec![node("own", Some(endpoint))]);
            let config = Config::new("own", true).listening_as_in(&genesis);
            let found = [config.p2p.consensus, config.p2p.gossip].map(|it| it.to_string());
            assert_eq!(found, [consensus, gossip], "{endpoint}");
            assert_eq!(config.out_of_reach(&genesis), []);
        };
        check(
            "/dns4/a.example/tcp/27000",
            "0.0.0.0:27000",
            "0.0.0.0:27001",
        );
        check("/ip4/192.0.2.1/tcp/9000", "0.0.0.0:9000", "0.0.0.0:9001");
        check("/ip6/2001:db8::1/tcp/9000", "[::]:9000", "[::]:9001");
        check(
            "/ip4/127.0.0.1/tcp/9000",
            "127.0.0.1:9000",
            "127.0.0.1:9001",
        );
        // Nobody says.
        let nowhere = genesis(vec![node("own", None)]);
        let config = Config::new("own", true);
        assert_eq!(config.clone().listening_as_in(&nowhere), config);
        assert_eq!(config.out_of_reach(&nowhere), []);
    }

    #[test]
    fn says_what_keeps_others_from_reaching_it() {
        let endpoint = NodeEndpoint::parse("/dns4/a.example/tcp/28000").unwrap();
        let mut config = Config::new("own", true);
        let told = |config: &Config| -> Vec<String> {
            let problems = config.out_of_reach_at(&endpoint).into_iter();
            problems.map(|problem| problem.to_string()).collect()
        };
        let problems = told(&config);
        assert_eq!(problems.len(), 2);
        assert!(problems[0].starts_with("`p2p.consensus`: 127.0.0.1:27000 is reached from this"));
        assert!(problems[0].ends_with("listen on \"0.0.0.0:28000\""));
        assert!(problems[1].ends_with("listen on \"0.0.0.0:28001\""));
        config.p2p.consensus = "0.0.0.0:28000".parse().unwrap();
        config.p2p.gossip = "[::]:28002".parse().unwrap();
        let problems = told(&config);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("`p2p.gossip`: [::]:28002 has another port than 28001"));
        assert!(problems[0].contains("listen on \"[::]:28001\""));
    }
}
