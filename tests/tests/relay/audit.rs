//! The record, against both chains.

use std::fs;

use alloy_primitives::hex;
use tbsi_bridge::record::record_hash;

use crate::{Stage, anvil};

/// A line with the hash that belongs to its record.
fn line(record: &str) -> String {
    format!("{} {record}", hex::encode(record_hash(record)))
}

/// A journal like `lines`, whose hashes and numbers all fit.
fn forged(records: &[String]) -> String {
    let mut previous = "0x".to_owned() + &"00".repeat(32);
    let mut text = String::new();
    for (number, record) in records.iter().enumerate() {
        let mut value: serde_json::Value = serde_json::from_str(record).unwrap();
        value["number"] = number.into();
        value["previous"] = previous.clone().into();
        let record = tbsi_types::canonical_json(&value);
        previous = record_hash(&record).to_string();
        text += &line(&record);
        text.push('\n');
    }
    text
}

#[tokio::test]
async fn t60_a_record_that_was_forged_whole_is_found_out_by_the_chains() {
    let Some(binary) = anvil("t60 audit") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let mut relayer = stage.relayer("audited").await;
    relayer.config.audit.interval_s = 1;
    relayer.configure();
    for _ in 0..2 {
        stage.chain.block(3, None);
        relayer.ok(&["clear"]).await;
    }
    relayer.assert_same().await;
    let audit = relayer.audit().await;
    assert!(audit["report"]["heads"].as_u64().unwrap() >= 2, "{audit:#}");
    let honest = fs::read_to_string(relayer.journal()).unwrap();
    let records: Vec<String> = honest.lines().map(|line| line[65..].to_owned()).collect();
    let check = async |records: &[String], words: &str| {
        fs::write(relayer.journal(), forged(records)).unwrap();
        let ended = relayer.run(&["audit"], None).await;
        assert_eq!(ended.code, Some(1), "{words}: {}", ended.stdout);
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    };
    let position = |name: &str| {
        let tags = ["state", "name"].map(|key| format!("\"{key}\":\"{name}\""));
        records
            .iter()
            .position(|record| tags.iter().any(|tag| record.contains(tag)))
            .unwrap()
    };
    // Tampered: less gas than it was.
    let mut changed = records.clone();
    let at = position("final");
    let gas = changed[at].split("\"gasUsed\":\"").nth(1).unwrap();
    let gas = gas.split('"').next().unwrap().to_owned();
    changed[at] = changed[at].replace(&gas, "21000");
    check(&changed, "recorded as").await;
    // Another name.
    let renamed: Vec<String> = records
        .iter()
        .map(|record| record.replace("Test Association audited", "Somebody Else"))
        .collect();
    check(&renamed, "is none of these records").await;
    // Cut after the first transaction.
    check(
        &records[..=at],
        "transaction 1 of the account is not recorded",
    )
    .await;
    // Reordered.
    let mut swapped = records.clone();
    swapped.swap(position("planned"), position("nonceReserved"));
    check(&swapped, "plan 1 is unknown").await;
    // A record left out.
    let mut shorter = records.clone();
    shorter.remove(position("broadcast"));
    check(&shorter, "is none of these records").await;
    fs::write(relayer.journal(), honest).unwrap();
    relayer.assert_same().await;
}
