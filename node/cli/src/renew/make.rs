//! `tbsi renew run`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use serde_json::json;
use tbsi_light::archive::limits::REPLY_BYTES_MAX;
use tbsi_light::archive::{
    ArchiveDigest, Basis, Digests, EvidenceRecord, Renewal, query, read_reply,
};
use tbsi_rpc::request_timestamp;

use super::files::{Selection, about, basis, check_nameable, digests, with, write_all};
use super::{Circumstances, Common, Hash, days, files, utc};
use crate::http::http;
use crate::lang::counted;
use crate::report::refuse;
use crate::shown::PathShown;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Where to ask for the time stamp (RFC 3161 over HTTP), such as http://127.0.0.1:8545/tsa.
    #[arg(long, value_name = "URL")]
    tsa: String,
    /// Renew only what is relied upon for no longer than this; files without a record always.
    #[arg(long, value_name = "DAYS")]
    within: Option<u32>,
    /// Hash algorithm [default: that of the record, or one that is relied upon for longer if it
    /// ends within --within; sha2-256 for new records].
    #[arg(long, value_name = "NAME")]
    hash: Option<Hash>,
    #[command(flatten)]
    pub(super) common: Common,
}

/// A file and what there is of it.
type Item = (PathBuf, Basis, Digests);

pub(super) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let renewed = renew(args).await.map_err(refuse)?;
    let lang = args.common.lang;
    let mut text = String::new();
    let mut list = Vec::new();
    for (file, record) in &renewed {
        let (shown, time) = (with(file, files::RECORD), record.last().time_ms());
        text += &format!("{}  {}\n", shown.shown(), utc(time / 1_000));
        list.push(json!({ "file": file.json(), "record": shown.json(), "timeMs": time }));
    }
    let count = renewed.len();
    text += &lang.pick(
        format!("{} written and relied upon", counted(count, "record")),
        format!("已寫入 {count} 份證據紀錄，可供信賴"),
    );
    let json = json!({ "renewed": list });
    args.common.format.print(&text, &json)
}

async fn renew(args: &Args) -> anyhow::Result<Vec<(PathBuf, EvidenceRecord)>> {
    let circumstances = args.common.circumstances(None).await?;
    let mut groups: BTreeMap<ArchiveDigest, Vec<Item>> = BTreeMap::new();
    for file in args.selection.files(args.common.lang)? {
        check_nameable(&file)?;
        let item = (basis(&file)?, digests(&file)?);
        if is_wanted(args, &circumstances, &item).map_err(|error| about(&file, error))? {
            let algorithm = algorithm(args, &circumstances, &item.0);
            groups
                .entry(algorithm)
                .or_default()
                .push((file, item.0, item.1));
        }
    }
    if groups.is_empty() {
        return Err(files::nothing());
    }
    let mut renewed = Vec::new();
    for (algorithm, items) in groups {
        renewed.extend(renew_group(args, &circumstances, algorithm, items).await?);
    }
    write_all(&renewed)?;
    Ok(renewed)
}

/// Whether the record is due; one that does not hold is an error, which stops the whole run.
fn is_wanted(
    args: &Args,
    it: &Circumstances,
    (basis, digests): &(Basis, Digests),
) -> anyhow::Result<bool> {
    let (Basis::Record(record), Some(within)) = (basis, args.within) else {
        return Ok(true);
    };
    let verified = record.verify(digests, &it.trust, &it.sunsets, it.now)?;
    Ok(verified.relied_until <= it.now.saturating_add(days(within)))
}

fn algorithm(args: &Args, it: &Circumstances, basis: &Basis) -> ArchiveDigest {
    if let Some(hash) = args.hash {
        return hash.algorithm();
    }
    let now = match basis {
        Basis::Record(record) => record.last().algorithm(),
        Basis::File => ArchiveDigest::Sha256,
    };
    let needed = it.now.saturating_add(days(args.within.unwrap_or_default()));
    let lasts = |algorithm: &ArchiveDigest| {
        it.sunsets
            .get(algorithm)
            .is_none_or(|until| *until > needed)
    };
    let mut candidates = ArchiveDigest::ALL.into_iter().filter(|it| *it >= now);
    candidates.find(lasts).unwrap_or(now)
}

async fn renew_group(
    args: &Args,
    it: &Circumstances,
    algorithm: ArchiveDigest,
    items: Vec<Item>,
) -> anyhow::Result<Vec<(PathBuf, EvidenceRecord)>> {
    let mut paths = Vec::new();
    let mut bases = Vec::new();
    for (path, basis, digests) in items {
        paths.push(path);
        bases.push((basis, digests));
    }
    let renewal = Renewal::new(algorithm, bases, (&it.trust, &it.sunsets), it.now);
    let renewal = renewal.map_err(|(position, error)| about(&paths[position], error))?;
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce)
        .map_err(|error| anyhow!("the operating system gives no random bytes: {error}"))?;
    let nonce = u64::from_be_bytes(nonce);
    let (_, imprint) = renewal.imprint();
    let asked = query(algorithm, imprint, nonce);
    let reply = request_timestamp(&http()?, &args.tsa, asked, REPLY_BYTES_MAX).await?;
    let token = read_reply(&reply, nonce).with_context(|| args.tsa.clone())?;
    let records = renewal.finish(&token, &it.trust, it.now);
    let records = records.with_context(|| args.tsa.clone())?;
    Ok(paths.into_iter().zip(records).collect())
}
