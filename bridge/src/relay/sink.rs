//! Events become records: on disk, or for a dry run nowhere.

use alloy_primitives::B256;

use crate::journal::{Journal, JournalError};
use crate::record::{Event, Parties, RECORD_VERSION, Record};
use crate::state::State;

/// Where events go.
pub(super) enum EventSink {
    /// To disk.
    Journal(Journal),
    /// Nowhere: a dry run.
    Dry { next: u64, parties: Parties },
}

impl EventSink {
    /// Begins another file of the journal if this one is full.
    pub(super) fn make_room(&mut self, state: &State, now: u64) -> Result<(), JournalError> {
        match self {
            Self::Journal(journal) if journal.is_full() => journal.rotate(state.snapshot(), now),
            Self::Journal(_) | Self::Dry { .. } => Ok(()),
        }
    }

    /// Writes events; what is returned has happened.
    pub(super) fn write(
        &mut self,
        events: Vec<Event>,
        now: u64,
    ) -> Result<Vec<Record>, JournalError> {
        match self {
            Self::Journal(journal) => journal.append(events, now),
            Self::Dry { next, parties } => {
                let record = |event| {
                    *next += 1;
                    Record {
                        version: RECORD_VERSION,
                        number: *next - 1,
                        previous: B256::ZERO,
                        time_ms: now,
                        parties: parties.clone(),
                        event,
                    }
                };
                Ok(events.into_iter().map(record).collect())
            }
        }
    }
}
