//! The order in which a block takes pending transactions.

use std::collections::btree_map;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tbsi_types::{Address, Transaction};

use super::sender::{PendingOfSender, Sender};

/// Iterator of [`Mempool::ready`](super::Mempool::ready).
#[derive(Debug)]
pub struct Ready<'a> {
    pub(super) senders: &'a HashMap<Address, Sender>,
    /// Senders that had no turn yet.
    pub(super) line: btree_map::Values<'a, u64, Address>,
    /// Senders that had one, and have more.
    pub(super) later: VecDeque<PendingOfSender<'a>>,
}

impl<'a> Iterator for Ready<'a> {
    type Item = &'a Arc<Transaction>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut of_sender = match self.line.next() {
            Some(address) => self.senders[address].pending_iter(),
            None => self.later.pop_front()?,
        };
        let entry = of_sender.next()?;
        if of_sender.len() > 0 {
            self.later.push_back(of_sender);
        }
        Some(&entry.transaction)
    }
}
