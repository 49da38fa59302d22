//! Where consensus stands, for logs, metrics and status pages.

use std::collections::BTreeSet;

use arc_malachitebft_app_channel::app::types::SignedConsensusMsg;
use arc_malachitebft_app_channel::app::types::core as mc;
use tbsi_types::{Address, Height, Round};

use crate::context::Ctx;

/// A snapshot; changes with every round and vote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Height being decided, or waiting to be started.
    pub height: Height,
    /// Its round.
    pub round: Round,
    /// Whose turn it is.
    pub proposer: Address,
    /// Whether the height has started; `false` while an idle chain waits.
    pub running: bool,
    /// Validators whose votes were seen at this height, own votes included.
    pub voted: BTreeSet<Address>,
}

impl Progress {
    pub(crate) fn start_round(&mut self, height: Height, round: Round, proposer: Address) {
        if height != self.height {
            self.voted.clear();
        }
        *self = Self {
            height,
            round,
            proposer,
            running: true,
            voted: std::mem::take(&mut self.voted),
        };
    }

    pub(crate) fn wait_for(&mut self, height: Height) {
        *self = Self {
            height,
            ..Self::default()
        };
    }

    /// Notes a vote of the current height; others change nothing.
    pub(crate) fn note(&mut self, message: &SignedConsensusMsg<Ctx>) -> bool {
        let SignedConsensusMsg::Vote(vote) = message else {
            return false;
        };
        let (height, validator) = (
            mc::Vote::<Ctx>::height(&vote.message).0,
            mc::Vote::<Ctx>::validator_address(&vote.message).0,
        );
        height == self.height && self.voted.insert(validator)
    }
}
