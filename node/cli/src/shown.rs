//! What comes from elsewhere (names of files, texts of the chain, a node's words), made fit for a
//! terminal, for JSON and for a shell.
//!
//! Text for people is one of ours only if it has passed here: a name that holds a line feed or an
//! escape sequence could else print a verdict of its own.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Display, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::{Map, Value, json};

/// Key of the JSON form of a name that is no UTF-8, until [`plain_json`] takes it away. No
/// command has such a key.
const LOSSY: &str = "\0lossy";

/// What is added to the key of a name that JSON cannot hold.
const LOSSY_SUFFIX: &str = "Lossy";

/// A path in text and in JSON.
pub(crate) trait PathShown {
    /// For people: what a terminal would act on, and bytes that are no UTF-8, are escaped.
    fn shown(&self) -> ShownPath<'_>;

    /// For programs. A name that is no UTF-8 is shown with U+FFFD, and [`plain_json`] says so.
    fn json(&self) -> Value;

    /// As a word of a POSIX shell, also if it has what cannot be typed.
    fn word(&self) -> String;
}

impl PathShown for Path {
    fn shown(&self) -> ShownPath<'_> {
        ShownPath(self)
    }

    fn json(&self) -> Value {
        match self.to_str() {
            Some(text) => text.into(),
            None => json!({ LOSSY: self.to_string_lossy() }),
        }
    }

    fn word(&self) -> String {
        word(self.as_os_str())
    }
}

/// A path that prints nothing but itself, on one line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShownPath<'a>(&'a Path);

impl Display for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.as_os_str().as_bytes().utf8_chunks() {
            f.write_str(&line(chunk.valid()))?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// Whether a terminal would do something else with it than show it: control characters, those
/// that change the direction of others, and those that are not seen, so that two names look alike.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Foreign text, on one line.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// Text of ours: its line feeds stay.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| letter != '\n' && is_hidden(letter))
}

/// The same in the place of the text.
pub(crate) fn settle<'a>(texts: impl IntoIterator<Item = &'a mut String>) {
    for text in texts {
        if let Cow::Owned(escaped) = line(text) {
            *text = escaped;
        }
    }
}

fn escaped(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if hidden(letter) {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// JSON text in which the characters that JSON allows in strings, but a terminal acts on, are
/// escaped.
pub(crate) fn json_text(text: &str) -> Cow<'_, str> {
    let hidden = |letter: char| letter > '\u{7e}' && is_hidden(letter);
    if !text.chars().any(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if hidden(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").expect("a String takes all");
            }
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// The same JSON with names as strings; beside one that could not be told is `nameLossy: true`.
pub(crate) fn plain_json(value: Value) -> Value {
    plain(value).0
}

/// Also whether the value itself, or an item of it, is such a name.
fn plain(value: Value) -> (Value, bool) {
    match value {
        Value::Object(mut all) => {
            if let (1, Some(name)) = (all.len(), all.remove(LOSSY)) {
                return (name, true);
            }
            let mut out = Map::new();
            for (key, value) in all {
                let (value, lossy) = plain(value);
                if lossy {
                    out.insert(format!("{key}{LOSSY_SUFFIX}"), true.into());
                }
                out.insert(key, value);
            }
            (out.into(), false)
        }
        Value::Array(items) => {
            let (items, lossy): (Vec<_>, Vec<_>) = items.into_iter().map(plain).unzip();
            (items.into(), lossy.contains(&true))
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            (other, false)
        }
    }
}

/// A word of a shell command that somebody may copy, and no option of a program.
pub(crate) fn word(text: &OsStr) -> String {
    let bytes = text.as_bytes();
    // What begins like an option is a path all the same.
    let before = if bytes.starts_with(b"-") { "./" } else { "" };
    let is_plain = |letter: char| letter.is_alphanumeric() || "./:@%+=,_-".contains(letter);
    match text.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(is_plain) => format!("{before}{text}"),
        Some(text) if !text.chars().any(is_hidden) => {
            format!("'{before}{}'", text.replace('\'', r"'\''"))
        }
        // Not all shells would give the line feeds at its end back.
        Some(_) | None if bytes.ends_with(b"\n") => format!("$'{before}{}'", escapes(bytes, "%")),
        Some(_) | None => format!("\"$(printf '{before}{}')\"", escapes(bytes, "%%")),
    }
}

/// As `printf` reads it, and what is between `$'` and `'`.
fn escapes(bytes: &[u8], percent: &str) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '%' => out.push_str(percent),
                _ if is_hidden(letter) || matches!(letter, '\\' | '\'') => {
                    octal(&mut out, letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => out.push(letter),
            }
        }
        octal(&mut out, chunk.invalid());
    }
    out
}

/// Always of three digits: what follows is never taken for one.
fn octal(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        write!(out, "\\{byte:03o}").expect("a String takes all");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    use std::process::Command;

    fn name(bytes: &[u8]) -> OsString {
        OsString::from_vec(bytes.to_vec())
    }

    #[test]
    fn foreign_text_stays_on_its_line() {
        let check = |text: &str, expected: &str| assert_eq!(line(text), expected, "{text:?}");
        check("minutes 會議.pdf", "minutes 會議.pdf");
        check("a\nVALID", r"a\nVALID");
        check("\x1b[2J\r\x07", r"\u{1b}[2J\r\u{7}");
        check("\u{9b}1m\u{7f}", r"\u{9b}1m\u{7f}");
        check("a\u{202e}fdp.exe", r"a\u{202e}fdp.exe");
        check("\u{2028}\u{2066}\u{200f}", r"\u{2028}\u{2066}\u{200f}");
        check("a\u{200b}b\u{feff}", r"a\u{200b}b\u{feff}");
        check(
            "\u{2060}\u{ad}\u{3164}\u{e0041}",
            r"\u{2060}\u{ad}\u{3164}\u{e0041}",
        );
        assert_eq!(lines("one\ntwo\x1b[m\n"), "one\ntwo\\u{1b}[m\n");
        assert_eq!(json_text("\"\u{9b}\u{202e}é\""), "\"\\u009b\\u202eé\"");
    }

    #[test]
    fn names_that_are_no_utf_8_are_shown_and_flagged() {
        let latin = name(b"caf\xe9\n.txt");
        let path = Path::new(&latin);
        assert_eq!(path.shown().to_string(), r"caf\xe9\n.txt");
        let json = json!({
            "file": path.json(),
            "plain": Path::new("a").json(),
            "files": [Path::new("a").json(), path.json()],
            "inner": { "proof": path.json(), "n": 1 },
        });
        let expected = json!({
            "file": "caf\u{fffd}\n.txt", "fileLossy": true,
            "plain": "a",
            "files": ["a", "caf\u{fffd}\n.txt"], "filesLossy": true,
            "inner": { "proof": "caf\u{fffd}\n.txt", "proofLossy": true, "n": 1 },
        });
        assert_eq!(plain_json(json), expected);
    }

    /// A shell gives back what was quoted.
    #[test]
    fn shells_read_words_as_they_were() {
        let check = |shell: &str, bytes: &[u8], expected: &str| {
            let word = word(&name(bytes));
            assert_eq!(word, expected);
            let script = format!("printf %s {word}");
            let output = Command::new(shell).args(["-c", &script]).output();
            let said = output.expect("a shell").stdout;
            let read = said.strip_prefix(b"./".as_slice()).unwrap_or(&said);
            assert_eq!(read, bytes, "{word}");
        };
        for (bytes, expected) in [
            (b"a/report-1.pdf".as_slice(), "a/report-1.pdf"),
            ("會議紀錄.pdf".as_bytes(), "會議紀錄.pdf"),
            (b"-rf", "./-rf"),
            (b"- x", "'./- x'"),
            (b"two words", "'two words'"),
            (b"$(id) `id` \"; rm x", "'$(id) `id` \"; rm x'"),
            (b"it's", r"'it'\''s'"),
            (b"~", "'~'"),
            (b"caf\xe9", r#""$(printf 'caf\351')""#),
            (b"100%\xe9", r#""$(printf '100%%\351')""#),
            (b"a\nb\x1b1'\\", r#""$(printf 'a\012b\0331\047\134')""#),
            ("\u{202e}x".as_bytes(), r#""$(printf '\342\200\256x')""#),
        ] {
            check("sh", bytes, expected);
        }
        check("bash", b"a%\n", r"$'a%\012'");
        assert_eq!(word(&name(b"")), "''");
    }
}
