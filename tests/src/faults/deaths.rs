//! Processes that die: at any moment, at every sync, all together, for want of memory or of
//! files, and when they are asked to.

use std::time::Duration;

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use crate::faults::load::percentile;
use crate::faults::random::Random;
use crate::faults::stage::{NODES, PATIENCE, Stage};
use crate::faults::{Amount, Found, has, lacks};

/// Deaths between two audits of what was acknowledged.
const AUDIT_EVERY: u64 = 25;
/// How long a node may take to end after SIGTERM.
const TERM_MAX: Duration = Duration::from_secs(10);
/// Syncs that a start and its first votes take, at least.
const SYNCS: u64 = 12;

/// F1: SIGKILL at any moment, one validator after another, under load.
///
/// # Errors
/// What did not hold.
pub async fn kills(amount: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2, 3], "kills").await?;
    let mut random = Random::new(amount.seed);
    let mut recoveries = Vec::new();
    for kill in 1..=amount.kills {
        let victim = random.index(NODES);
        sleep(Duration::from_millis(random.below(600))).await;
        stage.net.network.kill9(victim).await?;
        // The others go on without it.
        let witness = (victim + 1) % NODES;
        let tip = stage.tip(witness).await?;
        stage.block_above(witness, tip).await?;
        let revived = stage.revive(victim).await;
        let revived = revived.with_context(|| format!("kill {kill} of {}", amount.kills))?;
        recoveries.push(millis(revived));
        if kill % AUDIT_EVERY == 0 {
            stage.judge(&mut load).await?;
        }
    }
    let acknowledged = stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "{} kills, {acknowledged} acknowledgements, 0 lost; first own vote after {}",
        amount.kills,
        spread(&mut recoveries)
    )))
}

/// F2: SIGKILL at the first, second, third … sync of a run: of the sign-state, the write-ahead
/// log and the database.
///
/// # Errors
/// What did not hold.
pub async fn syncs(amount: Amount) -> anyhow::Result<Found> {
    if !has("strace") {
        return Ok(lacks("strace"));
    }
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2], "syncs").await?;
    let (mut died, mut recoveries) = (0, Vec::new());
    let points = amount.kills.clamp(3, 60).min(SYNCS * amount.part(4));
    for sync in 1..=points {
        stage.net.network.stop(3).await?;
        // The traced process keeps its id: the tracer is somebody else's child (-D).
        let inject = format!(
            "exec strace -D -f -qq -o /dev/null -e trace=fsync,fdatasync \
             -e inject=fsync,fdatasync:signal=KILL:when={sync} \"$TBSI\" \"$@\""
        );
        stage.start_by(3, Some(&inject))?;
        stage.net.network.start(3)?;
        died += u64::from(stage.ends(3, Duration::from_secs(20)).await.is_ok());
        stage.net.network.kill9(3).await?;
        stage.start_by(3, None)?;
        let revived = stage.revive(3).await;
        recoveries.push(millis(
            revived.with_context(|| format!("after sync {sync}"))?,
        ));
    }
    ensure!(died > 0, "no death at any of {points} syncs");
    let acknowledged = stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "{died} deaths at the 1st to {points}th sync, {acknowledged} acknowledgements, 0 lost; \
         first own vote after {}",
        spread(&mut recoveries)
    )))
}

/// F3: all at once.
///
/// # Errors
/// What did not hold.
pub async fn all(amount: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2, 3], "all").await?;
    let mut first_blocks = Vec::new();
    let deaths = amount.part(5).min(100);
    for _ in 0..deaths {
        load.more(NODES, PATIENCE).await?;
        let promised = load.highest();
        for node in 0..NODES {
            stage.net.network.kill9(node).await?;
        }
        let since = Instant::now();
        for node in 0..NODES {
            stage.net.network.start(node)?;
        }
        stage
            .net
            .network
            .wait_height(0, promised.next(), PATIENCE)
            .await?;
        first_blocks.push(millis(since.elapsed()));
        stage.judge(&mut load).await?;
    }
    Ok(Found::Kept(format!(
        "{deaths} deaths of all four, {} acknowledgements, 0 lost; next block after {}",
        load.acknowledged(),
        spread(&mut first_blocks)
    )))
}

/// F42: a node that gets no memory dies as one that is killed.
///
/// # Errors
/// What did not hold.
pub async fn memory(_: Amount) -> anyhow::Result<Found> {
    if !has("prlimit") {
        return Ok(lacks("util-linux"));
    }
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2], "memory").await?;
    let (mut ended, mut outcomes) = (0, Vec::new());
    for mib in [40u64, 80, 120] {
        stage.net.network.stop(3).await?;
        let bytes = mib << 20;
        let shell = format!("exec prlimit --data={bytes} \"$TBSI\" \"$@\"");
        stage.start_by(3, Some(&shell))?;
        stage.net.network.start(3)?;
        let died = stage.ends(3, Duration::from_secs(10)).await.is_ok();
        ended += u32::from(died);
        outcomes.push(format!("{mib} MiB {}", if died { "ended" } else { "ran" }));
        stage.net.network.kill9(3).await?;
        stage.start_by(3, None)?;
        stage.revive(3).await?;
    }
    ensure!(ended > 0, "it ran with every limit: {outcomes:?}");
    let acknowledged = stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "private memory limited: {}; {acknowledged} acknowledgements, 0 lost",
        outcomes.join(", ")
    )))
}

/// F43: no descriptors, no stdout, a log on a full disk.
///
/// # Errors
/// What did not hold.
pub async fn descriptors(_: Amount) -> anyhow::Result<Found> {
    if !has("prlimit") {
        return Ok(lacks("util-linux"));
    }
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2], "descriptors").await?;
    let mut outcomes = Vec::new();
    let cases = [
        ("16 files", "exec prlimit --nofile=16 \"$TBSI\" \"$@\""),
        ("48 files", "exec prlimit --nofile=48 \"$TBSI\" \"$@\""),
        ("stdout and stderr closed", "exec \"$TBSI\" \"$@\" >&- 2>&-"),
        (
            "log on a full disk",
            "exec \"$TBSI\" \"$@\" >/dev/full 2>/dev/full",
        ),
    ];
    for (name, shell) in cases {
        stage.net.network.stop(3).await?;
        let before = stage.signed(3);
        stage.start_by(3, Some(shell))?;
        let since = Instant::now();
        stage.net.network.start(3)?;
        // Either it ends, or it does its work.
        let outcome = loop {
            if stage.net.network.pid(3).is_none() {
                break "ended";
            }
            if stage.signed(3) != before {
                break "votes";
            }
            ensure!(
                since.elapsed() < PATIENCE,
                "with {name} it neither ends nor votes"
            );
            sleep(Duration::from_millis(20)).await;
        };
        outcomes.push(format!("{name}: {outcome}"));
        stage.net.network.kill9(3).await?;
        stage.start_by(3, None)?;
        stage.revive(3).await?;
    }
    stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "{}; each time well again after a restart",
        outcomes.join(", ")
    )))
}

/// F44: SIGTERM at any moment, also twice, also while it starts.
///
/// # Errors
/// What did not hold.
pub async fn terminations(amount: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2], "terminations").await?;
    let mut random = Random::new(amount.seed);
    let mut ends = Vec::new();
    let rounds = amount.kills.clamp(3, 100);
    for round in 0..rounds {
        // From the first moments of a start to the middle of its work.
        sleep(Duration::from_millis(random.below(800))).await;
        stage.signal(3, Signal::SIGTERM).await?;
        if round % 3 == 0 {
            stage.signal(3, Signal::SIGTERM).await?;
        }
        let ended = stage.ends(3, TERM_MAX).await;
        ends.push(millis(ended.with_context(|| format!("SIGTERM {round}"))?));
        stage.net.network.start(3)?;
    }
    let tip = stage.tip(0).await?;
    stage.net.network.wait_height(3, tip, PATIENCE).await?;
    let acknowledged = stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "{rounds} SIGTERMs, a third of them twice, {acknowledged} acknowledgements, 0 lost; \
         ended after {}",
        spread(&mut ends)
    )))
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `p50 … p99 … max … ms`.
pub(crate) fn spread(millis: &mut [u64]) -> String {
    millis.sort_unstable();
    format!(
        "p50 {} p99 {} max {} ms",
        percentile(millis, 50),
        percentile(millis, 99),
        percentile(millis, 100)
    )
}
