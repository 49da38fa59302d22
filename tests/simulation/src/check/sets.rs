//! Who decided which height, as the chain of checkpoints says: what a light client follows.

use std::sync::Arc;

use tbsi_types::{Address, Height, Members, ValidatorSet};

use super::{Findings, Rule, furthest};
use crate::world::World;

/// The validator sets of all heights up to one above the highest.
pub(super) struct Sets(Vec<Arc<Members>>);

impl Sets {
    /// From the honest node that is furthest. Each set is the one that the checkpoint before
    /// names as its next.
    pub(super) fn of(world: &World, findings: &mut Findings) -> Self {
        let founders = Arc::new(world.founding.roster.members.clone());
        let mut sets = vec![Arc::clone(&founders), founders];
        let Some((node, tip)) = furthest(world) else {
            return Self(sets);
        };
        let running = world.nodes[node].running.as_ref().expect("it has a tip");
        let store = &running.node.store;
        for height in 1..=tip.0 {
            let height = Height(height);
            let last = sets.last().expect("founders are there").clone();
            let Ok(Some(checkpoint)) = store.checkpoint(height) else {
                break;
            };
            if checkpoint.validator_set_hash != last.set().hash() {
                let what = format!("height {height} is not of the set that the one before names");
                findings.add(Rule::Validity, what);
            }
            if checkpoint.next_validator_set_hash == checkpoint.validator_set_hash {
                sets.push(last);
                continue;
            }
            match store.members(checkpoint.next_validator_set_hash) {
                Ok(Some(next)) if next.set().hash() == checkpoint.next_validator_set_hash => {
                    sets.push(Arc::new(next));
                }
                Ok(_) | Err(_) => {
                    let what = format!("height {height}: the next set is not there");
                    findings.add(Rule::Validity, what);
                    sets.push(last);
                }
            }
        }
        Self(sets)
    }

    /// Who decides a height, as far as it is known.
    pub(super) fn at(&self, height: Height) -> &ValidatorSet {
        self.members_at(height).set()
    }

    /// The same, under their names.
    pub(super) fn members_at(&self, height: Height) -> &Members {
        let index = usize::try_from(height.0).unwrap_or(usize::MAX);
        &self.0[index.min(self.0.len() - 1)]
    }

    /// Everybody who ever was in a set.
    pub(super) fn everybody(&self) -> Vec<Address> {
        let mut all: Vec<Address> = Vec::new();
        for members in &self.0 {
            all.extend(members.set().iter().map(|validator| validator.address));
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}
