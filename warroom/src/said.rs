//! Sentences in both languages.

use std::fmt;

/// What people read, in English and in Traditional Chinese.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) en: String,
    pub(crate) zh_tw: String,
}

/// A sentence in both languages.
pub(crate) fn said(en: impl Into<String>, zh_tw: impl Into<String>) -> Said {
    Said {
        en: en.into(),
        zh_tw: zh_tw.into(),
    }
}

/// Why the war room does not start, or ends: field, limit and remedy, in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarroomError {
    /// In English.
    pub en: String,
    /// In Traditional Chinese of Taiwan; words of libraries stay in English.
    pub zh_tw: String,
}

impl fmt::Display for WarroomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}

impl std::error::Error for WarroomError {}

impl From<Said> for WarroomError {
    fn from(said: Said) -> Self {
        Self {
            en: said.en,
            zh_tw: said.zh_tw,
        }
    }
}

/// An error and its causes in one line, each once.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}
