//! Tests that documents name as evidence exist.

use crate::{File, complains, files, keep};

fn check(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is("md")) {
        for (index, line) in file.text.lines().enumerate() {
            for (path, name) in named(line) {
                if !exists(files, path, name) {
                    let at = file.at(index);
                    complaints.push(format!("{at}: there is no test `{path}::{name}`"));
                }
            }
        }
    }
    complaints
}

/// What stands in a line as `path/file.rs::name`.
fn named(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter_map(|text| {
        let (path, name) = text.split_once(".rs::")?;
        Some((&text[..path.len() + 3], name))
    })
}

fn exists(files: &[File], path: &str, name: &str) -> bool {
    let Some(file) = files.iter().find(|file| file.path == path) else {
        return false;
    };
    let lines: Vec<&str> = file.text.lines().map(str::trim_start).collect();
    let is_test = |line: &&str| line.starts_with("#[test]") || line.starts_with("#[tokio::test");
    let functions = [format!("fn {name}("), format!("async fn {name}(")];
    let defines = |line: &str| functions.iter().any(|function| line.starts_with(function));
    lines
        .windows(2)
        .any(|pair| is_test(&pair[0]) && defines(pair[1]))
}

#[test]
fn tests_that_are_named_exist() {
    let files = files();
    keep(&check(&files));
    let law = files
        .iter()
        .filter(|file| file.path.starts_with("docs/law"));
    let named: usize = law
        .map(|file| file.text.lines().flat_map(named).count())
        .sum();
    assert!(named >= 40, "{named}");
}

#[test]
fn a_test_that_is_gone_is_found() {
    let test =
        "#[test]\nfn good() {}\n\n#[tokio::test(flavor = \"x\")]\nasync fn too() {}\nfn no() {}\n";
    let files = [
        File::example("a/t.rs", test),
        File::example(
            "d.md",
            "`a/t.rs::good` and `a/t.rs::too`, `a/t.rs::no`\n`a/u.rs::good` `x::y` a/t.rs::z\n",
        ),
    ];
    complains(
        &check(&files),
        &[
            "d.md:1: there is no test `a/t.rs::no`",
            "d.md:2: there is no test `a/u.rs::good`",
        ],
    );
}
