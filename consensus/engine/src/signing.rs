//! Signing and verifying, in the engine's words.

use arc_malachitebft_app_channel::app::types::core as mc;
use arc_malachitebft_signing::{Error, Signer, VerificationResult, Verifier};
use async_trait::async_trait;
use mc::{SignedExtension, SignedMessage, SignedProposal, SignedVote, ValidatorProof};
use mc::{VoteExtensionScope, VoteType};
use tbsi_keys::{ConsensusStatement, VoteSigner};
use tbsi_types::{B256, PublicKey, Signature, VoteKind};

use crate::context::{Ctx, Proposal, Vote};
use crate::network::Verified;
use crate::twin::TwinWatch;
use crate::witnessed::Witnessed;

/// Asks the validator's signer, in the engine's words.
pub(crate) struct EngineSigner {
    signer: Box<dyn VoteSigner>,
    witnessed: Witnessed,
    twin: Option<TwinWatch>,
}

impl EngineSigner {
    pub(crate) fn new(
        signer: Box<dyn VoteSigner>,
        witnessed: Witnessed,
        twin: Option<TwinWatch>,
    ) -> Self {
        Self {
            signer,
            witnessed,
            twin,
        }
    }

    /// An abstention is a signature that counts for nobody, not even for this node's own tally
    /// (SPEC §6.4).
    async fn sign(&self, statement: ConsensusStatement) -> Result<Signature, Error> {
        let signature = if self.twin.as_ref().is_some_and(TwinWatch::is_seen) {
            None
        } else {
            let signature = self.signer.sign(statement).await;
            signature.map_err(Error::from_source)?
        };
        self.witnessed.signed(signature.is_some());
        if signature.is_some() {
            // Before anybody hears of it.
            if let Some(twin) = &self.twin {
                twin.signed(&statement);
            }
            if let ConsensusStatement::Vote(vote) = &statement {
                let own = self.signer.public_key().address();
                self.witnessed.tally().note(vote, own);
            }
        }
        Ok(signature.unwrap_or(Signature::ABSTAINED))
    }
}

#[async_trait]
impl Signer<Ctx> for EngineSigner {
    async fn sign_vote(&self, vote: Vote) -> Result<SignedVote<Ctx>, Error> {
        let signature = self
            .sign(ConsensusStatement::Vote(vote.statement()))
            .await?;
        Ok(SignedMessage::new(vote, signature))
    }

    async fn sign_proposal(&self, proposal: Proposal) -> Result<SignedProposal<Ctx>, Error> {
        let signature = self
            .sign(ConsensusStatement::Proposal(proposal.statement()))
            .await?;
        Ok(SignedMessage::new(proposal, signature))
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
        _public_key: Vec<u8>,
        _peer_id: Vec<u8>,
    ) -> Result<ValidatorProof<Ctx>, Error> {
        Err(Error::from_source(
            "validator proofs are not used: their preimage names no chain".to_string(),
        ))
    }
}

/// Checks signatures of one chain, knows those that the network has checked already, and passes
/// on the votes that have good ones.
pub(crate) struct ChainVerifier {
    verified: Verified,
    witnessed: Witnessed,
}

impl ChainVerifier {
    pub(crate) fn new(verified: Verified, witnessed: Witnessed) -> Self {
        Self {
            verified,
            witnessed,
        }
    }

    fn verdict(&self, key: &PublicKey, digest: B256, signature: &Signature) -> VerificationResult {
        VerificationResult::from_bool(self.verified.is_by(key, digest, signature))
    }
}

#[async_trait]
impl Verifier<Ctx> for ChainVerifier {
    async fn verify_signed_vote(
        &self,
        vote: &Vote,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        let statement = vote.statement();
        let digest = statement.digest(self.verified.chain());
        let verdict = self.verdict(key, digest, signature);
        if verdict.is_valid() {
            self.witnessed.vote(statement, key.address());
        }
        Ok(verdict)
    }

    async fn verify_signed_proposal(
        &self,
        proposal: &Proposal,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        let digest = proposal.statement().digest(self.verified.chain());
        Ok(self.verdict(key, digest, signature))
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

    /// The network's own mark, which proves nothing: no proof of a peer gets here.
    async fn verify_validator_proof(
        &self,
        proof: &ValidatorProof<Ctx>,
    ) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::from_bool(proof.public_key.is_empty()))
    }
}

/// Whether a vote is a prevote or a precommit, for the codec.
pub(crate) fn vote_kind(kind: VoteType) -> VoteKind {
    match kind {
        VoteType::Prevote => VoteKind::Prevote,
        VoteType::Precommit => VoteKind::Precommit,
    }
}
