//! What texts of the registry may look like: names are part of what validators sign, and one
//! must not look like another.

use tbsi_types::limits::ORGANISATION_NAME_BYTES_MAX;

/// Bytes of a node's name.
pub const NODE_NAME_BYTES_MAX: usize = 64;
/// Bytes of a node's endpoint.
pub const ENDPOINT_BYTES_MAX: usize = 128;
/// Bytes of a contact URL.
pub const URL_BYTES_MAX: usize = 256;

/// Why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Too short or too long.
    #[error("{got} bytes of UTF-8, {min} to {max} are allowed")]
    Length {
        /// Bytes, at least.
        min: usize,
        /// Bytes, at most.
        max: usize,
        /// What it has.
        got: usize,
    },
    /// A character that could hide or pose as another.
    #[error(
        "character U+{0:04X} is not allowed in a legal name: no control, direction or joining \
         characters, no space at either end"
    )]
    Hidden(u32),
    /// A character outside a label's.
    #[error("`{0}` is not allowed: lower-case letters, digits, `-` and `.` are")]
    Label(char),
    /// Not printable ASCII, or another beginning.
    #[error("must start with `{0}` and have no spaces or characters outside ASCII")]
    Line(&'static str),
}

fn check_length(text: &str, min: usize, max: usize) -> Result<(), TextError> {
    let got = text.len();
    if (min..=max).contains(&got) {
        return Ok(());
    }
    Err(TextError::Length { min, max, got })
}

/// A legal name in one language: at most [`ORGANISATION_NAME_BYTES_MAX`] bytes, at least `min`,
/// without characters that are not seen.
pub fn check_legal_name(text: &str, min: usize) -> Result<(), TextError> {
    check_length(text, min, ORGANISATION_NAME_BYTES_MAX)?;
    let space = |letter: &char| matches!(letter, ' ' | '\u{a0}' | '\u{3000}');
    let edges = [text.chars().next(), text.chars().next_back()];
    let edge = edges.into_iter().flatten().find(space);
    match text.chars().find(|letter| is_hidden(*letter)).or(edge) {
        Some(letter) => Err(TextError::Hidden(letter.into())),
        None => Ok(()),
    }
}

/// Control characters, marks of direction, joiners, line separators, byte order mark.
fn is_hidden(letter: char) -> bool {
    matches!(
        letter,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}'
    )
}

/// A node's name: lower-case letters, digits, `-` and `.`.
pub fn check_label(text: &str) -> Result<(), TextError> {
    check_length(text, 1, NODE_NAME_BYTES_MAX)?;
    let allowed = |letter: &char| matches!(letter, 'a'..='z' | '0'..='9' | '-' | '.');
    match text.chars().find(|letter| !allowed(letter)) {
        Some(letter) => Err(TextError::Label(letter)),
        None => Ok(()),
    }
}

/// Where to reach an organisation.
pub fn check_url(text: &str) -> Result<(), TextError> {
    check_line(text, "https://", URL_BYTES_MAX)
}

/// Where to reach a node: a multiaddr, such as `/dns4/node.example.org/tcp/27000`.
pub fn check_endpoint(text: &str) -> Result<(), TextError> {
    check_line(text, "/", ENDPOINT_BYTES_MAX)
}

fn check_line(text: &str, start: &'static str, max: usize) -> Result<(), TextError> {
    check_length(text, start.len() + 1, max)?;
    if text.starts_with(start) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(TextError::Line(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legal_name_shows_all_that_it_is() {
        for good in ["台灣區電機電子工業同業公會", "A & B, Inc.", "Société"] {
            assert_eq!(check_legal_name(good, 1), Ok(()), "{good}");
        }
        assert_eq!(check_legal_name("", 0), Ok(()));
        assert!(check_legal_name("", 1).is_err());
        assert!(check_legal_name(&"公".repeat(171), 0).is_err());
        let hidden = [
            " A",
            "A ",
            "\u{3000}公會",
            "A\nB",
            "A\u{202e}B",
            "A\u{200d}",
            "\u{feff}A",
        ];
        for bad in hidden {
            let refused = check_legal_name(bad, 1);
            assert!(matches!(refused, Err(TextError::Hidden(_))), "{bad:?}");
        }
    }

    #[test]
    fn labels_urls_and_endpoints_have_their_forms() {
        let check = |check: fn(&str) -> Result<(), TextError>, good: &[&str], bad: &[&str]| {
            for text in good {
                assert_eq!(check(text), Ok(()), "{text}");
            }
            for text in bad {
                assert!(check(text).is_err(), "{text}");
            }
        };
        let long = "a".repeat(65);
        check(
            check_label,
            &["node-1", "a.b"],
            &["", "A", "a b", "節點", &long],
        );
        let url = ["https://example.org/contact"];
        check(
            check_url,
            &url,
            &["", "https://", "http://a.b", "https://a b", "https://公會"],
        );
        let endpoint = ["/dns4/node.example.org/tcp/27000"];
        check(
            check_endpoint,
            &endpoint,
            &["", "/", "node:27000", "/ip4/1 2"],
        );
    }
}
