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
    /// A character that is not on the list, or a space where none may be.
    #[error(
        "character U+{0:04X} is not allowed here: {1}, no space at either end and no two together \
         (SPEC 13.2)"
    )]
    Character(u32, &'static str),
    /// A Chinese name without a Chinese character.
    #[error("has no Chinese character; leave it out if there is no Chinese name")]
    NotChinese,
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

/// Marks of ASCII in legal names.
const MARKS: &str = " !#&'()+,-./:;@";
/// Letters of Latin script with one code point; `Texts.sol` has the same.
const LATIN: &[(u32, u32)] = &[
    (0xc0, 0xd6),
    (0xd8, 0xf6),
    (0xf8, 0x131),
    (0x134, 0x137),
    (0x139, 0x13e),
    (0x141, 0x148),
    (0x14a, 0x17e),
    (0x1a0, 0x1a1),
    (0x1af, 0x1b0),
    (0x218, 0x21b),
    (0x1ea0, 0x1ef9),
];
/// Ideographs of Unicode 15.1 without those for compatibility.
const HAN: &[(u32, u32)] = &[
    (0x3007, 0x3007),
    (0x3400, 0x4dbf),
    (0x4e00, 0x9fff),
    (0x20000, 0x2a6df),
    (0x2a700, 0x2b739),
    (0x2b740, 0x2b81d),
    (0x2b820, 0x2cea1),
    (0x2ceb0, 0x2ebe0),
    (0x2ebf0, 0x2ee5d),
    (0x30000, 0x3134a),
    (0x31350, 0x323af),
];
/// Bopomofo, and the marks, digits and wide letters of Chinese texts.
const CHINESE: &[(u32, u32)] = &[
    (0x3105, 0x312f),
    (0xb7, 0xb7),
    (0x2027, 0x2027),
    (0x3000, 0x3001),
    (0x300c, 0x300f),
    (0xff06, 0xff06),
    (0xff08, 0xff09),
    (0xff0d, 0xff19),
    (0xff21, 0xff3a),
    (0xff41, 0xff5a),
];

fn among(ranges: &[(u32, u32)], letter: char) -> bool {
    let code = u32::from(letter);
    ranges
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&code))
}

fn is_latin(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || MARKS.contains(letter) || among(LATIN, letter)
}

fn is_chinese(letter: char) -> bool {
    is_latin(letter) || among(HAN, letter) || among(CHINESE, letter)
}

/// A legal name in English: at most [`ORGANISATION_NAME_BYTES_MAX`] bytes of Latin letters that
/// have one code point, digits and a few marks.
pub fn check_english_name(text: &str) -> Result<(), TextError> {
    check_length(text, 1, ORGANISATION_NAME_BYTES_MAX)?;
    let what = "English names have Latin letters, digits and !#&'()+,-./:;@";
    check_letters(text, is_latin, what)
}

/// A legal name in Traditional Chinese, or nothing: as in English, and with Han, Bopomofo and the
/// marks of Chinese texts; one character at least is Han.
pub fn check_chinese_name(text: &str) -> Result<(), TextError> {
    check_length(text, 0, ORGANISATION_NAME_BYTES_MAX)?;
    let what = "Chinese names have Han, Bopomofo and Latin letters, digits and a few marks";
    check_letters(text, is_chinese, what)?;
    if !text.is_empty() && !text.chars().any(|letter| among(HAN, letter)) {
        return Err(TextError::NotChinese);
    }
    Ok(())
}

fn check_letters(
    text: &str,
    is_allowed: fn(char) -> bool,
    what: &'static str,
) -> Result<(), TextError> {
    let is_space = |letter: char| matches!(letter, ' ' | '\u{3000}');
    let mut after_space = true;
    for letter in text.chars() {
        if !is_allowed(letter) || (after_space && is_space(letter)) {
            return Err(TextError::Character(letter.into(), what));
        }
        after_space = is_space(letter);
    }
    match text.chars().next_back().filter(|last| is_space(*last)) {
        Some(last) => Err(TextError::Character(last.into(), what)),
        None => Ok(()),
    }
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
    fn a_legal_name_has_letters_that_are_what_they_look_like() {
        for good in [
            "A & B, Inc.",
            "Société Đặng Nguyễn",
            "Yoshi & Sons #1+2/3: A-B's @ C; D!",
        ] {
            assert_eq!(check_english_name(good), Ok(()), "{good}");
        }
        for good in [
            "",
            "台灣區電機電子工業同業公會",
            "𠮷野家‧ＡＢ（股）公司",
            "㐀〇ㄅ公司 A1",
        ] {
            assert_eq!(check_chinese_name(good), Ok(()), "{good}");
        }
        assert!(check_english_name("").is_err());
        assert!(check_chinese_name(&"公".repeat(171)).is_err());
        assert_eq!(check_chinese_name("Guild"), Err(TextError::NotChinese));
        for edge in [" 公", "公 ", "\u{3000}公"] {
            assert!(check_chinese_name(edge).is_err(), "{edge:?}");
            assert!(
                check_english_name(&edge.replace('公', "A")).is_err(),
                "{edge:?}"
            );
        }
        let hidden = [
            "  ", "\n", "\u{202e}", "\u{200d}", "\u{feff}", "\u{3164}", "\u{ffa0}", "\u{115f}",
            "\u{2800}", "\u{34f}", "\u{301}", "\u{430}", "\u{a0}", "\u{1c3}", "\u{138}", "|",
        ];
        for bad in hidden {
            let english = check_english_name(&format!("A{bad}B"));
            let chinese = check_chinese_name(&format!("公{bad}會"));
            for refused in [english, chinese] {
                assert!(matches!(refused, Err(TextError::Character(..))), "{bad:?}");
            }
        }
        for chinese in ["A公", "Aㄅ", "AＢ", "A（"] {
            assert!(check_english_name(chinese).is_err(), "{chinese}");
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
