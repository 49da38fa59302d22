//! Acts of an authorisation, as a node has them: to be verified.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Deserialize;
use serde_json::json;
use tbsi_rpc::wire::LeafSelector;
use tbsi_rpc::{Client, LogReader};
use tbsi_types::authorisation::{AuthorisationEvent, TermsInForce};
use tbsi_types::bundle::{ActText, PlacedAct};
use tbsi_types::contracts::AUTHORISATIONS;
use tbsi_types::log::leaf::body_hash;
use tbsi_types::log::{InclusionProof, Leaf, Statement, Tile, TileReader, TileSource};
use tbsi_types::{Height, LeafIndex, TreeSize};

use crate::lang::{SayContext, demand, said};
use crate::proof;

/// Leaves of one transaction that are looked through.
const LEAVES_MAX: u64 = 1_000;
/// Tiles that one proof needs: two for each level, and as many to be sure.
const TILES_MAX: usize = 32;
/// Bytes of a full tile.
const TILE_BYTES_MAX: usize = 256 * 32;

/// An event of the contract, and which transaction made it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Logged {
    topics: Vec<B256>,
    data: Bytes,
    transaction_hash: B256,
}

impl Logged {
    fn parts(&self) -> Option<(B256, &[B256])> {
        let (event, topics) = self.topics.split_first()?;
        Some((*event, topics))
    }

    /// What it says; `None` if it is nothing of this contract.
    pub(super) fn read(&self) -> Option<AuthorisationEvent> {
        let (event, topics) = self.parts()?;
        AuthorisationEvent::decode(event, topics, &self.data)
    }

    pub(super) fn text(&self) -> ActText {
        let topics = self.parts().map(|(_, topics)| topics.to_vec());
        ActText {
            topics: topics.unwrap_or_default(),
            data: self.data.clone(),
        }
    }
}

/// The acts of an authorisation in blocks from one height to another, in order.
pub(super) async fn logged(
    client: &Client,
    number: u32,
    events: &[B256],
    (from, to): (u64, u64),
) -> anyhow::Result<Vec<Logged>> {
    let filter = json!({
        "fromBlock": U64::from(from),
        "toBlock": U64::from(to),
        "address": AUTHORISATIONS,
        "topics": [events, B256::from(U256::from(number))],
    });
    Ok(client.request("eth_getLogs", &[filter]).await?)
}

/// The leaf that an event made, and where it is.
pub(super) async fn leaf_of(
    client: &Client,
    logged: &Logged,
) -> anyhow::Result<(LeafIndex, Leaf, Vec<u8>)> {
    let (event, topics) = logged.parts().unwrap_or_default();
    let hash = body_hash(topics, &logged.data);
    let transaction = logged.transaction_hash;
    if let Some(range) = client.leaves_of(transaction).await? {
        for index in range.first.0..range.first.0 + range.count.min(LEAVES_MAX) {
            let index = LeafIndex(index);
            let (leaf, bytes) = leaf_at(client, index).await?;
            let is_it = leaf.head.issuer == AUTHORISATIONS
                && matches!(leaf.statement, Statement::GovernanceAct { event: e, body_hash }
                    if e == event && body_hash == hash);
            if is_it {
                return Ok((index, leaf, bytes));
            }
        }
    }
    let url = client.url();
    Err(said(
        format!("{url} has no leaf of what transaction {transaction} did"),
        format!("{url} 沒有交易 {transaction} 的紀錄"),
    ))
}

/// A leaf by its place.
pub(super) async fn leaf_at(client: &Client, index: LeafIndex) -> anyhow::Result<(Leaf, Vec<u8>)> {
    let json = client.proof(&LeafSelector::Index(index)).await?;
    let url = client.url();
    let json = json.ok_or_else(|| {
        said(
            format!("{url} has no leaf {index}"),
            format!("{url} 沒有第 {index} 筆紀錄"),
        )
    })?;
    let file = proof::parse_any(json.get().as_bytes()).or_say(|| {
        (
            format!("{url}: proof of leaf {index}"),
            format!("{url}：第 {index} 筆紀錄的證明"),
        )
    })?;
    let leaf = Leaf::decode(&file.bundle.leaf)?;
    Ok((leaf, file.bundle.leaf))
}

/// Acts that get their places in the log of one size.
pub(super) struct Places<'a> {
    client: &'a Client,
    size: TreeSize,
    log: LogReader,
    tiles: Tiles,
}

/// Tiles that were fetched; what is missing is noted.
#[derive(Default)]
struct Tiles {
    kept: BTreeMap<Tile, Vec<u8>>,
    missing: RefCell<Option<Tile>>,
}

#[derive(Debug)]
struct Missing(Tile);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile {} is not here yet", self.0)
    }
}

impl Error for Missing {}

impl TileSource for Tiles {
    type Error = Missing;

    fn tile(&self, tile: Tile) -> Result<Vec<u8>, Missing> {
        self.kept.get(&tile).cloned().ok_or_else(|| {
            self.missing.replace(Some(tile));
            Missing(tile)
        })
    }
}

impl<'a> Places<'a> {
    pub(super) fn new(client: &'a Client, size: TreeSize) -> anyhow::Result<Self> {
        let url = format!("{}/log", client.url().trim_end_matches('/'));
        Ok(Self {
            client,
            size,
            log: LogReader::new(&url)?,
            tiles: Tiles::default(),
        })
    }

    /// An act with its leaf, and the path from there to the root of this log.
    pub(super) async fn place(&mut self, logged: &Logged) -> anyhow::Result<PlacedAct> {
        let (leaf_index, _, leaf) = leaf_of(self.client, logged).await?;
        Ok(PlacedAct {
            inclusion: self.inclusion(leaf_index).await?,
            leaf,
            leaf_index,
            text: logged.text(),
        })
    }

    /// Made from tiles; the tiles that it lacks are fetched, and it is made again.
    async fn inclusion(&mut self, index: LeafIndex) -> anyhow::Result<InclusionProof> {
        for _ in 0..TILES_MAX {
            let made =
                InclusionProof::make(&TileReader::new(&self.tiles, self.size), index, self.size);
            let Some(tile) = self.tiles.missing.take() else {
                return Ok(made?);
            };
            let bytes = self.log.file(&tile.path(), TILE_BYTES_MAX).await?;
            self.tiles.kept.insert(tile, bytes.to_vec());
        }
        let url = self.client.url();
        Err(said(
            format!("leaf {index} needs more than {TILES_MAX} tiles of {url}"),
            format!("第 {index} 筆紀錄需要超過 {TILES_MAX} 個 {url} 的樹塊"),
        ))
    }
}

/// The nodes that lead from the state root of a height to the word of a version.
pub(super) async fn state_nodes(
    client: &Client,
    (number, version): (u32, u32),
    height: Height,
) -> anyhow::Result<Vec<Bytes>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Proven {
        address: Address,
        account_proof: Vec<Bytes>,
        storage_proof: Vec<ProvenSlot>,
    }
    #[derive(Deserialize)]
    struct ProvenSlot {
        proof: Vec<Bytes>,
    }
    let slot = B256::from(TermsInForce::slot(number, version));
    let params = [
        json!(AUTHORISATIONS),
        json!([slot]),
        json!(U64::from(height.0)),
    ];
    let proven: Proven = client.request("eth_getProof", &params).await?;
    demand(proven.address == AUTHORISATIONS, || {
        let url = client.url();
        (
            format!("{url} proved another account"),
            format!("{url} 證明的是另一個帳戶"),
        )
    })?;
    let slots = proven.storage_proof.into_iter().flat_map(|it| it.proof);
    let mut nodes = Vec::new();
    for node in proven.account_proof.into_iter().chain(slots) {
        if !nodes.contains(&node) {
            nodes.push(node);
        }
    }
    Ok(nodes)
}
