//! Who attested a digest: anybody may, so whoever was first is not the only one.

use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes};
use tbsi_rpc::Client;
use tbsi_types::LeafIndex;
use tbsi_types::log::Leaf;

use crate::lang::{Language, demand};
use crate::proof::ProofFile;
use crate::report::note;

/// Pages of attestations of one digest that are looked through.
const PAGES_MAX: usize = 64;

/// Issuers of one digest that are named.
const ISSUERS_MAX: usize = 16;

/// Others who attested the same.
#[derive(Default)]
pub(super) struct Others {
    /// First leaf of each.
    known: BTreeMap<Address, LeafIndex>,
    /// There may be more.
    more: bool,
}

pub(super) fn name_others(others: &Others, lang: Language) {
    for (issuer, index) in others.known.iter().take(ISSUERS_MAX) {
        note(&lang.pick(
            format!("also attested by {issuer}, leaf {index}; --issuer {issuer} chooses it"),
            format!("{issuer} 也存證過（第 {index} 筆紀錄）；可用 --issuer {issuer} 選擇"),
        ));
    }
    if others.more || others.known.len() > ISSUERS_MAX {
        note(lang.pick(
            "there are more attestations of it; tbsi_findByDigest lists all",
            "另有更多存證；tbsi_findByDigest 可列出全部",
        ));
    }
}

/// The first attestation of a digest, by `issuer` if one is given, and who else attested it.
pub(super) async fn choose(
    client: &Client,
    digest: &Bytes,
    issuer: Option<Address>,
) -> anyhow::Result<Option<(LeafIndex, Others)>> {
    let mut all = Others::default();
    let mut first = None;
    let mut from = Some(LeafIndex(0));
    for _ in 0..PAGES_MAX {
        let Some(start) = from else { break };
        let page = client.find_by_digest(digest, start).await?;
        for entry in &page.entries {
            let by = Leaf::decode(&entry.leaf)?.head.issuer;
            all.known.entry(by).or_insert(entry.index);
            first = first.or(Some(by));
        }
        from = page.next;
    }
    all.more = from.is_some();
    let Some(chosen) = issuer.or(first) else {
        return Ok(None);
    };
    let found = all.known.remove(&chosen);
    demand(found.is_some() || !all.more, || {
        (
            format!(
                "none of the first {PAGES_MAX} pages of attestations is by {chosen}; give the id \
                 of the attestation"
            ),
            format!("前 {PAGES_MAX} 頁的存證中沒有 {chosen} 的；請改以存證識別碼查詢"),
        )
    })?;
    // Whoever knows whom to ask for is not told of the others.
    let others = if issuer.is_some() {
        Others::default()
    } else {
        all
    };
    Ok(found.map(|index| (index, others)))
}

/// Says of a proof with names whose it does not have.
pub(super) fn name_unproven(file: &ProofFile, lang: Language) {
    let Some(part) = &file.registry else { return };
    // Of an absence nobody is the issuer, and nobody asked for one.
    let absence = file.map.as_ref().is_some_and(|map| map.root.is_none());
    if part.issuer.is_none() && !absence {
        note(lang.pick(
            "the issuer's legal name is not proved: its account was no organisation's in the whole \
             of that block, or the organisation got other names in it, or the chain states it",
            "簽發者的法定名稱未經證明：該區塊中其帳戶不全程屬於任一機構，或機構於該區塊更名，或該筆由鏈本身陳述",
        ));
    }
    let (all, named) = (
        part.validators.len(),
        part.validators.iter().flatten().count(),
    );
    if named < all {
        note(&lang.pick(
            format!(
                "identifiers of {named} of {all} validators are proved; ask again after the next \
                 handover, if an organisation got other names"
            ),
            format!(
                "{all} 個驗證者中 {named} 個的編號經證明；機構若甫更名，請於下次交接後再取得證明"
            ),
        ));
    }
}
