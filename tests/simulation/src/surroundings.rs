//! One node's world, while it works on one input.

use std::time::Duration;

use bytes::Bytes;
use tbsi_engine::host::Now;
use tbsi_engine::stepped::wire::{self, Seen};
use tbsi_engine::stepped::{Crashed, Milestone, Place, SyncFault, Timer, TimerKind, Topic, World};
use tbsi_keys::{ConsensusStatement, LocalSigner, SignedStatement};
use tbsi_types::{Height, Round};

use crate::mutants::Mutant;
use crate::side::SharedSide;

/// How long a restarted validator only watches, by a planted bug.
const WATCHED_MS: u64 = 40_000;

/// What a node did, in its order.
#[derive(Clone, Debug)]
pub enum Done {
    /// Sent to everybody.
    Published(Topic, Bytes),
    /// Started a timer.
    Started(Timer, Duration),
    /// Stopped a timer.
    Cancelled(Timer),
    /// Stopped all timers.
    CancelledAll,
    /// Asked to be woken.
    Wakes(Option<Duration>),
    /// Could not use a block from a peer.
    Refused(String, Height, SyncFault),
    /// Passed a milestone.
    Reached(Milestone),
    /// Signed although it knows that its disk takes nothing any more.
    SignedOnFullDisk(ConsensusStatement),
}

/// The world of one node.
pub struct Surroundings<'a> {
    /// What its clocks show.
    pub now: Now,
    /// What it shares with its chain.
    pub side: &'a SharedSide,
    /// Its signer.
    pub signer: &'a LocalSigner,
    /// How long the process has run, milliseconds, if it is not its first life.
    pub since_restart_ms: Option<u64>,
    /// The sign-state, read before each signature that may be the last.
    pub read_sign_state: &'a dyn Fn() -> Vec<u8>,
    /// The sign-state before a signature during which the process died.
    pub torn: Option<Vec<u8>>,
    /// The sign-state before the last signature, for a planted bug.
    pub before: Option<Vec<u8>>,
    /// What it did.
    pub done: Vec<Done>,
}

impl Surroundings<'_> {
    fn pass_one(&self) -> Result<(), Crashed> {
        if self.side.pass() {
            Ok(())
        } else {
            Err(Crashed)
        }
    }

    /// Whether the signer does not answer now.
    fn is_silent(&self, mutant: Option<Mutant>) -> bool {
        let waits = |ms: u64| mutant == Some(Mutant::WatchesFirst) && ms < WATCHED_MS;
        let mut side = self.side.get();
        let paused = side.unanswered > 0;
        side.unanswered = side.unanswered.saturating_sub(1);
        paused || self.since_restart_ms.is_some_and(waits)
    }

    /// Whether a planted bug swallows a message.
    fn swallows(&self, topic: Topic, bytes: &[u8]) -> bool {
        let mutant = self.side.get().mutant;
        if mutant == Some(Mutant::NeverStreams) {
            return topic == Topic::Parts;
        }
        if topic != Topic::Liveness {
            return false;
        }
        let Seen::Signed(signed) = wire::read(topic, bytes) else {
            return false;
        };
        match mutant {
            Some(Mutant::NeverRepeats) => signed.len() == 1,
            Some(Mutant::NoCertificates) => true,
            _ => false,
        }
    }
}

impl World for Surroundings<'_> {
    fn now(&self) -> Now {
        self.now
    }

    fn publish(&mut self, topic: Topic, bytes: Bytes) -> Result<(), Crashed> {
        self.pass_one()?;
        if !self.swallows(topic, &bytes) {
            self.done.push(Done::Published(topic, bytes));
        }
        self.pass_one()
    }

    fn start_timer(&mut self, timer: Timer, after: Duration) {
        let never = match self.side.get().mutant {
            Some(Mutant::NoProposeTimeout) => timer.kind == TimerKind::Propose,
            Some(Mutant::NoPrecommitTimeout) => timer.kind == TimerKind::Precommit,
            _ => false,
        };
        if !never {
            self.done.push(Done::Started(timer, after));
        }
    }

    fn cancel_timer(&mut self, timer: Timer) {
        self.done.push(Done::Cancelled(timer));
    }

    fn cancel_timers(&mut self) {
        self.done.push(Done::CancelledAll);
    }

    fn wake_after(&mut self, after: Option<Duration>) {
        self.done.push(Done::Wakes(after));
    }

    fn pass(&mut self, _: Place) -> Result<(), Crashed> {
        self.pass_one()
    }

    fn sign(
        &mut self,
        statement: ConsensusStatement,
        remembered: Option<Round>,
    ) -> Result<Option<SignedStatement>, Crashed> {
        let signer = self.signer;
        self.pass_one()?;
        let (mutant, armed, failed) = {
            let side = self.side.get();
            (side.mutant, side.crash_in == Some(1), side.failed)
        };
        if self.is_silent(mutant) {
            return Ok(None);
        }
        let unguarded = || SignedStatement {
            statement,
            signature: signer.sign_unguarded(statement),
        };
        if mutant.is_some_and(Mutant::is_unguarded) {
            let signed = unguarded();
            self.pass_one()?;
            return Ok(Some(signed));
        }
        let unsynced = mutant == Some(Mutant::DiskLies);
        let before = (armed || unsynced).then(|| (self.read_sign_state)());
        let mut signed = match signer.sign_blocking(statement, remembered) {
            Ok(signed) => signed,
            Err(_) => {
                assert!(
                    self.side.get().full,
                    "the simulated disk fails when it is full"
                );
                self.side.get().failed = true;
                if mutant != Some(Mutant::FullDiskIgnored) {
                    return Err(Crashed);
                }
                Some(unguarded())
            }
        };
        if mutant == Some(Mutant::NeverSaysAgain) {
            signed = signed.filter(|signed| signed.statement == statement);
        }
        if signed.is_some() && (failed || self.side.get().failed) {
            self.done.push(Done::SignedOnFullDisk(statement));
        }
        if unsynced && self.before.is_none() {
            self.before.clone_from(&before);
        }
        self.side.get().lose_power();
        if let Err(crashed) = self.pass_one() {
            self.torn = before;
            return Err(crashed);
        }
        Ok(signed)
    }

    fn synced(&mut self, peer: &str, height: Height, fault: SyncFault) {
        self.done.push(Done::Refused(peer.into(), height, fault));
    }

    fn reach(&mut self, milestone: Milestone) {
        self.done.push(Done::Reached(milestone));
    }
}
