//! `tbsi renew check`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::files::{RECORD, digests, read_record, with};
use super::{Common, utc};
use crate::lang::causes;
use crate::report::refuse;
use crate::time::Times;
use tbsi_types::TimestampMs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Its evidence record [default: FILE.ers].
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// As of this time, in seconds since the Unix epoch [default: now].
    #[arg(long, value_name = "SECONDS")]
    at: Option<u64>,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let it = args.common.circumstances(args.at).await.map_err(refuse)?;
    let path = args.record.clone();
    let path = path.unwrap_or_else(|| with(&args.file, RECORD));
    let record = read_record(&path).map_err(refuse)?;
    let digests = digests(&args.file).map_err(refuse)?;
    let (lang, format) = (args.common.lang, args.common.format);
    let verified = match record.verify(&digests, &it.trust, &it.sunsets, it.now) {
        Ok(verified) => verified,
        Err(error) => {
            let reason = causes(&error, lang);
            let shown = lang.pick("INVALID: ", "證據無效：");
            let json = json!({ "verdict": "invalid", "reason": reason });
            format.print(&format!("{shown}{reason}"), &json)?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut text = String::new();
    let mut stamps = Vec::new();
    for stamp in &verified.stamps {
        let times = Times::of(TimestampMs(stamp.time_ms));
        let (algorithm, signer) = (stamp.algorithm.name(), &stamp.signer);
        let until = utc(stamp.valid_until);
        text += &lang.pick(
            format!(
                "ok  {} {algorithm}, {signer}, valid until {until}\n",
                times.utc
            ),
            format!(
                "通過  {} {algorithm}，{signer}，有效至 {until}\n",
                times.taipei
            ),
        );
        stamps.push(json!({
            "timeMs": stamp.time_ms,
            "algorithm": algorithm,
            "signer": signer,
            "validUntil": stamp.valid_until,
        }));
    }
    let until = utc(verified.relied_until);
    text += &lang.pick(
        format!("THE FILE IS OLDER THAN THE FIRST TIME STAMP; renew before {until}"),
        format!("檔案早於第一個時間戳記；請於 {until} 前更新"),
    );
    let json = json!({
        "verdict": "valid",
        "timeStamps": stamps,
        "reliedUntil": verified.relied_until,
    });
    format.print(&text, &json)
}
