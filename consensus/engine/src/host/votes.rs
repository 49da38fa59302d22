//! Which blocks of the running height have prevotes, by verified votes alone.

use std::collections::{BTreeMap, BTreeSet};

use tbsi_types::{Address, CheckpointDigest, Round, ValidatorSet, VotingPower};

use crate::limits::POLKAS_MAX;

/// Prevotes for blocks, of one height.
#[derive(Debug, Default)]
pub(super) struct Prevotes {
    by: BTreeMap<(Round, CheckpointDigest), BTreeSet<Address>>,
    /// Blocks that a quorum prevoted, with the last round in which it did.
    polkas: BTreeMap<CheckpointDigest, Round>,
}

impl Prevotes {
    /// Notes a verified prevote. Says whether it is new.
    pub(super) fn note(
        &mut self,
        set: &ValidatorSet,
        (round, digest): (Round, CheckpointDigest),
        validator: Address,
    ) -> bool {
        let voters = self.by.entry((round, digest)).or_default();
        if set.get(&validator).is_none() || !voters.insert(validator) {
            return false;
        }
        if power(set, voters).is_quorum_of(set.total_power()) {
            let last = self.polkas.entry(digest).or_default();
            *last = round.max(*last);
            while self.polkas.len() > POLKAS_MAX {
                let oldest = self.polkas.iter().min_by_key(|(_, round)| **round);
                let oldest = *oldest.expect("there are some").0;
                self.polkas.remove(&oldest);
            }
        }
        true
    }

    /// Whether at least one honest validator prevoted the block in this round, if those that
    /// are not have no more than a third of the power.
    pub(super) fn by_somebody_honest(
        &self,
        set: &ValidatorSet,
        round: Round,
        digest: CheckpointDigest,
    ) -> bool {
        let voters = self.by.get(&(round, digest));
        let power = voters.map_or(0, |voters| power(set, voters).0);
        3 * u128::from(power) > u128::from(set.total_power().0)
    }

    /// Whether a quorum prevoted the block in some round.
    pub(super) fn polka(&self, digest: &CheckpointDigest) -> bool {
        self.polkas.contains_key(digest)
    }

    /// All blocks that a quorum prevoted.
    pub(super) fn polkas(&self) -> impl Iterator<Item = CheckpointDigest> + '_ {
        self.polkas.keys().copied()
    }

    /// Forgets the prevotes of rounds below `first`; polkas stay.
    pub(super) fn forget_below(&mut self, first: Round) {
        self.by.retain(|(round, _), _| *round >= first);
    }
}

fn power(set: &ValidatorSet, voters: &BTreeSet<Address>) -> VotingPower {
    let members = voters.iter().filter_map(|voter| set.get(voter));
    VotingPower(members.map(|member| member.power.0).sum())
}
