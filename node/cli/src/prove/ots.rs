//! The same leaf for software that reads OpenTimestamps (SPEC §10.9).

use tbsi_rpc::Client;
use tbsi_types::ProofBundle;
use tbsi_types::log::ots::read_ots_file;
use tbsi_types::log::{Leaf, OtsAttestation, OtsNotary, Statement};

use super::gave;
use crate::lang::{Language, SayContext, demand};
use crate::report::note;

/// The node's file for the leaf of a bundle.
pub(super) async fn fetch(
    client: &Client,
    bundle: &ProofBundle,
    lang: Language,
) -> anyhow::Result<Vec<u8>> {
    let bytes = client.log()?.ots_file(bundle.leaf_index).await?;
    let wrong = || {
        gave(
            client,
            "a wrong OpenTimestamps file",
            "錯誤的 OpenTimestamps 檔",
        )
    };
    let (digest, attestations) = read_ots_file(&bytes).or_say(wrong)?;
    let Statement::Attestation(stated) = Leaf::decode(&bundle.leaf)?.statement else {
        return demand(false, wrong).map(|()| Vec::new());
    };
    demand(stated.digest.to_bytes() == digest.as_slice(), wrong)?;
    let mut said = Vec::new();
    for OtsAttestation { notary, .. } in &attestations {
        // A leaf and its root are promised by one calendar.
        if !said.contains(&notary) {
            name(notary, lang);
            said.push(notary);
        }
    }
    Ok(bytes.to_vec())
}

/// Says what an attestation is worth.
fn name(notary: &OtsNotary, lang: Language) {
    let sentence = match notary {
        OtsNotary::Pending(url) => lang.pick(
            format!("pending at {url}, which proves nothing; later, `ots upgrade` asks there"),
            format!("待 {url} 處理，尚不構成證明；之後可用 `ots upgrade` 向其查詢"),
        ),
        OtsNotary::Bitcoin(height) => lang.pick(
            format!("says that it is in Bitcoin block {height}; `ots verify` looks whether it is"),
            format!("自稱已在比特幣區塊 {height}；可用 `ots verify` 核對"),
        ),
        OtsNotary::Other(_) => lang.pick(
            "has an attestation of another kind".into(),
            "另有其他類型的佐證".into(),
        ),
    };
    note(&sentence);
}
