//! The order of measurements: chain beside chain, run by run.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use tbsi_testnet::Network;

use super::decades;
use super::environment::Environment;
use super::load::{Load, Run, run};
use super::mapping;
use super::options::{Plan, Section};
use super::overload;
use super::process::disk_bytes;
use super::proving;
use super::reads;
use super::relaying;
use super::report::{Case, CaseTarget, Idle, Report};
use super::restart;
use super::schedule::Schedule;
use super::search::RateSearch;
use super::statistics::Spread;
use super::target::{Mining, Target, start_anvil, start_tbsi};
use super::warroom;
use super::workload::Workload;

/// Seed of the arrivals on an idle chain.
const IDLE_SEED: u64 = 1;

/// What a run is against.
#[derive(Clone, Copy)]
enum Chain<'a> {
    /// The network, which lives through all runs and grows.
    Tbsi,
    /// A fresh anvil for each run: its cost per block grows with its state, and it does not
    /// recover from a load that it cannot bear, so that later runs would show an earlier one.
    Anvil(&'a Path, Mining<'a>),
}

/// The network, and what every run needs.
struct Bench<'a> {
    plan: &'a Plan,
    dir: &'a Path,
    network: Network,
    tbsi: Target,
    /// Runs so far: every run has its own accounts.
    runs: u64,
    /// Transactions that TBSI finalised in them.
    finalised: u64,
}

/// Measures everything. Files go below `dir`; a line for each step goes to standard error.
pub async fn measure(plan: &Plan, dir: &Path, environment: Environment) -> anyhow::Result<Report> {
    let started = Instant::now();
    let chain = [Section::Load, Section::Log, Section::Restart];
    let mut report = Report::new(environment, plan);
    if chain.iter().any(|section| plan.has(*section)) {
        let mut bench = Bench::start(plan, dir, "network").await?;
        bench.sections(&mut report).await?;
        bench.network.stop_all().await.context("stop the network")?;
    }
    if plan.has(Section::Overload) {
        // Of its own: what stays in its pools is nobody else's.
        let mut bench = Bench::start(plan, dir, "overload").await?;
        report.overload = Some(bench.overload(&report.cases).await?);
        bench.network.stop_all().await.context("stop the network")?;
    }
    if plan.has(Section::Rpc) {
        report.reads = Some(reads::measure(plan, dir).await?);
    }
    if plan.has(Section::Relay) {
        report.relaying = relaying::measure(plan).await?;
    }
    if plan.has(Section::Handovers) {
        let lengths = [0, 100, 1_000, 10_000, plan.handovers].into_iter();
        let lengths: BTreeSet<u64> = lengths.filter(|it| *it <= plan.handovers).collect();
        report.decades = decades::measure(dir, &lengths)?;
    }
    if plan.has(Section::Warroom) {
        eprintln!("follow a log of {} leaves", plan.leaves);
        report.warroom = Some(warroom::measure(&plan.tbsi, dir, plan.leaves).await?);
    }
    report.elapsed_s = started.elapsed().as_secs();
    Ok(report)
}

/// What is measured under load, in order.
fn case_list(plan: &Plan) -> Vec<(Workload, usize)> {
    let mut cases = vec![(Workload::Transfer, 1), (Workload::StorageWrite, 1)];
    if plan.batch > 1 {
        cases.push((Workload::Transfer, plan.batch));
    }
    cases.push((Workload::Attest, 1));
    cases.push((Workload::AttestLarge, 1));
    cases
}

impl<'a> Bench<'a> {
    async fn start(plan: &'a Plan, dir: &'a Path, name: &str) -> anyhow::Result<Self> {
        eprintln!("start {} validators", plan.validators);
        let home = dir.join(name);
        let (network, tbsi) = start_tbsi(plan.validators, &plan.tbsi, &home).await?;
        Ok(Self {
            plan,
            dir,
            network,
            tbsi,
            runs: 0,
            finalised: 0,
        })
    }

    /// What is measured of the network.
    async fn sections(&mut self, report: &mut Report) -> anyhow::Result<()> {
        let plan = self.plan;
        if plan.has(Section::Load) {
            report.idle = self.idle().await?;
            let (disk_before, before) = (self.disk_bytes()?, self.finalised);
            report.cases = self.cases().await?;
            let grown = self.disk_bytes()?.checked_sub(disk_before);
            let copies = (self.finalised - before) * plan.validators as u64;
            report.disk_bytes_per_tx = grown.and_then(|bytes| bytes.checked_div(copies));
        }
        let Self { network, tbsi, .. } = self;
        if plan.has(Section::Log) {
            let proving = proving::measure(network, tbsi, plan.leaves).await?;
            report.mapping = Some(mapping::measure(network, &proving).await?);
            report.proving = Some(proving);
        }
        if plan.has(Section::Restart) {
            eprintln!("restart at {} blocks", plan.restart_blocks);
            let measured = restart::measure(network, tbsi, plan.restart_blocks, plan.repeats);
            report.restart = Some(measured.await?);
        }
        Ok(())
    }

    /// Twice what saturates the chain: found under load, or else now.
    async fn overload(&mut self, cases: &[Case]) -> anyhow::Result<overload::Overload> {
        let plan = self.plan;
        let single = |case: &&Case| case.workload == Workload::Transfer && case.batch == 1;
        let known = cases.iter().find(single).cloned();
        let case = match known {
            Some(case) => case,
            None => {
                let start = [plan.start_rate];
                self.case(&[Chain::Tbsi], Workload::Transfer, 1, &start)
                    .await?
            }
        };
        let saturation = case.targets[0].finalised_per_s.median;
        eprintln!(
            "offer {} times {saturation}/s for {} s",
            overload::FACTOR,
            plan.overload_s
        );
        overload::measure(&self.tbsi, saturation, plan.connections, plan.overload_s).await
    }

    /// Every workload, on every chain that has it.
    async fn cases(&mut self) -> anyhow::Result<Vec<Case>> {
        let plan = self.plan;
        let anvil = plan.anvil.as_deref();
        let mining = Mining::from_block_time(&plan.anvil_block_time);
        let mut chains = vec![Chain::Tbsi];
        chains.extend(anvil.map(|binary| Chain::Anvil(binary, mining)));
        let mut cases = Vec::new();
        let mut rates = vec![plan.start_rate; chains.len()];
        for (workload, batch) in case_list(plan) {
            if matches!(workload, Workload::Attest | Workload::AttestLarge) {
                // anvil has no such contract. A transaction here is many digests, so fewer come.
                let fewer = if workload == Workload::Attest { 8 } else { 100 };
                let rates = [(plan.start_rate / fewer).max(1)];
                cases.push(self.case(&chains[..1], workload, batch, &rates).await?);
                continue;
            }
            let case = self.case(&chains, workload, batch, &rates).await?;
            // The next case is likely to saturate near this one.
            rates = case
                .targets
                .iter()
                .map(|it| it.saturating_per_s / 2)
                .collect();
            cases.push(case);
        }
        Ok(cases)
    }

    async fn run(
        &mut self,
        chain: Chain<'_>,
        workload: Workload,
        batch: usize,
        schedule: Schedule,
    ) -> anyhow::Result<(Target, Run)> {
        self.runs += 1;
        let load = Load {
            workload,
            label: format!("TBSI benchmark run {}", self.runs),
            schedule,
            senders: self.plan.senders,
            connections: self.plan.connections,
            batch,
        };
        let (target, run) = match chain {
            Chain::Tbsi => {
                let run = run(&self.tbsi, &load).await;
                let finalised = run.as_ref().map_or(0, |run| run.figures.finalised);
                self.finalised += finalised;
                (self.tbsi.clone(), run)
            }
            Chain::Anvil(binary, mining) => {
                let files = tempfile::tempdir_in(self.dir).context("directory for anvil")?;
                let (_anvil, target) = start_anvil(binary, files.path(), mining).await?;
                let run = run(&target, &load).await;
                (target, run)
            }
        };
        let run = run.with_context(|| format!("run {} against {}", self.runs, target.name))?;
        eprintln!("{}", run.line(&target.name));
        Ok((target, run))
    }

    /// Latency of single transactions; anvil's is that of mining at once.
    async fn idle(&mut self) -> anyhow::Result<Vec<Idle>> {
        let anvil = self.plan.anvil.as_deref();
        let mut chains = vec![Chain::Tbsi];
        chains.extend(anvil.map(|binary| Chain::Anvil(binary, Mining::AtOnce)));
        let mut idle = Vec::new();
        for chain in chains {
            let schedule = Schedule::idle(self.plan.idle_samples, IDLE_SEED);
            let (target, run) = self.run(chain, Workload::Transfer, 1, schedule).await?;
            idle.push(Idle {
                target: target.name,
                version: target.version,
                run,
            });
        }
        Ok(idle)
    }

    /// Saturation rate, rate at saturation and latency at half of it, for every chain.
    async fn case(
        &mut self,
        chains: &[Chain<'_>],
        workload: Workload,
        batch: usize,
        start_rates: &[u64],
    ) -> anyhow::Result<Case> {
        let mut searches = Vec::new();
        for (chain, start_rate) in chains.iter().zip(start_rates) {
            let mut search = RateSearch::new(*start_rate);
            while let Some(rate) = search.next_rate() {
                let schedule = Schedule::steady(rate, batch, self.plan.duration());
                let (_, run) = self.run(*chain, workload, batch, schedule).await?;
                search.record(run.step());
            }
            searches.push(search);
        }
        let offered: Vec<u64> = searches.iter().map(saturating_rate).collect();
        let saturated = self.interleaved(chains, workload, batch, &offered).await?;
        let half: Vec<u64> = saturated.iter().map(|it| median_rate(&it.1) / 2).collect();
        let half_load = self.interleaved(chains, workload, batch, &half).await?;
        let runs = searches.iter().zip(saturated).zip(half_load);
        let figures = runs.map(|((search, (name, saturated)), (_, half_load))| {
            CaseTarget::new(name, search, saturated, half_load)
        });
        Ok(Case::new(workload, batch, figures.collect()))
    }

    /// Runs at one rate per chain, the chains taking turns; name and runs of each chain.
    async fn interleaved(
        &mut self,
        chains: &[Chain<'_>],
        workload: Workload,
        batch: usize,
        rates: &[u64],
    ) -> anyhow::Result<Vec<(String, Vec<Run>)>> {
        let mut runs = vec![(String::new(), Vec::new()); rates.len()];
        for _ in 0..self.plan.repeats {
            for ((chain, rate), runs) in chains.iter().zip(rates).zip(&mut runs) {
                let schedule = Schedule::steady((*rate).max(1), batch, self.plan.duration());
                let (target, run) = self.run(*chain, workload, batch, schedule).await?;
                runs.0 = target.name;
                runs.1.push(run);
            }
        }
        Ok(runs)
    }

    /// Data of all validators on disk.
    fn disk_bytes(&self) -> anyhow::Result<u64> {
        (0..self.plan.validators)
            .map(|node| disk_bytes(&tbsi_home::Home::new(self.network.home(node)).data_dir()))
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
