//! What is read of a channel: the client on it, and its blocks. An answer counts if enough gateways
//! give it alike.

use std::collections::BTreeMap;

use alloy_primitives::{B256, hex};
use prost::Message;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tbsi_types::{ChainIdentity, Checkpoint};

use super::answers::{AcceptedCheckpoint, ClientStatus, NamedRelayer};
use super::block::ChannelBlock;
use super::identity::Identity;
use super::messages::{
    BlockchainInfo, CommitStatusRequest, Envelope, ProcessedTransaction, SignedRequest,
};
use super::peers::{Evaluated, FabricPeers, agreed};
use super::proposal::{ChaincodeCall, Proposal, id_text};
use super::refusal::CallError;
use crate::config::FabricConfig;
use crate::limits::CHANNEL_BLOCKS_KEPT_MAX;
use crate::relay::Clock;
use crate::target::{TargetBlock, TargetError};

/// Fabric's own chaincode that shows blocks.
const LEDGER: &str = "qscc";

/// Who the relayer is on a channel, for whom, and what for.
#[derive(Debug)]
pub struct ChannelMember {
    /// Its certificate and key.
    pub identity: Identity,
    /// Legal name, in English, of who answers for it.
    pub name_en: String,
    /// The same in Traditional Chinese; empty if there is none.
    pub name_zh_tw: String,
    /// The TBSI network whose client it is to be.
    pub source: ChainIdentity,
}

/// A channel, who reads it, and how.
pub struct ChannelReader<P> {
    pub(super) peers: P,
    pub(super) member: ChannelMember,
    pub(super) config: FabricConfig,
    pub(super) clock: Clock,
    blocks: BTreeMap<u64, Vec<Result<ChannelBlock, CallError>>>,
}

/// A transaction that is in a block.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) block: u64,
    pub(super) block_hash: B256,
    /// What peers found of it.
    pub(super) code: i32,
    pub(super) envelope: Envelope,
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("an answer of another form: {error}"))
}

impl<P: FabricPeers> ChannelReader<P> {
    /// Of a configuration; `clock` says what time a proposal is of.
    pub fn new(peers: P, member: ChannelMember, config: FabricConfig, clock: Clock) -> Self {
        Self {
            peers,
            member,
            config,
            clock,
            blocks: BTreeMap::new(),
        }
    }

    /// What could not be asked, as the loop knows it.
    pub(super) fn failed(&self, what: &str, error: &CallError) -> TargetError {
        let (agreed, needed) = match error {
            CallError::Apart { agreed, needed, .. } => (*agreed, *needed),
            CallError::Chaincode { .. } | CallError::Declined(_) | CallError::Silent(_) => {
                (0, self.config.agree)
            }
        };
        TargetError::Unavailable {
            agreed,
            needed,
            what: what.into(),
            problem: error.to_string(),
        }
    }

    pub(super) fn propose(&self, call: ChaincodeCall) -> Proposal {
        let now_ms = (self.clock)();
        Proposal::new(&self.member.identity, &self.config.channel, call, now_ms)
    }

    async fn ask(&self, call: ChaincodeCall) -> Vec<Evaluated> {
        self.peers.evaluate(&self.propose(call)).await
    }

    /// Whether the chaincode would do this now, as far as peers tell.
    pub(super) async fn dry(&self, call: &ChaincodeCall) -> Result<(), CallError> {
        let answers = self.ask(call.clone()).await;
        agreed(&answers, self.config.agree, |_| Ok(()))
    }

    async fn evaluated<T>(&self, function: &str, argument: &str) -> Result<T, CallError>
    where
        T: DeserializeOwned + Clone + PartialEq,
    {
        let call = ChaincodeCall::new(&self.config.chaincode, &[function, argument]);
        let answers = self.ask(call).await;
        agreed(&answers, self.config.agree, parsed)
    }

    /// How the client stands.
    pub async fn status(&self) -> Result<ClientStatus, CallError> {
        self.evaluated("GetStatus", "{}").await
    }

    /// The checkpoint that was accepted for a height, and the number of the set that signed it.
    pub(super) async fn accepted(&self, height: u64) -> Result<(Checkpoint, u64), CallError> {
        let argument = json!({ "height": height }).to_string();
        let found: AcceptedCheckpoint = self.evaluated("GetCheckpoint", &argument).await?;
        let checkpoint = found.decode().map_err(CallError::Declined)?;
        Ok((checkpoint, found.set_id))
    }

    /// Whether a leaf was anchored.
    pub(super) async fn has_leaf(&self, index: u64) -> Result<bool, CallError> {
        let argument = json!({ "index": index }).to_string();
        match self.evaluated::<Value>("GetAnchor", &argument).await {
            Ok(_) => Ok(true),
            Err(CallError::Chaincode { code, .. }) if code == "LeafNotAnchored" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Who the channel says answers for the relayer's certificate.
    pub async fn relayer(&self) -> Result<Option<NamedRelayer>, CallError> {
        let certificate = hex::encode_prefixed(self.member.identity.certificate());
        let argument = json!({
            "mspId": self.member.identity.msp_id(),
            "certificateSha256": certificate,
        });
        let found = self.evaluated("GetRelayer", &argument.to_string()).await;
        match found {
            Ok(found) => Ok(Some(found)),
            Err(CallError::Chaincode { code, .. }) if code == "RelayerUnknown" => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn ledger(&self, function: &str, argument: &[&str]) -> ChaincodeCall {
        let mut args = vec![function, self.config.channel.as_str()];
        args.extend(argument);
        ChaincodeCall::new(LEDGER, &args)
    }

    /// The newest block.
    pub async fn newest(&self) -> Result<TargetBlock, CallError> {
        let answers = self.ask(self.ledger("GetChainInfo", &[])).await;
        let read = |bytes: &[u8]| {
            let info = BlockchainInfo::decode(bytes).map_err(|error| error.to_string())?;
            let number = info.height.checked_sub(1).ok_or("the ledger is empty")?;
            let hash = B256::try_from(&info.current_block_hash[..]);
            let hash = hash.map_err(|_| "the newest block has no hash")?;
            Ok((number, hash))
        };
        let (number, hash) = agreed(&answers, self.config.agree, read)?;
        Ok(TargetBlock {
            number,
            hash,
            time: (self.clock)() / 1_000,
        })
    }

    async fn block(&self, number: u64) -> Vec<Result<ChannelBlock, CallError>> {
        let text = number.to_string();
        let answers = self.ask(self.ledger("GetBlockByNumber", &[&text])).await;
        let read = |answer: Evaluated| ChannelBlock::parse(&answer?).map_err(CallError::Declined);
        answers.into_iter().map(read).collect()
    }

    /// Hash of a block.
    pub async fn block_hash(&self, number: u64) -> Result<B256, CallError> {
        let blocks = self.block(number).await;
        self.agree_on(&blocks, |block| Ok(block.hash))
    }

    fn agree_on<T: Clone + PartialEq>(
        &self,
        blocks: &[Result<ChannelBlock, CallError>],
        read: impl Fn(&ChannelBlock) -> Result<T, String>,
    ) -> Result<T, CallError> {
        // As answers that are their own positions, so that there is one way to agree.
        let positions = blocks.iter().enumerate();
        let answers: Vec<Evaluated> = positions
            .map(|(at, block)| match block {
                Ok(_) => Ok(at.to_be_bytes().to_vec()),
                Err(error) => Err(error.clone()),
            })
            .collect();
        agreed(&answers, self.config.agree, |at| {
            let at = at.try_into().map(usize::from_be_bytes);
            let block = at.ok().and_then(|at| blocks.get(at)?.as_ref().ok());
            read(block.ok_or("no block")?)
        })
    }

    /// A transaction in a block that is said to have it.
    pub(super) async fn in_block(&mut self, id: B256, number: u64) -> Result<Found, CallError> {
        if !self.blocks.contains_key(&number) {
            let blocks = self.block(number).await;
            if self.blocks.len() >= CHANNEL_BLOCKS_KEPT_MAX {
                self.blocks.pop_first();
            }
            self.blocks.insert(number, blocks);
        }
        let blocks = self.blocks.get(&number).map_or(&[][..], Vec::as_slice);
        let found = self.agree_on(blocks, |block| {
            let (envelope, code) = block
                .find(id)
                .ok_or_else(|| format!("block {number} has no transaction {}", id_text(id)))?;
            Ok(Found {
                block: block.number,
                block_hash: block.hash,
                code,
                envelope,
            })
        });
        if found.is_err() {
            // A peer that lags has it a moment later.
            self.blocks.remove(&number);
        }
        found
    }

    /// A transaction in whatever block has it, if one does.
    pub(super) async fn anywhere(&self, id: B256) -> Result<Option<Found>, CallError> {
        let text = id_text(id);
        let answers = self.ask(self.ledger("GetTransactionByID", &[&text])).await;
        let read = |bytes: &[u8]| {
            let found = ProcessedTransaction::decode(bytes).map_err(|error| error.to_string())?;
            let envelope = found.transaction_envelope.ok_or("no envelope")?;
            Ok((envelope, found.validation_code))
        };
        match agreed(&answers, self.config.agree, read) {
            Ok(_) => {}
            // In Fabric's words, by whichever part of the peer it says them.
            Err(CallError::Chaincode { detail, .. }) if is_unknown(&detail) => return Ok(None),
            Err(CallError::Apart { problem, .. }) if is_unknown(&problem) => return Ok(None),
            Err(error) => return Err(error),
        }
        let answers = self.ask(self.ledger("GetBlockByTxID", &[&text])).await;
        let read = |bytes: &[u8]| {
            let block = ChannelBlock::parse(bytes)?;
            let (envelope, code) = block.find(id).ok_or("the block does not have it")?;
            Ok(Found {
                block: block.number,
                block_hash: block.hash,
                code,
                envelope,
            })
        };
        agreed(&answers, self.config.agree, read).map(Some)
    }

    /// A signed question after a transaction's fate.
    pub(super) fn fate_of(&self, id: B256) -> SignedRequest {
        let request = CommitStatusRequest {
            transaction_id: id_text(id),
            channel_id: self.config.channel.clone(),
            identity: self.member.identity.creator().to_vec(),
        };
        let request = request.encode_to_vec();
        SignedRequest {
            signature: self.member.identity.sign(&request),
            request,
        }
    }
}

fn is_unknown(said: &str) -> bool {
    said.contains("no such transaction ID")
}
