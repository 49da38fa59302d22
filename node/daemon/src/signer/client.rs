//! A node's end: asks the signer, and abstains when it does not answer.

use async_trait::async_trait;
use tbsi_engine::{SignStateError, Statement, VoteSigner};
use tbsi_types::{ChainIdentity, Height, PublicKey, Signature};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};
use zeroize::Zeroizing;

use super::link::Link;
use super::message::{Position, Refusal, Reply, Request};
use super::{SignerAddress, SignerError, prologue};
use crate::limits::{SIGNER_QUEUE_MAX, SIGNER_RETRY, SIGNER_START_TIMEOUT, SIGNER_TIMEOUT};

/// A validator's signer in another process.
#[derive(Debug)]
pub struct RemoteSigner {
    public_key: PublicKey,
    chain: ChainIdentity,
    asked: mpsc::Sender<Asked>,
}

/// A statement, and who waits for the signature.
type Asked = (Statement, oneshot::Sender<Option<Signature>>);

/// What it takes to connect.
struct Dialer {
    address: SignerAddress,
    secret: Zeroizing<[u8; 32]>,
    remote: [u8; 32],
    chain: ChainIdentity,
    expected: PublicKey,
    /// The highest position for which a signature is known.
    signed: Position,
}

impl RemoteSigner {
    /// Connects, waiting a little for a signer that starts at the same time. Refuses one of
    /// another key than `expected`, or whose sign-state ends below height `signed`. Reconnects
    /// by itself later on.
    pub async fn connect(
        address: SignerAddress,
        secret: Zeroizing<[u8; 32]>,
        remote: [u8; 32],
        chain: ChainIdentity,
        expected: PublicKey,
        signed: Height,
    ) -> Result<Self, SignerError> {
        let dialer = Dialer {
            address,
            secret,
            remote,
            chain,
            expected,
            signed: Position::start_of(signed),
        };
        let deadline = Instant::now() + SIGNER_START_TIMEOUT;
        let link = loop {
            match dialer.dial().await {
                Ok(link) => break link,
                Err(SignerError::Io { .. }) if Instant::now() < deadline => {
                    sleep(SIGNER_RETRY).await;
                }
                Err(error) => return Err(error),
            }
        };
        let (asked, questions) = mpsc::channel(SIGNER_QUEUE_MAX);
        tokio::spawn(dialer.run(link, questions));
        Ok(Self {
            public_key: expected,
            chain,
            asked,
        })
    }
}

#[async_trait]
impl VoteSigner for RemoteSigner {
    fn public_key(&self) -> PublicKey {
        self.public_key
    }

    async fn sign(&self, statement: Statement) -> Result<Option<Signature>, SignStateError> {
        let (answer, answered) = oneshot::channel();
        if self.asked.try_send((statement, answer)).is_err() {
            return Ok(None);
        }
        let signature = answered.await.unwrap_or_default();
        let digest = statement.mark(&self.chain).digest;
        let verifies = |signature: &Signature| self.public_key.verify(digest, signature).is_ok();
        if signature.is_some_and(|signature| !verifies(&signature)) {
            warn!("the signer made a signature that does not verify");
            return Ok(None);
        }
        Ok(signature)
    }
}

/// A link with a signer, before anything was said.
pub(super) async fn connect(
    address: &SignerAddress,
    secret: &[u8; 32],
    remote: &[u8; 32],
    chain: &ChainIdentity,
) -> Result<Link, SignerError> {
    let dialed = timeout(SIGNER_TIMEOUT, address.connect()).await;
    let stream = dialed
        .map_err(|_| SignerError::Broken(address.clone()))?
        .map_err(|source| SignerError::Io {
            operation: "connect to the signer at",
            address: address.clone(),
            source,
        })?;
    let prologue = prologue(chain);
    let handshake = Link::initiate(stream, secret, remote, &prologue);
    match timeout(SIGNER_TIMEOUT, handshake).await {
        Ok(Ok(link)) => Ok(link),
        Ok(Err(_)) | Err(_) => Err(SignerError::Handshake(address.clone())),
    }
}

/// One question and its answer.
pub(super) async fn exchange(
    address: &SignerAddress,
    link: &mut Link,
    request: Request,
) -> Result<Reply, SignerError> {
    let answered = async {
        link.send(&request.encode()).await?;
        link.receive().await
    };
    let Ok(Ok(bytes)) = timeout(SIGNER_TIMEOUT, answered).await else {
        return Err(SignerError::Broken(address.clone()));
    };
    Reply::decode(&bytes).ok_or_else(|| SignerError::Protocol(address.clone()))
}

impl Dialer {
    async fn dial(&self) -> Result<Link, SignerError> {
        let address = || self.address.clone();
        let mut link = connect(&self.address, &self.secret, &self.remote, &self.chain).await?;
        let hello = Request::Hello {
            validator: self.expected.address(),
            signed: self.signed,
        };
        match self.exchange(&mut link, hello).await? {
            Reply::Hello { public_key } if public_key == self.expected.encode() => Ok(link),
            Reply::Hello { .. } | Reply::Refused(Refusal::OtherValidator) => {
                Err(SignerError::OtherValidator {
                    address: address(),
                    expected: self.expected.address(),
                })
            }
            Reply::Refused(Refusal::Older) => Err(SignerError::Older(address())),
            Reply::Signed(_) | Reply::Abstained => Err(SignerError::Protocol(address())),
        }
    }

    async fn exchange(&self, link: &mut Link, request: Request) -> Result<Reply, SignerError> {
        exchange(&self.address, link, request).await
    }

    /// Answers questions until nobody asks any more.
    async fn run(mut self, link: Link, mut questions: mpsc::Receiver<Asked>) {
        let mut link = Some(link);
        loop {
            let Some(open) = &mut link else {
                match self.redial(&mut questions).await {
                    Some(new) => link = Some(new),
                    None => return,
                }
                continue;
            };
            let Some((statement, answer)) = questions.recv().await else {
                return;
            };
            let signature = match self.exchange(open, Request::Sign(statement)).await {
                Ok(Reply::Signed(signature)) => {
                    let position = statement.mark(&self.chain).into();
                    self.signed = self.signed.max(position);
                    Some(signature)
                }
                Ok(Reply::Abstained) => {
                    warn!("the signer abstains: its sign-state holds something else");
                    None
                }
                Ok(Reply::Hello { .. } | Reply::Refused(_)) | Err(_) => {
                    warn!(address = %self.address, "no answer from the signer: not voting");
                    link = None;
                    None
                }
            };
            answer.send(signature).ok();
        }
    }

    /// Tries until there is a connection again; what is asked meanwhile is answered with an
    /// abstention. `None` if nobody asks any more.
    async fn redial(&self, questions: &mut mpsc::Receiver<Asked>) -> Option<Link> {
        let mut said = String::new();
        loop {
            match self.dial().await {
                Ok(link) => {
                    info!(address = %self.address, "connected to the signer again");
                    return Some(link);
                }
                Err(error) if error.to_string() != said => {
                    said = error.to_string();
                    warn!("{said}");
                }
                Err(_) => {}
            }
            let pause = sleep(SIGNER_RETRY);
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    asked = questions.recv() => {
                        let (_, answer) = asked?;
                        answer.send(None).ok();
                    }
                }
            }
        }
    }
}
