//! A pool that keeps what it is given.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tbsi_rpc::SubmitError;
use tbsi_rpc::wire::PoolCounts;
use tbsi_types::{Address, B256, Transaction};

/// Transactions that no block will ever take.
#[derive(Default)]
pub(crate) struct Pool(Mutex<BTreeMap<B256, Arc<Transaction>>>);

impl Pool {
    /// Takes what a TBSI node could take, by the node's own first look at it.
    pub(crate) fn submit(&self, encoded: &[u8], chain_id: u64) -> Result<B256, SubmitError> {
        let transaction = Transaction::parse_and_verify(encoded, chain_id)
            .map_err(|error| SubmitError::Refused(error.to_string()))?;
        let hash = transaction.hash();
        self.all().insert(hash, Arc::new(transaction));
        Ok(hash)
    }

    pub(crate) fn get(&self, hash: B256) -> Option<Arc<Transaction>> {
        self.all().get(&hash).cloned()
    }

    /// Those that `is_wanted`, by sender and nonce.
    pub(crate) fn all_of(&self, is_wanted: impl Fn(&Transaction) -> bool) -> Vec<Arc<Transaction>> {
        let all = self.all();
        let wanted = all.values().filter(|it| is_wanted(it)).cloned();
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort_by_key(|it| (it.sender(), it.nonce()));
        wanted
    }

    /// The nonce after the sender's last one.
    pub(crate) fn next_nonce(&self, sender: Address) -> Option<u64> {
        let all = self.all();
        let own = all.values().filter(|it| it.sender() == sender);
        own.map(|it| it.nonce() + 1).max()
    }

    pub(crate) fn counts(&self) -> PoolCounts {
        let all = self.all();
        let bytes: usize = all.values().map(|it| it.encoded().len()).sum();
        PoolCounts {
            pending: all.len() as u64,
            queued: 0,
            bytes: bytes as u64,
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<B256, Arc<Transaction>>> {
        self.0
            .lock()
            .expect("nobody panics while the pool is locked")
    }
}
