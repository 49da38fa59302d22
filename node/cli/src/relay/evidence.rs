//! `tbsi relay evidence`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::json;
use tbsi_bridge::evm::freeze;
use tbsi_bridge::target::Target;
use tbsi_types::{Address, Height};
use tokio::runtime::Runtime;

use super::{Home, Opened};
use crate::report::{Format, refuse};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    home: Home,
    /// Height to ask for.
    #[arg(long, value_name = "HEIGHT", value_parser = clap::value_parser!(u64).range(1..))]
    height: u64,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut opened = Opened::load(&args.home.dir).map_err(refuse)?;
    let parts = &mut opened.parts;
    let height = Height(args.height);
    let all = Runtime::new()?.block_on(parts.source.all_at(height))?;
    let [one, other, ..] = all.as_slice() else {
        let text = format!("{} checkpoint of height {height}: no conflict", all.len());
        let json = json!({ "conflict": false, "checkpoints": all.len() });
        return args.format.print(&text, &json);
    };
    let signed: BTreeSet<Address> = one.verified.signers.iter().map(|it| it.validator).collect();
    let both = other.verified.signers.iter();
    let culprits: Vec<_> = both
        .filter(|signer| signed.contains(&signer.validator))
        .collect();
    let call = freeze(one, other);
    let contract = parts.target.contract();
    let mut text =
        format!("CONFLICT at height {height}: two checkpoints, both validly signed by\n");
    for signer in &culprits {
        writeln!(
            text,
            "  {} {} {}",
            signer.validator, signer.name_zh_tw, signer.name_en
        )?;
    }
    write!(
        text,
        "Freeze the light client (set 1 is the one that it began with; put in the number of the \
         set that signed):\n  cast send {contract} 'freeze(uint32,bytes,uint32,bytes)' 1 {} 1 {}",
        call.0, call.1
    )?;
    let named: Vec<_> = culprits.iter().map(|signer| signer.validator).collect();
    let json = json!({
        "conflict": true,
        "culprits": named,
        "contract": contract,
        "decisions": [call.0, call.1],
    });
    args.format.print(&text, &json)?;
    Ok(ExitCode::FAILURE)
}
