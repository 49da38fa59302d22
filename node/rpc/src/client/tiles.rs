//! The attestation log as files over HTTP, as any log's client reads it (SPEC §9.5).

use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tbsi_types::LeafIndex;
use tbsi_types::bundle::chain::PAGE_BYTES_MAX;
use tbsi_types::limits::VALIDATORS_MAX;
use tbsi_types::log::EntryBundle;
use tbsi_types::log::cose::COSE_RECEIPT_BYTES_MAX;
use tbsi_types::log::ots::OTS_FILE_BYTES_MAX;
use tbsi_types::log::tile::ENTRY_BUNDLE_BYTES_MAX;
use tbsi_types::log::tlog_proof::TLOG_PROOF_BYTES_MAX;
use tokio::time::timeout;

use super::{ClientError, causes};
use crate::limits::{CLIENT_ANSWER_S_MAX, CLIENT_CONNECT_S_MAX};

/// Bytes of a number.
const COUNT_BYTES_MAX: usize = 24;

/// Bytes of a list of post-quantum keys: as many as there can be validators.
const POST_QUANTUM_KEYS_BYTES_MAX: usize = VALIDATORS_MAX * 4 * 1024;

/// Bytes of a refusal that are repeated.
const SENTENCE_BYTES_MAX: usize = 300;

/// Reads the files of a log. Connections are used again.
#[derive(Clone, Debug)]
pub struct LogReader {
    url: String,
    http: Http<HttpConnector, Empty<Bytes>>,
}

impl LogReader {
    /// A reader of the log below `url` (`http://` only), such as
    /// `http://127.0.0.1:8545/log`. Connects with the first request.
    pub fn new(url: &str) -> Result<Self, ClientError> {
        let problem = match url.parse::<Uri>() {
            Ok(uri) if uri.scheme_str() != Some("http") => "http:// is expected".into(),
            Ok(uri) if uri.query().is_some() => "a query is not expected".into(),
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        if !problem.is_empty() {
            return Err(ClientError::Url {
                url: url.into(),
                problem,
            });
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(Duration::from_secs(CLIENT_CONNECT_S_MAX)));
        connector.set_nodelay(true);
        Ok(Self {
            url: url.trim_end_matches('/').into(),
            http: Http::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// The bytes of a bundle of leaves, unchecked. Fails if the log has fewer leaves.
    pub async fn entries(&self, bundle: EntryBundle) -> Result<Bytes, ClientError> {
        let path = bundle.path();
        self.get(&path, ENTRY_BUNDLE_BYTES_MAX).await
    }

    /// A page of changes of the validator set, unchecked. Fails if there are fewer.
    pub async fn handovers(&self, page: EntryBundle) -> Result<Bytes, ClientError> {
        let path = page.path().replacen("tile/entries/", "handovers/", 1);
        self.get(&path, PAGE_BYTES_MAX).await
    }

    /// A COSE receipt of a leaf (SPEC §10.8), unchecked. Fails if the log has fewer leaves.
    pub async fn cose_receipt(&self, index: LeafIndex) -> Result<Bytes, ClientError> {
        let path = format!("proof/{index}.cose");
        self.get(&path, COSE_RECEIPT_BYTES_MAX).await
    }

    /// An OpenTimestamps file of a leaf (SPEC §10.9), unchecked. Fails if the node is no calendar
    /// or the leaf attests no SHA-256.
    pub async fn ots_file(&self, index: LeafIndex) -> Result<Bytes, ClientError> {
        let path = format!("proof/{index}.ots");
        self.get(&path, OTS_FILE_BYTES_MAX).await
    }

    /// Any file of the log, of at most `bytes_max` bytes, unchecked.
    pub async fn file(&self, path: &str, bytes_max: usize) -> Result<Bytes, ClientError> {
        self.get(path, bytes_max).await
    }

    /// How often the validator set changed.
    pub async fn handover_count(&self) -> Result<u64, ClientError> {
        let url = format!("{}/handovers/count", self.url);
        let text = self.get("handovers/count", COUNT_BYTES_MAX).await?;
        let count = std::str::from_utf8(&text).ok();
        let count = count.and_then(|text| text.trim_end().parse().ok());
        count.ok_or_else(|| ClientError::Unreachable {
            url,
            problem: "the answer is no number".into(),
        })
    }

    /// Post-quantum keys of the cosigners, one a line, after comments; unchecked.
    pub async fn post_quantum_keys(&self) -> Result<String, ClientError> {
        self.text("post-quantum/key", POST_QUANTUM_KEYS_BYTES_MAX)
            .await
    }

    /// The `.tlog-proof` of a leaf with post-quantum cosignatures; unchecked.
    pub async fn post_quantum_proof(&self, index: LeafIndex) -> Result<String, ClientError> {
        let path = format!("post-quantum/{index}.tlog-proof");
        self.text(&path, TLOG_PROOF_BYTES_MAX).await
    }

    async fn text(&self, path: &str, bytes_max: usize) -> Result<String, ClientError> {
        let bytes = self.get(path, bytes_max).await?;
        String::from_utf8(bytes.to_vec()).map_err(|_| ClientError::Unreachable {
            url: format!("{}/{path}", self.url),
            problem: "the answer is no text in UTF-8".into(),
        })
    }

    async fn get(&self, path: &str, bytes_max: usize) -> Result<Bytes, ClientError> {
        let url = format!("{}/{path}", self.url);
        let uri = url.parse().map_err(|error| ClientError::Url {
            url: url.clone(),
            problem: format!("{error}"),
        })?;
        let exchange = async {
            let response = self.http.get(uri).await.map_err(|error| causes(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), bytes_max)
                .collect()
                .await;
            let body = body.map_err(|error| causes(error.as_ref()))?;
            Ok((status, body.to_bytes()))
        };
        let limit = Duration::from_secs(CLIENT_ANSWER_S_MAX);
        let answer = timeout(limit, exchange).await;
        let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {limit:?}")));
        match answer {
            Ok((StatusCode::OK, body)) => Ok(body),
            Ok((status, body)) => {
                let sentence = &body[..body.len().min(SENTENCE_BYTES_MAX)];
                let sentence = String::from_utf8_lossy(sentence).trim().to_owned();
                let status = status.as_u16();
                Err(ClientError::Status {
                    url,
                    status,
                    sentence,
                })
            }
            Err(problem) => Err(ClientError::Unreachable { url, problem }),
        }
    }
}
