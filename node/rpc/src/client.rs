//! A typed client over HTTP, for the command line, test networks and tests.

mod leaves;
mod log;
mod stamp;
mod tiles;

pub use stamp::request_timestamp;
pub use tiles::LogReader;

use std::sync::Arc;
use std::time::Duration;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Bytes, U64};
use alloy_rpc_types_eth::TransactionReceipt;
use jsonrpsee::core::ClientError as TransportError;
use jsonrpsee::core::client::ClientT;
use jsonrpsee_http_client::transport::Error as HttpError;
use jsonrpsee_http_client::{HttpClient, HttpClientBuilder};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tbsi_types::{Handover, Height};

use crate::limits::{
    CLIENT_ANSWER_S_MAX, CLIENT_CONNECT_S_MAX, REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX,
};
use crate::wire;
pub use leaves::Leaves;

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Not an address that can be called.
    #[error("{url} is not an address such as http://127.0.0.1:8545: {problem}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No answer.
    #[error("cannot reach {url}: {problem}; is the node running?")]
    Unreachable {
        /// The node's address.
        url: String,
        /// What happened, from cause to cause.
        problem: String,
    },
    /// The node answered with an error.
    #[error("{method}: {message} (code {code})")]
    Refused {
        /// The method called.
        method: String,
        /// JSON-RPC error code.
        code: i32,
        /// The node's words.
        message: String,
        /// What the node added, if anything.
        data: Option<Value>,
    },
    /// A call, or a file of the log, was refused with a status.
    #[error("{url}: status {status}: {sentence}")]
    Status {
        /// The file's address.
        url: String,
        /// HTTP status code.
        status: u16,
        /// The server's words.
        sentence: String,
    },
    /// The answer is not what the method returns.
    #[error("{method}: {url} gave an answer that is not understood: {problem}")]
    Answer {
        /// The method called.
        method: String,
        /// The node's address.
        url: String,
        /// What is wrong with the answer.
        problem: String,
    },
}

/// A node that answers in this process: simulation's.
#[doc(hidden)]
pub trait LocalNode: std::fmt::Debug + Send + Sync {
    /// The result of a call.
    fn call(&self, method: &str, params: &[Value]) -> Result<Value, ClientError>;

    /// A file below the node's address.
    fn file(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// How a node is reached.
#[derive(Clone, Debug)]
enum Transport {
    Http(HttpClient),
    Local(Arc<dyn LocalNode>),
}

/// A node's JSON-RPC.
#[derive(Clone, Debug)]
pub struct Client {
    url: String,
    transport: Transport,
}

impl Client {
    /// A client of the node at `url` (`http://` only). Connects with the first call.
    pub fn new(url: &str) -> Result<Self, ClientError> {
        let http = HttpClientBuilder::default()
            .max_request_size(REQUEST_BYTES_MAX)
            .max_response_size(RESPONSE_BYTES_MAX)
            .connect_timeout(Duration::from_secs(CLIENT_CONNECT_S_MAX))
            .request_timeout(Duration::from_secs(CLIENT_ANSWER_S_MAX))
            .build(url)
            .map_err(|error| ClientError::Url {
                url: url.into(),
                problem: error.to_string(),
            })?;
        Ok(Self {
            url: url.into(),
            transport: Transport::Http(http),
        })
    }

    /// A client of a node in this process.
    #[doc(hidden)]
    pub fn local(url: &str, node: Arc<dyn LocalNode>) -> Self {
        Self {
            url: url.into(),
            transport: Transport::Local(node),
        }
    }

    /// The node's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Calls any method.
    pub async fn request<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &[Value],
    ) -> Result<T, ClientError> {
        let answer = match &self.transport {
            Transport::Http(http) => {
                let answer: Result<Value, _> = http.request(method, params).await;
                answer.map_err(|error| self.explain(method, error))?
            }
            Transport::Local(node) => node.call(method, params)?,
        };
        serde_json::from_value(answer).map_err(|error| self.not_understood(method, &error))
    }

    fn explain(&self, method: &str, error: TransportError) -> ClientError {
        match error {
            TransportError::Call(error) => ClientError::Refused {
                method: method.into(),
                code: error.code(),
                message: error.message().into(),
                data: error
                    .data()
                    .and_then(|data| serde_json::from_str(data.get()).ok()),
            },
            TransportError::Transport(error) => match error.downcast_ref() {
                Some(&HttpError::Rejected { status_code }) => ClientError::Status {
                    url: self.url.clone(),
                    status: status_code,
                    sentence: rejection(status_code).into(),
                },
                Some(_) | None => ClientError::Unreachable {
                    url: self.url.clone(),
                    problem: causes(error.as_ref()),
                },
            },
            TransportError::RequestTimeout => ClientError::Unreachable {
                url: self.url.clone(),
                problem: format!("no answer within {CLIENT_ANSWER_S_MAX} s"),
            },
            TransportError::ParseError(_)
            | TransportError::RestartNeeded(_)
            | TransportError::InvalidSubscriptionId
            | TransportError::InvalidRequestId(_)
            | TransportError::Custom(_)
            | TransportError::HttpNotImplemented
            | TransportError::EmptyBatchRequest(_)
            | TransportError::RegisterMethod(_)
            | TransportError::ServiceDisconnect => self.not_understood(method, &error),
        }
    }

    fn not_understood(&self, method: &str, problem: &dyn std::fmt::Display) -> ClientError {
        ClientError::Answer {
            method: method.into(),
            url: self.url.clone(),
            problem: problem.to_string(),
        }
    }

    /// `eth_chainId`.
    pub async fn chain_id(&self) -> Result<u64, ClientError> {
        let id: U64 = self.request("eth_chainId", &[]).await?;
        Ok(id.to())
    }

    /// `eth_blockNumber`.
    pub async fn block_number(&self) -> Result<Height, ClientError> {
        let number: U64 = self.request("eth_blockNumber", &[]).await?;
        Ok(Height(number.to()))
    }

    /// `tbsi_status`.
    pub async fn status(&self) -> Result<wire::NodeStatus, ClientError> {
        self.request("tbsi_status", &[]).await
    }

    /// `tbsi_getCheckpoint`; `None` for a height that is not decided.
    pub async fn checkpoint(
        &self,
        height: BlockNumberOrTag,
    ) -> Result<Option<wire::Checkpoint>, ClientError> {
        self.request("tbsi_getCheckpoint", &[json!(height)]).await
    }

    /// `tbsi_getCertificate`; `None` for genesis and for a height that is not decided.
    pub async fn certificate(
        &self,
        height: BlockNumberOrTag,
    ) -> Result<Option<wire::Certificate>, ClientError> {
        self.request("tbsi_getCertificate", &[json!(height)]).await
    }

    /// `tbsi_getValidators`; `None` for a height that is not decided.
    pub async fn validators(
        &self,
        height: BlockNumberOrTag,
    ) -> Result<Option<wire::ValidatorSet>, ClientError> {
        self.request("tbsi_getValidators", &[json!(height)]).await
    }

    /// `tbsi_getHandovers`: one page of changes of the validator set, from this height on.
    pub async fn handovers(&self, from: Height) -> Result<Vec<Handover>, ClientError> {
        self.request("tbsi_getHandovers", &[json!(from)]).await
    }

    /// `tbsi_getOperator` of a validator's address or key, a peer's key or id, or a height;
    /// `None` if nobody is known by it.
    pub async fn operator(
        &self,
        query: impl serde::Serialize,
    ) -> Result<Option<wire::Operator>, ClientError> {
        self.request("tbsi_getOperator", &[json!(query)]).await
    }

    /// `tbsi_getEvidence`, newest first.
    pub async fn evidence(&self) -> Result<wire::EvidenceList, ClientError> {
        self.request("tbsi_getEvidence", &[]).await
    }

    /// `eth_sendRawTransaction`: the hash of a transaction that the pool took.
    pub async fn send_raw_transaction(&self, encoded: &[u8]) -> Result<B256, ClientError> {
        let encoded = Bytes::copy_from_slice(encoded);
        self.request("eth_sendRawTransaction", &[json!(encoded)])
            .await
    }

    /// `tbsi_transactionStatus`: what became of a transaction, as the node knows.
    pub async fn transaction_status(
        &self,
        hash: B256,
    ) -> Result<wire::TransactionStatus, ClientError> {
        self.request("tbsi_transactionStatus", &[json!(hash)]).await
    }

    /// `eth_getTransactionReceipt`; `None` until the transaction is included.
    pub async fn transaction_receipt(
        &self,
        hash: B256,
    ) -> Result<Option<TransactionReceipt>, ClientError> {
        self.request("eth_getTransactionReceipt", &[json!(hash)])
            .await
    }

    /// `eth_getTransactionCount`; with [`BlockNumberOrTag::Pending`] pooled transactions count.
    pub async fn transaction_count(
        &self,
        sender: Address,
        block: BlockNumberOrTag,
    ) -> Result<u64, ClientError> {
        let params = [json!(sender), json!(block)];
        let count: U64 = self.request("eth_getTransactionCount", &params).await?;
        Ok(count.to())
    }
}

/// What a status means that a node answers JSON-RPC with; the words are in a body that the HTTP
/// client does not show.
fn rejection(status: u16) -> &'static str {
    match status {
        401 => "the node wants an API key or a token, or does not know the one that it got",
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

/// An error and its causes in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
