//! Whether the ports of other nodes answer from here, and whether others know where this one is.

use std::time::Duration;

use futures::{StreamExt, stream};
use tbsi_home::config::Config;
use tbsi_types::{EndpointHost, Genesis, NodeEndpoint};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::finding::{Check, Finding, Verdict, both};
use super::home::out_of_reach;
use crate::lang::Sentence;
use crate::shown;

/// How long a port may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// Ports that are tried at once.
const TRIES: usize = 16;
/// Nodes that are tried.
const NODES_MAX: usize = 256;

/// Where a node is, as the chain or the configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    /// Hosts and ports for consensus and for transactions.
    pub(super) ports: Vec<(String, u16)>,
}

impl Place {
    /// `None` of an endpoint that is not understood.
    pub(super) fn new(name: &str, endpoint: &str) -> Option<Self> {
        let endpoint = NodeEndpoint::parse(endpoint).ok()?;
        let host = match &endpoint.host {
            EndpointHost::Ip(address) => address.to_string(),
            EndpointHost::Name(name) | EndpointHost::Name4(name) | EndpointHost::Name6(name) => {
                name.clone()
            }
        };
        let gossip = endpoint.gossip_port();
        Some(Self {
            name: name.into(),
            ports: vec![(host.clone(), endpoint.port), (host, gossip)],
        })
    }
}

/// Other nodes of the genesis file, for a chain that does not say where they are.
pub(super) fn of_genesis(genesis: &Genesis, own: &str) -> Vec<Place> {
    let nodes = genesis.nodes.iter().filter(|node| node.name != own);
    nodes
        .filter_map(|node| Place::new(&node.name, node.endpoint.as_deref()?))
        .collect()
}

/// Nodes that the configuration gives addresses of.
pub(super) fn of_config(config: &Config) -> Vec<Place> {
    let peers = config.p2p.peers.iter();
    peers
        .map(|peer| Place {
            name: peer.peer_id.clone(),
            ports: [peer.consensus, peer.gossip]
                .map(|address| (address.ip().to_string(), address.port()))
                .into(),
        })
        .collect()
}

/// Tries both ports of each node.
pub(super) async fn reaches(mut places: Vec<Place>) -> Finding {
    places.truncate(NODES_MAX);
    let nodes = places.len();
    let tries = places.into_iter().flat_map(|place| {
        let name = place.name;
        let ports = place.ports.into_iter();
        ports.map(move |(host, port)| (name.clone(), host, port))
    });
    let mut silent: Vec<String> = stream::iter(tries)
        .map(|(name, host, port)| async move {
            let connected = TcpStream::connect((host.as_str(), port));
            let answers = matches!(timeout(ANSWER_TIMEOUT, connected).await, Ok(Ok(_)));
            (!answers).then(|| format!("{} at {host}:{port}", shown::line(&name)))
        })
        .buffer_unordered(TRIES)
        .filter_map(|silent| async move { silent })
        .collect()
        .await;
    silent.sort();
    judge(nodes, &silent)
}

fn judge(nodes: usize, silent: &[String]) -> Finding {
    let check = Check::ReachesPeers;
    if silent.is_empty() {
        let said = both(
            format!("both ports of {nodes} other nodes answer from here"),
            format!("由此可連到 {nodes} 個其他節點的兩個連接埠"),
        );
        return Finding::good(check, said);
    }
    let verdict = if silent.len() == 2 * nodes {
        Verdict::Bad
    } else {
        Verdict::Warning
    };
    let list = silent.join(", ");
    Finding::of(
        check,
        verdict,
        both(
            format!("these ports do not answer from here: {list}"),
            format!("由此連不到下列連接埠：{list}"),
        ),
        both(
            "if it is all of them, let this machine connect outwards; otherwise tell their \
             operators, whose firewall may be closed or whose endpoint is old: `tbsi operator \
             update NODE --endpoint MULTIADDR`",
            "若全部連不到，請開放本機對外連線；否則請通知其營運者檢查防火牆，或更新登記的位址：\
             `tbsi operator update NODE --endpoint MULTIADDR`",
        ),
    )
}

/// What the registry leaves out, and the remedy.
fn no_endpoint(name: &str) -> (Sentence, Sentence) {
    (
        both(
            format!("the registry does not say where `{name}` is"),
            format!("登記未載明 `{name}` 的位址"),
        ),
        both(
            format!(
                "`tbsi operator update {name} --endpoint /dns4/NAME/tcp/PORT`, so that others \
                 find this node"
            ),
            format!(
                "請以 `tbsi operator update {name} --endpoint /dns4/NAME/tcp/PORT` 載明，\
                 其他節點才找得到本節點"
            ),
        ),
    )
}

/// Whether this node listens where the registry of the chain says that it is.
pub(super) fn registered(config: &Config, endpoint: Option<&str>) -> Option<Finding> {
    let name = &config.name;
    let warn = |said, remedy| {
        Some(Finding::of(
            Check::Configuration,
            Verdict::Warning,
            said,
            remedy,
        ))
    };
    let Some(endpoint) = endpoint else {
        return warn(
            both(
                format!("the registry has no node `{name}`"),
                format!("登記中沒有節點 `{name}`"),
            ),
            both(
                "`tbsi operator register` registers it; until then no node lets it in",
                "請以 `tbsi operator register` 登記；登記前其他節點不會准許連線",
            ),
        );
    };
    if endpoint.is_empty() {
        let (said, remedy) = no_endpoint(name);
        return warn(said, remedy);
    }
    match NodeEndpoint::parse(endpoint) {
        Ok(endpoint) => {
            let problem = config.out_of_reach_at(&endpoint).into_iter().next()?;
            let remedy = both(
                format!(
                    "listen there, or tell where it is: `tbsi operator update {name} --endpoint \
                     MULTIADDR`"
                ),
                format!(
                    "請在該處監聽，或更新位址：`tbsi operator update {name} --endpoint MULTIADDR`"
                ),
            );
            warn(out_of_reach(&problem), remedy)
        }
        Err(error) => {
            let zh_tw = format!(
                "登記的位址「{}」無法用來尋找本節點",
                shown::line(&error.text)
            );
            warn(
                both(shown::line(&error.to_string()), zh_tw),
                both(
                    format!(
                        "`tbsi operator update {name} --endpoint /dns4/NAME/tcp/PORT`, so that \
                         others find this node"
                    ),
                    format!(
                        "請執行 `tbsi operator update {name} --endpoint /dns4/NAME/tcp/PORT`，\
                         讓其他節點找得到本節點"
                    ),
                ),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn ports_that_do_not_answer_are_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().port();
        let place = |name: &str, ports: [u16; 2]| Place {
            name: name.into(),
            ports: ports.map(|port| ("127.0.0.1".into(), port)).into(),
        };
        let good = reaches(vec![place("a", [open, open])]).await;
        assert_eq!(good.verdict, Verdict::Good);
        let some = reaches(vec![place("a", [open, open]), place("b", [open, 1])]).await;
        assert_eq!(some.verdict, Verdict::Warning);
        assert!(some.said().ends_with("from here: b at 127.0.0.1:1"));
        let none = reaches(vec![place("b", [1, 1])]).await;
        assert_eq!(none.verdict, Verdict::Bad);
    }

    #[test]
    fn what_the_registry_says_of_this_node_is_compared() {
        let mut config = Config::new("own", false);
        let check = |config: &Config, endpoint: Option<&str>, words: Option<&str>| {
            let found = registered(config, endpoint);
            assert_eq!(found.is_some(), words.is_some(), "{endpoint:?}");
            if let (Some(found), Some(words)) = (found, words) {
                assert!(found.said().contains(words), "{}", found.said());
            }
        };
        let endpoint = Some("/ip4/192.0.2.1/tcp/27000");
        check(&config, None, Some("has no node `own`"));
        check(&config, Some(""), Some("does not say where `own` is"));
        check(&config, Some("x"), Some("does not begin with `/`"));
        check(&config, endpoint, Some("is reached from this machine only"));
        config.p2p.consensus = "0.0.0.0:27000".parse().unwrap();
        config.p2p.gossip = "0.0.0.0:27001".parse().unwrap();
        check(&config, endpoint, None);
    }

    #[test]
    fn places_are_read_from_endpoints() {
        let place = Place::new("a", "/dns4/a.example/tcp/27000").unwrap();
        let ports = [27_000, 27_001].map(|port| ("a.example".to_owned(), port));
        assert_eq!(place.ports, ports);
        assert_eq!(Place::new("a", "a.example:27000"), None);
    }
}
