//! The TBSI network that proofs come from. Its nodes are asked and not believed: whatever they
//! say is verified with `tbsi-light` from the genesis file on, and the leaves that they show
//! must be those under the log root that a quorum signed. A node can hide and delay, no more.

mod http;
mod tiles;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::B256;
use futures::future::join_all;
use tbsi_light::{
    TrustAnchor, VerifiedDecision, VerifyBundleError, verify_bundle, verify_decision,
};
use tbsi_rpc::{Client, ClientError, wire};
use tbsi_types::log::proof::{InclusionProof, MakeProofError, NodeReader};
use tbsi_types::log::tile::{ENTRY_BUNDLE_BYTES_MAX, TILE_BYTES_MAX, entries};
use tbsi_types::log::{EntryBundle, Frontier, MultiProof, Node, TileReader, leaf_hash};
use tbsi_types::{
    ChainIdentity, Checkpoint, CommitCertificate, Decision, Genesis, Handover, Height, LeafIndex,
    NamedValidator, NamedValidators, ProofBundle, TreeSize,
};
use tokio::time::timeout;

use crate::limits::{ANSWER_MS_MAX, BUNDLES_KEPT_MAX, TILES_PER_PROOF_MAX};
use http::Files;
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

/// Leaves of one checkpoint with their proof.
#[derive(Clone, Debug)]
pub struct ProvenLeaves {
    /// In the order of the log.
    pub leaves: Vec<FoundLeaf>,
    /// One proof for all.
    pub proof: MultiProof,
}

/// The leaves of a bundle of entries.
type Leaves = Arc<Vec<Vec<u8>>>;

struct Endpoint {
    rpc: Client,
    files: Files,
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
    pub fn new(genesis: &Genesis, urls: &[String], agree: usize) -> Result<Self, SourceError> {
        let fail = |error: &dyn std::fmt::Display| SourceError::Genesis(error.to_string());
        let endpoint = |url: &String| {
            let rpc = Client::new(url).map_err(|error| fail(&error))?;
            let files = Files::new(url);
            Ok(Endpoint { rpc, files })
        };
        Ok(Self {
            endpoints: urls.iter().map(endpoint).collect::<Result<_, _>>()?,
            agree,
            chain: genesis.identity(),
            genesis: TrustAnchor::genesis(genesis).map_err(|error| fail(&error))?,
            genesis_set: NamedValidators::of_genesis(genesis).map_err(|error| fail(&error))?,
            handovers: Vec::new(),
            sets: Vec::new(),
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
        let before = self.handovers_before(checkpoint.height);
        let proven = verify_decision(&decision, &validators, before, &self.genesis);
        let (_, verified) = proven.map_err(|error| lie(causes(&error)))?;
        Ok(Proven {
            decision,
            validators,
            verified,
        })
    }

    /// Learns handovers up to `height` from an endpoint, each verified.
    async fn follow(&mut self, endpoint: usize, height: Height) -> Result<(), SourceError> {
        let from = self
            .handovers
            .last()
            .map(|last| last.first.checkpoint.height);
        let from = from.unwrap_or(Height(0));
        if from >= height {
            return Ok(());
        }
        let rpc = self.endpoints[endpoint].rpc.clone();
        let more = match timeout(answer_limit(), rpc.handovers(from)).await {
            Ok(Ok(more)) => more,
            // A node of an earlier version: its validator set never changes.
            Ok(Err(ClientError::Refused { code: -32_601, .. })) => return Ok(()),
            Ok(Err(error)) => return Err(unavailable(error.to_string())),
            Err(_) => return Err(unavailable("no answer")),
        };
        let lie = |problem: String| SourceError::NotProven {
            url: rpc.url().into(),
            problem,
        };
        for handover in more {
            let known = self.sets.last().unwrap_or(&self.genesis_set);
            let first = handover.first.checkpoint.height;
            if first.0 <= from.0 || first > height {
                continue;
            }
            if handover.validators.hash() != known.hash() {
                return Err(lie(format!(
                    "the handover at height {first} leaves one out"
                )));
            }
            let next = self.named_set(endpoint, first).await?;
            let mut all = self.handovers.clone();
            all.push(handover.clone());
            let decision = &handover.first;
            verify_decision(decision, &next, &all, &self.genesis)
                .map_err(|error| lie(causes(&error)))?;
            self.handovers.push(handover);
            self.sets.push(next);
        }
        Ok(())
    }

    /// The names of a height's validators, as an endpoint has them; their hash is checked by
    /// whoever uses them.
    async fn named_set(
        &self,
        endpoint: usize,
        height: Height,
    ) -> Result<NamedValidators, SourceError> {
        let rpc = &self.endpoints[endpoint].rpc;
        let tag = BlockNumberOrTag::Number(height.0);
        let set = within(rpc.validators(tag)).await.map_err(unavailable)?;
        let lie = |problem: String| SourceError::NotProven {
            url: rpc.url().into(),
            problem,
        };
        let set = set.ok_or_else(|| lie(format!("no validators of height {height}")))?;
        let named = |validator: wire::Validator| NamedValidator {
            address: validator.address,
            power: validator.power,
            name_zh_tw: validator.organisation.name_zh_tw,
            name_en: validator.organisation.name_en,
        };
        let validators = set.validators.into_iter().map(named).collect();
        NamedValidators::new(validators).map_err(|error| lie(error.to_string()))
    }

    /// How many of the known handovers lie before a height.
    fn handovers_before(&self, height: Height) -> &[Handover] {
        let before = self
            .handovers
            .partition_point(|handover| handover.first.checkpoint.height <= height);
        &self.handovers[..before]
    }

    /// The set that decides a height, as far as handovers are known.
    pub fn set_at(&self, height: Height) -> &NamedValidators {
        match self.handovers_before(height).len() {
            0 => &self.genesis_set,
            count => &self.sets[count - 1],
        }
    }

    /// Handovers, each with its new set, from the set with the hash `from` on, up to a height.
    pub fn handovers_from(&self, from: B256, height: Height) -> Vec<(Handover, NamedValidators)> {
        let known = self.handovers_before(height).iter().zip(&self.sets);
        known
            .skip_while(|(handover, _)| handover.validators.hash() != from)
            .map(|(handover, set)| (handover.clone(), set.clone()))
            .collect()
    }

    /// The leaves after `scanned` that `select` wants, up to the end of `tip`'s log; all of them
    /// together, also those that it does not want, lead to the tip's log root.
    pub async fn scan(
        &mut self,
        scanned: TreeSize,
        tip: &Proven,
        select: impl Fn(&FoundLeaf) -> bool,
    ) -> Result<Vec<FoundLeaf>, SourceError> {
        let checkpoint = &tip.decision.checkpoint;
        let size = checkpoint.log_size;
        if scanned.0 >= size.0 {
            return Ok(Vec::new());
        }
        let mut frontier = self.frontier_at(scanned, size).await?;
        let mut leaves = Vec::new();
        for bundle in EntryBundle::changed(scanned, size) {
            for (offset, bytes) in (0..).zip(self.bundle(bundle).await?.iter()) {
                let index = bundle.index * 256 + offset;
                if index >= scanned.0 {
                    frontier.append(leaf_hash(bytes), |_, _| ());
                    let index = LeafIndex(index);
                    let bytes = bytes.clone();
                    let leaf = FoundLeaf { index, bytes };
                    if select(&leaf) {
                        leaves.push(leaf);
                    }
                }
            }
        }
        if frontier.root() != checkpoint.log_root {
            self.forget();
            let problem = format!(
                "the leaves {scanned} to {size} are not those of the log root at height {}",
                checkpoint.height
            );
            self.alarms.push(problem.clone());
            let url = "a source endpoint".into();
            return Err(SourceError::NotProven { url, problem });
        }
        self.frontier = Some(frontier);
        Ok(leaves)
    }

    /// Forgets what may be wrong, and asks another endpoint first from now on.
    fn forget(&mut self) {
        self.tiles.clear();
        self.bundles.clear();
        self.frontier = None;
        self.endpoints.rotate_left(1);
    }

    async fn frontier_at(&mut self, at: TreeSize, size: TreeSize) -> Result<Frontier, SourceError> {
        if at.0 == 0 {
            return Ok(Frontier::default());
        }
        if let Some(known) = self.frontier.as_ref().filter(|known| known.size() == at) {
            return Ok(known.clone());
        }
        let hashes = self
            .with_tiles(size, |reader| {
                let mut bytes = at.0.to_be_bytes().to_vec();
                let mut end = at.0;
                let mut nodes = Vec::new();
                while end > 0 {
                    let level = u8::try_from(end.trailing_zeros()).expect("a u64 has 64 bits");
                    let index = (end >> level) - 1;
                    nodes.push(Node { level, index });
                    end &= end - 1;
                }
                for node in nodes.into_iter().rev() {
                    let hash = reader.read(node);
                    bytes.extend_from_slice(hash.map_err(|error| error.to_string())?.as_slice());
                }
                Ok(bytes)
            })
            .await?;
        Frontier::decode(&hashes).map_err(|error| unavailable(error.to_string()))
    }

    /// One leaf of the log of `size` leaves, not verified.
    async fn leaf(&mut self, index: LeafIndex, size: TreeSize) -> Result<FoundLeaf, SourceError> {
        let outside = || unavailable(format!("leaf {index} is outside a log of {size}"));
        let bundle = EntryBundle::of_leaf(index, size).ok_or_else(outside)?;
        let offset = usize::try_from(index.0 % 256).expect("below 256");
        let bytes = self.bundle(bundle).await?[offset].clone();
        Ok(FoundLeaf { index, bytes })
    }

    async fn bundle(&mut self, bundle: EntryBundle) -> Result<Leaves, SourceError> {
        let key = (bundle.index, bundle.width);
        if let Some(known) = self.bundles.get(&key) {
            return Ok(known.clone());
        }
        let path = format!("log/{}", bundle.path());
        let mut problem = String::new();
        for endpoint in &mut self.endpoints {
            match endpoint.files.get(&path, ENTRY_BUNDLE_BYTES_MAX).await {
                Ok(bytes) => match entries(&bytes, bundle.width) {
                    Ok(leaves) => {
                        let leaves = leaves.into_iter().map(<[u8]>::to_vec);
                        let leaves = Arc::new(leaves.collect::<Vec<_>>());
                        if self.bundles.len() >= BUNDLES_KEPT_MAX {
                            self.bundles.clear();
                        }
                        self.bundles.insert(key, Arc::clone(&leaves));
                        return Ok(leaves);
                    }
                    Err(error) => problem = error.to_string(),
                },
                Err(error) => problem = error,
            }
        }
        Err(unavailable(problem))
    }

    /// Proofs of leaves under one checkpoint, each verified as the bundle that it is part of.
    pub async fn prove_leaves(
        &mut self,
        indexes: &[LeafIndex],
        tip: &Proven,
    ) -> Result<ProvenLeaves, SourceError> {
        let size = tip.decision.checkpoint.log_size;
        let mut leaves = Vec::with_capacity(indexes.len());
        for index in indexes {
            leaves.push(self.leaf(*index, size).await?);
        }
        let wanted = indexes.to_vec();
        let (paths, proof) = self
            .with_tiles(size, move |reader| {
                let path = |index: &LeafIndex| InclusionProof::make(reader, *index, size);
                let paths: Result<Vec<_>, _> = wanted.iter().map(path).collect();
                let paths = paths.map_err(|error| make_error(&error))?;
                let proof = MultiProof::make(reader, &wanted, size);
                Ok((paths, proof.map_err(|error| make_error(&error))?))
            })
            .await?;
        for (leaf, path) in leaves.iter().zip(paths) {
            if let Err(error) = self.verify(leaf, path, tip) {
                self.forget();
                let problem = format!("leaf {}: {}", leaf.index, causes(&error));
                self.alarms.push(problem.clone());
                let url = "a source endpoint".into();
                return Err(SourceError::NotProven { url, problem });
            }
        }
        Ok(ProvenLeaves { leaves, proof })
    }

    fn verify(
        &self,
        leaf: &FoundLeaf,
        inclusion: InclusionProof,
        tip: &Proven,
    ) -> Result<(), VerifyBundleError> {
        let bundle = ProofBundle {
            genesis_hash: self.chain.genesis_hash,
            leaf: leaf.bytes.clone(),
            leaf_index: leaf.index,
            inclusion,
            decision: tip.decision.clone(),
            validators: tip.validators.clone(),
            handovers: self
                .handovers_before(tip.decision.checkpoint.height)
                .to_vec(),
        };
        verify_bundle(&bundle, &self.genesis).map(|_| ())
    }

    /// Does something with tiles, fetching those that it asks for.
    async fn with_tiles<T>(
        &mut self,
        size: TreeSize,
        make: impl Fn(&TileReader<'_, Tiles>) -> Result<T, String>,
    ) -> Result<T, SourceError> {
        let mut fetched = 0;
        loop {
            let made = make(&TileReader::new(&self.tiles, size));
            let missing = self.tiles.take_missing();
            match made {
                Ok(made) => return Ok(made),
                Err(problem) if missing.is_empty() => return Err(unavailable(problem)),
                Err(_) => {}
            }
            for tile in missing {
                fetched += 1;
                if fetched > TILES_PER_PROOF_MAX {
                    return Err(unavailable("a proof asks for too many tiles"));
                }
                let bytes = self.fetch_tile(&tile.path()).await?;
                self.tiles.keep(tile, bytes);
            }
        }
    }

    async fn fetch_tile(&mut self, path: &str) -> Result<Vec<u8>, SourceError> {
        let path = format!("log/{path}");
        let mut problem = String::new();
        for endpoint in &mut self.endpoints {
            match endpoint.files.get(&path, TILE_BYTES_MAX).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => problem = error,
            }
        }
        Err(unavailable(problem))
    }
}

fn make_error<E: std::error::Error + Send + Sync + 'static>(error: &MakeProofError<E>) -> String {
    causes(error)
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
