//! What one message on the topic of cosignatures holds: borsh, read by hand, every length
//! checked before it is used.
//!
//! salt (u64), size (u64), root (32), count (u32), then for each cosignature the validator (20)
//! and a C2SP timestamped signature (72). Integers little-endian, as borsh is; the timestamped
//! signature is as C2SP has it.

use tbsi_types::cursor::{Cursor, CursorError};
use tbsi_types::limits::VALIDATORS_MAX;
use tbsi_types::{Address, B256, TreeSize};

use super::message::{Salt, encode};
use crate::limits::COSIGNATURE_MESSAGE_BYTES_MAX;

/// A time (u64, big-endian) and an Ed25519 signature.
pub type TimestampedSignature = [u8; 72];

/// Cosignatures of one log, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignatures {
    /// Leaves in the log.
    pub size: TreeSize,
    /// Root over them.
    pub root: B256,
    /// 1 to [`VALIDATORS_MAX`]: who cosigned, and what.
    pub list: Vec<(Address, TimestampedSignature)>,
}

/// Why bytes are not such a message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum CosignaturesError {
    #[error("message of {0} bytes, at most {COSIGNATURE_MESSAGE_BYTES_MAX} are allowed")]
    TooLarge(usize),
    #[error("message bytes")]
    Bytes(#[from] CursorError),
    #[error("message of {0} cosignatures, 1 to {VALIDATORS_MAX} are allowed")]
    Count(u32),
}

impl Cosignatures {
    /// The caller keeps to the number that a message holds.
    pub(super) fn encode(&self, salt: &mut Salt) -> Vec<u8> {
        let list = self.list.iter().map(|(validator, bytes)| {
            let validator: [u8; 20] = validator.into_array();
            (validator, *bytes)
        });
        let list: Vec<_> = list.collect();
        encode(&(salt.next(), self.size.0, self.root.0, list))
    }

    /// Accepts only what [`Cosignatures::encode`] writes.
    pub(super) fn decode(data: &[u8]) -> Result<Self, CosignaturesError> {
        if data.len() > COSIGNATURE_MESSAGE_BYTES_MAX {
            return Err(CosignaturesError::TooLarge(data.len()));
        }
        let mut cursor = Cursor::new(data);
        cursor.take("salt", 8)?;
        let size = TreeSize(u64::from_le_bytes(cursor.array("size")?));
        let root = cursor.b256("root")?;
        let count = u32::from_le_bytes(cursor.array("count")?);
        if count == 0 || usize::try_from(count).is_ok_and(|count| count > VALIDATORS_MAX) {
            return Err(CosignaturesError::Count(count));
        }
        let mut list = Vec::new();
        for _ in 0..count {
            let validator = Address::new(cursor.array("validator")?);
            list.push((validator, cursor.array("signature")?));
        }
        cursor.end()?;
        Ok(Self { size, root, list })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(count: usize) -> Cosignatures {
        Cosignatures {
            size: TreeSize(7),
            root: B256::repeat_byte(8),
            list: vec![(Address::repeat_byte(1), [2; 72]); count],
        }
    }

    #[test]
    fn decodes_what_it_encodes_and_nothing_else() {
        let mut salt = Salt::new(&[b"a"]);
        for count in [1, 4, VALIDATORS_MAX] {
            let data = message(count).encode(&mut salt);
            assert!(data.len() <= COSIGNATURE_MESSAGE_BYTES_MAX);
            assert_eq!(Cosignatures::decode(&data), Ok(message(count)));
            for cut in 0..data.len() {
                assert!(Cosignatures::decode(&data[..cut]).is_err(), "{cut}");
            }
            let trailing = [data.as_slice(), &[0]].concat();
            assert!(Cosignatures::decode(&trailing).is_err());
        }
        for count in [0, VALIDATORS_MAX + 1] {
            let data = message(count).encode(&mut salt);
            let wrong = Cosignatures::decode(&data).unwrap_err();
            let too_large = CosignaturesError::TooLarge(data.len());
            let counted = CosignaturesError::Count(u32::try_from(count).unwrap());
            assert!(wrong == counted || wrong == too_large, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_fail(data in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(message) = Cosignatures::decode(&data) {
                prop_assert_eq!(data.len(), 52 + 92 * message.list.len());
            }
        }
    }
}
