//! Pages of leaves by issuer, organisation, schema, kind and time.

use alloy_primitives::{Address, B256};
use serde_json::{Value, json};
use tbsi_types::bundle::{KINDS, describe};
use tbsi_types::log::{Leaf, Statement};

use super::counts::kind_code;
use super::{Answer, Context, Params, Problem};
use crate::digest::{Facet, number_word};
use crate::limits::BUNDLES_PER_PAGE;
use crate::said::said;
use crate::store::IndexedLeaf;

/// Which leaves are wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    issuer: Option<Address>,
    organisation: Option<u32>,
    schema: Option<B256>,
    /// `None` for all.
    kind: Option<u8>,
    from_ms: Option<u64>,
    to_ms: Option<u64>,
    height: Option<u64>,
}

impl Filter {
    pub(super) fn of(context: &Context<'_>) -> Result<Self, Problem> {
        Self::read(context.params)
    }

    pub(super) fn read(params: &Params) -> Result<Self, Problem> {
        let kind = match params.get("kind") {
            Some("any") => None,
            None => Some(1),
            Some(name) => Some(kind_code(name).ok_or_else(|| {
                let words = KINDS.join(", ");
                Problem::parameter(
                    "kind",
                    &said(
                        format!("one of {words}, any is expected"),
                        format!("應為下列之一：{words}, any"),
                    ),
                )
            })?),
        };
        let times = (0, i64::MAX as u64);
        let organisation = params.number("organisation", (0, u32::MAX.into()))?;
        Ok(Self {
            issuer: params.account("issuer")?,
            organisation: organisation.and_then(|it| u32::try_from(it).ok()),
            schema: params.hash("schema")?,
            kind,
            from_ms: params.number("fromMs", times)?,
            to_ms: params.number("toMs", times)?,
            height: params.number("height", times)?,
        })
    }

    fn wants(&self, context: &Context<'_>, indexed: &IndexedLeaf) -> bool {
        let Leaf { head, statement } = &indexed.leaf;
        let (time, height) = (head.time.0, head.height.0);
        let schema = if let Statement::Attestation(it) = statement {
            Some(it.schema)
        } else {
            None
        };
        self.issuer.is_none_or(|it| it == head.issuer)
            && self.schema.is_none_or(|it| Some(it) == schema)
            && self.kind.is_none_or(|it| it == statement.kind())
            && self.from_ms.is_none_or(|it| it <= time)
            && self.to_ms.is_none_or(|it| it >= time)
            && self.height.is_none_or(|it| it == height)
            && self.organisation.is_none_or(|it| {
                let whose = context
                    .registry()
                    .organisation_at(&head.issuer, indexed.position);
                whose.unwrap_or(0) == it
            })
    }

    /// What narrows the search most, as bundles are found by it.
    fn facet(&self) -> Option<(Facet, B256)> {
        let issuer = self.issuer.map(|it| (Facet::Issuer, it.into_word()));
        let schema = self.schema.map(|it| (Facet::Schema, it));
        let organisation = self
            .organisation
            .map(|it| (Facet::Organisation, number_word(it.into())));
        let kind = self.kind.map(|it| (Facet::Kind, number_word(it.into())));
        issuer.or(schema).or(organisation).or(kind)
    }
}

/// A page of leaves and where the next one begins.
pub(super) struct Page {
    pub(super) leaves: Vec<IndexedLeaf>,
    pub(super) next: Option<u64>,
}

/// Leaves that a filter wants. The cursor is the position before which, or from which on, the
/// page begins.
pub(super) fn page(
    context: &Context<'_>,
    filter: &Filter,
    newest: bool,
    cursor: Option<u64>,
    limit: usize,
) -> Result<Page, Problem> {
    let (lowest, highest) = bounds(context, filter)?;
    let start = match (cursor, newest) {
        (Some(cursor), true) => cursor.min(highest),
        (None, true) => highest,
        (Some(cursor), false) => cursor.max(lowest),
        (None, false) => lowest,
    };
    let done = Page {
        leaves: Vec::new(),
        next: None,
    };
    if (newest && start <= lowest) || (!newest && start >= highest) {
        return Ok(done);
    }
    let bundle = if newest {
        (start - 1) / 256
    } else {
        start / 256
    };
    let bundles = bundles(context, filter, bundle, newest)?;
    let mut page = done;
    for bundle in bundles.iter().take(BUNDLES_PER_PAGE) {
        let mut leaves = context.view.leaves(*bundle)?;
        if newest {
            leaves.reverse();
        }
        for leaf in leaves {
            let position = leaf.position;
            let inside = position >= lowest && position < highest;
            let after = if newest {
                position < start
            } else {
                position >= start
            };
            if !inside || !after || !filter.wants(context, &leaf) {
                continue;
            }
            if page.leaves.len() == limit {
                let last = page.leaves.last().map_or(start, |last| last.position);
                page.next = Some(if newest { last } else { last + 1 });
                return Ok(page);
            }
            page.leaves.push(leaf);
        }
    }
    if let Some(more) = bundles.get(BUNDLES_PER_PAGE) {
        let next = if newest { (more + 1) * 256 } else { more * 256 };
        let further = if newest {
            next > lowest
        } else {
            next < highest
        };
        page.next = further.then_some(next);
    }
    Ok(page)
}

/// Positions between which all wanted leaves are.
fn bounds(context: &Context<'_>, filter: &Filter) -> Result<(u64, u64), Problem> {
    let view = context.view;
    let (mut lowest, mut highest) = (0, context.size);
    let first_of = |bundle: Option<u64>| bundle.map_or(context.size, |bundle| bundle * 256);
    if let Some(from) = filter.from_ms {
        lowest = lowest.max(first_of(view.bundle_of_time(from)?));
    }
    if let Some(to) = filter.to_ms {
        // The bundle that has the first leaf after it may have wanted ones too.
        let after = view.bundle_of_time(to.saturating_add(1))?;
        highest = highest.min(after.map_or(context.size, |bundle| (bundle + 1) * 256));
    }
    if let Some(height) = filter.height {
        lowest = lowest.max(first_of(view.bundle_of_height(height)?));
        let after = view.bundle_of_height(height.saturating_add(1))?;
        highest = highest.min(after.map_or(context.size, |bundle| (bundle + 1) * 256));
    }
    Ok((lowest, highest.min(context.size)))
}

/// Bundles to look into, one more than are read.
fn bundles(
    context: &Context<'_>,
    filter: &Filter,
    start: u64,
    newest: bool,
) -> Result<Vec<u64>, Problem> {
    let max = BUNDLES_PER_PAGE + 1;
    if let Some((facet, word)) = filter.facet() {
        return Ok(context.view.postings(facet, word, start, newest, max)?);
    }
    let last = context.size.saturating_sub(1) / 256;
    Ok(if newest {
        (0..=start).rev().take(max).collect()
    } else {
        (start..=last).take(max).collect()
    })
}

/// `/attestations`.
pub(super) fn answer(context: &Context<'_>) -> Result<Answer, Problem> {
    let params = context.params;
    let filter = Filter::of(context)?;
    let newest = params.choice("order", &["newest", "oldest"])? != Some(1);
    let limit = params.limit()?;
    let page = page(context, &filter, newest, params.cursor()?, limit)?;
    let items = page.leaves.iter().map(|leaf| json(context, leaf));
    Ok(Answer::json(&json!({
        "size": context.size,
        "items": items.collect::<Vec<_>>(),
        "next": page.next.map(|next| next.to_string()),
    })))
}

/// A leaf in an answer.
pub(super) fn json(context: &Context<'_>, indexed: &IndexedLeaf) -> Value {
    json!({
        "position": indexed.position,
        "leaf": alloy_primitives::Bytes::copy_from_slice(&indexed.bytes),
        "statement": describe(&indexed.leaf),
        "issuerName": issuer_name(context, indexed),
    })
}

/// The legal name of whose account the issuer's was.
pub(super) fn issuer_name(context: &Context<'_>, indexed: &IndexedLeaf) -> Value {
    let issuer = &indexed.leaf.head.issuer;
    let number = context.registry().organisation_at(issuer, indexed.position);
    number.map_or(Value::Null, |number| context.name(number))
}
