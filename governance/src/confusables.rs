//! Legal names that people take for one another.
//!
//! The registry refuses names with hidden characters and letters of other scripts (SPEC §13.2);
//! `1` and `l`, `臺` and `台` or a full stop more are left. Two names are *alike* if what is
//! left of them is the same: the skeleton of Unicode TS 39, in small letters, without marks,
//! spaces and accents, full-width forms as ASCII, and one of each pair of common variants of
//! Chinese characters. A matter for people's eyes: nothing that validators agree on rests on
//! it, for it changes with the tables of Unicode.

use unicode_security::skeleton;

/// Variants that Taiwan uses side by side, and the one that stands for both.
const VARIANTS: &[(char, char)] = &[
    ('臺', '台'),
    ('羣', '群'),
    ('峯', '峰'),
    ('啓', '啟'),
    ('衞', '衛'),
    ('裡', '裏'),
    ('綫', '線'),
    ('戶', '户'),
    ('雙', '双'),
    ('体', '體'),
    ('国', '國'),
    ('会', '會'),
    ('联', '聯'),
    ('湾', '灣'),
    ('产', '產'),
    ('産', '產'),
    ('业', '業'),
    ('协', '協'),
    ('号', '號'),
    ('电', '電'),
    ('发', '發'),
    ('証', '證'),
    ('证', '證'),
    ('己', '已'),
    ('巳', '已'),
    ('土', '士'),
    ('末', '未'),
    ('曰', '日'),
    ('入', '人'),
];

/// What is left of a name: with letters as they are, for `I` and `l`, and in small letters, for
/// `ACME` and `Acme`.
pub fn outlines(name: &str) -> [String; 2] {
    let name: String = name.chars().map(plain).collect();
    let small = name.to_lowercase();
    [&name, &small].map(|text| {
        let letters = skeleton(text).filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    })
}

/// Whether people may take one legal name for the other.
pub fn alike(one: &str, other: &str) -> bool {
    let (one, other) = (outlines(one), outlines(other));
    one.iter()
        .zip(&other)
        .any(|(one, other)| one == other && !one.is_empty())
}

/// Without width and variant.
fn plain(letter: char) -> char {
    let code = u32::from(letter);
    let narrow = match code {
        0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(letter),
        _ => letter,
    };
    let variant = VARIANTS.iter().find(|(variant, _)| *variant == narrow);
    variant.map_or(narrow, |(_, stands)| *stands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_are_found() {
        for (one, other) in [
            ("Test Association", "Test Association"),
            ("Test Association", "TEST ASSOCIATION"),
            ("Test Association", "Test  Association."),
            ("Test Association", "Test-Association"),
            ("Illumina Ltd.", "lllumina Ltd."),
            ("Association 10", "Association lO"),
            ("Modern Trade", "Modem Trade"),
            ("Café Union", "Cafe Union"),
            ("ＡＢＣ Union", "ABC Union"),
            ("台灣測試公會", "臺灣測試公會"),
            ("台灣測試公會", "台灣測試 公會"),
            ("台灣測試公會（甲）", "台灣測試公會「甲」"),
            ("ＡＢ聯盟１號", "AB聯盟1號"),
        ] {
            assert!(alike(one, other), "{one} {other}: {:?}", outlines(one));
            assert!(alike(other, one), "{other} {one}");
        }
    }

    #[test]
    fn other_names_are_not() {
        for (one, other) in [
            ("Test Association A", "Test Association B"),
            ("台灣測試公會甲", "台灣測試公會乙"),
            ("台北市公會", "台中市公會"),
            ("Taiwan Textile Federation", "Taiwan Textiles Federation"),
            ("", ""),
            ("---", "..."),
            ("ABC Union", "ABD Union"),
        ] {
            assert!(!alike(one, other), "{one} {other}: {:?}", outlines(one));
        }
    }
}
