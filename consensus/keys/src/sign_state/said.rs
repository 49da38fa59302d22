//! What a validator said at the height of its mark, to say it again and never anything else
//! (SPEC §6.4).

use tbsi_types::cursor::{Cursor, CursorError};
use tbsi_types::{CheckpointDigest, Round, VoteKind, VoteStatement};

use crate::position::Mark;
use crate::statement::ConsensusStatement;

/// Bytes of [`Said`].
pub(super) const SAID_BYTES: usize = 1 + 2 * VALUE_BYTES + 1 + 4 + 32;
const VALUE_BYTES: usize = 1 + 32;

/// The newest precommit for a block at a height: the validator is locked on that block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Its round.
    pub round: Round,
    /// The block.
    pub value: CheckpointDigest,
}

/// What was said at the height of a mark. Of a vote `None` is that there was none, and of what it
/// was for, that it was for nil.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Whether the rest tells all there was: the record of a version before this one does not.
    pub(super) whole: bool,
    /// In the round of the mark.
    pub(super) prevote: Option<Option<CheckpointDigest>>,
    /// In the round of the mark.
    pub(super) precommit: Option<Option<CheckpointDigest>>,
    /// At the height of the mark.
    pub(super) lock: Option<Lock>,
}

impl Said {
    /// Of a height at which nothing was said.
    pub(super) const NOTHING: Self = Self {
        whole: true,
        prevote: None,
        precommit: None,
        lock: None,
    };

    /// The vote of this kind, if it was cast in the round of the mark.
    pub(super) fn vote(&self, kind: VoteKind) -> Option<Option<CheckpointDigest>> {
        match kind {
            VoteKind::Prevote => self.prevote,
            VoteKind::Precommit => self.precommit,
        }
    }

    /// The last vote that was cast in the round of the mark, if one was.
    pub(super) fn newest(&self) -> Option<VoteKind> {
        let kinds = [VoteKind::Precommit, VoteKind::Prevote];
        kinds.into_iter().find(|kind| self.vote(*kind).is_some())
    }

    /// What was said when `next` is, after this at `mark`.
    pub(super) fn and(self, mark: &Mark, next: &ConsensusStatement) -> Self {
        let mut said = match (next.height(), next.round()) {
            place if place == (mark.height, mark.round) => self,
            (height, _) if height == mark.height => Self {
                prevote: None,
                precommit: None,
                ..self
            },
            _ => Self::NOTHING,
        };
        let ConsensusStatement::Vote(vote) = next else {
            return said;
        };
        match vote.kind {
            VoteKind::Prevote => said.prevote = Some(vote.value),
            VoteKind::Precommit => {
                said.precommit = Some(vote.value);
                let round = vote.round;
                let lock = vote.value.map(|value| Lock { round, value });
                said.lock = lock.or(said.lock);
            }
        }
        said
    }

    /// What to sign where `asked` is wanted by somebody who remembers the locks up to that of round
    /// `remembered` and none behind it: a vote for no block in place of a prevote against the lock.
    pub(super) fn unless_against_lock(
        &self,
        asked: ConsensusStatement,
        remembered: Option<Round>,
    ) -> ConsensusStatement {
        let (ConsensusStatement::Vote(vote), Some(lock)) = (asked, self.lock) else {
            return asked;
        };
        let against = vote.kind == VoteKind::Prevote
            && vote.value.is_some_and(|value| value != lock.value)
            && remembered.is_none_or(|round| round < lock.round);
        if !against {
            return asked;
        }
        ConsensusStatement::Vote(VoteStatement {
            value: None,
            ..vote
        })
    }

    /// whole u8, prevote, precommit (u8: 0 none, 1 nil, 2 block; 32 bytes), lock (u8, round u32,
    /// 32 bytes).
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(self.whole));
        for vote in [self.prevote, self.precommit] {
            let tag = vote.map_or(0, |value| if value.is_some() { 2 } else { 1 });
            bytes.push(tag);
            let value = vote.flatten().unwrap_or_default();
            bytes.extend_from_slice(value.0.as_slice());
        }
        bytes.push(u8::from(self.lock.is_some()));
        let (round, value) = self
            .lock
            .map(|lock| (lock.round, lock.value))
            .unwrap_or_default();
        bytes.extend_from_slice(&round.0.to_be_bytes());
        bytes.extend_from_slice(value.0.as_slice());
    }

    /// Accepts what [`Said::encode`] writes, and the zeros of a record that had none.
    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Result<Self, CursorError> {
        let whole = cursor.u8("whole")? == 1;
        let mut vote = || {
            let tag = cursor.u8("vote")?;
            let value = CheckpointDigest(cursor.b256("value")?);
            Ok(match tag {
                0 => None,
                1 => Some(None),
                _ => Some(Some(value)),
            })
        };
        let (prevote, precommit) = (vote()?, vote()?);
        let locked = cursor.u8("lock")? == 1;
        let round = Round(cursor.u32("lock's round")?);
        let value = CheckpointDigest(cursor.b256("lock's value")?);
        Ok(Self {
            whole,
            prevote,
            precommit,
            lock: locked.then_some(Lock { round, value }),
        })
    }
}
