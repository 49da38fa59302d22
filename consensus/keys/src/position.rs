//! Places in consensus, in the order in which a validator passes through them.

use std::fmt;

use tbsi_types::{B256, Height, Round};

/// What is signed within a round, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Nothing yet.
    None,
    /// A proposal.
    Propose,
    /// A prevote.
    Prevote,
    /// A precommit.
    Precommit,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "nothing",
            Self::Propose => "proposal",
            Self::Prevote => "prevote",
            Self::Precommit => "precommit",
        })
    }
}

impl Step {
    /// As in the sign-state: 0 to 3.
    pub fn byte(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Propose => 1,
            Self::Prevote => 2,
            Self::Precommit => 3,
        }
    }

    /// The step of a byte.
    pub fn parse(byte: u8) -> Option<Self> {
        [Self::None, Self::Propose, Self::Prevote, Self::Precommit]
            .into_iter()
            .find(|step| step.byte() == byte)
    }
}

/// A place in consensus, in the order in which a validator passes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Height.
    pub height: Height,
    /// Round of that height.
    pub round: Round,
    /// Step of that round.
    pub step: Step,
}

impl Position {
    /// Below everything that is signed at this height.
    pub fn start_of(height: Height) -> Self {
        Self {
            height,
            round: Round::ZERO,
            step: Step::None,
        }
    }

    /// Above everything that is signed at this height, and below what is at the next.
    pub fn end_of(height: Height) -> Self {
        Self {
            height,
            round: Round(u32::MAX),
            step: Step::Precommit,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            height,
            round,
            step,
        } = self;
        if *self == Self::end_of(*height) {
            return write!(f, "the end of height {height}");
        }
        write!(f, "height {height}, round {round}, {step}")
    }
}

/// A position in consensus and the digest that was signed there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Height signed at.
    pub height: Height,
    /// Round signed in.
    pub round: Round,
    /// Step signed for.
    pub step: Step,
    /// What was signed.
    pub digest: B256,
}

impl Mark {
    /// Where it is.
    pub fn position(&self) -> Position {
        Position {
            height: self.height,
            round: self.round,
            step: self.step,
        }
    }

    /// Of a key that signs nothing up to the end of a height: whatever it signed there, it can
    /// sign nothing else.
    pub(super) fn end_of(height: Height) -> Self {
        let Position {
            height,
            round,
            step,
        } = Position::end_of(height);
        Self {
            height,
            round,
            step,
            digest: B256::ZERO,
        }
    }
}
