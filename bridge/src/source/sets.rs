//! Validator sets, from genesis through verified handovers (SPEC §10.1).

use std::slice;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::B256;
use tbsi_light::{TrustAnchor, verify_decision};
use tbsi_rpc::ClientError;
use tbsi_types::{Handover, Height, NamedValidators};
use tokio::time::timeout;

use super::{Source, SourceError, answer_limit, causes, unavailable, within};

impl Source {
    /// Learns handovers up to `height` from an endpoint, each verified. A node gives a page of
    /// them at a time.
    pub(super) async fn follow(
        &mut self,
        endpoint: usize,
        height: Height,
    ) -> Result<(), SourceError> {
        loop {
            let known = self.handovers.len();
            self.follow_page(endpoint, height).await?;
            if self.handovers.len() == known {
                return Ok(());
            }
        }
    }

    async fn follow_page(&mut self, endpoint: usize, height: Height) -> Result<(), SourceError> {
        let from = self
            .handovers
            .last()
            .map(|last| last.first.checkpoint.height);
        let from = from.unwrap_or(Height(0));
        if from >= height {
            return Ok(());
        }
        let rpc = self.endpoints[endpoint].rpc.clone();
        let more = match timeout(answer_limit(), rpc.handovers(from)).await {
            Ok(Ok(more)) => more,
            // A node of an earlier version: its validator set never changes.
            Ok(Err(ClientError::Refused { code: -32_601, .. })) => return Ok(()),
            Ok(Err(error)) => return Err(unavailable(error.to_string())),
            Err(_) => return Err(unavailable("no answer")),
        };
        let lie = |problem: String| SourceError::NotProven {
            url: rpc.url().into(),
            problem,
        };
        for handover in more {
            let known = self.sets.last().unwrap_or(&self.genesis_set);
            let first = handover.first.checkpoint.height;
            if first.0 <= from.0 || first > height {
                continue;
            }
            if handover.validators.hash() != known.hash() {
                return Err(lie(format!(
                    "the handover at height {first} leaves one out"
                )));
            }
            let next = self.named_set(endpoint, first).await?;
            let trusted = self.anchors.last().unwrap_or(&self.genesis);
            let one = slice::from_ref(&handover);
            let followed = verify_decision(&handover.first, &next, one, trusted);
            let (anchor, _) = followed.map_err(|error| lie(causes(&error)))?;
            self.handovers.push(handover);
            self.sets.push(next);
            self.anchors.push(anchor);
        }
        Ok(())
    }

    /// The names of a height's validators, as an endpoint has them; their hash is checked by
    /// whoever uses them.
    async fn named_set(
        &self,
        endpoint: usize,
        height: Height,
    ) -> Result<NamedValidators, SourceError> {
        let rpc = &self.endpoints[endpoint].rpc;
        let tag = BlockNumberOrTag::Number(height.0);
        let set = within(rpc.validators(tag)).await.map_err(unavailable)?;
        let lie = |problem: String| SourceError::NotProven {
            url: rpc.url().into(),
            problem,
        };
        let set = set.ok_or_else(|| lie(format!("no validators of height {height}")))?;
        set.named().map_err(|error| lie(error.to_string()))
    }

    /// The known handovers before a height.
    fn handovers_before(&self, height: Height) -> &[Handover] {
        let before = self
            .handovers
            .partition_point(|handover| handover.first.checkpoint.height <= height);
        &self.handovers[..before]
    }

    /// What is trusted before a height, as far as handovers are known.
    pub(super) fn anchor_at(&self, height: Height) -> &TrustAnchor {
        match self.handovers_before(height).len() {
            0 => &self.genesis,
            count => &self.anchors[count - 1],
        }
    }

    /// The set that decides a height, as far as handovers are known.
    pub fn set_at(&self, height: Height) -> &NamedValidators {
        match self.handovers_before(height).len() {
            0 => &self.genesis_set,
            count => &self.sets[count - 1],
        }
    }

    /// Handovers, each with its new set, from the set with the hash `from` on, up to a height.
    pub fn handovers_from(&self, from: B256, height: Height) -> Vec<(Handover, NamedValidators)> {
        let known = self.handovers_before(height).iter().zip(&self.sets);
        known
            .skip_while(|(handover, _)| handover.validators.hash() != from)
            .map(|(handover, set)| (handover.clone(), set.clone()))
            .collect()
    }
}
