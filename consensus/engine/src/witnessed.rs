//! What the engine saw of signatures, on its way to the host: votes that it verified, and
//! whether this validator's own signer signs. And the tally of both.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tbsi_types::{Address, VoteStatement};
use tokio::sync::Notify;

use crate::limits::VERIFIED_VOTES_MAX;
use crate::memory::Memory;
use crate::tally::Tally;

/// Shared by the signer, the verifier and the host's loop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witnessed(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    seen: Mutex<Seen>,
    more: Notify,
    tally: Tally,
    memory: Memory,
}

/// What was not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Verified votes, oldest first.
    pub(crate) votes: VecDeque<(VoteStatement, Address)>,
    /// Whether the signer signed when it was last asked, if it was.
    pub(crate) signed: Option<bool>,
}

impl Witnessed {
    pub(crate) fn vote(&self, vote: VoteStatement, validator: Address) {
        self.0.tally.note(&vote, validator);
        let mut seen = self.seen();
        // The engine bounds what it verifies; this is for a host that is very slow.
        if seen.votes.len() == VERIFIED_VOTES_MAX {
            seen.votes.pop_front();
        }
        seen.votes.push_back((vote, validator));
        drop(seen);
        self.0.more.notify_one();
    }

    pub(crate) fn signed(&self, signed: bool) {
        self.seen().signed = Some(signed);
        self.0.more.notify_one();
    }

    /// Votes of the running height, own ones and those that only the network has verified too.
    pub(crate) fn tally(&self) -> &Tally {
        &self.0.tally
    }

    /// What the core remembers of what was signed.
    pub(crate) fn memory(&self) -> &Memory {
        &self.0.memory
    }

    /// The same for as long as the process lives: a few kilobytes for each start of an engine.
    pub(crate) fn lasting_tally(&self) -> &'static Tally {
        Box::leak(Box::new(self.clone())).tally()
    }

    pub(crate) fn take(&self) -> Seen {
        std::mem::take(&mut *self.seen())
    }

    /// Returns when there is something to take.
    pub(crate) async fn more(&self) {
        self.0.more.notified().await;
    }

    /// A panic of another holder leaves plain data behind.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
