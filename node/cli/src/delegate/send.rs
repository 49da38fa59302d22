//! `tbsi delegate send`.

use std::path::PathBuf;
use std::process::ExitCode;

use alloy_primitives::{Address, U256};
use tbsi_bindings::genesis::Attestations::{
    attestBatchByDelegationCall, attestByDelegationCall, cancelByDelegationCall, isNonceUsedCall,
    revokeByDelegationCall,
};
use tbsi_governance::delegation::{Delegated, DelegationFile};
use tbsi_types::log::ATTESTATIONS;

use super::file;
use crate::govern::{CODES, Planned, Write, Writer, block_on, words};
use crate::issuing::state;
use crate::lang::{counted, demand};
use crate::reasons::reason_word;
use crate::report::refuse;

#[derive(Debug, clap::Args)]
#[command(after_help = CODES)]
pub(crate) struct SendArgs {
    /// What `tbsi delegate attest|revoke|cancel` wrote.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    write: Write,
}

pub(super) fn run(args: &SendArgs) -> anyhow::Result<ExitCode> {
    block_on(args.write.read.lang, send(args))
}

async fn send(args: &SendArgs) -> anyhow::Result<ExitCode> {
    let file = file::load(&args.file).map_err(refuse)?;
    let writer = Writer::open(&args.write).await?;
    fits(&writer, &file).await.map_err(refuse)?;
    let (lang, issuer) = (writer.registry.lang, file.issuer);
    let delegation = file.delegation();
    let attested = |count: usize| {
        lang.pick(
            format!(
                "attests in the name of {issuer}: {} of digests",
                counted(count, "word")
            ),
            format!("以 {issuer} 的名義存證 {count} 個摘要字組"),
        )
    };
    match file.statement {
        Delegated::Attest {
            schema,
            algorithm,
            words,
        } => {
            let change = attested(words.len());
            let call = attestByDelegationCall {
                schema,
                algorithm,
                words,
                delegation,
            };
            state(&writer, &call, change).await
        }
        Delegated::AttestBatch {
            schema,
            algorithm,
            words,
        } => {
            let change = attested(words.len());
            let call = attestBatchByDelegationCall {
                schema,
                algorithm,
                words,
                delegation,
            };
            state(&writer, &call, change).await
        }
        Delegated::Revoke { id, reason } => {
            let why = reason_word(reason, lang);
            let change = lang.pick(
                format!("{id} is revoked in the name of {issuer}: {why}"),
                format!("以 {issuer} 的名義撤銷 {id}：{why}"),
            );
            let call = revokeByDelegationCall {
                id,
                reason,
                delegation,
            };
            state(&writer, &call, change).await
        }
        Delegated::Cancel {} => {
            let nonce = file.nonce;
            let change = lang.pick(
                format!("what {issuer} signed with nonce {nonce} counts for nothing"),
                format!("{issuer} 以 nonce {nonce} 簽署的內容不生效力"),
            );
            let call = cancelByDelegationCall { delegation };
            let planned = Planned::new(ATTESTATIONS, &call, change);
            writer.perform_plainly(&planned).await
        }
    }
}

/// What the contract would refuse, in words of its own.
async fn fits(writer: &Writer, file: &DelegationFile) -> anyhow::Result<()> {
    let registry = &writer.registry;
    let (chain, url) = (registry.chain, registry.client.url());
    demand(
        file.chain_id == chain.chain_id && file.genesis_hash == chain.genesis_hash,
        || {
            let (ours, theirs) = (file.genesis_hash, chain.genesis_hash);
            (
                format!(
                    "it was signed for the network with genesis hash {ours}, {url} is a node of \
                     {theirs}"
                ),
                format!("它是為創世檔雜湊 {ours} 的網路簽署的，{url} 是 {theirs} 的節點"),
            )
        },
    )?;
    demand(file.deadline >= registry.now, || {
        let (en, zh_tw) = (
            words::time(file.deadline, crate::lang::Language::En),
            words::time(file.deadline, crate::lang::Language::ZhTw),
        );
        (
            format!("it was good until {en}; have it signed anew"),
            format!("它的期限是 {zh_tw}，已過；請重新簽署"),
        )
    })?;
    unused(writer, file.issuer, file.nonce).await
}

/// That a nonce was neither used nor cancelled.
pub(super) async fn unused(writer: &Writer, issuer: Address, nonce: U256) -> anyhow::Result<()> {
    let call = isNonceUsedCall { issuer, nonce };
    let used = writer.registry.ask(ATTESTATIONS, call).await?;
    demand(!used, || {
        (
            format!("its nonce {nonce} was used or cancelled before: it counts once"),
            format!("其 nonce {nonce} 先前已使用或取消：只生效一次"),
        )
    })
}
