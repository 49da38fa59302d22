//! From another EVM chain to TBSI: headers that its validators sealed, and storage proofs,
//! verified here with the code that the node runs, before anything is sent (SPEC §16.7).

use std::time::Duration;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tbsi_light::foreign::limits::ANCESTRY_HEADERS_MAX;
use tbsi_light::foreign::{
    Ancestor, Assurance, ForeignHeader, HeaderError, ReadHeader, StorageProof, prove_storage,
    read_header, verify_header,
};
use tbsi_rpc::{Client, ClientError, Http};
use tokio::time::timeout;

use crate::limits::{ANSWER_MS_MAX, FOREIGN_STEPS_MAX};

mod ancestry;
mod error;

pub use error::InboundError;

/// Another chain, through one endpoint, which is believed in nothing.
#[derive(Clone, Debug)]
pub struct ForeignChain {
    client: Client,
    assurance: Assurance,
    /// A contract there that keeps hashes of blocks.
    keeper: Option<Address>,
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
    /// That its block comes after the base; empty until it is asked for.
    pub ancestry: Bytes,
}

impl HeaderUpdate {
    /// What shows that its block comes after the base.
    pub fn shown_by(&self) -> &'static str {
        match self.ancestry.first() {
            Some(0) => "parents",
            Some(1) => "history",
            Some(2) => "keeper",
            Some(_) | None => "nothing",
        }
    }
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

/// The furthest height whose ancestry headers alone can show.
fn within_reach(from: u64, height: u64) -> u64 {
    let reach = 1 + ANCESTRY_HEADERS_MAX as u64;
    from + reach.min((height - from) / 2)
}

impl ForeignChain {
    /// A chain of this kind, at a JSON-RPC address.
    ///
    /// # Errors
    /// If that is no address.
    pub fn new(http: &Http, url: &str, assurance: Assurance) -> Result<Self, ClientError> {
        let client = Client::through(http, url)?;
        Ok(Self {
            client,
            assurance,
            keeper: None,
        })
    }

    /// The same, with a contract there that keeps hashes of blocks.
    pub fn with_keeper(mut self, keeper: Option<Address>) -> Self {
        self.keeper = keeper;
        self
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
            ancestry: Bytes::new(),
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
                Ok(mut step) => {
                    let known = Ancestor {
                        height: from,
                        block_hash: base.read.block_hash,
                    };
                    if let Some(ancestry) = self.ancestry(&known, &step.header).await? {
                        step.ancestry = ancestry;
                        return Ok(step);
                    }
                    height = within_reach(from, height);
                }
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
        let proof = self.proof(height, account, slot).await?;
        let failed = |source| InboundError::Proof {
            account,
            height,
            source,
        };
        let proof = proof.encode().map_err(failed)?;
        let shown = prove_storage(state_root, account, slot, &proof).map_err(failed)?;
        Ok(Shown {
            value: shown.value,
            account_exists: shown.account_exists,
            proof: proof.into(),
        })
    }

    /// The proof of a word as an endpoint gives it, not verified.
    async fn proof(
        &self,
        height: u64,
        account: Address,
        slot: B256,
    ) -> Result<StorageProof, InboundError> {
        // As a quantity: some clients take no leading zeros.
        let key = U256::from_be_bytes(slot.0);
        let params = [json!(account), json!([key]), json!(U64::from(height))];
        let proofs: Proofs = self.ask("a proof", "eth_getProof", &params).await?;
        let storage = proofs.storage_proof.into_iter().next();
        let storage = storage.map_or_else(Vec::new, |slot| slot.proof);
        Ok(StorageProof::new(proofs.account_proof, storage))
    }

    /// The endpoint's address, as it may be shown.
    pub fn url(&self) -> String {
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
