//! Votes seen at the running height, to know when waiting for more of them is in vain.
//!
//! Tendermint waits a while once a quorum has voted and not for one block: the votes that are
//! still out may make a quorum for one. If even all of them could not, nothing can come of the
//! wait, and it is left out. After a partition in halves that have voted differently this is most
//! of the time to the next block.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_malachitebft_app_channel::app::types::core as mc;
use tbsi_types::{
    Address, CheckpointDigest, Height, Round, ValidatorSet, VoteKind, VoteStatement, VotingPower,
};

use crate::context::{Ctx, round_from_engine};
use crate::limits::TALLIED_ROUNDS_MAX;

/// First votes of each validator at the height that runs. Whoever verified or signed one notes it.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Votes>);

type Place = (Round, VoteKind);

#[derive(Debug, Default)]
struct Votes {
    height: Height,
    set: Option<ValidatorSet>,
    by: BTreeMap<Place, BTreeMap<Address, Option<CheckpointDigest>>>,
}

impl Tally {
    fn votes(&self) -> MutexGuard<'_, Votes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A height is about to start.
    pub(crate) fn start(&self, height: Height, set: &ValidatorSet) {
        *self.votes() = Votes {
            height,
            set: Some(set.clone()),
            by: BTreeMap::new(),
        };
    }

    /// A vote with a good signature. Of two different ones the first counts.
    pub(crate) fn note(&self, vote: &VoteStatement, validator: Address) {
        let mut votes = self.votes();
        let known = |set: &ValidatorSet| set.get(&validator).is_some();
        if vote.height != votes.height || !votes.set.as_ref().is_some_and(known) {
            return;
        }
        let place = votes.by.entry((vote.round, vote.kind)).or_default();
        place.entry(validator).or_insert(vote.value);
        while votes.by.len() > 2 * TALLIED_ROUNDS_MAX {
            votes.by.pop_first();
        }
    }

    /// Whether no block can get a quorum of these votes any more, whatever those vote that have
    /// not.
    pub(crate) fn is_in_vain(&self, height: Height, round: Round, kind: VoteKind) -> bool {
        let votes = self.votes();
        let place = votes.by.get(&(round, kind));
        let (Some(set), Some(place)) = (&votes.set, place.filter(|_| votes.height == height))
        else {
            return false;
        };
        let total = set.total_power();
        let mut open = total.0;
        let mut blocks: BTreeMap<CheckpointDigest, u64> = BTreeMap::new();
        for (validator, value) in place {
            let power = set.get(validator).map_or(0, |member| member.power.0);
            open -= power;
            if let Some(digest) = value {
                *blocks.entry(*digest).or_default() += power;
            }
        }
        let most = blocks.values().max().copied().unwrap_or_default();
        !VotingPower(most + open).is_quorum_of(total)
    }
}

/// The timeouts of a height.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    pub(crate) height: Height,
    pub(crate) linear: mc::LinearTimeouts,
    /// The engine copies its timeouts, so that what they look at lives as long as the process.
    pub(crate) tally: Option<&'static Tally>,
}

impl Patience {
    /// How long to wait, going by these votes.
    pub(crate) fn after(&self, tally: Option<&Tally>, timeout: mc::Timeout) -> Duration {
        let kind = match timeout.kind {
            mc::TimeoutKind::Prevote => Some(VoteKind::Prevote),
            mc::TimeoutKind::Precommit => Some(VoteKind::Precommit),
            mc::TimeoutKind::Propose
            | mc::TimeoutKind::Rebroadcast
            | mc::TimeoutKind::FinalizeHeight(_) => None,
        };
        let round = round_from_engine(timeout.round);
        if let (Some(kind), Some(round), Some(tally)) = (kind, round, tally)
            && tally.is_in_vain(self.height, round, kind)
        {
            return Duration::ZERO;
        }
        self.linear.duration_for(timeout)
    }
}

impl PartialEq for Patience {
    fn eq(&self, other: &Self) -> bool {
        (self.height, self.linear) == (other.height, other.linear)
    }
}

impl Eq for Patience {}

impl mc::Timeouts<Ctx> for Patience {
    fn duration_for(&self, timeout: mc::Timeout) -> Duration {
        self.after(self.tally, timeout)
    }
}

#[cfg(test)]
mod tests {
    use tbsi_types::{B256, SecretKey, Validator};

    use super::*;

    const HEIGHT: Height = Height(4);

    fn set(count: u8) -> ValidatorSet {
        let validator = |seed| {
            let key = SecretKey::from_seed(&[seed]).public_key();
            Validator::new(key, VotingPower(1), B256::ZERO)
        };
        ValidatorSet::new((0..count).map(validator).collect()).unwrap()
    }

    /// Votes of one kind in round 0, a letter each: `-` for nil, others for blocks.
    fn in_vain(count: u8, votes: &str) -> bool {
        let (tally, set) = (Tally::default(), set(count));
        tally.start(HEIGHT, &set);
        for (letter, validator) in votes.bytes().zip(set.iter()) {
            let block = CheckpointDigest(B256::repeat_byte(letter));
            let vote = VoteStatement {
                kind: VoteKind::Prevote,
                height: HEIGHT,
                round: Round(0),
                value: (letter != b'-').then_some(block),
            };
            tally.note(&vote, validator.address);
        }
        assert!(!tally.is_in_vain(HEIGHT, Round(0), VoteKind::Precommit));
        assert!(!tally.is_in_vain(HEIGHT, Round(1), VoteKind::Prevote));
        assert!(!tally.is_in_vain(Height(5), Round(0), VoteKind::Prevote));
        tally.is_in_vain(HEIGHT, Round(0), VoteKind::Prevote)
    }

    #[test]
    fn waits_only_while_a_block_can_win() {
        for (count, votes, expected) in [
            (4, "", false),
            (4, "a", false),
            (4, "aa-", false),
            (4, "aa--", true),
            (4, "a--", true),
            (4, "--", true),
            (4, "-", false),
            (4, "aab", false),
            (4, "aabb", true),
            (4, "abc", true),
            (7, "aaaa--", false),
            (7, "aa---", true),
            (1, "-", true),
        ] {
            assert_eq!(in_vain(count, votes), expected, "{votes} of {count}");
        }
    }

    #[test]
    fn a_wait_that_is_in_vain_takes_no_time() {
        let (tally, set) = (Tally::default(), set(4));
        tally.start(HEIGHT, &set);
        let patience = Patience {
            height: HEIGHT,
            ..Patience::default()
        };
        let prevote = mc::Timeout::prevote(mc::Round::new(0));
        let usual = patience.linear.duration_for(prevote);
        let duration = || patience.after(Some(&tally), prevote);
        assert_eq!(duration(), usual);
        for validator in set.iter().take(2) {
            let vote = VoteStatement {
                kind: VoteKind::Prevote,
                height: HEIGHT,
                round: Round(0),
                value: None,
            };
            // Strangers and other heights count nothing.
            tally.note(&vote, Address::repeat_byte(9));
            let later = VoteStatement {
                height: Height(5),
                ..vote
            };
            tally.note(&later, validator.address);
            assert_eq!(duration(), usual);
            tally.note(&vote, validator.address);
        }
        assert_eq!(duration(), Duration::ZERO);
        let propose = mc::Timeout::propose(mc::Round::new(0));
        let waits = patience.after(Some(&tally), propose);
        assert_eq!(waits, patience.linear.propose);
    }
}
