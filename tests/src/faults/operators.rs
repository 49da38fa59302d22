//! What operators do: start a node twice, lose its signatures, restore old copies, upgrade.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};

use crate::faults::deaths::{millis, spread};
use crate::faults::stage::{NODES, PATIENCE, Stage};
use crate::faults::{Amount, Found};
use crate::harness::tbsi;

/// F31: the same home is started again while it runs.
///
/// # Errors
/// What did not hold.
pub async fn twice(_: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2], "twice").await?;
    let home = stage.net.network.home(3);
    let arguments = ["node", "run", "--home"].map(std::ffi::OsString::from);
    let second = tbsi(&[&arguments[..], &[home.into_os_string()]].concat()).await;
    ensure!(second.code == Some(1), "the second one: {second:?}");
    ensure!(!second.stderr.contains("panicked"), "{}", second.stderr);
    stage.votes(3).await?;
    let acknowledged = stage.judge(&mut load).await?;
    let last = second.stderr.lines().last().unwrap_or_default();
    let (_, why) = last.split_once("node stopped: ").unwrap_or(("", last));
    Ok(Found::Kept(format!(
        "the second process ends with 1 ({why}), the first votes on; {acknowledged} \
         acknowledgements, no evidence"
    )))
}

/// F32: the sign-state of a validator is gone, spoiled, old, or cannot be written.
///
/// # Errors
/// What did not hold.
pub async fn sign_state(_: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2], "sign-state").await?;
    stage.net.network.stop(3).await?;
    let file = stage.net.network.home(3).join("data/sign-state");
    let old = fs::read(&file).context("read the sign-state")?;
    stage.revive(3).await?;
    load.more(3, PATIENCE).await?;
    stage.net.network.stop(3).await?;
    let good = fs::read(&file).context("read the sign-state")?;
    let mut flipped = good.clone();
    // Each copy of each slot: a node may go on with one.
    for at in [0, 1, 2, 3].map(|page| page * 4096 + 40) {
        if let Some(byte) = flipped.get_mut(at) {
            *byte ^= 1;
        }
    }
    let cases: [(&str, Option<&[u8]>); 4] = [
        ("gone", None),
        ("spoiled", Some(&flipped)),
        ("cut short", Some(&good[..good.len() / 2])),
        ("old", Some(&old)),
    ];
    for (name, contents) in cases {
        match contents {
            Some(contents) => fs::write(&file, contents),
            None => fs::remove_file(&file),
        }
        .with_context(|| format!("sign-state {name}"))?;
        let before = stage.net.log(3).len();
        stage.net.network.start(3)?;
        let ended = stage.ends(3, PATIENCE).await;
        ended.with_context(|| format!("with a sign-state that is {name}"))?;
        let log = stage.net.log(3);
        let said = log.get(before..).unwrap_or_default();
        ensure!(said.contains("sign-state"), "{name} is not named: {said}");
    }
    fs::write(&file, &good).context("restore the sign-state")?;
    stage.revive(3).await?;
    stage.judge(&mut load).await?;
    Ok(Found::Kept(
        "gone, spoiled, cut short, old: each refused by name, no evidence".into(),
    ))
}

/// F33: three of four data directories are lost and come back as a backup of an earlier height;
/// the fourth survives. First the survivor runs; then the marks of the restored ones are raised to
/// its height, and they run too.
///
/// # Errors
/// What did not hold.
pub async fn disaster(_: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2, 3], "disaster").await?;
    for node in 1..NODES {
        stage.net.network.stop(node).await?;
    }
    let data = |stage: &Stage, node: usize| stage.net.network.home(node).join("data");
    for node in 1..NODES {
        copy(
            &data(&stage, node),
            &stage.scratch().join(format!("backup-{node}")),
        )?;
    }
    for node in 1..NODES {
        stage.net.network.start(node)?;
    }
    load.more(20, PATIENCE).await?;
    for node in 0..NODES {
        stage.net.network.kill9(node).await?;
    }
    let since = Instant::now();
    for node in 1..NODES {
        fs::remove_dir_all(data(&stage, node)).context("lose a disk")?;
        copy(
            &stage.scratch().join(format!("backup-{node}")),
            &data(&stage, node),
        )?;
    }
    stage.net.network.start(0)?;
    sleep(Duration::from_secs(2)).await;
    let survivor = stage.tip(0).await?;
    ensure!(
        survivor >= load.highest(),
        "the survivor lost what was acknowledged"
    );
    // The backup's sign-state does not know what the keys signed since: without this they would
    // sign those heights again.
    for node in 1..NODES {
        let home = stage.net.network.home(node).into_os_string();
        let height = survivor.to_string();
        let command = ["keys", "reset-sign-state", "--height", &height, "--home"];
        let command = command.map(std::ffi::OsString::from);
        let reset = tbsi(&[&command[..], &[home]].concat()).await;
        ensure!(reset.code == Some(0), "reset-sign-state: {reset:?}");
        stage.net.network.start(node)?;
    }
    for node in 1..NODES {
        let caught_up = stage.net.network.wait_height(node, survivor, PATIENCE);
        caught_up.await?;
    }
    stage.block_above(0, survivor).await?;
    let took = since.elapsed();
    let open = Some(survivor.next());
    let acknowledged = stage.judge_except(&mut load, open).await?;
    let twice = stage.net.client(0).evidence().await?.evidence.len();
    Ok(Found::Kept(format!(
        "3 of 4 restored from a backup, sign-states raised to the survivor's height: RPO 0 of \
         {acknowledged} acknowledgements, RTO {} ms; {twice} signed twice at the height that was \
         open, whose votes were lost with the disks",
        millis(took)
    )))
}

/// F34: every node is stopped and started in turn, as in an upgrade.
///
/// # Errors
/// What did not hold.
pub async fn rolling(amount: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2, 3], "rolling").await?;
    let (from, mut outages) = (stage.tip(0).await?, Vec::new());
    for _ in 0..amount.part(20).min(5) {
        for node in 0..NODES {
            let since = Instant::now();
            stage.net.network.stop(node).await?;
            stage.revive(node).await?;
            outages.push(millis(since.elapsed()));
        }
    }
    let to = stage.tip(0).await?;
    let intervals = stage.intervals(0, from, to).await?;
    let longest = intervals.last().copied().unwrap_or_default();
    let acknowledged = stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "one version, every node in turn: out for {}, longest block interval {longest} ms, \
         {acknowledged} acknowledgements, 0 lost (two versions: --test upgrade)",
        spread(&mut outages)
    )))
}

fn copy(from: &std::path::Path, to: &std::path::Path) -> anyhow::Result<()> {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    ensure!(
        copied.context("run cp")?.success(),
        "cp {} fails",
        from.display()
    );
    Ok(())
}
