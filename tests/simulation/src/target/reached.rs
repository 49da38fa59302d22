//! The target as the relayer's sender reaches it: its port, with questions that get no answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use tbsi_bridge::evm::fees::{Bid, Market};
use tbsi_bridge::evm::{AccountView, Attempt, Call, Contents, Estimate, EvmChain, Sent};
use tbsi_bridge::record::{Inclusion, U64Text};
use tbsi_bridge::signer::SignError;
use tbsi_bridge::source::Proven;
use tbsi_bridge::target::{Advance, ClientView, Delivery, TargetBlock, TargetError};

use super::{
    ACCOUNT, CHAIN_ID, Content, Held, INBOX, LIGHT_CLIENT, TRUST_MS, TargetChain, Transaction,
};
use crate::mutants::Mutant;

/// The chain as the relayer reaches it.
#[derive(Clone, Debug)]
pub struct Reached(Arc<Mutex<TargetChain>>);

impl Reached {
    /// Reaches a chain.
    pub fn new(chain: TargetChain) -> Self {
        Self(Arc::new(Mutex::new(chain)))
    }

    /// The chain itself.
    pub fn chain(&self) -> MutexGuard<'_, TargetChain> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when the relayer is to die.
    pub async fn death(&self) {
        let died = Arc::clone(&self.chain().died);
        died.notified().await;
    }

    /// A question: the relayer may die before it is answered, or get no answer.
    async fn ask(&self, what: &str) -> Result<(), TargetError> {
        let (dies, silent) = {
            let mut chain = self.chain();
            let dies = match chain.dies_in.as_mut() {
                Some(left) => {
                    *left = left.saturating_sub(1);
                    *left == 0
                }
                None => false,
            };
            let trouble = chain.trouble;
            (dies, chain.rng.chance(trouble))
        };
        if dies {
            let died = {
                let mut chain = self.chain();
                chain.dies_in = None;
                Arc::clone(&chain.died)
            };
            died.notify_one();
            std::future::pending::<()>().await;
        }
        if silent {
            return Err(silence(what));
        }
        Ok(())
    }
}

fn silence(what: &str) -> TargetError {
    TargetError::Unavailable {
        agreed: 0,
        needed: 1,
        what: what.into(),
        problem: "no answer".into(),
    }
}

fn client(held: &Held) -> ClientView {
    ClientView {
        height: held.height,
        time_ms: held.time_ms,
        log_size: held.log.0,
        digest: held
            .checkpoints
            .get(&held.height)
            .copied()
            .unwrap_or_default(),
        validator_set: held.set.hash(),
        closing: held.closing,
        trusted_until_ms: held.time_ms + TRUST_MS,
        hold: None,
    }
}

fn signed(nonce: u64, bid: Bid, call: B256) -> Attempt {
    let numbers = [nonce, bid.fee_cap, bid.tip].map(u64::to_be_bytes).concat();
    let raw = Bytes::from([numbers.as_slice(), call.as_slice()].concat());
    Attempt {
        transaction: keccak256(&raw),
        raw,
        fee_cap: U64Text(bid.fee_cap),
        tip: U64Text(bid.tip),
    }
}

fn read(attempt: &Attempt) -> Transaction {
    let number = |at: usize| {
        let bytes = attempt.raw[at..at + 8].try_into().expect("8 bytes");
        u64::from_be_bytes(bytes)
    };
    Transaction {
        hash: attempt.transaction,
        nonce: number(0),
        fee_cap: number(8),
        call: B256::from_slice(&attempt.raw[24..]),
    }
}

impl Reached {
    fn keep(&self, content: Content, to: Address) -> Call {
        let key = keccak256(format!("{content:?}"));
        self.chain().contents.insert(key, content);
        Call {
            to,
            data: key.0.into(),
        }
    }
}

impl EvmChain for Reached {
    fn contract(&self) -> Address {
        LIGHT_CLIENT
    }

    fn inbox(&self) -> Option<Address> {
        Some(INBOX)
    }

    fn chain_id(&self) -> u64 {
        CHAIN_ID
    }

    fn account(&self) -> Address {
        ACCOUNT
    }

    async fn check(&self) -> Result<(), TargetError> {
        Ok(())
    }

    async fn look(&self) -> Result<AccountView, TargetError> {
        self.ask("view").await?;
        let chain = self.chain();
        let newest = chain.newest();
        let last = match chain.mutant {
            Some(Mutant::FinalTooEarly) => newest,
            _ => chain.final_block(),
        };
        Ok(AccountView {
            latest: newest.block,
            finalized: last.block,
            nonce: newest.held.nonce,
            final_nonce: last.held.nonce,
            balance: U256::from(u128::MAX),
            market: Market {
                base_fee: 1_000_000_000,
                tip: 1,
                legacy: false,
            },
            client: client(&newest.held),
            final_client: Some(client(&last.held)),
            messages_paused: false,
        })
    }

    async fn recorded(&self, leaves: &[u64], block: TargetBlock) -> Result<Vec<bool>, TargetError> {
        self.ask("recorded").await?;
        let chain = self.chain();
        let made = chain
            .at(block)
            .ok_or_else(|| silence("a block that went away"))?;
        let held = leaves.iter().map(|leaf| made.held.recorded.contains(leaf));
        Ok(held.collect())
    }

    async fn delivered(
        &self,
        sequences: &[u64],
        block: TargetBlock,
    ) -> Result<Vec<bool>, TargetError> {
        self.ask("delivered").await?;
        let chain = self.chain();
        let made = chain
            .at(block)
            .ok_or_else(|| silence("a block that went away"))?;
        let knows = chain.mutant != Some(Mutant::JournalForgotten);
        let held = sequences
            .iter()
            .map(|it| knows && made.held.delivered.contains_key(it));
        Ok(held.collect())
    }

    fn encode(&self, load: &Advance) -> Call {
        self.keep(Content::Advance(Box::new(load.clone())), LIGHT_CLIENT)
    }

    fn encode_delivery(&self, delivery: &Delivery) -> Option<Call> {
        Some(self.keep(Content::Delivery(Box::new(delivery.clone())), INBOX))
    }

    async fn encode_freeze(
        &self,
        _: &Proven,
        _: &Proven,
        _: TargetBlock,
    ) -> Result<Option<Call>, TargetError> {
        Ok(None)
    }

    async fn estimate(&self, call: &Call) -> Result<Estimate, TargetError> {
        self.ask("estimate").await?;
        let chain = self.chain();
        let key = B256::from_slice(&call.data);
        let content = chain.contents.get(&key).expect("it was encoded here");
        let newest = chain.newest();
        let mut held = newest.held.clone();
        Ok(match chain.execute(&mut held, content, newest.block.time) {
            Ok(()) => Estimate::Gas(200_000),
            Err(code) => Estimate::Refused {
                code,
                detail: String::new(),
                hold: None,
            },
        })
    }

    async fn sign(
        &self,
        nonce: u64,
        _: u64,
        bid: Bid,
        call: Option<Call>,
    ) -> Result<Attempt, SignError> {
        let call = call.map_or(B256::ZERO, |call| B256::from_slice(&call.data));
        Ok(signed(nonce, bid, call))
    }

    async fn sign_again(&self, attempt: &Attempt, bid: Bid) -> Result<Attempt, SignError> {
        let before = read(attempt);
        Ok(signed(before.nonce, bid, before.call))
    }

    fn contents(&self, _: &Attempt) -> Result<Contents, String> {
        Err("nobody audits a simulated target".into())
    }

    async fn send(&self, attempt: &Attempt) -> Result<Sent, TargetError> {
        self.ask("send").await?;
        let transaction = read(attempt);
        let (sent, silent) = {
            let mut chain = self.chain();
            let trouble = chain.trouble;
            let (lost, silent) = (chain.rng.chance(trouble), chain.rng.chance(trouble));
            (chain.take(transaction, lost), silent)
        };
        // It took it, and nobody hears.
        if silent {
            return Err(silence("send"));
        }
        self.ask("after send").await.map(|()| sent)
    }

    async fn included(&self, attempts: &[Attempt]) -> Result<Option<Inclusion>, TargetError> {
        self.ask("receipt").await?;
        let chain = self.chain();
        for made in &chain.blocks {
            for (transaction, success) in &made.included {
                if attempts
                    .iter()
                    .any(|one| one.transaction == transaction.hash)
                {
                    return Ok(Some(Inclusion {
                        transaction: transaction.hash,
                        block: made.block.number,
                        block_hash: made.block.hash,
                        cost: [("gasUsed".to_owned(), U64Text(200_000))].into(),
                        success: *success,
                    }));
                }
            }
        }
        Ok(None)
    }

    async fn knows(&self, transaction: B256) -> Result<bool, TargetError> {
        self.ask("transaction").await?;
        let chain = self.chain();
        let mut included = chain.blocks.iter().flat_map(|made| &made.included);
        let waits = chain.pool.values().any(|one| one.hash == transaction);
        Ok(waits || included.any(|(one, _)| one.hash == transaction))
    }

    async fn block_hash(&self, number: u64) -> Result<Option<B256>, TargetError> {
        self.ask("block").await?;
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        Ok(self.chain().blocks.get(index).map(|made| made.block.hash))
    }

    fn take_alarms(&self) -> Vec<String> {
        Vec::new()
    }
}
