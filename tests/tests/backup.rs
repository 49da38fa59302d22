//! `tbsi backup` and `tbsi db`: made while the node runs, right or refused by name, restored once.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};

use tbsi_tests::harness::{Ended, TestNetwork, eventually, json_of, said, tbsi};
use tbsi_tests::issuer::Issuer;
use tbsi_types::Height;

/// Of a network of one validator, with some leaves.
struct Yard {
    net: TestNetwork,
    genesis: String,
    issuer: Issuer,
}

impl Yard {
    async fn open() -> Self {
        let net = TestNetwork::start(1, 0).await;
        let genesis = net.network.genesis_file().display().to_string();
        let issuer = Issuer::new("yard", &net);
        let mut yard = Self {
            net,
            genesis,
            issuer,
        };
        yard.attest(0..300).await;
        yard
    }

    async fn attest(&mut self, numbers: std::ops::Range<u64>) {
        let client = self.net.client(0);
        self.issuer.attest(&client, numbers).await;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.net.scratch().join(name)
    }

    fn named(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn home(&self) -> String {
        self.net.network.home(0).display().to_string()
    }

    async fn backup(&self, out: &str) -> Ended {
        let (home, out) = (self.home(), self.named(out));
        tbsi(&["backup", "create", "--json", "--home", &home, "--out", &out]).await
    }

    async fn verify(&self, backup: &str, extra: &[&str]) -> Ended {
        let backup = self.named(backup);
        let args = ["backup", "verify", "--json", &backup];
        tbsi(&[args.as_slice(), extra].concat()).await
    }

    async fn restore(&self, backup: &str, home: &str, extra: &[&str]) -> Ended {
        let (backup, home) = (self.named(backup), self.named(home));
        let args = ["backup", "restore", "--json", &backup, "--home", &home];
        tbsi(&[args.as_slice(), extra].concat()).await
    }

    /// A copy of a directory of the yard.
    fn copy(&self, from: &str, to: &str) {
        copy(&self.path(from), &self.path(to));
    }

    /// A new home with the keys of the validator, and with its time-stamp authority's files, which
    /// the configuration names.
    fn with_keys(&self, home: &str) {
        for folder in ["keys", "tsa"] {
            let from = self.net.network.home(0).join(folder);
            copy(&from, &self.path(home).join(folder));
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, to) = (entry.unwrap(), to.to_owned());
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Names below a directory.
fn names(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        found.push(entry.file_name().to_string_lossy().into_owned());
        if entry.file_type().unwrap().is_dir() {
            found.extend(names(&entry.path()));
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_node_is_backed_up_and_restored_once() {
    let mut yard = Yard::open().await;
    let made = json_of(&yard.backup("one").await);
    let all = names(&yard.path("one"));
    for secret in [
        "sign-state",
        "keys",
        "validator.key",
        "node.key",
        "account.key",
    ] {
        assert!(!all.iter().any(|name| name == secret), "{secret}: {all:?}");
    }
    let peer_id = yard.net.home(0).load().unwrap().node_key.peer_id();
    assert_eq!(made["keys"]["peerId"], peer_id.as_str());
    said(&yard.backup("one").await, 1, &["exists: name a directory"]);
    let data = names(&yard.net.home(0).data_dir());
    assert!(
        !data.iter().any(|name| name.starts_with("copy-")),
        "{data:?}"
    );

    // Decided after the backup, and in the home alone.
    yard.attest(300..600).await;
    let trusted = yard.genesis.clone();
    let right = json_of(&yard.verify("one", &["--genesis", &trusted]).await);
    assert_eq!(right["audit"]["height"], made["height"]);
    assert!(right["audit"]["leaves"].as_u64().unwrap() >= 300, "{right}");
    said(
        &yard.verify("one", &["--lang", "zh-TW"]).await,
        0,
        &["\"certificates\""],
    );
    what_is_spoiled_is_found(&yard).await;
    what_is_stated_wrongly_is_found(&yard).await;
    another_chain_is_told(&yard).await;
    the_database_of_a_running_node_is_verified(&yard).await;
    yard.net.network.stop(0).await.unwrap();
    it_is_restored_once(&mut yard).await;
    yard.net.assert_no_panic();
}

async fn what_is_spoiled_is_found(yard: &Yard) {
    let blob = |dir: &str, ending: &str| {
        let mut found: Vec<_> = fs::read_dir(yard.path(dir).join("db"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with(ending))
            .collect();
        found.sort();
        found.pop().expect("there is one")
    };
    // A byte, the end of a file, a file, a file too many, the end of the backup.
    yard.copy("one", "byte");
    let file = blob("byte", ".sst");
    let mut bytes = fs::read(&file).unwrap();
    bytes[10] ^= 1;
    fs::write(&file, bytes).unwrap();
    said(
        &yard.verify("byte", &[]).await,
        1,
        &[".sst: its SHA-256 is"],
    );
    let sst = file.display().to_string();
    let restored = yard.restore("byte", "never", &["--observer"]).await;
    said(&restored, 1, &[&sst, "its SHA-256 is"]);
    let left = names(&yard.path("never"));
    assert!(
        left.iter().all(|name| name == "keys" || name == "node.key"),
        "{left:?}"
    );

    yard.copy("one", "cut");
    let file = blob("cut", ".sst");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    said(&yard.verify("cut", &[]).await, 1, &["bytes,", "are stated"]);
    fs::remove_file(&file).unwrap();
    said(&yard.verify("cut", &[]).await, 2, &["open", "No such file"]);

    yard.copy("one", "more");
    fs::write(yard.path("more").join("db/more"), "x").unwrap();
    said(
        &yard.verify("more", &[]).await,
        1,
        &["the manifest does not name it"],
    );

    yard.copy("one", "short");
    fs::remove_file(yard.path("short").join("manifest.json")).unwrap();
    said(
        &yard.verify("short", &[]).await,
        1,
        &["no manifest.json", "cut short"],
    );
    said(
        &yard.restore("short", "never", &["--observer"]).await,
        1,
        &["cut short"],
    );
}

/// Another block than stated; another form; a path that leaves the backup.
async fn what_is_stated_wrongly_is_found(yard: &Yard) {
    let edit = |dir: &str, from: &str, to: &str| {
        let file = yard.path(dir).join("manifest.json");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
    };
    yard.copy("one", "stated");
    let root = json_of(&yard.verify("stated", &[]).await)["logRoot"].clone();
    let root = root.as_str().unwrap();
    edit(
        "stated",
        &format!("\"logRoot\": \"{root}\""),
        &format!("\"logRoot\": \"0x{}\"", "11".repeat(32)),
    );
    said(
        &yard.verify("stated", &[]).await,
        1,
        &["its manifest says block"],
    );
    yard.copy("one", "form");
    edit("form", "tbsi-backup-1", "tbsi-backup-9");
    said(
        &yard.verify("form", &[]).await,
        1,
        &["tbsi-backup-9", "use the version of tbsi"],
    );
    yard.copy("one", "path");
    edit("path", "\"config.toml\"", "\"../config.toml\"");
    said(
        &yard.verify("path", &[]).await,
        1,
        &["../config.toml", "is no path"],
    );
}

async fn another_chain_is_told(yard: &Yard) {
    let other = TestNetwork::create(1, 0);
    let foreign = other.network.genesis_file().display().to_string();
    let found = yard.verify("one", &["--genesis", &foreign]).await;
    said(&found, 1, &["is of the network with genesis hash"]);
    let args = ["--observer", "--genesis", &foreign];
    said(
        &yard.restore("one", "never", &args).await,
        1,
        &["is of the network with"],
    );
    let chinese = [args.as_slice(), &["--lang", "zh-TW"]].concat();
    said(
        &yard.restore("one", "never", &chinese).await,
        1,
        &["錯誤：備份屬於創世檔雜湊為"],
    );
}

async fn the_database_of_a_running_node_is_verified(yard: &Yard) {
    let home = yard.home();
    let right = json_of(&tbsi(&["db", "verify", "--json", "--home", &home]).await);
    assert!(right["leaves"].as_u64().unwrap() >= 600, "{right}");
    let stats = json_of(&tbsi(&["db", "stats", "--json", "--home", &home]).await);
    assert_eq!(stats["tables"].as_array().unwrap().len(), 10, "{stats}");
    let busy = tbsi(&["db", "compact", "--home", &home]).await;
    said(&busy, 1, &["in use by another process"]);
    let parcel = yard.named("parcel");
    let left = tbsi(&[
        "operator", "move", "leave", "--home", &home, "--out", &parcel,
    ])
    .await;
    said(&left, 1, &["in use"]);
    assert!(!yard.path("parcel").exists());
    // Nobody is left out of the home by an attempt that was refused.
    assert!(!yard.net.home(0).left_file().exists());
}

async fn it_is_restored_once(yard: &mut Yard) {
    let compacted = tbsi(&["db", "compact", "--json", "--home", &yard.home()]).await;
    assert!(json_of(&compacted)["after"].as_u64().unwrap() > 0);
    // Of a node that does not run.
    let later = json_of(&yard.backup("two").await);
    let state = yard.path("sign-state");
    fs::copy(yard.net.home(0).sign_state_file(), &state).unwrap();
    let state = state.display().to_string();

    let refused = yard.restore("two", "new", &["--sign-state", &state]).await;
    said(&refused, 1, &["node.key is missing: backups hold no keys"]);
    yard.with_keys("new");
    said(
        &yard.restore("two", "new", &[]).await,
        1,
        &["backups hold no sign-state"],
    );
    let low = yard.restore("two", "new", &["--height", "1"]).await;
    said(
        &low,
        1,
        &["is below block", "the height that the network has reached"],
    );
    let far = yard.restore("two", "new", &["--height", "900000"]).await;
    said(&far, 1, &["--checkpoint FILE"]);
    let left = names(&yard.path("new"));
    for made in ["data", "config.toml", "genesis.json"] {
        assert!(!left.iter().any(|name| name == made), "{made}: {left:?}");
    }

    let restored = json_of(&yard.restore("two", "new", &["--sign-state", &state]).await);
    assert_eq!(restored["height"], later["height"]);
    assert!(
        restored["spent"]
            .as_str()
            .unwrap()
            .ends_with("sign-state.spent")
    );
    said(
        &yard.restore("two", "new", &["--sign-state", &state]).await,
        1,
        &["exists: restore into a new directory"],
    );
    yard.with_keys("twice");
    for file in [state.clone(), format!("{state}.spent")] {
        let twice = yard.restore("two", "twice", &["--sign-state", &file]).await;
        said(&twice, 1, &["was brought into a home before", "sign twice"]);
    }

    // The old home is gone; the new one votes on.
    let old = yard.net.network.home(0);
    fs::rename(&old, yard.path("old")).unwrap();
    fs::rename(yard.path("new"), &old).unwrap();
    let height = Height(later["height"].as_u64().unwrap());
    yard.net.network.start(0).unwrap();
    yard.net.wait_height(0, height).await;
    yard.attest(600..700).await;
    let leaves = json_of(&tbsi(&["db", "verify", "--json", "--home", &yard.home()]).await);
    assert!(leaves["leaves"].as_u64().unwrap() >= 700, "{leaves}");

    // An observer needs nothing.
    let observer = json_of(&yard.restore("two", "observer", &["--observer"]).await);
    assert_eq!(observer["validator"], false);
    yard.net.network.stop(0).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_goes_with_whoever_asked_for_it() {
    let net = TestNetwork::start(1, 0).await;
    let home = net.home(0);
    let data = home.data_dir();
    let copies = || names(&data).iter().any(|name| name.starts_with("copy-"));
    // Not through the program: the connection of somebody who is killed just ends.
    let socket = std::os::unix::net::UnixStream::connect(home.control_file()).unwrap();
    std::io::Write::write_all(&mut &socket, b"copy\n").unwrap();
    eventually("a copy is made", async || copies()).await;
    drop(socket);
    eventually("it is removed", async || !copies()).await;
    // Nonsense is not answered, and harms nobody.
    let socket = std::os::unix::net::UnixStream::connect(home.control_file()).unwrap();
    std::io::Write::write_all(&mut &socket, b"drop database\n").unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut &socket, &mut answer).ok();
    assert_eq!(answer, "");
    let (dir, out) = (home.dir().display().to_string(), net.scratch().join("b"));
    let out = out.display().to_string();
    said(
        &tbsi(&["backup", "create", "--home", &dir, "--out", &out]).await,
        0,
        &["holds no keys"],
    );
    net.assert_no_panic();
}
