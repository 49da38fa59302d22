//! `tbsi renew due`.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use tbsi_light::archive::Basis;

use super::files::{Selection, basis, digests};
use super::{Circumstances, Common, days, utc};
use crate::lang::{Language, causes};
use crate::report::refuse;
use crate::shown::PathShown;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Due is what is relied upon for no longer than this.
    #[arg(long, value_name = "DAYS", default_value = "90")]
    within: u32,
    /// As of this time, in seconds since the Unix epoch [default: now].
    #[arg(long, value_name = "SECONDS")]
    at: Option<u64>,
    #[command(flatten)]
    pub(super) common: Common,
}

/// What is to be said of a file.
struct Finding {
    /// `none`, `void` or `due`; for programs.
    state: &'static str,
    until: Option<u64>,
    words: String,
}

pub(super) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let it = args.common.circumstances(args.at).await.map_err(refuse)?;
    let (lang, format) = (args.common.lang, args.common.format);
    let files = args.selection.files(lang).map_err(refuse)?;
    let (mut text, mut list) = (String::new(), Vec::new());
    for file in &files {
        if let Some(found) = look(file, &it, args.within, lang).map_err(refuse)? {
            text += &format!("{}  {}\n", file.shown(), found.words);
            list.push(json!({
                "file": file.json(), "state": found.state, "reliedUntil": found.until,
                "reason": found.words,
            }));
        }
    }
    let (count, all) = (list.len(), files.len());
    text += &lang.pick(
        format!("{count} of {all} files are due"),
        format!("{all} 個檔案中有 {count} 個到期"),
    );
    format.print(&text, &json!({ "due": list, "files": all }))?;
    Ok(if count == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn look(
    file: &Path,
    it: &Circumstances,
    within: u32,
    lang: Language,
) -> anyhow::Result<Option<Finding>> {
    let Basis::Record(record) = basis(file)? else {
        let words = lang.pick("has no record", "沒有證據紀錄");
        return Ok(Some(Finding {
            state: "none",
            until: None,
            words: words.into(),
        }));
    };
    let verified = record.verify(&digests(file)?, &it.trust, &it.sunsets, it.now);
    Ok(match verified {
        Err(error) => {
            let why = causes(&error, lang);
            Some(Finding {
                state: "void",
                until: None,
                words: lang.pick(
                    format!("DOES NOT HOLD, and cannot be renewed: {why}"),
                    format!("已不成立，無法更新：{why}"),
                ),
            })
        }
        Ok(verified) if verified.relied_until <= it.now.saturating_add(days(within)) => {
            let until = utc(verified.relied_until);
            Some(Finding {
                state: "due",
                until: Some(verified.relied_until),
                words: lang.pick(
                    format!("relied upon until {until}"),
                    format!("可信賴至 {until}"),
                ),
            })
        }
        Ok(_) => None,
    })
}
