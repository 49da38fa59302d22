//! A node's end: asks the signer, shows it what was decided, and abstains when it does not answer.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use tbsi_types::{ChainIdentity, Height, PublicKey, Round};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};
use zeroize::Zeroizing;

use super::decided::ShownDecision;
use super::link::Link;
use super::message::{Refusal, Reply, Request};
use super::{SignerAddress, SignerError, prologue};
use crate::limits::{
    SIGNER_QUEUE_MAX, SIGNER_RETRY, SIGNER_SHOWN_MAX, SIGNER_START_TIMEOUT, SIGNER_TIMEOUT,
};
use crate::{ConsensusStatement, Position, SignStateError, SignedStatement, VoteSigner};

/// A validator's signer in another process.
#[derive(Debug)]
pub struct RemoteSigner {
    public_key: PublicKey,
    chain: ChainIdentity,
    asked: mpsc::Sender<Asked>,
    /// Ends with it.
    _speaks: JoinSet<()>,
}

/// What a node has to show to its signer.
pub trait Decisions: Send + Sync + 'static {
    /// The decision that somebody can verify next who knows `height` to be decided: the last one
    /// of the validator set that decides the height after it, or the newest if that set decides
    /// still. `None` if nothing later is decided. May block on the disk.
    fn next(&self, height: Height) -> Result<Option<ShownDecision>, Box<dyn Error + Send + Sync>>;
}

/// A statement, what its node remembers, and who waits for the signature.
type Asked = (
    (ConsensusStatement, Option<Round>),
    oneshot::Sender<Option<SignedStatement>>,
);

/// What it takes to connect, and what is said first.
struct Dialer {
    address: SignerAddress,
    secret: Zeroizing<[u8; 32]>,
    remote: [u8; 32],
    chain: ChainIdentity,
    expected: PublicKey,
    /// The highest position for which a signature is known.
    signed: Position,
    decisions: Arc<dyn Decisions>,
}

impl RemoteSigner {
    /// Connects, waiting a little for a signer that starts at the same time. Refuses one of
    /// another key than `expected`, or whose sign-state ends below `signed`. Reconnects by itself
    /// later on.
    pub async fn connect(
        address: SignerAddress,
        secret: Zeroizing<[u8; 32]>,
        remote: [u8; 32],
        chain: ChainIdentity,
        expected: PublicKey,
        signed: Position,
        decisions: Arc<dyn Decisions>,
    ) -> Result<Self, SignerError> {
        let dialer = Dialer {
            address,
            secret,
            remote,
            chain,
            expected,
            signed,
            decisions,
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
        let mut speaks = JoinSet::new();
        speaks.spawn(dialer.run(link, questions));
        Ok(Self {
            public_key: expected,
            chain,
            asked,
            _speaks: speaks,
        })
    }
}

#[async_trait]
impl VoteSigner for RemoteSigner {
    fn public_key(&self) -> PublicKey {
        self.public_key
    }

    async fn sign(
        &self,
        asked: ConsensusStatement,
        remembered: Option<Round>,
    ) -> Result<Option<SignedStatement>, SignStateError> {
        let (answer, answered) = oneshot::channel();
        let question = (asked, remembered);
        if self.asked.try_send((question, answer)).is_err() {
            return Ok(None);
        }
        let Some(signed) = answered.await.unwrap_or_default() else {
            return Ok(None);
        };
        let got = signed.statement.mark(&self.chain);
        let verified = self.public_key.verify(got.digest, &signed.signature);
        if !signed.answers(&asked) || verified.is_err() {
            warn!("the signer made a signature that does not verify, or for another step");
            return Ok(None);
        }
        Ok(Some(signed))
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
        Ok(Err(_)) => Err(SignerError::Handshake(address.clone())),
        Err(_) => Err(SignerError::Broken(address.clone())),
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
            Reply::Hello {
                public_key,
                decided,
            } if public_key == self.expected.encode() => {
                // It may sign without, for a while.
                if let Err(error) = self.show(&mut link, decided).await {
                    warn!("{error}");
                }
                Ok(link)
            }
            Reply::Hello { .. } | Reply::Refused(Refusal::OtherValidator) => {
                Err(SignerError::OtherValidator {
                    address: address(),
                    expected: self.expected.address(),
                })
            }
            Reply::Refused(Refusal::Older) => Err(SignerError::Older(address())),
            Reply::Signed(_)
            | Reply::SignedOther(..)
            | Reply::Abstained
            | Reply::Decided(_)
            | Reply::Refused(Refusal::NotDecided) => Err(SignerError::Protocol(address())),
        }
    }

    /// Shows a signer that knows height `known` to be decided what came after it, up to the
    /// newest decision. What is left after [`SIGNER_SHOWN_MAX`] is shown another time.
    async fn show(&self, link: &mut Link, mut known: Height) -> Result<(), SignerError> {
        for _ in 0..SIGNER_SHOWN_MAX {
            let failed = |known, problem: String| SignerError::NotDecided {
                address: self.address.clone(),
                known,
                problem,
            };
            let decisions = Arc::clone(&self.decisions);
            let next = spawn_blocking(move || decisions.next(known)).await;
            let next = next.map_err(|error| failed(known, error.to_string()))?;
            let next = next.map_err(|error| failed(known, error.to_string()))?;
            let Some(next) = next else {
                return Ok(());
            };
            let height = next.checkpoint.height;
            let request = Request::Decided(Box::new(next));
            match self.exchange(link, request).await? {
                Reply::Decided(now) if now > known => known = now,
                Reply::Refused(Refusal::NotDecided) => {
                    let problem = format!("it does not believe that height {height} is");
                    return Err(failed(known, problem));
                }
                Reply::Signed(_)
                | Reply::SignedOther(..)
                | Reply::Abstained
                | Reply::Decided(_)
                | Reply::Hello { .. }
                | Reply::Refused(_) => return Err(SignerError::Protocol(self.address.clone())),
            }
        }
        Ok(())
    }

    /// Asks for a signature, and once more if the signer has to learn first what was decided.
    async fn ask(
        &self,
        link: &mut Link,
        (statement, remembered): (ConsensusStatement, Option<Round>),
    ) -> Result<Reply, SignerError> {
        let request = || Request::Sign(statement, remembered);
        let reply = self.exchange(link, request()).await?;
        let Reply::Decided(known) = reply else {
            return Ok(reply);
        };
        self.show(link, known).await?;
        self.exchange(link, request()).await
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
            let Some((question, answer)) = questions.recv().await else {
                return;
            };
            let signed = match self.ask(open, question).await {
                Ok(reply) => self.on_reply(question.0, reply),
                Err(error @ SignerError::NotDecided { .. }) => {
                    warn!("{error}: not voting");
                    Ok(None)
                }
                Err(_) => Err(()),
            };
            if signed.is_err() {
                warn!(address = %self.address, "no answer from the signer: not voting");
                link = None;
            }
            answer.send(signed.unwrap_or_default()).ok();
        }
    }

    /// What the signer signed where `asked` was wanted; an error if this is no answer to it.
    fn on_reply(
        &mut self,
        asked: ConsensusStatement,
        reply: Reply,
    ) -> Result<Option<SignedStatement>, ()> {
        let signed = match reply {
            Reply::Signed(signature) => SignedStatement {
                statement: asked,
                signature,
            },
            Reply::SignedOther(vote, signature) => {
                warn!(
                    ?asked, signed = ?vote,
                    "the signer signed what it had signed here before, or nil against a block \
                     that it is locked on"
                );
                SignedStatement {
                    statement: ConsensusStatement::Vote(vote),
                    signature,
                }
            }
            Reply::Abstained => {
                warn!("the signer abstains: its sign-state holds something else");
                return Ok(None);
            }
            Reply::Decided(known) => {
                warn!(height = %asked.height(), %known, "the signer abstains: the height \
                    is too far above what this node could show it to be decided");
                return Ok(None);
            }
            Reply::Hello { .. } | Reply::Refused(_) => return Err(()),
        };
        let position = asked.mark(&self.chain).position();
        self.signed = self.signed.max(position);
        Ok(Some(signed))
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
