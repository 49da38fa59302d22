//! New blocks of one node, by polling.

use std::net::SocketAddr;

use alloy_primitives::U64;
use anyhow::{Context, anyhow};
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::json;
use tbsi_types::B256;

use super::http::{Connection, replies};

/// Blocks asked for at once.
const AHEAD_MAX: u64 = 64;

/// A block as far as the benchmark is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Block {
    /// Height.
    pub number: U64,
    /// Hashes of its transactions.
    pub transactions: Vec<B256>,
}

/// Reads the blocks of a node one after the other.
pub struct Heads {
    connection: Connection,
    next: u64,
    ahead: u64,
}

impl Heads {
    /// Starts above the present tip of the node at `address`.
    pub async fn above_tip(address: SocketAddr) -> anyhow::Result<Self> {
        let mut connection = Connection::new(address);
        let tip: U64 = connection.call("eth_blockNumber", json!([])).await?;
        Ok(Self {
            connection,
            next: tip.to::<u64>() + 1,
            ahead: 1,
        })
    }

    /// The blocks that became visible since the last call, in order. Asks for more at once the
    /// more there were.
    pub async fn poll(&mut self) -> anyhow::Result<Vec<Block>> {
        let asked = self.next..self.next + self.ahead;
        let calls: Vec<String> = asked
            .clone()
            .map(|height| {
                format!(
                    r#"{{"jsonrpc":"2.0","id":{height},"method":"eth_getBlockByNumber","params":["{height:#x}",false]}}"#
                )
            })
            .collect();
        let body = Bytes::from(format!("[{}]", calls.join(",")));
        let answer = self
            .connection
            .post(body)
            .await
            .context("poll for blocks")?;
        let mut found = Vec::new();
        for (id, outcome) in replies::<Option<Block>>(&answer).context("poll for blocks")? {
            let block = outcome.map_err(|message| anyhow!("eth_getBlockByNumber: {message}"))?;
            // A null: this one is not there yet.
            found.extend(block.map(|block| (id, block)));
        }
        found.sort_by_key(|(height, _)| *height);
        // Only what joins on: a block that appeared while the answer was made may come without
        // the one before it.
        let joined = found
            .into_iter()
            .zip(asked)
            .map_while(|((height, block), expected)| (height == expected).then_some(block));
        let blocks: Vec<Block> = joined.collect();
        self.next += blocks.len() as u64;
        self.ahead = (2 * blocks.len() as u64).clamp(1, AHEAD_MAX);
        Ok(blocks)
    }

    /// Whether the last poll found as much as one poll can.
    pub fn lags(&self) -> bool {
        self.ahead == AHEAD_MAX
    }
}
