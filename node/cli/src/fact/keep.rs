//! `tbsi fact keep`.

use std::path::PathBuf;
use std::process::ExitCode;

use alloy_primitives::{Address, Bytes, U256};
use serde_json::json;
use tbsi_keys::keyfile::load_validator_key;
use tbsi_light::foreign::KEEPER_CREATION_CODE;

use crate::http::client;
use crate::lang::Language;
use crate::relay::deploy::submit;
use crate::report::{Format, refuse, refused};

/// Blocks whose hashes a contract can still ask for, less those that pass while a transaction
/// waits.
const BLOCKS_BACK_MAX: u64 = 240;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// JSON-RPC address of a node of the other chain.
    #[arg(long, value_name = "URL")]
    from: String,
    /// Keeper that is to keep the hash of a block [default: deploy one].
    #[arg(long, value_name = "ADDRESS")]
    keeper: Option<Address>,
    /// Which block, one of the last 240 [default: the newest but one].
    #[arg(long, value_name = "HEIGHT", requires = "keeper")]
    height: Option<u64>,
    /// File with the secret key of an account of the other chain that may send transactions.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(super) lang: Language,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let key = load_validator_key(&args.key).map_err(|error| refuse(error.into()))?;
    let client = client(&args.from)?;
    let Some(keeper) = args.keeper else {
        let code = Bytes::copy_from_slice(&KEEPER_CREATION_CODE);
        let made = submit(&client, &key, None, &code).await?;
        let text = args.lang.pick(
            format!("keeper {made}\nGive it as --keeper to `tbsi fact keep` and `import`."),
            format!("保存合約 {made}\n請以 --keeper 提供給 `tbsi fact keep` 與 `import`。"),
        );
        return args.format.print(&text, &json!({ "keeper": made }));
    };
    let newest = client
        .block_number()
        .await
        .map_err(|it| refuse(it.into()))?;
    let height = args.height.unwrap_or(newest.0.saturating_sub(1));
    if height >= newest.0 || newest.0 - height > BLOCKS_BACK_MAX {
        let (least, most) = (
            newest.0.saturating_sub(BLOCKS_BACK_MAX),
            newest.0.saturating_sub(1),
        );
        return Err(refused(args.lang.pick(
            format!("the chain can keep the hashes of blocks {least} to {most} now, not {height}"),
            format!("該鏈目前可保存區塊 {least} 至 {most} 的雜湊，不含 {height}"),
        )));
    }
    let number = Bytes::from(U256::from(height).to_be_bytes_vec());
    let kept = submit(&client, &key, Some(keeper), &number).await?;
    let text = args.lang.pick(
        format!("keeper {kept} keeps the hash of block {height}"),
        format!("保存合約 {kept} 已保存區塊 {height} 的雜湊"),
    );
    let json = json!({ "keeper": kept, "foreignHeight": height });
    args.format.print(&text, &json)
}
