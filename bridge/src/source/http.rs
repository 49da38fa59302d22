//! `GET` of small files over HTTP/1.1: the tiles of the log (SPEC §9.5).

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use tbsi_rpc::LocalNode;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::limits::ANSWER_MS_MAX;

/// One keep-alive connection to a server; connects with the first request, and again after a
/// failure.
#[derive(Debug)]
pub(crate) struct Files {
    /// `host:port`.
    authority: String,
    /// What paths begin with.
    base: String,
    open: Option<Open>,
    /// A node in this process that answers instead.
    local: Option<Arc<dyn LocalNode>>,
}

/// A connection, driven until this is dropped.
#[derive(Debug)]
struct Open {
    sender: SendRequest<Empty<Bytes>>,
    _driven: JoinSet<()>,
}

impl Files {
    /// Files below `url` (`http://` only).
    pub(crate) fn new(url: &str) -> Self {
        let rest = url.strip_prefix("http://").unwrap_or(url);
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let port = if authority.contains(':') { "" } else { ":80" };
        Self {
            authority: format!("{authority}{port}"),
            base: format!("/{path}").trim_end_matches('/').into(),
            open: None,
            local: None,
        }
    }

    /// Files of a node in this process.
    pub(crate) fn local(url: &str, node: Arc<dyn LocalNode>) -> Self {
        Self {
            local: Some(node),
            ..Self::new(url)
        }
    }

    /// The bytes at `path`, at most `bytes_max`.
    pub(crate) async fn get(&mut self, path: &str, bytes_max: usize) -> Result<Vec<u8>, String> {
        if let Some(node) = &self.local {
            return node.file(path);
        }
        let limit = Duration::from_millis(ANSWER_MS_MAX);
        match timeout(limit, self.exchange(path, bytes_max)).await {
            Ok(answer) => answer.map_err(|problem| format!("{}/{path}: {problem}", self.authority)),
            Err(_) => Err(format!(
                "{}: no answer in {ANSWER_MS_MAX} ms",
                self.authority
            )),
        }
    }

    async fn exchange(&mut self, path: &str, bytes_max: usize) -> Result<Vec<u8>, String> {
        // Taken, and put back only after a whole answer.
        let mut open = match self.open.take().filter(|open| !open.sender.is_closed()) {
            Some(open) => open,
            None => connect(&self.authority).await?,
        };
        let ready = open.sender.ready().await;
        ready.map_err(|error| error.to_string())?;
        let request = Request::get(format!("{}/{path}", self.base))
            .header(HOST, &self.authority)
            .body(Empty::new())
            .map_err(|error| error.to_string())?;
        let response = open.sender.send_request(request).await;
        let response = response.map_err(|error| error.to_string())?;
        let status = response.status();
        let body = Limited::new(response.into_body(), bytes_max)
            .collect()
            .await;
        let bytes = body.map_err(|error| error.to_string())?.to_bytes();
        self.open = Some(open);
        if !status.is_success() {
            return Err(format!("HTTP status {status}"));
        }
        Ok(bytes.to_vec())
    }
}

async fn connect(authority: &str) -> Result<Open, String> {
    let stream = TcpStream::connect(authority).await;
    let stream = stream.map_err(|error| error.to_string())?;
    stream
        .set_nodelay(true)
        .map_err(|error| error.to_string())?;
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    // Whoever waits for an answer is told of an error; the task has nothing to add.
    let mut driven = JoinSet::new();
    driven.spawn(async move {
        connection.await.ok();
    });
    Ok(Open {
        sender,
        _driven: driven,
    })
}
