//! A full disk.
//!
//! A directory of one validator is a small file system of its own, which only root may mount.
//! Without that right the test is skipped, and says so; under `CI=true` it fails.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use alloy_consensus::TxEip1559;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, TxKind};
use tbsi_tests::harness::{
    Ended, Sender, TestNetwork, assert_refuses_to_run, eventually, skip, tbsi, wait_receipt,
};
use tbsi_types::{Height, Validator};
use tempfile::TempDir;
use tokio::time::{Duration, sleep};

/// Room for a young database and its preallocated log.
const DATABASE_MIB: u32 = 48;
/// Room for consensus' write-ahead log.
const LOG_MIB: u32 = 1;
/// Calldata of one transaction of the load.
const INPUT_BYTES: usize = 100 * 1024;
/// The operating system's words.
const NO_SPACE: &str = "No space left on device";

/// A file system in memory; unmounted when dropped.
struct Disk {
    dir: TempDir,
}

impl Disk {
    fn mount(mib: u32) -> Result<Self, String> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={mib}m,mode=700");
        let mount = ["-t", "tmpfs", "-o", &size, "tmpfs"];
        let mounted = Command::new("mount").args(mount).arg(dir.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Ok(Self { dir }),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(format!("mount: {error}")),
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// Leaves no free byte.
    fn fill(&self) {
        let mut filler = File::create(self.filler()).unwrap();
        let full = loop {
            if let Err(error) = filler.write_all(&[0x5a; 4096]) {
                break error;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a node that still runs while a test fails would keep it busy.
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.path().display());
        }
    }
}

/// Puts a directory of a new home onto the disk.
fn move_to(disk: &Disk, directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), disk.path().join(entry.file_name())).unwrap();
    }
    fs::remove_dir_all(directory).unwrap();
    symlink(disk.path(), directory).unwrap();
}

/// Large transactions of one sender to one node.
struct Load {
    node: usize,
    sender: Sender,
    chain_id: u64,
    nonce: u64,
}

impl Load {
    fn new(net: &TestNetwork, node: usize) -> Self {
        let chain_id = net.network.chain_id();
        Self {
            node,
            sender: Sender::new("load", chain_id),
            chain_id,
            nonce: 0,
        }
    }

    /// Sends the next one and waits until it is final.
    async fn send(&mut self, net: &TestNetwork) {
        let hash = self.submit(net).await;
        wait_receipt(&net.client(self.node), hash).await;
    }

    async fn submit(&mut self, net: &TestNetwork) -> B256 {
        let encoded = self.sender.sign(TxEip1559 {
            chain_id: self.chain_id,
            nonce: self.nonce,
            gas_limit: 2_000_000,
            to: TxKind::Call(Address::repeat_byte(0x42)),
            input: vec![0; INPUT_BYTES].into(),
            ..TxEip1559::default()
        });
        self.nonce += 1;
        let client = net.client(self.node);
        client.send_raw_transaction(&encoded).await.unwrap()
    }
}

/// Runs node 3, which has a directory on a disk that fills up, until it ends; returns its words.
async fn run_until_full(net: &mut TestNetwork, disk: &Disk, load: &mut Load) -> Ended {
    for node in 0..3 {
        net.network.start(node).unwrap();
    }
    let path = net.network.home(3);
    let arguments = ["node", "run", "--home", path.to_str().unwrap()].map(str::to_owned);
    let victim = tokio::spawn(async move { tbsi(&arguments).await });
    let client = net.client(3);
    eventually("the node makes blocks", async || {
        client
            .block_number()
            .await
            .is_ok_and(|tip| tip >= Height(1))
    })
    .await;
    disk.fill();
    while !victim.is_finished() {
        load.send(net).await;
    }
    let ended = victim.await.unwrap();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    ended
}

/// The others went on; with room again the node has all their blocks, and votes.
async fn assert_recovers(net: &mut TestNetwork, disk: &Disk, load: &mut Load) {
    load.send(net).await;
    disk.free();
    net.network.start(3).unwrap();
    let tip = net.client(0).block_number().await.unwrap();
    net.wait_height(3, tip).await;
    for height in (0..=tip.0).map(Height) {
        let hash = net.block_hash(3, height).await;
        assert_eq!(hash, net.block_hash(0, height).await, "height {height}");
    }
    let address = net.validator_address(3);
    eventually("the node votes again", async || {
        load.send(net).await;
        // Whose signature is left out of the first quorum is a matter of microseconds.
        let latest = BlockNumberOrTag::Latest;
        let certificate = net.client(0).certificate(latest).await.unwrap().unwrap();
        let mut signatures = certificate.signatures.iter();
        signatures.any(|entry| entry.validator == address)
    })
    .await;
    net.assert_no_panic();
}

fn last_line(ended: &Ended) -> &str {
    ended.stderr.lines().last().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_one_node_with_one_clear_line_and_no_loss() {
    let disk = match Disk::mount(DATABASE_MIB) {
        Ok(disk) => disk,
        Err(problem) => return skip("full disk", &problem, "run as root"),
    };
    let mut net = TestNetwork::create(4, 0);
    move_to(&disk, &net.home(3).data_dir());
    let mut load = Load::new(&net, 0);
    let ended = run_until_full(&mut net, &disk, &mut load).await;
    let because = |line: &&str| line.contains(NO_SPACE);
    assert_eq!(ended.stderr.lines().filter(because).count(), 1, "{ended:?}");
    for words in [
        "node stopped: ",
        "write ",
        NO_SPACE,
        "see that the disk has room",
    ] {
        assert!(
            last_line(&ended).contains(words),
            "{words}: {}",
            ended.stderr
        );
    }
    // It does not start again without room: what was left for its log is taken now too.
    disk.fill();
    assert_refuses_to_run(&net.network.home(3), &["node stopped: ", NO_SPACE]).await;
    assert_recovers(&mut net, &disk, &mut load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_room_for_its_write_ahead_log_says_so() {
    let disk = match Disk::mount(LOG_MIB) {
        Ok(disk) => disk,
        Err(problem) => return skip("full disk", &problem, "run as root"),
    };
    let mut net = TestNetwork::create(1, 0);
    let directory = net.home(0).wal_dir();
    move_to(&disk, &directory);
    disk.fill();
    let operation = format!("start consensus with its log in {}", directory.display());
    let words = [operation.as_str(), NO_SPACE, "see that the disk has room"];
    assert_refuses_to_run(&net.network.home(0), &words).await;
    disk.free();
    net.network.start(0).unwrap();
    net.wait_height(0, Height(1)).await;
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_whose_write_ahead_log_finds_no_room_ends() {
    let disk = match Disk::mount(LOG_MIB) {
        Ok(disk) => disk,
        Err(problem) => return skip("full disk", &problem, "run as root"),
    };
    // Five of seven, and the absent follow one another as proposers: a height of three rounds
    // writes more than the one page that the log has.
    let mut net = TestNetwork::create(7, 0);
    let set = net.home(0).load().unwrap().genesis.validator_set().unwrap();
    let node_of = |validator: &Validator| {
        let mut nodes = 0..7;
        nodes.find(|node| net.validator_address(*node) == validator.address)
    };
    let nodes: Vec<usize> = set.iter().filter_map(node_of).collect();
    let [_, _, victim, running @ ..] = nodes.as_slice() else {
        panic!("{nodes:?}");
    };
    let (victim, running) = (*victim, running.to_vec());
    move_to(&disk, &net.home(victim).wal_dir());
    for node in &running {
        net.network.start(*node).unwrap();
    }
    let path = net.network.home(victim);
    let arguments = ["node", "run", "--home", path.to_str().unwrap()].map(str::to_owned);
    let process = tokio::spawn(async move { tbsi(&arguments).await });
    let client = net.client(victim);
    let mut load = Load::new(&net, running[0]);
    eventually("another node serves", async || {
        net.client(running[0]).block_number().await.is_ok()
    })
    .await;
    load.submit(&net).await;
    eventually("the node takes part", async || {
        let tip = client.block_number().await;
        tip.is_ok_and(|tip| tip > Height::GENESIS)
    })
    .await;
    disk.fill();
    // Without this validator no quorum is left, so what is final is not waited for.
    while !process.is_finished() {
        load.submit(&net).await;
        sleep(Duration::from_millis(500)).await;
    }
    let ended = process.await.unwrap();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    let words = [
        "node stopped: ",
        "write-ahead log",
        "see that the disk has room",
    ];
    for words in words {
        assert!(
            last_line(&ended).contains(words),
            "{words}: {}",
            ended.stderr
        );
    }
    // With room it takes up its place again, and signs nothing twice.
    disk.free();
    net.network.start(victim).unwrap();
    load.send(&net).await;
    let tip = net.client(running[0]).block_number().await.unwrap();
    net.wait_height(victim, tip).await;
    assert!(client.evidence().await.unwrap().evidence.is_empty());
    net.assert_no_panic();
}
