//! What people read, in their language.

mod backup;
mod erasure;
mod foreign;
mod paths;
mod proof;
mod reach;
mod registry;
mod zh_tw;

use std::error::Error;
use std::fmt;

use clap::ValueEnum;

use crate::misfit::{self, Unread};
use crate::refusal::Refused;
use crate::shown;

/// For people; programs read the same JSON in all languages, except for reasons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// English.
    #[default]
    En,
    /// Traditional Chinese of Taiwan.
    #[value(name = "zh-TW", alias = "zh-tw")]
    ZhTw,
}

impl Language {
    /// One of two.
    pub(crate) fn pick<T>(self, en: T, zh_tw: T) -> T {
        match self {
            Self::En => en,
            Self::ZhTw => zh_tw,
        }
    }
}

/// A number of things in English: `1 file`, `2 files`, `1 entry`, `2 entries`, `1 leaf`, `2 leaves`.
pub(crate) fn counted(count: impl fmt::Display, one: &str) -> String {
    let count = count.to_string();
    if count == "1" {
        return format!("1 {one}");
    }
    let (stem, end) = match one.as_bytes() {
        [.., b'y'] => (&one[..one.len() - 1], "ies"),
        [.., b'e', b'a', b'f'] => (&one[..one.len() - 1], "ves"),
        [.., b's' | b'h' | b'x'] => (one, "es"),
        _ => (one, "s"),
    };
    format!("{count} {stem}{end}")
}

/// A sentence in each language; English first.
pub(crate) type Sentence = (String, String);

/// What went wrong, in both languages.
#[derive(Debug)]
struct SaidError {
    sentence: Sentence,
    cause: Option<anyhow::Error>,
}

impl fmt::Display for SaidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence.0)
    }
}

impl Error for SaidError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause: &(dyn Error + 'static) = self.cause.as_ref()?.as_ref();
        Some(cause)
    }
}

/// An error in both languages.
pub(crate) fn said(en: impl Into<String>, zh_tw: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(SaidError {
        sentence: (en.into(), zh_tw.into()),
        cause: None,
    })
}

/// Fails with a sentence unless `holds`.
pub(crate) fn demand(holds: bool, sentence: impl FnOnce() -> Sentence) -> anyhow::Result<()> {
    if holds {
        return Ok(());
    }
    let (en, zh_tw) = sentence();
    Err(said(en, zh_tw))
}

/// An error with a sentence before it.
pub(crate) fn wrap(error: impl Into<anyhow::Error>, sentence: Sentence) -> anyhow::Error {
    anyhow::Error::new(SaidError {
        sentence,
        cause: Some(error.into()),
    })
}

/// Says what was being done when something went wrong.
pub(crate) trait SayContext<T> {
    /// The error with a sentence before it.
    fn or_say(self, sentence: impl FnOnce() -> Sentence) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> SayContext<T> for Result<T, E> {
    fn or_say(self, sentence: impl FnOnce() -> Sentence) -> anyhow::Result<T> {
        self.map_err(|error| wrap(error, sentence()))
    }
}

/// An error and its causes on one line, each cause once. What has no translation, such as the
/// words of a library or of a node, stays in English. Names and foreign words in it are escaped.
pub(crate) fn causes(error: &(dyn Error + 'static), language: Language) -> String {
    // What a file is says more than what a parser made of it.
    if let Some((en, zh_tw)) = misfit::of_error(error) {
        return language.pick(en, zh_tw);
    }
    let colon = match language {
        Language::En => ": ",
        Language::ZhTw => "：",
    };
    let said = |error: &(dyn Error + 'static)| shown::line(&words(error, language)).into_owned();
    let mut text = said(error);
    let mut next = error.source();
    while let Some(cause) = next {
        let words = said(cause);
        if !text.contains(&words) {
            text = format!("{text}{colon}{words}");
        }
        next = cause.source();
    }
    text
}

fn words(error: &(dyn Error + 'static), language: Language) -> String {
    // These stand before another error and say what that says.
    let error = error.downcast_ref().map_or(error, Refused::inner);
    let error = error.downcast_ref().map_or(error, Unread::inner);
    let translated = match language {
        Language::En => paths::words(error),
        Language::ZhTw => match error.downcast_ref::<SaidError>() {
            Some(said) => Some(said.sentence.1.clone()),
            None => zh_tw::words(error).or_else(|| paths::words(error)),
        },
    };
    translated.unwrap_or_else(|| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::refuse;

    #[test]
    fn one_is_not_many() {
        for (count, one, expected) in [
            (0, "leaf", "0 leaves"),
            (1, "leaf", "1 leaf"),
            (2, "entry", "2 entries"),
            (1, "entry", "1 entry"),
            (11, "key file", "11 key files"),
            (2, "hash", "2 hashes"),
            (21, "word", "21 words"),
        ] {
            assert_eq!(counted(count, one), expected);
        }
    }

    #[test]
    fn says_all_causes_in_one_language() {
        let missing = || std::io::Error::from_raw_os_error(2);
        let read = || ("read a".to_owned(), "無法讀取 a".to_owned());
        let check = |error: &anyhow::Error, en: &str, zh_tw: &str| {
            assert_eq!(causes(error.as_ref(), Language::En), en);
            assert_eq!(causes(error.as_ref(), Language::ZhTw), zh_tw);
        };
        let error = Err::<(), _>(missing()).or_say(read).unwrap_err();
        let en = "read a: No such file or directory (os error 2)";
        check(&error, en, "無法讀取 a：檔案或目錄不存在");
        check(&refuse(error), en, "無法讀取 a：檔案或目錄不存在");
        check(&said("no", "否"), "no", "否");
        check(&refuse(said("no", "否")), "no", "否");
        let foreign = anyhow::anyhow!("engine words");
        let error = Err::<(), _>(foreign).or_say(read).unwrap_err();
        check(&error, "read a: engine words", "無法讀取 a：engine words");
        let named = anyhow::anyhow!("no such file: x\nVALID\u{1b}[m");
        let escaped = r"no such file: x\nVALID\u{1b}[m";
        check(&named, escaped, escaped);
        assert!(demand(true, read).is_ok());
        check(&demand(false, read).unwrap_err(), "read a", "無法讀取 a");
    }
}
