//! Signing and verifying, in the engine's words.

use std::sync::Arc;

use arc_malachitebft_app_channel::app::types::core as mc;
use arc_malachitebft_signing::{Error, Signer, VerificationResult, Verifier};
use async_trait::async_trait;
use mc::{SignedExtension, SignedMessage, SignedProposal, SignedVote, ValidatorProof};
use mc::{VoteExtensionScope, VoteType};
use tbsi_keys::{ConsensusStatement, SignedStatement, VoteSigner};
use tbsi_types::{B256, PublicKey, Signature, VoteKind};
use tracing::error;

use crate::context::{Ctx, Proposal, Vote};
use crate::memory::Forgotten;
use crate::network::Verified;
use crate::twin::TwinWatch;
use crate::witnessed::Witnessed;

/// Asks the validator's signer, in the engine's words. Clones share it.
#[derive(Clone)]
pub(crate) struct EngineSigner(Arc<Inner>);

struct Inner {
    signer: Box<dyn VoteSigner>,
    witnessed: Witnessed,
    twin: Option<TwinWatch>,
    forgotten: Forgotten,
}

impl EngineSigner {
    pub(crate) fn new(
        signer: Box<dyn VoteSigner>,
        witnessed: Witnessed,
        twin: Option<TwinWatch>,
        forgotten: Forgotten,
    ) -> Self {
        Self(Arc::new(Inner {
            signer,
            witnessed,
            twin,
            forgotten,
        }))
    }

    /// What was signed where `asked` is wanted: of a vote, perhaps another of its step. `None`
    /// abstains.
    async fn sign(&self, asked: ConsensusStatement) -> Result<Option<SignedStatement>, Error> {
        let Inner {
            signer,
            witnessed,
            twin,
            forgotten,
        } = &*self.0;
        let memory = witnessed.memory();
        let signed = if twin.as_ref().is_some_and(TwinWatch::is_seen) {
            None
        } else {
            let remembered = memory.lock_at(asked.height());
            let signed = signer.sign(asked, remembered).await;
            signed.map_err(Error::from_source)?
        };
        witnessed.signed(signed.is_some());
        let Some(SignedStatement { statement, .. }) = &signed else {
            return Ok(None);
        };
        // Before anybody hears of it.
        if let Some(twin) = twin {
            twin.signed(statement);
        }
        if *statement == asked {
            memory.signed(statement);
        } else {
            let noted = forgotten.note(asked.height());
            noted.map_err(Error::from_source)?;
        }
        if let ConsensusStatement::Vote(vote) = statement {
            let own = signer.public_key().address();
            witnessed.tally().note(vote, own);
        }
        Ok(signed)
    }

    /// Asks once more for a vote that was abstained from; what was said in a later round will do,
    /// since a core that hears of enough votes there comes to it. A disk that fails is told when
    /// the engine asks the next time.
    pub(crate) async fn sign_again(&self, vote: Vote) -> Option<SignedVote<Ctx>> {
        let signed = self.sign(ConsensusStatement::Vote(vote.statement())).await;
        signed
            .inspect_err(|error| error!(%error, "a vote that was asked for again"))
            .ok()
            .map(|signed| answered(vote, signed))
            .filter(|vote| vote.signature != Signature::ABSTAINED)
    }
}

/// The vote of this step that was signed where `vote` was asked for. An abstention is a signature
/// that counts for nobody, not even for this node's own tally (SPEC §6.4); so it is if all that the
/// signer says is of a later round: that is said when it is asked again.
pub(crate) fn voted(vote: Vote, signed: Option<SignedStatement>) -> SignedVote<Ctx> {
    let asked = ConsensusStatement::Vote(vote.statement());
    answered(
        vote,
        signed.filter(|signed| !signed.is_of_later_round(&asked)),
    )
}

/// The vote that was signed where `vote` was asked for, of a later round perhaps.
pub(crate) fn answered(vote: Vote, signed: Option<SignedStatement>) -> SignedVote<Ctx> {
    let Some(SignedStatement {
        statement: ConsensusStatement::Vote(statement),
        signature,
    }) = signed
    else {
        return SignedMessage::new(vote, Signature::ABSTAINED);
    };
    let validator = *mc::Vote::<Ctx>::validator_address(&vote);
    SignedMessage::new(Vote::new(statement, validator), signature)
}

#[async_trait]
impl Signer<Ctx> for EngineSigner {
    async fn sign_vote(&self, vote: Vote) -> Result<SignedVote<Ctx>, Error> {
        let signed = self
            .sign(ConsensusStatement::Vote(vote.statement()))
            .await?;
        Ok(voted(vote, signed))
    }

    async fn sign_proposal(&self, proposal: Proposal) -> Result<SignedProposal<Ctx>, Error> {
        let signed = self
            .sign(ConsensusStatement::Proposal(proposal.statement()))
            .await?;
        let signature = signed.map_or(Signature::ABSTAINED, |signed| signed.signature);
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
    own: Option<tbsi_types::Address>,
}

impl ChainVerifier {
    pub(crate) fn new(
        verified: Verified,
        witnessed: Witnessed,
        own: Option<tbsi_types::Address>,
    ) -> Self {
        Self {
            verified,
            witnessed,
            own,
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
        // A proposer whose signer abstains goes on with its block, and prevotes it: its core waits
        // for no timeout any more, and would be silent in this round. Nobody else hears of it,
        // and no such proposal comes from the network.
        if *signature == Signature::ABSTAINED && self.own == Some(key.address()) {
            return Ok(VerificationResult::Valid);
        }
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
