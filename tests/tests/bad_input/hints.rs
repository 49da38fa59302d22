//! What a single peer says of its blocks is a hint, and changes nothing (SPEC §6.6, §6.7).

use std::net::SocketAddr;

use tbsi_node::gossip;
use tbsi_p2p::FoundAddresses;
use tbsi_rpc::Client;
use tbsi_tests::harness::{Sender, TestNetwork, eventually, http};
use tbsi_types::{Height, Roster};
use tokio::sync::watch;
use tokio::time::Duration;

use crate::dishonest::chains::Puppet;
use crate::dishonest::{Running, engine_config, peer_ids};

/// No chain gets there.
const LIE: Height = Height(1 << 50);

/// The node that is no validator.
const OBSERVER: usize = 5;

/// Nothing that `node` shows says that it is behind.
async fn assert_not_misled(net: &TestNetwork, node: usize) {
    let status = net.client(node).status().await.unwrap();
    assert!(!status.syncing && status.behind < 5, "{status:?}");
    let listen = net.network.nodes()[node].metrics;
    let page = http(listen, "GET", "/readyz", &[], &[]).await;
    assert_eq!(page.status, 200, "{}", String::from_utf8_lossy(&page.body));
}

async fn hears_the_lie(client: &Client) -> bool {
    let peers = client.status().await.unwrap().peers;
    peers.iter().any(|peer| peer.height == Some(LIE))
}

/// The nodes of one validator, whose gossip and value sync say that it is far ahead of all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_that_lies_about_its_tip_changes_nothing() {
    let mut net = TestNetwork::create(5, 1);
    let running = [0, 1, 2, 3, OBSERVER];
    for node in running {
        net.network.start(node).unwrap();
    }
    for node in running {
        net.wait_height(node, Height(1)).await;
    }
    let liar = net.home(4).load().unwrap();
    let config = tbsi_p2p::NetworkConfig {
        network: "gossip",
        listen: liar.config.p2p.gossip,
        keypair_bytes: liar.node_key.expose(),
        peers: Vec::new(),
        allowed_peers: peer_ids(&liar.genesis),
        found: watch::channel(FoundAddresses::new()).1,
        chain: liar.genesis.identity(),
    };
    let gossip = gossip::listen(&config).await.unwrap();
    tokio::spawn(gossip.task.run());
    gossip.handle.announce_tip(LIE);
    let dir = net.scratch().join("liar");
    std::fs::create_dir(&dir).unwrap();
    let listen: SocketAddr = liar.config.p2p.consensus;
    let engine = engine_config(&liar.config, &liar.genesis, &liar.node_key, listen, &dir);
    let (puppet, _heard) = Puppet::new(LIE, Roster::of_genesis(&liar.genesis).unwrap());
    let lying = Running::start(engine, None, puppet).await;
    for node in running {
        let client = net.client(node);
        eventually("the lie is heard", async || hears_the_lie(&client).await).await;
    }
    // Were it believed, an idle chain would make dozens of blocks a second.
    let before = net.client(0).block_number().await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let idle = net.client(0).block_number().await.unwrap().above(before);
    assert!(idle <= 3, "{idle} empty blocks in three seconds");
    for node in running {
        assert_not_misled(&net, node).await;
    }
    // A node that is behind asks whoever has the blocks.
    net.network.stop(OBSERVER).await.unwrap();
    let client = net.client(0);
    let mut sender = Sender::new("while one is away", net.network.chain_id());
    let mut tip = Height::GENESIS;
    for _ in 0..5 {
        tip = sender.transfer(&client).await.unwrap();
    }
    net.network.start(OBSERVER).unwrap();
    net.wait_height(OBSERVER, tip).await;
    assert_not_misled(&net, OBSERVER).await;
    lying.stop().await;
    gossip.handle.shutdown().await;
    net.assert_no_panic();
}
