//! A commit certificate that is no quorum, in the hands of `tbsi checkpoint verify`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tbsi_tests::harness::{Ended, TestNetwork, tbsi};
use tbsi_types::{Bytes, CommitCertificate};

async fn verify(net: &TestNetwork, file: &Path) -> Ended {
    let genesis = net.network.genesis_file();
    let file = file.to_str().unwrap();
    let genesis = genesis.to_str().unwrap();
    tbsi(&["checkpoint", "verify", "--file", file, "--genesis", genesis]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_below_quorum_proves_nothing() {
    let net = TestNetwork::start(4, 0).await;
    let file = net.scratch().join("checkpoint.json");
    let url = net.network.rpc_url(0);
    let path = file.to_str().unwrap();
    let fetched = tbsi(&["checkpoint", "get", "--rpc", &url, "--out", path]).await;
    assert_eq!(fetched.code, Some(0), "{fetched:?}");
    let honest = verify(&net, &file).await;
    assert_eq!(honest.code, Some(0), "{honest:?}");

    let mut json: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let encoded: Bytes = serde_json::from_value(json["certificate"]["encoded"].clone()).unwrap();
    let certificate = CommitCertificate::decode(&encoded).unwrap();
    let two = certificate.signatures()[..2].to_vec();
    let below = CommitCertificate::new(
        certificate.height,
        certificate.round,
        certificate.checkpoint_digest,
        two,
    )
    .unwrap();
    json["certificate"]["encoded"] = json!(Bytes::from(below.encode()));
    fs::write(&file, json.to_string()).unwrap();
    let refused = verify(&net, &file).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stdout.starts_with("INVALID: "), "{refused:?}");
    let words = ["2 of 4", "more than 2/3"];
    assert!(
        words.iter().all(|word| refused.stdout.contains(word)),
        "{refused:?}"
    );
    net.assert_no_panic();
}
