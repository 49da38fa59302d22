//! Signing with the sign-state in front, and verifying.

use std::sync::Mutex;

use arc_malachitebft_app_channel::app::types::core as mc;
use arc_malachitebft_signing::{Error, Signer, VerificationResult, Verifier};
use async_trait::async_trait;
use mc::{SignedExtension, SignedMessage, SignedProposal, SignedVote, ValidatorProof};
use mc::{VoteExtensionScope, VoteType};
use tbsi_types::{B256, ChainIdentity, PublicKey, SecretKey, Signature, VoteKind, sha256};
use tracing::warn;

use crate::context::{Ctx, Proposal, Vote};
use crate::sign_state::{Mark, SignState, Step};

/// A validator's key with its sign-state.
pub(crate) struct GuardedSigner {
    chain: ChainIdentity,
    key: SecretKey,
    state: Mutex<SignState>,
}

impl GuardedSigner {
    pub(crate) fn new(chain: ChainIdentity, key: SecretKey, state: SignState) -> Self {
        Self {
            chain,
            key,
            state: Mutex::new(state),
        }
    }

    /// Signs if the sign-state allows it; otherwise abstains with a signature that counts for
    /// nobody, not even for this node's own tally (SPEC §6.4). A disk error is an error: the
    /// engine stops.
    fn sign(&self, mark: Mark) -> Result<Signature, Error> {
        let mut state = self
            .state
            .lock()
            .map_err(|_| Error::from_source("sign-state lock is poisoned".to_string()))?;
        if state.advance(mark).map_err(Error::from_source)? {
            return Ok(self.key.sign(mark.digest));
        }
        let last = state.mark();
        warn!(
            height = %mark.height, round = %mark.round, step = ?mark.step,
            signed_height = %last.height, signed_round = %last.round, signed_step = ?last.step,
            "not signing: the sign-state holds something else at or above this step"
        );
        Ok(Signature::ABSTAINED)
    }
}

#[async_trait]
impl Signer<Ctx> for GuardedSigner {
    async fn sign_vote(&self, vote: Vote) -> Result<SignedVote<Ctx>, Error> {
        let statement = vote.statement();
        let mark = Mark {
            height: statement.height,
            round: statement.round,
            step: match statement.kind {
                VoteKind::Prevote => Step::Prevote,
                VoteKind::Precommit => Step::Precommit,
            },
            digest: statement.digest(&self.chain),
        };
        Ok(SignedMessage::new(vote, self.sign(mark)?))
    }

    async fn sign_proposal(&self, proposal: Proposal) -> Result<SignedProposal<Ctx>, Error> {
        let statement = proposal.statement();
        let mark = Mark {
            height: statement.height,
            round: statement.round,
            step: Step::Propose,
            digest: statement.digest(&self.chain),
        };
        Ok(SignedMessage::new(proposal, self.sign(mark)?))
    }

    async fn sign_vote_extension(
        &self,
        _scope: VoteExtensionScope<Ctx>,
        _extension: bytes::Bytes,
    ) -> Result<SignedExtension<Ctx>, Error> {
        Err(Error::from_source(
            "vote extensions are not used".to_string(),
        ))
    }

    async fn sign_validator_proof(
        &self,
        public_key: Vec<u8>,
        peer_id: Vec<u8>,
    ) -> Result<ValidatorProof<Ctx>, Error> {
        let digest = proof_digest(&ValidatorProof::<Ctx>::signing_bytes(&public_key, &peer_id));
        Ok(ValidatorProof::new(
            public_key,
            peer_id,
            self.key.sign(digest),
        ))
    }
}

/// The engine prescribes the preimage of validator proofs, without a chain in it. None is sent.
fn proof_digest(preimage: &[u8]) -> B256 {
    sha256(&[preimage])
}

/// Checks signatures of one chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainVerifier(pub(crate) ChainIdentity);

fn verdict(key: &PublicKey, digest: B256, signature: &Signature) -> VerificationResult {
    VerificationResult::from_bool(key.verify(digest, signature).is_ok())
}

#[async_trait]
impl Verifier<Ctx> for ChainVerifier {
    async fn verify_signed_vote(
        &self,
        vote: &Vote,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        Ok(verdict(key, vote.statement().digest(&self.0), signature))
    }

    async fn verify_signed_proposal(
        &self,
        proposal: &Proposal,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        Ok(verdict(
            key,
            proposal.statement().digest(&self.0),
            signature,
        ))
    }

    async fn verify_signed_vote_extension(
        &self,
        _scope: &VoteExtensionScope<Ctx>,
        _extension: &bytes::Bytes,
        _signature: &Signature,
        _key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::Invalid)
    }

    async fn verify_validator_proof(
        &self,
        proof: &ValidatorProof<Ctx>,
    ) -> Result<VerificationResult, Error> {
        let Ok(key) = proof.decoded_public_key() else {
            return Ok(VerificationResult::Invalid);
        };
        Ok(verdict(
            &key,
            proof_digest(&proof.preimage()),
            &proof.signature,
        ))
    }
}

/// Whether a vote is a prevote or a precommit, for the codec.
pub(crate) fn vote_kind(kind: VoteType) -> VoteKind {
    match kind {
        VoteType::Prevote => VoteKind::Prevote,
        VoteType::Precommit => VoteKind::Precommit,
    }
}
