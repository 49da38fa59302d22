//! The chain of execution-apis, executed into a store of ours.

use std::path::Path;
use std::sync::Arc;

use alloy_consensus::Header;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::B256;
use alloy_rlp::Decodable;
use anyhow::{Context, ensure};
use tbsi_execution::Protocol;
use tbsi_execution::conformance::{EthereumBlock, import};
use tbsi_store::{CommitBlock, LogPlace, StateUpdate, Store, StoreOptions};
use tbsi_types::log::LeafBatch;
use tbsi_types::{
    Block, ChainIdentity, Checkpoint, CommitCertificate, Height, ProposedBlock, Receipt, Round,
    StateDiff, TimestampMs, Transaction, TxEnvelope, ViewError,
};

use crate::forks::Genesis;

/// Blocks after genesis.
const BLOCKS: usize = 54;

type RlpBlock = alloy_consensus::Block<TxEnvelope>;

/// Ethereum's test chain with all of its forks. What TBSI's blocks have no place for, uncles and
/// withdrawals, is executed and not kept.
pub(crate) struct EthereumChain {
    pub(crate) store: Store,
    pub(crate) identity: ChainIdentity,
    pub(crate) protocol: Protocol,
    _dir: tempfile::TempDir,
}

impl EthereumChain {
    /// Executes every block and compares all that its header commits to.
    pub(crate) fn import(folder: &Path) -> anyhow::Result<Self> {
        let genesis = std::fs::read(folder.join("genesis.json")).context("genesis.json")?;
        let genesis: Genesis = serde_json::from_slice(&genesis).context("genesis.json")?;
        let blocks = std::fs::read(folder.join("chain.rlp")).context("chain.rlp")?;
        let blocks = decode(&blocks)?;
        let first = blocks.first().context("an empty chain")?;
        let identity = ChainIdentity {
            chain_id: genesis.chain_id()?,
            genesis_hash: first.header.parent_hash,
        };
        let dir = tempfile::tempdir()?;
        let store = Store::open(dir.path(), identity, StoreOptions::default())?;
        let chain = Self {
            store,
            identity,
            protocol: genesis.protocol()?,
            _dir: dir,
        };
        let update = chain.store.state_root(&genesis.state())?;
        let block = Block {
            header: genesis.header(update.root()),
            transactions: Vec::new(),
        };
        ensure!(block.hash() == identity.genesis_hash, "another genesis");
        chain.commit(block, &[], &update)?;
        for block in blocks {
            let number = block.header.number;
            chain
                .add(block)
                .with_context(|| format!("block {number}"))?;
        }
        Ok(chain)
    }

    fn add(&self, block: RlpBlock) -> anyhow::Result<()> {
        let RlpBlock { header, body } = block;
        let transactions: Result<Vec<_>, _> = body
            .transactions
            .iter()
            .map(|it| Transaction::parse_any_chain(&it.encoded_2718()).map(Arc::new))
            .collect();
        let transactions = transactions?;
        let parent = Height(header.number)
            .previous()
            .context("a second genesis")?;
        let state = self.store.state_at(parent)?;
        let state_root = |diff: &StateDiff| -> Result<B256, ViewError> {
            state.root_after(diff).map_err(|error| ViewError {
                what: "state root".into(),
                source: Box::new(error),
            })
        };
        let withdrawals = body.withdrawals.unwrap_or_default();
        let executed = EthereumBlock {
            header: &header,
            transactions: &transactions,
            ommers: &body.ommers,
            withdrawals: &withdrawals,
        };
        let outcome = import(&state, &self.protocol, &executed, &state_root)?;
        let update = self.store.state_root(&outcome.diff)?;
        let root = state_root(&outcome.diff)?;
        ensure!(root == update.root(), "two state roots: {root}");
        compare(&header, &outcome, update.root())?;
        let block = Block {
            header,
            transactions,
        };
        self.commit(block, &outcome.receipts, &update)
    }

    fn commit(
        &self,
        block: Block,
        receipts: &[Receipt],
        update: &StateUpdate,
    ) -> anyhow::Result<()> {
        let height = block.height();
        let time = TimestampMs(block.header.timestamp * 1_000);
        let place = LogPlace {
            height,
            time,
            map_period_ms: 60_000,
        };
        let log = self.store.log_update(&place, LeafBatch::default())?;
        let checkpoint = Checkpoint {
            chain_id: self.identity.chain_id,
            height,
            time,
            block_hash: block.hash(),
            state_root: update.root(),
            log_size: log.size(),
            log_root: log.root(),
            validator_set_hash: B256::ZERO,
            next_validator_set_hash: B256::ZERO,
        };
        let digest = checkpoint.digest(&self.identity);
        let certificate = CommitCertificate::new(height, Round::ZERO, digest, Vec::new())?;
        self.store.commit(CommitBlock {
            proposed: &ProposedBlock { time, block },
            receipts,
            checkpoint: &checkpoint,
            certificate: (height != Height::GENESIS).then_some(&certificate),
            update,
            log: &log,
            next_members: None,
        })?;
        Ok(())
    }
}

fn decode(mut bytes: &[u8]) -> anyhow::Result<Vec<RlpBlock>> {
    let mut blocks = Vec::new();
    while !bytes.is_empty() {
        blocks.push(RlpBlock::decode(&mut bytes).context("chain.rlp")?);
    }
    ensure!(blocks.len() == BLOCKS, "{} blocks", blocks.len());
    Ok(blocks)
}

/// What execution made must be what the header says.
fn compare(
    header: &Header,
    outcome: &tbsi_execution::Outcome,
    state_root: B256,
) -> anyhow::Result<()> {
    let (gas, theirs) = (outcome.gas_used, header.gas_used);
    ensure!(gas == theirs, "gas used {gas} not {theirs}");
    let (root, theirs) = (outcome.receipts_root, header.receipts_root);
    ensure!(root == theirs, "receipts root {root} not {theirs}");
    ensure!(outcome.logs_bloom == header.logs_bloom, "another bloom");
    let theirs = header.state_root;
    ensure!(state_root == theirs, "state root {state_root} not {theirs}");
    Ok(())
}
