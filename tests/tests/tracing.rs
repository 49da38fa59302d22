//! Traces of a running node beside anvil's of the same transactions, and the requests of
//! Remix's debugger, Blockscout, Otterscan and graph-node as they send them.
//!
//! What differs from anvil is listed where it is taken out, with the reason. Without anvil (npm
//! packages of `tests/clients`) the comparison is skipped and says so.

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex};
use serde_json::{Value, json};
use tbsi_rpc::{Client, ClientError};
use tbsi_testnet::DEVELOPMENT_CHAIN_ID;
use tbsi_tests::bridge::anvil::{self, Anvil};
use tbsi_tests::harness::{Sender, TestNetwork, skip, wait_receipt};
use tbsi_types::Height;

#[path = "tracing/stateless.rs"]
mod stateless;
#[path = "tracing/subgraphs.rs"]
mod subgraphs;

/// As much as a transaction may have.
const GAS_MAX: u64 = 1 << 24;

/// `storage[calldata[0]] = calldata[1]`, and a log of the value.
const STORING: &str = "6020355f356020355f5260076020 5fa1 55 00";
/// Logs, then reverts with its call data.
const REVERTING: &str = "5f5fa0 36 5f5f 37 36 5f fd";
/// JUMPDEST PUSH0 JUMP.
const LOOPING: &str = "5b 5f 56";
/// CREATE2 of what follows the salt in its call data, with its value.
const FACTORY: &str = "602036 03 6020 5f 37 5f35 6020 36 03 5f 34 f5 50 00";

/// A sender with a contract of each kind, on one chain.
struct Side<'a> {
    client: &'a Client,
    sender: Sender,
    nonce: u64,
    sent: Vec<B256>,
}

fn code(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).expect("hex")
}

/// Init code that deploys `runtime`.
fn deploying(runtime: &[u8]) -> Vec<u8> {
    let length = u8::try_from(runtime.len()).expect("a short contract");
    [
        &[0x60, length, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3][..],
        runtime,
    ]
    .concat()
}

/// Calls a contract with the whole call data, and ignores how that goes.
fn forwarding(target: Address) -> Vec<u8> {
    let call = [
        &code("36 5f 5f 37 5f 5f 36 5f 5f 73")[..],
        target.as_slice(),
        &code("5a f1 50"),
    ];
    call.concat()
}

fn words(first: u64, second: u64) -> Vec<u8> {
    let word = |number: u64| U256::from(number).to_be_bytes::<32>();
    [word(first), word(second)].concat()
}

impl<'a> Side<'a> {
    fn new(client: &'a Client) -> Self {
        Self {
            client,
            sender: Sender::new("traced", DEVELOPMENT_CHAIN_ID),
            nonce: 0,
            sent: Vec::new(),
        }
    }

    /// Sends a transaction, and returns where a contract would be that it deploys.
    async fn send(&mut self, to: TxKind, input: Vec<u8>, gas_limit: u64) -> Address {
        let created = self.sender.address().create(self.nonce);
        let signed = self.sender.sign(TxEip1559 {
            chain_id: DEVELOPMENT_CHAIN_ID,
            nonce: self.nonce,
            gas_limit,
            to,
            input: input.into(),
            ..TxEip1559::default()
        });
        self.nonce += 1;
        let hash = self.client.send_raw_transaction(&signed).await;
        let hash = hash.expect("the node takes it");
        wait_receipt(self.client, hash).await;
        self.sent.push(hash);
        created
    }

    async fn deploy(&mut self, runtime: &[u8]) -> Address {
        self.send(TxKind::Create, deploying(runtime), 1_000_000)
            .await
    }

    async fn call(&mut self, to: Address, input: Vec<u8>) {
        self.send(TxKind::Call(to), input, 300_000).await;
    }

    /// The same on every chain.
    async fn act(&mut self) -> Acted {
        let storing = self.deploy(&code(STORING)).await;
        let reverting = self.deploy(&code(REVERTING)).await;
        let factory = self.deploy(&code(FACTORY)).await;
        let calling = [forwarding(storing), forwarding(reverting), vec![0]].concat();
        let calling = self.deploy(&calling).await;
        let child = [&[0; 32][..], &deploying(&code(STORING))].concat();
        self.call(storing, words(1, 5)).await;
        self.call(storing, words(1, 0)).await;
        self.call(calling, words(2, 6)).await;
        self.call(reverting, words(3, 7)).await;
        self.call(factory, child).await;
        // Fails for want of gas.
        self.send(TxKind::Call(storing), words(9, 9), 25_000).await;
        self.call(Address::repeat_byte(0x42), Vec::new()).await;
        Acted { storing, calling }
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        let answer = ask(self.client, method, params.clone()).await;
        answer.unwrap_or_else(|error| panic!("{method} {params}: {error}"))
    }
}

struct Acted {
    storing: Address,
    calling: Address,
}

async fn ask(client: &Client, method: &str, params: Value) -> Result<Value, ClientError> {
    let params = params.as_array().expect("a list").clone();
    client.request(method, &params).await
}

/// Code and data of an error.
async fn refused(client: &Client, method: &str, params: Value) -> (i64, String) {
    let error = ask(client, method, params).await;
    let error = error.expect_err("it is refused");
    let ClientError::Refused { code, message, .. } = error else {
        panic!("{error}");
    };
    (code.into(), message)
}

/// Removes what is not of the transaction but of its block.
fn without_place(mut value: Value) -> Value {
    for field in [
        "blockHash",
        "blockNumber",
        "transactionHash",
        "transactionPosition",
    ] {
        strip(&mut value, field);
    }
    value
}

/// Removes an account that only one of the chains has: who built the block, and is given the
/// fees, which are nothing.
fn without_account(mut value: Value, account: &Value) -> Value {
    strip(
        &mut value,
        &account.as_str().unwrap_or_default().to_lowercase(),
    );
    value
}

/// Makes alike what differs for a reason.
fn explain(options: &Value, ours: &mut Value, theirs: &mut Value) {
    match options["tracer"].as_str() {
        Some("callTracer") => {
            // The transaction's gas, as geth tells it; anvil takes off what it costs beforehand.
            strip_here(ours, "gas");
            strip_here(theirs, "gas");
            // What failed has logged nothing, as in geth.
            if !theirs["error"].is_null() {
                strip_here(theirs, "logs");
            }
        }
        Some("prestateTracer") => {
            // Accounts that were not there before are told by anvil alone.
            for side in [&mut *ours, &mut *theirs] {
                if let Some(accounts) = side.as_object_mut() {
                    accounts.retain(|_, account| *account != json!({"balance": "0x0"}));
                }
            }
        }
        // Anvil has the name and no answer.
        Some("flatCallTracer") if *theirs == json!({}) => *theirs = ours.clone(),
        Some(_) | None => {}
    }
    let types = options.as_array();
    if types.is_some_and(|types| types.contains(&json!("vmTrace"))) {
        // Gas and memory after each instruction, and the code that runs, as OpenEthereum has
        // them; anvil tells those before it, and no code of a creation.
        for field in ["ex", "code"] {
            strip(ours, field);
            strip(theirs, field);
        }
    }
    if types.is_some_and(|types| types.contains(&json!("stateDiff"))) {
        let (ours, theirs) = (&mut ours[0]["stateDiff"], &mut theirs[0]["stateDiff"]);
        let accounts = ours.as_object_mut().expect("accounts");
        // A sender that was not there before is added; anvil says that its nonce changed.
        accounts.retain(|account, difference| {
            let is_said_otherwise =
                difference["balance"]["+"].is_string() && theirs[account]["balance"] == "=";
            if is_said_otherwise {
                strip_here(theirs, account);
            }
            !is_said_otherwise
        });
    }
}

fn strip_here(value: &mut Value, field: &str) {
    if let Some(fields) = value.as_object_mut() {
        fields.remove(field);
    }
}

fn strip(value: &mut Value, field: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, field)),
        Value::Object(fields) => {
            fields.remove(field);
            fields.values_mut().for_each(|value| strip(value, field));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn a_node_tells_what_anvil_tells() {
    let Some(binary) = anvil::installed() else {
        skip(
            "traces beside anvil",
            "anvil is not installed",
            "run `npm ci --prefix tests/clients`",
        );
        return;
    };
    let running = TestNetwork::start(1, 0).await;
    let client = running.client(0);
    let other = Anvil::free_of_charge(&binary, DEVELOPMENT_CHAIN_ID).await;
    let (mut ours, mut theirs) = (Side::new(&client), Side::new(&other.rpc));
    ours.act().await;
    theirs.act().await;

    let geth = [
        json!({}),
        json!({"enableMemory": true, "enableReturnData": true}),
        json!({"disableStack": true, "disableStorage": true}),
        json!({"tracer": "callTracer", "tracerConfig": {"withLog": true}}),
        json!({"tracer": "callTracer", "tracerConfig": {"onlyTopCall": true}}),
        json!({"tracer": "prestateTracer"}),
        json!({"tracer": "prestateTracer", "tracerConfig": {"diffMode": true}}),
        json!({"tracer": "4byteTracer"}),
        json!({"tracer": "flatCallTracer"}),
        json!({"tracer": "noopTracer"}),
    ];
    let (mut compared, mut different) = (0, Vec::new());
    for (our, their) in ours.sent.iter().zip(&theirs.sent) {
        let places = [
            Place::of(&client, our).await,
            Place::of(&other.rpc, their).await,
        ];
        for (method, params) in requests(&geth, &places[0])
            .into_iter()
            .zip(requests(&geth, &places[1]))
            .map(|(ours, theirs)| (ours.0, [ours.1, theirs.1]))
        {
            let [our_params, their_params] = params;
            let told = ours.ask(method, our_params.clone()).await;
            let expected = theirs.ask(method, their_params).await;
            let [mut told, mut expected] = [(told, &places[0]), (expected, &places[1])]
                .map(|(value, place)| without_account(without_place(value), &place.builder));
            explain(&our_params[1], &mut told, &mut expected);
            if told != expected {
                different.push(format!("{method} {our_params}:\n{told}\n{expected}"));
            }
            compared += 1;
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
    assert_eq!(compared, 11 * (geth.len() + 5));
}

#[tokio::test]
async fn debuggers_and_explorers_get_what_they_ask() {
    let running = TestNetwork::create(1, 0);
    running.configure(0, |config| {
        config.store.address_index = true;
        // Few, so that whoever indexes logs is told to ask for fewer blocks.
        config.rpc.log_results_max = 2;
    });
    let mut running = running.started().await;
    let client = running.client(0);
    let mut side = Side::new(&client);
    let acted = side.act().await;
    remix(&side, &acted).await;
    blockscout(&side).await;
    otterscan(&side, &acted).await;
    subgraphs::follow(&side, &acted).await;
    let looping = side.deploy(&code(LOOPING)).await;
    heavy(&mut side, looping).await;

    stateless::blocks(&side, &running.genesis().identity()).await;
    stateless::accounts(&side).await;

    let genesis = refused(&client, "debug_traceBlockByNumber", json!(["0x0"])).await;
    assert_eq!(genesis, (-32000, "genesis is not traceable".into()));
    let script = json!([side.sent[0], {"tracer": "{step: function() {}}"}]);
    let (code, message) = refused(&client, "debug_traceTransaction", script).await;
    assert_eq!(code, -32000);
    assert!(message.contains("JavaScript"), "{message}");
    // Unhurt.
    let height = ask(&client, "eth_blockNumber", json!([]))
        .await
        .expect("a number");
    let height: alloy_primitives::U64 = serde_json::from_value(height).expect("a quantity");
    running.wait_height(0, Height(height.to::<u64>() + 2)).await;
    running.assert_no_panic();
}

/// The debugger steps through a transaction and shows a contract's storage before it.
async fn remix(side: &Side<'_>, acted: &Acted) {
    let hash = side.sent[4];
    let transaction = side.ask("eth_getTransactionByHash", json!([hash])).await;
    let options = json!({
        "disableStorage": true, "enableMemory": true, "disableStack": false, "fullStorage": false,
    });
    let trace = side
        .ask("debug_traceTransaction", json!([hash, options]))
        .await;
    let last = trace["structLogs"].as_array().expect("steps").last();
    assert_eq!(last.expect("a step")["op"], "STOP");
    let block = &transaction["blockHash"];
    let range = json!([block, 0, acted.storing, "0x0", 1000]);
    let (code, _) = refused(side.client, "debug_storageRangeAt", range).await;
    assert_eq!(code, -32602, "half a byte is none");
    let range = json!([block, 0, acted.storing, B256::ZERO, 1000]);
    let before = side.ask("debug_storageRangeAt", range).await;
    assert_eq!(before, json!({"storage": {}, "nextKey": null}));
    // What the next one finds.
    let next = side
        .ask("eth_getTransactionByHash", json!([side.sent[5]]))
        .await;
    let range = json!([next["blockHash"], 0, acted.storing, "0x00", 1000]);
    let before = side.ask("debug_storageRangeAt", range).await;
    let slot = alloy_primitives::keccak256(B256::with_last_byte(1)).to_string();
    assert_eq!(
        before["storage"][&slot]["value"],
        json!(B256::with_last_byte(5))
    );
}

/// The indexer asks for blocks, in either of two dialects.
async fn blockscout(side: &Side<'_>) {
    for hash in &side.sent {
        let receipt = side.ask("eth_getTransactionReceipt", json!([hash])).await;
        let number = &receipt["blockNumber"];
        let options = json!({"timeout": "20s", "tracer": "callTracer"});
        let frames = side
            .ask("debug_traceBlockByNumber", json!([number, options]))
            .await;
        assert_eq!(frames[0]["txHash"], json!(hash));
        assert_eq!(frames[0]["result"]["gasUsed"], receipt["gasUsed"]);
        let failed = receipt["status"] == "0x0";
        assert_eq!(frames[0]["result"]["error"].is_null(), !failed);
        let frame = side
            .ask("debug_traceTransaction", json!([hash, options]))
            .await;
        assert_eq!(frame, frames[0]["result"]);

        let traces = side.ask("trace_block", json!([number])).await;
        let replayed = side
            .ask("trace_replayBlockTransactions", json!([number, ["trace"]]))
            .await;
        assert_eq!(replayed[0]["transactionHash"], json!(hash));
        assert_eq!(replayed[0]["trace"], without_place(traces.clone()));
        let one = side.ask("trace_transaction", json!([hash])).await;
        assert_eq!(one, traces);
        let single = side
            .ask("trace_replayTransaction", json!([hash, ["trace"]]))
            .await;
        assert_eq!(single["trace"], replayed[0]["trace"]);
    }
    let latest = side.ask("eth_blockNumber", json!([])).await;
    let filter = json!([{"fromBlock": latest, "toBlock": latest}]);
    side.ask("trace_filter", filter).await;
}

/// The explorer opens the front page, a block, a transaction that fails, and accounts.
async fn otterscan(side: &Side<'_>, acted: &Acted) {
    assert_eq!(side.ask("ots_getApiLevel", json!([])).await, 8);
    side.ask("erigon_getHeaderByNumber", json!(["0x1"])).await;
    let (created, failed) = (side.sent[8], side.sent[7]);
    let receipt = side
        .ask("eth_getTransactionReceipt", json!([created]))
        .await;
    let number = &receipt["blockNumber"];
    let details = side.ask("ots_getBlockDetails", json!([number])).await;
    assert_eq!(details["block"]["transactionCount"], 1);
    let by_hash = json!([receipt["blockHash"]]);
    assert_eq!(
        side.ask("ots_getBlockDetailsByHash", by_hash).await,
        details
    );
    let page = side
        .ask("ots_getBlockTransactions", json!([number, 0, 25]))
        .await;
    assert_eq!(page["fullblock"]["transactions"][0]["hash"], json!(created));

    let entries = side.ask("ots_traceTransaction", json!([created])).await;
    assert_eq!(entries[0]["type"], "CALL");
    assert_eq!(entries[1]["type"], "CREATE2");
    let child = &entries[1]["to"];
    let operations = side
        .ask("ots_getInternalOperations", json!([created]))
        .await;
    assert_eq!(operations[0]["type"], 3);
    assert_eq!(operations[0]["to"], *child);
    assert_eq!(
        side.ask("ots_getTransactionError", json!([failed])).await,
        json!(Bytes::from(words(3, 7)))
    );
    side.ask("trace_replayTransaction", json!([created, ["stateDiff"]]))
        .await;
    accounts(side, acted, child, created).await;
}

/// What the explorer shows of an account.
async fn accounts(side: &Side<'_>, acted: &Acted, child: &Value, created: B256) {
    let sender = side.sender.address();
    assert_eq!(
        side.ask("ots_hasCode", json!([child, "latest"])).await,
        true
    );
    assert_eq!(
        side.ask("ots_hasCode", json!([sender, "latest"])).await,
        false
    );
    for (contract, hash) in [
        (json!(acted.calling), side.sent[3]),
        (child.clone(), created),
    ] {
        let creator = side.ask("ots_getContractCreator", json!([contract])).await;
        assert_eq!(creator["hash"], json!(hash));
    }
    let none = side.ask("ots_getContractCreator", json!([sender])).await;
    assert_eq!(none, Value::Null);
    for (nonce, hash) in side.sent.iter().enumerate() {
        let params = json!([sender, nonce]);
        let found = side.ask("ots_getTransactionBySenderAndNonce", params).await;
        assert_eq!(found, json!(hash));
    }
    let all = side
        .ask("ots_searchTransactionsBefore", json!([sender, 0, 100]))
        .await;
    let mut newest_first: Vec<Value> = side.sent.iter().map(|hash| json!(hash)).collect();
    newest_first.reverse();
    let hashes = |page: &Value| -> Vec<Value> {
        let transactions = page["txs"].as_array().expect("transactions");
        transactions.iter().map(|it| it["hash"].clone()).collect()
    };
    assert_eq!(hashes(&all), newest_first);
    assert_eq!(
        (&all["firstPage"], &all["lastPage"]),
        (&json!(true), &json!(true))
    );
    // As a contract that was deployed, was called, and whose log another's call made.
    let storing = side
        .ask(
            "ots_searchTransactionsAfter",
            json!([acted.storing, 0, 100]),
        )
        .await;
    let expected = [9, 6, 5, 4, 0].map(|index: usize| json!(side.sent[index]));
    assert_eq!(hashes(&storing), expected);
}

/// A transaction that runs for all the gas that it may have: too large to be told whole, and
/// told in part.
async fn heavy(side: &mut Side<'_>, looping: Address) {
    side.send(TxKind::Call(looping), Vec::new(), GAS_MAX).await;
    let hash = side.sent.last().copied().expect("it was sent");
    let (code, message) = refused(side.client, "debug_traceTransaction", json!([hash])).await;
    assert_eq!(code, -32003, "{message}");
    assert!(message.starts_with("response too large"), "{message}");
    let short = json!([hash, {"timeout": "1ms", "tracer": "callTracer"}]);
    let (code, message) = refused(side.client, "debug_traceTransaction", short).await;
    assert_eq!(code, -32002, "{message}");
    let first = side
        .ask("debug_traceTransaction", json!([hash, {"limit": 1000}]))
        .await;
    assert_eq!(first["structLogs"].as_array().map(Vec::len), Some(1000));
    assert_eq!(first["gas"], GAS_MAX);
    let frame = json!([hash, {"tracer": "callTracer"}]);
    let frame = side.ask("debug_traceTransaction", frame).await;
    assert_eq!(frame["error"], "out of gas");
}

/// Where a transaction is.
struct Place {
    hash: B256,
    number: Value,
    builder: Value,
}

impl Place {
    async fn of(client: &Client, hash: &B256) -> Self {
        let receipt = ask(client, "eth_getTransactionReceipt", json!([hash])).await;
        let number = receipt.expect("a receipt")["blockNumber"].clone();
        let block = ask(client, "eth_getBlockByNumber", json!([number, false])).await;
        let block = block.expect("a block");
        assert_eq!(block["transactions"].as_array().map(Vec::len), Some(1));
        Self {
            hash: *hash,
            number,
            builder: block["miner"].clone(),
        }
    }
}

/// What is asked of each transaction, and of its block.
fn requests(geth: &[Value], place: &Place) -> Vec<(&'static str, Value)> {
    let Place { hash, number, .. } = place;
    let traced = geth.iter();
    let mut requests: Vec<_> = traced
        .map(|options| ("debug_traceTransaction", json!([hash, options])))
        .collect();
    requests.push(("trace_transaction", json!([hash])));
    requests.push(("trace_block", json!([number])));
    for types in [["trace"], ["stateDiff"], ["vmTrace"]] {
        let params = json!([number, types]);
        requests.push(("trace_replayBlockTransactions", params));
    }
    requests
}
