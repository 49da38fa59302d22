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
const BUSY: Said = &[
    &["-32005", "too many requests in flight"],
    &["-32005", "answers wait to be read"],
];

/// Lists of words: each word of one of them is in the answer.
type Said = &'static [&'static [&'static str]];

/// A request, and what is said to it.
#[derive(Clone, Debug)]
pub struct Demand {
    /// For people.
    pub name: &'static str,
    /// Where it goes.
    port: SocketAddr,
    head: String,
    body: String,
    said: Said,
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
    let mut all = long(scene);
    all.extend(costly(scene));
    all.extend(wrong(scene));
    all
}

/// Much to read.
fn long(scene: &Scene) -> Vec<Demand> {
    let deep = |inside: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{inside}]}}"#)
    };
    let opened = "[".repeat(DEPTH);
    let chain_id = call("eth_chainId", &json!([]));
    let batch = format!("[{}]", vec![chain_id.as_str(); BATCH].join(","));
    let closed = format!("{opened}1{}", "]".repeat(DEPTH));
    vec![
        Demand::public(
            scene,
            "a batch of 10,001",
            batch,
            &[&["-32600", "batch too large", "\"limit\":1000}"]],
        ),
        Demand::public(scene, "JSON 100,000 deep", deep(&closed), &[&["-32602"]]),
        Demand::public(
            scene,
            "JSON that never closes",
            deep(&opened),
            &[&["-32700"]],
        ),
        Demand {
            head: head("", BODY_BYTES),
            ..Demand::public(
                scene,
                "a body of 50 MB",
                String::new(),
                &[&[
                    "HTTP/1.1 413 ",
                    "content length too large",
                    "\"limitBytes\":5242880}",
                ]],
            )
        },
    ]
}

/// Much to do.
fn costly(scene: &Scene) -> Vec<Demand> {
    let all = json!([{ "fromBlock": "0x0", "toBlock": "latest" }]);
    // JUMPDEST PUSH1 0 JUMP: until its gas is used up.
    let endless = json!([{ "data": "0x5b600056", "gas": "0xffffffff" }, "latest"]);
    vec![
        Demand::public(
            scene,
            "logs of everything",
            call("eth_getLogs", &all),
            &[&[
                "-32005",
                "query returned more than 10000 results",
                "\"limit\":10000,",
            ]],
        ),
        Demand::public(
            scene,
            "a trace of all gas",
            call("debug_traceTransaction", &json!([scene.heavy])),
            &[
                &["-32003", "the trace is above", "\"limitBytes\":26214400}"],
                &["-32002", "execution timeout", "\"maxMs\":20000}"],
            ],
        ),
        Demand::public(
            scene,
            "a call without end",
            call("eth_call", &endless),
            &[&["-32000", "out of gas"]],
        ),
    ]
}

/// What is not the client's, or makes no sense.
fn wrong(scene: &Scene) -> Vec<Demand> {
    let account = format!("{:#042x}", 1);
    let both = json!({ account.clone(): { "state": {}, "stateDiff": {} } });
    let guessed = format!("{:#034x}", scene.filter.wrapping_add(1));
    let chain_id = call("eth_chainId", &json!([]));
    vec![
        Demand::public(
            scene,
            "a filter of others",
            call("eth_getFilterChanges", &json!([guessed])),
            &[&["-32000", "filter not found"]],
        ),
        Demand::public(
            scene,
            "overrides that contradict",
            call("eth_call", &json!([{ "to": account }, "latest", both])),
            &[&["-32000", "has both 'state' and 'stateDiff'"]],
        ),
        Demand {
            name: "a wrong token",
            port: scene.operator,
            head: head(WRONG_TOKEN, chain_id.len()),
            body: chain_id,
            said: &[&["HTTP/1.1 401 ", "signature is invalid"]],
        },
    ]
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
    fn public(scene: &Scene, name: &'static str, body: String, said: Said) -> Self {
        Self {
            name,
            port: scene.public,
            head: head("", body.len()),
            body,
            said,
        }
    }

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
        let answer =
            answer.map_err(|_| anyhow::anyhow!("no answer after {ANSWER_TIMEOUT:?}"))??;
        let text = String::from_utf8_lossy(&answer);
        let has = |lists: Said| {
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
