//! An account whose key the node holds, and the transactions that it sends by itself.

use std::sync::{Mutex, PoisonError};

use tbsi_store::StoreError;
use tbsi_types::{Address, B256, Bytes, SecretKey, StateView, UnsignedTransaction, ViewError};

use crate::node::{AdmissionError, Node};

/// Why a transaction of the node's own was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The pool refuses it.
    #[error(transparent)]
    Submit(#[from] AdmissionError),
    /// The account cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The account cannot be read.
    #[error(transparent)]
    View(#[from] ViewError),
}

/// A secret key that sends transactions.
pub struct Sender {
    key: SecretKey,
    /// Held from choosing a nonce until the pool knows of it.
    sending: Mutex<()>,
}

impl Sender {
    /// With this key.
    pub fn new(key: SecretKey) -> Self {
        Self {
            key,
            sending: Mutex::new(()),
        }
    }

    pub(crate) fn address(&self) -> Address {
        self.key.public_key().address()
    }

    /// Sends a call, and returns the transaction's hash.
    pub(crate) fn send(
        &self,
        node: &Node,
        to: Address,
        gas_limit: u64,
        input: Bytes,
    ) -> Result<B256, SendError> {
        let _sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = UnsignedTransaction {
            chain_id: node.identity.chain_id,
            nonce: self.next_nonce(node)?,
            gas_limit,
            to: Some(to),
            input,
            ..UnsignedTransaction::default()
        };
        Ok(node.submit(&transaction.sign(&self.key).encoded)?)
    }

    fn next_nonce(&self, node: &Node) -> Result<u64, SendError> {
        let state = node.store.state_at(node.tip().height)?;
        let stored = state.account(self.address())?.unwrap_or_default().nonce;
        let pending = node.mempool().pending_nonce(self.address());
        Ok(stored.max(pending.unwrap_or_default()))
    }
}
