//! Accounts, and an account's storage, page by page, in the order of their tries.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_trie::TrieAccount;

use crate::database::Table;
use crate::error::{StoreError, corrupt};
use crate::keys;
use crate::limits::{ACCOUNTS_PAGE_MAX, CHANGES_MAX, SLOTS_PAGE_MAX};
use crate::state::{StateAt, decode_account, decode_slot};

/// Some of what a trie holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatePage<T> {
    /// With the hashes of what they are stored by (an address, a slot's number), in order.
    pub entries: Vec<(B256, T)>,
    /// Where the next page begins; `None` if this is the last.
    pub next: Option<B256>,
}

impl<T> Default for StatePage<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            next: None,
        }
    }
}

/// Values by the hash of their keys, and the first that was left out.
type Values = (BTreeMap<B256, Vec<u8>>, Option<B256>);

/// Keys that have a prefix and a hash behind it.
struct Hashed {
    prefix: Vec<u8>,
    what: &'static str,
}

impl Hashed {
    fn key(&self, hash: &B256) -> Vec<u8> {
        [self.prefix.as_slice(), hash.as_slice()].concat()
    }

    fn hash_in(&self, key: &[u8]) -> Result<B256, StoreError> {
        let rest = key.get(self.prefix.len()..).and_then(keys::hash_of);
        rest.ok_or_else(|| corrupt(self.what)(&"a key is shorter than a hash"))
    }
}

impl StateAt<'_> {
    /// The accounts whose hash is `from` or above, at most `limit` and [`ACCOUNTS_PAGE_MAX`]. A
    /// page may have fewer although there is another one.
    pub fn accounts(&self, from: B256, limit: usize) -> Result<StatePage<TrieAccount>, StoreError> {
        let keys = Hashed {
            prefix: keys::accounts(),
            what: "accounts",
        };
        self.page(&keys, from, limit.min(ACCOUNTS_PAGE_MAX), decode_account)
    }

    /// The slots of an account that are not zero and whose hash is `from` or above, at most
    /// `limit` and [`SLOTS_PAGE_MAX`]. A page may have fewer although there is another one.
    pub fn slots(
        &self,
        account: Address,
        from: B256,
        limit: usize,
    ) -> Result<StatePage<U256>, StoreError> {
        self.slots_of(keccak256(account), from, limit)
    }

    /// The same, by the hash of the account's address.
    pub fn slots_of(
        &self,
        owner: B256,
        from: B256,
        limit: usize,
    ) -> Result<StatePage<U256>, StoreError> {
        let keys = Hashed {
            prefix: keys::slots_of(&owner),
            what: "slots",
        };
        self.page(&keys, from, limit.min(SLOTS_PAGE_MAX), decode_slot)
    }

    fn page<T>(
        &self,
        keys: &Hashed,
        from: B256,
        limit: usize,
        decode: fn(&[u8]) -> Result<T, StoreError>,
    ) -> Result<StatePage<T>, StoreError> {
        let (mut values, mut next) = self.at_tip(keys, from, limit)?;
        if let Some(past) = self.reader.past {
            let earlier = self.changed_since(keys, from, &mut next)?;
            values.extend(earlier);
            self.reader.check_window(past)?;
        }
        if let Some(next) = next {
            values.retain(|hash, _| *hash < next);
        }
        // What was not there then has no value.
        values.retain(|_, value| !value.is_empty());
        if let Some(hash) = values.keys().nth(limit) {
            next = Some(*hash);
        }
        let entries = values.into_iter().take(limit);
        let entries = entries.map(|(hash, value)| Ok((hash, decode(&value)?)));
        Ok(StatePage {
            entries: entries.collect::<Result<_, StoreError>>()?,
            next,
        })
    }

    /// After the snapshot's tip; and the first that was left out.
    fn at_tip(&self, keys: &Hashed, from: B256, limit: usize) -> Result<Values, StoreError> {
        let (mut values, mut next) = (BTreeMap::new(), None);
        let (view, start) = (&self.reader.view, keys.key(&from));
        view.scan_from(
            Table::State,
            &keys.prefix,
            &start,
            keys.what,
            |key, value| {
                let hash = keys.hash_in(key)?;
                if values.len() == limit {
                    next = Some(hash);
                    return Ok(false);
                }
                values.insert(hash, value.to_vec());
                Ok(true)
            },
        )?;
        Ok((values, next))
    }

    /// What changed after this state, as it is in it, with no value if it is not there; lowers
    /// `next` to where it did not look any further.
    fn changed_since(
        &self,
        keys: &Hashed,
        from: B256,
        next: &mut Option<B256>,
    ) -> Result<BTreeMap<B256, Vec<u8>>, StoreError> {
        let view = &self.reader.view;
        let (mut values, mut at) = (BTreeMap::new(), Some(from));
        let mut looked_at = 0;
        while let Some(from) = at {
            let (start, mut changed) = (keys.key(&from), None);
            view.scan_from(Table::History, &keys.prefix, &start, keys.what, |key, _| {
                changed = Some(keys.hash_in(key)?);
                Ok(false)
            })?;
            let Some(hash) = changed.filter(|hash| next.is_none_or(|next| *hash < next)) else {
                break;
            };
            if looked_at == CHANGES_MAX {
                *next = Some(hash);
                break;
            }
            looked_at += 1;
            // The first later change remembers what it was.
            let key = keys.key(&hash);
            let later = keys::history(&key, self.height.next());
            if let Some(value) = view.first(Table::History, &key, &later, keys.what)? {
                values.insert(hash, value);
            }
            let after = U256::from_be_bytes(hash.0).checked_add(U256::ONE);
            at = after.map(B256::from);
        }
        Ok(values)
    }
}
