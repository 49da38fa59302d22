//! Two TBSI networks of real processes, each with a light client and an inbox of the other, and
//! a relayer in each direction. No fees, and keys without funds.

use std::path::{Path, PathBuf};

use alloy_consensus::TxEip1559;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex, keccak256};
use alloy_sol_types::SolCall;
use serde_json::{Value, json};
use tbsi_bindings::genesis::Outbox::sendCall;
use tbsi_bridge::evm::abi::{Inbox, LightClient};
use tbsi_governance::abi::PERMISSIONS;
use tbsi_rpc::Client;
use tbsi_tests::council::{
    Actor, ask, decide, grantCall, joining, kind, setPublicPermissionsCall, setQuotaCall,
};
use tbsi_tests::harness::{Sender, TestNetwork, tbsi, wait_receipt};
use tbsi_types::log::OUTBOX;
use tbsi_types::sha256;

/// Creation code of a contract that adds one to its first slot, whatever it is called with.
const COUNTER: [u8; 16] = hex!("675f546001015f55005f5260086018f3");

/// One of the two, and what is on it of the other.
struct Side {
    network: TestNetwork,
    client: Client,
    sender: Sender,
    chain_id: u64,
    key: PathBuf,
}

/// Contracts of one network about the other.
struct Contracts {
    light_client: Address,
    inbox: Address,
    receiver: Address,
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Runs `tbsi` with arguments without spaces, which must succeed; returns what it printed.
async fn ok(command: String) -> String {
    let args: Vec<&str> = command.split(' ').collect();
    let ended = tbsi(&args).await;
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(0), "{command}: {said}");
    ended.stdout.trim().to_owned()
}

impl Side {
    async fn start(chain_id: u64, validators: usize) -> Self {
        let network = TestNetwork::create_with_id(chain_id, validators, 0);
        let network = network.started().await;
        let client = network.client(0);
        let key = network.network.dir().join("development-key-1");
        Self {
            sender: Sender::new("two networks", chain_id),
            network,
            client,
            chain_id,
            key,
        }
    }

    fn url(&self) -> String {
        self.network.network.rpc_url(0)
    }

    fn genesis(&self) -> String {
        text(&self.network.network.genesis_file())
    }

    /// Sends a transaction of the sender; returns the address of what it creates, or zero.
    async fn transact(&self, to: TxKind, input: Bytes) -> Address {
        let account = self.sender.address();
        let latest = BlockNumberOrTag::Latest;
        let nonce = self.client.transaction_count(account, latest).await;
        let encoded = self.sender.sign(TxEip1559 {
            chain_id: self.chain_id,
            nonce: nonce.unwrap(),
            gas_limit: 200_000,
            to,
            input,
            ..TxEip1559::default()
        });
        let hash = self.client.send_raw_transaction(&encoded).await.unwrap();
        wait_receipt(&self.client, hash).await;
        let receipt = self.client.transaction_receipt(hash).await;
        let receipt = receipt.unwrap().unwrap();
        assert!(receipt.status(), "{hash} failed");
        receipt.contract_address.unwrap_or_default()
    }

    /// What this network holds of the other one, deployed with `tbsi relay`.
    async fn deploy(&self, other: &Self) -> Contracts {
        let (source, target, key) = (other.url(), self.url(), text(&self.key));
        let deploy = format!("--deploy-to {target} --key {key}");
        let genesis = other.genesis();
        let contract = format!("relay contract --genesis {genesis} --rpc {source} {deploy}");
        let client = ok(contract).await;
        let inbox = ok(format!("relay inbox --light-client {client} {deploy}")).await;
        Contracts {
            inbox: inbox.parse().unwrap(),
            light_client: client.parse().unwrap(),
            receiver: self.transact(TxKind::Create, COUNTER.into()).await,
        }
    }

    /// A relayer from this network to the other; returns its home directory.
    async fn relayer(&self, other: &Self, there: &Contracts) -> String {
        let home = text(&self.network.scratch().join("relayer"));
        ok(format!(
            "relay init --home {home} --genesis {} --source {} --target {} --chain-id {} \
             --light-client {} --inbox {} --name-en Association-A --all --free",
            self.genesis(),
            self.url(),
            other.url(),
            other.chain_id,
            there.light_client,
            there.inbox,
        ))
        .await;
        home
    }

    /// Sends a message and gives its payload to the relayer.
    async fn message(&self, other: &Self, to: Address, payload: &[u8], home: &str) {
        let call = sendCall {
            destination: keccak256(format!("eip155:{}", other.chain_id)),
            receiver: to.into_word(),
            timeout: 4_000_000_000,
            payloadHash: sha256(&[payload]),
        };
        self.transact(TxKind::Call(OUTBOX), call.abi_encode().into())
            .await;
        let file = self.network.scratch().join("payload");
        std::fs::write(&file, payload).unwrap();
        ok(format!("relay payload --home {home} {}", text(&file))).await;
    }

    /// Attests a file; returns the leaf's index.
    async fn attest(&self, name: &str) -> u64 {
        let file = self.network.scratch().join(name);
        std::fs::write(&file, name).unwrap();
        let said = ok(format!(
            "attest {} --key {} --rpc {} --genesis {} --json",
            text(&file),
            text(&self.key),
            self.url(),
            self.genesis(),
        ))
        .await;
        let said: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        said["files"][0]["leafIndex"]
            .as_u64()
            .unwrap_or_else(|| panic!("{said}"))
    }

    async fn count(&self, receiver: Address) -> U256 {
        let params = [json!(receiver), json!("0x0"), json!("latest")];
        let word: B256 = self
            .client
            .request("eth_getStorageAt", &params)
            .await
            .unwrap();
        word.into()
    }
}

/// Carries all that waits, twice: the second time there is nothing to do.
async fn carried(home: &str) {
    for _ in 0..2 {
        ok(format!("relay clear --home {home}")).await;
    }
    let audit = tbsi(&["relay", "audit", "--home", home, "--json"]).await;
    assert_eq!(audit.code, Some(0), "{}{}", audit.stdout, audit.stderr);
}

#[tokio::test]
async fn two_tbsi_networks_prove_attestations_and_deliver_messages_to_each_other() {
    let a = Side::start(8_862_026, 4).await;
    let b = Side::start(8_862_027, 1).await;
    let (on_b, on_a) = (b.deploy(&a).await, a.deploy(&b).await);
    let to_b = a.relayer(&b, &on_b).await;
    let to_a = b.relayer(&a, &on_a).await;
    let (leaf_a, leaf_b) = (a.attest("from-a").await, b.attest("from-b").await);
    for number in 0..2u8 {
        a.message(&b, on_b.receiver, &[b'a', number], &to_b).await;
        b.message(&a, on_a.receiver, &[b'b', number], &to_a).await;
    }
    carried(&to_b).await;
    carried(&to_a).await;
    for (side, there, leaf) in [(&b, &on_b, leaf_a), (&a, &on_a, leaf_b)] {
        assert_eq!(side.count(there.receiver).await, U256::from(2));
        let recorded = LightClient::isRecordedCall { index: leaf };
        assert!(
            ask(&side.client, there.light_client, &recorded).await,
            "leaf {leaf}"
        );
        for sequence in [1, 2] {
            let delivered = Inbox::isDeliveredCall { sequence };
            assert!(ask(&side.client, there.inbox, &delivered).await);
        }
    }
    let status = ok(format!("relay status --home {to_b} --lang zh-TW")).await;
    assert!(status.contains("未完成的訊息 0 則"), "{status}");
}

async fn check(home: &str) -> (Option<i32>, String) {
    let ended = tbsi(&["relay", "check", "--home", home]).await;
    (ended.code, ended.stdout + &ended.stderr)
}

/// Changes the configuration in a home directory.
fn edit(home: &str, from: &str, to: &str) {
    let file = Path::new(home).join("config.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{from}: {text}");
    std::fs::write(file, text.replace(from, to)).unwrap();
}

#[tokio::test]
async fn a_relayer_without_standing_is_told_what_is_missing_before_it_sends() {
    // A light client of a network on itself: one network is both chains.
    let net = Side::start(8_862_026, 4).await;
    let here = net.deploy(&net).await;
    let home = net.relayer(&net, &here).await;
    net.attest("a-file").await;
    let account = |node: usize| {
        let home = net.network.home(node).load().unwrap();
        Actor::new(home.account_key.unwrap(), net.chain_id)
    };
    let council: Vec<Actor> = (0..4).map(account).collect();
    let all: Vec<&Actor> = council.iter().collect();
    // The public may send, and no more.
    let public = setPublicPermissionsCall { permissions: 1 };
    decide(&net.client, &all, kind::SET_PUBLIC_PERMISSIONS, &public).await;
    let (code, said) = check(&home).await;
    assert_eq!(code, Some(1), "{said}");
    let words = "(of no organisation) may not attest on the source; an administrator of its \
                 organisation lets it: `tbsi org add-account";
    assert!(said.contains(words), "{said}");
    edit(&home, "registered = false", "registered = true");
    let (code, said) = check(&home).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("belongs to no active organisation"), "{said}");
    let key = tbsi_keys::keyfile::load_validator_key(&Path::new(&home).join("relayer.key"));
    let key = key.unwrap();
    let account = key.public_key().address();
    for (permissions, words) in [(5, "may not relay"), (13, "is one of Test Association A")] {
        if permissions == 5 {
            let names = (
                "name_en = \"Association-A\"",
                "name_en = \"Test Association A\"",
            );
            edit(&home, names.0, names.1);
            edit(
                &home,
                "name_zh_tw = \"\"",
                "name_zh_tw = \"台灣測試公會甲\"",
            );
        }
        if permissions == 5 {
            let joins = joining(net.chain_id, 1, &key, permissions);
            council[0].act(&net.client, PERMISSIONS, &joins).await;
        } else {
            let grant = grantCall {
                account,
                permissions,
            };
            council[0].act(&net.client, PERMISSIONS, &grant).await;
        }
        if permissions == 13 {
            edit(&home, "Test Association A", "Somebody Else");
        }
        let (code, said) = check(&home).await;
        assert_eq!(code, Some(1), "{words}: {said}");
        assert!(said.contains(words), "{words}: {said}");
    }
    edit(&home, "Somebody Else", "Test Association A");
    let (code, said) = check(&home).await;
    assert_eq!(code, Some(0), "{said}");
    without_leaves(&net, &all[1..], &home).await;
    let status = ok(format!("relay status --home {home}")).await;
    assert!(status.starts_with("0 items wait"), "{status}");
}

async fn without_leaves(net: &Side, council: &[&Actor], home: &str) {
    // Its organisation has no leaves left: the head of the record cannot be attested, and why is
    // said; what was carried stays so.
    let quota = setQuotaCall {
        organisation: 1,
        gas: u64::MAX,
        leaves: 0,
    };
    decide(&net.client, council, kind::SET_QUOTA, &quota).await;
    let ended = tbsi(&["relay", "clear", "--home", home]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("quota of leaves of organisation 1 is used up: "),
        "{}",
        ended.stderr
    );
    let quota = setQuotaCall {
        organisation: 1,
        gas: u64::MAX,
        leaves: u64::MAX,
    };
    decide(&net.client, council, kind::SET_QUOTA, &quota).await;
    ok(format!("relay clear --home {home}")).await;
}
