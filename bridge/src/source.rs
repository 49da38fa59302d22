//! The TBSI network that proofs come from. Its nodes are asked and not believed: whatever they
//! say is verified with `tbsi-light` from the genesis file on, and the leaves that they show
//! must be those under the log root that a quorum signed. A node can hide and delay, no more.

mod leaves;
mod sets;
mod tiles;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, Bytes};
use futures::future::join_all;
use serde_json::json;
use tbsi_bindings::Addressed;
use tbsi_bindings::genesis::Organisations::namesOfCall;
use tbsi_bindings::genesis::Permissions::{accountOfCall, periodEndCall, quotaOfCall, usageOfCall};
use tbsi_light::{TrustAnchor, VerifiedDecision, verify_decision};
use tbsi_rpc::{Client, ClientError, Http, LocalNode};
use tbsi_types::log::{Frontier, InclusionProof, MultiProof};
use tbsi_types::{
    ChainIdentity, Checkpoint, CommitCertificate, Decision, Genesis, Handover, Height, LeafIndex,
    NamedValidators,
};
use tokio::time::timeout;

use crate::limits::ANSWER_MS_MAX;
use crate::standing::{Quota, RegistryEntry};
use tiles::Tiles;

/// Why the source cannot be read, or is not believed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No endpoint, or too few, answered.
    #[error("{agreed} of {needed} source endpoints answered alike: {problem}")]
    Unavailable {
        /// Endpoints that gave the same answer.
        agreed: usize,
        /// That are needed.
        needed: usize,
        /// What one of them said.
        problem: String,
    },
    /// A node of another network.
    #[error("{url} is a node of another network: {problem}")]
    OtherNetwork {
        /// The node.
        url: String,
        /// What differs.
        problem: String,
    },
    /// An answer that proves nothing.
    #[error("{url} is not believed: {problem}")]
    NotProven {
        /// The node.
        url: String,
        /// Why not.
        problem: String,
    },
    /// Not an address that can be asked.
    #[error("source.rpc: {0}")]
    Address(ClientError),
    /// The genesis file.
    #[error("genesis file: {0}")]
    Genesis(String),
}

/// A checkpoint that was verified, and the way from genesis to it.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The checkpoint and its certificate.
    pub decision: Decision,
    /// The set that decided it.
    pub validators: NamedValidators,
    /// Who signed.
    pub verified: VerifiedDecision,
}

/// A leaf and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLeaf {
    /// Position in the log.
    pub index: LeafIndex,
    /// Canonical bytes.
    pub bytes: Vec<u8>,
}

/// A leaf of a checkpoint with a proof of its own.
#[derive(Clone, Debug)]
pub struct ProvenLeaf {
    /// The leaf.
    pub leaf: FoundLeaf,
    /// From it to the checkpoint's log root.
    pub path: InclusionProof,
}

/// Leaves of one checkpoint with their proof.
#[derive(Clone, Debug)]
pub struct ProvenLeaves {
    /// In the order of the log.
    pub leaves: Vec<FoundLeaf>,
    /// From each to the checkpoint's log root.
    pub paths: Vec<InclusionProof>,
    /// One proof for all.
    pub proof: MultiProof,
}

/// The leaves of a bundle of entries.
type Leaves = Arc<Vec<Vec<u8>>>;

struct Endpoint {
    rpc: Client,
}

/// The network, as its nodes show it.
pub struct Source {
    endpoints: Vec<Endpoint>,
    agree: usize,
    chain: ChainIdentity,
    genesis: TrustAnchor,
    genesis_set: NamedValidators,
    handovers: Vec<Handover>,
    /// The set after each of `handovers`.
    sets: Vec<NamedValidators>,
    /// What is trusted after each of `handovers`.
    anchors: Vec<TrustAnchor>,
    tiles: Tiles,
    /// Bundles of entries, by position and width.
    bundles: BTreeMap<(u64, u16), Leaves>,
    /// The log up to what was scanned.
    frontier: Option<Frontier>,
    /// Contradictions that were seen since the last time somebody asked.
    alarms: Vec<String>,
}

impl Source {
    /// The network that `genesis` founds, at these addresses.
    pub fn new(
        genesis: &Genesis,
        http: &Http,
        urls: &[String],
        agree: usize,
    ) -> Result<Self, SourceError> {
        let endpoint = |url: &String| {
            let rpc = Client::through(http, url).map_err(SourceError::Address)?;
            Ok(Endpoint { rpc })
        };
        let endpoints = urls.iter().map(endpoint).collect::<Result<_, _>>()?;
        Self::of(genesis, endpoints, agree)
    }

    /// The same, of nodes in this process: simulation's.
    #[doc(hidden)]
    pub fn local(
        genesis: &Genesis,
        nodes: Vec<Arc<dyn LocalNode>>,
        agree: usize,
    ) -> Result<Self, SourceError> {
        let endpoint = |(number, node): (usize, Arc<dyn LocalNode>)| {
            let url = format!("http://node-{number}");
            let rpc = Client::local(&url, node);
            Endpoint { rpc }
        };
        let endpoints = nodes.into_iter().enumerate().map(endpoint).collect();
        Self::of(genesis, endpoints, agree)
    }

    fn of(genesis: &Genesis, endpoints: Vec<Endpoint>, agree: usize) -> Result<Self, SourceError> {
        let fail = |error: &dyn std::fmt::Display| SourceError::Genesis(error.to_string());
        Ok(Self {
            endpoints,
            agree,
            chain: genesis.identity(),
            genesis: TrustAnchor::genesis(genesis).map_err(|error| fail(&error))?,
            genesis_set: NamedValidators::of_genesis(genesis).map_err(|error| fail(&error))?,
            handovers: Vec::new(),
            sets: Vec::new(),
            anchors: Vec::new(),
            tiles: Tiles::default(),
            bundles: BTreeMap::new(),
            frontier: None,
            alarms: Vec::new(),
        })
    }

    /// Chain id and genesis hash.
    pub fn chain(&self) -> ChainIdentity {
        self.chain
    }

    /// What is trusted beforehand.
    pub fn genesis(&self) -> &TrustAnchor {
        &self.genesis
    }

    /// What nodes were found to contradict, since the last call.
    pub fn take_alarms(&mut self) -> Vec<String> {
        std::mem::take(&mut self.alarms)
    }

    /// Any endpoint, for what a lie about does no harm.
    pub fn any(&self) -> &Client {
        &self.endpoints[0].rpc
    }

    /// What the registry says of an account, as far as one endpoint tells; `None` without one.
    pub async fn standing(&self, account: Address) -> Option<RegistryEntry> {
        let found = self.ask(&accountOfCall { account }).await?;
        let organisation = found.organisation;
        if organisation == 0 {
            return Some(RegistryEntry::of(&found, None));
        }
        let call = namesOfCall { organisation };
        let names = self.ask(&call).await?;
        Some(RegistryEntry::of(&found, Some(names)))
    }

    /// How many leaves the account's organisation may still make, as far as one endpoint tells.
    pub async fn quota(&self, account: Address) -> Option<Quota> {
        let found = self.ask(&accountOfCall { account }).await?;
        let organisation = found.organisation;
        let limit = self.ask(&quotaOfCall { organisation }).await?;
        let used = self.ask(&usageOfCall { organisation }).await?;
        let ends = self.ask(&periodEndCall {}).await?;
        Some(Quota {
            organisation,
            used: used.leaves,
            limit: limit.leaves,
            ends: u64::try_from(ends).unwrap_or(u64::MAX),
        })
    }

    /// A view of a contract, as one endpoint tells it: for what a lie about does no harm.
    async fn ask<C: Addressed>(&self, call: &C) -> Option<C::Return> {
        let request = json!({ "to": C::ADDRESS, "data": Bytes::from(call.abi_encode()) });
        let params = [request, json!("latest")];
        let answer = within(self.any().request::<Bytes>("eth_call", &params));
        C::abi_decode_returns(&answer.await.ok()?).ok()
    }

    /// Asks every endpoint which network it is of. Those that do not answer are passed over,
    /// if there are enough others.
    pub async fn check(&self) -> Result<(), SourceError> {
        let asked = self.endpoints.iter().map(|one| within(one.rpc.status()));
        let mut alike = 0;
        let mut problem = String::new();
        for (endpoint, status) in self.endpoints.iter().zip(join_all(asked).await) {
            match status {
                Err(error) => problem = error,
                Ok(status) => {
                    let got = (status.chain_id, status.genesis_hash);
                    let expected = (self.chain.chain_id, self.chain.genesis_hash);
                    if got != expected {
                        return Err(SourceError::OtherNetwork {
                            url: endpoint.rpc.url().into(),
                            problem: format!(
                                "chain id and genesis hash are {got:?}, not {expected:?}"
                            ),
                        });
                    }
                    alike += 1;
                }
            }
        }
        self.enough(alike, problem)
    }

    fn enough(&self, agreed: usize, problem: String) -> Result<(), SourceError> {
        let needed = self.agree;
        if agreed >= needed {
            return Ok(());
        }
        Err(SourceError::Unavailable {
            agreed,
            needed,
            problem,
        })
    }

    /// The newest checkpoint that enough endpoints show, verified.
    pub async fn tip(&mut self) -> Result<Proven, SourceError> {
        let asked = self
            .endpoints
            .iter()
            .map(|one| within(one.rpc.block_number()));
        let mut heights = Vec::new();
        let mut problem = String::new();
        for answer in join_all(asked).await {
            match answer {
                Ok(height) => heights.push(height),
                Err(error) => problem = error,
            }
        }
        self.enough(heights.len(), problem)?;
        heights.sort_unstable_by(|one, other| other.cmp(one));
        self.at(heights[self.agree - 1]).await
    }

    /// The checkpoint of a height, if enough endpoints show it, verified.
    pub async fn at(&mut self, height: Height) -> Result<Proven, SourceError> {
        let tag = BlockNumberOrTag::Number(height.0);
        let asked = self
            .endpoints
            .iter()
            .map(|one| within(one.rpc.checkpoint(tag)));
        let answers = join_all(asked).await;
        let mut groups: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
        let mut problem = format!("no checkpoint of height {height}");
        for (index, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(Some(shown)) => groups
                    .entry(shown.encoded.to_vec())
                    .or_default()
                    .push(index),
                Ok(None) => {}
                Err(error) => problem = error,
            }
        }
        let mut proven = Vec::new();
        let count = groups.len();
        for (bytes, shown_by) in groups {
            match self.prove(&bytes, shown_by[0]).await {
                Ok(checkpoint) => proven.push((shown_by.len(), checkpoint)),
                Err(error @ SourceError::NotProven { .. }) => {
                    problem = error.to_string();
                    self.alarms.push(error.to_string());
                }
                Err(error) => problem = error.to_string(),
            }
        }
        if proven.len() > 1 {
            self.alarms.push(format!(
                "height {height} has {} checkpoints with valid certificates: the validators \
                 have equivocated; `tbsi relay evidence` tells what to do",
                proven.len()
            ));
            let url = "the network".into();
            let problem = format!("two valid checkpoints of height {height}");
            return Err(SourceError::NotProven { url, problem });
        }
        if count > 1 {
            let shown = format!("height {height}: {count} different checkpoints are shown");
            self.alarms.push(shown);
        }
        match proven.pop() {
            Some((shown_by, checkpoint)) if shown_by >= self.agree => Ok(checkpoint),
            Some((agreed, _)) => Err(SourceError::Unavailable {
                agreed,
                needed: self.agree,
                problem,
            }),
            None => Err(SourceError::Unavailable {
                agreed: 0,
                needed: self.agree,
                problem,
            }),
        }
    }

    /// All that two endpoints show of one height, as far as it is validly signed: more than one
    /// is a conflict.
    pub async fn all_at(&mut self, height: Height) -> Result<Vec<Proven>, SourceError> {
        let tag = BlockNumberOrTag::Number(height.0);
        let mut all: Vec<Proven> = Vec::new();
        for index in 0..self.endpoints.len() {
            let asked = within(self.endpoints[index].rpc.checkpoint(tag)).await;
            let Ok(Some(shown)) = asked else { continue };
            if let Ok(proven) = self.prove(&shown.encoded, index).await
                && !all
                    .iter()
                    .any(|known| known.verified.digest == proven.verified.digest)
            {
                all.push(proven);
            }
        }
        Ok(all)
    }

    /// Verifies checkpoint bytes with the certificate and the names that an endpoint has.
    async fn prove(&mut self, bytes: &[u8], endpoint: usize) -> Result<Proven, SourceError> {
        let url = self.endpoints[endpoint].rpc.url().to_owned();
        let lie = |problem: String| SourceError::NotProven {
            url: url.clone(),
            problem,
        };
        let checkpoint = Checkpoint::decode(bytes).map_err(|error| lie(error.to_string()))?;
        let tag = BlockNumberOrTag::Number(checkpoint.height.0);
        let rpc = &self.endpoints[endpoint].rpc;
        let certificate = within(rpc.certificate(tag)).await.map_err(unavailable)?;
        let certificate = certificate.ok_or_else(|| lie("no certificate".into()))?;
        let certificate = CommitCertificate::decode(&certificate.encoded)
            .map_err(|error| lie(error.to_string()))?;
        let decision = Decision {
            checkpoint,
            certificate,
        };
        self.follow(endpoint, checkpoint.height).await?;
        let known = self.set_at(checkpoint.height);
        let validators = if known.hash() == checkpoint.validator_set_hash {
            known.clone()
        } else {
            return Err(lie(format!(
                "height {} is of a validator set to which no handover is known",
                checkpoint.height
            )));
        };
        let anchor = self.anchor_at(checkpoint.height);
        let proven = verify_decision(&decision, &validators, &[], anchor);
        let (_, verified) = proven.map_err(|error| lie(causes(&error)))?;
        Ok(Proven {
            decision,
            validators,
            verified,
        })
    }
}

fn unavailable(problem: impl ToString) -> SourceError {
    SourceError::Unavailable {
        agreed: 0,
        needed: 1,
        problem: problem.to_string(),
    }
}

fn answer_limit() -> Duration {
    Duration::from_millis(ANSWER_MS_MAX)
}

async fn within<T>(call: impl Future<Output = Result<T, ClientError>>) -> Result<T, String> {
    match timeout(answer_limit(), call).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer in {ANSWER_MS_MAX} ms")),
    }
}

/// An error and its causes in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
