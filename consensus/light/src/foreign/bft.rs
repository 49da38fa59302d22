//! Headers of QBFT and IBFT 2.0: who sealed, and whether that is enough.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use tbsi_types::log::Assurance;

use super::error::HeaderError;
use super::extra::{ExtraData, recover};
use super::header::Header;
use super::limits::FOREIGN_VALIDATORS_MAX;
use super::{ForeignHeader, ReadHeader, encode_validators, faults, quorum, trusted_hash};

/// A header and its extra data, in the forms that they must have.
fn parse<'a>(
    assurance: Assurance,
    bytes: &'a [u8],
) -> Result<(Header<'a>, ExtraData<'a>), HeaderError> {
    let header = Header::parse(bytes)?;
    header.check_constants()?;
    if header.height == 0 {
        return Err(HeaderError::Genesis);
    }
    let extra = ExtraData::parse(assurance, header.extra_data)?;
    Ok((header, extra))
}

/// See [`super::read_header`].
pub(super) fn read(assurance: Assurance, bytes: &[u8]) -> Result<ReadHeader, HeaderError> {
    let (header, extra) = parse(assurance, bytes)?;
    Ok(ReadHeader {
        height: header.height,
        block_hash: header.hash_with(&extra.on_chain()),
        parent_hash: header.parent_hash,
        trusted: encode_validators(&extra.validators),
    })
}

/// See [`super::hashed_header`].
pub(super) fn hashed(assurance: Assurance, bytes: &[u8]) -> Result<Vec<u8>, HeaderError> {
    let (header, extra) = parse(assurance, bytes)?;
    Ok(header.encode_with(&extra.on_chain()))
}

/// See [`super::verify_header`].
pub(super) fn verify(
    assurance: Assurance,
    trusted: &[u8],
    bytes: &[u8],
) -> Result<ForeignHeader, HeaderError> {
    let trusted = decode_validators(trusted)?;
    let (header, extra) = parse(assurance, bytes)?;
    let sealed = header.hash_with(&extra.sealed());
    let signers = signers(sealed, &extra)?;
    let (got, needed) = (signers.len(), quorum(extra.validators.len()));
    if got < needed {
        let (got, needed) = (got as u64, needed as u64);
        return Err(HeaderError::Quorum { got, needed });
    }
    let known = trusted.iter().filter(|known| signers.contains(*known));
    let (known, needed) = (known.count(), faults(trusted.len()) + 1);
    if !trusted.is_empty() && known < needed {
        let (got, needed) = (known as u64, needed as u64);
        return Err(HeaderError::Overlap { got, needed });
    }
    Ok(ForeignHeader {
        height: header.height,
        time: header.time,
        block_hash: header.hash_with(&extra.on_chain()),
        state_root: header.state_root,
        trusted_hash: trusted_hash(&encode_validators(&extra.validators)),
        validators: extra.validators.len() as u64,
        signers: got as u64,
    })
}

fn decode_validators(bytes: &[u8]) -> Result<BTreeSet<Address>, HeaderError> {
    let malformed = HeaderError::Trusted(bytes.len() as u64);
    let (whole, rest) = bytes.as_chunks::<20>();
    if !rest.is_empty() || whole.len() > FOREIGN_VALIDATORS_MAX || !whole.is_sorted() {
        return Err(malformed);
    }
    let validators: BTreeSet<Address> = whole.iter().map(Address::from).collect();
    if validators.len() != whole.len() {
        return Err(malformed);
    }
    Ok(validators)
}

/// Who sealed: each once, and each one of the header's validators.
fn signers(sealed: B256, extra: &ExtraData<'_>) -> Result<BTreeSet<Address>, HeaderError> {
    let mut signers = BTreeSet::new();
    for (position, seal) in extra.seals.iter().enumerate() {
        let position = position as u64;
        let signer = recover(sealed, seal).ok_or(HeaderError::Seal(position))?;
        if extra.validators.binary_search(&signer).is_err() {
            return Err(HeaderError::SealForeign(position));
        }
        if !signers.insert(signer) {
            return Err(HeaderError::SealRepeated(position));
        }
    }
    Ok(signers)
}
