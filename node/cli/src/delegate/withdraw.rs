//! `tbsi delegate withdraw`.

use std::path::PathBuf;
use std::process::ExitCode;

use tbsi_bindings::genesis::Attestations::cancelDelegationCall;
use tbsi_types::log::ATTESTATIONS;

use super::send::unused;
use super::signed;
use crate::govern::{CODES, Planned, Write, Writer, block_on};
use crate::report::refuse;

#[derive(Debug, clap::Args)]
#[command(after_help = CODES)]
pub(crate) struct WithdrawArgs {
    /// The file that was signed, or the nonce in it.
    #[arg(value_name = "FILE|NONCE")]
    what: PathBuf,
    #[command(flatten)]
    write: Write,
}

pub(super) fn run(args: &WithdrawArgs) -> anyhow::Result<ExitCode> {
    block_on(args.write.read.lang, withdraw(args))
}

async fn withdraw(args: &WithdrawArgs) -> anyhow::Result<ExitCode> {
    let signed = signed(&args.what).map_err(refuse)?;
    let writer = Writer::open(&args.write).await?;
    let (lang, issuer) = (writer.registry.lang, writer.address());
    signed.is_by(issuer).map_err(refuse)?;
    let nonce = signed.nonce;
    unused(&writer, issuer, nonce).await.map_err(refuse)?;
    let change = lang.pick(
        format!("what {issuer} signed with nonce {nonce} counts for nothing"),
        format!("{issuer} 以 nonce {nonce} 簽署的內容不生效力"),
    );
    let planned = Planned::new(ATTESTATIONS, &cancelDelegationCall { nonce }, change);
    writer.perform_plainly(&planned).await
}
