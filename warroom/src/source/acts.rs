//! The texts of acts of governance. A leaf has their hash alone (SPEC §9.3), so a text from
//! anywhere is as good as the leaf, once it has that hash (SPEC §19.2).

use alloy_primitives::{Address, B256, Bytes, U64};
use serde::Deserialize;
use serde_json::json;
use tbsi_rpc::{Client, ClientError};
use tbsi_types::cursor::{Cursor, CursorError};
use tbsi_types::log::leaf::body_hash;
use tbsi_types::log::{EntryBundle, FACTS, GOVERNANCE, Leaf, Statement};
use tbsi_types::{Height, LeafIndex, TimestampMs};

use crate::limits::LOG_BLOCKS_MAX;

/// Topics of an event after the first.
const TOPICS_MAX: usize = 3;

/// An act's leaf, whose text is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ActLeaf {
    pub(crate) position: LeafIndex,
    pub(crate) height: Height,
    pub(crate) time: TimestampMs,
    pub(crate) transaction_index: u32,
    pub(crate) contract: Address,
    pub(crate) event: B256,
    body_hash: B256,
}

impl ActLeaf {
    /// `None` for a leaf of another kind.
    pub(crate) fn of(position: LeafIndex, leaf: &Leaf) -> Option<Self> {
        let Statement::GovernanceAct { event, body_hash } = leaf.statement else {
            return None;
        };
        Some(Self {
            position,
            height: leaf.head.height,
            time: leaf.head.time,
            transaction_index: leaf.head.transaction_index,
            contract: leaf.head.issuer,
            event,
            body_hash,
        })
    }

    /// With this text, if it has the leaf's hash.
    fn with(&self, topics: &[B256], data: &[u8]) -> Option<Act> {
        (body_hash(topics, data) == self.body_hash).then(|| Act {
            leaf: self.clone(),
            topics: topics.to_vec(),
            data: data.to_vec(),
        })
    }

    /// From what an index kept.
    pub(crate) fn stored(&self, topics: &[u8], data: &[u8]) -> Option<Act> {
        let topics: Vec<B256> = topics.chunks_exact(32).map(B256::from_slice).collect();
        self.with(&topics, data)
    }
}

/// An act with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Act {
    pub(crate) leaf: ActLeaf,
    /// After the first.
    pub(crate) topics: Vec<B256>,
    pub(crate) data: Vec<u8>,
}

impl Act {
    /// All topics, as a decoder of events wants them.
    pub(crate) fn all_topics(&self) -> Vec<B256> {
        let mut topics = vec![self.leaf.event];
        topics.extend(&self.topics);
        topics
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    block_number: U64,
    transaction_index: U64,
}

/// Asks a node for the events of the leaves' blocks.
pub(super) async fn of_node(rpc: &Client, leaves: &[ActLeaf]) -> Result<Vec<Act>, ClientError> {
    let mut found = Vec::with_capacity(leaves.len());
    let mut rest = leaves;
    while let Some(first) = rest.first() {
        let from = first.height.0;
        let near = |leaf: &&ActLeaf| leaf.height.0 < from.saturating_add(LOG_BLOCKS_MAX);
        let count = rest.iter().take_while(near).count();
        let (now, later) = rest.split_at(count);
        let to = now.last().map_or(from, |leaf| leaf.height.0);
        let addresses: Vec<Address> = GOVERNANCE.into_iter().chain([FACTS]).collect();
        let filter = json!({
            "fromBlock": U64::from(from), "toBlock": U64::from(to), "address": addresses,
        });
        let logs: Vec<WireLog> = rpc.request("eth_getLogs", &[filter]).await?;
        found.extend(now.iter().filter_map(|leaf| matching(leaf, &logs)));
        rest = later;
    }
    Ok(found)
}

fn matching(leaf: &ActLeaf, logs: &[WireLog]) -> Option<Act> {
    let start = logs.partition_point(|log| log.block_number.to::<u64>() < leaf.height.0);
    let block = logs[start..]
        .iter()
        .take_while(|log| log.block_number.to::<u64>() == leaf.height.0);
    let transaction = u64::from(leaf.transaction_index);
    let mut of_transaction = block.filter(|log| log.transaction_index.to::<u64>() == transaction);
    of_transaction.find_map(|log| {
        let (event, topics) = log.topics.split_first()?;
        let same = log.address == leaf.contract && *event == leaf.event;
        same.then(|| leaf.with(topics, &log.data)).flatten()
    })
}

/// Path of the texts of a bundle's acts.
pub(crate) fn acts_path(bundle: EntryBundle) -> String {
    bundle.path().replacen("tile/entries/", "acts/", 1)
}

/// The texts of a bundle's acts: offset in the bundle (u8), number of topics (u8), topics, length
/// (u32), data, one after the other.
pub(crate) fn encode_acts(acts: &[Act]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for act in acts {
        let offset = act.leaf.position.0 % 256;
        bytes.push(u8::try_from(offset).expect("below 256"));
        bytes.push(u8::try_from(act.topics.len()).expect("an event has at most four topics"));
        for topic in &act.topics {
            bytes.extend_from_slice(topic.as_slice());
        }
        let length = u32::try_from(act.data.len()).expect("an event fits its block");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&act.data);
    }
    bytes
}

/// What a file says of these leaves; what has another hash, or is cut short, is as if absent.
pub(super) fn of_file(bundle: EntryBundle, bytes: &[u8], leaves: &[ActLeaf]) -> Vec<Act> {
    let mut found = Vec::with_capacity(leaves.len());
    let mut cursor = Cursor::new(bytes);
    while let Ok((offset, topics, data)) = take_act(&mut cursor) {
        let position = LeafIndex(bundle.index * 256 + u64::from(offset));
        let leaf = leaves.iter().find(|leaf| leaf.position == position);
        found.extend(leaf.and_then(|leaf| leaf.with(&topics, &data)));
    }
    found
}

type Taken = (u8, Vec<B256>, Vec<u8>);

fn take_act(cursor: &mut Cursor<'_>) -> Result<Taken, CursorError> {
    let offset = cursor.u8("offset")?;
    let count = usize::from(cursor.u8("topics")?).min(TOPICS_MAX + 1);
    let topics = (0..count).map(|_| cursor.b256("topic"));
    let topics = topics.collect::<Result<_, _>>()?;
    let length = usize::try_from(cursor.u32("length")?).unwrap_or(usize::MAX);
    let data = cursor.take("data", length)?;
    Ok((offset, topics, data.to_vec()))
}
