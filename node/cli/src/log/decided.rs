//! Checkpoints that are fetched and then verified offline.

use alloy_eips::BlockNumberOrTag;
use tbsi_light::{TrustAnchor, verify_decision};
use tbsi_rpc::Client;
use tbsi_types::{Checkpoint, CommitCertificate, Decision, Genesis};

use super::Failure;
use crate::lang::{SayContext, said};
use crate::proof::handovers_to;

/// A checkpoint that a quorum signed, of the genesis file's validators or of those to whom they
/// handed over.
pub(super) async fn decided(
    client: &Client,
    genesis: &Genesis,
    height: BlockNumberOrTag,
) -> Result<Checkpoint, Failure> {
    let url = client.url();
    let wire = client.checkpoint(height).await?;
    let wire = wire.ok_or_else(|| {
        let asked = height
            .as_number()
            .map_or("latest".into(), |it| it.to_string());
        said(
            format!("{url} has not decided height {asked}"),
            format!("{url} 尚未決定高度 {asked}"),
        )
    })?;
    if wire.height.0 == 0 {
        let error = said(
            format!("{url} has no block yet; height 0 is signed by nobody"),
            format!("{url} 尚無區塊；高度 0 無人簽署"),
        );
        return Err(error.into());
    }
    // The tip may move on between calls: from here on, the same height.
    let height = wire.height;
    let certificate = client.certificate(BlockNumberOrTag::Number(height.0));
    let certificate = certificate.await?;
    let certificate = certificate.ok_or_else(|| {
        said(
            format!("{url} has no certificate for height {height}"),
            format!("{url} 沒有高度 {height} 的憑證"),
        )
    })?;
    let set = client
        .validators(BlockNumberOrTag::Number(height.0))
        .await?;
    let set = set.ok_or_else(|| {
        said(
            format!("{url} has no validators for height {height}"),
            format!("{url} 沒有高度 {height} 的驗證者集合"),
        )
    })?;
    let handovers = handovers_to(client, height).await?;
    let verify = || -> anyhow::Result<Checkpoint> {
        let decision = Decision {
            checkpoint: Checkpoint::decode(&wire.encoded)?,
            certificate: CommitCertificate::decode(&certificate.encoded)?,
        };
        let anchor = TrustAnchor::genesis(genesis)?;
        verify_decision(&decision, &set.named()?, &handovers, &anchor)?;
        Ok(decision.checkpoint)
    };
    let verified = verify().or_say(|| {
        (
            format!("checkpoint of height {height} from {url}"),
            format!("{url} 的高度 {height} 檢查點"),
        )
    });
    let checkpoint = verified.map_err(Failure::No)?;
    if checkpoint.height != height {
        let got = checkpoint.height;
        return Err(Failure::No(said(
            format!("{url} gave the checkpoint of height {got} as that of {height}"),
            format!("{url} 把高度 {got} 的檢查點當作高度 {height} 的"),
        )));
    }
    Ok(checkpoint)
}
