//! Homes that a node refuses to run: configuration, keys, genesis file, sign-state.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tbsi_store::{Store, StoreOptions};
use tbsi_tests::harness::{Ended, Sender, TestNetwork, assert_refuses_to_run, tbsi};
use tbsi_types::Height;

/// Runs a home in which one file has other contents (or is gone, if `None`), and puts the file
/// back.
async fn refuses_with(home: &Path, file: &Path, contents: Option<Vec<u8>>, words: &[&str]) {
    let before = fs::read(file).unwrap();
    match contents {
        Some(contents) => fs::write(file, contents).unwrap(),
        None => fs::rename(file, file.with_extension("away")).unwrap(),
    }
    assert_refuses_to_run(home, words).await;
    if file.exists() {
        fs::write(file, before).unwrap();
    } else {
        fs::rename(file.with_extension("away"), file).unwrap();
    }
}

#[tokio::test]
async fn a_node_refuses_a_wrong_configuration() {
    let net = TestNetwork::create(1, 0);
    let home = net.network.home(0);
    let file = net.home(0).config_file();
    let text = fs::read_to_string(&file).unwrap();
    for (from, to, words) in [
        (
            "connections_max",
            "conections_max",
            [
                "unknown key `rpc.conections_max`",
                "the nearest valid key is `rpc.connections_max`",
            ],
        ),
        (
            "batch_items_max = 1000",
            "batch_items_max = 0",
            ["key `rpc.batch_items_max`", "0 is outside 1..=10000"],
        ),
        (
            "# history_blocks = 256",
            "history_blocks = 127",
            ["key `store.history_blocks`", "127 is outside 128..="],
        ),
        (
            "validator = true",
            "validator = \"yes\"",
            ["line 7", "expected a boolean"],
        ),
        (
            "name = \"validator-1\"",
            "name = \"validator-2\"",
            ["key `name`: `validator-2`", "calls this node `validator-1`"],
        ),
    ] {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        let changed = text.replace(from, to).into_bytes();
        refuses_with(&home, &file, Some(changed), &words).await;
    }
    let words = ["config.toml: No such file", "`tbsi node init` makes it"];
    refuses_with(&home, &file, None, &words).await;
}

#[tokio::test]
async fn a_node_refuses_missing_and_readable_keys() {
    let net = TestNetwork::create(1, 0);
    let path = net.network.home(0);
    let home = net.home(0);
    for file in [home.node_key_file(), home.validator_key_file()] {
        let name = file.to_str().unwrap().to_owned();
        let words = [name.as_str(), "is missing", "`tbsi keys new"];
        refuses_with(&path, &file, None, &words).await;
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let remedy = format!("run `chmod 600 {name}`");
        assert_refuses_to_run(&path, &["has mode 0644", &remedy]).await;
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let short = Some(b"0123".to_vec());
        let words = [name.as_str(), "must hold exactly 64 hex digits"];
        refuses_with(&path, &file, short, &words).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_refuses_a_genesis_that_is_not_its_datas() {
    let mut net = TestNetwork::start(1, 0).await;
    let path = net.network.home(0);
    // The data of a running node belongs to it alone.
    let words = ["is in use by another process", "stop that process"];
    assert_refuses_to_run(&path, &words).await;
    net.network.stop(0).await.unwrap();

    let file = net.home(0).genesis_file();
    let text = fs::read_to_string(&file).unwrap();
    let renamed = text.replacen("TBSI development network", "TBSI development netw0rk", 1);
    assert_ne!(renamed, text);
    let hash = net.genesis().hash().to_string();
    let words = [
        "data directory belongs to another network",
        &hash,
        "check the genesis file",
    ];
    refuses_with(&path, &file, Some(renamed.into_bytes()), &words).await;
    let broken = text.replacen("\"chain_id\"", "\"chainId\"", 1);
    let words = ["genesis.json", "unknown field `chainId`"];
    refuses_with(&path, &file, Some(broken.into_bytes()), &words).await;
    let words = ["genesis.json: No such file", "copy the one of the network"];
    refuses_with(&path, &file, None, &words).await;

    net.network.start(0).unwrap();
    net.wait_height(0, Height(1)).await;
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_refuses_a_sign_state_that_is_lost_old_or_damaged() {
    let mut net = TestNetwork::start(1, 0).await;
    let path = net.network.home(0);
    let file = net.home(0).sign_state_file();
    net.network.stop(0).await.unwrap();
    let old = fs::read(&file).unwrap();

    let words = ["sign-state ", "is missing", "`tbsi keys reset-sign-state"];
    refuses_with(&path, &file, None, &words).await;
    let reset = "`tbsi keys reset-sign-state --height HEIGHT`";
    let words = ["sign-state ", "is damaged", reset];
    refuses_with(&path, &file, Some(vec![0xa5; old.len()]), &words).await;
    refuses_with(&path, &file, Some(old[1..].to_vec()), &words).await;

    // It signs more; then an old copy of the file comes back.
    net.network.start(0).unwrap();
    net.wait_height(0, Height(1)).await;
    let mut sender = Sender::new("signs more", net.network.chain_id());
    let height = sender.transfer(&net.client(0)).await.unwrap();
    net.network.stop(0).await.unwrap();
    let remedy = format!("`tbsi keys reset-sign-state --height {height}`");
    let words = ["sign-state ", "is older than the chain", &remedy];
    refuses_with(&path, &file, Some(old), &words).await;

    // The remedy: never below what is known, and then the chain goes on.
    fs::write(&file, "damaged").unwrap();
    let below = reset_sign_state(&path, height.0 - 1).await;
    assert_eq!(below.code, Some(1), "{below:?}");
    let words = format!("this node has blocks up to height {height}");
    assert!(below.stderr.contains(&words), "{below:?}");
    let done = reset_sign_state(&path, height.0).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    net.network.start(0).unwrap();
    net.wait_height(0, height).await;
    let next = sender.transfer(&net.client(0)).await.unwrap();
    assert!(next > height);
    net.assert_no_panic();
}

/// A crash may leave any end of consensus' log. Nobody has to act.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_mends_the_end_of_its_log() {
    let mut net = TestNetwork::start(1, 0).await;
    let mut sender = Sender::new("mends", net.network.chain_id());
    let log = net.home(0).wal_dir().join("consensus.wal");
    let aside = log.with_extension("wal.damaged-1");
    let mut height = sender.transfer(&net.client(0)).await.unwrap();
    // A header that is cut short; an entry of full length whose bytes are not those that it was
    // written with, at the height that is decided next.
    let spoil: [&dyn Fn(Height) -> Vec<u8>; 2] = [&|_| vec![0, 0, 0, 1, 0], &|height| {
        let header = [&1u32.to_be_bytes()[..], &height.next().0.to_be_bytes()].concat();
        let entry = [&[0][..], &40u64.to_be_bytes(), &[7; 44]].concat();
        [header, entry].concat()
    }];
    for (spoil, word) in spoil.into_iter().zip(["had no header", "it is cut off"]) {
        net.network.stop(0).await.unwrap();
        let tip = stored_tip(&net);
        assert!(tip >= height);
        fs::write(&log, spoil(tip)).unwrap();
        net.network.start(0).unwrap();
        net.wait_height(0, tip).await;
        height = sender.transfer(&net.client(0)).await.unwrap();
        assert!(height > tip);
        assert!(net.log(0).contains(word), "{word}");
    }
    assert_eq!(fs::read(&aside).unwrap(), [0, 0, 0, 1, 0]);
    net.assert_no_panic();
}

/// The last block in the database of a node that does not run.
fn stored_tip(net: &TestNetwork) -> Height {
    let (dir, identity) = (net.home(0).database_dir(), net.genesis().identity());
    let store = Store::open(&dir, identity, StoreOptions::default()).unwrap();
    store.tip().unwrap().height
}

async fn reset_sign_state(home: &Path, height: u64) -> Ended {
    let (home, height) = (home.to_str().unwrap(), height.to_string());
    let command = ["keys", "reset-sign-state", "--home", home];
    tbsi(&[&command[..], &["--height", &height]].concat()).await
}
