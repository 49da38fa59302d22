//! The order of measurements: chain beside chain, run by run.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use tbsi_testnet::Network;

use super::environment::Environment;
use super::load::{Load, Run, run};
use super::options::Plan;
use super::process::{disk_bytes, peak_rss_kib};
use super::report::{Case, CaseTarget, Idle, Report, Version};
use super::restart;
use super::schedule::Schedule;
use super::search::RateSearch;
use super::statistics::{Spread, ratio};
use super::target::{Anvil, Mining, Target, start_anvil, start_tbsi};
use super::workload::Workload;

/// Seed of the arrivals on an idle chain.
const IDLE_SEED: u64 = 1;

/// The chains, and what every run needs.
struct Bench<'a> {
    plan: &'a Plan,
    network: Network,
    /// Ends with the benchmark.
    _anvil: Option<Anvil>,
    /// TBSI first.
    targets: Vec<Target>,
    /// Runs so far: every run has its own accounts.
    runs: u64,
}

/// Measures everything. Files go below `dir`; a line for each step goes to standard error.
pub async fn measure(plan: &Plan, dir: &Path, environment: Environment) -> anyhow::Result<Report> {
    let started = Instant::now();
    let mut bench = Bench::start(plan, dir).await?;
    let mut versions = Vec::new();
    for target in &bench.targets {
        versions.push(Version {
            target: target.name.clone(),
            version: target.version().await?,
        });
    }
    let idle = bench.idle(dir).await?;
    let mut cases = Vec::new();
    let mut rates = vec![plan.start_rate; bench.targets.len()];
    for (workload, batch) in case_list(plan) {
        let case = bench.case(workload, batch, &rates).await?;
        // The next case is likely to saturate near this one.
        rates = case
            .targets
            .iter()
            .map(|it| it.saturating_per_s / 2)
            .collect();
        cases.push(case);
    }
    let mut peak_rss = Vec::new();
    for target in &bench.targets {
        let each = target.pids.iter().map(|pid| peak_rss_kib(*pid));
        peak_rss.push(each.collect::<anyhow::Result<Vec<u64>>>()?);
    }
    eprintln!("restart at {} blocks", plan.restart_blocks);
    let target = &bench.targets[0];
    let restart = restart::measure(
        &mut bench.network,
        target,
        plan.restart_blocks,
        plan.repeats,
    )
    .await?;
    bench.network.stop_all().await.context("stop the network")?;
    Ok(Report {
        environment,
        plan: plan.clone(),
        versions,
        idle,
        cases,
        peak_rss_kib: peak_rss,
        restart,
        elapsed_s: started.elapsed().as_secs(),
    })
}

/// What is measured under load, in order.
fn case_list(plan: &Plan) -> Vec<(Workload, usize)> {
    let mut cases = vec![(Workload::Transfer, 1), (Workload::StorageWrite, 1)];
    if plan.batch > 1 {
        cases.push((Workload::Transfer, plan.batch));
    }
    cases
}

impl<'a> Bench<'a> {
    async fn start(plan: &'a Plan, dir: &Path) -> anyhow::Result<Self> {
        eprintln!("start {} validators", plan.validators);
        let network_dir = dir.join("network");
        let (network, tbsi) = start_tbsi(plan.validators, &plan.tbsi, &network_dir).await?;
        let mut targets = vec![tbsi];
        let mut anvil = None;
        if let Some(binary) = &plan.anvil {
            let mining = Mining::from_block_time(&plan.anvil_block_time);
            let (process, target) = start_anvil(binary, &dir.join("anvil"), mining).await?;
            targets.push(target);
            anvil = Some(process);
        }
        Ok(Self {
            plan,
            network,
            _anvil: anvil,
            targets,
            runs: 0,
        })
    }

    async fn run(
        &mut self,
        target: usize,
        workload: Workload,
        batch: usize,
        schedule: Schedule,
    ) -> anyhow::Result<Run> {
        let target = self.targets[target].clone();
        self.run_on(&target, workload, batch, schedule).await
    }

    async fn run_on(
        &mut self,
        target: &Target,
        workload: Workload,
        batch: usize,
        schedule: Schedule,
    ) -> anyhow::Result<Run> {
        self.runs += 1;
        let load = Load {
            workload,
            label: format!("TBSI benchmark run {}", self.runs),
            schedule,
            senders: self.plan.senders,
            connections: self.plan.connections,
            batch,
        };
        let run = run(target, &load)
            .await
            .with_context(|| format!("run {} against {}", self.runs, target.name))?;
        eprintln!("{}", run.line(&target.name));
        Ok(run)
    }

    /// Latency of single transactions; anvil's is that of mining at once, by an anvil that
    /// runs only meanwhile.
    async fn idle(&mut self, dir: &Path) -> anyhow::Result<Vec<Idle>> {
        let mut targets = vec![self.targets[0].clone()];
        let mut anvil = None;
        if let Some(binary) = &self.plan.anvil {
            let started = start_anvil(binary, &dir.join("anvil-idle"), Mining::AtOnce).await?;
            anvil = Some(started.0);
            targets.push(started.1);
        }
        let mut idle = Vec::new();
        for target in targets {
            let schedule = Schedule::idle(self.plan.idle_samples, IDLE_SEED);
            let run = self
                .run_on(&target, Workload::Transfer, 1, schedule)
                .await?;
            idle.push(Idle {
                target: target.name,
                run,
            });
        }
        drop(anvil);
        Ok(idle)
    }

    /// Saturation rate, rate at saturation and latency at half of it, for every chain.
    async fn case(
        &mut self,
        workload: Workload,
        batch: usize,
        start_rates: &[u64],
    ) -> anyhow::Result<Case> {
        let targets = self.targets.len();
        let disk_before = self.disk_bytes()?;
        let mut finalised = 0;
        let mut searches = Vec::new();
        for (target, start_rate) in start_rates.iter().enumerate() {
            let mut search = RateSearch::new(*start_rate);
            while let Some(rate) = search.next_rate() {
                let schedule = Schedule::steady(rate, batch, self.plan.duration());
                let run = self.run(target, workload, batch, schedule).await?;
                finalised += if target == 0 {
                    run.figures.finalised
                } else {
                    0
                };
                search.record(run.step());
            }
            searches.push(search);
        }
        let offered: Vec<u64> = searches.iter().map(saturating_rate).collect();
        let saturated = self.interleaved(workload, batch, &offered).await?;
        let half: Vec<u64> = saturated.iter().map(|runs| median_rate(runs) / 2).collect();
        let half_load = self.interleaved(workload, batch, &half).await?;
        for runs in [&saturated[0], &half_load[0]] {
            finalised += runs.iter().map(|run| run.figures.finalised).sum::<u64>();
        }
        let disk = self.disk_bytes()?.saturating_sub(disk_before);
        let disk_per_tx = disk.checked_div(finalised * self.plan.validators as u64);

        let mut figures = Vec::new();
        let runs = saturated.into_iter().zip(half_load);
        for ((target, search), (saturated, half_load)) in (0..targets).zip(searches).zip(runs) {
            let name = self.targets[target].name.clone();
            figures.push(CaseTarget::new(name, &search, saturated, half_load));
        }
        let rate = |index: usize| {
            let figures: Option<&CaseTarget> = figures.get(index);
            figures.map_or(0, |it| it.finalised_per_s.median)
        };
        Ok(Case {
            workload,
            batch,
            ratio_to_anvil: ratio(rate(0), rate(1)),
            disk_bytes_per_tx: disk_per_tx,
            targets: figures,
        })
    }

    /// Runs at one rate per chain, the chains taking turns; the runs of each chain.
    async fn interleaved(
        &mut self,
        workload: Workload,
        batch: usize,
        rates: &[u64],
    ) -> anyhow::Result<Vec<Vec<Run>>> {
        let mut runs = vec![Vec::new(); rates.len()];
        for _ in 0..self.plan.repeats {
            for (target, rate) in rates.iter().enumerate() {
                let schedule = Schedule::steady((*rate).max(1), batch, self.plan.duration());
                runs[target].push(self.run(target, workload, batch, schedule).await?);
            }
        }
        Ok(runs)
    }

    /// Data of all validators on disk.
    fn disk_bytes(&self) -> anyhow::Result<u64> {
        (0..self.plan.validators)
            .map(|node| disk_bytes(&tbsi_node::home::Home::new(self.network.home(node)).data_dir()))
            .sum()
    }
}

fn median_rate(runs: &[Run]) -> u64 {
    let rates = runs.iter().map(|run| run.figures.finalised_per_s);
    Spread::of(rates).map_or(0, |spread| spread.median)
}

/// The rate to offer for the highest finalised rate; if the search ended without an answer,
/// the highest that it tried.
fn saturating_rate(search: &RateSearch) -> u64 {
    let tried = search.steps().iter().map(|step| step.offered).max();
    search.saturating().or(tried).unwrap_or(1)
}
