//! Where peers listen: the endpoints that the chain names, which may change with each block, and
//! the addresses that their names have, which may change at any time (SPEC §6.7).

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::{StreamExt, stream};
use tbsi_home::config::P2pConfig;
use tbsi_p2p::FoundAddresses;
use tbsi_p2p::limits::ADDRESSES_MAX;
use tbsi_types::{EndpointHost, NodeEndpoint, Roster};
use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use crate::limits::{ADDRESS_INTERVAL, LOOKUP_TIMEOUT, LOOKUPS_MAX};

/// Tells both networks where peers listen. What it told stays when it is dropped.
pub(crate) struct AddressFinder {
    pub(crate) consensus: watch::Sender<FoundAddresses>,
    pub(crate) gossip: watch::Sender<FoundAddresses>,
    /// What is not looked at: peers of this id are this node itself.
    own: String,
    /// Whether peers may be on this machine, as this node is itself.
    loopback: bool,
    names: Names,
}

/// What was found last for each name in use.
#[derive(Debug, Default)]
struct Names {
    known: BTreeMap<String, Vec<IpAddr>>,
    /// Names that are not found now.
    failing: BTreeSet<String>,
}

impl AddressFinder {
    /// For the node of this peer id. What needs no name is found at once, unless the chain is not
    /// to be asked.
    pub(crate) fn of(config: &P2pConfig, own: String, roster: &Roster) -> Self {
        let finder = Self {
            consensus: watch::Sender::default(),
            gossip: watch::Sender::default(),
            own,
            loopback: config.consensus.ip().to_canonical().is_loopback(),
            names: Names::default(),
        };
        if config.registry_addresses {
            finder.tell(&finder.endpoints(roster));
        }
        finder
    }

    /// Looks again when the chain names other endpoints, and once in a while, until `stop` turns
    /// true or nobody is left who could tell of a roster.
    pub(crate) async fn run(
        mut self,
        mut rosters: watch::Receiver<Arc<Roster>>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut ticks = interval(ADDRESS_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                _ = ticks.tick() => {}
                changed = rosters.changed() => if changed.is_err() { return },
            }
            let roster = Arc::clone(&rosters.borrow_and_update());
            let endpoints = self.endpoints(&roster);
            let names = endpoints.values().filter_map(|it| it.host.name());
            let names: BTreeSet<String> = names.map(str::to_owned).collect();
            // Before names are found, which may take long.
            self.tell(&endpoints);
            let found = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                found = look_up(names) => found,
            };
            self.names.take(found);
            self.tell(&endpoints);
        }
    }

    /// Of peers that say where they are, in a form that is understood; each with its peer id.
    fn endpoints(&self, roster: &Roster) -> BTreeMap<String, NodeEndpoint> {
        let peers = roster.peers.iter().filter(|(id, _)| **id != self.own);
        let endpoint = |(id, peer): (&String, &tbsi_types::PeerEntry)| {
            Some((id.clone(), NodeEndpoint::parse(&peer.endpoint).ok()?))
        };
        peers.filter_map(endpoint).collect()
    }

    /// Passes on what is known, where it changed.
    fn tell(&self, endpoints: &BTreeMap<String, NodeEndpoint>) {
        let (mut consensus, mut gossip) = (FoundAddresses::new(), FoundAddresses::new());
        for (id, endpoint) in endpoints {
            let addresses = self.addresses(&endpoint.host);
            let at = |of: fn(&NodeEndpoint, IpAddr) -> SocketAddr| {
                let all = addresses.iter().map(|address| of(endpoint, *address));
                all.collect::<Vec<_>>()
            };
            if !addresses.is_empty() {
                consensus.insert(id.clone(), at(NodeEndpoint::consensus_at));
                gossip.insert(id.clone(), at(NodeEndpoint::gossip_at));
            }
        }
        for (sender, found) in [(&self.consensus, consensus), (&self.gossip, gossip)] {
            sender.send_if_modified(|before| {
                let changed = *before != found;
                *before = found;
                changed
            });
        }
    }

    fn addresses(&self, host: &EndpointHost) -> Vec<IpAddr> {
        let own = match host {
            EndpointHost::Ip(address) => std::slice::from_ref(address),
            EndpointHost::Name(name) | EndpointHost::Name4(name) | EndpointHost::Name6(name) => {
                self.names.known.get(name).map_or(&[][..], Vec::as_slice)
            }
        };
        let usable = own.iter().filter(|it| host.takes(**it));
        let usable = usable.filter(|it| is_elsewhere(**it, self.loopback));
        usable.copied().take(ADDRESSES_MAX).collect()
    }
}

impl Names {
    /// Takes what was found. A name that is not found keeps the addresses that it had: a name
    /// server that fails separates no nodes. Names that were not asked for are forgotten.
    fn take(&mut self, found: BTreeMap<String, Vec<IpAddr>>) {
        let asked: BTreeSet<String> = found.keys().cloned().collect();
        self.known.retain(|name, _| asked.contains(name));
        self.failing.retain(|name| asked.contains(name));
        for (name, mut addresses) in found {
            if addresses.is_empty() {
                if self.failing.insert(name.clone()) {
                    warn!(
                        name,
                        "the name of a peer's machine is not found; its last address is kept, if \
                         there was one: look at this machine's DNS, and ask the peer's operator"
                    );
                }
                continue;
            }
            if self.failing.remove(&name) {
                info!(name, "the name of a peer's machine is found again");
            }
            // In any order they are the same.
            addresses.sort_unstable();
            addresses.dedup();
            self.known.insert(name, addresses);
        }
    }
}

/// An address at which another machine may be: what the chain names makes no node speak to
/// services of its own machine, or of its link.
fn is_elsewhere(address: IpAddr, loopback: bool) -> bool {
    let address = address.to_canonical();
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    let machine = !address.is_unspecified() && !address.is_multicast() && !link_local;
    machine && (loopback || !address.is_loopback())
}

/// The addresses of each name; none for one that is not found in time.
async fn look_up(names: BTreeSet<String>) -> BTreeMap<String, Vec<IpAddr>> {
    let one = |name: String| async move {
        let addresses = look_up_one(&name).await;
        (name, addresses)
    };
    stream::iter(names)
        .map(one)
        .buffer_unordered(LOOKUPS_MAX)
        .collect()
        .await
}

async fn look_up_one(name: &str) -> Vec<IpAddr> {
    // The port is not looked at.
    let found = timeout(LOOKUP_TIMEOUT, lookup_host((name, 0))).await;
    match found {
        Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
