//! A typed client over HTTP, for the command line, test networks and tests.

mod call;
mod leaves;
mod log;
mod stamp;
mod tiles;

pub use stamp::request_timestamp;
pub use tiles::LogReader;

use std::sync::Arc;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Bytes, U64};
use alloy_rpc_types_eth::TransactionReceipt;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tbsi_types::{Handover, Height};

use crate::outgoing::{AddressError, Http, HttpProblem, Remote};
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
    #[error("cannot reach {url}: {problem}")]
    Unreachable {
        /// The node's address, as it may be shown.
        url: String,
        /// What happened, and what helps.
        problem: HttpProblem,
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

impl From<AddressError> for ClientError {
    fn from(AddressError { url, problem }: AddressError) -> Self {
        Self::Url { url, problem }
    }
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
    Http(Remote),
    Local(Arc<dyn LocalNode>),
}

/// A node's JSON-RPC.
#[derive(Clone, Debug)]
pub struct Client {
    url: String,
    transport: Transport,
}

impl Client {
    /// A client of the node at `url`, reached as by default. Connects with the first call.
    pub fn new(url: &str) -> Result<Self, ClientError> {
        Self::through(&Http::default(), url)
    }

    /// A client of the node at `url`.
    pub fn through(http: &Http, url: &str) -> Result<Self, ClientError> {
        let remote = http.remote(url)?;
        Ok(Self {
            url: remote.shown().into(),
            transport: Transport::Http(remote),
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

    /// The node's address, as it may be shown.
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
            Transport::Http(remote) => {
                let result = self.call(remote, method, params).await?;
                serde_json::from_str(result.get())
            }
            Transport::Local(node) => serde_json::from_value(node.call(method, params)?),
        };
        answer.map_err(|error| self.not_understood(method, &error))
    }

    /// The log beside the node's JSON-RPC.
    pub fn log(&self) -> Result<LogReader, ClientError> {
        match &self.transport {
            Transport::Http(remote) => Ok(LogReader::of(remote.under("log"))),
            Transport::Local(_) => {
                let problem = "a node in this process has no log of files";
                Err(self.unreachable(HttpProblem::NoConnection(problem.into())))
            }
        }
    }

    /// A file below the node's address, of at most `bytes_max` bytes, unchecked.
    pub async fn file(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, ClientError> {
        match &self.transport {
            Transport::Http(remote) => Ok(tiles::get(remote, path, bytes_max).await?.into()),
            Transport::Local(node) => node.file(path).map_err(|problem| {
                let url = format!("{}/{path}", self.url);
                let problem = HttpProblem::NoConnection(problem);
                ClientError::Unreachable { url, problem }
            }),
        }
    }

    fn unreachable(&self, problem: HttpProblem) -> ClientError {
        let url = self.url.clone();
        ClientError::Unreachable { url, problem }
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
