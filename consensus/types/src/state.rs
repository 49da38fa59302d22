//! World state as execution sees it and as a block changes it.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

/// An account without its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Units of value. TBSI has no coin: whoever starts with a balance got it in genesis.
    pub balance: U256,
    /// Keccak-256 of the code; [`KECCAK256_EMPTY`] for none.
    pub code_hash: B256,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            nonce: 0,
            balance: U256::ZERO,
            code_hash: KECCAK256_EMPTY,
        }
    }
}

impl Account {
    /// Empty by EIP-161: such an account does not exist.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What the state of one block holds about an account, with the trie nodes that prove it
/// (EIP-1186). Node lists run from the root down; they are empty for an empty trie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountProof {
    /// The account's address.
    pub address: Address,
    /// The account, or `None` if the nodes prove that it does not exist.
    pub account: Option<Account>,
    /// Root of the account's storage; the empty root if it has none.
    pub storage_root: B256,
    /// From the state root to the account, or to where it would be.
    pub nodes: Vec<Bytes>,
    /// In the order asked for.
    pub slots: Vec<SlotProof>,
}

/// A storage slot with the trie nodes that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotProof {
    /// Number of the slot.
    pub slot: U256,
    /// Its value; zero if the nodes prove that it is not set.
    pub value: U256,
    /// From the storage root to the slot, or to where it would be.
    pub nodes: Vec<Bytes>,
}

/// A read failed for a reason of the machine, not of the chain: the caller halts.
#[derive(Debug, thiserror::Error)]
#[error("read state: {what}")]
pub struct ViewError {
    /// What was being read.
    pub what: String,
    /// The cause.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Read access to the state after one block.
pub trait StateView {
    /// The account, or `None` if it does not exist.
    fn account(&self, address: Address) -> Result<Option<Account>, ViewError>;
    /// The code with this hash; empty for [`KECCAK256_EMPTY`].
    fn code(&self, code_hash: B256) -> Result<Bytes, ViewError>;
    /// A storage slot; zero if never set.
    fn storage(&self, address: Address, slot: U256) -> Result<U256, ViewError>;
    /// Hash of the block at `height`, for BLOCKHASH; zero if unknown.
    fn block_hash(&self, height: u64) -> Result<B256, ViewError>;
}

/// How one account changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// The account afterwards; `None` if it no longer exists.
    pub account: Option<Account>,
    /// All earlier storage is gone (destroyed, or destroyed and created again); `storage`
    /// holds what was written since.
    pub storage_wiped: bool,
    /// Slots afterwards; zero removes.
    pub storage: BTreeMap<U256, U256>,
}

/// What a block changed, ordered, so that every validator derives the same state root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateDiff {
    /// By address.
    pub accounts: BTreeMap<Address, AccountChange>,
    /// New code by its Keccak-256.
    pub codes: BTreeMap<B256, Bytes>,
}
