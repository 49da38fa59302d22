//! Relayers as processes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use alloy_primitives::{Address, hex};
use serde_json::Value;
use tbsi_bridge::config::{
    AuditConfig, BatchConfig, CONFIG_FILE, Config, EvmConfig, FeesConfig, HealthConfig,
    RelayerConfig, SelectConfig, SourceConfig, TargetConfig,
};
use tbsi_bridge::journal::{JOURNAL_FILE, files, records};
use tbsi_bridge::record::{Event, Record};
use tbsi_types::SecretKey;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::anvil::TARGET_CHAIN_ID;
use super::chain::Chain;
use crate::harness::{Ended, PATIENCE, tbsi_binary};

/// A relayer's home directory, and processes that use it.
pub struct Relayer {
    dir: TempDir,
    /// What it is configured with; written by [`Relayer::configure`].
    pub config: Config,
    account: Address,
    /// The program.
    pub program: PathBuf,
}

impl Relayer {
    /// A home with a key of its own.
    pub fn new(
        name: &str,
        chain: &Chain,
        source: &[String],
        target: &[String],
        light_client: Address,
    ) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let key = Self::key(name);
        let genesis = serde_json::to_string(&chain.held().genesis).expect("a genesis");
        fs::write(dir.path().join("genesis.json"), genesis).expect("write genesis.json");
        let config = Config {
            relayer: RelayerConfig {
                name_zh_tw: "台灣測試公會甲".into(),
                name_en: format!("Test Association {name}"),
                key: Some("relayer.key".into()),
                password_file: None,
                signer: None,
                registered: false,
            },
            source: SourceConfig {
                genesis: "genesis.json".into(),
                rpc: source.to_vec(),
                agree: 1,
                poll_ms: 50,
            },
            target: TargetConfig::Evm(EvmConfig {
                fees: FeesConfig {
                    replace_after_ms: 2_000,
                    ..FeesConfig::default()
                },
                ..EvmConfig::new(TARGET_CHAIN_ID, target.to_vec(), light_client)
            }),
            select: SelectConfig {
                all: false,
                schemas: vec![super::chain::SCHEMA],
                ..SelectConfig::default()
            },
            batch: BatchConfig::default(),
            audit: AuditConfig {
                interval_s: 0,
                ..AuditConfig::default()
            },
            metrics: HealthConfig {
                listen: "127.0.0.1:0".parse().expect("an address"),
                ..HealthConfig::default()
            },
        };
        let this = Self {
            dir,
            config,
            account: key.public_key().address(),
            program: tbsi_binary(),
        };
        write_key(&this.home().join("relayer.key"), &key);
        this.configure();
        this
    }

    /// The key of the relayer with a name.
    pub fn key(name: &str) -> SecretKey {
        SecretKey::from_seed(name.as_bytes())
    }

    /// Writes the configuration.
    pub fn configure(&self) {
        fs::write(self.home().join(CONFIG_FILE), self.config.to_toml()).expect("write config.toml");
    }

    /// What of it is about the target.
    pub fn target(&mut self) -> &mut EvmConfig {
        match &mut self.config.target {
            TargetConfig::Evm(target) => target,
            TargetConfig::Fabric(_) => panic!("its target is an EVM chain"),
        }
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        self.dir.path()
    }

    /// Its account on the target.
    pub fn account(&self) -> Address {
        self.account
    }

    /// Its journal file.
    pub fn journal(&self) -> PathBuf {
        self.home().join(JOURNAL_FILE)
    }

    /// What it has recorded, in all files.
    pub fn records(&self) -> Vec<Record> {
        let files = files(self.home()).expect("a journal");
        let all = files
            .iter()
            .flat_map(|file| records(file).expect("a journal"));
        all.collect()
    }

    /// Names of what it has recorded.
    pub fn events(&self) -> Vec<String> {
        let records = self.records().into_iter();
        records
            .map(|record| record.event.name().to_owned())
            .collect()
    }

    /// Whether it has recorded an event with this name.
    pub fn did(&self, name: &str) -> bool {
        self.has(|event| event.name() == name)
    }

    /// Whether it has recorded such an event.
    pub fn has(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.records().iter().any(|record| wanted(&record.event))
    }

    fn command(&self, command: &[&str], kill_at: Option<&str>) -> Command {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.home().join("log"));
        let mut process = Command::new(&self.program);
        process
            .arg("relay")
            .args(command)
            .arg("--home")
            .arg(self.home())
            .stdin(Stdio::null())
            .stderr(log.expect("a log"))
            .kill_on_drop(true);
        match kill_at {
            Some(point) => process.env("TBSI_RELAY_KILL_AT", point),
            None => process.env_remove("TBSI_RELAY_KILL_AT"),
        };
        process
    }

    /// Starts `tbsi relay run`.
    pub fn start(&self, kill_at: Option<&str>) -> Child {
        let mut command = self.command(&["run"], kill_at);
        command.stdout(Stdio::null());
        command.spawn().expect("tbsi starts")
    }

    /// Runs a command to its end.
    pub async fn run(&self, command: &[&str], kill_at: Option<&str>) -> Ended {
        self.run_within(2 * PATIENCE, command, kill_at).await
    }

    /// Runs a command to its end, which comes within `limit`.
    pub async fn run_within(
        &self,
        limit: Duration,
        command: &[&str],
        kill_at: Option<&str>,
    ) -> Ended {
        let mut command = self.command(command, kill_at);
        let running = command.stdout(Stdio::piped()).spawn().expect("tbsi starts");
        let output = timeout(limit, running.wait_with_output()).await;
        let output = output.unwrap_or_else(|_| panic!("it does not end:\n{}", self.log()));
        let output = output.expect("tbsi's output");
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: self.log(),
        }
    }

    /// Runs a command that must succeed; returns what it printed.
    pub async fn ok(&self, command: &[&str]) -> String {
        let ended = self.run(command, None).await;
        assert_eq!(
            ended.code,
            Some(0),
            "{command:?}: {}\n{}",
            ended.stdout,
            ended.stderr
        );
        ended.stdout
    }

    /// `tbsi relay payload`, of a file with these bytes.
    pub async fn give(&self, payload: &[u8]) {
        let file = self.home().join("payload");
        fs::write(&file, payload).expect("write the payload");
        let file = file.to_str().expect("a path in UTF-8").to_owned();
        self.ok(&["payload", &file]).await;
    }

    /// `tbsi relay audit --json`.
    pub async fn audit(&self) -> Value {
        let ended = self.run(&["audit", "--json"], None).await;
        serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", ended.stdout, ended.stderr))
    }

    /// Fails unless the audit finds no difference.
    pub async fn assert_same(&self) {
        let audit = self.audit().await;
        assert_eq!(audit["same"], true, "{audit:#}\n{}", self.log());
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        let log = fs::read(self.home().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}

fn write_key(path: &Path, key: &SecretKey) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let text = hex::encode(key.expose());
    let opened = File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.expect("write the key");
}
