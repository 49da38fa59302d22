//! What the figures are made of: ranges of leaves, each with the root of its own tree and its
//! leaves by kind. Whoever fetches the leaves derives both.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use serde_json::{Map, Value, json};
use tbsi_types::TreeSize;
use tbsi_types::log::{TreeNode, node_hash};

use super::counts::{kind_name, word_number};
use super::{Answer, Context, Problem};
use crate::digest::Facet;
use crate::limits::{NOW_ROWS_MAX, RECOUNT_LEAVES, RECOUNT_RANGES_MAX};
use crate::said::said;
use crate::tree::peaks;

/// `/recount`.
pub(super) fn answer(context: &Context<'_>) -> Result<Answer, Problem> {
    let size = context.size;
    let start = context.params.number("start", (0, i64::MAX as u64))?;
    let (ranges, next) = match start {
        Some(start) if start % RECOUNT_LEAVES != 0 => {
            return Err(Problem::parameter(
                "start",
                &said(
                    format!("a multiple of {RECOUNT_LEAVES} is expected"),
                    format!("應為 {RECOUNT_LEAVES} 的倍數"),
                ),
            ));
        }
        Some(start) => {
            let end = start.saturating_add(RECOUNT_LEAVES).min(size);
            (ranges(context, start..end, 256)?, None)
        }
        None => {
            let cursor = context.params.cursor()?.unwrap_or(0);
            let start = cursor - cursor % RECOUNT_LEAVES;
            let end = start.saturating_add(RECOUNT_LEAVES * RECOUNT_RANGES_MAX);
            let next = (end < size).then(|| end.to_string());
            let end = end.min(size);
            (ranges(context, start..end, RECOUNT_LEAVES)?, next)
        }
    };
    let mut total = Map::new();
    for of_kind in context.view.totals(Facet::Kind, NOW_ROWS_MAX)? {
        let code = u8::try_from(word_number(of_kind.word)).unwrap_or_default();
        if let Some(name) = kind_name(code) {
            total.insert(name.into(), json!(of_kind.count));
        }
    }
    Ok(Answer::json(&json!({
        "size": size,
        "root": context.root,
        "total": total,
        "ranges": ranges,
        "next": next,
    })))
}

fn ranges(
    context: &Context<'_>,
    leaves: std::ops::Range<u64>,
    step: u64,
) -> Result<Vec<Value>, Problem> {
    if leaves.start >= leaves.end {
        return Ok(Vec::new());
    }
    let bundles = leaves.start / 256..leaves.end.div_ceil(256);
    let mut counts: BTreeMap<u64, Map<String, Value>> = BTreeMap::new();
    for (bundle, code, count) in context.view.kinds_of(bundles)? {
        let of_range = counts.entry(bundle * 256 / step).or_default();
        if let Some(name) = kind_name(code) {
            let known = of_range.get(name).and_then(Value::as_u64).unwrap_or(0);
            of_range.insert(name.into(), json!(known + count));
        }
    }
    let mut ranges = Vec::new();
    let mut start = leaves.start;
    while start < leaves.end {
        let end = (start + step).min(leaves.end);
        ranges.push(json!({
            "start": start,
            "end": end,
            "hash": range_hash(context, start, end),
            "counts": counts.remove(&(start / step)).unwrap_or_default(),
        }));
        start = end;
    }
    Ok(ranges)
}

/// Root of the tree of the leaves `start..end` alone; `start` is a multiple of a power of two that is
/// not below their number.
fn range_hash(context: &Context<'_>, start: u64, end: u64) -> Option<B256> {
    let mut root: Option<B256> = None;
    for peak in peaks(TreeSize(end - start)).into_iter().rev() {
        let node = TreeNode {
            level: peak.level,
            index: peak.index + (start >> peak.level),
        };
        let hash = context.view.node(node, TreeSize(context.size))?;
        root = Some(root.map_or(hash, |right| node_hash(&hash, &right)));
    }
    root
}
