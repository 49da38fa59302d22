//! A node that was told to stop leaves nothing running behind it.

use tbsi_rpc::Client;
use tbsi_tests::harness::{TestNetwork, eventually};
use tbsi_types::Height;
use tokio::runtime::Handle;
use tokio::sync::watch;

async fn reaches(client: &Client, height: u64) {
    let there = async || {
        let tip = client.block_number().await;
        tip.is_ok_and(|tip| tip >= Height(height))
    };
    eventually("a block", there).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_leaves_no_task() {
    let net = TestNetwork::create(1, 0);
    let home = net.home(0);
    let alive = || Handle::current().metrics().num_alive_tasks();
    let before = alive();
    // The second time, the database and the ports have to be free.
    for height in [1, 2] {
        let (stop, stopping) = watch::channel(false);
        let meanwhile = async {
            // It is in this process too, and its pool of connections has a task.
            let client = net.client(0);
            reaches(&client, height).await;
            assert!(alive() > before + 8, "a node is several tasks");
            stop.send_replace(true);
        };
        let (ended, ()) = tokio::join!(tbsi_node::run(&home, stopping), meanwhile);
        ended.unwrap();
        eventually("all tasks have ended", async || alive() == before).await;
    }
}
