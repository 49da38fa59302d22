//! An account's storage, page by page, in the order of the trie.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256, keccak256};

use crate::database::Table;
use crate::error::{StoreError, corrupt};
use crate::keys;
use crate::limits::{SLOT_CHANGES_MAX, SLOTS_PAGE_MAX};
use crate::state::{StateAt, decode_slot};

/// Slots of an account that are not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotPage {
    /// Keccak-256 of the slot's number, and its value, in order.
    pub slots: Vec<(B256, U256)>,
    /// Where the next page begins; `None` if this is the last.
    pub next: Option<B256>,
}

impl StateAt<'_> {
    /// The slots of an account whose hash is `from` or above, at most `limit` and
    /// [`SLOTS_PAGE_MAX`]. A page may have fewer although there is another one.
    pub fn slots(
        &self,
        account: Address,
        from: B256,
        limit: usize,
    ) -> Result<SlotPage, StoreError> {
        let owner = keccak256(account);
        let limit = limit.min(SLOTS_PAGE_MAX);
        let (mut values, mut next) = self.slots_at_tip(&owner, from, limit)?;
        if let Some(past) = self.reader.past {
            let earlier = self.slots_changed_since(&owner, from, &mut next)?;
            values.extend(earlier);
            self.reader.check_window(past)?;
        }
        if let Some(next) = next {
            values.retain(|hash, _| *hash < next);
        }
        let mut slots: Vec<_> = values
            .into_iter()
            .filter(|(_, value)| !value.is_zero())
            .collect();
        if let Some((hash, _)) = slots.get(limit) {
            next = Some(*hash);
            slots.truncate(limit);
        }
        Ok(SlotPage { slots, next })
    }

    /// After the snapshot's tip; and the first slot that was left out.
    fn slots_at_tip(
        &self,
        owner: &B256,
        from: B256,
        limit: usize,
    ) -> Result<(BTreeMap<B256, U256>, Option<B256>), StoreError> {
        let (mut values, mut next) = (BTreeMap::new(), None);
        let (prefix, start) = (keys::slots_of(owner), keys::slot(owner, &from));
        let view = &self.reader.view;
        view.scan_from(Table::State, &prefix, &start, "slots", |key, value| {
            let hash = hash_in(key, prefix.len())?;
            if values.len() == limit {
                next = Some(hash);
                return Ok(false);
            }
            values.insert(hash, decode_slot(value)?);
            Ok(true)
        })?;
        Ok((values, next))
    }

    /// Slots that changed after this state, as they are in it; lowers `next` to where it did not
    /// look any further.
    fn slots_changed_since(
        &self,
        owner: &B256,
        from: B256,
        next: &mut Option<B256>,
    ) -> Result<BTreeMap<B256, U256>, StoreError> {
        let view = &self.reader.view;
        let (mut values, mut at) = (BTreeMap::new(), Some(from));
        let (prefix, mut looked_at) = (keys::slots_of(owner), 0);
        while let Some(from) = at {
            let (start, mut changed) = (keys::slot(owner, &from), None);
            view.scan_from(Table::History, &prefix, &start, "slots", |key, _| {
                changed = Some(hash_in(key, prefix.len())?);
                Ok(false)
            })?;
            let Some(hash) = changed.filter(|hash| next.is_none_or(|next| *hash < next)) else {
                break;
            };
            if looked_at == SLOT_CHANGES_MAX {
                *next = Some(hash);
                break;
            }
            looked_at += 1;
            // The first later change of a slot remembers what it was.
            let key = keys::slot(owner, &hash);
            let later = keys::history(&key, self.height.next());
            match view
                .first(Table::History, &key, &later, "slots")?
                .as_deref()
            {
                Some([]) => drop(values.insert(hash, U256::ZERO)),
                Some(value) => drop(values.insert(hash, decode_slot(value)?)),
                None => {}
            }
            let after = U256::from_be_bytes(hash.0).checked_add(U256::ONE);
            at = after.map(B256::from);
        }
        Ok(values)
    }
}

fn hash_in(key: &[u8], prefix: usize) -> Result<B256, StoreError> {
    let rest = key.get(prefix..).and_then(keys::slot_hash_of);
    rest.ok_or_else(|| corrupt("slots")(&"a key is shorter than a slot's"))
}
