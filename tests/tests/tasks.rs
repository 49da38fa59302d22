//! A node that was told to stop leaves nothing running behind it.

use tbsi_tests::harness::{TestNetwork, eventually};
use tbsi_types::Height;
use tokio::runtime::Handle;
use tokio::sync::watch;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_leaves_no_task() {
    let net = TestNetwork::create(1, 0);
    let home = net.home(0);
    let alive = || Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let (stop, stopping) = watch::channel(false);
    let meanwhile = async {
        net.wait_height(0, Height(2)).await;
        assert!(alive() > before + 8, "a node is several tasks");
        stop.send_replace(true);
    };
    let (ended, ()) = tokio::join!(tbsi_node::run(&home, stopping), meanwhile);
    ended.unwrap();
    // Connections of clients in this process end with the server's side of them.
    eventually("all tasks have ended", async || alive() == before).await;
    // The database and the ports are free: it can run again at once.
    let (stop, stopping) = watch::channel(false);
    let again = async {
        net.wait_height(0, Height(3)).await;
        stop.send_replace(true);
    };
    let (ended, ()) = tokio::join!(tbsi_node::run(&home, stopping), again);
    ended.unwrap();
}
