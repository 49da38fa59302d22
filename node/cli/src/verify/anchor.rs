//! What the user trusts.

use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use tbsi_light::TrustAnchor;
use tbsi_types::{B256, ChainIdentity, Genesis, Height, ProofBundle};

use super::Failure;
use crate::checkpoint::CheckpointFile;
use crate::proof::load_genesis;

/// Where trust came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trusted {
    /// A genesis file.
    Genesis {
        /// The network's name.
        name: String,
        hash: B256,
    },
    /// A checkpoint file.
    Checkpoint {
        height: Height,
        /// Of the network's genesis.
        hash: B256,
    },
}

/// Reads what is trusted; `bundle` only says which network it claims to be of.
pub(super) fn load(
    genesis: Option<&Path>,
    checkpoint: Option<&Path>,
    bundle: &ProofBundle,
) -> Result<(Trusted, TrustAnchor), Failure> {
    match (genesis, checkpoint) {
        (Some(path), _) => {
            let genesis = load_genesis(path).map_err(Failure::could_not_tell)?;
            of_genesis(&genesis).map_err(Failure::could_not_tell)
        }
        (None, Some(path)) => of_checkpoint(path, bundle),
        (None, None) => Err(Failure::could_not_tell(anyhow!(
            "nothing is trusted yet; give --genesis with the network's genesis file, or \
             --checkpoint with a checkpoint that you trust"
        ))),
    }
}

fn of_genesis(genesis: &Genesis) -> anyhow::Result<(Trusted, TrustAnchor)> {
    let trusted = Trusted::Genesis {
        name: genesis.name.clone(),
        hash: genesis.hash(),
    };
    Ok((trusted, TrustAnchor::genesis(genesis)?))
}

/// The file names no genesis, but the digest in it depends on one: it must be the bundle's.
fn of_checkpoint(path: &Path, bundle: &ProofBundle) -> Result<(Trusted, TrustAnchor), Failure> {
    let file = CheckpointFile::load(path).map_err(Failure::could_not_tell)?;
    let genesis_hash = bundle.genesis_hash;
    let read = || -> anyhow::Result<_> {
        let checkpoint = file.decode()?.0;
        let chain_id = checkpoint.chain_id;
        let chain = ChainIdentity {
            chain_id,
            genesis_hash,
        };
        ensure!(
            checkpoint.height != Height::GENESIS,
            "height 0 is fixed by the genesis file; give that"
        );
        Ok((checkpoint, chain))
    };
    let read = read().with_context(|| path.display().to_string());
    let (checkpoint, chain) = read.map_err(Failure::could_not_tell)?;
    let height = checkpoint.height;
    if checkpoint.digest(&chain) != file.checkpoint.digest {
        return Err(Failure::invalid(anyhow!(
            "proof is of the network with genesis hash {genesis_hash}; the trusted checkpoint in \
             {} is of another, or its fields contradict each other",
            path.display()
        )));
    }
    let trusted = Trusted::Checkpoint {
        height,
        hash: genesis_hash,
    };
    Ok((trusted, TrustAnchor::checkpoint(genesis_hash, &checkpoint)))
}
