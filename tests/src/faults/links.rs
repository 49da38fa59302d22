//! Links that break, lose, delay and clog.

use std::time::Duration;

use anyhow::ensure;
use tbsi_types::Height;
use tokio::time::{Instant, sleep};

use crate::faults::deaths::{millis, spread};
use crate::faults::link::{OPEN, Rule, STALLED};
use crate::faults::load::Load;
use crate::faults::random::Random;
use crate::faults::stage::{NODES, PATIENCE, Stage};
use crate::faults::{Amount, Found};

/// How long a partition lasts.
const PARTED: Duration = Duration::from_secs(4);
/// After which what was on its way has arrived.
const SETTLED: Duration = Duration::from_millis(500);

/// F17: partitions in two, in three, and rotating.
///
/// # Errors
/// What did not hold.
pub async fn partitions(amount: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start_linked().await?;
    let mut load = stage.load(&[0, 1, 2, 3], "partitions").await?;
    let (interval, _) = stage.pace(0, Duration::from_secs(3)).await?;
    // One against three: the three go on, the one does not and comes back.
    let alone = amount.part(10).min(4);
    let mut rejoined = Vec::new();
    for node in 0..usize::try_from(alone)? {
        let others: Vec<usize> = (0..NODES).filter(|other| *other != node).collect();
        stage.links.part(&[&[node], &others]);
        sleep(SETTLED).await;
        let stuck = stage.tip(node).await?;
        let without = stage.blocks_in(others[0], PARTED).await?;
        ensure!(without > 0, "three of four decide nothing");
        ensure!(stage.tip(node).await? == stuck, "one of four decides");
        let (before, since) = (stage.signed(node), Instant::now());
        stage.links.set_all(OPEN);
        rejoined.push(millis(stage.votes_after(node, &before, since).await?));
    }
    let mut halves = Vec::new();
    let splits: [&[&[usize]]; 3] = [
        &[&[0, 1], &[2, 3]],
        &[&[0, 2], &[1, 3]],
        &[&[0], &[1], &[2, 3]],
    ];
    for split in 0..usize::try_from(amount.part(5).min(30))? {
        stage.links.part(splits[split % splits.len()]);
        halves.push(millis(stalls_and_heals(&stage, &load).await?));
        load.more(2, PATIENCE).await?;
    }
    stage.judge(&mut load).await?;
    let p99 = halves.iter().max().copied().unwrap_or_default();
    Ok(Found::Kept(format!(
        "one alone votes again after {}; 2/2 and 1/1/2 stall, next block after {} = {} \
         intervals of {interval} ms",
        spread(&mut rejoined),
        spread(&mut halves),
        tenths(p99, interval.max(1)),
    )))
}

/// Nothing is decided and nothing acknowledged until the links open; then how long it takes to a
/// block.
async fn stalls_and_heals(stage: &Stage, load: &Load) -> anyhow::Result<Duration> {
    sleep(SETTLED).await;
    let tips = tips(stage).await?;
    let acknowledged = load.acknowledged();
    sleep(PARTED).await;
    ensure!(self::tips(stage).await? == tips, "a block without a quorum");
    ensure!(
        load.acknowledged() == acknowledged,
        "an acknowledgement without a quorum"
    );
    let highest = tips.into_iter().max().unwrap_or_default();
    stage.links.set_all(OPEN);
    let since = Instant::now();
    for node in 0..NODES {
        stage.block_above(node, highest).await?;
    }
    Ok(since.elapsed())
}

async fn tips(stage: &Stage) -> anyhow::Result<Vec<Height>> {
    let mut tips = Vec::new();
    for node in 0..NODES {
        tips.push(stage.tip(node).await?);
    }
    Ok(tips)
}

/// F18: one is not heard, one does not hear, one link is cut, all meet through one.
///
/// # Errors
/// What did not hold.
pub async fn one_way(_: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start_linked().await?;
    let mut load = stage.load(&[0, 1, 2], "one way").await?;
    let pairs = |from: &[usize], to: &[usize]| -> Vec<(usize, usize)> {
        let pairs = from.iter().flat_map(|a| to.iter().map(move |b| (*a, *b)));
        pairs.filter(|(a, b)| a != b).collect()
    };
    let cases = [
        ("one is not heard", pairs(&[3], &[0, 1, 2])),
        ("one does not hear", pairs(&[0, 1, 2], &[3])),
        ("two do not meet", pairs(&[0, 1], &[0, 1])),
        ("all meet through one", pairs(&[1, 2, 3], &[1, 2, 3])),
    ];
    let mut figures = Vec::new();
    for (name, stalled) in cases {
        for (from, to) in stalled {
            stage.links.set(from, to, STALLED);
        }
        sleep(SETTLED).await;
        let blocks = stage.blocks_in(0, PARTED).await?;
        stage.links.set_all(OPEN);
        let tip = stage.tip(0).await?;
        let heal = millis(stage.block_above(3, tip).await?);
        load.more(3, PATIENCE).await?;
        ensure!(blocks > 0, "{name}: no block, although a quorum can speak");
        figures.push(format!("{name}: {blocks} blocks in 4 s, {heal} ms to heal"));
    }
    stage.judge(&mut load).await?;
    Ok(Found::Kept(figures.join("; ")))
}

/// F19: lost segments.
///
/// # Errors
/// What did not hold.
pub async fn loss(amount: Amount) -> anyhow::Result<Found> {
    let percents: &[u64] = if amount.kills < 10 {
        &[5]
    } else {
        &[1, 5, 20, 30]
    };
    let rules = percents.iter().map(|percent| {
        let rule = Rule {
            loss_percent: *percent,
            ..OPEN
        };
        (format!("{percent} %"), rule)
    });
    under(rules.collect(), "loss").await
}

/// F20: distance and narrow lines.
///
/// # Errors
/// What did not hold.
pub async fn distance(amount: Amount) -> anyhow::Result<Found> {
    let far = |millis: u64| {
        let rule = Rule {
            delay: Duration::from_millis(millis),
            jitter: Duration::from_millis(millis / 5),
            ..OPEN
        };
        (format!("{millis} ms"), rule)
    };
    let narrow = |bits: u64| {
        let rule = Rule {
            bytes_per_s: Some(bits / 8),
            ..OPEN
        };
        (format!("{} Mbit/s", bits / 1_000_000), rule)
    };
    let mut rules = vec![far(50)];
    if amount.kills >= 10 {
        rules.extend([far(150), far(300), narrow(10_000_000), narrow(1_000_000)]);
    }
    under(rules, "distance").await
}

/// Blocks, acknowledgements and lost rounds while all links keep to a rule.
async fn under(rules: Vec<(String, Rule)>, name: &str) -> anyhow::Result<Found> {
    let mut stage = Stage::start_linked().await?;
    let mut load = stage.load(&[0, 1, 2, 3], name).await?;
    let mut figures = Vec::new();
    for (name, rule) in rules {
        stage.links.set_all(rule);
        sleep(SETTLED).await;
        load.latency_ms();
        let from = stage.tip(0).await?;
        sleep(2 * PARTED).await;
        let to = stage.tip(0).await?;
        ensure!(to > from, "{name}: no block in {:?}", 2 * PARTED);
        let late = stage.late(0, from.next(), to).await?;
        let blocks = to.0 - from.0;
        let (p50, p99) = load.latency_ms();
        figures.push(format!(
            "{name}: {} blocks/s, {late} of {blocks} after round 0, acknowledged p50 {p50} \
             p99 {p99} ms",
            tenths(blocks, (2 * PARTED).as_secs())
        ));
    }
    stage.links.set_all(OPEN);
    stage.judge(&mut load).await?;
    Ok(Found::Kept(figures.join("; ")))
}

/// F21: links clog one by one and open in another order.
///
/// # Errors
/// What did not hold.
pub async fn swizzle(amount: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start_linked().await?;
    let mut load = stage.load(&[0, 1, 2, 3], "swizzle").await?;
    let (interval, _) = stage.pace(0, Duration::from_secs(3)).await?;
    let mut random = Random::new(amount.seed);
    let mut heals = Vec::new();
    for _ in 0..amount.part(5).min(20) {
        let mut clogged = Vec::new();
        for from in 0..NODES {
            for to in (0..NODES).filter(|to| *to != from) {
                if random.below(2) == 0 {
                    clogged.push((from, to));
                }
            }
        }
        for rule in [STALLED, OPEN] {
            shuffle(&mut clogged, &mut random);
            for (from, to) in &clogged {
                stage.links.set(*from, *to, rule);
                sleep(Duration::from_millis(random.below(400))).await;
            }
        }
        stage.links.set_all(OPEN);
        let (tip, since) = (stage.tip(0).await?, Instant::now());
        for node in 0..NODES {
            stage.block_above(node, tip).await?;
        }
        heals.push(millis(since.elapsed()));
    }
    stage.judge(&mut load).await?;
    let rounds = heals.len();
    Ok(Found::Kept(format!(
        "{rounds} times; next block everywhere after {} (interval {interval} ms)",
        spread(&mut heals)
    )))
}

/// A quotient with one decimal.
fn tenths(number: u64, by: u64) -> String {
    let tenths = number * 10 / by;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn shuffle<T>(list: &mut [T], random: &mut Random) {
    for last in (1..list.len()).rev() {
        list.swap(last, random.index(last + 1));
    }
}
