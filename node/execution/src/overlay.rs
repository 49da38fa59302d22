//! The state during a block: a view of the parent's state and what the block wrote so far.

use std::collections::BTreeMap;
use std::collections::btree_map;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use revm::database_interface::DBErrorMarker;
use revm::state::{self, AccountInfo, Bytecode, EvmState};
use revm::{Database, DatabaseRef};
use tbsi_types::{Account, AccountChange, StateDiff, StateView, ViewError};

use crate::emitted::Emitted;
use crate::stop::Stop;

/// A failed read on its way through revm.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct ReadError(#[from] pub(crate) ViewError);

impl DBErrorMarker for ReadError {}

/// Reads through to the view once, keeps what was read and written in order of keys.
pub(crate) struct Overlay<'v, V: ?Sized> {
    view: &'v V,
    /// Of blocks that the view does not know.
    hashes: BTreeMap<u64, B256>,
    accounts: BTreeMap<Address, Entry>,
    codes: BTreeMap<B256, Bytecode>,
    /// Of a block that is being built.
    pub(crate) stop: Stop<'v>,
    /// Of a block that is simulated: instructions reach the machine's state alone.
    pub(crate) emitted: Emitted,
}

/// An account before the block and now.
struct Entry {
    before: Option<Account>,
    now: Option<Account>,
    /// Created or destroyed in this block: the view's storage no longer shows through.
    fresh: bool,
    slots: BTreeMap<U256, Slot>,
}

struct Slot {
    before: U256,
    now: U256,
}

impl Entry {
    fn loaded(account: Option<Account>) -> Self {
        Self {
            before: account,
            now: account,
            fresh: false,
            slots: BTreeMap::new(),
        }
    }

    fn forget_storage(&mut self) {
        self.fresh = true;
        self.slots.clear();
    }

    fn apply(&mut self, account: &state::Account) {
        if account.is_selfdestructed() {
            self.now = None;
            self.forget_storage();
            return;
        }
        if account.is_created() {
            self.forget_storage();
        }
        // EIP-161. Before that fork revm marks an empty account as created to keep it.
        let exists = account.is_created() || !account.is_empty();
        self.now = exists.then_some(Account {
            nonce: account.info.nonce,
            balance: account.info.balance,
            code_hash: account.info.code_hash,
        });
        for (slot, value) in account.changed_storage_slots() {
            let before = value.original_value;
            let entry = self.slots.entry(*slot);
            entry
                .or_insert(Slot {
                    before,
                    now: before,
                })
                .now = value.present_value;
        }
    }

    /// `None` if the block left the account as it was.
    fn change(&self) -> Option<AccountChange> {
        let storage: BTreeMap<U256, U256> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.before != slot.now)
            .map(|(key, slot)| (*key, slot.now))
            .collect();
        let storage_wiped = self.before.is_some() && (self.fresh || self.now.is_none());
        let changed = self.before != self.now || storage_wiped || !storage.is_empty();
        changed.then_some(AccountChange {
            account: self.now,
            storage_wiped,
            storage,
        })
    }
}

impl<'v, V: StateView + ?Sized> Overlay<'v, V> {
    pub(crate) fn new(view: &'v V, parent: Option<(u64, B256)>) -> Self {
        Self {
            view,
            hashes: parent.into_iter().collect(),
            accounts: BTreeMap::new(),
            codes: BTreeMap::new(),
            stop: Stop::default(),
            emitted: Emitted::default(),
        }
    }

    fn entry(&mut self, address: Address) -> Result<&mut Entry, ReadError> {
        match self.accounts.entry(address) {
            btree_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            btree_map::Entry::Vacant(entry) => {
                self.stop.check()?;
                Ok(entry.insert(Entry::loaded(self.view.account(address)?)))
            }
        }
    }

    /// Takes over what one transaction changed. The border at which revm's hash maps end:
    /// accounts do not depend on each other here, and everything lands in ordered maps.
    pub(crate) fn commit(&mut self, changes: EvmState) -> Result<(), ReadError> {
        for (address, account) in changes {
            if !account.is_touched() {
                continue;
            }
            self.entry(address)?.apply(&account);
            if let Some(code) = account.info.code.filter(|code| !code.is_empty()) {
                self.codes.entry(account.info.code_hash).or_insert(code);
            }
        }
        Ok(())
    }

    /// Gives an account other code that some account has, and leaves all else of it.
    pub(crate) fn set_code(&mut self, address: Address, code_hash: B256) -> Result<(), ReadError> {
        if let Some(account) = &mut self.entry(address)?.now {
            account.code_hash = code_hash;
        }
        Ok(())
    }

    /// Names a block for BLOCKHASH that the view does not know.
    pub(crate) fn set_block_hash(&mut self, number: u64, hash: B256) {
        self.hashes.insert(number, hash);
    }

    /// Changes an account as no transaction can. One that is empty afterwards does not exist
    /// (EIP-161).
    pub(crate) fn change_account(
        &mut self,
        address: Address,
        change: impl FnOnce(&mut Account),
    ) -> Result<(), ReadError> {
        let entry = self.entry(address)?;
        let mut account = entry.now.unwrap_or_default();
        change(&mut account);
        entry.now = (!account.is_empty()).then_some(account);
        Ok(())
    }

    /// Makes code known, which an account can then have by its hash.
    pub(crate) fn add_code(&mut self, code_hash: B256, code: &Bytes) {
        let code = bytecode(code.clone());
        self.codes.entry(code_hash).or_insert(code);
    }

    /// Empties an account's storage.
    pub(crate) fn clear_storage(&mut self, address: Address) -> Result<(), ReadError> {
        self.entry(address)?.forget_storage();
        Ok(())
    }

    /// Sets a storage slot as no transaction can.
    pub(crate) fn set_slot(
        &mut self,
        address: Address,
        slot: U256,
        value: U256,
    ) -> Result<(), ReadError> {
        // What it was must be known: only what differs is in the block's changes.
        self.storage(address, slot)?;
        if let Some(slot) = self.entry(address)?.slots.get_mut(&slot) {
            slot.now = value;
        }
        Ok(())
    }

    /// Hash of an account's code; `None` if there is no account.
    pub(crate) fn code_hash(&mut self, address: Address) -> Result<Option<B256>, ReadError> {
        let account = self.entry(address)?.now;
        Ok(account.map(|account| account.code_hash))
    }

    /// Whether the block has changed the account's storage so far.
    pub(crate) fn storage_changed(&self, address: Address) -> bool {
        let entry = self.accounts.get(&address);
        entry.is_some_and(|entry| entry.slots.values().any(|slot| slot.before != slot.now))
    }

    /// The slots of an account that the block read or wrote, as they are now, and whether the
    /// view's other slots are no longer its own.
    pub(crate) fn slots_of(&self, address: Address) -> (bool, BTreeMap<U256, U256>) {
        let Some(entry) = self.accounts.get(&address) else {
            return (false, BTreeMap::new());
        };
        let slots = entry.slots.iter().map(|(key, slot)| (*key, slot.now));
        (entry.fresh, slots.collect())
    }

    /// What the block changed; what it wrote and put back is not listed.
    pub(crate) fn diff(&self) -> StateDiff {
        let mut diff = StateDiff::default();
        for (address, entry) in &self.accounts {
            let Some(change) = entry.change() else {
                continue;
            };
            let code_before = entry.before.map(|account| account.code_hash);
            if let Some(code_hash) = change.account.map(|account| account.code_hash)
                && Some(code_hash) != code_before
                && let Some(code) = self.codes.get(&code_hash)
            {
                diff.codes.insert(code_hash, code.original_bytes());
            }
            diff.accounts.insert(*address, change);
        }
        diff
    }
}

/// What revm is told of an account.
fn info(account: Account) -> AccountInfo {
    AccountInfo {
        nonce: account.nonce,
        balance: account.balance,
        code_hash: account.code_hash,
        account_id: None,
        code: (account.code_hash == KECCAK256_EMPTY).then(Bytecode::default),
    }
}

/// Code that no transaction put there may begin like a delegation (EIP-7702) without being one.
fn bytecode(bytes: Bytes) -> Bytecode {
    Bytecode::new_raw_checked(bytes.clone()).unwrap_or_else(|_| Bytecode::new_legacy(bytes))
}

impl<V: StateView + ?Sized> Database for Overlay<'_, V> {
    type Error = ReadError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, ReadError> {
        Ok(self.entry(address)?.now.map(info))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, ReadError> {
        if let Some(code) = self.codes.get(&code_hash) {
            return Ok(code.clone());
        }
        let code = bytecode(self.view.code(code_hash)?);
        self.codes.insert(code_hash, code.clone());
        Ok(code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, ReadError> {
        let view = self.view;
        self.stop.check()?;
        let entry = self.entry(address)?;
        if let Some(slot) = entry.slots.get(&slot) {
            return Ok(slot.now);
        }
        let before = if entry.fresh {
            U256::ZERO
        } else {
            view.storage(address, slot)?
        };
        let now = before;
        entry.slots.insert(slot, Slot { before, now });
        Ok(now)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, ReadError> {
        match self.hashes.get(&number) {
            Some(hash) => Ok(*hash),
            None => Ok(self.view.block_hash(number)?),
        }
    }
}

/// The same, and nothing is remembered: for those who look at a transaction that ended.
impl<V: StateView + ?Sized> DatabaseRef for Overlay<'_, V> {
    type Error = ReadError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, ReadError> {
        let account = match self.accounts.get(&address) {
            Some(entry) => entry.now,
            None => self.view.account(address)?,
        };
        Ok(account.map(info))
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, ReadError> {
        match self.codes.get(&code_hash) {
            Some(code) => Ok(code.clone()),
            None => Ok(bytecode(self.view.code(code_hash)?)),
        }
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, ReadError> {
        match self.accounts.get(&address) {
            Some(entry) if entry.fresh || entry.slots.contains_key(&slot) => {
                Ok(entry.slots.get(&slot).map_or(U256::ZERO, |slot| slot.now))
            }
            Some(_) | None => Ok(self.view.storage(address, slot)?),
        }
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, ReadError> {
        match self.hashes.get(&number) {
            Some(hash) => Ok(*hash),
            None => Ok(self.view.block_hash(number)?),
        }
    }
}
