//! Where the relayer's key may be: encrypted in a file, or in another process.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use alloy_primitives::B256;
use tbsi_bridge::config::RemoteKey;
use tbsi_home::Home;
use tbsi_keys::keyfile::{KeyKind, create_secret, replace_secret, store_secret};
use tbsi_keys::password::Password;
use tbsi_keys::signer::link_public_key;
use tbsi_tests::bridge::relayer::Relayer;
use tbsi_tests::harness::{eventually, tbsi_binary};
use tokio::process::{Child, Command};

use crate::{Stage, anvil};

fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn an_encrypted_key_is_opened_with_its_password_file() {
    let Some(binary) = anvil("keystore") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let mut relayer = stage.relayer("encrypted").await;
    let passwords = ["right horse", "wrong horse"].map(|text| {
        let file = relayer.home().join(text.replace(' ', "-"));
        private(&file, text);
        file
    });
    let secret = Relayer::key("encrypted").expose();
    let password = Password::load(&passwords[0]).unwrap();
    let file = relayer.home().join("relayer.key");
    replace_secret(&file, KeyKind::Account, &secret, Some(&password)).unwrap();
    stage.chain.block(2, None);
    // Without a password and without a terminal, it says what is missing.
    let ended = relayer.run(&["clear"], None).await;
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("encrypted"), "{}", ended.stderr);
    relayer.config.relayer.password_file = Some("wrong-horse".into());
    relayer.configure();
    let ended = relayer.run(&["clear"], None).await;
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("password"), "{}", ended.stderr);
    assert_eq!(stage.anvil.nonce(relayer.account()).await, 0);
    relayer.config.relayer.password_file = Some("right-horse".into());
    relayer.configure();
    relayer.ok(&["clear"]).await;
    stage.assert_once().await;
    relayer.assert_same().await;
}

/// A signer that has a relayer's key, and the relayer configured for it.
struct Apart {
    signer: Home,
    socket: PathBuf,
    allowed: B256,
}

impl Apart {
    fn new(stage: &Stage, relayer: &mut Relayer, name: &str) -> Self {
        let signer = Home::new(relayer.home().join("signer"));
        let remote = link_public_key(&signer.ensure_link_key().unwrap());
        let secret = Relayer::key(name).expose();
        let account = signer.key_file(KeyKind::Account);
        store_secret(&account, KeyKind::Account, &secret, None).unwrap();
        let genesis = stage.chain.held().genesis.clone();
        signer.init_account_signer(&genesis).unwrap();
        fs::remove_file(relayer.home().join("relayer.key")).unwrap();
        let link = create_secret(&relayer.home().join("signer.key"), KeyKind::Signer, None);
        let socket = relayer.home().join("socket");
        relayer.config.relayer.key = None;
        relayer.config.relayer.signer = Some(RemoteKey {
            address: format!("unix:{}", socket.display()),
            public_key: remote.into(),
            account: relayer.account(),
            link_key: "signer.key".into(),
        });
        relayer.configure();
        Self {
            signer,
            socket,
            allowed: link_public_key(&link.unwrap()).into(),
        }
    }

    async fn start(&self, allowed: B256) -> Child {
        let listen = format!("unix:{}", self.socket.display());
        let process = Command::new(tbsi_binary())
            .args(["signer", "run", "--account", "--listen", &listen])
            .args(["--allow", &allowed.to_string(), "--home"])
            .arg(self.signer.dir())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        eventually("the signer listens", async || {
            tokio::net::UnixStream::connect(&self.socket).await.is_ok()
        })
        .await;
        process
    }
}

#[tokio::test]
async fn a_key_in_another_process_signs_and_may_go_away_for_a_while() {
    let Some(binary) = anvil("remote signer") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let mut relayer = stage.relayer("apart").await;
    relayer.config.audit.interval_s = 1;
    let apart = Apart::new(&stage, &mut relayer, "apart");
    stage.chain.block(2, None);
    let ended = relayer.run(&["check"], None).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("connect to the signer"),
        "{}",
        ended.stderr
    );
    let mut stranger = apart.start(B256::repeat_byte(9)).await;
    let ended = relayer.run(&["check"], None).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("--allow list"), "{}", ended.stderr);
    stranger.kill().await.unwrap();
    let mut signing = apart.start(apart.allowed).await;
    relayer.ok(&["check"]).await;
    let mut running = relayer.start(None);
    let recorded = async || stage.anvil.recorded(stage.contract).await.len();
    eventually("it carries", async || recorded().await == 2).await;
    // Gone and back: nothing is lost, and nothing done twice.
    signing.kill().await.unwrap();
    stage.chain.block(2, None);
    eventually("it says so", async || {
        relayer.log().contains("sign a transaction")
    })
    .await;
    let _signing = apart.start(apart.allowed).await;
    eventually("it goes on", async || recorded().await == 4).await;
    running.kill().await.unwrap();
    relayer.ok(&["clear"]).await;
    stage.assert_once().await;
    relayer.assert_same().await;
    assert!(!relayer.home().join("relayer.key").exists());
}
