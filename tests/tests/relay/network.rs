//! Another TBSI network as the target: the same contract, no fees, a key without funds.

use alloy_consensus::TxEip1559;
use alloy_primitives::TxKind;
use tbsi_bridge::config::Fees;
use tbsi_tests::bridge::anvil::creation;
use tbsi_tests::bridge::chain::Chain;
use tbsi_tests::bridge::relayer::Relayer;
use tbsi_tests::bridge::serve::Server;
use tbsi_tests::harness::{Sender, TestNetwork, wait_receipt};

#[tokio::test]
async fn another_tbsi_network_is_a_target_without_fees() {
    let network = TestNetwork::start(1, 0).await;
    let client = network.client(0);
    let chain_id = client.chain_id().await.unwrap();
    let chain = Chain::default();
    let server = Server::start(&chain).await;
    let deployer = Sender::new("deployer", chain_id);
    let deployment = deployer.sign(TxEip1559 {
        chain_id,
        gas_limit: 12_000_000,
        to: TxKind::Create,
        input: creation(&chain),
        ..TxEip1559::default()
    });
    let hash = client.send_raw_transaction(&deployment).await.unwrap();
    wait_receipt(&client, hash).await;
    let receipt = client.transaction_receipt(hash).await.unwrap().unwrap();
    let contract = receipt.contract_address.unwrap();
    let target = [network.network.rpc_url(0)];
    let mut relayer = Relayer::new("tbsi", &chain, &[server.url()], &target, contract);
    relayer.config.target.chain_id = chain_id;
    relayer.config.fees = Fees::none();
    relayer.configure();
    for _ in 0..2 {
        chain.block(3, None);
        relayer.ok(&["clear"]).await;
    }
    let status = relayer.ok(&["status", "--json"]).await;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(
        (&status["settled"], &status["inFlight"]),
        (&8.into(), &0.into()),
        "{status}"
    );
    relayer.assert_same().await;
}
