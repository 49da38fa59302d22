//! JSON-RPC over one keep-alive HTTP/1.1 connection, with bodies prepared by the caller.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Bytes of one answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// One request at a time: requests arrive in the order in which they are posted. Connects with
/// the first request, and again after a failure.
pub struct Connection {
    address: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// A connection to come.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            sender: None,
        }
    }

    /// Posts a body and returns the answer's.
    pub async fn post(&mut self, body: Bytes) -> anyhow::Result<Bytes> {
        timeout(ANSWER_TIMEOUT, self.exchange(body))
            .await
            .unwrap_or_else(|_| bail!("no answer within {} s", ANSWER_TIMEOUT.as_secs()))
    }

    async fn exchange(&mut self, body: Bytes) -> anyhow::Result<Bytes> {
        // Taken, and put back only after a whole answer: a connection that failed is not used
        // again.
        let mut sender = match self.sender.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => connect(self.address).await?,
        };
        sender.ready().await.context("connection was closed")?;
        let request = Request::post("/")
            .header(HOST, self.address.to_string())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .expect("constant parts and an address");
        let response = sender.send_request(request).await.context("send")?;
        let status = response.status();
        let answer = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|error| anyhow!("read the answer: {error}"))?
            .to_bytes();
        ensure!(status.is_success(), "HTTP status {status}");
        self.sender = Some(sender);
        Ok(answer)
    }

    /// Calls one method; an error answer is an error.
    pub async fn call<T: DeserializeOwned>(
        &mut self,
        method: &str,
        params: Value,
    ) -> anyhow::Result<T> {
        let call = json!({"jsonrpc": "2.0", "id": 0, "method": method, "params": params});
        let answer = self.post(call.to_string().into()).await?;
        let replies = replies(&answer).with_context(|| method.to_string())?;
        let first = replies.into_iter().next();
        let (_, outcome) = first.with_context(|| format!("{method}: empty answer"))?;
        let result = outcome.map_err(|message| anyhow!("{method}: {message}"))?;
        serde_json::from_value(result).with_context(|| format!("answer of {method}"))
    }
}

async fn connect(address: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("connect to {address}"))?;
    stream.set_nodelay(true).context("set TCP_NODELAY")?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.context("HTTP")?;
    // Whoever waits for an answer is told of an error; the task has nothing to add.
    tokio::spawn(async move { connection.await.ok() });
    Ok(sender)
}

#[derive(Deserialize)]
struct Failure {
    message: String,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Reply<T> {
    id: Option<u64>,
    /// A null is a result, too.
    #[serde(default = "none", deserialize_with = "some")]
    result: Option<T>,
    error: Option<Failure>,
}

fn none<T>() -> Option<T> {
    None
}

fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// What was answered to one request: the result, or the error's message.
pub type Outcome<T> = Result<T, String>;

/// The replies in an answer to one request or to a batch, with the ids of their requests. A
/// reply without id gets `u64::MAX`.
pub fn replies<T: DeserializeOwned>(answer: &[u8]) -> anyhow::Result<Vec<(u64, Outcome<T>)>> {
    let batch = answer.trim_ascii_start().starts_with(b"[");
    let replies: Vec<Reply<T>> = if batch {
        serde_json::from_slice(answer).context("answer is not JSON-RPC")?
    } else {
        vec![serde_json::from_slice(answer).context("answer is not JSON-RPC")?]
    };
    let one = |reply: Reply<T>| {
        let outcome = match (reply.error, reply.result) {
            (Some(error), _) => Err(error.message),
            (None, Some(result)) => Ok(result),
            (None, None) => Err("neither result nor error".into()),
        };
        (reply.id.unwrap_or(u64::MAX), outcome)
    };
    Ok(replies.into_iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_single_and_batched_replies() {
        let one = br#"{"jsonrpc":"2.0","id":3,"result":"0x1"}"#;
        assert_eq!(replies::<String>(one).unwrap(), [(3, Ok("0x1".into()))]);
        let batch = br#"[{"id":1,"result":"a"},{"id":2,"error":{"code":-1,"message":"no"}},
            {"id":null,"error":{"code":-32600,"message":"bad"}}]"#;
        let expected = [
            (1, Ok("a".into())),
            (2, Err("no".into())),
            (u64::MAX, Err("bad".into())),
        ];
        assert_eq!(replies::<String>(batch).unwrap(), expected);
        assert!(replies::<String>(b"<html>").is_err());
        let empty = replies::<Option<String>>(br#"{"id":1}"#).unwrap();
        assert!(empty[0].1.is_err());
        let null = replies::<Option<String>>(br#" [{"id":1,"result":null}]"#).unwrap();
        assert_eq!(null, [(1, Ok(None))]);
    }
}
