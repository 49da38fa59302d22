//! The figures, as JSON and for people.

use std::fmt::Write as _;

use serde::Serialize;

use super::decades::{Decades, VALIDATORS};
use super::environment::Environment;
use super::load::Run;
use super::mapping::Mapping;
use super::options::Plan;
use super::overload::Overload;
use super::proving::{Proving, Sizes};
use super::reads::Reads;
use super::relaying::Relaying;
use super::restart::Restart;
use super::search::{RateSearch, Step};
use super::statistics::{Distribution, Spread, ratio};
use super::table::{ms, optional, row, spread_ms};
use super::warroom::WarroomFigures;
use super::workload::Workload;
use crate::bridge::gas::{LEAVES, MANY};

/// Cores that other processes may keep busy in a run whose rate is to mean something.
pub const OTHER_CORES_MAX: f64 = 0.2;

/// Everything that was measured. Times are microseconds, rates transactions per second.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// On what.
    pub environment: Environment,
    /// How.
    pub plan: Plan,
    /// Single transactions to an idle chain.
    pub idle: Vec<Idle>,
    /// Under load.
    pub cases: Vec<Case>,
    /// Growth of a validator's data per finalised transaction, bytes: all cases together, as
    /// compacted as it happens to be. `None` if the data shrank, or nothing was finalised.
    pub disk_bytes_per_tx: Option<u64>,
    /// Twice what saturates the chain.
    pub overload: Option<Overload>,
    /// The log as it grows, and proofs of it.
    pub proving: Option<Proving>,
    /// The map as it grows.
    pub mapping: Option<Mapping>,
    /// After SIGKILL.
    pub restart: Option<Restart>,
    /// To another chain.
    pub relaying: Option<Relaying>,
    /// After many changes of the validator set.
    pub decades: Vec<Decades>,
    /// By JSON-RPC, beside other chains.
    pub reads: Option<Reads>,
    /// A third party's index and answers.
    pub warroom: Option<WarroomFigures>,
    /// How long all of it took.
    pub elapsed_s: u64,
}

/// Latency of single transactions.
#[derive(Clone, Debug, Serialize)]
pub struct Idle {
    /// The chain.
    pub target: String,
    /// What it says it is.
    pub version: String,
    /// The run.
    pub run: Run,
}

/// One workload, on every chain.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// What the transactions did.
    pub workload: Workload,
    /// Transactions per HTTP request.
    pub batch: usize,
    /// By chain.
    pub targets: Vec<CaseTarget>,
    /// Median finalised rate of TBSI over that of anvil.
    pub ratio_to_anvil: Option<f64>,
    /// CPU time per transaction of anvil over that of all validators, medians of the saturated
    /// runs: what the ratio of rates tends to if CPU binds, and hardly changed by neighbours.
    pub cpu_ratio_to_anvil: Option<f64>,
    /// Whether other processes kept more than [`OTHER_CORES_MAX`] cores busy in a saturated
    /// run. Four processes then get a larger share of the machine than one, which flatters the
    /// ratio of rates, and all rates are too low.
    pub contended: bool,
}

/// One workload on one chain.
#[derive(Clone, Debug, Serialize)]
pub struct CaseTarget {
    /// The chain.
    pub target: String,
    /// Rates tried.
    pub search: Vec<Step>,
    /// Highest finalised rate at which the chain kept up.
    pub sustained_per_s: u64,
    /// Offered rate of the saturated runs.
    pub saturating_per_s: u64,
    /// Finalised rate of the saturated runs.
    pub finalised_per_s: Spread,
    /// How many of the saturated runs kept up after all: then the chain can do more than
    /// `finalised_per_s` says.
    pub saturated_kept_up: usize,
    /// Median latency of the runs at half of that.
    pub half_load_p50_us: Option<Spread>,
    /// 99th percentile of the latency of the runs at half of that.
    pub half_load_p99_us: Option<Spread>,
    /// Runs at `saturating_per_s`.
    pub saturated: Vec<Run>,
    /// Runs at half of the median of `finalised_per_s`.
    pub half_load: Vec<Run>,
}

impl Case {
    /// Compares chains on one workload; TBSI comes first, then anvil if it took part.
    pub fn new(workload: Workload, batch: usize, targets: Vec<CaseTarget>) -> Self {
        let (mut rates, mut cpu) = (None, None);
        if let [tbsi, anvil, ..] = &targets[..] {
            rates = ratio(tbsi.finalised_per_s.median, anvil.finalised_per_s.median);
            let both = anvil.saturated_cpu_us().zip(tbsi.saturated_cpu_us());
            cpu = both.and_then(|(anvil, tbsi)| ratio(anvil, tbsi));
        }
        let saturated = targets.iter().flat_map(|target| &target.saturated);
        let contended = saturated
            .filter_map(|run| run.other_cores)
            .any(|cores| cores > OTHER_CORES_MAX);
        Self {
            workload,
            batch,
            targets,
            ratio_to_anvil: rates,
            cpu_ratio_to_anvil: cpu,
            contended,
        }
    }
}

impl CaseTarget {
    /// Median CPU time per transaction of the saturated runs.
    fn saturated_cpu_us(&self) -> Option<u64> {
        let runs = self.saturated.iter();
        Some(Spread::of(runs.filter_map(|run| run.nodes_cpu_us_per_tx))?.median)
    }

    /// Summarises runs, of which there is at least one each.
    pub fn new(
        target: String,
        search: &RateSearch,
        saturated: Vec<Run>,
        half_load: Vec<Run>,
    ) -> Self {
        let rates = saturated.iter().map(|run| run.figures.finalised_per_s);
        let kept_up = saturated.iter().filter(|run| run.step().sustained());
        let kept_up = kept_up.count();
        let latencies = || half_load.iter().filter_map(|run| run.figures.latency);
        Self {
            target,
            search: search.steps().to_vec(),
            sustained_per_s: search.sustained(),
            saturating_per_s: saturated.first().map_or(0, |run| run.offered_per_s),
            finalised_per_s: Spread::of(rates).expect("at least one run"),
            saturated_kept_up: kept_up,
            half_load_p50_us: Spread::of(latencies().map(|latency| latency.p50_us)),
            half_load_p99_us: Spread::of(latencies().map(|latency| latency.p99_us)),
            saturated,
            half_load,
        }
    }
}

impl Run {
    /// What a search needs of the run.
    pub fn step(&self) -> Step {
        Step {
            offered: self.offered_per_s,
            finalised: self.figures.finalised_per_s,
            p99_us: self.figures.latency.map(|latency| latency.p99_us),
        }
    }

    /// The run in one line.
    pub fn line(&self, target: &str) -> String {
        let latency = self.figures.latency;
        let latency = latency.map(|it| format!("{} / {}", ms(it.p50_us), ms(it.p99_us)));
        let interval = self.figures.block_interval.map(|it| ms(it.p50_us));
        let sent = &self.sent;
        let mut line = format!(
            "{target}: {:?} x{}, offered {}/s, finalised {}/s, p50 / p99 {} ms, interval {} ms, \
             CPU per tx {} us, cores {} + generator {} + others {}",
            self.workload,
            self.batch,
            self.offered_per_s,
            self.figures.finalised_per_s,
            optional(latency),
            optional(interval),
            optional(self.nodes_cpu_us_per_tx),
            optional(self.nodes_cores),
            optional(self.generator_cores),
            optional(self.other_cores),
        );
        for (what, count) in [
            ("refused", sent.refusals()),
            ("withheld", sent.withheld),
            ("unsent", sent.unsent),
            ("accepted but not seen in a block", sent.not_seen),
        ] {
            if count > 0 {
                write!(line, ", {count} {what}").expect("a String takes all");
            }
        }
        for (message, count) in &sent.refused {
            write!(line, "\n    refused {count}: {message}").expect("a String takes all");
        }
        line
    }
}

impl Report {
    /// Nothing measured yet.
    pub fn new(environment: Environment, plan: &Plan) -> Self {
        Self {
            environment,
            plan: plan.clone(),
            idle: Vec::new(),
            cases: Vec::new(),
            disk_bytes_per_tx: None,
            overload: None,
            proving: None,
            mapping: None,
            restart: None,
            relaying: None,
            decades: Vec::new(),
            reads: None,
            warroom: None,
            elapsed_s: 0,
        }
    }

    /// The figures that matter, for a terminal.
    pub fn table(&self) -> String {
        let mut lines = vec![
            format!(
                "{} cores {}, Linux {}, {}, commit {}, {} s",
                self.environment.cores,
                self.environment.cpu_model,
                self.environment.kernel,
                self.environment.file_system,
                self.environment.commit,
                self.elapsed_s
            ),
            "times in ms; median [min..max] of runs; rates in transactions per second".into(),
        ];
        if self.environment.file_system == "tmpfs" {
            lines.push("WARNING: the data was on tmpfs, where fsync costs nothing".into());
        }
        for idle in &self.idle {
            let latency = idle.run.figures.latency;
            lines.push(row(&[
                "idle, submit to final",
                &idle.target,
                &format!("p50 {}", optional(latency.map(|it| ms(it.p50_us)))),
                &format!("p99 {}", optional(latency.map(|it| ms(it.p99_us)))),
            ]));
        }
        for case in &self.cases {
            case.lines(&mut lines);
        }
        if !self.cases.is_empty() {
            let disk = optional(self.disk_bytes_per_tx);
            lines.push(row(&["disk bytes per tx and validator", "", &disk, ""]));
        }
        if let Some(overload) = &self.overload {
            overload.lines(&mut lines);
        }
        if let Some(proving) = &self.proving {
            proving.lines(&mut lines);
        }
        if let Some(mapping) = &self.mapping {
            mapping.lines(&mut lines);
        }
        if let Some(restart) = &self.restart {
            restart.lines(&mut lines);
        }
        if let Some(relaying) = &self.relaying {
            relaying.lines(&mut lines);
        }
        if let Some(reads) = &self.reads {
            reads.lines(&mut lines);
        }
        self.decades_lines(&mut lines);
        if let Some(warroom) = &self.warroom {
            warroom.lines(&mut lines);
        }
        lines.join("\n")
    }

    fn decades_lines(&self, lines: &mut Vec<String>) {
        if !self.decades.is_empty() {
            lines.push(format!(
                "following changes of a set of {VALIDATORS} validators, one core"
            ));
        }
        for history in &self.decades {
            lines.push(row(&[
                &format!("  {} changes", history.handovers),
                &format!("{} ms", history.follow_ms),
                &format!("file {} kB", history.file_bytes / 1_000),
                &format!("memory +{} KiB", history.grown_kib),
            ]));
            lines.push(row(&[
                "    a proof after them",
                "",
                &format!("{} bytes", history.proof_bytes),
                &format!("verify {} us", history.verify_us),
            ]));
        }
    }
}

impl WarroomFigures {
    fn lines(&self, lines: &mut Vec<String>) {
        let rate = self.leaves * 1_000 / self.catch_up_ms.max(1);
        lines.push(format!(
            "war room on a made-up log of {} leaves, from files",
            self.leaves
        ));
        lines.push(row(&[
            "  catching up, verified",
            "",
            &format!("{rate} leaves/s"),
            &format!("index {} MB", self.index_bytes / 1_000_000),
        ]));
        for (name, figures) in &self.queries {
            lines.push(row(&[
                &format!("  {name}"),
                "",
                &format!("p50 {}", ms(figures.p50_us)),
                &format!("p99 {}", ms(figures.p99_us)),
            ]));
        }
    }
}

impl Relaying {
    fn lines(&self, lines: &mut Vec<String>) {
        lines.push(format!(
            "light client on anvil, gas; log of {LEAVES} leaves, {MANY} neighbours in a multiproof"
        ));
        for gas in &self.gas {
            let title = format!("  {} validators", gas.validators);
            let checkpoint = format!("checkpoint {}", gas.checkpoint);
            let handover = format!("handover {}", gas.handover);
            lines.push(row(&[&title, "", &checkpoint, &handover]));
            let proofs = format!("one proof {}, then {}", gas.first_proof, gas.next_proof);
            let many = format!("multiproof {}", gas.many_proofs);
            lines.push(row(&["", "", &proofs, &many]));
        }
        lines.push("relayer, to an anvil with blocks of 1 s".into());
        let latency = self.latency_us.as_ref();
        let p50 = format!("p50 {}", optional(latency.map(|it| ms(it.p50_us))));
        let p99 = format!("p99 {}", optional(latency.map(|it| ms(it.p99_us))));
        lines.push(row(&["  finality to inclusion", "", &p50, &p99]));
        let took = format!(
            "{}.{} s",
            self.caught_up_ms / 1_000,
            self.caught_up_ms % 1_000 / 100
        );
        let title = format!("  backlog of {} attestations", self.backlog);
        let each = format!("gas each {}", self.gas_each);
        lines.push(row(&[&title, "", &took, &each]));
        let journal = self.journal_bytes_each.to_string();
        lines.push(row(&["  journal bytes each", "", &journal, ""]));
    }
}

impl Proving {
    fn lines(&self, lines: &mut Vec<String>) {
        let (first, last) = (self.chunks_per_s.first(), self.chunks_per_s.last());
        lines.push(format!("log of {} leaves", self.leaves));
        let rate = |it: Option<&u64>| optional(it.copied());
        let median = Spread::of(self.chunks_per_s.iter().copied()).map(|it| it.median);
        let median = format!("median {}", optional(median));
        let rates = format!("first 100,000: {}", rate(first));
        let last = format!("last 100,000: {}", rate(last));
        lines.push(row(&[
            "  digests per s, closed loop",
            &median,
            &rates,
            &last,
        ]));
        let first = format!("at 100,000: {}", self.disk_first_bytes);
        let all = format!("at the end: {}", self.disk_all_bytes);
        lines.push(row(&["  disk bytes per leaf", "", &first, &all]));
        let per_core = format!("per core {}", self.proofs_per_core);
        let served = self.proofs_per_s.to_string();
        lines.push(row(&["  proofs per s of one node", "", &served, &per_core]));
        let Sizes { median, max } = self.compact_bytes;
        let bytes = format!("compact {median}, at most {max}");
        let json = format!("JSON {}", self.json_bytes.median);
        lines.push(row(&["  bytes of a proof", "", &bytes, &json]));
        let verify = self.verify_us.as_ref();
        let p50 = format!("p50 {} us", optional(verify.map(|it| it.p50_us)));
        let p99 = format!("p99 {} us", optional(verify.map(|it| it.p99_us)));
        lines.push(row(&["  verify from genesis", "", &p50, &p99]));
    }
}

impl Mapping {
    #[expect(clippy::float_arithmetic, reason = "figures for people")]
    fn lines(&self, lines: &mut Vec<String>) {
        lines.push(format!("map of {} entries", self.entries));
        let waited = format!("{} digests", self.waiting);
        let caught_up = format!("{} ms", self.caught_up_ms);
        let cpu = format!("CPU {} us each", optional(self.cpu_us_per_digest));
        lines.push(row(&[
            "  behind when the load ended",
            &waited,
            &caught_up,
            &cpu,
        ]));
        if let Some(share) = &self.share {
            let with = share.without_us + share.map_us;
            let percent = 100.0 * share.map_us / share.without_us;
            lines.push(row(&[
                "  CPU of a node for a digest, us",
                &format!("{:.2} without", share.without_us),
                &format!("{with:.2} with"),
                &format!("+{percent:.1} %"),
            ]));
        } else {
            lines.push(row(&[
                "  CPU of a node for a digest, us",
                "",
                "not measured: none waited",
                "",
            ]));
        }
        let bytes = |sizes: &Sizes| format!("{} bytes, at most {}", sizes.median, sizes.max);
        let verify =
            |it: Option<&Distribution>| format!("verify {} us", optional(it.map(|it| it.p50_us)));
        let status = verify(self.status_verify_us.as_ref());
        lines.push(row(&[
            "  a status adds",
            "",
            &bytes(&self.status_bytes),
            "",
        ]));
        lines.push(row(&[
            "  a proof with its status",
            "",
            &bytes(&self.with_status_bytes),
            &status,
        ]));
        let absence = verify(self.absence_verify_us.as_ref());
        lines.push(row(&[
            "  a proof of absence",
            "",
            &bytes(&self.absence_bytes),
            &absence,
        ]));
    }
}

impl Case {
    fn lines(&self, lines: &mut Vec<String>) {
        let workload = match self.workload {
            Workload::Transfer => "transfers",
            Workload::StorageWrite => "storage writes",
            Workload::Attest => "attestations, transactions of 1,000 digests",
            Workload::AttestLarge => "attestations, transactions of 10,000 digests",
        };
        let batch = if self.batch > 1 {
            format!(", batches of {}", self.batch)
        } else {
            String::new()
        };
        lines.push(format!("{workload}{batch}"));
        for target in &self.targets {
            target.lines(lines);
        }
        lines.push(row(&[
            "  rate of TBSI / anvil",
            "",
            &optional(self.ratio_to_anvil),
            "",
        ]));
        let cpu = optional(self.cpu_ratio_to_anvil);
        lines.push(row(&["  CPU per tx, anvil / TBSI", "", &cpu, ""]));
        if self.contended {
            lines.push(format!(
                "  WARNING: other processes used more than {OTHER_CORES_MAX} cores: rates are too \
                 low, and their ratio is not to be quoted"
            ));
        }
    }
}

impl CaseTarget {
    fn lines(&self, lines: &mut Vec<String>) {
        let rate = &self.finalised_per_s;
        let rate_runs = rate.runs.len();
        let rate = format!("{} [{}..{}]", rate.median, rate.min, rate.max);
        let sustained = format!("kept up at {}", self.sustained_per_s);
        lines.push(row(&["  finalised per s", &self.target, &rate, &sustained]));
        if self.saturated_kept_up > 0 {
            let note = format!("{} of {} runs kept up", self.saturated_kept_up, rate_runs);
            lines.push(row(&[
                "  at least that: not saturated",
                &self.target,
                &note,
                "",
            ]));
        }
        let p50 = format!("p50 {}", spread_ms(self.half_load_p50_us.as_ref()));
        let p99 = format!("p99 {}", spread_ms(self.half_load_p99_us.as_ref()));
        lines.push(row(&[
            "  half load, submit to final",
            &self.target,
            &p50,
            &p99,
        ]));
        for (what, runs) in [
            ("half load", &self.half_load),
            ("saturated", &self.saturated),
        ] {
            let intervals = |per: fn(&super::statistics::Distribution) -> u64| {
                let runs = runs.iter().filter_map(|run| run.figures.block_interval);
                Spread::of(runs.map(|interval| per(&interval)))
            };
            let p50 = format!("p50 {}", spread_ms(intervals(|it| it.p50_us).as_ref()));
            let p99 = format!("p99 {}", spread_ms(intervals(|it| it.p99_us).as_ref()));
            let title = format!("  {what}, block interval");
            lines.push(row(&[&title, &self.target, &p50, &p99]));
            let cpu = Spread::of(runs.iter().filter_map(|run| run.nodes_cpu_us_per_tx));
            let own = Spread::of(runs.iter().filter_map(|run| run.generator_cpu_us_per_tx));
            let cpu = format!("nodes {}", optional(cpu.map(|it| it.median)));
            let own = format!("generator {}", optional(own.map(|it| it.median)));
            let title = format!("  {what}, CPU us per tx");
            lines.push(row(&[&title, &self.target, &cpu, &own]));
            let busy = |cores: fn(&Run) -> Option<f64>| {
                let cores: Vec<String> = runs
                    .iter()
                    .filter_map(cores)
                    .map(|it| it.to_string())
                    .collect();
                cores.join(" ")
            };
            let nodes = format!("nodes {}", busy(|run| run.nodes_cores));
            let others = format!("others {}", busy(|run| run.other_cores));
            let title = format!("  {what}, busy cores by run");
            lines.push(row(&[&title, &self.target, &nodes, &others]));
        }
        let runs = || self.saturated.iter().chain(&self.half_load);
        let rss = runs().flat_map(|run| &run.peak_rss_kib).max();
        let rss = optional(rss.map(|kib| kib / 1_024));
        lines.push(row(&["  peak RSS of a node, MiB", &self.target, &rss, ""]));
        let not_seen: u64 = runs().map(|run| run.sent.not_seen).sum();
        if not_seen > 0 {
            lines.push(row(&[
                "  accepted but not seen in a block",
                &self.target,
                &not_seen.to_string(),
                "",
            ]));
        }
    }
}

impl Restart {
    fn lines(&self, lines: &mut Vec<String>) {
        lines.push(format!("restart after SIGKILL at height {}", self.height));
        let missed = format!("after {} missed blocks", self.one_blocks_missed.median);
        for (what, spread, note) in [
            (
                "  one: to its first vote",
                &self.one_first_vote_us,
                missed.as_str(),
            ),
            ("  all: to the last first vote", &self.all_last_vote_us, ""),
            (
                "  all: to the first new block",
                &self.all_first_block_us,
                "",
            ),
        ] {
            lines.push(row(&[what, "", &spread_ms(Some(spread)), note]));
        }
    }
}
