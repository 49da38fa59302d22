//! What a signer knows to be decided: a light client of its own chain.
//!
//! A node that was taken over could ask for a vote at height 2^64 - 1; the mark would be there for
//! ever, and the validator silent. So a signer signs at most
//! [`SIGNER_HEIGHTS_AHEAD_MAX`](crate::limits::SIGNER_HEIGHTS_AHEAD_MAX) heights above a decision
//! that a node has shown to it, with the certificate of a validator set that it follows from
//! genesis on, handover by handover (SPEC §6.8).

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tbsi_light::{VerifyError, verify_certificate};
use tbsi_types::checkpoint::CHECKPOINT_BYTES;
use tbsi_types::cursor::Cursor;
use tbsi_types::limits::VALIDATORS_MAX;
use tbsi_types::{
    B256, ChainIdentity, Checkpoint, CommitCertificate, Genesis, Height, PublicKey, Validator,
    ValidatorSet, VotingPower, sha256,
};

use crate::disk;

const MAGIC: &[u8; 14] = b"TBSI-DECIDED-1";
const FILE_BYTES: usize = MAGIC.len() + 32 + CHECKPOINT_BYTES + 32;

/// A decision and the validators who made it, as a node shows them to its signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownDecision {
    /// The facts.
    pub checkpoint: Checkpoint,
    /// Who decides its height.
    pub validators: ValidatorSet,
    /// Their signatures.
    pub certificate: CommitCertificate,
}

impl ShownDecision {
    /// checkpoint, count (u16), then key (33), power (u64) and operator (32) of each validator,
    /// and the certificate.
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.checkpoint.encode());
        let count = u16::try_from(self.validators.count()).expect("at most VALIDATORS_MAX");
        bytes.extend_from_slice(&count.to_be_bytes());
        for validator in self.validators.iter() {
            bytes.extend_from_slice(&validator.public_key.encode());
            bytes.extend_from_slice(&validator.power.0.to_be_bytes());
            bytes.extend_from_slice(validator.operator.as_slice());
        }
        bytes.extend_from_slice(&self.certificate.encode());
    }

    /// Accepts only what [`ShownDecision::encode`] writes.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (checkpoint, rest) = bytes.split_at_checked(CHECKPOINT_BYTES)?;
        let (count, mut rest) = rest.split_at_checked(2)?;
        let count = usize::from(u16::from_be_bytes(count.try_into().ok()?));
        if count > VALIDATORS_MAX {
            return None;
        }
        let mut validators = Vec::with_capacity(count);
        for _ in 0..count {
            let (entry, after) = rest.split_at_checked(33 + 8 + 32)?;
            rest = after;
            let mut cursor = Cursor::new(entry);
            let key = cursor.array::<33>("key").ok()?;
            validators.push(Validator::new(
                PublicKey::parse(&key).ok()?,
                VotingPower(cursor.u64("power").ok()?),
                cursor.b256("operator").ok()?,
            ));
        }
        let shown = Self {
            checkpoint: Checkpoint::decode(checkpoint).ok()?,
            validators: ValidatorSet::new(validators).ok()?,
            certificate: CommitCertificate::decode(rest).ok()?,
        };
        let mut again = Vec::with_capacity(bytes.len());
        shown.encode(&mut again);
        // Out of order, for example.
        (again == bytes).then_some(shown)
    }
}

/// Why a decision is not believed, or what is known is not.
#[derive(Debug, thiserror::Error)]
pub enum DecidedError {
    /// It does not follow from what is known.
    #[error("a decision that does not follow from what this signer knows")]
    Verify(#[from] VerifyError),
    /// The file is not what was written.
    #[error(
        "{path} is damaged: remove it; the nodes then show this signer all changes of the \
         validator set since genesis again",
        path = path.display()
    )]
    Damaged {
        /// Its path.
        path: PathBuf,
    },
    /// A file of another network.
    #[error(
        "{path} belongs to the network with genesis {genesis_hash}; is this the right home \
         directory?",
        path = path.display()
    )]
    OtherNetwork {
        /// Its path.
        path: PathBuf,
        /// The network's genesis hash.
        genesis_hash: B256,
    },
    /// The disk.
    #[error("{operation} {path}", path = path.display())]
    Io {
        /// What was being done.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// The last decision that a signer was shown, and who decides what comes after it.
#[derive(Debug)]
pub struct Decided {
    path: PathBuf,
    chain: ChainIdentity,
    height: Height,
    /// Hash of the set that decides the next height.
    next_set: B256,
}

impl Decided {
    /// Reads `path`; what is decided is genesis if there is none yet.
    pub fn open(path: &Path, genesis: &Genesis) -> Result<Self, DecidedError> {
        let chain = genesis.identity();
        let known = match read(path)? {
            None => None,
            Some(bytes) => Some(parse(path, &bytes, &chain)?),
        };
        let (height, next_set) = match known {
            Some(checkpoint) => (checkpoint.height, checkpoint.next_validator_set_hash),
            None => {
                let founders = genesis.validator_set().map_err(VerifyError::from)?;
                (Height::GENESIS, founders.hash())
            }
        };
        Ok(Self {
            path: path.into(),
            chain,
            height,
            next_set,
        })
    }

    /// Of the last decision shown.
    pub fn height(&self) -> Height {
        self.height
    }

    /// Verifies a later decision and remembers it; an earlier one changes nothing.
    pub fn follow(&mut self, shown: &ShownDecision) -> Result<(), DecidedError> {
        let checkpoint = &shown.checkpoint;
        if checkpoint.height <= self.height {
            return Ok(());
        }
        self.verify(shown)?;
        self.store(checkpoint)?;
        self.height = checkpoint.height;
        self.next_set = checkpoint.next_validator_set_hash;
        Ok(())
    }

    fn verify(&self, shown: &ShownDecision) -> Result<(), VerifyError> {
        let (checkpoint, certificate) = (&shown.checkpoint, &shown.certificate);
        if checkpoint.chain_id != self.chain.chain_id {
            return Err(VerifyError::ChainId {
                expected: self.chain.chain_id,
                got: checkpoint.chain_id,
            });
        }
        if checkpoint.height != certificate.height {
            return Err(VerifyError::Height {
                checkpoint: checkpoint.height,
                certificate: certificate.height,
            });
        }
        for got in [checkpoint.validator_set_hash, shown.validators.hash()] {
            if got != self.next_set {
                return Err(VerifyError::ValidatorSet {
                    expected: self.next_set,
                    got,
                });
            }
        }
        let computed = checkpoint.digest(&self.chain);
        if computed != certificate.checkpoint_digest {
            return Err(VerifyError::Digest {
                computed,
                decided: certificate.checkpoint_digest,
            });
        }
        verify_certificate(&self.chain, &shown.validators, certificate)?;
        Ok(())
    }

    /// A crash leaves the old file or the new one.
    fn store(&self, checkpoint: &Checkpoint) -> Result<(), DecidedError> {
        let mut bytes = Vec::with_capacity(FILE_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(self.chain.genesis_hash.as_slice());
        bytes.extend_from_slice(&checkpoint.encode());
        bytes.extend_from_slice(sha256(&[&bytes]).as_slice());
        disk::replace(&self.path, &bytes).map_err(failed("write", &self.path))
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, DecidedError> {
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(FILE_BYTES as u64 + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

fn parse(path: &Path, bytes: &[u8], chain: &ChainIdentity) -> Result<Checkpoint, DecidedError> {
    let damaged = || DecidedError::Damaged { path: path.into() };
    if bytes.len() != FILE_BYTES {
        return Err(damaged());
    }
    let (body, checksum) = bytes.split_at(FILE_BYTES - 32);
    if sha256(&[body]).as_slice() != checksum || !body.starts_with(MAGIC) {
        return Err(damaged());
    }
    let genesis_hash = B256::from_slice(&body[MAGIC.len()..MAGIC.len() + 32]);
    if genesis_hash != chain.genesis_hash {
        return Err(DecidedError::OtherNetwork {
            path: path.into(),
            genesis_hash,
        });
    }
    Checkpoint::decode(&body[MAGIC.len() + 32..]).map_err(|_| damaged())
}

fn failed(operation: &'static str, path: &Path) -> impl Fn(io::Error) -> DecidedError + use<> {
    let path = path.to_path_buf();
    move |source| DecidedError::Io {
        operation,
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests;
