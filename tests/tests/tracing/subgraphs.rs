//! The requests of graph-node for a subgraph, as it sends them, and the words that it looks for in
//! what is refused.

use alloy_primitives::{Address, B256};
use serde_json::{Value, json};

use super::{Acted, Side, refused};

/// What it gives each `eth_call`.
const CALL_GAS: u64 = 50_000_000;

/// An error of `eth_getLogs` that makes it ask for fewer blocks.
const TOO_MANY_LOGS: [&str; 2] = ["Try with this block range", "block range too large"];

/// Code, and one of the words by which it knows that a call fails whenever it is made.
const FAILING: [(&str, &str); 5] = [
    ("5f5ffd", "revert"),
    ("fe", "invalid opcode"),
    ("5f56", "invalid jump destination"),
    ("50", "stack underflow"),
    ("5b5f56", "out of gas"),
];

/// Follows the chain from genesis, and reads what a subgraph asks for.
pub(super) async fn follow(side: &Side<'_>, acted: &Acted) {
    let network = side.ask("net_version", json!([])).await;
    let chain_id = side.ask("eth_chainId", json!([])).await;
    let chain_id = chain_id.as_str().expect("a quantity");
    let decimal = u64::from_str_radix(&chain_id[2..], 16).expect("a quantity");
    assert_eq!(network, decimal.to_string());
    let genesis = side
        .ask("eth_getBlockByNumber", json!(["0x0", false]))
        .await;
    assert_eq!(genesis["parentHash"], json!(B256::ZERO));

    let head = side
        .ask("eth_getBlockByNumber", json!(["latest", false]))
        .await;
    let head = side
        .ask("eth_getBlockByHash", json!([head["hash"], true]))
        .await;
    let mut block = head.clone();
    for _ in 0..3 {
        let parent = block["parentHash"].clone();
        block = side.ask("eth_getBlockByHash", json!([parent, false])).await;
        assert_eq!(block["hash"], parent);
    }
    receipts(side).await;
    logs(side, &head, acted.storing).await;
    calls(side, &head).await;
    let filter = json!([{
        "fromBlock": "0x1", "toBlock": "0x5", "toAddress": [acted.storing],
    }]);
    let traces = side.ask("trace_filter", filter).await;
    assert!(traces.is_array(), "{traces}");
}

/// Those of a block at once, named by its hash, are those of its transactions.
async fn receipts(side: &Side<'_>) {
    for hash in &side.sent {
        let one = side.ask("eth_getTransactionReceipt", json!([hash])).await;
        let at = json!([{ "blockHash": one["blockHash"] }]);
        let all = side.ask("eth_getBlockReceipts", at).await;
        let index = one["transactionIndex"].as_str().expect("an index");
        let index = usize::from_str_radix(&index[2..], 16).expect("a quantity");
        assert_eq!(all[index], one);
    }
}

/// Asks for fewer blocks as often as it is told to; has each log once in the end.
async fn logs(side: &Side<'_>, head: &Value, contract: Address) {
    let number = head["number"].as_str().expect("a number");
    let last = u64::from_str_radix(&number[2..], 16).expect("a quantity");
    let (mut found, mut from, mut step, mut shrunk) = (Vec::new(), 0, last, 0);
    while from <= last {
        let to = last.min(from + step);
        let filter = json!([{
            "fromBlock": format!("{from:#x}"), "toBlock": format!("{to:#x}"),
            "address": [contract],
        }]);
        match super::ask(side.client, "eth_getLogs", filter.clone()).await {
            Ok(some) => {
                found.extend(some.as_array().expect("a list").iter().cloned());
                from = to + 1;
            }
            Err(error) => {
                let words = error.to_string();
                assert!(TOO_MANY_LOGS.iter().any(|it| words.contains(it)), "{words}");
                assert!(step > 0, "one block is never too much");
                step /= 10;
                shrunk += 1;
            }
        }
    }
    assert!(shrunk > 0, "the limit was not met");
    let mut expected = Vec::new();
    for hash in &side.sent {
        let receipt = side.ask("eth_getTransactionReceipt", json!([hash])).await;
        let by_hash = json!([{ "blockHash": receipt["blockHash"], "address": [contract] }]);
        let of_block = side.ask("eth_getLogs", by_hash).await;
        for log in of_block.as_array().expect("a list") {
            if !expected.contains(log) {
                expected.push(log.clone());
            }
        }
    }
    assert_eq!(found, expected);
}

/// Calls and balances in the state of a block that is named by its hash.
async fn calls(side: &Side<'_>, head: &Value) {
    let at = json!({ "blockHash": head["hash"] });
    let account = side.sender.address();
    for method in ["eth_getBalance", "eth_getCode", "eth_getTransactionCount"] {
        let answer = side.ask(method, json!([account, at])).await;
        assert!(answer.is_string(), "{method}: {answer}");
    }
    for (text, words) in FAILING {
        let contract = Address::repeat_byte(0xc0);
        let call = json!({
            "to": contract, "data": "0x", "gas": format!("{CALL_GAS:#x}"),
        });
        let overrides = json!({ contract.to_string(): { "code": format!("0x{text}") } });
        let (_, message) = refused(side.client, "eth_call", json!([call, at, overrides])).await;
        let message = message.to_lowercase();
        assert!(message.contains(words), "{text}: {message}");
    }
}
