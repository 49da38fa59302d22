//! Why an attestation was revoked, in words (SPEC §12.8).

use crate::lang::Language;

/// Reasons in words; the contract's codes count from 1 in this order.
const REASONS: [&str; 8] = [
    "unspecified",
    "issued-in-error",
    "content-withdrawn",
    "key-compromised",
    "superseded",
    "affiliation-changed",
    "cessation-of-operation",
    "privilege-withdrawn",
];
const REASONS_ZH_TW: [&str; 8] = [
    "未說明",
    "簽發錯誤",
    "內容撤回",
    "金鑰外洩",
    "已由新版取代",
    "隸屬關係變更",
    "停止營運",
    "權限撤銷",
];

pub(crate) fn parse_reason(text: &str) -> Result<u16, String> {
    let named = (1..).zip(REASONS).find(|(_, word)| *word == text);
    let named = named.map(|(code, _)| code);
    let code = named.or_else(|| text.parse().ok());
    code.filter(|code| (1..=8).contains(code))
        .ok_or_else(|| format!("use 1 to 8, or one of {}", REASONS.join(", ")))
}

pub(crate) fn reason_word(code: u16, lang: Language) -> &'static str {
    let index = usize::from(code).checked_sub(1);
    let words = lang.pick(REASONS, REASONS_ZH_TW);
    let word = index.and_then(|index| words.get(index));
    word.copied()
        .unwrap_or(lang.pick("of another kind", "其他原因"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_words_or_numbers() {
        for (code, word) in (1..).zip(REASONS) {
            assert_eq!(parse_reason(word), Ok(code));
            assert_eq!(parse_reason(&code.to_string()), Ok(code));
            assert_eq!(reason_word(code, Language::En), word);
            assert_ne!(reason_word(code, Language::ZhTw), word);
        }
        for bad in ["", "0", "9", "-1", "65537", "Superseded", "none"] {
            assert!(parse_reason(bad).is_err(), "{bad}");
        }
        assert_eq!(reason_word(0, Language::En), "of another kind");
    }
}
