//! What became of an attestation, as a node knows.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use serde_json::{Value, json};
use tbsi_light::{TrustAnchor, verify_bundle};
use tbsi_rpc::Client;
use tbsi_rpc::wire::{self, LeafSelector};
use tbsi_types::log::lookup::BUILT_IN_SCHEMAS;
use tbsi_types::log::status::ALGORITHM_REVOKED;
use tbsi_types::log::{AttestationStatus, Bearing, Leaf, Statement};
use tbsi_types::{Height, LeafIndex, ProofBundle};

use crate::lang::{Language, SayContext, demand, said};
use crate::reasons::reason_word;
use crate::time::Times;

/// An attestation and what a node knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// Who was asked.
    pub(crate) url: String,
    /// Up to which block it knew.
    pub(crate) as_of: Height,
    /// The first attestation with the id.
    pub(crate) stated: Leaf,
    pub(crate) index: LeafIndex,
    pub(crate) revocable: bool,
    /// Whether digests of this algorithm prove nothing any more.
    pub(crate) algorithm_revoked: bool,
    pub(crate) status: AttestationStatus,
    /// Whether it was proven, and not only told, that it is revoked.
    pub(crate) proven: bool,
}

/// Asks a node; `None` if it knows no such attestation. With an anchor, each leaf that the
/// answer rests on is proven. That there is no other leaf is the node's word alone.
pub(crate) async fn ask(
    client: &Client,
    id: B256,
    anchor: Option<&TrustAnchor>,
) -> anyhow::Result<Option<Standing>> {
    let Some(answer) = client.attestation(id).await? else {
        return Ok(None);
    };
    let standing = of_answer(client.url(), id, &answer)?;
    let Some(anchor) = anchor else {
        return Ok(Some(standing));
    };
    let mut resting_on = vec![(standing.index, standing.stated)];
    let entries = leaves(&answer)?;
    let of = |index: LeafIndex| entries.get(&index).map(|leaf| (index, *leaf));
    let status = &standing.status;
    resting_on.extend(status.revocation.and_then(|it| of(it.index)));
    resting_on.extend(status.supersession.and_then(|it| of(it.index)));
    for (index, leaf) in resting_on {
        prove(client, anchor, index, &leaf).await.or_say(|| {
            let url = client.url();
            (
                format!("{url} told of leaf {index}, and does not prove it"),
                format!("{url} 提到第 {index} 筆紀錄，卻未能證明"),
            )
        })?;
    }
    // Of other schemas it is the node's word that they allow a revocation.
    let proven = BUILT_IN_SCHEMAS.contains(&answer.schema);
    Ok(Some(Standing { proven, ..standing }))
}

fn leaves(answer: &wire::Attestation) -> anyhow::Result<BTreeMap<LeafIndex, Leaf>> {
    let entries = answer.entries.iter();
    let decoded = entries.map(|entry| Ok((entry.index, Leaf::decode(&entry.leaf)?)));
    decoded.collect()
}

/// As [`ask`], without proofs; fails if nobody attested it.
pub(crate) async fn known(client: &Client, id: B256) -> anyhow::Result<Standing> {
    let found = ask(client, id, None).await?;
    found.ok_or_else(|| {
        let url = client.url();
        said(
            format!("{url} knows no attestation {id}"),
            format!("{url} 沒有存證 {id}"),
        )
    })
}

/// What an answer comes to. The conclusions are drawn again: a node may be of another version,
/// or lie.
pub(crate) fn of_answer(
    url: &str,
    id: B256,
    answer: &wire::Attestation,
) -> anyhow::Result<Standing> {
    read(url, id, answer).or_say(|| {
        (
            format!("{url} gave an answer that contradicts itself"),
            format!("{url} 的回覆自相矛盾"),
        )
    })
}

fn read(url: &str, id: B256, answer: &wire::Attestation) -> anyhow::Result<Standing> {
    let leaves = leaves(answer)?;
    let mut stated = leaves.iter();
    let stated = stated.find(|(_, leaf)| leaf.attestation_id() == Some(id));
    let Some((index, stated)) = stated else {
        return Err(said("it has no attestation", "其中沒有存證"));
    };
    let issuer = stated.head.issuer;
    let numbered = leaves.iter().map(|(index, leaf)| (*index, leaf));
    let status = AttestationStatus::of(id, issuer, answer.revocable, numbered);
    let at = |height: Option<Height>| height.map_or("-".to_owned(), |it| it.to_string());
    let drawn = status.revocation.map(|it| it.head.height);
    demand(
        drawn == answer.revoked_at && issuer == answer.issuer,
        || {
            let (told, drawn) = (at(answer.revoked_at), at(drawn));
            (
                format!("it says revoked at {told}, its leaves say {drawn}"),
                format!("它說撤銷於 {told}，其紀錄則為 {drawn}"),
            )
        },
    )?;
    Ok(Standing {
        url: url.to_owned(),
        as_of: answer.as_of,
        stated: *stated,
        index: *index,
        revocable: answer.revocable,
        algorithm_revoked: answer.algorithm_status == ALGORITHM_REVOKED,
        status,
        proven: false,
    })
}

async fn prove(
    client: &Client,
    anchor: &TrustAnchor,
    index: LeafIndex,
    leaf: &Leaf,
) -> anyhow::Result<()> {
    let json = client.proof(&LeafSelector::Index(index)).await?;
    let Some(json) = json else {
        return Err(said("it has no proof of it", "它沒有該筆的證明"));
    };
    let bundle = ProofBundle::parse_json(json.get().as_bytes())?;
    let verified = verify_bundle(&bundle, anchor)?;
    let same = verified.leaf_index == index && verified.leaf == *leaf;
    demand(same, || {
        (
            "the proof is of another leaf".into(),
            "證明屬於另一筆紀錄".into(),
        )
    })
}

impl Standing {
    /// Whether it proves nothing any more.
    pub(crate) fn is_void(&self) -> bool {
        self.status.revocation.is_some() || self.algorithm_revoked
    }

    /// In a few words.
    pub(crate) fn verdict(&self, lang: Language) -> String {
        let as_of = self.as_of;
        if let Some(revocation) = &self.status.revocation {
            return revoked(revocation, lang);
        }
        if self.algorithm_revoked {
            return lang.pick(
                format!("its digest algorithm was revoked, as of block {as_of}"),
                format!("其摘要演算法已廢止（截至區塊 {as_of}）"),
            );
        }
        lang.pick(
            format!("not revoked as of block {as_of}"),
            format!("截至區塊 {as_of} 未撤銷"),
        )
    }

    /// What the verdict rests on.
    pub(crate) fn source(&self, lang: Language) -> String {
        let url = &self.url;
        match (self.status.revocation.is_some(), self.proven) {
            (true, true) => lang.pick(
                "the revocation was proven like the attestation".to_owned(),
                "撤銷紀錄已如同存證一樣經證明".to_owned(),
            ),
            (_, _) => lang.pick(
                format!("{url} says so; it is a node's word and no proof"),
                format!("此為 {url} 的說法，並非證明"),
            ),
        }
    }

    /// For programs.
    pub(crate) fn summary(&self) -> Value {
        let status = &self.status;
        let (as_of, url) = (self.as_of, &self.url);
        json!({
            "asOf": as_of,
            "source": url,
            "status": if status.revocation.is_some() {
                "revoked"
            } else if self.algorithm_revoked {
                "algorithmRevoked"
            } else {
                "notRevoked"
            },
            "proven": self.proven && status.revocation.is_some(),
            "revocable": self.revocable,
            "revocation": status.revocation.map(|it| json!({
                "leafIndex": it.index,
                "height": it.head.height,
                "timeMs": it.head.time,
                "issuer": it.head.issuer,
                "reason": it.what,
                "reasonName": reason_word(it.what, Language::En),
            })),
            "supersession": status.supersession.map(|it| json!({
                "leafIndex": it.index,
                "height": it.head.height,
                "timeMs": it.head.time,
                "successor": it.what,
            })),
            "countersigning": status.countersigning.map(|it| json!({
                "have": status.countersignatures,
                "need": it.what.0,
                "deadline": it.what.1,
            })),
        })
    }
}

fn revoked(revocation: &Bearing<u16>, lang: Language) -> String {
    let (times, height) = (Times::of(revocation.head.time), revocation.head.height);
    let (issuer, why) = (revocation.head.issuer, reason_word(revocation.what, lang));
    lang.pick(
        format!(
            "REVOKED at {} (block {height}) by its issuer {issuer}: {why}",
            times.utc
        ),
        format!(
            "已於 {}（區塊 {height}）由簽發者 {issuer} 撤銷：{why}",
            times.taipei
        ),
    )
}

/// Whether a revocation or supersession counts: only the issuer's own does, and only under a
/// schema that allows it. The reason if not; `None` for other statements.
pub(crate) fn bears(leaf: &Leaf, on: &Standing, lang: Language) -> Option<Result<(), String>> {
    let revokes = matches!(leaf.statement, Statement::Revocation { .. });
    let supersedes = matches!(leaf.statement, Statement::Supersession { .. });
    if !revokes && !supersedes {
        return None;
    }
    let (issuer, other) = (on.stated.head.issuer, leaf.head.issuer);
    if issuer != other {
        return Some(Err(lang.pick(
            format!("the attestation is by {issuer}, this is said by {other}"),
            format!("存證由 {issuer} 簽發，此陳述則出自 {other}"),
        )));
    }
    if revokes && !on.revocable {
        return Some(Err(lang.pick(
            "the attestation's schema allows no revocation".to_owned(),
            "存證的綱要不允許撤銷".to_owned(),
        )));
    }
    Some(Ok(()))
}
