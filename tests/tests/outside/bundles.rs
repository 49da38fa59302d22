//! Proof bundles: `tbsi verify` without any network.

use std::fs;
use std::path::Path;
use std::process::Command;

use tbsi_tests::harness::{TestNetwork, tbsi, tbsi_binary};
use tbsi_tests::outside::{Offline, accepts, refuses};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tbsi_verifies_bundles_offline() {
    let net = TestNetwork::start(4, 0).await;
    let address = net.network.nodes()[0].rpc;
    let Some(offline) = Offline::new("tbsi verify offline", address) else {
        return;
    };
    let dir = net.scratch().join("files");
    fs::create_dir(&dir).unwrap();
    let path = |name: &str| dir.join(name).display().to_string();
    fs::write(path("file"), "minutes of the assembly\n").unwrap();
    fs::write(path("changed"), "minutes of the assembly.\n").unwrap();
    let (url, key) = (net.network.rpc_url(0), net.network.development_key_file(1));
    let key = key.display().to_string();
    let file = path("file");
    let attest = ["attest", &file, "--key", &key, "--rpc", &url];
    let attested = tbsi(&attest).await;
    assert_eq!(attested.code, Some(0), "{}", attested.stderr);
    let compact = path("file.tbsi");
    let prove = [
        "prove",
        "--index",
        "0",
        "--compact",
        "--rpc",
        &url,
        "--out",
        &compact,
    ];
    let proved = tbsi(&prove).await;
    assert_eq!(proved.code, Some(0), "{}", proved.stderr);

    let genesis = net.network.genesis_file();
    let verify = |proof: &str, more: &[&str]| {
        let mut verify = offline.command(tbsi_binary());
        verify.arg("verify").arg(dir.join(proof));
        verify.arg("--genesis").arg(&genesis).args(more);
        verify
    };
    for proof in ["file.tbsi.json", "file.tbsi"] {
        let said = accepts(&mut verify(proof, &[]));
        assert!(
            said.ends_with("\nTHE PROOF HOLDS; revocation not checked\n"),
            "{said}"
        );
        assert!(said.contains("ok  file: "), "{said}");
        let changed = path("changed");
        let other = &mut verify(proof, &["--file", &changed]);
        refuses(other, "is not the file that was attested");
        refuses(&mut verify(&changed_copy(&dir, proof), &[]), "INVALID: ");
    }
    // What needs the network has none: the node answers outside and not in there.
    accepts(Command::new(tbsi_binary()).args(["status", "--rpc", &url]));
    let mut status = offline.command(tbsi_binary());
    refuses(
        status.args(["status", "--rpc", &url]),
        "is the node running?",
    );
    net.assert_no_panic();
}

/// A proof with one digit or byte changed that still can be read as a proof.
fn changed_copy(dir: &Path, proof: &str) -> String {
    let mut bytes = fs::read(dir.join(proof)).unwrap();
    // The last signature in the compact form, the log's root in JSON: either can still be read.
    let root = b"\"logRoot\": \"0x";
    let place = bytes.windows(root.len()).position(|it| it == root);
    let place = place.map_or(bytes.len() - 2, |at| at + root.len());
    bytes[place] = match bytes[place] {
        b'0' => b'1',
        b'1'..=b'9' | b'a'..=b'f' => b'0',
        other => other ^ 1,
    };
    let name = format!("bad-{proof}");
    fs::write(dir.join(&name), bytes).unwrap();
    name
}
