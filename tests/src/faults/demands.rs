//! Requests that ask too much of a node, and what it says to them.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tbsi_types::B256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Requests of the batch that is too long.
const BATCH: usize = 10_001;
/// How deep the deep ones are.
const DEPTH: usize = 100_000;
/// Bytes of the body that is too large, of which none need be sent before it is refused.
const BODY_BYTES: usize = 50_000_000;
/// Of an answer, what is looked at.
const SHOWN_BYTES: u64 = 4_096;
/// What is said to whoever finds no place, at any time.
const BUSY: &[&[&str]] = &[
    &["-32005", "too many requests in flight"],
    &["-32005", "answers wait to be read"],
];

/// A request, and what is said to it.
#[derive(Clone, Debug)]
pub struct Demand {
    /// For people.
    pub name: &'static str,
    /// Where it goes.
    port: SocketAddr,
    head: String,
    body: String,
    /// One of these lists of words is in the answer, each word of it.
    said: &'static [&'static [&'static str]],
}

/// What is there to be asked for.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// The node's public port.
    pub public: SocketAddr,
    /// The port of its operator, who has a secret.
    pub operator: SocketAddr,
    /// A transaction that used all gas that one may have.
    pub heavy: B256,
    /// Somebody's filter.
    pub filter: u128,
}

/// What came of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// The documented words.
    Refused,
    /// There was no place for it.
    Busy,
}

/// A token for another node, from 2023: {"alg":"HS256"} . {"iat":1700000000}.
const WRONG_TOKEN: &str = "authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDB9.\
                           cZsZzsLaHRs637c9oVlVqjlfruNQkw6ZhI0ZKxhFaC4\r\n";

/// All of them.
pub fn demands(scene: &Scene) -> Vec<Demand> {
    let public = |name, body: String, said| Demand {
        name,
        port: scene.public,
        head: head("", body.len()),
        body,
        said,
    };
    let chain_id = call("eth_chainId", &json!([]));
    let deep = |inside: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{inside}]}}"#)
    };
    let opened = "[".repeat(DEPTH);
    let account = format!("{:#042x}", 1);
    let both = json!({ account.clone(): { "state": {}, "stateDiff": {} } });
    // JUMPDEST PUSH1 0 JUMP: until its gas is used up.
    let endless = json!({ "data": "0x5b600056", "gas": "0xffffffff" });
    let guessed = format!("{:#034x}", scene.filter.wrapping_add(1));
    let mut all = vec![
        public(
            "a batch of 10,001",
            format!("[{}]", vec![chain_id.as_str(); BATCH].join(",")),
            &[&["-32600", "batch too large", "\"limit\":1000}"]],
        ),
        public("JSON 100,000 deep", deep(&format!("{opened}1{}", "]".repeat(DEPTH))), &[&["-32602"]]),
        public("JSON that never closes", deep(&opened), &[&["-32700"]]),
        public(
            "logs of everything",
            call("eth_getLogs", &json!([{ "fromBlock": "0x0", "toBlock": "latest" }])),
            &[&["-32005", "query returned more than 10000 results", "\"limit\":10000,"]],
        ),
        public(
            "a trace of all gas",
            call("debug_traceTransaction", &json!([scene.heavy])),
            &[
                &["-32003", "the trace is above", "\"limitBytes\":26214400}"],
                &["-32002", "execution timeout", "\"maxMs\":20000}"],
            ],
        ),
        public("a call without end", call("eth_call", &json!([endless, "latest"])), &[&["out of gas"]]),
        public(
            "a filter of others",
            call("eth_getFilterChanges", &json!([guessed])),
            &[&["-32000", "filter not found"]],
        ),
        public(
            "overrides that contradict",
            call("eth_call", &json!([{ "to": account }, "latest", both])),
            &[&["-32000", "has both 'state' and 'stateDiff'"]],
        ),
    ];
    all.push(Demand {
        name: "a wrong token",
        port: scene.operator,
        head: head(WRONG_TOKEN, chain_id.len()),
        body: chain_id,
        said: &[&["HTTP/1.1 401 ", "signature is invalid"]],
    });
    all.push(Demand {
        name: "a body of 50 MB",
        port: scene.public,
        head: head("", BODY_BYTES),
        body: String::new(),
        said: &[&["HTTP/1.1 413 ", "content length too large", "\"limitBytes\":5242880}"]],
    });
    all
}

/// One request.
pub fn call(method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
}

/// The head of a POST.
pub fn head(more: &str, length: usize) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nconnection: \
         close\r\n{more}content-length: {length}\r\n\r\n"
    )
}

impl Demand {
    /// Makes it once.
    ///
    /// # Errors
    /// The answer is another one, or none.
    pub async fn make(&self) -> anyhow::Result<Reception> {
        let exchange = async {
            let mut socket = TcpStream::connect(self.port).await?;
            socket.write_all(self.head.as_bytes()).await?;
            socket.write_all(self.body.as_bytes()).await?;
            let mut answer = Vec::new();
            socket.take(SHOWN_BYTES).read_to_end(&mut answer).await?;
            anyhow::Ok(answer)
        };
        let answer = timeout(ANSWER_TIMEOUT, exchange).await;
        let answer = answer.map_err(|_| anyhow::anyhow!("no answer after {ANSWER_TIMEOUT:?}"))??;
        let text = String::from_utf8_lossy(&answer);
        let has = |lists: &[&[&str]]| {
            let mut lists = lists.iter();
            lists.any(|words| words.iter().all(|word| text.contains(word)))
        };
        match (has(self.said), has(BUSY)) {
            (true, _) => Ok(Reception::Refused),
            (false, true) => Ok(Reception::Busy),
            (false, false) => anyhow::bail!("{} is answered: {text}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_differ_and_say_how_long_they_are() {
        let scene = Scene {
            public: ([127, 0, 0, 1], 1).into(),
            operator: ([127, 0, 0, 1], 2).into(),
            heavy: B256::repeat_byte(1),
            filter: u128::MAX,
        };
        let all = demands(&scene);
        let names: std::collections::BTreeSet<_> = all.iter().map(|it| it.name).collect();
        assert_eq!((names.len(), all.len()), (10, 10));
        for demand in all {
            let length = format!("content-length: {}\r\n", demand.body.len());
            assert_eq!(demand.head.contains(&length), !demand.body.is_empty());
            assert!(demand.head.ends_with("\r\n\r\n"));
        }
    }
}
