//! When which pooled transaction is told to peers again.
//!
//! Gossip may lose a transaction, and a peer's full pool refuses it, so what is in no block
//! after some time is told again, and again after twice that time, up to a longest one. Time is
//! counted in *rounds*, which the pool's owner begins; nothing here is random.

use std::collections::{BTreeMap, HashMap};

use tbsi_types::B256;

use crate::limits::{
    ANNOUNCE_GOSSIPED_ROUNDS_MAX, ANNOUNCE_GOSSIPED_ROUNDS_MIN, ANNOUNCE_OWN_ROUNDS_MAX,
    ANNOUNCE_OWN_ROUNDS_MIN,
};

/// How a transaction came to this node's pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// A client of this node sent it, or the node itself.
    Own,
    /// A peer passed it on: whoever it was sent to tells it again sooner.
    Gossiped,
}

impl Intake {
    fn rounds_min(self) -> u64 {
        match self {
            Self::Own => ANNOUNCE_OWN_ROUNDS_MIN,
            Self::Gossiped => ANNOUNCE_GOSSIPED_ROUNDS_MIN,
        }
    }

    fn rounds_max(self) -> u64 {
        match self {
            Self::Own => ANNOUNCE_OWN_ROUNDS_MAX,
            Self::Gossiped => ANNOUNCE_GOSSIPED_ROUNDS_MAX,
        }
    }
}

/// The round in which something is due; a number sets apart what is due in the same one.
type Due = (u64, u64);

/// What the schedule knows of a transaction.
#[derive(Clone, Copy, Debug)]
struct Place {
    intake: Intake,
    due: Due,
    /// Rounds from the last announcement to the next.
    delay: u64,
    /// Round in which it came.
    since: u64,
}

/// A transaction whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) hash: B256,
    /// Rounds since it came.
    pub(super) age: u64,
}

/// All pooled transactions, in the order in which they are told.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    round: u64,
    numbers: u64,
    places: HashMap<B256, Place>,
    line: BTreeMap<Due, B256>,
}

impl Schedule {
    fn due_in(&mut self, rounds: u64) -> Due {
        self.numbers += 1;
        (self.round.saturating_add(rounds), self.numbers)
    }

    /// Takes a transaction that was told just now.
    pub(super) fn add(&mut self, hash: B256, intake: Intake) {
        let delay = intake.rounds_min();
        let due = self.due_in(delay);
        let since = self.round;
        self.line.insert(due, hash);
        let place = Place {
            intake,
            due,
            delay,
            since,
        };
        self.places.insert(hash, place);
    }

    /// Returns how it came.
    pub(super) fn remove(&mut self, hash: &B256) -> Option<Intake> {
        let place = self.places.remove(hash)?;
        self.line.remove(&place.due);
        Some(place.intake)
    }

    /// A client sent it again: it is told in the next round, and from then on as this node's
    /// own. Returns whether it was not before.
    pub(super) fn claim(&mut self, hash: &B256) -> bool {
        let due = self.due_in(0);
        let Some(place) = self.places.get_mut(hash) else {
            return false;
        };
        self.line.remove(&place.due);
        self.line.insert(due, *hash);
        let is_new = place.intake == Intake::Gossiped;
        *place = Place {
            intake: Intake::Own,
            due,
            delay: ANNOUNCE_OWN_ROUNDS_MIN,
            since: place.since,
        };
        is_new
    }

    pub(super) fn is_own(&self, hash: &B256) -> bool {
        let place = self.places.get(hash);
        place.is_some_and(|place| place.intake == Intake::Own)
    }

    /// Rounds since a transaction came; 0 for an unknown one.
    pub(super) fn age(&self, hash: &B256) -> u64 {
        let place = self.places.get(hash);
        place.map_or(0, |place| self.round - place.since)
    }

    pub(super) fn begin_round(&mut self) {
        self.round += 1;
    }

    /// The transaction that is due for longest, if any is due.
    pub(super) fn first_due(&self) -> Option<Turn> {
        let ((due, _), hash) = self.line.first_key_value()?;
        (*due <= self.round).then(|| Turn {
            hash: *hash,
            age: self.age(hash),
        })
    }

    /// It was told, or what is told was looked at: its next turn is after twice the time.
    pub(super) fn postpone(&mut self, hash: &B256) {
        let Some(place) = self.places.get(hash).copied() else {
            return;
        };
        let delay = (place.delay * 2).min(place.intake.rounds_max());
        let due = self.due_in(delay);
        self.line.remove(&place.due);
        self.line.insert(due, *hash);
        self.places.insert(
            *hash,
            Place {
                due,
                delay,
                ..place
            },
        );
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.places.len(), self.line.len());
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds, of the first so many, in which a transaction is told.
    fn told(intake: Intake, rounds: u64) -> Vec<u64> {
        let mut schedule = Schedule::default();
        let hash = B256::repeat_byte(1);
        schedule.add(hash, intake);
        let mut told = Vec::new();
        for round in 1..=rounds {
            schedule.begin_round();
            if schedule.first_due().is_some() {
                told.push(round);
                schedule.postpone(&hash);
            }
        }
        told
    }

    #[test]
    fn a_transaction_is_told_again_after_twice_the_time_up_to_the_longest() {
        assert_eq!(told(Intake::Own, 200), [4, 12, 28, 60, 92, 124, 156, 188]);
        assert_eq!(told(Intake::Gossiped, 400), [16, 48, 112, 240, 368]);
    }

    #[test]
    fn what_was_due_first_comes_first_and_what_is_sent_again_comes_soon() {
        let mut schedule = Schedule::default();
        let [one, two, gossiped] = [1, 2, 3].map(B256::repeat_byte);
        schedule.add(gossiped, Intake::Gossiped);
        schedule.add(one, Intake::Own);
        schedule.begin_round();
        schedule.add(two, Intake::Own);
        assert_eq!(schedule.first_due(), None);
        assert!(schedule.claim(&gossiped) && !schedule.claim(&gossiped));
        let turn = |hash, age| Some(Turn { hash, age });
        assert_eq!(schedule.first_due(), turn(gossiped, 1));
        schedule.postpone(&gossiped);
        (0..4).for_each(|_| schedule.begin_round());
        assert_eq!(schedule.first_due(), turn(one, 5));
        schedule.remove(&one);
        assert_eq!(schedule.first_due(), turn(two, 4));
        schedule.remove(&two);
        assert_eq!((schedule.first_due(), schedule.len()), (None, 1));
        assert!(schedule.is_own(&gossiped) && !schedule.claim(&one));
    }
}
