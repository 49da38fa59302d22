//! What the map can be asked.

use alloy_primitives::{Address, B256};

use crate::log::DigestWords;
use crate::map::entry::{EntryError, MapValue};
use crate::sha256;

const DIGEST_TAG: &[u8] = b"TBSI-MAP-DIGEST-1";
const STATUS_TAG: &[u8] = b"TBSI-MAP-STATUS-1";
const SCHEMA_TAG: &[u8] = b"TBSI-MAP-SCHEMA-1";

/// One thing that has an entry in the map, or has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapQuestion {
    /// Whether and when a digest was attested, under whatever algorithm and by whomever.
    Digest(DigestWords),
    /// What an account said of an id.
    Status {
        /// Of an attestation.
        id: B256,
        /// Whose word is asked for: the attestation's issuer's is the one that counts.
        issuer: Address,
    },
    /// Whether a schema is registered, and revocable.
    Schema(B256),
}

impl MapQuestion {
    /// By a digest of any algorithm; `None` if it is empty or none is so long.
    pub fn digest(digest: &[u8]) -> Option<Self> {
        const ONE_WORD: u32 = 0x12;
        const TWO_WORDS: u32 = 0x13;
        let words = DigestWords::of(ONE_WORD, digest);
        let words = words.or_else(|| DigestWords::of(TWO_WORDS, digest));
        words.map(Self::Digest)
    }

    /// Where the entry is: a hash, so that nobody chooses who is next to whom.
    pub fn key(&self) -> B256 {
        match self {
            Self::Digest(words) => match words {
                DigestWords::One([word]) => sha256(&[DIGEST_TAG, word.as_slice()]),
                DigestWords::Two([one, two]) => {
                    sha256(&[DIGEST_TAG, one.as_slice(), two.as_slice()])
                }
            },
            Self::Status { id, issuer } => sha256(&[STATUS_TAG, id.as_slice(), issuer.as_slice()]),
            Self::Schema(schema) => sha256(&[SCHEMA_TAG, schema.as_slice()]),
        }
    }

    /// The value of the entry, which must be one of this question's kind.
    pub fn read(&self, value: &[u8]) -> Result<MapValue, EntryError> {
        match self {
            Self::Digest(_) => MapValue::decode_digest(value),
            Self::Status { .. } => MapValue::decode_status(value),
            Self::Schema(_) => MapValue::decode_schema(value),
        }
    }
}
