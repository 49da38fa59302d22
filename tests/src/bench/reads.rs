//! Reads by JSON-RPC: one node of one validator, beside anvil and geth with the same state, asked
//! by the same clients in turn.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use serde::Serialize;
use serde_json::Value;
use tbsi_testnet::Network;

use super::asking::{Asked, Script, ask};
use super::geth::{self, Geth};
use super::http::replies;
use super::options::{Plan, beside_this_program};
use super::questions::{QUESTIONS, Question};
use super::report::OTHER_CORES_MAX;
use super::statistics::{Spread, ratio};
use super::stock::{self, Habits, Stock};
use super::table::{optional, row, spread_ms};
use super::target::{Anvil, Keeps, Mining, Target, start_anvil, start_tbsi};

/// Bid for a unit of gas on a chain that wants one, wei: far above what geth begins with.
const BID: u128 = 100_000_000_000;

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Reads {
    /// Clients that ask at the same time.
    pub connections: usize,
    /// What each chain says it is.
    pub versions: Vec<(String, String)>,
    /// By question.
    pub rows: Vec<ReadRow>,
}

/// One question, on every chain.
#[derive(Clone, Debug, Serialize)]
pub struct ReadRow {
    /// What was asked.
    pub question: Question,
    /// By chain; TBSI first.
    pub targets: Vec<ReadTarget>,
    /// Median rate of TBSI over that of each other chain.
    pub ratios: Vec<(String, Option<f64>)>,
    /// Whether other processes kept more than [`OTHER_CORES_MAX`] cores busy in a run.
    pub contended: bool,
}

/// One question on one chain.
#[derive(Clone, Debug, Serialize)]
pub struct ReadTarget {
    /// The chain.
    pub target: String,
    /// Why it does not answer, if it does not.
    pub refused: Option<String>,
    /// Bytes of the first answer.
    pub answer_bytes: usize,
    /// Answers a second.
    pub per_s: Option<Spread>,
    /// Median time to an answer.
    pub p50_us: Option<Spread>,
    /// 99th percentile of that time.
    pub p99_us: Option<Spread>,
    /// CPU time of the node for an answer, microseconds.
    pub node_cpu_us: Option<Spread>,
    /// The runs.
    pub runs: Vec<Asked>,
}

/// The chains; they end when this is dropped.
struct Chains {
    network: Network,
    _anvil: Option<Anvil>,
    _geth: Option<Geth>,
    /// Each with what is on it.
    all: Vec<(Target, Stock)>,
}

/// Measures every question on every chain. Files go below `dir`.
pub async fn measure(plan: &Plan, dir: &Path) -> anyhow::Result<Reads> {
    let mut chains = Chains::start(plan, dir).await?;
    let mut rows = Vec::new();
    for question in QUESTIONS {
        rows.push(chains.row(plan, question).await?);
    }
    let versions = chains.all.iter();
    let versions = versions.map(|(target, _)| (target.name.clone(), target.version.clone()));
    let versions = versions.collect();
    chains
        .network
        .stop_all()
        .await
        .context("stop the network")?;
    Ok(Reads {
        connections: plan.read_connections,
        versions,
        rows,
    })
}

impl Chains {
    async fn start(plan: &Plan, dir: &Path) -> anyhow::Result<Self> {
        let geth_program = geth_program(plan)?;
        // What is traced at the end was made hundreds of blocks before.
        let home = dir.join("reads");
        let (network, mut tbsi) = start_tbsi(1, &plan.tbsi, &home, Keeps::All).await?;
        tbsi.name = "tbsi (1 validator)".into();
        let mut all = vec![(stocked(&tbsi, 0, false).await?, tbsi)];
        let mut anvil = None;
        if let Some(binary) = &plan.anvil {
            let files = dir.join("reads-anvil");
            let (process, mut target) = start_anvil(binary, &files, Mining::AtOnce).await?;
            target.name = "anvil".into();
            anvil = Some(process);
            all.push((stocked(&target, 0, true).await?, target));
        }
        let mut geth = None;
        if let Some(program) = geth_program {
            let process = Geth::start(&program, &dir.join("reads-geth")).await?;
            let target = Target {
                name: "geth --dev".into(),
                chain_id: process.chain_id,
                endpoints: vec![process.endpoint],
                pids: vec![process.pid()],
                contract: tbsi_types::Address::ZERO,
                version: process.version.clone(),
            };
            geth = Some(process);
            all.push((stocked(&target, BID, false).await?, target));
        }
        Ok(Self {
            network,
            _anvil: anvil,
            _geth: geth,
            all: all
                .into_iter()
                .map(|(stock, target)| (target, stock))
                .collect(),
        })
    }

    async fn row(&mut self, plan: &Plan, question: Question) -> anyhow::Result<ReadRow> {
        let mut gists: Vec<String> = Vec::new();
        let mut learned = Vec::new();
        for (target, stock) in &self.all {
            let (script, target, gist) = learn(question, target, stock).await?;
            gists.extend(gist);
            learned.push((script, target));
        }
        ensure!(
            gists.windows(2).all(|pair| pair[0] == pair[1]),
            "{}: chains of the same state answer {gists:?}",
            question.title()
        );
        for _ in 0..plan.repeats {
            for ((target, _), (script, read)) in self.all.iter().zip(&mut learned) {
                let Some(script) = script else { continue };
                let node = (target.endpoints[0], target.pids[0]);
                let asked = ask(node, script, plan.read_connections, plan.read_duration());
                let asked = asked
                    .await
                    .with_context(|| format!("ask {} for {}", target.name, question.title()))?;
                eprintln!("{}", line(question, target, &asked));
                read.runs.push(asked);
            }
        }
        let targets = learned.into_iter().map(|(_, read)| read.summed_up());
        Ok(ReadRow::new(question, targets.collect()))
    }
}

/// The program that was named, or the one that Go builds; `None` if geth is left out.
fn geth_program(plan: &Plan) -> anyhow::Result<Option<PathBuf>> {
    if plan.skip_geth {
        return Ok(None);
    }
    if let Some(program) = &plan.geth {
        return Ok(Some(program.clone()));
    }
    eprintln!("build geth");
    geth::build(&plan.package, &beside_this_program("")?).map(Some)
}

async fn stocked(target: &Target, bid: u128, mines_when_asked: bool) -> anyhow::Result<Stock> {
    eprintln!("make what is read on {}", target.name);
    let habits = Habits {
        chain_id: target.chain_id,
        bid,
        mines_when_asked,
    };
    let built = stock::build(target.endpoints[0], habits).await;
    built.with_context(|| format!("make what is read on {}", target.name))
}

/// What to ask a chain, and what its first answer says; no script if it does not answer.
async fn learn(
    question: Question,
    target: &Target,
    stock: &Stock,
) -> anyhow::Result<(Option<Script>, ReadTarget, Option<String>)> {
    let mut read = ReadTarget::of(target.name.clone());
    let learned = Script::learn(target.endpoints[0], question.bodies(stock)).await;
    let (script, answer) = match learned {
        Ok(learned) => learned,
        Err(error) => {
            let title = question.title();
            ensure!(!target.name.starts_with("tbsi"), "{title}: {error:#}");
            eprintln!("{} does not answer {title}: {error:#}", target.name);
            read.refused = Some(format!("{error:#}"));
            return Ok((None, read, None));
        }
    };
    let (_, outcome) = replies::<Value>(&answer)?.pop().context("an answer")?;
    let result = outcome.map_err(|message| anyhow!("{message}"))?;
    let Some(gist) = question.gist(&result) else {
        let start: String = result.to_string().chars().take(200).collect();
        let title = question.title();
        ensure!(!target.name.starts_with("tbsi"), "{title}: {start}");
        eprintln!("{} answers {title} otherwise: {start}", target.name);
        read.refused = Some(format!("answers otherwise: {start}"));
        return Ok((None, read, None));
    };
    read.answer_bytes = answer.len();
    Ok((Some(script), read, Some(gist)))
}

fn line(question: Question, target: &Target, asked: &Asked) -> String {
    let p99 = asked.latency.map(|latency| latency.p99_us);
    format!(
        "{}: {} {}/s, p99 {} us, CPU {} us, others {} cores",
        target.name,
        question.title(),
        asked.per_s,
        optional(p99),
        optional(asked.node_cpu_us),
        optional(asked.other_cores)
    )
}

impl ReadTarget {
    fn of(target: String) -> Self {
        Self {
            target,
            refused: None,
            answer_bytes: 0,
            per_s: None,
            p50_us: None,
            p99_us: None,
            node_cpu_us: None,
            runs: Vec::new(),
        }
    }

    /// With what its runs say together.
    fn summed_up(mut self) -> Self {
        let runs = || self.runs.iter();
        let latency = || runs().filter_map(|run| run.latency);
        self.per_s = Spread::of(runs().map(|run| run.per_s));
        self.node_cpu_us = Spread::of(runs().filter_map(|run| run.node_cpu_us));
        self.p50_us = Spread::of(latency().map(|it| it.p50_us));
        self.p99_us = Spread::of(latency().map(|it| it.p99_us));
        self
    }

    fn median(&self) -> Option<u64> {
        Some(self.per_s.as_ref()?.median)
    }
}

impl ReadRow {
    /// Compares chains; TBSI comes first.
    fn new(question: Question, targets: Vec<ReadTarget>) -> Self {
        let own = targets.first().and_then(ReadTarget::median);
        let others = targets.iter().skip(1);
        let ratios = others.map(|other| {
            let both = own.zip(other.median());
            let quotient = both.and_then(|(own, other)| ratio(own, other));
            (other.target.clone(), quotient)
        });
        let runs = targets.iter().flat_map(|target| &target.runs);
        let contended = runs
            .filter_map(|run| run.other_cores)
            .any(|cores| cores > OTHER_CORES_MAX);
        Self {
            question,
            ratios: ratios.collect(),
            targets,
            contended,
        }
    }

    fn lines(&self, lines: &mut Vec<String>) {
        let title = format!("  {}", self.question.title());
        for target in &self.targets {
            let Some(rate) = &target.per_s else {
                let why: String = target
                    .refused
                    .iter()
                    .flat_map(|it| it.chars())
                    .take(60)
                    .collect();
                lines.push(row(&[&title, &target.target, "does not answer:", &why]));
                continue;
            };
            let rate = format!("{} [{}..{}]", rate.median, rate.min, rate.max);
            let cpu = target.node_cpu_us.as_ref().map(|it| it.median);
            let rest = format!(
                "p50 {} p99 {}, CPU {} us, {} bytes",
                spread_ms(target.p50_us.as_ref()),
                spread_ms(target.p99_us.as_ref()),
                optional(cpu),
                target.answer_bytes
            );
            lines.push(row(&[&title, &target.target, &rate, &rest]));
        }
        for (other, quotient) in &self.ratios {
            let title = format!("    TBSI / {other}");
            lines.push(row(&[&title, "", &optional(*quotient), ""]));
        }
        if self.contended {
            lines.push(format!(
                "    WARNING: other processes used more than {OTHER_CORES_MAX} cores"
            ));
        }
    }
}

impl Reads {
    pub(super) fn lines(&self, lines: &mut Vec<String>) {
        lines.push(format!(
            "reads by JSON-RPC, {} clients that ask again once they are answered; answers per s",
            self.connections
        ));
        for (target, version) in &self.versions {
            lines.push(row(&["  asked", target, version, ""]));
        }
        for row in &self.rows {
            row.lines(lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::statistics::Distribution;

    fn target(name: &str, rates: &[u64], other_cores: f64) -> ReadTarget {
        let mut target = ReadTarget::of(name.into());
        target.runs = rates
            .iter()
            .map(|per_s| Asked {
                answers: *per_s,
                per_s: *per_s,
                latency: Distribution::of(vec![1_000, 2_000]),
                node_cpu_us: Some(50),
                other_cores: Some(other_cores),
            })
            .collect();
        target.summed_up()
    }

    #[test]
    fn a_row_has_every_chain_and_what_tbsi_is_to_it() {
        let mut silent = target("geth", &[], 0.0);
        silent.refused = Some("the method does not exist".into());
        let targets = vec![
            target("tbsi", &[30, 10, 20], 0.0),
            target("anvil", &[8], 0.0),
            silent,
        ];
        let row = ReadRow::new(Question::Proof, targets);
        assert_eq!(
            row.ratios,
            [("anvil".into(), Some(2.5)), ("geth".into(), None)]
        );
        assert!(!row.contended);
        let mut lines = Vec::new();
        row.lines(&mut lines);
        let text = lines.join("\n");
        for words in ["20 [10..30]", "p99 2.0", "does not answer: the method"] {
            let words: Vec<&str> = words.split(' ').collect();
            assert!(words.iter().all(|word| text.contains(word)), "{text}");
        }
    }

    #[test]
    fn neighbours_are_told() {
        let row = ReadRow::new(Question::Logs, vec![target("tbsi", &[1], 0.5)]);
        let mut lines = Vec::new();
        row.lines(&mut lines);
        assert!(lines.last().unwrap().contains("WARNING"), "{lines:?}");
    }
}
