//! Who signs the relayer's transactions: a key in this process, or one in another.

use std::sync::Arc;

use alloy_primitives::{Address, B256};
use futures::future::BoxFuture;
use tbsi_types::{SecretKey, Signature, SignedTransaction, UnsignedTransaction};

/// Why nothing was signed; tried again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sign a transaction: {0}")]
pub struct SignError(pub String);

/// Signs hashes of transactions with the key of one account.
pub trait Signer: Send + Sync {
    /// The account.
    fn account(&self) -> Address;

    /// Fails if nothing could be signed now.
    fn check(&self) -> BoxFuture<'_, Result<(), SignError>> {
        Box::pin(async { Ok(()) })
    }

    /// An ECDSA signature over secp256k1 with low s, of 32 bytes that are a transaction's hash.
    fn sign(&self, hash: B256) -> BoxFuture<'_, Result<Signature, SignError>>;
}

/// As target and acknowledgements share it.
pub type SharedSigner = Arc<dyn Signer>;

impl Signer for SecretKey {
    fn account(&self) -> Address {
        self.public_key().address()
    }

    fn sign(&self, hash: B256) -> BoxFuture<'_, Result<Signature, SignError>> {
        let signature = SecretKey::sign(self, hash);
        Box::pin(async move { Ok(signature) })
    }
}

/// Signs a transaction of the signer's account.
pub(crate) async fn sign(
    signer: &dyn Signer,
    transaction: UnsignedTransaction,
) -> Result<SignedTransaction, SignError> {
    let signature = signer.sign(transaction.signature_hash()).await?;
    let signed = transaction.with_signature(&signature);
    signed.map_err(|error| SignError(error.to_string()))
}
