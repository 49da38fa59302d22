//! Files and directories that are attested and verified.

use std::fs::{self, File, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tbsi_tests::harness::{TestNetwork, http, skip, tbsi, tbsi_binary};
use tbsi_tests::issuer::{Issuer, acknowledge};
use tbsi_tests::outside::run;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// 10 GiB.
const LARGE: u64 = 10 << 30;

/// Resident memory, KiB, that attesting and verifying may take: the program itself takes half.
const MEMORY_KIB_MAX: u64 = 64 * 1024;

const NOBODY: u32 = 65_534;

/// Runs `tbsi`; returns its exit code and the most memory it held, KiB.
fn measured(args: &[&str]) -> (Option<i32>, u64) {
    let mut command = Command::new(tbsi_binary());
    let command = command.args(args).stdin(Stdio::null());
    let mut running = command.stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", running.id());
    let mut most = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(kib.unwrap_or(0));
        if let Some(ended) = running.try_wait().unwrap() {
            return (ended.code(), most);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_gigabytes_take_no_more_memory_than_a_page() {
    let net = TestNetwork::start(1, 0).await;
    let path = |name: &str| net.scratch().join(name).display().to_string();
    let (large, small) = (path("large"), path("small"));
    // Holes take no room on the disk.
    File::create(&large).unwrap().set_len(LARGE).unwrap();
    fs::write(&small, "page").unwrap();
    let key = net.network.development_key_file(1).display().to_string();
    let genesis = net.network.genesis_file().display().to_string();
    let url = net.network.rpc_url(0);
    for file in [&small, &large] {
        let proof = format!("{file}.tbsi.json");
        // The fastest of the algorithms.
        let attest = [
            "attest",
            file,
            "--algorithm",
            "blake3",
            "--key",
            &key,
            "--rpc",
            &url,
        ];
        let verify = ["verify", &proof, "--genesis", &genesis];
        for command in [attest.as_slice(), &verify] {
            let (code, most) = measured(command);
            assert_eq!(code, Some(0), "{command:?}");
            assert!(most > 0, "{command:?} was not measured");
            assert!(most < MEMORY_KIB_MAX, "{command:?} took {most} KiB");
        }
    }
    net.assert_no_panic();
}

/// `tbsi` as somebody who is not root, whom no permission stops.
fn unprivileged(dir: &Path) -> Option<Command> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return Some(Command::new(tbsi_binary()));
    }
    // Where it is built may be closed to others.
    let copy = dir.join("tbsi");
    fs::copy(tbsi_binary(), &copy).unwrap();
    fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
    let mut tbsi = Command::new(&copy);
    tbsi.uid(NOBODY).gid(NOBODY);
    let tried = tbsi.arg("version").output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        let remedy = "run where root may become another user";
        skip("unreadable files", "cannot become nobody", remedy);
        return None;
    }
    let mut tbsi = Command::new(&copy);
    tbsi.uid(NOBODY).gid(NOBODY);
    Some(tbsi)
}

#[test]
fn what_cannot_be_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::create_dir_all(path("tree/closed")).unwrap();
    fs::create_dir(path("out")).unwrap();
    fs::set_permissions(path("out"), Permissions::from_mode(0o777)).unwrap();
    fs::write(path("tree/open"), "a").unwrap();
    fs::write(path("secret"), "b").unwrap();
    let closed: [PathBuf; 2] = [path("tree/closed"), path("secret")];
    for closed in &closed {
        fs::set_permissions(closed, Permissions::from_mode(0o000)).unwrap();
    }
    let refuses = |args: &[&str], words: &[&str]| {
        let Some(mut tbsi) = unprivileged(dir.path()) else {
            return;
        };
        let common = ["attest", "--key", "none", "--out", "out"];
        let (code, said) = run(tbsi.args(common).args(args).current_dir(dir.path()));
        assert_eq!(code, Some(2), "{args:?}: {said}");
        for words in words {
            assert!(said.contains(words), "{args:?}: {words:?} is not in {said}");
        }
    };
    let tree = ["--dir", "tree", "--recursive"];
    refuses(&tree, &["read directory tree/closed", "Permission denied"]);
    refuses(&["secret"], &["read secret", "Permission denied"]);
    let chinese = [tree.as_slice(), &["--lang", "zh-TW"]].concat();
    refuses(&chinese, &["錯誤：讀取目錄 tree/closed：沒有權限"]);
    let written = fs::read_dir(path("out")).unwrap().count();
    assert_eq!(written, 0, "nothing was written");
}

/// A node as seen through somebody who answers calls of `selector` otherwise.
async fn lying(node: SocketAddr, selector: &'static str, answer: Value) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let Some(body) = request(&mut socket).await else {
                continue;
            };
            let call: Value = serde_json::from_slice(&body).unwrap();
            let reply = if call.to_string().contains(selector) {
                json!({ "jsonrpc": "2.0", "id": call["id"], "result": answer }).to_string()
            } else {
                let json = ["content-type: application/json"];
                let answer = http(node, "POST", "/", &json, &body).await;
                answer.text().to_owned()
            };
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            let reply = format!("{head}\r\ncontent-length: {}\r\n\r\n{reply}", reply.len());
            socket.write_all(reply.as_bytes()).await.ok();
        }
    });
    address
}

/// The body of a request.
async fn request(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length?.parse().ok()?;
            if bytes.len() == head + 4 + length {
                return Some(bytes.split_off(head + 4));
            }
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_algorithm_that_was_revoked_is_refused_before_anything_is_sent() {
    let net = TestNetwork::start(1, 0).await;
    let file = net.scratch().join("file").display().to_string();
    fs::write(&file, "minutes").unwrap();
    let key = net.network.development_key_file(1).display().to_string();
    // algorithmOf(uint32), answered with 256 bits and the status.
    let selector = &alloy_primitives::hex::encode_prefixed(
        &alloy_primitives::keccak256("algorithmOf(uint32)")[..4],
    );
    let selector: &'static str = Box::leak(selector.clone().into_boxed_str());
    for (status, en, zh_tw) in [
        (2, "is deprecated on", "淘汰"),
        (3, "is revoked on", "廢止"),
    ] {
        let answer = json!(format!("0x{:064x}{status:064x}", 256));
        let node = lying(net.network.nodes()[0].rpc, selector, answer).await;
        let url = format!("http://{node}");
        for (language, words) in [("en", en), ("zh-TW", zh_tw)] {
            let args = [
                "attest", &file, "--key", &key, "--rpc", &url, "--lang", language,
            ];
            let ended = tbsi(&args).await;
            assert_eq!(ended.code, Some(2), "{}", ended.stderr);
            assert!(ended.stderr.contains(words), "{}", ended.stderr);
            assert!(ended.stderr.contains("--algorithm"), "{}", ended.stderr);
        }
    }
    let leaf: Value = net
        .client(0)
        .request("tbsi_getLeaf", &[json!(0)])
        .await
        .unwrap();
    assert_eq!(leaf, Value::Null, "nothing was attested");
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_sent_again_has_the_same_answer() {
    let mut net = TestNetwork::start(4, 0).await;
    let mut issuer = Issuer::new("again", &net);
    let batch = issuer.batch(0..20);
    let (one, two) = (net.client(0), net.client(0));
    let at_once = tokio::join!(acknowledge(&one, &batch), acknowledge(&two, &batch));
    let (first, second) = (at_once.0.unwrap(), at_once.1.unwrap());
    assert_eq!(second.leaves, first.leaves);
    for node in [0, 3] {
        net.wait_height(node, first.height).await;
        let again = acknowledge(&net.client(node), &batch).await.unwrap();
        assert_eq!(again.transaction_hash, first.transaction_hash);
        assert_eq!((again.leaves, again.height), (first.leaves, first.height));
        assert_eq!(again.proofs.len(), first.proofs.len());
    }
    let latest = net
        .client(0)
        .checkpoint(alloy_eips::BlockNumberOrTag::Latest)
        .await;
    assert_eq!(
        latest.unwrap().unwrap().log_size.0,
        20,
        "it was counted once"
    );
    net.assert_no_panic();
}
