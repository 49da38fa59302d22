//! What a verification comes to (SPEC §10.5).

use std::process::ExitCode;

use crate::report::REFUSED;

/// In one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VerdictKind {
    /// The proof holds.
    Valid,
    /// It holds, and what it proves counts for nothing.
    Void,
    Invalid,
    CouldNotTell,
}

impl VerdictKind {
    /// For programs, the same in every language.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Void => "void",
            Self::Invalid => "invalid",
            Self::CouldNotTell => "could not tell",
        }
    }

    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Valid => ExitCode::SUCCESS,
            Self::Void | Self::Invalid => ExitCode::FAILURE,
            Self::CouldNotTell => ExitCode::from(REFUSED),
        }
    }
}

/// The last line, and what it rests on.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) kind: VerdictKind,
    /// Of what failed.
    pub(crate) code: Option<&'static str>,
    pub(crate) reason: Option<String>,
    /// A sentence.
    pub(crate) words: String,
}
