//! The same leaf for software that reads COSE (SPEC §10.8).

use std::path::{Path, PathBuf};

use tbsi_light::verify_cose_receipt;
use tbsi_rpc::Client;
use tbsi_types::ProofBundle;
use tbsi_types::log::{CoseReceipt, NoteVerifier, SignatureType};

use super::gave;
use crate::lang::{Language, SayContext, demand};
use crate::report::note;
use crate::shown::PathShown;

/// What the file with the leaf has behind the name of the receipt.
pub(crate) const LEAF_EXTENSION: &str = ".leaf";

/// Where the leaf of a receipt is by default: whoever verifies the receipt needs both.
pub(crate) fn leaf_beside(receipt: &Path) -> PathBuf {
    let mut name = receipt.as_os_str().to_owned();
    name.push(LEAF_EXTENSION);
    name.into()
}

/// The node's receipt of the leaf of a bundle, under the same root.
pub(super) async fn fetch(client: &Client, bundle: &ProofBundle) -> anyhow::Result<Vec<u8>> {
    let bytes = client.log()?.cose_receipt(bundle.leaf_index).await?;
    let wrong = || gave(client, "a wrong COSE receipt", "錯誤的 COSE 收據");
    let receipt = CoseReceipt::decode(&bytes).or_say(wrong)?;
    let key = key_of(&receipt).or_say(wrong)?;
    let log = verify_cose_receipt(&bundle.leaf, &receipt, &key).or_say(wrong)?;
    let decided = &bundle.decision.checkpoint;
    demand(
        (receipt.index, log.size, log.root)
            == (bundle.leaf_index, decided.log_size, decided.log_root),
        || {
            gave(
                client,
                "a COSE receipt of another log",
                "另一個日誌的 COSE 收據",
            )
        },
    )?;
    Ok(bytes.to_vec())
}

/// The key that a receipt names, which nobody vouches for here.
fn key_of(receipt: &CoseReceipt) -> anyhow::Result<NoteVerifier> {
    let kind = SignatureType::Cosignature;
    Ok(NoteVerifier::new(
        &receipt.signer,
        kind,
        &receipt.public_key,
    )?)
}

/// Says whose word it is.
pub(super) fn name_signer(bytes: &[u8], out: &Path, lang: Language) -> anyhow::Result<()> {
    let receipt = CoseReceipt::decode(bytes)?;
    let key = key_of(&receipt)?.encode();
    let leaf = leaf_beside(out);
    let leaf = leaf.shown();
    note(&lang.pick(
        format!("signed by one node, {key}; what it is a receipt of is in {leaf}"),
        format!("由單一節點簽署，金鑰 {key}；其對象在 {leaf}"),
    ));
    Ok(())
}
