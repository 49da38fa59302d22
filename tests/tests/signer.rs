//! A validator whose key is in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use alloy_eips::BlockNumberOrTag;
use tbsi_home::Home;
use tbsi_home::config::SignerConfig;
use tbsi_keys::keyfile::KeyKind;
use tbsi_keys::signer::{SignerAddress, link_public_key};
use tbsi_rpc::Client;
use tbsi_tests::harness::{
    PATIENCE, Sender, TestNetwork, assert_refuses_to_run, eventually, http, tbsi, tbsi_binary,
};
use tbsi_types::{Address, Height};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// The validator whose key moves.
const NODE: usize = 3;

/// A signer's home and where it listens.
struct Signer {
    home: Home,
    socket: PathBuf,
    allowed: String,
}

impl Signer {
    /// Moves the key and sign-state of a node that does not run to a signer's home.
    fn adopt(net: &TestNetwork, node: usize) -> Self {
        let from = net.home(node);
        let key = from.load().expect("the home").validator_key;
        let key = key.expect("a validator's home").public_key();
        let home = Home::new(net.scratch().join(format!("signer-{node}")));
        let remote = link_public_key(&home.ensure_link_key().expect("a key"));
        let own = link_public_key(&from.ensure_link_key().expect("a key"));
        std::fs::create_dir(home.data_dir()).expect("the signer's data");
        let moved = [
            (from.validator_key_file(), home.validator_key_file()),
            (from.sign_state_file(), home.sign_state_file()),
        ];
        for (old, new) in moved {
            std::fs::rename(old, new).expect("move a file");
        }
        std::fs::copy(from.genesis_file(), home.genesis_file()).expect("copy genesis");
        let socket = net.scratch().join(format!("signer-{node}.sock"));
        net.configure(node, |config| {
            config.signer = Some(SignerConfig {
                address: SignerAddress::Unix(socket.clone()),
                public_key: remote.into(),
                validator_key: key.encode().to_vec().into(),
            });
        });
        Self {
            home,
            socket,
            allowed: tbsi_types::B256::from(own).to_string(),
        }
    }

    fn start(&self) -> Child {
        self.start_from(self.home.dir(), &self.allowed)
    }

    fn start_from(&self, home: &Path, allowed: &str) -> Child {
        let listen = format!("unix:{}", self.socket.display());
        Command::new(tbsi_binary())
            .args([
                "signer", "run", "--listen", &listen, "--allow", allowed, "--home",
            ])
            .arg(home)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the signer starts")
    }
}

async fn kill(mut signer: Child) {
    signer.start_kill().expect("it runs");
    signer.wait().await.expect("it ends");
}

/// Whether a validator's signature is in the certificate of the tip.
async fn signed_tip(client: &Client, validator: Address) -> bool {
    let certificate = client.certificate(BlockNumberOrTag::Latest).await;
    let certificate = certificate.expect("the node answers");
    certificate.is_some_and(|certificate| {
        let mut signatures = certificate.signatures.iter();
        signatures.any(|entry| entry.validator == validator)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_signer_costs_votes_and_comes_back() {
    let mut net = TestNetwork::create(4, 0);
    let address = net.validator_address(NODE);
    let signer = Signer::adopt(&net, NODE);
    let running = signer.start();
    net.network.start_all().expect("all nodes start");
    let client = net.client(0);
    for node in 0..4 {
        net.wait_height(node, Height(1)).await;
    }
    let mut sender = Sender::new("remote signer", net.network.chain_id());
    let mut votes = async |what: &str| {
        eventually(what, async || {
            sender.transfer(&client).await.expect("a block");
            signed_tip(&client, address).await
        })
        .await;
    };
    votes("the validator votes through its signer").await;

    let old = net.scratch().join("old");
    let copied = Command::new("cp")
        .arg("-a")
        .args([signer.home.dir(), old.as_path()])
        .status();
    assert!(copied.await.expect("cp runs").success());
    votes("the validator votes on").await;
    kill(running).await;
    let mut others = Sender::new("without signer", net.network.chain_id());
    for _ in 0..5 {
        let height = others.transfer(&net.client(0)).await.expect("a block");
        net.wait_height(NODE, height).await;
    }
    let metrics = net.network.nodes()[NODE].metrics;
    let page = http(metrics, "GET", "/readyz", &[], b"").await;
    assert_eq!(page.status, 503, "{}", page.text());
    assert!(page.text().contains("was not signed"), "{}", page.text());

    // An old copy of the home: its sign-state ends below what the node has seen.
    let older = signer.start_from(&old, &signer.allowed);
    eventually("the node refuses the old copy", async || {
        net.log(NODE).contains("older than signatures of its key")
    })
    .await;
    kill(older).await;

    let running = signer.start();
    votes("the validator votes again").await;
    eventually("the validator is ready again", async || {
        let page = http(metrics, "GET", "/readyz", &[], b"").await;
        page.status == 200
    })
    .await;
    let status = Home::new(net.network.home(NODE)).key_file(KeyKind::Validator);
    assert!(!status.exists(), "the key stays with the signer");
    kill(running).await;
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_starts_only_with_the_signer_that_it_expects() {
    let net = TestNetwork::create(4, 0);
    let signer = Signer::adopt(&net, NODE);
    let home = net.network.home(NODE);
    assert_refuses_to_run(&home, &["connect to the signer at unix:"]).await;

    let stranger = format!("0x{}", "11".repeat(32));
    let unlisted = signer.start_from(signer.home.dir(), &stranger);
    let words = ["--allow list", "signer at unix:"];
    assert_refuses_to_run(&home, &words).await;
    kill(unlisted).await;

    let running = signer.start();
    eventually("the signer listens", async || signer.socket.exists()).await;
    // Another validator's key is expected.
    let other = net.home(0).load().expect("a home").validator_key;
    let other = other.expect("a validator").public_key().encode().to_vec();
    let right = net.home(NODE).load().expect("a home").config.signer;
    net.configure(NODE, |config| {
        let signer = config.signer.as_mut().expect("it has one");
        signer.validator_key = other.into();
    });
    assert_refuses_to_run(&home, &["signs for another validator than 0x"]).await;
    net.configure(NODE, |config| config.signer = right);

    // One process for one sign-state.
    let listen = "127.0.0.1:0";
    let args = [
        "signer", "run", "--listen", listen, "--allow", &stranger, "--home",
    ];
    let mut args: Vec<&std::ffi::OsStr> = args.iter().map(std::ffi::OsStr::new).collect();
    args.push(signer.home.dir().as_os_str());
    let second = timeout(PATIENCE, tbsi(&args)).await.expect("it ends");
    assert_eq!(second.code, Some(1), "{}", second.stderr);
    assert!(second.stderr.contains("is in use"), "{}", second.stderr);
    kill(running).await;

    // The key in both places is refused.
    std::fs::copy(
        signer.home.validator_key_file(),
        net.home(NODE).validator_key_file(),
    )
    .expect("copy the key");
    let both = ["validator.key exists but the configuration names a `signer`"];
    assert_refuses_to_run(&home, &both).await;
}

#[tokio::test]
async fn a_node_leaves_no_core_and_takes_its_password_from_a_file() {
    let mut net = TestNetwork::create(4, 0);
    let home = net.home(0);
    let password = home.dir().join("keys/password");
    std::fs::write(&password, "correct horse\n").expect("write the password");
    let owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&password, owner).expect("protect the password");
    let dir = home.dir().to_string_lossy().into_owned();
    let file = password.to_string_lossy().into_owned();
    let args = ["keys", "encrypt", "--home", &dir, "--password-file", &file];
    let encrypted = tbsi(&args).await;
    assert_eq!(encrypted.code, Some(0), "{}", encrypted.stderr);
    assert_refuses_to_run(home.dir(), &[".key is encrypted", "--password-file"]).await;

    net.configure(0, |config| {
        config.keys.password_file = Some("keys/password".into())
    });
    net.network.start_all().expect("all nodes start");
    net.wait_height(0, Height(1)).await;
    let pid = net.network.pid(0).expect("it runs");
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits"));
    let limits = limits.expect("the process's limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let core: Vec<&str> = core.expect("a limit").split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "{core:?}");
    net.assert_no_panic();
}

/// Two of four signers say nothing for as long as a node waits for them: both nodes abstain in one
/// round, which nobody leaves unless they ask again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_four_signers_that_pause_do_not_halt_the_chain() {
    let mut net = TestNetwork::create(4, 0);
    let signers = [2, 3].map(|node| Signer::adopt(&net, node).start());
    net.network.start_all().expect("all nodes start");
    for node in 0..4 {
        net.wait_height(node, Height(2)).await;
    }
    let tell = async |signal: &str| {
        for signer in &signers {
            let pid = signer.id().expect("it runs").to_string();
            let kill = Command::new("kill").args([signal, &pid]).status();
            assert!(kill.await.expect("kill runs").success());
        }
    };
    tell("-STOP").await;
    sleep(Duration::from_secs(4)).await;
    tell("-CONT").await;
    let tip = net.client(0).block_number().await.expect("an answer");
    for node in 0..4 {
        net.wait_height(node, Height(tip.0 + 2)).await;
    }
}
