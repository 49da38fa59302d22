//! `tbsi genesis check`.

mod en;
mod zh_tw;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use tbsi_governance::rules::check_complete;
use tbsi_home::founding::Signatures;
use tbsi_home::load_genesis;
use tbsi_types::Genesis;
use tbsi_types::genesis::Permission;

use super::ceremony::{load_draft, load_signatures, require_same};
use super::{summary, text};
use crate::lang::{Language, said};
use crate::predeploys::{self, Listed};
use crate::report::{Format, in_language};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Genesis file to check.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// Draft with the founder files that it was built from.
    #[arg(long, value_name = "FILE")]
    draft: Option<PathBuf>,
    /// File with signatures of founders; may be given several times.
    #[arg(long, value_name = "FILE")]
    signatures: Vec<PathBuf>,
    /// Fewer than 4 validators will do, and any balance of voting power.
    #[arg(long)]
    development: bool,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    format: Format,
}

/// What was checked, and holds.
struct Checked {
    genesis: Genesis,
    /// Founder files whose keys were proved to be held.
    founders: Option<usize>,
    /// Founders who signed: all of them.
    signed: Option<usize>,
    /// Contracts of others whose code was compared.
    predeploys: Vec<Listed>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    in_language(check(args), args.lang)
}

fn check(args: &Args) -> anyhow::Result<ExitCode> {
    let genesis = load_genesis(&args.genesis)?;
    if args.draft.is_none() && args.signatures.is_empty() {
        let shown = match args.lang {
            Language::En => text(&genesis)?,
            Language::ZhTw => zh_tw::text(&Checked {
                genesis: genesis.clone(),
                founders: None,
                signed: None,
                predeploys: Vec::new(),
            }),
        };
        return args.format.print(&shown, &summary(&genesis)?);
    }
    check_complete(&genesis, args.development)?;
    let mut founders = None;
    let mut predeploys = Vec::new();
    if let Some(path) = &args.draft {
        let draft = load_draft(path)?;
        require_same(&genesis, &draft, args.development)?;
        founders = Some(draft.founders.len());
        predeploys = predeploys::listed(&draft.parameters.predeploys);
    }
    let signed = signed(args, &genesis)?;
    let checked = Checked {
        genesis,
        founders,
        signed,
        predeploys,
    };
    let shown = match args.lang {
        Language::En => en::text(&checked),
        Language::ZhTw => zh_tw::text(&checked),
    };
    let mut json = summary(&checked.genesis)?;
    json["founders"] = json!(checked.founders);
    json["signed"] = json!(checked.signed);
    json["predeploys"] = json!(checked.predeploys);
    args.format.print(&shown, &json)
}

/// Fails unless every founder has signed.
fn signed(args: &Args, genesis: &Genesis) -> anyhow::Result<Option<usize>> {
    if args.signatures.is_empty() {
        return Ok(None);
    }
    let mut all = Signatures::new(genesis);
    for path in &args.signatures {
        let found = load_signatures(path, genesis)?;
        all.signatures.extend(found.signatures);
    }
    let missing = all.missing(genesis);
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(said(
            format!("these founders have not signed: {missing}"),
            format!("下列創立機構尚未簽署：{missing}"),
        ));
    }
    Ok(Some(all.signatures.len()))
}

/// Permissions as genesis files spell them; `None` if there are none.
fn list(permissions: &BTreeSet<Permission>) -> Option<String> {
    let spelt = |it: &Permission| format!("{it:?}").to_lowercase();
    let names: Vec<_> = permissions.iter().map(spelt).collect();
    (!names.is_empty()).then(|| names.join(", "))
}
