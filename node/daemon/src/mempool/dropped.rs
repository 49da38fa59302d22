//! What the pool dropped, and why: so that whoever sent it can ask.

use std::collections::{HashMap, VecDeque};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tbsi_types::{B256, Height, TimestampMs};

use crate::limits::DROPPED_WORDS_CHARS_MAX;

/// Why a transaction that the pool had taken left it without being in a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemovalReason {
    /// Its sender signed another one for the same nonce.
    #[error("replaced by {by}, which its sender signed for the same nonce")]
    Replaced {
        /// The other one.
        by: B256,
    },
    /// Its sender's account is past its nonce, and no block holds it.
    #[error(
        "its nonce {nonce} is used: another transaction of its sender has it, an authorization, or \
         a creation by code that its sender's account is delegated to, which anybody may call"
    )]
    NonceUsed {
        /// Of the transaction.
        nonce: u64,
    },
    /// It could be executed, and no block took it.
    #[error("no block took it within {seconds} s; send it again")]
    Expired {
        /// How long it was here.
        seconds: u64,
    },
    /// It waited for an earlier nonce for too long.
    #[error("nonce {missing} was missing for {blocks} blocks; send that first, then this again")]
    Gap {
        /// The first nonce that its sender did not send.
        missing: u64,
        /// How long.
        blocks: u64,
    },
    /// It waited for an earlier nonce, and gave its place to another that does.
    #[error(
        "nonce {missing} was missing, and no place was left where transactions wait for it; send \
         that first, then this again"
    )]
    Displaced {
        /// The first nonce that its sender did not send.
        missing: u64,
    },
    /// This node built a block with it, and took it out again.
    #[error(transparent)]
    Slow(#[from] Slowness),
    /// Execution refuses it on the state that it would have met.
    #[error("it cannot be executed: {words}")]
    NotExecutable {
        /// In go-ethereum's words.
        words: String,
    },
    /// Its sender may not do this any more.
    #[error("{words}")]
    Permission {
        /// Which permission, and who gives it.
        words: String,
    },
    /// It was here before the node started anew, and was not taken again.
    #[error("not taken again after this node's restart: {words}")]
    Restart {
        /// In the pool's words.
        words: String,
    },
}

impl RemovalReason {
    /// A stable word for programs and for metrics labels.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Replaced { .. } => "replaced",
            Self::NonceUsed { .. } => "nonce_used",
            Self::Expired { .. } => "expired",
            Self::Gap { .. } => "nonce_gap",
            Self::Displaced { .. } => "displaced",
            Self::Slow(_) => "slow",
            Self::NotExecutable { .. } => "not_executable",
            Self::Permission { .. } => "permission",
            Self::Restart { .. } => "restart",
        }
    }

    fn words_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::NotExecutable { words }
            | Self::Permission { words }
            | Self::Restart { words } => Some(words),
            Self::Replaced { .. }
            | Self::NonceUsed { .. }
            | Self::Expired { .. }
            | Self::Gap { .. }
            | Self::Displaced { .. }
            | Self::Slow(_) => None,
        }
    }
}

/// How long a transaction took that took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "executing it took {took_ms} ms on this node, more than the {limit_ms} ms that one transaction \
     has in a block; split it"
)]
pub struct Slowness {
    /// Until it ended or was stopped.
    pub took_ms: u64,
    /// What one may take.
    pub limit_ms: u64,
}

/// What the pool knows of the last block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastBlock {
    /// Its height.
    pub height: Height,
    /// Its time.
    pub time: TimestampMs,
}

/// A transaction that left the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Why.
    pub reason: RemovalReason,
    /// The last block when it left.
    pub at: LastBlock,
}

/// Label of transactions that were dropped.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DropLabel {
    reason: &'static str,
}

/// Transactions that were dropped, by reason.
pub type DropCounter = Family<DropLabel, Counter>;

/// The last drops; the oldest gives way.
#[derive(Debug)]
pub(super) struct Drops {
    limit: usize,
    by_hash: HashMap<B256, (u64, Dropped)>,
    /// Oldest first, with the number of the drop: a hash may have been forgotten since, or have
    /// been dropped again.
    order: VecDeque<(u64, B256)>,
    numbers: u64,
    counter: DropCounter,
}

impl Drops {
    pub(super) fn new(limit: usize, counter: DropCounter) -> Self {
        Self {
            limit,
            by_hash: HashMap::new(),
            order: VecDeque::new(),
            numbers: 0,
            counter,
        }
    }

    pub(super) fn note(&mut self, hash: B256, mut reason: RemovalReason, at: LastBlock) {
        let label = DropLabel {
            reason: reason.kind(),
        };
        self.counter.get_or_create(&label).inc();
        if let Some(words) = reason.words_mut()
            && let Some((end, _)) = words.char_indices().nth(DROPPED_WORDS_CHARS_MAX)
        {
            words.truncate(end);
        }
        self.numbers += 1;
        self.by_hash
            .insert(hash, (self.numbers, Dropped { reason, at }));
        self.order.push_back((self.numbers, hash));
        while self.order.len() > self.limit {
            let Some((number, oldest)) = self.order.pop_front() else {
                break;
            };
            let known = self.by_hash.get(&oldest);
            if known.is_some_and(|(newest, _)| *newest == number) {
                self.by_hash.remove(&oldest);
            }
        }
    }

    /// It is in the pool again.
    pub(super) fn forget(&mut self, hash: &B256) {
        self.by_hash.remove(hash);
    }

    pub(super) fn get(&self, hash: &B256) -> Option<&Dropped> {
        self.by_hash.get(hash).map(|(_, dropped)| dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_drop_is_forgotten_first() {
        let mut drops = Drops::new(2, DropCounter::default());
        let [one, two, three] = [1, 2, 3].map(B256::repeat_byte);
        let note = |drops: &mut Drops, hash| {
            let nonce = drops.numbers;
            drops.note(
                hash,
                RemovalReason::NonceUsed { nonce },
                LastBlock::default(),
            );
        };
        note(&mut drops, one);
        note(&mut drops, two);
        // Taken and dropped again: its first place does not count.
        drops.forget(&one);
        assert_eq!(drops.get(&one), None);
        note(&mut drops, one);
        assert!(drops.get(&one).is_some() && drops.get(&two).is_some());
        note(&mut drops, three);
        assert_eq!(drops.get(&two), None);
        assert!(drops.get(&one).is_some() && drops.get(&three).is_some());
        assert_eq!((drops.by_hash.len(), drops.order.len()), (2, 2));
        let label = DropLabel {
            reason: "nonce_used",
        };
        assert_eq!(drops.counter.get_or_create(&label).get(), 4);
    }

    #[test]
    fn long_words_are_cut() {
        let mut drops = Drops::new(1, DropCounter::default());
        let words = "字".repeat(10_000);
        let hash = B256::ZERO;
        drops.note(hash, RemovalReason::Restart { words }, LastBlock::default());
        let kept = drops.get(&hash).unwrap().reason.to_string();
        assert!(kept.chars().count() < 2 * DROPPED_WORDS_CHARS_MAX, "{kept}");
    }
}
