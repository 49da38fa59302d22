//! Facts of another chain, with the commands that people type: a TBSI network of real processes
//! follows a QBFT network of GoQuorum, whose program others wrote; and what TBSI attests is proven
//! on that chain.
//!
//! It needs Go and the modules of `tests/quorum`; without these it is skipped by name.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod ancestry;
mod relay;

use alloy_primitives::{Address, B256, U256};
use serde_json::{Value, json};
use tbsi_tests::bridge::proxy::{Fate, Proxy};
use tbsi_tests::bridge::quorum::{self, CONTRACT, FOREIGN_CHAIN_ID, FROM_GENESIS, Quorum};
use tbsi_tests::harness::{Ended, TestNetwork, json_of, said, tbsi};

/// Both networks.
struct Stage {
    net: TestNetwork,
    quorum: Quorum,
}

impl Stage {
    /// Key of an association's account, from 0.
    fn key(&self, node: usize) -> String {
        let file = self.net.home(node).account_key_file();
        file.display().to_string()
    }

    fn path(&self, name: &str) -> String {
        self.net.scratch().join(name).display().to_string()
    }

    async fn ask(&self, args: &[&str]) -> Ended {
        let url = self.net.network.rpc_url(0);
        tbsi(&[args, &["--rpc", &url]].concat()).await
    }

    /// A command of the association with this account, about client 1.
    async fn act(&self, node: usize, args: &[&str]) -> Ended {
        let key = self.key(node);
        self.ask(&[&["fact"], args, &["--key", &key]].concat())
            .await
    }

    /// Imports a slot of the contract, after the newest block or one that `extra` says.
    async fn import(&self, from: &str, slot: u64, extra: &[&str]) -> Ended {
        let (account, slot) = (CONTRACT.to_string(), slot.to_string());
        let args = ["import", &account, &slot, "--client", "1", "--from", from];
        self.act(1, &[&args, extra].concat()).await
    }

    async fn status(&self) -> Value {
        let listed = self.ask(&["fact", "clients", "--json"]).await;
        json_of(&listed)["clients"][0].clone()
    }
}

fn word(number: u64) -> Value {
    json!(B256::from(U256::from(number)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_qbft_chain_and_tbsi_prove_to_each_other_what_they_hold() {
    let Some(program) = quorum::program() else {
        return;
    };
    let (net, quorum) = tokio::join!(TestNetwork::start(4, 0), Quorum::start(&program));
    let stage = Stage { net, quorum };
    relay::what_is_attested_is_proven_there(&stage).await;
    a_client_is_opened_by_the_operator(&stage).await;
    a_dry_run_sends_nothing(&stage).await;
    let height = a_fact_becomes_a_leaf(&stage).await;
    what_does_not_follow_is_refused(&stage, height).await;
    ancestry::f7_another_chain_with_the_same_keys_is_refused(&stage, height).await;
    ancestry::a_keeper_of_hashes_shows_what_comes_after(&stage).await;
    a_liar_is_found_out(&stage, height).await;
    the_validators_are_followed(&stage).await;
    t43_two_sealed_blocks_freeze_the_client(&stage, height).await;
    stage.net.assert_no_panic();
}

async fn a_client_is_opened_by_the_operator(stage: &Stage) {
    let from = stage.quorum.url();
    let chain = format!("eip155:{FOREIGN_CHAIN_ID}");
    let open = |kind: &'static str| {
        [
            "open", &chain, "--kind", kind, "--from", from, "--height", "2",
        ]
    };
    said(
        &stage.act(0, &open("qbft")).await,
        2,
        &["no chain `eip155:1981` is registered"],
    );
    let key = stage.key(0);
    let register = [
        "org",
        "register-chain",
        &chain,
        "--technology",
        "goquorum-22.7.4",
    ];
    said(
        &stage.ask(&[&register[..], &["--key", &key]].concat()).await,
        0,
        &["chain  1"],
    );
    // Of the wrong kind, and by another association.
    said(
        &stage.act(0, &open("ibft2")).await,
        2,
        &["extra data: item 2", "right kind"],
    );
    let other = stage.act(1, &open("qbft")).await;
    said(
        &other,
        2,
        &["administrators alone open clients", "Test Association A"],
    );
    let zh_tw = [&open("qbft")[..], &["--lang", "zh-TW"]].concat();
    said(
        &stage.act(1, &zh_tw).await,
        2,
        &["只有其管理者能為它開設客戶端"],
    );
    let opened = stage.act(0, &open("qbft")).await;
    said(
        &opened,
        0,
        &[
            "begins with block 2",
            "shown to come after block 0",
            "4 validators",
            "vouches for it",
            "client 1",
        ],
    );
    let status = stage.status().await;
    assert_eq!(status["assurance"], "qbft", "{status}");
    assert_eq!(
        (&status["first"], &status["status"]),
        (&2.into(), &"active".into())
    );
    assert_eq!(status["organisation"]["nameEn"], "Test Association A");
}

async fn a_dry_run_sends_nothing(stage: &Stage) {
    let from = stage.quorum.url();
    stage.quorum.reaches(3).await;
    let before = stage.status().await;
    let dry = stage.import(from, FROM_GENESIS.0, &["--dry-run"]).await;
    said(
        &dry,
        0,
        &[
            "would",
            "1 header",
            "(42)",
            "proven qbft",
            "nothing was sent",
        ],
    );
    let zh_tw = ["--dry-run", "--lang", "zh-TW"];
    let dry = stage.import(from, FROM_GENESIS.0, &zh_tw).await;
    said(&dry, 0, &["將會", "(42)", "qbft：", "未送出任何交易"]);
    assert_eq!(stage.status().await, before);
}

/// Returns the height under which it was imported.
async fn a_fact_becomes_a_leaf(stage: &Stage) -> u64 {
    let from = stage.quorum.url();
    let height = stage.quorum.put(0, 9, 1_234).await;
    let (at, out) = (height.to_string(), stage.path("fact.json"));
    let args = ["--height", &at, "--out", &out, "--json"];
    let imported = json_of(&stage.import(from, 9, &args).await);
    assert_eq!(imported["value"], word(1_234), "{imported}");
    assert_eq!(imported["assurance"], "qbft");
    assert_eq!(imported["foreignHeight"], height);
    assert_eq!(imported["foreignChainId"], FOREIGN_CHAIN_ID);
    // The leaf is proven offline, by its own words.
    let genesis = stage.net.network.genesis_file().display().to_string();
    let verify = ["verify", &out, "--genesis", &genesis];
    let block = stage.quorum.block(height).await["hash"].clone();
    let (block, account) = (block.as_str().unwrap(), CONTRACT.to_string());
    let words = [
        "fact of another chain",
        "qbft: two thirds",
        "eip155:1981",
        block,
        &account,
    ];
    said(&tbsi(&verify).await, 0, &words);
    let zh_tw = [&verify[..], &["--lang", "zh-TW"]].concat();
    said(
        &tbsi(&zh_tw).await,
        0,
        &["他鏈事實", "三分之二", "eip155:1981"],
    );
    let json = json_of(&tbsi(&[&verify[..], &["--json"]].concat()).await);
    let statement = &json["statement"];
    assert_eq!(statement["kind"], "foreignFact", "{json}");
    assert_eq!(
        (&statement["value"], &statement["client"]),
        (&word(1_234), &1.into())
    );
    // A word that was there from the start, and one that is not there; the header is there now.
    let old = stage
        .import(from, FROM_GENESIS.0, &["--height", &at, "--json"])
        .await;
    let old = json_of(&old);
    assert_eq!(
        (&old["value"], &old["headers"]),
        (&word(FROM_GENESIS.1), &0.into())
    );
    height
}

async fn what_does_not_follow_is_refused(stage: &Stage, height: u64) {
    let (from, at) = (stage.quorum.url(), height.to_string());
    let again = stage.import(from, 9, &["--height", &at]).await;
    said(&again, 2, &["was imported before under client 1"]);
    let early = stage.import(from, 9, &["--height", "1"]).await;
    said(&early, 2, &["client 1 begins with block 2"]);
    let late = stage.import(from, 9, &["--height", "99999999"]).await;
    said(&late, 2, &["has no block 99999999", "earlier --height"]);
    // TBSI itself is another chain, and nobody is at the last address.
    let tbsi = stage.net.network.rpc_url(1);
    said(&stage.import(&tbsi, 9, &[]).await, 2, &["chain id", "1981"]);
    let nobody = stage.import("http://127.0.0.1:9", 9, &[]).await;
    said(&nobody, 2, &["http://127.0.0.1:9", "the chain id"]);
    // An account of nobody may send, and may not relay.
    let stranger = stage
        .net
        .network
        .development_key_file(1)
        .display()
        .to_string();
    let account = CONTRACT.to_string();
    let import = [
        "fact", "import", &account, "7", "--client", "1", "--from", from,
    ];
    let refused = stage
        .ask(&[&import[..], &["--key", &stranger]].concat())
        .await;
    said(&refused, 2, &["relay"]);
}

/// An endpoint that changes answers can only be refused: nothing is sent.
async fn a_liar_is_found_out(stage: &Stage, height: u64) {
    let proxy = Proxy::start(stage.quorum.url()).await;
    let before = stage.status().await;
    let change = |method: &'static str, edit: fn(&mut Value)| {
        proxy.edit(move |asked, mut answer| {
            if asked == method {
                edit(&mut answer);
            }
            answer
        });
    };
    let import = async |words: &[&str]| {
        said(&stage.import(&proxy.url(), 9, &[]).await, 2, words);
    };
    change("eth_getBlockByNumber", |block| block["stateRoot"] = word(1));
    import(&["its fields give", "it lies"]).await;
    // The genesis block's is asked for first, and is another lie (`ancestry`).
    change("eth_getBlockByNumber", |block| {
        if block["number"] != "0x0" {
            block["hash"] = word(1);
        }
    });
    import(&["its fields give"]).await;
    change("eth_getBlockByNumber", |block| block["mixHash"] = word(1));
    import(&["header field 13", "another kind"]).await;
    change("eth_getProof", |proof| {
        proof["storageProof"][0]["proof"] = json!([])
    });
    import(&["node", "is missing"]).await;
    change("eth_getProof", |proof| {
        proof["accountProof"][0] = json!("0xc0")
    });
    import(&["node 0 has another hash"]).await;
    // A block whose hash fits, which nobody sealed.
    let mut forged = stage.quorum.forge(height + 1, B256::repeat_byte(1)).await;
    let stripped = unsealed(&forged);
    forged["extraData"] = json!(stripped);
    proxy.edit(|_, answer| answer);
    proxy.rule(move |method, params| {
        let asked = json!(format!("{:#x}", height + 1));
        if method == "eth_getBlockByNumber" && params[0] == asked {
            return Fate::Answer(forged.clone());
        }
        Fate::Pass
    });
    let at = (height + 1).to_string();
    let refused = stage.import(&proxy.url(), 9, &["--height", &at]).await;
    said(
        &refused,
        2,
        &["0 validators sealed the header, 3 are needed"],
    );
    assert_eq!(stage.status().await, before);
}

/// The same extra data without seals: the last item becomes an empty list.
fn unsealed(block: &Value) -> String {
    let bytes: alloy_primitives::Bytes =
        serde_json::from_value(block["extraData"].clone()).unwrap();
    let mut rest = bytes.as_ref();
    let header = alloy_rlp::Header::decode(&mut rest).unwrap();
    assert!(header.list);
    let mut items: Vec<&[u8]> = Vec::new();
    while !rest.is_empty() {
        let start = rest;
        let inner = alloy_rlp::Header::decode(&mut rest).unwrap();
        rest = &rest[inner.payload_length..];
        items.push(&start[..start.len() - rest.len()]);
    }
    items[4] = &[0xc0];
    let mut list = Vec::new();
    let payload_length = items.iter().map(|item| item.len()).sum();
    alloy_rlp::Header {
        list: true,
        payload_length,
    }
    .encode(&mut list);
    list.extend(items.concat());
    alloy_primitives::hex::encode_prefixed(list)
}

/// GoQuorum's validators vote for a fifth, and TBSI follows.
async fn the_validators_are_followed(stage: &Stage) {
    stage.quorum.add_validator(Address::repeat_byte(0x55)).await;
    let height = stage.quorum.height().await + 1;
    stage.quorum.reaches(height).await;
    let at = height.to_string();
    let args = ["--height", &at, "--json"];
    let imported = json_of(&stage.import(stage.quorum.url(), 8, &args).await);
    // Nothing is in that slot, which is a fact as well.
    assert_eq!(
        (&imported["value"], &imported["headers"]),
        (&word(0), &1.into())
    );
    assert_eq!(stage.status().await["latest"], height);
}

async fn t43_two_sealed_blocks_freeze_the_client(stage: &Stage, height: u64) {
    let at = height.to_string();
    let freeze = |from: &str| {
        let from = from.to_owned();
        let at = at.clone();
        async move {
            let args = ["freeze", "--client", "1", "--from", &from, "--height", &at];
            stage.act(3, &args).await
        }
    };
    said(&freeze(stage.quorum.url()).await, 2, &["the very block"]);
    let forged = stage.quorum.forge(height, B256::repeat_byte(1)).await;
    let proxy = Proxy::start(stage.quorum.url()).await;
    let asked = json!(format!("{height:#x}"));
    proxy.rule(move |method, params| {
        if method == "eth_getBlockByNumber" && params[0] == asked {
            return Fate::Answer(forged.clone());
        }
        Fate::Pass
    });
    // Whoever imports from there is told, and nothing is sent.
    let split = stage.import(&proxy.url(), 7, &["--height", &at]).await;
    said(
        &split,
        2,
        &["TBSI has accepted", "`tbsi fact freeze` proves it"],
    );
    assert_eq!(stage.status().await["status"], "active");
    said(&freeze(&proxy.url()).await, 0, &["client 1 is frozen"]);
    assert_eq!(stage.status().await["status"], "frozen");
    let refused = stage.import(stage.quorum.url(), 7, &[]).await;
    said(&refused, 2, &["client 1 is frozen", "count no more"]);
    let zh_tw = stage
        .import(stage.quorum.url(), 7, &["--lang", "zh-TW"])
        .await;
    said(&zh_tw, 2, &["客戶端 1 已凍結"]);
}
