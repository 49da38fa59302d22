//! The attestation log as files over HTTP, as any log's client reads it (SPEC §9.5).

use bytes::Bytes;
use http::StatusCode;
use tbsi_types::LeafIndex;
use tbsi_types::bundle::chain::PAGE_BYTES_MAX;
use tbsi_types::limits::VALIDATORS_MAX;
use tbsi_types::log::EntryBundle;
use tbsi_types::log::cose::COSE_RECEIPT_BYTES_MAX;
use tbsi_types::log::ots::OTS_FILE_BYTES_MAX;
use tbsi_types::log::tile::ENTRY_BUNDLE_BYTES_MAX;
use tbsi_types::log::tlog_proof::TLOG_PROOF_BYTES_MAX;

use super::ClientError;
use crate::outgoing::{Http, HttpProblem, Remote, RemoteAnswer};

/// Bytes of a number.
const COUNT_BYTES_MAX: usize = 24;

/// Bytes of a list of post-quantum keys: as many as there can be validators.
const POST_QUANTUM_KEYS_BYTES_MAX: usize = VALIDATORS_MAX * 4 * 1024;

/// Bytes of a refusal that are repeated.
const SENTENCE_BYTES_MAX: usize = 300;

/// Reads the files of a log. Connections are used again.
#[derive(Clone, Debug)]
pub struct LogReader(Remote);

impl LogReader {
    /// A reader of the log below `url`, such as `http://127.0.0.1:8545/log`, reached as by
    /// default. Connects with the first request.
    pub fn new(url: &str) -> Result<Self, ClientError> {
        Self::through(&Http::default(), url)
    }

    pub(super) fn of(log: Remote) -> Self {
        Self(log)
    }

    /// A reader of the log below `url`.
    pub fn through(http: &Http, url: &str) -> Result<Self, ClientError> {
        let remote = http.remote(url)?;
        if remote.has_query() {
            return Err(ClientError::Url {
                url: remote.shown().into(),
                problem: "a query is not expected".into(),
            });
        }
        Ok(Self(remote))
    }

    /// The log's address, as it may be shown.
    pub fn url(&self) -> &str {
        self.0.shown()
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
        let path = "handovers/count";
        let text = self.get(path, COUNT_BYTES_MAX).await?;
        let count = std::str::from_utf8(&text).ok();
        let count = count.and_then(|text| text.trim_end().parse().ok());
        count.ok_or_else(|| self.not_understood(path, "it is no number"))
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
        let text = String::from_utf8(bytes.to_vec());
        text.map_err(|_| self.not_understood(path, "it is no text in UTF-8"))
    }

    fn not_understood(&self, path: &str, problem: &str) -> ClientError {
        ClientError::Answer {
            method: path.into(),
            url: self.0.shown().into(),
            problem: problem.into(),
        }
    }

    async fn get(&self, path: &str, bytes_max: usize) -> Result<Bytes, ClientError> {
        get(&self.0, path, bytes_max).await
    }
}

/// A file below an address.
pub(super) async fn get(
    remote: &Remote,
    path: &str,
    bytes_max: usize,
) -> Result<Bytes, ClientError> {
    let answer = remote.get(path, bytes_max).await;
    whole(remote.below(path), answer)
}

/// The body of an answer that is one.
pub(super) fn whole(
    url: String,
    answer: Result<RemoteAnswer, HttpProblem>,
) -> Result<Bytes, ClientError> {
    match answer {
        Ok(answer) if answer.status == StatusCode::OK => Ok(answer.body),
        Ok(answer) => {
            let sentence = &answer.body[..answer.body.len().min(SENTENCE_BYTES_MAX)];
            Err(ClientError::Status {
                url,
                status: answer.status.as_u16(),
                sentence: String::from_utf8_lossy(sentence).trim().to_owned(),
            })
        }
        Err(problem) => Err(ClientError::Unreachable { url, problem }),
    }
}
