//! What `deploy/` gives to Prometheus and Grafana, and the pages that alerts lead to.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const ALERTS: &str = "../../deploy/prometheus/alerts.yml";
const ALERT_TESTS: &str = "../../deploy/prometheus/alerts.test.yml";
const RUNBOOKS: &str = "../../docs/runbooks";
const DASHBOARDS: [&str; 2] = [
    "../../deploy/grafana/network.json",
    "../../deploy/grafana/node.json",
];

/// Where the names of metrics are registered.
const METRICS: [&str; 5] = [
    "../daemon/src/metrics.rs",
    "../daemon/src/metrics/network.rs",
    "../daemon/src/metrics/process.rs",
    "../daemon/src/metrics/upgrade.rs",
    "../../consensus/keys/src/signer/metrics.rs",
];

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// Name, expression and page of each alert.
fn alerts() -> Vec<(String, String, String)> {
    let text = read(ALERTS);
    let mut alerts = Vec::new();
    for rule in text.split("- alert: ").skip(1) {
        let field = |name: &str| {
            let line = rule.lines().find_map(|line| line.trim().strip_prefix(name));
            line.unwrap_or_else(|| panic!("{name} in {rule}"))
                .trim()
                .to_owned()
        };
        let name = rule.lines().next().unwrap().to_owned();
        for field in ["severity:", "summary:", "summary_zh_tw:", "for:"] {
            assert!(rule.contains(field), "{name} lacks {field}");
        }
        alerts.push((name, field("expr:"), field("runbook:")));
    }
    assert!(alerts.len() > 20, "{} alerts", alerts.len());
    alerts
}

/// Every expression of a dashboard.
fn panels(path: &str) -> Vec<String> {
    let board: Value = serde_json::from_str(&read(path)).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| {
        assert!(
            panel["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty())
        );
        panel["targets"].as_array().unwrap()
    });
    let found = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    let found: Vec<_> = found.collect();
    assert!(found.len() >= panels.len(), "{path}");
    found
}

/// The metrics that an expression names.
fn metrics(expression: &str) -> BTreeSet<String> {
    let part = |letter: char| !(letter.is_ascii_alphanumeric() || letter == '_');
    let words = expression.split(part);
    let found = words.filter(|word| word.starts_with("tbsi_"));
    found.map(str::to_owned).collect()
}

/// As it is registered: without prefix and what Prometheus appends.
fn is_registered(metric: &str, sources: &str) -> bool {
    let own = metric.strip_prefix("tbsi_").unwrap();
    let own = own.strip_prefix("signer_").unwrap_or(own);
    let stems = ["", "_total", "_seconds_bucket", "_bucket"];
    stems.iter().any(|end| {
        let stem = own.strip_suffix(end);
        stem.is_some_and(|stem| sources.contains(&format!("\"{stem}\"")))
    })
}

#[test]
fn every_metric_that_is_looked_at_is_shown_by_a_node() {
    let sources: String = METRICS.map(read).concat();
    let expressions = alerts().into_iter().map(|(_, expression, _)| expression);
    let panels = DASHBOARDS.into_iter().flat_map(panels);
    let mut seen = 0;
    for expression in expressions.chain(panels) {
        for metric in metrics(&expression) {
            assert!(is_registered(&metric, &sources), "{metric} of {expression}");
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
    assert!(!is_registered("tbsi_nothing_total", &sources));
}

#[test]
fn every_alert_has_its_page_in_both_languages_and_is_tested() {
    let tests = read(ALERT_TESTS);
    let mut pages = BTreeSet::new();
    for (name, _, page) in alerts() {
        for end in [" is heard\n", " is silent\n"] {
            assert!(
                tests.contains(&format!("- name: {name}{end}")),
                "{name}{end}"
            );
        }
        let page = page.strip_prefix("docs/runbooks/").unwrap();
        let stem = page.strip_suffix(".md").unwrap().to_owned();
        for (end, index) in [(".md", "README.md"), (".zh-TW.md", "README.zh-TW.md")] {
            let file = Path::new(RUNBOOKS).join(format!("{stem}{end}"));
            assert!(read(&file).contains(&format!("`{name}`")), "{name}");
            let row = format!("[{name}]({stem}{end})");
            assert!(
                read(Path::new(RUNBOOKS).join(index)).contains(&row),
                "{row}"
            );
        }
        pages.insert(stem);
    }
    for entry in fs::read_dir(RUNBOOKS).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.split('.').next().unwrap();
        assert!(
            stem == "README" || pages.contains(stem),
            "{name}: no alert leads there"
        );
    }
}

/// Every command that a page offers is one, with its subcommands.
#[test]
fn the_commands_of_the_pages_exist() {
    let mut checked = 0;
    let guides = ["../../docs/operators.md", "../../docs/operators.zh-TW.md"].map(PathBuf::from);
    let runbooks = fs::read_dir(RUNBOOKS).unwrap();
    let runbooks = runbooks.map(|entry| entry.unwrap().path());
    for path in runbooks.chain(guides) {
        let text = read(&path);
        for command in text.split("`tbsi ").skip(1) {
            let command = command.split('`').next().unwrap();
            let lower = |word: &&str| word.starts_with(|letter: char| letter.is_ascii_lowercase());
            let words: Vec<&str> = command.split(' ').take_while(lower).collect();
            let is_help = |count: usize| {
                let name = words[..count].join("-");
                Path::new(&format!("tests/help/tbsi-{name}.txt")).exists()
            };
            let longest = (1..=words.len()).rev().find(|count| is_help(*count));
            let help = longest.unwrap_or_else(|| panic!("{path:?}: tbsi {command}"));
            let name = words[..help].join("-");
            let help = read(format!("tests/help/tbsi-{name}.txt"));
            for flag in command.split(' ').filter(|word| word.starts_with("--")) {
                assert!(help.contains(flag), "{path:?}: tbsi {command}");
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked}");
}

/// Prometheus' own tool, where there is one: `testnet/setup.sh tests` unpacks it.
fn promtool() -> Option<PathBuf> {
    let unpacked = option_env!("CARGO_TARGET_DIR").map(PathBuf::from);
    let unpacked = unpacked.or_else(|| std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from));
    let unpacked = unpacked.map(|dir| dir.join("prometheus/usr/bin/promtool"));
    let places = [
        std::env::var_os("TBSI_PROMTOOL").map(PathBuf::from),
        unpacked,
    ];
    let found = places.into_iter().flatten().find(|place| place.exists());
    let installed = || {
        let ran = Command::new("promtool").arg("--version").output();
        ran.is_ok().then(|| PathBuf::from("promtool"))
    };
    found.or_else(installed)
}

fn judge(promtool: &Path, args: &[&str]) {
    let ran = Command::new(promtool)
        .current_dir("../../deploy/prometheus")
        .args(args)
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(ran.status.success(), "{args:?}\n{stdout}{stderr}");
}

#[test]
fn prometheus_takes_the_rules_and_hears_each_alert() {
    let Some(promtool) = promtool() else {
        let line =
            "alerts (install Debian's package prometheus, or run `testnet/setup.sh tests`)\n";
        let log = std::env::var_os("TBSI_SKIP_LOG");
        let open = |path| fs::OpenOptions::new().append(true).create(true).open(path);
        if let Some(mut log) = log.and_then(|path| open(path).ok()) {
            log.write_all(line.as_bytes()).unwrap();
        }
        return;
    };
    judge(&promtool, &["check", "config", "prometheus.yml"]);
    judge(&promtool, &["test", "rules", "alerts.test.yml"]);
    // Expressions of dashboards are rules that record.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("panels.yml");
    let mut rules = "groups:\n  - name: panels\n    rules:\n".to_owned();
    for (index, expression) in DASHBOARDS.into_iter().flat_map(panels).enumerate() {
        let expression = serde_json::to_string(&expression).unwrap();
        rules += &format!("      - record: panel_{index}\n        expr: {expression}\n");
    }
    fs::write(&file, rules).unwrap();
    judge(&promtool, &["check", "rules", file.to_str().unwrap()]);
}
