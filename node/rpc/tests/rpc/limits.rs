//! Every limit holds, says its name, and leaves the server alive.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tbsi_rpc::{RpcError, RpcLimits, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::chain::{Chain, WAITS};
use crate::http::{Fixture, config, exchange, post};
use crate::transactions::transfer;

const REQUEST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;

#[tokio::test]
async fn batches_are_limited() {
    let limits = RpcLimits {
        batch_items_max: 3,
        ..RpcLimits::default()
    };
    let fixture = Fixture::with_limits(limits).await;
    let batch = |count| format!("[{}]", vec![REQUEST; count].join(","));
    let three = post(fixture.address(), &batch(3), &[]).await.json();
    assert_eq!(three.as_array().unwrap().len(), 3);
    let four = post(fixture.address(), &batch(4), &[]).await.json();
    let error = json!({"code": -32600, "message": "batch too large", "data": {"limit": 3}});
    assert_eq!(four, json!([{"jsonrpc": "2.0", "id": 1, "error": error}]));
}

#[tokio::test]
async fn default_batches_take_a_thousand() {
    let fixture = Fixture::new().await;
    let batch = |count| format!("[{}]", vec![REQUEST; count].join(","));
    let full = post(fixture.address(), &batch(1_000), &[]).await.json();
    assert_eq!(full.as_array().unwrap().len(), 1_000);
    for count in [1_001, 10_001] {
        let above = post(fixture.address(), &batch(count), &[]).await.json();
        assert_eq!(above[0]["error"]["message"], "batch too large");
        assert_eq!(above.as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn refusals_arrive_while_a_body_is_sent() {
    let limits = RpcLimits {
        request_bytes_max: 200,
        ..RpcLimits::default()
    };
    let fixture = Fixture::with_limits(limits).await;
    // However much is still on its way when it is refused, whatever for.
    let larger = " ".repeat(8 * 1024 * 1024);
    let chunked = format!("800000\r\n{larger}\r\n0\r\n\r\n");
    for (path, header, body, status) in [
        ("/", "content-type: application/json", &larger, 413),
        ("/", "content-type: text/plain", &larger, 415),
        ("/digest", "accept: */*", &larger, 413),
        ("/nowhere", "accept: */*", &larger, 404),
        ("/", "origin: https://a.example", &larger, 403),
    ] {
        let mut socket = TcpStream::connect(fixture.address()).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        // All of it is taken.
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        let line = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&line), "{path} {header}: {answer}");
    }
    let mut socket = TcpStream::connect(fixture.address()).await.unwrap();
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(chunked.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn bodies_and_answers_are_limited() {
    let limits = RpcLimits {
        request_bytes_max: 200,
        response_bytes_max: 300,
        ..RpcLimits::default()
    };
    let fixture = Fixture::with_limits(limits).await;
    let large = REQUEST.to_string() + &" ".repeat(200);
    let answer = post(fixture.address(), &large, &[]).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["error"]["data"], json!({"limitBytes": 200}));
    let (code, message, data) = fixture.error("eth_capabilities", json!([])).await;
    assert_eq!((code, data), (-32003, json!({"limitBytes": 300})));
    assert!(message.starts_with("response too large"), "{message}");
    // Nobody can ask for less than one of these.
    for (method, params) in [
        ("eth_getBlockByNumber", json!(["0x1", true])),
        ("eth_getBlockReceipts", json!(["0x1"])),
        (
            "eth_getLogs",
            json!([{"fromBlock": "0x1", "toBlock": "0x1"}]),
        ),
        ("debug_getRawBlock", json!(["0x1"])),
    ] {
        let one = fixture.result(method, params).await.to_string();
        assert!(one.len() > 300, "{method}: {one}");
    }
    let logs = r#"{"jsonrpc":"2.0","id":1,"method":"web3_clientVersion"}"#;
    let small = [logs; 3].join(",");
    let batch = post(fixture.address(), &format!("[{small}]"), &[]).await;
    assert_eq!(batch.json().as_array().unwrap().len(), 3);
    // Once the answers of a batch are too many bytes, the rest is not done.
    let limits = RpcLimits {
        response_bytes_max: 1_000,
        ..RpcLimits::default()
    };
    let fixture = Fixture::with_limits(limits).await;
    let batch = post(
        fixture.address(),
        &format!("[{}]", [logs; 100].join(",")),
        &[],
    )
    .await;
    let answers = batch.json();
    let answers = answers.as_array().unwrap();
    let first_refused = answers
        .iter()
        .position(|it| it.get("error").is_some())
        .unwrap();
    assert!((5..50).contains(&first_refused), "{first_refused}");
    assert_eq!(answers.len(), 100);
    assert!(
        answers[first_refused..]
            .iter()
            .all(|it| it["error"]["code"] == -32003)
    );
}

#[tokio::test]
async fn log_queries_are_limited_and_say_what_to_ask_instead() {
    let limits = RpcLimits {
        log_blocks_max: 2,
        log_results_max: 6,
        ..RpcLimits::default()
    };
    let fixture = Fixture::with_limits(limits).await;
    fixture.chain.append(vec![transfer(4), transfer(5)], 1);
    let get = |from: &str, to: &str| json!([{"fromBlock": from, "toBlock": to}]);
    let (code, message, data) = fixture.error("eth_getLogs", get("0x0", "0x2")).await;
    assert_eq!(
        (code, message.as_str()),
        (-32602, "exceed maximum block range: 2")
    );
    assert_eq!(data, json!({"limit": 2, "from": "0x0", "to": "0x1"}));
    let suggested = get(data["from"].as_str().unwrap(), data["to"].as_str().unwrap());
    let logs = fixture.result("eth_getLogs", suggested).await;
    assert_eq!(logs.as_array().unwrap().len(), 6);

    fixture.chain.append(vec![transfer(6), transfer(7)], 7);
    let (code, message, data) = fixture.error("eth_getLogs", get("0x3", "0x4")).await;
    assert_eq!(code, -32005);
    let expected = "query returned more than 6 results. Try with this block range [0x3, 0x3].";
    assert_eq!(message, expected);
    assert_eq!(data, json!({"limit": 6, "from": "0x3", "to": "0x3"}));
    let hash = fixture.chain.block_at(4).hash();
    // Nobody can ask for less than one block, so its logs are never too many.
    for one in [
        json!([{"blockHash": hash}]),
        get("0x4", "0x4"),
        get("0x4", "0x5"),
    ] {
        fixture.chain.append(vec![], 0);
        let logs = fixture.result("eth_getLogs", one).await;
        assert_eq!(logs.as_array().unwrap().len(), 7);
    }
}

#[tokio::test]
async fn log_queries_are_limited_in_bytes_too() {
    let limits = RpcLimits {
        response_bytes_max: 2_000,
        ..RpcLimits::default()
    };
    let fixture = Fixture::with_limits(limits).await;
    fixture.chain.append(vec![transfer(4), transfer(5)], 3);
    let range = json!([{"fromBlock": "0x1", "toBlock": "0x3"}]);
    let (code, message, data) = fixture.error("eth_getLogs", range).await;
    assert_eq!(code, -32005);
    let expected = "query returned more than 2000 bytes of results. \
                    Try with this block range [0x1, 0x2].";
    assert_eq!(message, expected);
    assert_eq!(
        data,
        json!({"limitBytes": 2_000, "from": "0x1", "to": "0x2"})
    );
    let smaller = json!([{"fromBlock": "0x1", "toBlock": "0x2"}]);
    let logs = fixture.result("eth_getLogs", smaller).await;
    assert_eq!(logs.as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn connections_are_limited() {
    let limits = RpcLimits {
        connections_max: 2,
        ..RpcLimits::default()
    };
    let fixture = Fixture::with_limits(limits).await;
    let mut idle = Vec::new();
    for _ in 0..2 {
        let mut socket = TcpStream::connect(fixture.address()).await.unwrap();
        // An answer shows that the server has taken the connection.
        let request = format!(
            "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{REQUEST}",
            REQUEST.len()
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        assert!(socket.read(&mut [0; 1_024]).await.unwrap() > 0);
        idle.push(socket);
    }
    let mut third = TcpStream::connect(fixture.address()).await.unwrap();
    let mut words = String::new();
    third.read_to_string(&mut words).await.unwrap();
    assert!(words.starts_with("HTTP/1.1 503 "), "{words}");
    let (head, body) = words.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{words}"
    );

    drop(idle);
    let again = async {
        while post(fixture.address(), REQUEST, &[]).await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again)
        .await
        .expect("closed connections free their places");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_wait_for_a_free_place() {
    let limits = RpcLimits {
        calls_max: 2,
        ..RpcLimits::default()
    };
    let fixture = Arc::new(Fixture::with_limits(limits).await);
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let fixture = Arc::clone(&fixture);
            tokio::spawn(async move { fixture.result("eth_call", json!([{"to": WAITS}])).await })
        })
        .collect();
    while fixture.chain.gate.arrived() < 2 {
        tokio::task::yield_now().await;
    }
    let other = fixture.result("eth_chainId", json!([]));
    let early = tokio::time::timeout(Duration::from_millis(200), other).await;
    assert!(early.is_err(), "a third call ran although two may");
    assert_eq!(fixture.chain.gate.arrived(), 2);
    fixture.chain.gate.open();
    for call in calls {
        assert_eq!(call.await.unwrap(), "0x");
    }
    assert_eq!(fixture.chain.gate.arrived(), 3);
}

/// One client's slow calls, however many, leave places for others'.
#[tokio::test(flavor = "multi_thread")]
async fn one_address_runs_at_most_half_of_the_calls() {
    const CALLS_MAX: usize = 4;
    let fixture = Fixture::with(ServerConfig {
        trusted_proxies: vec![Ipv4Addr::LOCALHOST.into()],
        limits: RpcLimits {
            calls_max: CALLS_MAX,
            ..RpcLimits::default()
        },
        ..config()
    })
    .await;
    let address = fixture.address();
    let slow = json!({
        "jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"to": WAITS}],
    });
    let (alone, batch) = (slow.to_string(), format!("[{slow}]"));
    let flood: Vec<_> = (0..2 * CALLS_MAX)
        .flat_map(|_| [alone.clone(), batch.clone()])
        .map(|body| {
            tokio::spawn(
                async move { post(address, &body, &["x-forwarded-for: 198.51.100.7"]).await },
            )
        })
        .collect();
    while fixture.chain.gate.arrived() < CALLS_MAX / 2 {
        tokio::task::yield_now().await;
    }
    for number in 0..10 {
        let from = format!("x-forwarded-for: 203.0.113.{number}");
        let from = [from.as_str()];
        let other = post(address, REQUEST, &from);
        let other = tokio::time::timeout(Duration::from_secs(10), other).await;
        let other = other.expect("the flood does not stand before it");
        assert_eq!(other.json()["result"], "0x87394a", "{}", other.body);
    }
    assert_eq!(fixture.chain.gate.arrived(), CALLS_MAX / 2);
    fixture.chain.gate.open();
    for call in flood {
        assert_eq!(call.await.unwrap().status, 200);
    }
}

/// On a runtime with threads to spare short calls run where their connections are served; however
/// many of them last, others are answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn calls_that_last_leave_threads_for_others() {
    let fixture = Arc::new(Fixture::new().await);
    let address = fixture.address();
    let wait = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"to": WAITS}]});
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let body = wait.to_string();
            tokio::spawn(async move { post(address, &body, &[]).await })
        })
        .collect();
    // Two where their connections are served, and at least four on other threads.
    while fixture.chain.gate.arrived() < 6 {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        let other = post(address, REQUEST, &[]);
        let other = tokio::time::timeout(Duration::from_secs(10), other).await;
        let other = other.expect("calls that last do not stand before it");
        assert_eq!(other.json()["result"], "0x87394a", "{}", other.body);
    }
    fixture.chain.gate.open();
    for call in calls {
        assert_eq!(call.await.unwrap().json()["result"], "0x");
    }
    assert_eq!(fixture.chain.gate.arrived(), 16);
}

#[tokio::test]
async fn pages_of_unlisted_origins_are_refused() {
    let closed = Fixture::new().await;
    let origin = "origin: https://a.example";
    let answer = post(closed.address(), REQUEST, &[origin]).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("rpc.cors_origins"), "{}", answer.body);
    let upgrade = [
        origin,
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    let answer = exchange(closed.address(), "GET", &upgrade, b"").await;
    assert_eq!(
        answer.status, 403,
        "browsers do not apply CORS to WebSockets"
    );

    let listed = ServerConfig {
        cors_origins: vec!["https://a.example".into()],
        ..config()
    };
    let open = Fixture::with(listed).await;
    let answer = post(open.address(), REQUEST, &[origin]).await;
    assert_eq!(answer.status, 200);
    let allowed = "access-control-allow-origin: https://a.example";
    assert!(answer.head.contains(allowed), "{}", answer.head);
    let preflight = [origin, "access-control-request-method: POST"];
    let answer = exchange(open.address(), "OPTIONS", &preflight, b"").await;
    assert!(answer.head.contains(allowed), "{}", answer.head);
    let other = post(open.address(), REQUEST, &["origin: https://b.example"]).await;
    assert_eq!(other.status, 403);
}

#[tokio::test]
async fn large_answers_are_compressed_on_request() {
    let fixture = Fixture::new().await;
    let block = json!({
        "jsonrpc": "2.0", "id": 1, "method": "eth_getBlockReceipts", "params": ["0x1"],
    });
    let gzip = &["accept-encoding: gzip"];
    let answer = post(fixture.address(), &block.to_string(), gzip).await;
    assert!(
        answer.head.contains("content-encoding: gzip"),
        "{}",
        answer.head
    );
    let answer = post(fixture.address(), REQUEST, gzip).await;
    assert!(!answer.head.contains("content-encoding"), "{}", answer.head);
}

#[tokio::test]
async fn what_is_not_json_rpc_gets_an_answer() {
    let fixture = Fixture::new().await;
    for (body, code) in [
        ("", -32700),
        ("{", -32700),
        ("17", -32700),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}"#, -32600),
    ] {
        let answer = post(fixture.address(), body, &[]).await.json();
        assert_eq!(answer["error"]["code"], code, "{body}");
    }
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{}1{}]}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let answer = post(fixture.address(), &deep, &[]).await.json();
    assert!(answer["error"]["code"].is_i64(), "{answer}");
    let text = exchange(
        fixture.address(),
        "POST",
        &["content-type: text/plain"],
        b"{}",
    )
    .await;
    assert_eq!(text.status, 415);
    let words = "invalid content type, only application/json is supported\n";
    assert_eq!(text.body, words);
    let none = exchange(fixture.address(), "POST", &[], REQUEST.as_bytes()).await;
    assert_eq!((none.status, none.body.as_str()), (415, words));
    assert_eq!(fixture.result("eth_blockNumber", json!([])).await, "0x2");
}

#[tokio::test]
async fn refuses_to_start_with_one_clear_line() {
    let fixture = Fixture::new().await;
    let start = async |config| {
        tbsi_rpc::listen(config, Arc::new(Chain::new()))
            .await
            .err()
            .unwrap()
    };
    let listen = fixture.address();
    let taken = start(ServerConfig { listen, ..config() }).await;
    assert!(matches!(taken, RpcError::Listen { .. }));
    let words = taken.to_string();
    assert!(words.contains(&listen.to_string()), "{words}");
    assert!(words.contains("`rpc.listen`"), "{words}");

    let limits = RpcLimits {
        calls_max: 0,
        ..RpcLimits::default()
    };
    let zero = start(ServerConfig { limits, ..config() }).await;
    assert_eq!(
        zero.to_string(),
        "config key `rpc.calls_max` is 0; the least is 1"
    );
    for origin in ["a.example", "https://a.example/", "https://a\n"] {
        let cors_origins = vec![origin.to_string()];
        let bad = start(ServerConfig {
            cors_origins,
            ..config()
        })
        .await;
        assert!(bad.to_string().contains("`rpc.cors_origins`"), "{bad}");
    }
    let hosts = vec!["http://a.example".to_string()];
    let bad = start(ServerConfig { hosts, ..config() }).await;
    assert!(
        bad.to_string()
            .contains("`rpc.hosts`: `http://a.example` is not a name"),
        "{bad}"
    );
    let methods = vec!["eth".to_string(), "eth_sign".into()];
    let bad = start(ServerConfig {
        methods,
        ..config()
    })
    .await;
    let words = "config key `rpc.methods`: `eth_sign` is neither a method nor a namespace here; \
                 namespaces are admin, debug, erigon, eth, net, ";
    assert!(bad.to_string().starts_with(words), "{bad}");
}

#[tokio::test]
async fn stops_listening_when_told() {
    let fixture = Fixture::new().await;
    let address = fixture.address();
    assert_eq!(fixture.result("eth_blockNumber", Value::Null).await, "0x2");
    fixture.server.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}
