//! One call of JSON-RPC over HTTP.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Client, ClientError};
use crate::limits::{REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX};
use crate::outgoing::{HttpProblem, Remote, RemoteAnswer};

/// Each call has a request of its own, so that one id does for all.
pub(super) const CALL_ID: u64 = 1;

/// What a node answers.
#[derive(Deserialize)]
pub(super) struct Reply<'a> {
    #[serde(default)]
    id: Value,
    /// There is a difference between null and none.
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<ReplyError>,
}

#[derive(Deserialize)]
struct ReplyError {
    code: i32,
    message: String,
    #[serde(default)]
    data: Option<Value>,
}

fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// A call as it is sent.
pub(super) fn request(method: &str, params: &Value) -> String {
    let request = json!({ "jsonrpc": "2.0", "id": CALL_ID, "method": method, "params": params });
    request.to_string()
}

impl Client {
    /// The result in the node's own words.
    pub(super) async fn call(
        &self,
        remote: &Remote,
        method: &str,
        params: &[Value],
    ) -> Result<Box<RawValue>, ClientError> {
        let body = request(method, &json!(params)).into_bytes();
        let (bytes, bytes_max) = (body.len(), REQUEST_BYTES_MAX as usize);
        if bytes > bytes_max {
            return Err(self.unreachable(HttpProblem::Asked { bytes, bytes_max }));
        }
        let body = ("application/json", body);
        let answer = remote.post("", body, RESPONSE_BYTES_MAX as usize);
        let answer = answer.await.map_err(|problem| self.unreachable(problem))?;
        self.check_status(&answer)?;
        if answer.is_html || answer.body.trim_ascii_start().starts_with(b"<") {
            return Err(self.unreachable(HttpProblem::Html));
        }
        let reply: Result<Reply<'_>, _> = serde_json::from_slice(&answer.body);
        let reply = reply.map_err(|error| self.not_understood(method, &error))?;
        self.result(method, &reply).map(ToOwned::to_owned)
    }

    /// What a reply comes to.
    pub(super) fn result<'a>(
        &self,
        method: &str,
        reply: &Reply<'a>,
    ) -> Result<&'a RawValue, ClientError> {
        if let Some(error) = &reply.error {
            return Err(ClientError::Refused {
                method: method.into(),
                code: error.code,
                message: error.message.clone(),
                data: error.data.clone(),
            });
        }
        if reply.id != CALL_ID {
            return Err(self.not_understood(method, &"it is the answer to another call"));
        }
        let result = reply.result;
        result.ok_or_else(|| self.not_understood(method, &"it has neither result nor error"))
    }

    fn check_status(&self, answer: &RemoteAnswer) -> Result<(), ClientError> {
        if answer.status.is_success() {
            return Ok(());
        }
        let status = answer.status.as_u16();
        Err(ClientError::Status {
            url: self.url.clone(),
            status,
            sentence: rejection(status).into(),
        })
    }
}

/// What a status means that a node answers JSON-RPC with.
fn rejection(status: u16) -> &'static str {
    match status {
        401 => {
            "the node wants an API key, a token or a password, or does not know the one that it \
             got: see `login` of http.toml"
        }
        403 => {
            "the node is not known by this name: call it by its address, or see `rpc.hosts` of its \
             config.toml"
        }
        413 => "the node takes no request of so many bytes; see `rpc.request_bytes_max` there",
        429 => "more calls than the node allows; wait, or ask its operator for an API key",
        503 => "the node has no place for a connection; retry later",
        _ => "no JSON-RPC is answered there; is this the address of a node?",
    }
}
