//! The pool against a model of it.

use proptest::prelude::*;

use super::tests::{account, pool, ready, tx_with};
use super::*;

/// What the pool should be, written without indexes: everything is derived again each time.
#[derive(Default)]
struct Model {
    tip: u64,
    states: BTreeMap<Address, u64>,
    entries: BTreeMap<(Address, u64), (Arc<Transaction>, u64)>,
}

impl Model {
    fn state(&self, sender: Address) -> u64 {
        self.states.get(&sender).copied().unwrap_or_default()
    }

    fn next(&self, sender: Address) -> u64 {
        let mut next = self.state(sender);
        while self.entries.contains_key(&(sender, next)) {
            next += 1;
        }
        next
    }

    fn pending(&self) -> BTreeSet<(Address, u64)> {
        let is_pending = |key: &&(Address, u64)| key.1 < self.next(key.0);
        self.entries.keys().filter(is_pending).copied().collect()
    }

    fn bytes(&self) -> usize {
        self.entries.values().map(|e| e.0.encoded().len()).sum()
    }

    fn of(&self, sender: Address) -> usize {
        self.entries.keys().filter(|key| key.0 == sender).count()
    }

    fn insert(
        &mut self,
        limits: &MempoolLimits,
        tx: &Arc<Transaction>,
    ) -> Result<(), &'static str> {
        let key = (tx.sender(), tx.nonce());
        let next = self.next(key.0);
        let queued = self.entries.len() - self.pending().len();
        match self.entries.get(&key) {
            Some(entry) if entry.0 == *tx => return Err("already_known"),
            // Bids are equal here, and nothing is stuck.
            Some(_) => return Err("replacement"),
            None => {}
        }
        if key.1 < self.state(key.0) {
            return Err("nonce_too_low");
        }
        if key.1 > next + limits.nonce_gap_max {
            return Err("nonce_too_high");
        }
        if self.of(key.0) == limits.per_sender_max {
            return Err("sender_full");
        }
        if self.entries.len() == limits.transactions_max
            || self.bytes() + tx.encoded().len() > limits.bytes_max
        {
            return Err("full");
        }
        let pending = self.pending();
        let is_own = |key: &&(Address, u64)| key.0 == tx.sender() && !pending.contains(*key);
        let own = self.entries.keys().filter(is_own).count();
        if key.1 > next && queued >= limits.queued_max / 2 && own >= limits.queued_share {
            return Err("queue_share");
        }
        if key.1 > next {
            let rank = (own, false, key.1 - next);
            for displaced in self.displaced(limits, rank, tx.encoded().len())? {
                self.entries.remove(&displaced);
            }
        }
        self.entries.insert(key, (Arc::clone(tx), self.tip));
        Ok(())
    }

    /// What gives way to so many bytes that wait, one after the other. None is large, and all
    /// were passed on.
    fn displaced(
        &self,
        limits: &MempoolLimits,
        rank: (usize, bool, u64),
        bytes: usize,
    ) -> Result<Vec<(Address, u64)>, &'static str> {
        let pending = self.pending();
        let queued = self.entries.keys().filter(|key| !pending.contains(key));
        let mut left: BTreeSet<_> = queued.copied().collect();
        let mut gone = Vec::new();
        let mut bytes = self.bytes() + bytes;
        loop {
            let full = if left.len() >= limits.queued_max {
                "queue_full"
            } else if bytes > limits.bytes_max / 2 {
                "queue_bytes_full"
            } else {
                return Ok(gone);
            };
            let rank_of = |key: &(Address, u64)| {
                let before = left.range((key.0, 0)..*key).count();
                let is_old = self.tip - self.entries[key].1 > limits.queued_fresh_blocks;
                (before, is_old, key.1 - self.next(key.0))
            };
            let last = left.iter().max_by_key(|key| (rank_of(key), **key)).copied();
            let Some(last) = last.filter(|last| rank_of(last) > rank) else {
                return Err(full);
            };
            bytes -= self.entries[&last].0.encoded().len();
            left.remove(&last);
            gone.push(last);
        }
    }

    fn block(&mut self, limits: &MempoolLimits, changed: &[(Address, u64)]) {
        self.tip += 1;
        for (sender, nonce) in changed {
            self.states.insert(*sender, *nonce);
            self.entries
                .retain(|key, _| key.0 != *sender || key.1 >= *nonce);
        }
        let (pending, tip) = (self.pending(), self.tip);
        self.entries.retain(|key, entry| {
            pending.contains(key) || tip - entry.1 <= limits.queued_blocks_max
        });
    }

    fn remove(&mut self, key: (Address, u64)) {
        let before = self.pending();
        self.entries.remove(&key);
        for demoted in before.difference(&self.pending()) {
            if let Some(entry) = self.entries.get_mut(demoted) {
                entry.1 = self.tip;
            }
        }
    }
}

/// The pool says what the model says, and its order is one that a block may use.
fn agree(pool: &Mempool, model: &Model, limits: &MempoolLimits) {
    let pending = model.pending();
    let expected = MempoolCounts {
        pending: pending.len(),
        queued: model.entries.len() - pending.len(),
        bytes: model.bytes(),
    };
    assert_eq!(pool.counts(), expected);
    assert!(model.entries.len() <= limits.transactions_max && expected.bytes <= limits.bytes_max);
    assert_eq!(pool.by_hash.len(), model.entries.len());
    assert_eq!(pool.schedule.len(), model.entries.len());
    for (transaction, _) in model.entries.values() {
        assert_eq!(pool.get(&transaction.hash()).as_ref(), Some(transaction));
    }
    let order = ready(pool);
    assert_eq!(order.len(), pending.len());
    assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), pending);
    // The n-th transaction of anybody comes before the n+1-th of anybody, and each sender's
    // are in nonce order without a gap.
    let mut rounds = BTreeMap::new();
    let mut last_round = 0;
    for (sender, nonce) in order {
        let round = rounds.entry(sender).or_insert(0u64);
        assert_eq!(nonce, model.state(sender) + *round);
        assert!(*round >= last_round, "{sender} is served twice in a round");
        last_round = *round;
        *round += 1;
    }
    assert_eq!(pool.all(usize::MAX).len(), model.entries.len());
    let senders: BTreeSet<_> = model.entries.keys().map(|key| key.0).collect();
    assert_eq!(pool.senders.len(), senders.len());
    for sender in senders {
        assert_eq!(pool.pending_nonce(sender), Some(model.next(sender)));
        let content = pool.content(sender);
        assert!(content.pending.len() + content.queued.len() <= limits.per_sender_max);
        assert_eq!(
            content.pending.len() + content.queued.len(),
            model.of(sender)
        );
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert {
        sender: u8,
        ahead: u64,
        salt: u64,
        input_bytes: usize,
    },
    Block {
        advance: Vec<(u8, u64)>,
    },
    Remove {
        index: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let insert = (0..4u8, 0..8u64, 0..2u64, 0..200usize);
    let block = prop::collection::vec((0..4u8, 0..4u64), 0..3);
    prop_oneof![
        6 => insert.prop_map(|(sender, ahead, salt, input_bytes)| Step::Insert {
            sender, ahead, salt, input_bytes
        }),
        2 => block.prop_map(|advance| Step::Block { advance }),
        1 => (0..64usize).prop_map(|index| Step::Remove { index }),
    ]
}

fn run(steps: Vec<Step>) {
    let limits = MempoolLimits {
        transactions_max: 14,
        bytes_max: 2_200,
        per_sender_max: 6,
        nonce_gap_max: 4,
        queued_max: 7,
        queued_share: 2,
        queued_fresh_blocks: 1,
        queued_blocks_max: 3,
        ..MempoolLimits::default()
    };
    let (mut pool, mut model) = (pool(limits), Model::default());
    for step in steps {
        match step {
            Step::Insert {
                sender,
                ahead,
                salt,
                input_bytes,
            } => {
                let sender = Address::repeat_byte(sender);
                // From one below the account's nonce.
                let nonce = (model.state(sender) + ahead).saturating_sub(1);
                let tx = tx_with(sender, nonce, salt, 0, input_bytes);
                let expected = model.insert(&limits, &tx);
                let got = pool.take(tx, &account(model.state(sender)));
                assert_eq!(got.as_ref().map(|_| ()).map_err(|e| e.kind()), expected);
                if let Ok(inserted) = got {
                    let is_pending = nonce < model.next(sender);
                    assert_eq!(inserted == Inserted::Pending, is_pending);
                }
            }
            Step::Block { advance } => {
                let mut changed = BTreeMap::new();
                for (sender, by) in advance {
                    let sender = Address::repeat_byte(sender);
                    changed.insert(sender, model.state(sender) + by);
                }
                let changed: Vec<_> = changed.into_iter().collect();
                model.block(&limits, &changed);
                pool.block(model.tip, changed);
            }
            Step::Remove { index } => {
                let keys: Vec<_> = model.entries.keys().copied().collect();
                if let Some(key) = keys.get(index % keys.len().max(1)) {
                    let hash = model.entries[key].0.hash();
                    model.remove(*key);
                    let words = String::new();
                    let reason = RemovalReason::NotExecutable { words };
                    assert!(pool.remove(&hash, reason).is_some());
                    assert!(pool.dropped(&hash).is_some());
                }
            }
        }
        agree(&pool, &model, &limits);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn agrees_with_the_model(steps in prop::collection::vec(step(), 1..60)) {
        run(steps);
    }
}
