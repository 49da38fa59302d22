//! Extra data of QBFT and IBFT 2.0: `[vanity, validators, vote, round, seals]`.
//!
//! The two differ in what stands for no vote, in how the round is written, and in what is left
//! of both in the bytes that are hashed (`QbftExtraDataCodec` and `IbftExtraDataCodec` of
//! Besu).

use alloy_primitives::{Address, B256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};
use tbsi_types::log::Assurance;

use super::error::HeaderError;
use super::limits::FOREIGN_VALIDATORS_MAX;
use super::rlp::{self, Item};

/// Positions of items.
const VANITY: u64 = 0;
const VALIDATORS: u64 = 1;
const VOTE: u64 = 2;
const ROUND: u64 = 3;
const SEALS: u64 = 4;
/// What stands for an error of the list itself.
const LIST: u64 = 5;

const VANITY_BYTES: usize = 32;
const SEAL_BYTES: usize = 65;
const EMPTY_STRING: &[u8] = &[0x80];
const EMPTY_LIST: &[u8] = &[0xc0];

/// Extra data whose items have the right forms.
pub(super) struct ExtraData<'a> {
    assurance: Assurance,
    /// Vanity, validators, vote and round.
    kept: [&'a [u8]; 4],
    /// Ascending; not empty.
    pub(super) validators: Vec<Address>,
    pub(super) seals: Vec<&'a [u8; SEAL_BYTES]>,
}

impl<'a> ExtraData<'a> {
    pub(super) fn parse(assurance: Assurance, bytes: &'a [u8]) -> Result<Self, HeaderError> {
        let list = rlp::whole(bytes).ok_or(HeaderError::Extra(LIST))?;
        let items = list.items(5).ok_or(HeaderError::Extra(LIST))?;
        let [vanity, validators, vote, round, seals] = items.as_slice() else {
            return Err(HeaderError::Extra(LIST));
        };
        let form = |fits: bool, item| fits.then_some(()).ok_or(HeaderError::Extra(item));
        form(vanity.array::<VANITY_BYTES>().is_some(), VANITY)?;
        let listed = read_validators(validators)?;
        form(is_vote(assurance, vote), VOTE)?;
        form(is_round(assurance, round), ROUND)?;
        let seals = read_seals(seals)?;
        Ok(Self {
            assurance,
            kept: [vanity.raw, validators.raw, vote.raw, round.raw],
            validators: listed,
            seals,
        })
    }

    /// What validators seal: everything but the seals. QBFT writes an empty list in their
    /// place, IBFT 2.0 nothing.
    pub(super) fn sealed(&self) -> Vec<u8> {
        match self.assurance {
            Assurance::Qbft => self.followed_by(4, &[EMPTY_LIST]),
            Assurance::Ibft2 => self.followed_by(4, &[]),
        }
    }

    /// What the block hash is over: neither seals nor round. QBFT writes round 0.
    pub(super) fn on_chain(&self) -> Vec<u8> {
        match self.assurance {
            Assurance::Qbft => self.followed_by(3, &[EMPTY_STRING, EMPTY_LIST]),
            Assurance::Ibft2 => self.followed_by(3, &[]),
        }
    }

    fn followed_by(&self, kept: usize, rest: &[&[u8]]) -> Vec<u8> {
        let kept = self.kept[..kept].iter();
        rlp::list(kept.chain(rest).copied())
    }
}

fn read_validators(item: &Item<'_>) -> Result<Vec<Address>, HeaderError> {
    let form = HeaderError::Extra(VALIDATORS);
    if !item.is_list {
        return Err(form);
    }
    if item.payload.is_empty() {
        return Err(HeaderError::ContractValidators);
    }
    // 21 bytes each.
    let count = item.payload.len() / 21;
    if count > FOREIGN_VALIDATORS_MAX {
        return Err(HeaderError::TooManyValidators(count as u64));
    }
    let mut validators: Vec<Address> = Vec::with_capacity(count);
    for item in item.items(FOREIGN_VALIDATORS_MAX).ok_or(form)? {
        let address = Address::from(item.array::<20>().ok_or(form)?);
        if validators.last().is_some_and(|last| *last >= address) {
            return Err(HeaderError::ValidatorOrder(validators.len() as u64));
        }
        validators.push(address);
    }
    Ok(validators)
}

/// Whether an item is no vote, or one about an address: 0xff to add it, 0 to drop it.
fn is_vote(assurance: Assurance, item: &Item<'_>) -> bool {
    let (none, drop): (&[u8], &[u8]) = match assurance {
        Assurance::Qbft => (EMPTY_LIST, EMPTY_STRING),
        Assurance::Ibft2 => (EMPTY_STRING, &[0x00]),
    };
    const ADD: &[u8] = &[0x81, 0xff];
    if item.raw == none {
        return true;
    }
    match item.items(2).as_deref() {
        Some([recipient, vote]) => {
            recipient.array::<20>().is_some() && (vote.raw == ADD || vote.raw == drop)
        }
        _ => false,
    }
}

/// QBFT writes the round as an integer, IBFT 2.0 as four bytes; both hold a signed one.
fn is_round(assurance: Assurance, item: &Item<'_>) -> bool {
    let round = match assurance {
        Assurance::Qbft => item.integer(),
        Assurance::Ibft2 => item
            .array::<4>()
            .map(|bytes| u32::from_be_bytes(*bytes).into()),
    };
    round.is_some_and(|round| i32::try_from(round).is_ok())
}

fn read_seals<'a>(item: &Item<'a>) -> Result<Vec<&'a [u8; SEAL_BYTES]>, HeaderError> {
    let items = item
        .items(FOREIGN_VALIDATORS_MAX)
        .ok_or(HeaderError::Extra(SEALS))?;
    let seal = |(position, item): (usize, &Item<'a>)| {
        let bytes = item.array::<SEAL_BYTES>();
        bytes.ok_or(HeaderError::Seal(position as u64))
    };
    items.iter().enumerate().map(seal).collect()
}

/// Who made a seal: `r || s || v`, `v` 0 or 1. As in Besu `s` may be high; one validator counts
/// once however it seals.
pub(super) fn recover(digest: B256, seal: &[u8; SEAL_BYTES]) -> Option<Address> {
    let id = match seal[64] {
        0 => RecoveryId::Zero,
        1 => RecoveryId::One,
        _ => return None,
    };
    let signature = RecoverableSignature::from_compact(&seal[..64], id).ok()?;
    let key = SECP256K1
        .recover_ecdsa(Message::from_digest(digest.0), &signature)
        .ok()?;
    Some(Address::from_raw_public_key(
        &key.serialize_uncompressed()[1..],
    ))
}
