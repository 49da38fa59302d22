//! Fetches proofs, checks them and writes them next to the files.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::value::RawValue;
use tbsi_light::{TrustAnchor, verify_bundle};
use tbsi_rpc::ClientError;
use tbsi_rpc::wire::LeafSelector;
use tbsi_types::log::{Attestation, Leaf, Statement};
use tbsi_types::{B256, ProofBundle};

use super::batch::Statements;
use super::inputs::LeftOut;
use super::{CALLS_AT_A_TIME, Found, Item, Session, has_proof, later};
use crate::lang::{SayContext, Sentence, demand, said};
use crate::report::refuse;
use crate::salt::directory_of;
use crate::shown::PathShown;
use crate::{progress, proof};

/// JSON-RPC code of a node that would have to leave something out.
const LIMIT_EXCEEDED: i32 = -32005;

/// A file whose proof is there.
pub(super) struct Written<'a> {
    pub(super) item: &'a Item,
    pub(super) id: B256,
    pub(super) attestation: Attestation,
    pub(super) found: Found,
    pub(super) leaf: Leaf,
}

/// A proof that is there already is kept if it says what would be said, and never overwritten
/// if it does not: it may be the only proof of an earlier state of the file. Such files are left
/// out; fails if they are all.
pub(super) fn sort_out(
    session: &Session,
    again: bool,
    items: Vec<Item>,
    mut left_out: Vec<LeftOut>,
    statements: &mut Statements,
) -> anyhow::Result<(Vec<Item>, Vec<LeftOut>)> {
    let mut kept = Vec::with_capacity(items.len());
    let mut needed = Statements::default();
    for mut item in items {
        let (id, attestation) = statements.all()[item.statement];
        if let Some(why) = conflict(session, again, &item, &attestation)? {
            let file = item.target.file;
            left_out.push(LeftOut { file, why });
            continue;
        }
        item.statement = needed.add(id, attestation);
        kept.push(item);
    }
    *statements = needed;
    if let ([], [first, others @ ..]) = (kept.as_slice(), left_out.as_slice()) {
        let (en, zh_tw) = first.why.clone();
        return Err(refuse(match others.len() {
            0 => said(en, zh_tw),
            more => said(
                format!("{en} (and {more} more files likewise)"),
                format!("{zh_tw}（另有 {more} 個檔案亦同）"),
            ),
        }));
    }
    Ok((kept, left_out))
}

/// Why a proof that is there is in the way.
fn conflict(
    session: &Session,
    again: bool,
    item: &Item,
    attestation: &Attestation,
) -> anyhow::Result<Option<Sentence>> {
    if !has_proof(item) {
        return Ok(None);
    }
    let path = &item.target.proof;
    let shown = path.shown();
    let advice = "move it away, or choose another directory with --out";
    let advice_zh_tw = "請將它移走，或用 --out 選擇其他目錄";
    if again {
        return Ok(Some((
            format!("{shown} exists, and --again would replace it by a later proof; {advice}"),
            format!("{shown} 已存在，--again 會以較晚的證明取代它；{advice_zh_tw}"),
        )));
    }
    let bytes = proof::read(path).map_err(refuse)?;
    let same = proof::parse(&bytes)
        .ok()
        .is_some_and(|bundle| says(&bundle, session, attestation).is_ok());
    Ok((!same).then(|| {
        (
            format!("{shown} exists and is not the proof of this file by this key; {advice}"),
            format!("{shown} 已存在，且不是此金鑰對此檔案的證明；{advice_zh_tw}"),
        )
    }))
}

/// The leaf, if it is the statement of this session's issuer.
fn says(
    bundle: &ProofBundle,
    session: &Session,
    attestation: &Attestation,
) -> anyhow::Result<Leaf> {
    let leaf = Leaf::decode(&bundle.leaf).context("leaf")?;
    let Statement::Attestation(stated) = &leaf.statement else {
        return Err(said("the leaf is no attestation", "紀錄不是存證"));
    };
    let (issuer, chain_id) = (leaf.head.issuer, leaf.head.chain_id);
    demand(stated == attestation, || {
        (
            "the leaf is of another digest".into(),
            "紀錄是另一個摘要".into(),
        )
    })?;
    demand(issuer == session.account.address(), || {
        (
            format!("the leaf is of issuer {issuer}"),
            format!("紀錄的簽發者是 {issuer}"),
        )
    })?;
    demand(chain_id == session.chain_id, || {
        (
            format!("the leaf is of chain id {chain_id}"),
            format!("紀錄的鏈識別碼是 {chain_id}"),
        )
    })?;
    Ok(leaf)
}

/// Fetches, checks and writes one proof for each file, some at a time.
pub(super) async fn proofs<'a>(
    session: &Session,
    items: &'a [Item],
    statements: &Statements,
    found: &[Found],
) -> anyhow::Result<Vec<Written<'a>>> {
    let bar = progress::count(items.len() as u64, "proofs");
    let one = |item: &'a Item| {
        let (id, attestation) = statements.all()[item.statement];
        let found = found[item.statement];
        let bar = &bar;
        async move {
            let (found, leaf) = match kept(session, item, &attestation) {
                Some(kept) => kept,
                None => (found, fetched(session, item, &attestation, found).await?),
            };
            bar.inc(1);
            anyhow::Ok(Written {
                item,
                id,
                attestation,
                found,
                leaf,
            })
        }
    };
    let written = stream::iter(items).map(one).buffered(CALLS_AT_A_TIME);
    let written = written.try_collect().await?;
    bar.finish_and_clear();
    Ok(written)
}

/// A good proof that is there already stays as it is. Nodes give different proofs of one leaf:
/// each has the signatures of the quorum that it saw first.
fn kept(session: &Session, item: &Item, attestation: &Attestation) -> Option<(Found, Leaf)> {
    if !has_proof(item) {
        return None;
    }
    let bundle = proof::parse(&proof::read(&item.target.proof).ok()?).ok()?;
    let anchor = session.anchor.as_ref();
    let leaf = check(session, anchor, attestation, &bundle).ok()?;
    let found = Found {
        index: bundle.leaf_index,
        reused: true,
    };
    Some((found, leaf))
}

async fn fetched(
    session: &Session,
    item: &Item,
    attestation: &Attestation,
    found: Found,
) -> anyhow::Result<Leaf> {
    let (json, anchor) = fetch(session, found).await?;
    let url = session.client.url();
    let wrong = || -> Sentence {
        let index = found.index;
        (
            format!("the proof of leaf {index} that {url} gave is wrong and was not written"),
            format!("{url} 給的第 {index} 筆紀錄的證明有誤，沒有寫入"),
        )
    };
    let read = || -> anyhow::Result<Leaf> {
        let bundle = ProofBundle::parse_json(json.get().as_bytes())?;
        let index = bundle.leaf_index;
        demand(index == found.index, || {
            (
                format!("it is of leaf {index}"),
                format!("它是第 {index} 筆紀錄的證明"),
            )
        })?;
        check(session, anchor.as_ref(), attestation, &bundle)
    };
    let leaf = read().or_say(wrong)?;
    store(&item.target.proof, &json).or_say(|| {
        let path = item.target.proof.shown();
        (format!("write proof {path}"), format!("寫入證明 {path}"))
    })?;
    Ok(leaf)
}

/// A proof, and what it verifies with. One from genesis, unless the validator set changed more
/// often than one proof can show.
async fn fetch(
    session: &Session,
    found: Found,
) -> anyhow::Result<(Box<RawValue>, Option<TrustAnchor>)> {
    let (client, index) = (&session.client, found.index);
    let selector = LeafSelector::Index(index);
    let (answer, anchor) = match client.proof(&selector).await {
        Err(ClientError::Refused { code, .. }) if code == LIMIT_EXCEEDED => {
            let later = session.later.get_or_try_init(|| later::begin(session));
            let later = later.await?;
            let answer = client.proof_from(&selector, later.from).await?;
            (answer, later.anchor)
        }
        answer => (answer?, session.anchor),
    };
    let answer = answer.ok_or_else(|| {
        let url = client.url();
        said(
            format!("{url} has no proof of leaf {index}"),
            format!("{url} 沒有第 {index} 筆紀錄的證明"),
        )
    })?;
    Ok((answer, anchor))
}

/// That a bundle proves what is stated; with a genesis file, as any verifier would.
fn check(
    session: &Session,
    anchor: Option<&TrustAnchor>,
    attestation: &Attestation,
    bundle: &ProofBundle,
) -> anyhow::Result<Leaf> {
    let leaf = says(bundle, session, attestation)?;
    if let Some(anchor) = anchor {
        verify_bundle(bundle, anchor)?;
    }
    Ok(leaf)
}

/// Whole or not at all, even if the machine stops meanwhile.
fn store(path: &Path, json: &RawValue) -> std::io::Result<()> {
    let directory = directory_of(path);
    let mut file = proof::unfinished_in(directory)?;
    writeln!(file, "{}", json.get().trim_end())?;
    readable(file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A proof is for everybody; the library makes files for their owner alone.
fn readable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}
