//! What a client sees of the envelope and of the transport: ids, content types, paths, names,
//! pages, keys, tokens, and the order of submissions.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use soketto::handshake::{Client, ServerResponse};
use tbsi_rpc::rates::RatesConfig;
use tbsi_rpc::{OperatorListener, RpcLimits, ServerConfig, TokenSecret};
use tbsi_types::{TimestampMs, sha256};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

use crate::chain::{EARLY_NONCE, PANICS};
use crate::http::{Answer, Fixture, config, exchange, exchange_as, exchange_at, post};
use crate::transactions::transfer;

const REQUEST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;

/// A WebSocket on which texts are said and heard as they are.
pub(crate) struct Socket {
    sender: soketto::Sender<Compat<TcpStream>>,
    receiver: soketto::Receiver<Compat<TcpStream>>,
}

impl Socket {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap().compat();
        let host = address.to_string();
        let mut client = Client::new(stream, &host, "/");
        let response = client.handshake().await.unwrap();
        assert!(
            matches!(response, ServerResponse::Accepted { .. }),
            "{response:?}"
        );
        let (sender, receiver) = client.into_builder().finish();
        Self { sender, receiver }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.sender.send_text(text).await.unwrap();
        self.sender.flush().await.unwrap();
    }

    pub(crate) async fn hear(&mut self) -> String {
        let mut bytes = Vec::new();
        let heard = self.receiver.receive_data(&mut bytes);
        let heard = timeout(Duration::from_secs(10), heard).await;
        heard.expect("in time").expect("open");
        String::from_utf8(bytes).unwrap()
    }

    async fn ask(&mut self, text: &str) -> String {
        self.say(text).await;
        self.hear().await
    }
}

fn chain_id(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"eth_chainId"}}"#)
}

fn answer_to(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"0x87394a"}}"#)
}

const IDS: [&str; 9] = [
    "0.5",
    "-1",
    "1.0",
    "18446744073709551616",
    "1e3",
    "0",
    "null",
    "\"a\\u0062\"",
    "\"\"",
];

#[tokio::test]
async fn ids_are_echoed_as_they_came() {
    let fixture = Fixture::new().await;
    let mut socket = Socket::connect(fixture.address()).await;
    for id in IDS {
        let answer = post(fixture.address(), &chain_id(id), &[]).await;
        assert_eq!((answer.status, answer.body), (200, answer_to(id)), "{id}");
        assert_eq!(socket.ask(&chain_id(id)).await, answer_to(id));
    }
    let batch = format!("[{}]", IDS.map(chain_id).join(","));
    let expected = format!("[{}]", IDS.map(answer_to).join(","));
    let answer = post(fixture.address(), &batch, &[]).await;
    assert_eq!(answer.body, expected);
    assert_eq!(socket.ask(&batch).await, expected);
}

#[tokio::test]
async fn other_ids_are_an_invalid_request() {
    let fixture = Fixture::new().await;
    let mut socket = Socket::connect(fixture.address()).await;
    let invalid = json!({"jsonrpc": "2.0", "id": null, "error": {
        "code": -32600, "message": "invalid request",
        "data": "`id` must be a number, a string or null",
    }});
    for id in ["true", "{}", "[]", "[1]"] {
        let answer = post(fixture.address(), &chain_id(id), &[]).await;
        assert_eq!(
            (answer.status, answer.json()),
            (200, invalid.clone()),
            "{id}"
        );
        let heard: Value = serde_json::from_str(&socket.ask(&chain_id(id)).await).unwrap();
        assert_eq!(heard, invalid);
        let batch = format!("[{},{}]", chain_id(id), chain_id("2.5"));
        let answer = post(fixture.address(), &batch, &[]).await.json();
        assert_eq!(answer[0], invalid);
        assert_eq!(answer[1]["result"], "0x87394a");
    }
}

#[tokio::test]
async fn a_notification_has_no_answer() {
    let fixture = Fixture::new().await;
    let notification = r#"{"jsonrpc":"2.0","method":"eth_chainId"}"#;
    let batch = format!("[{notification},{notification}]");
    for body in [notification, &batch] {
        let answer = post(fixture.address(), body, &[]).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{body}");
    }
    let mixed = format!("[{notification},{REQUEST}]");
    let answer = post(fixture.address(), &mixed, &[]).await.json();
    assert_eq!(answer.as_array().unwrap().len(), 1);
    let mut socket = Socket::connect(fixture.address()).await;
    socket.say(notification).await;
    socket.say(&batch).await;
    assert_eq!(socket.ask(&chain_id("7")).await, answer_to("7"));
}

#[tokio::test]
async fn what_a_batch_cannot_be() {
    let fixture = Fixture::new().await;
    let empty = post(fixture.address(), "[]", &[]).await.json();
    assert_eq!(empty["error"]["message"], "empty batch");
    assert_eq!(
        (&empty["error"]["code"], &empty["id"]),
        (&json!(-32600), &Value::Null)
    );
    let ones = post(fixture.address(), "[1,2]", &[]).await.json();
    assert_eq!(ones[1]["error"]["code"], -32600);
    let cut = post(fixture.address(), "[1,", &[]).await.json();
    assert_eq!(cut["error"]["message"], "parse error");
}

#[tokio::test]
async fn parameters_of_content_types_are_ignored() {
    let fixture = Fixture::new().await;
    for content_type in [
        "application/json; charset=UTF8",
        "Application/Json;charset=iso-8859-1; a=b",
        "application/json-rpc",
    ] {
        let header = format!("content-type: {content_type}");
        let answer = exchange(fixture.address(), "POST", &[&header], REQUEST.as_bytes()).await;
        assert_eq!(answer.json()["result"], "0x87394a", "{content_type}");
    }
}

#[tokio::test]
async fn each_path_says_what_is_there() {
    let fixture = Fixture::new().await;
    let address = fixture.address();
    let line = exchange(address, "GET", &[], b"").await;
    assert_eq!(line.status, 200);
    assert!(
        line.body.starts_with("This is a TBSI node: POST JSON-RPC"),
        "{}",
        line.body
    );
    assert_eq!(line.body.lines().count(), 1);
    let head = exchange(address, "HEAD", &[], b"").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let put = exchange(address, "PUT", &[], b"").await;
    assert_eq!(put.status, 405);
    assert!(put.head.contains("allow: POST"), "{}", put.head);

    // With a slash at the end it is the same page.
    for path in ["/tsa", "/tsa/"] {
        let query = ["content-type: application/timestamp-query"];
        let answer = exchange_at(address, "POST", path, &query, b"query").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, "refused"),
            "{path}"
        );
    }
    let witness = exchange_at(address, "POST", "/add-checkpoint/", &[], b"good").await;
    assert_eq!(witness.status, 200);
    let json = ["content-type: application/json"];
    for path in ["/rpc", "/tsax", "/tsa//", "/v1/abc"] {
        for verb in ["GET", "POST"] {
            let answer = exchange_at(address, verb, path, &json, REQUEST.as_bytes()).await;
            assert_eq!(answer.status, 404, "{verb} {path}");
            let words = format!("nothing is at {path}; JSON-RPC and WebSocket are at /,");
            assert!(answer.body.starts_with(&words), "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn names_that_lead_here_are_listed() {
    let closed = Fixture::new().await;
    let ask = async |fixture: &Fixture, host: &str| -> Answer {
        let headers = ["content-type: application/json"];
        let body = REQUEST.as_bytes();
        exchange_as(fixture.address(), host, "POST", "/", &headers, body).await
    };
    for host in ["localhost:1", "127.0.0.1", "[::1]:8545", "LOCALHOST"] {
        assert_eq!(ask(&closed, host).await.status, 200, "{host}");
    }
    let refused = ask(&closed, "evil.example").await;
    assert_eq!(refused.status, 403);
    let words = "invalid host specified: this node is not known as `evil.example`";
    assert!(refused.body.starts_with(words), "{}", refused.body);
    let open = Fixture::with(ServerConfig {
        hosts: vec!["*.example".into()],
        ..config()
    })
    .await;
    assert_eq!(ask(&open, "node.example:8545").await.status, 200);
    assert_eq!(ask(&open, "example").await.status, 403);
}

#[tokio::test]
async fn wallets_and_subdomains_may_be_listed() {
    let fixture = Fixture::with(ServerConfig {
        cors_origins: vec!["moz-extension://*".into(), "https://*.a.example".into()],
        ..config()
    })
    .await;
    for (origin, status) in [
        ("moz-extension://2f2c2a1e", 200),
        ("https://app.a.example", 200),
        ("https://a.example", 403),
        ("chrome-extension://abc", 403),
        ("null", 403),
    ] {
        let header = format!("origin: {origin}");
        let answer = post(fixture.address(), REQUEST, &[&header]).await;
        assert_eq!(answer.status, status, "{origin}");
        let allowed = format!("access-control-allow-origin: {origin}");
        assert_eq!(
            answer.head.contains(&allowed),
            status == 200,
            "{}",
            answer.head
        );
    }
    let preflight = [
        "origin: moz-extension://2f2c2a1e",
        "access-control-request-method: POST",
        "access-control-request-headers: authorization,content-type",
    ];
    let answer = exchange(fixture.address(), "OPTIONS", &preflight, b"").await;
    let allowed = "access-control-allow-headers: authorization,content-type";
    assert!(answer.head.contains(allowed), "{}", answer.head);
}

#[tokio::test]
async fn requests_may_be_gzip_and_are_bounded_after_inflating() {
    let limits = RpcLimits {
        request_bytes_max: 10_000,
        ..RpcLimits::default()
    };
    let fixture = Fixture::with_limits(limits).await;
    let gzip = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let send = async |coding: &str, body: &[u8]| {
        let coding = format!("content-encoding: {coding}");
        let headers = ["content-type: application/json", &coding];
        exchange(fixture.address(), "POST", &headers, body).await
    };
    let answer = send("gzip", &gzip(REQUEST)).await;
    assert_eq!(answer.json()["result"], "0x87394a");
    assert_eq!(send("identity", REQUEST.as_bytes()).await.status, 200);
    let bomb = gzip(&format!("{REQUEST}{}", " ".repeat(50_000_000)));
    assert!(bomb.len() < 60_000);
    let (start, _) = bomb.split_at(bomb.len().min(9_000));
    for body in [start, &gzip(&" ".repeat(10_001))] {
        let answer = send("gzip", body).await;
        assert_eq!(answer.status, 413, "{}", answer.body);
        assert_eq!(
            answer.json()["error"]["data"],
            json!({"limitBytes": 10_000})
        );
    }
    assert_eq!(send("gzip", b"no gzip").await.status, 400);
    let other = send("br", REQUEST.as_bytes()).await;
    assert_eq!(other.status, 415);
    assert!(other.body.contains("gzip, or none"), "{}", other.body);
}

#[tokio::test]
async fn keys_and_addresses_have_rates() {
    let key = sha256(&[b"secret"]);
    let fixture = Fixture::with(ServerConfig {
        trusted_proxies: vec![IpAddr::from([127, 0, 0, 1])],
        rates: RatesConfig {
            what: "calls",
            per_minute: None,
            address_per_minute: Some(12),
            keys: vec![(key, 600)],
        },
        ..config()
    })
    .await;
    let from = "x-forwarded-for: 198.51.100.7";
    let batch = format!("[{REQUEST},{REQUEST}]");
    assert_eq!(post(fixture.address(), &batch, &[from]).await.status, 200);
    let refused = post(fixture.address(), REQUEST, &[from]).await;
    assert_eq!(refused.status, 429);
    assert!(refused.head.contains("retry-after: "), "{}", refused.head);
    let error = &refused.json()["error"];
    assert_eq!(error["code"], -32005);
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("198.51.100.7/32 may ask for 12 calls a minute"),
        "{message}"
    );
    assert!(error["data"]["retryAfterS"].is_u64(), "{error}");
    // Another address and a key are not concerned.
    let other = ["x-forwarded-for: 203.0.113.9"];
    assert_eq!(post(fixture.address(), REQUEST, &other).await.status, 200);
    for header in ["authorization: Bearer secret", "x-api-key: secret"] {
        assert_eq!(
            post(fixture.address(), &batch, &[from, header])
                .await
                .status,
            200
        );
    }
    // Whom the proxy does not name, or names as this machine, is counted with all of that kind.
    let mut statuses = Vec::new();
    for headers in [
        [].as_slice(),
        &["x-forwarded-for: unknown"],
        &["x-forwarded-for: ::1"],
    ] {
        for _ in 0..10 {
            statuses.push(post(fixture.address(), REQUEST, headers).await.status);
        }
    }
    assert_eq!(statuses[0], 200);
    assert!(statuses.contains(&429), "{statuses:?}");
    // Without proxies this machine is not.
    let alone = Fixture::with(ServerConfig {
        rates: RatesConfig {
            what: "calls",
            per_minute: None,
            address_per_minute: Some(12),
            keys: Vec::new(),
        },
        ..config()
    })
    .await;
    for _ in 0..20 {
        assert_eq!(post(alone.address(), REQUEST, &[]).await.status, 200);
    }
    let unknown = post(fixture.address(), REQUEST, &["x-api-key: guess"]).await;
    assert_eq!(unknown.status, 401);
    assert!(
        unknown.body.contains("ask the operator for one"),
        "{}",
        unknown.body
    );
}

#[tokio::test]
async fn a_listener_serves_the_methods_that_it_names() {
    let fixture = Fixture::with(ServerConfig {
        methods: vec!["net".into(), "eth_chainId".into()],
        ..config()
    })
    .await;
    assert_eq!(fixture.result("eth_chainId", json!([])).await, "0x87394a");
    assert!(fixture.result("net_version", json!([])).await.is_string());
    let refused = fixture.error("eth_blockNumber", json!([])).await;
    let words = "the method eth_blockNumber does not exist/is not available";
    assert_eq!(refused, (-32601, words.into(), Value::Null));
    let mut socket = Socket::connect(fixture.address()).await;
    let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"#;
    assert!(socket.ask(subscribe).await.contains("-32601"));
}

#[tokio::test]
async fn operators_have_a_listener_of_their_own() {
    const NOW: u64 = 1_700_000_000;
    let fixture = Fixture::with(ServerConfig {
        methods: vec!["net".into()],
        operator: Some(OperatorListener {
            listen: ([127, 0, 0, 1], 0).into(),
            methods: vec!["eth".into()],
            token: Some(TokenSecret::new([7; 32], || TimestampMs(NOW * 1_000))),
            tls: None,
        }),
        ..config()
    })
    .await;
    let operator = fixture.operator();
    let none = post(operator, REQUEST, &[]).await;
    assert_eq!(none.status, 401);
    assert!(none.body.starts_with("missing token"), "{}", none.body);
    assert!(
        none.head.contains("www-authenticate: Bearer"),
        "{}",
        none.head
    );
    let wrong = post(operator, REQUEST, &["authorization: Bearer a.b.c"]).await;
    assert_eq!(wrong.status, 401);
    // Nothing at all is served without one.
    for (method, path) in [
        ("GET", "/"),
        ("HEAD", "/"),
        ("OPTIONS", "/"),
        ("PUT", "/"),
        ("GET", "/log/checkpoint"),
        ("POST", "/nowhere"),
    ] {
        let refused = exchange_at(operator, method, path, &[], b"").await;
        assert_eq!(refused.status, 401, "{method} {path}");
    }
    // {"alg":"HS256"} . {"iat":1700000000}, made with: openssl dgst -sha256 -mac HMAC
    let token = "authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDB9.\
                 cZsZzsLaHRs637c9oVlVqjlfruNQkw6ZhI0ZKxhFaC4";
    let good = post(operator, REQUEST, &[token]).await;
    assert_eq!(good.json()["result"], "0x87394a", "{}", good.body);
    // Its pages are not here, its methods not there.
    let page = exchange_at(operator, "GET", "/log/checkpoint", &[token], b"").await;
    assert_eq!(page.status, 404);
    let page = exchange_at(operator, "GET", "/", &[token], b"").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("/log"), "{}", page.body);
    assert_eq!(fixture.error("eth_chainId", json!([])).await.0, -32601);
    let page = post(operator, REQUEST, &[token, "origin: https://a.example"]).await;
    assert_eq!(page.status, 403);
}

#[tokio::test]
async fn a_panic_ends_its_call_only() {
    let fixture = Fixture::new().await;
    let mut socket = Socket::connect(fixture.address()).await;
    let call = json!({
        "jsonrpc": "2.0", "id": 0.5, "method": "eth_call", "params": [{"to": PANICS}],
    });
    for answer in [
        post(fixture.address(), &call.to_string(), &[]).await.body,
        socket.ask(&call.to_string()).await,
    ] {
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(
            (&answer["id"], &answer["error"]["code"]),
            (&json!(0.5), &json!(-32603))
        );
        assert!(!answer.to_string().contains("panic"), "{answer}");
    }
    assert_eq!(socket.ask(&chain_id("1")).await, answer_to("1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn submissions_of_one_socket_keep_their_order() {
    const COUNT: u64 = 400;
    let fixture = Fixture::new().await;
    let mut socket = Socket::connect(fixture.address()).await;
    let mut hashes = Vec::new();
    for nonce in 0..COUNT {
        hashes.push(transfer(nonce).hash());
        let send = submission(nonce);
        // Now and then in a batch, and with something else between.
        let text = if nonce % 7 == 0 {
            format!("[{REQUEST},{send}]")
        } else {
            send
        };
        socket.say(&text).await;
        if nonce % 5 == 0 {
            socket.say(REQUEST).await;
        }
    }
    for _ in 0..COUNT + COUNT.div_ceil(5) {
        let heard = socket.hear().await;
        assert!(!heard.contains("error"), "{heard}");
    }
    assert_eq!(*fixture.chain.submitted.lock().unwrap(), hashes);
}

/// A request that submits the transfer with this nonce.
fn submission(nonce: u64) -> String {
    let encoded = alloy_primitives::hex::encode_prefixed(transfer(nonce).encoded());
    let method = "eth_sendRawTransaction";
    json!({"jsonrpc": "2.0", "id": nonce, "method": method, "params": [encoded]}).to_string()
}

#[tokio::test]
async fn a_transaction_that_comes_early_is_held_for_a_moment() {
    let fixture = Fixture::new().await;
    // On one socket those after it are not held up.
    let mut socket = Socket::connect(fixture.address()).await;
    socket.say(&submission(EARLY_NONCE)).await;
    let second: Value = serde_json::from_str(&socket.ask(&submission(7)).await).unwrap();
    assert_eq!(second["id"], 7);
    let first: Value = serde_json::from_str(&socket.hear().await).unwrap();
    assert_eq!(first["result"], json!(transfer(EARLY_NONCE).hash()));
    let order = [transfer(7).hash(), transfer(EARLY_NONCE).hash()];
    assert_eq!(*fixture.chain.submitted.lock().unwrap(), order);

    // Nobody sends what is missing.
    let alone = Fixture::new().await;
    let answer = post(alone.address(), &submission(EARLY_NONCE), &[])
        .await
        .json();
    assert_eq!(answer["error"]["message"], "nonce too high: one is missing");
    assert_eq!(answer["error"]["code"], -32000);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_with_its_limit() {
    let limits = RpcLimits {
        request_bytes_max: 1_000,
        ..RpcLimits::default()
    };
    let fixture = Fixture::with_limits(limits).await;
    let mut socket = Socket::connect(fixture.address()).await;
    let heard = socket.ask(&" ".repeat(1_001)).await;
    let heard: Value = serde_json::from_str(&heard).unwrap();
    assert_eq!(heard["error"]["message"], "content length too large");
    assert_eq!(heard["error"]["data"], json!({"limitBytes": 1_000}));
    assert_eq!(socket.ask(&chain_id("1")).await, answer_to("1"));
}
