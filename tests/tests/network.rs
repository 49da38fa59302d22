//! Four validators, killed and restarted: real processes, real sockets, real disks.

use std::collections::BTreeMap;

use alloy_eips::BlockNumberOrTag;
use tbsi_rpc::Client;
use tbsi_tests::harness::{PATIENCE, Sender, TestNetwork, eventually};
use tbsi_types::{Address, B256, Height};
use tokio::time::{Duration, sleep, timeout};

/// Whether a validator's signature is in the certificate of the tip.
async fn signed_tip(client: &Client, validator: Address) -> bool {
    let certificate = client.certificate(BlockNumberOrTag::Latest).await;
    let certificate = certificate.expect("the node answers");
    certificate.is_some_and(|certificate| {
        let mut signatures = certificate.signatures.iter();
        signatures.any(|entry| entry.validator == validator)
    })
}

/// The validator key's address of a node, by its name in the genesis file.
async fn validator_address(client: &Client, node_name: &str) -> Address {
    let set = client.validators(BlockNumberOrTag::Latest).await;
    let set = set.expect("the node answers").expect("the tip has a set");
    let named = |validator: &&tbsi_rpc::wire::Validator| validator.node_name == node_name;
    set.validators
        .iter()
        .find(named)
        .expect("the node validates")
        .address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_validator_catches_up_and_votes_again() {
    let mut net = TestNetwork::start(4, 0).await;
    let client = net.client(0);
    let name = net.network.nodes()[3].name.clone();
    let address = validator_address(&client, &name).await;
    let mut sender = Sender::new("killed validator", net.network.chain_id());

    net.network.kill9(3).await.unwrap();
    let mut height = Height(0);
    for _ in 0..6 {
        height = sender.transfer(&client).await.unwrap();
    }
    net.network.start(3).unwrap();
    net.wait_height(3, height).await;
    assert_eq!(
        net.block_hash(3, height).await,
        net.block_hash(0, height).await
    );
    // A certificate holds the first quorum only; over some blocks everybody is in one.
    eventually("the restarted validator signs a block", async || {
        sender.transfer(&client).await.unwrap();
        signed_tip(&client, address).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_decided_block_is_lost_when_all_are_killed_under_load() {
    let mut net = TestNetwork::start(4, 0).await;
    let mut seen: BTreeMap<Height, B256> = BTreeMap::new();
    for round in 0..3 {
        let load = spawn_load(&net, round);
        // What a client was told is final must still be there afterwards.
        let told = async {
            for _ in 0..30 {
                let checkpoint = net.client(1).checkpoint(BlockNumberOrTag::Latest).await;
                if let Ok(Some(checkpoint)) = checkpoint {
                    seen.insert(checkpoint.height, checkpoint.block_hash);
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, told).await.unwrap();
        for node in 0..4 {
            net.network
                .kill(node, tbsi_testnet::Signal::SIGKILL)
                .await
                .unwrap();
        }
        load.abort();
        net.network.start_all().unwrap();
        let (last, _) = seen.last_key_value().unwrap();
        for node in 0..4 {
            net.wait_height(node, last.next()).await;
            for (height, hash) in &seen {
                assert_eq!(
                    net.block_hash(node, *height).await,
                    Some(*hash),
                    "height {height}"
                );
            }
        }
    }
    assert!(seen.len() > 3, "the load made blocks: {seen:?}");
    let mut sender = Sender::new("after the kills", net.network.chain_id());
    sender.transfer(&net.client(2)).await.unwrap();
}

/// Sends transfers to node 0 until it is gone.
fn spawn_load(net: &TestNetwork, round: u32) -> tokio::task::JoinHandle<()> {
    let client = net.client(0);
    let mut sender = Sender::new(&format!("load {round}"), net.network.chain_id());
    tokio::spawn(async move {
        while client
            .send_raw_transaction(&sender.next_transfer())
            .await
            .is_ok()
        {
            sleep(Duration::from_millis(2)).await;
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_syncs_from_genesis_and_serves() {
    let mut net = TestNetwork::create(4, 1);
    for validator in 0..4 {
        net.network.start(validator).unwrap();
    }
    for validator in 0..4 {
        net.wait_height(validator, Height(1)).await;
    }
    let client = net.client(0);
    let mut sender = Sender::new("before the observer", net.network.chain_id());
    let mut height = Height(0);
    for _ in 0..40 {
        height = sender.transfer(&client).await.unwrap();
    }
    net.network.start(4).unwrap();
    net.wait_height(4, height).await;
    for height in 0..=height.0 {
        let height = Height(height);
        assert_eq!(
            net.block_hash(4, height).await,
            net.block_hash(0, height).await
        );
    }
    // It hands transactions on, and follows without delay.
    let observer = net.client(4);
    let status = observer.status().await.unwrap();
    assert_eq!(status.role, tbsi_rpc::wire::Role::Observer);
    let nonce = observer
        .transaction_count(sender.address(), BlockNumberOrTag::Latest)
        .await;
    assert_eq!(nonce.unwrap(), 40);
    sender.transfer(&observer).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_survives_the_crash_of_the_node_that_took_it() {
    let mut net = TestNetwork::start(4, 0).await;
    let mut sender = Sender::new("orphaned", net.network.chain_id());
    for victim in 0..4 {
        let hash = net
            .client(victim)
            .send_raw_transaction(&sender.next_transfer())
            .await
            .unwrap();
        // Gossip leaves within milliseconds; the block may or may not be decided by now.
        sleep(Duration::from_millis(50)).await;
        net.network.kill9(victim).await.unwrap();
        let other = net.client((victim + 1) % 4);
        tbsi_tests::harness::wait_receipt(&other, hash).await;
        net.network.start(victim).unwrap();
        let tip = other.block_number().await.unwrap();
        net.wait_height(victim, tip).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_chain_makes_few_blocks_and_no_round_times_out() {
    let mut net = TestNetwork::start(4, 0).await;
    let client = net.client(0);
    let start = client.block_number().await.unwrap();
    net.wait_height(0, Height(start.0 + 2)).await;
    for height in start.0 + 1..=start.0 + 2 {
        let certificate = client.certificate(BlockNumberOrTag::Number(height)).await;
        assert_eq!(certificate.unwrap().unwrap().round.0, 0, "height {height}");
        let times = [height - 1, height].map(BlockNumberOrTag::Number);
        let before = client
            .checkpoint(times[0])
            .await
            .unwrap()
            .unwrap()
            .time_ms
            .0;
        let after = client
            .checkpoint(times[1])
            .await
            .unwrap()
            .unwrap()
            .time_ms
            .0;
        assert!(
            after - before >= 9_000,
            "blocks {} ms apart",
            after - before
        );
    }
}
