//! Versions of a data set, and who else vouches for them.

use std::collections::{BTreeMap, VecDeque};

use alloy_primitives::{B256, Bytes};
use serde_json::{Value, json};
use tbsi_types::log::{Attestation, Lookup, Statement};

use super::attestation::{Bearings, bearings, first_of};
use super::leaves::issuer_name;
use super::{Answer, Context, Problem};
use crate::digest::successor_key;
use crate::limits::{GRAPH_DEPTH_MAX, GRAPH_EDGES_MAX, GRAPH_NODES_MAX};
use crate::said::said;
use crate::store::IndexedLeaf;

const DEPTH: u64 = 4;

/// An arrow: from, to, what, position, whether it counts.
type Edge = (B256, B256, &'static str, u64, bool);

/// A graph that grows from one attestation.
#[derive(Default)]
struct Graph {
    nodes: BTreeMap<B256, Value>,
    edges: Vec<Edge>,
    waiting: VecDeque<(B256, u64)>,
    more: bool,
}

/// `/provenance`.
pub(super) fn answer(context: &Context<'_>) -> Result<Answer, Problem> {
    let start = context.params.hash("id")?;
    let Some(start) = start else {
        return Err(Problem::parameter(
            "id",
            &said("the id of an attestation is expected", "應為存證的識別碼"),
        ));
    };
    let depth = context.params.number("depth", (1, GRAPH_DEPTH_MAX))?;
    let depth = depth.unwrap_or(DEPTH);
    if first_of(context, start)?.is_none() {
        return Err(Problem::not_found(&said(
            format!("Nobody attested {start} below position {}.", context.size),
            format!("位置 {} 之前沒有人存證 {start}。", context.size),
        )));
    }
    let mut graph = Graph::default();
    graph.waiting.push_back((start, 0));
    while let Some((id, steps)) = graph.waiting.pop_front() {
        if graph.nodes.contains_key(&id) {
            continue;
        }
        if graph.nodes.len() == GRAPH_NODES_MAX {
            graph.more = true;
            break;
        }
        visit(context, &mut graph, id, steps < depth, steps)?;
    }
    let Graph {
        nodes,
        mut edges,
        mut more,
        ..
    } = graph;
    let known = |edge: &Edge| nodes.contains_key(&edge.0) && nodes.contains_key(&edge.1);
    more |= edges.iter().any(|edge| !known(edge)) || edges.len() > GRAPH_EDGES_MAX;
    edges.retain(known);
    edges.sort_unstable();
    edges.dedup();
    edges.truncate(GRAPH_EDGES_MAX);
    let edges = edges.iter().map(|(from, to, what, position, counts)| {
        json!({ "from": from, "to": to, "what": what, "position": position, "counts": counts })
    });
    Ok(Answer::json(&json!({
        "start": start,
        "nodes": nodes.values().collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "more": more,
        "size": context.size,
    })))
}

fn visit(
    context: &Context<'_>,
    graph: &mut Graph,
    id: B256,
    further: bool,
    steps: u64,
) -> Result<(), Problem> {
    let attested = first_of(context, id)?;
    let Some(indexed) = &attested else {
        graph.nodes.insert(id, unknown(id));
        return Ok(());
    };
    let Statement::Attestation(attestation) = &indexed.leaf.statement else {
        return Ok(());
    };
    let head = indexed.leaf.head;
    let bearings = bearings(context, id, head.issuer, attestation)?;
    let node = json!({
        "node": id,
        "what": "attestation",
        "id": id,
        "position": indexed.position,
        "timeMs": head.time,
        "issuer": head.issuer,
        "issuerName": issuer_name(context, indexed),
        "schema": attestation.schema,
        "digest": Bytes::from(attestation.digest.to_bytes()),
        "verdict": bearings.verdict,
    });
    graph.nodes.insert(id, node);
    let edges = edges_of(context, graph, indexed, attestation, &bearings)?;
    for edge in edges {
        let other = if edge.0 == id { edge.1 } else { edge.0 };
        if graph.edges.len() > GRAPH_EDGES_MAX {
            graph.more = true;
            break;
        }
        graph.edges.push(edge);
        if further {
            graph.waiting.push_back((other, steps + 1));
        }
    }
    Ok(())
}

/// The arrows to and from an attestation.
fn edges_of(
    context: &Context<'_>,
    graph: &mut Graph,
    indexed: &IndexedLeaf,
    attestation: &Attestation,
    bearings: &Bearings,
) -> Result<Vec<Edge>, Problem> {
    let mut edges = Vec::new();
    let Some(id) = indexed.leaf.attestation_id() else {
        return Ok(edges);
    };
    if let Some(it) = bearings.status.supersession {
        edges.push((id, it.what, "supersededBy", it.index.0, true));
    }
    let (earlier, more) = context.view.find_by(successor_key(id), |leaf| {
        matches!(leaf.statement, Statement::Supersession { successor, .. } if successor == id)
    })?;
    graph.more |= more;
    for it in &earlier {
        if let Statement::Supersession { id: old, .. } = it.leaf.statement {
            let attested = first_of(context, old)?;
            let counts = attested.is_some_and(|at| at.leaf.head.issuer == it.leaf.head.issuer);
            edges.push((old, id, "supersededBy", it.position, counts));
        }
    }
    if let Some(lookup) = Lookup::digest(&attestation.digest.to_bytes()) {
        let (same, more) = context.view.find(&lookup)?;
        graph.more |= more;
        for it in same {
            if let Some(other) = it.leaf.attestation_id().filter(|other| *other != id) {
                let (from, to) = (id.min(other), id.max(other));
                edges.push((
                    from,
                    to,
                    "sameDigest",
                    it.position.max(indexed.position),
                    true,
                ));
            }
        }
    }
    Ok(edges)
}

fn unknown(id: B256) -> Value {
    json!({
        "node": id, "what": "unknown", "id": id, "position": null, "timeMs": null,
        "issuer": null, "issuerName": null, "schema": null, "digest": null, "verdict": null,
    })
}
