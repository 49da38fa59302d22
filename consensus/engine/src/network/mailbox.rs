//! What the engine was given and has not worked off. Its actors' mailboxes have no bound of
//! their own, so there is one before them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tbsi_p2p::PeerId;

use crate::limits::{
    ENGINE_MESSAGES_MAX, ENGINE_MESSAGES_PER_MARK, PART_BYTES_PER_PEER_MAX, RATED_PEERS_MAX,
};

/// Messages in the engine's mailbox, as far as is known: each so many are followed by a mark, to
/// which the engine answers when it comes to it.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    given: u64,
    marked: u64,
    worked_off: u64,
}

impl Mailbox {
    /// Whether another message may be given.
    pub(crate) fn has_room(&self) -> bool {
        self.depth() < ENGINE_MESSAGES_MAX
    }

    /// How many wait at most.
    pub(crate) fn depth(&self) -> u64 {
        self.given - self.worked_off
    }

    /// Notes a message that was given; returns whether a mark is due behind it.
    pub(crate) fn give(&mut self) -> bool {
        self.given += 1;
        let due = self.given - self.marked >= ENGINE_MESSAGES_PER_MARK;
        if due {
            self.marked = self.given;
        }
        due
    }

    /// The engine came to the next mark.
    pub(crate) fn on_mark(&mut self) {
        self.worked_off = self.marked.min(self.worked_off + ENGINE_MESSAGES_PER_MARK);
    }
}

/// Bytes of parts that somebody still holds, by publisher.
#[derive(Debug, Default)]
pub(crate) struct PartBytes(BTreeMap<PeerId, Arc<AtomicU64>>);

/// Bytes that are counted until the last holder lets them go.
struct Counted {
    bytes: Bytes,
    held: Arc<AtomicU64>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.held
            .fetch_sub(self.bytes.len() as u64, Ordering::Relaxed);
    }
}

impl PartBytes {
    /// Counts bytes of this publisher from now on; `None` if it has too many already.
    pub(crate) fn count(&mut self, publisher: PeerId, bytes: Bytes) -> Option<Bytes> {
        if self.0.len() >= RATED_PEERS_MAX {
            self.0.retain(|_, held| held.load(Ordering::Relaxed) > 0);
        }
        let held = Arc::clone(self.0.entry(publisher).or_default());
        let more = bytes.len() as u64;
        if held.load(Ordering::Relaxed) + more > PART_BYTES_PER_PEER_MAX {
            return None;
        }
        held.fetch_add(more, Ordering::Relaxed);
        Some(Bytes::from_owner(Counted { bytes, held }))
    }

    /// Of all publishers.
    pub(crate) fn held(&self) -> u64 {
        let held = self.0.values().map(|held| held.load(Ordering::Relaxed));
        held.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_stands_still_is_given_no_more() {
        let mut mailbox = Mailbox::default();
        let mut marks = 0;
        while mailbox.has_room() {
            marks += u64::from(mailbox.give());
        }
        assert_eq!(mailbox.depth(), ENGINE_MESSAGES_MAX);
        assert_eq!(marks, ENGINE_MESSAGES_MAX / ENGINE_MESSAGES_PER_MARK);
        mailbox.on_mark();
        assert_eq!(
            mailbox.depth(),
            ENGINE_MESSAGES_MAX - ENGINE_MESSAGES_PER_MARK
        );
        (0..2 * marks).for_each(|_| mailbox.on_mark());
        assert_eq!(mailbox.depth(), 0, "a mark too many gives nothing");
    }

    #[test]
    fn parts_count_until_nobody_holds_them() {
        let (mut parts, one) = (PartBytes::default(), PeerId::random());
        let part = Bytes::from(vec![7; 1024 * 1024]);
        let mut held = Vec::new();
        while let Some(counted) = parts.count(one, part.clone()) {
            assert_eq!(counted, part);
            held.push((counted.clone(), counted));
        }
        assert_eq!(parts.held(), PART_BYTES_PER_PEER_MAX);
        assert!(parts.count(PeerId::random(), part.clone()).is_some());
        assert_eq!(parts.held(), PART_BYTES_PER_PEER_MAX);
        let (first, second) = held.pop().unwrap();
        drop(first);
        assert!(parts.count(one, part.clone()).is_none());
        drop(second);
        assert!(parts.count(one, part).is_some());
    }
}
