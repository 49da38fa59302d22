//! What kinds of chains a target may be: rules, finality, and what `check` says of them.

use serde_json::Value;
use tbsi_bridge::config::Finality;
use tbsi_tests::bridge::anvil::Anvil;
use tbsi_tests::bridge::proxy::{Fate, Proxy};
use tbsi_tests::bridge::relayer::Relayer;

use crate::{Stage, anvil};

async fn check(relayer: &Relayer) -> Value {
    serde_json::from_str(&relayer.ok(&["check", "--json"]).await).unwrap()
}

#[tokio::test]
async fn the_light_client_works_under_old_and_new_rules_and_check_names_them() {
    let Some(binary) = anvil("rules of the target") else {
        return;
    };
    for (rules, said, kind) in [
        ("berlin", "Istanbul or Berlin", 0),
        ("london", "London or Paris", 2),
        ("shanghai", "Shanghai", 2),
        ("cancun", "Cancun or Prague", 2),
        ("osaka", "Osaka or later", 2),
    ] {
        let target = Anvil::with_rules(&binary, rules, Some("0.1")).await;
        let stage = Stage::on(target).await;
        let relayer = stage.relayer(rules).await;
        let checked = check(&relayer).await;
        assert_eq!(checked["rules"], said, "{checked}");
        assert_eq!(checked["transactionType"], kind, "{checked}");
        stage.chain.block(2, None);
        relayer.ok(&["clear"]).await;
        stage.assert_once().await;
        relayer.assert_same().await;
    }
}

#[tokio::test]
async fn finality_is_what_the_chain_has() {
    let Some(binary) = anvil("finality of the target") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let proxy = Proxy::start(&stage.anvil.url()).await;
    // Nodes of QBFT and IBFT 2.0 know no such tag.
    proxy.rule(|method, params| match (method, params[0].as_str()) {
        ("eth_getBlockByNumber", Some("finalized")) => {
            Fate::Deny(-32_602, "hex string without 0x prefix".into())
        }
        _ => Fate::Pass,
    });
    let mut relayer = stage.relayer_to("finality", &[proxy.url()]).await;
    let refused = async |relayer: &Relayer, words: &[&str]| {
        for command in ["check", "clear"] {
            let ended = relayer.run(&[command], None).await;
            assert_eq!(ended.code, Some(1), "{}", ended.stderr);
            for words in words {
                assert!(ended.stderr.contains(words), "{}", ended.stderr);
            }
        }
        assert_eq!(stage.anvil.nonce(relayer.account()).await, 0);
    };
    let without = [
        "no endpoint has a block under that tag",
        "target.finality = { depth = N }",
    ];
    refused(&relayer, &without).await;
    relayer.target().finality = Finality::Instant;
    relayer.configure();
    refused(&relayer, &["the newest block is none of QBFT or IBFT 2.0"]).await;
    for finality in [Finality::Depth(3), Finality::Latest] {
        relayer.target().finality = finality;
        relayer.configure();
        let checked = check(&relayer).await;
        let final_block = checked["finalBlock"].as_u64().unwrap();
        stage.chain.block(2, None);
        relayer.ok(&["clear"]).await;
        stage.assert_once().await;
        relayer.assert_same().await;
        let later = check(&relayer).await["finalBlock"].as_u64().unwrap();
        assert!(later > final_block, "{later} {final_block}");
    }
    let text = relayer.ok(&["check", "--lang", "zh-TW"]).await;
    assert!(text.contains("最終性 latest"), "{text}");
}

#[tokio::test]
async fn a_chain_that_seals_like_qbft_is_told_from_others() {
    let Some(binary) = anvil("instant finality") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let proxy = Proxy::start(&stage.anvil.url()).await;
    proxy.rule(|method, params| match (method, params[0].as_str()) {
        ("eth_getBlockByNumber", Some("finalized")) => Fate::Answer(Value::Null),
        _ => Fate::Pass,
    });
    // The mix hash by which headers of QBFT and IBFT 2.0 are known.
    proxy.edit(|method, mut answer| {
        if method == "eth_getBlockByNumber" && !answer.is_null() {
            answer["mixHash"] = tbsi_light::foreign::mix_hash().to_string().into();
        }
        answer
    });
    let mut relayer = stage.relayer_to("instant", &[proxy.url()]).await;
    let ended = relayer.run(&["check"], None).await;
    let words = "set target.finality = \"instant\"";
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    relayer.target().finality = Finality::Instant;
    relayer.configure();
    stage.chain.block(2, None);
    relayer.ok(&["clear"]).await;
    stage.assert_once().await;
}
