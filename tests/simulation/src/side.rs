//! What the world and a node's chain share about that node.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tbsi_engine::Note;
use tbsi_types::{Evidence, Height};

use crate::mutants::Mutant;

/// The power of a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Power {
    /// It is on.
    #[default]
    On,
    /// It goes as soon as the next signature is in the sign-state.
    Fails,
    /// It went: what was not synced of the log is lost.
    Failed,
}

/// A node's share of the world.
#[derive(Debug, Default)]
pub struct Side {
    /// The process dies at the place that brings this to 0.
    pub crash_in: Option<u32>,
    /// It died.
    pub crashed: bool,
    /// Whether the power is on.
    pub power: Power,
    /// Questions to which the signer gives no answer.
    pub unanswered: u32,
    /// Places passed since the process started.
    pub passed: u64,
    /// Highest tip that a peer claims.
    pub peers_tip: Height,
    /// The bug that is planted, if one is.
    pub mutant: Option<Mutant>,
    /// What its host reported since it was last asked.
    pub notes: Vec<Note>,
    /// The disk takes nothing any more.
    pub full: bool,
    /// A write failed, and the process knows.
    pub failed: bool,
    /// Evidence that consensus handed over, and the tip at that time.
    pub evidence: Vec<(Evidence, Height)>,
    /// Blocks of others that were executed at this height, for a planted bug.
    pub foreign: (Height, u32),
}

impl Side {
    /// The power goes at the next place, if it is to go with a signature.
    pub fn lose_power(&mut self) {
        if self.power == Power::Fails {
            self.crash_in = Some(1);
            self.power = Power::Failed;
        }
    }
}

/// Shared by the node's chain and the world, which work in turn.
#[derive(Clone, Debug, Default)]
pub struct SharedSide(Arc<Mutex<Side>>);

impl SharedSide {
    /// The two never hold it at the same time.
    pub fn get(&self) -> MutexGuard<'_, Side> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a place where the process may die; `false` if it does.
    pub fn pass(&self) -> bool {
        let mut side = self.get();
        side.passed += 1;
        if let Some(left) = side.crash_in.as_mut() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                side.crash_in = None;
                side.crashed = true;
            }
        }
        !side.crashed
    }

    /// Whether this bug is planted here.
    pub fn has(&self, mutant: Mutant) -> bool {
        self.get().mutant == Some(mutant)
    }
}
