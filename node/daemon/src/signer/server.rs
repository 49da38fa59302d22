//! The process that holds the key.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use tbsi_engine::{LocalSigner, SignState, SignStateError};
use tbsi_types::{Address, ChainIdentity, PublicKey, SecretKey, Signature};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{info, warn};
use zeroize::Zeroizing;

use super::address::{SignerAddress, Stream};
use super::link::Link;
use super::message::{Position, Refusal, Reply, Request};
use super::prologue;
use crate::home::{Home, load_genesis};
use crate::keyfile::{KeyKind, load_secret, open_validator_key};
use crate::limits::{SIGNER_CLIENTS_MAX, SIGNER_CONNECTIONS_MAX, SIGNER_TIMEOUT};

/// What a signer signs with, and so what it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Votes and proposals, with the validator key and its sign-state.
    Validator,
    /// Transactions, with the key of an account.
    Account,
}

enum Holder {
    Validator(LocalSigner),
    Account(SecretKey),
}

impl Holder {
    fn address(&self) -> Address {
        match self {
            Self::Validator(signer) => signer.public_key().address(),
            Self::Account(key) => key.public_key().address(),
        }
    }
}

struct Server {
    holder: Holder,
    link_key: Zeroizing<[u8; 32]>,
    allowed: Vec<[u8; 32]>,
    chain: ChainIdentity,
    /// By the nodes' keys; dropping one ends the connection.
    connected: Mutex<BTreeMap<[u8; 32], oneshot::Sender<()>>>,
}

/// Signs with the validator key of a home, or with its account's, until `stop` turns true. Nodes whose keys are not in
/// `allowed` get no answer. An error is a reason to end the process: above all a disk that
/// failed, because then nobody knows what was signed.
pub async fn serve(
    home: &Home,
    role: Role,
    listen: &SignerAddress,
    allowed: Vec<[u8; 32]>,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    anyhow::ensure!(
        (1..=SIGNER_CLIENTS_MAX).contains(&allowed.len()),
        "--allow: {} keys, 1 to {SIGNER_CLIENTS_MAX} are possible",
        allowed.len()
    );
    let server = Arc::new(open(home, role, allowed)?);
    let mut listener = Listener::bind(listen).await?;
    let address = server.holder.address();
    match &server.holder {
        Holder::Validator(signer) => {
            let signed_height = signer.mark().height;
            info!(%listen, validator = %address, %signed_height, "signer started");
        }
        Holder::Account(_) => info!(%listen, account = %address, "signer started"),
    }
    let (failed, mut failures) = mpsc::channel(1);
    let connections = Arc::new(Semaphore::new(SIGNER_CONNECTIONS_MAX));
    let mut conversations = JoinSet::new();
    loop {
        let stream = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            error = failures.recv() => {
                let error: SignStateError = error.context("a sender is held here")?;
                return Err(error.into());
            }
            Some(_) = conversations.join_next() => continue,
            stream = listener.accept() => stream,
        };
        let stream = stream.context("accept a connection")?;
        let Ok(place) = Arc::clone(&connections).try_acquire_owned() else {
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

fn open(home: &Home, role: Role, allowed: Vec<[u8; 32]>) -> anyhow::Result<Server> {
    let genesis = load_genesis(&home.genesis_file())?;
    let chain = genesis.identity();
    let link_file = home.key_file(KeyKind::Signer);
    let link_key = load_secret(&link_file, KeyKind::Signer, home.password())?;
    let holder = match role {
        Role::Validator => {
            let key = open_validator_key(&home.validator_key_file(), home.password())?;
            let address = key.public_key().address();
            let state = SignState::open(&home.sign_state_file(), chain, address)?;
            Holder::Validator(LocalSigner::new(chain, key, state))
        }
        Role::Account => Holder::Account(home.load_account_key()?),
    };
    Ok(Server {
        holder,
        link_key,
        allowed,
        chain,
        connected: Mutex::default(),
    })
}

/// Why a conversation ended.
enum Ended {
    /// The node went away, or spoke another protocol.
    Node,
    /// The sign-state cannot be written.
    Disk(SignStateError),
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
    let (public_key, refusal) = greet(&server.holder, request)?;
    if let Some(refusal) = refusal {
        warn!(?refusal, "refused a node");
        link.send(&Reply::Refused(refusal).encode()).await?;
        return Err(Ended::Node);
    }
    info!("a node is connected");
    let hello = Reply::Hello {
        public_key: public_key.encode(),
    };
    link.send(&hello.encode()).await?;
    loop {
        let request = Request::decode(&link.receive().await?).ok_or(Ended::Node)?;
        let server = Arc::clone(server);
        let signing = move || sign(&server.holder, request);
        let signed = tokio::task::spawn_blocking(signing).await;
        let signature = signed.map_err(|_| Ended::Node)??;
        let reply = signature.map_or(Reply::Abstained, Reply::Signed);
        link.send(&reply.encode()).await?;
    }
}

/// The key, and why it does not serve who asks with this first request.
fn greet(holder: &Holder, request: Request) -> Result<(PublicKey, Option<Refusal>), Ended> {
    match (holder, request) {
        (Holder::Validator(signer), Request::Hello { validator, signed }) => {
            let key = signer.public_key();
            let refusal = if validator != key.address() {
                Some(Refusal::OtherValidator)
            } else if Position::from(signer.mark()) < signed {
                Some(Refusal::Older)
            } else {
                None
            };
            Ok((key, refusal))
        }
        (Holder::Account(key), Request::Account(account)) => {
            let key = key.public_key();
            let other = account != key.address();
            Ok((key, other.then_some(Refusal::OtherValidator)))
        }
        // A validator's key signs no transactions, and an account's no votes.
        (Holder::Validator(signer), Request::Account(_)) => {
            Ok((signer.public_key(), Some(Refusal::OtherValidator)))
        }
        (Holder::Account(key), Request::Hello { .. }) => {
            Ok((key.public_key(), Some(Refusal::OtherValidator)))
        }
        (_, Request::Sign(_) | Request::Transaction(_)) => Err(Ended::Node),
    }
}

fn sign(holder: &Holder, request: Request) -> Result<Option<Signature>, Ended> {
    match (holder, request) {
        (Holder::Validator(signer), Request::Sign(statement)) => {
            signer.sign_blocking(statement).map_err(Ended::Disk)
        }
        (Holder::Account(key), Request::Transaction(hash)) => Ok(Some(key.sign(hash))),
        (Holder::Validator(_) | Holder::Account(_), _) => Err(Ended::Node),
    }
}

enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Listener {
    async fn bind(address: &SignerAddress) -> anyhow::Result<Self> {
        let context = || format!("listen on {address}");
        match address {
            SignerAddress::Tcp(address) => {
                let listener = TcpListener::bind(address).await;
                Ok(Self::Tcp(listener.with_context(context)?))
            }
            SignerAddress::Unix(path) => {
                // What a killed process left is removed, what somebody listens on is not.
                if path.exists() && UnixStream::connect(path).await.is_err() {
                    std::fs::remove_file(path).with_context(context)?;
                }
                let listener = UnixListener::bind(path).with_context(context)?;
                let owner = std::fs::Permissions::from_mode(0o600);
                std::fs::set_permissions(path, owner).with_context(context)?;
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
