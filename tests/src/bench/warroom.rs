//! A war room on a made-up log: catching up from static files, size of the index, answers.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, ensure};
use serde::Serialize;
use serde_json::Value;
use tbsi_rpc::LogReader;
use tbsi_types::sha256;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::statistics::Distribution;

#[path = "../../../warroom/tests/warroom/made.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "the war room's tests use all of it, and what is made up there cannot fail"
)]
mod made;

use made::MadeLog;

/// Attestations of one block.
const BLOCK: u32 = 10_000;
/// Questions of each kind.
const SAMPLES: u64 = 150;
/// Bytes of the longest answer.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Between two questions, so that the war room's limit for one address refuses none.
const PACE: std::time::Duration = std::time::Duration::from_millis(55);

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct WarroomFigures {
    /// Leaves of the log.
    pub leaves: u64,
    /// Verifying and indexing all of them from files on this disk, milliseconds.
    pub catch_up_ms: u64,
    /// The index, bytes.
    pub index_bytes: u64,
    /// Answers over HTTP of one connection at a time, by what is asked.
    pub queries: Vec<(String, Distribution)>,
}

/// Measures a log of this many leaves; files go below `dir`.
pub async fn measure(tbsi: &Path, dir: &Path, leaves: u64) -> anyhow::Result<WarroomFigures> {
    let mut log = MadeLog::new("bench");
    while log.size() < leaves {
        let organisation = u8::try_from(log.height % 4).expect("below 4");
        log.attest(organisation, BLOCK);
    }
    let leaves = log.size();
    let (files, data) = (dir.join("warroom-log"), dir.join("warroom-data"));
    log.write(&files);
    let genesis = dir.join("warroom-genesis.json");
    std::fs::write(&genesis, log.genesis_json())?;
    let arguments = |more: &[&str]| -> Vec<String> {
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let mut all: Vec<String> = ["warroom", "run", "--json", "--silent-after-s", "31536000"]
            .map(str::to_owned)
            .into();
        for (flag, file) in [
            ("--tiles", &files),
            ("--genesis", &genesis),
            ("--data", &data),
        ] {
            all.extend([flag.to_owned(), path(file)]);
        }
        all.extend(more.iter().map(|word| (*word).to_owned()));
        all
    };
    let started = Instant::now();
    let once = Command::new(tbsi).args(arguments(&["--once"])).output();
    let once = once.await.context("run tbsi warroom")?;
    let catch_up_ms = u64::try_from(started.elapsed().as_millis())?;
    let told: Value = serde_json::from_slice(&once.stdout).context("what tbsi warroom said")?;
    ensure!(told["size"] == leaves, "it indexed {told}");
    let mut child = Command::new(tbsi)
        .args(arguments(&["--listen", "127.0.0.1:0"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("its stdout")?).lines();
    let line = lines.next_line().await?.context("it ended early")?;
    let told: Value = serde_json::from_str(&line)?;
    let room = format!(
        "http://{}/api/v1",
        told["listen"].as_str().unwrap_or_default()
    );
    let queries = ask(&room, leaves).await?;
    child.kill().await?;
    Ok(WarroomFigures {
        leaves,
        catch_up_ms,
        index_bytes: size_of(&data)?,
        queries,
    })
}

/// Bytes of the files in a directory.
fn size_of(dir: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

type Question = Box<dyn Fn(u64) -> String>;

async fn ask(room: &str, leaves: u64) -> anyhow::Result<Vec<(String, Distribution)>> {
    // Spread over the whole log.
    let place = move |sample: u64| sample * 7_919 * 31 % leaves;
    let digest = move |sample: u64| {
        let place = place(sample).to_be_bytes();
        sha256(&["bench".as_bytes(), &place])
    };
    let kinds: [(&str, Question); 6] = [
        (
            "search by digest",
            Box::new(move |it| format!("search?q={}", digest(it))),
        ),
        (
            "one attestation",
            Box::new(move |it| format!("attestations/{}", place(it))),
        ),
        (
            "a bundle",
            Box::new(move |it| format!("attestations/{}/bundle", place(it))),
        ),
        (
            "a page by organisation",
            Box::new(move |it| {
                format!(
                    "attestations?organisation={}&cursor={}",
                    it % 4 + 1,
                    place(it) + 1
                )
            }),
        ),
        ("now", Box::new(|_| "now".into())),
        ("recount", Box::new(|_| "recount".into())),
    ];
    let reader = LogReader::new(room)?;
    let mut figures = Vec::new();
    for (name, question) in kinds {
        let mut samples = Vec::new();
        for sample in 0..SAMPLES {
            let path = question(sample);
            let started = Instant::now();
            let answer = reader.file(&path, ANSWER_BYTES_MAX).await;
            answer.with_context(|| path.clone())?;
            samples.push(u64::try_from(started.elapsed().as_micros())?);
            tokio::time::sleep(PACE).await;
        }
        let distribution = Distribution::of(samples).context("there are samples")?;
        figures.push((name.to_owned(), distribution));
    }
    Ok(figures)
}
