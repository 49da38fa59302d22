//! Why a message of a peer goes no further.

/// Why a message goes no further. Its words are labels of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// Its publisher is no validator's peer, and only those publish here.
    Role,
    /// Its sender sends too much.
    Rate,
    /// Of a height that is decided, or a round that is long over.
    Old,
    /// Of a height or round too far ahead: who is behind catches up by sync.
    Ahead,
    /// By a key that is in no validator set that this node knows.
    Unknown,
    /// A proposal of a validator whose turn it is not.
    Turn,
    /// It was here a moment ago.
    Repeated,
    /// More contradictory statements than make evidence.
    Surplus,
    /// The validator abstained (SPEC §6.4): it counts for nobody.
    Abstained,
    /// Its signature is wrong.
    Signature,
    /// A certificate of less power than it needs.
    Power,
    /// The engine has not yet worked off what it was given.
    Busy,
}

impl Refusal {
    pub(crate) const ALL: [Self; 12] = [
        Self::Role,
        Self::Rate,
        Self::Old,
        Self::Ahead,
        Self::Unknown,
        Self::Turn,
        Self::Repeated,
        Self::Surplus,
        Self::Abstained,
        Self::Signature,
        Self::Power,
        Self::Busy,
    ];

    /// A stable word for metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Rate => "rate",
            Self::Old => "old",
            Self::Ahead => "ahead",
            Self::Unknown => "unknown_validator",
            Self::Turn => "turn",
            Self::Repeated => "repeated",
            Self::Surplus => "surplus",
            Self::Abstained => "abstained",
            Self::Signature => "signature",
            Self::Power => "power",
            Self::Busy => "busy",
        }
    }
}
