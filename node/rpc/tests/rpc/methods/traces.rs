//! `debug_*`, `trace_*` and `ots_*`: who is asked what, and how it is told.

use std::sync::Arc;

use serde_json::{Value, json};
use tbsi_rpc::RpcLimits;
use tbsi_rpc::limits::TRACES_MAX;

use crate::chain::{Chain, DROPPED, NONCE, WAITS};
use crate::hindsight::{FAR, NO_TRACER, TOO_LARGE, TOO_LONG};
use crate::http::Fixture;
use crate::transactions::{CONTRACT, one_of_each_type, sender};

/// A chain whose block 3 has transactions and a state before it.
async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.chain.append(one_of_each_type(), 1);
    fixture
}

fn block_hash(chain: &Chain, height: u64) -> Value {
    json!(chain.block_at(height).hash())
}

fn hash(chain: &Chain, index: usize) -> Value {
    json!(chain.block_at(1).transactions[index].hash())
}

#[tokio::test]
async fn blocks_are_traced_by_number_by_hash_and_by_bytes() {
    let fixture = fixture().await;
    let block = fixture.chain.block_at(3);
    let expected: Vec<_> = block
        .transactions
        .iter()
        .map(|transaction| {
            json!({
                "txHash": transaction.hash(),
                "result": {"gas": 21_000, "failed": false, "returnValue": "0x", "structLogs": []},
            })
        })
        .collect();
    let expected = json!(expected);
    for (method, block) in [
        ("debug_traceBlockByNumber", json!("0x3")),
        ("debug_traceBlockByNumber", json!("latest")),
        ("debug_traceBlockByHash", block_hash(&fixture.chain, 3)),
        (
            "debug_traceBlock",
            json!(alloy_primitives::hex::encode_prefixed(block.encode())),
        ),
    ] {
        assert_eq!(
            fixture.result(method, json!([block])).await,
            expected,
            "{method}"
        );
    }
    let frames = fixture
        .result(
            "debug_traceBlockByNumber",
            json!(["0x3", {"tracer": "callTracer"}]),
        )
        .await;
    assert_eq!(frames[2]["result"]["type"], "CALL");
    assert_eq!(frames.as_array().unwrap().len(), 4);
    let empty = fixture
        .result("debug_traceBlockByNumber", json!(["0x2"]))
        .await;
    assert_eq!(empty, json!([]));
}

#[tokio::test]
async fn what_is_not_there_is_an_error_in_the_words_of_go_ethereum() {
    let fixture = fixture().await;
    let unknown = json!(DROPPED);
    for (method, params, expected) in [
        (
            "debug_traceBlockByNumber",
            json!(["0x9"]),
            "block #9 not found".to_string(),
        ),
        (
            "debug_traceBlockByHash",
            json!([unknown]),
            format!("block {DROPPED} not found"),
        ),
        (
            "debug_traceBlockByNumber",
            json!(["earliest"]),
            "genesis is not traceable".into(),
        ),
        (
            "debug_traceBlockByHash",
            json!([block_hash(&fixture.chain, 0)]),
            "genesis is not traceable".into(),
        ),
        (
            "debug_traceTransaction",
            json!([unknown]),
            "transaction not found".into(),
        ),
        (
            "trace_replayTransaction",
            json!([unknown, ["trace"]]),
            "transaction not found".into(),
        ),
        (
            "debug_traceBlockByNumber",
            json!(["0x3", {"tracer": NO_TRACER}]),
            "no such tracer".into(),
        ),
    ] {
        let (code, message, _) = fixture.error(method, params).await;
        assert_eq!((code, message), (-32000, expected), "{method}");
    }
    for (method, params) in [
        ("debug_traceBlockByNumber", json!(["3"])),
        ("debug_traceTransaction", json!([])),
        (
            "debug_traceBlockByNumber",
            json!(["0x3", {"timeout": "soon"}]),
        ),
        (
            "debug_traceBlockByNumber",
            json!(["0x3", {"disableStack": "no"}]),
        ),
        ("trace_replayTransaction", json!([unknown, ["everything"]])),
    ] {
        let (code, message, _) = fixture.error(method, params.clone()).await;
        assert_eq!(code, -32602, "{method} {params}: {message}");
    }
}

#[tokio::test]
async fn a_state_that_was_pruned_is_named_with_the_oldest_that_is_served() {
    let fixture = fixture().await;
    let transaction = hash(&fixture.chain, 2);
    for (method, params) in [
        ("debug_traceBlockByNumber", json!(["0x1"])),
        ("debug_traceTransaction", json!([transaction])),
        ("trace_transaction", json!([transaction])),
        ("trace_block", json!(["0x1"])),
        ("trace_replayTransaction", json!([transaction, ["trace"]])),
        (
            "trace_filter",
            json!([{"fromBlock": "0x1", "toBlock": "0x1"}]),
        ),
        ("ots_traceTransaction", json!([transaction])),
    ] {
        let (code, message, data) = fixture.error(method, params).await;
        assert_eq!(
            (code, &*message),
            (4444, "pruned history unavailable"),
            "{method}"
        );
        assert_eq!(data, json!({"height": "0x1", "oldest": "0x2"}), "{method}");
    }
}

#[tokio::test]
async fn limits_of_traces_say_what_helps() {
    let fixture = fixture().await;
    let traced = async |limit: u64, timeout: &str| {
        let options = json!({"limit": limit, "timeout": timeout});
        fixture
            .error("debug_traceBlockByNumber", json!(["0x3", options]))
            .await
    };
    let (code, message, data) = traced(TOO_LARGE, "1s").await;
    assert_eq!(code, -32003);
    assert!(message.starts_with("response too large: "), "{message}");
    assert_eq!(data, json!({"limitBytes": 26_214_400}));
    let (code, message, data) = traced(TOO_LONG, "1.5s").await;
    assert_eq!(code, -32002);
    assert!(message.starts_with("execution timeout: "), "{message}");
    assert_eq!(data, json!({"limitMs": 1_500, "maxMs": 20_000}));
    let (_, _, data) = traced(TOO_LONG, "10h").await;
    assert_eq!(data["limitMs"], 20_000, "no more than the most");

    // What is estimated too low is measured at the end.
    let limits = RpcLimits {
        response_bytes_max: 1_500,
        ..RpcLimits::default()
    };
    let small = Fixture::with_limits(limits).await;
    small.chain.append(one_of_each_type(), 1);
    let (code, _, data) = small
        .error("debug_traceBlockByNumber", json!(["0x3"]))
        .await;
    assert_eq!((code, data), (-32003, json!({"limitBytes": 1_500})));
}

#[tokio::test]
async fn parity_traces_say_where_they_are() {
    let fixture = fixture().await;
    let block = fixture.chain.block_at(3);
    let all = fixture.result("trace_block", json!(["0x3"])).await;
    assert_eq!(all.as_array().unwrap().len(), 4);
    for (index, trace) in all.as_array().unwrap().iter().enumerate() {
        assert_eq!(trace["transactionPosition"], index);
        assert_eq!(
            trace["transactionHash"],
            json!(block.transactions[index].hash())
        );
        assert_eq!(trace["blockNumber"], 3);
        assert_eq!(trace["blockHash"], json!(block.hash()));
        assert_eq!(trace["type"], if index == 0 { "create" } else { "call" });
    }
    let by_hash = json!([{"blockHash": block.hash()}]);
    assert_eq!(fixture.result("trace_block", by_hash).await, all);
    for (params, expected) in [
        (json!(["0x0"]), json!([])),
        (json!(["0x2"]), json!([])),
        (json!(["0x99"]), Value::Null),
    ] {
        assert_eq!(fixture.result("trace_block", params).await, expected);
    }
    let types = json!(["trace", "stateDiff"]);
    let replayed = fixture
        .result("trace_replayBlockTransactions", json!(["latest", types]))
        .await;
    assert_eq!(replayed.as_array().unwrap().len(), 4);
    assert_eq!(
        replayed[1]["transactionHash"],
        json!(block.transactions[1].hash())
    );
    assert_eq!(replayed[1]["stateDiff"], json!({}));
    assert_eq!(replayed[1]["vmTrace"], Value::Null);
    let none = fixture
        .result("trace_replayBlockTransactions", json!(["0x99", types]))
        .await;
    assert_eq!(none, Value::Null);

    for unknown in [
        "trace_transaction",
        "ots_traceTransaction",
        "ots_getInternalOperations",
    ] {
        assert_eq!(fixture.result(unknown, json!([DROPPED])).await, Value::Null);
    }
    assert_eq!(
        fixture.result("trace_get", json!([DROPPED, []])).await,
        Value::Null
    );
    let call = json!({"to": CONTRACT});
    let called = fixture
        .result(
            "trace_callMany",
            json!([[[call, ["trace"]], [call, ["stateDiff"]]]]),
        )
        .await;
    assert_eq!(called[0]["stateDiff"], Value::Null);
    assert_eq!(called[1]["stateDiff"], json!({}));
    let called = fixture
        .result("trace_call", json!([call, ["trace"], "0x1"]))
        .await;
    assert_eq!(called["trace"], json!([]));
    let many = vec![json!([call, ["trace"]]); 101];
    let (code, message, _) = fixture.error("trace_callMany", json!([many])).await;
    assert_eq!((code, &*message), (-32602, "too many calls (max 100)"));
}

#[tokio::test]
async fn filters_choose_by_who_calls_whom() {
    let fixture = fixture().await;
    let count = async |mut filter: Value| {
        filter["fromBlock"] = json!("0x2");
        let found = fixture.result("trace_filter", json!([filter])).await;
        found.as_array().unwrap().len()
    };
    assert_eq!(count(json!({})).await, 4);
    assert_eq!(count(json!({"fromAddress": [sender()]})).await, 4);
    assert_eq!(count(json!({"toAddress": [FAR]})).await, 0);
    assert_eq!(count(json!({"toAddress": [CONTRACT], "after": 1})).await, 3);
    assert_eq!(count(json!({"after": "0x1", "count": 2})).await, 2);
    assert_eq!(count(json!({"count": 0})).await, 0);
    let both = json!({"fromAddress": [sender()], "toAddress": [FAR], "mode": "intersection"});
    assert_eq!(count(both).await, 0);
    for _ in 0..100 {
        fixture.chain.append(vec![], 0);
    }
    let wide = json!([{"fromBlock": "0x2", "toBlock": "0x66"}]);
    let (code, message, data) = fixture.error("trace_filter", wide).await;
    assert_eq!(
        (code, &*message),
        (-32602, "exceed maximum block range: 100")
    );
    assert_eq!(data, json!({"limit": 100, "from": "0x2", "to": "0x65"}));
    let beyond = json!([{"fromBlock": "0x2", "toBlock": "0x999"}]);
    assert_eq!(fixture.error("trace_filter", beyond).await.0, -32602);
    let wrong = json!([{"from": "0x2"}]);
    assert_eq!(fixture.error("trace_filter", wrong).await.0, -32602);
}

#[tokio::test]
async fn storage_is_told_by_the_hash_of_its_slots() {
    let fixture = fixture().await;
    let block = block_hash(&fixture.chain, 3);
    let range = async |index: u32, account: Value, start: &str, limit: u32| {
        let params = json!([block, index, account, start, limit]);
        fixture.result("debug_storageRangeAt", params).await
    };
    let hash = format!("0x{}", "51".repeat(32));
    let contract = json!(CONTRACT);
    let page = range(1, contract.clone(), "0x", 1_000_000).await;
    assert_eq!(page["storage"][&hash]["value"], format!("{:#066x}", 42));
    assert_eq!(page["storage"][&hash]["key"], format!("{:#066x}", 1));
    assert_eq!(page["nextKey"], Value::Null);
    let page = range(0, contract.clone(), "0x51", 1).await;
    assert_eq!(page["storage"][&hash]["key"], Value::Null);
    assert_eq!(page["nextKey"], format!("0x{}", "52".repeat(32)));
    let page = range(0, contract.clone(), "0x52", 1).await;
    assert_eq!(page["storage"], json!({}));
    for (params, code) in [
        (json!([block, 4, contract, "0x", 10]), -32000),
        (json!([DROPPED, 0, contract, "0x", 10]), -32000),
        (
            json!([block_hash(&fixture.chain, 0), 0, contract, "0x", 10]),
            -32000,
        ),
        (
            json!([block, 0, contract, format!("0x{}", "00".repeat(33)), 10]),
            -32602,
        ),
        (json!([block, 0, contract, "0x", -1]), -32602),
    ] {
        assert_eq!(fixture.error("debug_storageRangeAt", params).await.0, code);
    }
}

#[tokio::test]
async fn accounts_are_dumped_page_by_page() {
    let fixture = fixture().await;
    let name = format!("pre(0x{})", "51".repeat(32));
    let page = fixture
        .result("debug_accountRange", json!(["latest", "0x", 1000]))
        .await;
    let root = page["root"].as_str().unwrap();
    assert_eq!(root.len(), 64, "go-ethereum's has no 0x");
    let account = &page["accounts"][&name];
    assert_eq!(account["balance"], "10");
    assert_eq!(account["nonce"], 1);
    assert_eq!(account["code"], "0x6000");
    let slot = format!("0x{}", "53".repeat(32));
    assert_eq!(account["storage"], json!({slot: "0102"}));
    assert_eq!(account["key"], format!("0x{}", "51".repeat(32)));
    assert!(page.get("next").is_none());
    let params = json!(["latest", "0x51", 1, true, true, true]);
    let page = fixture.result("debug_accountRange", params).await;
    let account = &page["accounts"][&name];
    assert!(account.get("code").is_none() && account.get("storage").is_none());
    assert_eq!(page["next"], format!("0x{}", "52".repeat(32)));
    let params = json!(["latest", "0x", 0]);
    let all = fixture.result("debug_accountRange", params).await;
    assert!(all["accounts"][&name].is_object());
    for (params, code) in [
        (json!(["0xffff", "0x", 1]), -32000),
        (json!(["0x0", "0x", 1]), 4444),
        (
            json!(["latest", format!("0x{}", "00".repeat(33)), 1]),
            -32602,
        ),
        (json!(["latest", "0x"]), -32602),
        (json!(["latest", "0x", 1, "no"]), -32602),
    ] {
        assert_eq!(fixture.error("debug_accountRange", params).await.0, code);
    }
}

#[tokio::test]
async fn a_witness_has_the_headers_that_it_needs() {
    let fixture = fixture().await;
    let witness = fixture
        .result("debug_executionWitness", json!(["0x3"]))
        .await;
    assert_eq!(witness["state"], json!(["0xc0"]));
    assert_eq!(witness["codes"], json!(["0x6000"]));
    assert_eq!(witness["keys"], json!([CONTRACT]));
    let headers = witness["headers"].as_array().unwrap();
    let mut expected = Vec::new();
    for number in 0..3 {
        let number = json!([format!("{number:#x}")]);
        expected.push(fixture.result("debug_getRawHeader", number).await);
    }
    assert_eq!(headers, &expected);
    for block in ["0x0", "0xffff"] {
        let (code, ..) = fixture
            .error("debug_executionWitness", json!([block]))
            .await;
        assert_eq!(code, -32000);
    }
}

#[tokio::test]
async fn calls_are_traced_with_overrides() {
    let fixture = fixture().await;
    let call = json!({"to": CONTRACT, "data": "0x01"});
    let options = json!({"tracer": "callTracer"});
    let traced = fixture
        .result("debug_traceCall", json!([call, "latest", options]))
        .await;
    assert_eq!(traced["type"], "CALL");
    let (code, _, data) = fixture
        .error("debug_traceCall", json!([call, "0x0", options]))
        .await;
    assert_eq!((code, &data["oldest"]), (4444, &json!("0x1")));
    let none = json!({"stateOverrides": {}, "blockOverrides": {}});
    fixture
        .result("debug_traceCall", json!([call, "latest", none]))
        .await;
    let error = async |options: Value| {
        let params = json!([call, "latest", options]);
        let (code, message, _) = fixture.error("debug_traceCall", params).await;
        (code, message)
    };
    let (code, message) = error(json!({"txIndex": "0x1"})).await;
    assert_eq!(code, -32602);
    assert!(message.contains("txIndex"), "{message}");
    let number = json!({"blockOverrides": {"number": "0x7"}});
    assert_eq!(error(number).await, (-32000, "block 7".into()));
    let both = json!({CONTRACT.to_string(): {"state": {}, "stateDiff": {}}});
    let (code, message) = error(json!({"stateOverrides": both})).await;
    assert_eq!(code, -32000);
    assert!(
        message.ends_with("both 'state' and 'stateDiff'"),
        "{message}"
    );
}

/// A few at a time; what is no trace does not wait for them.
#[tokio::test(flavor = "multi_thread")]
async fn traces_wait_for_each_other_alone() {
    let fixture = Arc::new(Fixture::new().await);
    let traces: Vec<_> = (0..2 * TRACES_MAX)
        .map(|_| {
            let fixture = Arc::clone(&fixture);
            let call = json!([{"to": WAITS}]);
            tokio::spawn(async move { fixture.result("debug_traceCall", call).await })
        })
        .collect();
    while fixture.chain.gate.arrived() < TRACES_MAX {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        fixture.result("eth_chainId", json!([])).await;
    }
    assert_eq!(fixture.chain.gate.arrived(), TRACES_MAX);
    fixture.chain.gate.open();
    for trace in traces {
        assert_eq!(trace.await.unwrap()["gas"], 21_000);
    }
    assert_eq!(fixture.chain.gate.arrived(), 2 * TRACES_MAX);
}

#[tokio::test]
async fn otterscan_gets_what_it_asks() {
    let fixture = fixture().await;
    let block = fixture.chain.block_at(3);
    assert_eq!(fixture.result("ots_getApiLevel", json!([])).await, 8);
    let header = fixture
        .result("erigon_getHeaderByNumber", json!(["0x3"]))
        .await;
    assert_eq!(header["hash"], json!(block.hash()));
    assert!(header["transactions"].is_null());
    for (account, expected) in [(json!(CONTRACT), true), (json!(FAR), false)] {
        let params = json!([account, "latest"]);
        assert_eq!(fixture.result("ots_hasCode", params).await, expected);
    }
    let details = fixture.result("ots_getBlockDetails", json!(["0x3"])).await;
    assert_eq!(details["block"]["transactionCount"], 4);
    assert!(details["block"]["transactions"].is_null());
    assert_eq!(details["totalFees"], "0x0");
    assert_eq!(
        details["issuance"],
        json!({"blockReward": "0x0", "uncleReward": "0x0", "issuance": "0x0"})
    );
    let by_hash = json!([block_hash(&fixture.chain, 3)]);
    assert_eq!(
        fixture.result("ots_getBlockDetailsByHash", by_hash).await,
        details
    );
    for none in ["ots_getBlockDetails", "erigon_getHeaderByNumber"] {
        assert_eq!(fixture.result(none, json!(["0x99"])).await, Value::Null);
    }

    // Pages come from the end of the block.
    let page = async |page: u32| {
        let params = json!(["0x3", page, 3]);
        fixture.result("ots_getBlockTransactions", params).await
    };
    let hashes = |page: &Value| -> Vec<Value> {
        let transactions = page["fullblock"]["transactions"].as_array().unwrap();
        transactions.iter().map(|it| it["hash"].clone()).collect()
    };
    let all: Vec<Value> = block
        .transactions
        .iter()
        .map(|it| json!(it.hash()))
        .collect();
    let last = page(0).await;
    assert_eq!(hashes(&last), all[1..]);
    assert_eq!(last["receipts"].as_array().unwrap().len(), 3);
    assert_eq!(last["receipts"][2]["logs"], Value::Null);
    assert_eq!(last["receipts"][2]["logsBloom"], Value::Null);
    assert_eq!(
        last["receipts"][2]["timestamp"],
        last["fullblock"]["timestamp"]
    );
    assert_eq!(last["fullblock"]["transactionCount"], 4);
    assert_eq!(hashes(&page(1).await), all[..1]);
    assert!(hashes(&page(2).await).is_empty());

    assert_eq!(
        fixture
            .result("ots_getTransactionError", json!([DROPPED]))
            .await,
        "0x"
    );
}

#[tokio::test]
async fn otterscan_searches_page_by_page() {
    let fixture = Fixture::new().await;
    let search = async |method: &str, number: u64, size: u64| {
        let params = json!([sender(), number, size]);
        let page = fixture
            .result(&format!("ots_searchTransactions{method}"), params)
            .await;
        let hashes: Vec<Value> = page["txs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["hash"].clone())
            .collect();
        assert_eq!(page["receipts"].as_array().unwrap().len(), hashes.len());
        (hashes, page["firstPage"].clone(), page["lastPage"].clone())
    };
    // All transactions are the sender's; newest first, whole blocks.
    let mut all: Vec<Value> = (0..4).map(|index| hash(&fixture.chain, index)).collect();
    all.reverse();
    let (found, first, last) = search("Before", 0, 2).await;
    assert_eq!(
        (found, first, last),
        (all.clone(), json!(true), json!(false))
    );
    let (found, first, last) = search("Before", 1, 2).await;
    assert_eq!((found, first, last), (vec![], json!(false), json!(true)));
    let (found, first, last) = search("After", 0, 2).await;
    assert_eq!((found, first, last), (all, json!(false), json!(true)));
    let (found, first, last) = search("After", 1, 2).await;
    assert_eq!((found, first, last), (vec![], json!(true), json!(false)));
    let far = json!([FAR, 0, 25]);
    let (code, message, data) = fixture.error("ots_searchTransactionsBefore", far).await;
    assert_eq!(code, -32005);
    assert!(message.contains("store.address_index = true"), "{message}");
    assert_eq!(data, json!({"limit": 10_000, "next": "0x7"}));
}

#[tokio::test]
async fn otterscan_finds_by_nonce_and_by_contract_in_the_states_that_are_kept() {
    let fixture = fixture().await;
    // The sender has sent four before the oldest state.
    for nonce in [json!(0), json!("0x0")] {
        let params = json!([sender(), nonce]);
        let error = fixture
            .error("ots_getTransactionBySenderAndNonce", params)
            .await;
        assert_eq!(
            (error.0, error.2),
            (4444, json!({"height": "0x0", "oldest": "0x1"}))
        );
    }
    let later = json!([sender(), NONCE]);
    let found = fixture
        .result("ots_getTransactionBySenderAndNonce", later)
        .await;
    assert_eq!(found, Value::Null);
    let error = fixture
        .error("ots_getContractCreator", json!([CONTRACT]))
        .await;
    assert_eq!(error.0, 4444);
    let nobody = fixture.result("ots_getContractCreator", json!([FAR])).await;
    assert_eq!(nobody, Value::Null);
}
