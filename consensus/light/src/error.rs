//! Why something proves nothing.

use alloy_primitives::{Address, B256};
use tbsi_types::{CheckpointDigest, GenesisError, Height, KeyError, VotingPower};

/// Why a certificate or a checkpoint is refused. Each is final: the same bytes fail again.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A signature under an address that is no validator of the set.
    #[error("{validator} signed the certificate but is not in the validator set")]
    ForeignSigner {
        /// The address in the certificate.
        validator: Address,
    },
    /// A signature that is not the named validator's over this certificate's statement.
    #[error("signature of validator {validator}")]
    Signature {
        /// The address in the certificate.
        validator: Address,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// Not strictly more than two thirds.
    #[error(
        "signatures carry {power} of {total} voting power, strictly more than 2/3 is needed",
        power = power.0,
        total = total.0
    )]
    BelowQuorum {
        /// Power of the signers.
        power: VotingPower,
        /// Power of the whole set.
        total: VotingPower,
    },
    /// The genesis itself is wrong.
    #[error("genesis")]
    Genesis(#[from] GenesisError),
    /// A checkpoint of another network.
    #[error("checkpoint is of chain id {got}, the genesis file says {expected}")]
    ChainId {
        /// In the genesis file.
        expected: u64,
        /// In the checkpoint.
        got: u64,
    },
    /// Height 0 is the genesis file's; nobody votes on it.
    #[error("checkpoint height is 0, which validators never decide: the genesis file fixes it")]
    GenesisHeight,
    /// Checkpoint and certificate are of different blocks.
    #[error("checkpoint is of height {checkpoint}, the certificate of height {certificate}")]
    Height {
        /// In the checkpoint.
        checkpoint: Height,
        /// In the certificate.
        certificate: Height,
    },
    /// The certificate decides something else.
    #[error("checkpoint has digest {computed}, the certificate decides {decided}")]
    Digest {
        /// Of the checkpoint, under this genesis.
        computed: CheckpointDigest,
        /// In the certificate.
        decided: CheckpointDigest,
    },
    /// Another set decided this height.
    #[error(
        "checkpoint names validator set {got}, the genesis file has {expected}: if the set changed \
         since, only a proof with its handovers leads there (tbsi prove, tbsi verify)"
    )]
    ValidatorSet {
        /// Hash of the genesis file's set.
        expected: B256,
        /// In the checkpoint.
        got: B256,
    },
}
