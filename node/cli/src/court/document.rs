//! A report as headings, paragraphs and tables, in one language: what the two renderers show.

use std::fmt::Write;

use tbsi_types::TimestampMs;

use crate::lang::Language;
use crate::verify::VerdictKind;

/// Names the kind and version of the report.
pub(super) const FORMAT: &str = "tbsi-report-1";

/// All of it.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) lang: Language,
    pub(super) title: String,
    pub(super) kind: VerdictKind,
    /// The verdict, in one sentence.
    pub(super) verdict: String,
    /// How to read it.
    pub(super) notice: String,
    /// When what was proven was stated; `None` if nothing was.
    pub(super) time: Option<TimestampMs>,
    pub(super) sections: Vec<Section>,
}

/// A heading and what is below it.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) heading: String,
    pub(super) blocks: Vec<Block>,
}

#[derive(Debug)]
pub(super) enum Block {
    Paragraph(String),
    List(Vec<String>),
    /// A command to be copied.
    Code(String),
    Table(Table),
}

/// Cells hold lines. Without `head` the first cell of each row is its heading.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) head: Vec<String>,
    /// Percent of the width, for each column.
    pub(super) widths: Vec<u8>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Section {
    pub(super) fn new(heading: &str) -> Self {
        Self {
            heading: heading.into(),
            blocks: Vec::new(),
        }
    }

    pub(super) fn paragraph(&mut self, text: impl AsRef<str>) {
        let text = visible(text.as_ref());
        self.blocks.push(Block::Paragraph(text));
    }

    pub(super) fn list(&mut self, items: Vec<String>) {
        let items = items.iter().map(|item| visible(item));
        self.blocks.push(Block::List(items.collect()));
    }

    pub(super) fn code(&mut self, text: &str) {
        self.blocks.push(Block::Code(visible(text)));
    }

    /// Names and values.
    pub(super) fn facts(&mut self, rows: Vec<(&str, String)>) {
        let rows = rows.into_iter();
        let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
        self.table(Vec::new(), &[24, 76], rows.collect());
    }

    pub(super) fn table(&mut self, head: Vec<&str>, widths: &[u8], rows: Vec<Vec<String>>) {
        let shown = |row: &Vec<String>| row.iter().map(|cell| visible(cell)).collect();
        self.blocks.push(Block::Table(Table {
            head: head.into_iter().map(str::to_owned).collect(),
            widths: widths.to_vec(),
            rows: rows.iter().map(shown).collect(),
        }));
    }
}

/// Text in which nothing is hidden: names of files and organisations come from strangers.
/// Characters that show nothing, or turn the text around, are written as their numbers.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            out.push_str(&number_of(character));
        } else {
            out.push(character);
        }
    }
    out
}

/// `<U+202E>`.
pub(super) fn number_of(character: char) -> String {
    let mut text = String::new();
    write!(text, "<U+{:04X}>", u32::from(character)).expect("a String takes all");
    text
}

fn is_hidden(character: char) -> bool {
    let invisible = matches!(u32::from(character),
        0xad | 0x034f | 0x061c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f
        | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f
        | 0xfeff | 0xffa0 | 0xfff0..=0xffff | 0xe000..=0xf8ff | 0x1_d173..=0x1_d17a
        | 0xe_0000..=0x10_ffff);
    invisible || (character.is_control() && character != '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_hidden() {
        for (text, shown) in [
            ("台灣測試公會 A&B", "台灣測試公會 A&B"),
            ("a\nb", "a\nb"),
            ("a\tb\0", "a<U+0009>b<U+0000>"),
            ("gpj\u{202e}.exe", "gpj<U+202E>.exe"),
            ("\u{e000}\u{fe0f}\u{e0041}", "<U+E000><U+FE0F><U+E0041>"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
