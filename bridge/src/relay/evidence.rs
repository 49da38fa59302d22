//! Proof of misbehaviour: two validly signed checkpoints of one height freeze the light client.
//! It goes before everything else, and also while nothing else is sent.

use tbsi_types::Height;
use tokio::time::Instant;

use super::send::Ready;
use super::{Relay, RelayError};
use crate::record::{Event, Hold, Item, Reason};
use crate::state::Stage;
use crate::target::{Load, Prepared, Target, View};

/// What a request for the evidence of a height is named like, before the height.
const REQUEST: &str = "evidence-";

/// Name of the request for the evidence of a height.
pub fn evidence_request(height: u64) -> String {
    format!("{REQUEST}{height}")
}

/// The height that a request is for.
pub(super) fn asked(name: &str) -> Option<u64> {
    name.strip_prefix(REQUEST)?.parse().ok()
}

impl<T: Target> Relay<T> {
    /// Whether nothing is left to be done about a conflict.
    pub(super) fn is_told(&self, height: u64) -> bool {
        match self.state.items.get(&Item::Evidence(height)) {
            None => true,
            Some(entry) => matches!(entry.stage, Stage::Quarantined(_)),
        }
    }

    /// Sends what waits; what a final block shows to be frozen is settled.
    pub(super) async fn evidence(&mut self, view: &View) -> Result<(), RelayError> {
        let waiting = self.state.waiting.iter().copied();
        let heights: Vec<u64> = waiting.filter_map(Item::evidence).collect();
        if heights.is_empty() {
            return Ok(());
        }
        let finally = view.final_client.as_ref();
        if finally.and_then(|it| it.hold.as_ref()) == Some(&Hold::Frozen) {
            let items = heights.into_iter().map(Item::Evidence).collect();
            let block = view.finalized.number;
            return self.record(vec![Event::AlreadyDone { items, block }]);
        }
        let held = |hold: &Hold| matches!(hold, Hold::Target(_));
        let held = self.state.holds.iter().any(held);
        let full = self.state.plans.len() >= self.config.batch.in_flight_max;
        let frozen = view.client.hold == Some(Hold::Frozen);
        if held || full || frozen || Instant::now() < self.not_before {
            return Ok(());
        }
        // One is enough: the next one would find the light client frozen.
        match heights.first() {
            Some(height) => self.tell(*height).await,
            None => Ok(()),
        }
    }

    async fn tell(&mut self, height: u64) -> Result<(), RelayError> {
        let all = self.source.all_at(Height(height)).await?;
        let [one, other, ..] = all.as_slice() else {
            let detail = format!(
                "the endpoints show {} checkpoint of height {height}; ask again with an endpoint \
                 that shows the other one",
                all.len()
            );
            return self.no_evidence(height, "noConflict", detail);
        };
        let load = Load::Conflict(Box::new((one.clone(), other.clone())));
        match self.target.prepare(&load).await? {
            Prepared::Ready(draft) => {
                let items = vec![Item::Evidence(height)];
                let under = one.clone();
                let ready = Ready {
                    items,
                    draft,
                    under,
                };
                self.send(ready).await
            }
            Prepared::TooLarge(Reason { code, detail }) => self.no_evidence(height, &code, detail),
            // Somebody was faster: a final block will say so.
            Prepared::Refused {
                hold: Some(Hold::Frozen),
                ..
            } => Ok(()),
            Prepared::Refused { code, detail, .. } => self.no_evidence(height, &code, detail),
        }
    }

    fn no_evidence(&mut self, height: u64, code: &str, detail: String) -> Result<(), RelayError> {
        self.health.metrics.failed("quarantined");
        let code = code.into();
        self.record(vec![Event::Quarantined {
            items: vec![Item::Evidence(height)],
            reason: Reason { code, detail },
        }])
    }
}
