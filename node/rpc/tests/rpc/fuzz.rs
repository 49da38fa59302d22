//! Whatever a client sends, it gets a JSON-RPC answer, and never an internal error.

use std::cell::Cell;

use alloy_primitives::hex;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::Union;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tbsi_rpc::{Audience, openrpc_document};
use tokio::runtime::Runtime;

use crate::chain::{HALTS, REVERTS};
use crate::http::{Fixture, exchange, post};
use crate::reference::schema::Schemas;
use crate::transactions::{CHAIN_ID, CONTRACT, TOPIC, TOPIC_ODD, one_of_each_type, sender};

type Argument = BoxedStrategy<Value>;

fn one_of(values: Vec<Value>) -> Argument {
    select(values).boxed()
}

fn address() -> Argument {
    one_of(vec![json!(sender()), json!(CONTRACT), json!(REVERTS)])
}

fn quantity() -> Argument {
    let edges = ["0x0", "0x1", "0x7f", "0xffffffffffffffff"];
    one_of(edges.map(Value::from).to_vec())
}

fn hash() -> Argument {
    let included = one_of_each_type()[2].hash();
    one_of(vec![json!(included), json!(TOPIC)])
}

fn tag() -> Argument {
    let tags = ["latest", "pending", "earliest", "0x1", "0xffffffffffffffff"];
    one_of(tags.map(Value::from).to_vec())
}

fn block() -> Argument {
    let by_hash = hash().prop_map(|hash| json!({ "blockHash": hash }));
    let by_number = tag().prop_map(|tag| json!({ "blockNumber": tag }));
    prop_oneof![4 => tag(), 1 => hash(), 1 => by_hash, 1 => by_number].boxed()
}

/// An object with some of `fields`; the last of several with one key counts.
fn object(fields: Vec<(&'static str, Value)>) -> Argument {
    let count = fields.len();
    subsequence(fields, 0..=count)
        .prop_shuffle()
        .prop_map(|some| {
            some.into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect()
        })
        .prop_map(Value::Object)
        .boxed()
}

fn transaction() -> Argument {
    let largest = format!("0x{}", "f".repeat(64));
    let access_list = json!([{"address": CONTRACT, "storageKeys": [TOPIC]}]);
    let authorization = json!([{
        "chainId": "0x1", "address": CONTRACT, "nonce": "0x0", "yParity": "0x1",
        "r": largest, "s": "0x0",
    }]);
    let fields = object(vec![
        ("from", json!(sender())),
        ("to", json!(CONTRACT)),
        ("to", json!(REVERTS)),
        ("to", json!(HALTS)),
        ("gas", json!("0xffffffffffffffff")),
        ("gasPrice", json!("0xffffffffffffffffffffffffffffffff")),
        ("maxFeePerGas", json!("0x1")),
        ("maxPriorityFeePerGas", json!("0x1")),
        ("value", json!(largest)),
        ("nonce", json!("0xffffffffffffffff")),
        ("data", json!("0x01")),
        ("input", json!("0x01")),
        ("type", json!("0x0")),
        ("type", json!("0x1")),
        ("type", json!("0xff")),
        ("chainId", json!(format!("{CHAIN_ID:#x}"))),
        ("accessList", access_list),
        ("authorizationList", authorization),
        ("blobVersionedHashes", json!([])),
    ]);
    fields.boxed()
}

fn filter() -> Argument {
    object(vec![
        ("fromBlock", json!("0x1")),
        ("fromBlock", json!("earliest")),
        ("toBlock", json!("0x1")),
        ("toBlock", json!("latest")),
        ("address", json!(CONTRACT)),
        ("address", json!([CONTRACT, sender()])),
        ("topics", json!([TOPIC])),
        ("topics", json!([null, [TOPIC_ODD, null]])),
    ])
}

const WITHOUT_ARGUMENTS: [&str; 16] = [
    "eth_accounts",
    "eth_blobBaseFee",
    "eth_blockNumber",
    "eth_capabilities",
    "eth_chainId",
    "eth_gasPrice",
    "eth_maxPriorityFeePerGas",
    "eth_syncing",
    "net_listening",
    "net_peerCount",
    "net_version",
    "rpc_modules",
    "tbsi_getEvidence",
    "tbsi_status",
    "txpool_status",
    "web3_clientVersion",
];

/// Each method with arguments that it takes.
fn methods() -> Vec<(&'static str, Vec<Argument>)> {
    let flag = || one_of(vec![json!(true), json!(false)]);
    let slots = || vec(quantity(), 0..4).prop_map(Value::from).boxed();
    let percentiles = vec(0.0..=100.0f64, 0..3).prop_map(|mut list| {
        list.sort_by(f64::total_cmp);
        json!(list)
    });
    let height = prop_oneof![tag(), (0u64..4).prop_map(Value::from)].boxed();
    let bytes = vec(any::<u8>(), 0..80).prop_map(|bytes| json!(hex::encode_prefixed(bytes)));
    let bytes = bytes.boxed();
    let mut methods = vec![
        ("eth_call", vec![transaction(), block()]),
        ("eth_estimateGas", vec![transaction(), block()]),
        (
            "eth_feeHistory",
            vec![quantity(), tag(), percentiles.boxed()],
        ),
        ("eth_fillTransaction", vec![transaction()]),
        ("eth_getBalance", vec![address(), block()]),
        ("eth_getBlockByHash", vec![hash(), flag()]),
        ("eth_getBlockByNumber", vec![tag(), flag()]),
        ("eth_getBlockReceipts", vec![block()]),
        ("eth_getBlockTransactionCountByHash", vec![hash()]),
        ("eth_getBlockTransactionCountByNumber", vec![tag()]),
        ("eth_getCode", vec![address(), block()]),
        ("eth_getLogs", vec![filter()]),
        ("eth_getProof", vec![address(), slots(), block()]),
        ("eth_getStorageAt", vec![address(), quantity(), block()]),
        (
            "eth_getTransactionByBlockHashAndIndex",
            vec![hash(), quantity()],
        ),
        (
            "eth_getTransactionByBlockNumberAndIndex",
            vec![tag(), quantity()],
        ),
        ("eth_getTransactionByHash", vec![hash()]),
        ("eth_getTransactionCount", vec![address(), block()]),
        ("eth_getTransactionReceipt", vec![hash()]),
        ("eth_sendRawTransaction", vec![bytes.clone()]),
        ("eth_subscribe", vec![one_of(vec![json!("logs")]), filter()]),
        ("eth_unsubscribe", vec![quantity()]),
        (
            "tbsi_subscribe",
            vec![one_of(vec![json!("leaves")]), filter()],
        ),
        ("tbsi_getCertificate", vec![height.clone()]),
        ("tbsi_getCheckpoint", vec![height.clone()]),
        ("tbsi_getValidators", vec![height]),
        ("tbsi_transactionStatus", vec![hash()]),
        ("web3_sha3", vec![bytes]),
    ];
    methods.extend(WITHOUT_ARGUMENTS.map(|name| (name, vec![])));
    methods.extend(others(&methods));
    methods
}

/// Methods that wait would make the test wait too.
const WAITING: [&str; 2] = ["eth_sendRawTransactionSync", "tbsi_sendAttestation"];

/// All other methods, with the examples of their arguments.
fn others(known: &[(&str, Vec<Argument>)]) -> Vec<(&'static str, Vec<Argument>)> {
    let document = openrpc_document(Audience::Public);
    let schemas = Schemas::of(&document);
    let mut others = Vec::new();
    for method in document["methods"].as_array().unwrap() {
        let name = method["name"].as_str().unwrap();
        let is_known = known.iter().any(|(known, _)| *known == name);
        if is_known || WAITING.contains(&name) {
            continue;
        }
        let params = method["params"].as_array().unwrap().iter();
        let params = params.map(|param| one_of(vec![schemas.example(&param["schema"])]));
        others.push((&*name.to_owned().leak(), params.collect()));
    }
    others
}

/// Any JSON, with a taste for what resembles an argument.
fn anything() -> Argument {
    let scalar = prop_oneof![
        2 => prop_oneof![address(), quantity(), hash(), tag()],
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => ".{0,12}".prop_map(Value::from),
        1 => Just(json!(format!("0x{}", "f".repeat(66)))),
        1 => Just(Value::Null),
    ];
    let key = || {
        prop_oneof![
            select(vec!["to", "topics", "blockHash"]).prop_map(String::from),
            ".{0,6}"
        ]
    };
    let nested = scalar.prop_recursive(3, 24, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(key(), inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    nested.boxed()
}

/// A method with its arguments, some of them spoiled, missing or too many.
fn call() -> impl Strategy<Value = (&'static str, Vec<Value>)> {
    Union::new(methods().into_iter().map(|(name, arguments)| {
        let count = arguments.len();
        let spoiled = arguments
            .into_iter()
            .map(|argument| prop_oneof![9 => argument, 1 => anything()].boxed());
        let spoiled = spoiled.collect::<Vec<_>>();
        let length = prop_oneof![9 => Just(count), 1 => 0..=count];
        let extra = prop_oneof![9 => Just(vec![]), 1 => vec(anything(), 0..4)];
        let call = (spoiled, length, extra).prop_map(move |(mut arguments, length, extra)| {
            arguments.truncate(length);
            arguments.extend(extra);
            (name, arguments)
        });
        call.boxed()
    }))
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    })
}

#[test]
fn random_parameters_always_get_an_answer() {
    const CASES: u32 = 4_000;
    let runtime = Runtime::new().unwrap();
    let fixture = runtime.block_on(Fixture::new());
    let results = Cell::new(0);
    let check = |(method, params): (&str, Vec<Value>)| {
        let response = runtime.block_on(fixture.call(method, json!(params)));
        let has_result = response.get("result").is_some();
        prop_assert_ne!(has_result, response.get("error").is_some());
        prop_assert_ne!(&response["error"]["code"], &json!(-32603), "{}", response);
        results.set(results.get() + u32::from(has_result));
        Ok(())
    };
    runner(CASES).run(&call(), check).unwrap();
    let results = results.get();
    assert!(
        (CASES / 3..CASES).contains(&results),
        "{results} results: the mix is off"
    );
    let tip = runtime.block_on(fixture.result("eth_blockNumber", json!([])));
    assert_eq!(tip, "0x2");
}

#[test]
fn every_method_here_is_served() {
    let runtime = Runtime::new().unwrap();
    let fixture = runtime.block_on(Fixture::new());
    for (method, _) in methods() {
        let response = runtime.block_on(fixture.call(method, json!([])));
        let message = response["error"]["message"].as_str().unwrap_or_default();
        assert!(
            !message.contains("does not exist"),
            "{method} is not served"
        );
    }
}

#[test]
fn random_bodies_always_get_an_answer() {
    let runtime = Runtime::new().unwrap();
    let fixture = runtime.block_on(Fixture::new());
    let json = anything().prop_map(|value| value.to_string().into_bytes());
    let body = prop_oneof![vec(any::<u8>(), 0..200), json];
    let check = |body: Vec<u8>| {
        let headers = ["content-type: application/json"];
        let answer = runtime.block_on(exchange(fixture.address(), "POST", &headers, &body));
        prop_assert!(matches!(answer.status, 200 | 400), "{}", answer.head);
        prop_assert!(serde_json::from_str::<Value>(&answer.body).is_ok());
        Ok(())
    };
    runner(1_000).run(&body, check).unwrap();
    let request = r#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}"#;
    let answer = runtime.block_on(post(fixture.address(), request, &[]));
    assert_eq!(answer.json()["result"], "0x2");
}
