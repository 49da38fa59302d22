//! Attestations, their digests and their names (SPEC §9.3, §9.4).

use alloy_primitives::{Address, B256, Keccak256, U256, b256};

use super::{Leaf, LeafError, Statement};
use crate::cursor::Cursor;
use crate::log::algorithm::words_per_digest;

/// Keccak-256 of "TBSI attestation v1".
pub(super) const ATTESTATION_TAG: B256 =
    b256!("d4e262a6b223ca19ccf98856e28c3f57c2d88541b04ddfc245327d5791186ba7");

/// A digest as the contract carries it: its bytes, filled up with zeros to 32 or 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestWords {
    /// Up to 256 bits.
    One([B256; 1]),
    /// Up to 512 bits.
    Two([B256; 2]),
}

impl DigestWords {
    /// The words of `digest` under the algorithm with multihash code `algorithm`; `None` if
    /// it is empty or does not fit.
    pub fn of(algorithm: u32, digest: &[u8]) -> Option<Self> {
        let mut bytes = [0; 64];
        let room = 32 * words_per_digest(algorithm);
        if digest.is_empty() || digest.len() > room {
            return None;
        }
        bytes[..digest.len()].copy_from_slice(digest);
        Self::parse(&bytes[..room])
    }

    /// From 32 or 64 bytes.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        match bytes.len() {
            32 => Some(Self::One([B256::from_slice(bytes)])),
            64 => Some(Self::Two([
                B256::from_slice(&bytes[..32]),
                B256::from_slice(&bytes[32..]),
            ])),
            _ => None,
        }
    }

    /// One or two words.
    pub fn as_slice(&self) -> &[B256] {
        match self {
            Self::One(words) => words,
            Self::Two(words) => words,
        }
    }

    /// 32 or 64 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.as_slice().concat()
    }
}

/// That an issuer vouches for a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// What the digest commits to.
    pub schema: B256,
    /// Multihash code.
    pub algorithm: u32,
    /// The digest.
    pub digest: DigestWords,
}

impl Attestation {
    /// Names this attestation by `issuer` on a chain: Keccak-256 over the ABI encoding of tag,
    /// chain id, issuer, schema, algorithm and words (SPEC §9.4). Stating the same again gives
    /// the same id.
    pub fn id(&self, chain_id: u64, issuer: Address) -> B256 {
        self.id_by(&mut AttestationIds::default(), chain_id, issuer)
    }

    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Result<Self, LeafError> {
        let schema = cursor.b256("schema")?;
        let algorithm = cursor.u32("algorithm")?;
        let got = cursor.u8("digest length")?;
        if usize::from(got) != 32 * words_per_digest(algorithm) {
            return Err(LeafError::DigestLength { algorithm, got });
        }
        let digest = DigestWords::parse(cursor.take("digest", got.into())?)
            .expect("an algorithm takes one or two words");
        Ok(Self {
            schema,
            algorithm,
            digest,
        })
    }

    fn id_by(&self, ids: &mut AttestationIds, chain_id: u64, issuer: Address) -> B256 {
        let words = self.digest.as_slice();
        let uint = |value: u64| B256::from(U256::from(value));
        let mut hasher = ids.begin(chain_id, issuer, self.schema);
        hasher.update(uint(self.algorithm.into()));
        hasher.update(uint(6 * 32));
        hasher.update(uint(words.len() as u64));
        for word in words {
            hasher.update(word);
        }
        hasher.finalize()
    }
}

/// Names attestations in turn: what those of one issuer and schema begin with is absorbed once.
#[derive(Clone, Default)]
pub struct AttestationIds(Option<((u64, Address, B256), Keccak256)>);

impl AttestationIds {
    /// As [`Leaf::attestation_id`].
    pub fn of(&mut self, leaf: &Leaf) -> Option<B256> {
        let Statement::Attestation(attestation) = &leaf.statement else {
            return None;
        };
        Some(attestation.id_by(self, leaf.head.chain_id, leaf.head.issuer))
    }

    fn begin(&mut self, chain_id: u64, issuer: Address, schema: B256) -> Keccak256 {
        let by = (chain_id, issuer, schema);
        if let Some((last, hasher)) = &self.0
            && *last == by
        {
            return hasher.clone();
        }
        let mut hasher = Keccak256::new();
        hasher.update(ATTESTATION_TAG);
        hasher.update(B256::from(U256::from(chain_id)));
        hasher.update(issuer.into_word());
        hasher.update(schema);
        self.0 = Some((by, hasher.clone()));
        hasher
    }
}
