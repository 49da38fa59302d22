//! Block 0, from the genesis file (SPEC §2.3).

use tbsi_store::{CommitBlock, LogPlace, Store};
use tbsi_types::block::{HeaderFields, transactions_root};
use tbsi_types::log::LeafBatch;
use tbsi_types::{Address, B256, Block, Checkpoint, Genesis, Height, Members, ProposedBlock};
use tracing::info;

/// Commits block 0, once.
pub fn ensure_genesis(store: &Store, genesis: &Genesis, members: &Members) -> anyhow::Result<()> {
    if store.tip().is_some() {
        return Ok(());
    }
    let diff = tbsi_execution::genesis_diff(genesis)?;
    let update = store.state_root(&diff)?;
    let place = LogPlace {
        height: Height::GENESIS,
        time: genesis.time_ms,
        map_period_ms: genesis.consensus.map_period_ms(),
    };
    let log = store.log_update(&place, LeafBatch::default())?;
    let mut header = HeaderFields {
        parent_hash: B256::ZERO,
        height: Height::GENESIS,
        time: genesis.time_ms,
        beneficiary: Address::ZERO,
        gas_limit: genesis.block_gas_limit,
        gas_used: 0,
        state_root: update.root(),
        transactions_root: transactions_root(&[]),
        receipts_root: alloy_consensus::EMPTY_ROOT_HASH,
        logs_bloom: alloy_primitives::Bloom::ZERO,
    }
    .header();
    // Block 0 names the document it comes from (SPEC §2.3).
    header.extra_data = genesis.hash().to_vec().into();
    let block = Block {
        header,
        transactions: Vec::new(),
    };
    let proposed = ProposedBlock {
        time: genesis.time_ms,
        block,
    };
    let set_hash = members.set().hash();
    let checkpoint = Checkpoint {
        chain_id: genesis.chain_id,
        height: Height::GENESIS,
        time: genesis.time_ms,
        block_hash: proposed.block.hash(),
        state_root: update.root(),
        log_size: log.size(),
        log_root: log.root(),
        validator_set_hash: set_hash,
        next_validator_set_hash: set_hash,
    };
    store.commit(CommitBlock {
        proposed: &proposed,
        receipts: &[],
        checkpoint: &checkpoint,
        certificate: None,
        update: &update,
        log: &log,
        next_members: Some(members),
    })?;
    info!(hash = %checkpoint.block_hash, state_root = %checkpoint.state_root, "genesis block committed");
    Ok(())
}
