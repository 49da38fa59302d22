//! Why a configuration file is refused.

use std::io;
use std::path::{Path, PathBuf};

use super::CONFIG_BYTES_MAX;

/// Names the file, the key and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No file.
    #[error(
        "read configuration {file}: No such file; `tbsi node init` makes it",
        file = file.display()
    )]
    Missing {
        /// Expected path.
        file: PathBuf,
    },
    /// The file cannot be read.
    #[error("read configuration {file}", file = file.display())]
    Read {
        /// Its path.
        file: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Above the size limit.
    #[error(
        "configuration {file} has more than the {CONFIG_BYTES_MAX} bytes that are allowed",
        file = file.display()
    )]
    TooLarge {
        /// Its path.
        file: PathBuf,
    },
    /// Not TOML, or a value of the wrong type, or a key missing.
    #[error("configuration {file}, line {line}: {problem}", file = file.display())]
    Syntax {
        /// Its path.
        file: PathBuf,
        /// Where, from 1.
        line: usize,
        /// In the TOML parser's words.
        problem: String,
    },
    /// A key that does not exist.
    #[error(
        "configuration {file}: unknown key `{key}`; the nearest valid key is `{nearest}`",
        file = file.display()
    )]
    UnknownKey {
        /// Its path.
        file: PathBuf,
        /// What the file says.
        key: String,
        /// What it may have meant.
        nearest: String,
    },
    /// A value that cannot be.
    #[error("configuration {file}, key `{field}`: {problem}", file = file.display())]
    Field {
        /// Its path.
        file: PathBuf,
        /// Path of the key.
        field: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
}

impl ConfigError {
    pub(super) fn syntax(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().iter().take(start);
        Self::Syntax {
            file: file.into(),
            line: 1 + before.filter(|byte| **byte == b'\n').count(),
            problem: error.message().to_owned(),
        }
    }
}
