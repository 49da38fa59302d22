//! JSON-RPC of a running network, used as Ethereum's clients use it.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod beside;

use alloy_consensus::{TxEip1559, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex, keccak256};
use alloy_sol_types::{Revert, SolError};
use serde_json::{Value, json};
use tbsi_rpc::{Client, ClientError};
use tbsi_tests::harness::{Sender, TestNetwork, eventually, wait_receipt};
use tbsi_types::Height;

/// Logs of the one transaction of a block; more than one answer to a range may have.
const LOGS: usize = 10_001;

async fn ask(client: &Client, method: &str, params: Value) -> Value {
    let params = params.as_array().unwrap();
    let answer = client.request(method, params).await;
    answer.unwrap_or_else(|error| panic!("{method}: {error}"))
}

/// Code, message and data.
async fn refused(client: &Client, method: &str, params: Value) -> (i32, String, Value) {
    let params = params.as_array().unwrap();
    let answer: Result<Value, ClientError> = client.request(method, params).await;
    match answer {
        Err(ClientError::Refused {
            code,
            message,
            data,
            ..
        }) => (code, message, data.unwrap_or_default()),
        other => panic!("{method}: {other:?}"),
    }
}

fn transaction(net: &TestNetwork, nonce: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: net.network.chain_id(),
        nonce,
        gas_limit: 21_000,
        to: TxKind::Call(Address::repeat_byte(0x42)),
        ..TxEip1559::default()
    }
}

/// Counts down from [`LOGS`] and makes a log each time.
fn logging(net: &TestNetwork, nonce: u64) -> TxEip1559 {
    const CODE: [u8; 16] = hex!("612711" "5b" "60019003" "5f5fa0" "80600357" "00");
    TxEip1559 {
        gas_limit: 5_000_000,
        to: TxKind::Create,
        input: Bytes::from_static(&CODE),
        ..transaction(net, nonce)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_block_is_never_too_much_to_ask_for() {
    let net = TestNetwork::start(1, 0).await;
    let client = net.client(0);
    let alice = Sender::new("alice", net.network.chain_id());
    let encoded = Bytes::from(alice.sign(logging(&net, 0)));
    let receipt = ask(&client, "eth_sendRawTransactionSync", json!([encoded])).await;
    assert_eq!(receipt["status"], "0x1");
    assert_eq!(receipt["logs"].as_array().unwrap().len(), LOGS);
    let (number, hash) = (receipt["blockNumber"].clone(), receipt["blockHash"].clone());
    for filter in [
        json!([{"fromBlock": number, "toBlock": number}]),
        json!([{"blockHash": hash}]),
        json!([{"fromBlock": "0x0", "toBlock": number}]),
    ] {
        let logs = ask(&client, "eth_getLogs", filter.clone()).await;
        assert_eq!(logs, receipt["logs"], "{filter}");
    }
    // A second such block: both at once are too many, and the answer says what is not.
    let encoded = Bytes::from(alice.sign(logging(&net, 1)));
    let second = ask(&client, "eth_sendRawTransactionSync", json!([encoded])).await;
    let both = json!([{"fromBlock": number, "toBlock": second["blockNumber"]}]);
    let (code, message, data) = refused(&client, "eth_getLogs", both).await;
    assert_eq!(code, -32005);
    assert!(
        message.starts_with("query returned more than 10000 results"),
        "{message}"
    );
    let advised = json!([{"fromBlock": data["from"], "toBlock": data["to"]}]);
    let logs = ask(&client, "eth_getLogs", advised).await;
    assert_eq!(logs.as_array().unwrap().len(), LOGS);
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_by_filters_hears_everything_once() {
    let net = TestNetwork::start(4, 0).await;
    let client = net.client(1);
    let blocks = ask(&client, "eth_newBlockFilter", json!([])).await;
    let pending = ask(&client, "eth_newPendingTransactionFilter", json!([])).await;
    let logs = ask(&client, "eth_newFilter", json!([{}])).await;
    let mut alice = Sender::new("alice", net.network.chain_id());
    let sent = alice.next_transfer();
    let hash = keccak256(&sent);
    let height = alice_sends(&net, &sent).await;
    eventually("the filters tell of it", async || {
        let of = |id: &Value| ask(&client, "eth_getFilterChanges", json!([id]));
        let (blocks, pending) = (of(&blocks).await, of(&pending).await);
        assert_eq!(of(&logs).await, json!([]));
        let block = net.block_hash(1, height).await;
        let in_it = |list: &Value, it: &Value| list.as_array().unwrap().contains(it);
        // Both were heard of before the receipt was there.
        in_it(&blocks, &json!(block)) && in_it(&pending, &json!(hash))
    })
    .await;
    let of_another_node = refused(&net.client(0), "eth_getFilterChanges", json!([blocks])).await;
    assert_eq!(
        (of_another_node.0, of_another_node.1.as_str()),
        (-32000, "filter not found")
    );
    net.assert_no_panic();
}

/// Sends to another node, and waits until the one that is asked has it.
async fn alice_sends(net: &TestNetwork, encoded: &[u8]) -> Height {
    let hash = net.client(0).send_raw_transaction(encoded).await.unwrap();
    wait_receipt(&net.client(1), hash).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explorers_and_besu_users_find_what_they_ask_for() {
    let net = TestNetwork::start(1, 0).await;
    let client = net.client(0);
    let mut alice = Sender::new("alice", net.network.chain_id());
    let transfer = Bytes::from(alice.next_transfer());
    let receipt = ask(&client, "eth_sendRawTransactionSync", json!([transfer])).await;
    let (block, hash) = (
        receipt["blockHash"].clone(),
        receipt["transactionHash"].clone(),
    );

    let raw = ask(&client, "debug_getRawTransaction", json!([hash])).await;
    assert_eq!(raw, json!(transfer));
    let header = ask(&client, "debug_getRawHeader", json!([block])).await;
    let bytes: Bytes = serde_json::from_value(header).unwrap();
    assert_eq!(json!(keccak256(&bytes)), block);
    let receipts = ask(&client, "debug_getRawReceipts", json!([block])).await;
    assert_eq!(receipts.as_array().unwrap().len(), 1);

    let validator = json!([net.validator_address(0)]);
    for (method, of) in [
        ("qbft_getValidatorsByBlockNumber", json!("latest")),
        ("qbft_getValidatorsByBlockHash", block.clone()),
    ] {
        assert_eq!(
            ask(&client, method, json!([of])).await,
            validator,
            "{method}"
        );
    }
    assert_eq!(ask(&client, "eth_coinbase", json!([])).await, validator[0]);
    let config = ask(&client, "eth_config", json!([])).await;
    let contracts = config["current"]["precompiles"].as_object().unwrap();
    assert_eq!(
        contracts["P256VERIFY"],
        "0x0000000000000000000000000000000000000100"
    );
    assert!(contracts.len() >= 18 && contracts.keys().any(|it| it.starts_with("TBSI_")));

    let account = ask(
        &client,
        "eth_getAccount",
        json!([alice.address(), "latest"]),
    )
    .await;
    assert_eq!(account["nonce"], "0x1");
    let info = ask(
        &client,
        "eth_getAccountInfo",
        json!([alice.address(), "latest"]),
    )
    .await;
    assert_eq!(
        info,
        json!({"balance": "0x0", "nonce": "0x1", "code": "0x"})
    );

    pool_is_shown(&net, &client, &alice).await;
    net.assert_no_panic();
}

/// With one transaction that waits for an earlier nonce.
async fn pool_is_shown(net: &TestNetwork, client: &Client, alice: &Sender) {
    let queued = Bytes::from(alice.sign(transaction(net, 3)));
    ask(client, "eth_sendRawTransaction", json!([queued])).await;
    let content = ask(client, "txpool_content", json!([])).await;
    let address = alice.address().to_checksum(None);
    assert_eq!(
        content["queued"][&address]["3"]["hash"],
        json!(keccak256(&queued))
    );
    let own = ask(client, "txpool_contentFrom", json!([address])).await;
    assert_eq!(own["queued"]["3"], content["queued"][&address]["3"]);
    let line = ask(client, "txpool_inspect", json!([])).await;
    let to = Address::repeat_byte(0x42).to_checksum(None);
    let expected = format!("{to}: 0 wei + 21000 gas × 0 wei");
    assert_eq!(line["queued"][&address]["3"], json!(expected));
    let statistics = ask(client, "txpool_besuStatistics", json!([])).await;
    assert_eq!(
        (&statistics["localCount"], &statistics["remoteCount"]),
        (&json!(1), &json!(0))
    );
    let (code, message, data) = refused(
        client,
        "eth_sendRawTransactionSync",
        json!([queued, "0x64"]),
    )
    .await;
    assert_eq!((code, data), (4, json!(keccak256(&queued))));
    assert!(message.contains("100 ms"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_in_the_codes_and_words_that_clients_match_on() {
    let net = TestNetwork::start(1, 0).await;
    let client = net.client(0);
    let chain_id = net.network.chain_id();
    let mut alice = Sender::new("alice", chain_id);
    alice.transfer(&client).await.unwrap();
    let address = alice.address();
    let queued = alice.sign(transaction(&net, 3));
    client.send_raw_transaction(&queued).await.unwrap();
    let legacy = TxLegacy {
        chain_id: None,
        gas_limit: 21_000,
        to: TxKind::Call(Address::ZERO),
        ..TxLegacy::default()
    };
    let of = |change: fn(&mut TxEip1559)| {
        let mut changed = transaction(&net, 1);
        change(&mut changed);
        alice.sign(changed)
    };
    let balance =
        format!("insufficient funds for gas * price + value: address {address} have 0 want 1");
    let too_low = format!("nonce too low: address {address}, tx: 0 state: 1");
    let rows: [(Vec<u8>, &str); 11] = [
        (of(|it| it.nonce = 0), &too_low),
        (of(|it| it.nonce = 1 << 40), "nonce too high"),
        (queued.clone(), "already known"),
        (
            of(|it| (it.nonce, it.gas_limit) = (3, 21_001)),
            "replacement transaction underpriced",
        ),
        (of(|it| it.value = U256::from(1)), &balance),
        (
            of(|it| it.max_priority_fee_per_gas = 1),
            "max priority fee per gas higher than max fee per gas",
        ),
        (of(|it| it.gas_limit = 20_999), "intrinsic gas too low"),
        (
            of(|it| (it.gas_limit, it.input) = (40_000, vec![1; 1_000].into())),
            "insufficient gas for floor data gas cost",
        ),
        (
            of(|it| it.gas_limit = (1 << 24) + 1),
            "transaction gas limit too high",
        ),
        (vec![3], "transaction type not supported"),
        (
            alice.sign(legacy),
            "only replay-protected (EIP-155) transactions allowed over RPC",
        ),
    ];
    for (encoded, words) in rows {
        let params = json!([Bytes::from(encoded)]);
        let (code, message, _) = refused(&client, "eth_sendRawTransaction", params).await;
        assert_eq!(code, -32000, "{message}");
        assert!(message.starts_with(words), "{message}");
    }
    let other = alice.sign(TxEip1559 {
        chain_id: 1,
        ..transaction(&net, 1)
    });
    let other = json!([Bytes::from(other)]);
    let (_, message, _) = refused(&client, "eth_sendRawTransaction", other).await;
    let expected = format!("invalid chain id for signer: have 1 want {chain_id}");
    assert!(message.starts_with(&expected), "{message}");
    reads_are_refused(&client).await;
    net.assert_no_panic();
}

async fn reads_are_refused(client: &Client) {
    let reason = Revert::from("not today").abi_encode();
    let mut reverting = hex!("6064600a5f3960645ffd").to_vec();
    reverting.extend(&reason);
    let reverting = Bytes::from(reverting);
    for method in ["eth_call", "eth_estimateGas"] {
        let (code, message, data) = refused(client, method, json!([{"input": reverting}])).await;
        assert_eq!(
            (code, message.as_str()),
            (3, "execution reverted: not today")
        );
        assert_eq!(data, json!(Bytes::from(reason.clone())));
    }
    for (method, params, code, words) in refused_reads() {
        let (found, message, _) = refused(client, method, params.clone()).await;
        assert_eq!(found, code, "{method} {params}: {message}");
        assert!(message.starts_with(words), "{method} {params}: {message}");
    }
    let nothing = B256::repeat_byte(9);
    for (method, params) in [
        ("eth_getBlockByHash", json!([nothing, false])),
        ("eth_getTransactionByHash", json!([nothing])),
        ("eth_getTransactionReceipt", json!([nothing])),
    ] {
        assert_eq!(ask(client, method, params).await, Value::Null, "{method}");
    }
}

/// What to ask, and with which code and first words it is refused.
fn refused_reads() -> Vec<(&'static str, Value, i32, &'static str)> {
    let little = json!([{"to": Address::ZERO, "gas": "0x5207", "from": Address::ZERO}]);
    let nothing = B256::repeat_byte(9);
    vec![
        ("eth_call", little, -32000, "intrinsic gas too low"),
        (
            "eth_estimateGas",
            json!([{"input": "0x5b5f56", "gas": "0xf4240"}]),
            -32000,
            "gas required exceeds allowance (1000000)",
        ),
        (
            "eth_call",
            json!([{"input": "0x5b5f56"}]),
            -32000,
            "out of gas",
        ),
        (
            "eth_mine",
            json!([]),
            -32601,
            "the method eth_mine does not exist/is not available",
        ),
        (
            "engine_newPayloadV4",
            json!([]),
            -32601,
            "the method engine_newPayloadV4 does not exist/is not available",
        ),
        (
            "eth_getBalance",
            json!([]),
            -32602,
            "missing value for required argument 0",
        ),
        (
            "eth_getBalance",
            json!(["0x1"]),
            -32602,
            "invalid argument 0: ",
        ),
        (
            "eth_getBalance",
            json!([Address::ZERO, "0xffffff"]),
            -32000,
            "header not found",
        ),
        (
            "eth_call",
            json!([{}, {"blockHash": nothing}]),
            -32000,
            "header not found",
        ),
        (
            "eth_getLogs",
            json!([{"fromBlock": "0xffffff"}]),
            -32602,
            "block range extends beyond current head block",
        ),
        (
            "eth_getFilterChanges",
            json!(["0x1"]),
            -32000,
            "filter not found",
        ),
    ]
}
