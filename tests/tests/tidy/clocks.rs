//! The time of day is read in one place of each program, so that somebody else can say what it
//! is: a test, the simulator, a node that is started with another clock.

use crate::{File, complains, files, keep, product_lines};

/// Files that read it, and what for.
const READERS: &[(&str, &str)] = &[
    ("bridge/src/relay.rs", "the relayer's pauses and records"),
    (
        "node/cli/src/clock.rs",
        "the time of a new genesis file, and the age of a status",
    ),
    (
        "node/cli/src/renew.rs",
        "whether certificates are valid, and what is due",
    ),
    (
        "node/daemon/src/clock.rs",
        "the node's; consensus is given it as `EngineConfig::clock`",
    ),
    (
        "warroom/src/clock.rs",
        "whether a chain is silent, and how old an answer is",
    ),
];
/// How it is read.
const READS: &[&str] = &["SystemTime::now", "Timestamp::now", "Zoned::now"];

/// State machines that have no clock at all: the caller says what time it is.
const TIMELESS: &[&str] = &["consensus/engine/src/host"];

fn check(files: &[File], readers: &[(&str, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut reading = Vec::new();
    for file in files.iter().filter(|file| is_product(file)) {
        let timeless = TIMELESS.iter().any(|path| file.path.starts_with(path));
        for (index, line) in product_lines(&file.text) {
            let at = || file.at(index);
            if timeless && line.contains("::now(") {
                complaints.push(format!("{}: it has no clock: let the caller say", at()));
            } else if READS.iter().any(|read| line.contains(read)) {
                if !readers.iter().any(|(path, _)| *path == file.path) {
                    complaints.push(format!("{}: pass the time of day in", at()));
                }
                reading.push(file.path.as_str());
            }
        }
    }
    for (path, _) in readers {
        if !reading.contains(path) {
            complaints.push(format!("READERS: {path} reads no clock: remove it"));
        }
    }
    complaints
}

fn is_product(file: &File) -> bool {
    let outside = ["tests/", "testnet/", "vendor/"];
    let outside = outside.iter().any(|top| file.path.starts_with(top));
    let test = |part: &str| matches!(part, "tests" | "tests.rs");
    file.is("rs") && !outside && !file.path.split('/').any(test)
}

#[test]
fn the_time_of_day_has_one_reader() {
    keep(&check(&files(), READERS));
}

#[test]
fn a_second_clock_is_found() {
    let files = [
        File::example("node/a.rs", "let now = SystemTime::now();\n"),
        File::example(
            "node/b.rs",
            "// SystemTime::now\nlet now = Instant::now();\n",
        ),
        File::example("node/c.rs", "let now = Timestamp::now();\n"),
        File::example("node/tests/d.rs", "let now = SystemTime::now();\n"),
        File::example("consensus/engine/src/host/e.rs", "Instant::now();\n"),
    ];
    complains(
        &check(
            &files,
            &[("node/a.rs", "an example"), ("node/b.rs", "none")],
        ),
        &[
            "node/c.rs:1: pass the time of day in",
            "consensus/engine/src/host/e.rs:1: it has no clock: let the caller say",
            "READERS: node/b.rs reads no clock: remove it",
        ],
    );
}
