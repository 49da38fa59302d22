//! A validator's next key (SPEC §13.3): taken into use when the chain names it.

use std::sync::Arc;

use anyhow::Context;
use tbsi_home::Home;
use tbsi_store::Store;
use tbsi_types::{Genesis, PublicKey, Roster, SecretKey};
use tokio::task::spawn_blocking;
use tracing::info;

use crate::node::Node;

/// The key to validate with: the next one, if the set of the next block names it.
pub fn current_key(
    home: &Home,
    genesis: &Genesis,
    store: &Store,
    roster: &Roster,
    key: SecretKey,
) -> anyhow::Result<SecretKey> {
    let Some(next) = home
        .next_validator_key()?
        .filter(|next| named(roster, &next.public_key()))
    else {
        return Ok(key);
    };
    let tip = store.tip().context("the chain has no block")?;
    home.promote_next_key(genesis, &next, tip.height)?;
    info!(old = %key.public_key().address(), new = %next.public_key().address(),
        from = %tip.height.next(), "the next validator key is in use");
    Ok(next)
}

fn named(roster: &Roster, key: &PublicKey) -> bool {
    roster.members.get(&key.address()).is_some()
}

/// Returns when the chain names this home's next validator key: the node then has to start
/// anew with it. Never without a home.
pub(crate) async fn due(home: Option<Home>, node: Arc<Node>) -> anyhow::Result<()> {
    let Some(home) = home else {
        return std::future::pending().await;
    };
    let mut rosters = node.watch_roster();
    loop {
        let roster = rosters.borrow_and_update().clone();
        let here = home.clone();
        // An encrypted key file takes a second of work.
        let next = spawn_blocking(move || here.next_validator_key());
        if node.validator.is_some()
            && let Some(next) = next.await??
            && named(&roster, &next.public_key())
        {
            return Ok(());
        }
        if rosters.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Warns who runs a node that the chain does not know.
pub(crate) fn warn_if_unknown(roster: &Roster, peer_id: &str, validator: Option<&PublicKey>) {
    if !roster.peers.contains_key(peer_id) {
        tracing::warn!(
            peer_id,
            "the chain does not name this node, so nobody lets it in: its organisation has to \
             register it (tbsi operator register)"
        );
    } else if let Some(key) = validator
        && !named(roster, key)
    {
        info!(validator = %key.address(),
            "this validator key is not in the validator set: the node follows until it is");
    }
}
