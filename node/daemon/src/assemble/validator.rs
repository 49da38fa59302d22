//! Who signs for this node: a key in its home, or a signer.

use tbsi_engine::{SignState, Validator};
use tbsi_store::Store;
use tbsi_types::{
    Address, ChainIdentity, CommitSignature, Genesis, Height, PublicKey, Roster, SecretKey,
};
use tracing::info;

use crate::config::SignerConfig;
use crate::home::Home;
use crate::rotation::current_key;
use crate::signer::RemoteSigner;

/// `None` for an observer, which has neither a key nor a signer.
pub(super) async fn validator(
    home: &Home,
    genesis: &Genesis,
    store: &Store,
    roster: &Roster,
    key: Option<SecretKey>,
    signer: Option<&SignerConfig>,
) -> anyhow::Result<Option<Validator>> {
    match (key, signer) {
        (Some(key), _) => {
            let key = current_key(home, genesis, store, roster, key)?;
            let state = open_sign_state(home, store, genesis, &key)?;
            Ok(Some(Validator::Local(key, state)))
        }
        (None, Some(signer)) => {
            let remote = remote_signer(home, store, genesis.identity(), signer);
            Ok(Some(remote.await?))
        }
        (None, None) => Ok(None),
    }
}

/// Opens the sign-state of this node's key; refuses one that is older than the chain.
fn open_sign_state(
    home: &Home,
    store: &Store,
    genesis: &Genesis,
    key: &SecretKey,
) -> anyhow::Result<SignState> {
    let address = key.public_key().address();
    let state = SignState::open(&home.sign_state_file(), genesis.identity(), address)?;
    state.require_at_least(highest_signed(store, address)?)?;
    Ok(state)
}

/// Connects to the signer that has this node's validator key.
async fn remote_signer(
    home: &Home,
    store: &Store,
    chain: ChainIdentity,
    signer: &SignerConfig,
) -> anyhow::Result<Validator> {
    let expected = PublicKey::parse(&signer.validator_key)?;
    let signed = highest_signed(store, expected.address())?;
    let remote = RemoteSigner::connect(
        signer.address.clone(),
        home.load_link_key()?,
        signer.public_key.0,
        chain,
        expected,
        signed,
    );
    let remote = remote.await?;
    info!(address = %signer.address, "connected to the signer");
    Ok(Validator::Other(Box::new(remote)))
}

/// The last height whose certificate carries this validator's signature. A quorum leaves some
/// out, so a few blocks are looked at.
fn highest_signed(store: &Store, validator: Address) -> anyhow::Result<Height> {
    const CERTIFICATES_MAX: usize = 256;
    let mut height = store.tip().map(|tip| tip.height);
    for _ in 0..CERTIFICATES_MAX {
        let Some(at) = height.filter(|height| *height > Height::GENESIS) else {
            break;
        };
        let certificate = store.certificate(at)?;
        let signed = |entry: &CommitSignature| entry.validator == validator;
        if certificate.is_some_and(|certificate| certificate.signatures().iter().any(signed)) {
            return Ok(at);
        }
        height = at.previous();
    }
    Ok(Height::GENESIS)
}
