//! Where consensus stands, for logs, metrics and status pages.

use std::collections::BTreeMap;

use tbsi_types::{Address, Height, Round, TimestampMs};

/// A snapshot; changes with every round and vote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Height being decided, or waiting to be started.
    pub height: Height,
    /// Its round.
    pub round: Round,
    /// Whose turn it is.
    pub proposer: Address,
    /// Whether the height has started; `false` while an idle chain waits.
    pub running: bool,
    /// The time of day before which the height does not start, while it is ahead: that of
    /// genesis, or of a tip that is ahead of this node's clock (SPEC §6.5).
    pub waits_until: Option<TimestampMs>,
    /// Validators whose votes were verified at this height, own votes included, with the
    /// latest round of such a vote.
    pub voted: BTreeMap<Address, Round>,
    /// Whether the last signature that this validator should have made was not made: its signer
    /// is gone, or its sign-state is above (SPEC §6.4).
    pub abstains: bool,
    /// Why the last proposal of this height was not voted for, if one was not.
    pub refused: Option<String>,
}

impl Progress {
    pub(crate) fn start_round(&mut self, height: Height, round: Round, proposer: Address) {
        if height != self.height {
            self.voted.clear();
            self.refused = None;
        }
        self.height = height;
        self.round = round;
        self.proposer = proposer;
        self.running = true;
        self.waits_until = None;
    }

    pub(crate) fn wait_for(&mut self, height: Height) {
        *self = Self {
            height,
            abstains: self.abstains,
            ..Self::default()
        };
    }

    /// Notes a verified vote of the current height; others change nothing.
    pub(crate) fn note(&mut self, height: Height, round: Round, validator: Address) {
        if height == self.height {
            let last = self.voted.entry(validator).or_default();
            *last = round.max(*last);
        }
    }

    /// Whether a validator takes part: it voted in the round that runs or in the one before.
    /// A vote of a round long past says nothing about now.
    pub fn takes_part(&self, validator: &Address) -> bool {
        let last = self.voted.get(validator);
        last.is_some_and(|last| last.0.saturating_add(1) >= self.round.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vote_of_a_round_long_past_does_not_count_as_taking_part() {
        let mut progress = Progress::default();
        let (early, steady) = (Address::repeat_byte(1), Address::repeat_byte(2));
        progress.start_round(Height(5), Round(0), early);
        progress.note(Height(5), Round(0), early);
        progress.note(Height(5), Round(0), steady);
        progress.note(Height(4), Round(9), Address::repeat_byte(3));
        assert!(progress.takes_part(&early) && progress.takes_part(&steady));
        progress.start_round(Height(5), Round(7), early);
        progress.note(Height(5), Round(6), steady);
        progress.note(Height(5), Round(2), steady);
        assert!(!progress.takes_part(&early), "it last voted in round 0");
        assert!(progress.takes_part(&steady), "it voted in round 6");
        assert!(!progress.takes_part(&Address::repeat_byte(3)));
        progress.start_round(Height(6), Round(0), early);
        assert!(progress.voted.is_empty());
    }
}
