//! Ports on 127.0.0.1.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::error::NetworkError;

/// JSON-RPC, metrics, consensus, gossip.
pub(crate) const PORTS_PER_NODE: usize = 4;
/// Distance between the first ports of two nodes, where a base port is given.
pub(crate) const PORT_STEP: u16 = 10;

/// Searched for free ports. Below 32768, where Linux takes the ports of outgoing connections
/// from: a stopped node must find its ports free when it starts again.
const SEARCHED: std::ops::Range<u16> = 12_000..32_000;

/// JSON-RPC, metrics, consensus and gossip ports of `nodes` nodes.
pub(crate) fn assign(
    nodes: usize,
    base: Option<u16>,
) -> Result<Vec<[u16; PORTS_PER_NODE]>, NetworkError> {
    match base {
        Some(base) => from_base(nodes, base),
        None => free(nodes),
    }
}

fn from_base(nodes: usize, base: u16) -> Result<Vec<[u16; PORTS_PER_NODE]>, NetworkError> {
    let steps = (base..=u16::MAX).step_by(usize::from(PORT_STEP));
    let assigned = steps
        .take(nodes)
        .map(|first| [first, first + 1, first + 2, first + 3]);
    let assigned: Vec<_> = assigned.collect();
    for port in assigned.iter().flatten().copied() {
        listen(port).map_err(|source| NetworkError::PortTaken { port, source })?;
    }
    Ok(assigned)
}

fn free(nodes: usize) -> Result<Vec<[u16; PORTS_PER_NODE]>, NetworkError> {
    // Networks made at the same time, by one process or several, look in different places.
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let width = SEARCHED.end - SEARCHED.start;
    let process = u16::try_from(std::process::id() % u32::from(width)).expect("below width");
    let own = NEXT.fetch_add(200, Ordering::Relaxed) % width;
    let start = (u32::from(process) * 61 + u32::from(own)) % u32::from(width);
    let start = u16::try_from(start).expect("below width");
    let candidates = (SEARCHED.start + start..SEARCHED.end).chain(SEARCHED.start..SEARCHED.end);

    let wanted = nodes * PORTS_PER_NODE;
    // All are held until the last one is found, so that none is found twice.
    let held: Vec<(u16, TcpListener)> = candidates
        .filter_map(|port| Some((port, listen(port).ok()?)))
        .take(wanted)
        .collect();
    if held.len() < wanted {
        let found = held.len();
        return Err(NetworkError::NoPorts { found, wanted });
    }
    let ports: Vec<u16> = held.iter().map(|(port, _)| *port).collect();
    let (assigned, rest) = ports.as_chunks::<PORTS_PER_NODE>();
    assert!(rest.is_empty());
    Ok(assigned.to_vec())
}

fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn finds_distinct_free_ports() {
        let (one, two) = (assign(5, None).unwrap(), assign(5, None).unwrap());
        let all: BTreeSet<u16> = one.iter().chain(&two).flatten().copied().collect();
        assert_eq!(all.len(), 40, "{one:?} {two:?}");
        assert!(all.iter().all(|port| SEARCHED.contains(port)));
    }

    #[test]
    fn counts_up_from_a_base_and_names_a_taken_port() {
        let [base, ..] = assign(3, None).unwrap()[0];
        let held = listen(base + 12);
        let taken = assign(2, Some(base)).unwrap_err().to_string();
        assert!(
            taken.contains(&format!("port {} is not free", base + 12)),
            "{taken}"
        );
        drop(held);
        let assigned = from_base(2, base).unwrap();
        assert_eq!(assigned[1], [base + 10, base + 11, base + 12, base + 13]);
    }
}
