//! The sender to a channel of Fabric, against one in memory: it dies at each record, what it read
//! changes under it, gateways say nothing or the wrong thing.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::OnceLock;

use alloy_primitives::B256;
use futures::FutureExt;
use tbsi_bridge::audit::audit;
use tbsi_bridge::config::{Config, FabricConfig};
use tbsi_bridge::fabric::messages::KvWrite;
use tbsi_bridge::fabric::{
    ChannelMember, ChannelReader, Fabric, Identity, MVCC_READ_CONFLICT, VALID,
};
use tbsi_bridge::fault::{Died, die_after};
use tbsi_bridge::journal::{files, records};
use tbsi_bridge::record::{Event, Hold, Record};
use tbsi_bridge::relay::Relay;
use tbsi_bridge::source::Source;
use tbsi_bridge::state::State;
use tbsi_bridge::target::{Target, TargetError};
use tbsi_rpc::LocalNode;
use tbsi_tests::bridge::chain::{Chain, set};
use tbsi_tests::bridge::serve::InMemory;
use tempfile::TempDir;

use crate::channel::{EnvelopeParts, Ledger, SimPeers};
use crate::sim::Answer;
use crate::stage::{clock_ms, config, pass, relayer};

/// Deaths that one run of these tests has at most.
const POINTS_MAX: u32 = 500;

/// Certificates and keys of the relayer and of two organisations' peers.
fn person(number: usize) -> Identity {
    static PEOPLE: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let people = PEOPLE.get_or_init(|| {
        let made = (0..3).map(|number| {
            let names = vec![format!("person{number}.test")];
            let made = rcgen::generate_simple_self_signed(names).unwrap();
            (made.cert.pem(), made.key_pair.serialize_pem())
        });
        made.collect()
    });
    let (certificate, key) = &people[number];
    let msp_id = ["RelayerMSP", "Org1MSP", "Org2MSP"][number];
    Identity::new(msp_id, certificate.as_bytes(), key).unwrap()
}

/// A relayer to a channel in memory, and its home.
struct Life {
    chain: Chain,
    ledger: Rc<RefCell<Ledger>>,
    home: TempDir,
    config: Config,
    genesis_block: B256,
    name: &'static str,
    relay: Option<Relay<Fabric<SimPeers>>>,
    deaths: u32,
}

impl Life {
    fn new(chain: &Chain) -> Self {
        let held = chain.held();
        let endorsers = vec![person(1), person(2)];
        let ledger = Ledger::new(&held.genesis, &held.decisions[0], endorsers);
        Self {
            chain: chain.clone(),
            genesis_block: ledger.first(),
            ledger: Rc::new(RefCell::new(ledger)),
            home: tempfile::tempdir().unwrap(),
            config: config(),
            name: "Test Relayer",
            relay: None,
            deaths: 0,
        }
    }

    fn target(&self) -> Fabric<SimPeers> {
        let gateways = vec!["https://a:1".into(), "https://b:1".into()];
        let config = FabricConfig {
            agree: 2,
            ..FabricConfig::new("channel-1", self.genesis_block, gateways, "RelayerMSP")
        };
        let member = ChannelMember {
            identity: person(0),
            name_en: self.name.into(),
            name_zh_tw: String::new(),
            source: self.chain.held().genesis.identity(),
        };
        let peers = SimPeers(Rc::clone(&self.ledger));
        Fabric::new(ChannelReader::new(peers, member, config, clock_ms))
    }

    fn relay(&mut self) -> &mut Relay<Fabric<SimPeers>> {
        if self.relay.is_none() {
            let made = relayer(self.home.path(), &self.chain, self.target(), &self.config);
            self.relay = Some(made.unwrap());
        }
        self.relay.as_mut().unwrap()
    }

    /// One step; whether it went well.
    async fn look(&mut self) -> bool {
        let step = AssertUnwindSafe(async { self.relay().step().await });
        match step.catch_unwind().await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => {
                // Shown if the test fails.
                println!("a step: {error}");
                false
            }
            Err(cause) if cause.is::<Died>() => {
                self.relay = None;
                self.deaths += 1;
                false
            }
            Err(cause) => std::panic::resume_unwind(cause),
        }
    }

    async fn step(&mut self) {
        self.look().await;
        self.ledger.borrow_mut().produce();
        pass(70_000).await;
    }

    async fn settle(&mut self) {
        for _ in 0..100 {
            self.step().await;
            let state = self.relay().state();
            if state.backlog() == 0 && state.plans.is_empty() {
                return;
            }
        }
        let state = self.relay().state();
        panic!("it comes to no end: {state:?}");
    }

    fn records(&self) -> Vec<Record> {
        let files = files(self.home.path()).unwrap();
        let all = files.iter().flat_map(|file| records(file).unwrap());
        all.collect()
    }

    fn named(&self, name: &str) -> usize {
        let records = self.records();
        records.iter().filter(|it| it.event.name() == name).count()
    }

    /// Fails unless so many leaves were anchored, each once, and each transaction that counts is one
    /// that the journal calls final.
    fn assert_once(&self, leaves: usize) {
        let valid = self.ledger.borrow().valid();
        let writes = valid.iter().flat_map(|call| &call.writes);
        let mut anchored: Vec<&String> = writes
            .map(|(key, _)| key)
            .filter(|key| key.starts_with("tbsi/leaf/"))
            .collect();
        anchored.sort();
        let all = anchored.len();
        anchored.dedup();
        assert_eq!((all, anchored.len()), (leaves, leaves));
        let finals = self.records().into_iter();
        let finals = finals
            .filter(|it| matches!(&it.event, Event::Final { inclusion, .. } if inclusion.success));
        assert_eq!(finals.count(), valid.len());
    }
}

fn eventful() -> Chain {
    let chain = Chain::new(None);
    chain.block(3, None);
    chain.block(2, Some(set(4..8)));
    chain.block(2, None);
    chain
}

/// A whole life: one that is forgotten, one of which nothing is heard, one that is declined, and
/// somebody else in between.
async fn live(life: &mut Life) {
    let answers = [
        Answer::Take,
        Answer::Forget,
        Answer::Silence,
        Answer::Refuse,
        Answer::Take,
    ];
    life.ledger.borrow_mut().answers = answers.into();
    for round in 0..8 {
        life.look().await;
        if round < 2 {
            life.ledger.borrow_mut().interfere();
        }
        life.ledger.borrow_mut().produce();
        pass(70_000).await;
    }
    life.settle().await;
}

#[tokio::test(start_paused = true)]
async fn t47_a_relayer_to_a_channel_that_dies_at_any_record_does_nothing_twice() {
    let chain = eventful();
    for point in 1..POINTS_MAX {
        let mut life = Life::new(&chain);
        die_after(Some(point));
        live(&mut life).await;
        die_after(None);
        life.assert_once(7);
        let records = life.records();
        assert_eq!(
            &State::of(&records).unwrap(),
            life.relay().state(),
            "{point}"
        );
        if life.deaths == 0 {
            assert!(point > 30, "{point} points");
            return;
        }
        assert_eq!(life.deaths, 1, "point {point}");
    }
    panic!("more than {POINTS_MAX} points");
}

#[tokio::test(start_paused = true)]
async fn t49_what_was_ordered_when_the_relayer_died_is_no_second_transaction() {
    let chain = eventful();
    for place in 0..3 {
        let mut life = Life::new(&chain);
        let mut answers = vec![Answer::Take; place];
        answers.push(Answer::Die);
        life.ledger.borrow_mut().answers = answers.into();
        life.settle().await;
        assert_eq!(life.deaths, 1);
        life.assert_once(7);
    }
}

/// What the checkpoint read changes between endorsement and block: it is endorsed anew.
#[tokio::test(start_paused = true)]
async fn a_conflict_is_endorsed_anew_with_another_id() {
    let chain = Chain::new(None);
    chain.block(2, None);
    let mut life = Life::new(&chain);
    for _ in 0..2 {
        life.look().await;
        life.ledger.borrow_mut().interfere();
        pass(1_000).await;
        life.ledger.borrow_mut().produce();
    }
    life.settle().await;
    life.assert_once(2);
    assert!(life.named("conflicted") > 0);
    let judged = life.ledger.borrow().judged();
    let conflicts = judged
        .iter()
        .filter(|(_, code)| *code == MVCC_READ_CONFLICT);
    assert_eq!(conflicts.count(), life.named("conflicted"));
    assert!(
        judged
            .iter()
            .any(|(call, code)| { *code == VALID && call.call.args[0] == b"UpdateClient" })
    );
}

/// Conflicts without end are failures of a checkpoint in the end, and no loop.
#[tokio::test(start_paused = true)]
async fn conflicts_without_end_end() {
    let chain = Chain::new(None);
    chain.block(1, None);
    let mut life = Life::new(&chain);
    for _ in 0..60 {
        life.look().await;
        life.ledger.borrow_mut().interfere();
        life.ledger.borrow_mut().produce();
        pass(70_000).await;
    }
    let failed = life
        .records()
        .into_iter()
        .filter(|it| matches!(&it.event, Event::Final { inclusion, .. } if !inclusion.success));
    assert!(failed.count() >= 1);
    assert!(life.named("conflicted") >= 8);
    life.settle().await;
    life.assert_once(1);
}

#[tokio::test(start_paused = true)]
async fn silence_about_what_was_ordered_is_no_second_transaction() {
    let mut life = Life::new(&eventful());
    life.ledger.borrow_mut().answers = vec![Answer::Silence; 6].into();
    life.settle().await;
    life.assert_once(7);
    assert_eq!(life.named("released"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_orderers_decline_is_tried_again_and_not_lost() {
    let chain = Chain::new(None);
    chain.block(2, None);
    let mut life = Life::new(&chain);
    life.ledger.borrow_mut().answers = vec![Answer::Refuse; 5].into();
    life.settle().await;
    assert!(life.named("released") >= 1);
    let aside = life.relay().state().quarantined().count();
    life.assert_once(2 - aside);
}

#[tokio::test(start_paused = true)]
async fn while_the_client_takes_nothing_nothing_is_sent() {
    let chain = Chain::new(None);
    chain.block(2, None);
    let mut life = Life::new(&chain);
    life.ledger.borrow_mut().refuses = Some("LightClientPaused");
    for _ in 0..3 {
        life.step().await;
    }
    assert_eq!(life.named("planned"), 0);
    assert!(life.named("held") > 0);
    assert!(life.relay().state().holds.contains(&Hold::Paused));
    life.ledger.borrow_mut().refuses = None;
    life.settle().await;
    life.assert_once(2);
}

type Tamper = fn(&mut EnvelopeParts);

fn other_key(parts: &mut EnvelopeParts) {
    parts.writes.writes.push(KvWrite {
        key: "tbsi/config".into(),
        is_delete: false,
        value: b"{}".to_vec(),
    });
}

/// What gateways give back instead of what was asked for.
const TAMPERED: &[(&str, Tamper)] = &[
    ("it writes \"tbsi/config\"", other_key),
    ("it deletes", |parts| {
        parts.writes.writes.push(KvWrite {
            key: "tbsi/head".into(),
            is_delete: true,
            value: Vec::new(),
        });
    }),
    ("it changes who may write", |parts| {
        parts.writes.metadata_writes.push(b"policy".to_vec());
    }),
    ("another proposal was endorsed", |parts| {
        parts.response.proposal_hash[0] ^= 1;
    }),
    ("another proposal was endorsed", |parts| {
        parts.action.chaincode_proposal_payload.push(0x52);
        parts.action.chaincode_proposal_payload.push(0);
    }),
    ("another chaincode was endorsed", |parts| {
        parts.done.chaincode_id.as_mut().unwrap().name = "other".into();
    }),
    ("its response has status 500", |parts| {
        parts.done.response.as_mut().unwrap().status = 500;
    }),
    ("it has no response", |parts| parts.done.response = None),
    ("nobody endorsed it", |parts| parts.endorsers = 0),
    ("its id is not that of its nonce and creator", |parts| {
        let header = parts.payload.header.as_mut().unwrap();
        header.signature_header.extend([0x12, 0x01, 0x00]);
    }),
    ("channel header", |parts| {
        let header = parts.payload.header.as_mut().unwrap();
        header.channel_header.truncate(9);
    }),
    ("it has no header", |parts| {
        parts.payload.header = Some(Default::default())
    }),
];

#[tokio::test(start_paused = true)]
async fn what_was_endorsed_otherwise_is_never_signed() {
    let chain = Chain::new(None);
    chain.block(1, None);
    for (says, tamper) in TAMPERED {
        let mut life = Life::new(&chain);
        life.ledger.borrow_mut().tamper = Some(*tamper);
        for _ in 0..5 {
            life.step().await;
        }
        assert_eq!(life.named("endorsed"), 0, "{says}");
        assert!(life.ledger.borrow().judged().is_empty(), "{says}");
        let told = life.records().into_iter().any(
            |it| matches!(&it.event, Event::Alarm { reason } if reason.code == "endorsedOtherwise"),
        );
        assert!(told, "{says}");
        life.ledger.borrow_mut().tamper = None;
        life.settle().await;
        life.assert_once(1);
    }
}

#[tokio::test(start_paused = true)]
async fn another_channel_or_another_name_stops_the_relayer_before_it_sends() {
    let chain = Chain::new(None);
    let mut life = Life::new(&chain);
    let refused = |found: Result<(), TargetError>, words: &str| match found {
        Err(TargetError::Misconfigured(said)) => assert!(said.contains(words), "{said}"),
        other => panic!("{other:?}"),
    };
    life.target().check().await.unwrap();
    life.ledger.borrow_mut().named = Some("Test Relayer");
    life.target().check().await.unwrap();
    life.ledger.borrow_mut().named = Some("Somebody Else");
    refused(life.target().check().await, "as Somebody Else ()");
    life.ledger.borrow_mut().named = None;
    life.genesis_block = B256::repeat_byte(7);
    refused(life.target().check().await, "begins with block");
    life.genesis_block = life.ledger.borrow().first();
    life.chain = Chain::new(None);
    life.chain.block(1, None);
    // Chains made within one millisecond have one genesis.
    life.chain.held().genesis.name = "another".into();
    refused(life.target().check().await, "follows chain");
}

#[tokio::test(start_paused = true)]
async fn an_audit_finds_what_the_channel_has() {
    let mut life = Life::new(&eventful());
    live(&mut life).await;
    life.relay = None;
    let genesis = life.chain.held().genesis.clone();
    let node: std::sync::Arc<dyn LocalNode> = std::sync::Arc::new(InMemory(life.chain.clone()));
    let mut source = Source::local(&genesis, vec![node], 1).unwrap();
    let mut target = life.target();
    let report = audit(life.home.path(), &mut source, &mut target)
        .await
        .unwrap();
    assert_eq!(report.differences, Vec::<String>::new());
    assert_eq!(report.leaves, 7);
    // A ledger that was replaced shows none of it.
    let held = life.chain.held().decisions[0].clone();
    let empty = Ledger::new(&genesis, &held, vec![person(1)]);
    *life.ledger.borrow_mut() = empty;
    let report = audit(life.home.path(), &mut source, &mut target)
        .await
        .unwrap();
    let missing = report
        .differences
        .iter()
        .filter(|it| it.contains("is in no block"));
    assert!(missing.count() >= 7, "{:?}", report.differences);
}
