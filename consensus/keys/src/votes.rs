//! Who signs for a validator: its key in this process, or a process of its own (SPEC §6.8).

use std::sync::Mutex;

use async_trait::async_trait;
use tbsi_types::{ChainIdentity, PublicKey, Round, SecretKey, Signature};
use tracing::warn;

use crate::position::Mark;
use crate::sign_state::{SignState, SignStateError};
use crate::statement::{ConsensusStatement, SignedStatement};

/// Signs for one validator on one chain, or abstains.
#[async_trait]
pub trait VoteSigner: Send + Sync + 'static {
    /// Whose signatures it makes.
    fn public_key(&self) -> PublicKey;

    /// The highest position signed, if nobody but this process can sign with the key: a signer of
    /// its own may serve other nodes too.
    fn mark(&self) -> Option<Mark> {
        None
    }

    /// A signature, over what was signed at this place before if that was something else; `None`
    /// abstains (SPEC §6.4). `remembered` is the round of the newest precommit for a block at this
    /// height that whoever asks knows of. An error is a disk that failed: the engine stops.
    async fn sign(
        &self,
        statement: ConsensusStatement,
        remembered: Option<Round>,
    ) -> Result<Option<SignedStatement>, SignStateError>;
}

/// A validator's key with its sign-state, in this process.
#[derive(Debug)]
pub struct LocalSigner {
    chain: ChainIdentity,
    key: SecretKey,
    state: Mutex<SignState>,
}

impl LocalSigner {
    /// The sign-state must be this key's on this chain, as [`SignState::open`] checks.
    pub fn new(chain: ChainIdentity, key: SecretKey, state: SignState) -> Self {
        Self {
            chain,
            key,
            state: Mutex::new(state),
        }
    }

    /// Whose signatures it makes.
    pub fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    /// The highest position signed; the digest there.
    pub fn mark(&self) -> Mark {
        self.state.lock().expect("no holder panics").mark()
    }

    /// As [`VoteSigner::sign`]; what was signed is durable when this returns. May block on the
    /// disk.
    pub fn sign_blocking(
        &self,
        asked: ConsensusStatement,
        remembered: Option<Round>,
    ) -> Result<Option<SignedStatement>, SignStateError> {
        let mut state = self.state.lock().expect("no holder panics");
        let answer = state.answer(asked, remembered)?;
        let last = state.mark();
        drop(state);
        let (height, round, step) = (asked.height(), asked.round(), asked.step());
        let Some(statement) = answer else {
            warn!(
                %height, %round, ?step,
                signed_height = %last.height, signed_round = %last.round, signed_step = ?last.step,
                "not signing: the sign-state holds something else at or above this step"
            );
            return Ok(None);
        };
        if statement != asked {
            warn!(
                %height, %round, ?step, ?asked, signed = ?statement,
                "signing what was signed here before, or nil against a block that this validator \
                 is locked on: consensus has forgotten some of what it did at this height"
            );
        }
        let signature = self.key.sign(statement.mark(&self.chain).digest);
        Ok(Some(SignedStatement {
            statement,
            signature,
        }))
    }

    /// As [`SignState::fail_after`].
    #[doc(hidden)]
    pub fn fail_after(&self, bytes: usize) {
        let mut state = self.state.lock().expect("no holder panics");
        state.fail_after(bytes);
    }

    /// Signs without a look at the sign-state: the bug that simulation plants, and the lie of a
    /// validator that signs twice.
    #[doc(hidden)]
    pub fn sign_unguarded(&self, statement: ConsensusStatement) -> Signature {
        self.key.sign(statement.mark(&self.chain).digest)
    }
}

#[async_trait]
impl VoteSigner for LocalSigner {
    fn public_key(&self) -> PublicKey {
        Self::public_key(self)
    }

    fn mark(&self) -> Option<Mark> {
        Some(Self::mark(self))
    }

    async fn sign(
        &self,
        statement: ConsensusStatement,
        remembered: Option<Round>,
    ) -> Result<Option<SignedStatement>, SignStateError> {
        self.sign_blocking(statement, remembered)
    }
}
