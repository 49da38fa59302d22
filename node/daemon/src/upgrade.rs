//! The upgrade that waits (SPEC §13.12): what the node follows, and what it says of it.

use std::time::Duration;

use tbsi_rpc::wire::{ProtocolStatus, UpgradeStatus};
use tbsi_types::Height;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::limits::{UPGRADE_PACE_BLOCKS, UPGRADE_REMIND_INTERVAL};
use crate::node::Node;
use crate::rules::{NextRules, Outdated};

impl Node {
    /// Takes over what a committed block has changed of upgrades.
    pub(crate) fn follow_upgrades(&self) -> anyhow::Result<()> {
        let (before, now) = (self.rules(), NextRules::at_tip(&self.store, &self.genesis)?);
        if let (Some(was), None) = (before.waiting(), now.waiting()) {
            let (number, height) = (was.number, was.height);
            let outcome = now.last.as_ref().map(|it| it.outcome());
            let outcome = outcome.unwrap_or("unknown");
            info!(upgrade = number, %height, outcome, protocol = now.block.head.protocol,
                gas_limit = now.block.gas_limit, "an upgrade no longer waits");
        }
        self.set_rules(now);
        Ok(())
    }

    /// Why this program cannot go on above the tip.
    pub(crate) fn outdated(&self) -> Option<Outdated> {
        self.rules().outdated(self.protocol, self.tip().height)
    }

    /// Seconds until a height, as fast as blocks came of late; 0 for one that is there.
    fn seconds_until(&self, height: Height) -> Option<u64> {
        let tip = self.tip();
        let first = Height(tip.height.0.saturating_sub(UPGRADE_PACE_BLOCKS));
        let blocks = tip.height.above(first);
        let before = self.store.checkpoint(first).ok()??;
        let took = tip.time.0.saturating_sub(before.time.0);
        let left = u128::from(height.above(tip.height)) * u128::from(took);
        let ms = left.checked_div(u128::from(blocks))?;
        u64::try_from(ms / 1_000).ok()
    }

    /// Versions, and the upgrade that waits.
    pub(crate) fn protocol_status(&self) -> ProtocolStatus {
        let rules = self.rules();
        let upgrade = rules.waiting().map(|planned| UpgradeStatus {
            number: planned.number,
            height: planned.height,
            protocol: planned.protocol,
            version: planned.version.clone(),
            seconds: self.seconds_until(planned.height),
            supported: planned.protocol <= self.protocol,
        });
        ProtocolStatus {
            in_force: rules.block.head.protocol,
            supported: self.protocol,
            upgrade,
        }
    }

    /// What an operator has to do before an upgrade; `None` if nothing.
    pub(crate) fn upgrade_warning(&self) -> Option<String> {
        let upgrade = self.protocol_status().upgrade?;
        (!upgrade.supported).then(|| warning(&upgrade, self.protocol))
    }
}

fn warning(upgrade: &UpgradeStatus, supported: u32) -> String {
    let when = upgrade.seconds.map(|seconds| {
        let hours = seconds / 3_600;
        format!(", in about {hours} h")
    });
    format!(
        "upgrade {} needs protocol version {} from height {} on{}, and this program supports \
         {supported}: install tbsi {} or newer before, or this node stops there if validators \
         with a quorum are ready",
        upgrade.number,
        upgrade.protocol,
        upgrade.height,
        when.unwrap_or_default(),
        upgrade.version,
    )
}

/// Says what waits: once, and what this program does not support again and again.
#[derive(Debug, Default)]
pub(crate) struct Reminder {
    said: Option<(u32, Instant)>,
}

impl Reminder {
    pub(crate) fn tick(&mut self, node: &Node, now: Instant) {
        let Some(upgrade) = node.protocol_status().upgrade else {
            self.said = None;
            return;
        };
        let known = self.said.filter(|(number, _)| *number == upgrade.number);
        let due = |(_, at): (u32, Instant)| now.duration_since(at) >= UPGRADE_REMIND_INTERVAL;
        if known.is_some_and(|said| upgrade.supported || !due(said)) {
            return;
        }
        self.said = Some((upgrade.number, now));
        let (number, height) = (upgrade.number, upgrade.height);
        if upgrade.supported {
            let seconds = upgrade.seconds.map(Duration::from_secs);
            info!(upgrade = number, %height, protocol = upgrade.protocol, ?seconds,
                "an upgrade waits, which this program supports; `tbsi upgrade status` says who is \
                 ready");
        } else {
            warn!(upgrade = number, %height, "{}", warning(&upgrade, node.protocol));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_says_what_to_do_and_by_when() {
        let upgrade = UpgradeStatus {
            number: 4,
            height: Height(200),
            protocol: 2,
            version: "2.0.0".into(),
            seconds: Some(3 * 86_400 + 60),
            supported: false,
        };
        let words = warning(&upgrade, 1);
        for part in ["upgrade 4", "height 200", "in about 72 h", "tbsi 2.0.0"] {
            assert!(words.contains(part), "{words}: {part}");
        }
    }
}
