//! Requests byte for byte: what a client library would hide is what is tested.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tbsi_rpc::{RpcLimits, ServerConfig, listen};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::chain::Chain;

/// A server in front of a fresh chain.
pub(crate) struct Fixture {
    pub(crate) chain: Arc<Chain>,
    pub(crate) server: Running,
}

/// A server that answers until it is stopped or dropped.
pub(crate) struct Running {
    address: SocketAddr,
    operator: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }
}

/// The default configuration on a free port.
pub(crate) fn config() -> ServerConfig {
    ServerConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        ..ServerConfig::default()
    }
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(config()).await
    }

    pub(crate) async fn with_limits(limits: RpcLimits) -> Self {
        Self::with(ServerConfig { limits, ..config() }).await
    }

    pub(crate) async fn with(config: ServerConfig) -> Self {
        let chain = Arc::new(Chain::new());
        let server = listen(config, chain.clone()).await.unwrap();
        let address = server.local_addr();
        let operator = server.operator_addr();
        let (stop, stopping) = watch::channel(false);
        let task = tokio::spawn(server.run(stopping));
        let server = Running {
            address,
            operator,
            stop,
            task,
        };
        Self { chain, server }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Where whoever runs the node calls.
    pub(crate) fn operator(&self) -> SocketAddr {
        self.server.operator.unwrap()
    }

    /// The whole response object.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let answer = post(self.address(), &request.to_string(), &[]).await;
        assert_eq!(answer.status, 200, "{method}: {}", answer.body);
        let response = answer.json();
        assert_eq!(response["id"], 1, "{response}");
        response
    }

    pub(crate) async fn result(&self, method: &str, params: Value) -> Value {
        let mut response = self.call(method, params.clone()).await;
        assert_eq!(response["error"], Value::Null, "{method} {params}");
        response["result"].take()
    }

    /// Code, message and data.
    pub(crate) async fn error(&self, method: &str, params: Value) -> (i64, String, Value) {
        let mut response = self.call(method, params.clone()).await;
        let message = response["error"]["message"].as_str();
        let message = message.unwrap_or_else(|| panic!("{method} {params} gave {response}"));
        let message = message.to_string();
        let code = response["error"]["code"].as_i64().unwrap();
        (code, message, response["error"]["data"].take())
    }
}

/// An HTTP response.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.head, self.body))
    }
}

/// Posts JSON.
pub(crate) async fn post(address: SocketAddr, body: &str, headers: &[&str]) -> Answer {
    let mut all = vec!["content-type: application/json"];
    all.extend(headers);
    exchange(address, "POST", &all, body.as_bytes()).await
}

/// One request on a connection of its own.
pub(crate) async fn exchange(
    address: SocketAddr,
    verb: &str,
    headers: &[&str],
    body: &[u8],
) -> Answer {
    exchange_at(address, verb, "/", headers, body).await
}

/// The same at another path.
pub(crate) async fn exchange_at(
    address: SocketAddr,
    verb: &str,
    path: &str,
    headers: &[&str],
    body: &[u8],
) -> Answer {
    exchange_as(address, "localhost", verb, path, headers, body).await
}

/// The same with another name of the server.
pub(crate) async fn exchange_as(
    address: SocketAddr,
    host: &str,
    verb: &str,
    path: &str,
    headers: &[&str],
    body: &[u8],
) -> Answer {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let mut request = format!("{verb} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for header in headers {
        request += &format!("{header}\r\n");
    }
    request += &format!("content-length: {}\r\n\r\n", body.len());
    let request = [request.as_bytes(), body].concat();
    // A server that refuses may close before it has read everything.
    socket.write_all(&request).await.ok();
    let mut response = Vec::new();
    socket.read_to_end(&mut response).await.ok();
    let text = String::from_utf8_lossy(&response);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Answer {
        status: status.unwrap_or_default(),
        head: head.into(),
        body: body.into(),
    }
}
