//! Reading the state after a block, and proving what it holds.

use std::cell::RefCell;
use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount};
use tbsi_types::{Account, AccountProof, Height, SlotProof, StateView, ViewError};

use crate::chain::read_checkpoint;
use crate::database::{Seeker, Table, View};
use crate::error::{StoreError, corrupt};
use crate::hot::Hot;
use crate::keys;
use crate::limits::PROOF_SLOTS_MAX;
use crate::trie;

/// Reads keys of the state as they were after one block, from one snapshot.
pub(crate) struct Reader<'a> {
    /// Of [`Table::History`], once it was needed.
    pub(crate) history: RefCell<Option<Seeker<'a>>>,
    pub(crate) view: View<'a>,
    /// Where to look back to, if not at the snapshot's own state.
    pub(crate) past: Option<Past>,
    /// Nodes of tries that were read, if somebody wants to know.
    pub(crate) nodes: RefCell<Option<SeenNodes>>,
}

/// Nodes of tries, each once.
#[derive(Default)]
pub(crate) struct SeenNodes {
    pub(crate) nodes: BTreeSet<Vec<u8>>,
    /// Of all of them.
    pub(crate) bytes: usize,
}

/// A block older than the snapshot's tip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past {
    pub(crate) height: Height,
    pub(crate) tip: Height,
}

impl Reader<'_> {
    pub(crate) fn get(
        &self,
        key: &[u8],
        what: &'static str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(past) = self.past {
            // The first later change of the key remembers what it was.
            let from = keys::history(key, past.height.next());
            let mut history = self.history.borrow_mut();
            let history = history.get_or_insert_with(|| self.view.seeker(Table::History));
            let previous = match history.first(key, &from) {
                Some(previous) => previous,
                None => self.view.first(Table::History, key, &from, what)?,
            };
            self.check_window(past)?;
            if let Some(previous) = previous {
                return Ok((!previous.is_empty()).then_some(previous));
            }
        }
        self.view.get(Table::State, key, what)
    }

    /// Compaction drops history even under a snapshot, once the height has left the window.
    /// Looking after a read makes sure that nothing was missing from it.
    pub(crate) fn check_window(&self, Past { height, tip }: Past) -> Result<(), StoreError> {
        let oldest = self.view.database().history_floor();
        if height < oldest {
            return Err(StoreError::StateNotAvailable {
                height,
                oldest,
                tip,
            });
        }
        Ok(())
    }

    pub(crate) fn account(&self, owner: &B256) -> Result<Option<TrieAccount>, StoreError> {
        let bytes = self.get(&keys::account(owner), "account")?;
        bytes.map(|bytes| decode_account(&bytes)).transpose()
    }

    fn slot(&self, owner: &B256, slot: U256) -> Result<U256, StoreError> {
        let key = keys::slot(owner, &slot_hash(slot));
        let bytes = self.get(&key, "storage slot")?;
        bytes.map_or(Ok(U256::ZERO), |bytes| decode_slot(&bytes))
    }

    pub(crate) fn account_node(&self, path: &Nibbles) -> Result<Option<Vec<u8>>, StoreError> {
        let node = self.get(&keys::account_node(path), "account trie")?;
        self.remember(node.as_ref());
        Ok(node)
    }

    pub(crate) fn slot_node(
        &self,
        owner: &B256,
        path: &Nibbles,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let node = self.get(&keys::slot_node(owner, path), "storage trie")?;
        self.remember(node.as_ref());
        Ok(node)
    }

    fn remember(&self, node: Option<&Vec<u8>>) {
        if let (Some(seen), Some(node)) = (&mut *self.nodes.borrow_mut(), node)
            && seen.nodes.insert(node.clone())
        {
            seen.bytes += node.len();
        }
    }
}

pub(crate) fn decode_account(bytes: &[u8]) -> Result<TrieAccount, StoreError> {
    alloy_rlp::decode_exact(bytes).map_err(|error| corrupt("account")(&error))
}

pub(crate) fn decode_slot(bytes: &[u8]) -> Result<U256, StoreError> {
    alloy_rlp::decode_exact(bytes).map_err(|error| corrupt("storage slot")(&error))
}

/// Keccak-256 of a slot number.
pub(crate) fn slot_hash(slot: U256) -> B256 {
    keccak256(slot.to_be_bytes::<32>())
}

/// The state after one block. It stays as it is while the chain goes on; a state that is not
/// the tip's fails with [`StoreError::StateNotAvailable`] once it has left the window.
pub struct StateAt<'a> {
    pub(crate) reader: Reader<'a>,
    pub(crate) height: Height,
    /// Where to look first, and to leave what was read; `None` if that is the disk alone.
    pub(crate) hot: Option<&'a Hot>,
}

impl StateAt<'_> {
    /// The block after which this is the state.
    pub fn height(&self) -> Height {
        self.height
    }

    /// Proves an account and at most [`PROOF_SLOTS_MAX`] of its slots against the state root
    /// of this height.
    pub fn prove(&self, address: Address, slots: &[U256]) -> Result<AccountProof, StoreError> {
        if slots.len() > PROOF_SLOTS_MAX {
            return Err(StoreError::TooManySlots(slots.len()));
        }
        let owner = keccak256(address);
        let account = self.reader.account(&owner)?;
        let read = |path: &Nibbles| self.reader.account_node(path);
        Ok(AccountProof {
            address,
            account: account.as_ref().map(without_storage),
            storage_root: account.map_or(EMPTY_ROOT_HASH, |account| account.storage_root),
            nodes: trie::prove(&read, Nibbles::unpack(owner))?,
            slots: slots
                .iter()
                .map(|slot| self.prove_slot(&owner, *slot))
                .collect::<Result<_, _>>()?,
        })
    }

    fn prove_slot(&self, owner: &B256, slot: U256) -> Result<SlotProof, StoreError> {
        let read = |path: &Nibbles| self.reader.slot_node(owner, path);
        Ok(SlotProof {
            slot,
            value: self.reader.slot(owner, slot)?,
            nodes: trie::prove(&read, Nibbles::unpack(slot_hash(slot)))?,
        })
    }

    fn code_of(&self, code_hash: B256) -> Result<Bytes, StoreError> {
        if code_hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        let code = self
            .reader
            .view
            .get(Table::Code, code_hash.as_slice(), "code")?;
        code.map(Bytes::from).ok_or_else(|| {
            corrupt(format!("code {code_hash}"))(&"an account has it, but it is not there")
        })
    }

    fn hash_of(&self, height: Height) -> Result<B256, StoreError> {
        if height > self.height {
            return Ok(B256::ZERO);
        }
        let checkpoint = read_checkpoint(height, |key| {
            self.reader.view.get(Table::Chain, key, "checkpoint")
        })?;
        Ok(checkpoint.map_or(B256::ZERO, |checkpoint| checkpoint.block_hash))
    }
}

impl StateView for StateAt<'_> {
    fn account(&self, address: Address) -> Result<Option<Account>, ViewError> {
        if let Some(known) = self.hot.and_then(|hot| hot.account(self.height, &address)) {
            return Ok(known);
        }
        let account = self.reader.account(&keccak256(address));
        let account = account.map_err(view_error(|| format!("account {address}")))?;
        let account = account.as_ref().map(without_storage);
        if let Some(hot) = self.hot {
            hot.keep_account(self.height, address, account);
        }
        Ok(account)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ViewError> {
        self.code_of(code_hash)
            .map_err(view_error(|| format!("code {code_hash}")))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, ViewError> {
        let known = self
            .hot
            .and_then(|hot| hot.slot(self.height, &address, &slot));
        if let Some(known) = known {
            return Ok(known);
        }
        let value = self.reader.slot(&keccak256(address), slot);
        let value = value.map_err(view_error(|| format!("slot {slot} of {address}")))?;
        if let Some(hot) = self.hot {
            hot.keep_slot(self.height, address, slot, value);
        }
        Ok(value)
    }

    fn block_hash(&self, height: u64) -> Result<B256, ViewError> {
        self.hash_of(Height(height))
            .map_err(view_error(|| format!("hash of block {height}")))
    }
}

fn without_storage(account: &TrieAccount) -> Account {
    Account {
        nonce: account.nonce,
        balance: account.balance,
        code_hash: account.code_hash,
    }
}

fn view_error(what: impl FnOnce() -> String) -> impl FnOnce(StoreError) -> ViewError {
    |source| ViewError {
        what: what(),
        source: Box::new(source),
    }
}
