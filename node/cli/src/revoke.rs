//! `tbsi revoke`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolCall;
use anyhow::{Context, ensure};
use serde_json::json;
use tbsi_rpc::Client;
use tbsi_types::log::{Leaf, Statement};
use tbsi_types::{Height, LeafIndex, SecretKey};
use tokio::runtime::Runtime;

use crate::contract::{Sender, load_key, revokeCall, schema_of};
use crate::lang::{Language, SayContext, demand, said};
use crate::misfit::unread;
use crate::password::PasswordFile;
use crate::proof;
use crate::reasons::{parse_reason, reason_word};
use crate::report::{Format, in_language, refuse};
use crate::rpc::Rpc;
use crate::shown::PathShown;
use crate::standing;

const HELP: &str = "\
Revocation is for ever, and only the issuer's own counts. Reasons: 1 unspecified,
2 issued-in-error, 3 content-withdrawn, 4 key-compromised, 5 superseded, 6 affiliation-changed,
7 cessation-of-operation, 8 privilege-withdrawn.

Exit codes: 0 revoked, now or before; 1 failed; 2 refused before anything was sent.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Id of the attestation, 0x and 64 hex digits; or a file with its proof.
    #[arg(value_name = "ID|PROOF")]
    what: PathBuf,
    /// Why, as a word or a number.
    #[arg(long, value_name = "REASON", value_parser = parse_reason)]
    reason: u16,
    /// File with the issuer's secret key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    rpc: Rpc,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    format: Format,
}

/// An attestation, as far as the command line says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) id: B256,
    /// From a proof.
    chain_id: Option<u64>,
}

pub(crate) fn named(what: &Path) -> anyhow::Result<Named> {
    let text = what.to_string_lossy();
    if let Some(id) = text.strip_prefix("0x").and_then(|_| text.parse().ok()) {
        return Ok(Named { id, chain_id: None });
    }
    let bundle = proof::read(what).or_say(|| {
        (
            "neither an id (0x and 64 hex digits) nor a proof that can be read".into(),
            "既不是識別碼（0x 加 64 個十六進位數字），也不是可讀取的證明".into(),
        )
    })?;
    let parsed = proof::parse_any(&bundle).map_err(|error| unread(what, error));
    let bundle = parsed.with_context(|| what.shown().to_string())?.bundle;
    let leaf = Leaf::decode(&bundle.leaf)?;
    let id = leaf.attestation_id();
    Ok(Named {
        id: id.ok_or_else(|| {
            said(
                format!("{} is not the proof of an attestation", what.shown()),
                format!("{} 不是存證的證明", what.shown()),
            )
        })?,
        chain_id: Some(leaf.head.chain_id),
    })
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    in_language(start(args), args.lang)
}

fn start(args: &Args) -> anyhow::Result<ExitCode> {
    let named = named(&args.what).map_err(refuse)?;
    let client = args.rpc.client()?;
    let key = load_key(&args.key, &args.password).map_err(refuse)?;
    Runtime::new()?.block_on(revoke(args, &client, key, &named))
}

async fn revoke(
    args: &Args,
    client: &Client,
    key: SecretKey,
    named: &Named,
) -> anyhow::Result<ExitCode> {
    let chain_id = client.chain_id().await?;
    if let Some(other) = named.chain_id.filter(|other| *other != chain_id) {
        let url = client.url();
        return Err(refuse(said(
            format!("the proof is of chain id {other}, {url} is a node of {chain_id}"),
            format!("證明屬於鏈 {other}，{url} 是鏈 {chain_id} 的節點"),
        )));
    }
    let account = Sender::new(key, chain_id);
    let id = named.id;
    let Some(known) = client.attestation(id).await? else {
        let url = client.url();
        return Err(refuse(said(
            format!("{url} knows no attestation {id}"),
            format!("{url} 沒有存證 {id}"),
        )));
    };
    check_issuer(known.issuer, account.address()).map_err(refuse)?;
    let known = standing::of_answer(client.url(), id, &known)?;
    if let Some(before) = known.status.revocation {
        let (index, height, reason) = (before.index, before.head.height, before.what);
        return print(args, id, index, height, reason, true);
    }
    let Statement::Attestation(stated) = known.stated.statement else {
        return Err(said("the answer has no attestation", "回覆中沒有存證"));
    };
    if !schema_of(client, stated.schema).await?.revocable {
        let schema = stated.schema;
        return Err(refuse(said(
            format!("attestations under schema {schema} cannot be revoked"),
            format!("綱要 {schema} 的存證不能撤銷"),
        )));
    }
    let reason = args.reason;
    let call = revokeCall { id, reason }.abi_encode();
    let (range, hash) = account.send(client, call.into()).await?;
    ensure!(
        range.count == 1,
        "transaction {hash} made {} leaves",
        range.count
    );
    let after = client
        .attestation(id)
        .await?
        .and_then(|after| after.revoked_at);
    let height = after.with_context(|| {
        format!(
            "transaction {hash} is final, but {} shows no revocation",
            client.url()
        )
    })?;
    print(args, id, range.first, height, reason, false)
}

fn check_issuer(issuer: Address, account: Address) -> anyhow::Result<()> {
    demand(issuer == account, || {
        (
            format!(
                "the attestation is by {issuer}, the key is that of {account}; only the issuer's \
                 own revocation counts"
            ),
            format!("存證由 {issuer} 簽發，金鑰屬於 {account}；只有簽發者自己的撤銷有效"),
        )
    })
}

fn print(
    args: &Args,
    id: B256,
    index: LeafIndex,
    height: Height,
    reason: u16,
    before: bool,
) -> anyhow::Result<ExitCode> {
    let json = json!({
        "id": id,
        "reason": reason,
        "leafIndex": index,
        "height": height,
        "before": before,
    });
    let (lang, rpc) = (args.lang, args.rpc.word());
    let why = reason_word(reason, lang);
    let was = if before {
        lang.pick("was revoked before", "先前已撤銷")
    } else {
        lang.pick("is revoked", "已撤銷")
    };
    let text = lang.pick(
        format!(
            "{id} {was}: {why}, block {height}, leaf {index}\n\
             Next: tbsi prove --index {index} --rpc {rpc}"
        ),
        format!(
            "{id} {was}：{why}，區塊 {height}，第 {index} 筆紀錄\n\
             下一步：tbsi prove --index {index} --rpc {rpc}"
        ),
    );
    args.format.print(&text, &json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn an_id_is_given_or_read_from_a_proof() {
        let vectors = include_str!("../../../tests/vectors/bundle.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let case = &vectors["cases"][0];
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("proof");
        std::fs::write(&path, case["json"].to_string()).unwrap();
        let id: B256 = case["verified"]["id"].as_str().unwrap().parse().unwrap();
        let from_proof = named(&path).unwrap();
        assert_eq!((from_proof.id, from_proof.chain_id), (id, Some(8_862_026)));
        let given = named(Path::new(&id.to_string())).unwrap();
        assert_eq!((given.id, given.chain_id), (id, None));
        for bad in ["0x12", "missing.tbsi.json"] {
            assert!(named(&dir.path().join(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_the_issuer_revokes() {
        let issuer = Address::repeat_byte(2);
        assert!(check_issuer(issuer, issuer).is_ok());
        assert!(check_issuer(issuer, Address::ZERO).is_err());
    }
}
