//! Why a step of the loop ends early.

use crate::journal::JournalError;
use crate::signer::SignError;
use crate::source::SourceError;
use crate::standing::StandingError;
use crate::state::Illegal;
use crate::target::TargetError;

/// Why a step was not finished. Some stop the relayer.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The journal: stop.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A mistake of this program, or a forged journal: stop.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// The source: try again.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The target: try again, unless it is the wrong one.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The account may not do what is configured: stop.
    #[error(transparent)]
    Standing(#[from] StandingError),
    /// The signer: try again.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The home directory: try again.
    #[error("read {file}", file = file.display())]
    Home {
        /// What was to be read.
        file: std::path::PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The attestation of the record's head: try again.
    #[error("attest the head of the record: {0}")]
    Attest(String),
}

impl RelayError {
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Journal(_) | Self::Illegal(_) | Self::Standing(_) => true,
            Self::Source(error) => {
                matches!(
                    error,
                    SourceError::OtherNetwork { .. }
                        | SourceError::Address(_)
                        | SourceError::Genesis(_)
                )
            }
            Self::Target(error) => error.is_final(),
            Self::Attest(_) | Self::Sign(_) | Self::Home { .. } => false,
        }
    }

    /// Label of the metric.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Journal(_) => "journal",
            Self::Illegal(_) => "illegal",
            Self::Source(_) => "source",
            Self::Target(_) => "target",
            Self::Standing(_) => "standing",
            Self::Sign(_) => "sign",
            Self::Home { .. } => "home",
            Self::Attest(_) => "attest",
        }
    }
}
