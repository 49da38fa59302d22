//! Ports that another node has taken.

use tbsi_home::config::Config;
use tbsi_tests::harness::{TestNetwork, assert_refuses_to_run};
use tbsi_types::Height;
use tokio::time::{Duration, Instant};

/// Far above what a refusal takes, far below what waiting for something would.
const QUICKLY: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_names_the_port_that_is_taken() {
    let mut net = TestNetwork::create(1, 1);
    net.network.start(0).unwrap();
    net.wait_height(0, Height(1)).await;
    let running = net.network.nodes()[0].clone();
    let own = Config::load(&net.home(1).config_file()).unwrap();
    // Malachite and the gossip network would share their ports with the other node in silence.
    for (key, taken, remedy) in [
        ("rpc.listen", running.rpc, "choose another one"),
        ("metrics.listen", running.metrics, "is the port free?"),
        ("p2p.consensus", running.consensus, "choose a free port"),
        ("p2p.gossip", running.gossip, "choose a free port"),
    ] {
        net.configure(1, |config| {
            *config = own.clone();
            // Whoever has the address is no peer to dial there.
            config.p2p.peers.clear();
            match key {
                "rpc.listen" => config.rpc.listen = taken,
                "metrics.listen" => config.metrics.listen = taken,
                "p2p.consensus" => config.p2p.consensus = taken,
                _ => config.p2p.gossip = taken,
            }
        });
        let started = Instant::now();
        let (key, taken) = (format!("key `{key}`"), taken.to_string());
        let words = [&key, &taken, "Address already in use", remedy];
        assert_refuses_to_run(&net.network.home(1), &words).await;
        assert!(
            started.elapsed() < QUICKLY,
            "{key}: {:?}",
            started.elapsed()
        );
    }
    let tip = net.client(0).block_number().await.unwrap();
    net.wait_height(0, tip.next()).await;
    net.assert_no_panic();
}
