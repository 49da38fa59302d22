//! The war room on made-up logs: what it indexes, what it answers, and what it refuses to believe.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod alerts;
mod answers;
mod contract;
mod lies;
mod made;
mod stand_in;

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;
use tbsi_rpc::{ClientError, LogReader};
use tbsi_warroom::{WarroomConfig, WarroomOutcome, follow_once, run};
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use made::MadeLog;

/// A silence that no made-up log keeps: their blocks are of a fixed time.
const EVER_S: u64 = 31_536_000 * 50;

fn config(log: &MadeLog, data: &Path) -> WarroomConfig {
    WarroomConfig {
        genesis: log.genesis_json(),
        data: data.into(),
        silent_after_s: Some(EVER_S),
        poll_ms: 50,
        ..WarroomConfig::default()
    }
}

fn of_tiles(log: &MadeLog, tiles: &Path, data: &Path) -> WarroomConfig {
    WarroomConfig {
        tiles: vec![tiles.to_str().unwrap().into()],
        ..config(log, data)
    }
}

/// Follows a directory once.
async fn once(log: &MadeLog, tiles: &Path, data: &Path) -> WarroomOutcome {
    follow_once(of_tiles(log, tiles, data)).await.unwrap()
}

fn codes(outcome: &WarroomOutcome) -> Vec<&str> {
    outcome
        .alarms
        .iter()
        .map(|(code, ..)| code.as_str())
        .collect()
}

/// A war room that serves until it is dropped.
struct Serving {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    ended: JoinHandle<()>,
}

impl Serving {
    async fn start(config: WarroomConfig) -> Self {
        let (stop, stopping) = watch::channel(false);
        let (told, address) = oneshot::channel();
        let ended = tokio::spawn(async move {
            let ready = |address| told.send(address).unwrap();
            run(config, stopping, ready).await.unwrap();
        });
        Self {
            address: address.await.unwrap(),
            stop,
            ended,
        }
    }

    /// The body of an answer, or the status and body of a refusal.
    async fn bytes(&self, path: &str) -> Result<Vec<u8>, (u16, String)> {
        let reader = LogReader::new(&format!("http://{}/api/v1", self.address)).unwrap();
        match reader.file(path, 64 * 1024 * 1024).await {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(ClientError::Status {
                status, sentence, ..
            }) => Err((status, sentence)),
            Err(error) => panic!("{path}: {error}"),
        }
    }

    async fn json(&self, path: &str) -> Value {
        let bytes = self.bytes(path).await;
        let bytes = bytes.unwrap_or_else(|refused| panic!("{path}: {refused:?}"));
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Waits until this many leaves are shown under a checkpoint.
    async fn shows(&self, size: u64) -> Value {
        loop {
            let status = self.json("status").await;
            if status["indexed"]["size"] == size && status["checkpoint"]["size"] == size {
                return status;
            }
            tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        }
    }

    async fn end(self) {
        self.stop.send_replace(true);
        self.ended.await.unwrap();
    }
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}
