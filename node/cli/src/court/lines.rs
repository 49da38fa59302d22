//! Text in lines of a width. Chinese breaks between any two characters, but no line begins with
//! a mark that closes or ends with one that opens; other text breaks at spaces, and within words
//! that are longer than a line, such as hashes.

use super::fonts::Face;

/// Marks that no line begins with.
const CLOSING: &str = "、。，．；：！？）」』】〉》％·,.;:!?)]}%";
/// Marks that no line ends with.
const OPENING: &str = "（「『【〈《([{";

/// The lines of `text`, of at most `width` in parts of the size. What the font lacks is shown
/// by its number.
pub(super) fn lines(text: &str, face: &Face, width: f32) -> Vec<String> {
    let text = face.shown(text);
    text.split('\n')
        .flat_map(|line| broken(line, face, width))
        .collect()
}

fn broken(text: &str, face: &Face, width: f32) -> Vec<String> {
    let mut lines = Vec::new();
    // Byte positions: where the line begins, and where it may end.
    let (mut start, mut end) = (0, 0);
    let mut used = 0.0;
    let mut before = None;
    for (at, character) in text.char_indices() {
        if before.is_some_and(|before| may_break(before, character)) {
            end = at;
        }
        let advance = face.glyph(character).map_or(0.0, |(_, advance)| advance);
        // A space may hang over the edge.
        if used + advance > width && character != ' ' && at > start {
            let cut = if end > start { end } else { at };
            lines.push(text[start..cut].to_owned());
            start = cut;
            used = width_of(&text[start..at], face);
        }
        used += advance;
        before = Some(character);
    }
    lines.push(text[start..].to_owned());
    lines
}

/// In parts of the size.
pub(super) fn width_of(text: &str, face: &Face) -> f32 {
    let advances = text.chars().filter_map(|character| face.glyph(character));
    advances.map(|(_, advance)| advance).sum()
}

fn may_break(before: char, after: char) -> bool {
    if CLOSING.contains(after) || OPENING.contains(before) || after == ' ' {
        return false;
    }
    before == ' ' || is_wide(before) || is_wide(after)
}

/// Of Chinese, and its punctuation.
fn is_wide(character: char) -> bool {
    matches!(u32::from(character), 0x2e80..=0x9fff | 0xf900..=0xfaff | 0xfe30..=0xfe4f
        | 0xff00..=0xffef | 0x2_0000..=0x3_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_readers_expect() {
        for (before, after, expected) in [
            ('a', 'b', false),
            (' ', 'b', true),
            ('a', ' ', false),
            ('中', '文', true),
            ('中', 'a', true),
            ('中', '。', false),
            ('（', '中', false),
            ('）', '中', true),
            ('0', '1', false),
        ] {
            assert_eq!(may_break(before, after), expected, "{before}{after}");
        }
    }
}
