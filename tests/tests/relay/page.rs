//! The page for developers of dApps: what it shows runs against a light client.

use std::path::Path;

use serde_json::json;
use tbsi_tests::bridge::chain::ISSUER;
use tbsi_types::log::InclusionProof;
use tbsi_types::{Bytes, LeafIndex, TreeSize};
use tokio::process::Command;

use crate::{Stage, anvil};

/// A leaf in the middle of the log.
const LEAF: u64 = 3;

#[tokio::test]
async fn the_page_for_dapps_shows_what_works_with_ethers_and_viem() {
    let Some(binary) = anvil("the page for dApps") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let relayer = stage.relayer("page").await;
    stage.chain.block(7, None);
    relayer.ok(&["clear"]).await;
    let given = {
        let held = stage.chain.held();
        let path = InclusionProof::make(&held.tree, LeafIndex(LEAF), TreeSize(7)).unwrap();
        let checkpoint = held.decisions.last().unwrap().checkpoint.encode();
        json!({
            "address": stage.contract,
            "url": stage.anvil.url(),
            "leaf": Bytes::from(held.leaves[usize::try_from(LEAF).unwrap()].clone()),
            "index": LEAF,
            "checkpoint": Bytes::from(checkpoint.to_vec()),
            "path": path.0,
            "issuer": ISSUER,
        })
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/page.mjs");
    let mut node = Command::new("node");
    node.arg(script).arg(given.to_string());
    let ran = node.output().await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let problem = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}{problem}");
    assert_eq!(said, "ok ethers\nok viem\n");
}
