//! Votes that were not signed because the signer did not answer: it is asked again, one vote at a
//! time, until it answers or the height is over (SPEC §6.8).

use std::collections::VecDeque;

use arc_malachitebft_app_channel::app::types::core as mc;
use tbsi_types::Height;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::until;
use crate::context::{Ctx, Vote};
use crate::limits::{ASK_AGAIN_AFTER, ASKED_AGAIN_MAX};
use crate::signing::EngineSigner;

/// A vote, and the same or a newer one as it was signed.
type Answer = (Vote, Option<mc::SignedVote<Ctx>>);

/// See the module.
#[derive(Default)]
pub(super) struct Asking {
    signer: Option<EngineSigner>,
    height: Height,
    /// Oldest first.
    waiting: VecDeque<Vote>,
    due: Option<Instant>,
    /// At most one.
    running: JoinSet<Answer>,
}

impl Asking {
    pub(super) fn new(signer: Option<EngineSigner>) -> Self {
        Self {
            signer,
            ..Self::default()
        }
    }

    /// Forgets what was to be asked at another height.
    pub(super) fn move_to(&mut self, height: Height) {
        if self.height != height {
            self.height = height;
            self.waiting.clear();
            self.due = None;
        }
    }

    /// The signer did not sign this vote. The oldest gives way.
    pub(super) fn abstained(&mut self, vote: Vote, now: Instant) {
        if self.waiting.contains(&vote) {
            return;
        }
        if self.waiting.len() == ASKED_AGAIN_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(vote);
        self.due.get_or_insert(now + ASK_AGAIN_AFTER);
    }

    /// The engine repeats a vote that was not signed.
    pub(super) fn repeated(&mut self, vote: Vote, now: Instant) {
        self.abstained(vote, now);
        self.due = Some(now);
    }

    /// Asks when it is time, and returns with the next answer: a vote, if it was signed.
    pub(super) async fn answered(&mut self) -> Option<mc::SignedVote<Ctx>> {
        if self.running.is_empty() {
            until(self.due).await;
            self.ask();
        }
        let Some(answer) = self.running.join_next().await else {
            return std::future::pending().await;
        };
        self.due = (!self.waiting.is_empty()).then(Instant::now);
        let (vote, signed) = answer.ok()?;
        if signed.is_none() && vote.statement().height == self.height {
            self.due = Some(Instant::now() + ASK_AGAIN_AFTER);
            if !self.waiting.contains(&vote) && self.waiting.len() < ASKED_AGAIN_MAX {
                self.waiting.push_back(vote);
            }
        }
        signed
    }

    fn ask(&mut self) {
        self.due = None;
        if let (Some(signer), Some(vote)) = (self.signer.clone(), self.waiting.pop_front()) {
            self.running.spawn(async move {
                let signed = signer.sign_again(vote.clone()).await;
                (vote, signed)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use tbsi_keys::{ConsensusStatement, SignStateError, SignedStatement, VoteSigner};
    use tbsi_types::{
        Address, B256, ChainIdentity, PublicKey, Round, SecretKey, VoteKind, VoteStatement,
    };

    use super::*;
    use crate::memory::Forgotten;
    use crate::witnessed::Witnessed;

    const NETWORK: ChainIdentity = ChainIdentity {
        chain_id: 1,
        genesis_hash: B256::ZERO,
    };

    /// Answers after it was asked so many times.
    struct Late {
        key: SecretKey,
        silent: usize,
        asked: Arc<AtomicUsize>,
    }

    #[async_trait]
    impl VoteSigner for Late {
        fn public_key(&self) -> PublicKey {
            self.key.public_key()
        }

        fn mark(&self) -> Option<tbsi_keys::Mark> {
            None
        }

        async fn sign(
            &self,
            statement: ConsensusStatement,
            _remembered: Option<Round>,
        ) -> Result<Option<SignedStatement>, SignStateError> {
            let digest = statement.mark(&NETWORK).digest;
            let answers = self.asked.fetch_add(1, Ordering::Relaxed) >= self.silent;
            Ok(answers.then(|| SignedStatement {
                statement,
                signature: self.key.sign(digest),
            }))
        }
    }

    fn asking(silent: usize) -> (Asking, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let signer = Late {
            key: SecretKey::from_seed(b"late"),
            silent,
            asked: Arc::clone(&asked),
        };
        let forgotten = Forgotten::in_dir(std::path::Path::new("nothing is written here"));
        let signer = EngineSigner::new(Box::new(signer), Witnessed::default(), None, forgotten);
        let mut asking = Asking::new(Some(signer));
        asking.move_to(Height(5));
        (asking, asked)
    }

    fn vote(round: u32, kind: VoteKind) -> Vote {
        let statement = VoteStatement {
            height: Height(5),
            round: Round(round),
            kind,
            value: None,
        };
        Vote::new(statement, crate::context::Address(Address::ZERO))
    }

    #[tokio::test]
    async fn a_signer_that_comes_back_is_asked_without_the_engine() {
        let (mut asking, asked) = asking(2);
        let wanted = vote(0, VoteKind::Prevote);
        asking.abstained(wanted.clone(), Instant::now());
        asking.abstained(wanted.clone(), Instant::now());
        assert!(asking.answered().await.is_none());
        assert!(asking.answered().await.is_none());
        let signed = asking.answered().await.expect("it is back");
        assert_eq!(signed.message, wanted);
        assert_eq!(asked.load(Ordering::Relaxed), 3);
        assert_eq!((asking.waiting.len(), asking.due), (0, None));
    }

    #[tokio::test]
    async fn the_oldest_gives_way_and_nothing_is_asked_of_a_height_that_is_over() {
        let (mut asking, asked) = asking(0);
        let now = Instant::now();
        let prevote = vote(0, VoteKind::Prevote);
        let precommit = vote(0, VoteKind::Precommit);
        let newer = vote(1, VoteKind::Prevote);
        for vote in [&prevote, &precommit, &newer] {
            asking.repeated(vote.clone(), now);
        }
        assert_eq!(asking.waiting, [precommit.clone(), newer.clone()]);
        assert_eq!(asking.answered().await.unwrap().message, precommit);
        assert_eq!(asking.answered().await.unwrap().message, newer);
        asking.repeated(newer, now);
        asking.move_to(Height(6));
        assert_eq!((asking.waiting.len(), asking.due), (0, None));
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
}
