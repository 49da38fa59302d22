//! What goes into the next transactions. One *advance* at a time brings handovers, a checkpoint
//! and the leaves that need it; other leaves go in batches under the light client's newest
//! checkpoint.

use tbsi_types::{Handover, Height, LeafIndex, NamedValidators};
use tokio::time::Instant;

use super::portion::Portion;
use super::send::Ready;
use super::{Relay, RelayError};
use crate::limits::FAILURES_MAX;
use crate::record::{Event, Item, Reason};
use crate::source::Proven;
use crate::state::{Plan, PlanProgress};
use crate::target::{Advance, Kept, Load, Prepared, Target, View};

/// Changes of the validator set, each with the new set.
type Handovers = [(Handover, NamedValidators)];

impl<T: Target> Relay<T> {
    pub(super) async fn plan(&mut self, tip: &Proven, view: &View) -> Result<(), RelayError> {
        self.settle_passed(view)?;
        self.give_up()?;
        self.settle_messages(view).await?;
        if self.state.is_held() || Instant::now() < self.not_before {
            return Ok(());
        }
        if self.has_room() {
            self.advance(tip, view).await?;
        }
        self.leaves(view).await?;
        self.messages(view).await?;
        self.upkeep().await
    }

    pub(super) fn has_room(&self) -> bool {
        !self.state.is_held() && self.state.plans.len() < self.config.batch.in_flight_max
    }

    /// Checkpoints and handovers that are behind the light client in a final block.
    fn settle_passed(&mut self, view: &View) -> Result<(), RelayError> {
        let Some(client) = &view.final_client else {
            return Ok(());
        };
        let passed = |item: &&Item| match item {
            Item::Checkpoint(height) => *height <= client.height,
            Item::Handover(height) => *height < client.height,
            Item::Evidence(_) | Item::Leaf(_) | Item::Message(_) => false,
        };
        let items: Vec<Item> = self.state.waiting.iter().filter(passed).copied().collect();
        if items.is_empty() {
            return Ok(());
        }
        let block = view.finalized.number;
        self.record(vec![Event::AlreadyDone { items, block }])
    }

    /// Sets aside what failed in blocks too often.
    fn give_up(&mut self) -> Result<(), RelayError> {
        let failed = self.state.waiting.iter().filter(|item| {
            // Checkpoints and handovers are tried again as long as leaves need them.
            let once = item.leaf().is_some() || matches!(item, Item::Evidence(_));
            let entry = self.state.items.get(item).filter(|_| once);
            entry.is_some_and(|entry| entry.failures >= FAILURES_MAX)
        });
        let items: Vec<Item> = failed.copied().collect();
        if items.is_empty() {
            return Ok(());
        }
        let reason = Reason {
            code: "reverted".into(),
            detail: format!("{FAILURES_MAX} transactions with it failed in a block"),
        };
        self.record(vec![Event::Quarantined { items, reason }])
    }

    fn waiting_leaves(&self, range: std::ops::Range<u64>, most: usize) -> Vec<u64> {
        // The light client may hold a longer log than the nodes that are asked show.
        let end = range.end.max(range.start);
        let range = Item::Leaf(range.start)..Item::Leaf(end);
        let leaves = self
            .state
            .waiting
            .range(range)
            .filter_map(|item| item.leaf());
        leaves.take(most).collect()
    }

    async fn advance(&mut self, tip: &Proven, view: &View) -> Result<(), RelayError> {
        let moves = |item: &Item| matches!(item, Item::Checkpoint(_) | Item::Handover(_));
        let busy = self.state.plans.values().any(|plan: &Plan| {
            let on_its_way = !matches!(plan.progress, PlanProgress::Included(_));
            on_its_way && plan.items.iter().any(moves)
        });
        let client = &view.client;
        let size = tip.decision.checkpoint.log_size.0;
        let most = self.config.batch.leaves_max;
        let leaves = self.waiting_leaves(client.log_size..size, most);
        let asked = self.state.waiting.iter().rev();
        let asked = asked
            .filter_map(|item| item.checkpoint())
            .find(|height| *height > client.height);
        let messages = self.has_messages_in(client.log_size..size);
        if busy || (leaves.is_empty() && asked.is_none() && !messages) {
            return Ok(());
        }
        // A leaf needs the tip; a checkpoint that waits for its own sake is as good otherwise.
        let under = match asked {
            Some(height) if leaves.is_empty() && !messages => {
                self.source.at(Height(height)).await?
            }
            _ => tip.clone(),
        };
        if under.decision.checkpoint.height.0 <= client.height {
            return Ok(());
        }
        self.advance_to(&under, view, &leaves).await
    }

    /// As much of an advance as one transaction takes: fewer leaves, then fewer handovers.
    async fn advance_to(
        &mut self,
        under: &Proven,
        view: &View,
        leaves: &[u64],
    ) -> Result<(), RelayError> {
        let client = &view.client;
        let height = under.decision.checkpoint.height;
        let mut handovers = self.source.handovers_from(client.validator_set, height);
        handovers.retain(|(handover, _)| handover.first.checkpoint.height.0 > client.height);
        let mut portion = self.portion;
        portion.beside = portion.beside.min(self.target.leaf_capacity().beside);
        loop {
            let items = advance_items(&handovers, height, leaves, &portion);
            let tried = self.try_advance(under, &handovers, &items).await?;
            let carries = items.iter().any(|item| item.leaf().is_some());
            match tried {
                Prepared::Ready(draft) => {
                    let under = under.clone();
                    let ready = Ready {
                        items,
                        draft,
                        under,
                    };
                    return self.send(ready).await;
                }
                Prepared::Refused {
                    hold: Some(hold), ..
                } => return self.hold_on(hold),
                Prepared::TooLarge(_) if portion.less(&items) => {}
                // Without leaves it shows whether one of them is to blame.
                Prepared::Refused { .. } if carries => portion.beside = 0,
                Prepared::TooLarge(Reason { code, detail })
                | Prepared::Refused { code, detail, .. } => {
                    self.health.metrics.failed("refused");
                    self.set_back();
                    return self.alarm(&code, detail);
                }
            }
        }
    }

    /// Handovers up to the checkpoint, the checkpoint, and leaves under it, as far as they are
    /// among the items.
    async fn try_advance(
        &mut self,
        under: &Proven,
        handovers: &Handovers,
        items: &[Item],
    ) -> Result<Prepared<T::Draft>, RelayError> {
        let count = items.iter();
        let count = count.filter(|item| matches!(item, Item::Handover(_)));
        let mut load = Advance {
            handovers: handovers[..count.count()].to_vec(),
            ..Advance::default()
        };
        if items.iter().any(|item| item.checkpoint().is_some()) {
            load.checkpoint = Some(under.clone());
        }
        let leaves = items.iter().filter_map(|item| item.leaf());
        let indexes: Vec<LeafIndex> = leaves.map(LeafIndex).collect();
        if !indexes.is_empty() {
            let proven = self.source.prove_leaves(&indexes, under).await?;
            load.leaves = Some((proven, under.clone()));
        }
        let load = Load::Advance(Box::new(load));
        Ok(self.target.prepare(&load).await?)
    }

    /// Leaves that the light client's newest checkpoint covers.
    async fn leaves(&mut self, view: &View) -> Result<(), RelayError> {
        let client = &view.client;
        let mut from = 0;
        let mut under = None;
        while self.has_room() {
            let fits = self.portion.batch.min(self.target.leaf_capacity().batch);
            let most = self.config.batch.leaves_max.min(fits);
            let asked = self.waiting_leaves(from..client.log_size, most);
            let Some(last) = asked.last() else {
                return Ok(());
            };
            from = last + 1;
            let leaves = self.not_recorded(asked, view).await?;
            if leaves.is_empty() {
                continue;
            }
            if under.is_none() {
                under = self.common(view).await?;
            }
            let Some(under) = under.clone() else {
                return Ok(());
            };
            self.batch(leaves, &under).await?;
        }
        Ok(())
    }

    /// Those that are not recorded after the latest block; what a final block has is settled.
    async fn not_recorded(
        &mut self,
        leaves: Vec<u64>,
        view: &View,
    ) -> Result<Vec<u64>, RelayError> {
        let latest = self.target.has(Kept::Leaves(&leaves), view.latest).await?;
        let (mut open, mut done) = (Vec::new(), Vec::new());
        for (leaf, recorded) in leaves.into_iter().zip(latest) {
            if recorded {
                done.push(leaf);
            } else {
                open.push(leaf);
            }
        }
        if !done.is_empty() && view.final_client.is_some() {
            let recorded = self.target.has(Kept::Leaves(&done), view.finalized).await?;
            let settled = done.iter().zip(recorded).filter(|(_, recorded)| *recorded);
            let items: Vec<Item> = settled.map(|(leaf, _)| Item::Leaf(*leaf)).collect();
            if !items.is_empty() {
                let block = view.finalized.number;
                self.record(vec![Event::AlreadyDone { items, block }])?;
            }
        }
        Ok(open)
    }

    /// Sends as many of these as one transaction takes. If the contract refuses them, halves
    /// are tried until one leaf alone is to blame, and that one is set aside.
    async fn batch(&mut self, mut leaves: Vec<u64>, under: &Proven) -> Result<(), RelayError> {
        loop {
            let indexes: Vec<LeafIndex> = leaves.iter().copied().map(LeafIndex).collect();
            let proven = self.source.prove_leaves(&indexes, under).await?;
            let items: Vec<Item> = leaves.iter().copied().map(Item::Leaf).collect();
            let load = Load::Advance(Box::new(Advance {
                leaves: Some((proven, under.clone())),
                ..Advance::default()
            }));
            let reason = match self.target.prepare(&load).await? {
                Prepared::Ready(draft) => {
                    let under = under.clone();
                    let ready = Ready {
                        items,
                        draft,
                        under,
                    };
                    return self.send(ready).await;
                }
                Prepared::Refused {
                    hold: Some(hold), ..
                } => return self.hold_on(hold),
                Prepared::TooLarge(reason) => reason,
                Prepared::Refused { code, detail, .. } => Reason { code, detail },
            };
            if leaves.len() == 1 {
                self.health.metrics.failed("quarantined");
                return self.record(vec![Event::Quarantined { items, reason }]);
            }
            leaves.truncate(leaves.len() / 2);
        }
    }
}

/// What an advance carries of all that there is, as far as a portion lets it. If there are more
/// handovers than fit, these alone.
fn advance_items(
    handovers: &Handovers,
    height: Height,
    leaves: &[u64],
    portion: &Portion,
) -> Vec<Item> {
    let some = handovers.len().min(portion.handovers);
    let crossed = handovers[..some].iter();
    let crossed = crossed.map(|(handover, _)| handover.last.checkpoint.height.0);
    let mut items: Vec<Item> = crossed.map(Item::Handover).collect();
    let whole = some == handovers.len() && (portion.checkpoint || handovers.is_empty());
    if whole {
        items.push(Item::Checkpoint(height.0));
        let leaves = leaves.iter().take(portion.beside).copied();
        items.extend(leaves.map(Item::Leaf));
    }
    items
}
