//! What one message on the topic of post-quantum cosignatures holds: fixed lengths, nothing else.
//!
//! salt (u64), size (u64), root (32), validator (20), its ML-DSA-44 key (1,312), and a C2SP
//! timestamped signature (2,428). Integers little-endian, as in other messages; the timestamped
//! signature is as C2SP has it. The chain names a key by its hash alone, so that it comes along.

use tbsi_types::cursor::{Cursor, CursorError};
use tbsi_types::log::post_quantum::{POST_QUANTUM_COSIGNATURE_BYTES, POST_QUANTUM_KEY_BYTES};
use tbsi_types::{Address, B256, Bytes, TreeSize};

use super::message::Salt;

/// A post-quantum cosignature of one log, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostQuantumCosignature {
    /// Leaves in the log.
    pub size: TreeSize,
    /// Root over them.
    pub root: B256,
    /// Who cosigned.
    pub validator: Address,
    /// With which key; [`POST_QUANTUM_KEY_BYTES`].
    pub key: Bytes,
    /// Time and signature; [`POST_QUANTUM_COSIGNATURE_BYTES`].
    pub signature: Bytes,
}

impl PostQuantumCosignature {
    /// The caller gives key and signature their lengths.
    pub(super) fn encode(&self, salt: &mut Salt) -> Vec<u8> {
        self.encode_with(&salt.next().to_le_bytes())
    }

    pub(super) fn encode_with(&self, salt: &[u8; 8]) -> Vec<u8> {
        let size = self.size.0.to_le_bytes();
        [
            salt.as_slice(),
            &size,
            self.root.as_slice(),
            self.validator.as_slice(),
            &self.key,
            &self.signature,
        ]
        .concat()
    }

    /// Accepts only what [`PostQuantumCosignature::encode`] writes.
    pub(super) fn decode(data: &[u8]) -> Result<Self, CursorError> {
        let mut cursor = Cursor::new(data);
        cursor.take("salt", 8)?;
        let cosignature = Self {
            size: TreeSize(u64::from_le_bytes(cursor.array("size")?)),
            root: cursor.b256("root")?,
            validator: Address::new(cursor.array("validator")?),
            key: Bytes::copy_from_slice(cursor.take("key", POST_QUANTUM_KEY_BYTES)?),
            signature: Bytes::copy_from_slice(
                cursor.take("signature", POST_QUANTUM_COSIGNATURE_BYTES)?,
            ),
        };
        cursor.end()?;
        Ok(cosignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::POST_QUANTUM_MESSAGE_BYTES;

    #[test]
    fn decodes_what_it_encodes_and_nothing_else() {
        let message = PostQuantumCosignature {
            size: TreeSize(7),
            root: B256::repeat_byte(8),
            validator: Address::repeat_byte(1),
            key: vec![2; POST_QUANTUM_KEY_BYTES].into(),
            signature: vec![3; POST_QUANTUM_COSIGNATURE_BYTES].into(),
        };
        let data = message.encode(&mut Salt::new(&[b"a"]));
        assert_eq!(data.len(), POST_QUANTUM_MESSAGE_BYTES);
        assert_eq!(PostQuantumCosignature::decode(&data), Ok(message));
        for cut in 0..data.len() {
            assert!(
                PostQuantumCosignature::decode(&data[..cut]).is_err(),
                "{cut}"
            );
        }
        let trailing = [data.as_slice(), &[0]].concat();
        let surplus = PostQuantumCosignature::decode(&trailing);
        assert_eq!(surplus, Err(CursorError::Trailing(1)));
    }
}
