//! Fonts with Chinese characters: read from the machine, and embedded as far as they are used.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use krilla::text::Font;
use skrifa::instance::{LocationRef, Size};
use skrifa::raw::FileRef;
use skrifa::string::StringId;
use skrifa::{FontRef, MetadataProvider};

use super::document::number_of;
use crate::lang::{SayContext, demand, said};
use crate::shown::PathShown;

/// Where distributions install Noto Sans CJK; the first is Debian's.
const PLACES: &[&str] = &[
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/noto-cjk",
    "/usr/share/fonts/google-noto-sans-cjk-fonts",
    "/usr/share/fonts/google-noto-cjk",
];
const REGULAR: &str = "NotoSansCJK-Regular.ttc";
const BOLD: &str = "NotoSansCJK-Bold.ttc";

/// Debian's package with them.
const PACKAGE: &str = "fonts-noto-cjk";

/// Of a font file; those of Noto have 20 MB.
const FONT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Fonts in one file that are looked at.
const FACES_MAX: usize = 64;

/// A font with characters of Taiwan has this one, which every report in Chinese uses.
const CHINESE: char = '證';

/// One font of a file, as far as a document needs it.
pub(super) struct Face {
    pub(super) font: Font,
    /// Glyph and advance, in parts of the size.
    glyphs: BTreeMap<char, (u32, f32)>,
}

/// What a document is set in.
pub(super) struct Faces {
    pub(super) regular: Face,
    pub(super) bold: Face,
    /// For commands.
    pub(super) mono: Face,
}

/// Font files, found before anything is verified.
#[derive(Debug)]
pub(super) struct FontFiles {
    regular: PathBuf,
    bold: PathBuf,
}

impl FontFiles {
    /// The file that was given, or those of the machine.
    pub(super) fn find(given: Option<&Path>) -> anyhow::Result<Self> {
        Self::find_in(given, PLACES.iter().map(Path::new))
    }

    fn find_in<'a>(
        given: Option<&Path>,
        mut places: impl Iterator<Item = &'a Path>,
    ) -> anyhow::Result<Self> {
        if let Some(path) = given {
            let (regular, bold) = (path.to_owned(), path.to_owned());
            return Ok(Self { regular, bold });
        }
        let Some(place) = places.find(|place| place.join(REGULAR).is_file()) else {
            return Err(said(
                format!(
                    "no font with Chinese characters was found; install the Debian package \
                     {PACKAGE}, give one with --font FILE, or write an .html report"
                ),
                format!(
                    "找不到含中文字的字型；請安裝 Debian 套件 {PACKAGE}，或以 --font FILE 指定，\
                     或改寫 .html 報告"
                ),
            ));
        };
        let (regular, bold) = (place.join(REGULAR), place.join(BOLD));
        let bold = if bold.is_file() {
            bold
        } else {
            regular.clone()
        };
        Ok(Self { regular, bold })
    }

    /// Reads them, for these characters.
    pub(super) fn load(&self, characters: &BTreeSet<char>) -> anyhow::Result<Faces> {
        let data = Arc::new(read(&self.regular)?);
        let faces = families(&data);
        demand(!faces.is_empty(), || {
            let path = self.regular.shown();
            (
                format!("{path} is no OpenType font; give another with --font"),
                format!("{path} 不是 OpenType 字型；請以 --font 另行指定"),
            )
        })?;
        let bold = if self.bold == self.regular {
            Arc::clone(&data)
        } else {
            Arc::new(read(&self.bold)?)
        };
        let of_taiwan = |faces: &[(u32, String)], mono: bool| {
            let mut fitting = faces
                .iter()
                .filter(|(_, family)| family.ends_with(" TC") && family.contains("Mono") == mono);
            fitting.next().map(|(index, _)| *index)
        };
        let plain = of_taiwan(&faces, false).unwrap_or(0);
        let mono = of_taiwan(&faces, true).unwrap_or(plain);
        let heavy = of_taiwan(&families(&bold), false).unwrap_or(0);
        let loaded = Faces {
            regular: Face::of(&self.regular, &data, plain, characters)?,
            bold: Face::of(&self.bold, &bold, heavy, characters)?,
            mono: Face::of(&self.regular, &data, mono, characters)?,
        };
        Ok(loaded)
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FONT_BYTES_MAX + 1).read_to_end(&mut bytes))
        .or_say(|| {
            let path = path.shown();
            (format!("read font {path}"), format!("讀取字型 {path}"))
        })?;
    demand(bytes.len() as u64 <= FONT_BYTES_MAX, || {
        let path = path.shown();
        (
            format!("{path} has more than {FONT_BYTES_MAX} bytes; give a smaller font with --font"),
            format!("{path} 超過 {FONT_BYTES_MAX} 位元組；請以 --font 指定較小的字型"),
        )
    })?;
    Ok(bytes)
}

/// Index and family name of each font in a file.
fn families(data: &[u8]) -> Vec<(u32, String)> {
    let Ok(file) = FileRef::new(data) else {
        return Vec::new();
    };
    let named = file.fonts().take(FACES_MAX).zip(0..).map(|(font, index)| {
        let name = font.ok().and_then(|font| {
            let names = font.localized_strings(StringId::FAMILY_NAME);
            names.english_or_first().map(|name| name.to_string())
        });
        (index, name.unwrap_or_default())
    });
    named.collect()
}

impl Face {
    fn of(
        path: &Path,
        data: &Arc<Vec<u8>>,
        index: u32,
        characters: &BTreeSet<char>,
    ) -> anyhow::Result<Self> {
        let unfit = || {
            let path = path.shown();
            said(
                format!(
                    "{path} is not a font with Latin and Chinese characters; give another with \
                     --font, or install the Debian package {PACKAGE}"
                ),
                format!(
                    "{path} 不是含拉丁字母與中文字的字型；請以 --font 另行指定，或安裝 Debian 套件 \
                     {PACKAGE}"
                ),
            )
        };
        let font = Font::new(Arc::clone(data).into(), index).ok_or_else(unfit)?;
        let table = FontRef::from_index(data, index).map_err(|_| unfit())?;
        let charmap = table.charmap();
        let metrics = table.glyph_metrics(Size::unscaled(), LocationRef::default());
        let em = font.units_per_em();
        let glyph = |character: char| {
            let id = charmap.map(character).filter(|id| id.to_u32() != 0)?;
            Some((id.to_u32(), metrics.advance_width(id)? / em))
        };
        let glyphs: BTreeMap<char, _> = characters
            .iter()
            .copied()
            .chain(' '..='~')
            .chain(['•', CHINESE])
            .filter_map(|character| Some((character, glyph(character)?)))
            .collect();
        let mut needed = (' '..='~').chain(['•', CHINESE]);
        let has_all = needed.all(|it| glyphs.contains_key(&it));
        if !has_all {
            return Err(unfit());
        }
        Ok(Self { font, glyphs })
    }

    /// Glyph and advance of a character that the font has.
    pub(super) fn glyph(&self, character: char) -> Option<(u32, f32)> {
        self.glyphs.get(&character).copied()
    }

    /// Text with the numbers of characters that the font lacks.
    pub(super) fn shown(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for character in text.chars() {
            if character == '\n' || self.glyphs.contains_key(&character) {
                out.push(character);
            } else {
                out.push_str(&number_of(character));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Language, causes};

    #[test]
    fn a_machine_without_the_font_is_told_the_package() {
        let error = FontFiles::find_in(None, [Path::new("/nonexistent")].into_iter()).unwrap_err();
        for lang in [Language::En, Language::ZhTw] {
            let said = causes(error.as_ref(), lang);
            assert!(
                said.contains("fonts-noto-cjk") && said.contains("--font"),
                "{said}"
            );
        }
    }

    #[test]
    fn what_is_no_font_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("font.ttf");
        for bytes in [
            &b""[..],
            b"\0\x01\0\0",
            b"ttcf\0\x01\0\0\0\0\0\x01\0\0\0\x0c",
            b"<html>",
        ] {
            std::fs::write(&path, bytes).unwrap();
            let files = FontFiles::find(Some(&path)).unwrap();
            let error = files.load(&BTreeSet::new()).err().unwrap();
            let said = causes(error.as_ref(), Language::En);
            assert!(said.contains("font") && said.contains("--font"), "{said}");
        }
        let missing = FontFiles::find(Some(&dir.path().join("missing"))).unwrap();
        assert!(missing.load(&BTreeSet::new()).is_err());
    }
}
