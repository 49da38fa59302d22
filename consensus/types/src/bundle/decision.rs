//! Checkpoint, certificate and validator set in compact form: what follows from another part
//! is left out (SPEC §10.2).

use alloy_primitives::{Address, B256};

use super::names::{NamedValidator, NamedValidators};
use super::{BundleError, Decision, varint};
use crate::certificate::{CommitCertificate, CommitSignature};
use crate::checkpoint::Checkpoint;
use crate::cursor::Cursor;
use crate::identity::ChainIdentity;
use crate::keys::{SIGNATURE_BYTES, Signature};
use crate::limits::{ORGANISATION_NAME_BYTES_MAX, VALIDATORS_MAX};
use crate::number::{Height, Round, TimestampMs, TreeSize, VotingPower};

const NEXT_SET_SAME: u8 = 0;
const NEXT_SET_OTHER: u8 = 1;

/// A checkpoint without chain id, log root and validator-set hash, which follow from others.
pub(super) fn put_checkpoint(
    bytes: &mut Vec<u8>,
    checkpoint: &Checkpoint,
) -> Result<(), BundleError> {
    varint::put(bytes, "height", checkpoint.height.0)?;
    varint::put(bytes, "timeMs", checkpoint.time.0)?;
    bytes.extend_from_slice(checkpoint.block_hash.as_slice());
    bytes.extend_from_slice(checkpoint.state_root.as_slice());
    varint::put(bytes, "logSize", checkpoint.log_size.0)?;
    if checkpoint.next_validator_set_hash == checkpoint.validator_set_hash {
        bytes.push(NEXT_SET_SAME);
    } else {
        bytes.push(NEXT_SET_OTHER);
        bytes.extend_from_slice(checkpoint.next_validator_set_hash.as_slice());
    }
    Ok(())
}

/// The log root is for the caller to fill in.
pub(super) fn take_checkpoint(
    cursor: &mut Cursor<'_>,
    chain: &ChainIdentity,
    validator_set_hash: B256,
) -> Result<Checkpoint, BundleError> {
    Ok(Checkpoint {
        chain_id: chain.chain_id,
        height: Height(varint::take(cursor, "height")?),
        time: TimestampMs(varint::take(cursor, "timeMs")?),
        block_hash: cursor.b256("blockHash")?,
        state_root: cursor.b256("stateRoot")?,
        log_size: TreeSize(varint::take(cursor, "logSize")?),
        log_root: B256::ZERO,
        validator_set_hash,
        next_validator_set_hash: match cursor.u8("next set flag")? {
            NEXT_SET_SAME => validator_set_hash,
            NEXT_SET_OTHER => {
                let next = cursor.b256("nextValidatorSetHash")?;
                if next == validator_set_hash {
                    return Err(BundleError::NotCanonical("nextValidatorSetHash"));
                }
                next
            }
            _ => return Err(BundleError::NotCanonical("nextValidatorSetHash")),
        },
    })
}

/// Round, one bit for each validator of the set that signed, signatures in the set's order.
/// Height and digest are the checkpoint's.
pub(super) fn put_certificate(
    bytes: &mut Vec<u8>,
    chain: &ChainIdentity,
    decision: &Decision,
    validators: &NamedValidators,
) -> Result<(), BundleError> {
    let Decision {
        checkpoint,
        certificate,
    } = decision;
    if checkpoint.chain_id != chain.chain_id {
        return Err(BundleError::Contradiction("chainId"));
    }
    if checkpoint.validator_set_hash != validators.hash() {
        return Err(BundleError::Contradiction("validatorSetHash"));
    }
    if certificate.height != checkpoint.height {
        return Err(BundleError::Contradiction("height"));
    }
    if certificate.checkpoint_digest != checkpoint.digest(chain) {
        return Err(BundleError::Contradiction("checkpointDigest"));
    }
    varint::put(bytes, "round", certificate.round.0.into())?;
    let mut signers = vec![0u8; validators.as_slice().len().div_ceil(8)];
    for entry in certificate.signatures() {
        let position = validators.position(&entry.validator);
        let position = position.ok_or(BundleError::Contradiction("signatures"))?;
        signers[position / 8] |= 1 << (position % 8);
    }
    bytes.extend_from_slice(&signers);
    for entry in certificate.signatures() {
        bytes.extend_from_slice(&entry.signature.0);
    }
    Ok(())
}

/// What [`put_certificate`] wrote, for a checkpoint that is complete.
pub(super) fn take_certificate(
    cursor: &mut Cursor<'_>,
    round: Round,
    chain: &ChainIdentity,
    checkpoint: &Checkpoint,
    validators: &NamedValidators,
) -> Result<CommitCertificate, BundleError> {
    let validators = validators.as_slice();
    let bits = cursor.take("signers", validators.len().div_ceil(8))?;
    let signed = |position: usize| bits[position / 8] >> (position % 8) & 1 == 1;
    if (validators.len()..8 * bits.len()).any(signed) {
        return Err(BundleError::NotCanonical("signers"));
    }
    let mut signatures = Vec::new();
    for (position, validator) in validators.iter().enumerate() {
        if signed(position) {
            signatures.push(CommitSignature {
                validator: validator.address,
                signature: Signature(cursor.array::<SIGNATURE_BYTES>("signature")?),
            });
        }
    }
    let digest = checkpoint.digest(chain);
    Ok(CommitCertificate::new(
        checkpoint.height,
        round,
        digest,
        signatures,
    )?)
}

pub(super) fn take_round(cursor: &mut Cursor<'_>) -> Result<Round, BundleError> {
    let round = u32::try_from(varint::take(cursor, "round")?);
    round.map(Round).map_err(|_| BundleError::Number("round"))
}

/// Count, then address, power and both names of each validator.
pub(super) fn put_validators(
    bytes: &mut Vec<u8>,
    validators: &NamedValidators,
) -> Result<(), BundleError> {
    let validators = validators.as_slice();
    varint::put(bytes, "validators", validators.len() as u64)?;
    for validator in validators {
        bytes.extend_from_slice(validator.address.as_slice());
        varint::put(bytes, "power", validator.power.0)?;
        for name in [&validator.name_zh_tw, &validator.name_en] {
            varint::put(bytes, "name", name.len() as u64)?;
            bytes.extend_from_slice(name.as_bytes());
        }
    }
    Ok(())
}

pub(super) fn take_validators(cursor: &mut Cursor<'_>) -> Result<NamedValidators, BundleError> {
    let count = varint::count(cursor, "validators", VALIDATORS_MAX)?;
    let mut validators = Vec::with_capacity(count);
    for _ in 0..count {
        validators.push(NamedValidator {
            address: Address::from(cursor.array::<20>("address")?),
            power: VotingPower(varint::take(cursor, "power")?),
            name_zh_tw: take_name(cursor, "nameZhTw")?,
            name_en: take_name(cursor, "nameEn")?,
        });
    }
    NamedValidators::new(validators)
}

fn take_name(cursor: &mut Cursor<'_>, field: &'static str) -> Result<String, BundleError> {
    let length = varint::count(cursor, field, ORGANISATION_NAME_BYTES_MAX)?;
    let name = cursor.take(field, length)?.to_vec();
    String::from_utf8(name).map_err(|_| BundleError::NotCanonical(field))
}
