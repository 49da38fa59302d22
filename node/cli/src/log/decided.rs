//! Checkpoints that are fetched and then verified offline.

use alloy_eips::BlockNumberOrTag;
use anyhow::{Context, anyhow};
use tbsi_light::verify_checkpoint;
use tbsi_rpc::Client;
use tbsi_types::{Checkpoint, CommitCertificate, Genesis};

use super::Failure;

/// A checkpoint that a quorum of the genesis file's validators signed.
pub(super) async fn decided(
    client: &Client,
    genesis: &Genesis,
    height: BlockNumberOrTag,
) -> Result<Checkpoint, Failure> {
    let url = client.url();
    let wire = client.checkpoint(height).await?;
    let wire = wire.with_context(|| {
        let asked = height
            .as_number()
            .map_or("latest".into(), |it| it.to_string());
        format!("{url} has not decided height {asked}")
    })?;
    if wire.height.0 == 0 {
        return Err(anyhow!("{url} has no block yet; height 0 is signed by nobody").into());
    }
    // The tip may move on between calls: from here on, the same height.
    let height = wire.height;
    let certificate = client.certificate(BlockNumberOrTag::Number(height.0));
    let certificate = certificate.await?;
    let certificate =
        certificate.with_context(|| format!("{url} has no certificate for height {height}"))?;
    let verify = || -> anyhow::Result<Checkpoint> {
        let checkpoint = Checkpoint::decode(&wire.encoded)?;
        let certificate = CommitCertificate::decode(&certificate.encoded)?;
        verify_checkpoint(genesis, &checkpoint, &certificate)?;
        Ok(checkpoint)
    };
    let verified = verify().with_context(|| format!("checkpoint of height {height} from {url}"));
    let checkpoint = verified.map_err(Failure::No)?;
    if checkpoint.height != height {
        let got = checkpoint.height;
        return Err(Failure::No(anyhow!(
            "{url} gave the checkpoint of height {got} as that of {height}"
        )));
    }
    Ok(checkpoint)
}
