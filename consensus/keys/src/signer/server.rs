//! The process that holds the key.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use tbsi_types::{Address, ChainIdentity, Height, PublicKey, Round, SecretKey};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{info, warn};
use zeroize::Zeroizing;

use super::address::{SignerAddress, Stream};
use super::decided::{Decided, DecidedError};
use super::link::Link;
use super::message::{Refusal, Reply, Request};
use super::metrics::{self, Counters, Refused, Signed};
use super::prologue;
use crate::limits::{
    SIGNER_CLIENTS_MAX, SIGNER_CONNECTIONS_MAX, SIGNER_HEIGHTS_AHEAD_MAX, SIGNER_TIMEOUT,
};
use crate::{ConsensusStatement, LocalSigner, SignStateError};

/// Why a signer does not start, or stopped. Each is a reason to end the process.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Nobody may connect, or too many.
    #[error("--allow: {0} keys, 1 to {SIGNER_CLIENTS_MAX} are possible")]
    Allowed(usize),
    /// The socket.
    #[error("{operation} {address}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// Where.
        address: SignerAddress,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The disk of the sign-state: nobody knows what was signed.
    #[error(transparent)]
    SignState(#[from] SignStateError),
    /// The disk of what is known to be decided.
    #[error(transparent)]
    Decided(#[from] DecidedError),
}

/// What a signer signs with, and so what it signs.
#[derive(Debug)]
pub enum Holder {
    /// Votes and proposals, with the validator key and its sign-state, a little above what is
    /// decided.
    Validator {
        /// The key and its sign-state.
        signer: Box<LocalSigner>,
        /// What it was shown.
        decided: Mutex<Decided>,
    },
    /// Transactions, with the key of an account.
    Account(SecretKey),
}

/// What a signer process holds. Not printable: one of it is a secret.
pub struct ServedKeys {
    /// Signs.
    pub holder: Holder,
    /// Proves to nodes that it is this signer (`keys/signer.key`).
    pub link_key: Zeroizing<[u8; 32]>,
    /// The network.
    pub chain: ChainIdentity,
}

impl Holder {
    /// The height that it knows to be decided; an account needs none.
    pub(super) fn decided(&self) -> Height {
        match self {
            Self::Validator { decided, .. } => decided.lock().expect("no holder panics").height(),
            Self::Account(_) => Height::GENESIS,
        }
    }

    fn address(&self) -> Address {
        match self {
            Self::Validator { signer, .. } => signer.public_key().address(),
            Self::Account(key) => key.public_key().address(),
        }
    }
}

struct Server {
    holder: Holder,
    link_key: Zeroizing<[u8; 32]>,
    allowed: Vec<[u8; 32]>,
    chain: ChainIdentity,
    counters: Counters,
    /// By the nodes' keys; dropping one ends the connection.
    connected: Mutex<BTreeMap<[u8; 32], oneshot::Sender<()>>>,
}

/// Signs with `keys` until `stop` turns true. Nodes whose keys are not in `allowed` get no
/// answer. What happens is counted, and told to whoever asks `metrics` for `/metrics`. An error is a reason to end the process: above all a disk that failed, because then
/// nobody knows what was signed.
pub async fn serve(
    keys: ServedKeys,
    listen: &SignerAddress,
    allowed: Vec<[u8; 32]>,
    metrics: Option<TcpListener>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ServeError> {
    if !(1..=SIGNER_CLIENTS_MAX).contains(&allowed.len()) {
        return Err(ServeError::Allowed(allowed.len()));
    }
    let server = Arc::new(Server {
        holder: keys.holder,
        link_key: keys.link_key,
        allowed,
        chain: keys.chain,
        counters: Counters::default(),
        connected: Mutex::default(),
    });
    let mut listener = Listener::bind(listen).await?;
    let address = server.holder.address();
    match &server.holder {
        Holder::Validator { signer, decided } => {
            let signed = signer.mark().position();
            let decided = decided.lock().expect("no holder panics").height();
            info!(%listen, validator = %address, %signed, %decided, "signer started");
        }
        Holder::Account(_) => info!(%listen, account = %address, "signer started"),
    }
    let (failed, mut failures) = mpsc::channel(1);
    let connections = Arc::new(Semaphore::new(SIGNER_CONNECTIONS_MAX));
    let mut conversations = JoinSet::new();
    if let Some(listener) = metrics {
        let server = Arc::clone(&server);
        let page = move || server.counters.text(&server.holder, server.nodes());
        conversations.spawn(metrics::answer(listener, Arc::new(page)));
    }
    loop {
        let stream = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            error = failures.recv() => {
                return Err(error.expect("a sender is held here"));
            }
            Some(_) = conversations.join_next() => continue,
            stream = listener.accept() => stream,
        };
        let stream = stream.map_err(failed_at("accept a connection at", listen))?;
        let Ok(place) = Arc::clone(&connections).try_acquire_owned() else {
            server.counters.refused(Refused::Full);
            warn!("refused a connection: {SIGNER_CONNECTIONS_MAX} are open");
            continue;
        };
        let (server, failed) = (Arc::clone(&server), failed.clone());
        conversations.spawn(async move {
            if let Err(Ended::Disk(error)) = serve_one(&server, stream).await {
                failed.send(error).await.ok();
            }
            drop(place);
        });
    }
    conversations.shutdown().await;
    info!("signer stopped");
    Ok(())
}

/// One connection of each node: a new one replaces what may be left of an old one.
async fn serve_one(server: &Arc<Server>, stream: Box<dyn Stream>) -> Result<(), Ended> {
    let prologue = prologue(&server.chain);
    let handshake = Link::respond(stream, &server.link_key, &server.allowed, &prologue);
    let Ok(Ok((link, node))) = timeout(SIGNER_TIMEOUT, handshake).await else {
        server.counters.refused(Refused::Stranger);
        warn!("refused a connection: no node in the --allow list, or of another network");
        return Err(Ended::Node);
    };
    let (newest, replaced) = oneshot::channel();
    server
        .connected
        .lock()
        .expect("no holder panics")
        .insert(node, newest);
    tokio::select! {
        ended = converse(server, link) => ended,
        // The sender was dropped for a newer one.
        _ = replaced => Err(Ended::Node),
    }
}

impl Server {
    /// Nodes that are connected.
    fn nodes(&self) -> usize {
        let connected = self.connected.lock().expect("no holder panics");
        let open = connected
            .values()
            .filter(|connection| !connection.is_closed());
        open.count()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::OtherValidator => Self::OtherKey,
            Refusal::Older => Self::Older,
            Refusal::NotDecided => Self::NotDecided,
        }
    }
}

fn failed_at(
    operation: &'static str,
    address: &SignerAddress,
) -> impl Fn(io::Error) -> ServeError + use<> {
    let address = address.clone();
    move |source| ServeError::Io {
        operation,
        address: address.clone(),
        source,
    }
}

/// Why a conversation ended.
enum Ended {
    /// The node went away, or spoke another protocol.
    Node,
    /// The sign-state, or what is decided, cannot be written.
    Disk(ServeError),
}

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self::Node
    }
}

async fn converse(server: &Arc<Server>, mut link: Link) -> Result<(), Ended> {
    let first = timeout(SIGNER_TIMEOUT, link.receive()).await;
    let first = first.map_err(|_| Ended::Node)??;
    let request = Request::decode(&first).ok_or(Ended::Node)?;
    let (public_key, refusal) = greet(&server.holder, &request)?;
    if let Some(refusal) = refusal {
        server.counters.refused(refusal.into());
        warn!(?refusal, "refused a node");
        link.send(&Reply::Refused(refusal).encode()).await?;
        return Err(Ended::Node);
    }
    info!("a node is connected");
    let hello = Reply::Hello {
        public_key: public_key.encode(),
        decided: server.holder.decided(),
    };
    link.send(&hello.encode()).await?;
    loop {
        let request = Request::decode(&link.receive().await?).ok_or(Ended::Node)?;
        let server = Arc::clone(server);
        let answering = move || answer(&server, request);
        let answered = tokio::task::spawn_blocking(answering).await;
        let reply = answered.map_err(|_| Ended::Node)??;
        link.send(&reply.encode()).await?;
    }
}

/// The key, and why it does not serve who asks with this first request.
fn greet(holder: &Holder, request: &Request) -> Result<(PublicKey, Option<Refusal>), Ended> {
    match (holder, request) {
        (Holder::Validator { signer, .. }, Request::Hello { validator, signed }) => {
            let key = signer.public_key();
            let refusal = if *validator != key.address() {
                Some(Refusal::OtherValidator)
            } else if signer.mark().position() < *signed {
                Some(Refusal::Older)
            } else {
                None
            };
            Ok((key, refusal))
        }
        (Holder::Account(key), Request::Account(account)) => {
            let key = key.public_key();
            let other = *account != key.address();
            Ok((key, other.then_some(Refusal::OtherValidator)))
        }
        // A validator's key signs no transactions, and an account's no votes.
        (Holder::Validator { signer, .. }, Request::Account(_)) => {
            Ok((signer.public_key(), Some(Refusal::OtherValidator)))
        }
        (Holder::Account(key), Request::Hello { .. }) => {
            Ok((key.public_key(), Some(Refusal::OtherValidator)))
        }
        (_, Request::Sign(..) | Request::Transaction(_) | Request::Decided(_)) => Err(Ended::Node),
    }
}

fn answer(server: &Server, request: Request) -> Result<Reply, Ended> {
    let counters = &server.counters;
    match (&server.holder, request) {
        (Holder::Validator { signer, decided }, Request::Sign(statement, remembered)) => {
            sign(signer, decided, (statement, remembered), counters)
        }
        (Holder::Validator { decided, .. }, Request::Decided(shown)) => {
            let mut decided = decided.lock().expect("no holder panics");
            match decided.follow(&shown) {
                Ok(()) => Ok(Reply::Decided(decided.height())),
                Err(DecidedError::Verify(error)) => {
                    let height = shown.checkpoint.height;
                    let known = decided.height();
                    counters.refused(Refused::NotDecided);
                    warn!(%height, %known, %error, "a node showed what was not decided");
                    Ok(Reply::Refused(Refusal::NotDecided))
                }
                Err(error) => Err(Ended::Disk(error.into())),
            }
        }
        (Holder::Account(key), Request::Transaction(hash)) => {
            counters.signed(Signed::Transaction);
            Ok(Reply::Signed(key.sign(hash)))
        }
        (Holder::Validator { .. } | Holder::Account(_), _) => Err(Ended::Node),
    }
}

/// Nothing that is far above what is decided: the mark that it leaves would silence the validator
/// until then.
fn sign(
    signer: &LocalSigner,
    decided: &Mutex<Decided>,
    (statement, remembered): (ConsensusStatement, Option<Round>),
    counters: &Counters,
) -> Result<Reply, Ended> {
    let known = decided.lock().expect("no holder panics").height();
    let height = statement.height();
    if height.above(known) > SIGNER_HEIGHTS_AHEAD_MAX {
        counters.refused(Refused::Ahead);
        info!(%height, %known, "not signing: too far above what this signer knows to be decided");
        return Ok(Reply::Decided(known));
    }
    let signed = signer.sign_blocking(statement, remembered);
    let signed = signed.map_err(|error| Ended::Disk(error.into()))?;
    match signed {
        Some(_) => counters.signed(Signed::at(statement.step())),
        None => counters.refused(Refused::SignState),
    }
    Ok(match signed {
        None => Reply::Abstained,
        Some(signed) => match signed.statement {
            ConsensusStatement::Vote(vote) if signed.statement != statement => {
                Reply::SignedOther(vote, signed.signature)
            }
            ConsensusStatement::Vote(_) | ConsensusStatement::Proposal(_) => {
                Reply::Signed(signed.signature)
            }
        },
    })
}

enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Listener {
    async fn bind(address: &SignerAddress) -> Result<Self, ServeError> {
        let failed = failed_at("listen on", address);
        match address {
            SignerAddress::Tcp(address) => {
                let listener = TcpListener::bind(address).await;
                Ok(Self::Tcp(listener.map_err(failed)?))
            }
            SignerAddress::Unix(path) => {
                // What a killed process left is removed, what somebody listens on is not.
                if path.exists() && UnixStream::connect(path).await.is_err() {
                    std::fs::remove_file(path).map_err(&failed)?;
                }
                let listener = UnixListener::bind(path).map_err(&failed)?;
                let owner = std::fs::Permissions::from_mode(0o600);
                std::fs::set_permissions(path, owner).map_err(&failed)?;
                Ok(Self::Unix(listener))
            }
        }
    }

    async fn accept(&mut self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
            Self::Tcp(listener) => {
                let stream = listener.accept().await?.0;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
        }
    }
}
