//! What is refused before anything was done.

use std::error::Error;
use std::fmt;

/// What a command was asked to do cannot be done, and nothing was.
#[derive(Debug)]
pub(crate) struct Refused(anyhow::Error);

impl Refused {
    /// What is wrong.
    pub(crate) fn inner(&self) -> &(dyn Error + 'static) {
        self.0.as_ref()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// An error for exit code [`REFUSED`](crate::report::REFUSED).
pub(crate) fn refused(problem: impl Into<String>) -> anyhow::Error {
    refuse(anyhow::Error::msg(problem.into()))
}

/// The same error, for exit code [`REFUSED`](crate::report::REFUSED).
pub(crate) fn refuse(error: anyhow::Error) -> anyhow::Error {
    anyhow::Error::new(Refused(error))
}
