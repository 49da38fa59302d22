//! `tbsi erase check`: what an auditor verifies.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};
use tbsi_light::verify_erasure;
use tbsi_types::SignedErasure;

use super::{EXTENSION, read};
use crate::lang::{Language, causes, demand, said};
use crate::proof;
use crate::proof::without_end;
use crate::report::{Format, refuse};
use crate::shown::PathShown;
use crate::time::Times;
use crate::verify::{Checks, Inputs, Trust, VerdictKind, Verified, identity, verify};

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct CheckArgs {
    /// Statement of `tbsi erase salt`.
    #[arg(value_name = "STATEMENT")]
    statement: PathBuf,
    /// Proof that the statement was attested [default: STATEMENT.tbsi.json].
    #[arg(long, value_name = "PROOF")]
    proof: Option<PathBuf>,
    /// Proof of the attestation whose salt was destroyed [default: STATEMENT without
    /// .tbsi.erasure, and .tbsi.json].
    #[arg(long, value_name = "PROOF")]
    of: Option<PathBuf>,
    #[command(flatten)]
    trust: Trust,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(super) lang: Language,
    #[command(flatten)]
    format: Format,
}

const HELP: &str = "\
It verifies that the statement is signed by the issuer of the attestation, that it names that
leaf of the log, and that the issuer attested it later. It does not show that no copy of the salt
is left: that is the issuer's word, with its signature.

Exit codes: 0 the receipt holds, 1 it does not, or what it proves was revoked, 2 could not tell.";

/// What was found of one of the two proofs, or why not.
struct Refusal {
    kind: VerdictKind,
    code: &'static str,
    reason: String,
}

/// All that holds.
struct Receipt {
    signed: SignedErasure,
    attestation: Verified,
    statement: Verified,
}

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let (statement, of) = proofs(args).map_err(refuse)?;
    let (kind, text, json) = match check(args, &statement, &of) {
        Ok(receipt) => (VerdictKind::Valid, text(args, &receipt), summary(&receipt)),
        Err(refusal) => {
            let reason = &refusal.reason;
            let words = if refusal.kind == VerdictKind::CouldNotTell {
                args.lang.pick("COULD NOT TELL: ", "無法判斷：")
            } else {
                args.lang.pick("INVALID: ", "收據無效：")
            };
            let json = json!({
                "verdict": refusal.kind.name(),
                "code": refusal.code,
                "reason": reason,
            });
            (refusal.kind, format!("{words}{reason}"), json)
        }
    };
    args.format.print(&text, &json)?;
    Ok(kind.exit_code())
}

/// Where the two proofs are.
fn proofs(args: &CheckArgs) -> anyhow::Result<(PathBuf, PathBuf)> {
    let with = |path: &Path, end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let statement = args.proof.clone();
    let statement = statement.unwrap_or_else(|| with(&args.statement, proof::EXTENSION));
    if let Some(of) = &args.of {
        return Ok((statement, of.clone()));
    }
    let file = without_end(&args.statement, EXTENSION);
    let file = file.ok_or_else(|| {
        said(
            "the statement's name says nothing of the attestation; give its proof with --of",
            "聲明的檔名看不出是哪項存證；請以 --of 指定其證明",
        )
    })?;
    Ok((statement, with(&file, proof::EXTENSION)))
}

fn check(args: &CheckArgs, statement: &Path, of: &Path) -> Result<Receipt, Refusal> {
    let lang = args.lang;
    let signed = read(&args.statement).map_err(|error| Refusal {
        kind: VerdictKind::CouldNotTell,
        code: "statement",
        reason: causes(error.as_ref(), lang),
    })?;
    let attestation = proven(args, of, None)?;
    let (leaf, index) = (&attestation.bundle.leaf, attestation.bundle.leaf_index);
    let chain = attestation.trusted.chain(leaf);
    let invalid = |error: anyhow::Error| Refusal {
        kind: VerdictKind::Invalid,
        code: "erasure",
        reason: causes(error.as_ref(), lang),
    };
    let about = verify_erasure(&signed, &chain, index, leaf);
    about.map_err(|error| invalid(error.into()))?;
    let statement = proven(args, statement, Some(&args.statement))?;
    let (by, issuer) = (statement.bundle.issuer(), signed.erasure.issuer);
    let by_issuer = demand(by == issuer, || {
        (
            format!("the statement is by {issuer}, and attested by {by}"),
            format!("聲明出自 {issuer}，存證者則是 {by}"),
        )
    });
    by_issuer.map_err(invalid)?;
    let later = statement.bundle.leaf_index;
    let in_order = demand(later > index, || {
        (
            format!("the statement is leaf {later}, and the attestation a later one, {index}"),
            format!("聲明是第 {later} 筆紀錄，存證卻在其後（第 {index} 筆）"),
        )
    });
    in_order.map_err(invalid)?;
    Ok(Receipt {
        signed,
        attestation,
        statement,
    })
}

/// Verifies a proof; of the attestation no file, for its salt is gone.
fn proven(args: &CheckArgs, proof: &Path, file: Option<&Path>) -> Result<Verified, Refusal> {
    let inputs = Inputs {
        proof: proof.to_owned(),
        file: file.map(Path::to_owned),
        salt: None,
        trust: Trust {
            // A revoked attestation may be erased; a revoked statement is none.
            rpc: file.and(args.trust.rpc.clone()),
            ..args.trust.clone()
        },
        without_file: file.is_none(),
    };
    let outcome = verify(&inputs, &Checks::default());
    let verdict = match &outcome {
        Ok(verified) => verified.verdict(args.lang),
        Err(failure) => failure.verdict(args.lang),
    };
    // So says its own proof, if it has the status.
    let revoked = file.is_none() && verdict.kind == VerdictKind::Void;
    if (verdict.kind == VerdictKind::Valid || revoked)
        && let Ok(verified) = outcome
    {
        return Ok(verified);
    }
    let (shown, words) = (proof.shown(), verdict.reason.unwrap_or_default());
    let reason = args
        .lang
        .pick(format!("{shown}: {words}"), format!("{shown}：{words}"));
    Err(Refusal {
        kind: verdict.kind,
        code: verdict.code.unwrap_or("void"),
        reason,
    })
}

fn text(args: &CheckArgs, receipt: &Receipt) -> String {
    let erasure = &receipt.signed.erasure;
    let (id, index) = (erasure.attestation, erasure.leaf_index);
    let (issuer, name) = (erasure.issuer, legal_name(args.lang, receipt));
    let at = |verified: &Verified| {
        let (times, height) = (
            Times::of(verified.bundle.time()),
            verified.bundle.leaf.head.height,
        );
        args.lang.pick(
            format!("{}, block {height}", times.utc),
            format!("{}（臺北），區塊 {height}", times.taipei),
        )
    };
    let (first, second) = (at(&receipt.attestation), at(&receipt.statement));
    let asked = receipt.statement.standing.is_some();
    let verdict = match (asked, args.lang) {
        (true, Language::En) => "THE RECEIPT HOLDS; not revoked, as the node says",
        (false, Language::En) => "THE RECEIPT HOLDS; revocation of the statement not checked",
        (true, Language::ZhTw) => "收據成立；據節點所述，聲明未經撤銷",
        (false, Language::ZhTw) => "收據成立；未檢查聲明是否經撤銷",
    };
    args.lang.pick(
        format!(
            "ok  attestation: {id}, leaf {index}\n    \
             {first}\n    \
             by {issuer}, {name}\n\
             ok  statement: its issuer signed that the salt is destroyed\n\
             ok  attested: {second}\n\
             --  copies: that none is left is the issuer's word\n\
             {verdict}"
        ),
        format!(
            "通過  存證：{id}，第 {index} 筆紀錄\n      \
             {first}\n      \
             簽發者 {issuer}，{name}\n\
             通過  聲明：簽發者簽署，鹽值已銷毀\n\
             通過  聲明的存證：{second}\n\
             略過  副本：是否仍有副本，僅為簽發者的說法\n\
             {verdict}"
        ),
    )
}

fn legal_name(lang: Language, receipt: &Receipt) -> String {
    match receipt.attestation.owner() {
        Some(of) => of.names(lang) + &of.identifiers(),
        None => lang
            .pick("legal name not proved", "法定名稱未經證明")
            .into(),
    }
}

fn summary(receipt: &Receipt) -> Value {
    let erasure = &receipt.signed.erasure;
    let place = |verified: &Verified| {
        json!({
            "leafIndex": verified.bundle.leaf_index,
            "height": verified.bundle.leaf.head.height,
            "time": Times::of(verified.bundle.time()),
        })
    };
    json!({
        "verdict": VerdictKind::Valid.name(),
        "attestation": erasure.attestation,
        "issuer": erasure.issuer,
        "organisation": identity::summary(receipt.attestation.owner()),
        "attested": place(&receipt.attestation),
        "erased": place(&receipt.statement),
        "revocation": receipt.statement.standing.as_ref().map(|it| it.summary()),
    })
}
