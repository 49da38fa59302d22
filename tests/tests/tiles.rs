//! The log as other software reads it: tiles, notes and proofs over HTTP, and what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use tbsi_light::verify_tlog_proof;
use tbsi_tests::harness::{Answer, TestNetwork, eventually, http};
use tbsi_tests::issuer::Issuer;
use tbsi_types::TreeSize;
use tbsi_types::log::{LogCheckpoint, NoteVerifier, SignedNote, TlogProof, leaf_hash, tile};

async fn get(net: &TestNetwork, node: usize, path: &str) -> Answer {
    http(net.network.nodes()[node].rpc, "GET", path, &[], b"").await
}

async fn key(net: &TestNetwork, node: usize) -> NoteVerifier {
    let answer = get(net, node, "/log/key").await;
    assert_eq!(answer.status, 200);
    let first = answer.text().lines().next();
    NoteVerifier::parse(first.unwrap()).unwrap()
}

/// The log as a node's checkpoint note states it, under a good signature.
async fn checkpoint(net: &TestNetwork, node: usize) -> LogCheckpoint {
    let note = get(net, node, "/log/checkpoint").await;
    let note = SignedNote::parse(note.text()).unwrap();
    let key = key(net, node).await;
    assert_eq!(key.verify(note.text(), &note.signatures()[0]), Ok(None));
    LogCheckpoint::parse(note.text()).unwrap()
}

/// The same, when it has so many leaves: cosignatures may come a moment after the block.
async fn checkpoint_of(net: &TestNetwork, node: usize, size: u64) -> LogCheckpoint {
    eventually("all leaves are in the checkpoint", async || {
        checkpoint(net, node).await.size == TreeSize(size)
    })
    .await;
    checkpoint(net, node).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_serves_the_log_under_its_own_key() {
    let mut net = TestNetwork::start(4, 1).await;
    let origin = net.genesis().identity().log_origin();
    let empty = checkpoint(&net, 4).await;
    assert_eq!(
        (empty.size, empty.origin.as_str()),
        (TreeSize(0), origin.as_str())
    );
    let absent = get(&net, 0, "/log/tile/0/000.p/1").await;
    assert_eq!(absent.status, 404);

    let mut issuer = Issuer::new("tiles", &net);
    issuer.attest(&net.client(0), 0..300).await;
    let height = net.client(0).block_number().await.unwrap();
    let mut keys = Vec::new();
    for node in 0..5 {
        net.wait_height(node, height).await;
        let state = checkpoint_of(&net, node, 300).await;
        assert_eq!(state.origin, origin);
        keys.push(key(&net, node).await.encode());
    }
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 5, "each node has a key of its own");

    let entries = get(&net, 4, "/log/tile/entries/001.p/44").await;
    let leaves = tile::entries(&entries.body, 44).unwrap();
    let hashes = get(&net, 4, "/log/tile/0/001.p/44").await.body;
    let expected: Vec<u8> = leaves.iter().flat_map(|leaf| leaf_hash(leaf).0).collect();
    assert_eq!(hashes, expected);
    // A narrower tile is the beginning of the one that is there; a wider one is not.
    for (path, length) in [("000.p/255", 8_160), ("000", 8_192), ("001.p/1", 32)] {
        let cut = get(&net, 1, &format!("/log/tile/0/{path}")).await;
        assert_eq!((cut.status, cut.body.len()), (200, length), "{path}");
    }
    for path in [
        "0/001.p/45",
        "0/001",
        "0/002.p/1",
        "1/000.p/2",
        "1/000",
        "2/000.p/1",
    ] {
        let wide = get(&net, 1, &format!("/log/tile/{path}")).await;
        assert_eq!(wide.status, 404, "{path}");
        assert!(
            wide.text().contains("the log has 300 leaves"),
            "{}",
            wide.text()
        );
    }
    let wide = get(&net, 1, "/log/tile/entries/001.p/45").await;
    assert_eq!(wide.status, 404);
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_that_was_served_stays_good() {
    let mut net = TestNetwork::start(4, 0).await;
    let mut issuer = Issuer::new("proof", &net);
    issuer.attest(&net.client(0), 0..5).await;
    let before = get(&net, 0, "/log/proof/3.tlog-proof").await;
    let proof = TlogProof::parse(before.text()).unwrap();
    let state = LogCheckpoint::parse(proof.note.text()).unwrap();
    assert_eq!(state.size, TreeSize(5));
    let signature = &proof.note.signatures()[0];
    assert_eq!(
        key(&net, 0).await.verify(proof.note.text(), signature),
        Ok(None)
    );
    assert!(
        key(&net, 1)
            .await
            .verify(proof.note.text(), signature)
            .is_err()
    );

    issuer.attest(&net.client(0), 5..700).await;
    // The key and the answer outlive the process.
    net.network.kill9(0).await.unwrap();
    net.network.start(0).unwrap();
    let height = net.client(1).block_number().await.unwrap();
    net.wait_height(0, height).await;
    let after = get(&net, 0, "/log/proof/3.tlog-proof").await;
    // Under whatever checkpoint: both prove the same leaf with the same key.
    let entries = get(&net, 0, "/log/tile/entries/000").await;
    let leaf = tile::entries(&entries.body, 256).unwrap()[3].to_vec();
    let key = key(&net, 0).await;
    for text in [before.text(), after.text()] {
        let proof = TlogProof::parse(text).unwrap();
        verify_tlog_proof(&leaf, &proof, &key, &[], 0).unwrap();
    }
    assert_eq!(get(&net, 0, "/log/proof/700.tlog-proof").await.status, 404);
    net.assert_no_panic();
}
