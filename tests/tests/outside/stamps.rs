//! Time stamps: openssl and rfc3161-client, the library of sigstore, without any network.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tbsi_testnet::AUTHORITY_ROOT;
use tbsi_tests::harness::{TestNetwork, http, skip};
use tbsi_tests::outside::{Offline, accepts, outside, python, refuses, run};

const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A network whose first node makes time stamps, and a folder with its root and two files.
struct Authority {
    net: TestNetwork,
    dir: PathBuf,
}

impl Authority {
    async fn start() -> Self {
        let net = TestNetwork::start(1, 0).await;
        let dir = net.scratch().join("stamps");
        fs::create_dir(&dir).unwrap();
        let root = net.network.home(0).join(AUTHORITY_ROOT);
        fs::copy(root, dir.join("root.pem")).unwrap();
        fs::write(dir.join("file"), "minutes of the assembly\n").unwrap();
        fs::write(dir.join("changed"), "minutes of the assembly.\n").unwrap();
        Self { net, dir }
    }

    fn offline(&self, what: &str) -> Option<Offline> {
        Offline::new(what, self.net.network.nodes()[0].rpc)
    }

    /// Has the query in `query` answered into `reply`.
    async fn answer(&self) {
        let query = fs::read(self.dir.join("query")).unwrap();
        let address = self.net.network.nodes()[0].rpc;
        let headers = ["content-type: application/timestamp-query"];
        let answer = http(address, "POST", "/tsa", &headers, &query).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        fs::write(self.dir.join("reply"), answer.body).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rfc3161_client_verifies_time_stamps_offline() {
    let what = "time stamps with rfc3161-client";
    let Some(python) = python(what) else {
        return;
    };
    let authority = Authority::start().await;
    let Some(offline) = authority.offline(what) else {
        return;
    };
    let script = outside().join("stamps.py");
    for hash in ["SHA256", "SHA512"] {
        let mut ask = Command::new(&python);
        ask.arg(&script).args(["ask", "file", hash, "query"]);
        let nonce = accepts(ask.current_dir(&authority.dir));
        authority.answer().await;
        let verify = |file: &str, nonce: &str| {
            let mut verify = offline.command(&python);
            verify.arg(&script).arg("verify");
            verify.args(["root.pem", nonce, "reply", file]);
            verify.current_dir(&authority.dir);
            verify
        };
        let said = accepts(&mut verify("file", nonce.trim()));
        for words in [
            "accepted: serial number ",
            "refused another file\n",
            "refused another nonce\n",
            "refused another root\n",
            "flipped bits, the others state the same\n",
        ] {
            assert!(said.contains(words), "{words:?} is not in: {said}");
        }
        refuses(
            &mut verify("changed", nonce.trim()),
            "Mismatch between messages",
        );
        refuses(&mut verify("file", "1"), "Nonce mismatch");
    }
    authority.net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_verifies_time_stamps_offline_long_after() {
    let what = "time stamps with openssl offline";
    if Command::new("openssl").arg("version").output().is_err() {
        skip(what, "no openssl", "install the Debian package openssl");
        return;
    }
    let authority = Authority::start().await;
    let mut ask = Command::new("openssl");
    ask.args("ts -query -data file -sha256 -cert -out query".split(' '));
    accepts(ask.current_dir(&authority.dir));
    authority.answer().await;
    let Some(offline) = authority.offline(what) else {
        return;
    };
    let openssl = |arguments: &str| {
        let mut openssl = offline.command("openssl");
        let verify = "ts -verify -in reply -CAfile root.pem".split(' ');
        openssl.args(verify).args(arguments.split(' '));
        openssl.current_dir(&authority.dir);
        openssl
    };
    let said = accepts(&mut openssl("-data file"));
    assert!(said.contains("Verification: OK"), "{said}");
    let refuses = |arguments: &str, words: &str| refuses(&mut openssl(arguments), words);
    refuses("-data changed", "message imprint mismatch");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = |time: Duration| format!("-data file -attime {}", time.as_secs());
    // The certificate is for ten years.
    accepts(&mut openssl(&at(now + 9 * YEAR)));
    refuses(&at(now + 11 * YEAR), "certificate has expired");
    refuses(&at(now - 2 * YEAR), "not yet valid");
    let reply = fs::read(authority.dir.join("reply")).unwrap();
    // Policy, digest, serial number, time, accuracy and nonce.
    let digest = tbsi_types::sha256(&[&fs::read(authority.dir.join("file")).unwrap()]);
    let mut windows = reply.windows(32);
    let start = windows.position(|window| window == digest.as_slice());
    let start = start.expect("the digest is in the token");
    for place in start - 20..start + 70 {
        let mut damaged = reply.clone();
        damaged[place] ^= 0x10;
        fs::write(authority.dir.join("reply"), damaged).unwrap();
        let (code, said) = run(&mut openssl("-data file"));
        assert_eq!(code, Some(1), "byte {place}: {said}");
    }
    authority.net.assert_no_panic();
}
