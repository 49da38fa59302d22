//! What the pool may hold, unless the operator says otherwise.

use crate::limits::{
    DROPPED_MAX, MEMPOOL_BYTES_MAX, MEMPOOL_NONCE_GAP_MAX, MEMPOOL_OWN_PART,
    MEMPOOL_PER_SENDER_MAX, MEMPOOL_QUEUED_BLOCKS_MAX, MEMPOOL_QUEUED_FRESH_BLOCKS,
    MEMPOOL_QUEUED_MAX, MEMPOOL_QUEUED_SHARE, MEMPOOL_ROUNDS_MAX, MEMPOOL_SLOW_BLOCKS,
    MEMPOOL_STUCK_ROUNDS, MEMPOOL_TRANSACTIONS_MAX,
};

/// What the pool may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MempoolLimits {
    /// Transactions, pending and queued.
    pub transactions_max: usize,
    /// Encoded bytes of all transactions; from half of it on, only pending ones are taken.
    pub bytes_max: usize,
    /// One part in so many of both is for what is sent to this node.
    pub own_part: usize,
    /// Transactions of one sender.
    pub per_sender_max: usize,
    /// Nonces that may be missing before a transaction.
    pub nonce_gap_max: u64,
    /// Queued transactions; at this many, one gives way to another or that is not taken.
    pub queued_max: usize,
    /// Of them, those of one sender, once half of [`queued_max`](Self::queued_max) is reached.
    pub queued_share: usize,
    /// Blocks for which a queued one does not give way to another that is otherwise its like.
    pub queued_fresh_blocks: u64,
    /// Blocks that a transaction may stay queued.
    pub queued_blocks_max: u64,
    /// Blocks for which one that took too long is not taken again.
    pub slow_blocks: u64,
    /// Rounds that it may stay at all.
    pub rounds_max: u64,
    /// Rounds after which its sender may replace it without a higher bid.
    pub stuck_rounds: u64,
    /// Drops of which the pool still knows the reason.
    pub dropped_max: usize,
}

impl Default for MempoolLimits {
    fn default() -> Self {
        Self {
            transactions_max: MEMPOOL_TRANSACTIONS_MAX,
            bytes_max: MEMPOOL_BYTES_MAX,
            own_part: MEMPOOL_OWN_PART,
            per_sender_max: MEMPOOL_PER_SENDER_MAX,
            nonce_gap_max: MEMPOOL_NONCE_GAP_MAX,
            queued_max: MEMPOOL_QUEUED_MAX,
            queued_share: MEMPOOL_QUEUED_SHARE,
            queued_fresh_blocks: MEMPOOL_QUEUED_FRESH_BLOCKS,
            queued_blocks_max: MEMPOOL_QUEUED_BLOCKS_MAX,
            slow_blocks: MEMPOOL_SLOW_BLOCKS,
            rounds_max: MEMPOOL_ROUNDS_MAX,
            stuck_rounds: MEMPOOL_STUCK_ROUNDS,
            dropped_max: DROPPED_MAX,
        }
    }
}
