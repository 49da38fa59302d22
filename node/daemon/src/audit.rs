//! Whether a database holds what the validators signed, from the genesis file to its tip: every
//! certificate by the set that the block before names, every block by its checkpoint, the state,
//! the log and the map by the roots of the tip's checkpoint. Nothing is taken on trust but the
//! genesis file.

use tbsi_light::{TrustAnchor, verify_decision};
use tbsi_store::{AuditedLog, AuditedState, Store, StoreError, Tip};
use tbsi_types::{B256, BundleError, Checkpoint, Decision, Genesis, Height};

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditPart {
    /// Certificates and blocks.
    Blocks,
    /// Accounts.
    State,
    /// Leaves.
    Log,
}

/// How far an audit is: so many of so many, if that is known.
pub type AuditProgress<'a> = dyn FnMut(AuditPart, u64, Option<u64>) + 'a;

/// What was found to be right.
#[derive(Clone, Debug)]
pub struct AuditedChain {
    /// The last block.
    pub tip: Tip,
    /// Certificates that were verified: one for each block but that of genesis.
    pub certificates: u64,
    /// How often the validator set changed.
    pub handovers: u64,
    /// The oldest block above genesis whose transactions and receipts are there.
    pub oldest_block: Height,
    /// Of the state.
    pub state: AuditedState,
    /// Of the log and the map.
    pub log: AuditedLog,
}

/// What is wrong with a database.
#[derive(Debug, thiserror::Error)]
pub enum AuditFailure {
    /// Nothing is stored.
    #[error("the database has no block")]
    Empty,
    /// The disk, or what is stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The genesis file.
    #[error("genesis file")]
    Genesis(#[source] tbsi_light::VerifyError),
    /// Block 0 is not the genesis file's.
    #[error("block 0 is not that of the genesis file: it names {found}, expected {expected}")]
    GenesisBlock {
        /// In block 0.
        found: B256,
        /// Hash of the file.
        expected: B256,
    },
    /// A part of a block is not stored.
    #[error("the {what} of block {height} is missing")]
    Missing {
        /// Which part.
        what: &'static str,
        /// Of which block.
        height: Height,
    },
    /// A certificate does not hold.
    #[error("block {height} was not decided by the validators whom the block before names")]
    Decision {
        /// Its height.
        height: Height,
        /// Why not.
        #[source]
        source: Box<tbsi_light::VerifyBundleError>,
    },
    /// Names of validators that cannot be.
    #[error("the validator set of block {height}")]
    Names {
        /// Its height.
        height: Height,
        /// What is wrong.
        #[source]
        source: BundleError,
    },
}

/// Verifies everything; see the head of this module.
pub fn audit(
    store: &Store,
    genesis: &Genesis,
    progress: &mut AuditProgress<'_>,
) -> Result<AuditedChain, AuditFailure> {
    let tip = store.tip().ok_or(AuditFailure::Empty)?;
    let (mut anchor, mut before) = begin(store, genesis)?;
    for height in (1..=tip.height.0).map(Height) {
        let checkpoint = store.audit_block(height, Some(&before))?;
        anchor = extend(store, &checkpoint, &anchor)?;
        before = checkpoint;
        progress(AuditPart::Blocks, height.0, Some(tip.height.0));
    }
    let mut accounts = 0;
    let state = store.audit_state(|| {
        accounts += 1;
        progress(AuditPart::State, accounts, None);
    })?;
    let leaves = Some(tip.log_size.0);
    let log = store.audit_log(|done| progress(AuditPart::Log, done, leaves))?;
    Ok(AuditedChain {
        tip,
        certificates: tip.height.0,
        handovers: store.handover_count(),
        oldest_block: store.oldest_block(),
        state,
        log,
    })
}

/// Verifies the certificate of the tip, through every change of the validator set since genesis.
pub fn audit_tip(store: &Store, genesis: &Genesis) -> Result<Tip, AuditFailure> {
    let tip = store.tip().ok_or(AuditFailure::Empty)?;
    let (mut anchor, _) = begin(store, genesis)?;
    let heights = store.handovers(Height::GENESIS, tip.height, usize::MAX);
    for height in heights.into_iter().chain([tip.height]) {
        // The last block of a set, and then the first of the next one: what it hands over to is
        // in its own checkpoint.
        if height > Height::GENESIS {
            let checkpoint = checkpoint(store, height)?;
            anchor = extend(store, &checkpoint, &anchor)?;
        }
    }
    Ok(tip)
}

/// What is trusted, and block 0.
fn begin(store: &Store, genesis: &Genesis) -> Result<(TrustAnchor, Checkpoint), AuditFailure> {
    let anchor = TrustAnchor::genesis(genesis).map_err(AuditFailure::Genesis)?;
    let first = store.audit_block(Height::GENESIS, None)?;
    let header = store.header(Height::GENESIS)?;
    let named = header.map(|header| header.extra_data).unwrap_or_default();
    let (found, expected) = (B256::left_padding_from(tail(&named)), genesis.hash());
    if found != expected {
        return Err(AuditFailure::GenesisBlock { found, expected });
    }
    Ok((anchor, first))
}

/// The last 32 bytes.
fn tail(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.len().saturating_sub(32)..]
}

fn checkpoint(store: &Store, height: Height) -> Result<Checkpoint, AuditFailure> {
    let what = "checkpoint";
    let stored = store.checkpoint(height)?;
    stored.ok_or(AuditFailure::Missing { what, height })
}

/// What may be trusted after a decision.
fn extend(
    store: &Store,
    checkpoint: &Checkpoint,
    anchor: &TrustAnchor,
) -> Result<TrustAnchor, AuditFailure> {
    let height = checkpoint.height;
    let missing = |what| AuditFailure::Missing { what, height };
    let certificate = store.certificate(height)?;
    let members = store.members(checkpoint.validator_set_hash)?;
    let members = members.ok_or_else(|| missing("validator set"))?;
    let validators = members.named();
    let validators = validators.map_err(|source| AuditFailure::Names { height, source })?;
    let decision = Decision {
        checkpoint: *checkpoint,
        certificate: certificate.ok_or_else(|| missing("certificate"))?,
    };
    let verified = verify_decision(&decision, &validators, &[], anchor);
    let (next, _) = verified.map_err(|source| AuditFailure::Decision {
        height,
        source: Box::new(source),
    })?;
    Ok(next)
}
