//! What became of the plans on their way, and what holds.

use super::{Relay, RelayError};
use crate::limits::STEPS_PER_LOOK_MAX;
use crate::record::{Event, Hold, Inclusion, PlanProgress, Reason};
use crate::state::is_refusal;
use crate::target::{OpenPlans, PlanStatus, Target, View};

impl<T: Target> Relay<T> {
    /// Looks after every plan; says whether any has moved.
    pub(super) async fn settle(&mut self) -> Result<bool, RelayError> {
        let mut moved = self.revive().await?;
        let numbers: Vec<u64> = self.state.plans.keys().copied().collect();
        for number in numbers {
            moved |= self.look_after(number).await?;
        }
        Ok(moved)
    }

    /// Transactions of plans that were given up and that are there after all.
    async fn revive(&mut self) -> Result<bool, RelayError> {
        let mut moved = false;
        while !self.state.given_up.is_empty() {
            let state = &self.state;
            let found = self.target.revived(&state.given_up, &state.plans).await?;
            let Some(found) = found else {
                break;
            };
            let number = found.plan;
            let detail = format!("plan {number} was refused by every endpoint, and included");
            self.alarm("revived", detail.clone())?;
            if let Some(plan) = found.instead_of {
                let code = "overtaken".into();
                let reason = Reason { code, detail };
                self.record(vec![Event::Released { plan, reason }])?;
            }
            self.record(vec![Event::Revived { plan: number }])?;
            moved = true;
        }
        Ok(moved)
    }

    /// Asks the target how a plan stands, and journals what it says; whether the plan has moved
    /// from or to a block, or is closed.
    pub(super) async fn look_after(&mut self, number: u64) -> Result<bool, RelayError> {
        let mut moved = false;
        for _ in 0..STEPS_PER_LOOK_MAX {
            if !self.state.plans.contains_key(&number) {
                break;
            }
            let open = OpenPlans {
                plans: &self.state.plans,
                now_ms: (self.clock)(),
            };
            let status = self.target.status(number, open).await;
            self.report_alarms()?;
            let plan = number;
            match status? {
                PlanStatus::Step(step) => self.record(vec![Event::Step { plan, step }])?,
                PlanStatus::Pending => {
                    let lost = self.lost(number, None)?;
                    if !lost {
                        break;
                    }
                    moved = true;
                }
                PlanStatus::Included(inclusion) => {
                    moved |= self.included(number, inclusion)?;
                    break;
                }
                PlanStatus::Final(inclusion) => {
                    self.settled(number, inclusion)?;
                    return Ok(true);
                }
                PlanStatus::Gone(reason) => {
                    self.gone(number, reason)?;
                    return Ok(true);
                }
            }
        }
        Ok(moved)
    }

    /// Records that the block of a plan went away, if it was in one other than this.
    fn lost(&mut self, plan: u64, now: Option<&Inclusion>) -> Result<bool, RelayError> {
        let progress = self.state.plans.get(&plan).map(|plan| &plan.progress);
        let Some(PlanProgress::Included(before)) = progress else {
            return Ok(false);
        };
        if now.is_some_and(|now| now.block_hash == before.block_hash) {
            return Ok(false);
        }
        let block_hash = before.block_hash;
        self.health.metrics.reorganised.inc();
        self.record(vec![Event::Reorganised { plan, block_hash }])?;
        Ok(true)
    }

    fn included(&mut self, plan: u64, inclusion: Inclusion) -> Result<bool, RelayError> {
        self.lost(plan, Some(&inclusion))?;
        let progress = self.state.plans.get(&plan).map(|plan| &plan.progress);
        if matches!(progress, Some(PlanProgress::Included(_)) | None) {
            return Ok(false);
        }
        self.setbacks = 0;
        self.record(vec![Event::Included { plan, inclusion }])?;
        Ok(true)
    }

    fn settled(&mut self, plan: u64, inclusion: Inclusion) -> Result<(), RelayError> {
        let items = self.state.plans.get(&plan).map(|plan| plan.items.clone());
        if inclusion.success {
            self.portion.more();
        } else {
            self.health.metrics.failed("reverted");
            self.set_back();
        }
        self.record(vec![Event::Final {
            plan,
            items: items.unwrap_or_default(),
            inclusion,
        }])
    }

    fn gone(&mut self, plan: u64, reason: Reason) -> Result<(), RelayError> {
        if is_refusal(&reason)
            && let Some(plan) = self.state.plans.get(&plan)
        {
            // What is planned next carries less.
            self.portion.less(&plan.items);
            self.set_back();
        }
        self.record(vec![Event::Released { plan, reason }])
    }

    /// Records that nothing is sent, if that is new.
    pub(super) fn hold_on(&mut self, reason: Hold) -> Result<(), RelayError> {
        if self.state.holds.contains(&reason) {
            return Ok(());
        }
        self.record(vec![Event::Held { reason }])
    }

    /// What holds, and what does no more.
    pub(super) fn hold(&mut self, view: &View) -> Result<(), RelayError> {
        let over: Vec<Hold> = self.state.holds.difference(&view.holds).cloned().collect();
        for reason in &view.holds {
            self.hold_on(reason.clone())?;
        }
        for reason in over {
            self.record(vec![Event::Resumed { reason }])?;
        }
        Ok(())
    }
}
