use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tbsi_types::{
    B256, CheckpointDigest, Genesis, Height, ProposalStatement, PublicKey, Round, Signature,
    VoteKind, VoteStatement,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use super::message::{Refusal, Reply, Request};
use super::testing::{decision, genesis, key};
use super::*;
use crate::limits::SIGNER_HEIGHTS_AHEAD_MAX;
use crate::{
    ConsensusStatement, LocalSigner, Position, SignState, SignStateError, Step, VoteSigner,
};

const NODE: [u8; 32] = [7; 32];
const SIGNER: [u8; 32] = [6; 32];
/// Seeds of the validators' keys; the signer has that of the first.
const FOUNDERS: [u8; 4] = [1, 2, 3, 4];

/// A validator's key and sign-state, and where its signer listens.
struct Fixture {
    dir: TempDir,
    genesis: Genesis,
    chain: ChainIdentity,
    public_key: PublicKey,
    /// What its node has to show.
    shown: Arc<Mutex<Vec<ShownDecision>>>,
}

/// Decisions in order.
struct Shelf(Arc<Mutex<Vec<ShownDecision>>>);

impl Decisions for Shelf {
    fn next(&self, height: Height) -> Result<Option<ShownDecision>, Box<dyn Error + Send + Sync>> {
        let shown = self.0.lock().unwrap();
        let mut later = shown.iter();
        Ok(later
            .find(|shown| shown.checkpoint.height > height)
            .cloned())
    }
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let genesis = genesis(&FOUNDERS);
        let chain = genesis.identity();
        let public_key = key(1).public_key();
        let file = dir.path().join("sign-state");
        SignState::create(&file, chain, public_key.address(), Height::GENESIS).unwrap();
        Self {
            dir,
            genesis,
            chain,
            public_key,
            shown: Arc::default(),
        }
    }

    fn address(&self) -> SignerAddress {
        SignerAddress::Unix(self.dir.path().join("socket"))
    }

    fn open(&self) -> Result<Holder, SignStateError> {
        let file = self.dir.path().join("sign-state");
        let state = SignState::open(&file, self.chain, self.public_key.address())?;
        let decided = self.dir.path().join("decided");
        let decided = Decided::open(&decided, &self.genesis).unwrap();
        Ok(Holder::Validator {
            signer: Box::new(LocalSigner::new(self.chain, key(1), state)),
            decided: Mutex::new(decided),
        })
    }

    fn start(&self) -> (Serving, watch::Sender<bool>) {
        self.serve(self.open().unwrap())
    }

    fn serve(&self, holder: Holder) -> (Serving, watch::Sender<bool>) {
        self.serve_and_tell(holder, None)
    }

    fn serve_and_tell(
        &self,
        holder: Holder,
        metrics: Option<TcpListener>,
    ) -> (Serving, watch::Sender<bool>) {
        let address = self.address();
        let (stop, stopping) = watch::channel(false);
        let allowed = vec![link_public_key(&NODE)];
        let keys = ServedKeys {
            holder,
            link_key: Zeroizing::new(SIGNER),
            chain: self.chain,
        };
        let serving = async move { serve(keys, &address, allowed, metrics, stopping).await };
        (tokio::spawn(serving), stop)
    }

    /// The founders decide this height.
    fn decide(&self, height: u64) {
        let decided = decision(&self.chain, height, &FOUNDERS, &[1, 2, 3], &FOUNDERS);
        self.shown.lock().unwrap().push(decided);
    }

    async fn connect(&self) -> Result<RemoteSigner, SignerError> {
        let signer = link_public_key(&SIGNER);
        let none = Position::start_of(Height::GENESIS);
        self.connect_as(NODE, signer, self.chain, self.public_key, none)
            .await
    }

    async fn connect_as(
        &self,
        secret: [u8; 32],
        remote: [u8; 32],
        chain: ChainIdentity,
        expected: PublicKey,
        signed: Position,
    ) -> Result<RemoteSigner, SignerError> {
        let (address, secret) = (self.address(), Zeroizing::new(secret));
        let shelf = Arc::new(Shelf(Arc::clone(&self.shown)));
        RemoteSigner::connect(address, secret, remote, chain, expected, signed, shelf).await
    }
}

type Serving = JoinHandle<Result<(), ServeError>>;

fn vote(height: u64, value: u8) -> ConsensusStatement {
    ConsensusStatement::Vote(VoteStatement {
        kind: VoteKind::Precommit,
        height: Height(height),
        round: Round(0),
        value: Some(CheckpointDigest(B256::repeat_byte(value))),
    })
}

async fn socket(path: &Path) {
    let there = async {
        while !path.exists() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), there).await.unwrap();
}

#[tokio::test]
async fn what_is_signed_and_refused_is_counted() {
    let fixture = Fixture::new();
    let metrics = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = metrics.local_addr().unwrap();
    let (serving, stop) = fixture.serve_and_tell(fixture.open().unwrap(), Some(metrics));
    let page = async |request: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).await.unwrap();
        page
    };
    let signer = fixture.connect().await.unwrap();
    signer.sign(vote(5, 1), None).await.unwrap().unwrap();
    assert_eq!(signer.sign(vote(4, 2), None).await.unwrap(), None);
    assert_eq!(signer.sign(vote(1_000, 1), None).await.unwrap(), None);
    let shown = page("GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await;
    for line in [
        "tbsi_signer_signed_total{kind=\"precommit\"} 1",
        "tbsi_signer_signed_total{kind=\"prevote\"} 0",
        "tbsi_signer_refused_total{reason=\"sign_state\"} 1",
        "tbsi_signer_mark_height 5",
        "tbsi_signer_decided_height 0",
        "tbsi_signer_nodes 1",
        "# TYPE tbsi_signer_refused_total counter",
    ] {
        assert!(
            shown.lines().any(|shown| shown == line),
            "{line} in {shown}"
        );
    }
    assert!(shown.contains("refused_total{reason=\"ahead\"}"), "{shown}");
    assert!(
        !shown.contains("refused_total{reason=\"ahead\"} 0"),
        "{shown}"
    );
    let other = page("GET /keys HTTP/1.1\r\n\r\n").await;
    assert!(other.starts_with("HTTP/1.1 404"), "{other}");
    // One that is slow keeps nobody else waiting.
    let _slow = TcpStream::connect(address).await.unwrap();
    assert!(
        page("GET /metrics HTTP/1.0\r\n\r\n")
            .await
            .contains("mark_height 5")
    );
    stop.send_replace(true);
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn signs_each_position_once_across_restarts() {
    let fixture = Fixture::new();
    let (serving, stop) = fixture.start();
    let signer = fixture.connect().await.unwrap();
    assert_eq!(signer.public_key(), fixture.public_key);
    let signed = signer.sign(vote(5, 1), None).await.unwrap().unwrap();
    let digest = vote(5, 1).mark(&fixture.chain).digest;
    assert_eq!(signed.statement, vote(5, 1));
    let verified = fixture.public_key.verify(digest, &signed.signature);
    assert_eq!(verified, Ok(()));
    assert_eq!(signer.sign(vote(5, 1), None).await.unwrap(), Some(signed));
    // The same again, where another vote is asked.
    assert_eq!(signer.sign(vote(5, 2), None).await.unwrap(), Some(signed));
    assert_eq!(signer.sign(vote(4, 1), None).await.unwrap(), None);

    stop.send_replace(true);
    serving.await.unwrap().unwrap();
    let (serving, _stop) = fixture.start();
    let again = async {
        loop {
            if let Some(signed) = signer.sign(vote(6, 1), None).await.unwrap() {
                return signed;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), again).await.unwrap();
    assert_eq!(signer.sign(vote(5, 2), None).await.unwrap(), None);
    serving.abort();
}

#[tokio::test]
async fn serves_only_whom_it_should() {
    let fixture = Fixture::new();
    let (_serving, _stop) = fixture.start();
    socket(&fixture.dir.path().join("socket")).await;
    let (remote, chain) = (link_public_key(&SIGNER), fixture.chain);
    let own = fixture.public_key;
    let none = Position::start_of(Height::GENESIS);
    let stranger = fixture.connect_as([8; 32], remote, chain, own, none).await;
    let stranger = stranger.unwrap_err();
    assert!(matches!(stranger, SignerError::Handshake(_)), "{stranger}");
    let impostor = link_public_key(&[9; 32]);
    let impostor = fixture.connect_as(NODE, impostor, chain, own, none).await;
    assert!(matches!(impostor, Err(SignerError::Handshake(_))));
    let elsewhere = ChainIdentity {
        chain_id: 8,
        ..chain
    };
    let elsewhere = fixture.connect_as(NODE, remote, elsewhere, own, none).await;
    assert!(matches!(elsewhere, Err(SignerError::Handshake(_))));
    let other = key(8).public_key();
    let other = fixture.connect_as(NODE, remote, chain, other, none).await;
    assert!(matches!(other, Err(SignerError::OtherValidator { .. })));
    // An older copy of the sign-state: the chain has a signature of height 9.
    let older = fixture
        .connect_as(NODE, remote, chain, own, Position::start_of(Height(9)))
        .await;
    assert!(matches!(older, Err(SignerError::Older(_))));
    fixture.connect().await.unwrap();
}

#[tokio::test]
async fn a_second_signer_of_one_sign_state_does_not_start() {
    let fixture = Fixture::new();
    let (_serving, _stop) = fixture.start();
    socket(&fixture.dir.path().join("socket")).await;
    let said = fixture.open().unwrap_err().to_string();
    assert!(said.contains("is in use"), "{said}");
}

/// Whoever takes an allowed node over cannot push the mark to where the validator is silent for
/// ever.
#[tokio::test]
async fn an_allowed_node_cannot_push_the_mark_far_above_what_is_decided() {
    let fixture = Fixture::new();
    let (serving, stop) = fixture.start();
    let signer = fixture.connect().await.unwrap();
    assert_eq!(signer.sign(vote(u64::MAX, 1), None).await.unwrap(), None);
    let ahead = SIGNER_HEIGHTS_AHEAD_MAX;
    assert_eq!(signer.sign(vote(ahead + 1, 1), None).await.unwrap(), None);
    let usual = signer.sign(vote(1, 1), None).await.unwrap();
    assert!(usual.is_some(), "the mark has not moved");
    assert!(signer.sign(vote(ahead, 1), None).await.unwrap().is_some());
    // Step by step it comes no further.
    assert_eq!(signer.sign(vote(ahead + 1, 1), None).await.unwrap(), None);
    // Not with a certificate that is none, either.
    let shown = decision(&fixture.chain, 2 * ahead, &FOUNDERS, &[1, 2], &FOUNDERS);
    fixture.shown.lock().unwrap().push(shown);
    assert_eq!(signer.sign(vote(2 * ahead, 1), None).await.unwrap(), None);
    stop.send_replace(true);
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_signer_follows_what_its_node_shows_it_to_be_decided() {
    let fixture = Fixture::new();
    let ahead = SIGNER_HEIGHTS_AHEAD_MAX;
    fixture.decide(5 * ahead);
    let (serving, stop) = fixture.start();
    // Shown when it connects: a validator that was away for long votes at once.
    let signer = fixture.connect().await.unwrap();
    assert!(
        signer
            .sign(vote(6 * ahead, 1), None)
            .await
            .unwrap()
            .is_some()
    );
    // Shown when it is asked for more.
    fixture.decide(6 * ahead);
    fixture.decide(7 * ahead);
    assert!(
        signer
            .sign(vote(7 * ahead + 1, 1), None)
            .await
            .unwrap()
            .is_some()
    );
    stop.send_replace(true);
    serving.await.unwrap().unwrap();
    // It remembers: another node that has nothing to show gets votes there too.
    fixture.shown.lock().unwrap().clear();
    let (serving, stop) = fixture.start();
    let signer = fixture.connect().await.unwrap();
    assert!(
        signer
            .sign(vote(7 * ahead + 2, 1), None)
            .await
            .unwrap()
            .is_some()
    );
    stop.send_replace(true);
    serving.await.unwrap().unwrap();
}

#[test]
fn messages_have_one_encoding() {
    let proposal = ConsensusStatement::Proposal(ProposalStatement {
        height: Height(5),
        round: Round(1),
        polka_round: None,
        value: CheckpointDigest(B256::repeat_byte(3)),
    });
    let hello = Request::Hello {
        validator: Address::repeat_byte(1),
        signed: Position {
            height: Height(5),
            round: Round(1),
            step: Step::Prevote,
        },
    };
    for request in [
        hello,
        Request::Sign(vote(5, 1), None),
        Request::Sign(proposal, Some(Round(3))),
    ] {
        let bytes = request.encode();
        assert_eq!(Request::decode(&bytes), Some(request));
        for end in 0..bytes.len() {
            assert_eq!(Request::decode(&bytes[..end]), None);
        }
        assert_eq!(Request::decode(&[bytes.as_slice(), &[0]].concat()), None);
    }
    let other = match vote(5, 1) {
        ConsensusStatement::Vote(vote) => vote,
        ConsensusStatement::Proposal(_) => unreachable!("it is a vote"),
    };
    let replies = [
        Reply::Hello {
            public_key: [2; 33],
            decided: Height(8),
        },
        Reply::Decided(Height(9)),
        Reply::Refused(Refusal::NotDecided),
        Reply::Signed(Signature([3; 65])),
        Reply::SignedOther(other, Signature([3; 65])),
        Reply::Abstained,
        Reply::Refused(Refusal::OtherValidator),
        Reply::Refused(Refusal::Older),
    ];
    for reply in replies {
        let bytes = reply.encode();
        assert_eq!(Reply::decode(&bytes), Some(reply));
        assert_eq!(Reply::decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Reply::decode(&[bytes.as_slice(), &[0]].concat()), None);
    }
    for bad in [&[9][..], &[3, 4], &[]] {
        assert_eq!(Reply::decode(bad), None);
    }
}

#[test]
fn addresses_are_sockets() {
    for text in ["unix:/run/signer.sock", "127.0.0.1:27002", "[::1]:1"] {
        let address: SignerAddress = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
    }
    for bad in ["", "unix:", "localhost:1", "127.0.0.1", "/run/signer.sock"] {
        assert!(bad.parse::<SignerAddress>().is_err(), "{bad}");
    }
}

#[test]
fn what_relayers_ask_has_one_form() {
    let requests = [
        Request::Account(Address::repeat_byte(5)),
        Request::Transaction(B256::repeat_byte(6)),
    ];
    for request in requests {
        let bytes = request.encode();
        assert_eq!(Request::decode(&bytes), Some(request));
        assert_eq!(Request::decode(&bytes[1..]), None);
        assert_eq!(Request::decode(&[bytes.as_slice(), &[0]].concat()), None);
    }
}

/// No signer has both roles: a validator's key signs no transactions, an account's no votes.
#[tokio::test]
async fn a_signer_keeps_to_its_role() {
    let fixture = Fixture::new();
    let account = |expected| {
        let secret = Zeroizing::new(NODE);
        let signer = link_public_key(&SIGNER);
        RemoteAccount::new(fixture.address(), secret, signer, fixture.chain, expected)
    };
    let (serving, stop) = fixture.start();
    let validator = fixture.public_key.address();
    let refused = async |expected| loop {
        match account(expected).sign(B256::repeat_byte(1)).await {
            // It listens in a moment.
            Err(SignerError::Io { .. }) => sleep(Duration::from_millis(10)).await,
            other => return matches!(other, Err(SignerError::OtherAccount { .. })),
        }
    };
    assert!(refused(validator).await);
    stop.send_replace(true);
    serving.await.unwrap().unwrap();

    let own = key(9).public_key();
    let holder = Holder::Account(key(9));
    let (serving, stop) = fixture.serve(holder);
    assert!(refused(validator).await);
    let hash = B256::repeat_byte(7);
    let remote = account(own.address());
    let signature = remote.sign(hash).await.unwrap();
    assert!(own.verify(hash, &signature).is_ok());
    let vote = fixture.connect().await;
    assert!(matches!(vote, Err(SignerError::OtherValidator { .. })));
    stop.send_replace(true);
    serving.await.unwrap().unwrap();
}
