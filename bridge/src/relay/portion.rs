//! How much goes into the next transactions: less after one that was refused, more after one that
//! succeeded.

use crate::limits::{HANDOVERS_PER_PLAN_MAX, LEAVES_PER_PLAN_MAX};
use crate::record::Item;

/// The most that is tried. Every refusal makes it less until one thing is sent at a time, so that
/// what a node does not take is found in a few steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Portion {
    /// Leaves beside a checkpoint.
    pub(super) beside: usize,
    /// Leaves of a batch of their own.
    pub(super) batch: usize,
    /// Handovers.
    pub(super) handovers: usize,
    /// Whether a checkpoint goes with the last handover.
    pub(super) checkpoint: bool,
}

impl Default for Portion {
    fn default() -> Self {
        Self {
            beside: LEAVES_PER_PLAN_MAX,
            batch: LEAVES_PER_PLAN_MAX,
            handovers: HANDOVERS_PER_PLAN_MAX,
            checkpoint: true,
        }
    }
}

/// What one transaction has of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Content {
    leaves: usize,
    handovers: usize,
    checkpoint: bool,
}

impl Content {
    fn of(items: &[Item]) -> Self {
        let mut content = Self::default();
        for item in items {
            match item {
                Item::Leaf(_) => content.leaves += 1,
                Item::Handover(_) => content.handovers += 1,
                Item::Checkpoint(_) => content.checkpoint = true,
                Item::Evidence(_) | Item::Message(_) => {}
            }
        }
        content
    }
}

impl Portion {
    /// A transaction with these items is too much. `false` if there is nothing that could be left
    /// out of it.
    pub(super) fn less(&mut self, items: &[Item]) -> bool {
        let content = Content::of(items);
        let advance = content.handovers > 0 || content.checkpoint;
        if content.leaves > 0 && advance {
            self.beside = content.leaves / 2;
        } else if content.leaves > 1 {
            self.batch = content.leaves / 2;
        } else if content.handovers > 1 {
            self.handovers = content.handovers / 2;
        } else if content.handovers == 1 && content.checkpoint {
            self.checkpoint = false;
        } else {
            return false;
        }
        true
    }

    /// A transaction did what it was for.
    pub(super) fn more(&mut self) {
        let whole = Self::default();
        self.beside = (2 * self.beside).max(1).min(whole.beside);
        self.batch = (2 * self.batch).min(whole.batch);
        self.handovers = (2 * self.handovers).min(whole.handovers);
        self.checkpoint = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(handovers: u64, checkpoint: bool, leaves: u64) -> Vec<Item> {
        let mut items: Vec<Item> = (0..handovers).map(Item::Handover).collect();
        items.extend(checkpoint.then_some(Item::Checkpoint(99)));
        items.extend((0..leaves).map(Item::Leaf));
        items
    }

    /// What would be tried of this much under a portion.
    fn tried(portion: Portion, handovers: u64, leaves: u64) -> Vec<Item> {
        let some = handovers.min(portion.handovers as u64);
        let whole = some == handovers && (portion.checkpoint || handovers == 0);
        let leaves = if whole {
            leaves.min(portion.beside as u64)
        } else {
            0
        };
        items(some, whole, leaves)
    }

    #[test]
    fn an_advance_gets_smaller_until_one_thing_is_left() {
        for (handovers, leaves, last, steps) in [
            (8, 200, items(1, false, 0), 11),
            (30, 200, items(1, false, 0), 3),
            (1, 1, items(1, false, 0), 2),
            (0, 400, items(0, true, 0), 9),
            (0, 0, items(0, true, 0), 0),
        ] {
            let mut portion = Portion::default();
            let mut taken = 0;
            while portion.less(&tried(portion, handovers, leaves)) {
                taken += 1;
                assert!(taken < 100, "it never ends");
            }
            let smallest = tried(portion, handovers, leaves);
            assert_eq!((smallest, taken), (last, steps), "{handovers} {leaves}");
        }
    }

    #[test]
    fn a_batch_gets_smaller_until_one_leaf_is_left() {
        let mut portion = Portion::default();
        let mut leaves = 400;
        while portion.less(&items(0, false, leaves)) {
            assert!((portion.batch as u64) < leaves);
            leaves = portion.batch as u64;
        }
        assert_eq!(leaves, 1);
        assert!(!portion.less(&[Item::Message(1)]) && !portion.less(&[Item::Evidence(1)]));
    }

    #[test]
    fn after_successes_as_much_as_ever_is_tried() {
        let mut portion = Portion {
            beside: 0,
            batch: 1,
            handovers: 1,
            checkpoint: false,
        };
        for _ in 0..10 {
            portion.more();
        }
        assert_eq!(portion, Portion::default());
    }
}
