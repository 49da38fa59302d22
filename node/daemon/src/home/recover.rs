//! Out of a height that is stuck: what is undecided is cleared, what was signed is kept.

use std::fs;
use std::path::PathBuf;

use tbsi_keys::{SignState, Step};
use tbsi_types::Height;

use super::{Home, HomeError, failed, mismatch, there};

/// How to recover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Vote at the stuck height again. Its operator says that no node has decided it.
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
    /// Up to this height the validator signs nothing any more; `None` if it votes on.
    pub silent_until: Option<Height>,
}

impl Home {
    /// Deletes the undecided blocks and moves consensus' write-ahead log away, so that the node
    /// begins the height after its tip anew. For a node that does not run.
    ///
    /// The log holds more than votes: it says on which block this validator is locked. One that
    /// forgets it may precommit a second block, and if many do, two are decided. So the sign-state
    /// is raised to the end of the height, unless the mark shows that there is no lock, or the
    /// operators have made sure that nobody has decided it.
    pub fn recover(&self, how: Recovery) -> Result<Recovered, HomeError> {
        let home = self.load()?;
        let (store, tip) = match self.open_store(&home)? {
            Some(store) => {
                let tip = store.tip().map_or(Height::GENESIS, |tip| tip.height);
                (store, tip)
            }
            None => {
                let dir = self.database_dir();
                return Err(mismatch(
                    format!("{} is missing", dir.display()),
                    "there is nothing to recover: `tbsi node run` makes it and fetches all blocks",
                ));
            }
        };
        if home.config.signer.is_some() && !how.vote_again {
            return Err(mismatch(
                "this node's sign-state is with its signer".into(),
                &format!(
                    "either stop the signer, run `tbsi keys reset-sign-state --home SIGNER \
                     --height {}` there, and then this with --vote-again; or make sure first that \
                     no node has decided that height",
                    tip.next()
                ),
            ));
        }
        let mut state = match &home.validator_key {
            Some(key) => {
                let address = key.public_key().address();
                let chain = home.genesis.identity();
                Some(SignState::open(&self.sign_state_file(), chain, address)?)
            }
            None => None,
        };
        let silent_until = state.as_ref().and_then(|state| lock_height(state, tip));
        let silent_until = silent_until.filter(|_| !how.vote_again);
        let log = match there(&self.wal_dir())? {
            true => Some(self.free_name("wal.replaced")?),
            false => None,
        };
        let recovered = Recovered {
            tip,
            blocks: store.undecided_count(),
            log,
            silent_until,
        };
        if how.dry_run {
            return Ok(recovered);
        }
        // First, because without the log nobody knows of the lock.
        if let (Some(state), Some(height)) = (&mut state, silent_until) {
            state.raise(height)?;
        }
        if let Some(to) = &recovered.log {
            let from = self.wal_dir();
            fs::rename(&from, to).map_err(failed("move away", &from))?;
        }
        store.clear_undecided()?;
        Ok(recovered)
    }
}

/// The height at which the validator may be locked: it has signed there beyond the prevote of
/// round 0, and only who precommits is locked.
fn lock_height(state: &SignState, tip: Height) -> Option<Height> {
    let mark = state.mark();
    let locked = mark.round.0 > 0 || mark.step == Step::Precommit;
    (mark.height > tip && locked).then_some(mark.height)
}
