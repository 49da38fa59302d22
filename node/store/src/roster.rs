//! Validator sets by their hash, and where one followed another.

use std::sync::RwLockReadGuard;

use borsh::{BorshDeserialize, BorshSerialize};
use tbsi_types::roster::{Member, Members};
use tbsi_types::{B256, Checkpoint, Height, PublicKey, VotingPower};

use crate::database::{Batch, Database, Table};
use crate::error::{StoreError, corrupt};
use crate::keys;
use crate::store::Store;

/// [`Member`] as it is stored.
#[derive(BorshSerialize, BorshDeserialize)]
struct StoredMember {
    public_key: [u8; 33],
    power: u64,
    organisation: u32,
    name_zh_tw: String,
    name_en: String,
    node: String,
}

fn encode(members: &Members) -> Vec<u8> {
    let stored = |member: &Member| StoredMember {
        public_key: member.public_key.encode(),
        power: member.power.0,
        organisation: member.organisation,
        name_zh_tw: member.name_zh_tw.clone(),
        name_en: member.name_en.clone(),
        node: member.node.clone(),
    };
    let stored: Vec<_> = members.iter().map(stored).collect();
    borsh::to_vec(&stored).expect("a Vec takes every byte")
}

fn decode(bytes: &[u8]) -> Result<Members, StoreError> {
    let stored: Vec<StoredMember> =
        borsh::from_slice(bytes).map_err(|error| corrupt("validator set")(&error))?;
    let mut members = Vec::with_capacity(stored.len());
    for stored in stored {
        let public_key = PublicKey::parse(&stored.public_key);
        members.push(Member {
            public_key: public_key.map_err(|error| corrupt("validator key")(&error))?,
            power: VotingPower(stored.power),
            organisation: stored.organisation,
            name_zh_tw: stored.name_zh_tw,
            name_en: stored.name_en,
            node: stored.node,
        });
    }
    Members::new(members).map_err(|error| corrupt("validator set")(&error))
}

/// Stores the set that decides the block after the checkpoint's. If it is another one than
/// decided the checkpoint itself, that is a handover.
pub(crate) fn write(batch: &mut Batch<'_>, checkpoint: &Checkpoint, next: &Members) {
    let hash = checkpoint.next_validator_set_hash;
    batch.put(Table::Index, &keys::validator_set(&hash), &encode(next));
    if checkpoint.validator_set_hash != hash {
        batch.put(Table::Index, &keys::handover(checkpoint.height), &[]);
    }
}

impl Store {
    /// The validator set with this hash, under legal names.
    pub fn members(&self, set_hash: B256) -> Result<Option<Members>, StoreError> {
        let last = || self.members.lock().expect("nobody panics while holding it");
        if let Some((hash, members)) = &*last()
            && *hash == set_hash
        {
            return Ok(Some(members.clone()));
        }
        let key = keys::validator_set(&set_hash);
        let bytes = self.database.get(Table::Index, &key, "validator set")?;
        let Some(members) = bytes.as_deref().map(decode).transpose()? else {
            return Ok(None);
        };
        *last() = Some((set_hash, members.clone()));
        Ok(Some(members))
    }

    /// The set that decides `height`, which is at most one above the tip.
    pub fn members_at(&self, height: Height) -> Result<Option<Members>, StoreError> {
        if let Some(checkpoint) = self.checkpoint(height)? {
            return self.members(checkpoint.validator_set_hash);
        }
        let Some(previous) = height.previous() else {
            return Ok(None);
        };
        match self.checkpoint(previous)? {
            Some(checkpoint) => self.members(checkpoint.next_validator_set_hash),
            None => Ok(None),
        }
    }

    /// The last heights of sets that were followed by another one, from `from` up to below
    /// `to`, in order, at most `limit`.
    pub fn handovers(&self, from: Height, to: Height, limit: usize) -> Vec<Height> {
        let all = self.all_handovers();
        let start = all.partition_point(|height| *height < from);
        let wanted = all[start..].iter().take_while(|height| **height < to);
        wanted.take(limit).copied().collect()
    }

    /// The same by number, from 0.
    pub fn handovers_by_number(&self, first: u64, limit: usize) -> Vec<Height> {
        let all = self.all_handovers();
        let start = usize::try_from(first).unwrap_or(usize::MAX);
        all.iter().skip(start).take(limit).copied().collect()
    }

    /// How often the validator set changed.
    pub fn handover_count(&self) -> u64 {
        self.all_handovers().len() as u64
    }

    fn all_handovers(&self) -> RwLockReadGuard<'_, Vec<Height>> {
        let all = self.handovers.read();
        all.expect("nobody panics while writing the handovers")
    }

    /// After the block was written.
    pub(crate) fn note_handover(&self, checkpoint: &Checkpoint) {
        if checkpoint.validator_set_hash != checkpoint.next_validator_set_hash {
            let all = self.handovers.write();
            all.expect("nobody panics while writing the handovers")
                .push(checkpoint.height);
        }
    }
}

/// All that are stored.
pub(crate) fn load_handovers(database: &Database) -> Result<Vec<Height>, StoreError> {
    let prefix = keys::HANDOVERS;
    let view = database.snapshot();
    let mut heights = Vec::new();
    view.scan_from(Table::Index, prefix, prefix, "handovers", |key, _| {
        let height = keys::handover_height(key);
        heights.push(height.ok_or_else(|| corrupt("handovers")(&"not a height"))?);
        Ok(true)
    })?;
    Ok(heights)
}
