//! The typed client against the server.

use alloy_eips::BlockNumberOrTag;
use serde_json::{Value, json};
use tbsi_rpc::wire::LeafSelector;
use tbsi_rpc::{Backend, Client, ClientError, HttpProblem, LogReader};
use tbsi_types::log::EntryBundle;
use tbsi_types::{B256, Checkpoint, CommitCertificate, Height, LeafIndex, TreeSize};

use crate::chain::{NONCE, REVERTS};
use crate::http::Fixture;
use crate::transactions::{CHAIN_ID, identity, one_of_each_type, sender, transfer};
use crate::validators::{VALIDATORS, equivocation, members};

fn client(fixture: &Fixture) -> Client {
    Client::new(&format!("http://{}", fixture.address())).unwrap()
}

#[tokio::test]
async fn reads_what_the_server_serves() {
    let fixture = Fixture::new().await;
    let client = client(&fixture);
    assert_eq!(client.chain_id().await.unwrap(), CHAIN_ID);
    assert_eq!(client.block_number().await.unwrap(), Height(2));
    assert_eq!(client.status().await.unwrap(), fixture.chain.status());
    let count = async |tag| client.transaction_count(sender(), tag).await.unwrap();
    assert_eq!(count(BlockNumberOrTag::Latest).await, NONCE);
    assert_eq!(count(BlockNumberOrTag::Pending).await, NONCE + 2);
    let known = client.evidence().await.unwrap();
    assert_eq!(
        (known.evidence, known.more),
        (vec![(&equivocation()).into()], false)
    );

    let transaction = transfer(9);
    let hash = client.send_raw_transaction(transaction.encoded()).await;
    assert_eq!(hash.unwrap(), transaction.hash());
    let pending = client.transaction_receipt(transaction.hash()).await;
    assert_eq!(pending.unwrap(), None);
    let included = one_of_each_type()[2].hash();
    let receipt = client.transaction_receipt(included).await.unwrap().unwrap();
    assert_eq!(receipt.transaction_hash, included);
    assert_eq!(receipt.inner.logs().len(), 2);
    let number: Value = client.request("eth_blockNumber", &[]).await.unwrap();
    assert_eq!(number, "0x2");
}

#[tokio::test]
async fn signed_bytes_arrive_unchanged() {
    let fixture = Fixture::new().await;
    let client = client(&fixture);
    let height = BlockNumberOrTag::Number(1);
    let checkpoint = client.checkpoint(height).await.unwrap().unwrap();
    let decoded = Checkpoint::decode(&checkpoint.encoded).unwrap();
    assert_eq!(
        decoded,
        fixture.chain.checkpoint(Height(1)).unwrap().unwrap()
    );
    assert_eq!(decoded.digest(&identity()), checkpoint.digest);

    let certificate = client.certificate(height).await.unwrap().unwrap();
    let decoded = CommitCertificate::decode(&certificate.encoded).unwrap();
    assert_eq!(
        decoded,
        fixture.chain.certificate(Height(1)).unwrap().unwrap()
    );
    assert_eq!(certificate.checkpoint_digest, checkpoint.digest);
    assert_eq!(
        client
            .certificate(BlockNumberOrTag::Earliest)
            .await
            .unwrap(),
        None
    );

    let validators = client.validators(height).await.unwrap().unwrap();
    assert_eq!(validators.set_hash, members().set().hash());
    for (zh, en) in VALIDATORS {
        let named = validators.validators.iter().any(|validator| {
            validator.organisation.name_zh_tw == zh && validator.organisation.name_en == en
        });
        assert!(named, "{en}");
    }
}

/// The log of the tests' chain is empty.
#[tokio::test]
async fn what_is_not_in_the_log_is_none_or_an_error() {
    let fixture = Fixture::new().await;
    let client = client(&fixture);
    for selector in [
        LeafSelector::Index(LeafIndex(0)),
        LeafSelector::Id(B256::ZERO),
        LeafSelector::Digest(vec![1; 48].into()),
    ] {
        assert!(client.proof(&selector).await.unwrap().is_none());
    }
    let short = LeafSelector::Digest(vec![1; 27].into());
    let refused = client.proof(&short).await.unwrap_err().to_string();
    assert!(refused.contains("28 to 64 are possible"), "{refused}");
    assert_eq!(client.attestation(B256::ZERO).await.unwrap(), None);
    let sizes = client.consistency(TreeSize(1), TreeSize(2)).await;
    assert!(matches!(sizes, Err(ClientError::Refused { .. })));
}

#[tokio::test]
async fn files_of_the_log_are_refused_with_the_servers_words() {
    let fixture = Fixture::new().await;
    let bundle = |index| EntryBundle { index, width: 1 };
    let log = LogReader::new(&format!("http://{}/log/", fixture.address())).unwrap();
    let stored = fixture.chain.log_entries(bundle(0)).unwrap().unwrap();
    assert_eq!(log.entries(bundle(0)).await.unwrap(), stored.0);
    let absent = log.entries(bundle(2)).await.unwrap_err().to_string();
    let words = "/log/tile/entries/002.p/1: status 404: tile/entries/002.p/1 does not exist";
    assert!(absent.contains(words), "{absent}");
    let failed = log.entries(bundle(1)).await.unwrap_err().to_string();
    assert!(failed.contains("status 500"), "{failed}");
    let nobody = LogReader::new("http://127.0.0.1:1/log").unwrap();
    let nobody = nobody.entries(bundle(0)).await.unwrap_err().to_string();
    assert!(nobody.contains("is the node running?"), "{nobody}");
    for url in ["", "x y", "ftp://node/log", "http://node/log?a=b", "/log"] {
        let refused = LogReader::new(url).unwrap_err().to_string();
        assert!(refused.contains("is not an address"), "{url}: {refused}");
    }
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let fixture = Fixture::new().await;
    let client = client(&fixture);
    let reverted = client
        .request::<Value>("eth_call", &[json!({"to": REVERTS})])
        .await
        .unwrap_err();
    let words = "eth_call: execution reverted: user error (code 3)";
    assert_eq!(reverted.to_string(), words);
    assert!(matches!(
        reverted,
        ClientError::Refused {
            data: Some(Value::String(_)),
            ..
        }
    ));
    let number = client.request::<bool>("eth_blockNumber", &[]).await;
    assert!(matches!(number, Err(ClientError::Answer { .. })));

    let url = client.url().to_string();
    fixture.server.stop().await;
    let gone = client.chain_id().await.unwrap_err().to_string();
    assert!(gone.starts_with(&format!("cannot reach {url}: ")), "{gone}");
    assert!(gone.ends_with("; is the node running?"), "{gone}");
    for url in ["ftp://127.0.0.1:1", "127.0.0.1:1", "ws://127.0.0.1:1", ""] {
        assert!(
            matches!(Client::new(url), Err(ClientError::Url { .. })),
            "{url}"
        );
    }
}

/// Answers one request with these bytes, and hears what was asked.
async fn answering(answer: &'static str) -> (Client, tokio::task::JoinHandle<String>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        while !heard.ends_with(b"}") {
            heard.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(heard).unwrap()
    });
    (Client::new(&url).unwrap(), heard)
}

#[tokio::test]
async fn answers_that_are_no_json_rpc_are_named() {
    for (answer, words) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\n\r\nlogin",
            "a web page",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\n <!DOCTYPE html><html>",
            "a web page",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\n\r\n<html>",
            "status 502: no JSON-RPC",
        ),
        ("HTTP/1.1 401 Unauthorized\r\n\r\n", "`login` of http.toml"),
        (
            "HTTP/1.1 302 Found\r\nlocation: /login\r\n\r\n",
            "redirects to /login",
        ),
        ("HTTP/1.1 200 OK\r\n\r\n{}", "another call"),
        (
            "HTTP/1.1 200 OK\r\n\r\n{\"id\":2,\"result\":\"0x1\"}",
            "another call",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\n{\"id\":1}",
            "neither result nor error",
        ),
        ("HTTP/1.1 200 OK\r\n\r\n[1", "not understood"),
        (
            "HTTP/1.1 200 OK\r\n\r\n{\"id\":null,\"error\":{\"code\":-32700,\"message\":\"no\"}}",
            "no (code -32700)",
        ),
    ] {
        let (client, heard) = answering(answer).await;
        let error = client.chain_id().await.unwrap_err().to_string();
        assert!(error.contains(words), "{answer}: {error}");
        assert!(heard.await.unwrap().contains("\"method\":\"eth_chainId\""));
    }
    let (client, _heard) = answering("HTTP/1.1 200 OK\r\n\r\n{\"id\":1,\"result\":null}").await;
    let found: Option<u64> = client.request("eth_chainId", &[]).await.unwrap();
    assert_eq!(found, None);
    let long = json!("x".repeat(6 << 20));
    let refused = client.request::<Value>("eth_chainId", &[long]).await;
    let Err(ClientError::Unreachable { problem, .. }) = refused else {
        panic!("{refused:?}");
    };
    let bytes_max = 5 << 20;
    assert!(matches!(problem, HttpProblem::Asked { bytes_max: max, .. } if max == bytes_max));
}
