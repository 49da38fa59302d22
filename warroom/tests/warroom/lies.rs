//! What it does not believe, and how it says so.

use std::fs;
use std::path::Path;

use tbsi_types::B256;
use tbsi_warroom::{WarroomConfig, follow_once};

use crate::made::{MadeLog, account, file};
use crate::stand_in::StandIn;
use crate::{codes, config, directory, of_tiles, once};

fn log() -> MadeLog {
    let mut log = MadeLog::new("lies");
    log.attest(0, 300);
    log.attest(1, 300);
    log
}

/// Changes the bytes of a file.
fn change(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    change(&mut bytes);
    fs::write(file, bytes).unwrap();
}

/// What is served is changed; nothing of it is indexed, and the alarm says why.
async fn refuses(spoil: impl FnOnce(&Path), code: &str, words: &str) {
    let (log, tiles, data) = (log(), directory(), directory());
    log.write(tiles.path());
    spoil(tiles.path());
    let outcome = once(&log, tiles.path(), data.path()).await;
    assert_eq!(codes(&outcome), [code], "{:?}", outcome.alarms);
    assert_eq!(outcome.size, 0, "{code}");
    let (_, en, zh_tw) = &outcome.alarms[0];
    assert!(en.contains(words), "{en}");
    assert!(!zh_tw.is_ascii(), "{zh_tw}");
    let lie = ["wrongTile", "unverified"].contains(&code);
    assert_eq!(outcome.contradicted, lie, "{code}");
}

#[tokio::test]
async fn what_is_not_signed_is_not_indexed() {
    let flip =
        |path: &'static str| move |dir: &Path| change(&dir.join(path), |bytes| bytes[60] ^= 1);
    // Leaves of a full bundle and of the last one, hashes at the edge of the tree.
    refuses(
        flip("tile/entries/000"),
        "wrongTile",
        "not those of the signed root",
    )
    .await;
    refuses(
        flip("tile/entries/002.p/88"),
        "wrongTile",
        "not those of the signed root",
    )
    .await;
    refuses(flip("tile/0/002.p/88"), "wrongTile", "lead to root").await;
    refuses(flip("tile/1/000.p/2"), "wrongTile", "lead to root").await;
}

#[tokio::test]
async fn what_is_missing_or_cut_short_is_a_gap() {
    let cut = |path: &'static str| {
        move |dir: &Path| change(&dir.join(path), |bytes| bytes.truncate(bytes.len() - 1))
    };
    refuses(cut("tile/entries/001"), "gap", "cut short").await;
    refuses(cut("tile/0/002.p/88"), "gap", "cut short").await;
    let remove = |path: &'static str| move |dir: &Path| fs::remove_file(dir.join(path)).unwrap();
    refuses(remove("tile/entries/001"), "gap", "is not there").await;
    refuses(remove("tile/1/000.p/2"), "gap", "is not there").await;
}

#[tokio::test]
async fn too_few_signatures_prove_nothing() {
    let replace = |signers: &'static [usize]| {
        move |dir: &Path| {
            let log = log();
            let bundle = log.newest_bundle(log.decision_by(signers));
            // The compact form leaves out what is surplus, not what is missing.
            match bundle.encode() {
                Ok(bytes) => fs::write(dir.join("newest-bundle"), bytes).unwrap(),
                Err(_) => fs::write(dir.join("newest-bundle"), b"TBP1").unwrap(),
            }
        }
    };
    refuses(replace(&[0, 1]), "unverified", "not believed").await;
    let forge = |dir: &Path| {
        change(&dir.join("newest-bundle"), |bytes| {
            let last = bytes.len() - 10;
            bytes[last] ^= 1;
        })
    };
    refuses(forge, "unverified", "not believed").await;
    // The same of a note, where there is no certificate.
    let note = |cosigners: &'static [usize]| {
        move |dir: &Path| {
            fs::remove_file(dir.join("newest-bundle")).unwrap();
            fs::write(dir.join("checkpoint"), log().note_by(cosigners).encode()).unwrap();
        }
    };
    refuses(note(&[0, 1]), "unverified", "more than two thirds").await;
    refuses(note(&[]), "unverified", "more than two thirds").await;
}

#[tokio::test]
async fn another_network_is_a_mistake_and_no_lie() {
    let (log, tiles, data) = (log(), directory(), directory());
    log.write(tiles.path());
    let other = MadeLog::new("another");
    let outcome = once(&other, tiles.path(), data.path()).await;
    assert_eq!(codes(&outcome), ["otherNetwork"], "{:?}", outcome.alarms);
    assert!(!outcome.contradicted && outcome.size == 0);
    // Nor does the index of one network take another's.
    let refused = follow_once(of_tiles(&log, tiles.path(), data.path())).await;
    let refused = refused.unwrap_err();
    assert!(
        refused.en.contains("genesis hash") && refused.en.contains("--data"),
        "{refused}"
    );
    let mut broken = of_tiles(&log, tiles.path(), data.path());
    broken.genesis = b"{}".to_vec();
    let refused = follow_once(broken).await.unwrap_err();
    assert!(refused.en.starts_with("genesis file: "), "{refused}");
    let none = WarroomConfig {
        data: data.path().into(),
        ..config(&log, data.path())
    };
    let refused = follow_once(none).await.unwrap_err();
    assert!(refused.en.contains("--rpc or --tiles"), "{refused}");
}

#[tokio::test]
async fn a_log_that_was_written_anew_stops_the_index() {
    let (log, tiles, data) = (log(), directory(), directory());
    log.write(tiles.path());
    assert_eq!(once(&log, tiles.path(), data.path()).await.size, 600);
    // The same validators sign another log, longer than the first.
    let mut other = MadeLog::new("lies");
    other.height = 5;
    other.attest(2, 1);
    other.attest(0, 700);
    let elsewhere = directory();
    other.write(elsewhere.path());
    let outcome = once(&log, elsewhere.path(), data.path()).await;
    assert!(outcome.contradicted);
    assert!(
        codes(&outcome).contains(&"rewrittenLog"),
        "{:?}",
        outcome.alarms
    );
    assert_eq!(outcome.size, 600);
    // It is not forgotten, and nothing more is indexed, whoever is asked.
    let mut more = log.clone();
    more.attest(3, 5);
    more.write(tiles.path());
    let outcome = once(&log, tiles.path(), data.path()).await;
    assert_eq!((outcome.size, outcome.contradicted), (600, true));
    // A shorter one is noticed too.
    let mut short = MadeLog::new("lies");
    short.height = 6;
    short.attest(2, 10);
    let (elsewhere, fresh) = (directory(), directory());
    short.write(elsewhere.path());
    log.write(tiles.path());
    once(&log, tiles.path(), fresh.path()).await;
    let outcome = once(&log, elsewhere.path(), fresh.path()).await;
    assert!(
        codes(&outcome).contains(&"rewrittenLog"),
        "{:?}",
        outcome.alarms
    );
}

#[tokio::test]
async fn an_older_copy_is_no_contradiction() {
    let mut log = log();
    let (old, new, data) = (directory(), directory(), directory());
    log.write(old.path());
    log.attest(2, 100);
    log.write(new.path());
    assert_eq!(once(&log, new.path(), data.path()).await.size, 700);
    let outcome = once(&log, old.path(), data.path()).await;
    assert_eq!((outcome.size, outcome.alarms), (700, Vec::new()));
}

#[tokio::test]
async fn two_checkpoints_of_one_height_are_a_fork() {
    let mut log = log();
    let honest = StandIn::start(&log).await;
    let mut other = log.clone();
    log.attest(0, 1);
    other.block(&[(account(1), file(B256::repeat_byte(7)))]);
    honest.tell(&log);
    let liar = StandIn::start(&other).await;
    let data = directory();
    let both = WarroomConfig {
        rpc: vec![honest.url(), liar.url()],
        ..config(&log, data.path())
    };
    let outcome = follow_once(both).await.unwrap();
    assert!(outcome.contradicted);
    assert!(codes(&outcome).contains(&"fork"), "{:?}", outcome.alarms);
    // Which of them is right is not for a third party to say: neither is indexed.
    assert_eq!(outcome.size, 0);
    // One after the other is noticed as well.
    let data = directory();
    let one = |url: String| WarroomConfig {
        rpc: vec![url],
        ..config(&log, data.path())
    };
    assert_eq!(follow_once(one(honest.url())).await.unwrap().size, 601);
    let outcome = follow_once(one(liar.url())).await.unwrap();
    assert!(codes(&outcome).contains(&"fork"), "{:?}", outcome.alarms);
}

#[tokio::test]
async fn silence_and_a_node_that_stops_are_told() {
    let log = log();
    let node = StandIn::start(&log).await;
    let data = directory();
    let mut config = WarroomConfig {
        rpc: vec![node.url()],
        ..config(&log, data.path())
    };
    config.silent_after_s = None;
    let outcome = follow_once(config.clone()).await.unwrap();
    assert_eq!((outcome.size, outcome.contradicted), (600, false));
    assert_eq!(codes(&outcome), ["silentChain"], "{:?}", outcome.alarms);
    drop(node);
    let outcome = follow_once(config).await.unwrap();
    assert_eq!((outcome.size, outcome.contradicted), (600, false));
    let mut got = codes(&outcome);
    got.sort_unstable();
    assert_eq!(got, ["silentChain", "unreachable"], "{:?}", outcome.alarms);
}
