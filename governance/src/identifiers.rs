//! Identifiers of legal entities, with their checksums.

/// Bytes of a 統一編號.
pub const TAX_ID_BYTES: usize = 8;
/// Bytes of an LEI.
pub const LEI_BYTES: usize = 20;
/// Bytes of a jurisdiction.
pub const JURISDICTION_BYTES: usize = 2;

/// Factors of the digits of a 統一編號.
const TAX_ID_WEIGHTS: [u8; TAX_ID_BYTES] = [1, 2, 1, 2, 1, 2, 4, 1];
/// Since 1 April 2023; it was 10 before, and what was valid then still is.
const TAX_ID_DIVISOR: u8 = 5;

/// Why text is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Not eight digits.
    #[error("a tax id (統一編號) has exactly {TAX_ID_BYTES} digits and nothing else")]
    TaxIdForm,
    /// Eight digits that cannot be one.
    #[error("the tax id's (統一編號) checksum is wrong: look for a mistyped digit")]
    TaxIdChecksum,
    /// Not 18 capital letters and digits and two digits.
    #[error("an LEI has exactly {LEI_BYTES} characters, A-Z and 0-9, the last two digits")]
    LeiForm,
    /// The right form, but cannot be one.
    #[error("the LEI's check digits are wrong: look for a mistyped character")]
    LeiChecksum,
    /// Not two capital letters.
    #[error("a jurisdiction is a country code of two capital letters (ISO 3166-1), like TW")]
    Jurisdiction,
}

/// Checks a 統一編號 (tax id number of the Republic of China, Taiwan) by the rule of the
/// Ministry of Finance in force since 1 April 2023: the digits of each digit's product with
/// 1, 2, 1, 2, 1, 2, 4, 1 are added; the sum is divisible by 5. If the seventh digit is 7, its
/// product 28 may count as 10 or as 1, so the sum or the sum plus one is divisible.
pub fn check_tax_id(text: &str) -> Result<(), IdentifierError> {
    let bytes: [u8; TAX_ID_BYTES] = text
        .as_bytes()
        .try_into()
        .map_err(|_| IdentifierError::TaxIdForm)?;
    if !bytes.iter().all(u8::is_ascii_digit) {
        return Err(IdentifierError::TaxIdForm);
    }
    let sum: u8 = bytes
        .iter()
        .zip(TAX_ID_WEIGHTS)
        .map(|(digit, weight)| (digit - b'0') * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    let divisible = |sum: u8| sum.is_multiple_of(TAX_ID_DIVISOR);
    if divisible(sum) || (bytes[6] == b'7' && divisible(sum + 1)) {
        return Ok(());
    }
    Err(IdentifierError::TaxIdChecksum)
}

/// Checks an LEI (ISO 17442): letters count 10 to 35, and the number that the characters then
/// spell is 1 modulo 97 (ISO/IEC 7064, MOD 97-10).
pub fn check_lei(text: &str) -> Result<(), IdentifierError> {
    let bytes: [u8; LEI_BYTES] = text
        .as_bytes()
        .try_into()
        .map_err(|_| IdentifierError::LeiForm)?;
    let known = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    if !bytes.iter().all(known) || !bytes[LEI_BYTES - 2..].iter().all(u8::is_ascii_digit) {
        return Err(IdentifierError::LeiForm);
    }
    let remainder = bytes.iter().fold(0u32, |remainder, byte| {
        if byte.is_ascii_digit() {
            (remainder * 10 + u32::from(byte - b'0')) % 97
        } else {
            (remainder * 100 + u32::from(byte - b'A') + 10) % 97
        }
    });
    if remainder == 1 {
        return Ok(());
    }
    Err(IdentifierError::LeiChecksum)
}

/// Checks the form of an ISO 3166-1 alpha-2 country code. Not whether it is assigned: that
/// changes, and no verifier's answer may change with it.
pub fn check_jurisdiction(text: &str) -> Result<(), IdentifierError> {
    let bytes = text.as_bytes();
    if bytes.len() == JURISDICTION_BYTES && bytes.iter().all(u8::is_ascii_uppercase) {
        return Ok(());
    }
    Err(IdentifierError::Jurisdiction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_ids_follow_the_rule_of_2023() {
        for good in ["04595257", "22099131", "10458570", "00000000"] {
            assert_eq!(check_tax_id(good), Ok(()), "{good}");
        }
        for bad in ["12345678", "04595258", "10458571"] {
            let expected = Err(IdentifierError::TaxIdChecksum);
            assert_eq!(check_tax_id(bad), expected, "{bad}");
        }
        let malformed = ["", "0459525", "045952570", "0459525a", "０4595", " 4595257"];
        for bad in malformed {
            assert_eq!(check_tax_id(bad), Err(IdentifierError::TaxIdForm), "{bad}");
        }
    }

    /// A second computation: the product 28 of a seventh digit 7 counts as 10, and then as 1
    /// or as 0.
    #[test]
    fn a_seventh_digit_of_seven_counts_twice() {
        let (mut valid, mut twice) = (0, 0);
        for number in 0..10_000u32 {
            let text = format!("10{number:04}7{}", number % 10);
            let weights = [1, 2, 1, 2, 1, 2, 0, 1];
            let digits = text.chars().map(|digit| digit.to_digit(10).unwrap());
            let rest: u32 = digits
                .zip(weights)
                .map(|(digit, weight)| digit * weight)
                .map(|product| product / 10 + product % 10)
                .sum();
            let expected = rest.is_multiple_of(5) || (rest + 1).is_multiple_of(5);
            assert_eq!(check_tax_id(&text).is_ok(), expected, "{text}");
            valid += u32::from(expected);
            twice += u32::from((rest + 1).is_multiple_of(5));
        }
        assert!(valid > 3_000 && twice > 1_000, "{valid} {twice}");
    }

    #[test]
    fn leis_have_check_digits() {
        for good in ["5493001KJTIIGC8Y1R12", "506700GE1G29325QX363"] {
            assert_eq!(check_lei(good), Ok(()), "{good}");
        }
        let bad = ["5493001KJTIIGC8Y1R13", "549300K1JTIIGC8Y1R12"];
        for bad in bad {
            assert_eq!(check_lei(bad), Err(IdentifierError::LeiChecksum), "{bad}");
        }
        let malformed = [
            "",
            "5493001KJTIIGC8Y1R1",
            "5493001KJTIIGC8Y1R122",
            "5493001kjtiigc8y1r12",
            "5493001KJTIIGC8Y1R1B",
            "5493001KJTIIGC8Y1R-2",
        ];
        for bad in malformed {
            assert_eq!(check_lei(bad), Err(IdentifierError::LeiForm), "{bad}");
        }
    }

    #[test]
    fn a_wrong_digit_or_letter_is_always_found_in_an_lei() {
        let good = "5493001KJTIIGC8Y1R12";
        let letters: Vec<char> = ('0'..='9').chain('A'..='Z').collect();
        let mut tried = 0;
        for at in 0..LEI_BYTES {
            for letter in &letters {
                let mut bad: Vec<char> = good.chars().collect();
                // A letter counts as two digits: in place of a digit it may go unnoticed.
                let same_class = bad[at].is_ascii_digit() == letter.is_ascii_digit();
                if bad[at] == *letter || !same_class {
                    continue;
                }
                bad[at] = *letter;
                let bad: String = bad.into_iter().collect();
                assert!(check_lei(&bad).is_err(), "{bad}");
                tried += 1;
            }
        }
        assert_eq!(tried, 11 * 9 + 9 * 25);
    }

    /// The contracts are held to the same ones.
    #[test]
    fn agrees_with_the_vectors() {
        let text = include_str!("../../tests/vectors/identifiers.json");
        let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
        type Check = fn(&str) -> Result<(), IdentifierError>;
        for (list, check) in [("taxIds", check_tax_id as Check), ("leis", check_lei)] {
            let list = vectors[list].as_array().unwrap();
            let valid = list.iter().filter(|it| it["valid"] == true).count();
            assert!(valid > 0 && valid < list.len());
            for it in list {
                let text = it["text"].as_str().unwrap();
                assert_eq!(check(text).is_ok(), it["valid"] == true, "{it}");
            }
        }
    }

    #[test]
    fn jurisdictions_have_two_capital_letters() {
        assert_eq!(check_jurisdiction("TW"), Ok(()));
        for bad in ["", "T", "tw", "TWN", "T1", "臺"] {
            let expected = Err(IdentifierError::Jurisdiction);
            assert_eq!(check_jurisdiction(bad), expected, "{bad}");
        }
    }
}
