//! What is said of the methods is true: of their arguments, their results, and in the places where
//! it is said again.

mod markdown;
pub(crate) mod schema;
mod typescript;

use std::path::PathBuf;

use serde_json::{Value, json};
use tbsi_rpc::{Audience, openrpc_document};

use crate::http::Fixture;
use crate::transactions::{CONTRACT, sender, transfer};
use schema::Schemas;

/// Whatever an argument is, this is not.
fn absurd() -> Value {
    json!([[[[{}]]]])
}

/// Errors with the code of wrong parameters that are about what is asked, not about its form.
const REFUSED_BY_VALUE: &[(&str, &str)] = &[(
    "tbsi_getConsistency",
    "invalid argument 0: sizes 0 and 0: give 1 <= first <= second <= 0",
)];

fn methods(document: &Value) -> impl Iterator<Item = &Value> {
    let methods = document["methods"].as_array().unwrap().iter();
    methods.filter(|method| method["x-transport"] == "any")
}

fn name(of: &Value) -> &str {
    of["name"].as_str().unwrap()
}

#[tokio::test]
async fn methods_take_the_arguments_that_are_said_of_them() {
    let fixture = Fixture::new().await;
    let document = openrpc_document(Audience::Public);
    let schemas = Schemas::of(&document);
    for method in methods(&document) {
        let params = method["params"].as_array().unwrap();
        let examples: Vec<Value> = params
            .iter()
            .map(|it| schemas.example(&it["schema"]))
            .collect();
        let required = params.iter().filter(|it| it["required"] == true).count();
        for count in required..=params.len() {
            let response = fixture.call(name(method), json!(examples[..count])).await;
            check_answer(method, &schemas, &response);
        }
        for (index, param) in params.iter().enumerate() {
            let mut wrong = examples.clone();
            wrong[index] = absurd();
            let (code, message, _) = fixture.error(name(method), json!(wrong)).await;
            let argument = name(param);
            assert_eq!(code, -32602, "{}, {argument}: {message}", name(method));
        }
        let mut surplus = examples.clone();
        surplus.push(Value::Null);
        let (code, message, _) = fixture.error(name(method), json!(surplus)).await;
        let limit = params.len();
        let expected = format!("too many arguments, want at most {limit}");
        assert_eq!((code, message), (-32602, expected), "{}", name(method));
        if let Some(last) = required.checked_sub(1) {
            for missing in [
                &examples[..last],
                &[&examples[..last], &[Value::Null]].concat(),
            ] {
                let (code, message, _) = fixture.error(name(method), json!(missing)).await;
                let expected = format!("missing value for required argument {last}");
                assert_eq!((code, message), (-32602, expected), "{}", name(method));
            }
        }
    }
}

fn check_answer(method: &Value, schemas: &Schemas<'_>, response: &Value) {
    let name = name(method);
    let error = &response["error"];
    if error.is_null() {
        return schemas.check(name, &method["result"]["schema"], &response["result"]);
    }
    let message = error["message"].as_str().unwrap();
    if REFUSED_BY_VALUE.contains(&(name, message)) {
        return;
    }
    let of_form = [-32602, -32601, -32600].map(Value::from);
    assert!(!of_form.contains(&error["code"]), "{name}: {response}");
}

/// Calls whose results have something in them.
fn calls(fixture: &Fixture) -> Vec<(&'static str, Value)> {
    let block = fixture.chain.block_at(1);
    let (hash, transaction) = (block.hash(), block.transactions[3].hash());
    let mut calls = vec![
        ("eth_getBlockByHash", json!([hash, true])),
        ("eth_getBlockByNumber", json!(["0x1", false])),
        ("eth_getBlockReceipts", json!(["0x1"])),
        ("eth_getBlockTransactionCountByHash", json!([hash])),
        ("eth_getBlockTransactionCountByNumber", json!(["0x1"])),
        ("eth_getLogs", json!([{"fromBlock": "0x1"}])),
        ("eth_getProof", json!([sender(), ["0x1"]])),
        ("eth_getTransactionByHash", json!([transaction])),
        (
            "eth_getTransactionByHash",
            json!([fixture.chain.pending().hash()]),
        ),
        ("eth_getTransactionReceipt", json!([transaction])),
        ("debug_getRawBlock", json!([hash])),
        ("debug_getRawReceipts", json!(["0x1"])),
        ("debug_getRawTransaction", json!([transaction])),
        ("eth_getAccount", json!([sender()])),
        ("eth_getUncleCountByBlockHash", json!([hash])),
        ("debug_accountRange", json!(["latest", "0x", 9])),
        ("debug_executionWitness", json!(["latest"])),
        ("debug_storageRangeAt", json!([hash, 0, CONTRACT, "0x", 9])),
        ("debug_traceBlockByNumber", json!(["latest"])),
        ("debug_traceCall", json!([{"to": CONTRACT}])),
        ("erigon_getHeaderByNumber", json!(["0x1"])),
        ("ots_getApiLevel", json!([])),
        ("ots_getBlockDetailsByHash", json!([hash])),
        ("ots_getBlockTransactions", json!(["0x1", 0, 25])),
        ("ots_searchTransactionsBefore", json!([sender(), 0, 5])),
        ("trace_block", json!(["latest"])),
        ("trace_callMany", json!([[[{"to": CONTRACT}, ["trace"]]]])),
        ("trace_filter", json!([{"fromBlock": "latest"}])),
        (
            "trace_replayBlockTransactions",
            json!(["latest", ["trace", "stateDiff"]]),
        ),
        ("qbft_getValidatorsByBlockHash", json!([hash])),
        ("qbft_getValidatorsByBlockNumber", json!(["0x1"])),
        ("txpool_besuPendingTransactions", json!([1])),
        ("txpool_content", json!([])),
        ("eth_fillTransaction", json!([{"to": CONTRACT}])),
        ("eth_sendRawTransaction", json!([transfer(9).encoded()])),
        ("tbsi_getCertificate", json!([1])),
        ("tbsi_transactionStatus", json!([transaction])),
        (
            "tbsi_transactionStatus",
            json!([fixture.chain.pending().hash()]),
        ),
        ("tbsi_transactionStatus", json!([crate::chain::DROPPED])),
    ];
    for index in ["0x0", "0x1", "0x2", "0x3"] {
        let place = (
            "eth_getTransactionByBlockHashAndIndex",
            json!([hash, index]),
        );
        calls.push(place);
        let place = (
            "eth_getTransactionByBlockNumberAndIndex",
            json!(["0x1", index]),
        );
        calls.push(place);
    }
    calls
}

#[tokio::test]
async fn results_are_what_is_said_of_them() {
    let fixture = Fixture::new().await;
    let document = openrpc_document(Audience::Public);
    let schemas = Schemas::of(&document);
    let mut calls = calls(&fixture);
    for (install, params) in [
        ("eth_newBlockFilter", json!([])),
        ("eth_newFilter", json!([{}])),
        ("eth_newPendingTransactionFilter", json!([true])),
    ] {
        let id = fixture.result(install, params).await;
        calls.push(("eth_getFilterChanges", json!([id])));
    }
    fixture.chain.append(vec![transfer(4), transfer(5)], 2);
    fixture
        .chain
        .pooled
        .send(fixture.chain.pending().hash())
        .unwrap();
    for (called, params) in calls {
        let result = fixture.result(called, params.clone()).await;
        assert!(
            !result.is_null() && result != json!([]),
            "{called} {params} shows nothing"
        );
        let method = methods(&document).find(|it| name(it) == called);
        let method = method.unwrap_or_else(|| panic!("{called} is no method"));
        schemas.check(called, &method["result"]["schema"], &result);
    }
}

#[tokio::test]
async fn a_node_says_what_it_serves() {
    let fixture = Fixture::new().await;
    let told = fixture.result("rpc.discover", json!([])).await;
    assert_eq!(told, openrpc_document(Audience::Public));
    let modules = fixture.result("rpc_modules", json!([])).await;
    for method in told["methods"].as_array().unwrap() {
        let namespace = name(method).split(['_', '.']).next().unwrap();
        assert_eq!(modules[namespace], "1.0", "{}", name(method));
    }
    for method in openrpc_document(Audience::Operator)["methods"]
        .as_array()
        .unwrap()
    {
        if method["x-audience"] == "operator" {
            let refused = fixture.error(name(method), json!([])).await;
            assert_eq!(refused.0, -32601, "{}", name(method));
        }
    }
}

/// A file of the repository that follows from the table, or a part of one.
fn keep(path: &str, make: impl Fn(&str) -> String) {
    let path = PathBuf::from("../..").join(path);
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let expected = make(&found);
    if std::env::var_os("UPDATE_RPC").is_some() {
        std::fs::write(&path, expected).unwrap();
        return;
    }
    assert!(
        found == expected,
        "{} is not what the table of methods says: \
         run `UPDATE_RPC=1 cargo test -p tbsi-rpc --test rpc reference`",
        path.display()
    );
}

#[test]
fn the_reference_page_follows_from_the_table() {
    let document = openrpc_document(Audience::Operator);
    keep("docs/rpc.md", |page| markdown::page(page, &document));
}

#[test]
fn the_typescript_client_knows_the_methods() {
    let document = openrpc_document(Audience::Operator);
    keep("sdk/typescript/src/client/methods.ts", |_| {
        typescript::module(&document)
    });
}
