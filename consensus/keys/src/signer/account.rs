//! A relayer's end: asks a signer for signatures of one account.

use tbsi_types::{Address, B256, ChainIdentity, PublicKey, Signature};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::client::{connect, exchange};
use super::link::Link;
use super::message::{Reply, Request};
use super::{SignerAddress, SignerError};

/// An account's key in another process. Connects when it is asked, and again after a failure.
pub struct RemoteAccount {
    address: SignerAddress,
    secret: Zeroizing<[u8; 32]>,
    remote: [u8; 32],
    chain: ChainIdentity,
    account: Address,
    link: Mutex<Option<(Link, PublicKey)>>,
}

impl RemoteAccount {
    /// The signer at `address`, which must prove the static key `remote` and have the key of
    /// `account`; `secret` is the key that it knows this process by. Asks nobody yet.
    pub fn new(
        address: SignerAddress,
        secret: Zeroizing<[u8; 32]>,
        remote: [u8; 32],
        chain: ChainIdentity,
        account: Address,
    ) -> Self {
        Self {
            address,
            secret,
            remote,
            chain,
            account,
            link: Mutex::new(None),
        }
    }

    /// The account.
    pub fn account(&self) -> Address {
        self.account
    }

    /// Connects, unless it is connected.
    pub async fn check(&self) -> Result<(), SignerError> {
        let mut link = self.link.lock().await;
        if link.is_none() {
            *link = Some(self.dial().await?);
        }
        Ok(())
    }

    /// Signs the hash of a transaction. An error says that there is no signature; the next call
    /// connects again.
    pub async fn sign(&self, hash: B256) -> Result<Signature, SignerError> {
        let mut slot = self.link.lock().await;
        let (mut link, key) = match slot.take() {
            Some(open) => open,
            None => self.dial().await?,
        };
        let mut asked = exchange(&self.address, &mut link, Request::Transaction(hash)).await;
        if matches!(asked, Err(SignerError::Broken(_))) {
            // The signer may have been started again since. Signing twice does no harm.
            link = self.dial().await?.0;
            asked = exchange(&self.address, &mut link, Request::Transaction(hash)).await;
        }
        match asked? {
            Reply::Signed(signature) if key.verify(hash, &signature).is_ok() => {
                *slot = Some((link, key));
                Ok(signature)
            }
            Reply::Signed(_)
            | Reply::SignedOther(..)
            | Reply::Abstained
            | Reply::Decided(_)
            | Reply::Hello { .. }
            | Reply::Refused(_) => Err(SignerError::Protocol(self.address.clone())),
        }
    }

    async fn dial(&self) -> Result<(Link, PublicKey), SignerError> {
        let address = || self.address.clone();
        let mut link = connect(&self.address, &self.secret, &self.remote, &self.chain).await?;
        let hello = Request::Account(self.account);
        match exchange(&self.address, &mut link, hello).await? {
            Reply::Hello { public_key, .. } => match PublicKey::parse(&public_key) {
                Ok(key) if key.address() == self.account => Ok((link, key)),
                Ok(_) | Err(_) => Err(SignerError::Protocol(address())),
            },
            Reply::Refused(_) => Err(SignerError::OtherAccount {
                address: address(),
                expected: self.account,
            }),
            Reply::Signed(_) | Reply::SignedOther(..) | Reply::Abstained | Reply::Decided(_) => {
                Err(SignerError::Protocol(address()))
            }
        }
    }
}
