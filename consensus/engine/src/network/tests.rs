//! The network over real swarms: what reaches the engine, and what goes on to others.

use std::collections::VecDeque;
use std::time::Duration;

use arc_malachitebft_app_channel::app::types::SignedConsensusMsg;
use mc::SignedMessage;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tbsi_p2p::testing;
use tbsi_types::{
    Address, B256, ChainIdentity, CheckpointDigest, Member, Members, PeerEntry, Round, SecretKey,
    VoteKind, VoteStatement, VotingPower,
};
use tokio::time::timeout;

use super::*;
use crate::context::Vote;

const PATIENCE: Duration = Duration::from_secs(20);
const HEIGHT: Height = Height(5);

/// The node under test, two validators' peers and an observer, by the seeds of their keys.
const NODE: u8 = 2;
const A: u8 = 1;
const C: u8 = 3;
const OBSERVER: u8 = 4;

/// Passes on what the network tells the engine.
struct Ear;

#[async_trait::async_trait]
impl Actor for Ear {
    type Msg = NetworkEvent<Ctx>;
    type State = mpsc::UnboundedSender<NetworkEvent<Ctx>>;
    type Arguments = Self::State;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        heard: Self::State,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(heard)
    }

    async fn handle(
        &self,
        _myself: ActorRef<Self::Msg>,
        event: Self::Msg,
        heard: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        Ok(heard.send(event)?)
    }
}

/// A peer without a node behind it: it publishes what it is told to, and keeps what it hears.
struct Peer {
    publish: mpsc::UnboundedSender<(usize, Bytes)>,
    heard: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl Peer {
    async fn start(seed: u8, node: std::net::SocketAddr) -> Self {
        let config = testing::config("consensus", seed, &[NODE], &[(NODE, node)]);
        let mut swarm = tbsi_p2p::listen(&config, &PROTOCOL).await.unwrap();
        let (publish, mut told) = mpsc::unbounded_channel::<(usize, Bytes)>();
        let (hear, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut waiting = VecDeque::new();
            loop {
                tokio::select! {
                    told = told.recv() => match told {
                        Some(told) => waiting.push_back(told),
                        None => return,
                    },
                    event = swarm.next() => if let PeerEvent::Message(message) = event {
                        let _listens = hear.send(message.data);
                    },
                    // It hears of each topic of the node by itself.
                    () = tokio::time::sleep(Duration::from_millis(5)), if !waiting.is_empty() => {}
                }
                while let Some((topic, data)) = waiting.front()
                    && swarm.publish(*topic, data.to_vec())
                {
                    waiting.pop_front();
                }
            }
        });
        Self { publish, heard }
    }

    fn vote(&self, vote: &SignedConsensusMsg<Ctx>) -> Vec<u8> {
        let data = WireCodec.encode(vote).unwrap();
        self.publish.send((CONSENSUS, data.clone())).unwrap();
        data.into()
    }

    fn claim(&self, seed: u8, tip: u64) {
        let status: sync::Status<Ctx> = sync::Status {
            peer_id: to_engine(tbsi_p2p::peer_id(&[seed; 32])),
            tip_height: crate::context::Height(Height(tip)),
            history_min_height: crate::context::Height(Height(0)),
        };
        let data = WireCodec.encode(&status).unwrap();
        self.publish.send((STATUS, data)).unwrap();
    }

    async fn hears(&mut self) -> Vec<u8> {
        let heard = timeout(PATIENCE, self.heard.recv()).await;
        heard.expect("a message in time").expect("a running peer")
    }
}

fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(name.as_bytes())
}

fn address(name: &str) -> Address {
    key(name).public_key().address()
}

fn chain() -> ChainIdentity {
    testing::config("consensus", NODE, &[], &[]).chain
}

/// Validators `a` to `d`; `a` and `c` have a peer.
fn roster() -> Roster {
    let member = |name: &str| Member {
        public_key: key(name).public_key(),
        power: VotingPower(1),
        organisation: 1,
        name_zh_tw: String::new(),
        name_en: name.into(),
        node: name.into(),
    };
    let entry = |seed: u8, validator| {
        let entry = PeerEntry {
            organisation: 1,
            name: String::new(),
            endpoint: String::new(),
            validator,
            log_key: None,
            post_quantum_key: None,
        };
        (tbsi_p2p::peer_id(&[seed; 32]).to_string(), entry)
    };
    let peers = [
        entry(A, Some(address("a"))),
        entry(C, Some(address("c"))),
        entry(OBSERVER, None),
    ];
    Roster {
        members: Members::new(["a", "b", "c", "d"].map(member).into()).unwrap(),
        peers: peers.into(),
    }
}

fn vote(name: &str, value: u8) -> SignedConsensusMsg<Ctx> {
    let statement = VoteStatement {
        kind: VoteKind::Prevote,
        height: HEIGHT,
        round: Round(0),
        value: Some(CheckpointDigest(B256::repeat_byte(value))),
    };
    let signature = key(name).sign(statement.digest(&chain()));
    let vote = Vote::new(statement, crate::context::Address(address(name)));
    SignedConsensusMsg::Vote(SignedMessage::new(vote, signature))
}

fn forged(name: &str) -> SignedConsensusMsg<Ctx> {
    let SignedConsensusMsg::Vote(mut vote) = vote(name, 9) else {
        unreachable!("a vote");
    };
    vote.signature.0[3] ^= 1;
    SignedConsensusMsg::Vote(vote)
}

/// A network whose engine is an [`Ear`], and three peers of it.
struct Stage {
    monitor: NetworkMonitor,
    heard: mpsc::UnboundedReceiver<NetworkEvent<Ctx>>,
    a: Peer,
    c: Peer,
    observer: Peer,
    _alive: (watch::Sender<Arc<Roster>>, watch::Sender<Progress>),
}

impl Stage {
    async fn set() -> Self {
        let config = testing::config("consensus", NODE, &[A, C, OBSERVER], &[]);
        let swarm = tbsi_p2p::listen(&config, &PROTOCOL).await.unwrap();
        let address = swarm.monitor().local_addr();
        let (roster, rosters) = watch::channel(Arc::new(roster()));
        let (progress, watched) = watch::channel(Progress {
            height: HEIGHT,
            ..Progress::default()
        });
        let surroundings = Surroundings {
            witnessed: Witnessed::default(),
            twin: None,
            signer: None,
            own: None,
            roster: rosters,
            progress: watched,
            verified: Verified::new(chain(), Arc::default()),
            wake: Arc::default(),
        };
        let spawned = start(swarm, surroundings).await.unwrap();
        let (hear, mut heard) = mpsc::unbounded_channel();
        let (ear, _) = Actor::spawn(None, Ear, hear).await.unwrap();
        let subscribe = NetworkMsg::Subscribe(Box::new(ear));
        spawned.actor.cast(subscribe).unwrap();
        let [a, c, observer] = [A, C, OBSERVER].map(|seed| Peer::start(seed, address));
        let (a, c, observer) = tokio::join!(a, c, observer);
        let mut connected = 0;
        while connected < 3 {
            let event = timeout(PATIENCE, heard.recv()).await.unwrap();
            connected += usize::from(matches!(event, Some(NetworkEvent::PeerConnected(_))));
        }
        Self {
            monitor: spawned.monitor,
            heard,
            a,
            c,
            observer,
            _alive: (roster, progress),
        }
    }

    /// The next event that is not about connections.
    async fn hears(&mut self) -> NetworkEvent<Ctx> {
        loop {
            let event = timeout(PATIENCE, self.heard.recv()).await;
            let event = event.expect("an event in time").expect("a running network");
            let of_connections = matches!(
                event,
                NetworkEvent::PeerSubscribed(..) | NetworkEvent::PeerDisconnected(_)
            );
            if !of_connections {
                return event;
            }
        }
    }

    async fn hears_vote(&mut self, expected: &SignedConsensusMsg<Ctx>) {
        let event = self.hears().await;
        let NetworkEvent::Vote(_, vote) = event else {
            panic!("{event:?}");
        };
        assert_eq!(SignedConsensusMsg::Vote(vote), *expected);
    }

    async fn refuses(&self, word: &str) {
        let mut tick = tokio::time::interval(Duration::from_millis(5));
        let refused = async {
            while !self.monitor.refused().contains(&(word_of(word), 1)) {
                tick.tick().await;
            }
        };
        let waited = timeout(PATIENCE, refused).await;
        assert!(waited.is_ok(), "{word}: {:?}", self.monitor.refused());
    }
}

fn word_of(word: &str) -> &'static str {
    let mut words = Refusal::ALL.map(Refusal::word).into_iter();
    words.find(|known| *known == word).unwrap()
}

#[tokio::test]
async fn a_forged_vote_reaches_nobody_and_its_sender_is_cut_off() {
    let mut stage = Stage::set().await;
    let good = vote("a", 1);
    let data = stage.a.vote(&good);
    stage.hears_vote(&good).await;
    assert_eq!(stage.c.hears().await, data, "it goes on to others");
    assert_eq!(stage.observer.hears().await, data);
    stage.a.vote(&forged("d"));
    stage.refuses("signature").await;
    let counts = stage.monitor.swarm().counts();
    assert_eq!((counts.bars, counts.malformed), (1, 1));
    // Whatever came through would be here before this.
    let next = vote("c", 2);
    let data = stage.c.vote(&next);
    stage.hears_vote(&next).await;
    assert_eq!(stage.observer.hears().await, data);
    assert!(stage.c.heard.try_recv().is_err());
}

#[tokio::test]
async fn what_an_observer_publishes_reaches_nobody() {
    let mut stage = Stage::set().await;
    // A vote that is good but for its publisher.
    stage.observer.vote(&vote("d", 1));
    stage.refuses("role").await;
    let good = vote("c", 2);
    let data = stage.c.vote(&good);
    stage.hears_vote(&good).await;
    assert_eq!(stage.a.hears().await, data);
    assert_eq!(stage.monitor.swarm().counts().faults, 1);
}

#[tokio::test]
async fn a_status_of_one_liar_is_cut_to_what_others_have() {
    let mut stage = Stage::set().await;
    let status = async |stage: &mut Stage| {
        let event = stage.hears().await;
        let NetworkEvent::Status(_, status) = event else {
            panic!("{event:?}");
        };
        status.tip_height.0.0
    };
    // Who hears of few must ask whoever says something.
    stage.c.claim(C, 7);
    assert_eq!(status(&mut stage).await, 7);
    stage.a.claim(A, u64::MAX);
    assert_eq!(status(&mut stage).await, 7);
    stage.observer.claim(OBSERVER, u64::MAX);
    assert_eq!(status(&mut stage).await, 7);
    stage.c.claim(C, 9);
    assert_eq!(status(&mut stage).await, 9);
}
