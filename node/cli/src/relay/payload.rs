//! `tbsi relay payload`.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use tbsi_bridge::config::Config;
use tbsi_bridge::limits::PAYLOAD_BYTES_MAX;
use tbsi_bridge::relay::keep_payload;

use super::{Home, Say};
use crate::lang::SayContext;
use crate::report::refuse;
use crate::shown::PathShown;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    home: Home,
    /// File with exactly the bytes whose SHA-256 was sent; at most 100,000.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    pub(super) say: Say,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // Only a relayer's home has payloads: a mistyped one is not made.
    Config::load(&args.home.dir).map_err(|error| refuse(error.into()))?;
    let mut bytes = Vec::new();
    let file = args.file.shown();
    File::open(&args.file)
        .and_then(|opened| {
            let most = PAYLOAD_BYTES_MAX as u64 + 1;
            opened.take(most).read_to_end(&mut bytes)
        })
        .or_say(|| (format!("read {file}"), format!("無法讀取 {file}")))
        .map_err(refuse)?;
    let hash = keep_payload(&args.home.dir, &bytes)
        .or_say(|| {
            let (en, zh_tw) = ("keep the payload", "無法保存訊息內容");
            (en.into(), zh_tw.into())
        })
        .map_err(refuse)?;
    let length = bytes.len();
    let text = args.say.pick(
        format!(
            "payload {hash} of {length} bytes is kept; `tbsi relay run` or `clear` delivers the \
             messages that wait for it"
        ),
        format!(
            "已保存訊息內容 {hash}（{length} 位元組）；等待它的訊息將由 `tbsi relay run` 或 `clear` 送達"
        ),
    );
    let json = json!({ "payloadHash": hash, "bytes": length });
    args.say.format.print(&text, &json)
}
