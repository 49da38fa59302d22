use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tbsi_engine::{Statement, Step, VoteSigner};
use tbsi_types::genesis::{ConsensusParameters, NodeEntry, OrganisationEntry, ValidatorEntry};
use tbsi_types::{
    B256, CheckpointDigest, Genesis, Height, ProposalStatement, PublicKey, Round, Signature,
    TimestampMs, VoteKind, VoteStatement,
};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use super::message::{Position, Refusal, Reply, Request};
use super::*;
use crate::home::Home;
use crate::keyfile::NodeKey;

const NODE: [u8; 32] = [7; 32];

/// A signer's home, where it listens, and the network.
struct Fixture {
    dir: TempDir,
    home: Home,
    genesis: Genesis,
    public_key: PublicKey,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path().join("home"));
        home.ensure_link_key().unwrap();
        let public_key = home.ensure_validator_key().unwrap().public_key();
        let node = NodeEntry {
            name: "node-1".into(),
            organisation: "a".into(),
            peer_id: NodeKey::from_seed([1; 32]).peer_id(),
            validator: Some(ValidatorEntry {
                public_key: public_key.encode().to_vec().into(),
                power: 1,
                ..ValidatorEntry::default()
            }),
            ..NodeEntry::default()
        };
        let organisation = OrganisationEntry {
            name_en: "Guild A".into(),
            ..OrganisationEntry::default()
        };
        let genesis = Genesis {
            version: 1,
            name: "signer".into(),
            chain_id: 7,
            time_ms: TimestampMs(1),
            block_gas_limit: 300_000_000,
            consensus: ConsensusParameters::default(),
            organisations: [("a".to_owned(), organisation)].into(),
            nodes: vec![node],
            governance: None,
            accounts: BTreeMap::new(),
        };
        home.init_signer(&genesis, Height::GENESIS).unwrap();
        Self {
            dir,
            home,
            genesis,
            public_key,
        }
    }

    fn address(&self) -> SignerAddress {
        SignerAddress::Unix(self.dir.path().join("socket"))
    }

    fn start(&self) -> (JoinHandle<anyhow::Result<()>>, watch::Sender<bool>) {
        let (home, address) = (self.home.clone(), self.address());
        let (stop, stopping) = watch::channel(false);
        let allowed = vec![link_public_key(&NODE)];
        let serving =
            async move { serve(&home, Role::Validator, &address, allowed, stopping).await };
        (tokio::spawn(serving), stop)
    }

    fn remote(&self) -> [u8; 32] {
        link_public_key(&self.home.load_link_key().unwrap())
    }

    async fn connect(&self) -> Result<RemoteSigner, SignerError> {
        let chain = self.genesis.identity();
        self.connect_as(NODE, self.remote(), chain, self.public_key, Height::GENESIS)
            .await
    }

    async fn connect_as(
        &self,
        secret: [u8; 32],
        remote: [u8; 32],
        chain: ChainIdentity,
        expected: PublicKey,
        signed: Height,
    ) -> Result<RemoteSigner, SignerError> {
        let secret = Zeroizing::new(secret);
        RemoteSigner::connect(self.address(), secret, remote, chain, expected, signed).await
    }
}

fn vote(height: u64, value: u8) -> Statement {
    Statement::Vote(VoteStatement {
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
async fn signs_each_position_once_across_restarts() {
    let fixture = Fixture::new();
    let (serving, stop) = fixture.start();
    let signer = fixture.connect().await.unwrap();
    assert_eq!(signer.public_key(), fixture.public_key);
    let chain = fixture.genesis.identity();
    let signed = signer.sign(vote(5, 1)).await.unwrap().unwrap();
    let digest = vote(5, 1).mark(&chain).digest;
    assert_eq!(fixture.public_key.verify(digest, &signed), Ok(()));
    assert_eq!(signer.sign(vote(5, 1)).await.unwrap(), Some(signed));
    assert_eq!(signer.sign(vote(5, 2)).await.unwrap(), None);
    assert_eq!(signer.sign(vote(4, 1)).await.unwrap(), None);

    stop.send_replace(true);
    serving.await.unwrap().unwrap();
    let (serving, _stop) = fixture.start();
    let again = async {
        loop {
            if let Some(signature) = signer.sign(vote(6, 1)).await.unwrap() {
                return signature;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), again).await.unwrap();
    assert_eq!(signer.sign(vote(5, 2)).await.unwrap(), None);
    serving.abort();
}

#[tokio::test]
async fn serves_only_whom_it_should() {
    let fixture = Fixture::new();
    let (_serving, _stop) = fixture.start();
    socket(&fixture.dir.path().join("socket")).await;
    let (remote, chain) = (fixture.remote(), fixture.genesis.identity());
    let own = fixture.public_key;
    let none = Height::GENESIS;
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
    let other = tbsi_types::SecretKey::from_seed(b"other").public_key();
    let other = fixture.connect_as(NODE, remote, chain, other, none).await;
    assert!(matches!(other, Err(SignerError::OtherValidator { .. })));
    // An older copy of the sign-state: the chain has a signature of height 9.
    let older = fixture
        .connect_as(NODE, remote, chain, own, Height(9))
        .await;
    assert!(matches!(older, Err(SignerError::Older(_))));
    fixture.connect().await.unwrap();
}

#[tokio::test]
async fn a_second_signer_of_one_home_does_not_start() {
    let fixture = Fixture::new();
    let (_serving, _stop) = fixture.start();
    socket(&fixture.dir.path().join("socket")).await;
    let elsewhere = SignerAddress::Tcp(([127, 0, 0, 1], 0).into());
    let (_keep, stopping) = watch::channel(false);
    let second = serve(
        &fixture.home,
        Role::Validator,
        &elsewhere,
        vec![NODE],
        stopping,
    )
    .await;
    let said = second.unwrap_err().to_string();
    assert!(said.contains("is in use"), "{said}");
}

#[test]
fn messages_have_one_encoding() {
    let proposal = Statement::Proposal(ProposalStatement {
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
    for request in [hello, Request::Sign(vote(5, 1)), Request::Sign(proposal)] {
        let bytes = request.encode();
        assert_eq!(Request::decode(&bytes), Some(request));
        for end in 0..bytes.len() {
            assert_eq!(Request::decode(&bytes[..end]), None);
        }
        assert_eq!(Request::decode(&[bytes.as_slice(), &[0]].concat()), None);
    }
    let replies = [
        Reply::Hello {
            public_key: [2; 33],
        },
        Reply::Signed(Signature([3; 65])),
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
    for bad in [&[9][..], &[3, 3], &[]] {
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
        let chain = fixture.genesis.identity();
        RemoteAccount::new(fixture.address(), secret, fixture.remote(), chain, expected)
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

    let own = fixture.home.key_file(crate::keyfile::KeyKind::Account);
    let secret = crate::keyfile::create_secret(&own, crate::keyfile::KeyKind::Account, None);
    let key = tbsi_types::SecretKey::parse(&*secret.unwrap()).unwrap();
    let (home, address) = (fixture.home.clone(), fixture.address());
    let (stop, stopping) = watch::channel(false);
    let allowed = vec![link_public_key(&NODE)];
    let serving =
        tokio::spawn(async move { serve(&home, Role::Account, &address, allowed, stopping).await });
    assert!(refused(validator).await);
    let own = key.public_key();
    let hash = B256::repeat_byte(7);
    let remote = account(own.address());
    let signature = remote.sign(hash).await.unwrap();
    assert!(own.verify(hash, &signature).is_ok());
    let vote = fixture.connect().await;
    assert!(matches!(vote, Err(SignerError::OtherValidator { .. })));
    stop.send_replace(true);
    serving.await.unwrap().unwrap();
}
