//! What `tbsi attest` says when it is done.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use alloy_primitives::Bytes;
use serde_json::{Value, json};
use tbsi_types::B256;

use super::inputs::LeftOut;
use super::write::Written;
use super::{Args, Session};
use crate::lang::{Language, counted};
use crate::proof::named_after;
use crate::report::note;
use crate::salt::Salt;
use crate::shown::PathShown;
use crate::time::Times;

/// Files that are named one by one for people; `--json` names all.
const LISTED_MAX: usize = 20;

/// Files without a proof.
pub(super) struct NotAttested {
    /// Nothing that could be attested.
    pub(super) skipped: Vec<LeftOut>,
    /// What should have been.
    pub(super) left_out: Vec<LeftOut>,
}

pub(super) fn print(
    args: &Args,
    session: &Session,
    written: &[Written<'_>],
    not_attested: &NotAttested,
    transactions: &[B256],
) -> anyhow::Result<ExitCode> {
    let NotAttested { skipped, left_out } = not_attested;
    let without_proof = |list: &[LeftOut]| -> Vec<Value> {
        let one = |one: &LeftOut| {
            json!({
                "file": one.file.json(),
                "reason": args.lang.pick(&one.why.0, &one.why.1),
            })
        };
        list.iter().map(one).collect()
    };
    for one in left_out.iter().take(LISTED_MAX) {
        let (en, zh_tw) = &one.why;
        let shown = one.file.shown();
        note(&args.lang.pick(
            format!("left out: {shown}: {en}"),
            format!("略過：{shown}：{zh_tw}"),
        ));
    }
    let files: Vec<Value> = written.iter().map(file).collect();
    let json = json!({
        "issuer": session.account.address(),
        "chainId": session.chain_id,
        "schema": session.schema,
        "algorithm": args.algorithm.name,
        "verified": session.anchor.is_some(),
        "proofsFrom": session.later.get().map(|it| it.from),
        "transactions": transactions,
        "files": files,
        "leftOut": without_proof(left_out),
        "skipped": without_proof(skipped),
    });
    args.format
        .print(&text(args, session, written, left_out.len())?, &json)?;
    Ok(if left_out.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn file(written: &Written<'_>) -> Value {
    let target = &written.item.target;
    let head = &written.leaf.head;
    json!({
        "file": target.file.json(),
        "proof": target.proof.json(),
        "salt": written.item.salted.then(|| target.salt.json()),
        "id": written.id,
        "digest": Bytes::from(written.attestation.digest.to_bytes()),
        "leafIndex": written.found.index,
        "height": head.height,
        "timeMs": head.time,
        "reused": written.found.reused,
    })
}

fn text(
    args: &Args,
    session: &Session,
    written: &[Written<'_>],
    left_out: usize,
) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for one in written.iter().take(LISTED_MAX) {
        match args.lang {
            Language::En => one_en(&mut text, one)?,
            Language::ZhTw => one_zh_tw(&mut text, one)?,
        }
    }
    let more = written.len().saturating_sub(LISTED_MAX);
    let reused = written.iter().filter(|one| one.found.reused).count();
    let (issuer, count) = (session.account.address(), written.len());
    let verified = session.anchor.is_some();
    match args.lang {
        Language::En => {
            if more > 0 {
                writeln!(text, "and {more} more; --json lists all")?;
            }
            write!(text, "{} attested by {issuer}", counted(count, "file"))?;
            if reused > 0 {
                write!(text, ", {reused} of them before")?;
            }
            let checked = "; each proof was verified with the genesis file";
            writeln!(text, "{}", if verified { checked } else { "" })?;
        }
        Language::ZhTw => {
            if more > 0 {
                writeln!(text, "另有 {more} 個；--json 會列出全部")?;
            }
            write!(text, "{issuer} 已存證 {count} 個檔案")?;
            if reused > 0 {
                write!(text, "，其中 {reused} 個先前已存證")?;
            }
            let checked = "；每份證明都已用創世檔驗證";
            writeln!(text, "{}", if verified { checked } else { "" })?;
        }
    }
    if left_out > 0 {
        let said = args.lang.pick(
            format!("{left_out} left out, see above"),
            format!("略過 {left_out} 個，原因如上"),
        );
        writeln!(text, "{said}")?;
    }
    if let Some(first) = written.first() {
        next(&mut text, args, first)?;
    }
    Ok(text)
}

fn one_en(text: &mut String, one: &Written<'_>) -> std::fmt::Result {
    let target = &one.item.target;
    let before = if one.found.reused {
        ", attested before"
    } else {
        ""
    };
    writeln!(text, "{}{before}", target.file.shown())?;
    writeln!(text, "  proof {}", target.proof.shown())?;
    if one.item.salted {
        writeln!(text, "  salt  {} (keep it)", target.salt.shown())?;
    }
    let (times, height) = (Times::of(one.leaf.head.time), one.leaf.head.height);
    writeln!(
        text,
        "  time  {} ({}), block {height}",
        times.utc, times.taipei
    )?;
    writeln!(text, "  id    {}", one.id)
}

fn one_zh_tw(text: &mut String, one: &Written<'_>) -> std::fmt::Result {
    let target = &one.item.target;
    let before = if one.found.reused {
        "（先前已存證）"
    } else {
        ""
    };
    writeln!(text, "{}{before}", target.file.shown())?;
    writeln!(text, "  證明   {}", target.proof.shown())?;
    if one.item.salted {
        writeln!(text, "  鹽值   {}（請保存）", target.salt.shown())?;
    }
    let (times, height) = (Times::of(one.leaf.head.time), one.leaf.head.height);
    writeln!(
        text,
        "  時間   {}（臺北；UTC 為 {}），區塊 {height}",
        times.taipei, times.utc
    )?;
    writeln!(text, "  識別碼 {}", one.id)
}

/// The command that verifies the first proof. What it finds by itself is left out.
fn next(text: &mut String, args: &Args, first: &Written<'_>) -> std::fmt::Result {
    let target = &first.item.target;
    let genesis = args.genesis.as_deref().unwrap_or(Path::new("GENESIS"));
    let mut command = format!(
        "tbsi verify {} --genesis {}",
        target.proof.word(),
        genesis.word()
    );
    let beside = named_after(&target.proof);
    if beside.as_ref().is_none_or(|beside| !beside.is_file()) {
        write!(command, " --file {}", target.file.word())?;
    }
    let beside = beside.into_iter().chain([target.file.clone()]);
    let finds_salt = beside
        .map(|file| Salt::path_of(&file))
        .any(|it| it == target.salt);
    if first.item.salted && !finds_salt {
        write!(command, " --salt {}", target.salt.word())?;
    }
    match args.lang {
        Language::En => writeln!(text, "Next: {command}"),
        Language::ZhTw => writeln!(text, "下一步：{command} --lang zh-TW"),
    }
}
