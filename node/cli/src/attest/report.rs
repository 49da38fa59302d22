//! What `tbsi attest` says when it is done.

use std::fmt::Write;
use std::process::ExitCode;

use alloy_primitives::Bytes;
use serde_json::{Value, json};
use tbsi_types::B256;

use super::write::Written;
use super::{Args, Session};
use crate::time::Times;

/// Files that are named one by one for people; `--json` names all.
const LISTED_MAX: usize = 20;

pub(super) fn print(
    args: &Args,
    session: &Session,
    written: &[Written<'_>],
    transactions: &[B256],
) -> anyhow::Result<ExitCode> {
    let files: Vec<Value> = written.iter().map(file).collect();
    let json = json!({
        "issuer": session.account.address(),
        "chainId": session.chain_id,
        "schema": session.schema,
        "algorithm": args.algorithm.name,
        "verified": session.anchor.is_some(),
        "transactions": transactions,
        "files": files,
    });
    args.format.print(&text(args, session, written)?, &json)
}

fn file(written: &Written<'_>) -> Value {
    let target = &written.item.target;
    let head = &written.leaf.head;
    json!({
        "file": target.file,
        "proof": target.proof,
        "salt": written.item.salted.then_some(&target.salt),
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
) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for one in written.iter().take(LISTED_MAX) {
        let target = &one.item.target;
        let before = if one.found.reused {
            ", attested before"
        } else {
            ""
        };
        writeln!(text, "{}{before}", target.file.display())?;
        writeln!(text, "  proof {}", target.proof.display())?;
        if one.item.salted {
            writeln!(text, "  salt  {} (keep it)", target.salt.display())?;
        }
        let times = Times::of(one.leaf.head.time);
        let height = one.leaf.head.height;
        writeln!(
            text,
            "  time  {} ({}), block {height}",
            times.utc, times.taipei
        )?;
        writeln!(text, "  id    {}", one.id)?;
    }
    if written.len() > LISTED_MAX {
        writeln!(
            text,
            "and {} more; --json lists all",
            written.len() - LISTED_MAX
        )?;
    }
    let reused = written.iter().filter(|one| one.found.reused).count();
    let issuer = session.account.address();
    let files = if written.len() == 1 { "file" } else { "files" };
    write!(text, "{} {files} attested by {issuer}", written.len())?;
    if reused > 0 {
        write!(text, ", {reused} of them before")?;
    }
    let checked = match &session.anchor {
        Some(_) => "; each proof was verified with the genesis file",
        None => "",
    };
    writeln!(text, "{checked}")?;
    let genesis = args
        .genesis
        .as_deref()
        .map(|path| path.display().to_string());
    if let Some(first) = written.first() {
        let proof = first.item.target.proof.display();
        let genesis = genesis.as_deref().unwrap_or("GENESIS");
        writeln!(text, "Next: tbsi verify {proof} --genesis {genesis}")?;
    }
    Ok(text)
}
