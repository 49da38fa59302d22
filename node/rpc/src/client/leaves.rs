//! A subscription to leaves, over WebSocket: `ws` for an address of http, `wss` for one of https,
//! reached as everything else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::Upgraded;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use soketto::Mode;
use soketto::connection::{Builder, Receiver, Sender};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

use super::call::{Reply, request};
use super::{Client, ClientError, Transport};
use crate::limits::{CLIENT_LEAVES_MAX, RESPONSE_BYTES_MAX};
use crate::outgoing::{ANSWER, HttpProblem, Remote};
use crate::wire::{LeafFilter, LeafNotice};

const METHOD: &str = "tbsi_subscribe";

/// What the accepting side puts behind the key (RFC 6455 §1.3).
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

type Incoming = Receiver<Compat<Upgraded>>;
type Outgoing = Sender<Compat<Upgraded>>;

/// Leaves as they become final.
pub struct Leaves {
    notices: mpsc::Receiver<Vec<u8>>,
    client: Client,
    /// The connection lives as long as this.
    _reading: JoinSet<()>,
}

/// A notification. Its subscription is the only one of the connection.
#[derive(Deserialize)]
struct Notification<'a> {
    #[serde(borrow)]
    params: NotificationParams<'a>,
}

#[derive(Deserialize)]
struct NotificationParams<'a> {
    #[serde(borrow)]
    result: &'a RawValue,
}

impl Client {
    /// `tbsi_subscribe("leaves", filter)`, on a WebSocket connection of its own.
    pub async fn leaves(&self, filter: &LeafFilter) -> Result<Leaves, ClientError> {
        let Transport::Http(remote) = &self.transport else {
            let problem = "a node in this process has no subscriptions".into();
            return Err(self.unreachable(HttpProblem::NoConnection(problem)));
        };
        let connection = connect(remote).await;
        let (mut sender, mut receiver) = connection.map_err(|it| self.unreachable(it))?;
        let subscribing = async {
            let request = request(METHOD, &json!(["leaves", filter]));
            let broken = |_| self.unreachable(HttpProblem::Broken);
            sender.send_text_owned(request).await.map_err(broken)?;
            sender.flush().await.map_err(broken)?;
            let mut reply = Vec::new();
            receiver.receive_data(&mut reply).await.map_err(broken)?;
            let reply: Result<Reply<'_>, _> = serde_json::from_slice(&reply);
            let reply = reply.map_err(|error| self.not_understood(METHOD, &error))?;
            self.result(METHOD, &reply).map(|_| ())
        };
        let subscribed = timeout(ANSWER, subscribing).await;
        subscribed.unwrap_or_else(|_| {
            let seconds = ANSWER.as_secs();
            Err(self.unreachable(HttpProblem::Silent { seconds }))
        })?;
        let (arrived, notices) = mpsc::channel(CLIENT_LEAVES_MAX);
        let mut reading = JoinSet::new();
        reading.spawn(read(sender, receiver, arrived));
        Ok(Leaves {
            notices,
            client: self.clone(),
            _reading: reading,
        })
    }
}

/// Opens a WebSocket.
async fn connect(remote: &Remote) -> Result<(Outgoing, Incoming), HttpProblem> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(|error| {
        HttpProblem::NoConnection(format!("this system gives no random bytes: {error}"))
    })?;
    let key = STANDARD.encode(key);
    let mut headers = HeaderMap::new();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    let value = HeaderValue::try_from(key.as_str()).expect("base64 is visible ASCII");
    headers.insert(SEC_WEBSOCKET_KEY, value);
    let response = remote.upgrade(headers).await?;
    let status = response.status();
    let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT);
    let is_ours = accepted.is_some_and(|accepted| accepted == accept(&key).as_str());
    if status != StatusCode::SWITCHING_PROTOCOLS || !is_ours {
        let status = status.as_u16();
        return Err(HttpProblem::NoWebSocket { status });
    }
    let stream = response.upgrade().await.map_err(|_| HttpProblem::Broken)?;
    let mut builder = Builder::new(stream.compat(), Mode::Client);
    builder.set_max_message_size(RESPONSE_BYTES_MAX as usize);
    builder.set_max_frame_size(RESPONSE_BYTES_MAX as usize);
    Ok(builder.finish())
}

fn accept(key: &str) -> String {
    let mut text = key.as_bytes().to_vec();
    text.extend_from_slice(MAGIC);
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &text);
    STANDARD.encode(digest)
}

/// Keeps what arrives, until the connection ends or too much of it is not read. The sender is
/// held because both halves are one connection.
async fn read(_sender: Outgoing, mut receiver: Incoming, arrived: mpsc::Sender<Vec<u8>>) {
    let mut message = Vec::new();
    while receiver.receive_data(&mut message).await.is_ok() {
        if arrived.try_send(std::mem::take(&mut message)).is_err() {
            return;
        }
    }
}

impl Leaves {
    /// The next notification; `None` when the connection ended, or when [`CLIENT_LEAVES_MAX`]
    /// are not read: then the caller subscribes again from where it is.
    pub async fn next(&mut self) -> Result<Option<LeafNotice>, ClientError> {
        let Some(message) = self.notices.recv().await else {
            return Ok(None);
        };
        let notice = serde_json::from_slice(&message)
            .and_then(|notice: Notification<'_>| serde_json::from_str(notice.params.result.get()));
        let notice = notice.map_err(|error| self.client.not_understood(METHOD, &error));
        notice.map(Some)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn accepts_as_rfc_6455_says() {
        let accepted = super::accept("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accepted, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
