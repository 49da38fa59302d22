//! Disks that fail, are slow, or forget.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::time::sleep;

use crate::faults::deaths::{millis, spread};
use crate::faults::load::Load;
use crate::faults::random::Random;
use crate::faults::stage::{NODES, PATIENCE, Stage};
use crate::faults::{Amount, Found, has, lacks};

/// The first error of a disk must end a node within this.
const STOP_MAX: Duration = Duration::from_secs(30);

/// F9 and F10: a system call on the disk of one validator fails, again and again from the n-th on.
async fn failing(calls: &str, error: &str, words: &str, amount: Amount) -> anyhow::Result<Found> {
    if !has("strace") {
        return Ok(lacks("strace"));
    }
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2], error).await?;
    let (mut stopped, mut revived) = (Vec::new(), Vec::new());
    let points = amount.kills.clamp(2, 12);
    for point in 0..points {
        // The first calls, then rarer ones further on.
        let from = 1 + point * (1 + point / 2);
        stage.net.network.stop(3).await?;
        let before = stage.net.log(3).len();
        let inject = format!(
            "exec strace -D -f -qq -o /dev/null -e trace={calls} \
             -e inject={calls}:error={error}:when={from}+ \"$TBSI\" \"$@\""
        );
        stage.start_by(3, Some(&inject))?;
        stage.net.network.start(3)?;
        let ended = stage.ends(3, STOP_MAX).await;
        stopped.push(millis(
            ended.with_context(|| format!("{error} from call {from} on"))?,
        ));
        let log = stage.net.log(3);
        let said = log.get(before..).unwrap_or_default();
        ensure!(!said.contains("panicked"), "a panic: {said}");
        ensure!(
            said.contains(words),
            "{error} from call {from} on is not named: {said}"
        );
        let signed = stage.signed(3);
        sleep(Duration::from_millis(200)).await;
        ensure!(stage.signed(3) == signed, "it signs after it ended");
        stage.start_by(3, None)?;
        revived.push(millis(stage.revive(3).await?));
    }
    let acknowledged = stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "{points} times: ended by itself and named it, {} from its start; with a good disk first \
         own vote after {}; {acknowledged} acknowledgements, 0 lost",
        spread(&mut stopped),
        spread(&mut revived)
    )))
}

/// F10: EIO of every sync.
///
/// # Errors
/// What did not hold.
pub async fn sync_errors(amount: Amount) -> anyhow::Result<Found> {
    failing("fsync,fdatasync", "EIO", "Input/output error", amount).await
}

/// F9: no space: `fallocate`, which makes room in the database's files, and syncs say so. (A file
/// system that is really full: tests/tests/bad_input/disk.rs.)
///
/// # Errors
/// What did not hold.
pub async fn no_space(amount: Amount) -> anyhow::Result<Found> {
    failing(
        "fsync,fdatasync",
        "ENOSPC",
        "No space left on device",
        amount,
    )
    .await
}

/// F11: every sync of one validator takes so long.
///
/// # Errors
/// What did not hold.
pub async fn slow(amount: Amount) -> anyhow::Result<Found> {
    if !has("strace") {
        return Ok(lacks("strace"));
    }
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[0, 1, 2], "slow").await?;
    let (usual, _) = stage.pace(0, Duration::from_secs(4)).await?;
    let delays: &[u64] = if amount.kills < 10 {
        &[100]
    } else {
        &[100, 1_000, 5_000]
    };
    let mut figures = Vec::new();
    for delay in delays {
        stage.net.network.stop(3).await?;
        let micros = delay * 1_000;
        let inject = format!(
            "exec strace -D -f -qq -o /dev/null -e trace=fsync,fdatasync \
             -e inject=fsync,fdatasync:delay_exit={micros} \"$TBSI\" \"$@\""
        );
        stage.start_by(3, Some(&inject))?;
        stage.net.network.start(3)?;
        let (median, p99) = stage.pace(0, Duration::from_secs(6)).await?;
        figures.push(format!(
            "syncs of {delay} ms: blocks every {median} ms, p99 {p99}"
        ));
        stage.net.network.kill9(3).await?;
        stage.start_by(3, None)?;
        stage.revive(3).await?;
    }
    stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "{} (usually {usual} ms)",
        figures.join("; ")
    )))
}

/// F12: a bit flips in a file of an observer's database, or a file is cut short or gone.
///
/// # Errors
/// Something wrong was served.
pub async fn flips(amount: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start(1).await?;
    let mut load = stage.load(&[0, 1, 2], "flips").await?;
    load.more(40, PATIENCE).await?;
    let observer = NODES;
    let tip = stage.tip(0).await?;
    stage
        .net
        .network
        .wait_height(observer, tip, PATIENCE)
        .await?;
    stage.net.network.stop(observer).await?;
    let data = stage.net.network.home(observer).join("data");
    let good = stage.scratch().join("good");
    copy(&data, &good)?;
    let mut random = Random::new(amount.seed);
    let (mut refused, mut harmless) = (0, 0);
    let trials = (2 * amount.kills).clamp(4, 1_000);
    for trial in 0..trials {
        let hurt = hurt(&data, &mut random)?;
        match unharmed(&mut stage, &load, observer).await {
            Ok(true) => harmless += 1,
            Ok(false) => refused += 1,
            Err(error) => bail!("{hurt} (trial {trial}): {error:#}"),
        }
        stage.net.network.kill9(observer).await?;
        fs::remove_dir_all(&data).context("remove what was hurt")?;
        copy(&good, &data)?;
    }
    stage.net.network.start(observer)?;
    stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "{trials} files of a database hurt: {refused} refused with a reason, {harmless} without \
         an effect or made good, 0 served wrong"
    )))
}

/// `false` if the node ends by itself and says why; `true` if it comes up, is level with the
/// others and has all that was promised. All else is an error.
async fn unharmed(stage: &mut Stage, load: &Load, node: usize) -> anyhow::Result<bool> {
    let before = stage.net.log(node).len();
    let tip = stage.tip(0).await?;
    stage.net.network.start(node)?;
    if stage
        .net
        .network
        .wait_height(node, tip, PATIENCE)
        .await
        .is_ok()
    {
        let clients = [stage.net.client(0), stage.net.client(node)];
        let served = async {
            stage.same_blocks(&clients).await?;
            load.audit_again(&clients[1..]).await
        };
        match served.await {
            Ok(_) => return Ok(true),
            // What it finds while it serves may end it; an answer that differs may not.
            Err(error) if format!("{error:#}").contains("LOST") => return Err(error),
            Err(error) if format!("{error:#}").contains("DISAGREEMENT") => return Err(error),
            Err(_) => {}
        }
    }
    let log = stage.net.log(node);
    let said = log.get(before..).unwrap_or_default().to_owned();
    ensure!(!said.contains("panicked"), "a panic: {said}");
    ensure!(
        stage.net.network.pid(node).is_none(),
        "it neither serves nor ends: {said}"
    );
    let last = said.lines().last().unwrap_or_default();
    ensure!(
        last.contains("node stopped: ") || last.contains("error: "),
        "no reason: {said}"
    );
    Ok(false)
}

/// Flips a bit of one file below a directory, or cuts it, or removes it; says what.
fn hurt(dir: &Path, random: &mut Random) -> anyhow::Result<String> {
    let mut files = Vec::new();
    collect(&dir.join("db"), &mut files)?;
    files.sort();
    ensure!(!files.is_empty(), "no file below {}", dir.display());
    let file = files.swap_remove(random.index(files.len()));
    let name = file
        .strip_prefix(dir)
        .unwrap_or(&file)
        .display()
        .to_string();
    let mut bytes = fs::read(&file).with_context(|| format!("read {name}"))?;
    match random.below(8) {
        0 => {
            fs::remove_file(&file).with_context(|| format!("remove {name}"))?;
            Ok(format!("{name} removed"))
        }
        1 => {
            let end = random.index(bytes.len());
            bytes.truncate(end);
            fs::write(&file, &bytes).with_context(|| format!("cut {name}"))?;
            Ok(format!("{name} cut to {end} bytes"))
        }
        _ => {
            let at = random.index(bytes.len());
            bytes[at] ^= 1 << random.below(8);
            fs::write(&file, &bytes).with_context(|| format!("flip a bit of {name}"))?;
            Ok(format!("{name}: a bit of byte {at} flipped"))
        }
    }
}

/// The files of a database that hold anything; its info log and its lock do not.
fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))? {
        let path = entry.context("an entry")?.path();
        if path.is_dir() {
            collect(&path, files)?;
            continue;
        }
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let holds = path.metadata().is_ok_and(|metadata| metadata.len() > 0);
        if holds && !name.starts_with("LOG") && name != "LOCK" {
            files.push(path);
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    ensure!(
        copied.context("run cp")?.success(),
        "cp {} fails",
        from.display()
    );
    Ok(())
}
