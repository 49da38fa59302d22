//! What an operator does to a node that does not run: out of a height that is stuck, and a
//! sign-state that only rises.

use std::fs;
use std::path::PathBuf;

use tbsi_home::config::Config;
use tbsi_home::{Home, HomeError, Reset};
use tbsi_keys::{Lock, LockUnknown, Position, SignState};
use tbsi_store::Store;
use tbsi_types::{Genesis, Height};

use crate::options::store_options;

/// How to recover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Vote at the stuck height again, though the sign-state does not tell on which block the
    /// validator is locked there. Its operator says that no node has decided it.
    pub vote_again: bool,
}

/// What was done, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The last decided height.
    pub tip: Height,
    /// Undecided blocks that were deleted.
    pub blocks: usize,
    /// Where consensus' write-ahead log is now, if there was one.
    pub log: Option<PathBuf>,
    /// Of the sign-state, if it is in this home.
    pub sign_state: Option<KeptSignState>,
}

/// What the sign-state says of the heights that are not decided here, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptSignState {
    /// The validator is locked on nothing.
    Free,
    /// It is locked on a block: it prevotes for that one or for none.
    Locked(Lock),
    /// Nobody knows of its lock, and it signs nothing up to the end of this height any more.
    Raised(Height),
    /// It signed nothing up to the end of this height before, and will not.
    Silent(Height),
    /// Nobody knows of its lock, and its operator lets it vote again.
    Unknown,
}

impl KeptSignState {
    /// Up to which height the validator signs nothing, if it does not.
    pub fn silent_until(self) -> Option<Height> {
        match self {
            Self::Raised(height) | Self::Silent(height) => Some(height),
            Self::Free | Self::Locked(_) | Self::Unknown => None,
        }
    }
}

/// Deletes the undecided blocks and moves consensus' write-ahead log away, so that the node
/// begins the height after its tip anew. For a node that does not run.
///
/// The log holds more than votes: it says on which block this validator is locked. One that
/// forgets it may precommit a second block, and if many do, two are decided. The sign-state has
/// the lock too, and keeps to it (SPEC §6.4). One that a version before this wrote last does not
/// tell of a lock: it is raised to the end of the height, unless the mark shows that there is no
/// lock, or the operators have made sure that nobody has decided it.
pub fn recover(home: &Home, how: Recovery) -> anyhow::Result<Recovered> {
    let loaded = home.load()?;
    let (store, tip) = match open_store(home, &loaded.genesis, &loaded.config)? {
        Some(store) => {
            let tip = store.tip().map_or(Height::GENESIS, |tip| tip.height);
            (store, tip)
        }
        None => {
            let dir = home.database_dir();
            return Err(refused(
                format!("{} is missing", dir.display()),
                "there is nothing to recover: `tbsi node run` makes it and fetches all blocks",
            ));
        }
    };
    let mut state = match &loaded.validator_key {
        Some(key) => {
            let address = key.public_key().address();
            let chain = loaded.genesis.identity();
            Some(SignState::open(&home.sign_state_file(), chain, address)?)
        }
        None => None,
    };
    let kept = state.as_ref().map(|state| kept(state, tip, how.vote_again));
    let log = match home.has_wal()? {
        true => Some(home.free_name("wal.replaced")?),
        false => None,
    };
    let recovered = Recovered {
        tip,
        blocks: store.undecided_count(),
        log,
        sign_state: kept,
    };
    if how.dry_run {
        return Ok(recovered);
    }
    // First, because without the log nobody knows of the lock.
    if let (Some(state), Some(height)) = (&mut state, kept.and_then(raised)) {
        state.raise(height)?;
    }
    if let Some(to) = &recovered.log {
        let from = home.wal_dir();
        fs::rename(&from, to).map_err(|source| HomeError::Io {
            operation: "move away",
            path: from.clone(),
            source,
        })?;
    }
    store.clear_undecided()?;
    Ok(recovered)
}

/// What the sign-state of a validator says that goes on above `tip`.
fn kept(state: &SignState, tip: Height, vote_again: bool) -> KeptSignState {
    let signed = state.mark().position();
    if signed.height <= tip {
        return KeptSignState::Free;
    }
    if signed == Position::end_of(signed.height) {
        return KeptSignState::Silent(signed.height);
    }
    match state.lock() {
        Ok(None) => KeptSignState::Free,
        Ok(Some(lock)) => KeptSignState::Locked(lock),
        Err(LockUnknown) if vote_again => KeptSignState::Unknown,
        Err(LockUnknown) => KeptSignState::Raised(signed.height),
    }
}

fn raised(kept: KeptSignState) -> Option<Height> {
    match kept {
        KeptSignState::Raised(height) => Some(height),
        KeptSignState::Free
        | KeptSignState::Locked(_)
        | KeptSignState::Silent(_)
        | KeptSignState::Unknown => None,
    }
}

/// Lets the validator key of a home sign nothing up to the end of `height`, as
/// [`Home::reset_sign_state`] does, and no less than the database says. `decided` is the height
/// of a verified checkpoint, or 0.
pub fn reset_sign_state(
    home: &Home,
    height: Height,
    decided: Height,
) -> anyhow::Result<Option<PathBuf>> {
    let voter = home.load_voter()?;
    // The store is held until the end: the node cannot start meanwhile.
    let store = match &voter.config {
        Some(config) => open_store(home, &voter.genesis, config)?,
        None => None,
    };
    let tip = store.as_ref().and_then(Store::tip);
    let to = Reset {
        height,
        tip: tip.map_or(Height::GENESIS, |tip| tip.height),
        decided,
    };
    Ok(home.reset_sign_state(&voter, to)?)
}

/// The database, if there is one. Only one process can have it open.
fn open_store(home: &Home, genesis: &Genesis, config: &Config) -> anyhow::Result<Option<Store>> {
    if !home.has_database()? {
        return Ok(None);
    }
    let options = store_options(&config.store);
    let store = Store::open(&home.database_dir(), genesis.identity(), options)?;
    Ok(Some(store))
}

fn refused(what: String, remedy: &str) -> anyhow::Error {
    let remedy = remedy.into();
    HomeError::Mismatch { what, remedy }.into()
}

#[cfg(test)]
mod tests;
