//! What the user trusts.

use std::path::Path;

use tbsi_light::TrustAnchor;
use tbsi_types::log::Leaf;
use tbsi_types::{B256, ChainIdentity, Genesis, Height, ProofBundle};

use super::Failure;
use crate::checkpoint::CheckpointFile;
use crate::lang::{SayContext, demand, said};
use crate::proof::load_genesis;
use crate::shown::PathShown;

/// Where trust came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trusted {
    /// A genesis file, and its hash.
    Genesis { file: Box<Genesis>, hash: B256 },
    /// A checkpoint file.
    Checkpoint {
        height: Height,
        /// Of the network's genesis.
        hash: B256,
    },
}

impl Trusted {
    /// The network of a leaf that was verified.
    pub(crate) fn chain(&self, leaf: &Leaf) -> ChainIdentity {
        let (Self::Genesis { hash, .. } | Self::Checkpoint { hash, .. }) = self;
        ChainIdentity {
            chain_id: leaf.head.chain_id,
            genesis_hash: *hash,
        }
    }

    /// The genesis file, which names organisations and the bounds of time.
    pub(crate) fn genesis(&self) -> Option<&Genesis> {
        match self {
            Self::Genesis { file, .. } => Some(file),
            Self::Checkpoint { .. } => None,
        }
    }
}

/// Reads what is trusted; `bundle` only says which network it claims to be of.
pub(crate) fn load(
    genesis: Option<&Path>,
    checkpoint: Option<&Path>,
    bundle: &ProofBundle,
) -> Result<(Trusted, TrustAnchor), Failure> {
    match (genesis, checkpoint) {
        (Some(path), _) => {
            let genesis = load_genesis(path).and_then(of_genesis);
            genesis.map_err(|error| Failure::could_not_tell("trust", error))
        }
        (None, Some(path)) => of_checkpoint(path, bundle),
        (None, None) => Err(Failure::could_not_tell(
            "trust",
            said(
                "nothing is trusted yet; give --genesis with the network's genesis file, or \
                 --checkpoint with a checkpoint that you trust",
                "尚未指定信任的依據；請以 --genesis 指定該網路的創世檔，或以 --checkpoint \
                 指定您信任的檢查點",
            ),
        )),
    }
}

fn of_genesis(genesis: Genesis) -> anyhow::Result<(Trusted, TrustAnchor)> {
    let anchor = TrustAnchor::genesis(&genesis)?;
    let hash = genesis.hash();
    let file = Box::new(genesis);
    Ok((Trusted::Genesis { file, hash }, anchor))
}

/// The file names no genesis, but the digest in it depends on one: it must be the bundle's.
fn of_checkpoint(path: &Path, bundle: &ProofBundle) -> Result<(Trusted, TrustAnchor), Failure> {
    let unread = |error| Failure::could_not_tell("trust", error);
    let file = CheckpointFile::load(path).map_err(unread)?;
    let genesis_hash = bundle.genesis_hash;
    let read = || -> anyhow::Result<_> {
        let checkpoint = file.decode()?.0;
        let chain_id = checkpoint.chain_id;
        let chain = ChainIdentity {
            chain_id,
            genesis_hash,
        };
        demand(checkpoint.height != Height::GENESIS, || {
            (
                "height 0 is fixed by the genesis file; give that".into(),
                "高度 0 由創世檔決定；請指定創世檔".into(),
            )
        })?;
        Ok((checkpoint, chain))
    };
    let shown = path.shown();
    let read = read().or_say(|| (shown.to_string(), shown.to_string()));
    let (checkpoint, chain) = read.map_err(unread)?;
    let height = checkpoint.height;
    if checkpoint.digest(&chain) != file.checkpoint.digest {
        return Err(Failure::could_not_tell(
            "otherNetwork",
            said(
                format!(
                    "proof is of the network with genesis hash {genesis_hash}; the trusted \
                     checkpoint in {shown} is of another, or its fields contradict each other"
                ),
                format!(
                    "證明屬於創世檔雜湊為 {genesis_hash} 的網路；{shown} 的檢查點屬於另一個網路，\
                     或其欄位互相矛盾"
                ),
            ),
        ));
    }
    let trusted = Trusted::Checkpoint {
        height,
        hash: genesis_hash,
    };
    Ok((trusted, TrustAnchor::checkpoint(genesis_hash, &checkpoint)))
}
