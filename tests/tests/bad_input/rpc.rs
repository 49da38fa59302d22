//! Floods of the JSON-RPC port: each has a limit, says so, and leaves the node as it was.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tbsi_tests::faults::load::resident_kib;
use tbsi_tests::harness::{PATIENCE, Sender, TestNetwork, http};
use tbsi_tests::socket::Socket;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const JSON: &str = "content-type: application/json";
const REQUEST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;
/// How much a node may grow by all of it, in KiB: as much as there is for answers that nobody reads.
const GROWTH_KIB_MAX: u64 = 512 * 1024;

async fn post(node: SocketAddr, body: &str) -> Value {
    let answer = http(node, "POST", "/", &[JSON], body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_str(answer.text()).unwrap()
}

async fn oversized(node: SocketAddr) {
    let batch = format!("[{}]", vec![REQUEST; 10_001].join(","));
    let answer = post(node, &batch).await;
    assert_eq!(answer[0]["error"]["message"], "batch too large", "{answer}");
    assert_eq!(answer[0]["error"]["data"], json!({"limit": 1_000}));

    // It is refused before it is sent; whoever sends it all the same may find the connection closed.
    let head =
        format!("POST / HTTP/1.1\r\nhost: localhost\r\n{JSON}\r\ncontent-length: 50000000\r\n\r\n");
    let mut stream = TcpStream::connect(node).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let read = timeout(PATIENCE, stream.read(&mut answer)).await;
    let text = String::from_utf8_lossy(&answer[..read.unwrap().unwrap()]).into_owned();
    assert!(text.starts_with("HTTP/1.1 413 "), "{text}");
    let chunk = vec![b' '; 1_000_000];
    for _ in 0..50 {
        if stream.write_all(&chunk).await.is_err() {
            break;
        }
    }

    for deep in [
        "[".repeat(100_000),
        format!("{0}1{1}", "[".repeat(100_000), "]".repeat(100_000)),
    ] {
        let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{deep}]}}"#);
        let answer = post(node, &call).await;
        let code = answer["error"]["code"].as_i64();
        assert!(matches!(code, Some(-32_700 | -32_602)), "{answer}");
    }
}

/// Twenty connections with as many subscriptions as they may have, and one more each.
async fn subscriptions(node: SocketAddr) -> Vec<Socket> {
    let mut sockets = Vec::new();
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..20 {
        let mut socket = Socket::connect(node).await;
        for id in 0..65 {
            let subscribe = json!({
                "jsonrpc": "2.0", "id": id, "method": "eth_subscribe", "params": ["newHeads"],
            });
            socket.say(&subscribe.to_string()).await;
        }
        for _ in 0..65 {
            let mut heard: Value = Value::Null;
            // Heads may come between the answers.
            while heard.get("id").is_none() {
                heard = serde_json::from_str(&socket.hear().await).unwrap();
            }
            match heard["error"]["code"].as_i64() {
                None => taken += 1,
                Some(-32_006 | -32_005) => refused += 1,
                Some(_) => panic!("{heard}"),
            }
        }
        sockets.push(socket);
    }
    assert_eq!((taken, refused), (1_024, 20 * 65 - 1_024));
    sockets
}

/// Asks for much and reads nothing of it.
async fn slow_readers(node: SocketAddr) -> Vec<Socket> {
    let mut sockets = Vec::new();
    let ask = json!({
        "jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": ["0x0", true],
    });
    let batch = format!("[{}]", vec![ask.to_string(); 1_000].join(","));
    for _ in 0..4 {
        let mut socket = Socket::connect(node).await;
        for _ in 0..20 {
            // It takes no more once nobody reads.
            let said = timeout(Duration::from_millis(200), socket.say(&batch)).await;
            if said.is_err() {
                break;
            }
        }
        sockets.push(socket);
    }
    sockets
}

/// Connections that say nothing, or half of something.
async fn half_open(node: SocketAddr) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for words in [
        "",
        "POST / HTTP/1.1\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{",
    ] {
        for _ in 0..100 {
            let mut stream = TcpStream::connect(node).await.unwrap();
            stream.write_all(words.as_bytes()).await.unwrap();
            streams.push(stream);
        }
    }
    streams
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_the_rpc_port_leave_the_node_as_it_was() {
    let network = TestNetwork::create(1, 0);
    let mut net = network.started().await;
    let node = net.network.nodes()[0].rpc;
    let pid = net.network.pid(0).unwrap();
    let client = net.client(0);
    let mut sender = Sender::new("undisturbed", net.network.chain_id());
    sender.transfer(&client).await.unwrap();
    let before = resident_kib(pid).unwrap();

    oversized(node).await;
    sender.transfer(&client).await.unwrap();
    let subscribers = subscriptions(node).await;
    let open = half_open(node).await;
    sender.transfer(&client).await.unwrap();
    drop(subscribers);
    let readers = slow_readers(node).await;
    for _ in 0..3 {
        sender.transfer(&client).await.unwrap();
    }
    let after = resident_kib(pid).unwrap();
    let limit = before + GROWTH_KIB_MAX;
    assert!(after < limit, "{before} KiB became {after} KiB");
    drop((open, readers));
    sender.transfer(&client).await.unwrap();
    assert_eq!(net.network.pid(0), Some(pid));
    net.assert_no_panic();
}
