//! Votes that were not signed because the signer did not answer: it is asked again, one at a time,
//! when the engine would repeat them (SPEC §6.8).

use std::collections::VecDeque;

use arc_malachitebft_app_channel::app::types::core as mc;
use tokio::task::JoinSet;

use crate::context::{Ctx, Vote};
use crate::limits::ASKED_AGAIN_MAX;
use crate::signing::EngineSigner;

/// See the module.
#[derive(Default)]
pub(super) struct Asking {
    signer: Option<EngineSigner>,
    waiting: VecDeque<Vote>,
    /// At most one.
    running: JoinSet<Option<mc::SignedVote<Ctx>>>,
}

impl Asking {
    pub(super) fn new(signer: Option<EngineSigner>) -> Self {
        Self {
            signer,
            ..Self::default()
        }
    }

    /// Asks for this vote once more, if it does not wait already. The oldest gives way.
    pub(super) fn ask(&mut self, vote: Vote) {
        if self.waiting.contains(&vote) {
            return;
        }
        if self.waiting.len() == ASKED_AGAIN_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(vote);
        self.ask_next();
    }

    fn ask_next(&mut self) {
        let Some(signer) = self.signer.clone().filter(|_| self.running.is_empty()) else {
            return;
        };
        if let Some(vote) = self.waiting.pop_front() {
            self.running
                .spawn(async move { signer.sign_again(vote).await });
        }
    }

    /// Returns with the next answer: a vote, if it was signed.
    pub(super) async fn answered(&mut self) -> Option<mc::SignedVote<Ctx>> {
        let Some(answer) = self.running.join_next().await else {
            return std::future::pending().await;
        };
        self.ask_next();
        answer.ok().flatten()
    }
}
