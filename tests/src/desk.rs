//! Commands that people type, against one network, with files in a directory of their own.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;
use tbsi_types::Height;

use crate::harness::{Ended, TestNetwork, tbsi};

/// A network of real processes, and somebody at its command line.
pub struct Desk {
    /// The network.
    pub net: TestNetwork,
    /// Its genesis file.
    pub genesis: String,
    /// A key file of an account of its first organisation.
    pub key: String,
}

impl Desk {
    /// Starts so many validators.
    pub async fn open(validators: usize) -> Self {
        let net = TestNetwork::start(validators, 0).await;
        let genesis = net.network.genesis_file().display().to_string();
        let key = net.network.development_key_file(1).display().to_string();
        Self { net, genesis, key }
    }

    /// Where a file of this name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.net.scratch().join(name)
    }

    /// The same as an argument.
    pub fn named(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes a file and names it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), bytes).expect("write a file");
        self.named(name)
    }

    /// A command that speaks to a node.
    pub async fn ask(&self, node: usize, args: &[&str]) -> Ended {
        let url = self.net.network.rpc_url(node);
        tbsi(&[args, &["--rpc", &url]].concat()).await
    }

    /// A command that trusts the genesis file and asks nobody.
    pub async fn trusting(&self, args: &[&str]) -> Ended {
        tbsi(&[args, &["--genesis", &self.genesis]].concat()).await
    }

    /// `tbsi attest` with the key, at a node.
    pub async fn attest(&self, node: usize, args: &[&str]) -> Ended {
        let genesis = ["attest", "--json", "--genesis", &self.genesis];
        let args = [&genesis, ["--key", &self.key].as_slice(), args].concat();
        self.ask(node, &args).await
    }

    /// `tbsi verify`.
    pub async fn verify(&self, proof: &str, extra: &[&str]) -> Ended {
        let args = ["verify", proof, "--genesis", &self.genesis];
        tbsi(&[args.as_slice(), extra].concat()).await
    }

    /// Until a node has a height that a command told.
    pub async fn wait(&mut self, node: usize, height: &Value) {
        let height = height.as_u64().expect("a height");
        self.net.wait_height(node, Height(height)).await;
    }

    /// The key file of an account that nobody knows.
    pub fn stranger(&self, name: &str) -> String {
        let path = self.path(name);
        fs::write(&path, format!("{:064x}", name.len())).expect("write a key");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a key is its owner's");
        path.display().to_string()
    }
}

/// The proof that `tbsi attest` writes beside a file.
pub fn proof_of(file: &str) -> String {
    format!("{file}.tbsi.json")
}
