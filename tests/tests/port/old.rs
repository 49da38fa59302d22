//! A journal as version 1 wrote it, between a TBSI chain and anvil, with kills on the way: it is
//! read, and gone on with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alloy_primitives::hex;
use tbsi_bridge::config::EvmConfig;
use tbsi_bridge::evm::{Evm, EvmRpc, GAS_USED};
use tbsi_bridge::journal::{JOURNAL_FILE, Journal, JournalError, records};
use tbsi_bridge::record::{Event, Record};
use tbsi_bridge::state::State;
use tbsi_bridge::target::Target;
use tbsi_rpc::Http;
use tbsi_types::{ChainIdentity, SecretKey};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors");

/// One of a relayer that was killed at each state, and one whose transaction was replaced.
const FIXTURES: [&str; 2] = ["relay_journal_v1.jsonl", "relay_journal_v1_replaced.jsonl"];

/// A home with an old journal, and its lines.
fn home(fixture: &str) -> (tempfile::TempDir, PathBuf, Vec<String>) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(JOURNAL_FILE);
    let text = fs::read_to_string(Path::new(VECTORS).join(fixture)).unwrap();
    fs::write(&path, &text).unwrap();
    (home, path, text.lines().map(str::to_owned).collect())
}

/// The sender that wrote it, as far as it needs no endpoint.
fn sender() -> Evm<EvmRpc> {
    let config = EvmConfig::new(
        31_337,
        vec!["http://127.0.0.1:1".into()],
        Default::default(),
    );
    let source = ChainIdentity {
        chain_id: 0,
        genesis_hash: Default::default(),
    };
    let signer = Arc::new(SecretKey::from_seed(b"nobody"));
    Evm::new(
        EvmRpc::new(&config, &Http::default(), source, signer).unwrap(),
        config,
    )
}

/// The state after records, each of which the sender finds legal.
fn followed(records: &[Record]) -> State {
    let (sender, mut state) = (sender(), State::default());
    for record in records {
        sender.legal(&state, &record.event).unwrap();
        state.apply(record).unwrap();
    }
    state
}

#[test]
fn a_journal_of_version_1_says_what_it_said() {
    let mut names = BTreeSet::new();
    for fixture in FIXTURES {
        says_what_it_said(fixture, &mut names);
    }
    for name in [
        "nonceReserved",
        "signed",
        "broadcast",
        "replaced",
        "released",
        "final",
    ] {
        assert!(names.contains(name), "the fixtures have no {name}");
    }
}

fn says_what_it_said(fixture: &str, names: &mut BTreeSet<String>) {
    let (_home, path, lines) = home(fixture);
    let records = records(&path).unwrap();
    assert_eq!(records.len(), lines.len());
    for (record, line) in records.iter().zip(&lines) {
        let json: serde_json::Value = serde_json::from_str(&line[65..]).unwrap();
        assert_eq!(json["version"], 1);
        assert_eq!(json["event"]["state"], record.event.name());
        assert_eq!(json["parties"]["account"], record.parties.target.account);
        assert_eq!(json["parties"]["lightClient"], record.parties.target.client);
        if let Event::Final { inclusion, .. } = &record.event {
            let gas = json["event"]["inclusion"]["gasUsed"].as_u64();
            assert_eq!(inclusion.cost.get(GAS_USED).map(|gas| gas.0), gas);
        }
        names.insert(record.event.name().to_owned());
    }
    let state = followed(&records);
    let finals = records
        .iter()
        .filter(|record| record.event.name() == "final");
    assert!(finals.count() > 0 && state.settled > 1);
    assert_eq!((state.backlog(), state.plans.len()), (0, 0));
}

#[test]
fn an_old_journal_is_gone_on_with_and_rotates() {
    let (home, path, lines) = home(FIXTURES[0]);
    let mut old = Vec::new();
    let parties = records(&path).unwrap()[0].parties.clone();
    let mut journal = Journal::open(home.path(), &parties, 1 << 20, |record| {
        old.push(record.clone());
        Ok::<(), JournalError>(())
    })
    .unwrap();
    let last = lines.last().unwrap();
    let started = Event::Started {
        config: Default::default(),
        software: "new".into(),
    };
    let added = journal.append([started], 7).unwrap();
    assert_eq!((added[0].version, added[0].number), (2, lines.len() as u64));
    assert_eq!(hex::encode(added[0].previous), last[..64]);
    let mut state = followed(&old);
    state.apply(&added[0]).unwrap();
    journal.rotate(state.snapshot(), 8).unwrap();
    drop(journal);
    assert_eq!(followed(&records(&path).unwrap()), state);
}

/// Each end that a crash could have left.
#[test]
fn every_beginning_of_an_old_journal_is_legal() {
    for fixture in FIXTURES {
        let (_home, path, _) = home(fixture);
        let mut beginning = String::new();
        for line in fs::read_to_string(&path).unwrap().split_inclusive('\n') {
            beginning.push_str(line);
            fs::write(&path, &beginning).unwrap();
            let found = records(&path).unwrap();
            assert_eq!(
                found.last().map(|last| last.number + 1),
                Some(found.len() as u64)
            );
        }
        followed(&records(&path).unwrap());
    }
}

#[test]
fn what_version_1_never_wrote_is_refused() {
    let (_home, _, lines) = home(FIXTURES[0]);
    let line = lines
        .iter()
        .find(|line| line.contains("\"signed\""))
        .unwrap();
    let record = &line[65..];
    assert!(Record::parse(record).is_ok());
    for (from, to, words) in [
        (
            "\"targetChainId\":31337",
            "\"targetChainId\":\"31337\"",
            "no chain id",
        ),
        (
            "\"lightClient\"",
            "\"lightClients\"",
            "`lightClient` is missing",
        ),
        ("\"version\":1", "\"version\": 1", "not a record"),
        ("\"plan\"", "\"plane\"", "`plan` is missing"),
    ] {
        let changed = record.replacen(from, to, 1);
        assert_ne!(changed, record, "{from}");
        let error = Record::parse(&changed).unwrap_err().to_string();
        assert!(error.contains(words), "{from}: {error}");
    }
    let foreign = record.replacen("\"plan\":", "\"plan\":\"x\",\"z\":", 1);
    assert!(Record::parse(&foreign).is_err());
}
