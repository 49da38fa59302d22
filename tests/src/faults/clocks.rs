//! Wrong and jumping wall clocks of real processes.
//!
//! A small library in C ([`SOURCE`]) answers for the kernel's clock. libfaketime is no use here:
//! it looks up symbols and takes locks inside `clock_gettime`, which the program's allocator
//! calls, and both wait for each other.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_eips::BlockNumberOrTag;
use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};

use crate::faults::stage::{NODES, Stage};
use crate::faults::{Amount, Found, has, lacks};

/// The library, compiled where it is needed.
const SOURCE: &str = include_str!("clock.c");
/// How long a clock is wrong.
const WRONG: Duration = Duration::from_secs(6);
/// Of [`WRONG`], when the longest time without a block begins to be a fault.
const GAP_MAX: Duration = Duration::from_secs(5);

/// The compiled library and a wrong clock for each node.
struct Clocks {
    dir: PathBuf,
}

impl Clocks {
    /// Makes all nodes of a stage that does not run start with a clock that is right so far.
    fn set_up(stage: &Stage) -> anyhow::Result<Self> {
        let dir = stage.scratch().to_owned();
        let (source, library) = (dir.join("clock.c"), dir.join("clock.so"));
        fs::write(&source, SOURCE).context("write the library's source")?;
        let compiled = Command::new("gcc")
            .args(["-O2", "-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .output()
            .context("run gcc")?;
        let said = String::from_utf8_lossy(&compiled.stderr);
        ensure!(compiled.status.success(), "gcc: {said}");
        let clocks = Self { dir };
        for node in 0..NODES {
            clocks.write(node, 0)?;
            let shell = format!(
                "LD_PRELOAD={} TBSI_CLOCK={} exec \"$TBSI\" \"$@\"",
                library.display(),
                clocks.file(node).display()
            );
            stage.start_by(node, Some(&shell))?;
        }
        Ok(clocks)
    }

    fn file(&self, node: usize) -> PathBuf {
        self.dir.join(format!("clock-{node}"))
    }

    /// In place: a process has the file in its memory.
    fn write(&self, node: usize, wrong_ms: i64) -> anyhow::Result<()> {
        let mut options = File::options();
        let file = options.write(true).create(true).truncate(false);
        let mut file = file.open(self.file(node)).context("open a clock")?;
        file.write_all(&wrong_ms.to_le_bytes())
            .context("set a clock")
    }
}

/// F15: the clock of one validator jumps.
///
/// # Errors
/// What did not hold.
pub async fn one(amount: Amount) -> anyhow::Result<Found> {
    if !has("gcc") {
        return Ok(lacks("gcc"));
    }
    let mut stage = Stage::create(0)?;
    let clocks = Clocks::set_up(&stage)?;
    stage.start_all().await?;
    let mut load = stage.load(&[0, 1, 2], "one clock").await?;
    const HOUR_MS: i64 = 3_600_000;
    let all = [
        HOUR_MS,
        -HOUR_MS,
        1_000,
        -1_000,
        60_000,
        -60_000,
        24 * HOUR_MS,
        -24 * HOUR_MS,
    ];
    let jumps = if amount.kills < 10 { &all[..2] } else { &all };
    let mut figures = Vec::new();
    for jump in jumps {
        clocks.write(3, *jump)?;
        let (gap, error) = watch(&stage, 0).await?;
        ensure!(gap < GAP_MAX, "{jump} ms: no block for {gap:?}");
        figures.push(format!(
            "{jump:+} ms: gap {} ms, time off by {error} ms",
            gap.as_millis()
        ));
        clocks.write(3, 0)?;
        let tip = stage.tip(0).await?;
        stage.block_above(3, tip).await?;
    }
    stage.judge(&mut load).await?;
    Ok(Found::Kept(figures.join("; ")))
}

/// F16: the clocks of all validators jump together.
///
/// # Errors
/// What did not hold.
pub async fn all(_: Amount) -> anyhow::Result<Found> {
    if !has("gcc") {
        return Ok(lacks("gcc"));
    }
    let mut stage = Stage::create(0)?;
    let clocks = Clocks::set_up(&stage)?;
    stage.start_all().await?;
    let mut load = stage.load(&[0, 1, 2, 3], "all clocks").await?;
    let from = stage.tip(0).await?;
    let hour = Duration::from_secs(3_600);
    for node in 0..NODES {
        clocks.write(node, i64::try_from(hour.as_millis())?)?;
    }
    let gap = stage.longest_gap(0, WRONG).await?;
    ensure!(
        gap < GAP_MAX,
        "no block for {gap:?} after all clocks jumped"
    );
    let last = checkpoint_ms(&stage, 0).await?;
    let ahead = last.saturating_sub(now_ms());
    ensure!(
        ahead > 3_590_000,
        "blocks are {ahead} ms ahead: the jump was not seen"
    );
    let to = stage.tip(0).await?;
    // Saturating differences: a time that went backwards would be a 0.
    let intervals = stage.intervals(0, from, to).await?;
    ensure!(
        intervals.first().is_some_and(|least| *least > 0),
        "time stood still"
    );
    stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "{} blocks after +1 h on all clocks, gap {} ms, time strictly increasing",
        to.0 - from.0,
        gap.as_millis()
    )))
}

/// The longest time without a block, and how far from the true time a new block's was at most,
/// milliseconds.
async fn watch(stage: &Stage, node: usize) -> anyhow::Result<(Duration, u64)> {
    let since = Instant::now();
    let (mut tip, mut at) = (stage.tip(node).await?, Instant::now());
    let (mut gap, mut worst) = (Duration::ZERO, 0);
    while since.elapsed() < WRONG {
        sleep(Duration::from_millis(10)).await;
        let now = stage.tip(node).await?;
        gap = gap.max(at.elapsed());
        if now > tip {
            (tip, at) = (now, Instant::now());
            worst = worst.max(checkpoint_ms(stage, node).await?.abs_diff(now_ms()));
        }
    }
    Ok((gap, worst))
}

async fn checkpoint_ms(stage: &Stage, node: usize) -> anyhow::Result<u64> {
    let client = stage.net.client(node);
    let latest = client.checkpoint(BlockNumberOrTag::Latest).await?;
    Ok(latest.context("a latest block")?.time_ms.0)
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = now.unwrap_or_default().as_millis();
    u64::try_from(millis).unwrap_or(u64::MAX)
}
