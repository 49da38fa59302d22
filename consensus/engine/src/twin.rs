//! Whether another process signs with this validator's key (SPEC §6.4).
//!
//! Whatever this process signs is at or below its mark before anybody hears of it. So a good
//! signature of its own key above the mark, or of something else at the mark, was made elsewhere:
//! by a second process, or with a sign-state that an old copy has replaced. What is below the mark
//! may be anybody's, and is let be.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tbsi_keys::{ConsensusStatement, Mark};
use tbsi_types::{Address, ChainIdentity};
use tracing::error;

/// Watches for a twin. Clones share what was seen.
#[derive(Clone, Debug)]
pub(crate) struct TwinWatch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    own: Address,
    chain: ChainIdentity,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The highest that this process signed, or may have before it started.
    mark: Mark,
    seen: bool,
}

impl TwinWatch {
    /// For a validator whose sign-state, which no other process has, is at `mark`.
    pub(crate) fn new(own: Address, chain: ChainIdentity, mark: Mark) -> Self {
        let state = Mutex::new(State { mark, seen: false });
        Self(Arc::new(Shared { own, chain, state }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose key it is.
    pub(crate) fn own(&self) -> Address {
        self.0.own
    }

    /// Whether a twin was seen. Nothing is signed from then on.
    pub(crate) fn is_seen(&self) -> bool {
        self.state().seen
    }

    /// This process signed, and has told nobody yet.
    pub(crate) fn signed(&self, statement: &ConsensusStatement) {
        let mark = statement.mark(&self.0.chain);
        let mut state = self.state();
        if mark.position() > state.mark.position() {
            state.mark = mark;
        }
    }

    /// A good signature came from the network.
    pub(crate) fn heard(&self, statement: &ConsensusStatement, validator: Address) {
        if validator != self.0.own {
            return;
        }
        let heard = statement.mark(&self.0.chain);
        let mut state = self.state();
        let known = state.mark;
        let other = heard.position() == known.position() && heard.digest != known.digest;
        if state.seen || !(other || heard.position() > known.position()) {
            return;
        }
        state.seen = true;
        drop(state);
        error!(
            %validator, heard = %heard.position(), signed = %known.position(),
            "somebody else signs with this validator's key, or its sign-state is an old copy: this \
             process signs nothing any more. Find the other process and stop it, then start this \
             one again; if there is none, the key may be stolen: rotate it"
        );
    }
}

#[cfg(test)]
mod tests {
    use tbsi_keys::Step;
    use tbsi_types::{
        B256, CheckpointDigest, Height, ProposalStatement, Round, VoteKind, VoteStatement,
    };

    use super::*;

    const CHAIN: ChainIdentity = ChainIdentity {
        chain_id: 1,
        genesis_hash: B256::ZERO,
    };

    fn prevote(height: u64, round: u32, value: u8) -> ConsensusStatement {
        ConsensusStatement::Vote(VoteStatement {
            kind: VoteKind::Prevote,
            height: Height(height),
            round: Round(round),
            value: Some(CheckpointDigest(B256::repeat_byte(value))),
        })
    }

    fn proposal(height: u64) -> ConsensusStatement {
        ConsensusStatement::Proposal(ProposalStatement {
            height: Height(height),
            round: Round(0),
            polka_round: None,
            value: CheckpointDigest(B256::ZERO),
        })
    }

    /// A watch of a process that signed a prevote for block 1 in (7, 2).
    fn watch() -> TwinWatch {
        let mark = prevote(7, 2, 1).mark(&CHAIN);
        assert_eq!(mark.step, Step::Prevote);
        TwinWatch::new(Address::repeat_byte(1), CHAIN, mark)
    }

    #[test]
    fn what_this_process_may_have_signed_is_no_twins() {
        let watch = watch();
        let own = Address::repeat_byte(1);
        // From before it started, told by peers again; and of others.
        for statement in [
            prevote(7, 2, 1),
            prevote(7, 1, 9),
            prevote(3, 0, 9),
            proposal(7),
        ] {
            watch.heard(&statement, own);
        }
        watch.heard(&prevote(9, 0, 9), Address::repeat_byte(2));
        // What it signs now.
        for statement in [proposal(8), prevote(8, 0, 4), prevote(8, 1, 4)] {
            watch.signed(&statement);
            watch.heard(&statement, own);
        }
        watch.heard(&prevote(8, 0, 4), own);
        assert!(!watch.is_seen());
    }

    #[test]
    fn what_it_cannot_have_signed_is_a_twins() {
        let own = Address::repeat_byte(1);
        for statement in [
            prevote(7, 2, 2),
            prevote(7, 3, 1),
            proposal(8),
            prevote(9, 0, 1),
        ] {
            let watch = watch();
            watch.heard(&statement, own);
            assert!(watch.is_seen(), "{statement:?}");
            let clone = watch.clone();
            assert!(clone.is_seen(), "the signer knows what the network heard");
        }
    }
}
