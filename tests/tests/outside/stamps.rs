//! Time stamps: openssl and rfc3161-client, the library of sigstore, without any network.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tbsi_testnet::AUTHORITY_ROOT;
use tbsi_tests::harness::{TestNetwork, http, skip};
use tbsi_tests::outside::{Offline, accepts, outside, python, refuses, run};

use crate::table::Row;

const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A network whose first node makes time stamps, and a folder with its root and two files.
pub(crate) struct Authority<'a> {
    net: &'a TestNetwork,
    dir: PathBuf,
}

impl<'a> Authority<'a> {
    pub(crate) fn of(net: &'a TestNetwork) -> Self {
        let dir = net.scratch().join("stamps");
        fs::create_dir(&dir).unwrap();
        let root = net.network.home(0).join(AUTHORITY_ROOT);
        fs::copy(root, dir.join("root.pem")).unwrap();
        fs::write(dir.join("file"), "minutes of the assembly\n").unwrap();
        fs::write(dir.join("changed"), "minutes of the assembly.\n").unwrap();
        Self { net, dir }
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

    /// By rfc3161-client; `None`, and said so, if it is not installed.
    pub(crate) async fn by_rfc3161_client(&self, offline: &Offline, hash: &str) -> Option<Row> {
        let python = python("time stamps with rfc3161-client")?;
        let script = outside().join("stamps.py");
        let mut ask = Command::new(&python);
        ask.arg(&script).args(["ask", "file", hash, "query"]);
        let nonce = accepts(ask.current_dir(&self.dir));
        self.answer().await;
        let verify = |file: &str, nonce: &str| {
            let mut verify = offline.command(&python);
            verify.arg(&script).arg("verify");
            verify.args(["root.pem", nonce, "reply", file]);
            verify.current_dir(&self.dir);
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
        Some(Row::said("rfc3161-client", "time stamp", &said))
    }

    /// By `openssl ts`, also years later; `None`, and said so, if it is not installed.
    pub(crate) async fn by_openssl(&self, offline: &Offline) -> Option<Row> {
        if Command::new("openssl").arg("version").output().is_err() {
            let what = "time stamps with openssl offline";
            skip(what, "no openssl", "install the Debian package openssl");
            return None;
        }
        let mut ask = Command::new("openssl");
        ask.args("ts -query -data file -sha256 -cert -out query".split(' '));
        accepts(ask.current_dir(&self.dir));
        self.answer().await;
        let openssl = |arguments: &str| {
            let mut openssl = offline.command("openssl");
            let verify = "ts -verify -in reply -CAfile root.pem".split(' ');
            openssl.args(verify).args(arguments.split(' '));
            openssl.current_dir(&self.dir);
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
        let places = self.stated();
        let refused = 1 + places.len();
        let reply = fs::read(self.dir.join("reply")).unwrap();
        for place in places {
            let mut damaged = reply.clone();
            damaged[place] ^= 0x10;
            fs::write(self.dir.join("reply"), damaged).unwrap();
            let (code, said) = run(&mut openssl("-data file"));
            assert_eq!(code, Some(1), "byte {place}: {said}");
        }
        Some(Row {
            verifier: "openssl ts",
            of: "time stamp",
            accepts: true,
            refused,
            unnoticed: 0,
            offline: true,
        })
    }

    /// Where policy, digest, serial number, time, accuracy and nonce are in the reply.
    fn stated(&self) -> std::ops::Range<usize> {
        let reply = fs::read(self.dir.join("reply")).unwrap();
        let digest = tbsi_types::sha256(&[&fs::read(self.dir.join("file")).unwrap()]);
        let mut windows = reply.windows(32);
        let start = windows.position(|window| window == digest.as_slice());
        let start = start.expect("the digest is in the token");
        start - 20..start + 70
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rfc3161_client_verifies_time_stamps_offline() {
    let net = TestNetwork::start(1, 0).await;
    let authority = Authority::of(&net);
    let Some(offline) = Offline::new("time stamps", net.network.nodes()[0].rpc) else {
        return;
    };
    for hash in ["SHA256", "SHA512"] {
        authority.by_rfc3161_client(&offline, hash).await;
    }
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_verifies_time_stamps_offline_long_after() {
    let net = TestNetwork::start(1, 0).await;
    let authority = Authority::of(&net);
    let Some(offline) = Offline::new("time stamps", net.network.nodes()[0].rpc) else {
        return;
    };
    authority.by_openssl(&offline).await;
    net.assert_no_panic();
}
