//! Whatever the attestation contract does (SPEC §12.2), somebody at a terminal can do.

use crate::{File, complains, files, keep};

/// Functions that another one stands for in the program, and why.
const STOOD_FOR: &[(&str, &str)] = &[
    // `tbsi delegate cancel` signs, and anybody sends, the issuer too.
    ("cancelDelegation", "cancelByDelegation"),
];

fn check(files: &[File]) -> Vec<String> {
    let functions: Vec<&str> = files
        .iter()
        .filter(|file| file.path == "SPEC.md")
        .flat_map(|file| functions(&file.text))
        .collect();
    if functions.is_empty() {
        return vec!["SPEC.md: section 12.2 names no function".into()];
    }
    let called = |name: &str| {
        let call = format!("{name}Call");
        let mut sources = files.iter();
        sources.any(|file| file.path.starts_with("node/cli/src/") && file.text.contains(&call))
    };
    let without = functions.into_iter().filter(|name| {
        let other = STOOD_FOR.iter().find(|(function, _)| function == name);
        !called(other.map_or(name, |(_, other)| other))
    });
    let complain = |name| format!("SPEC.md: no command of node/cli calls `{name}`; add one");
    without.map(complain).collect()
}

/// Names in the first column of the section's table.
fn functions(spec: &str) -> Vec<&str> {
    let section = spec.split("### 12.2 ").nth(1).unwrap_or_default();
    let section = section.split("\n### ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    quoted.filter_map(|text| text.split('(').next()).collect()
}

#[test]
fn every_function_has_its_command() {
    let files = files();
    keep(&check(&files));
    let spec = files.iter().find(|file| file.path == "SPEC.md");
    assert!(functions(&spec.expect("a specification").text).len() >= 13);
}

#[test]
fn a_function_without_a_command_is_found() {
    let spec = "### 12.2 Functions\n\n| function | effect |\n| --- | --- |\n\
                | `attest(bytes32 a) → bytes32`, `revoke(…)` | x `other(y)` |\n\n### 12.3 Events\n\
                | `never()` | z |\n";
    let source = File::example("node/cli/src/a.rs", "attestCall { }");
    complains(
        &check(&[File::example("SPEC.md", spec), source]),
        &["SPEC.md: no command of node/cli calls `revoke`; add one"],
    );
    complains(&check(&[]), &["SPEC.md: section 12.2 names no function"]);
}
