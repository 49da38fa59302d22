//! Blocks on the tip: building one from the pool, executing one that was proposed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tbsi_engine::ChainError;
use tbsi_execution::{
    BlockContext, BuildLimits, ExecutionError, Outcome, Skipped, Slow, build, execute,
};
use tbsi_store::{LogPlace, LogUpdate, StoreError};
use tbsi_types::block::{HeaderFields, transactions_root};
use tbsi_types::limits::BLOCK_BYTES_MAX;
use tbsi_types::log::{LeafError, leaves};
use tbsi_types::{
    B256, Block, Checkpoint, ProposedBlock, Round, StateView, TimestampMs, Transaction,
};
use tracing::info;

use super::{Elapsed, Executed, NodeChain, store_fault};
use crate::limits::{CANDIDATES_MAX, TRANSACTION_TIME_SHARE};
use crate::mempool::{RemovalReason, Slowness};

/// Room in a block for its header and list lengths, beside the transactions.
const BLOCK_OVERHEAD_BYTES: usize = 4 * 1024;

/// A block is not valid, or this node could not tell.
pub(super) enum CheckError {
    Invalid(String),
    Fault(ChainError),
}

impl From<ExecutionError> for CheckError {
    fn from(error: ExecutionError) -> Self {
        match error {
            ExecutionError::InvalidTransaction { .. } | ExecutionError::BlockGas { .. } => {
                Self::Invalid(error.to_string())
            }
            ExecutionError::View(_) | ExecutionError::Evm(_) | ExecutionError::Protocol { .. } => {
                Self::Fault(ChainError::new("execute a block", error))
            }
        }
    }
}

impl NodeChain {
    /// Builds a block from the pool. Transactions that cannot go into it leave the pool, with
    /// the reason: what stood before them was taken into account, so nothing here would change
    /// that.
    pub(super) fn build_block(
        &self,
        round: Round,
        now: TimestampMs,
        budget: Duration,
    ) -> Result<Executed, ChainError> {
        let started = Instant::now();
        let time = now.max(self.node.tip().time.next());
        let context = self
            .node
            .next_block_context(time, self.node.validator.unwrap_or_default());
        let candidates: Vec<Arc<Transaction>> = self
            .node
            .mempool()
            .ready()
            .take(CANDIDATES_MAX)
            .cloned()
            .collect();
        let view = self.tip_state()?;
        let limits = BuildLimits {
            bytes_max: BLOCK_BYTES_MAX - BLOCK_OVERHEAD_BYTES,
            gas_max: self.room.of(round),
            time_max: budget,
            transaction_time_max: self.transaction_time_max(),
        };
        let mut candidates = candidates.into_iter();
        let clock = || started.elapsed();
        let built = build(&view, &context, limits, &mut candidates, &clock)
            .map_err(|error| ChainError::new("build a block", error))?;
        drop(view);
        self.drop_skipped(&built.skipped);
        self.drop_slow(&built.slow);
        let execute = started.elapsed();
        let log = self
            .append_leaves(&context, &built.outcome)
            .map_err(|error| match error {
                CheckError::Invalid(reason) => ChainError::new("derive the log's leaves", reason),
                CheckError::Fault(error) => error,
            })?;
        self.seal(&context, built.transactions, built.outcome, log, execute)
    }

    /// The same in every round: one that is too slow for the first one is for none.
    fn transaction_time_max(&self) -> Duration {
        let timeout_ms = self.node.rules().block.consensus.timeout_propose_ms;
        Duration::from_millis(timeout_ms) / TRANSACTION_TIME_SHARE
    }

    fn drop_skipped(&self, all: &[Skipped]) {
        if all.is_empty() {
            return;
        }
        let mut mempool = self.node.mempool();
        for skipped in all {
            let words = skipped.reason.clone();
            let reason = RemovalReason::NotExecutable { words };
            if mempool.remove(&skipped.hash, reason).is_some() {
                info!(hash = %skipped.hash, sender = %skipped.sender, nonce = skipped.nonce,
                    reason = skipped.reason, "dropped a transaction that cannot execute");
            }
        }
    }

    fn drop_slow(&self, all: &[Slow]) {
        for slow in all {
            let slowness = Slowness {
                took_ms: millis(slow.took),
                limit_ms: millis(self.transaction_time_max()),
            };
            let removed = self.node.mempool().remove(&slow.hash, slowness.into());
            if removed.is_some() {
                info!(hash = %slow.hash, sender = %slow.sender, reason = %slowness,
                    "dropped a transaction that takes too long");
            }
        }
    }

    /// The log with the leaves of an executed block (SPEC §9.4, §9.11). A block whose leaves cannot
    /// be written is invalid.
    fn append_leaves(
        &self,
        context: &BlockContext,
        outcome: &Outcome,
    ) -> Result<LogUpdate, CheckError> {
        let invalid = |error: LeafError| CheckError::Invalid(error.to_string());
        let (height, time) = (context.height, context.time);
        let leaves = leaves(context.chain_id, height, time, &outcome.receipts).map_err(invalid)?;
        let place = LogPlace {
            height,
            time,
            map_period_ms: self.node.genesis.consensus.map_period_ms(),
        };
        match self.node.store.log_update(&place, leaves) {
            Ok(log) => Ok(log),
            Err(StoreError::Leaf(error)) => Err(invalid(error)),
            Err(error) => Err(CheckError::Fault(store_fault("bring the map up to date")(
                error,
            ))),
        }
    }

    /// Computes the roots of an executed block, its header and its checkpoint.
    fn seal(
        &self,
        context: &BlockContext,
        transactions: Vec<Arc<Transaction>>,
        outcome: Outcome,
        log: LogUpdate,
        execute: Duration,
    ) -> Result<Executed, ChainError> {
        let started = Instant::now();
        let update = self
            .node
            .store
            .state_root(&outcome.diff)
            .map_err(store_fault("compute the state root"))?;
        let elapsed = Elapsed {
            execute,
            root: started.elapsed(),
        };
        let header = HeaderFields {
            parent_hash: context.parent_hash,
            height: context.height,
            time: context.time,
            beneficiary: context.beneficiary,
            gas_limit: context.gas_limit,
            gas_used: outcome.gas_used,
            state_root: update.root(),
            transactions_root: transactions_root(&transactions),
            receipts_root: outcome.receipts_root,
            logs_bloom: outcome.logs_bloom,
        }
        .header();
        let proposed = ProposedBlock {
            time: context.time,
            block: Block {
                header,
                transactions,
            },
        };
        let present = self.node.roster();
        let set_hash = present.set_hash();
        let next = outcome.members.as_ref().map(|next| next.set().hash());
        let checkpoint = Checkpoint {
            chain_id: context.chain_id,
            height: context.height,
            time: context.time,
            block_hash: proposed.block.hash(),
            state_root: update.root(),
            log_size: log.size(),
            log_root: log.root(),
            validator_set_hash: set_hash,
            next_validator_set_hash: next.unwrap_or(set_hash),
        };
        Ok(Executed {
            proposed,
            receipts: outcome.receipts,
            denied: outcome.denied,
            diff: outcome.diff,
            update,
            log,
            checkpoint,
            roster: present.after(outcome.members, outcome.peers),
            bytes_hash: B256::ZERO,
            elapsed,
        })
    }

    /// Executes a decoded block on the tip and compares every derived field.
    pub(super) fn execute_block(&self, proposed: ProposedBlock) -> Result<Executed, CheckError> {
        let invalid = |reason: String| Err(CheckError::Invalid(reason));
        let tip = self.node.tip();
        let header = &proposed.block.header;
        if header.number != tip.height.next().0 {
            return invalid(format!("height {} after tip {}", header.number, tip.height));
        }
        if header.parent_hash != tip.block_hash {
            return invalid(format!(
                "parent {} is not {}",
                header.parent_hash, tip.block_hash
            ));
        }
        if proposed.time <= tip.time {
            return invalid(format!(
                "time {} ms is not after {} ms",
                proposed.time, tip.time
            ));
        }
        if self
            .node
            .roster()
            .members
            .get(&header.beneficiary)
            .is_none()
        {
            return invalid(format!(
                "beneficiary {} is no validator",
                header.beneficiary
            ));
        }
        let context = self
            .node
            .next_block_context(proposed.time, header.beneficiary);
        let started = Instant::now();
        let view = self.tip_state().map_err(CheckError::Fault)?;
        let outcome = execute(&view, &context, &proposed.block.transactions)?;
        drop(view);
        let elapsed = started.elapsed();
        let log = self.append_leaves(&context, &outcome)?;
        let executed = self
            .seal(
                &context,
                proposed.block.transactions.clone(),
                outcome,
                log,
                elapsed,
            )
            .map_err(CheckError::Fault)?;
        match header_difference(header, &executed.proposed.block.header) {
            None => Ok(executed),
            Some(difference) => invalid(difference),
        }
    }

    fn tip_state(&self) -> Result<impl StateView + '_, ChainError> {
        let tip = self.node.tip().height;
        self.node
            .store
            .state_at(tip)
            .map_err(store_fault("open the tip's state"))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The first field in which a proposed header is not what execution gives.
fn header_difference(
    proposed: &alloy_consensus::Header,
    derived: &alloy_consensus::Header,
) -> Option<String> {
    if proposed == derived {
        return None;
    }
    let fields = [
        (
            "gas limit",
            proposed.gas_limit.to_string(),
            derived.gas_limit.to_string(),
        ),
        (
            "transactions root",
            proposed.transactions_root.to_string(),
            derived.transactions_root.to_string(),
        ),
        (
            "gas used",
            proposed.gas_used.to_string(),
            derived.gas_used.to_string(),
        ),
        (
            "receipts root",
            proposed.receipts_root.to_string(),
            derived.receipts_root.to_string(),
        ),
        (
            "state root",
            proposed.state_root.to_string(),
            derived.state_root.to_string(),
        ),
        (
            "PREVRANDAO",
            proposed.mix_hash.to_string(),
            derived.mix_hash.to_string(),
        ),
    ];
    let difference = fields.into_iter().find(|(_, have, want)| have != want);
    Some(match difference {
        Some((field, have, want)) => format!("{field} {have}, execution gives {want}"),
        None => "a header field that is constant differs".to_string(),
    })
}
