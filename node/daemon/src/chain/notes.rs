//! Counts and logs what consensus says of others' proposals. Whoever is refused can repeat
//! itself without end, so each kind of line comes only so often.

use std::collections::BTreeMap;
use std::time::Instant;

use tbsi_engine::Note;
use tracing::warn;

use crate::limits::{NOTE_INTERVAL, NOTES_PER_INTERVAL_MAX};
use crate::node::Node;

/// How often each kind of line was logged of late, and what was left out.
#[derive(Default)]
pub(super) struct Notes(BTreeMap<&'static str, Kind>);

#[derive(Default)]
struct Kind {
    /// When the running interval began, and the lines in it.
    since: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl Notes {
    pub(super) fn take(&mut self, node: &Node, note: Note) {
        match note {
            Note::Dropped {
                position,
                publisher,
                reason,
                detail,
            } => {
                node.metrics.proposal_dropped(reason.kind());
                if let Some(left_out) = self.due(reason.kind()) {
                    let (height, round) = position.unzip();
                    warn!(
                        height = height.map(tracing::field::display),
                        round = round.map(tracing::field::display),
                        publisher,
                        by = speaker(node, &publisher),
                        reason = reason.kind(),
                        detail,
                        left_out,
                        "not voting for a proposal"
                    );
                }
            }
            Note::Refused {
                position: (height, round),
                proposer,
                publisher,
                digest,
                reason,
            } => {
                node.metrics.proposal_dropped("invalid");
                if let Some(left_out) = self.due("invalid") {
                    warn!(
                        %height, %round, %proposer, operator = node.legal_name(proposer),
                        publisher, %digest, reason, left_out, "refusing a proposed block"
                    );
                }
            }
            Note::Ahead { proposer, ms } => node.metrics.clock_ahead(proposer, ms),
        }
    }

    /// How many lines of this kind were left out, if it is time for one.
    fn due(&mut self, kind: &'static str) -> Option<u64> {
        let now = Instant::now();
        let kind = self.0.entry(kind).or_default();
        let runs = |since: Instant| now.duration_since(since) < NOTE_INTERVAL;
        if !kind.since.is_some_and(runs) {
            kind.since = Some(now);
            kind.lines = 0;
        }
        if kind.lines == NOTES_PER_INTERVAL_MAX {
            kind.left_out += 1;
            return None;
        }
        kind.lines += 1;
        Some(std::mem::take(&mut kind.left_out))
    }
}

/// The legal name behind a peer.
fn speaker(node: &Node, publisher: &str) -> String {
    let validator = node.roster().validator_of(publisher);
    validator.map_or_else(String::new, |validator| node.legal_name(validator))
}
