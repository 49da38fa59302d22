//! The same requests to anvil and to go-ethereum: what they answer in another shape is a row in
//! `docs/rpc.md`, with the reason.

use std::collections::BTreeSet;
use std::path::Path;

use alloy_consensus::{TxEip1559, TxEip2930, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex};
use serde_json::{Value, json};
use tbsi_rpc::{Client, ClientError};
use tbsi_tests::bench::geth::{self, Geth};
use tbsi_tests::bridge::anvil::{Anvil, installed};
use tbsi_tests::harness::{Sender, TestNetwork, skip, wait_receipt};

/// Sets a slot, makes a log with a topic, and leaves code that reverts without data.
const CONTRACT: [u8; 21] = hex!("602a5f55" "600760205fa1" "625f5ffd5f52" "6003601df3");

const NO_SUCH_METHOD: i32 = -32_601;

/// What two chains have alike.
struct Alike {
    client: Client,
    sender: Address,
    contract: Address,
    /// Of each type of transaction.
    hashes: Vec<B256>,
    block: Value,
}

/// Whose client it is: what it takes to be sent transactions there.
enum Whose<'a> {
    Ours,
    Anvil(&'a Anvil),
    Geth,
}

impl Whose<'_> {
    async fn fund(&self, client: &Client, account: Address) {
        match self {
            Self::Ours => {}
            Self::Anvil(anvil) => anvil.fund(account, 10).await,
            Self::Geth => {
                let rich: Vec<Address> = client.request("eth_accounts", &[]).await.unwrap();
                let value = U256::from(10u64.pow(18));
                let gift = json!({"from": rich[0], "to": account, "value": value});
                let hash: B256 = client
                    .request("eth_sendTransaction", &[gift])
                    .await
                    .unwrap();
                wait_receipt(client, hash).await;
            }
        }
    }

    async fn mine(&self) {
        if let Self::Anvil(anvil) = self {
            anvil.mine(1).await;
        }
    }
}

async fn alike(client: Client, whose: Whose<'_>) -> Alike {
    let chain_id = client.chain_id().await.unwrap();
    let alice = Sender::new("alice", chain_id);
    let sender = alice.address();
    whose.fund(&client, sender).await;
    let (to, gas_limit, price) = (
        TxKind::Call(Address::repeat_byte(0x42)),
        21_000,
        2_000_000_000,
    );
    let create = TxEip1559 {
        chain_id,
        gas_limit: 200_000,
        max_fee_per_gas: price,
        max_priority_fee_per_gas: 1_000_000,
        to: TxKind::Create,
        input: Bytes::from_static(&CONTRACT),
        ..TxEip1559::default()
    };
    let legacy = TxLegacy {
        chain_id: Some(chain_id),
        nonce: 1,
        gas_price: price,
        gas_limit,
        to,
        value: U256::ZERO,
        input: Bytes::new(),
    };
    let listed = TxEip2930 {
        chain_id,
        nonce: 2,
        gas_price: price,
        gas_limit,
        to,
        ..TxEip2930::default()
    };
    let mut hashes = Vec::new();
    for encoded in [alice.sign(create), alice.sign(legacy), alice.sign(listed)] {
        let hash = client.send_raw_transaction(&encoded).await.unwrap();
        whose.mine().await;
        wait_receipt(&client, hash).await;
        hashes.push(hash);
    }
    let receipt = client
        .transaction_receipt(hashes[0])
        .await
        .unwrap()
        .unwrap();
    Alike {
        contract: sender.create(0),
        sender,
        hashes,
        block: json!(receipt.block_hash),
        client,
    }
}

impl Alike {
    fn requests(&self) -> Vec<(&'static str, Value)> {
        let (block, sender, contract) = (&self.block, self.sender, self.contract);
        let hash = |index: usize| self.hashes[index];
        let nothing = B256::repeat_byte(9);
        let call = json!({"from": sender, "to": contract});
        vec![
            ("eth_accounts", json!([])),
            ("eth_blobBaseFee", json!([])),
            ("eth_blockNumber", json!([])),
            (
                "eth_call",
                json!([{"to": Address::ZERO, "data": "0x01"}, "latest"]),
            ),
            ("eth_call", json!([call, "latest"])),
            ("eth_chainId", json!([])),
            (
                "eth_estimateGas",
                json!([{"from": sender, "to": Address::ZERO}]),
            ),
            ("eth_estimateGas", json!([call])),
            ("eth_feeHistory", json!(["0x2", "latest", [25]])),
            ("eth_gasPrice", json!([])),
            ("eth_getAccount", json!([contract, "latest"])),
            ("eth_getAccountInfo", json!([contract, "latest"])),
            ("eth_getBalance", json!([sender, "latest"])),
            ("eth_getBlockByHash", json!([block, true])),
            ("eth_getBlockByHash", json!([nothing, false])),
            ("eth_getBlockByNumber", json!(["latest", false])),
            ("eth_getBlockByNumber", json!(["0xffffff", false])),
            ("eth_getBlockReceipts", json!(["latest"])),
            ("eth_getBlockTransactionCountByHash", json!([block])),
            ("eth_getBlockTransactionCountByNumber", json!(["latest"])),
            ("eth_getCode", json!([contract, "latest"])),
            (
                "eth_getLogs",
                json!([{"fromBlock": "earliest", "address": contract}]),
            ),
            ("eth_getProof", json!([contract, [B256::ZERO], "latest"])),
            ("eth_getStorageAt", json!([contract, "0x0", "latest"])),
            (
                "eth_getTransactionByBlockHashAndIndex",
                json!([block, "0x0"]),
            ),
            ("eth_getTransactionByHash", json!([hash(0)])),
            ("eth_getTransactionByHash", json!([hash(1)])),
            ("eth_getTransactionByHash", json!([hash(2)])),
            ("eth_getTransactionByHash", json!([nothing])),
            ("eth_getTransactionCount", json!([sender, "latest"])),
            ("eth_getTransactionReceipt", json!([hash(0)])),
            ("eth_getTransactionReceipt", json!([hash(1)])),
            ("eth_getTransactionReceipt", json!([nothing])),
            ("eth_getUncleByBlockHashAndIndex", json!([block, "0x0"])),
            ("eth_getUncleCountByBlockHash", json!([block])),
            ("eth_maxPriorityFeePerGas", json!([])),
            ("eth_newBlockFilter", json!([])),
            ("eth_newFilter", json!([{}])),
            ("eth_newPendingTransactionFilter", json!([])),
            ("eth_syncing", json!([])),
            ("eth_uninstallFilter", json!(["0x1"])),
            ("net_listening", json!([])),
            ("net_version", json!([])),
            ("txpool_content", json!([])),
            ("txpool_inspect", json!([])),
            ("txpool_status", json!([])),
            ("web3_clientVersion", json!([])),
            ("web3_sha3", json!(["0x01"])),
        ]
    }

    async fn ask(&self, method: &str, params: &Value) -> Value {
        let params = params.as_array().unwrap();
        match self.client.request::<Value>(method, params).await {
            Ok(result) => json!({ "result": result }),
            Err(ClientError::Refused { code, data, .. }) => json!({ "error": code, "data": data }),
            Err(error) => panic!("{method}: {error}"),
        }
    }
}

/// The form of a value.
fn form(value: &Value) -> String {
    match value {
        Value::String(text) => match text.strip_prefix("0x") {
            Some(digits) if matches!(digits.len(), 40 | 64 | 512) => {
                format!("{} bytes", digits.len() / 2)
            }
            Some(_) => "hexadecimal".into(),
            None => "text".into(),
        },
        Value::Null => "null".into(),
        Value::Bool(_) => "boolean".into(),
        Value::Number(number) => number
            .as_i64()
            .filter(|it| *it < 0)
            .map_or_else(|| "number".into(), |code| code.to_string()),
        Value::Array(_) => "list".into(),
        Value::Object(_) => "object".into(),
    }
}

/// Adds each field that has another form, or is on one side only.
fn compare(at: &str, ours: Option<&Value>, theirs: Option<&Value>, found: &mut BTreeSet<String>) {
    match (ours, theirs) {
        (Some(Value::Object(ours)), Some(Value::Object(theirs))) => {
            let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
            for name in names {
                let at = format!("{at}.{name}");
                compare(&at, ours.get(name), theirs.get(name), found);
            }
        }
        (Some(Value::Array(ours)), Some(Value::Array(theirs))) => {
            if let (Some(ours), Some(theirs)) = (ours.first(), theirs.first()) {
                compare(&format!("{at}[]"), Some(ours), Some(theirs), found);
            }
        }
        (ours, theirs) => {
            let of = |value: Option<&Value>| value.map_or_else(|| "absent".into(), form);
            let (ours, theirs) = (of(ours), of(theirs));
            // A quantity may be as long as a hash, by chance.
            let wide = |form: &str| form == "hexadecimal" || form == "32 bytes";
            if ours != theirs && !(wide(&ours) && wide(&theirs)) {
                found.insert(format!("`{at}` | {ours} | {theirs}"));
            }
        }
    }
}

/// The rows of the page: field, ours, theirs, reason.
fn explained(heading: &str) -> Vec<(String, String)> {
    let page = std::fs::read_to_string("../docs/rpc.md").unwrap();
    let section = page.split(heading).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let row = row.trim_matches(['|', ' ']);
        let (difference, reason) = row.rsplit_once(" | ").unwrap();
        (difference.to_owned(), reason.to_owned())
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anvil_answers_in_the_same_shapes_but_for_what_is_explained() {
    let Some(binary) = installed() else {
        skip(
            "shapes beside anvil",
            "anvil is missing",
            "npm ci --prefix tests/clients",
        );
        return;
    };
    let anvil = Anvil::start(&binary, None).await;
    let client = Client::new(&anvil.url()).unwrap();
    let theirs = alike(client, Whose::Anvil(&anvil)).await;
    answers_are_alike(&theirs, "## Compared with anvil\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn geth_answers_in_the_same_shapes_but_for_what_is_explained() {
    let this = std::env::current_exe().unwrap();
    let target = this.ancestors().nth(2).unwrap();
    let program = match geth::build(Path::new(env!("CARGO_MANIFEST_DIR")), target) {
        Ok(program) => program,
        Err(error) => {
            let said = format!("{error:#}");
            // All else is a mistake of ours.
            let missing = [
                "run go",
                "dial tcp",
                "toolchain not available",
                "403 Forbidden",
            ];
            assert!(missing.iter().any(|words| said.contains(words)), "{said}");
            skip(
                "shapes beside geth",
                &said,
                "run `go mod download` in tests/geth",
            );
            return;
        }
    };
    let dir = tempfile::tempdir().unwrap();
    let geth = Geth::start(&program, dir.path()).await.unwrap();
    let client = Client::new(&format!("http://{}", geth.endpoint)).unwrap();
    let theirs = alike(client, Whose::Geth).await;
    answers_are_alike(&theirs, "## Compared with geth\n").await;
}

async fn answers_are_alike(theirs: &Alike, heading: &str) {
    let net = TestNetwork::start(1, 0).await;
    let ours = alike(net.client(0), Whose::Ours).await;
    let mut found = BTreeSet::new();
    let mut compared = 0;
    for ((method, ours_params), (_, theirs_params)) in
        ours.requests().into_iter().zip(theirs.requests())
    {
        let our_answer = ours.ask(method, &ours_params).await;
        let their_answer = theirs.ask(method, &theirs_params).await;
        if their_answer["error"] == NO_SUCH_METHOD {
            found.insert(format!("`{method}` | is there | is not"));
            continue;
        }
        compare(method, Some(&our_answer), Some(&their_answer), &mut found);
        compared += 1;
    }
    assert!(compared > 40);
    let explained = explained(heading);
    assert!(!explained.is_empty());
    for (difference, reason) in &explained {
        assert!(reason.len() > 10, "{difference} has no reason");
        assert!(
            found.remove(difference),
            "docs/rpc.md explains what is not: {difference}"
        );
    }
    let unexplained: Vec<String> = found.into_iter().collect();
    assert!(
        unexplained.is_empty(),
        "not in docs/rpc.md:\n{}",
        unexplained.join("\n")
    );
    net.assert_no_panic();
}
