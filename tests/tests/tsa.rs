//! Time stamps of RFC 3161, asked for and verified with `openssl ts`.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tbsi_home::config::TsaConfig;
use tbsi_node::tsa::Authority;
use tbsi_rpc::wire::{LeafPage, LogEntry};
use tbsi_testnet::AUTHORITY_ROOT;
use tbsi_tests::harness::{Answer, TestNetwork, assert_refuses_to_run, http, skip};
use tbsi_types::log::Leaf;

const QUERY: &str = "content-type: application/timestamp-query";

/// Runs openssl in `dir`; `None` if there is none.
fn try_openssl(dir: &Path, arguments: &str) -> Option<Output> {
    let words = arguments.split_whitespace();
    Command::new("openssl")
        .args(words)
        .current_dir(dir)
        .output()
        .ok()
}

fn openssl(dir: &Path, arguments: &str) -> (bool, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = try_openssl(dir, arguments).unwrap();
    let said = [stdout, stderr].concat();
    (
        status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// openssl does it.
fn assert_does(dir: &Path, arguments: &str) -> String {
    let (done, said) = openssl(dir, arguments);
    assert!(done, "openssl {arguments}: {said}");
    said
}

/// openssl refuses, with these words.
fn assert_refuses(dir: &Path, arguments: &str, words: &str) {
    let (done, said) = openssl(dir, arguments);
    assert!(!done, "openssl {arguments}: {said}");
    assert!(
        said.contains(words),
        "openssl {arguments}: {words:?} is not in: {said}"
    );
}

/// A network, a folder with a file, and the root that its time stamps lead to.
struct Stamped {
    net: TestNetwork,
    dir: PathBuf,
}

/// Whether there is an openssl; skips if not.
fn has_openssl() -> bool {
    let found = try_openssl(Path::new("."), "version").is_some_and(|it| it.status.success());
    if !found {
        skip(
            "time stamps",
            "no openssl",
            "install the Debian package openssl",
        );
    }
    found
}

impl Stamped {
    async fn start() -> Option<Self> {
        if !has_openssl() {
            return None;
        }
        Some(Self::of(TestNetwork::start(4, 1).await))
    }

    fn of(net: TestNetwork) -> Self {
        let dir = net.scratch().join("stamped");
        std::fs::create_dir(&dir).unwrap();
        std::fs::copy(
            net.network.home(0).join(AUTHORITY_ROOT),
            dir.join("root.pem"),
        )
        .unwrap();
        std::fs::write(dir.join("file"), "minutes of the assembly\n").unwrap();
        std::fs::write(dir.join("changed"), "minutes of the assembly.\n").unwrap();
        Self { net, dir }
    }

    async fn post(&self, node: usize, query: &[u8]) -> Answer {
        http(
            self.net.network.nodes()[node].rpc,
            "POST",
            "/tsa",
            &[QUERY],
            query,
        )
        .await
    }

    /// Makes a query with these options and lets the first node answer it.
    async fn ask(&self, options: &str) -> String {
        assert_does(&self.dir, &format!("ts -query {options} -out query"));
        let query = std::fs::read(self.dir.join("query")).unwrap();
        let answer = self.post(0, &query).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(
            answer
                .head
                .contains("content-type: application/timestamp-reply")
        );
        std::fs::write(self.dir.join("reply"), &answer.body).unwrap();
        assert_does(&self.dir, "ts -reply -in reply -text")
    }
}

const VERIFY: &str = "ts -verify -in reply -CAfile root.pem";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_verifies_what_it_asked_for_and_nothing_else() {
    let Some(stamped) = Stamped::start().await else {
        return;
    };
    let dir = stamped.dir.as_path();
    for hash in [
        "sha256",
        "sha384",
        "sha512",
        "sha3-256",
        "sha3-384",
        "sha3-512",
        "sha512-256",
    ] {
        let said = stamped.ask(&format!("-data file -{hash} -cert")).await;
        assert!(said.contains("Status: Granted."), "{hash}: {said}");
        assert!(said.contains("Accuracy: 0x01 seconds"), "{hash}: {said}");
        assert_does(dir, &format!("{VERIFY} -queryfile query"));
        assert_does(dir, &format!("{VERIFY} -data file"));
        assert_refuses(
            dir,
            &format!("{VERIFY} -data changed"),
            "message imprint mismatch",
        );
    }
    // Without the certificate inside, and without a nonce.
    let said = stamped
        .ask("-data file -sha256 -no_nonce -tspolicy 1.3.6.1.4.1.32473.8862026.1")
        .await;
    assert!(said.contains("Nonce: unspecified"), "{said}");
    std::fs::copy(
        stamped.net.network.home(0).join("tsa/certificate.pem"),
        dir.join("own.pem"),
    )
    .unwrap();
    assert_does(
        dir,
        &format!("{VERIFY} -untrusted own.pem -queryfile query"),
    );
    assert_refuses(
        dir,
        &format!("{VERIFY} -queryfile query"),
        "signer certificate not found",
    );

    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let years = |count: u64| now.as_secs() + count * 366 * 24 * 60 * 60;
    stamped.ask("-data file -sha256 -cert").await;
    assert_does(dir, &format!("{VERIFY} -data file -attime {}", years(9)));
    let late = format!("{VERIFY} -data file -attime {}", years(11));
    assert_refuses(dir, &late, "certificate has expired");
    assert_refuses(
        dir,
        &format!("{VERIFY} -data file -attime 1000000000"),
        "not yet valid",
    );
    refuses_what_was_changed(dir);
    stamped.net.assert_no_panic();
}

/// Another query's nonce, and every byte of what is signed.
fn refuses_what_was_changed(dir: &Path) {
    assert_does(dir, "ts -query -data file -sha256 -cert -out query");
    assert_refuses(dir, &format!("{VERIFY} -queryfile query"), "nonce mismatch");
    let reply = std::fs::read(dir.join("reply")).unwrap();
    // Digest, serial number, time, accuracy, nonce.
    let file = std::fs::read(dir.join("file")).unwrap();
    let digest = tbsi_types::sha256(&[&file]);
    let start = reply
        .windows(32)
        .position(|window| window == digest.as_slice())
        .unwrap();
    for place in start - 20..start + 70 {
        let mut damaged = reply.clone();
        damaged[place] ^= 1;
        std::fs::write(dir.join("reply"), damaged).unwrap();
        let (accepted, said) = openssl(dir, &format!("{VERIFY} -data file"));
        assert!(!accepted, "byte {place}: {said}");
    }
}

/// Makes the first node's authority one with an RSA key, as openssl makes it.
fn certify_rsa(net: &TestNetwork, make_key: &str) -> TsaConfig {
    let home = &net.network.home(0);
    let usage = "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n";
    std::fs::write(home.join("tsa/rsa.ext"), usage).unwrap();
    for arguments in [
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=root -days 30 -keyout tsa/rsa-root.key -out \
         tsa/root.pem",
        make_key,
        "req -new -key tsa/rsa.key -subj /CN=tsa -out tsa/rsa.csr",
        "x509 -req -in tsa/rsa.csr -CA tsa/root.pem -CAkey tsa/rsa-root.key -CAcreateserial -days \
         30 -extfile tsa/rsa.ext -out tsa/rsa.pem",
    ] {
        assert_does(home, arguments);
    }
    make_private(&home.join("tsa/rsa.key"));
    net.configure(0, |config| {
        let tsa = config.tsa.as_mut().unwrap();
        tsa.certificate = "tsa/rsa.pem".into();
        tsa.key = "tsa/rsa.key".into();
    });
    net.home(0).load().unwrap().config.tsa.unwrap()
}

fn make_private(key: &Path) {
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(key, private).unwrap();
}

/// For verifiers that know nothing but RSA.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_rsa_authority_is_verified_too() {
    if !has_openssl() {
        return;
    }
    let net = TestNetwork::create(1, 0);
    // PKCS #1, which older versions of openssl write, is read as well.
    let config = certify_rsa(&net, "genrsa -traditional -out tsa/rsa.key 2048");
    assert!(Authority::load(&net.home(0), &config).is_ok());
    let config = certify_rsa(&net, "genrsa -out tsa/rsa.key 3072");
    let home = net.network.home(0);
    let stamped = Stamped::of(net.started().await);
    let dir = stamped.dir.as_path();
    let said = stamped.ask("-data file -sha256 -cert").await;
    assert!(said.contains("Status: Granted."), "{said}");
    assert_does(dir, &format!("{VERIFY} -queryfile query"));
    assert_does(dir, &format!("{VERIFY} -data file"));
    let words = "message imprint mismatch";
    assert_refuses(dir, &format!("{VERIFY} -data changed"), words);
    assert_does(dir, "ts -reply -in reply -token_out -out token");
    let printed = assert_does(dir, "cms -cmsout -print -noout -inform DER -in token");
    assert!(printed.contains("sha256WithRSAEncryption"), "{printed}");
    refuses_what_was_changed(dir);
    let refused = |certificate: &str, key: &str, words: &str| {
        let mut other = config.clone();
        (other.certificate, other.key) = (certificate.into(), key.into());
        let error = Authority::load(&stamped.net.home(0), &other).err().unwrap();
        assert!(error.to_string().contains(words), "{error}");
    };
    // Another key of the same kind, and one that is too short.
    let words = "is not the key of the first";
    refused("tsa/root.pem", "tsa/rsa.key", words);
    assert_does(&home, "genrsa -out tsa/short.key 1024");
    make_private(&home.join("tsa/short.key"));
    let words = "RSA of 2,048 to 4,096 bits";
    refused("tsa/rsa.pem", "tsa/short.key", words);
    stamped.net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_names_a_leaf_of_the_log() {
    let Some(stamped) = Stamped::start().await else {
        return;
    };
    let net = &stamped.net;
    let digest = assert_does(&stamped.dir, "dgst -sha256 -r file");
    let digest = format!("0x{}", digest.split(' ').next().unwrap());
    for serial in ["0x0", "0x01", "0x02"] {
        let said = stamped.ask("-data file -sha256 -cert").await;
        assert!(
            said.contains(&format!("Serial number: {serial}\n")),
            "{said}"
        );
    }
    let found = net
        .client(0)
        .request("tbsi_findByDigest", &[digest.into()])
        .await;
    let found: LeafPage = found.unwrap();
    assert_eq!(found.entries.len(), 3);
    let last = Leaf::decode(&found.entries[2].leaf).unwrap();
    let said = assert_does(&stamped.dir, "ts -reply -in reply -text");
    let line = said
        .lines()
        .find(|line| line.starts_with("Time stamp: "))
        .unwrap();
    let millis = last.head.time.0 % 1_000;
    let fraction = format!("{millis:03}");
    let fraction = fraction.trim_end_matches('0');
    assert!(
        millis == 0 || line.contains(&format!(".{fraction} ")),
        "{line}: {millis} ms"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_at_the_same_time_are_each_answered_with_a_leaf_of_their_own() {
    const QUERIES: usize = 16;
    let Some(stamped) = Stamped::start().await else {
        return;
    };
    let dir = stamped.dir.as_path();
    assert_does(dir, "ts -query -data file -sha256 -cert -out query");
    let query = std::fs::read(dir.join("query")).unwrap();
    let address = stamped.net.network.nodes()[0].rpc;
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..QUERIES {
        let query = query.clone();
        asked.spawn(async move { http(address, "POST", "/tsa", &[QUERY], &query).await });
    }
    let mut serials = std::collections::BTreeSet::new();
    for answer in asked.join_all().await {
        std::fs::write(dir.join("reply"), &answer.body).unwrap();
        assert_does(dir, &format!("{VERIFY} -queryfile query"));
        let said = assert_does(dir, "ts -reply -in reply -text");
        let serial = said
            .lines()
            .find(|line| line.starts_with("Serial number: "));
        serials.insert(serial.unwrap().to_owned());
    }
    assert_eq!(serials.len(), QUERIES, "{serials:?}");
    stamped.net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refuses_queries_in_the_words_of_rfc_3161() {
    let Some(stamped) = Stamped::start().await else {
        return;
    };
    for (options, failure) in [
        ("-data file -sha1", "unrecognized or unsupported algorithm"),
        (
            "-data file -sha224",
            "unrecognized or unsupported algorithm",
        ),
        (
            "-data file -sha256 -tspolicy 1.2.3.4",
            "not supported by the TSA",
        ),
    ] {
        let said = stamped.ask(options).await;
        assert!(said.contains("Status: Rejected."), "{options}: {said}");
        assert!(said.contains(failure), "{options}: {said}");
    }
    for garbage in [
        b"garbage".as_slice(),
        b"",
        &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
    ] {
        let answer = stamped.post(0, garbage).await;
        assert_eq!(answer.status, 200);
        std::fs::write(stamped.dir.join("reply"), &answer.body).unwrap();
        let said = assert_does(&stamped.dir, "ts -reply -in reply -text");
        assert!(
            said.contains("the data submitted has the wrong format"),
            "{said}"
        );
    }
    let long = stamped.post(0, &[0; 4_097]).await;
    assert_eq!(long.status, 413, "{}", long.text());
    // Only the first node is an authority.
    let other = stamped.post(1, b"garbage").await;
    assert_eq!(other.status, 503);
    assert!(other.text().contains("[tsa]"), "{}", other.text());
    let nothing = stamped
        .net
        .client(0)
        .request("tbsi_getLeaf", &[0.into()])
        .await;
    let nothing: Option<LogEntry> = nothing.unwrap();
    assert!(nothing.is_none(), "a rejection attests nothing");
    stamped.net.assert_no_panic();
}

#[tokio::test]
async fn refuses_files_that_no_verifier_would_accept() {
    let net = TestNetwork::create(1, 1);
    let home = net.home(0);
    let good = net.home(0).load().unwrap().config.tsa.unwrap();
    assert!(Authority::load(&home, &good).is_ok());
    let refused = |change: fn(&mut TsaConfig), words: &str| {
        let mut config = good.clone();
        change(&mut config);
        let error = Authority::load(&home, &config).err().unwrap();
        let error = format!("{:#}", anyhow::Error::new(error));
        assert!(error.contains(words), "{words:?} is not in: {error}");
    };
    refused(
        |it| it.certificate = "absent".into(),
        "config key `tsa.certificate`: read",
    );
    refused(
        |it| it.certificate = "config.toml".into(),
        "config key `tsa.certificate`: ",
    );
    refused(
        |it| it.certificate = AUTHORITY_ROOT.into(),
        "is not the key of the first",
    );
    refused(
        |it| it.key = "absent".into(),
        "the private key of the first certificate in `tsa.certificate` is expected there",
    );
    refused(
        |it| it.issuer_key = "absent".into(),
        "64 hex digits of any account's secret key",
    );
    refused(
        |it| it.key = "keys/node.key".into(),
        "one private key, not encrypted: on curve P-256, or RSA",
    );
    refused(
        |it| it.issuer_key = "tsa/key.pem".into(),
        "exactly 64 hex digits",
    );
    let general = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=a \
                   -keyout tsa/general.key -out tsa/general.pem";
    if try_openssl(home.dir(), general).is_some_and(|output| output.status.success()) {
        let mut config = good.clone();
        config.certificate = "tsa/general.pem".into();
        config.key = "tsa/general.key".into();
        let error = Authority::load(&home, &config).err().unwrap().to_string();
        assert!(error.contains("critical extended key usage"), "{error}");
    }
    std::fs::remove_file(home.dir().join("tsa/key.pem")).unwrap();
    assert_refuses_to_run(
        home.dir(),
        &["config key `tsa.key`", "tsa/key.pem is missing"],
    )
    .await;
}
