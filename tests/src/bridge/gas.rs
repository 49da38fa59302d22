//! What the light client's calls cost on an anvil, as transactions of their own.

use std::path::Path;

use alloy_primitives::{Address, Bytes, TxKind, U64};
use alloy_sol_types::SolCall;
use anyhow::Context;
use serde::Serialize;
use tbsi_bindings::bridge::LightClient::recordCall;
use tbsi_bridge::evm::abi::LightClient;
use tbsi_bridge::evm::{decision, validator_set};
use tbsi_types::log::{InclusionProof, MultiProof};
use tbsi_types::{LeafIndex, TreeSize};

use super::anvil::{Anvil, guardian};
use super::chain::{Chain, set};

/// Sizes of validator sets that are measured.
pub const VALIDATORS: [usize; 4] = [4, 7, 16, 31];

/// Leaves of the log: proofs of 14 hashes.
pub const LEAVES: u64 = 10_000;

/// Leaves of the multiproof, neighbours of one another.
pub const MANY: u64 = 100;

/// Gas of whole transactions, as few signatures as make a quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gas {
    /// In the set, of equal power.
    pub validators: usize,
    /// `update`.
    pub checkpoint: u64,
    /// `handover` to a set of the same size.
    pub handover: u64,
    /// `record` of a leaf among 256 neighbours of which none was recorded.
    pub first_proof: u64,
    /// `record` of its neighbour.
    pub next_proof: u64,
    /// `recordMany` of [`MANY`] neighbours.
    pub many_proofs: u64,
}

/// Measures all of [`VALIDATORS`].
pub async fn measure(anvil: &Path) -> anyhow::Result<Vec<Gas>> {
    let mut rows = Vec::new();
    for validators in VALIDATORS {
        rows.push(row(anvil, validators).await?);
    }
    Ok(rows)
}

/// A light client on an anvil that makes blocks when told to.
struct Bed {
    anvil: Anvil,
    contract: Address,
}

impl Bed {
    async fn gas(&self, call: &impl SolCall) -> anyhow::Result<u64> {
        let sender = guardian();
        let nonce = self.anvil.nonce(sender.public_key().address()).await;
        let to = TxKind::Call(self.contract);
        let data = Bytes::from(call.abi_encode());
        let hash = self.anvil.send(&sender, nonce, to, data).await;
        self.anvil.mine(1).await;
        let receipt = self.anvil.receipt(hash).await;
        let gas: U64 = serde_json::from_value(receipt["gasUsed"].clone()).context("gasUsed")?;
        Ok(gas.to())
    }
}

async fn row(anvil: &Path, validators: usize) -> anyhow::Result<Gas> {
    let chain = Chain::new(Some(set(0..validators)));
    for _ in 0..LEAVES / 1_000 {
        chain.block(1_000, None);
    }
    let anvil = Anvil::start(anvil, None).await;
    let contract = anvil.deploy(&chain).await;
    let bed = Bed { anvil, contract };
    let checkpoint = bed.gas(&update(&chain)).await?;
    let first_proof = bed.gas(&record(&chain, 0)?).await?;
    let next_proof = bed.gas(&record(&chain, 1)?).await?;
    let many_proofs = bed.gas(&record_many(&chain)?).await?;
    chain.block(0, Some(set(validators..2 * validators)));
    chain.block(0, None);
    let handover = bed.gas(&handover(&chain)).await?;
    Ok(Gas {
        validators,
        checkpoint,
        handover,
        first_proof,
        next_proof,
        many_proofs,
    })
}

fn update(chain: &Chain) -> LightClient::updateCall {
    let height = chain.height();
    let held = chain.held();
    let last = held.decisions.last().expect("a block");
    LightClient::updateCall {
        decision: decision(last, &held.set_at(height).named),
    }
}

fn handover(chain: &Chain) -> LightClient::handoverCall {
    let height = chain.height();
    let held = chain.held();
    let handover = held.handovers.last().expect("the set has changed");
    let next = &held.set_at(height).named;
    LightClient::handoverCall {
        last: decision(&handover.last, &handover.validators),
        validatorSet: validator_set(next),
        first: decision(&handover.first, next),
    }
}

fn checkpoint(chain: &Chain) -> Bytes {
    let held = chain.held();
    let last = held.decisions.last().expect("a block");
    last.checkpoint.encode().to_vec().into()
}

fn record(chain: &Chain, index: u64) -> anyhow::Result<recordCall> {
    let checkpoint = checkpoint(chain);
    let held = chain.held();
    let path = InclusionProof::make(&held.tree, LeafIndex(index), TreeSize(LEAVES))?;
    Ok(recordCall {
        leaf: held.leaves[usize::try_from(index)?].clone().into(),
        index,
        checkpoint,
        path: path.0,
    })
}

fn record_many(chain: &Chain) -> anyhow::Result<LightClient::recordManyCall> {
    let checkpoint = checkpoint(chain);
    let held = chain.held();
    let first = LEAVES / 2;
    let indexes: Vec<LeafIndex> = (first..first + MANY).map(LeafIndex).collect();
    let proof = MultiProof::make(&held.tree, &indexes, TreeSize(LEAVES))?;
    let from = usize::try_from(first)?;
    let leaves = held.leaves[from..].iter().take(usize::try_from(MANY)?);
    Ok(LightClient::recordManyCall {
        leaves: leaves.map(|leaf| leaf.clone().into()).collect(),
        indexes: indexes.iter().map(|index| index.0).collect(),
        checkpoint,
        nodes: proof.0,
    })
}
