//! What is imported comes after what was accepted.

use alloy_primitives::B256;
use serde_json::json;
use tbsi_tests::bridge::proxy::{Fate, Proxy};
use tbsi_tests::harness::{json_of, said, tbsi};

use crate::Stage;

/// A second chain whose blocks the same validators seal: its genesis is another, and its blocks
/// descend from none of those that were accepted.
pub(crate) async fn f7_another_chain_with_the_same_keys_is_refused(stage: &Stage, height: u64) {
    let before = stage.status().await;
    let proxy = Proxy::start(stage.quorum.url()).await;
    proxy.edit(|asked, mut answer| {
        if asked == "eth_getBlockByNumber" && answer["number"] == "0x0" {
            answer["hash"] = json!(B256::repeat_byte(7));
        }
        answer
    });
    let refused = stage.import(&proxy.url(), 9, &[]).await;
    said(&refused, 2, &["genesis block is", "a second chain"]);
    // Its endpoint says that it is the first: its blocks say that they are not.
    proxy.edit(|_, answer| answer);
    stage.quorum.reaches(height + 1).await;
    let parent = B256::repeat_byte(8);
    let theirs = stage.quorum.forge_after(height + 1, parent).await;
    let asked = json!(format!("{:#x}", height + 1));
    proxy.rule(move |method, params| {
        if method == "eth_getBlockByNumber" && params[0] == asked {
            return Fate::Answer(theirs.clone());
        }
        Fate::Pass
    });
    let at = (height + 1).to_string();
    let refused = stage.import(&proxy.url(), 9, &["--height", &at]).await;
    said(&refused, 2, &["does not show that block", "comes after"]);
    assert_eq!(stage.status().await, before);
}

/// Before Prague the chain keeps no hash by itself.
pub(crate) async fn a_keeper_of_hashes_shows_what_comes_after(stage: &Stage) {
    let (from, key) = (stage.quorum.url(), stage.key(2));
    let keep = ["fact", "keep", "--from", from, "--key", &key];
    let made = json_of(&tbsi(&[&keep[..], &["--json"]].concat()).await);
    let keeper = made["keeper"].as_str().unwrap().to_owned();
    let with = ["--keeper", &keeper];
    let imported = json_of(&stage.import(from, 11, &["--json"]).await);
    let latest = imported["foreignHeight"].as_u64().unwrap();
    stage.quorum.reaches(latest + 2).await;
    let at = latest.to_string();
    let kept = tbsi(&[&keep[..], &with, &["--height", &at]].concat()).await;
    said(&kept, 0, &["keeps the hash of block", &at]);
    let absent = tbsi(&[&keep[..], &with, &["--height", "99999999"]].concat()).await;
    said(&absent, 2, &["can keep the hashes of blocks"]);
    // Six blocks later headers would do as well: the keeper is asked first.
    stage.quorum.reaches(latest + 8).await;
    let imported = stage
        .import(from, 12, &[&with[..], &["--json"]].concat())
        .await;
    let imported = json_of(&imported);
    assert_eq!(imported["headers"], 1, "{imported}");
    assert_eq!(imported["ancestry"], json!(["keeper"]), "{imported}");
}
