//! Bugs that can be planted in a node at its ports, to show that the harness finds them.

use crate::founding::Flaw;

/// A planted bug. All honest nodes have it, unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// A third of the voting power is a quorum.
    QuorumTooSmall,
    /// Signatures of votes and certificates are not verified.
    SignaturesNotVerified,
    /// Nobody looks at the sign-state before signing.
    SignStateIgnored,
    /// The disk says that it synced, and did not: a crash takes back the log and the sign-state.
    DiskLies,
    /// The engine's log is written but not synced, and there is no sign-state.
    LogNotSynced,
    /// A restarted node starts with an empty log, and with no sign-state.
    LogForgotten,
    /// Proposals far above round 0 are dropped (fault 2 of the founding list).
    RoundNotFollowed,
    /// A table of foreign blocks fills and refuses the proposer's (fault 1).
    TableFills,
    /// A peer's claim about its tip is a reason for a block (fault 6).
    TipsBelieved,
    /// Transactions are announced once (fault 9).
    AnnouncedOnce,
    /// A node takes attestations for final that only it has executed.
    EarlyAcknowledgement,
    /// Blocks with transactions execute differently on some nodes.
    ExecutionDiffers,
    /// Blocks are never streamed.
    NeverStreams,
    /// Evidence is forgotten.
    ForgetsEvidence,
    /// Votes are said once.
    NeverRepeats,
    /// Certificates of rounds and polkas are not passed on, and votes are said once.
    NoCertificates,
    /// The timeout of a proposal never comes.
    NoProposeTimeout,
    /// The timeout of precommits never comes.
    NoPrecommitTimeout,
    /// Whoever gave a wrong answer is asked again for ever.
    AsksTheLiar,
    /// A node that is behind asks nobody.
    NeverSyncs,
    /// A commit is lost in a crash although it was reported.
    CommitLost,
    /// A leaf is served with the bytes of another.
    WrongLeafServed,
    /// A block's time is accepted however far in the future it is, and proposers' clocks differ.
    AnyTime,
    /// Whoever likes may attest.
    AnyoneAttests,
    /// A validator that was removed stays in the set.
    RemovalForgotten,
    /// Blocks have another gas limit than that of the genesis file, on all nodes.
    LocalRule,
    /// Roots of the map are told by another period than that of the genesis file, on all nodes.
    MapPeriod,
    /// A write that failed is passed over, and what was to be signed is signed.
    FullDiskIgnored,
    /// A validator that was started again watches for a long time before it votes.
    WatchesFirst,
    /// Whoever is up signs for those who are down, with copies of their keys.
    SignsForOthers,
    /// Evidence is kept, and not brought before the contracts.
    NeverAccuses,
    /// A validator cosigns logs that are not decided.
    CosignsUndecided,
    /// The light client on the target keeps another checkpoint than the one that it verified.
    TargetStoresOther,
    /// The light client on the target goes back to an older height.
    TargetGoesBack,
    /// The relayer starts without its journal, and the target does not say what was delivered.
    JournalForgotten,
    /// The relayer takes the newest block for final.
    FinalTooEarly,
    /// Nobody starts a relayer that died.
    RelayerStaysDown,
    /// A validator abstains where it signed something else before.
    NeverSaysAgain,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 38] = [
        Self::QuorumTooSmall,
        Self::SignaturesNotVerified,
        Self::SignStateIgnored,
        Self::DiskLies,
        Self::LogNotSynced,
        Self::LogForgotten,
        Self::RoundNotFollowed,
        Self::TableFills,
        Self::TipsBelieved,
        Self::AnnouncedOnce,
        Self::EarlyAcknowledgement,
        Self::ExecutionDiffers,
        Self::NeverStreams,
        Self::ForgetsEvidence,
        Self::NeverRepeats,
        Self::NoCertificates,
        Self::NoProposeTimeout,
        Self::NoPrecommitTimeout,
        Self::AsksTheLiar,
        Self::NeverSyncs,
        Self::CommitLost,
        Self::WrongLeafServed,
        Self::AnyTime,
        Self::AnyoneAttests,
        Self::RemovalForgotten,
        Self::LocalRule,
        Self::MapPeriod,
        Self::FullDiskIgnored,
        Self::WatchesFirst,
        Self::SignsForOthers,
        Self::NeverAccuses,
        Self::CosignsUndecided,
        Self::TargetStoresOther,
        Self::TargetGoesBack,
        Self::JournalForgotten,
        Self::FinalTooEarly,
        Self::RelayerStaysDown,
        Self::NeverSaysAgain,
    ];

    /// Whether nobody looks at the sign-state.
    pub fn is_unguarded(self) -> bool {
        matches!(
            self,
            Self::SignStateIgnored | Self::LogNotSynced | Self::LogForgotten
        )
    }

    /// What nodes are founded with instead.
    pub fn flaw(self) -> Flaw {
        match self {
            Self::AnyoneAttests => Flaw::AnyoneAttests,
            Self::RemovalForgotten => Flaw::RemovalForgotten,
            _ => Flaw::None,
        }
    }

    /// By its name, as `--mutant` takes it.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|mutant| format!("{mutant:?}") == name)
    }
}
