//! A real network: two organisations with a peer each, one Raft orderer or four of BFT, with the
//! chaincode as the guide deploys it (`contracts/fabric/network`, TestServe).

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use tbsi_tests::harness::PATIENCE;

/// Folders of the repository.
const CHAINCODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../contracts/fabric");

/// Where everything of the network is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Told {
    pub(crate) channel: String,
    pub(crate) chaincode: String,
    pub(crate) organisations: Vec<Organisation>,
}

/// An organisation of the channel.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Organisation {
    pub(crate) msp_id: String,
    pub(crate) gateway: String,
    pub(crate) tls_roots: PathBuf,
    /// Certificate of its authority.
    pub(crate) root: PathBuf,
    pub(crate) users: Users,
}

/// Its people.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Users {
    pub(crate) admin: Enrolment,
    pub(crate) user1: Enrolment,
}

/// Files of one of them.
#[derive(Deserialize)]
pub(crate) struct Enrolment {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// The network; it ends when this is dropped, because its standard input does.
pub(crate) struct RealFabric {
    pub(crate) told: Told,
    _input: ChildStdin,
    _process: Child,
    _dir: TempDir,
}

impl RealFabric {
    /// Starts one; `None`, and a line that says so, without Fabric's programs.
    pub(crate) async fn start(test: &str, orderers: usize) -> Option<Self> {
        if std::env::var_os("TBSI_FABRIC_BIN").is_none() {
            println!("skipped: {test}: no Fabric programs in TBSI_FABRIC_BIN");
            return None;
        }
        let of_2 = std::env::var("TBSI_FABRIC_VERSION").is_ok_and(|it| it.starts_with("2."));
        if of_2 && orderers > 1 {
            println!("skipped: {test}: Fabric 2 has no BFT");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("network.test");
        let built = Command::new("go")
            .args(["test", "-c", "-o"])
            .arg(&program)
            .arg("./network")
            .current_dir(CHAINCODE)
            .status();
        assert!(built.await.unwrap().success(), "go test -c ./network");
        Some(Self::serve(dir, &program, orderers).await)
    }

    async fn serve(dir: TempDir, program: &Path, orderers: usize) -> Self {
        let mut process = Command::new(program)
            .args(["-test.run", "^TestServe$", "-test.timeout", "60m"])
            .env("TBSI_FABRIC_SERVE", orderers.to_string())
            .current_dir(Path::new(CHAINCODE).join("network"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let told = async {
            let mut said = String::new();
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(told) = line.strip_prefix("serving ") {
                    return serde_json::from_str(told).unwrap();
                }
                said += &line;
                said.push('\n');
            }
            panic!("the network does not start:\n{said}");
        };
        let told = timeout(10 * PATIENCE, told).await;
        Self {
            told: told.expect("the network starts in time"),
            _input: input,
            _process: process,
            _dir: dir,
        }
    }

    /// What `Anchor` and `VerifyAttestation` take, made of a proof by the program that the guide
    /// names.
    pub(crate) fn argument_of(&self, proof: &str) -> String {
        let made = std::process::Command::new("go")
            .args(["run", "./arguments", "verify", proof])
            .current_dir(CHAINCODE)
            .output()
            .unwrap();
        let told: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
        told["Args"][1].as_str().unwrap().into()
    }
}
