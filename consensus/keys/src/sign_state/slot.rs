//! The bytes of the sign-state's file (SPEC §6.4).
//!
//! The record with sequence n is written to slot n mod 2, twice, on pages that no record shares:
//! a disk spoils whole pages. What is found after a crash, or after years, is one of these:
//!
//! - A copy is damaged: its twin has the record. Nothing is lost.
//! - Both copies of a slot are damaged: the write of it was torn, so that nothing was signed with
//!   it, and the other slot has the mark. A torn record is a mixture of two that have the same
//!   magic, genesis hash, validator and zeros; if those are spoiled too, this was no torn write.
//!   Then nobody knows what was signed.

use tbsi_types::cursor::{Cursor, CursorError};
use tbsi_types::{Address, B256, ChainIdentity, Height, Round, sha256};

use super::said::{SAID_BYTES, Said};
use crate::position::{Mark, Step};

const MAGIC: &[u8; 16] = b"TBSI-SIGNSTATE-2";
const SLOT_BYTES: usize = 512;
/// Unit in which file systems and disks write.
const PAGE_BYTES: usize = 4096;
const SLOTS: usize = 2;
const COPIES: usize = 2;
/// Two slots of two copies, each on a page of its own.
pub(super) const FILE_BYTES: usize = (SLOTS * COPIES - 1) * PAGE_BYTES + SLOT_BYTES;
/// Magic, genesis hash and validator: the same in each record.
const CONSTANT_BYTES: usize = 16 + 32 + 20;
/// Those and sequence, height, round, step, digest and what was said. Zeros follow, and a
/// checksum.
const RECORD_BYTES: usize = CONSTANT_BYTES + 8 + 8 + 4 + 1 + 32 + SAID_BYTES;
const CHECKSUM_BYTES: usize = 32;

/// Where the copies of the record with this sequence are. Those of the two slots alternate.
pub(super) fn offsets(sequence: u64) -> [u64; COPIES] {
    let slot = sequence % SLOTS as u64;
    [slot, slot + SLOTS as u64].map(|page| page * PAGE_BYTES as u64)
}

/// What a file holds.
#[derive(Debug)]
pub(super) struct Found {
    /// The record with the highest sequence.
    pub(super) newest: Slot,
    /// Both its copies are there.
    pub(super) whole: bool,
}

/// The newest record. If it may be that a newer one was signed with and is lost, says why.
pub(super) fn find(
    bytes: &[u8],
    chain: &ChainIdentity,
    validator: &Address,
) -> Result<Found, String> {
    if bytes.len() != FILE_BYTES {
        return Err(format!("{} bytes instead of {FILE_BYTES}", bytes.len()));
    }
    let mut newest: Option<Slot> = None;
    let mut copies = 0;
    let mut unreadable = Vec::new();
    for slot in 0..SLOTS as u64 {
        let mut readable = false;
        for copy in copies_of(bytes, slot) {
            let Ok(found) = Slot::decode(copy) else {
                continue;
            };
            if found.sequence % SLOTS as u64 != slot {
                return Err("a record is in the place of another".into());
            }
            readable = true;
            match newest.as_ref().map(|newest| newest.sequence) {
                Some(sequence) if sequence > found.sequence => {}
                Some(sequence) if sequence == found.sequence => copies += 1,
                Some(_) | None => (newest, copies) = (Some(found), 1),
            }
        }
        if !readable {
            unreadable.push(slot);
        }
    }
    // A file is of one key: that of the record that is there, whoever asks.
    let whose = newest
        .as_ref()
        .map_or((chain.genesis_hash, *validator), |newest| {
            (newest.genesis_hash, newest.validator)
        });
    let torn = |slot: &u64| copies_of(bytes, *slot).all(|copy| is_torn(copy, whose));
    if let Some(slot) = unreadable.into_iter().find(|slot| !torn(slot)) {
        return Err(format!(
            "both copies of slot {slot} are damaged, and not by a write that was interrupted: \
             what was signed last may have been there"
        ));
    }
    let newest = newest.ok_or("no slot has a valid checksum")?;
    Ok(Found {
        newest,
        whole: copies == COPIES,
    })
}

fn copies_of(bytes: &[u8], slot: u64) -> impl Iterator<Item = &[u8]> {
    offsets(slot).into_iter().map(|offset| {
        let offset = usize::try_from(offset).expect("an offset in the file");
        &bytes[offset..offset + SLOT_BYTES]
    })
}

/// Whether an interrupted write can have left this: what each record has in common is there.
fn is_torn(copy: &[u8], (genesis_hash, validator): (B256, Address)) -> bool {
    let mut common = MAGIC.to_vec();
    common.extend_from_slice(genesis_hash.as_slice());
    common.extend_from_slice(validator.as_slice());
    let zeros = &copy[RECORD_BYTES..SLOT_BYTES - CHECKSUM_BYTES];
    copy.starts_with(&common) && zeros.iter().all(|byte| *byte == 0)
}

/// A record of the file.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) genesis_hash: B256,
    pub(super) validator: Address,
    pub(super) sequence: u64,
    pub(super) mark: Mark,
    pub(super) said: Said,
}

impl Slot {
    pub(super) fn encode(&self) -> [u8; SLOT_BYTES] {
        let mut bytes = Vec::with_capacity(SLOT_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(self.genesis_hash.as_slice());
        bytes.extend_from_slice(self.validator.as_slice());
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.mark.height.0.to_be_bytes());
        bytes.extend_from_slice(&self.mark.round.0.to_be_bytes());
        bytes.push(self.mark.step.byte());
        bytes.extend_from_slice(self.mark.digest.as_slice());
        self.said.encode(&mut bytes);
        bytes.resize(SLOT_BYTES - CHECKSUM_BYTES, 0);
        bytes.extend_from_slice(sha256(&[&bytes]).as_slice());
        bytes.try_into().expect("padded to SLOT_BYTES")
    }

    fn decode(bytes: &[u8]) -> Result<Self, CursorError> {
        let damaged = CursorError::Trailing(0);
        let (body, checksum) = bytes.split_at(SLOT_BYTES - CHECKSUM_BYTES);
        if sha256(&[body]).as_slice() != checksum || !body.starts_with(MAGIC) {
            return Err(damaged);
        }
        let mut cursor = Cursor::new(body);
        cursor.take("magic", MAGIC.len())?;
        Ok(Self {
            genesis_hash: cursor.b256("genesis hash")?,
            validator: Address::from(cursor.array::<20>("validator")?),
            sequence: cursor.u64("sequence")?,
            mark: Mark {
                height: Height(cursor.u64("height")?),
                round: Round(cursor.u32("round")?),
                step: Step::parse(cursor.u8("step")?).ok_or(damaged)?,
                digest: cursor.b256("digest")?,
            },
            said: Said::decode(&mut cursor)?,
        })
    }
}
