//! What this node shows to the signer that has its validator key (SPEC §6.8).

use std::error::Error;
use std::sync::Arc;

use tbsi_keys::signer::{Decisions, ShownDecision};
use tbsi_types::Height;

use crate::node::Node;

/// Decisions from the node's store.
pub(crate) struct NodeDecisions(pub(crate) Arc<Node>);

impl Decisions for NodeDecisions {
    fn next(&self, height: Height) -> Result<Option<ShownDecision>, Box<dyn Error + Send + Sync>> {
        let (store, tip) = (&self.0.store, self.0.tip().height);
        if tip <= height {
            return Ok(None);
        }
        let handovers = store.handovers(height.next(), tip, 1);
        let shown = handovers.first().copied().unwrap_or(tip);
        let missing = |what| format!("the {what} of block {shown} is not stored");
        let checkpoint = store
            .checkpoint(shown)?
            .ok_or_else(|| missing("checkpoint"))?;
        let members = store.members(checkpoint.validator_set_hash)?;
        let certificate = store.certificate(shown)?;
        Ok(Some(ShownDecision {
            checkpoint,
            validators: members
                .ok_or_else(|| missing("validator set"))?
                .set()
                .clone(),
            certificate: certificate.ok_or_else(|| missing("certificate"))?,
        }))
    }
}
