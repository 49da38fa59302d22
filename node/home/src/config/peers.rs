//! The peers that a genesis file names, as a configuration has them.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use tbsi_types::Genesis;
use tbsi_types::genesis::NodeEntry;
use toml::Value;

use super::{Config, PeerConfig};

impl Config {
    /// Takes those other nodes of a genesis file as peers that say at which IP address they are.
    /// The port for transactions is the one after that for consensus, as where nobody chose
    /// others.
    pub fn with_peers_of(mut self, genesis: &Genesis) -> Self {
        let nodes = others(&self, genesis);
        let found: Vec<_> = nodes.into_iter().filter_map(peer).collect();
        self.p2p.peers.extend(found);
        self
    }

    /// Comments for `config.toml` about the nodes of a genesis file that are no peers yet, each
    /// to be completed.
    pub fn comments_on_peers(&self, genesis: &Genesis) -> String {
        let mut text = String::new();
        for node in others(self, genesis) {
            let place = node
                .endpoint
                .as_deref()
                .unwrap_or("an address that it does not say");
            let (name, id) = (one_line(&node.name), Value::from(one_line(&node.peer_id)));
            let place = one_line(place);
            write!(
                text,
                "\n# {name} is at {place}: put its IP address here.\n# [[p2p.peers]]\n# peer_id = \
                 {id}\n# consensus = \"IP:27000\"\n# gossip = \"IP:27001\"\n"
            )
            .expect("a String takes all");
        }
        text
    }

    /// How many nodes of a genesis file this configuration could connect to, and does not.
    pub fn peers_left_out(&self, genesis: &Genesis) -> usize {
        others(self, genesis).len()
    }
}

/// Nodes that are neither this one nor among its peers.
fn others<'a>(config: &Config, genesis: &'a Genesis) -> Vec<&'a NodeEntry> {
    let known = |node: &NodeEntry| {
        let peers = config.p2p.peers.iter();
        node.name == config.name || peers.clone().any(|peer| peer.peer_id == node.peer_id)
    };
    genesis.nodes.iter().filter(|node| !known(node)).collect()
}

/// A comment ends with its line.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}

/// `/ip4/A/tcp/P` or `/ip6/A/tcp/P`, perhaps with `/p2p/ID` behind.
fn peer(node: &NodeEntry) -> Option<PeerConfig> {
    let mut parts = node.endpoint.as_deref()?.strip_prefix('/')?.split('/');
    let (family, address) = (parts.next()?, parts.next()?);
    let address: IpAddr = address.parse().ok()?;
    let fits = match family {
        "ip4" => address.is_ipv4(),
        "ip6" => address.is_ipv6(),
        _ => false,
    };
    let port: u16 = (parts.next()? == "tcp")
        .then(|| parts.next())??
        .parse()
        .ok()?;
    let gossip = port.checked_add(1)?;
    let usable = fits && port > 0 && !address.is_unspecified();
    usable.then(|| PeerConfig {
        peer_id: node.peer_id.clone(),
        consensus: SocketAddr::new(address, port),
        gossip: SocketAddr::new(address, gossip),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use tbsi_types::TimestampMs;
    use tbsi_types::genesis::ConsensusParameters;

    fn node(name: &str, endpoint: Option<&str>) -> NodeEntry {
        NodeEntry {
            name: name.into(),
            peer_id: format!("id of {name}"),
            endpoint: endpoint.map(str::to_owned),
            ..NodeEntry::default()
        }
    }

    #[test]
    fn addresses_are_those_of_multiaddrs() {
        let check = |endpoint: &str, expected: Option<(&str, &str)>| {
            let found = peer(&node("a", Some(endpoint)));
            let found = found.map(|it| (it.consensus.to_string(), it.gossip.to_string()));
            let expected = expected.map(|(one, other)| (one.to_owned(), other.to_owned()));
            assert_eq!(found, expected, "{endpoint}");
        };
        let good = Some(("192.0.2.7:27000", "192.0.2.7:27001"));
        check("/ip4/192.0.2.7/tcp/27000", good);
        check("/ip4/192.0.2.7/tcp/27000/p2p/12D3Koo", good);
        check(
            "/ip6/2001:db8::7/tcp/1",
            Some(("[2001:db8::7]:1", "[2001:db8::7]:2")),
        );
        for bad in [
            "",
            "/",
            "/dns4/node.example.org/tcp/27000",
            "/ip4/2001:db8::7/tcp/1",
            "/ip6/192.0.2.7/tcp/1",
            "/ip4/0.0.0.0/tcp/27000",
            "/ip4/192.0.2.7/udp/27000",
            "/ip4/192.0.2.7/tcp/0",
            "/ip4/192.0.2.7/tcp/65535",
            "/ip4/192.0.2.7/tcp/x",
            "/ip4/192.0.2.7/tcp",
            "/ip4/192.0.2.7",
            "ip4/192.0.2.7/tcp/27000",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn every_other_node_is_a_peer_or_a_comment() {
        let genesis = Genesis {
            nodes: vec![
                node("own", Some("/ip4/192.0.2.1/tcp/27000")),
                node("far", Some("/ip4/192.0.2.2/tcp/27000")),
                node("named", Some("/dns4/node.example.org/tcp/27000")),
                node("silent\nname = 1", None),
            ],
            version: 1,
            name: "test".into(),
            chain_id: 7,
            time_ms: TimestampMs(0),
            block_gas_limit: 1,
            consensus: ConsensusParameters::default(),
            organisations: BTreeMap::new(),
            governance: None,
            accounts: BTreeMap::new(),
        };
        let config = Config::new("own", false).with_peers_of(&genesis);
        let ids: Vec<_> = config.p2p.peers.iter().map(|it| &it.peer_id).collect();
        assert_eq!(ids, ["id of far"]);
        let comments = config.comments_on_peers(&genesis);
        assert!(comments.contains("# named is at /dns4/node.example.org/tcp/27000: put its IP"));
        assert!(comments.contains("# peer_id = \"id of named\"\n"));
        assert!(
            comments
                .lines()
                .all(|line| line.is_empty() || line.starts_with('#'))
        );
        assert_eq!(config.peers_left_out(&genesis), 2);
        // Nothing is said twice.
        let again = config.clone().with_peers_of(&genesis);
        assert_eq!(again, config);
    }
}
