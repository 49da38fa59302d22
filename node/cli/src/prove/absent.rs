//! `tbsi prove --absent`.

use std::process::ExitCode;

use alloy_primitives::Bytes;
use serde_json::value::RawValue;
use tbsi_rpc::Client;
use tbsi_rpc::wire::BundleStart;
use tbsi_types::Height;
use tbsi_types::bundle::MapBundle;
use tbsi_types::log::{Leaf, MapRoot, Statement};
use tbsi_types::map::{FirstAttested, MapEnd, MapQuestion, MapValue};
use tokio::runtime::Runtime;

use super::{Args, digest_of, gave, put, start};
use crate::lang::{SayContext, demand, said};
use crate::proof::{self, ProofFile};
use crate::report::{note, refuse};

/// Fetches the proof and says up to when it is one.
pub(super) fn prove(args: &Args) -> anyhow::Result<ExitCode> {
    let digest = asked(args).map_err(refuse)?;
    let client = args.rpc.client()?;
    let (json, file, bundle) = Runtime::new()?.block_on(fetch(&client, &digest, args))?;
    let (root, first) =
        read(&bundle, &digest).or_say(|| gave(&client, "a wrong proof", "錯誤的證明"))?;
    let absent = first.is_none_or(|first| args.before.is_some_and(|before| first.height >= before));
    if !absent {
        let (index, height) = first.map_or_else(Default::default, |it| (it.index, it.height));
        return Err(said(
            format!(
                "it was attested: first in block {height}, leaf {index}; leave --absent out for \
                 the proof, or give --before {height}"
            ),
            format!(
                "該摘要已存證：首次於區塊 {height}，第 {index} 筆紀錄；請移除 --absent 以取得證明，或加 \
                 --before {height}"
            ),
        ));
    }
    known_enough(&root, first, args.before)?;
    put(args, &client, &json, &file)?;
    let (index, up_to) = (bundle.proof.leaf_index, root.digest_height);
    note(&match first {
        None => args.lang.pick(
            format!(
                "not attested up to block {up_to}, by the map in leaf {index}; `tbsi verify` \
                 verifies it"
            ),
            format!(
                "截至區塊 {up_to} 未經存證（第 {index} 筆紀錄的對照表）；可用 `tbsi verify` 驗證"
            ),
        ),
        Some(first) => args.lang.pick(
            format!(
                "not attested before block {}; `tbsi verify` verifies it",
                first.height
            ),
            format!(
                "區塊 {} 之前未經存證；可用 `tbsi verify` 驗證",
                first.height
            ),
        ),
    });
    Ok(ExitCode::SUCCESS)
}

/// The digest that is asked about.
fn asked(args: &Args) -> anyhow::Result<Bytes> {
    match (&args.what.name, &args.what.file) {
        (Some(digest), _) => Ok(digest.clone()),
        (None, Some(file)) => digest_of(args, file),
        (None, None) => Err(said(
            "--absent is for a digest or --file",
            "--absent 須與摘要或 --file 一起使用",
        )),
    }
}

/// The map has to know all blocks before the one that was named.
fn known_enough(
    root: &MapRoot,
    first: Option<FirstAttested>,
    before: Option<Height>,
) -> anyhow::Result<()> {
    let up_to = root.digest_height;
    let enough = first.is_some() || before.is_none_or(|before| before <= up_to.next());
    demand(enough, || {
        (
            format!(
                "the map knows digests up to block {up_to}; ask again later, or leave --before out"
            ),
            format!("對照表只收錄到區塊 {up_to} 的摘要；請稍後再查詢，或移除 --before"),
        )
    })
}

async fn fetch(
    client: &Client,
    digest: &Bytes,
    args: &Args,
) -> anyhow::Result<(Box<RawValue>, ProofFile, MapBundle)> {
    let start = BundleStart {
        from: start(client, args).await?,
        registry: args.with_names,
        ..BundleStart::default()
    };
    let wrong = || gave(client, "a wrong proof", "錯誤的證明");
    let json = client.absence(digest, &start).await?;
    let json = json.ok_or_else(|| said(wrong().0, wrong().1))?;
    let file = proof::parse_any(json.get().as_bytes()).or_say(wrong)?;
    let map = file.map.clone();
    let map = map.ok_or_else(|| said(wrong().0, wrong().1))?;
    demand(file.registry.is_some() == start.registry, wrong)?;
    Ok((json, file, map))
}

/// The map's root, and the first attestation of the digest; whether they are proven,
/// `tbsi verify` says.
fn read(bundle: &MapBundle, digest: &Bytes) -> anyhow::Result<(MapRoot, Option<FirstAttested>)> {
    let other = || said("it is about another digest", "它所問的是另一個摘要");
    let Statement::MapRoot(root) = Leaf::decode(&bundle.proof.leaf)?.statement else {
        return Err(other());
    };
    let mut entries = bundle.entries.iter();
    let entry = entries.find(|entry| Some(entry.question) == MapQuestion::digest(digest));
    let entry = entry.ok_or_else(other)?;
    let MapEnd::Entry(value) = &entry.answer.end else {
        return Ok((root, None));
    };
    match entry.question.read(value)? {
        MapValue::Digest(first) => Ok((root, Some(first))),
        MapValue::Status(_) | MapValue::Schema(_) => Err(other()),
    }
}
