//! What a validator signs (SPEC §3.8).

use tbsi_types::{
    ChainIdentity, Height, ProposalStatement, Round, Signature, VoteKind, VoteStatement,
};

use crate::position::{Mark, Step};

/// What a validator signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsensusStatement {
    /// A prevote or precommit.
    Vote(VoteStatement),
    /// A proposal.
    Proposal(ProposalStatement),
}

impl ConsensusStatement {
    /// The height that it is about.
    pub fn height(&self) -> Height {
        match self {
            Self::Vote(vote) => vote.height,
            Self::Proposal(proposal) => proposal.height,
        }
    }

    /// The round that it is about.
    pub fn round(&self) -> Round {
        match self {
            Self::Vote(vote) => vote.round,
            Self::Proposal(proposal) => proposal.round,
        }
    }

    /// For which step of its round it is.
    pub fn step(&self) -> Step {
        match self {
            Self::Vote(vote) => match vote.kind {
                VoteKind::Prevote => Step::Prevote,
                VoteKind::Precommit => Step::Precommit,
            },
            Self::Proposal(_) => Step::Propose,
        }
    }

    /// Where in consensus it is, and the digest to sign on this chain.
    pub fn mark(&self, chain: &ChainIdentity) -> Mark {
        match self {
            Self::Vote(vote) => Mark {
                height: vote.height,
                round: vote.round,
                step: self.step(),
                digest: vote.digest(chain),
            },
            Self::Proposal(proposal) => Mark {
                height: proposal.height,
                round: proposal.round,
                step: self.step(),
                digest: proposal.digest(chain),
            },
        }
    }
}

/// What a signer signed where it was asked to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedStatement {
    /// The statement: what was asked, or of a vote, another of its height, round and step, or the
    /// newest of a later round.
    pub statement: ConsensusStatement,
    /// Over that one.
    pub signature: Signature,
}

impl SignedStatement {
    /// Whether it can be the answer to this: it is of the same step, or the vote of a later round
    /// of the same height, to which whoever asked for a vote has to come first.
    pub fn answers(&self, asked: &ConsensusStatement) -> bool {
        let place = |it: &ConsensusStatement| (it.height(), it.round(), it.step());
        place(&self.statement) == place(asked) || self.is_of_later_round(asked)
    }

    /// Whether it is the vote of a later round than the vote that was asked for.
    pub fn is_of_later_round(&self, asked: &ConsensusStatement) -> bool {
        let (ConsensusStatement::Vote(signed), ConsensusStatement::Vote(asked)) =
            (&self.statement, asked)
        else {
            return false;
        };
        signed.height == asked.height && signed.round > asked.round
    }
}
