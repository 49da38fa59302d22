//! Who signs for a node's validator.

use std::sync::Arc;

use tbsi_home::Home;
use tbsi_home::config::SignerConfig;
use tbsi_keys::signer::RemoteSigner;
use tbsi_keys::{LocalSigner, Position, SignState, Step, VoteSigner};
use tbsi_store::Store;
use tbsi_types::{Address, Genesis, Height, PublicKey, Roster, SecretKey};
use tracing::info;

use crate::decisions::NodeDecisions;
use crate::node::Node;
use crate::rotation::current_key;

/// The key to validate with and its sign-state; refuses one that is older than the chain.
pub(super) fn local_signer(
    home: &Home,
    genesis: &Genesis,
    store: &Store,
    roster: &Roster,
    key: SecretKey,
) -> anyhow::Result<LocalSigner> {
    let key = current_key(home, genesis, store, roster, key)?;
    let (chain, address) = (genesis.identity(), key.public_key().address());
    let state = SignState::open(&home.sign_state_file(), chain, address)?;
    state.require_at_least(highest_signed(store, address)?)?;
    Ok(LocalSigner::new(chain, key, state))
}

/// The validator key that this node votes with, wherever it is.
pub(super) fn own_key(
    local: Option<&LocalSigner>,
    remote: Option<&SignerConfig>,
) -> anyhow::Result<Option<PublicKey>> {
    Ok(match (local, remote) {
        (Some(local), _) => Some(local.public_key()),
        (None, Some(remote)) => Some(PublicKey::parse(&remote.validator_key)?),
        (None, None) => None,
    })
}

/// Who signs for this node's validator, if it has one.
pub(super) async fn vote_signer(
    local: Option<LocalSigner>,
    home: &Home,
    node: &Arc<Node>,
    remote: Option<&SignerConfig>,
) -> anyhow::Result<Option<Box<dyn VoteSigner>>> {
    Ok(match (local, remote) {
        (Some(local), _) => Some(Box::new(local)),
        (None, Some(remote)) => Some(remote_signer(home, node, remote).await?),
        (None, None) => None,
    })
}

/// Connects to the signer that has this node's validator key.
async fn remote_signer(
    home: &Home,
    node: &Arc<Node>,
    signer: &SignerConfig,
) -> anyhow::Result<Box<dyn VoteSigner>> {
    let expected = PublicKey::parse(&signer.validator_key)?;
    let signed = highest_signed(&node.store, expected.address())?;
    let remote = RemoteSigner::connect(
        signer.address.clone(),
        home.load_link_key()?,
        signer.public_key.0,
        node.identity,
        expected,
        signed,
        Arc::new(NodeDecisions(Arc::clone(node))),
    );
    let remote = remote.await?;
    info!(address = %signer.address, "connected to the signer");
    Ok(Box::new(remote))
}

/// The last precommit of this validator that a certificate here carries, however old it is.
pub fn highest_signed(store: &Store, validator: Address) -> anyhow::Result<Position> {
    let last = store.last_signed(&validator)?;
    Ok(
        last.map_or(Position::start_of(Height::GENESIS), |(height, round)| {
            Position {
                height,
                round,
                step: Step::Precommit,
            }
        }),
    )
}
