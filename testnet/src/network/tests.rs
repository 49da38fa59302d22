use std::fs;

use super::*;

/// Runs the file `script` in the home that it is given. A script of its own per test would
/// now and then be busy: another test's process starts while it is open for writing.
const BINARY: &str = "src/network/node.sh";

/// A network of one node that runs this shell script.
fn network(script: &str) -> (tempfile::TempDir, Network) {
    let dir = tempfile::tempdir().unwrap();
    let spec = NetworkSpec::new(dir.path().join("network"), 1, 0);
    let network = Network::create(&spec, &fs::canonicalize(BINARY).unwrap()).unwrap();
    fs::write(network.home(0).join("script"), script).unwrap();
    (dir, network)
}

/// A script that tells on its first line of log that its trap is set.
async fn until_logged(network: &Network) {
    let deadline = Instant::now() + DEATH_TIMEOUT;
    while network.log_tail(0).is_empty() {
        assert!(Instant::now() < deadline, "the script never started");
        sleep(POLL_INTERVAL).await;
    }
}

#[tokio::test]
async fn starts_finds_again_and_stops_a_process() {
    let (_dir, mut network) = network("echo \"$@\"; exec sleep 600");
    assert_eq!(network.pid(0), None);
    assert_eq!(network.start_all().unwrap(), 1);
    let pid = network.pid(0).unwrap();
    assert!(matches!(
        network.start(0),
        Err(NetworkError::Running { .. })
    ));
    until_logged(&network).await;
    let home = network.home(0);
    assert_eq!(
        network.log_tail(0),
        format!("node run --home {}", home.display())
    );

    let mut again = Network::open(network.dir(), &network.binary).unwrap();
    assert_eq!(again.pid(0), Some(pid));
    assert_eq!(again.start_all().unwrap(), 0);
    assert!(matches!(
        Network::open(network.dir(), &network.binary)
            .unwrap()
            .remove(),
        Err(NetworkError::Running { .. })
    ));
    assert_eq!(again.stop_all().await.unwrap(), 1);
    assert_eq!(network.pid(0), None);
    assert_eq!(again.stop_all().await.unwrap(), 0);

    network.start(0).unwrap();
    assert_ne!(network.pid(0), Some(pid), "a new process");
    network.kill9(0).await.unwrap();
    assert_eq!(network.pid(0), None);
    again.remove().unwrap();
}

#[tokio::test]
async fn kills_what_does_not_heed_a_request() {
    let (_dir, mut network) = network("trap '' TERM; echo ready; while :; do sleep 1; done");
    network.start(0).unwrap();
    until_logged(&network).await;
    network.kill(0, Signal::SIGTERM).await.unwrap();
    assert!(network.pid(0).is_some());
    network.bury(0, Duration::ZERO).await.unwrap();
    assert_eq!(network.pid(0), None);
}

#[tokio::test]
async fn dropping_kills_unless_detached() {
    let (_dir, mut first) = network("exec sleep 600");
    first.start(0).unwrap();
    let (dir, binary) = (first.dir.clone(), first.binary.clone());
    drop(first);
    let mut second = Network::open(&dir, &binary).unwrap();
    assert_eq!(second.pid(0), None);
    second.start(0).unwrap();
    let pid = second.pid(0);
    second.detach();
    drop(second);
    let mut third = Network::open(&dir, &binary).unwrap();
    assert_eq!(third.pid(0), pid);
    third.kill9(0).await.unwrap();
}

#[tokio::test]
async fn shows_why_a_node_is_not_there() {
    let (_dir, mut network) = network("echo 'error: database is locked' >&2; exit 1");
    network.start(0).unwrap();
    let exited = network
        .wait_height(0, Height(1), START_TIMEOUT)
        .await
        .unwrap_err();
    let words = "validator-1 has exited; the end of its log:\nerror: database is locked";
    assert_eq!(exited.to_string(), words);
}

#[tokio::test]
async fn does_not_wait_forever() {
    let (_dir, mut network) = network("echo started; exec sleep 600");
    network.start(0).unwrap();
    until_logged(&network).await;
    let slow = network
        .wait_all(Height(1), Duration::ZERO, &mut |_| ())
        .await;
    let words = slow.unwrap_err().to_string();
    assert!(
        words.contains("validator-1 did not reach height 1 within 0 s"),
        "{words}"
    );
    assert!(words.ends_with("started"), "{words}");
}
