//! Field names and forms of our objects are those of the Ethereum execution API's vectors.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::http::Fixture;
use crate::transactions::sender;

fn vectors() -> PathBuf {
    let default = PathBuf::from("../../../shared/vectors");
    let root = std::env::var_os("TBSI_VECTORS").map_or(default, PathBuf::from);
    let tests = root.join("execution-apis/tests");
    assert!(
        tests.is_dir(),
        "no vectors in {}: set TBSI_VECTORS",
        root.display()
    );
    tests
}

/// The results in all exchanges of one method.
fn results(method: &str) -> Vec<Value> {
    let folder = vectors().join(method);
    let mut results = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines().filter_map(|line| line.strip_prefix("<< ")) {
            let mut response: Value = serde_json::from_str(line).unwrap();
            results.push(response["result"].take());
        }
    }
    results
}

/// The form of a value, as far as two blocks or transactions must share it.
fn form(key: &str, value: &Value) -> String {
    const DATA_OF_ANY_LENGTH: [&str; 3] = ["input", "data", "extraData"];
    match value {
        Value::String(text) if DATA_OF_ANY_LENGTH.contains(&key) => {
            assert!(
                text.len() % 2 == 0 && text.starts_with("0x"),
                "{key}: {text}"
            );
            "data".into()
        }
        Value::String(text) if matches!(text.len(), 18 | 42 | 66 | 514) => text.len().to_string(),
        Value::String(text) => {
            let digits = text.strip_prefix("0x").unwrap();
            let canonical = digits == "0" || !digits.is_empty() && !digits.starts_with('0');
            assert!(canonical, "{key}: {text} is no quantity");
            "quantity".into()
        }
        Value::Null => "null".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::Array(_) => "array".into(),
        Value::Object(_) => "object".into(),
    }
}

fn forms(object: &Value) -> BTreeMap<String, String> {
    let fields = object
        .as_object()
        .unwrap_or_else(|| panic!("no object: {object}"));
    fields
        .iter()
        .map(|(key, value)| (key.clone(), form(key, value)))
        .collect()
}

#[track_caller]
fn check(ours: &Value, theirs: &Value) {
    let (ours, theirs) = (forms(ours), forms(theirs));
    let keys = |forms: &BTreeMap<String, String>| forms.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&ours), keys(&theirs));
    for (key, form) in &ours {
        let other = &theirs[key];
        // Hashes and numbers below 2^64 may have equal lengths by chance: r and s, for one.
        let wide = |form: &str| matches!(form, "66" | "quantity");
        let same = form == other || form == "null" || other == "null" || wide(form) && wide(other);
        assert!(same, "{key} is {form}, should be {other}");
    }
}

/// One of `candidates` for which `pick` holds.
#[track_caller]
fn find(candidates: &[Value], pick: impl Fn(&Value) -> bool) -> &Value {
    let found = candidates.iter().find(|candidate| pick(candidate));
    found.expect("the vectors have one")
}

#[tokio::test]
async fn blocks_and_headers() {
    let fixture = Fixture::new().await;
    let theirs = results("eth_getBlockByNumber");
    let theirs = find(&theirs, |block| block.get("requestsHash").is_some());
    for height in ["0x0", "0x1"] {
        let ours = fixture
            .result("eth_getBlockByNumber", json!([height, true]))
            .await;
        check(&ours, theirs);
    }
}

#[tokio::test]
async fn transactions_of_each_type() {
    let fixture = Fixture::new().await;
    let blocks = [
        results("eth_getBlockByNumber"),
        results("eth_getBlockByHash"),
    ]
    .concat();
    let listed = blocks
        .iter()
        .filter_map(|block| block["transactions"].as_array());
    let mut theirs: Vec<Value> = listed.flatten().cloned().collect();
    theirs.extend(results("eth_getTransactionByHash"));
    let ours = fixture
        .result("eth_getBlockByNumber", json!(["0x1", true]))
        .await;
    let mut seen = 0;
    for ours in ours["transactions"].as_array().unwrap() {
        let kind = &ours["type"];
        let same = |it: &Value| it["type"] == *kind && it.get("chainId").is_some();
        let Some(theirs) = theirs.iter().find(|it| same(it)) else {
            assert_eq!(kind, "0x1", "only this type may be absent from the vectors");
            continue;
        };
        check(ours, theirs);
        if kind == "0x4" {
            check(
                &ours["authorizationList"][0],
                &theirs["authorizationList"][0],
            );
        }
        seen += 1;
    }
    assert!(seen >= 3, "only {seen} types were compared");
}

#[tokio::test]
async fn receipts_and_logs() {
    let fixture = Fixture::new().await;
    let blocks = results("eth_getBlockReceipts");
    let mut theirs: Vec<Value> = blocks
        .iter()
        .filter_map(Value::as_array)
        .flatten()
        .cloned()
        .collect();
    theirs.extend(results("eth_getTransactionReceipt"));
    let ours = fixture.result("eth_getBlockReceipts", json!(["0x1"])).await;
    for ours in ours.as_array().unwrap() {
        // Receipts before Byzantium have a root instead of a status.
        let kind = &ours["type"];
        let same = |it: &&Value| it["type"] == *kind && it.get("status").is_some();
        match theirs.iter().find(same) {
            Some(theirs) => check(ours, theirs),
            None => assert_eq!(kind, "0x1"),
        }
    }
    let theirs = find(&theirs, |receipt| receipt["logs"][0].is_object());
    check(&ours[1]["logs"][0], &theirs["logs"][0]);
    let found = results("eth_getLogs");
    let theirs = find(&found, |logs| logs[0].is_object());
    let ours = fixture
        .result("eth_getLogs", json!([{"fromBlock": "0x1"}]))
        .await;
    check(&ours[0], &theirs[0]);
}

#[tokio::test]
async fn fees_proofs_and_pool() {
    let fixture = Fixture::new().await;
    let ours = fixture
        .result("eth_feeHistory", json!(["0x1", "latest", [95, 99]]))
        .await;
    let theirs = &results("eth_feeHistory")[0];
    check(&ours, theirs);
    for key in [
        "baseFeePerGas",
        "gasUsedRatio",
        "reward",
        "blobGasUsedRatio",
    ] {
        let length = |it: &Value| it[key].as_array().unwrap().len();
        assert_eq!(length(&ours), length(theirs), "{key}");
    }
    let ours = fixture.result("eth_getProof", json!([sender(), []])).await;
    check(&ours, &results("eth_getProof")[0]);
    let ours = fixture.result("txpool_status", json!([])).await;
    check(&ours, &results("txpool_status")[0]);
    let ours = fixture.result("eth_capabilities", json!([])).await;
    let theirs = &results("eth_capabilities")[0];
    check(&ours, theirs);
    assert_eq!(ours["head"]["number"], "0x2");
    assert_eq!(ours["state"]["oldestBlock"], "0x1");
    assert_eq!(ours["logs"]["oldestBlock"], "0x0");
    check(&ours["state"], &theirs["state"]);
}
