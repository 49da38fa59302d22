//! From a block's changes to the next state root and the writes that lead there.

use std::collections::BTreeMap;

use alloy_primitives::{B256, Bytes, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount};
use tbsi_types::{Account, AccountChange, Height, StateDiff};

use crate::database::Table;
use crate::error::{StoreError, corrupt};
use crate::hot::Touched;
use crate::keys;
use crate::state::{Reader, StateAt, decode_account, slot_hash};
use crate::store::Store;
use crate::trie::{self, KeyChange, Updated};

/// The next state: its root, and all writes that turn the latest state into it.
#[derive(Clone, Debug)]
pub struct StateUpdate {
    pub(crate) root: B256,
    /// Tip on which the update was computed.
    pub(crate) base: Option<Height>,
    pub(crate) writes: Vec<StateWrite>,
    pub(crate) codes: Vec<(B256, Bytes)>,
    /// By their own names; none if only the root was wanted.
    pub(crate) touched: Vec<Touched>,
}

/// A key of the state and its value before and after; `None` where there is none.
#[derive(Clone, Debug)]
pub(crate) struct StateWrite {
    pub(crate) key: Vec<u8>,
    pub(crate) before: Option<Vec<u8>>,
    pub(crate) after: Option<Vec<u8>>,
}

impl StateUpdate {
    /// Ethereum state root after the changes.
    pub fn root(&self) -> B256 {
        self.root
    }

    fn write(&mut self, key: Vec<u8>, before: Option<Vec<u8>>, after: Option<Vec<u8>>) {
        if before != after {
            self.writes.push(StateWrite { key, before, after });
        }
    }

    fn write_nodes(&mut self, updated: Updated, key: impl Fn(&Nibbles) -> Vec<u8>) {
        for (path, node) in updated.nodes {
            self.write(key(&path), node.before, node.after);
        }
    }
}

impl Store {
    /// The state after applying `diff` to the latest state. Writes nothing.
    pub fn state_root(&self, diff: &StateDiff) -> Result<StateUpdate, StoreError> {
        let (reader, record) = self.latest()?;
        let base = record.map(|record| Height(record.height));
        update(&reader, base, diff, Purpose::Writes)
    }
}

impl StateAt<'_> {
    /// The state root after applying `diff` to this state, of a block that is never committed.
    pub fn root_after(&self, diff: &StateDiff) -> Result<B256, StoreError> {
        let base = Some(self.height);
        Ok(update(&self.reader, base, diff, Purpose::Root)?.root)
    }
}

/// What an update is computed for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To be committed: all that goes is listed.
    Writes,
    /// For its root alone.
    Root,
}

fn update(
    reader: &Reader<'_>,
    base: Option<Height>,
    diff: &StateDiff,
    purpose: Purpose,
) -> Result<StateUpdate, StoreError> {
    let codes = diff.codes.iter();
    let mut update = StateUpdate {
        root: EMPTY_ROOT_HASH,
        base,
        writes: Vec::new(),
        codes: codes.map(|(hash, code)| (*hash, code.clone())).collect(),
        touched: match purpose {
            Purpose::Writes => touched(diff),
            Purpose::Root => Vec::new(),
        },
    };
    let mut accounts = BTreeMap::new();
    for (address, change) in &diff.accounts {
        let owner = keccak256(address);
        let before = reader.get(&keys::account(&owner), "account")?;
        let root = before.as_deref().map_or(Ok(EMPTY_ROOT_HASH), |bytes| {
            decode_account(bytes).map(|account| account.storage_root)
        })?;
        let storage = Storage {
            reader,
            owner,
            root,
            purpose,
        };
        let storage_root = storage.apply(change, &mut update)?;
        let after = change
            .account
            .as_ref()
            .map(|account| encode_account(account, storage_root));
        accounts.insert(owner, ValueChange { before, after });
    }
    let changes: Vec<_> = accounts
        .iter()
        .filter(|(_, account)| account.before != account.after)
        .map(|(owner, account)| account.of_key(owner))
        .collect();
    let read = |path: &Nibbles| reader.account_node(path);
    let updated = trie::update(&read, Vec::new(), &changes)?;
    update.root = updated.root;
    update.write_nodes(updated, keys::account_node);
    for (owner, account) in accounts {
        update.write(keys::account(&owner), account.before, account.after);
    }
    Ok(update)
}

fn touched(diff: &StateDiff) -> Vec<Touched> {
    let accounts = diff.accounts.iter();
    let touched = accounts.map(|(address, change)| {
        let cleared = change.storage_wiped || change.account.is_none();
        Touched {
            address: *address,
            slots: (!cleared).then(|| change.storage.keys().copied().collect()),
        }
    });
    touched.collect()
}

fn encode_account(account: &Account, storage_root: B256) -> Vec<u8> {
    let Account {
        nonce,
        balance,
        code_hash,
    } = *account;
    alloy_rlp::encode(TrieAccount::new(nonce, balance, storage_root, code_hash))
}

/// An encoded account or slot before and after; `None` where there is none.
#[derive(Default)]
struct ValueChange {
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

impl ValueChange {
    fn of_key(&self, hash: &B256) -> KeyChange<'_> {
        KeyChange {
            key: Nibbles::unpack(hash),
            before: self.before.as_deref(),
            value: self.after.as_deref(),
        }
    }
}

/// An account's storage before its changes.
struct Storage<'a, 'r> {
    reader: &'a Reader<'r>,
    owner: B256,
    root: B256,
    purpose: Purpose,
}

impl Storage<'_, '_> {
    /// Adds the storage writes of a change to `update`; returns the new storage root.
    fn apply(&self, change: &AccountChange, update: &mut StateUpdate) -> Result<B256, StoreError> {
        let Self {
            reader,
            owner,
            root,
            purpose,
        } = self;
        let is_empty = *root == EMPTY_ROOT_HASH;
        let cleared = !is_empty && (change.storage_wiped || change.account.is_none());
        // What goes must be listed to be deleted; for the root it is enough not to look at it.
        let listed = cleared && *purpose == Purpose::Writes;
        let mut slots = BTreeMap::<B256, ValueChange>::new();
        let mut nodes = Vec::new();
        if listed {
            slots = stored_slots(reader, owner)?;
            nodes = stored_nodes(reader, owner)?;
        }
        let written = change.account.iter().flat_map(|_| &change.storage);
        for (slot, value) in written {
            let hash = slot_hash(*slot);
            let after = (*value != U256::ZERO).then(|| alloy_rlp::encode(value));
            if is_empty || cleared {
                slots.entry(hash).or_default().after = after;
            } else {
                let before = reader.get(&keys::slot(owner, &hash), "storage slot")?;
                slots.insert(hash, ValueChange { before, after });
            }
        }
        let changes: Vec<_> = slots
            .iter()
            .filter(|(_, slot)| listed || slot.before != slot.after)
            .map(|(hash, slot)| slot.of_key(hash))
            .collect();
        if changes.is_empty() {
            return Ok(if cleared { EMPTY_ROOT_HASH } else { *root });
        }
        let read = |path: &Nibbles| {
            if cleared && !listed {
                return Ok(None);
            }
            reader.slot_node(owner, path)
        };
        let updated = trie::update(&read, nodes, &changes)?;
        let root = updated.root;
        update.write_nodes(updated, |path| keys::slot_node(owner, path));
        for (hash, slot) in slots {
            update.write(keys::slot(owner, &hash), slot.before, slot.after);
        }
        Ok(root)
    }
}

/// All slots of an account, as removed.
fn stored_slots(
    reader: &Reader<'_>,
    owner: &B256,
) -> Result<BTreeMap<B256, ValueChange>, StoreError> {
    let prefix = keys::slots_of(owner);
    let mut slots = BTreeMap::new();
    reader
        .view
        .scan(Table::State, &prefix, "storage", |key, value| {
            let hash = B256::try_from(&key[prefix.len()..])
                .map_err(|error| corrupt("key of a storage slot")(&error))?;
            let change = ValueChange {
                before: Some(value.to_vec()),
                after: None,
            };
            slots.insert(hash, change);
            Ok(true)
        })?;
    Ok(slots)
}

/// All nodes of an account's storage trie.
fn stored_nodes(reader: &Reader<'_>, owner: &B256) -> Result<Vec<(Nibbles, Vec<u8>)>, StoreError> {
    let prefix = keys::slot_nodes_of(owner);
    let mut nodes = Vec::new();
    reader
        .view
        .scan(Table::State, &prefix, "storage trie", |key, value| {
            let path = keys::path_of(&key[prefix.len()..])
                .ok_or_else(|| corrupt("key of a storage trie node")(&"it is not a path"))?;
            nodes.push((path, value.to_vec()));
            Ok(true)
        })?;
    Ok(nodes)
}
