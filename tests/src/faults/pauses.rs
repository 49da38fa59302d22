//! Processes that stand still, and many small faults in turn.

use std::time::Duration;

use anyhow::ensure;
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use crate::faults::deaths::{millis, spread};
use crate::faults::load::resident_kib;
use crate::faults::random::Random;
use crate::faults::stage::{NODES, PATIENCE, Stage};
use crate::faults::{Amount, Found};

/// F4: SIGSTOP of one validator, for longer and longer.
///
/// # Errors
/// What did not hold.
pub async fn one(amount: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2], "one pause").await?;
    let mut rejoined = Vec::new();
    let pauses: &[u64] = if amount.kills < 10 {
        &[1, 3]
    } else {
        &[1, 5, 30, 60]
    };
    for seconds in pauses {
        stage.signal(3, Signal::SIGSTOP).await?;
        let without = stage.blocks_in(0, Duration::from_secs(*seconds)).await?;
        ensure!(
            without > 0,
            "no block without a validator that stands still"
        );
        let (before, since) = (stage.signed(3), Instant::now());
        stage.signal(3, Signal::SIGCONT).await?;
        let voted = millis(stage.votes_after(3, &before, since).await?);
        rejoined.push(format!("{voted} ms after {seconds} s"));
    }
    stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "first own vote {}",
        rejoined.join(", ")
    )))
}

/// F5: SIGSTOP of two validators: nothing is decided, nothing acknowledged, reads are answered.
///
/// # Errors
/// What did not hold.
pub async fn two(amount: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1], "two pauses").await?;
    let (interval, _) = stage.pace(0, Duration::from_secs(3)).await?;
    let mut heals = Vec::new();
    for _ in 0..amount.part(10).min(10) {
        let stopped = [2, 3];
        for node in stopped {
            stage.signal(node, Signal::SIGSTOP).await?;
        }
        // What was on its way arrives.
        sleep(Duration::from_millis(500)).await;
        let (tip, acknowledged) = (stage.tip(0).await?, load.acknowledged());
        sleep(Duration::from_secs(3)).await;
        ensure!(stage.tip(0).await? == tip, "two of four decided a block");
        ensure!(
            load.acknowledged() == acknowledged,
            "two of four acknowledged"
        );
        for node in stopped {
            stage.signal(node, Signal::SIGCONT).await?;
        }
        heals.push(millis(stage.block_above(0, tip).await?));
        load.more(2, PATIENCE).await?;
    }
    stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "no block and no acknowledgement meanwhile; next block after {} (interval {interval} ms)",
        spread(&mut heals)
    )))
}

/// F45: kills, pauses and restarts in turn, and what processes hold meanwhile.
///
/// # Errors
/// What did not hold.
pub async fn soak(amount: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2, 3], "soak").await?;
    let mut random = Random::new(amount.seed);
    let since = Instant::now();
    // Node 0 is left alone, so that growth is seen.
    let first = holdings(&mut stage)?;
    let mut faults = 0;
    while since.elapsed() < Duration::from_secs(amount.soak_s) {
        let victim = 1 + random.index(NODES - 1);
        match random.below(3) {
            0 => {
                stage.net.network.kill9(victim).await?;
                stage.revive(victim).await?;
            }
            1 => {
                stage.signal(victim, Signal::SIGSTOP).await?;
                sleep(Duration::from_millis(200 + random.below(1_500))).await;
                stage.signal(victim, Signal::SIGCONT).await?;
                stage.votes(victim).await?;
            }
            _ => {
                stage.net.network.stop(victim).await?;
                stage.revive(victim).await?;
            }
        }
        faults += 1;
        sleep(Duration::from_millis(random.below(1_000))).await;
    }
    let last = holdings(&mut stage)?;
    let acknowledged = stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "{} s, {faults} faults, {acknowledged} acknowledgements, 0 lost; of the node left alone: \
         RSS {} → {} MiB, descriptors {} → {}",
        since.elapsed().as_secs(),
        first.0 / 1024,
        last.0 / 1024,
        first.1,
        last.1
    )))
}

/// Memory, KiB, and open descriptors of node 0.
fn holdings(stage: &mut Stage) -> anyhow::Result<(u64, usize)> {
    let pid = stage.net.network.pid(0);
    let pid = pid.ok_or_else(|| anyhow::anyhow!("node 0 has ended"))?;
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd"))?.count();
    Ok((resident_kib(pid)?, descriptors))
}
