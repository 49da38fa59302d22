//! The engine's verifier with a memory: a signature that was found good once, by any node of the
//! same process, is good. In a network every node verifies the same few signatures.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_malachitebft_app_channel::app::types::core as mc;
use arc_malachitebft_signing::{Error, VerificationResult, Verifier};
use async_trait::async_trait;
use mc::{ValidatorProof, VoteExtensionScope};
use tbsi_types::{Address, B256, ChainIdentity, PublicKey, Signature};

use crate::context::{Ctx, Proposal, Vote};
use crate::network::Verified;
use crate::signing::ChainVerifier;
use crate::witnessed::Witnessed;

type Good = (B256, Address, Signature);

/// Signatures that were found good. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct KnownSignatures(Arc<Mutex<BTreeSet<Good>>>);

impl KnownSignatures {
    fn known(&self) -> MutexGuard<'_, BTreeSet<Good>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Verifies, and remembers what was good.
pub(super) struct MemoVerifier {
    chain: ChainIdentity,
    inner: ChainVerifier,
    witnessed: Witnessed,
    good: KnownSignatures,
}

impl MemoVerifier {
    pub(super) fn new(chain: ChainIdentity, witnessed: Witnessed, good: KnownSignatures) -> Self {
        Self {
            chain,
            inner: ChainVerifier::new(Arc::new(Verified::new(chain)), witnessed.clone()),
            witnessed,
            good,
        }
    }
}

#[async_trait]
impl Verifier<Ctx> for MemoVerifier {
    async fn verify_signed_vote(
        &self,
        vote: &Vote,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        let statement = vote.statement();
        let entry = (statement.digest(&self.chain), key.address(), *signature);
        if self.good.known().contains(&entry) {
            self.witnessed.vote(statement, entry.1);
            return Ok(VerificationResult::Valid);
        }
        let verdict = self.inner.verify_signed_vote(vote, signature, key).await?;
        if verdict.is_valid() {
            self.good.known().insert(entry);
        }
        Ok(verdict)
    }

    async fn verify_signed_proposal(
        &self,
        proposal: &Proposal,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        let digest = proposal.statement().digest(&self.chain);
        let entry = (digest, key.address(), *signature);
        if self.good.known().contains(&entry) {
            return Ok(VerificationResult::Valid);
        }
        let verdict = self.inner.verify_signed_proposal(proposal, signature, key);
        let verdict = verdict.await?;
        if verdict.is_valid() {
            self.good.known().insert(entry);
        }
        Ok(verdict)
    }

    async fn verify_signed_vote_extension(
        &self,
        scope: &VoteExtensionScope<Ctx>,
        extension: &bytes::Bytes,
        signature: &Signature,
        key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        let verdict = self
            .inner
            .verify_signed_vote_extension(scope, extension, signature, key);
        verdict.await
    }

    async fn verify_validator_proof(
        &self,
        proof: &ValidatorProof<Ctx>,
    ) -> Result<VerificationResult, Error> {
        self.inner.verify_validator_proof(proof).await
    }
}
