//! Files that are no text of ours at all: empty, cut off, UTF-16 or UTF-32, with a byte-order mark. What a
//! parser makes of them helps nobody; this names the kind and the remedy.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use tbsi_bridge::config::ConfigError as RelayerError;
use tbsi_home::HomeError;
use tbsi_home::config::ConfigError;
use tbsi_keys::keyfile::KeyFileError;
use tbsi_keys::password::PasswordError;

use crate::lang::{Sentence, counted};
use crate::refusal::Refused;
use crate::shown::PathShown;

/// Bytes of a file that are looked at.
const LOOK_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// An error about the contents of a file. It says what its cause says, unless the file is a misfit.
#[derive(Debug)]
pub(crate) struct Unread {
    path: PathBuf,
    cause: anyhow::Error,
}

impl Unread {
    /// What its cause says.
    pub(crate) fn inner(&self) -> &(dyn Error + 'static) {
        self.cause.as_ref()
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)
    }
}

impl Error for Unread {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

/// The same error, about the contents of this file.
pub(crate) fn unread(path: &Path, error: impl Into<anyhow::Error>) -> anyhow::Error {
    anyhow::Error::new(Unread {
        path: path.into(),
        cause: error.into(),
    })
}

/// TOML; what is wrong with it on one line.
pub(crate) fn parse_toml<T: DeserializeOwned>(text: &str) -> anyhow::Result<T> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        anyhow::anyhow!("line {line}: {}", error.message())
    })
}

/// What is wrong with the file that an error is about, if that is no text that anything here
/// reads.
pub(crate) fn of_error(error: &(dyn Error + 'static)) -> Option<Sentence> {
    let mut next = Some(error);
    while let Some(found) = next {
        // It stands before another error and says what that says.
        let error = found.downcast_ref().map_or(found, Refused::inner);
        if let Some(path) = contents_of(error)
            && let Some(sentence) = of_file(path)
        {
            return Some(sentence);
        }
        next = error.source();
    }
    None
}

/// The file whose contents an error is about.
fn contents_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Path> {
    if let Some(Unread { path, .. }) = error.downcast_ref() {
        return Some(path);
    }
    if let Some(RelayerError::Syntax { file, .. } | RelayerError::Read { file, .. }) =
        error.downcast_ref()
    {
        return Some(file);
    }
    if let Some(HomeError::Genesis { file, .. }) = error.downcast_ref() {
        return Some(file);
    }
    if let Some(
        ConfigError::Syntax { file, .. }
        | ConfigError::UnknownKey { file, .. }
        | ConfigError::Read { file, .. },
    ) = error
        .downcast_ref::<ConfigError>()
        .or_else(|| config(error))
    {
        return Some(file);
    }
    if let Some(KeyFileError::Malformed { path } | KeyFileError::Keystore { path, .. }) =
        error.downcast_ref::<KeyFileError>().or_else(|| key(error))
    {
        return Some(path);
    }
    let password = match error.downcast_ref() {
        Some(HomeError::Password(error)) => Some(error),
        Some(_) | None => error.downcast_ref::<PasswordError>(),
    };
    match password {
        Some(PasswordError::Content { path }) => Some(path),
        Some(
            PasswordError::Short(_)
            | PasswordError::Length
            | PasswordError::Missing { .. }
            | PasswordError::File { .. },
        )
        | None => None,
    }
}

// These are transparent: the chain of causes goes on behind them.

fn config<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a ConfigError> {
    match error.downcast_ref() {
        Some(HomeError::Config(error)) => Some(error),
        Some(_) | None => None,
    }
}

fn key<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a KeyFileError> {
    match error.downcast_ref() {
        Some(HomeError::Key(error)) => Some(error),
        Some(_) | None => None,
    }
}

fn of_file(path: &Path) -> Option<Sentence> {
    let file = File::open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LOOK_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    of_bytes(path, &bytes)
}

/// What is wrong with bytes that were read as text and could not be.
pub(crate) fn of_bytes(path: &Path, bytes: &[u8]) -> Option<Sentence> {
    let (shown, word) = (path.shown(), path.word());
    let size = bytes.len();
    let count = counted(size, "byte");
    if bytes.trim_ascii().is_empty() {
        return Some((
            format!("{shown} is empty ({count}); fetch or write it again"),
            format!("{shown} 是空的（{size} 位元組）；請重新取得或寫入"),
        ));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Some((
            format!(
                "{shown} begins with a byte-order mark, which some editors add; take it off: \
                 tail -c +4 {word} > NEW"
            ),
            format!(
                "{shown} 以位元組順序記號（BOM）開頭，為某些編輯器所加；請移除：\
                 tail -c +4 {word} > NEW"
            ),
        ));
    }
    if let Some(encoding) = other_unicode(bytes) {
        return Some((
            format!(
                "{shown} is {encoding} text, not UTF-8; convert it: iconv -f {encoding} -t UTF-8 \
                 {word} > NEW"
            ),
            format!(
                "{shown} 是 {encoding} 文字，不是 UTF-8；請轉換：iconv -f {encoding} -t UTF-8 \
                 {word} > NEW"
            ),
        ));
    }
    if is_cut_off(bytes) {
        return Some((
            format!("{shown} ends in the middle, after {count}; fetch or copy it again"),
            format!("{shown} 不完整，在 {size} 位元組處中斷；請重新取得或複製"),
        ));
    }
    None
}

/// As `iconv` calls it: with a mark, or with zeros where ASCII has them there.
fn other_unicode(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        // A mark of UTF-16 with an end of text after it means this one.
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [1..=255, 0, 0, 0, 1..=255, 0, 0, 0, ..] => Some("UTF-32LE"),
        [0, 0, 0, 1..=255, 0, 0, 0, 1..=255, ..] => Some("UTF-32BE"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        [1..=255, 0, 1..=255, 0, ..] => Some("UTF-16LE"),
        [0, 1..=255, 0, 1..=255, ..] => Some("UTF-16BE"),
        _ => None,
    }
}

/// JSON whose end is missing.
fn is_cut_off(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    if !bytes.starts_with(b"{") {
        return false;
    }
    let read = serde_json::from_slice::<serde::de::IgnoredAny>(bytes);
    read.is_err_and(|error| error.is_eof())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Language, causes};

    fn check(bytes: &[u8], words: Option<(&str, &str)>) {
        let found = of_bytes(Path::new("a b"), bytes);
        match (&found, words) {
            (None, None) => {}
            (Some((en, zh_tw)), Some(words)) => {
                assert!(en.starts_with("a b ") && en.contains(words.0), "{en}");
                assert!(zh_tw.contains(words.1), "{zh_tw}");
            }
            (found, _) => panic!("{found:?} instead of {words:?}"),
        }
    }

    #[test]
    fn each_kind_is_named_with_its_remedy() {
        check(b"", Some(("is empty (0 bytes)", "是空的")));
        check(b" \r\n", Some(("is empty (3 bytes)", "3 位元組")));
        check(b"\xef\xbb\xbf{}", Some(("tail -c +4 'a b' > NEW", "BOM")));
        let utf_16 = Some(("iconv -f UTF-16 -t UTF-8 'a b'", "UTF-16 文字"));
        check(b"\xff\xfe{\0}\0", utf_16);
        check(b"\xfe\xff\0{\0}", utf_16);
        // Without a mark `iconv` has to be told which end is first.
        let le = Some(("iconv -f UTF-16LE -t UTF-8 'a b'", "UTF-16LE 文字"));
        let be = Some(("iconv -f UTF-16BE -t UTF-8 'a b'", "UTF-16BE 文字"));
        check(b"{\0\"\0a\0", le);
        check(b"\0{\0\"\0a", be);
        let utf_32 = Some(("iconv -f UTF-32 -t UTF-8 'a b'", "UTF-32 文字"));
        check(b"\xff\xfe\0\0{\0\0\0", utf_32);
        check(b"\0\0\xfe\xff\0\0\0{", utf_32);
        let le = Some(("iconv -f UTF-32LE -t UTF-8 'a b'", "UTF-32LE 文字"));
        let be = Some(("iconv -f UTF-32BE -t UTF-8 'a b'", "UTF-32BE 文字"));
        check(b"{\0\0\0}\0\0\0", le);
        check(b"\0\0\0{\0\0\0}", be);
        let cut = Some(("ends in the middle, after", "中斷"));
        check(b"{\"a\": [1, 2", cut);
        check(b"{\"a\": \"x", cut);
        check(b"{", cut);
        for other in [
            b"{}".as_slice(),
            b"{\"a\": 1} x",
            b"[1",
            b"name = \"x\"",
            b"TBP\x01\0\0",
            b"\xd2\x84",
        ] {
            check(other, None);
        }
    }

    #[test]
    fn an_error_is_told_by_what_the_file_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("genesis.json");
        std::fs::write(&path, b"\xef\xbb\xbf{}").unwrap();
        let error = tbsi_home::load_genesis(&path).unwrap_err();
        let error = anyhow::Error::new(error).context("first");
        for (language, words) in [(Language::En, "byte-order mark"), (Language::ZhTw, "BOM")] {
            let said = causes(error.as_ref(), language);
            assert!(said.contains(words) && !said.contains("line 1"), "{said}");
        }
        std::fs::write(&path, "{}").unwrap();
        let error = unread(&path, anyhow::anyhow!("no field"));
        let said = causes(error.as_ref(), Language::En);
        assert_eq!(said, "no field");
    }
}
