//! Numbers of one to nine bytes, small ones short: seven bits a byte, lowest first, the top
//! bit says that more follow (unsigned LEB128). One form each (SPEC §10.2).

use super::BundleError;
use crate::cursor::Cursor;

/// Bytes of the longest number.
const BYTES_MAX: u32 = 9;

/// Numbers end below this: 63 bits.
pub(super) const VARINT_MAX: u64 = (1 << 63) - 1;

pub(super) fn put(
    bytes: &mut Vec<u8>,
    field: &'static str,
    mut value: u64,
) -> Result<(), BundleError> {
    if value > VARINT_MAX {
        return Err(BundleError::Number(field));
    }
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7f).expect("seven bits") | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).expect("seven bits"));
    Ok(())
}

pub(super) fn take(cursor: &mut Cursor<'_>, field: &'static str) -> Result<u64, BundleError> {
    let mut value = 0;
    for position in 0..BYTES_MAX {
        let byte = cursor.u8(field)?;
        value |= u64::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            // A last byte of zero adds nothing: there is a shorter form.
            let shortest = byte != 0 || position == 0;
            return shortest.then_some(value).ok_or(BundleError::Number(field));
        }
    }
    Err(BundleError::Number(field))
}

/// A number of entries, at most `max`.
pub(super) fn count(
    cursor: &mut Cursor<'_>,
    field: &'static str,
    max: usize,
) -> Result<usize, BundleError> {
    let got = take(cursor, field)?;
    let count = usize::try_from(got).ok().filter(|count| *count <= max);
    count.ok_or(BundleError::Count { field, got, max })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_one_form() {
        for value in (0..63).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit]) {
            let mut bytes = Vec::new();
            put(&mut bytes, "n", value).unwrap();
            let mut cursor = Cursor::new(&bytes);
            assert_eq!(take(&mut cursor, "n").unwrap(), value);
            assert!(cursor.end().is_ok());
            *bytes.last_mut().unwrap() |= 0x80;
            assert!(take(&mut Cursor::new(&bytes), "n").is_err(), "cut short");
            bytes.push(0);
            assert!(take(&mut Cursor::new(&bytes), "n").is_err(), "longer form");
        }
        assert!(put(&mut Vec::new(), "n", 1 << 63).is_err());
        assert!(take(&mut Cursor::new(&[0xff; 10]), "n").is_err());
    }

    #[test]
    fn counts_are_bounded() {
        assert_eq!(count(&mut Cursor::new(&[9]), "n", 9).unwrap(), 9);
        let error = count(&mut Cursor::new(&[10]), "n", 9).unwrap_err();
        assert_eq!(
            error.to_string(),
            "proof field `n` has 10 entries, at most 9 are allowed"
        );
    }
}
