//! From another EVM chain to TBSI: headers that its validators sealed, and storage proofs,
//! verified here with the code that the node runs, before anything is sent (SPEC §16.6).

use std::time::Duration;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tbsi_light::foreign::{
    Assurance, ForeignHeader, HeaderError, ProofError, ReadHeader, StorageProof, prove_storage,
    read_header, verify_header,
};
use tbsi_rpc::{Client, ClientError, Http};
use tokio::time::timeout;

use crate::limits::{ANSWER_MS_MAX, FOREIGN_STEPS_MAX};

/// Why nothing can be imported. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum InboundError {
    /// The endpoint did not answer, or refused.
    #[error("{url}: ask for {what}")]
    Endpoint {
        /// The endpoint.
        url: String,
        /// What was asked for.
        what: &'static str,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// No answer in time.
    #[error("{url} does not answer within {ANSWER_MS_MAX} ms")]
    Silent {
        /// The endpoint.
        url: String,
    },
    /// An endpoint of another chain.
    #[error("{url} is of chain id {got}, the client follows {expected}: give an endpoint of that")]
    ChainId {
        /// The endpoint.
        url: String,
        /// What the client follows.
        expected: u64,
        /// What the endpoint says.
        got: u64,
    },
    /// A height that the chain has not reached.
    #[error("{url} has no block {height}: choose an earlier --height, or wait")]
    NoBlock {
        /// The endpoint.
        url: String,
        /// Asked for.
        height: u64,
    },
    /// An answer whose hash is not that of its fields.
    #[error(
        "{url} says that block {height} has hash {said}, its fields give {computed}: it lies, or \
         the chain is of another kind than the client"
    )]
    BlockHash {
        /// The endpoint.
        url: String,
        /// Of the block.
        height: u64,
        /// In the answer.
        said: B256,
        /// From the fields.
        computed: B256,
    },
    /// Another block than the one that TBSI has accepted.
    #[error(
        "{url} has block {got} at height {height}, TBSI has accepted {expected}: the endpoint \
         lies, or the chain has split. If its validators sealed both, `tbsi fact freeze` proves it"
    )]
    Conflict {
        /// The endpoint.
        url: String,
        /// Of both blocks.
        height: u64,
        /// Accepted.
        expected: B256,
        /// At the endpoint.
        got: B256,
    },
    /// A header that does not look like one of the kind.
    #[error("header of block {height}")]
    Header {
        /// Of the block.
        height: u64,
        /// Why.
        #[source]
        source: HeaderError,
    },
    /// A proof that shows nothing.
    #[error("proof of account {account} at block {height}")]
    Proof {
        /// The account.
        account: Address,
        /// The block.
        height: u64,
        /// Why.
        #[source]
        source: ProofError,
    },
    /// The validators changed too often.
    #[error(
        "more than {FOREIGN_STEPS_MAX} headers are needed to follow the validators: import an \
         earlier --height first"
    )]
    TooManySteps,
}

/// Another chain, through one endpoint, which is believed in nothing.
#[derive(Clone, Debug)]
pub struct ForeignChain {
    client: Client,
    assurance: Assurance,
}

/// A header as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedHeader {
    /// RLP, seals included.
    pub bytes: Bytes,
    /// What it says.
    pub read: ReadHeader,
}

/// A header to bring, and the accepted one from which it follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderUpdate {
    /// Height of what it follows from.
    pub base: u64,
    /// Validators of the base.
    pub trusted: Bytes,
    /// The header.
    pub header: EncodedHeader,
    /// What TBSI will find in it.
    pub verified: ForeignHeader,
}

/// A word and its proof, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The word.
    pub value: B256,
    /// Whether the account exists.
    pub account_exists: bool,
    /// In the layout of SPEC §16.4.
    pub proof: Bytes,
}

#[derive(Deserialize)]
struct Block {
    hash: B256,
    #[serde(flatten)]
    header: Header,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proofs {
    account_proof: Vec<Bytes>,
    storage_proof: Vec<Slot>,
}

#[derive(Deserialize)]
struct Slot {
    proof: Vec<Bytes>,
}

impl ForeignChain {
    /// A chain of this kind, at a JSON-RPC address.
    ///
    /// # Errors
    /// If that is no address.
    pub fn new(http: &Http, url: &str, assurance: Assurance) -> Result<Self, ClientError> {
        let client = Client::through(http, url)?;
        Ok(Self { client, assurance })
    }

    /// Fails unless the endpoint says that it is of this chain. No proof shows it.
    pub async fn check(&self, expected: u64) -> Result<(), InboundError> {
        let got: U64 = self.ask("the chain id", "eth_chainId", &[]).await?;
        let got = got.to();
        if got != expected {
            let url = self.url();
            return Err(InboundError::ChainId { url, expected, got });
        }
        Ok(())
    }

    /// Height of the newest block; on these chains it is final.
    pub async fn latest(&self) -> Result<u64, InboundError> {
        let height: U64 = self.ask("the newest block", "eth_blockNumber", &[]).await?;
        Ok(height.to())
    }

    /// The header of a height, whose hash is that of its fields.
    pub async fn header(&self, height: u64) -> Result<EncodedHeader, InboundError> {
        let params = [json!(U64::from(height)), json!(false)];
        let block: Option<Block> = self.ask("a block", "eth_getBlockByNumber", &params).await?;
        let url = self.url();
        let block = block.ok_or_else(|| InboundError::NoBlock {
            url: url.clone(),
            height,
        })?;
        let bytes = Bytes::from(alloy_rlp::encode(&block.header));
        let read = read_header(self.assurance, &bytes);
        let read = read.map_err(|source| InboundError::Header { height, source })?;
        let (said, computed) = (block.hash, read.block_hash);
        if said != computed || read.height != height {
            return Err(InboundError::BlockHash {
                url,
                height,
                said,
                computed,
            });
        }
        Ok(EncodedHeader { bytes, read })
    }

    /// The header of a height, which must be the one that TBSI has accepted.
    pub async fn accepted(
        &self,
        height: u64,
        expected: B256,
    ) -> Result<EncodedHeader, InboundError> {
        let header = self.header(height).await?;
        let got = header.read.block_hash;
        if got != expected {
            let url = self.url();
            return Err(InboundError::Conflict {
                url,
                height,
                expected,
                got,
            });
        }
        Ok(header)
    }

    /// Verifies a header against the validators of `base`.
    ///
    /// # Errors
    /// Why the header does not follow.
    pub fn verify(
        &self,
        base: &EncodedHeader,
        header: EncodedHeader,
    ) -> Result<HeaderUpdate, HeaderError> {
        let verified = verify_header(self.assurance, &base.read.trusted, &header.bytes)?;
        Ok(HeaderUpdate {
            base: base.read.height,
            trusted: base.read.trusted.clone().into(),
            header,
            verified,
        })
    }

    /// The headers that lead from an accepted one to that of `height`: one, unless too many
    /// validators have changed in between.
    pub async fn steps(
        &self,
        base: EncodedHeader,
        height: u64,
    ) -> Result<Vec<HeaderUpdate>, InboundError> {
        let (mut base, mut steps) = (base, Vec::new());
        while base.read.height < height {
            if steps.len() == FOREIGN_STEPS_MAX {
                return Err(InboundError::TooManySteps);
            }
            let step = self.furthest(&base, height).await?;
            base = step.header.clone();
            steps.push(step);
        }
        Ok(steps)
    }

    /// The furthest header found by halving that follows from `base`.
    async fn furthest(
        &self,
        base: &EncodedHeader,
        height: u64,
    ) -> Result<HeaderUpdate, InboundError> {
        let mut height = height;
        loop {
            let from = base.read.height;
            match self.verify(base, self.header(height).await?) {
                Ok(step) => return Ok(step),
                Err(HeaderError::Overlap { .. }) if height > from + 1 => {
                    height = from + (height - from) / 2;
                }
                Err(source) => return Err(InboundError::Header { height, source }),
            }
        }
    }

    /// The word in a slot after the block of a height, under its state root.
    pub async fn show(
        &self,
        height: u64,
        state_root: B256,
        account: Address,
        slot: B256,
    ) -> Result<Shown, InboundError> {
        // As a quantity: some clients take no leading zeros.
        let key = U256::from_be_bytes(slot.0);
        let params = [json!(account), json!([key]), json!(U64::from(height))];
        let proofs: Proofs = self.ask("a proof", "eth_getProof", &params).await?;
        let failed = |source| InboundError::Proof {
            account,
            height,
            source,
        };
        let storage = proofs.storage_proof.into_iter().next();
        let storage = storage.map_or_else(Vec::new, |slot| slot.proof);
        let proof = StorageProof::new(proofs.account_proof, storage);
        let proof = proof.encode().map_err(failed)?;
        let shown = prove_storage(state_root, account, slot, &proof).map_err(failed)?;
        Ok(Shown {
            value: shown.value,
            account_exists: shown.account_exists,
            proof: proof.into(),
        })
    }

    fn url(&self) -> String {
        self.client.url().to_owned()
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        what: &'static str,
        method: &str,
        params: &[Value],
    ) -> Result<T, InboundError> {
        let limit = Duration::from_millis(ANSWER_MS_MAX);
        let asked = timeout(limit, self.client.request(method, params)).await;
        let url = self.url();
        match asked {
            Err(_) => Err(InboundError::Silent { url }),
            Ok(Err(source)) => Err(InboundError::Endpoint { url, what, source }),
            Ok(Ok(answer)) => Ok(answer),
        }
    }
}
