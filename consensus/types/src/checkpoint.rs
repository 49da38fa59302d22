//! The checkpoint: what a quorum of validators signs at each height (SPEC §3.6).

use std::fmt;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::cursor::{Cursor, CursorError};
use crate::identity::ChainIdentity;
use crate::number::{Height, TimestampMs, TreeSize};
use crate::sha256;

const TAG: &[u8] = b"TBSI-CHECKPOINT-1";

/// Bytes of an encoded checkpoint.
pub const CHECKPOINT_BYTES: usize = 4 * 8 + 5 * 32;

/// SHA-256 that identifies a checkpoint on one chain: the value that consensus decides.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct CheckpointDigest(pub B256);

impl fmt::Display for CheckpointDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// All facts of a height, signed once for every destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Height of the block.
    pub height: Height,
    /// Time of the block; strictly greater than its parent's.
    pub time: TimestampMs,
    /// Hash of the Ethereum header.
    pub block_hash: B256,
    /// Ethereum state root after the block.
    pub state_root: B256,
    /// Leaves in the attestation log after the block.
    pub log_size: TreeSize,
    /// RFC 9162 root of the log after the block.
    pub log_root: B256,
    /// Hash of the validator set that decides this height.
    pub validator_set_hash: B256,
    /// Hash of the validator set that decides the next height.
    pub next_validator_set_hash: B256,
}

impl Checkpoint {
    /// Big-endian, in the order of the fields, [`CHECKPOINT_BYTES`] long.
    pub fn encode(&self) -> [u8; CHECKPOINT_BYTES] {
        let mut bytes = Vec::with_capacity(CHECKPOINT_BYTES);
        bytes.extend_from_slice(&self.chain_id.to_be_bytes());
        bytes.extend_from_slice(&self.height.0.to_be_bytes());
        bytes.extend_from_slice(&self.time.0.to_be_bytes());
        bytes.extend_from_slice(self.block_hash.as_slice());
        bytes.extend_from_slice(self.state_root.as_slice());
        bytes.extend_from_slice(&self.log_size.0.to_be_bytes());
        bytes.extend_from_slice(self.log_root.as_slice());
        bytes.extend_from_slice(self.validator_set_hash.as_slice());
        bytes.extend_from_slice(self.next_validator_set_hash.as_slice());
        bytes
            .try_into()
            .expect("the fields add up to CHECKPOINT_BYTES")
    }

    /// Reads exactly [`CHECKPOINT_BYTES`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CursorError> {
        let mut cursor = Cursor::new(bytes);
        let checkpoint = Self {
            chain_id: cursor.u64("chain id")?,
            height: Height(cursor.u64("height")?),
            time: TimestampMs(cursor.u64("time")?),
            block_hash: cursor.b256("block hash")?,
            state_root: cursor.b256("state root")?,
            log_size: TreeSize(cursor.u64("log size")?),
            log_root: cursor.b256("log root")?,
            validator_set_hash: cursor.b256("validator-set hash")?,
            next_validator_set_hash: cursor.b256("next validator-set hash")?,
        };
        cursor.end()?;
        Ok(checkpoint)
    }

    /// SHA-256 over the tag, the genesis hash and [`Checkpoint::encode`].
    pub fn digest(&self, chain: &ChainIdentity) -> CheckpointDigest {
        CheckpointDigest(sha256(&[
            TAG,
            chain.genesis_hash.as_slice(),
            &self.encode(),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            chain_id: 1,
            height: Height(2),
            time: TimestampMs(3),
            block_hash: B256::repeat_byte(4),
            state_root: B256::repeat_byte(5),
            log_size: TreeSize(6),
            log_root: B256::repeat_byte(7),
            validator_set_hash: B256::repeat_byte(8),
            next_validator_set_hash: B256::repeat_byte(9),
        }
    }

    #[test]
    fn decodes_what_it_encodes_and_nothing_else() {
        let bytes = checkpoint().encode();
        assert_eq!(Checkpoint::decode(&bytes), Ok(checkpoint()));
        assert!(Checkpoint::decode(&bytes[..bytes.len() - 1]).is_err());
        let long = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Checkpoint::decode(&long), Err(CursorError::Trailing(1)));
    }

    #[test]
    fn every_bit_and_the_chain_change_the_digest() {
        let chain = ChainIdentity {
            chain_id: 1,
            genesis_hash: B256::repeat_byte(1),
        };
        let digest = checkpoint().digest(&chain);
        let bytes = checkpoint().encode();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(Checkpoint::decode(&flipped).unwrap().digest(&chain), digest);
        }
        let other = ChainIdentity {
            chain_id: 1,
            genesis_hash: B256::ZERO,
        };
        assert_ne!(checkpoint().digest(&other), digest);
    }
}
