//! A stranger's transactions that cost more time than their gas says, beside somebody honest.

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, TxKind, hex};
use tbsi_rpc::Client;
use tbsi_tests::harness::{Sender, TestNetwork, eventually, wait_receipt};
use tbsi_types::Height;
use tbsi_types::limits::TRANSACTION_GAS_MAX;

/// Heights that may pass until an honest transaction is included: each proposer's turn, twice.
const HEIGHTS_MAX: u64 = 8;

/// Strangers, each with one transaction.
const STRANGERS: usize = 6;

/// Init code of a contract that verifies one signature over P-256, made for this test, until
/// 60,000 gas are left: of all precompiles, the one that takes most time for its gas.
fn burner() -> Vec<u8> {
    // Returns the 192 bytes after it.
    let mut init = hex!("60c08060095f395ff3").to_vec();
    // codecopy(0, 32, 160); then staticcall(gas, 0x100, 0, 160, 0, 0) in a loop.
    init.extend(hex!(
        "60a060205f395b5f5f60a05f6101005afa5061ea605a11600657000000000000"
    ));
    init.extend(hex!(
        "ca7046eae54f104969c76a8e5045d235f934c4333d55eef0f5d3fc361fc3c8e2"
        "e3f8fb101463f504b817d7080acba5dc759c53cdebbfa036d9d7090db32fa948"
        "aa67ad26c2939cb3f77d75c4b5e39e675e2732934113ec3009b2077462404bbd"
        "e816168eee7ce21c9e32e1796223099cf5a3f00c0eed738ddffa700bab8cf2a1"
        "dcbd4341e7ede3749256c41d479137f9770335a80947f61e2e2e2f4db4b1724d"
    ));
    init
}

fn call(net: &TestNetwork, to: TxKind, gas_limit: u64, input: Vec<u8>) -> TxEip1559 {
    TxEip1559 {
        chain_id: net.network.chain_id(),
        gas_limit,
        to,
        input: input.into(),
        ..TxEip1559::default()
    }
}

async fn deploy(net: &TestNetwork, client: &Client) -> Address {
    let deployer = Sender::new("deployer", net.network.chain_id());
    let creation = call(net, TxKind::Create, 900_000, burner());
    let hash = client
        .send_raw_transaction(&deployer.sign(creation))
        .await
        .unwrap();
    wait_receipt(client, hash).await;
    let receipt = client.transaction_receipt(hash).await.unwrap().unwrap();
    receipt.contract_address.expect("the contract is there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heavy_transactions_of_strangers_do_not_keep_an_honest_one_out() {
    let mut net = TestNetwork::create(4, 0);
    net.network.start_all().unwrap();
    net.wait_height(0, Height(1)).await;
    let client = net.client(0);
    let burner = deploy(&net, &client).await;
    let mut heavy = Vec::new();
    for index in 0..STRANGERS {
        let stranger = Sender::new(&format!("stranger {index}"), net.network.chain_id());
        let burn = call(&net, TxKind::Call(burner), TRANSACTION_GAS_MAX, Vec::new());
        let sent = client.send_raw_transaction(&stranger.sign(burn)).await;
        heavy.push(sent.unwrap());
    }
    let mut honest = Sender::new("honest", net.network.chain_id());
    for _ in 0..3 {
        let before = client.block_number().await.unwrap();
        let at = honest.transfer(&client).await.unwrap();
        assert!(
            at.0 <= before.0 + HEIGHTS_MAX,
            "{at} is long after {before}"
        );
    }
    // Each is in a block, or is dropped with a reason by the proposers that tried it.
    for hash in heavy {
        eventually("a heavy transaction is included or dropped", async || {
            let status = client.transaction_status(hash).await.unwrap();
            let status = serde_json::to_value(status).unwrap();
            match status["status"].as_str() {
                Some("included") => true,
                Some("dropped") => {
                    assert_eq!(status["reason"], "slow", "{status}");
                    let message = status["message"].as_str().unwrap_or_default();
                    message.ends_with("ms that one transaction has in a block; split it")
                }
                _ => false,
            }
        })
        .await;
    }
    net.assert_no_panic();
}
